//! Dockerfiles: read into instructions and stages, then put to each rule.

mod parse;
mod rules;
#[cfg(test)]
mod tests;

use super::Risk;
use parse::Dockerfile;

/// One entry a finding: the instruction, or `None` where the finding is that something is missing.
type Check = fn(&Dockerfile) -> Vec<Option<String>>;

/// Scans a Dockerfile; an error is the reason for which the file fails.
pub(super) fn scan(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    let file = Dockerfile::parse(bytes)?;
    let risks = rules::RULES.iter().flat_map(|rule| {
        let found = (rule.check)(&file);
        found.into_iter().map(|instruction| rule.risk(instruction, Vec::new()))
    });
    Ok(risks.collect())
}
