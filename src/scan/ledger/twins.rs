//! Equal files: the first of them is sent, and the others wait for what becomes of it.

use std::collections::HashMap;

use super::{Entry, Ledger, Stage};
use crate::model::FileType;

impl Ledger {
    /// The file that stands for this one.
    pub(super) fn like<'a>(&'a self, entry: &'a Entry) -> &'a Entry {
        if let Stage::Twin(first) = entry.stage { &self.entries[first] } else { entry }
    }

    /// Has equal files that wait to be sent wait for the first of them: they are sent once.
    pub fn pair(&mut self) {
        self.pair_up(&self.waiting());
    }

    /// The files that stand and fall with this one, which is the first of them.
    pub fn group(&self, first: usize) -> Vec<usize> {
        let is_in = |index: &usize| *index == first || self.entries[*index].stage == Stage::Twin(first);
        (0..self.entries.len()).filter(is_in).collect()
    }

    /// What would be sent of a file now.
    pub fn read_again(&mut self, index: usize, size: u64, sha256: String, masked: u64) {
        let source = &mut self.entries[index].source;
        (source.size, source.sha256, source.masked) = (size, Some(sha256), masked);
    }

    /// Has equal ones of these files wait for the first of them, as far as they have not ended; gives the first ones, which are to be sent.
    pub fn pair_up(&mut self, files: &[usize]) -> Vec<usize> {
        let mut seen: HashMap<(FileType, String), usize> = HashMap::new();
        let mut firsts = Vec::new();
        for index in files {
            let entry = &mut self.entries[*index];
            if matches!(entry.stage, Stage::Ended(..)) {
                continue;
            }
            let content = entry.source.sha256.clone().map(|sha256| (entry.source.file_type, sha256));
            let first = content.map_or(*index, |content| *seen.entry(content).or_insert(*index));
            entry.stage = if first == *index { Stage::Waiting } else { Stage::Twin(first) };
            firsts.extend((first == *index).then_some(first));
        }
        firsts
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
