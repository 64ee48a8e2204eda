//! What is in the repository, and why.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

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
    /// The root, absolute.
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
    /// x
    pub notes: Vec<String>,
    /// x
    pub unreadable_directories: Vec<RepoPath>,
}
/// x
pub fn pattern(t: &str) -> Result<glob::Pattern, Error> {
    glob::Pattern::new(t).map_err(|e| Error::Usage(e.to_string()))
}

/// What the user pointed at can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// To be filled.
    #[error("{0}")]
    Usage(String),
}

/// Finds the one root of `paths` (typed by the user in `cwd`) and what they select in it.
pub fn resolve(cwd: &Path, paths: &[OsString]) -> Result<(PathBuf, Vec<Selection>), Error> {
    let _ = (cwd, paths);
    unimplemented!()
}

/// Walks the selections and classifies what is there.
pub fn discover(options: &Options) -> Result<Discovery, Error> {
    let _ = options;
    unimplemented!()
}

/// Says step by step why `path` is taken or not, one line a step, the last one being the decision.
pub fn explain(options: &Options, path: &RepoPath) -> Vec<String> {
    let _ = (options, path);
    unimplemented!()
}

/// Reads a file of the tree: regular files only, without following links or blocking.
pub fn read(root: &Path, path: &RepoPath) -> io::Result<Vec<u8>> {
    let _ = (root, path);
    unimplemented!()
}
