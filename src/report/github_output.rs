//! The outputs of a GitHub step, in the form of its `GITHUB_OUTPUT` file.

use std::io::Write;

use super::Written;
use crate::digest::sha256;
use crate::model::{Bucket, ScanResult};

/// Adds the outputs. A value that is not ours stands between two lines that nobody can foretell, so that it can set no other output.
pub fn write(result: &ScanResult, out: &mut dyn Write) -> Written {
    let counts = &result.counts;
    let counting = result.findings.iter().filter(|finding| finding.suppressed.is_none() && finding.bucket == Bucket::New);
    let new: u64 = counting.map(|finding| finding.places).sum();
    let numbers = [
        ("exit-code", u64::from(result.verdict.exit_code)),
        ("findings-high", counts.findings.high),
        ("findings-medium", counts.findings.medium),
        ("findings-low", counts.findings.low),
        ("findings-tips", counts.findings.tips),
        ("new-findings", new),
        ("files-scanned", counts.scanned + counts.reused),
        ("files-not-scanned", counts.upload_failed + counts.scan_failed + counts.not_scanned),
    ];
    writeln!(out, "verdict={}", result.verdict.status.as_str())?;
    for (name, value) in numbers {
        writeln!(out, "{name}={value}")?;
    }
    // The id of the run is random, and `render` finds it in the result.
    let delimiter = format!("ghadelimiter_{}", sha256(result.run.id.as_bytes()));
    writeln!(out, "task-ids<<{delimiter}")?;
    for task in &result.tasks {
        writeln!(out, "{}", super::printable(&task.task_id))?;
    }
    writeln!(out, "{delimiter}")?;
    Ok(None)
}
