//! From what the user typed to one root and what is selected in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::{Error, Selection};
use crate::model::RepoPath;

/// Bytes of the longest path of the systems in use.
const LONGEST: usize = 4096;

/// Reads a pattern of the command line: relative, `/` between parts, `*` and `?` within a part, `**` for any number of parts.
///
/// A leading `./` and a trailing `/` are taken off. `{a,b}` is refused: the flag can be repeated. So is what is longer than any path.
pub fn pattern(text: &str) -> Result<Pattern, Error> {
    if text.len() > LONGEST {
        let start: String = text.chars().take(40).collect();
        return Err(Error::Usage(format!("{start}…: a pattern of more than {LONGEST} bytes, and no path is so long")));
    }
    let braces = text
        .find('{')
        .is_some_and(|open| text[open..].find('}').is_some_and(|close| text[open..open + close].contains(',')));
    if braces {
        return Err(Error::Usage(format!(
            "{text}: {{a,b}} is not understood in a pattern; give one pattern for each, repeating the flag"
        )));
    }
    let trimmed = text.trim_start_matches("./").trim_end_matches('/');
    if trimmed.is_empty() {
        return Err(Error::Usage(format!("{text:?} is not a pattern of paths in the repository")));
    }
    Pattern::new(trimmed).map_err(|error| Error::Usage(format!("{text}: {}", error.msg)))
}

/// Finds the one root of `paths` (typed by the user in `cwd`) and what they select in it. No path means `cwd`.
///
/// The root is the nearest directory with a `.git` above each path; without one it is `cwd`, or the named directory itself
/// where that stands outside `cwd`.
pub fn resolve(cwd: &Path, paths: &[OsString]) -> Result<(PathBuf, Vec<Selection>), Error> {
    let cwd = fs::canonicalize(cwd).map_err(|error| Error::Usage(format!("{}: {error}", cwd.display())))?;
    let here = [OsString::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let mut selections = Vec::with_capacity(paths.len());
    let mut found: Option<(PathBuf, &OsString)> = None;
    for path in paths {
        let (root, selection) = one(&cwd, path)?;
        match &found {
            Some((first, named)) if *first != root => {
                return Err(Error::Usage(format!(
                    "{} and {} stand in two repositories ({} and {}); scan them one by one",
                    named.display(),
                    path.display(),
                    first.display(),
                    root.display()
                )));
            }
            Some(_) => {}
            None => found = Some((root, path)),
        }
        selections.push(selection);
    }
    let root = found.map_or(cwd, |(root, _)| root);
    Ok((root, selections))
}

fn one(cwd: &Path, typed: &OsStr) -> Result<(PathBuf, Selection), Error> {
    let path = way(cwd, Path::new(typed)).map_err(|why| Error::Usage(format!("{}: {why}", typed.display())))?;
    match fs::symlink_metadata(&path) {
        Ok(metadata) => existing(cwd, typed, &path, metadata.file_type()),
        Err(error) => match typed.to_str() {
            Some(text) if text.contains(['*', '?', '[']) || (text.contains('{') && text.contains('}')) => {
                matching(cwd, text)
            }
            _ => Err(Error::Usage(format!("{}: {}", typed.display(), said(&error)))),
        },
    }
}

/// The absolute path that was typed, without links on the way to its last part, which stays as it is.
///
/// A link that leads to a tree is followed: the user said where to look. One that stands in a tree is not: the tree is not trusted.
/// The tree is a repository or, as for the root, `cwd`.
fn way(cwd: &Path, typed: &Path) -> Result<PathBuf, String> {
    let mut at = cwd.to_path_buf();
    let mut parts = typed.components().peekable();
    while let Some(part) = parts.next() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                at.pop();
            }
            other => at.push(other),
        }
        if parts.peek().is_none() || !fs::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_symlink()) {
            continue;
        }
        if at.starts_with(cwd) || at.ancestors().skip(1).any(has_git) {
            return Err(format!(
                "{} is a link, and no link of the tree is followed; name the file or directory itself",
                at.strip_prefix(cwd).unwrap_or(&at).display()
            ));
        }
        at = fs::canonicalize(&at).map_err(|error| said(&error))?;
    }
    Ok(at)
}

fn said(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        _ => error.to_string(),
    }
}

fn existing(cwd: &Path, typed: &OsStr, path: &Path, file_type: fs::FileType) -> Result<(PathBuf, Selection), Error> {
    if file_type.is_symlink() && path.is_dir() {
        return Err(Error::Usage(format!(
            "{}: a link to a directory is not followed; name the directory itself",
            typed.display()
        )));
    }
    let directory = if file_type.is_dir() { path } else { path.parent().unwrap_or(path) };
    let root = root_of(cwd, directory);
    let inside = relative(&root, path);
    Ok((root, if file_type.is_dir() { Selection::Tree(inside) } else { Selection::File(inside) }))
}

fn matching(cwd: &Path, text: &str) -> Result<(PathBuf, Selection), Error> {
    pattern(text)?;
    let parts: Vec<_> = text.split('/').collect();
    let literal = parts.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
    // What stands for the wildcard is the last part: whatever is spelt out before it is on the way.
    let spelt_out = Path::new(if text.starts_with('/') { "/" } else { "" }).join(parts[..literal].join("/")).join("*");
    let mut directory = way(cwd, &spelt_out).map_err(|why| Error::Usage(format!("{text}: {why}")))?;
    directory.pop();
    let nearest = directory.ancestors().find(|above| above.is_dir()).unwrap_or(cwd);
    let root = root_of(cwd, nearest);
    let inside = relative(&root, &directory);
    // Patterns are matched against paths with what is not UTF-8 replaced.
    let literal_part = Pattern::escape(&String::from_utf8_lossy(inside.as_bytes()));
    let rest = pattern(&parts[literal..].join("/"))?;
    let joined = if literal_part.is_empty() { rest.to_string() } else { format!("{literal_part}/{rest}") };
    let joined = Pattern::new(&joined).map_err(|error| Error::Usage(format!("{text}: {}", error.msg)))?;
    Ok((root, Selection::Pattern(joined)))
}

/// The nearest directory with a `.git`, at or above `directory`.
fn root_of(cwd: &Path, directory: &Path) -> PathBuf {
    let fallback = if directory.starts_with(cwd) { cwd } else { directory };
    directory.ancestors().find(|above| has_git(above)).unwrap_or(fallback).to_path_buf()
}

fn has_git(directory: &Path) -> bool {
    fs::symlink_metadata(directory.join(".git")).is_ok_and(|metadata| metadata.is_dir() || metadata.is_file())
}

/// The path of a place below a root.
pub(super) fn relative(root: &Path, path: &Path) -> RepoPath {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.iter().fold(RepoPath::default(), |above, name| join(&above, name))
}

/// The path of `name` in `directory`.
pub(super) fn join(directory: &RepoPath, name: &OsStr) -> RepoPath {
    directory.join(name.as_encoded_bytes())
}

/// Resolves `.` and `..` in a path without looking at the disk.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
