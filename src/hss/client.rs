//! The client: how calls are sent, paced, repeated and counted. What they say stands in `api`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use super::auth::Plan;
use super::issue::Held;
use super::pace::{Limit, Next, Pace};
use super::send::{self, Again, Answer, As, Call, Failed, Route};
use super::{Error, Kind};

/// Repetitions of a call that failed.
const REPETITIONS: u32 = 5;
/// Repetitions of a call that was too fast; each waits as long as the service asks.
const THROTTLES: u32 = 20;

/// How long things take. Only tests change it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timings {
    /// The longest time to a connection. 10 s.
    pub connect: Duration,
    /// The longest time for one request, upload included. 120 s.
    pub request: Duration,
    /// The longest time for a host that is knocked at to answer, a connection included. 20 s.
    pub knock: Duration,
    /// The first wait before a repetition, doubled each time, with full jitter. 500 ms.
    pub backoff: Duration,
    /// The longest wait before a repetition that the service did not ask for. 20 s.
    pub longest_backoff: Duration,
    /// The longest wait that the service may ask for. 5 min.
    pub longest_wait: Duration,
    /// The documented window of the rate limit, assumed where a 429 says nothing. 60 s.
    pub window: Duration,
    /// How long a task that is being created is waited for when the run ends early. 3 s.
    pub grace: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(120),
            knock: Duration::from_secs(20),
            backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(20),
            longest_wait: Duration::from_secs(300),
            window: Duration::from_secs(60),
            grace: Duration::from_secs(3),
        }
    }
}

/// Where and as whom to call.
#[derive(Debug, Clone)]
pub struct Config {
    /// `https://host[:port]`, no trailing slash.
    pub endpoint: String,
    /// `https://host[:port]`, no trailing slash.
    pub iam_endpoint: String,
    /// Needed to look a project up.
    pub region: Option<String>,
    /// Looked up by region where `None`.
    pub project_id: Option<String>,
    /// Sent with every call.
    pub enterprise_project_id: String,
    /// `https://host[:port]`, no trailing slash. Called only where the plan is to assume an agency by an identity token.
    pub sts_endpoint: Option<String>,
    /// As whom.
    pub plan: Plan,
    /// PEM certificates trusted beside the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether a stand-in may answer in place of the service; otherwise its first answer is the last.
    pub stand_in_allowed: bool,
    /// How fast; what the service allows is learnt where `None`.
    pub rate: Option<Limit>,
    /// How long.
    pub timings: Timings,
}

/// What happens while the client works, for progress and `-v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An answer arrived (or the connection failed: no status).
    Answered {
        /// `batch-upload`, `task`, `tasks/batch-query`, …
        api: &'static str,
        /// HTTP status.
        status: Option<u16>,
        /// How long it took.
        took: Duration,
    },
    /// A call will be repeated.
    Repeating {
        /// The API.
        api: &'static str,
        /// Why, one line.
        why: String,
        /// After this time.
        after: Duration,
    },
    /// A call waits for the service's limit.
    Waiting {
        /// The API.
        api: &'static str,
        /// For this time.
        for_: Duration,
        /// Which is this one, where it is known.
        limit: Option<Limit>,
    },
    /// Credentials were obtained.
    Issued {
        /// When they end, in milliseconds since 1970, where that is said.
        until: Option<i64>,
    },
}

/// Has TLS use ring.
pub(super) fn provide() {
    // The second install of a process finds the first one there, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client of HSS, and of what of IAM and STS it takes to call HSS.
pub struct Client {
    pub(super) hss: Route,
    pub(super) iam: Route,
    pub(super) config: Config,
    observe: Box<dyn Fn(&Event)>,
    pub(super) project: RefCell<Option<String>>,
    calls: RefCell<BTreeMap<String, u64>>,
    paces: RefCell<BTreeMap<&'static str, Pace>>,
    answered: Notify,
    first: Mutex<()>,
    refused: RefCell<Option<Error>>,
    /// Wakes whatever waits before a call, when no more may be sent.
    refusing: Notify,
    clock: Cell<Option<(i64, Instant)>>,
    repeated_uploads: Cell<u64>,
    stand_in: Cell<bool>,
    pub(super) held: RefCell<Option<Held>>,
    /// Held by who obtains credentials.
    pub(super) issuing: Mutex<()>,
    /// How often they were obtained.
    pub(super) issued: Cell<u32>,
    /// Whether a token was refused and another obtained.
    pub(super) renewed: Cell<bool>,
}

impl Client {
    /// Builds a client; opens no connection. `observe` is told of every [`Event`].
    pub fn new(config: Config, observe: Box<dyn Fn(&Event)>) -> Result<Self, Error> {
        provide();
        let route = |base: &str| Route::new(base, config.ca_pem.as_deref(), &config.timings);
        let (hss, iam) = (route(&config.endpoint)?, route(&config.iam_endpoint)?);
        Ok(Self {
            hss,
            iam,
            project: RefCell::new(config.project_id.clone()),
            config,
            observe,
            calls: RefCell::default(),
            paces: RefCell::default(),
            answered: Notify::new(),
            first: Mutex::new(()),
            refused: RefCell::new(None),
            refusing: Notify::new(),
            clock: Cell::new(None),
            repeated_uploads: Cell::new(0),
            stand_in: Cell::new(false),
            held: RefCell::new(None),
            issuing: Mutex::new(()),
            issued: Cell::new(0),
            renewed: Cell::new(false),
        })
    }

    /// Sends nothing more: what is on its way may still be answered, every other call fails at once, also one that waits its turn.
    pub fn stop(&self) {
        self.refuse(not_sent());
    }

    /// The project, where it is known by now.
    pub fn project(&self) -> Option<String> {
        self.project.borrow().clone()
    }

    /// Requests sent so far, by API, repetitions included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.borrow().clone()
    }

    /// The service's clock at its last answer, in milliseconds since 1970, carried on to now by our own monotonic clock.
    pub fn service_time(&self) -> Option<i64> {
        let (time, at) = self.clock.get()?;
        i64::try_from(at.elapsed().as_millis()).ok().map(|elapsed| time + elapsed)
    }

    /// Whether the documented limit is known not to hold.
    pub fn is_free(&self) -> bool {
        let paces = self.paces.borrow();
        self.config.rate.is_none() && paces.values().all(|pace| pace.limit().is_none()) && paces.values().any(Pace::is_free)
    }

    /// The longest window of a limit that was told or learnt.
    pub fn window(&self) -> Option<Duration> {
        let learnt = self.paces.borrow().values().filter_map(|pace| Some(pace.limit()?.window)).max();
        learnt.max(self.config.rate.map(|limit| limit.window))
    }

    /// Upload requests that were repeated after they may have taken effect, each of which may have left copies in the project.
    pub fn repeated_uploads(&self) -> u64 {
        self.repeated_uploads.get()
    }

    /// Whether any answer came from a stand-in.
    pub fn stand_in(&self) -> bool {
        self.stand_in.get()
    }

    /// Sends a call, as often as it may be sent.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let mut tries = 0;
        let mut throttles = 0;
        let mut renewals = 0;
        loop {
            let failed = match self.attempt(&call).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let wait = match failed.again {
                Again::NotSent if tries < REPETITIONS => self.backoff(&mut tries, None),
                Again::Broken(wait) if call.repeatable && tries < REPETITIONS => {
                    if call.api == "batch-upload" {
                        self.repeated_uploads.set(self.repeated_uploads.get() + 1);
                    }
                    self.backoff(&mut tries, wait)
                }
                Again::Throttled(too_fast) if throttles < THROTTLES => {
                    throttles += 1;
                    let Timings { window, longest_wait, .. } = self.config.timings;
                    self.pace(call.api, |pace| pace.refused(too_fast, window, longest_wait, Instant::now()));
                    // The pace of the API holds every call back, this one too.
                    Duration::ZERO
                }
                // It was refused at the gate, and took no effect.
                Again::Renewed if renewals == 0 => {
                    renewals += 1;
                    Duration::ZERO
                }
                _ => return Err(self.told(&call, failed)),
            };
            if !wait.is_zero() {
                (self.observe)(&Event::Repeating { api: call.api, why: failed.error.message, after: wait });
                self.unless_refused(tokio::time::sleep(wait)).await?;
            }
        }
    }

    /// Waits for something that comes before a call, as long as calls may be sent.
    async fn unless_refused<T>(&self, wait: impl Future<Output = T>) -> Result<T, Error> {
        let refusing = self.refusing.notified();
        let refused = || self.refused.borrow().clone();
        if let Some(refused) = refused() {
            return Err(refused);
        }
        tokio::select! {
            biased;
            () = refusing => Err(refused().unwrap_or_else(not_sent)),
            done = wait => Ok(done),
        }
    }

    /// Full jitter over a doubling bound, unless the service says how long; no time at all is what rounding down or a clock leaves of it.
    fn backoff(&self, tries: &mut u32, asked: Option<Duration>) -> Duration {
        let timings = &self.config.timings;
        let bound = timings.backoff.saturating_mul(2_u32.saturating_pow(*tries)).min(timings.longest_backoff);
        *tries += 1;
        match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) => asked.min(timings.longest_wait),
            None => bound.mul_f64(fastrand::f64()).max(Duration::from_millis(1)),
        }
    }

    /// One try, when its turn has come.
    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let never = |error| Failed { error, again: Again::Never, status: None };
        let proven = &call.route.proven;
        let is_ours = matches!(call.who, As::Us);
        // What brings credentials is alone anyway, and who waits for them holds this lock.
        let alone =
            if proven.get() || !is_ours { None } else { Some(self.unless_refused(self.first.lock()).await.map_err(never)?) };
        let alone = alone.filter(|_| !proven.get());
        // After the lock: what the first call learns of the limit holds for those that waited for it.
        let turn = self.unless_refused(self.turn(call.api)).await.map_err(never)?;
        // After the wait, in which they may have ended.
        let held = if is_ours {
            let obtained = self.unless_refused(self.credentials()).await.map_err(never)?;
            Some(obtained.map_err(never)?)
        } else {
            None
        };
        let mut outcome = self.send(call, held.as_ref()).await;
        let status = match &outcome {
            Ok(answer) => Some(answer.status),
            Err(failed) => failed.status,
        };
        if status == Some(401) {
            if let Err(failed) = &mut outcome {
                match held {
                    Some(held) if self.may_renew(held.number) => failed.again = Again::Renewed,
                    Some(_) => self.refuse(failed.error.clone()),
                    // Who asked for credentials knows whether others are left.
                    None => {}
                }
            }
        } else if is_ours && status.is_some_and(|status| !matches!(status, 300..400 | 404 | 408 | 429 | 500..)) {
            // What a gateway or proxy says says nothing of the key.
            proven.set(true);
        }
        drop(alone);
        turn.over(outcome.is_ok());
        outcome
    }

    async fn send(&self, call: &Call<'_>, held: Option<&Held>) -> Result<Answer, Failed> {
        let never = |error| Failed { error, again: Again::Never, status: None };
        let project = self.project.borrow().clone().filter(|_| held.is_some());
        let credentials = match call.who {
            As::Other(credentials) => Some(credentials),
            As::Us | As::Nobody => held.map(|held| &held.credentials),
        };
        let request = send::build(call, credentials, project.as_deref()).map_err(never)?;
        *self.calls.borrow_mut().entry(call.api.to_owned()).or_default() += 1;
        let start = Instant::now();
        let outcome = match call.route.http.execute(request).await {
            Ok(response) => {
                self.note_headers(&response);
                match self.impostor() {
                    Some(error) => Err(never(error)),
                    None => send::read(call, credentials, response).await,
                }
            }
            Err(error) => Err(send::unanswered(call.api, &error, &call.route.base)),
        };
        let status = match &outcome {
            Ok(answer) => Some(answer.status),
            Err(failed) => failed.status,
        };
        self.tell(&Event::Answered { api: call.api, status, took: start.elapsed() });
        outcome
    }

    pub(super) fn tell(&self, event: &Event) {
        (self.observe)(event);
    }

    /// A stand-in where none may answer: no call follows.
    fn impostor(&self) -> Option<Error> {
        if self.config.stand_in_allowed || !self.stand_in() {
            return None;
        }
        self.refuse(Error::new(Kind::StandIn, "a stand-in answered in place of HSS".to_owned()));
        self.refused.borrow().clone()
    }

    /// Every call that has not been sent fails with this error, or with an earlier one.
    pub(super) fn refuse(&self, error: Error) {
        self.refused.borrow_mut().get_or_insert(error);
        self.refusing.notify_waiters();
    }

    fn note_headers(&self, response: &reqwest::Response) {
        if response.headers().contains_key("x-hss-stand-in") {
            self.stand_in.set(true);
        }
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            self.clock.set(Some((date.timestamp().as_millisecond(), Instant::now())));
        }
    }

    /// Waits until the pace of an API lets a call go.
    async fn turn(&self, api: &'static str) -> Turn<'_> {
        let mut said = None;
        loop {
            let answered = self.answered.notified();
            match self.pace(api, |pace| pace.next(Instant::now())) {
                Next::Now => return Turn { client: self, api, answered: false },
                Next::AfterAnswer => answered.await,
                Next::At(time) => {
                    if said != Some(time) {
                        said = Some(time);
                        let limit = self.pace(api, |pace| pace.limit());
                        (self.observe)(&Event::Waiting { api, for_: time.duration_since(Instant::now()), limit });
                    }
                    tokio::time::sleep_until(time).await;
                }
            }
        }
    }

    fn pace<T>(&self, api: &'static str, act: impl FnOnce(&mut Pace) -> T) -> T {
        let new = || self.config.rate.map_or_else(Pace::default, Pace::limited);
        act(self.paces.borrow_mut().entry(api).or_insert_with(new))
    }

    /// The last word on a call.
    fn told(&self, call: &Call<'_>, failed: Failed) -> Error {
        let mut error = failed.error;
        // Without a code it is a page of somebody in between.
        if error.kind == Kind::NotPublished && error.code.is_some() && call.api == "batch-upload" {
            let place = self.config.region.as_deref().unwrap_or(&self.config.endpoint);
            error.message = format!(
                "the upload is not published in this region ({place}), or withdrawn: try another region, or ask Huawei Cloud support \
                 whether batch-upload is open to your project [{}]",
                error.message
            );
        }
        error
    }
}

fn not_sent() -> Error {
    Error::new(Kind::Unreachable, "not sent, since the run is over".to_owned())
}

/// The right to have one call in flight; given back when dropped, whatever happens to the call.
struct Turn<'a> {
    client: &'a Client,
    api: &'static str,
    answered: bool,
}

impl Turn<'_> {
    fn over(mut self, answered: bool) {
        self.answered = answered;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.client.pace(self.api, |pace| pace.over(self.answered, Instant::now()));
        self.client.answered.notify_waiters();
    }
}
