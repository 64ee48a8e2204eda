//! What is in the repository, and why.

mod classify;
mod dockerfile;
mod document;
mod events;
mod explain;
mod gvk;
mod ignore_rules;
mod index;
mod kubernetes;
mod links;
mod open;
mod resolve;
mod select;
mod standing;
#[cfg(test)]
mod tests;
mod threads;
mod tracked;
mod walk;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use self::resolve::{pattern, resolve};
use crate::model::{FileType, RepoPath, Skipped, SourceFile};

/// The service's "1M", read in the smaller of its two senses.
pub const MAX_FILE_SIZE: u64 = 1_000_000;

/// What the user pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// A directory and everything below; the empty path is the root.
    Tree(RepoPath),
    /// One file, taken whatever the rules say.
    File(RepoPath),
    /// Every path of the walk that matches, files and directories (with everything below).
    Pattern(glob::Pattern),
}

/// What to take.
#[derive(Debug, Clone)]
pub struct Options {
    /// The root, absolute and without links on the way to it, as [`resolve`] gives it.
    pub root: PathBuf,
    /// Where to look; never empty.
    pub selections: Vec<Selection>,
    /// `--include`.
    pub include: Vec<glob::Pattern>,
    /// `--exclude`.
    pub exclude: Vec<glob::Pattern>,
    /// `--map`.
    pub map: Vec<(glob::Pattern, FileType)>,
    /// `--no-ignore`.
    pub no_ignore: bool,
    /// `--tracked`: what git's index holds, without a walk.
    pub tracked: bool,
    /// Whether the values of Secrets are masked: hashes are of what is sent.
    pub mask_secrets: bool,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Files of ours, by path.
    pub files: Vec<SourceFile>,
    /// Paths that looked like ours and are not taken, by path.
    pub skipped: Vec<Skipped>,
    /// Directories that an ignore or exclude rule kept the walk out of.
    pub directories_not_searched: u64,
    /// The same, by path.
    pub pruned_directories: Vec<RepoPath>,
    /// Directories that could not be listed, by path: what is ours in them is unknown, so the run is not complete.
    pub unreadable_directories: Vec<RepoPath>,
    /// Work trees whose git index could not be read although an ignore rule kept something out there, by path: what git tracks of
    /// that is unknown, so the run is not complete.
    pub unreadable_indexes: Vec<RepoPath>,
    /// What a reader should know besides, in whole sentences.
    pub notes: Vec<String>,
}

/// What the user pointed at can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path, pattern or file that can't be taken; the text says which, why, and what to do.
    #[error("{0}")]
    Usage(String),
}

/// `--tracked` where there is nothing to read it from.
const NO_INDEX: &str = "--tracked needs a git work tree whose index can be read, and the root is none; leave it out to walk";

/// Walks the selections and classifies what is there.
pub fn discover(options: &Options) -> Result<Discovery, Error> {
    let mut found = walk::discover(options)?;
    for (what, pattern) in select::idle_patterns(options, &found) {
        found.notes.push(format!("{what} {pattern} matches no Dockerfile and no manifest"));
    }
    Ok(found)
}

/// Says step by step why `path` is taken or not, one line a step, the last one being the decision.
pub fn explain(options: &Options, path: &RepoPath) -> Vec<String> {
    explain::explain(options, path)
}

/// Whether the name of a path is one that files of ours have.
pub(crate) fn speaks_of_ours(path: &RepoPath) -> bool {
    classify::Name::of(path.file_name()).is_ours()
}

/// The place in the tree that a link leads to in the end, if it is in the tree. Nothing is opened.
pub(crate) fn target_of_link(root: &Path, path: &RepoPath) -> Option<RepoPath> {
    links::target(root, &root.canonicalize().ok()?, path).ok()
}

/// What a file of this name and content is, if it is ours.
pub fn type_of(path: &RepoPath, bytes: &[u8]) -> Option<FileType> {
    classify::file_type(path, bytes)
}

/// Reads a file of the tree: regular files only, without following links or blocking. `root` is as in [`Options`].
pub fn read(root: &Path, path: &RepoPath) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open::below(root, path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As [`read`], but fails where there are more than `limit` bytes.
pub fn read_at_most(root: &Path, path: &RepoPath, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open::below(root, path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

/// A file has more bytes than it may have.
pub fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes"))
}

/// Whether there is nothing at this path of the tree.
pub fn is_gone(root: &Path, path: &RepoPath) -> bool {
    let gone = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    std::fs::symlink_metadata(root.join(path.to_os())).is_err_and(|error| gone.contains(&error.kind()))
}
