//! What an examination of the way to the service can be told.

use clap::Args;

use super::{Connection, Form, Talk};

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Upload one tiny Dockerfile too. It stays in the project: HSS has no call to delete it
    #[arg(long)]
    pub(crate) probe_upload: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
    /// Print a table or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table", help_heading = "Report")]
    pub(crate) output: Form,
    #[command(flatten)]
    pub(crate) talk: Talk,
}
