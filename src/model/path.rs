//! A path inside the repository.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use memchr::memrchr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A path relative to the root of the repository: raw bytes, separated by `/`, never starting with `./`.
///
/// Ordered by bytes, so that results never depend on locale or thread order. Displayed as UTF-8 with every other
/// byte as `\xNN`; control characters are *not* escaped here, the writer of each format does that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(into = "RepoPathFields", try_from = "RepoPathFields")]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes the bytes of a relative path with `/` between its parts.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The raw bytes, and their memory.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path of `name` in this directory; the empty path is the root.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if self.0.is_empty() { Self(name.to_vec()) } else { Self([&self.0, &b"/"[..], name].concat()) }
    }

    /// Whether a pattern matches the path or a directory above it. `*` and `?` stay within a part.
    pub fn is_matched_by(&self, pattern: &glob::Pattern) -> bool {
        const MATCHING: glob::MatchOptions =
            glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
        let text = String::from_utf8_lossy(&self.0);
        if pattern.as_str().matches('*').count() > MOST_STARS {
            return matches_part_by_part(pattern.as_str(), &text);
        }
        let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        ends.into_iter().any(|end| pattern.matches_with(&text[..end], MATCHING))
    }

    /// The directories above it, the nearest first, the root last.
    pub fn directories(&self) -> impl Iterator<Item = Self> + '_ {
        let ends = (0..self.0.len()).rev().filter(|at| self.0.get(*at) == Some(&b'/'));
        ends.chain((!self.0.is_empty()).then_some(0)).map(|end| Self(self.0.iter().take(end).copied().collect()))
    }

    /// What follows the last `/`.
    pub fn file_name(&self) -> &[u8] {
        let start = memrchr(b'/', &self.0).map_or(0, |slash| slash + 1);
        self.0.get(start..).unwrap_or_default()
    }

    /// The path in the form that the operating system takes, still relative to the root.
    pub fn to_os(&self) -> PathBuf {
        crate::platform::path(&self.0)
    }
}

/// The crate tries every way in which the stars before a `/` can share what they match; with more stars than this that takes for ever,
/// and a repository may bring its own patterns.
const MOST_STARS: usize = 3;

/// The same as the crate says of a path or a directory above it, but part by part: inside one it is quick. `**` stands for any
/// number of parts, at the end for at least one. A part that is no pattern of its own matches nothing.
fn matches_part_by_part(pattern: &str, path: &str) -> bool {
    let names: Vec<&str> = path.split('/').collect();
    // Whether what was looked at of the pattern matches so many names.
    let mut reached = vec![false; names.len() + 1];
    if let Some(none) = reached.first_mut() {
        *none = true;
    }
    let mut parts = pattern.split('/').peekable();
    while let Some(part) = parts.next() {
        let mut next = vec![false; names.len() + 1];
        if part == "**" {
            let first = reached.iter().position(|reached| *reached).unwrap_or(names.len());
            next.iter_mut().skip(first + usize::from(parts.peek().is_none())).for_each(|reached| *reached = true);
        } else if let Ok(part) = glob::Pattern::new(part) {
            for ((next, reached), name) in next.iter_mut().skip(1).zip(&reached).zip(&names) {
                *next = *reached && part.matches(name);
            }
        }
        reached = next;
        if !reached.contains(&true) {
            return false;
        }
    }
    reached.into_iter().skip(1).any(|reached| reached)
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// The JSON form of a path, flattened into the object that it belongs to.
#[derive(Serialize, Deserialize, JsonSchema)]
struct RepoPathFields {
    path: String,
    /// The exact bytes in base64, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_raw: Option<String>,
}

impl From<RepoPath> for RepoPathFields {
    fn from(path: RepoPath) -> Self {
        let raw = std::str::from_utf8(&path.0).is_err();
        Self { path: path.to_string(), path_raw: raw.then(|| base64::engine::general_purpose::STANDARD.encode(&path.0)) }
    }
}

impl TryFrom<RepoPathFields> for RepoPath {
    type Error = base64::DecodeError;

    fn try_from(fields: RepoPathFields) -> Result<Self, Self::Error> {
        Ok(match fields.path_raw {
            Some(raw) => Self(base64::engine::general_purpose::STANDARD.decode(raw)?),
            None => Self(fields.path.into_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_many_stars_match_as_others_do_and_at_once() {
        let paths = ["a", "ab", "a/b", "a/b/c", "xa/b", "a/x/b", "b/a/b/c", "aa/aa", ".a/b", "a/b/c/d", "c"];
        let patterns =
            ["a", "*", "**", "a/**", "**/b", "a/**/b", "*/*", "?*/*b", "**/a/**", "[ab]/*", "**/**/c", "*a*/b*", "a*"];
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::default() };
        for pattern in patterns {
            for path in paths {
                let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                let parsed = glob::Pattern::new(pattern).expect("a pattern");
                let expected = ends.into_iter().any(|end| parsed.matches_with(&path[..end], options));
                assert_eq!(matches_part_by_part(pattern, path), expected, "{pattern} {path}");
            }
        }
        let bomb = glob::Pattern::new(&format!("{}/c", "*a".repeat(60))).expect("a pattern");
        assert!(!RepoPath::from(format!("{}/b", "a".repeat(250)).as_str()).is_matched_by(&bomb));
    }
}
