//! Which files of ours a change touches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::Base;
use super::lines::Lines;
use crate::git::{EntryKind, TreeEntry, blob_id};
use crate::model::{FileType, RepoPath, Skipped, SourceFile};
use crate::{discover, locate};

/// More pairs of a new file and one that is gone are not compared.
const MAX_PAIRS: usize = 1_000;

/// How a change touches the files of ours.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// The changed ones, each with the path that it had at the base: its own, that of a renamed file, or none where it is new.
    pub(crate) changed: BTreeMap<RepoPath, Option<RepoPath>>,
    /// On what is not scanned and may change what is, a sentence each.
    pub(crate) notes: Vec<String>,
}

impl Base {
    /// Compares the files with those of the base by their hashes, so that nothing a repository names is run.
    pub(crate) fn touched(&self, root: &Path, files: &[SourceFile], skipped: &[Skipped]) -> Touched {
        if self.commits.is_empty() {
            return Touched::default();
        }
        let mut inner = HashMap::new();
        let mut changed = BTreeMap::new();
        let mut added = Vec::new();
        for file in files {
            let entries: Vec<Option<TreeEntry>> =
                (0..self.trees.len()).map(|at| self.entry(at, &file.path, &mut inner)).collect();
            let mut is_as_it_was = |at: usize, entry: &TreeEntry| {
                is_same(root, &file.path, entry)
                    && (entry.kind != EntryKind::Link || self.leads_to_the_same(at, root, &file.path, &mut inner))
            };
            if entries.iter().enumerate().all(|(at, entry)| entry.as_ref().is_some_and(|entry| is_as_it_was(at, entry))) {
                continue;
            }
            let was = entries.iter().any(Option::is_some).then(|| file.path.clone());
            if was.is_none() {
                added.push(file);
            }
            changed.insert(file.path.clone(), was);
        }
        for (path, was) in self.renamed(root, &added) {
            changed.insert(path, Some(was));
        }
        Touched { changed, notes: self.around(root, skipped) }
    }

    /// The submodules that are to stand at another commit, a sentence each: what is in them is not part of what is staged or pushed.
    pub(crate) fn moved(&self, modules: &[TreeEntry]) -> Vec<String> {
        let Some(tree) = self.trees.first() else { return Vec::new() };
        let moved = modules.iter().filter(|module| tree.get(&module.path) != Some(module));
        moved.map(|module| format!("the submodule {} changed: what is in it is not scanned", module.path)).collect()
    }

    /// Whether a link, which stands for what it leads to, leads to a file that is as it was; to one outside of the tree nobody asks.
    fn leads_to_the_same(
        &self,
        at: usize,
        root: &Path,
        path: &RepoPath,
        inner: &mut HashMap<String, HashMap<RepoPath, TreeEntry>>,
    ) -> bool {
        let Some(target) = discover::target_of_link(root, path) else { return true };
        self.entry(at, &target, inner).is_some_and(|entry| is_same(root, &target, &entry))
    }

    /// What stands at a path of a merge base, in submodules too.
    fn entry(
        &self,
        at: usize,
        path: &RepoPath,
        inner: &mut HashMap<String, HashMap<RepoPath, TreeEntry>>,
    ) -> Option<TreeEntry> {
        let tree = self.trees.get(at)?;
        if let Some(entry) = tree.get(path) {
            return Some(entry.clone());
        }
        let bytes = path.as_bytes();
        let slashes = (0..bytes.len()).filter(|at| bytes[*at] == b'/');
        for slash in slashes {
            let module = RepoPath::new(&bytes[..slash]);
            let Some(entry) = tree.get(&module).filter(|entry| entry.kind == EntryKind::Submodule) else { continue };
            let files = inner.entry(format!("{module} {}", entry.id)).or_insert_with(|| {
                let listed = self.git.inside(&module).and_then(|git| git.tree(&entry.id).ok()).unwrap_or_default();
                listed.into_iter().map(|entry| (entry.path.clone(), entry)).collect()
            });
            return files.get(&RepoPath::new(&bytes[slash + 1..])).cloned();
        }
        None
    }

    /// The files that are new under their path and were there under another one: with the same bytes, or most of the same lines.
    fn renamed(&self, root: &Path, added: &[&SourceFile]) -> Vec<(RepoPath, RepoPath)> {
        let Some(tree) = self.trees.first().filter(|_| !added.is_empty()) else { return Vec::new() };
        let is_gone = |entry: &&TreeEntry| {
            entry.kind == EntryKind::File && discover::speaks_of_ours(&entry.path) && discover::is_gone(root, &entry.path)
        };
        let mut gone: Vec<&TreeEntry> = tree.values().filter(is_gone).collect();
        gone.sort_by(|a, b| a.path.cmp(&b.path));
        let Some(like) = gone.first().map(|entry| entry.id.clone()) else { return Vec::new() };
        let mut by_id: HashMap<&str, Vec<&TreeEntry>> = HashMap::new();
        for entry in gone.iter().rev() {
            by_id.entry(&entry.id).or_default().push(entry);
        }
        let mut taken = BTreeSet::new();
        let mut renamed = Vec::new();
        let mut edited = Vec::new();
        for file in added {
            let Ok(bytes) = discover::read_at_most(root, &file.path, discover::MAX_FILE_SIZE) else { continue };
            let same = blob_id(&bytes, &like).and_then(|id| by_id.get_mut(id.as_str()));
            // What was none of ours at the base was not scanned there: it comes in with all its lines.
            let is_ours = |entry: &&TreeEntry| discover::type_of(&entry.path, &bytes) == Some(file.file_type);
            match same.and_then(Vec::pop).filter(is_ours) {
                Some(was) => {
                    taken.insert(&was.path);
                    renamed.push((file.path.clone(), was.path.clone()));
                }
                None => edited.push(*file),
            }
        }
        gone.retain(|entry| !taken.contains(&entry.path));
        renamed.extend(self.alike(root, &gone, &edited));
        renamed
    }

    /// The best match of each new file among those that are gone, where most of the lines are the same.
    fn alike(&self, root: &Path, gone: &[&TreeEntry], added: &[&SourceFile]) -> Vec<(RepoPath, RepoPath)> {
        if gone.is_empty() || gone.len() * added.len() > MAX_PAIRS {
            return Vec::new();
        }
        let ids: Vec<&str> = gone.iter().map(|entry| entry.id.as_str()).collect();
        let blobs = self.git.blobs(&ids).unwrap_or_default();
        let old = |(entry, bytes): (&&TreeEntry, Option<Vec<u8>>)| {
            let bytes = bytes.filter(|bytes| bytes.len() as u64 <= discover::MAX_FILE_SIZE)?;
            Some((entry.path.clone(), discover::type_of(&entry.path, &bytes)?, locate::decode(&bytes)))
        };
        let gone: Vec<(RepoPath, FileType, String)> = gone.iter().zip(blobs).filter_map(old).collect();
        let mut taken = BTreeSet::new();
        let mut renamed = Vec::new();
        for file in added {
            let Ok(bytes) = discover::read_at_most(root, &file.path, discover::MAX_FILE_SIZE) else { continue };
            let text = locate::decode(&bytes);
            let candidates =
                gone.iter().filter(|(path, file_type, _)| *file_type == file.file_type && !taken.contains(path));
            let best = candidates
                .map(|(path, _, old)| (Lines::between(old, &text).likeness(old, &text), path))
                .max_by_key(|(like, path)| (*like, std::cmp::Reverse(*path)));
            if let Some((_, was)) = best.filter(|(like, _)| *like >= 50) {
                taken.insert(was.clone());
                renamed.push((file.path.clone(), was.clone()));
            }
        }
        renamed
    }

    /// Changed kustomizations and charts: what they build is not here to be scanned.
    fn around(&self, root: &Path, skipped: &[Skipped]) -> Vec<String> {
        let Some(tree) = self.trees.first() else { return Vec::new() };
        let is_there = |path: &RepoPath| tree.contains_key(path) || !discover::is_gone(root, path);
        let differs = |path: &RepoPath| tree.get(path).is_none_or(|entry| !is_same(root, path, entry));
        let paths: BTreeSet<&RepoPath> = tree.keys().chain(skipped.iter().map(|skipped| &skipped.path)).collect();
        let mut named: BTreeSet<(&str, RepoPath)> = BTreeSet::new();
        for path in paths {
            let builders = builders(path, &is_there);
            if !builders.is_empty() && differs(path) {
                named.extend(builders);
            }
        }
        let note = |(what, at): &(&str, RepoPath)| {
            let place = if at.as_bytes().is_empty() { "the root".to_owned() } else { at.to_string() };
            format!("the {what} in {place} changed: what it builds may differ where no file does, and is not scanned")
        };
        named.iter().map(note).collect()
    }
}

/// Whether the file is, byte for byte, what the entry names; for a link, whether it leads to the same place.
fn is_same(root: &Path, path: &RepoPath, entry: &TreeEntry) -> bool {
    let bytes = match entry.kind {
        EntryKind::File => discover::read(root, path).ok(),
        EntryKind::Link => {
            std::fs::read_link(root.join(path.to_os())).ok().map(|target| target.into_os_string().into_encoded_bytes())
        }
        EntryKind::Submodule => None,
    };
    bytes.and_then(|bytes| blob_id(&bytes, &entry.id)).is_some_and(|id| id == entry.id)
}

/// What a path is part of that builds manifests, and where that stands.
pub(super) fn builders(path: &RepoPath, is_there: &dyn Fn(&RepoPath) -> bool) -> Vec<(&'static str, RepoPath)> {
    let bytes = path.as_bytes();
    let parent = |end: usize| RepoPath::new(&bytes[..end.saturating_sub(1)]);
    let name = path.file_name();
    let folder = bytes.len() - name.len();
    if matches!(name, b"kustomization.yaml" | b"kustomization.yml" | b"Kustomization") {
        return vec![("kustomization", parent(folder))];
    }
    let is_of_chart = name == b"Chart.yaml" || (name.starts_with(b"values") && discover::speaks_of_ours(path));
    let own = is_of_chart.then(|| parent(folder));
    let templates = memchr::memmem::find_iter(bytes, b"templates/").filter(|at| *at == 0 || bytes[at - 1] == b'/');
    let charts = own.into_iter().chain(templates.map(parent)).filter(|at| is_there(&at.join(b"Chart.yaml")));
    charts.map(|at| ("chart", at)).collect()
}
