//! Where links lead, and what becomes of them: a link stands for its target where nothing else does.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::classify::{Content, Name, blocked};
use super::dockerfile;
use super::resolve::{relative, without_dots};
use super::select::Fate;
use super::standing::{Standing, Ways};
use super::walk::{Walk, is_store};
use crate::model::{FileType, RepoPath, SkipReason, SourceFile};

/// A link to a place in the tree that is no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) path: RepoPath,
    /// What it leads to in the end, however many links are on the way.
    pub(super) target: RepoPath,
}

/// What becomes of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// Nothing is lost with it: another place speaks of what it leads to.
    Skipped(SkipReason),
    /// It leads to what would be ours under its name, and nothing else stands for that.
    Lost(SourceFile),
}

/// Why a link leads to no place in the tree.
pub(super) enum Astray {
    /// It leads out of it.
    Out,
    /// It can't be told where it leads.
    Unknown(String),
    /// It leads to nothing.
    Broken,
}

/// The place in the tree that a link leads to. Only the names on the way are looked at.
pub(super) fn target(root: &Path, real_root: &Path, path: &RepoPath) -> Result<RepoPath, Astray> {
    let on_disk = root.join(path.to_os());
    let Ok(target) = fs::read_link(&on_disk) else {
        return Err(Astray::Unknown("a link that can't be read".to_owned()));
    };
    let real_directory = on_disk.parent().and_then(|directory| fs::canonicalize(directory).ok()).unwrap_or_default();
    let written = without_dots(&real_directory.join(target));
    if !(written.starts_with(real_root) || written.starts_with(root)) {
        return Err(Astray::Out);
    }
    match fs::canonicalize(&on_disk) {
        Ok(real) if real.starts_with(real_root) => Ok(relative(real_root, &real)),
        Ok(_) => Err(Astray::Out),
        // Missing, or a loop; a target that may not be looked at is one that we know nothing of.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(Astray::Unknown(format!("a link that can't be followed: {error}")))
        }
        Err(_) => Err(Astray::Broken),
    }
}

/// All of a link that decides what the content of its target makes of it: links of one kind share one look at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    name: Name,
    map: Option<FileType>,
    template: bool,
}

impl Kind {
    fn of(walk: &Walk<'_>, path: &RepoPath) -> Self {
        let base = path.file_name();
        let map = walk.rules.mapped(path).map(|(file_type, _)| file_type);
        Self { name: Name::of(base), map, template: dockerfile::has_template_extension(base) }
    }

    /// What a file of this kind is, if it is ours and there is no choice.
    fn only(self) -> Option<FileType> {
        match (self.map, self.name.dockerfile.is_some(), self.name.yaml) {
            (Some(file_type), _, _) => Some(file_type),
            (None, true, false) => Some(FileType::Dockerfile),
            (None, false, true) => Some(FileType::K8sYaml),
            (None, _, _) => None,
        }
    }
}

/// Decides about links, and looks at no target twice for the same.
pub(super) struct Links<'a> {
    walk: &'a Walk<'a>,
    ways: Ways<'a>,
    looks: BTreeMap<(RepoPath, Kind), Result<Content, String>>,
    buffer: Vec<u8>,
}

impl<'a> Links<'a> {
    pub(super) fn new(walk: &'a Walk<'a>) -> Self {
        Self { walk, ways: Ways::new(walk), looks: BTreeMap::new(), buffer: Vec::new() }
    }

    /// What becomes of a link whose target is taken for this under its own name, if it is.
    pub(super) fn settle(&mut self, link: &Link, taken: Option<FileType>) -> Settled {
        let Link { path, target } = link;
        let kind = Kind::of(self.walk, path);
        if taken.is_some() && taken == kind.only() {
            return Settled::Skipped(SkipReason::Link);
        }
        if taken.is_none() {
            match self.ways.standing(target, &mut Vec::new()) {
                Standing::NotSelected => return Settled::Skipped(SkipReason::Link),
                Standing::KeptOut(reason) => return Settled::Skipped(reason),
                Standing::Met(Fate::Look(_)) if kind == Kind::of(self.walk, target) => {
                    return Settled::Skipped(SkipReason::Link);
                }
                Standing::Met(fate) => {
                    if let Some(reason) = fate.kept_out() {
                        return Settled::Skipped(reason);
                    }
                }
                Standing::Passed => {}
            }
        }
        let lost = |file_type, size, why| Settled::Lost(blocked(path, file_type, size, why));
        let by_name = kind.map.unwrap_or_else(|| kind.name.file_type());
        if taken.is_none() && target.as_bytes().split(|byte| *byte == b'/').any(is_store) {
            let why = "a link into the store of a version control system, which is not searched";
            return lost(by_name, 0, why.to_owned());
        }
        match self.look(link, kind) {
            Ok(Content::Ours(file_type, _)) if taken == Some(*file_type) => Settled::Skipped(SkipReason::Link),
            Ok(Content::Ours(file_type, size)) => lost(
                *file_type,
                *size,
                format!(
                    "a link to {target}, which is not taken under its own name; --map {target}={file_type} takes it, or --exclude leaves the link out"
                ),
            ),
            Ok(Content::NotOurs) => Settled::Skipped(SkipReason::Link),
            Err(error) => lost(by_name, 0, format!("a link to {target}, which can't be read: {error}")),
        }
    }

    /// Whether what a link leads to, taken for this under its own name if it is, would be ours under that of the link.
    pub(super) fn speaks_of_ours(&mut self, link: &Link, taken: Option<FileType>) -> bool {
        let kind = Kind::of(self.walk, &link.path);
        (taken.is_some() && taken == kind.only()) || !matches!(self.look(link, kind), Ok(Content::NotOurs))
    }

    /// The git indexes that were asked and can't be read: a sentence each, and their work trees.
    pub(super) fn unreadable(self) -> (Vec<String>, Vec<RepoPath>) {
        (self.ways.index.notes, self.ways.index.unreadable)
    }

    /// What the content of the target makes of a link of this kind.
    fn look(&mut self, link: &Link, kind: Kind) -> &Result<Content, String> {
        let (classifier, buffer) = (&self.walk.classifier, &mut self.buffer);
        self.looks.entry((link.target.clone(), kind)).or_insert_with(|| {
            classifier.content(&link.target, &link.path, kind.map, buffer).map_err(|error| error.to_string())
        })
    }
}
