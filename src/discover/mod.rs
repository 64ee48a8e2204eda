//! What is in the repository, and why.

mod classify;
mod dockerfile;
mod events;
mod explain;
mod gvk;
mod ignored;
mod kubernetes;
mod open;
mod resolve;
mod select;
mod tracked;
mod walk;

use std::path::PathBuf;

use crate::model::{FileType, RepoPath, Skipped, SourceFile};

pub use explain::explain;
pub use open::read;
pub use resolve::{pattern, resolve};
pub use walk::discover;

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
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Directories that could not be listed: what is in them is not known.
    pub unreadable_directories: Vec<RepoPath>,
}

/// What the user pointed at can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path that is not there.
    #[error("{0}: no such file or directory, and no pattern")]
    Missing(String),
    /// Two roots.
    #[error("the paths belong to two repositories, {0} and {1}: scan one at a time")]
    TwoRoots(String, String),
    /// A pattern that can't be read.
    #[error("pattern {pattern:?}: {why}")]
    Pattern {
        /// As typed.
        pattern: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// A file that was named and is not ours.
    #[error("{path}: {why}; to take it all the same, say --map '{path}=dockerfile' or --map '{path}=k8s_yaml'")]
    NotOurs {
        /// The file.
        path: RepoPath,
        /// Why it is not taken for a Dockerfile or manifest.
        why: String,
    },
}
