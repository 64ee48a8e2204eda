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
use crate::model::{
    Cluster, ClusterCheck, ClusterCounts, ClusterNext, ClusterRequest, ClusterState, ClusterTask, RangeType, TaskStatus,
};

/// So many looks find a task finished as it was before the retry until it is believed that the retry is over, too.
const STALE_LOOKS: u32 = 4;

/// So many listings of a finished task are at odds with themselves or with its counts, or empty, until that is what HSS says: a scan of
/// none is no pass.
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

    /// Whether the service was asked to scan again what failed.
    pub fn retried(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.retried)
    }

    /// Clusters that failed, as HSS counts them.
    pub fn counted_failed(&self) -> u64 {
        self.task.as_ref().map_or(0, |task| task.counted_failed)
    }

    /// As long as no whole listing says otherwise, what was counted as failed has failed.
    fn count_failed(&mut self, counted: u64) {
        self.task.iter_mut().for_each(|task| task.counted_failed = task.counted_failed.max(counted));
    }
}

/// The task that a request asks for.
pub fn task_of(request: &ClusterRequest) -> NewTask {
    let range = match request.range_type {
        RangeType::AllCluster => ClusterRange::All,
        RangeType::SpecificCluster => ClusterRange::Specific(request.cluster_ids.clone()),
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
        let mut polls = Polls::default();
        loop {
            let next = self.account.borrow().next;
            match next {
                None | Some(ClusterNext::FindOut) => return Ok(()),
                Some(ClusterNext::Create) => self.create().await?,
                Some(_) if self.options.no_wait => return Ok(()),
                Some(ClusterNext::Wait) => self.wait(&mut polls).await?,
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
                account.task = Some(ClusterTask { task_id, status: TaskStatus::Created, retried: false, counted_failed: 0 });
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
        let (before, counted) = (self.account.borrow().clusters.clone(), self.account.borrow().counted_failed());
        let task_id = self.account.borrow().task_id();
        self.ask(|account| {
            account.next = Some(ClusterNext::Wait);
            account.task.iter_mut().for_each(|task| (task.retried, task.counted_failed) = (true, 0));
            account.clusters.iter_mut().for_each(outcome::reopen);
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
                account.notes.push(format!("what failed was not scanned again: {}", error.message));
                // A refusal is an answer. After anything else the service has not been asked.
                let refused = matches!(error.kind, Kind::Refused | Kind::Invalid | Kind::Quota);
                account.next = if refused { None } else { Some(ClusterNext::Retry) };
                account.task.iter_mut().for_each(|task| (task.retried, task.counted_failed) = (refused, counted));
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
    async fn wait(&self, polls: &mut Polls) -> Result<(), Error> {
        let task_id = self.account.borrow().task_id();
        let (mut stale, mut doubts) = (0, 0);
        polls.begin_anew();
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
            let is_settled = self.settle(&task_id, finished, &mut doubts).await?;
            (self.observe)(Step::Finished { done: usize::from(is_settled), of: 1 });
            if is_settled {
                return Ok(());
            }
        }
    }

    /// Whether a failed look ends the job.
    fn forgive(&self, error: Error) -> Result<(), Error> {
        let error = self.patience.forgive_look(error)?;
        self.odd(error.message);
        Ok(())
    }

    /// Whether a listing that does not fit ends the job: it may lag behind, and is read anew at the next looks.
    fn doubt(&self, doubts: &mut u32, error: Error) -> Result<(), Error> {
        self.patience.answered();
        *doubts += 1;
        if *doubts >= DOUBTS {
            return Err(error);
        }
        self.odd(error.message);
        Ok(())
    }

    fn odd(&self, what: String) {
        self.account.borrow_mut().odd = Some(what);
    }

    /// Whether the task is done. After a retry a listing may show it for a while as it was before.
    fn has_finished(&self, row: &TaskRow, stale: &mut u32) -> bool {
        let mut account = self.account.borrow_mut();
        account.count_failed(row.failed.unwrap_or_default());
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
        // A time that was not there before may be that of the first end, which came late.
        let ended_anew = matches!((account.retried_after, row.end_time), (Some(before), Some(now)) if before != now);
        let as_before = account.retried() && !self.at_work.get() && !ended_anew;
        *stale += u32::from(as_before);
        // Where looks are cheap they come so fast that their number alone says nothing.
        let believed = *stale > STALE_LOOKS && self.asked.get().elapsed() >= self.options.window / STALE_LOOKS;
        !as_before || believed
    }

    /// Reads the clusters of a finished task and says what is left to do; false where the service is still at it.
    async fn settle(&self, task_id: &str, row: &TaskRow, doubts: &mut u32) -> Result<bool, Error> {
        let (rows, fault) = self.rows(task_id).await;
        // What failed is not made good by a fault of the listing, nor by what the next one says.
        let failed: BTreeSet<&str> =
            rows.iter().filter(|row| outcome::has_failed(row)).map(|row| row.cluster_id.as_str()).collect();
        let has_failed = !failed.is_empty();
        self.account.borrow_mut().count_failed(failed.len() as u64);
        // Which clusters they are is not for a listing with a fault to say.
        match fault {
            Some(Fault::Call(error)) => return self.forgive(error).map(|()| false),
            Some(Fault::Listing(error)) => return self.doubt(doubts, error).map(|()| false),
            None => self.patience.answered(),
        }
        let is_scanning = rows.iter().any(outcome::is_scanning);
        let mut borrowed = self.account.borrow_mut();
        let account = &mut *borrowed;
        let listed = outcome::merge(&mut account.clusters, &account.request.scan_types, rows);
        if is_scanning {
            self.at_work.set(true);
            return Ok(false);
        }
        let mut ended = account.clusters.clone();
        outcome::end(&mut ended, &listed);
        let miscount = miscount(row, &ended, &listed, account.retried());
        let is_empty = listed.is_empty() && *doubts + 1 < DOUBTS;
        if let Some(odd) = miscount.or_else(|| is_empty.then(|| "it lists no cluster".to_owned())) {
            if *doubts + 1 >= DOUBTS {
                account.clusters = ended;
            }
            drop(borrowed);
            return self.doubt(doubts, Error::new(Kind::Failing, odd)).map(|()| false);
        }
        account.clusters = ended;
        account.task.iter_mut().for_each(|task| task.counted_failed = row.failed.unwrap_or_default());
        let retry = has_failed && account.request.retry_failed && !account.retried();
        account.next = retry.then_some(ClusterNext::Retry);
        if retry {
            account.retried_after = row.end_time;
        }
        Ok(true)
    }

    /// Every row that is given, also where a cluster has several, and what is wrong with the listing. It is read once: the next look
    /// reads it anew.
    async fn rows(&self, task_id: &str) -> (Vec<ClusterRow>, Option<Fault>) {
        let given = RefCell::new(Vec::new());
        let (calls, failed) = (Cell::new(0), Cell::new(false));
        let page = async |page: Page| {
            calls.set(calls.get() + 1);
            let listing = self.client.list_task_clusters(task_id, page).await;
            failed.set(listing.is_err());
            given.borrow_mut().extend_from_slice(listing.as_ref().map_or(&[], |listing| &listing.rows));
            listing
        };
        // A cluster may have a row for each scan of it. Two equal rows are one.
        let key = |row: &ClusterRow| pages::Key::Id(format!("{row:?}"));
        let (_, fault) = pages::once("resources/batch-query", page, key).await;
        // One without an end costs as much at every look.
        let is_final = failed.get() || calls.get() == pages::MOST_CALLS;
        (given.into_inner(), fault.map(|error| if is_final { Fault::Call(error) } else { Fault::Listing(error) }))
    }
}

/// What is wrong with a listing.
enum Fault {
    /// A call for it failed, or it has no end.
    Call(Error),
    /// It was read, and is at odds with itself.
    Listing(Error),
}

/// What is wrong with a listing of clusters by the counts of its task, as far as these are sent. After a retry it may list, and the task
/// count, what was scanned again alone.
fn miscount(row: &TaskRow, clusters: &[Cluster], listed: &BTreeSet<String>, retried: bool) -> Option<String> {
    let counts = ClusterCounts::of(clusters.iter().filter(|cluster| listed.contains(&cluster.cluster_id)));
    let all = ClusterCounts::of(clusters);
    let fits_all = || fits(row, &all) && row.succeeded.is_none_or(|succeeded| succeeded == all.success);
    if fits(row, &counts) || retried && fits_all() {
        return None;
    }
    let ClusterCounts { clusters, success, failed, .. } = counts;
    let said = |number: &Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let [all, counted_success, counted_failed] = [&row.files, &row.succeeded, &row.failed].map(said);
    Some(format!(
        "tasks/batch-query: task {} counts {all} clusters, {counted_success} scanned and {counted_failed} failed, and \
         resources/batch-query lists {clusters}, {success} scanned and {failed} failed: look at the task in the console",
        row.task_id
    ))
}

/// Whether the counts of a task allow these: where we are stricter than the task, more of them have failed.
fn fits(row: &TaskRow, counts: &ClusterCounts) -> bool {
    let ended = row.succeeded.unwrap_or_default().saturating_add(row.failed.unwrap_or_default());
    row.files.is_none_or(|all| all == counts.clusters)
        && row.succeeded.is_none_or(|succeeded| succeeded >= counts.success)
        && row.failed.is_none_or(|failed| failed <= counts.failed)
        && ended <= counts.clusters
}

fn unfinished_check(scan_type: &str) -> ClusterCheck {
    ClusterCheck { scan_type: scan_type.to_owned(), state: ClusterState::Unfinished, reason: None }
}
