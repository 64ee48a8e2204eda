//! The account of a run: what became of every file. It is kept outside the work, so that work that is cut off loses nothing.

mod records;
mod twins;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use super::cache::{Known, Risks};
use super::plan::Item;
use crate::hss::{PathRow, RiskRow};
use crate::model::{FileType, Next, RepoPath, SourceFile, State, Task, TaskStatus, Texts};

/// How far a file has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// To be uploaded.
    Waiting,
    /// On its way: without an answer nobody knows whether the service keeps a copy.
    Uploading,
    /// The service keeps a copy.
    Uploaded,
    /// Its task is being created: an answer will tell, or there may be a task that is not known here.
    Submitting,
    /// In a task.
    Submitted,
    /// Byte for byte the file at this place, of the same type: what becomes of that one becomes of this one.
    Twin(usize),
    /// Ended, with the reason where it was not scanned.
    Ended(State, Option<String>),
}

impl Stage {
    /// How far a file has come that has not ended, in words, and what is left to do about it.
    fn left(&self) -> Option<(&'static str, Next)> {
        match self {
            Self::Waiting => Some(("not sent", Next::Upload)),
            Self::Uploading => Some(("being uploaded, a copy may stay in the project", Next::Upload)),
            Self::Uploaded => Some(("uploaded, in no task", Next::Submit)),
            Self::Submitting => Some(("being submitted, a task may exist", Next::FindTask)),
            Self::Submitted => Some(("submitted, result not read", Next::Collect)),
            Self::Twin(_) | Self::Ended(..) => None,
        }
    }
}

/// Why it is not known of every risk of a file where it stands, though no more is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// It was not asked: no more calls were allowed.
    LeftOut,
    /// It was asked, and the answer could not be read.
    Unread,
}

/// A verdict of this run that a later one may take.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// The type of the file.
    pub file_type: FileType,
    /// The hash of what was sent.
    pub sha256: &'a str,
    /// Its risks.
    pub risks: &'a Risks,
    /// Whether more calls would have been needed to ask where all of them stand.
    pub is_short: bool,
}

/// A file and what is known of it.
#[derive(Debug)]
pub struct Entry {
    /// What discovery saw, brought up to date when the file is sent.
    pub source: SourceFile,
    /// The service's id.
    pub file_id: Option<String>,
    /// The task that it is in.
    pub task_id: Option<String>,
    /// Whether the change that the run is about touches it.
    pub changed: Option<bool>,
    /// When the verdict was given, where it is one of an earlier run.
    pub reused_from: Option<Timestamp>,
    /// Its risks, each with its places.
    pub risks: Risks,
    /// Whether it is still to be asked where its risks stand.
    unplaced: bool,
    /// What keeps that from being known of all of them.
    lack: Option<Lack>,
    /// What is left to do where the run was cut off.
    next: Option<Next>,
    /// Whether it had ended before this run.
    had_ended: bool,
    /// Whether this run uploaded it.
    is_sent: bool,
    stage: Stage,
}

impl Entry {
    fn new(source: SourceFile, stage: Stage) -> Self {
        Self {
            source,
            file_id: None,
            task_id: None,
            changed: None,
            reused_from: None,
            risks: Vec::new(),
            unplaced: false,
            lack: None,
            next: None,
            had_ended: false,
            is_sent: false,
            stage,
        }
    }

    /// The verdict of what this run sent: it was asked where the risks stand, as far as allowed, and every answer was read. Which bytes
    /// an earlier run sent is known from its result alone, which anybody may have written.
    fn verdict(&self) -> Option<Verdict<'_>> {
        let is_new = matches!(self.stage, Stage::Ended(State::Scanned, _)) && self.is_sent;
        let is_read = !self.unplaced && self.lack != Some(Lack::Unread);
        Some(Verdict {
            file_type: self.source.file_type,
            sha256: self.source.sha256.as_deref().filter(|_| is_new && is_read)?,
            risks: &self.risks,
            is_short: self.lack.is_some(),
        })
    }

    /// The risks whose places the service can be asked for.
    pub fn with_places(&self) -> impl Iterator<Item = &RiskRow> {
        let asked = self.source.file_type == FileType::K8sYaml && self.reused_from.is_none();
        self.risks.iter().map(|(risk, _)| risk).filter(move |risk| asked && !risk.rule_id.is_empty())
    }
}

/// All files, all tasks, and what there is to say.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Files of ours, by path.
    pub entries: Vec<Entry>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, Task>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Since when tasks of this run may have been created: milliseconds of the service's clock.
    pub since: Option<i64>,
    /// What the risks say of their rules.
    texts: Texts,
    /// Tasks of which it is known what became of their files.
    settled: BTreeSet<String>,
    /// Whether the files are those of an earlier run: they may be others by now.
    pub is_reopened: bool,
    /// Whether a verdict that was known already is one of a stand-in.
    pub stand_in: bool,
    /// The last failure of the service that cost a file its scan and did not end the job.
    pub failing: Option<String>,
}

impl Ledger {
    /// Opens the account: what can't be sent has ended already.
    pub fn open(files: Vec<SourceFile>) -> Self {
        let open = |source: SourceFile| {
            let blocked = source.obstacle.clone().map(|obstacle| Stage::Ended(State::NotScanned, Some(obstacle)));
            Entry::new(source, blocked.unwrap_or(Stage::Waiting))
        };
        let entries = files.into_iter().map(open).collect();
        Self { entries, ..Self::default() }
    }

    /// Whether anything is left to do.
    pub fn is_open(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.stage, Stage::Ended(..)))
    }

    /// The files whose risks were read in this run, however many there are.
    pub fn read_anew(&self) -> BTreeSet<&RepoPath> {
        let is_read = |like: &Entry| matches!(like.stage, Stage::Ended(State::Scanned, _)) || !like.risks.is_empty();
        let is_anew = |entry: &&Entry| !entry.had_ended && is_read(self.like(entry));
        self.entries.iter().filter(is_anew).map(|entry| &entry.source.path).collect()
    }

    /// The risks of a file that has ended, if it has any.
    pub fn risks(&self, index: usize) -> Option<&Risks> {
        let like = self.like(&self.entries[index]);
        Some(&like.risks).filter(|risks| matches!(like.stage, Stage::Ended(..)) && !risks.is_empty())
    }

    /// This file is as it was at the base of the change: whatever else is to be said of it does not matter now.
    pub fn unchanged(&mut self, index: usize) {
        let entry = &mut self.entries[index];
        entry.changed = Some(false);
        entry.stage = Stage::Ended(State::Unchanged, None);
    }

    /// The change touches this file.
    pub fn changed(&mut self, index: usize) {
        self.entries[index].changed = Some(true);
    }

    /// Takes the verdicts that are known already, also of files that did not change; `known` looks one up.
    pub fn reuse(&mut self, known: impl Fn(&SourceFile, &str) -> Option<Known>) {
        for entry in &mut self.entries {
            let is_open = matches!(entry.stage, Stage::Waiting | Stage::Ended(State::Unchanged, _));
            let Some(sha256) = entry.source.sha256.as_deref().filter(|_| is_open && entry.source.obstacle.is_none()) else {
                continue;
            };
            if let Some(Known { mut risks, at, stand_in }) = known(&entry.source, sha256) {
                self.texts.share(risks.iter_mut().flat_map(|(risk, _)| risk.of_rule()));
                self.stand_in |= stand_in;
                entry.risks = risks;
                entry.reused_from = Some(at);
                entry.stage = Stage::Ended(State::Reused, None);
            }
        }
    }

    /// The verdicts of what was sent in this run, each once.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict<'_>> {
        let mut seen = HashSet::new();
        let given = self.entries.iter().filter_map(Entry::verdict);
        given.filter(move |verdict| seen.insert((verdict.file_type, verdict.sha256)))
    }

    /// Whether some file did not change and has no verdict.
    pub fn has_unchanged(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.stage, Stage::Ended(State::Unchanged, _)))
    }

    /// The files that are still to be uploaded, as the plan sees them.
    pub fn items(&self) -> Vec<Item> {
        self.as_items(&self.waiting())
    }

    /// These files as the plan sees them.
    pub fn as_items(&self, files: &[usize]) -> Vec<Item> {
        let item = |index: &usize| {
            let source = &self.entries[*index].source;
            Item { index: *index, file_type: source.file_type, size: source.size }
        };
        files.iter().map(item).collect()
    }

    /// How many of the files that matter no scan could have reached.
    pub fn obstacles(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.source.obstacle.is_some() && entry.changed != Some(false)).count() as u64
    }

    /// Places of the files that are still to be uploaded.
    pub fn waiting(&self) -> Vec<usize> {
        (0..self.entries.len()).filter(|i| self.entries[*i].stage == Stage::Waiting).collect()
    }

    /// Whether nothing more can come to light about this file but where its risks stand.
    pub fn is_over(&self, index: usize) -> bool {
        matches!(self.entries[index].stage, Stage::Ended(..) | Stage::Twin(_))
            || self.entries[index].source.file_type == FileType::Dockerfile
    }

    /// How many files are in a task of this run.
    pub fn in_tasks(&self) -> usize {
        self.entries.iter().filter(|entry| entry.task_id.is_some()).count()
    }

    /// Places of the files of a task that have not ended.
    pub fn open_in(&self, task_id: &str) -> Vec<usize> {
        let in_task = |entry: &Entry| entry.stage == Stage::Submitted && entry.task_id.as_deref() == Some(task_id);
        (0..self.entries.len()).filter(|i| in_task(&self.entries[*i])).collect()
    }

    /// These files are being uploaded.
    pub fn uploading(&mut self, files: &[usize]) {
        self.set(files, &Stage::Uploading);
    }

    /// The upload of these files was answered; what is kept of them is still to be said.
    pub fn not_uploaded(&mut self, files: &[usize]) {
        self.set(files, &Stage::Waiting);
    }

    /// The service keeps a copy of this file.
    pub fn uploaded(&mut self, index: usize, file_id: String) {
        let entry = &mut self.entries[index];
        entry.file_id = Some(file_id);
        entry.is_sent = true;
        entry.stage = Stage::Uploaded;
    }

    /// A task of these files is being created.
    pub fn submitting(&mut self, files: &[usize]) {
        self.set(files, &Stage::Submitting);
    }

    /// No task of these files was created, for certain.
    pub fn not_submitted(&mut self, files: &[usize]) {
        self.set(files, &Stage::Uploaded);
    }

    fn set(&mut self, files: &[usize], stage: &Stage) {
        for index in files {
            self.entries[*index].stage = stage.clone();
        }
    }

    /// Files of a type that the service keeps and that are in no task, and those of which that is not certain.
    pub fn without_task(&self, file_type: FileType) -> (Vec<usize>, Vec<usize>) {
        let at = |stage: &Stage| {
            let is_so = |entry: &Entry| entry.source.file_type == file_type && entry.stage == *stage;
            (0..self.entries.len()).filter(|index| is_so(&self.entries[*index])).collect()
        };
        (at(&Stage::Uploaded), at(&Stage::Submitting))
    }

    /// Whether some task is being created.
    pub fn is_submitting(&self) -> bool {
        self.entries.iter().any(|entry| entry.stage == Stage::Submitting)
    }

    /// The ids of these files, each once: equal files may have the same.
    pub fn ids(&self, files: &[usize]) -> Vec<String> {
        let mut seen = HashSet::new();
        let ids = files.iter().filter_map(|index| self.entries[*index].file_id.clone());
        ids.filter(|id| seen.insert(id.clone())).collect()
    }

    /// These files are in this task.
    pub fn submitted(&mut self, task: Task, files: &[usize]) {
        for index in files {
            let entry = &mut self.entries[*index];
            entry.task_id = Some(task.task_id.clone());
            entry.stage = Stage::Submitted;
        }
        self.tasks.insert(task.task_id.clone(), task);
    }

    /// Tasks may have been created from this time on, in milliseconds of the service's clock.
    pub fn started(&mut self, since: Option<i64>) {
        self.since = self.since.or(since);
    }

    /// Tasks that are not known to have finished.
    pub fn open_tasks(&self) -> BTreeSet<String> {
        self.tasks.keys().filter(|task_id| !self.settled.contains(*task_id)).cloned().collect()
    }

    /// It is known what became of the files of this task.
    pub fn settled(&mut self, task_id: String) {
        self.settled.insert(task_id);
    }

    /// Of how many tasks that is known, and of how many it will be.
    pub fn tasks_settled(&self) -> (usize, usize) {
        (self.settled.len(), self.tasks.len())
    }

    /// Something was heard of a task.
    pub fn task_is(&mut self, task_id: &str, status: TaskStatus) {
        if let Some(task) = self.tasks.get_mut(task_id) {
            task.status = status;
        }
    }

    /// A file ended; the first end counts.
    pub fn end(&mut self, index: usize, state: State, reason: Option<String>) {
        let entry = &mut self.entries[index];
        if !matches!(entry.stage, Stage::Ended(..)) {
            entry.stage = Stage::Ended(state, reason);
        }
    }

    /// These risks of a file were read, but not yet where they are.
    pub fn found(&mut self, index: usize, mut risks: Vec<RiskRow>) {
        risks.sort_by(|a, b| order(a).cmp(&order(b)));
        self.texts.share(risks.iter_mut().flat_map(RiskRow::of_rule));
        let entry = &mut self.entries[index];
        entry.risks = risks.into_iter().map(|risk| (risk, Vec::new())).collect();
        let unplaced = entry.with_places().next().is_some();
        entry.unplaced = unplaced;
    }

    /// It was asked, as far as it will be, where the risks of these files stand; `is_placed` knows them by id.
    pub fn placed(&mut self, is_placed: impl Fn(&str) -> bool) {
        for entry in &mut self.entries {
            entry.unplaced &= !entry.file_id.as_deref().is_some_and(&is_placed);
        }
    }

    /// No more calls are allowed to ask where some risks of this file stand.
    pub fn left_out(&mut self, file_id: &str) {
        self.lacks(file_id, Lack::LeftOut);
    }

    /// Where some risks of this file stand was asked, and the answer could not be read.
    pub fn not_located(&mut self, file_id: &str) {
        self.lacks(file_id, Lack::Unread);
    }

    fn lacks(&mut self, file_id: &str, lack: Lack) {
        for entry in self.entries.iter_mut().filter(|entry| entry.file_id.as_deref() == Some(file_id)) {
            entry.lack = entry.lack.max(Some(lack));
        }
    }

    /// The places of a rule in a file, shared out among the risks of that rule: to each as many as it numbers, and what is left over to
    /// the worst.
    pub fn located(&mut self, file_id: &str, rule_id: &str, mut places: Vec<PathRow>) {
        places.sort();
        for entry in self.entries.iter_mut().filter(|entry| entry.file_id.as_deref() == Some(file_id)) {
            let of_rule = |risk: &RiskRow| *risk.rule_id == *rule_id;
            let numbered: usize = entry.risks.iter().filter(|(risk, _)| of_rule(risk)).map(|(risk, _)| risk.places()).sum();
            let mut more = places.len().saturating_sub(numbered);
            let mut rest = places.iter().cloned();
            for (risk, its) in entry.risks.iter_mut().filter(|(risk, _)| of_rule(risk)) {
                *its = rest.by_ref().take(risk.places() + std::mem::take(&mut more)).collect();
            }
        }
    }

    /// A fault of the service ends a file; what is left to do about it is kept.
    pub fn cut_off(&mut self, index: usize, reason: String) {
        let entry = &mut self.entries[index];
        entry.next = entry.stage.left().map(|(_, next)| next);
        self.end(index, State::NotScanned, Some(reason));
    }

    /// Ends every file that has not ended, since the run is over for this reason.
    pub fn close(&mut self, reason: &str) {
        for index in 0..self.entries.len() {
            if let Some((so_far, _)) = self.entries[index].stage.left() {
                self.cut_off(index, format!("{so_far}: {reason}"));
            }
        }
        for index in 0..self.entries.len() {
            if let Stage::Twin(first) = self.entries[index].stage {
                self.join(index, first);
            }
        }
    }
}

/// Worst first, and then by what a reader sees: ids differ from run to run.
fn order(risk: &RiskRow) -> impl Ord + '_ {
    (Reverse(risk.level), &risk.rule_id, &risk.name, &risk.description, &risk.build_instruction, Reverse(risk.risk_num))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
