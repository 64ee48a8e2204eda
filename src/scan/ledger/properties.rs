//! Whatever the service answers: the states partition the files, and what was cut off can be gone on with.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{FileRecord, Level};

/// What comes of a step of the job with some of the files that are at it.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Sent,
    Kept,
    NotKept,
    Asked,
    InTask,
    InNoTask,
    Finished,
    Risky,
    Placed,
    Ended(State),
    CutOff,
    Changed,
}

const ANSWERS: [Answer; 14] = [
    Answer::Sent,
    Answer::Kept,
    Answer::NotKept,
    Answer::Asked,
    Answer::InTask,
    Answer::InNoTask,
    Answer::Finished,
    Answer::Risky,
    Answer::Placed,
    Answer::Ended(State::Scanned),
    Answer::Ended(State::ScanFailed),
    Answer::Ended(State::UploadFailed),
    Answer::CutOff,
    Answer::Changed,
];

/// Type, which of four contents if its content is known, whether something is in the way, whether the change touches it, whether its
/// verdict is known.
type File = (bool, Option<u8>, bool, bool, bool);

fn files() -> impl Strategy<Value = Vec<File>> {
    prop::collection::vec(
        (
            any::<bool>(),
            prop::option::of(0..4_u8),
            prop::bool::weighted(0.1),
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.1),
        ),
        1..12,
    )
}

/// Each with the files that it is about, as bits.
fn answers() -> impl Strategy<Value = Vec<(Answer, u16)>> {
    prop::collection::vec((prop::sample::select(&ANSWERS[..]), any::<u16>()), 0..60)
}

pub(super) fn risk(rule_id: &str) -> RiskRow {
    RiskRow {
        risk_id: String::new(),
        rule_id: rule_id.into(),
        name: "n".into(),
        level: Level::High,
        category: None,
        description: None,
        remediation: None,
        build_instruction: None,
        risk_num: None,
    }
}

fn open(files: &[File]) -> Ledger {
    let source = |(index, (docker, content, blocked, ..)): (usize, &File)| SourceFile {
        path: format!("{index}").as_str().into(),
        file_type: if *docker { FileType::Dockerfile } else { FileType::K8sYaml },
        size: 1,
        sha256: content.map(|content| content.to_string()),
        secrets: Vec::new(),
        masked: 0,
        obstacle: blocked.then(|| "a FIFO".to_owned()),
    };
    let mut ledger = Ledger::open(files.iter().enumerate().map(source).collect());
    for (index, (.., changed, known)) in files.iter().enumerate() {
        if !changed {
            ledger.unchanged(index);
        }
        if *known {
            let content = ledger.entries[index].source.sha256.clone();
            let known = || Known { risks: Vec::new(), at: Timestamp::UNIX_EPOCH, stand_in: false };
            ledger.reuse(|_, sha256| (Some(sha256) == content.as_deref()).then(known));
        }
    }
    ledger.pair();
    ledger
}

/// Does what the job would do about an answer: to the files alone that are at that step.
fn take(ledger: &mut Ledger, nth: usize, answer: Answer, bits: u16) {
    let chosen = |ledger: &Ledger, stage: &Stage| -> Vec<usize> {
        let at = |index: &usize| bits >> index & 1 == 1 && ledger.entries[*index].stage == *stage;
        (0..ledger.entries.len()).filter(at).collect()
    };
    let of_first_type = |ledger: &Ledger, mut files: Vec<usize>| {
        let first = files.first().map(|index| ledger.entries[*index].source.file_type);
        files.retain(|index| Some(ledger.entries[*index].source.file_type) == first);
        files
    };
    match answer {
        Answer::Sent => ledger.uploading(&chosen(ledger, &Stage::Waiting)),
        Answer::NotKept => ledger.not_uploaded(&chosen(ledger, &Stage::Uploading)),
        Answer::Kept => {
            for index in chosen(ledger, &Stage::Uploading) {
                ledger.uploaded(index, format!("id-{index}"));
            }
        }
        Answer::Asked => ledger.submitting(&of_first_type(ledger, chosen(ledger, &Stage::Uploaded))),
        Answer::InNoTask => ledger.not_submitted(&chosen(ledger, &Stage::Submitting)),
        Answer::InTask => {
            let files = of_first_type(ledger, chosen(ledger, &Stage::Submitting));
            if let Some(first) = files.first() {
                let file_type = ledger.entries[*first].source.file_type;
                let task_id = format!("task-{nth}");
                ledger
                    .submitted(Task { task_id, file_type, files: files.len() as u64, status: TaskStatus::Created }, &files);
            }
        }
        Answer::Finished => {
            if let Some(task_id) = ledger.open_tasks().first().cloned() {
                ledger.task_is(&task_id, TaskStatus::Finished);
                ledger.settled(task_id);
            }
        }
        Answer::Risky => {
            for index in chosen(ledger, &Stage::Submitted) {
                ledger.found(index, vec![risk("b"), risk("a")]);
                ledger.end(index, State::Scanned, None);
            }
        }
        Answer::Placed => ledger.placed(|file_id| bits & 1 == 1 || file_id.ends_with('1')),
        Answer::Ended(State::Scanned) => {
            for index in chosen(ledger, &Stage::Submitted) {
                ledger.end(index, State::Scanned, None);
            }
        }
        Answer::Ended(state) => {
            let before = if state == State::UploadFailed { Stage::Waiting } else { Stage::Submitted };
            for index in chosen(ledger, &before) {
                ledger.end(index, state, Some("why".to_owned()));
            }
        }
        Answer::CutOff => {
            for stage in [Stage::Waiting, Stage::Uploading, Stage::Uploaded, Stage::Submitting, Stage::Submitted] {
                for index in chosen(ledger, &stage) {
                    ledger.cut_off(index, "503".to_owned());
                }
            }
        }
        Answer::Changed => {
            // Equal files are read again when the first of them is to be sent.
            for first in chosen(ledger, &Stage::Waiting) {
                let group = ledger.group(first);
                for index in group.iter().filter(|index| nth >> *index & 1 == 1) {
                    ledger.read_again(*index, 1, format!("new {}", index % 2), 0);
                }
                ledger.pair_up(&group);
            }
        }
    }
}

/// One record for each file, in order, each with a state that says what it must.
fn assert_partition(ledger: &Ledger, records: &[FileRecord], over: bool) -> Result<(), TestCaseError> {
    let paths: Vec<&RepoPath> = records.iter().map(|record| &record.path).collect();
    let files: Vec<&RepoPath> = ledger.entries.iter().map(|entry| &entry.source.path).collect();
    prop_assert_eq!(paths, files);
    for record in records {
        let told = record.reason.as_deref().is_some_and(|reason| !reason.is_empty());
        match record.state {
            State::Scanned => prop_assert!(!told && record.file_id.is_some() && record.task_id.is_some(), "{record:?}"),
            State::Reused => prop_assert!(!told && record.reused_from.is_some() && record.next.is_none(), "{record:?}"),
            State::Unchanged => prop_assert!(record.next.is_none(), "{record:?}"),
            State::UploadFailed | State::ScanFailed => prop_assert!(told && record.next.is_none(), "{record:?}"),
            State::NotScanned => {
                let obstacle = record.reason.as_deref() == Some("a FIFO");
                prop_assert!(told && (obstacle || record.next.is_some()), "{record:?}");
            }
            State::WouldSend => prop_assert!(false, "{record:?}"),
        }
    }
    prop_assert!(!over || !ledger.is_open());
    Ok(())
}

/// A run that goes on has to do with just the files that were not done with, at the step that they had come to.
fn assert_nothing_is_lost(ledger: &Ledger, records: &[FileRecord]) -> Result<(), TestCaseError> {
    let tasks: Vec<Task> = ledger.tasks.values().cloned().collect();
    let mut again = Ledger::reopen(records, &tasks, ledger.since);
    let mut at: Vec<usize> = again.waiting();
    for file_type in FileType::ALL {
        let (stored, unclear) = again.without_task(file_type);
        at.extend(stored.into_iter().chain(unclear));
    }
    let open: BTreeSet<String> = again.open_tasks();
    at.extend(tasks.iter().filter(|task| open.contains(&task.task_id)).flat_map(|task| again.open_in(&task.task_id)));
    at.sort_unstable();
    let left: Vec<usize> = (0..records.len()).filter(|index| records[*index].next.is_some()).collect();
    prop_assert_eq!(at, left);
    // Cut off at once, it says what it said. What waited for its places alone is to be read again.
    again.close("over");
    for (before, after) in records.iter().zip(again.records()) {
        match before.next {
            None => prop_assert_eq!(before, &after),
            Some(Next::Locate) => prop_assert_eq!(after.next, Some(Next::Collect)),
            next => {
                prop_assert_eq!((after.state, after.next), (State::NotScanned, next));
                let ids = next != Some(Next::Upload);
                prop_assert!(!ids || (&before.file_id, &before.task_id) == (&after.file_id, &after.task_id), "{before:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_states_partition_the_files(files in files(), answers in answers()) {
        let mut ledger = open(&files);
        for (nth, (answer, bits)) in answers.into_iter().enumerate() {
            take(&mut ledger, nth, answer, bits);
            let records = ledger.records_if_closed("over");
            assert_partition(&ledger, &records, false)?;
            assert_nothing_is_lost(&ledger, &records)?;
        }
        let draft = ledger.records_if_closed("over");
        ledger.close("over");
        let records = ledger.records();
        assert_partition(&ledger, &records, true)?;
        assert_nothing_is_lost(&ledger, &records)?;
        // What was written while the run went on is what it says at its end, in other words at the most.
        for (draft, record) in draft.iter().zip(&records) {
            prop_assert_eq!((draft.state, draft.next), (record.state, record.next), "{:?}\n{:?}", draft, record);
        }
        ledger.close("again");
        prop_assert_eq!(ledger.records(), records);
    }
}
