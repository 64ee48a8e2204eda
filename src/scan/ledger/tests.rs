//! What becomes of files on their way, of those that did not change, and of those of a run that was cut off.

mod risks;

use super::*;
use crate::model::{FileRecord, FileType};

fn file(path: &str, obstacle: Option<&str>) -> SourceFile {
    SourceFile {
        path: path.into(),
        file_type: FileType::Dockerfile,
        size: 1,
        sha256: None,
        secrets: Vec::new(),
        masked: 0,
        obstacle: obstacle.map(str::to_owned),
    }
}

/// One of these bytes that can be sent.
fn manifest(path: &str, sha256: &str) -> SourceFile {
    SourceFile { file_type: FileType::K8sYaml, sha256: Some(sha256.to_owned()), ..file(path, None) }
}

fn task(task_id: &str, file_type: FileType, files: u64) -> Task {
    Task { task_id: task_id.to_owned(), file_type, files, status: TaskStatus::Created }
}

/// What would be said of the files if the run ended now: path, state and reason.
fn standing(ledger: &Ledger) -> Vec<String> {
    let line = |record: FileRecord| {
        let reason = record.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("{} {:?}{reason}", record.path, record.state)
    };
    ledger.records_if_closed("over").into_iter().map(line).collect()
}

#[test]
fn a_closed_account_says_how_far_each_file_came() {
    let names = ["blocked", "waiting", "uploaded", "submitted", "scanned", "submitting"];
    let mut ledger = Ledger::open(names.map(|name| file(name, (name == "blocked").then_some("a FIFO"))).into());
    for index in 2..6 {
        ledger.uploaded(index, format!("id-{index}"));
    }
    ledger.submitted(task("t", FileType::Dockerfile, 2), &[3, 4]);
    ledger.submitting(&[2, 5]);
    ledger.not_submitted(&[2]);
    assert_eq!(ledger.open_in("t"), [3, 4]);
    ledger.end(4, State::Scanned, None);
    ledger.close("timed out");
    ledger.close("again");
    let states: Vec<_> = ledger.records().into_iter().map(|r| (r.path.to_string(), r.state, r.reason)).collect();
    let not = |path: &str, reason: &str| (path.to_owned(), State::NotScanned, Some(reason.to_owned()));
    assert_eq!(
        states,
        [
            not("blocked", "a FIFO"),
            not("waiting", "not sent: timed out"),
            not("uploaded", "uploaded, in no task: timed out"),
            not("submitted", "submitted, result not read: timed out"),
            ("scanned".to_owned(), State::Scanned, None),
            not("submitting", "being submitted, a task may exist: timed out"),
        ]
    );
    let next: Vec<_> = ledger.records().into_iter().map(|record| record.next).collect();
    let expected = [None, Some(Next::Upload), Some(Next::Submit), Some(Next::Collect), None, Some(Next::FindTask)];
    assert_eq!(next, expected);

    let tasks: Vec<Task> = ledger.tasks.values().cloned().collect();
    let mut again = Ledger::reopen(&ledger.records(), &tasks, None);
    assert_eq!((again.waiting(), again.without_task(FileType::Dockerfile)), (vec![1], (vec![2], vec![5])));
    assert_eq!((again.open_in("t"), again.is_open()), (vec![3], true));
    again.close("timed out");
    assert_eq!(again.records(), ledger.records());
}

#[test]
fn the_account_follows_files_from_step_to_step() {
    let mut ledger = Ledger::open(vec![file("a", None), file("b", None), manifest("c", "1")]);
    let item = |index, file_type| Item { index, file_type, size: 1 };
    let items = [item(0, FileType::Dockerfile), item(1, FileType::Dockerfile), item(2, FileType::K8sYaml)];
    assert_eq!(ledger.items(), items);
    ledger.uploading(&[0, 1]);
    let on_its_way = "NotScanned: being uploaded, a copy may stay in the project: over";
    let unsent = "c NotScanned: not sent: over";
    assert_eq!(standing(&ledger), [&format!("a {on_its_way}"), &format!("b {on_its_way}"), unsent]);
    ledger.not_uploaded(&[0, 1]);
    assert_eq!(ledger.items(), items);

    for (index, file_id) in [(0, "same"), (1, "same"), (2, "other")] {
        ledger.uploaded(index, file_id.to_owned());
    }
    assert_eq!(ledger.ids(&[2, 0, 1]), ["other", "same"]);
    let counts = |ledger: &Ledger| (ledger.is_submitting(), ledger.in_tasks(), ledger.tasks_settled());
    assert_eq!(counts(&ledger), (false, 0, (0, 0)));
    for since in [None, Some(5), Some(7)] {
        ledger.started(since);
    }
    ledger.submitting(&[0, 1]);
    assert_eq!((counts(&ledger), ledger.since), ((true, 0, (0, 0)), Some(5)));
    ledger.submitted(task("t", FileType::Dockerfile, 1), &[0, 1]);
    ledger.submitted(task("u", FileType::K8sYaml, 1), &[2]);
    assert_eq!(counts(&ledger), (false, 3, (0, 2)));
    ledger.task_is("t", TaskStatus::Finished);
    ledger.task_is("another's", TaskStatus::Finished);
    ledger.settled("t".to_owned());
    assert_eq!(counts(&ledger), (false, 3, (1, 2)));
    let finished = Task { status: TaskStatus::Finished, ..task("t", FileType::Dockerfile, 1) };
    assert!(ledger.tasks.values().eq([&finished, &task("u", FileType::K8sYaml, 1)]));
}

#[test]
fn a_verdict_that_is_known_is_taken_unless_the_file_can_not_be_sent() {
    let blocked = |path: &str| SourceFile { obstacle: Some("a FIFO".to_owned()), ..manifest(path, "known") };
    let mut ledger = Ledger::open(vec![
        manifest("edited", "new"),
        manifest("edited back", "known"),
        manifest("same", "unknown"),
        manifest("same and known", "known by a stand-in"),
        manifest("same and known, too", "known"),
        blocked("blocked"),
        blocked("also blocked"),
        blocked("same and blocked"),
    ]);
    assert_eq!((ledger.has_unchanged(), ledger.obstacles()), (false, 3));
    for (index, is_changed) in [true, true, false, false, false, true, true, false].into_iter().enumerate() {
        if is_changed { ledger.changed(index) } else { ledger.unchanged(index) }
    }
    ledger.reuse(|_, sha256| {
        let stand_in = sha256 == "known by a stand-in";
        (stand_in || sha256 == "known").then_some(Known { risks: Vec::new(), at: Timestamp::UNIX_EPOCH, stand_in })
    });
    let expected = [
        ("edited NotScanned: not sent: over", Some(true)),
        ("edited back Reused", Some(true)),
        ("same Unchanged", Some(false)),
        ("same and known Reused", Some(false)),
        ("same and known, too Reused", Some(false)),
        ("blocked NotScanned: a FIFO", Some(true)),
        ("also blocked NotScanned: a FIFO", Some(true)),
        ("same and blocked Unchanged", Some(false)),
    ];
    let changed = ledger.entries.iter().map(|entry| entry.changed);
    assert!(standing(&ledger).into_iter().zip(changed).eq(expected.map(|(said, changed)| (said.to_owned(), changed))));
    assert_eq!((ledger.has_unchanged(), ledger.obstacles(), ledger.stand_in), (true, 2, true));
}

#[test]
fn nothing_more_comes_to_light_of_what_has_no_places_or_ended_or_stands_behind_another() {
    let over = manifest("over", "2");
    let mut ledger = Ledger::open(vec![file("Dockerfile", None), manifest("a", "1"), manifest("equal", "1"), over]);
    ledger.pair();
    ledger.end(3, State::UploadFailed, None);
    let is_over: Vec<bool> = (0..4).map(|index| ledger.is_over(index)).collect();
    assert_eq!(is_over, [true, false, true, true]);
}

#[test]
fn what_lacks_its_id_or_its_task_is_uploaded_again() {
    let names = ["collect", "no task", "no id", "find", "find nothing", "submit", "submit nothing", "failed", "blocked"];
    let next = [Next::Collect, Next::Collect, Next::Collect, Next::FindTask, Next::FindTask, Next::Submit, Next::Submit];
    let mut records = Ledger::open(names.map(|name| file(name, None)).into()).records_if_closed("cut off");
    for (record, next) in records.iter_mut().zip(next.map(Some).into_iter().chain([None, None])) {
        record.next = next;
        let has_id = !["no id", "find nothing", "submit nothing", "blocked"].contains(&&*record.path.to_string());
        record.file_id = has_id.then(|| format!("id of {}", record.path));
        record.task_id = Some("t".to_owned()).filter(|_| next == Some(Next::Collect));
    }
    records[1].task_id = Some("not in the result".to_owned());
    records[7].state = State::ScanFailed;
    let tasks = ["t", "u"].map(|task_id| task(task_id, FileType::Dockerfile, 1));
    let again = Ledger::reopen(&records, &tasks, Some(5));
    assert_eq!(
        standing(&again),
        [
            "collect NotScanned: submitted, result not read: over",
            "no task NotScanned: not sent: over",
            "no id NotScanned: not sent: over",
            "find NotScanned: being submitted, a task may exist: over",
            "find nothing NotScanned: not sent: over",
            "submit NotScanned: uploaded, in no task: over",
            "submit nothing NotScanned: not sent: over",
            "failed ScanFailed: not sent: cut off",
            "blocked NotScanned: not sent: cut off",
        ]
    );
    // Of what failed or is still to be sent nothing stood in the way.
    assert_eq!((again.obstacles(), again.tasks_settled(), again.since), (1, (1, 2), Some(5)));
}
