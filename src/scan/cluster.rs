//! The job of a `cluster-scan`: one task is created, waited for as those of files are, and its clusters are read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::Notify;

use super::patience::{Patience, Polls};
use super::{Step, is_failing, pages};
use crate::hss::{Client, ClusterRange, ClusterRow, Error, Kind, NewTask, ScanStatus, TaskFilter, TaskRow, TaskType};
use crate::model::{Cluster, ClusterCheck, ClusterNext, ClusterRequest, ClusterState, ClusterTask, TaskStatus};

/// So many looks find a task finished as it was before the retry until it is believed that the retry is over, too.
const STALE_LOOKS: u32 = 4;

/// So many listings of a finished task say that there is no cluster at all until that is believed: a scan of none is no pass.
const EMPTY_LOOKS: u32 = 3;

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
            asking: false,
        }
    }

    /// Says of what is not finished why.
    pub fn close(&mut self, reason: &str) {
        for cluster in self.clusters.iter_mut().filter(|cluster| cluster.state == ClusterState::Unfinished) {
            cluster.reason = Some(reason.to_owned());
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
    /// How often the finished task listed no cluster.
    empty: Cell<u32>,
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
        Self { client, options, account, observe, patience, at_work: Cell::new(false), empty: Cell::new(0) }
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
                account.next = Some(ClusterNext::Create);
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
            account.clusters.iter_mut().for_each(reopen);
        });
        let asked = self.client.retry_failed_clusters(&task_id).await;
        let mut account = self.account.borrow_mut();
        account.asking = false;
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
        let (mut polls, mut stale) = (Polls::default(), 0);
        // Nothing wakes it: there is one task, and it is sent.
        let more = Notify::new();
        loop {
            polls.next(&self.patience, || true, &more).await;
            let filter =
                TaskFilter { task_type: TaskType::Cluster, task_id: Some(task_id.clone()), ..TaskFilter::default() };
            let row = match self.patience.row_of(filter).await {
                Ok(row) => row,
                Err(error) if matches!(error.kind, Kind::Refused | Kind::Invalid) => return Err(error),
                Err(error) => {
                    self.patience.forgive(error)?;
                    continue;
                }
            };
            self.patience.answered();
            let Some(row) = row else { continue };
            if !self.has_finished(&row, &mut stale) {
                polls.expect(std::iter::once(&row));
                (self.observe)(Step::Finished { done: 0, of: 1 });
                continue;
            }
            if self.settle(&task_id, &row).await? {
                (self.observe)(Step::Finished { done: 1, of: 1 });
                return Ok(());
            }
        }
    }

    /// Whether the task is done. After a retry a listing may show it for a while as it was before.
    fn has_finished(&self, row: &TaskRow, stale: &mut u32) -> bool {
        let mut account = self.account.borrow_mut();
        if let (Some(task), Some(status)) = (&mut account.task, row.status) {
            task.status = status;
        }
        if row.status != Some(TaskStatus::Finished) {
            self.at_work.set(true);
            return false;
        }
        let as_before = account.retried() && !self.at_work.get() && row.end_time == account.retried_after;
        *stale += u32::from(as_before);
        !as_before || *stale > STALE_LOOKS
    }

    /// Reads the clusters of a finished task and says what is left to do; false where the service is still at it.
    async fn settle(&self, task_id: &str, row: &TaskRow) -> Result<bool, Error> {
        let page = |page| self.client.list_task_clusters(task_id, page);
        let rows = match pages::all(page, |row: &ClusterRow| row.cluster_id.clone()).await {
            Ok(rows) => rows,
            Err(error) if is_failing(error.kind) => return self.patience.forgive(error).map(|_| false),
            Err(error) => return Err(error),
        };
        self.patience.answered();
        let scanning = |row: &ClusterRow| {
            let mut all = row.scans.iter().map(|scan| scan.status).chain([row.status]);
            all.any(|status| status == Some(ScanStatus::Scanning))
        };
        if rows.iter().any(scanning) {
            self.at_work.set(true);
            return Ok(false);
        }
        self.empty.set(self.empty.get() + u32::from(rows.is_empty()));
        if rows.is_empty() && self.empty.get() < EMPTY_LOOKS {
            return Ok(false);
        }
        let mut account = self.account.borrow_mut();
        account.clusters = clusters(&account.request, rows);
        let failed = account.clusters.iter().any(|cluster| cluster.state != ClusterState::Success);
        if !account.retried() {
            account.retried_after = row.end_time;
        }
        account.next = (failed && account.request.retry_failed && !account.retried()).then_some(ClusterNext::Retry);
        Ok(true)
    }
}

fn unfinished_check(scan_type: &str) -> ClusterCheck {
    ClusterCheck { scan_type: scan_type.to_owned(), state: ClusterState::Unfinished, reason: None }
}

/// What failed is scanned again.
fn reopen(cluster: &mut Cluster) {
    if cluster.state == ClusterState::Success {
        return;
    }
    (cluster.state, cluster.reason) = (ClusterState::Unfinished, None);
    for scan in cluster.scans.iter_mut().filter(|scan| scan.state != ClusterState::Success) {
        (scan.state, scan.reason) = (ClusterState::Unfinished, None);
    }
}

/// The clusters of a finished task, by id: those that were named and those that it lists.
fn clusters(request: &ClusterRequest, rows: Vec<ClusterRow>) -> Vec<Cluster> {
    let mut all: BTreeMap<String, Cluster> = rows
        .into_iter()
        .map(|row| cluster(&request.scan_types, row))
        .map(|cluster| (cluster.cluster_id.clone(), cluster))
        .collect();
    for mut missing in Account::new(request.clone()).clusters {
        if !all.contains_key(&missing.cluster_id) {
            missing.state = ClusterState::Failed;
            missing.reason = Some("the finished task does not list it".to_owned());
            missing.scans.iter_mut().for_each(|scan| scan.state = ClusterState::Failed);
            all.insert(missing.cluster_id.clone(), missing);
        }
    }
    all.into_values().collect()
}

/// A cluster succeeded where the service says so of it and of each scan that was asked for. Where it says nothing of any scan, what it
/// says of the cluster holds for all.
fn cluster(wanted: &[String], row: ClusterRow) -> Cluster {
    let check = |scan_type: &String| {
        let told = row.scans.iter().find(|scan| scan.scan_type == *scan_type);
        let (status, reason) = match told {
            Some(scan) => (scan.status, scan.failed_reason.clone()),
            None if row.scans.is_empty() => (row.status, None),
            None => (Some(ScanStatus::Failed), Some("the finished task does not list this scan".to_owned())),
        };
        let (state, reason) = outcome(status, reason);
        ClusterCheck { scan_type: scan_type.clone(), state, reason }
    };
    let scans: Vec<ClusterCheck> = wanted.iter().map(check).collect();
    let (mut state, mut reason) = outcome(row.status, None);
    let failed = scans.iter().any(|scan| scan.state == ClusterState::Failed);
    if failed {
        (state, reason) = (ClusterState::Failed, reason.filter(|_| row.scans.is_empty()));
    }
    Cluster {
        cluster_id: row.cluster_id,
        name: row.name,
        cluster_type: row.cluster_type,
        version: row.version,
        state,
        reason,
        scans,
    }
}

fn outcome(status: Option<ScanStatus>, reason: Option<String>) -> (ClusterState, Option<String>) {
    match status {
        Some(ScanStatus::Success) => (ClusterState::Success, None),
        Some(ScanStatus::Scanning) => (ClusterState::Unfinished, None),
        Some(ScanStatus::Failed) => {
            (ClusterState::Failed, Some(reason.unwrap_or_else(|| "HSS could not scan it and gives no reason".to_owned())))
        }
        None => (ClusterState::Failed, Some("HSS gives a scan status that is not known here".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hss::ClusterScanRow;

    const SUCCESS: Option<ScanStatus> = Some(ScanStatus::Success);
    const FAILED: Option<ScanStatus> = Some(ScanStatus::Failed);

    /// The state of the cluster and its reason, then those of its scans, of a cluster of which the service says this.
    fn told(status: Option<ScanStatus>, scans: &[(&str, Option<ScanStatus>)]) -> Vec<String> {
        let scan = |(scan_type, status): &(&str, _)| ClusterScanRow {
            scan_type: (*scan_type).to_owned(),
            status: *status,
            failed_reason: None,
        };
        let scans = scans.iter().map(scan).collect();
        let row = ClusterRow { cluster_id: "c".into(), name: None, cluster_type: None, version: None, status, scans };
        let cluster = cluster(&["cluster_vul".to_owned(), "benchmark".to_owned()], row);
        let said = |state: ClusterState, reason: &Option<String>| {
            [state.as_str(), reason.as_deref().unwrap_or_default()].join(" ").trim().to_owned()
        };
        let first = said(cluster.state, &cluster.reason);
        std::iter::once(first).chain(cluster.scans.iter().map(|scan| said(scan.state, &scan.reason))).collect()
    }

    #[test]
    fn a_cluster_succeeded_only_where_all_that_is_said_of_it_says_so() {
        let silent = "failed HSS could not scan it and gives no reason";
        let unlisted = "failed the finished task does not list this scan";
        let unknown = "failed HSS gives a scan status that is not known here";
        let both = |vul, benchmark| [("cluster_vul", vul), ("benchmark", benchmark)];
        assert_eq!(told(SUCCESS, &both(SUCCESS, SUCCESS)), ["success", "success", "success"]);
        assert_eq!(told(SUCCESS, &[]), ["success", "success", "success"]);
        assert_eq!(told(SUCCESS, &both(SUCCESS, FAILED)), ["failed", "success", silent]);
        assert_eq!(told(SUCCESS, &both(SUCCESS, None)), ["failed", "success", unknown]);
        assert_eq!(told(SUCCESS, &[("benchmark", SUCCESS)]), ["failed", unlisted, "success"]);
        assert_eq!(told(FAILED, &both(SUCCESS, SUCCESS)), [silent, "success", "success"]);
        assert_eq!(told(FAILED, &[]), [silent, silent, silent]);
        assert_eq!(told(None, &[]), [unknown, unknown, unknown]);
    }
}
