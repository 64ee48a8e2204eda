//! Comments that say that a finding does not count: `# hss-iac: ignore[RULE] reason`, several rules as `ignore[A, B]`.
//!
//! Text that looks like one and is no comment must not mute the gate: in a manifest a parser says which `#` stand in no scalar, in a
//! Dockerfile heredocs are left out.

mod yaml;

use unicode_width::UnicodeWidthStr as _;

use crate::dockerfile;
use crate::lines::lines;
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

/// The ignore comments of a file, by line; of its text as locations count its lines.
pub fn comments(file_type: FileType, text: &str) -> Vec<Ignore> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    match file_type {
        FileType::Dockerfile => of_dockerfile(text),
        FileType::K8sYaml => yaml::comments(text),
    }
}

fn of_dockerfile(text: &str) -> Vec<Ignore> {
    let lines = lines(text);
    let read = |bytes: std::ops::Range<usize>| {
        let line = lines.partition_point(|line| line.start <= bytes.start);
        // A builder goes on behind a lone CR, a reader sees another line.
        let comment = text.get(bytes)?.split('\r').next()?;
        ignore(comment, u32::try_from(line).ok()?, true)
    };
    dockerfile::comments(text).into_iter().filter_map(read).collect()
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
    // Blanks of no width are no reason either.
    let fault = match (rules.is_empty(), reason.width() == 0) {
        (true, _) => Some(UNREADABLE),
        (false, true) => Some(NO_REASON),
        (false, false) => None,
    };
    Some(Ignore { line, alone, rules, reason, fault })
}

#[cfg(test)]
mod tests;
