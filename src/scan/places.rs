//! The places of risks in Kubernetes objects.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{Job, Ledger, Step, is_failing, pages};
use crate::hss::{Error, PathRow};
use crate::judge::count;
use crate::model::Level;

impl Job<'_> {
    /// Asks where the risks of Kubernetes files are, once for each file and rule, the worst first, and no more than allowed.
    pub(super) async fn ask_places(&self) -> Result<(), Error> {
        let mut questions = Questions::new(self.options.max_path_calls);
        let mut asking = FuturesUnordered::new();
        let mut all = false;
        let mut done = 0;
        loop {
            if !all && self.collected.get() {
                all = true;
                let left_out = questions.take_rest(&self.ledger.borrow());
                self.say_what_is_left_out(&left_out);
                for question in &left_out {
                    self.ledger.borrow_mut().left_out(&question.file_id);
                }
                self.ledger.borrow_mut().placed(|file_id| !questions.open.contains_key(file_id));
            } else if !all {
                questions.take_certain(&self.ledger.borrow());
            }
            while asking.len() < self.options.jobs
                && let Some(question) = questions.waiting.pop_front()
            {
                asking.push(self.ask(question));
            }
            tokio::select! {
                Some(answered) = asking.next() => {
                    if let Some(file_id) = answered?
                        && questions.answered(&file_id)
                        && all
                    {
                        self.ledger.borrow_mut().placed(|placed| placed == file_id);
                    }
                    done += 1;
                    (self.observe)(Step::Placed { done, of: questions.seen.len() });
                }
                () = self.more_risks.notified(), if !all => {}
                else => return Ok(()),
            }
        }
    }

    /// Asks one question; gives the id of its file. A question whose answer the service keeps back, by its own fault, stays open.
    async fn ask(&self, Question { file_id, rule_id, .. }: Question) -> Result<Option<String>, Error> {
        let key = |path: &PathRow| pages::Key::Text(format!("{path:?}"));
        let is_answered =
            match pages::all("risk/paths", |page| self.client.list_risk_paths(&file_id, &rule_id, page), key).await {
                Ok(places) => {
                    self.patience.answered();
                    self.ledger.borrow_mut().located(&file_id, &rule_id, places);
                    true
                }
                Err(error) => {
                    let error = self.patience.forgive(error)?;
                    self.ledger.borrow_mut().not_located(&file_id);
                    self.note(format!("the places of rule {rule_id} could not be read: {}", error.message));
                    !is_failing(error.kind)
                }
            };
        Ok(is_answered.then_some(file_id))
    }

    fn say_what_is_left_out(&self, left_out: &[Question]) {
        if left_out.is_empty() {
            return;
        }
        let at_the_gate = |question: &&Question| self.options.gate.is_some_and(|gate| question.level >= gate);
        self.note(format!(
            "{} without the places in the file, {} of them at the gate: \
             asking for each rule in a file costs a call, and --max-path-calls allows {}",
            count(left_out.len() as u64, "rule is shown", "rules are shown"),
            left_out.iter().filter(at_the_gate).count(),
            self.options.max_path_calls
        ));
    }
}

/// Where a rule hits in a file.
struct Question {
    level: Level,
    file_id: String,
    rule_id: Arc<str>,
}

/// What is asked: worst first, then in the order of the files, and no more than allowed. So the questions of the worst level are certain
/// as soon as the files before theirs are read, and the others when all are.
struct Questions {
    /// Those that are certain and not asked yet.
    waiting: VecDeque<Question>,
    /// How many more there may be.
    allowed: usize,
    /// The files before this one are read.
    read: usize,
    /// Those that were taken, by file id and rule id.
    seen: HashSet<(String, Arc<str>)>,
    /// How many without an answer a file has.
    open: HashMap<String, usize>,
}

impl Questions {
    fn new(allowed: usize) -> Self {
        Self { waiting: VecDeque::new(), allowed, read: 0, seen: HashSet::new(), open: HashMap::new() }
    }

    /// Takes the questions that are certain by now.
    fn take_certain(&mut self, ledger: &Ledger) {
        while self.read < ledger.entries.len() && ledger.is_over(self.read) {
            for question in of_file(ledger, self.read).filter(|question| question.level == Level::WORST_FIRST[0]) {
                self.take(question);
            }
            self.read += 1;
        }
    }

    /// Takes the others; gives those for which there is no room.
    fn take_rest(&mut self, ledger: &Ledger) -> Vec<Question> {
        let mut rest: Vec<Question> = (0..ledger.entries.len()).flat_map(|index| of_file(ledger, index)).collect();
        rest.sort_by_key(|question| Reverse(question.level));
        let mut left_out = Vec::new();
        let mut without_room = HashSet::new();
        for question in rest {
            let key = (question.file_id.clone(), question.rule_id.clone());
            if self.allowed > 0 {
                self.take(question);
            } else if !self.seen.contains(&key) && without_room.insert(key) {
                left_out.push(question);
            }
        }
        left_out
    }

    /// Takes a question for which there is room, once.
    fn take(&mut self, question: Question) {
        if self.allowed > 0 && self.seen.insert((question.file_id.clone(), question.rule_id.clone())) {
            self.allowed -= 1;
            *self.open.entry(question.file_id.clone()).or_default() += 1;
            self.waiting.push_back(question);
        }
    }

    /// A question about this file was answered; whether it was the last one that was taken.
    fn answered(&mut self, file_id: &str) -> bool {
        let left = self.open.get(file_id).map_or(0, |open| open.saturating_sub(1));
        if left == 0 {
            self.open.remove(file_id);
        } else {
            self.open.insert(file_id.to_owned(), left);
        }
        left == 0
    }
}

/// What can be asked about a file. Its risks stand worst first, so that the first of a rule has its level.
fn of_file(ledger: &Ledger, index: usize) -> impl Iterator<Item = Question> {
    let entry = &ledger.entries[index];
    entry.with_places().filter_map(|risk| {
        let file_id = entry.file_id.clone()?;
        Some(Question { level: risk.level, file_id, rule_id: risk.rule_id.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_places_with_the_last_answer() {
        let mut questions = Questions::new(3);
        for (file_id, rule) in [("f", "1"), ("f", "2"), ("f", "2"), ("g", "1"), ("g", "2")] {
            questions.take(Question { level: Level::High, file_id: file_id.to_owned(), rule_id: rule.into() });
        }
        assert_eq!(["f", "g", "f"].map(|file_id| questions.answered(file_id)), [false, true, true]);
    }
}
