//! `doctor`: the way of a scan to the service, looked at step by step, each with its remedy. It asks every host for `/` once, where no API
//! is, and makes one call, or two where the project has to be looked up; credentials that are obtained cost their own.
//! Each host may take 40 s, and they are tried side by side: 10 for its name, 20 for an answer, 10 to tell TLS from a connection. All
//! calls together may take 3 min.

mod account;
mod way;

use std::rc::Rc;

use super::{Streams, connect};
use crate::cli::Form;
use crate::error::Error;
use crate::hss::auth::{Found, Plan, SourceError};
use crate::hss::{self, Client};
use crate::model::{Exit, Service};
use crate::progress::Progress;
use crate::report;
use crate::report::doctor::{Check, Examination, Health, Name};
use crate::settings::{self, Target};

/// `doctor`: looks, prints, and ends with the exit code of what failed.
pub async fn doctor(settings: settings::Doctor, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let examination = match &settings.target {
        None => {
            let mut checks = Checks::default();
            let remedy = "set HSS_IAC_REGION or --region to the id of your region, such as cn-north-4";
            checks.failed(Name::Region, Exit::Usage, "no region, so that no host is known".to_owned(), remedy);
            checks.credentials(&settings.credentials);
            for name in Name::AFTER_CREDENTIALS {
                checks.skipped(name, "not tried: no host is known".to_owned());
            }
            Examination::new(Service::default(), checks.list, [].into())
        }
        Some(Target::Service(service)) => examine(&settings, service, service.credentials.clone()).await?,
        #[cfg(feature = "emulator")]
        Some(Target::StandIn { project_id, enterprise_project_id }) => {
            stand_in(&settings, project_id.as_deref(), enterprise_project_id).await?
        }
    };
    match settings.form {
        Form::Table => streams.print(|out| report::doctor::write(&examination, out))?,
        Form::Json => streams.write(|out| report::json::write(&examination, out))?,
    }
    let exit = Exit::PRECEDENCE.into_iter().find(|exit| exit.code() == examination.exit_code);
    Ok(exit.unwrap_or(Exit::Pass))
}

/// The built-in stand-in, whose port is another one in every run.
#[cfg(feature = "emulator")]
async fn stand_in(
    settings: &settings::Doctor,
    project_id: Option<&str>,
    enterprise_project_id: &str,
) -> Result<Examination, Error> {
    let (service, plan, _stand_in) = connect::start_stand_in(project_id, enterprise_project_id)?;
    let found = Found {
        plan,
        source: "the built-in stand-in".to_owned(),
        in_file: false,
        project_id: None,
        iam_endpoint: None,
        warnings: Vec::new(),
    };
    let mut examination = examine(settings, &service, Ok(found)).await?;
    let settle = |text: &mut String| *text = text.replace(&service.endpoint, "stand-in");
    // The port is another one in every run.
    settle(&mut examination.service.endpoint);
    for check in &mut examination.checks {
        settle(&mut check.found);
        check.endpoint.as_mut().map(settle);
    }
    Ok(examination)
}

async fn examine(
    settings: &settings::Doctor,
    service: &settings::Service,
    found: Result<Found, SourceError>,
) -> Result<Examination, Error> {
    let talk = settings.talk;
    let progress = Rc::new(Progress::new(talk.quiet, talk.verbose, talk.color));
    let mut checks = Checks::default();
    checks.region(service);
    checks.credentials(&found);
    let hosts = way::hosts(service, found.as_ref().ok().map(|found| &found.plan));
    let way = way::Way {
        settings,
        ca_pem: service.ca_pem.as_deref(),
        by_token: found.as_ref().is_ok_and(|found| found.plan.calls_by_token()),
    };
    let reached = way.all(&hosts, &mut checks).await?;
    let mut described = connect::described(service);
    described.stand_in = reached.stand_in;
    let mut calls = [].into();
    let obstacle = if found.is_err() { Some("there are no credentials to use") } else { reached.obstacle };
    match (found, obstacle) {
        (Ok(found), None) => {
            let config = connect::config(service, found.plan.clone(), settings.stand_in_allowed, settings.timings);
            let answered = account::Answered::default();
            let heard = answered.clone();
            let observe = move |event: &hss::Event| {
                heard.hear(event);
                progress.event(event);
            };
            let client = Client::new(config, Box::new(observe))?;
            let account = account::Account {
                client: &client,
                answered: &answered,
                source: &found.source,
                has_region: service.region.is_some(),
                started: tokio::time::Instant::now(),
            };
            account.look(settings, &mut checks).await;
            checks.forgive_clock();
            described.project_id = client.project();
            described.stand_in |= client.stand_in();
            calls = client.calls();
        }
        (_, why) => {
            let why = why.unwrap_or_default();
            for name in [Name::Login, Name::Project, Name::Permission, Name::Upload] {
                checks.skipped(name, format!("not tried: {why}"));
            }
        }
    }
    Ok(Examination::new(described, checks.list, calls))
}

/// What was looked at so far.
#[derive(Default)]
struct Checks {
    list: Vec<Check>,
    /// The host that they are about now.
    endpoint: Option<String>,
}

impl Checks {
    fn add(&mut self, name: Name, state: Health, found: String, remedy: Option<&str>, exit: Option<Exit>) {
        let (remedy, exit_code) = (remedy.map(str::to_owned), exit.map(Exit::code));
        self.list.push(Check { name, endpoint: self.endpoint.clone(), state, found, remedy, exit_code });
    }

    fn ok(&mut self, name: Name, found: String) {
        self.add(name, Health::Ok, found, None, None);
    }

    fn warning(&mut self, name: Name, found: String, remedy: &str) {
        self.add(name, Health::Warning, found, Some(remedy), None);
    }

    fn failed(&mut self, name: Name, exit: Exit, found: String, remedy: &str) {
        self.add(name, Health::Failed, found, Some(remedy), Some(exit));
    }

    fn skipped(&mut self, name: Name, found: String) {
        self.add(name, Health::Skipped, found, None, None);
    }

    /// A clock that is off by too much is the service's business: where it takes signatures, a scan will do.
    fn forgive_clock(&mut self) {
        let taken = self.list.iter().any(|check| check.name == Name::Login && check.state == Health::Ok);
        let failed = |check: &&mut Check| taken && check.name == Name::Clock && check.state == Health::Failed;
        if let Some(clock) = self.list.iter_mut().find(failed) {
            clock.state = Health::Warning;
            clock.exit_code = None;
            clock.found.push_str(", though one was taken just now");
        }
    }

    fn region(&mut self, service: &settings::Service) {
        let iam = service.iam_endpoint.as_deref().unwrap_or("not known without a region");
        let hosts = format!("HSS is {}, IAM is {iam}", service.endpoint);
        match (&service.region, &service.note) {
            (_, Some(note)) => {
                self.warning(Name::Region, note.clone(), "check the id of the region, or name the host with --endpoint");
            }
            (Some(region), None) => self.ok(Name::Region, format!("{region}: {hosts}")),
            (None, None) => self.ok(Name::Region, hosts),
        }
    }

    /// Where they come from, and what is wrong with their files. Whether they are any good is for the service to say.
    fn credentials(&mut self, found: &Result<Found, SourceError>) {
        match found {
            Ok(found) => {
                self.ok(Name::Credentials, format!("{} from {}", kind(&found.plan), found.source));
                for warning in &found.warnings {
                    self.warning(Name::Credentials, warning.found.clone(), warning.remedy);
                }
            }
            Err(error) => {
                let remedy = match error {
                    SourceError::Missing => "see \"Credentials\" in the README for every way there is, also without a key",
                    SourceError::Half { .. } => "set the other half, or unset this one so that the next source counts",
                    SourceError::Invalid(_) => "set it right, or unset it so that the next source counts",
                };
                self.failed(Name::Credentials, Exit::Login, error.to_string(), remedy);
            }
        }
    }
}

/// What they are, in a few words.
fn kind(plan: &Plan) -> &'static str {
    use crate::hss::auth::Credentials::{Keys, Token};
    match plan {
        Plan::Fixed(Token(_)) => "a token",
        Plan::Fixed(Keys { security_token: None, .. }) => "an access key",
        Plan::Fixed(Keys { .. }) => "a temporary access key",
        Plan::Password { .. } => "an IAM user and password",
        Plan::Agency(_) => "an identity token, for a trust agency by STS",
        Plan::IdentityProvider { .. } => "an identity token, for an identity provider of IAM",
        Plan::Assumed { .. } => "an agency on top of other credentials",
        Plan::Metadata { .. } => "the agency of this machine",
    }
}
