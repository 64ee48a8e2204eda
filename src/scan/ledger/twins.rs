//! Equal files: the first of them is sent, and the others wait for what becomes of it.

use std::collections::{HashMap, hash_map};

use super::{Entry, Ledger, Stage};
use crate::model::{FileType, State};

impl Ledger {
    /// The file that stands for this one.
    pub(super) fn like<'a>(&'a self, entry: &'a Entry) -> &'a Entry {
        if let Stage::Twin(first) = entry.stage { &self.entries[first] } else { entry }
    }

    /// Has equal files wait for the first of them: they are sent once.
    pub fn pair(&mut self) {
        let mut first: HashMap<(FileType, &str), usize> = HashMap::new();
        let mut twins = Vec::new();
        for index in self.waiting() {
            let source = &self.entries[index].source;
            let Some(sha256) = &source.sha256 else { continue };
            match first.entry((source.file_type, sha256)) {
                hash_map::Entry::Occupied(first) => twins.push((index, *first.get())),
                hash_map::Entry::Vacant(place) => drop(place.insert(index)),
            }
        }
        for (index, first) in twins {
            self.entries[index].stage = Stage::Twin(first);
        }
    }

    /// A file is sent as it is now. Where that is not as it was, the next of those that were equal to it is to be sent too.
    pub fn read_again(&mut self, index: usize, size: u64, sha256: String, masked: u64) -> Option<usize> {
        let source = &mut self.entries[index].source;
        let before = source.sha256.replace(sha256);
        (source.size, source.masked) = (size, masked);
        if before == source.sha256 { None } else { self.part(index) }
    }

    /// A file can't be sent, for a reason of its own. The next of those that are equal to it is to be sent in its place.
    pub fn not_read_again(&mut self, index: usize, reason: String) -> Option<usize> {
        self.end(index, State::NotScanned, Some(reason));
        self.part(index)
    }

    /// Has the files that waited for this one wait for the first of them, which is to be sent.
    fn part(&mut self, first: usize) -> Option<usize> {
        let is_twin = |entry: &Entry| entry.stage == Stage::Twin(first);
        let next = self.entries.iter().position(is_twin)?;
        self.entries[next].stage = Stage::Waiting;
        for entry in self.entries.iter_mut().filter(|entry| is_twin(entry)) {
            entry.stage = Stage::Twin(next);
        }
        Some(next)
    }

    /// Ends a twin as the first of its kind ended.
    pub(super) fn join(&mut self, index: usize, first: usize) {
        let like = &self.entries[first];
        let (stage, file_id, task_id) = (like.stage.clone(), like.file_id.clone(), like.task_id.clone());
        let (reused_from, risks) = (like.reused_from, like.risks.clone());
        let (unplaced, lack, next) = (like.unplaced, like.lack, like.next);
        let entry = &mut self.entries[index];
        (entry.unplaced, entry.lack, entry.next) = (unplaced, lack, next);
        (entry.stage, entry.file_id, entry.task_id) = (stage, file_id, task_id);
        (entry.reused_from, entry.risks) = (reused_from, risks);
    }
}
