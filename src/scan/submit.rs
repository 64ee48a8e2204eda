//! Creating a task is not idempotent: after a lost answer we look whether it was created, and only by the ids of our files.

use std::collections::HashSet;

use super::{Job, pages};
use crate::hss::{Error, Kind, NewTask, Page, ResourceFilter, TaskFilter, TaskRow};
use crate::model::{FileType, State, Task, TaskStatus};

/// How often a task is created again after its answer was lost and no trace of it was found.
const TRIES: usize = 4;
/// How often a lost task is looked for: it may be invisible at first.
const LOOKS: u32 = 3;
/// Creation times are looked up from this much before the try, in milliseconds.
const CLOCK_MARGIN: i64 = 2_000;

impl Job<'_> {
    /// Puts uploaded files into one task.
    pub(super) async fn submit(&self, file_type: FileType, files: Vec<usize>) -> Result<(), Error> {
        let ids: Vec<String> =
            files.iter().filter_map(|index| self.ledger.borrow().entries[*index].file_id.clone()).collect();
        let task = NewTask::Iac { file_type, file_ids: ids.clone() };
        let mut last = None;
        let since = self.client.service_time().map(|time| time - CLOCK_MARGIN);
        for _ in 0..TRIES {
            let found = match self.client.create_task(&task).await {
                Ok(task_id) => Some(task_id),
                Err(error) if error.lost => {
                    let found = self.look_for(file_type, &ids, since).await?;
                    if found.is_none() {
                        self.note("a task was created again, since the answer to the first try was lost and no task held our files".into());
                    }
                    last = Some(error);
                    found
                }
                Err(error) => {
                    let error = self.forgive(error)?;
                    self.end(&files, State::ScanFailed, &error.message);
                    return Ok(());
                }
            };
            if let Some(task_id) = found {
                self.strikes.set(0);
                let task = Task { task_id, file_type, files: files.len() as u64, status: TaskStatus::Created };
                self.ledger.borrow_mut().submitted(task, &files);
                return Ok(());
            }
        }
        let error = last.unwrap_or_else(|| Error::new(Kind::Failing, "no task could be created".to_owned()));
        Err(error)
    }

    /// Looks for a task that holds just these files, started since the try. Never by likeness: other pipelines use the same project.
    async fn look_for(&self, file_type: FileType, ids: &[String], since: Option<i64>) -> Result<Option<String>, Error> {
        let filter = TaskFilter { file_type: Some(file_type), start_create_time: since, ..TaskFilter::default() };
        let mut foreign = HashSet::new();
        for look in 0..LOOKS {
            tokio::time::sleep(self.options.patience * 2_u32.pow(look)).await;
            let rows = pages::all(|page| self.client.list_tasks(&filter, page), |row| row.task_id.clone()).await?;
            for row in rows {
                if row.task_id.is_empty() || foreign.contains(&row.task_id) || !self.may_be_ours(&row, ids.len()) {
                    continue;
                }
                match self.holds(&row, ids).await? {
                    Held::Ours => return Ok(Some(row.task_id)),
                    Held::Foreign => drop(foreign.insert(row.task_id)),
                    Held::NotYet => {}
                }
            }
        }
        Ok(None)
    }

    fn may_be_ours(&self, row: &TaskRow, files: usize) -> bool {
        let known = self.ledger.borrow().tasks.contains_key(&row.task_id);
        !known && row.files.is_none_or(|count| count == files as u64)
    }

    async fn holds(&self, row: &TaskRow, ids: &[String]) -> Result<Held, Error> {
        let filter = ResourceFilter::default();
        let page = |page: Page| self.client.list_task_resources(&row.task_id, &filter, page);
        let rows = pages::all(page, |row| row.file_id.clone()).await?;
        let held: HashSet<&str> = rows.iter().map(|row| row.file_id.as_str()).collect();
        let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
        Ok(if held == wanted {
            Held::Ours
        } else if held.is_subset(&wanted) {
            Held::NotYet
        } else {
            Held::Foreign
        })
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
