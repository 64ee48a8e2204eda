//! The client: one method an endpoint.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::DATE;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::auth::{Credentials, encode};
use super::call::{Api, Body, Call};
use super::login::Login;
use super::pace::Pace;
use super::retry::{Failure, Tries, http_date, may_have_taken_effect};
use super::send::{Answer, Route, judge, send, unreadable};
use super::wire::{
    check_id, check_page, check_project, check_upload, create_answer, file_query, files, paths, projects, resource_body,
    resources, risks, task_body, task_list_body, tasks, upload_answer,
};
use super::{
    Error, FileFilter, FileRow, Kind, Listing, NewTask, Page, PathRow, ResourceFilter, ResourceRow, RiskRow, TaskFilter,
    TaskRow, UploadAnswer, UploadPart,
};
use crate::model::FileType;

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

/// A client of HSS and of the IAM call that finds a project. For a current-thread runtime; calls may run side by side, and
/// each may be dropped at any time.
pub struct Client {
    config: Config,
    hss: Route,
    iam: Route,
    observe: Box<dyn Fn(&Event)>,
    project: OnceCell<String>,
    login: Login,
    paces: [Pace; Api::ALL.len()],
    calls: RefCell<BTreeMap<Api, u64>>,
    /// The service's clock in milliseconds, and ours when it was read.
    clock: Cell<Option<(i64, Instant)>>,
    repeated_uploads: Cell<u64>,
    stand_in: Cell<bool>,
}

impl Client {
    /// Builds a client; opens no connection. `observe` is told of every [`Event`].
    pub fn new(config: Config, observe: Box<dyn Fn(&Event)>) -> Result<Self, Error> {
        check_project("enterprise_project_id", &config.enterprise_project_id)?;
        if let Some(id) = &config.project_id {
            check_project("project_id", id)?;
        }
        Ok(Self {
            hss: Route::new("endpoint", &config.endpoint, &config)?,
            iam: Route::new("iam_endpoint", &config.iam_endpoint, &config)?,
            observe,
            project: OnceCell::new_with(config.project_id.clone()),
            login: Login::new(),
            paces: Api::ALL.map(|_| Pace::new(&config.timings)),
            calls: RefCell::default(),
            clock: Cell::new(None),
            repeated_uploads: Cell::new(0),
            stand_in: Cell::new(false),
            config,
        })
    }

    /// The project id, looked up by region in IAM where it was not given.
    pub async fn project_id(&self) -> Result<String, Error> {
        self.project.get_or_try_init(|| self.find_project()).await.cloned()
    }

    async fn find_project(&self) -> Result<String, Error> {
        let Some(region) = &self.config.region else {
            return Err(Error::invalid("the project id is not set, and without a region it can't be looked up"));
        };
        let query = vec![("name", region.clone())];
        let call = Call { api: Api::Projects, path: "/v3/projects".into(), query, body: Body::None };
        let mut found = self.call(&call, projects).await?;
        match found.len() {
            1 => {
                let (id, _) = found.remove(0);
                check_project("project_id", &id)?;
                Ok(id)
            }
            0 => Err(Error::invalid(format!("IAM knows no project of region {region}: set the project id"))),
            _ => {
                let mut ids: Vec<String> = found.into_iter().map(|(id, name)| format!("{id} ({name})")).collect();
                ids.sort();
                let ids = super::refusal::printable(&ids.join(", "), 500);
                Err(Error::invalid(format!("IAM knows several projects of region {region}, set one: {ids}")))
            }
        }
    }

    /// Uploads 1 to 10 files of one type. Repeated after any passing fault; a repetition may leave a copy in the project.
    pub async fn upload(&self, file_type: FileType, parts: &[UploadPart]) -> Result<UploadAnswer, Error> {
        check_upload(parts)?;
        self.hss(Api::Upload, "common/files/batch-upload", vec![], Body::Files(file_type, parts), upload_answer).await
    }

    /// Creates a task and returns its id. Repeated only after a failed connect or a 429; any other lost answer comes back
    /// with [`Error::lost`].
    pub async fn create_task(&self, task: &NewTask) -> Result<String, Error> {
        self.hss(Api::CreateTask, "common/task", vec![], Body::Json(task_body(task)?), create_answer).await
    }

    /// Lists `iac_scan` tasks.
    pub async fn list_tasks(&self, filter: &TaskFilter, page: Page) -> Result<Listing<TaskRow>, Error> {
        let (query, body) = (paging(page)?, Body::Json(task_list_body(filter)?));
        self.hss(Api::ListTasks, "common/tasks/batch-query", query, body, tasks).await
    }

    /// Lists the files of an `iac_scan` task.
    pub async fn list_task_resources(
        &self,
        task_id: &str,
        filter: &ResourceFilter,
        page: Page,
    ) -> Result<Listing<ResourceRow>, Error> {
        check_id("task_id", task_id)?;
        let path = format!("common/tasks/{}/resources/batch-query", encode(task_id));
        self.hss(Api::ListResources, &path, paging(page)?, Body::Json(resource_body(filter)), resources).await
    }

    /// Lists files of the project.
    pub async fn list_files(&self, filter: &FileFilter, page: Page) -> Result<Listing<FileRow>, Error> {
        let mut query = paging(page)?;
        query.extend(file_query(filter)?);
        self.hss(Api::ListFiles, "container/iac/files", query, Body::None, files).await
    }

    /// Lists the risks of a file.
    pub async fn list_risks(&self, file_id: &str, page: Page) -> Result<Listing<RiskRow>, Error> {
        check_id("file_id", file_id)?;
        let mut query = paging(page)?;
        query.push(("file_id", file_id.to_owned()));
        self.hss(Api::ListRisks, "container/iac/file/risks", query, Body::None, risks).await
    }

    /// Lists the places in a file at which a rule hit.
    pub async fn list_risk_paths(&self, file_id: &str, rule_id: &str, page: Page) -> Result<Listing<PathRow>, Error> {
        check_id("file_id", file_id)?;
        if rule_id.is_empty() {
            return Err(Error::invalid("rule_id: must not be empty"));
        }
        let mut query = paging(page)?;
        query.extend([("file_id", file_id.to_owned()), ("rule_id", rule_id.to_owned())]);
        self.hss(Api::ListPaths, "container/iac/file/risk/paths", query, Body::None, paths).await
    }

    /// Requests sent so far, by API, repetitions included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.borrow().iter().map(|(api, count)| (api.name().to_owned(), *count)).collect()
    }

    /// The service's clock at its last answer, in milliseconds since 1970, carried on to now by our own monotonic clock.
    pub fn service_time(&self) -> Option<i64> {
        let (time, at) = self.clock.get()?;
        Some(time.saturating_add(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX)))
    }

    /// Upload requests that were repeated after they may have taken effect, each of which may have left copies in the project.
    pub fn repeated_uploads(&self) -> u64 {
        self.repeated_uploads.get()
    }

    /// Whether any answer came from a stand-in.
    pub fn stand_in(&self) -> bool {
        self.stand_in.get()
    }

    /// A call to HSS: `path` below the project, its parts encoded.
    async fn hss<T>(
        &self,
        api: Api,
        path: &str,
        mut query: Vec<(&'static str, String)>,
        body: Body<'_>,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Result<T, Error> {
        let path = format!("/v5/{}/{path}", encode(&self.project_id().await?));
        query.push(("enterprise_project_id", self.config.enterprise_project_id.clone()));
        self.call(&Call { api, path, query, body }, read).await
    }

    /// Tries a call until it is answered, or may not be tried again.
    async fn call<T>(&self, call: &Call<'_>, read: impl Fn(&Value) -> Result<T, String>) -> Result<T, Error> {
        let mut tries = Tries::default();
        loop {
            let failure = match self.attempt(call, &read).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let lost = call.api.writes() && may_have_taken_effect(&failure.error);
            let Some(wait) = tries.next(&failure, call.api.repeat(), &self.config.timings) else {
                return Err(self.explain(call.api, Error { lost, ..failure.error }));
            };
            if lost {
                self.repeated_uploads.update(|count| count + 1);
            }
            let after = if failure.error.kind == Kind::Throttled { self.pace(call.api).wait() } else { wait };
            (self.observe)(&Event::Repeating { api: call.api.name(), why: failure.error.message, after });
            sleep(wait).await;
        }
    }

    /// One try: waits for its turn, sends, and tells login and pace what came of it.
    async fn attempt<T>(&self, call: &Call<'_>, read: impl Fn(&Value) -> Result<T, String>) -> Result<T, Failure> {
        let api = call.api.name();
        let alone = self.login.admit().await?;
        let slot = self.pace(call.api).turn(|for_| (self.observe)(&Event::Waiting { api, for_ })).await;
        // The credentials may have been refused to another call meanwhile.
        self.login.proven()?;
        let route = if call.api == Api::Projects { &self.iam } else { &self.hss };
        let project = self.project.get().map(String::as_str);
        let request = call.request(route, &self.config.credentials, project, Timestamp::now())?;
        *self.calls.borrow_mut().entry(call.api).or_default() += 1;
        let start = Instant::now();
        let answer = send(api, &route.http, request).await;
        let status = answer.as_ref().ok().map(|answer| answer.status);
        (self.observe)(&Event::Answered { api, status, took: start.elapsed() });
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if error.kind == Kind::Unreachable {
                    slot.not_sent();
                }
                return Err(error.into());
            }
        };
        self.note(&answer);
        let judged = judge(api, &route.base, &answer, Timestamp::now());
        match &judged {
            Err(failure) if failure.error.is_refused_login() => self.login.refused(&failure.error),
            _ => self.login.taken(),
        }
        drop(alone);
        match &judged {
            Err(Failure { error, asked, rule }) if error.kind == Kind::Throttled => slot.throttled(*asked, *rule),
            _ => slot.let_through(),
        }
        read(&judged?).map_err(|why| unreadable(api, answer.status, &why).into())
    }

    fn note(&self, answer: &Answer) {
        if answer.headers.contains_key("x-hss-stand-in") {
            self.stand_in.set(true);
        }
        let date = answer.headers.get(DATE).and_then(|value| http_date(value.to_str().ok()?));
        if let Some(date) = date {
            self.clock.set(Some((date.as_millisecond(), Instant::now())));
        }
    }

    /// Adds where we asked to an error that depends on it.
    fn explain(&self, api: Api, mut error: Error) -> Error {
        if error.kind == Kind::NotPublished {
            let endpoint = if api == Api::Projects { &self.config.iam_endpoint } else { &self.config.endpoint };
            let region = self.config.region.as_ref().map(|region| format!("region {region} at ")).unwrap_or_default();
            error.message.extend([
                "; not published in this region, or withdrawn: tried ",
                &region,
                endpoint,
                "; try another region or endpoint, or ask Huawei Cloud support whether this API is open to the account",
            ]);
        }
        error
    }

    fn pace(&self, api: Api) -> &Pace {
        &self.paces[api as usize]
    }
}

fn paging(page: Page) -> Result<Vec<(&'static str, String)>, Error> {
    check_page(page)?;
    Ok(vec![("offset", page.offset.to_string()), ("limit", page.limit.to_string())])
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
