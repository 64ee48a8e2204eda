//! What git tracks, read from the index of a work tree.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use gix_index::entry::Mode;
use gix_index::hash::Kind;

use super::ignore_rules::{WorkTree, common_dir};
use super::index;
use super::open;
use crate::model::RepoPath;

/// What git tracks, as far as it is wanted.
pub(super) struct Tracked<W> {
    /// Whether a path of the root can be asked for: no other is kept.
    wanted: W,
    /// The tracked files and links, as sorted paths of the root; `None` where the index can't be read.
    indexes: BTreeMap<WorkTree, Option<Vec<RepoPath>>>,
    /// The work trees whose index could not be read.
    pub(super) unreadable: Vec<RepoPath>,
    /// Why, as sentences.
    pub(super) notes: Vec<String>,
}

impl<W: Fn(&RepoPath) -> bool> Tracked<W> {
    pub(super) fn new(wanted: W) -> Self {
        Self { wanted, indexes: BTreeMap::new(), unreadable: Vec::new(), notes: Vec::new() }
    }

    /// Whether git tracks the path (of the root).
    pub(super) fn holds(&mut self, work_tree: &WorkTree, path: &RepoPath) -> bool {
        self.all(work_tree).is_some_and(|paths| paths.binary_search(path).is_ok())
    }

    /// The tracked files and links below a directory, as paths of the root.
    pub(super) fn below(&mut self, work_tree: &WorkTree, directory: &RepoPath) -> Vec<RepoPath> {
        let prefix = [directory.as_bytes(), b"/"].concat();
        let paths = self.all(work_tree).unwrap_or_default();
        let from = paths.partition_point(|path| path.as_bytes() < prefix.as_slice());
        paths[from..].iter().take_while(|path| path.as_bytes().starts_with(&prefix)).cloned().collect()
    }

    /// Every tracked file and link, as sorted paths of the root; `None` where the index can't be read.
    pub(super) fn all(&mut self, work_tree: &WorkTree) -> Option<&[RepoPath]> {
        if !self.indexes.contains_key(work_tree) {
            let paths = self.read(work_tree).map_err(|error| {
                let place = if work_tree.at.as_bytes().is_empty() { String::new() } else { format!(" of {}", work_tree.at) };
                self.notes.push(format!(
                    "the git index{place} can't be read ({error}): a file that git tracks although an ignore rule matches it is not found"
                ));
                self.unreadable.push(work_tree.at.clone());
            });
            self.indexes.insert(work_tree.clone(), paths.ok());
        }
        self.indexes.get(work_tree)?.as_deref()
    }

    /// Shows `each` what is tracked, by path, each once, while the index is read. After an error nothing that was shown counts, and
    /// [`Self::all`] knows more.
    pub(super) fn show(&self, work_tree: &WorkTree, mut each: impl FnMut(RepoPath)) -> io::Result<()> {
        // Of a million paths few are kept: the others share one buffer.
        let mut buffer = Vec::new();
        let mut last = Vec::new();
        index::paths(&work_tree.git_dir.join("index"), object_format(&work_tree.git_dir), |path| {
            // A path in conflict has an entry for each side.
            if let Some(path) = self.keep(work_tree, path, &mut buffer).filter(|path| path.as_bytes() != last) {
                last.clear();
                last.extend_from_slice(path.as_bytes());
                each(path);
            }
        })
    }

    /// A path of the work tree as one of the root, if it is wanted.
    fn keep(&self, work_tree: &WorkTree, path: &[u8], buffer: &mut Vec<u8>) -> Option<RepoPath> {
        outside(work_tree, path, buffer);
        let path = RepoPath::new(std::mem::take(buffer));
        if (self.wanted)(&path) {
            return Some(path);
        }
        *buffer = path.into_bytes();
        None
    }

    /// Reads the index of a repository; one without an index tracks nothing.
    fn read(&self, work_tree: &WorkTree) -> Result<Vec<RepoPath>, String> {
        let path = work_tree.git_dir.join("index");
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err("not a regular file".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.to_string()),
        }
        let mut found = Vec::new();
        if self.show(work_tree, |path| found.push(path)).is_err() {
            found.clear();
            let hash = object_format(&work_tree.git_dir);
            let mut buffer = Vec::new();
            let options = gix_index::decode::Options { thread_limit: Some(1), ..Default::default() };
            let whole = gix_index::File::at(path, hash, false, options).map_err(|error| error.to_string())?;
            let is_file = |mode| matches!(mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK);
            whole
                .entries()
                .iter()
                .filter(|entry| is_file(entry.mode))
                .for_each(|entry| found.extend(self.keep(work_tree, entry.path(&whole), &mut buffer)));
        }
        found.sort_unstable();
        // A path in conflict has an entry for each side.
        found.dedup();
        Ok(found)
    }
}

/// The hash of a repository. The index does not say, and it need not carry a checksum that would betray it.
fn object_format(git_dir: &Path) -> Kind {
    let mut config = Vec::new();
    let read = open::leaf(&common_dir(git_dir).join("config")).and_then(|mut file| file.read_to_end(&mut config));
    // Git keeps it under `extensions`, and no other setting has this name.
    let says_sha256 = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or_default();
        key.trim().eq_ignore_ascii_case("objectformat") && value.trim().eq_ignore_ascii_case("sha256")
    };
    let sha256 = read.is_ok() && String::from_utf8_lossy(&config).lines().any(says_sha256);
    if sha256 { Kind::Sha256 } else { Kind::Sha1 }
}

/// A path of a work tree, as one of the root.
fn outside(work_tree: &WorkTree, path: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let top = work_tree.at.as_bytes();
    if !top.is_empty() {
        into.extend_from_slice(top);
        into.push(b'/');
    }
    into.extend_from_slice(path);
}
