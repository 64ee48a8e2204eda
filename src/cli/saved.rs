//! What can be done with a saved JSON result.

use std::path::PathBuf;

use clap::Args;

use super::{Report, Talk};

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
