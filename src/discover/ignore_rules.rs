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

/// So many bytes of rules are honoured in a directory, with those of the directories above. Each costs several hundred bytes of memory,
/// and a repository may bring any number.
const MAX_RULES: u64 = 100_000;

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
    /// The bytes of all rules that hold here.
    bytes: u64,
    /// Whether there is a `.gitignore` here that would make them too many.
    too_much: bool,
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
        let mut bytes = above.filter(|_| git_dir.is_none()).map_or(0, |above| above.0.bytes);
        let mut too_much = false;
        if has_ignore_file {
            match read(on_disk, &on_disk.join(".gitignore"), MAX_RULES.saturating_sub(bytes)) {
                Read::Rules(matcher, read) => {
                    matchers.extend(matcher);
                    bytes += read;
                }
                Read::TooMuch => too_much = true,
            }
        }
        let (above, work_tree) = match (git_dir, above) {
            (Some(git_dir), _) => {
                let global = gitconfig_excludes_path().and_then(|path| fs::canonicalize(path).ok());
                // These are the user's own.
                for file in [Some(common_dir(&git_dir).join("info/exclude")), global].into_iter().flatten() {
                    if let Read::Rules(matcher, _) = read(on_disk, &file, 10 * MAX_RULES) {
                        matchers.extend(matcher);
                    }
                }
                (None, Arc::new(WorkTree { at: directory.clone(), git_dir }))
            }
            (None, above) => (above.cloned(), above.map(|rules| Arc::clone(&rules.0.work_tree))?),
        };
        Some(Self(Arc::new(Level { matchers, above, work_tree, bytes, too_much })))
    }

    /// As [`Self::enter`], where no rule is to count: the work tree alone.
    pub(super) fn enter_without(above: Option<&Self>, directory: &RepoPath, on_disk: &Path, has_git: bool) -> Option<Self> {
        let Some(git_dir) = has_git.then(|| git_dir(&on_disk.join(".git"))).flatten() else { return above.cloned() };
        let work_tree = Arc::new(WorkTree { at: directory.clone(), git_dir });
        Some(Self(Arc::new(Level { matchers: Vec::new(), above: None, work_tree, bytes: 0, too_much: false })))
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

    /// Whether the directory has a `.gitignore` that is too much to honour.
    pub(super) fn too_much(&self) -> bool {
        self.0.too_much
    }

    /// The work tree in which the rules hold.
    pub(super) fn work_tree(&self) -> &Arc<WorkTree> {
        &self.0.work_tree
    }
}

/// What came of a file of rules.
enum Read {
    /// The rules, if any, and the bytes that they took.
    Rules(Option<Gitignore>, u64),
    /// More than is honoured.
    TooMuch,
}

/// Reads a file of rules for paths below `directory`. Git itself passes over lines that make no sense, and over files it can't read.
fn read(directory: &Path, file: &Path, limit: u64) -> Read {
    let mut bytes = Vec::new();
    if open::leaf(file).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).is_err() {
        return Read::Rules(None, 0);
    }
    let length = bytes.len() as u64;
    if length > limit {
        return Read::TooMuch;
    }
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes));
    let mut builder = GitignoreBuilder::new(directory);
    // To git a `!` alone says nothing; to the matcher it takes back all that was said.
    for line in text.lines().filter(|line| line.trim_end() != "!") {
        let _nonsense = builder.add_line(None, line).is_err();
    }
    // The matcher has a limit of its own.
    builder.build().map_or(Read::TooMuch, |matcher| Read::Rules(Some(matcher).filter(|matcher| !matcher.is_empty()), length))
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
