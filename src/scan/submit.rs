//! Creating a task is not idempotent: after a lost answer we look whether it was created, and only by the ids of our files.

use std::collections::HashSet;

use super::{Job, Step, is_fatal, pages};
use crate::hss::{Error, Kind, NewTask, Page, TaskFilter, TaskRow};
use crate::model::{FileType, State, Task, TaskStatus};

/// How often a task is created again after its answer was lost and no trace of it was found.
const TRIES: usize = 4;
/// How often a lost task is looked for before it is created again: it may be invisible at first.
const LOOKS: usize = 4;
/// Creation times are looked up from this much before the try, in milliseconds: the hosts of a service may differ in their clocks.
const CLOCK_MARGIN: i64 = 60_000;
/// The last look is at so many of the newest tasks, whatever their times say: the clock that dates the answers may not be that of the tasks.
const NEWEST: u64 = 10;

impl Job<'_> {
    /// Puts uploaded files into one task.
    pub(super) async fn submit(&self, file_type: FileType, files: Vec<usize>) -> Result<(), Error> {
        let ids = self.ledger.borrow().ids(&files);
        let task = NewTask::Iac { file_type, file_ids: ids.clone() };
        let since = self.client.service_time().map(|time| time - CLOCK_MARGIN);
        self.ledger.borrow_mut().started(since);
        let mut last = Error::new(Kind::Failing, "no task could be created".to_owned());
        for attempt in 0..TRIES {
            if attempt > 0 {
                let why = "the answer to the first try was lost and no task held our files";
                self.note(format!("a task was created again, since {why}"));
            }
            self.ledger.borrow_mut().submitting(&files);
            (self.observe)(Step::Submitting);
            last = match self.client.create_task(&task).await {
                Ok(task_id) => {
                    self.submitted(task_id, file_type, &files);
                    return Ok(());
                }
                Err(error) if error.lost => error,
                Err(error) if attempt == 0 => {
                    self.ledger.borrow_mut().not_submitted(&files);
                    return self.lose(&files, State::ScanFailed, "", error);
                }
                // An earlier try, whose answer was lost, may still come to be.
                Err(error) => return self.lose(&files, State::ScanFailed, "a task may exist: ", error),
            };
            match self.look_for(file_type, &ids, since).await {
                Ok(Some(task_id)) => {
                    self.submitted(task_id, file_type, &files);
                    return Ok(());
                }
                Ok(None) => {}
                Err(error) if is_fatal(error.kind) => return Err(error),
                Err(error) => {
                    last.message = format!("{}; and looking for it failed: {}", last.message, error.message);
                    return self.lose(&files, State::ScanFailed, "a task may exist: ", last);
                }
            }
        }
        last.message.push_str("; and none holds our files");
        self.lose(&files, State::ScanFailed, "a task may exist: ", last)
    }

    fn submitted(&self, task_id: String, file_type: FileType, files: &[usize]) {
        self.patience.answered();
        let mut ledger = self.ledger.borrow_mut();
        let count = ledger.ids(files).len() as u64;
        ledger.submitted(Task { task_id, file_type, files: count, status: TaskStatus::Created }, files);
        let tasks = ledger.tasks.len();
        drop(ledger);
        self.more_tasks.notify_one();
        (self.observe)(Step::Submitted { tasks });
    }

    /// Finds the tasks of these files, of which a run that was cut off may have created some. What is in none is to be submitted.
    pub(super) async fn adopt(&self, file_type: FileType, files: &[usize]) -> Result<(), Error> {
        let filter = TaskFilter {
            file_type: Some(file_type),
            start_create_time: self.ledger.borrow().since,
            ..TaskFilter::default()
        };
        let mut left = files.to_vec();
        let mut looks = Looks::default();
        loop {
            self.pause(&looks).await;
            let ids = self.ledger.borrow().ids(&left);
            let Looked { found, unclear } = self.look(self.rows(&filter, looks.clear).await, &ids, false).await?;
            for (task_id, held) in found {
                let is_held = |index: &usize| {
                    self.ledger.borrow().entries[*index].file_id.as_ref().is_some_and(|file_id| held.contains(file_id))
                };
                let (its, others): (Vec<usize>, Vec<usize>) = left.into_iter().partition(is_held);
                self.submitted(task_id, file_type, &its);
                left = others;
            }
            if left.is_empty() {
                break;
            }
            match looks.are_over(unclear) {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => return self.lose(&left, State::ScanFailed, "a task may exist: ", error),
            }
        }
        self.ledger.borrow_mut().not_submitted(&left);
        Ok(())
    }

    /// Looks for a task that holds just these files, started since the try, at the distance of the polls. Never by likeness: other
    /// pipelines use the same project.
    async fn look_for(&self, file_type: FileType, ids: &[String], since: Option<i64>) -> Result<Option<String>, Error> {
        let filter = TaskFilter { file_type: Some(file_type), start_create_time: since, ..TaskFilter::default() };
        let mut looks = Looks::default();
        loop {
            self.pause(&looks).await;
            let Looked { found, unclear } = self.look(self.rows(&filter, looks.clear).await, ids, true).await?;
            if let Some((task_id, _)) = found.into_iter().next() {
                return Ok(Some(task_id));
            }
            if looks.are_over(unclear)? {
                return Ok(None);
            }
        }
    }

    /// Waits for the time of the next look.
    async fn pause(&self, looks: &Looks) {
        tokio::time::sleep(self.patience.pause(looks.clear + looks.failed)).await;
    }

    /// The tasks that the nth look is at, from 0, and what is wrong with their listing: the next look reads it anew.
    async fn rows(&self, filter: &TaskFilter, look: usize) -> (Vec<TaskRow>, Option<Error>) {
        if look + 1 == LOOKS {
            let newest = TaskFilter { start_create_time: None, newest_first: true, ..filter.clone() };
            return match self.client.list_tasks(&newest, Page { offset: 0, limit: NEWEST }).await {
                Ok(listing) => (listing.rows, None),
                Err(error) => (Vec::new(), Some(error)),
            };
        }
        let key = |row: &TaskRow| pages::Key::Id(row.task_id.clone());
        pages::once("tasks/batch-query", |page| self.client.list_tasks(filter, page), key).await
    }

    /// Those of these tasks that hold none but these files, each with the ids that it holds: one with all of them, or else any.
    /// What is wrong with their listing leaves the others unclear. An error ends the job.
    async fn look(
        &self,
        (rows, fault): (Vec<TaskRow>, Option<Error>),
        ids: &[String],
        all_in_one: bool,
    ) -> Result<Looked, Error> {
        let mut unclear = match fault {
            Some(error) if is_fatal(error.kind) => return Err(error),
            fault => fault,
        };
        let mut found = Vec::new();
        for row in rows {
            if row.task_id.is_empty() || !self.may_be_ours(&row, ids.len(), all_in_one) {
                continue;
            }
            match self.holds(&row, ids, all_in_one).await {
                Ok(Some(held)) => found.push((row.task_id, held)),
                Ok(None) => {}
                Err(error) if is_fatal(error.kind) => return Err(error),
                Err(error) => unclear = Some(error),
            }
            if all_in_one && !found.is_empty() {
                break;
            }
        }
        Ok(Looked { found, unclear })
    }

    fn may_be_ours(&self, row: &TaskRow, files: usize, all_in_one: bool) -> bool {
        let known = self.ledger.borrow().tasks.contains_key(&row.task_id);
        let fits = |count: u64| if all_in_one { count == files as u64 } else { count <= files as u64 };
        !known && row.files.is_none_or(fits)
    }

    /// What a task holds, where that is ours and nothing else; `None` where it holds nothing, or somebody else's files. One that may not
    /// list all of ours yet is unclear: its files must not come into another.
    async fn holds(&self, row: &TaskRow, ids: &[String], all_in_one: bool) -> Result<Option<HashSet<String>>, Error> {
        let wanted: HashSet<String> = ids.iter().cloned().collect();
        if self.others.borrow().get(&row.task_id).is_some_and(|held| !held.is_subset(&wanted)) {
            return Ok(None);
        }
        let page = |page: Page| self.client.list_task_resources(&row.task_id, page);
        let (rows, fault) = pages::once("resources/batch-query", page, |row| pages::Key::Id(row.file_id.clone())).await;
        let held: HashSet<String> = rows.into_iter().map(|row| row.file_id).collect();
        if !held.is_subset(&wanted) {
            self.others.borrow_mut().insert(row.task_id.clone(), held);
            return Ok(None);
        }
        if let Some(error) = fault.filter(|_| held != wanted) {
            return Err(error);
        }
        let is_final = row.status == Some(TaskStatus::Finished);
        // Of one that has as many files as ours and lists fewer to its end, the wait for it finds out which.
        let may_lack_some = is_final && (row.files.is_some() || !all_in_one);
        let is_ours = held == wanted || row.files == Some(held.len() as u64) || may_lack_some;
        let since = self.ledger.borrow().since;
        // The last look is at old ones, too, of which one may stay empty for ever.
        let is_older = row.start_time.zip(since).is_some_and(|(started, since)| started < since);
        match held.len() {
            0 if is_final || is_older || matches!(row.files, None | Some(0)) => Ok(None),
            1.. if is_ours => Ok(Some(held)),
            1.. if is_final => Ok(None),
            listed => {
                let what = format!("task {} lists {listed} of our {} files and may hold more", row.task_id, wanted.len());
                Err(Error::new(Kind::Failing, what))
            }
        }
    }
}

/// Looks so far.
#[derive(Default)]
struct Looks {
    clear: usize,
    failed: usize,
}

impl Looks {
    /// Counts one, and tells whether it was the last. One that fails counts for none; where too many do, the error says so.
    fn are_over(&mut self, unclear: Option<Error>) -> Result<bool, Error> {
        match unclear {
            Some(error) if self.failed + 1 == LOOKS => return Err(error),
            Some(_) => self.failed += 1,
            None => self.clear += 1,
        }
        Ok(self.clear == LOOKS)
    }
}

/// What a look at some tasks came to.
struct Looked {
    /// Ours, each with the ids that it holds.
    found: Vec<(String, HashSet<String>)>,
    /// Why it could not be told of some whether they are ours.
    unclear: Option<Error>,
}
