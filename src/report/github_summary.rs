//! The summary of a GitHub job: the Markdown report with room for more of it.
//!
//! GitHub shows one MiB a step and drops a longer one whole.

use std::io::{self, Write};

use super::View;
use super::markdown;
use crate::model::ScanResult;

/// Bytes of a summary, with room left for what else the step says.
const BUDGET: usize = 900 * 1024;

/// Writes the summary.
pub fn write(result: &ScanResult, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(markdown::document(result, view, BUDGET).as_bytes())
}
