//! What git ignores: nested `.gitignore` files, `.git/info/exclude` and the global excludes, inside a work tree only.
//!
//! The global excludes are those of the user and the system. A `core.excludesFile` in the repository's own configuration is not
//! followed, although git does: the repository is not trusted, and the setting may name any file of the machine.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder, gitconfig_excludes_path};

use super::open;
use crate::model::RepoPath;

/// A git work tree at or below the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WorkTree {
    /// Where it stands; empty for the root itself.
    pub(super) at: RepoPath,
    /// Where its index is.
    pub(super) git_dir: PathBuf,
}

/// The rules that hold in a directory: its own, then those of the directories above, up to its work tree.
#[derive(Debug, Clone)]
pub(super) struct Rules(Arc<Level>);

#[derive(Debug)]
struct Level {
    /// `.gitignore` of this directory; for a work tree's top also the exclude files, after it.
    matchers: Vec<Gitignore>,
    above: Option<Rules>,
    work_tree: Arc<WorkTree>,
}

impl Rules {
    /// The rules in `directory` (absolute: `on_disk`), given those of the directory above. `has_git` and `has_ignore_file` say
    /// whether it holds a `.git` and a regular `.gitignore`.
    pub(super) fn enter(
        above: Option<&Self>,
        directory: &RepoPath,
        on_disk: &Path,
        has_git: bool,
        has_ignore_file: bool,
    ) -> Option<Self> {
        let git_dir = if has_git { git_dir(&on_disk.join(".git")) } else { None };
        if git_dir.is_none() && (above.is_none() || !has_ignore_file) {
            return above.cloned();
        }
        let mut matchers = Vec::new();
        if has_ignore_file {
            matchers.extend(read(on_disk, &on_disk.join(".gitignore")));
        }
        let (above, work_tree) = match (git_dir, above) {
            (Some(git_dir), _) => {
                matchers.extend(read(on_disk, &common_dir(&git_dir).join("info/exclude")));
                matchers.extend(gitconfig_excludes_path().and_then(|path| read(on_disk, &fs::canonicalize(path).ok()?)));
                (None, Arc::new(WorkTree { at: directory.clone(), git_dir }))
            }
            (None, above) => (above.cloned(), above.map(|rules| Arc::clone(&rules.0.work_tree))?),
        };
        Some(Self(Arc::new(Level { matchers, above, work_tree })))
    }

    /// Whether a rule ignores the path (absolute). The directories above it are taken to be not ignored.
    pub(super) fn ignores(&self, path: &Path, is_directory: bool) -> bool {
        self.deciding(path, is_directory).is_some_and(|(ignores, _)| ignores)
    }

    /// The rule that decides for the path, if any: whether it ignores, and how it is written.
    pub(super) fn deciding(&self, path: &Path, is_directory: bool) -> Option<(bool, String)> {
        let mut level = Some(self);
        while let Some(Self(at)) = level {
            for matcher in &at.matchers {
                match matcher.matched(path, is_directory) {
                    Match::Ignore(glob) => return Some((true, glob.original().to_owned())),
                    Match::Whitelist(glob) => return Some((false, glob.original().to_owned())),
                    Match::None => {}
                }
            }
            level = at.above.as_ref();
        }
        None
    }

    /// The work tree in which the rules hold.
    pub(super) fn work_tree(&self) -> &Arc<WorkTree> {
        &self.0.work_tree
    }
}

/// Reads a file of rules for paths below `directory`. Git itself passes over lines that make no sense, and over files it can't read.
fn read(directory: &Path, file: &Path) -> Option<Gitignore> {
    let mut bytes = Vec::new();
    open::leaf(file).and_then(|mut file| file.read_to_end(&mut bytes)).ok()?;
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes));
    let mut builder = GitignoreBuilder::new(directory);
    // To git a `!` alone says nothing; to the matcher it takes back all that was said.
    for line in text.lines().filter(|line| line.trim_end() != "!") {
        let _nonsense = builder.add_line(None, line).is_err();
    }
    builder.build().ok().filter(|matcher| !matcher.is_empty())
}

/// Where the repository of a work tree is: `.git` itself, or the directory that a `.git` file points to (linked work trees, submodules).
fn git_dir(dot_git: &Path) -> Option<PathBuf> {
    let metadata = fs::symlink_metadata(dot_git).ok()?;
    if metadata.is_dir() {
        return Some(dot_git.to_path_buf());
    }
    let mut text = String::new();
    open::leaf(dot_git).ok()?.take(4096).read_to_string(&mut text).ok()?;
    let target = text.strip_prefix("gitdir:")?.trim();
    Some(dot_git.parent()?.join(target)).filter(|directory| directory.is_dir())
}

/// The directory that linked work trees share.
pub(super) fn common_dir(git_dir: &Path) -> PathBuf {
    let mut text = String::new();
    let read = open::leaf(&git_dir.join("commondir")).and_then(|file| file.take(4096).read_to_string(&mut text));
    if read.is_ok() { git_dir.join(text.trim()) } else { git_dir.to_path_buf() }
}
