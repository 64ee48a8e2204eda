use super::*;
use crate::model::FileType;

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

#[test]
fn a_closed_account_says_how_far_each_file_came() {
    let names = ["blocked", "waiting", "uploaded", "submitted", "scanned", "submitting"];
    let mut ledger = Ledger::open(names.map(|name| file(name, (name == "blocked").then_some("a FIFO"))).into());
    for index in 2..6 {
        ledger.uploaded(index, format!("id-{index}"));
    }
    let task = Task { task_id: "t".into(), file_type: FileType::Dockerfile, files: 2, status: TaskStatus::Created };
    ledger.submitted(task, &[3, 4]);
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
