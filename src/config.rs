//! `hss-iac.toml`: what a repository says of its own scan. It is read from bytes, so that it can come from a disk or a commit.
//!
//! The repository is not trusted: it says what to scan and what to ignore, and nothing that decides where credentials go.

mod keys;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use self::words::{Glob, Text, Until};
use crate::cli::{IfEmpty, OnFault};
use crate::model::{FailOn, FileType, Level};

/// Its name, at the root of the repository.
pub const NAME: &str = "hss-iac.toml";

/// What `init` writes: every key, commented out, with its default.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// More than any person writes, in bytes.
pub const MAX_SIZE: u64 = 1_000_000;

/// More patterns than any person writes: each is tried on each path.
const MAX_PATTERNS: usize = 1_000;

/// What the file says; a key is the flag of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(title = "hss-iac.toml")]
pub struct File {
    /// Take only what matches, even where .gitignore hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<Glob>>,
    /// Leave out what matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<Glob>>,
    /// Take what matches for a file of this type; of several that match, the first in alphabetical order counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<Glob, FileType>>,
    /// Do not honour .gitignore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_ignore: Option<bool>,
    /// The lowest level that fails the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<FailOn>,
    /// Fail where more findings stand at a level.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "words::max")]
    pub max: Option<BTreeMap<Level, u64>>,
    /// The lowest level that human reports show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_level: Option<Level>,
    /// What to do where some file was not scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_partial: Option<OnFault>,
    /// What to do where the service fails or the time is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_service_error: Option<OnFault>,
    /// What to do where there is nothing to scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_empty: Option<IfEmpty>,
    /// The baseline, relative to the root: only findings that do not stand in it decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Text>,
    /// Do not honour ignore comments in the files themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_inline_ignores: Option<bool>,
    /// Calls for the places of Kubernetes risks at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_path_calls: Option<usize>,
    /// Findings that do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suppress: Vec<Suppress>,
}

/// Findings that do not count, and why.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Suppress {
    /// The service's rule, as reports name it.
    pub rule: Text,
    /// Only in files that match, or that stand in a directory that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Glob>,
    /// Only in this Kubernetes object: `kind/name` or `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Text>,
    /// Why it does not count.
    pub reason: Text,
    /// The last day on which it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Text>,
    /// Where it stands in the file, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// What can't be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {text}")]
pub struct Mistake {
    name: String,
    line: usize,
    column: usize,
    text: String,
}

/// Reads the file; `name` is what messages call it.
pub fn parse(name: &str, bytes: &[u8]) -> Result<File, Mistake> {
    let mistake = |at: usize, text: String| {
        let (line, column) = place(bytes, at);
        Mistake { name: name.to_owned(), line, column, text: without_middle(text) }
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| mistake(error.valid_up_to(), "not UTF-8, which TOML has to be".to_owned()))?;
    let said = |error: &toml::de::Error| error.message().trim().replace('\n', ", ");
    let at = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let table = DeTable::parse(text).map_err(|error| mistake(at(&error), said(&error)))?;
    for key in table.get_ref().keys() {
        keys::top_level(key.get_ref()).map_err(|text| mistake(key.span().start, text))?;
    }
    if let Some((key, _)) =
        table.get_ref().iter().find(|(key, value)| key.get_ref() == "suppress" && value.get_ref().is_table())
    {
        return Err(mistake(key.span().start, "suppress: give each entry a [[suppress]] of its own".to_owned()));
    }
    let entries = entries(table.get_ref());
    for key in entries.iter().filter_map(|entry| entry.get_ref().as_table()).flat_map(|entry| entry.keys()) {
        keys::of_suppress(key.get_ref()).map_err(|text| mistake(key.span().start, text))?;
    }
    let max =
        table.get_ref().iter().find(|(key, _)| key.get_ref() == "max").and_then(|(_, value)| value.get_ref().as_table());
    for key in max.into_iter().flat_map(|max| max.keys()) {
        keys::of_max(key.get_ref()).map_err(|text| mistake(key.span().start, text))?;
    }
    let mut file: File = toml::from_str(text).map_err(|error| {
        let at = at(&error);
        let key = keys::around(table.get_ref(), at);
        mistake(at, [key, Some(said(&error))].into_iter().flatten().collect::<Vec<_>>().join(": "))
    })?;
    let patterns = [&file.include, &file.exclude].into_iter().flatten().map(Vec::len).sum::<usize>();
    if patterns + file.map.as_ref().map_or(0, BTreeMap::len) > MAX_PATTERNS {
        let text =
            format!("include, exclude and map hold more than {MAX_PATTERNS} patterns; name directories in place of files");
        return Err(mistake(0, text));
    }
    for (suppress, entry) in file.suppress.iter_mut().zip(entries) {
        suppress.line = place(bytes, entry.span().start).0;
    }
    Ok(file)
}

/// More characters of a message are those of a value that it quotes.
const LONGEST: usize = 400;

/// The beginning and the end of a long text: a value stands first, what is wrong with it last.
fn without_middle(text: String) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return text;
    }
    let start = text.chars().take(LONGEST / 2);
    start.chain(['…']).chain(text.chars().skip(length - LONGEST / 2)).collect()
}

/// The line and the column of a byte, both from 1.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = String::from_utf8_lossy(before.get(start..).unwrap_or_default());
    (1 + memchr::memchr_iter(b'\n', before).count(), 1 + line.trim_start_matches('\u{feff}').chars().count())
}

fn entries<'t, 'i>(table: &'t DeTable<'i>) -> &'t [Spanned<DeValue<'i>>] {
    let array = table.iter().find(|(key, _)| key.get_ref() == "suppress").and_then(|(_, value)| value.get_ref().as_array());
    array.map_or(&[], |array| array)
}

#[cfg(test)]
mod tests;
