//! What can be done with a saved JSON result.

use std::path::PathBuf;

use clap::Args;

use super::{Connection, Gate, Known, Pace, Report, Talk};

/// `render`.
#[derive(Debug, Args)]
pub struct Render {
    /// The JSON result of a scan; - is stdin
    #[arg(value_name = "RESULT")]
    pub(crate) result: PathBuf,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The JSON result of a scan or a cluster-scan, which is brought up to date
    #[arg(value_name = "RESULT")]
    pub(crate) result: PathBuf,
    /// Read this in place of the hss-iac.toml at the root of the repository
    #[arg(long, value_name = "FILE", env = "HSS_IAC_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) gate: Gate,
    #[command(flatten)]
    pub(crate) known: Known,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

impl Resume {
    /// The result to go on with.
    pub fn result(&self) -> &std::path::Path {
        &self.result
    }
}

/// `baseline`.
#[derive(Debug, Args)]
pub struct Baseline {
    /// The JSON result of a scan; - is stdin
    #[arg(value_name = "RESULT")]
    pub(crate) result: PathBuf,
    /// The baseline to write, where hss-iac.toml names none hss-iac-baseline.json at the root; entries of files that the result did not
    /// scan are kept
    #[arg(short = 'b', long = "baseline", value_name = "FILE", env = "HSS_IAC_BASELINE")]
    pub(crate) file: Option<PathBuf>,
    /// Read this in place of the hss-iac.toml at the root of the repository
    #[arg(long, value_name = "FILE", env = "HSS_IAC_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Take the result of a stand-in too
    #[arg(long)]
    pub(crate) force: bool,
}
