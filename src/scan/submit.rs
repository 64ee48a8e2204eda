//! Creating a task is not idempotent: after a lost answer we look whether it was created, and only by the ids of our files.

use std::collections::HashSet;

use super::{Job, Step, is_fatal, pages};
use crate::hss::{Error, Kind, NewTask, Page, ResourceFilter, TaskFilter, TaskRow};
use crate::model::{FileType, State, Task, TaskStatus};

/// How often a task is created again after its answer was lost and no trace of it was found.
const TRIES: usize = 4;
/// How often a lost task is looked for before it is created again: it may be invisible at first.
const LOOKS: usize = 4;
/// Creation times are looked up from this much before the try, in milliseconds: the hosts of a service may differ in their clocks.
const CLOCK_MARGIN: i64 = 60_000;

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
                Err(error) => {
                    // An earlier try, whose answer was lost, may still come to be.
                    if attempt == 0 {
                        self.ledger.borrow_mut().not_submitted(&files);
                    }
                    return self.lose(&files, State::ScanFailed, "", error);
                }
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
        self.strikes.set(0);
        let mut ledger = self.ledger.borrow_mut();
        let count = ledger.ids(files).len() as u64;
        ledger.submitted(Task { task_id, file_type, files: count, status: TaskStatus::Created }, files);
        let tasks = ledger.tasks.len();
        drop(ledger);
        self.more_tasks.notify_one();
        (self.observe)(Step::Submitted { tasks });
    }

    /// Looks for a task that holds just these files, started since the try, at the distance of the polls. Never by likeness: other
    /// pipelines use the same project. An error says that the last look was not clear.
    async fn look_for(&self, file_type: FileType, ids: &[String], since: Option<i64>) -> Result<Option<String>, Error> {
        let filter = TaskFilter { file_type: Some(file_type), start_create_time: since, ..TaskFilter::default() };
        let mut last = Ok(None);
        for look in 0..LOOKS {
            tokio::time::sleep(self.pause(look)).await;
            last = self.look(&filter, ids).await;
            match &last {
                Ok(Some(_)) => break,
                Err(error) if is_fatal(error.kind) => break,
                _ => {}
            }
        }
        last
    }

    async fn look(&self, filter: &TaskFilter, ids: &[String]) -> Result<Option<String>, Error> {
        let mut unclear = None;
        for row in pages::all(|page| self.client.list_tasks(filter, page), |row| row.task_id.clone()).await? {
            if row.task_id.is_empty() || !self.may_be_ours(&row, ids.len()) {
                continue;
            }
            match self.holds(&row, ids).await {
                Ok(Held::Ours) => return Ok(Some(row.task_id)),
                Ok(Held::Foreign | Held::NotYet) => {}
                Err(error) if is_fatal(error.kind) => return Err(error),
                Err(error) => unclear = Some(error),
            }
        }
        unclear.map_or(Ok(None), Err)
    }

    fn may_be_ours(&self, row: &TaskRow, files: usize) -> bool {
        let known = self.ledger.borrow().tasks.contains_key(&row.task_id);
        !known && row.files.is_none_or(|count| count == files as u64)
    }

    async fn holds(&self, row: &TaskRow, ids: &[String]) -> Result<Held, Error> {
        let wanted: HashSet<String> = ids.iter().cloned().collect();
        if self.others.borrow().get(&row.task_id).is_some_and(|held| !held.is_subset(&wanted)) {
            return Ok(Held::Foreign);
        }
        let filter = ResourceFilter::default();
        let page = |page: Page| self.client.list_task_resources(&row.task_id, &filter, page);
        let rows = pages::all(page, |row| row.file_id.clone()).await?;
        let held: HashSet<String> = rows.into_iter().map(|row| row.file_id).collect();
        if held == wanted {
            return Ok(Held::Ours);
        }
        if held.is_subset(&wanted) {
            return Ok(Held::NotYet);
        }
        self.others.borrow_mut().insert(row.task_id.clone(), held);
        Ok(Held::Foreign)
    }
}

/// Whose files a task holds.
enum Held {
    /// Just ours.
    Ours,
    /// None yet, or only some of ours: it may still be ours.
    NotYet,
    /// Somebody else's.
    Foreign,
}
