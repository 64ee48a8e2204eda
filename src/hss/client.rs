//! The client: one method an endpoint.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use super::auth::Credentials;
use super::check::{bounded, is_loopback, paging, segment, task_body};
use super::pace::{Next, Pace};
use super::send::{self, Again, Answer, Body, Call, Failed};
use super::{
    Error, FileFilter, FileRow, Kind, Listing, NewTask, Page, PathRow, ResourceFilter, ResourceRow, RiskRow, ScanStatus,
    TaskFilter, TaskRow, UploadAnswer, UploadPart, answers,
};
use crate::model::FileType;

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
    /// The first wait before a repetition, doubled each time, with full jitter. 500 ms.
    pub backoff: Duration,
    /// The longest wait before a repetition that the service did not ask for. 20 s.
    pub longest_backoff: Duration,
    /// The longest wait that the service may ask for. 5 min.
    pub longest_wait: Duration,
    /// The documented window of the rate limit, assumed where a 429 says nothing. 60 s.
    pub window: Duration,
    /// Polls: the steady distance. 15 s.
    pub poll: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(120),
            backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(20),
            longest_wait: Duration::from_secs(300),
            window: Duration::from_secs(60),
            poll: Duration::from_secs(15),
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
    /// As whom.
    pub credentials: Credentials,
    /// PEM certificates trusted beside the system's.
    pub ca_pem: Option<Vec<u8>>,
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
    },
}

/// A client of HSS and of the IAM call that finds a project.
pub struct Client {
    http: reqwest::Client,
    config: Config,
    observe: Box<dyn Fn(&Event)>,
    project: RefCell<Option<String>>,
    calls: RefCell<BTreeMap<String, u64>>,
    paces: RefCell<BTreeMap<&'static str, Pace>>,
    answered: Notify,
    first: Mutex<()>,
    proven: Cell<bool>,
    refused: RefCell<Option<Error>>,
    clock: Cell<Option<(i64, Instant)>>,
    repeated_uploads: Cell<u64>,
    stand_in: Cell<bool>,
}

impl Client {
    /// Builds a client; opens no connection. `observe` is told of every [`Event`].
    pub fn new(config: Config, observe: Box<dyn Fn(&Event)>) -> Result<Self, Error> {
        let loopback = is_loopback(&config.endpoint)? && is_loopback(&config.iam_endpoint)?;
        // The second install of a process finds the first one there, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("hss-iac/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.timings.connect)
            .timeout(config.timings.request);
        if loopback {
            http = http.no_proxy();
        }
        if let Some(pem) = &config.ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| Error::new(Kind::Invalid, format!("the CA file holds no PEM certificate: {error}")))?;
            http = http.tls_certs_merge(certificates);
        }
        let http = http.build().map_err(|error| Error::new(Kind::Invalid, format!("the client can't be built: {error}")))?;
        Ok(Self {
            http,
            project: RefCell::new(config.project_id.clone()),
            config,
            observe,
            calls: RefCell::default(),
            paces: RefCell::default(),
            answered: Notify::new(),
            first: Mutex::new(()),
            proven: Cell::new(false),
            refused: RefCell::new(None),
            clock: Cell::new(None),
            repeated_uploads: Cell::new(0),
            stand_in: Cell::new(false),
        })
    }

    /// The project id, looked up by region in IAM where it was not given.
    ///
    /// `GET /v3/projects?name={region}` (official Python SDK 3.1.219, core).
    pub async fn project_id(&self) -> Result<String, Error> {
        let known = self.project.borrow().clone();
        if let Some(project) = known {
            return bounded("project_id", project, 256);
        }
        let Some(region) = self.config.region.clone() else {
            return Err(Error::new(
                Kind::Invalid,
                "no project: set HSS_IAC_PROJECT_ID, or a region to look it up by".to_owned(),
            ));
        };
        let answer = self.call(self.iam("iam/projects", "/v3/projects", vec![("name".to_owned(), region.clone())])).await?;
        let projects = answer.value.get("projects").and_then(Value::as_array).cloned().unwrap_or_default();
        let ids: Vec<&str> = projects.iter().filter_map(|project| project.get("id").and_then(Value::as_str)).collect();
        match ids[..] {
            [id] => {
                *self.project.borrow_mut() = Some(id.to_owned());
                Ok(id.to_owned())
            }
            [] => Err(Error::new(
                Kind::Login,
                format!("no project of region {region} is visible to these credentials: set HSS_IAC_PROJECT_ID"),
            )),
            _ => Err(Error::new(
                Kind::Login,
                format!("region {region} has several projects ({}): set HSS_IAC_PROJECT_ID to one", ids.join(", ")),
            )),
        }
    }

    /// Uploads 1 to 10 files of one type. Repeated after any passing fault; a repetition may leave a copy in the project.
    ///
    /// `POST /v5/{project_id}/common/files/batch-upload` (HSS API definition of 2025-08, official Python SDK 3.1.160).
    pub async fn upload(&self, file_type: FileType, parts: &[UploadPart]) -> Result<UploadAnswer, Error> {
        if !(1..=10).contains(&parts.len()) {
            return Err(Error::new(Kind::Invalid, format!("files: {} parts, HSS takes 1 to 10", parts.len())));
        }
        if let Some(part) = parts.iter().find(|part| part.bytes.len() > 1_000_000 || !(1..=512).contains(&part.name.len())) {
            return Err(Error::new(
                Kind::Invalid,
                format!("files: {} is larger or longer in name than HSS takes", part.name),
            ));
        }
        let body = Body::Upload(file_type, parts);
        let call = self.hss("batch-upload", Method::POST, "/common/files/batch-upload", Vec::new(), body).await?;
        let answer = self.call(call).await?;
        answers::upload(&answer.value).ok_or_else(|| unreadable("batch-upload", &answer))
    }

    /// Creates a task and returns its id. Repeated only after a failed connect or a 429; any other lost answer comes back
    /// with [`Error::lost`].
    ///
    /// `POST /v5/{project_id}/common/task` (HSS API Reference, "Creating a Task").
    pub async fn create_task(&self, task: &NewTask) -> Result<String, Error> {
        let body = task_body(task)?;
        let mut call = self.hss("task", Method::POST, "/common/task", Vec::new(), Body::Json(body)).await?;
        call.repeatable = false;
        let answer = self.call(call).await?;
        answers::task_id(&answer.value).ok_or_else(|| Error { lost: true, ..unreadable("task", &answer) })
    }

    /// Lists `iac_scan` tasks.
    ///
    /// `POST /v5/{project_id}/common/tasks/batch-query` (official Python SDK 3.1.219).
    pub async fn list_tasks(&self, filter: &TaskFilter, page: Page) -> Result<Listing<TaskRow>, Error> {
        let mut body = json!({"task_type": "iac_scan"});
        if let Some(task_id) = &filter.task_id {
            body["task_id"] = json!(task_id);
        }
        if let Some(file_type) = filter.file_type {
            body["iac_scan_info"] = json!({"file_type": file_type.as_str()});
        }
        if let Some(time) = filter.start_create_time {
            body["start_create_time"] = json!(time);
        }
        let call = self
            .hss("tasks/batch-query", Method::POST, "/common/tasks/batch-query", paging(page)?, Body::Json(body))
            .await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::task).ok_or_else(|| unreadable("tasks/batch-query", &answer))
    }

    /// Lists the files of an `iac_scan` task.
    ///
    /// `POST /v5/{project_id}/common/tasks/{task_id}/resources/batch-query` (official Python SDK 3.1.219).
    pub async fn list_task_resources(
        &self,
        task_id: &str,
        filter: &ResourceFilter,
        page: Page,
    ) -> Result<Listing<ResourceRow>, Error> {
        let mut info = json!({});
        if let Some(status) = filter.status {
            let word = match status {
                ScanStatus::Scanning => "scanning",
                ScanStatus::Success => "success",
                ScanStatus::Failed => "failed",
            };
            info["scan_status"] = json!(word);
        }
        let body = json!({"task_type": "iac_scan", "iac_scan_info": info});
        let path = format!("/common/tasks/{}/resources/batch-query", segment("task_id", task_id)?);
        let call = self.hss("resources/batch-query", Method::POST, &path, paging(page)?, Body::Json(body)).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "iac_scan_data_list", answers::resource)
            .ok_or_else(|| unreadable("resources/batch-query", &answer))
    }

    /// Lists files of the project.
    ///
    /// `GET /v5/{project_id}/container/iac/files` (official Python SDK 3.1.219).
    pub async fn list_files(&self, filter: &FileFilter, page: Page) -> Result<Listing<FileRow>, Error> {
        let mut query = paging(page)?;
        query.push(("scan_type".to_owned(), if filter.cicd { "cicd_scan" } else { "manual_scan" }.to_owned()));
        if let Some(file_id) = &filter.file_id {
            query.push(("file_id".to_owned(), file_id.clone()));
        }
        if let Some(file_type) = filter.file_type {
            query.push(("file_type".to_owned(), file_type.as_str().to_owned()));
        }
        if let Some(risky) = filter.risky {
            query.push(("risky".to_owned(), risky.to_string()));
        }
        let call = self.hss("iac/files", Method::GET, "/container/iac/files", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::file).ok_or_else(|| unreadable("iac/files", &answer))
    }

    /// Lists the risks of a file.
    ///
    /// `GET /v5/{project_id}/container/iac/file/risks` (official Python SDK 3.1.219).
    pub async fn list_risks(&self, file_id: &str, page: Page) -> Result<Listing<RiskRow>, Error> {
        let mut query = paging(page)?;
        query.push(("file_id".to_owned(), bounded("file_id", file_id.to_owned(), 64)?));
        let call = self.hss("file/risks", Method::GET, "/container/iac/file/risks", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::risk).ok_or_else(|| unreadable("file/risks", &answer))
    }

    /// Lists the places in a file at which a rule hit.
    ///
    /// `GET /v5/{project_id}/container/iac/file/risk/paths` (official Python SDK 3.1.219).
    pub async fn list_risk_paths(&self, file_id: &str, rule_id: &str, page: Page) -> Result<Listing<PathRow>, Error> {
        let mut query = paging(page)?;
        query.push(("file_id".to_owned(), bounded("file_id", file_id.to_owned(), 64)?));
        query.push(("rule_id".to_owned(), bounded("rule_id", rule_id.to_owned(), 256)?));
        let call = self.hss("risk/paths", Method::GET, "/container/iac/file/risk/paths", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::path).ok_or_else(|| unreadable("risk/paths", &answer))
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

    /// Upload requests that were repeated after they may have taken effect, each of which may have left copies in the project.
    pub fn repeated_uploads(&self) -> u64 {
        self.repeated_uploads.get()
    }

    /// Whether any answer came from a stand-in.
    pub fn stand_in(&self) -> bool {
        self.stand_in.get()
    }

    fn iam(&self, api: &'static str, path: &str, query: Vec<(String, String)>) -> Call<'_> {
        let base = &self.config.iam_endpoint;
        Call { api, base, method: Method::GET, path: path.to_owned(), query, body: Body::Empty, repeatable: true }
    }

    async fn hss<'a>(
        &'a self,
        api: &'static str,
        method: Method,
        path: &str,
        mut query: Vec<(String, String)>,
        body: Body<'a>,
    ) -> Result<Call<'a>, Error> {
        let project = self.project_id().await?;
        let path = format!("/v5/{}{path}", segment("project_id", &project)?);
        let enterprise = bounded("enterprise_project_id", self.config.enterprise_project_id.clone(), 256)?;
        query.push(("enterprise_project_id".to_owned(), enterprise));
        Ok(Call { api, base: &self.config.endpoint, method, path, query, body, repeatable: true })
    }

    /// Sends a call, as often as it may be sent.
    async fn call(&self, call: Call<'_>) -> Result<Answer, Error> {
        let mut tries = 0;
        let mut throttles = 0;
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
                Again::Throttled(limit, wait) if throttles < THROTTLES => {
                    throttles += 1;
                    let wait = wait.min(self.config.timings.longest_wait);
                    self.pace(call.api, |pace| pace.refused(limit, wait, Instant::now()));
                    // The pace of the API holds every call back, this one too.
                    Duration::ZERO
                }
                _ => return Err(self.told(&call, failed)),
            };
            if !wait.is_zero() {
                (self.observe)(&Event::Repeating { api: call.api, why: failed.error.message, after: wait });
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Full jitter over a doubling bound, unless the service says how long.
    fn backoff(&self, tries: &mut u32, asked: Option<Duration>) -> Duration {
        let timings = &self.config.timings;
        let bound = timings.backoff.saturating_mul(2_u32.saturating_pow(*tries)).min(timings.longest_backoff);
        *tries += 1;
        match asked {
            Some(asked) => asked.min(timings.longest_wait),
            None => bound.mul_f64(fastrand::f64()).max(Duration::from_millis(1)),
        }
    }

    /// One try, when its turn has come.
    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let turn = self.turn(call.api).await;
        let alone = if self.proven.get() { None } else { Some(self.first.lock().await) };
        let alone = alone.filter(|_| !self.proven.get());
        if let Some(refused) = self.refused.borrow().clone() {
            return Err(Failed { error: refused, again: Again::Never, status: None });
        }
        let outcome = self.send(call).await;
        let status = match &outcome {
            Ok(answer) => Some(answer.status),
            Err(failed) => failed.status,
        };
        if status == Some(401) {
            if let Err(failed) = &outcome {
                *self.refused.borrow_mut() = Some(failed.error.clone());
            }
        } else if status.is_some_and(|status| !matches!(status, 300..400 | 404 | 408 | 429 | 500..)) {
            // What a gateway or proxy says says nothing of the key.
            self.proven.set(true);
        }
        drop(alone);
        turn.over(outcome.is_ok());
        outcome
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let never = |error| Failed { error, again: Again::Never, status: None };
        let project = self.project.borrow().clone();
        let request = send::build(&self.http, call, &self.config.credentials, project.as_deref()).map_err(never)?;
        *self.calls.borrow_mut().entry(call.api.to_owned()).or_default() += 1;
        let start = Instant::now();
        let outcome = match self.http.execute(request).await {
            Ok(response) => {
                self.note_headers(&response);
                send::read(call.api, response, self.config.timings.window).await
            }
            Err(error) => Err(send::unanswered(call.api, &error, call.base)),
        };
        let status = match &outcome {
            Ok(answer) => Some(answer.status),
            Err(failed) => failed.status,
        };
        (self.observe)(&Event::Answered { api: call.api, status, took: start.elapsed() });
        outcome
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
                        (self.observe)(&Event::Waiting { api, for_: time.duration_since(Instant::now()) });
                    }
                    tokio::time::sleep_until(time).await;
                }
            }
        }
    }

    fn pace<T>(&self, api: &'static str, act: impl FnOnce(&mut Pace) -> T) -> T {
        act(self.paces.borrow_mut().entry(api).or_default())
    }

    /// The last word on a call.
    fn told(&self, call: &Call<'_>, failed: Failed) -> Error {
        let mut error = failed.error;
        if error.kind == Kind::NotPublished && call.api == "batch-upload" {
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
        self.client.pace(self.api, |pace| pace.over(self.answered));
        self.client.answered.notify_waiters();
    }
}

fn unreadable(api: &str, answer: &Answer) -> Error {
    Error::new(Kind::Failing, format!("{api}: {} with an answer that lacks what is documented", answer.status))
}
