//! What an examination of the way to the service goes by.

use super::{Env, Talk, Target, talk, whom};
use crate::cli::{self, Form};
use crate::error::Error;
use crate::hss::Timings;
use crate::hss::auth::{self, Found, SourceError};

/// Everything `doctor` needs.
#[derive(Debug)]
pub struct Doctor {
    /// Where a scan would call; `None` where no region is known.
    pub target: Option<Target>,
    /// Credentials, or why there are none; those of the target where there is one.
    pub credentials: Result<Found, SourceError>,
    /// Whether a stand-in may answer.
    pub stand_in_allowed: bool,
    /// Whether a file is uploaded.
    pub probe_upload: bool,
    /// The CA file, for people.
    pub ca_file: Option<String>,
    /// How to print.
    pub form: Form,
    /// How to talk.
    pub talk: Talk,
    /// How long things take.
    pub timings: Timings,
}

impl Doctor {
    /// Checks what was typed. What a scan would refuse as usage is refused here too, a region that is missing apart.
    pub fn new(cli: &cli::Doctor, env: Env<'_>) -> Result<Self, Error> {
        let (stand_in_allowed, target) = whom(&cli.connection, env)?;
        Ok(Self {
            target,
            credentials: auth::find(env),
            stand_in_allowed,
            probe_upload: cli.probe_upload,
            ca_file: cli.connection.ca_file.as_ref().map(|path| path.display().to_string()),
            form: cli.output,
            talk: talk(&cli.talk),
            timings: Timings::default(),
        })
    }
}
