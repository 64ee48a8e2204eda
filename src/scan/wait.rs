//! Waiting: one listing serves all tasks that are open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::{Job, Step, pages};
use crate::hss::{Error, Kind, Page, ResourceFilter, ResourceRow, ScanStatus, TaskFilter, TaskRow};
use crate::model::{State, TaskStatus};

/// The first waits between polls, in thousandths of the steady distance: early while it costs nothing, and only five in the first
/// window of the documented limit.
const FIRST_POLLS: [u32; 6] = [20, 30, 100, 300, 800, 2_800];

/// Files of a task that were scanned, ready to be asked for their risks.
pub(super) type Finished = Vec<usize>;

impl Job<'_> {
    /// Polls until every task has finished, and hands the scanned files on.
    pub(super) async fn wait(&self, finished: UnboundedSender<Finished>) -> Result<(), Error> {
        let mut open: BTreeSet<String> = self.ledger.borrow().tasks.keys().cloned().collect();
        let all = open.len();
        let mut polls = 0;
        while !open.is_empty() {
            tokio::time::sleep(self.pause(polls)).await;
            polls += 1;
            let rows = match self.poll(&open).await {
                Ok(rows) => rows,
                Err(error) if matches!(error.kind, Kind::Refused | Kind::Invalid) => return Err(error),
                Err(error) => {
                    self.forgive(error)?;
                    continue;
                }
            };
            self.strikes.set(0);
            for (task_id, row) in rows {
                if let Some(status) = row.status {
                    self.ledger.borrow_mut().task_is(&task_id, status);
                }
                if row.status != Some(TaskStatus::Finished) {
                    continue;
                }
                if let Some(files) = self.settle(&task_id, &row).await? {
                    open.remove(&task_id);
                    // The receiver lives as long as this future: both end together.
                    let _ = finished.send(files);
                }
            }
            (self.observe)(Step::Finished { done: all - open.len(), of: all });
        }
        Ok(())
    }

    fn pause(&self, polls: usize) -> Duration {
        self.options.poll * FIRST_POLLS.get(polls).copied().unwrap_or(1_000) / 1_000
    }

    /// The rows of the open tasks; a task that is not listed is not visible yet.
    async fn poll(&self, open: &BTreeSet<String>) -> Result<BTreeMap<String, TaskRow>, Error> {
        let mut filter = TaskFilter::default();
        if open.len() == 1 {
            filter.task_id = open.first().cloned();
        }
        let mut found = BTreeMap::new();
        let mut page = Page { offset: 0, limit: super::plan::ROWS_PER_PAGE };
        loop {
            let listing = self.client.list_tasks(&filter, page).await?;
            let received = listing.rows.len() as u64;
            let ours = listing.rows.into_iter().filter(|row| open.contains(&row.task_id));
            found.extend(ours.map(|row| (row.task_id.clone(), row)));
            page.offset += received;
            let more = listing.total.map_or(received == page.limit, |total| page.offset < total);
            if received == 0 || !more || found.len() == open.len() {
                return Ok(found);
            }
        }
    }

    /// What became of the files of a finished task; `None` where the service is still at it. Its files are asked for one by one only
    /// where the counts do not say that all were scanned.
    async fn settle(&self, task_id: &str, row: &TaskRow) -> Result<Option<Finished>, Error> {
        let files = self.ledger.borrow().open_in(task_id);
        let sent = files.len() as u64;
        if row.files == Some(sent) && row.succeeded == Some(sent) && row.failed == Some(0) {
            return Ok(Some(files));
        }
        let filter = ResourceFilter::default();
        let page = |page: Page| self.client.list_task_resources(task_id, &filter, page);
        let rows = match pages::all(page, |row| row.file_id.clone()).await {
            Ok(rows) => rows,
            Err(error) => {
                let error = self.forgive(error)?;
                self.end(&files, State::ScanFailed, &format!("the task's files could not be listed: {}", error.message));
                return Ok(Some(Vec::new()));
            }
        };
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
