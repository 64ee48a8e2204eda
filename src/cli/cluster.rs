//! `cluster-scan`.

use clap::Args;

use super::values::yes_or_no;
use super::{Connection, Lenience, Output, Talk, Waiting};

/// `cluster-scan`.
#[derive(Debug, Args)]
pub struct ClusterScan {
    /// What to look for: `cluster_vul`, `risk_assessment`, `benchmark` (repeatable, or separated by commas)
    #[arg(long = "type", value_name = "TYPE", env = "HSS_IAC_TYPE", value_delimiter = ',', help_heading = "Clusters")]
    pub(crate) types: Vec<String>,
    /// Scan every cluster that can be scanned
    #[arg(long, env = "HSS_IAC_ALL", value_parser = yes_or_no(), help_heading = "Clusters")]
    pub(crate) all: bool,
    /// Scan these clusters, by their ids
    #[arg(long, value_name = "ID", env = "HSS_IAC_CLUSTER", num_args = 1.., value_delimiter = ',', help_heading = "Clusters")]
    pub(crate) cluster: Vec<String>,
    /// Have what failed scanned again, once, and wait again
    #[arg(long, env = "HSS_IAC_RETRY_FAILED", value_parser = yes_or_no(), help_heading = "Clusters")]
    pub(crate) retry_failed: bool,
    #[command(flatten)]
    pub(crate) lenience: Lenience,
    /// A table or the JSON result, on stdout or in a file (repeatable); a table on stdout where nothing is said
    #[arg(
        short,
        long,
        value_name = "table|json[=PATH]",
        env = "HSS_IAC_OUTPUT",
        value_delimiter = ',',
        help_heading = "Report"
    )]
    pub(crate) output: Vec<Output>,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[command(flatten)]
    pub(crate) talk: Talk,
}
