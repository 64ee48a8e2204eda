//! What the service says to the credentials.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Checks, Health, Name};
use crate::error::exit_of;
use crate::hss::{self, Client, Event, Kind, Page, TaskFilter, UploadPart};
use crate::model::{Exit, FileType};
use crate::settings;

/// The longest time for all calls together, repetitions included.
const PATIENCE: Duration = Duration::from_secs(180);
/// What is uploaded, and as what.
const PROBE: (&str, &str) = ("hss-iac-doctor.Dockerfile", "FROM scratch\n");

/// The last status of each API that answered.
#[derive(Default, Clone)]
pub(super) struct Answered(Rc<RefCell<BTreeMap<&'static str, u16>>>);

impl Answered {
    pub(super) fn hear(&self, event: &Event) {
        if let Event::Answered { api, status: Some(status), .. } = event {
            self.0.borrow_mut().insert(api, *status);
        }
    }

    fn nobody(&self) -> bool {
        self.0.borrow().is_empty()
    }

    fn last(&self, api: &str) -> Option<u16> {
        self.0.borrow().get(api).copied()
    }
}

/// Whom to ask.
pub(super) struct Account<'a> {
    pub(super) client: &'a Client,
    pub(super) answered: &'a Answered,
    /// Where the credentials come from.
    pub(super) source: &'a str,
    /// Whether there is a region to look a project up by.
    pub(super) has_region: bool,
    /// When the first call could be made.
    pub(super) started: Instant,
}

impl Account<'_> {
    /// Asks for the project, for tasks, and where that is wanted uploads.
    pub(super) async fn look(&self, settings: &settings::Doctor, checks: &mut Checks) {
        let left = [Name::Login, Name::Project, Name::Permission, Name::Upload];
        let before = checks.list.len();
        let ended = self.ask(settings, checks).await;
        let made = checks.list.len() - before;
        if let Some(why) = ended {
            for name in left.into_iter().skip(made) {
                checks.skipped(name, format!("not tried: {why}"));
            }
        }
    }

    /// Adds one check for each of login, project, permission and upload, until one fails: then why the rest is not tried.
    async fn ask(&self, settings: &settings::Doctor, checks: &mut Checks) -> Option<&'static str> {
        let given = self.client.project().is_some();
        if !given && !self.has_region {
            checks.skipped(Name::Login, "not tried: there is no project to call for".to_owned());
            let remedy = "set HSS_IAC_PROJECT_ID or --project-id; or HSS_IAC_REGION or --region, to have it looked up";
            checks.failed(Name::Project, Exit::Usage, "no project, and no region to look it up by".to_owned(), remedy);
            return Some("there is no project");
        }
        if let Err(error) = self.in_time(self.client.project_id()).await {
            // A 403 of the service, and of nobody in between, is the answer to somebody who is known, and may not list projects.
            let forbidden = |status| status == 403 && error.code.is_some();
            let heard = self.answered.last("iam/projects").is_some_and(|status| status < 300 || forbidden(status));
            let known = heard && !says_nothing(error.kind);
            return Some(if known { Self::no_project(&error, given, checks) } else { self.no_login(&error, given, checks) });
        }
        let page = Page { offset: 0, limit: 10 };
        let listed = self.in_time(self.client.list_tasks(&TaskFilter::default(), page)).await;
        let status = self.answered.last("tasks/batch-query");
        match &listed {
            Err(error) if status.is_none_or(|status| status == 401) => return Some(self.no_login(error, given, checks)),
            // "Access denied" (HSS API reference, "Error Codes"): the project is not one of the caller's.
            Err(error) if error.code.as_deref() == Some("HSS.0010") => return Some(Self::no_project(error, given, checks)),
            // The look-up of the project has shown that they are taken; without it nothing has.
            Err(error) if given && (says_nothing(error.kind) || error.code.is_none()) => {
                checks.skipped(Name::Login, "not known: nobody has looked at the credentials".to_owned());
                checks.skipped(Name::Project, "not known, as the login".to_owned());
                Self::no_permission(error, checks);
                return Some("tasks can't be listed");
            }
            _ => checks.ok(Name::Login, "the service takes the credentials".to_owned()),
        }
        let project = self.client.project().unwrap_or_default();
        checks.ok(Name::Project, format!("{project}{}", if given { "" } else { ", looked up" }));
        if let Err(error) = listed {
            Self::no_permission(&error, checks);
            return Some("tasks can't be listed");
        }
        checks.ok(Name::Permission, "tasks can be listed".to_owned());
        if settings.probe_upload {
            self.upload(checks).await;
            return None;
        }
        Some("--probe-upload uploads one tiny file, which stays in the project")
    }

    fn no_login(&self, error: &hss::Error, given: bool, checks: &mut Checks) -> &'static str {
        // The project that was named goes along with a key, and the gateway refuses both in the same way.
        let and = if given { ", and that the project is one of theirs" } else { "" };
        let remedy = match error.kind {
            Kind::Login if self.answered.nobody() => {
                format!("nobody was asked yet: see to it on this machine; it is named by {}", self.source)
            }
            Kind::Login => format!("check the credentials ({}): whole, active, not expired{and}", self.source),
            _ => again(error.kind).to_owned(),
        };
        checks.failed(Name::Login, exit_of(error.kind), error.message.clone(), &remedy);
        "the credentials were not taken"
    }

    fn no_project(error: &hss::Error, given: bool, checks: &mut Checks) -> &'static str {
        checks.ok(Name::Login, "the service takes the credentials".to_owned());
        let remedy = if given {
            "set HSS_IAC_PROJECT_ID or --project-id to a project of theirs in this region, or leave it out"
        } else {
            "set HSS_IAC_PROJECT_ID or --project-id to a project of theirs in this region"
        };
        checks.failed(Name::Project, exit_of(error.kind), error.message.clone(), remedy);
        "there is no project"
    }

    fn no_permission(error: &hss::Error, checks: &mut Checks) {
        let remedy = match error.kind {
            _ if is_elsewhere(error) => ELSEWHERE,
            Kind::Login => "give the IAM user or agency the right to use HSS in this project and enterprise project",
            Kind::NotPublished => "HSS does not scan files there: try another region",
            _ => again(error.kind),
        };
        checks.failed(Name::Permission, exit_of(error.kind), error.message.clone(), remedy);
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, hss::Error>>) -> Result<T, hss::Error> {
        tokio::time::timeout_at(self.started + PATIENCE, call).await.unwrap_or_else(|_| {
            let message = format!("no answer within the {} s of all calls, repetitions included", PATIENCE.as_secs());
            Err(hss::Error::new(Kind::Failing, message))
        })
    }

    async fn upload(&self, checks: &mut Checks) {
        let (name, text) = PROBE;
        let part = UploadPart { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
        let stays = "it stays in the project, and HSS has no call to delete it";
        match self.in_time(self.client.upload(FileType::Dockerfile, &[part])).await {
            Ok(answer) if answer.failed.is_empty() => {
                checks.ok(Name::Upload, format!("uploaded {name} of {} bytes: {stays}", text.len()));
            }
            Ok(answer) => {
                let reason = answer.failed.into_iter().map(|failed| failed.reason).next().unwrap_or_default();
                let found = format!("{name} was refused: {reason}");
                checks.failed(Name::Upload, Exit::Service, found, "HSS takes no such file: tell us what it said");
            }
            Err(error) => {
                let remedy = match error.kind {
                    _ if is_elsewhere(&error) => ELSEWHERE,
                    Kind::Login => "give the IAM user or agency the action hss::batchUploadFiles (hss:hosts:set)",
                    Kind::NotPublished => "try another region, or ask Huawei Cloud support for batch-upload",
                    Kind::Quota => "the project takes no more: ask Huawei Cloud support for a larger quota",
                    _ => again(error.kind),
                };
                let lost = if error.lost { format!("; if it arrived, {stays}") } else { String::new() };
                checks.add(
                    Name::Upload,
                    Health::Failed,
                    format!("{}{lost}", error.message),
                    Some(remedy),
                    Some(exit_of(error.kind)),
                );
            }
        }
    }
}

const ELSEWHERE: &str = "that is no answer of HSS: look at what stands in between, such as a proxy or a web filter";

/// Whether HSS and its gateway have no part in it: they say a code with each refusal.
fn is_elsewhere(error: &hss::Error) -> bool {
    matches!(error.kind, Kind::Login | Kind::Refused | Kind::NotPublished) && error.code.is_none()
}

/// Whether it comes from where nobody has looked at the credentials, such as a gateway or a proxy.
fn says_nothing(kind: Kind) -> bool {
    matches!(kind, Kind::NotPublished | Kind::Throttled | Kind::Failing | Kind::Unreachable | Kind::StandIn)
}

/// What to do where nothing is wrong on our side.
fn again(kind: Kind) -> &'static str {
    match kind {
        Kind::Throttled => "wait a minute: others use up the limit of this user and address",
        Kind::StandIn => "name HSS itself; say --allow-stand-in if that is meant",
        Kind::Invalid => "set it as it says",
        Kind::Unreachable => "check the network: the host was reached a moment ago",
        _ => "try again; if it stays, take the request id to Huawei Cloud support",
    }
}
