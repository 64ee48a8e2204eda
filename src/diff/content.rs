//! Files that stand in git and not in the work tree, laid out where they can be read like any other.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

use super::Content;
use super::files::builders;
use crate::discover::{self, Selection};
use crate::git::{EntryKind, Git, TreeEntry};
use crate::model::RepoPath;
use crate::platform;

/// Contents that are asked for at once: they are held in memory.
const AT_ONCE: usize = 256;

/// Writes what is meant and may be ours into a directory of its own, which lives as long as the value. Submodules stand in none: they are
/// given back.
pub(crate) fn lay_out(
    root: &Path,
    content: &Content,
    options: &discover::Options,
    scratch: &Scratch,
) -> io::Result<(TempDir, Vec<TreeEntry>)> {
    let git = Git::new(root, std::env::var_os("PATH").as_deref()).map_err(io::Error::other)?;
    let entries = match content {
        Content::Commit(commit) => git.tree(commit),
        Content::Index | Content::WorkTree => git.index(std::env::var_os("GIT_INDEX_FILE").as_deref()),
    };
    let is_mapped = |path: &RepoPath| options.map.iter().any(|(pattern, _)| path.is_matched_by(pattern));
    let is_named = |path: &RepoPath| options.selections.contains(&Selection::File(path.clone()));
    let entries = entries.map_err(io::Error::other)?;
    let there: HashSet<RepoPath> = entries.iter().map(|entry| entry.path.clone()).collect();
    let builds = |path: &RepoPath| !builders(path, &|path| there.contains(path)).is_empty();
    let wanted = |path: &RepoPath| discover::speaks_of_ours(path) || is_mapped(path) || is_named(path) || builds(path);
    let (modules, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == EntryKind::Submodule);
    let entries: Vec<_> = entries.into_iter().filter(|entry| is_plain(&entry.path) && wanted(&entry.path)).collect();
    let directory = TempDir::with_prefix("hss-iac-")?;
    scratch.add(directory.path().to_owned());
    // Directories, then files, then links, each new: whatever names a tree that was made by hand holds, none leads through another.
    for parent in entries.iter().filter_map(|entry| Some(directory.path().join(entry.path.to_os()).parent()?.to_owned())) {
        std::fs::create_dir_all(parent)?;
    }
    let (links, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.kind == EntryKind::Link);
    for some in files.chunks(AT_ONCE).chain(links.chunks(AT_ONCE)) {
        let ids: Vec<&str> = some.iter().map(|entry| entry.id.as_str()).collect();
        for (entry, bytes) in some.iter().zip(git.blobs(&ids).map_err(io::Error::other)?) {
            let bytes = bytes.ok_or_else(|| io::Error::other(format!("{} is not in this clone", entry.path)))?;
            let path = directory.path().join(entry.path.to_os());
            match entry.kind {
                EntryKind::Link => platform::link(&bytes, &path)?,
                EntryKind::File | EntryKind::Submodule => File::create_new(&path)?.write_all(&bytes)?,
            }
        }
    }
    Ok((directory, modules))
}

/// What is to go when the process ends without dropping anything; all clones are of the same.
#[derive(Debug, Clone, Default)]
pub struct Scratch(Arc<Mutex<Vec<PathBuf>>>);

impl Scratch {
    fn add(&self, path: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Removes it, where the process ends at once.
    pub(crate) fn clear(&self) {
        for path in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // Twice, since somebody may be writing there.
            let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_dir_all(path));
        }
    }
}

/// Whether nothing in the path leads elsewhere: a tree that was made by hand can hold any name.
fn is_plain(path: &RepoPath) -> bool {
    let is_plain = |part: &[u8]| {
        !matches!(part, b"" | b"." | b"..")
            && !part.eq_ignore_ascii_case(b".git")
            && !part.iter().any(|b| matches!(b, b'\\' | 0))
    };
    path.as_bytes().split(|byte| *byte == b'/').all(is_plain)
}
