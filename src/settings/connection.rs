//! Where to call, and as whom.

use std::io::Read as _;
use std::path::Path;

use super::{Env, in_ci};
use crate::cli;
use crate::error::Error;
use crate::hss;
use crate::hss::auth::{self, Found, SourceError};
use crate::platform;

/// The enterprise project of those who have none.
pub(super) const NO_ENTERPRISE_PROJECT: &str = "0";

/// Where to call, and as whom.
#[derive(Debug)]
pub enum Target {
    /// The built-in stand-in, started for this run.
    #[cfg(feature = "emulator")]
    StandIn {
        /// The project, where one was named.
        project_id: Option<String>,
        /// The enterprise project.
        enterprise_project_id: String,
    },
    /// The service.
    Service(Box<Service>),
}

/// The service.
#[derive(Debug)]
pub struct Service {
    /// HSS.
    pub endpoint: String,
    /// IAM, where known.
    pub iam_endpoint: Option<String>,
    /// STS, where known.
    pub sts_endpoint: Option<String>,
    /// The region, where known.
    pub region: Option<String>,
    /// The project, where known.
    pub project_id: Option<String>,
    /// The enterprise project.
    pub enterprise_project_id: String,
    /// Credentials, or why there are none: that is said after the walk, so that the result names every file.
    pub credentials: Result<Found, SourceError>,
    /// Certificates to trust.
    pub ca_pem: Option<Vec<u8>>,
    /// What to tell the user.
    pub note: Option<String>,
}

#[cfg(feature = "emulator")]
const STAND_IN_IN_CI: &str =
    "--emulator where CI is set: a verdict of the stand-in is not one of HSS; say --allow-stand-in if that is meant";

/// Every enterprise project at once: something to ask for, and no place for a file (HSS API reference, "Creating a Task").
const EVERY_ENTERPRISE_PROJECT: &str = "all_granted_eps";

/// As [`whom`], for who uploads files.
pub(super) fn whom_to_send_to(cli: &cli::Connection, env: Env<'_>) -> Result<(bool, Option<Target>), Error> {
    let whom = whom(cli, env)?;
    let enterprise_project_id = match &whom.1 {
        #[cfg(feature = "emulator")]
        Some(Target::StandIn { enterprise_project_id, .. }) => enterprise_project_id,
        Some(Target::Service(service)) => &service.enterprise_project_id,
        None => return Ok(whom),
    };
    if enterprise_project_id == EVERY_ENTERPRISE_PROJECT {
        let why = "is every enterprise project, and files are uploaded to one: name that with --enterprise-project-id";
        return Err(Error::Usage(format!("{EVERY_ENTERPRISE_PROJECT} {why}")));
    }
    Ok(whom)
}

/// Whether a stand-in may answer, and whom to call; nobody where no region is known.
pub(super) fn whom(cli: &cli::Connection, env: Env<'_>) -> Result<(bool, Option<Target>), Error> {
    let stand_in_allowed = cli.allow_stand_in || !in_ci(env);
    let target = target(cli, env)?;
    #[cfg(feature = "emulator")]
    if cli.emulator && !stand_in_allowed {
        return Err(Error::Usage(STAND_IN_IN_CI.to_owned()));
    }
    Ok((stand_in_allowed, target))
}

fn target(cli: &cli::Connection, env: Env<'_>) -> Result<Option<Target>, Error> {
    let first =
        |typed: &Option<String>, found: Option<(String, &'static str)>| typed.clone().or(found.map(|(value, _)| value));
    let project_id = first(&cli.project_id, auth::project_from_env(env));
    let enterprise_project_id = first(&cli.enterprise_project_id, auth::enterprise_project_from_env(env))
        .unwrap_or_else(|| NO_ENTERPRISE_PROJECT.to_owned());
    #[cfg(feature = "emulator")]
    if cli.emulator {
        if [&cli.endpoint, &cli.iam_endpoint, &cli.sts_endpoint].into_iter().any(Option::is_some) {
            return Err(Error::Usage("--emulator and an endpoint name two services: leave one of them out".to_owned()));
        }
        hss::check_place(project_id.as_deref(), &enterprise_project_id)?;
        return Ok(Some(Target::StandIn { project_id, enterprise_project_id }));
    }
    let region = cli.region.clone().or_else(|| auth::region_from_env(env).map(|(region, _)| region));
    let hosts = match &region {
        Some(region) => Some(hss::endpoints(region).ok_or_else(|| {
            Error::Usage(format!("{region:?} can't be a region: say --region with an id such as cn-north-4"))
        })?),
        None => None,
    };
    let note = match (&hosts, &region) {
        (Some(hosts), Some(region)) if !hosts.known && cli.endpoint.is_none() => {
            Some(format!("region {region} is not in the table of known regions; calling {}", hosts.hss))
        }
        _ => None,
    };
    let found = auth::find(env);
    let beside = |of: fn(&Found) -> &Option<String>| found.as_ref().ok().and_then(|found| of(found).clone());
    let endpoint = cli.endpoint.clone().or_else(|| hosts.as_ref().map(|hosts| hosts.hss.clone()));
    let iam_endpoint = first(&cli.iam_endpoint, auth::iam_endpoint_from_env(env))
        .or_else(|| beside(|found| &found.iam_endpoint))
        .or_else(|| hosts.as_ref().map(|hosts| hosts.iam.clone()));
    let sts_endpoint = first(&cli.sts_endpoint, auth::sts_endpoint_from_env(env)).or_else(|| hosts.map(|hosts| hosts.sts));
    let plain = |url: Option<String>| url.map(|url| url.trim_end_matches('/').to_owned());
    let [endpoint, iam_endpoint, sts_endpoint] = [endpoint, iam_endpoint, sts_endpoint].map(plain);
    for url in [&endpoint, &iam_endpoint, &sts_endpoint].into_iter().flatten() {
        hss::is_loopback(url)?;
    }
    let ca_pem = cli.ca_file.as_deref().map(ca).transpose()?;
    let Some(endpoint) = endpoint else { return Ok(None) };
    if iam_endpoint.is_none() && found.as_ref().is_ok_and(|found| found.plan.needs_iam()) {
        return Err(Error::Usage("no IAM endpoint to get a token from: set a region, or HSS_IAC_IAM_ENDPOINT".to_owned()));
    }
    if sts_endpoint.is_none() && found.as_ref().is_ok_and(|found| found.plan.needs_sts()) {
        return Err(Error::Usage("no STS endpoint to get keys from: set a region, or HSS_IAC_STS_ENDPOINT".to_owned()));
    }
    let project_id = project_id.or_else(|| beside(|found| &found.project_id));
    hss::check_place(project_id.as_deref(), &enterprise_project_id)?;
    found.as_ref().map_or(Ok(()), |found| hss::check_token(&found.plan))?;
    Ok(Some(Target::Service(Box::new(Service {
        iam_endpoint,
        sts_endpoint,
        endpoint,
        region,
        project_id,
        enterprise_project_id,
        credentials: found,
        ca_pem,
        note,
    }))))
}

/// Ten times what systems bring along.
const MOST_CA_BYTES: u64 = 4_000_000;

fn ca(path: &Path) -> Result<Vec<u8>, Error> {
    let mut pem = Vec::new();
    let read = platform::named(path).and_then(|file| file.take(MOST_CA_BYTES + 1).read_to_end(&mut pem));
    read.map_err(|error| Error::Usage(format!("--ca-file {} can't be read: {error}", path.display())))?;
    if pem.len() as u64 > MOST_CA_BYTES {
        return Err(Error::Usage(format!("--ca-file {} has more than {MOST_CA_BYTES} bytes", path.display())));
    }
    hss::certificates(&pem).map_err(|error| Error::Usage(format!("--ca-file {} {}", path.display(), error.message)))?;
    Ok(pem)
}
