//! Comments that say that a finding does not count: `# hss-iac: ignore[RULE] reason`, several rules as `ignore[A, B]`.
//!
//! Text that looks like one and is no comment must not mute the gate: in a manifest a parser says which `#` stand in no scalar, in a
//! Dockerfile heredocs are left out.

mod dockerfile;
mod yaml;

use crate::model::FileType;

/// Such a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// The line on which it stands, from 1.
    pub line: u32,
    /// Whether nothing else stands on that line; only then is it about the next one.
    pub alone: bool,
    /// The rules.
    pub rules: Vec<String>,
    /// Why they do not count.
    pub reason: String,
    /// Why it does not count itself.
    pub fault: Option<&'static str>,
}

/// The ignore comments of a file, by line.
pub fn comments(file_type: FileType, bytes: &[u8]) -> Vec<Ignore> {
    if memchr::memmem::find(bytes, MARK.as_bytes()).is_none() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(bytes);
    match file_type {
        FileType::Dockerfile => dockerfile::comments(&text),
        FileType::K8sYaml => yaml::comments(&text),
    }
}

const MARK: &str = "hss-iac:";
const NO_REASON: &str = "it has no reason; write # hss-iac: ignore[RULE] reason";
const UNREADABLE: &str = "it can't be read; write # hss-iac: ignore[RULE] reason";

/// Reads a comment, from its `#` to the end of its line.
fn ignore(comment: &str, line: u32, alone: bool) -> Option<Ignore> {
    let said = comment.strip_prefix('#')?.trim_start().strip_prefix(MARK)?.trim();
    let split = said.strip_prefix("ignore").and_then(|rest| rest.trim_start().strip_prefix('[')?.split_once(']'));
    let (rules, reason) = split.unwrap_or_default();
    let rules: Vec<String> = rules.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect();
    let reason = reason.trim().to_owned();
    let fault = match (rules.is_empty(), reason.is_empty()) {
        (true, _) => Some(UNREADABLE),
        (false, true) => Some(NO_REASON),
        (false, false) => None,
    };
    Some(Ignore { line, alone, rules, reason, fault })
}

#[cfg(test)]
mod tests;
