//! From the account to the records of a result, and from those of a run that was cut off back to an account.

use super::{Entry, Ledger, Stage};
use crate::model::{FileRecord, Next, SourceFile, State, Task};

impl Ledger {
    /// Opens the account of a run that was cut off where it was closed. What has an end keeps it; risks that are to be read again are those
    /// of files that wait for their task or whose places are still to be asked for.
    pub fn reopen(records: &[FileRecord], tasks: &[Task], since: Option<i64>) -> Self {
        let reopen = |record: &FileRecord| {
            let has_task = tasks.iter().any(|task| Some(&task.task_id) == record.task_id.as_ref());
            let stage = match record.next {
                Some(Next::Collect | Next::Locate) if record.file_id.is_some() && has_task => Stage::Submitted,
                Some(Next::FindTask) if record.file_id.is_some() => Stage::Submitting,
                Some(Next::Submit) if record.file_id.is_some() => Stage::Uploaded,
                Some(_) => Stage::Waiting,
                None => Stage::Ended(record.state, record.reason.clone()),
            };
            let is_blocked = record.next.is_none() && record.state == State::NotScanned;
            let source = SourceFile {
                path: record.path.clone(),
                file_type: record.file_type,
                size: record.size,
                sha256: record.sha256.clone(),
                secrets: record.secrets.clone(),
                masked: record.masked,
                obstacle: record.reason.clone().filter(|_| is_blocked),
            };
            Entry {
                file_id: record.file_id.clone().filter(|_| stage != Stage::Waiting),
                task_id: record.task_id.clone().filter(|_| stage != Stage::Waiting),
                changed: record.changed,
                reused_from: record.reused_from.as_deref().and_then(|at| at.parse().ok()),
                had_ended: record.next.is_none(),
                ..Entry::new(source, stage)
            }
        };
        let entries: Vec<Entry> = records.iter().map(reopen).collect();
        let mut ledger = Self { entries, since, is_reopened: true, ..Self::default() };
        for task in tasks {
            ledger.tasks.insert(task.task_id.clone(), task.clone());
            if ledger.open_in(&task.task_id).is_empty() {
                ledger.settled(task.task_id.clone());
            }
        }
        ledger
    }

    /// The records of a closed account.
    pub fn records(&self) -> Vec<FileRecord> {
        self.entries.iter().map(|entry| self.record(entry, None)).collect()
    }

    /// The records as they would be if the run ended now for this reason.
    pub fn records_if_closed(&self, reason: &str) -> Vec<FileRecord> {
        self.entries.iter().map(|entry| self.record(entry, Some(reason))).collect()
    }

    fn record(&self, entry: &Entry, reason: Option<&str>) -> FileRecord {
        let like = self.like(entry);
        let (state, why, next) = match (&like.stage, reason) {
            (Stage::Ended(State::Scanned, why), _) => (State::Scanned, why.clone(), like.unplaced.then_some(Next::Locate)),
            (Stage::Ended(state, why), _) => (*state, why.clone(), like.next),
            (stage, Some(reason)) => {
                let (so_far, next) = stage.left().unzip();
                (State::NotScanned, so_far.map(|so_far| format!("{so_far}: {reason}")), next)
            }
            (_, None) => (State::NotScanned, None, None),
        };
        FileRecord {
            path: entry.source.path.clone(),
            file_type: entry.source.file_type,
            size: entry.source.size,
            sha256: entry.source.sha256.clone(),
            masked: entry.source.masked,
            secrets: entry.source.secrets.clone(),
            state,
            reason: why,
            file_id: like.file_id.clone(),
            task_id: like.task_id.clone(),
            reused_from: like.reused_from.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            changed: entry.changed,
            next,
        }
    }
}
