use super::*;

/// Runs with `a` and `b` in a task, where all that is scanned is clean.
async fn wait(tasks: Vec<String>, resources: Vec<String>) -> Ran {
    let host = service([
        ("create", vec![created("t")]),
        ("tasks", tasks),
        ("resources", resources),
        ("files", vec![data(&[clean("a"), clean("b")])]),
        ("risks", vec![none()]),
    ]);
    run(&host, ledger(FileType::Dockerfile, &["a", "b"])).await
}

fn finished(counts: [u64; 3]) -> String {
    data(&[task("t", "finished", counts)])
}

#[tokio::test]
async fn counts_that_say_that_all_were_scanned_are_enough() {
    let running = data(&[task("t", "running", [2, 2, 0])]);
    let none = none();
    let ran = wait(vec![none, running, finished([2, 2, 0])], vec![]).await;
    let calls = ["upload", "create", "tasks", "tasks", "tasks", "files"];
    assert_eq!(ran, super::ran(&["a Scanned", "b Scanned"], &calls));
}

#[tokio::test]
async fn other_counts_are_looked_into() {
    for counts in [[3, 2, 0], [2, 1, 0], [2, 2, 1]] {
        let ran = wait(vec![finished(counts)], vec![resources(&[("a", "success"), ("b", "success")])]).await;
        let calls = ["upload", "create", "tasks", "resources", "files"];
        assert_eq!(ran, super::ran(&["a Scanned", "b Scanned"], &calls), "{counts:?}");
    }
}

#[tokio::test]
async fn a_file_that_was_not_scanned_ends_with_its_reason() {
    let reason = r#"{"file_id":"b","scan_status":"failed","failed_reason":"no YAML"}"#;
    let with_reason = listing("iac_scan_data_list", &[r#"{"file_id":"a","scan_status":"failed"}"#, reason]);
    let ran = wait(vec![finished([2, 0, 2])], vec![with_reason]).await;
    let calls = ["upload", "create", "tasks", "resources"];
    let files = ["a ScanFailed: HSS could not scan it and gives no reason", "b ScanFailed: no YAML"];
    assert_eq!(ran, super::ran(&files, &calls));
    let ran = wait(vec![finished([1, 1, 0])], vec![resources(&[("a", "elsewhere")])]).await;
    let files =
        ["a ScanFailed: HSS gives a scan status that is not known here", "b ScanFailed: the finished task does not list it"];
    assert_eq!(ran, super::ran(&files, &calls));
}

#[tokio::test]
async fn a_finished_task_whose_files_are_still_scanned_is_looked_at_again() {
    let looks = vec![resources(&[("a", "failed"), ("b", "scanning")]), resources(&[("a", "failed"), ("b", "success")])];
    let ran = wait(vec![finished([2, 0, 0])], looks).await;
    let calls = ["upload", "create", "tasks", "resources", "tasks", "resources", "files"];
    assert_eq!(ran, super::ran(&["a ScanFailed: HSS could not scan it and gives no reason", "b Scanned"], &calls));
}

#[tokio::test]
async fn files_that_can_not_be_listed_are_lost_unless_all_of_them_were() {
    let ran = wait(vec![finished([2, 1, 1])], vec![says(400, "no")]).await;
    let reason = "ScanFailed: the task's files could not be listed: resources/batch-query: 400 no";
    let calls = ["upload", "create", "tasks", "resources"];
    assert_eq!(ran, super::ran(&[&format!("a {reason}"), &format!("b {reason}")], &calls));
    // It names one more than it gives, of which none can be ours.
    let short = resources(&[("a", "success"), ("b", "success")]).replace("\"total_num\":2", "\"total_num\":3");
    let ran = wait(vec![finished([3, 2, 1])], vec![short]).await;
    assert_eq!((ran.error, ran.files), (None, vec!["a Scanned".to_owned(), "b Scanned".to_owned()]));
    // Here it may be.
    let foreign = resources(&[("a", "success"), ("z", "success")]).replace("\"total_num\":2", "\"total_num\":3");
    let ran = wait(vec![finished([3, 2, 1])], vec![foreign]).await;
    let reason = "ScanFailed: the task's files could not be listed: ";
    assert!(ran.files.iter().all(|file| file[2..].starts_with(reason)), "{:?}", ran.files);
}

#[tokio::test]
async fn a_look_that_fails_is_made_again_and_one_that_is_refused_ends_the_run() {
    let ran = wait(vec![says(503, ""), finished([2, 2, 0])], vec![]).await;
    assert_eq!(ran.files, ["a Scanned", "b Scanned"]);
    let ran = wait(vec![says(400, "no")], vec![]).await;
    assert_eq!(ran.error.as_deref(), Some("tasks/batch-query: 400 no"));
    assert_eq!(ran.files, ["a", "b"].map(|path| format!("{path} NotScanned: submitted, result not read: over")));
}

/// A Dockerfile in the task `d` and a manifest in `k`.
fn both() -> Ledger {
    let mut ledger = ledger(FileType::Dockerfile, &["a", "b"]);
    ledger.entries[1].source.file_type = FileType::K8sYaml;
    ledger
}

#[tokio::test]
async fn one_listing_serves_several_tasks_and_what_it_lacks_twice_is_asked_for_by_its_id() {
    let one = |id: &str| task(id, "finished", [1, 1, 0]);
    // Of two tasks one is listed, which ends when the other was asked for by its id.
    let running = task("d", "running", [1, 0, 0]);
    let by_id = Mutex::new(false);
    let host = Host::new(move |_, asked| match api(asked) {
        "upload" => kept(asked),
        "create" if asked.body.contains("dockerfile") => created("d"),
        "create" => created("k"),
        "tasks" if asked.body.contains("\"task_id\":\"k\"") => {
            *by_id.lock().unwrap() = true;
            data(&[one("k")])
        }
        "tasks" if *by_id.lock().unwrap() => data(&[one("d")]),
        "tasks" => data(&[running.clone(), one("foreign")]),
        "files" => data(&[clean("a"), clean("b")]),
        _ => says(400, "nothing was to be asked here"),
    });
    let (ran, ledger) = run_with(&host, both(), Options { jobs: 1, ..OPTIONS }).await;
    assert_eq!((ran.error, ran.files), (None, vec!["a Scanned".to_owned(), "b Scanned".to_owned()]));
    assert_eq!(ledger.tasks.len(), 2);
    // From when both were open.
    let bodies: Vec<String> =
        host.asked().iter().filter(|asked| api(asked) == "tasks").map(|asked| asked.body.clone()).collect();
    let first_by_id = bodies.iter().position(|body| body.contains("\"task_id\":\"k\"")).unwrap();
    let listed: Vec<&String> = bodies[..first_by_id].iter().filter(|body| !body.contains("task_id\"")).collect();
    assert_eq!(listed.len(), 3, "{bodies:?}");
}

/// Goes on with a run whose Dockerfiles `a` and `b` are in the tasks `d` and `k`, where the listing of tasks has such pages, by their
/// offset. Gives each look at it: the offset and the body.
async fn list(page: impl Fn(&str) -> String + Send + Sync + 'static) -> (Ran, Vec<(String, String)>) {
    let mut open = ledger(FileType::Dockerfile, &["a", "b"]);
    put_in_task(&mut open, "d", &[0]);
    put_in_task(&mut open, "k", &[1]);
    open.since = Some(7);
    let offset_of = |asked: &Asked| asked.line.split(['=', '&']).nth(1).unwrap_or_default().to_owned();
    let host = Host::new(move |_, asked| match api(asked) {
        "tasks" if asked.body.contains("task_id") => data(&[task("k", "finished", [1, 1, 0])]),
        "tasks" => page(&offset_of(asked)),
        _ => data(&[clean("a"), clean("b")]),
    });
    let ran = run(&host, open).await;
    let look = |asked: &Asked| (api(asked) == "tasks").then(|| (offset_of(asked), asked.body.clone()));
    (ran, host.asked().iter().filter_map(look).collect())
}

#[tokio::test]
async fn the_listing_of_tasks_is_read_on_while_some_are_missing() {
    let [foreign, first, second] = ["foreign", "d", "k"].map(|id| task(id, "finished", [1, 1, 0]));
    let of_type = r#"{"iac_scan_info":{"file_type":"dockerfile"},"start_create_time":7,"task_type":"iac_scan"}"#;
    let look = |offset: &str, body: &str| (offset.to_owned(), body.to_owned());
    let rows = format!("\"data_list\":[{foreign},{first}]");
    let (with_total, without) = (format!("{{\"total_num\":4,{rows}}}"), format!("{{{rows}}}"));
    let (ran, looks) = list(move |offset| match offset {
        "0" => says(200, &with_total),
        "2" => says(200, &format!("{{\"total_num\":4,\"data_list\":[{second}]}}")),
        _ => none(),
    })
    .await;
    assert_eq!(ran.files, ["a Scanned", "b Scanned"]);
    assert_eq!(looks, [look("0", of_type), look("2", of_type)]);
    // Without a total a page that is not full is the last; the task that is left is asked for by its id.
    let (ran, looks) = list(move |_| says(200, &without)).await;
    assert_eq!(ran.files, ["a Scanned", "b Scanned"]);
    assert_eq!(looks, [look("0", of_type), look("0", r#"{"task_id":"k","task_type":"iac_scan"}"#)]);
}
