//! The summary of a GitHub job: the Markdown report with room for more of it.
//!
//! GitHub shows one MiB a step and drops a longer one whole.

use std::io::Write;

use super::markdown;
use super::{View, Written};
use crate::model::ScanResult;

/// Bytes that GitHub takes.
const LIMIT: usize = 1024 * 1024;
/// Bytes of a summary, with room left for what else the step says.
const BUDGET: usize = 900 * 1024;

/// Writes the summary after `used` bytes of others, which it must not push over the limit: where not even its head fits, nothing is written.
pub fn write(result: &ScanResult, view: View<'_>, used: u64, out: &mut dyn Write) -> Written {
    let used = usize::try_from(used).unwrap_or(usize::MAX);
    let (document, left_out) = markdown::document(result, view, BUDGET.saturating_sub(used));
    if used.saturating_add(document.len()) >= LIMIT {
        return Ok(Some(format!("all: {used} of {LIMIT} bytes are taken")));
    }
    if used > 0 {
        out.write_all(b"\n")?;
    }
    out.write_all(document.as_bytes())?;
    Ok(left_out)
}
