//! From settings to a client, and the stand-in where that is whom to ask.

use std::rc::Rc;

use crate::error::Error;
#[cfg(feature = "emulator")]
use crate::hss::auth::Credentials;
use crate::hss::auth::Plan;
use crate::hss::{Client, Config, Limit, Timings, reach};
use crate::model::Service;
use crate::progress::Progress;
use crate::settings::{self, Target};

/// Whom to call, and how.
#[derive(Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) target: &'a Target,
    pub(super) stand_in_allowed: bool,
    pub(super) rate: Option<Limit>,
    pub(super) timings: Timings,
}

impl<'a> From<&'a settings::Scan> for Whom<'a> {
    fn from(settings: &'a settings::Scan) -> Self {
        let settings::Scan { target, stand_in_allowed, rate, timings, .. } = settings;
        Self { target, stand_in_allowed: *stand_in_allowed, rate: *rate, timings: *timings }
    }
}

impl<'a> From<&'a settings::Cluster> for Whom<'a> {
    fn from(settings: &'a settings::Cluster) -> Self {
        let settings::Cluster { target, stand_in_allowed, rate, timings, .. } = settings;
        Self { target, stand_in_allowed: *stand_in_allowed, rate: *rate, timings: *timings }
    }
}

/// Whom to call. The stand-in lives as long as this value.
pub(super) struct Connection {
    /// The client, or what is missing.
    pub(super) client: Result<Client, String>,
    /// As whom, where that is known.
    pub(super) plan: Option<Plan>,
    /// What the result says of it.
    pub(super) service: Service,
    #[cfg(feature = "emulator")]
    _stand_in: Option<crate::emulator::Emulator>,
}

/// Builds the client; opens no connection.
pub(super) fn connect(whom: Whom<'_>, progress: &Rc<Progress>) -> Result<Connection, Error> {
    match whom.target {
        #[cfg(feature = "emulator")]
        Target::StandIn { project_id, enterprise_project_id } => {
            stand_in(whom, project_id.as_deref(), enterprise_project_id, progress)
        }
        Target::Service(service) => {
            if let Some(note) = &service.note {
                progress.warn(note);
            }
            if let Some((why, remedy)) = reach::via(&service.endpoint).ok().and_then(|via| via.gone_around()) {
                progress.warn(&format!("no proxy stands before {}{why}: {remedy}", service.endpoint));
            }
            let client = match &service.credentials {
                Err(missing) => Err(missing.to_string()),
                Ok(found) => {
                    progress.detail(&format!("credentials from {}", found.source));
                    for warning in &found.warnings {
                        progress.warn(&warning.to_string());
                    }
                    Ok(client(service, found.plan.clone(), whom, progress)?)
                }
            };
            let described = described(service);
            Ok(Connection {
                client,
                plan: service.credentials.as_ref().ok().map(|found| found.plan.clone()),
                service: described,
                #[cfg(feature = "emulator")]
                _stand_in: None,
            })
        }
    }
}

/// A stand-in on this machine, as whom it knows; its project is the one that is named.
#[cfg(feature = "emulator")]
pub(super) fn start_stand_in(
    project_id: Option<&str>,
    enterprise_project_id: &str,
) -> Result<(settings::Service, Plan, crate::emulator::Emulator), Error> {
    let usual = crate::emulator::Options::default();
    let project_id = project_id.map_or(usual.project_id, str::to_owned);
    let options = crate::emulator::Options { project_id, ..usual };
    let plan = Plan::Fixed(Credentials::Keys {
        access_key: options.access_key.clone(),
        secret_key: options.secret_key.clone().into(),
        security_token: None,
    });
    let project_id = Some(options.project_id.clone());
    let stand_in = crate::emulator::Emulator::start(options)
        .map_err(|source| Error::Io { what: "the stand-in can't listen on 127.0.0.1".to_owned(), source })?;
    let service = settings::Service {
        endpoint: stand_in.url(),
        iam_endpoint: Some(stand_in.url()),
        sts_endpoint: None,
        region: None,
        project_id,
        enterprise_project_id: enterprise_project_id.to_owned(),
        credentials: Err(crate::hss::auth::SourceError::Missing),
        ca_pem: None,
        note: None,
    };
    Ok((service, plan, stand_in))
}

#[cfg(feature = "emulator")]
fn stand_in(
    whom: Whom<'_>,
    project_id: Option<&str>,
    enterprise_project_id: &str,
    progress: &Rc<Progress>,
) -> Result<Connection, Error> {
    let (service, plan, stand_in) = start_stand_in(project_id, enterprise_project_id)?;
    let client = client(&service, plan.clone(), whom, progress)?;
    // The port is another one in every run; a result is the same in every run.
    let service = Service { endpoint: "stand-in".to_owned(), stand_in: true, ..described(&service) };
    Ok(Connection { client: Ok(client), plan: Some(plan), service, _stand_in: Some(stand_in) })
}

fn client(service: &settings::Service, plan: Plan, whom: Whom<'_>, progress: &Rc<Progress>) -> Result<Client, Error> {
    let progress = Rc::clone(progress);
    let config = Config { rate: whom.rate, ..config(service, plan, whom.stand_in_allowed, whom.timings) };
    Ok(Client::new(config, Box::new(move |event| progress.event(event)))?)
}

/// What a client goes by that learns the limit.
pub(super) fn config(service: &settings::Service, plan: Plan, stand_in_allowed: bool, timings: Timings) -> Config {
    Config {
        endpoint: service.endpoint.clone(),
        // Without one nobody is asked: what would call it needs a region, and says so.
        iam_endpoint: service.iam_endpoint.as_ref().unwrap_or(&service.endpoint).clone(),
        region: service.region.clone(),
        project_id: service.project_id.clone(),
        enterprise_project_id: service.enterprise_project_id.clone(),
        sts_endpoint: service.sts_endpoint.clone(),
        plan,
        ca_pem: service.ca_pem.clone(),
        stand_in_allowed,
        rate: None,
        timings,
    }
}

pub(super) fn described(service: &settings::Service) -> Service {
    Service {
        endpoint: service.endpoint.clone(),
        region: service.region.clone(),
        project_id: service.project_id.clone(),
        enterprise_project_id: service.enterprise_project_id.clone(),
        stand_in: false,
    }
}
