//! What git tracks, read from the index of a work tree.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use gix_index::entry::Mode;
use gix_index::hash::Kind;

use super::ignore_rules::{WorkTree, common_dir};
use super::open;
use crate::model::RepoPath;

/// The indexes read so far, by work tree.
#[derive(Default)]
pub(super) struct Tracked {
    indexes: BTreeMap<WorkTree, Option<gix_index::File>>,
    /// The work trees whose index could not be read.
    pub(super) unreadable: Vec<RepoPath>,
    /// Why, as sentences.
    pub(super) notes: Vec<String>,
}

impl Tracked {
    /// Whether git tracks the path (of the root).
    pub(super) fn holds(&mut self, work_tree: &WorkTree, path: &RepoPath) -> bool {
        let inside = inside(work_tree, path).to_vec();
        self.index(work_tree).is_some_and(|index| index.entry_by_path(inside.as_slice().into()).is_some())
    }

    /// The tracked files and links below a directory, as paths of the root.
    pub(super) fn below(&mut self, work_tree: &WorkTree, directory: &RepoPath) -> Vec<RepoPath> {
        let prefix = [inside(work_tree, directory), b"/"].concat();
        let Some(index) = self.index(work_tree) else { return Vec::new() };
        let entries = index.prefixed_entries(prefix.as_slice().into()).unwrap_or_default();
        let mut paths: Vec<_> = entries
            .iter()
            .filter(|entry| matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK))
            .map(|entry| outside(work_tree, entry.path(index)))
            .collect();
        // A path in conflict has an entry for each side.
        paths.dedup();
        paths
    }

    /// Every tracked file and link, as paths of the root; `None` where the index can't be read.
    pub(super) fn all(&mut self, work_tree: &WorkTree) -> Option<Vec<RepoPath>> {
        if self.index(work_tree).is_none() {
            // A repository to which nothing was added yet has none.
            return self.unreadable.is_empty().then(Vec::new);
        }
        let index = self.index(work_tree)?;
        let is_file = |mode| matches!(mode, Mode::FILE | Mode::FILE_EXECUTABLE | Mode::SYMLINK);
        let entries = index.entries().iter().filter(|entry| is_file(entry.mode));
        let mut paths: Vec<_> = entries.map(|entry| outside(work_tree, entry.path(index))).collect();
        paths.dedup();
        Some(paths)
    }

    fn index(&mut self, work_tree: &WorkTree) -> Option<&gix_index::File> {
        if !self.indexes.contains_key(work_tree) {
            let index = read(&work_tree.git_dir).unwrap_or_else(|error| {
                let place = if work_tree.at.as_bytes().is_empty() { String::new() } else { format!(" of {}", work_tree.at) };
                self.notes.push(format!(
                    "the git index{place} can't be read ({error}): a file that git tracks although an ignore rule matches it is not found"
                ));
                self.unreadable.push(work_tree.at.clone());
                None
            });
            self.indexes.insert(work_tree.clone(), index);
        }
        self.indexes.get(work_tree)?.as_ref()
    }
}

/// Reads the index of a repository; one without an index tracks nothing.
fn read(git_dir: &Path) -> Result<Option<gix_index::File>, String> {
    let path = git_dir.join("index");
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err("not a regular file".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    let options = gix_index::decode::Options { thread_limit: Some(1), ..Default::default() };
    gix_index::File::at(path, object_format(git_dir), false, options).map(Some).map_err(|error| error.to_string())
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

fn inside<'a>(work_tree: &WorkTree, path: &'a RepoPath) -> &'a [u8] {
    let top = work_tree.at.as_bytes();
    if top.is_empty() { path.as_bytes() } else { path.as_bytes().get(top.len() + 1..).unwrap_or_default() }
}

fn outside(work_tree: &WorkTree, path: &[u8]) -> RepoPath {
    let top = work_tree.at.as_bytes();
    if top.is_empty() { RepoPath::new(path) } else { RepoPath::new([top, b"/", path].concat()) }
}
