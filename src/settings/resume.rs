//! A run that is gone on with: what it was about and by what policy stands in its result, and where it goes on is for the user to say.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::policy;
use super::{Env, Scan, Target};
use crate::cli::{self, Format, Output, Side, Switch};
use crate::config;
use crate::diff::{Mode, Scratch};
use crate::error::Error;
use crate::hss::auth;
use crate::model::{ScanResult, Service};

impl Scan {
    /// Checks what was typed against the result that a run left.
    pub fn resume(
        cli: cli::Resume,
        saved: &ScanResult,
        matches: &ArgMatches,
        env: Env<'_>,
        cwd: &Path,
        scratch: &Scratch,
    ) -> Result<Self, Error> {
        can_go_on(&cli.connection, &cli.result)?;
        let mut scan = as_scan(cli, saved);
        fill_connection(&mut scan.connection, &saved.service, env);
        let settings = Self::check(scan, matches, env, cwd, scratch, Some(saved))?.1;
        let settings = settings.ok_or_else(|| Error::Usage("no region: set HSS_IAC_REGION or --region".to_owned()))?;
        is_the_same_place(&settings.target, settings.stand_in_allowed, &saved.service)?;
        if let (Some("base"), Some(Err(why))) =
            (saved.run.policy_from.as_deref(), settings.change.as_ref().map(|change| change.base.as_ref()))
        {
            return Err(Error::Usage(format!(
                "the run goes by the rules of its base {}, which can't be had here ({why}): fetch that commit",
                saved.run.base.as_deref().unwrap_or_default()
            )));
        }
        Ok(settings)
    }
}

/// A run is gone on with where it was begun, from a file.
pub(super) fn can_go_on(connection: &cli::Connection, result: &Path) -> Result<(), Error> {
    #[cfg(feature = "emulator")]
    if connection.emulator {
        return Err(Error::Usage(
            "--emulator starts a stand-in of its own, which knows nothing of the run; its own ended with it".to_owned(),
        ));
    }
    #[cfg(not(feature = "emulator"))]
    let _ = connection;
    if result == Path::new("-") {
        return Err(Error::Usage(
            "a run is gone on with from a file, which is brought up to date, not from stdin".to_owned(),
        ));
    }
    Ok(())
}

/// What the user does not say of the place is that of the run.
pub(super) fn fill_connection(connection: &mut cli::Connection, saved: &Service, env: Env<'_>) {
    let take = |typed: &mut Option<String>, elsewhere: bool, saved: Option<&String>| {
        if typed.is_none() && !elsewhere {
            *typed = saved.cloned();
        }
    };
    take(&mut connection.region, auth::region_from_env(env).is_some(), saved.region.as_ref());
    take(&mut connection.project_id, auth::project_from_env(env).is_some(), saved.project_id.as_ref());
    take(
        &mut connection.enterprise_project_id,
        auth::enterprise_project_from_env(env).is_some(),
        Some(&saved.enterprise_project_id),
    );
}

/// A credential goes where the user says, never where a file says: the two must agree. Nor does a file make a stand-in welcome.
pub(super) fn is_the_same_place(target: &Target, stand_in_allowed: bool, saved: &Service) -> Result<(), Error> {
    if saved.stand_in && !stand_in_allowed {
        return Err(Error::Usage(
            "the result is one of a stand-in, and CI is set: say --allow-stand-in if that is meant".to_owned(),
        ));
    }
    #[cfg_attr(not(feature = "emulator"), expect(irrefutable_let_patterns, reason = "the stand-in is the other target"))]
    let Target::Service(service) = target else { return Ok(()) };
    let differs = |what: &str, flag: &str, was: &str, is: &str| {
        if was == is {
            return Ok(());
        }
        let text = format!("the run was with {what} {was}, and this would be {is}: say {flag} {was} if that is meant");
        Err(Error::Usage(text))
    };
    differs("the endpoint", "--endpoint", &saved.endpoint, &service.endpoint)?;
    let ours = &service.enterprise_project_id;
    differs("the enterprise project", "--enterprise-project-id", &saved.enterprise_project_id, ours)?;
    match (&saved.project_id, &service.project_id) {
        (Some(was), Some(is)) => differs("the project", "--project-id", was, is),
        _ => Ok(()),
    }
}

/// The result is brought up to date where it stands.
pub(super) fn keep_result(outputs: &mut Vec<Output>, result: PathBuf) {
    let is_result = |output: &Output| output.format == Format::Json && output.path.as_ref() == Some(&result);
    if !outputs.iter().any(is_result) {
        outputs.push(Output { format: Format::Json, path: Some(result) });
    }
}

/// What `scan` would have been told.
fn as_scan(cli: cli::Resume, saved: &ScanResult) -> cli::Scan {
    let diff = saved.run.base.clone().map_or(Mode::Off, Mode::Revision);
    let of_base = saved.run.policy_from.as_deref() == Some("base");
    let input = cli::Input {
        paths: vec![".".into()],
        include: Vec::new(),
        exclude: Vec::new(),
        map: Vec::new(),
        diff,
        policy_from: if of_base { Side::Base } else { Side::Head },
        tracked: false,
        no_ignore: false,
        mask_secrets: if saved.run.secrets_sent { Switch::Off } else { Switch::On },
        config: cli.config,
    };
    let cli::Resume { result, mut gate, known, mut report, connection, pace, talk, .. } = cli;
    gate.changed_only |= saved.policy.changed_only;
    keep_result(&mut report.output, result);
    cli::Scan { input, gate, known, report, connection, pace, talk }
}

/// The policy of a run stands over what the repository says now.
pub(super) fn policy_of(saved: &ScanResult, loaded: &mut policy::Loaded, known: &mut cli::Known) {
    let file: &mut config::File = &mut loaded.file;
    file.fail_on = Some(saved.policy.fail_on);
    let level = |name: &String| name.parse().ok();
    file.max = Some(saved.policy.max.iter().filter_map(|(name, n)| Some((level(name)?, *n))).collect());
    if file.baseline.is_none() && known.baseline.is_none() {
        known.baseline = saved.policy.baseline.clone().map(Into::into);
    }
}
