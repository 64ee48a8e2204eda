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
    let cases = [
        (manifest("edited", "new"), true, "edited NotScanned: not sent: over"),
        (manifest("edited back", "known"), true, "edited back Reused"),
        (manifest("same", "unknown"), false, "same Unchanged"),
        (manifest("same, of a stand-in", "of a stand-in"), false, "same, of a stand-in Reused"),
        (manifest("same and known", "known"), false, "same and known Reused"),
        (blocked("blocked"), true, "blocked NotScanned: a FIFO"),
        (blocked("also blocked"), true, "also blocked NotScanned: a FIFO"),
        (blocked("same and blocked"), false, "same and blocked Unchanged"),
    ];
    let mut ledger = Ledger::open(cases.iter().map(|(source, ..)| source.clone()).collect());
    assert_eq!((ledger.has_unchanged(), ledger.obstacles()), (false, 3));
    for (index, (_, is_changed, _)) in cases.iter().enumerate() {
        if *is_changed { ledger.changed(index) } else { ledger.unchanged(index) }
    }
    ledger.reuse(|_, sha256| {
        let stand_in = sha256 == "of a stand-in";
        (stand_in || sha256 == "known").then_some(Known { risks: Vec::new(), at: Timestamp::UNIX_EPOCH, stand_in })
    });
    assert_eq!(standing(&ledger), cases.each_ref().map(|(.., said)| *said));
    let changed: Vec<_> = ledger.entries.iter().map(|entry| entry.changed).collect();
    assert_eq!(changed, cases.each_ref().map(|(_, is_changed, _)| Some(*is_changed)));
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
    let not_sent = "NotScanned: not sent: over";
    let unread = "NotScanned: submitted, result not read: over";
    let unclear = "NotScanned: being submitted, a task may exist: over";
    let cases = [
        (Some(Next::Collect), Some("id-0"), Some("t"), unread),
        (Some(Next::Collect), Some("id-1"), Some("not in the result"), not_sent),
        (Some(Next::Collect), None, Some("t"), not_sent),
        (Some(Next::Locate), Some("id-3"), Some("t"), unread),
        (Some(Next::FindTask), Some("id-4"), None, unclear),
        (Some(Next::FindTask), None, None, not_sent),
        (Some(Next::Submit), Some("id-6"), None, "NotScanned: uploaded, in no task: over"),
        (Some(Next::Submit), None, None, not_sent),
        (None, Some("id-8"), Some("u"), "ScanFailed: too large"),
        (None, None, None, "NotScanned: a FIFO"),
        (None, None, None, "NotScanned: a FIFO"),
    ];
    let mut before = Ledger::open((0..11).map(|i| file(&i.to_string(), (i > 8).then_some("a FIFO"))).collect());
    before.end(8, State::ScanFailed, Some("too large".to_owned()));
    let mut records = before.records_if_closed("cut off");
    for (record, (next, file_id, task_id, _)) in records.iter_mut().zip(cases) {
        record.next = next;
        (record.file_id, record.task_id) = (file_id.map(str::to_owned), task_id.map(str::to_owned));
    }
    let tasks = ["t", "u"].map(|task_id| task(task_id, FileType::Dockerfile, 2));
    let again = Ledger::reopen(&records, &tasks, Some(5));
    let said: Vec<String> = cases.iter().enumerate().map(|(index, (.., said))| format!("{index} {said}")).collect();
    assert_eq!(standing(&again), said);
    // Nothing stood in the way of what failed or is still to be sent.
    assert_eq!((again.obstacles(), again.tasks_settled()), (2, (1, 2)));
    assert_eq!((again.is_reopened, again.since), (true, Some(5)));
}
