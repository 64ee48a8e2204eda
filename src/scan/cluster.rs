//! The job of a `cluster-scan`: one task is created, waited for as those of files are, and its clusters are read.

mod outcome;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::patience::{Patience, Polls};
use super::{Step, pages};
use crate::hss::{Client, ClusterRange, ClusterRow, Error, Kind, NewTask, Page, TaskFilter, TaskRow, TaskType};
use crate::model::{Cluster, ClusterCheck, ClusterNext, ClusterRequest, ClusterState, ClusterTask, TaskStatus};

/// So many looks find a task finished as it was before the retry until it is believed that the retry is over, too.
const STALE_LOOKS: u32 = 4;

/// So many listings of a finished task are at odds with its counts, or empty, until that is what HSS says: a scan of none is no pass.
const DOUBTS: u32 = 3;

/// How to go about it.
#[derive(Debug, Clone, Copy)]
pub struct ClusterOptions {
    /// Create the task and go.
    pub no_wait: bool,
    /// The documented window of the service's limit.
    pub window: Duration,
}

/// What is known at any moment.
#[derive(Debug, Clone)]
pub struct Account {
    /// What was asked for.
    pub request: ClusterRequest,
    /// The task, once it is created.
    pub task: Option<ClusterTask>,
    /// What is left to do.
    pub next: Option<ClusterNext>,
    /// The clusters that are known, by id.
    pub clusters: Vec<Cluster>,
    /// When the task had ended before the retry, in milliseconds of the service's clock.
    pub retried_after: Option<i64>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Clusters that failed, as the task or a listing with a fault counts them.
    pub counted_failed: u64,
    /// What is odd about the task, as it was last seen.
    pub odd: Option<String>,
    /// Whether a call is on its way that must not be lost.
    pub asking: bool,
}

impl Account {
    /// One of which nothing is done yet.
    pub fn new(request: ClusterRequest) -> Self {
        let unfinished = |id: &String| Cluster {
            cluster_id: id.clone(),
            name: None,
            cluster_type: None,
            version: None,
            state: ClusterState::Unfinished,
            reason: None,
            scans: request.scan_types.iter().map(|scan_type| unfinished_check(scan_type)).collect(),
        };
        let mut clusters: Vec<Cluster> = request.cluster_ids.iter().map(unfinished).collect();
        clusters.sort_by(|a, b| a.cluster_id.cmp(&b.cluster_id));
        Self {
            request,
            task: None,
            next: Some(ClusterNext::Create),
            clusters,
            retried_after: None,
            notes: Vec::new(),
            counted_failed: 0,
            odd: None,
            asking: false,
        }
    }

    /// Says of what is not finished why.
    pub fn close(&mut self, reason: &str) {
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.state == ClusterState::Unfinished) {
            outcome::leave(cluster, reason);
        }
    }

    fn task_id(&self) -> String {
        self.task.as_ref().map(|task| task.task_id.clone()).unwrap_or_default()
    }

    fn retried(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.retried)
    }
}

/// The task that a request asks for.
pub fn task_of(request: &ClusterRequest) -> NewTask {
    let range = match request.range_type.as_str() {
        "all_cluster" => ClusterRange::All,
        _ => ClusterRange::Specific(request.cluster_ids.clone()),
    };
    NewTask::Cluster { scan_types: request.scan_types.clone(), range }
}

/// The job. It borrows its account, so that dropping the job in the middle leaves the account behind.
pub struct ClusterJob<'a> {
    client: &'a Client,
    options: ClusterOptions,
    account: &'a RefCell<Account>,
    observe: &'a dyn Fn(Step),
    patience: Patience<'a>,
    /// Whether the task was seen at work since the retry.
    at_work: Cell<bool>,
    /// Since when it may be at work again.
    asked: Cell<Instant>,
}

impl<'a> ClusterJob<'a> {
    /// A job for what is left to do. `observe` is told of every step.
    pub fn new(
        client: &'a Client,
        options: ClusterOptions,
        account: &'a RefCell<Account>,
        observe: &'a dyn Fn(Step),
    ) -> Self {
        let patience = Patience::new(client, options.window);
        Self { client, options, account, observe, patience, at_work: Cell::new(false), asked: Cell::new(Instant::now()) }
    }

    /// Does what is left. An error ends it early; what was reached stands in the account.
    pub async fn run(&self) -> Result<(), Error> {
        loop {
            let next = self.account.borrow().next;
            match next {
                None | Some(ClusterNext::FindOut) => return Ok(()),
                Some(ClusterNext::Create) => self.create().await?,
                Some(_) if self.options.no_wait => return Ok(()),
                Some(ClusterNext::Wait) => self.wait().await?,
                Some(ClusterNext::Retry) => self.retry().await?,
            }
        }
    }

    /// Creates the task, once: nothing in a listing tells our task from that of another pipeline, so that one whose answer was lost is
    /// neither adopted nor created again.
    async fn create(&self) -> Result<(), Error> {
        self.ask(|account| account.next = Some(ClusterNext::FindOut));
        let task = task_of(&self.account.borrow().request);
        let created = self.client.create_task(&task).await;
        let mut account = self.account.borrow_mut();
        account.asking = false;
        match created {
            Ok(task_id) => {
                account.task = Some(ClusterTask { task_id, status: TaskStatus::Created, retried: false });
                account.next = Some(ClusterNext::Wait);
            }
            Err(error) if error.lost => {
                let message = format!("a task may exist: {}", error.message);
                return Err(Error { message, ..error });
            }
            Err(error) => {
                // What is refused would be refused again.
                let refused = matches!(error.kind, Kind::Refused | Kind::Invalid);
                account.next = (!refused).then_some(ClusterNext::Create);
                return Err(error);
            }
        }
        drop(account);
        (self.observe)(Step::Submitted { tasks: 1 });
        Ok(())
    }

    /// Has the service scan again what failed, once: a lost answer is taken for a yes.
    async fn retry(&self) -> Result<(), Error> {
        let before = self.account.borrow().clusters.clone();
        let task_id = self.account.borrow().task_id();
        self.ask(|account| {
            account.next = Some(ClusterNext::Wait);
            account.task.iter_mut().for_each(|task| task.retried = true);
            account.clusters.iter_mut().for_each(outcome::reopen);
            account.counted_failed = 0;
        });
        let asked = self.client.retry_failed_clusters(&task_id).await;
        let mut account = self.account.borrow_mut();
        account.asking = false;
        self.asked.set(Instant::now());
        self.at_work.set(false);
        match asked {
            Ok(()) => {}
            Err(error) if error.lost => {
                let note = "the answer to the retry was lost; it is not asked for again, and what the task says counts";
                account.notes.push(note.to_owned());
            }
            Err(error) => {
                account.clusters = before;
                // A refusal is an answer. After anything else the service has not been asked.
                let refused = matches!(error.kind, Kind::Refused | Kind::Invalid | Kind::Quota);
                account.next = if refused { None } else { Some(ClusterNext::Retry) };
                account.task.iter_mut().for_each(|task| task.retried = refused);
                return Err(error);
            }
        }
        drop(account);
        (self.observe)(Step::Submitted { tasks: 1 });
        Ok(())
    }

    fn ask(&self, change: impl FnOnce(&mut Account)) {
        {
            let mut account = self.account.borrow_mut();
            change(&mut account);
            account.asking = true;
        }
        (self.observe)(Step::Submitting);
    }

    /// Polls until the task has finished, and reads its clusters.
    async fn wait(&self) -> Result<(), Error> {
        let task_id = self.account.borrow().task_id();
        let (mut polls, mut stale, mut doubts) = (Polls::default(), 0, 0);
        // Nothing wakes it: there is one task, and it is sent.
        let more = Notify::new();
        loop {
            polls.next(&self.patience, || true, &more).await;
            let filter =
                TaskFilter { task_type: TaskType::Cluster, task_id: Some(task_id.clone()), ..TaskFilter::default() };
            let row = match self.patience.row_of(filter).await {
                Ok(row) => row,
                Err(error) => {
                    self.forgive(error)?;
                    continue;
                }
            };
            let finished = row.as_ref().filter(|row| self.has_finished(row, &mut stale));
            let Some(finished) = finished else {
                self.patience.answered();
                if row.is_none() {
                    self.odd(format!("no listing shows task {task_id}"));
                }
                polls.expect(row.iter());
                (self.observe)(Step::Finished { done: 0, of: 1 });
                continue;
            };
            if self.settle(&task_id, finished, &mut doubts).await? {
                (self.observe)(Step::Finished { done: 1, of: 1 });
                return Ok(());
            }
        }
    }

    /// Whether a failed look ends the job.
    fn forgive(&self, error: Error) -> Result<(), Error> {
        if matches!(error.kind, Kind::Refused | Kind::Invalid) {
            return Err(error);
        }
        let error = self.patience.forgive(error)?;
        self.odd(error.message);
        Ok(())
    }

    fn odd(&self, what: String) {
        self.account.borrow_mut().odd = Some(what);
    }

    /// Whether the task is done. After a retry a listing may show it for a while as it was before.
    fn has_finished(&self, row: &TaskRow, stale: &mut u32) -> bool {
        let mut account = self.account.borrow_mut();
        account.counted_failed = row.failed.unwrap_or_default();
        account.odd = None;
        if let (Some(status), Some(task)) = (row.status, &mut account.task) {
            task.status = status;
        } else {
            let word = row.status_word.as_deref().unwrap_or_default();
            account.odd = Some(format!("task {} is {word:?}, a status that is not known here", row.task_id));
        }
        if row.status != Some(TaskStatus::Finished) {
            self.at_work.set(true);
            return false;
        }
        let as_before = account.retried() && !self.at_work.get() && row.end_time == account.retried_after;
        *stale += u32::from(as_before);
        // Where looks are cheap they come so fast that their number alone says nothing.
        let believed = *stale > STALE_LOOKS && self.asked.get().elapsed() >= self.options.window / STALE_LOOKS;
        !as_before || believed
    }

    /// Reads the clusters of a finished task and says what is left to do; false where the service is still at it.
    async fn settle(&self, task_id: &str, row: &TaskRow, doubts: &mut u32) -> Result<bool, Error> {
        let (rows, fault) = self.rows(task_id).await;
        if let Some(fault) = fault {
            // Which clusters they are is not for such a listing to say, but what failed is not made good by its fault.
            let failed: BTreeSet<&str> =
                rows.iter().filter(|row| outcome::has_failed(row)).map(|row| row.cluster_id.as_str()).collect();
            let mut account = self.account.borrow_mut();
            account.counted_failed = account.counted_failed.max(failed.len() as u64);
            drop(account);
            return self.forgive(fault).map(|()| false);
        }
        self.patience.answered();
        if rows.iter().any(outcome::is_scanning) {
            self.at_work.set(true);
            return Ok(false);
        }
        let has_failed = rows.iter().any(outcome::has_failed);
        let mut account = self.account.borrow_mut();
        let listed = outcome::listed(&account.request.scan_types, rows);
        let failed = listed.values().filter(|cluster| cluster.state == ClusterState::Failed).count() as u64;
        let miscount = miscount(row, listed.len() as u64, failed);
        let listed_none = listed.is_empty();
        let clusters = outcome::all(&account.request, listed);
        if miscount.is_some() || listed_none {
            *doubts += 1;
            if *doubts < DOUBTS {
                account.odd = miscount.or(Some("it lists no cluster".to_owned()));
                return Ok(false);
            }
        }
        account.clusters = clusters;
        if let Some(miscount) = miscount {
            return Err(Error::new(Kind::Failing, miscount));
        }
        if !account.retried() {
            account.retried_after = row.end_time;
        }
        account.next = (has_failed && account.request.retry_failed && !account.retried()).then_some(ClusterNext::Retry);
        Ok(true)
    }

    /// Every row that is given, also where a cluster has several, and what is wrong with the listing.
    async fn rows(&self, task_id: &str) -> (Vec<ClusterRow>, Option<Error>) {
        let given = RefCell::new(Vec::new());
        let page = async |page: Page| {
            let listing = self.client.list_task_clusters(task_id, page).await?;
            given.borrow_mut().extend_from_slice(&listing.rows);
            Ok(listing)
        };
        let key = |row: &ClusterRow| pages::Key::Text(row.cluster_id.clone());
        let (_, fault) = pages::read("resources/batch-query", page, key).await;
        (given.into_inner(), fault)
    }
}

/// What is wrong with a listing of clusters by the counts of its task, as far as these are sent.
fn miscount(row: &TaskRow, listed: u64, failed: u64) -> Option<String> {
    let TaskRow { task_id, files: counted, failed: counted_failed, .. } = row;
    let differs = counted.is_some_and(|counted| counted != listed);
    if !differs && counted_failed.is_none_or(|counted_failed| counted_failed <= failed) {
        return None;
    }
    let said = |number: &Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    Some(format!(
        "tasks/batch-query: task {task_id} counts {} clusters, {} of them failed, and resources/batch-query lists {listed}, {failed} of \
         them failed: look at the task in the console",
        said(counted),
        said(counted_failed)
    ))
}

fn unfinished_check(scan_type: &str) -> ClusterCheck {
    ClusterCheck { scan_type: scan_type.to_owned(), state: ClusterState::Unfinished, reason: None }
}
