//! What decides on a path, in order: `--exclude`, `--include`, `--map`, and only then `.gitignore`.

use glob::{MatchOptions, Pattern};

use super::{Options, Selection};
use crate::model::{FileType, RepoPath};

const MATCH: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// What the command line says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// `--exclude` matches.
    Excluded,
    /// `--include` is there and does not match.
    NotIncluded,
    /// Taken, with a type where `--map` gives one; `.gitignore` is not asked.
    Taken(Option<FileType>),
    /// Nothing: `.gitignore` is asked.
    Nothing,
}

impl Options {
    /// What the flags say of a file.
    pub(super) fn word(&self, path: &RepoPath) -> Word {
        if self.is_excluded(path) {
            return Word::Excluded;
        }
        let mapped = self.map.iter().rev().find(|(pattern, _)| matches(pattern, path)).map(|(_, file_type)| *file_type);
        if self.include.iter().any(|pattern| matches(pattern, path)) {
            return Word::Taken(mapped);
        }
        if !self.include.is_empty() {
            return Word::NotIncluded;
        }
        mapped.map_or(Word::Nothing, |file_type| Word::Taken(Some(file_type)))
    }

    /// Whether `--exclude` matches a path or a directory above it.
    pub(super) fn is_excluded(&self, path: &RepoPath) -> bool {
        self.exclude.iter().any(|pattern| matches(pattern, path))
    }

    /// Whether a path is below what the user pointed at.
    pub(super) fn is_selected(&self, path: &RepoPath) -> bool {
        self.selections.iter().any(|selection| match selection {
            Selection::Tree(tree) => is_below(path, tree),
            Selection::File(file) => file == path,
            Selection::Pattern(pattern) => matches(pattern, path),
        })
    }

    /// Whether a directory may hold something selected.
    pub(super) fn leads_somewhere(&self, folder: &RepoPath) -> bool {
        self.selections.iter().any(|selection| match selection {
            Selection::Tree(tree) => is_below(folder, tree) || is_below(tree, folder),
            Selection::File(_) => false,
            Selection::Pattern(_) => true,
        })
    }

    /// Whether the literal part of an `--include`, a `--map` or a path names a place in an ignored directory, or above a place in it.
    pub(super) fn is_asked_for(&self, folder: &RepoPath) -> bool {
        let patterns = self.include.iter().chain(self.map.iter().map(|(pattern, _)| pattern));
        let trees = self.selections.iter().filter_map(|selection| match selection {
            Selection::Tree(tree) => Some(tree.clone()),
            _ => None,
        });
        let named = |place: RepoPath| !place.as_bytes().is_empty() && (is_below(&place, folder) || is_below(folder, &place));
        patterns.map(|pattern| literal(pattern.as_str())).any(named) || trees.into_iter().any(|tree| is_below(&tree, folder))
    }
}

/// The directories of a pattern above its first wildcard.
fn literal(pattern: &str) -> RepoPath {
    let end = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let folder = if end == pattern.len() { end } else { pattern[..end].rfind('/').unwrap_or(0) };
    RepoPath::from(&pattern[..folder])
}

/// Whether `path` is `tree` or in it; the empty path is the root.
pub(super) fn is_below(path: &RepoPath, tree: &RepoPath) -> bool {
    let (path, tree) = (path.as_bytes(), tree.as_bytes());
    tree.is_empty() || path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Whether a pattern matches a path or a directory above it.
fn matches(pattern: &Pattern, path: &RepoPath) -> bool {
    let text = path.to_string();
    let ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().any(|end| pattern.matches_with(&text[..end], MATCH))
}
