use std::sync::Arc;
use std::time::Instant;

use super::*;

/// No files.
const NOTHING: [u64; 3] = [0, 0, 0];

/// Submits `a` and `b`, where the tries to create a task are answered by these.
async fn submit<const N: usize>(creates: Vec<String>, script: [(&'static str, Vec<String>); N]) -> Ran {
    let script = [("create", creates)].into_iter().chain(script);
    let ledger = ledger(FileType::Dockerfile, &["a", "b"]);
    run_with(&service(script), ledger, Options { no_wait: true, ..OPTIONS }).await.0
}

fn lost() -> String {
    says(503, "busy")
}

#[tokio::test]
async fn a_task_whose_answer_was_lost_is_found_by_its_files() {
    let both = [2, 0, 0];
    let row = |id: &str, counts| task(id, "running", counts);
    // Another pipeline has one of as many files, and the first look sees ours without them.
    let rows = [row("foreign", both), row("larger", [3, 0, 0]), row("ours", both), row("", both)];
    let ours = resources(&[("a", "scanning"), ("b", "scanning")]);
    let answers = vec![resources(&[("a", "scanning"), ("z", "scanning")]), resources(&[]), ours];
    let host = service([("create", vec![lost()]), ("tasks", vec![data(&rows)]), ("resources", answers)]);
    let open = ledger(FileType::Dockerfile, &["a", "b"]);
    let (ran, ledger) = run_with(&host, open, Options { no_wait: true, ..OPTIONS }).await;
    let calls = ["upload", "create", "tasks", "resources", "resources", "tasks", "resources"];
    assert_eq!(ran, super::ran(&[&format!("a {IN_TASK}"), &format!("b {IN_TASK}")], &calls));
    // What is known to be another's was not asked again.
    assert_eq!(ledger.tasks.keys().collect::<Vec<_>>(), ["ours"]);
}

#[tokio::test]
async fn a_task_of_another_number_of_files_is_not_taken_for_the_one_of_all() {
    let listed = data(&[task("some", "running", [1, 0, 0])]);
    let ran = submit(vec![lost(), created("t")], [("tasks", vec![listed])]).await;
    let again = "a task was created again, since the answer to the first try was lost and no task held our files";
    assert_eq!((ran.error, ran.notes), (None, vec![again.to_owned()]));
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} {IN_TASK}")));
    assert_eq!(ran.calls, ["upload", "create", "tasks", "tasks", "tasks", "tasks", "create"]);
}

/// It may be one that is not filled yet: another would hold the same files.
#[tokio::test]
async fn a_task_that_may_not_list_all_its_files_yet_is_unclear_and_nothing_is_created() {
    let counted = data(&[task("some", "running", [2, 0, 0])]);
    let uncounted = data(&[r#"{"task_id":"some"}"#.to_owned()]);
    let (one, nothing) = (resources(&[("a", "scanning")]), resources(&[]));
    for (row, held, listed) in [(&counted, &one, 1), (&uncounted, &one, 1), (&counted, &nothing, 0)] {
        let what = format!("task some lists {listed} of our 2 files and may hold more");
        let ran = submit(vec![lost()], [("tasks", vec![row.clone()]), ("resources", vec![held.clone()])]).await;
        assert_eq!(ran.calls, [&["upload", "create"][..], &["tasks", "resources"].repeat(4)].concat());
        let reason = format!("a task may exist: task: 503 busy; and looking for it failed: {what}");
        assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: {reason}")));
        let (ran, _) = adopt([("tasks", vec![row.clone()]), ("resources", vec![held.clone()])]).await;
        assert_eq!(ran.calls, ["tasks", "resources"].repeat(4));
        assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: a task may exist: {what}")));
    }
}

#[tokio::test]
async fn an_empty_task_that_is_older_than_the_try_is_not_it() {
    let row = |time: i64| {
        let counts = r#""iac_scan_info":{"scan_file_num":1}"#;
        data(&[format!("{{\"task_id\":\"some\",\"task_status\":\"ready\",\"start_time\":{time},{counts}}}")])
    };
    let adopted = async |time: i64| {
        let mut open = ledger(FileType::Dockerfile, &["a"]);
        open.uploaded(0, "a".to_owned());
        open.submitting(&[0]);
        open.since = Some(7_000_000_000_000);
        let host =
            service([("tasks", vec![row(time)]), ("resources", vec![resources(&[])]), ("create", vec![created("t")])]);
        run_with(&host, open, Options { no_wait: true, ..OPTIONS }).await.0.calls
    };
    assert_eq!(adopted(6_999_999_999_999).await, [&["tasks", "resources"].repeat(4)[..], &["create"]].concat());
    assert_eq!(adopted(7_000_000_000_000).await, ["tasks", "resources"].repeat(4));
}

#[tokio::test]
async fn a_task_that_has_finished_lists_all_that_it_ever_will() {
    let counted = data(&[task("some", "finished", [2, 1, 0])]);
    let uncounted = data(&[r#"{"task_id":"some","task_status":"finished"}"#.to_owned()]);
    let some = || ("resources", vec![resources(&[("a", "success")])]);
    let [in_a, in_b] = ["a", "b"].map(|path| format!("{path} {IN_TASK}"));
    // Of as many files it is ours, though it lists one of them.
    let ran = submit(vec![lost()], [("tasks", vec![counted.clone()]), some()]).await;
    assert_eq!(ran, super::ran(&[&in_a, &in_b], &["upload", "create", "tasks", "resources"]));
    // Of who knows how many it is another.
    let ran = submit(vec![lost(), created("t")], [("tasks", vec![uncounted.clone()]), some()]).await;
    assert_eq!(ran.calls, [&["upload", "create"][..], &["tasks", "resources"].repeat(4), &["create"]].concat());
    let nothing = ("resources", vec![resources(&[])]);
    let ran = submit(vec![lost(), created("t")], [("tasks", vec![counted.clone()]), nothing]).await;
    assert_eq!(ran.calls.last(), Some(&"create"));
    // A run that was cut off may have had several: what is in one of them is in no other.
    for row in [counted, uncounted] {
        let (ran, ledger) = adopt([("tasks", vec![row]), some(), ("create", vec![created("rest")])]).await;
        assert_eq!(ran.files, [in_a.clone(), in_b.clone()]);
        let task_of = |index: usize| ledger.entries[index].task_id.as_deref();
        assert_eq!((task_of(0), task_of(1)), (Some("some"), Some("rest")));
    }
}

#[tokio::test]
async fn it_is_looked_for_four_times_before_it_is_created_again_and_four_times_created() {
    let ran = submit(vec![lost()], [("tasks", vec![none()])]).await;
    let looks = ["create", "tasks", "tasks", "tasks", "tasks"];
    assert_eq!(ran.calls, [&["upload"][..], &looks, &looks, &looks, &looks].concat());
    let reason = "a task may exist: task: 503 busy; and none holds our files";
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: {reason}")));
    assert_eq!((ran.error, ran.notes.len()), (None, 3));
}

#[tokio::test]
async fn a_look_that_fails_counts_for_none_and_four_of_them_are_enough() {
    let refused = || says(400, "no");
    let looks = vec![refused(), none(), refused(), none(), refused(), refused()];
    let ran = submit(vec![lost()], [("tasks", looks)]).await;
    assert_eq!(ran.calls, [&["upload", "create"][..], &["tasks"; 6]].concat());
    let reason = "a task may exist: task: 503 busy; and looking for it failed: tasks/batch-query: 400 no";
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: {reason}")));
    let ran = submit(vec![lost()], [("tasks", vec![says(403, "no")])]).await;
    assert_eq!(ran.error.as_deref(), Some("tasks/batch-query: 403 no"));
    assert_eq!(ran.files[0], "a NotScanned: being submitted, a task may exist: over");
}

#[tokio::test]
async fn the_files_of_a_task_that_can_not_be_read_leave_it_unclear() {
    let row = data(&[task("maybe", "running", [2, 0, 0])]);
    let ran = submit(vec![lost()], [("tasks", vec![row.clone()]), ("resources", vec![says(400, "no")])]).await;
    assert_eq!(ran.calls, [&["upload", "create"][..], &["tasks", "resources"].repeat(4)].concat());
    let reason = "a task may exist: task: 503 busy; and looking for it failed: resources/batch-query: 400 no";
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: {reason}")));
    let ran = submit(vec![lost()], [("tasks", vec![row]), ("resources", vec![says(403, "no")])]).await;
    assert_eq!(ran.error.as_deref(), Some("resources/batch-query: 403 no"));
    assert_eq!(ran.calls, ["upload", "create", "tasks", "resources"]);
}

#[tokio::test]
async fn a_task_that_is_refused_costs_its_files_and_is_not_looked_for() {
    let ran = submit(vec![says(400, "no")], []).await;
    assert_eq!(ran, super::ran(&["a ScanFailed: task: 400 no", "b ScanFailed: task: 400 no"], &["upload", "create"]));
    let ran = submit(vec![says(403, "no")], []).await;
    assert_eq!(ran.error.as_deref(), Some("task: 403 no"));
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: uploaded, in no task: over")));
    // Here the first may still come to be.
    let ran = submit(vec![lost(), says(403, "no")], [("tasks", vec![none()])]).await;
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: being submitted, a task may exist: over")));
    let ran = submit(vec![lost(), says(400, "no")], [("tasks", vec![none()])]).await;
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} ScanFailed: a task may exist: task: 400 no")));
}

/// Goes on with a run that was cut off while it created a task of `a` and `b`.
async fn adopt<const N: usize>(script: [(&'static str, Vec<String>); N]) -> (Ran, Ledger) {
    let mut open = ledger(FileType::Dockerfile, &["a", "b"]);
    open.uploaded(0, "a".to_owned());
    open.uploaded(1, "b".to_owned());
    open.submitting(&[0, 1]);
    run_with(&service(script), open, Options { no_wait: true, ..OPTIONS }).await
}

#[tokio::test]
async fn what_a_cut_off_run_put_into_tasks_is_taken_and_the_rest_submitted() {
    let rows = [task("one", "running", [1, 0, 0]), task("large", "running", [3, 0, 0]), task("none", "running", NOTHING)];
    let held = vec![resources(&[("b", "scanning")]), resources(&[])];
    let (ran, ledger) = adopt([("tasks", vec![data(&rows)]), ("resources", held), ("create", vec![created("rest")])]).await;
    assert_eq!((ran.error, ran.notes), (None, Vec::new()));
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} {IN_TASK}")));
    let task_of = |index: usize| ledger.entries[index].task_id.as_deref();
    assert_eq!((task_of(0), task_of(1)), (Some("rest"), Some("one")));
    let listed = ran.calls.iter().filter(|api| **api == "tasks").count();
    assert_eq!((listed, ran.calls.last()), (4, Some(&"create")));
    assert_eq!((ledger.tasks["one"].files, ledger.tasks["rest"].files), (1, 1));
}

#[tokio::test]
async fn a_task_that_holds_all_ends_the_search() {
    let row = data(&[task("both", "running", [2, 0, 0])]);
    let held = resources(&[("a", "scanning"), ("b", "scanning")]);
    let (ran, ledger) = adopt([("tasks", vec![row]), ("resources", vec![held])]).await;
    assert_eq!(ran, super::ran(&[&format!("a {IN_TASK}"), &format!("b {IN_TASK}")], &["tasks", "resources"]));
    assert_eq!(ledger.tasks["both"].files, 2);
}

#[tokio::test]
async fn a_search_that_stays_unclear_creates_nothing() {
    let (ran, _) = adopt([("tasks", vec![says(400, "no")])]).await;
    assert_eq!(ran.calls, ["tasks"; 4]);
    let reason = "a task may exist: tasks/batch-query: 400 no";
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} ScanFailed: {reason}")));
    // Those that fail count for none.
    let looks = vec![says(400, "no"), says(400, "no"), says(400, "no"), none()];
    let (ran, _) = adopt([("tasks", looks), ("create", vec![created("t")])]).await;
    assert_eq!(ran.calls, [&["tasks"; 7][..], &["create"]].concat());
    let (ran, _) = adopt([("tasks", vec![says(403, "no")])]).await;
    assert_eq!((ran.error.as_deref(), ran.calls.len()), (Some("tasks/batch-query: 403 no"), 1));
}

/// The bodies of the looks at the tasks.
fn looks(host: &Host) -> Vec<String> {
    host.asked().into_iter().filter(|asked| api(asked) == "tasks").map(|asked| asked.body).collect()
}

#[tokio::test]
async fn it_is_looked_for_among_those_of_its_type_and_time_and_then_among_the_newest() {
    let of_type = r#"{"iac_scan_info":{"file_type":"dockerfile"},"start_create_time":TIME,"task_type":"iac_scan"}"#;
    let newest =
        r#"{"iac_scan_info":{"file_type":"dockerfile"},"sort_dir":"desc","sort_key":"start_time","task_type":"iac_scan"}"#;
    let at = |time: &str| [vec![of_type.replace("TIME", time); 3], vec![newest.to_owned()]].concat();

    let host = service([("tasks", vec![none()]), ("create", vec![created("t")])]);
    let mut open = ledger(FileType::Dockerfile, &["a"]);
    open.uploaded(0, "a".to_owned());
    open.submitting(&[0]);
    open.since = Some(7);
    let _ = run_with(&host, open, Options { no_wait: true, ..OPTIONS }).await;
    assert_eq!(looks(&host), at("7"));

    // The service's clock runs on from a time in whole seconds, and a minute is allowed for.
    let stored = r#"{"success_file_info":[{"file_name":"a","file_id":"a"}]}"#;
    let dated = crate::hss::tests::answer(200, "Date: Thu, 01 Jan 1970 01:00:00 GMT\n", stored);
    let host = service([("upload", vec![dated]), ("create", vec![lost(), created("t")]), ("tasks", vec![none()])]);
    let _ = run_with(&host, ledger(FileType::Dockerfile, &["a"]), Options { no_wait: true, ..OPTIONS }).await;
    let looks = looks(&host);
    let time = looks[0].split("\"start_create_time\":").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default();
    assert!((3_540_000..3_550_000).contains(&time.parse::<u64>().unwrap_or_default()), "{looks:?}");
    assert_eq!(looks, at(time));
}

#[tokio::test]
async fn the_looks_for_it_come_further_and_further_apart() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&times);
    let host = Host::new(move |before, asked| match (before, api(asked)) {
        (_, "upload") => kept(asked),
        (1, "create") => lost(),
        (_, "create") => created("t"),
        // The first look fails, which makes the others no earlier.
        (2, _) => says(400, "no"),
        _ => {
            log.lock().unwrap().push(Instant::now());
            none()
        }
    });
    let options = Options { no_wait: true, window: Duration::from_millis(800), ..OPTIONS };
    let (ran, _) = run_with(&host, ledger(FileType::Dockerfile, &["a"]), options).await;
    assert_eq!(ran.calls, [&["upload", "create"][..], &["tasks"; 5], &["create"]].concat());
    let times = times.lock().unwrap();
    let apart = |look: usize| times[look] - times[look - 1];
    // A steady distance is a fourth of the window.
    let least = [20, 60, 160].map(Duration::from_millis);
    assert!(apart(1) >= least[0] && apart(2) >= least[1] && apart(3) >= least[2], "{times:?}");
}
