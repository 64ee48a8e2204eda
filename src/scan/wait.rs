//! Waiting: one listing serves all tasks that are open.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tokio::sync::mpsc::UnboundedSender;

use super::patience::Polls;
use super::{Job, Step, pages};
use crate::hss::{Error, Page, ResourceRow, ScanStatus, TaskFilter, TaskRow};
use crate::model::{FileType, State, TaskStatus};

/// A task that so many listings of the run's tasks lack is asked for by its id: the service's clock or its unit of time may be another
/// one than we think.
const MISSES: u32 = 2;

/// Calls for one poll of several tasks, at most: what stands behind so many rows is asked for by its id, as what is not listed is.
const MOST_PAGES: u64 = 5;

/// Files that a poll found scanned, ready to be asked for their risks.
pub(super) type Finished = Vec<usize>;

impl Job<'_> {
    /// Polls until all is sent and every task has finished, and hands the scanned files on.
    pub(super) async fn wait(&self, finished: UnboundedSender<Finished>) -> Result<(), Error> {
        let mut missed = BTreeMap::new();
        let mut polls = Polls::default();
        loop {
            if self.ledger.borrow().open_tasks().is_empty() {
                if self.sent.get() {
                    return Ok(());
                }
                self.more_tasks.notified().await;
                continue;
            }
            polls.next(&self.patience, || self.sent.get(), &self.more_tasks).await;
            let open = self.ledger.borrow().open_tasks();
            let rows = match self.poll(&open, &mut missed).await {
                Ok(rows) => rows,
                Err(error) => {
                    self.patience.forgive_look(error)?;
                    continue;
                }
            };
            self.patience.answered();
            polls.expect(rows.values().filter(|row| row.status != Some(TaskStatus::Finished)));
            let mut scanned = Vec::new();
            for (task_id, row) in rows {
                if let Some(status) = row.status {
                    self.ledger.borrow_mut().task_is(&task_id, status);
                }
                if row.status == Some(TaskStatus::Finished)
                    && let Some(files) = self.settle(&task_id, &row).await?
                {
                    self.ledger.borrow_mut().settled(task_id);
                    scanned.extend(files);
                }
            }
            if !scanned.is_empty() {
                // The receiver lives as long as this future: both end together.
                let _ = finished.send(scanned);
            }
            let (done, of) = self.ledger.borrow().tasks_settled();
            (self.observe)(Step::Finished { done, of });
        }
    }

    /// The rows of the open tasks; a task that is not listed is not visible yet. One listing of what the run may have created serves
    /// all, however much the project has seen before.
    async fn poll(
        &self,
        open: &BTreeSet<String>,
        missed: &mut BTreeMap<String, u32>,
    ) -> Result<BTreeMap<String, TaskRow>, Error> {
        let alone = open.len() == 1;
        let mut found = if alone { BTreeMap::new() } else { self.list_open(open).await? };
        for task_id in open {
            if found.contains_key(task_id) {
                continue;
            }
            let times = missed.entry(task_id.clone()).or_default();
            *times += 1;
            if alone || *times > MISSES {
                let filter = TaskFilter { task_id: Some(task_id.clone()), ..TaskFilter::default() };
                let row = self.patience.row_of(filter).await?;
                found.extend(row.map(|row| (task_id.clone(), row)));
            }
        }
        Ok(found)
    }

    async fn list_open(&self, open: &BTreeSet<String>) -> Result<BTreeMap<String, TaskRow>, Error> {
        let types: BTreeSet<FileType> =
            open.iter().filter_map(|task_id| self.ledger.borrow().tasks.get(task_id).map(|task| task.file_type)).collect();
        let file_type = types.first().copied().filter(|_| types.len() == 1);
        let filter = TaskFilter { file_type, start_create_time: self.ledger.borrow().since, ..TaskFilter::default() };
        let mut found = BTreeMap::new();
        let mut page = Page { offset: 0, limit: super::plan::ROWS_PER_PAGE };
        for _ in 0..MOST_PAGES {
            let listing = self.client.list_tasks(&filter, page).await?;
            let received = listing.rows.len() as u64;
            let ours = listing.rows.into_iter().filter(|row| open.contains(&row.task_id));
            found.extend(ours.map(|row| (row.task_id.clone(), row)));
            page.offset += received;
            let more = listing.total.map_or(received == page.limit, |total| page.offset < total);
            if received == 0 || !more || found.len() == open.len() {
                break;
            }
        }
        Ok(found)
    }

    /// What became of the files of a finished task; `None` where the service is still at it. Its files are asked for one by one only
    /// where the counts do not say that all were scanned.
    async fn settle(&self, task_id: &str, row: &TaskRow) -> Result<Option<Finished>, Error> {
        let files = self.ledger.borrow().open_in(task_id);
        let sent = self.ledger.borrow().ids(&files).len() as u64;
        if row.files == Some(sent) && row.succeeded == Some(sent) && row.failed == Some(0) {
            return Ok(Some(files));
        }
        let page = |page: Page| self.client.list_task_resources(task_id, page);
        let key = |row: &ResourceRow| pages::Key::Id(row.file_id.clone());
        let (rows, fault) = pages::read("resources/batch-query", page, key).await;
        let is_listed = |file_id: &String| rows.iter().any(|row| row.file_id == *file_id);
        if let Some(error) = fault
            && !self.ledger.borrow().ids(&files).iter().all(is_listed)
        {
            self.lose(&files, State::ScanFailed, "the task's files could not be listed: ", error)?;
            return Ok(Some(Vec::new()));
        }
        let rows: HashMap<&str, &ResourceRow> = rows.iter().map(|row| (row.file_id.as_str(), row)).collect();
        let mut scanned = Vec::new();
        let mut ended = Vec::new();
        for index in files {
            let file_id = self.ledger.borrow().entries[index].file_id.clone().unwrap_or_default();
            match rows.get(file_id.as_str()).map(|row| (row.status, &row.failed_reason)) {
                Some((Some(ScanStatus::Success), _)) => scanned.push(index),
                Some((Some(ScanStatus::Scanning), _)) => return Ok(None),
                Some((Some(ScanStatus::Failed), reason)) => {
                    ended
                        .push((index, reason.clone().unwrap_or_else(|| "HSS could not scan it and gives no reason".into())));
                }
                Some((None, _)) => ended.push((index, "HSS gives a scan status that is not known here".into())),
                None => ended.push((index, "the finished task does not list it".into())),
            }
        }
        for (index, reason) in ended {
            self.end(&[index], State::ScanFailed, &reason);
        }
        Ok(Some(scanned))
    }
}
