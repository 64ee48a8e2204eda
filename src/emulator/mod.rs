//! A stand-in for HSS and IAM that obeys the documentation to the letter, for first steps without an account and for
//! tests. It shares nothing with the client: its wire structs, its signature check and its limits are its own, so that
//! one mistake can't hide in both. Its findings are those of `rules`, not those of HSS.
//!
//! A request passes `gate` (route, credentials, limit, fault, journal) and then one function of `upload`, `tasks`,
//! `risks`, `iam` or `issue`, which reads and changes the `store`.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

mod about;
mod answer;
mod auth;
mod clusters;
mod fault;
mod gate;
mod iam;
mod issue;
mod query;
mod risks;
mod rules;
mod store;
mod tasks;
mod upload;

pub use fault::{Fault, ScriptedFault};
pub use store::{Call, StoredFile};

use store::State;

/// How the stand-in behaves.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The access key that is accepted.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Makes the key a temporary one: `X-Security-Token` must then say this.
    pub security_token: Option<String>,
    /// The token that is accepted.
    pub token: String,
    /// The one project.
    pub project_id: String,
    /// The account of the one user, who is called like the access key and whose password is its secret, and of the agency.
    pub account: String,
    /// The agency that may be assumed.
    pub agency_name: String,
    /// The OIDC provider that STS knows.
    pub provider_urn: String,
    /// The trust agency that it may be used for.
    pub agency_urn: String,
    /// The identity provider that IAM knows.
    pub idp_id: String,
    /// The identity token that both accept.
    pub id_token: String,
    /// The metadata service is of the kind that knows of no tokens.
    pub metadata_without_tokens: bool,
    /// How long everything holds that is given away, in place of what was asked for.
    pub issue_for: Option<Duration>,
    /// Calls an API and window. The window is fixed: it opens with an API's first call and, once over, with the next.
    pub throttle: Option<(u32, Duration)>,
    /// Whether a throttled answer carries `Retry-After` (whole seconds, rounded up).
    pub throttle_retry_after: bool,
    /// Added to every answer.
    pub latency: Duration,
    /// The share of calls that fail, 0 to 1.
    pub fault_rate: f64,
    /// Decides which, and every id and order.
    pub seed: u64,
    /// How long a task takes: ready for the first fifth of it, then running, then finished.
    pub scan_time: Duration,
    /// Faults at certain calls. The first that fits decides; it comes before [`Options::fault_rate`].
    pub faults: Vec<ScriptedFault>,
    /// Calls of an API about other files are counted apart, and drawn apart, so that which of them meets a fault does not depend on the
    /// order in which calls in flight arrive.
    pub faults_by_content: bool,
    /// A new task is missing from the first so many listings that would show it.
    pub hide_tasks: u32,
    /// Tasks run for ever.
    pub never_finish: bool,
    /// The first so many risk listings of each risky file are empty after its scan, though the file's row says risky.
    pub late_risks: u32,
    /// A file whose name holds one of these is refused at upload, with a reason.
    pub refuse_names: Vec<String>,
    /// A batch with a file whose name holds one of these is refused whole, without names: 400 HSS.1018.
    pub refuse_batch_containing: Vec<String>,
    /// A file whose name holds one of these is uploaded, but its scan fails.
    pub fail_scan_names: Vec<String>,
    /// So many clusters there are: the third belongs to the enterprise project `stand-in-enterprise`, every other to `0`.
    pub clusters: u32,
    /// What is done to the rows of clusters before they are listed.
    pub spoil_clusters: Option<fn(&mut Vec<Value>)>,
    /// What is done to the row of a task of clusters before it is listed.
    pub spoil_task: Option<fn(&mut Value)>,
    /// Scans of clusters that fail.
    pub fail_cluster_scans: Vec<FailingClusterScan>,
    /// The first so many listings after a retry show the task as it was before.
    pub stale_retries: u32,
    /// Task rows lack their counts.
    pub omit_counts: bool,
    /// Lists come in an order drawn from the seed instead of the reverse of the request's.
    pub shuffle: bool,
    /// The project holds so many tasks of yesterday, each with one clean file; the types take turns.
    pub old_tasks: u32,
    /// A file whose content the project holds already is not kept again: it gets the id of the first.
    pub one_id_per_content: bool,
    /// A risk with several paths is listed as so many risks of the same rule.
    pub split_risks: bool,
    /// A listing of risks names one more than it gives.
    pub overcount_risks: bool,
    /// Files are listed with a verdict of 2001, which was clean.
    pub stale_files: bool,
    /// So much is the `Date` of every answer ahead of the clock that tasks are created by.
    pub date_ahead: Duration,
}

/// A scan of a cluster that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingClusterScan {
    /// The cluster.
    pub cluster_id: String,
    /// `cluster_vul`, `risk_assessment` or `benchmark`.
    pub scan_type: String,
    /// How many tries of it fail; the next one succeeds.
    pub times: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            access_key: "STANDIN0Q7X2M9LKEY01".to_owned(),
            secret_key: "standinW4rB8yTn3cVz6hJ1sDf5gKp0aLqEu2iO".to_owned(),
            security_token: None,
            token: "stand-in-token-7f3a9c51e0d84b26".to_owned(),
            project_id: "5a1d0c7e94b24f3f8e6b72c915d03a48".to_owned(),
            account: "stand-in-account".to_owned(),
            agency_name: "stand-in-agency".to_owned(),
            provider_urn: "iam::d0a1b2c3d4e5f60718293a4b5c6d7e8f:oidcProvider:stand-in".to_owned(),
            agency_urn: "iam::d0a1b2c3d4e5f60718293a4b5c6d7e8f:agency:stand-in".to_owned(),
            idp_id: "stand-in-idp".to_owned(),
            id_token: "stand.in.identity-token-51c8e0".to_owned(),
            metadata_without_tokens: false,
            issue_for: None,
            throttle: None,
            throttle_retry_after: false,
            latency: Duration::ZERO,
            fault_rate: 0.0,
            seed: 0,
            scan_time: Duration::from_millis(300),
            faults: Vec::new(),
            faults_by_content: false,
            hide_tasks: 0,
            never_finish: false,
            late_risks: 0,
            refuse_names: Vec::new(),
            refuse_batch_containing: Vec::new(),
            fail_scan_names: Vec::new(),
            clusters: 3,
            spoil_clusters: None,
            spoil_task: None,
            fail_cluster_scans: Vec::new(),
            stale_retries: 0,
            omit_counts: false,
            shuffle: false,
            old_tasks: 0,
            one_id_per_content: false,
            split_risks: false,
            overcount_risks: false,
            stale_files: false,
            date_ahead: Duration::ZERO,
        }
    }
}

impl fmt::Debug for Options {
    // The credentials of a stand-in may be chosen by its user, who may have chosen real ones.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("listen", &self.listen).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// A running stand-in, on a thread of its own; stops when dropped.
pub struct Emulator {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts it. Returns once it listens; an error says why it can't.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let state = Arc::new(Mutex::new(State::new(options)));
        let router = gate::router(Arc::clone(&state));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("hss-stand-in".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, for HSS and IAM alike.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call so far, in the order in which they were decided.
    pub fn journal(&self) -> Vec<Call> {
        self.lock().journal.clone()
    }

    /// Every task so far, in the order of their creation: id, file type (empty for clusters), ids of its files.
    pub fn tasks(&self) -> Vec<(String, String, Vec<String>)> {
        self.lock().tasks.iter().map(store::Task::summary).collect()
    }

    /// Every file that is kept, in the order of upload.
    pub fn files(&self) -> Vec<StoredFile> {
        self.lock().files.values().map(|file| file.stored.clone()).collect()
    }

    /// Every answer from 400 to 499 that was neither injected nor 401 nor 429, as `api: code: message`.
    pub fn refusals(&self) -> Vec<String> {
        self.lock().refusals.clone()
    }

    /// Every secret that was given away: tokens, secret keys and security tokens.
    pub fn issued(&self) -> Vec<String> {
        self.lock().issued.secrets()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Either side may be gone already, which is what is wanted.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A request that panicked must not take the others down with it.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
