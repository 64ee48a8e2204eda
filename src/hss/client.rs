//! The client: one method an endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use super::auth::Credentials;
use super::{
    Error, FileFilter, FileRow, Listing, NewTask, Page, PathRow, ResourceFilter, ResourceRow, RiskRow, TaskFilter, TaskRow,
    UploadAnswer, UploadPart,
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

/// A client of HSS and of the IAM call that finds a project.
pub struct Client {}

impl Client {
    /// Builds a client; opens no connection. `observe` is told of every [`Event`].
    pub fn new(config: Config, observe: Box<dyn Fn(&Event)>) -> Result<Self, Error> {
        let _ = (config, observe);
        unimplemented!()
    }

    /// The project id, looked up by region in IAM where it was not given.
    pub async fn project_id(&self) -> Result<String, Error> {
        unimplemented!()
    }

    /// Uploads 1 to 10 files of one type. Repeated after any passing fault; a repetition may leave a copy in the project.
    pub async fn upload(&self, file_type: FileType, parts: &[UploadPart]) -> Result<UploadAnswer, Error> {
        let _ = (file_type, parts);
        unimplemented!()
    }

    /// Creates a task and returns its id. Repeated only after a failed connect or a 429; any other lost answer comes back
    /// with [`Error::lost`].
    pub async fn create_task(&self, task: &NewTask) -> Result<String, Error> {
        let _ = task;
        unimplemented!()
    }

    /// Lists `iac_scan` tasks.
    pub async fn list_tasks(&self, filter: &TaskFilter, page: Page) -> Result<Listing<TaskRow>, Error> {
        let _ = (filter, page);
        unimplemented!()
    }

    /// Lists the files of an `iac_scan` task.
    pub async fn list_task_resources(
        &self,
        task_id: &str,
        filter: &ResourceFilter,
        page: Page,
    ) -> Result<Listing<ResourceRow>, Error> {
        let _ = (task_id, filter, page);
        unimplemented!()
    }

    /// Lists files of the project.
    pub async fn list_files(&self, filter: &FileFilter, page: Page) -> Result<Listing<FileRow>, Error> {
        let _ = (filter, page);
        unimplemented!()
    }

    /// Lists the risks of a file.
    pub async fn list_risks(&self, file_id: &str, page: Page) -> Result<Listing<RiskRow>, Error> {
        let _ = (file_id, page);
        unimplemented!()
    }

    /// Lists the places in a file at which a rule hit.
    pub async fn list_risk_paths(&self, file_id: &str, rule_id: &str, page: Page) -> Result<Listing<PathRow>, Error> {
        let _ = (file_id, rule_id, page);
        unimplemented!()
    }

    /// Requests sent so far, by API, repetitions included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// The service's clock at its last answer, in milliseconds since 1970, carried on to now by our own monotonic clock.
    pub fn service_time(&self) -> Option<i64> {
        None
    }

    /// Upload requests that were repeated after they may have taken effect, each of which may have left copies in the project.
    pub fn repeated_uploads(&self) -> u64 {
        0
    }

    /// Whether any answer came from a stand-in.
    pub fn stand_in(&self) -> bool {
        false
    }
}
