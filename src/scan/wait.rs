//! Waiting: one listing serves all tasks that are open.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::{Job, LOOKS_PER_WINDOW, Step, pages};
use crate::hss::{Error, Kind, Page, ResourceFilter, ResourceRow, ScanStatus, TaskFilter, TaskRow};
use crate::model::{FileType, State, TaskStatus};

/// A task that so many listings of the run's tasks lack is asked for by its id: the service's clock or its unit of time may be another
/// one than we think.
const MISSES: u32 = 2;

/// However long the service says that a task takes, it is looked at after so many steady distances.
const LONGEST_PAUSE: u32 = 4;

/// The polls so far.
#[derive(Default)]
struct Polls {
    /// How many, from when all was sent on.
    count: usize,
    /// When.
    times: Vec<Instant>,
    /// When the first task ends, by the service's own guess.
    expected: Option<Instant>,
    /// Whether all was sent when the last one was planned.
    all_sent: bool,
}

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
            self.until_next_poll(&mut polls).await;
            let open = self.ledger.borrow().open_tasks();
            let rows = match self.poll(&open, &mut missed).await {
                Ok(rows) => rows,
                Err(error) if matches!(error.kind, Kind::Refused | Kind::Invalid) => return Err(error),
                Err(error) => {
                    self.forgive(error)?;
                    continue;
                }
            };
            self.strikes.set(0);
            polls.expected = expected(rows.values().filter(|row| row.status != Some(TaskStatus::Finished)));
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

    /// Waits for the time of the next poll. Once the last task is there the looks begin anew, as early as those of the last window allow.
    async fn until_next_poll(&self, polls: &mut Polls) {
        let mut due = None;
        loop {
            if self.sent.get() && !polls.all_sent {
                polls.all_sent = true;
                let window = self.steady() * LOOKS_PER_WINDOW;
                let recent = polls.times.iter().filter(|time| time.elapsed() < window).count();
                // Where more calls than documented were answered, looks are free.
                polls.count = if self.client.is_free() { 0 } else { recent };
                due = None;
            }
            let left = polls.expected.map(|time| time.saturating_duration_since(Instant::now()) / 2).unwrap_or_default();
            let pause = self.pause(polls.count).max(left.min(self.steady() * LONGEST_PAUSE));
            let due = *due.get_or_insert_with(|| Instant::now() + pause);
            if tokio::time::timeout_at(due, self.more_tasks.notified()).await.is_err() {
                polls.count += 1;
                polls.times.push(Instant::now());
                return;
            }
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
                let listing = self.client.list_tasks(&filter, Page { offset: 0, limit: 10 }).await?;
                let row = listing.rows.into_iter().find(|row| row.task_id == *task_id);
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
        let sent = self.ledger.borrow().ids(&files).len() as u64;
        if row.files == Some(sent) && row.succeeded == Some(sent) && row.failed == Some(0) {
            return Ok(Some(files));
        }
        let filter = ResourceFilter::default();
        let page = |page: Page| self.client.list_task_resources(task_id, &filter, page);
        let rows = match pages::all(page, |row| row.file_id.clone()).await {
            Ok(rows) => rows,
            Err(error) => {
                self.lose(&files, State::ScanFailed, "the task's files could not be listed: ", error)?;
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

/// When the first of these tasks ends, where the service says it of all. It says so in whole minutes, so the last of them may be none.
fn expected<'a>(open: impl Iterator<Item = &'a TaskRow>) -> Option<Instant> {
    let minutes = open.map(|row| row.estimated_time).reduce(|a, b| Some(a?.min(b?))).flatten()?;
    let left = Duration::try_from_secs_f64((minutes - 1.0) * 60.0).ok()?;
    Instant::now().checked_add(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(minutes: Option<f64>) -> TaskRow {
        TaskRow {
            task_id: "t".to_owned(),
            status: Some(TaskStatus::Running),
            start_time: None,
            end_time: None,
            estimated_time: minutes,
            file_type: None,
            files: None,
            succeeded: None,
            failed: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_task_to_end_decides_and_a_minute_may_be_none() {
        let now = Instant::now();
        let guess = |minutes: &[Option<f64>]| {
            let rows: Vec<TaskRow> = minutes.iter().map(|minutes| open(*minutes)).collect();
            expected(rows.iter()).map(|time| time.duration_since(now).as_secs())
        };
        assert_eq!(guess(&[Some(5.0), Some(3.0)]), Some(120));
        assert_eq!(guess(&[Some(1.0)]), Some(0));
        assert_eq!(guess(&[Some(0.0)]), None);
        assert_eq!(guess(&[Some(5.0), None]), None, "nobody knows");
        assert_eq!(guess(&[Some(f64::MAX)]), None);
        assert_eq!(guess(&[]), None);
    }
}
