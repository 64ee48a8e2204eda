//! How a path stands to the options and to the ignore rules, whatever its name and its content are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::resolve::join;
use super::select::Fate;
use super::tracked::Tracked;
use super::walk::{Descent, Directory, Walk, is_store};
use crate::model::{RepoPath, SkipReason};

/// How a path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The walk comes to it, and this becomes of it.
    Met(Fate),
    /// The walk is kept from it, for this reason.
    KeptOut(SkipReason),
    /// No path of the command line selects it.
    NotSelected,
    /// Nobody keeps it out, and it is not looked at.
    Passed,
}

/// The ways to paths. What was seen of a directory is kept.
pub(super) struct Ways<'a> {
    walk: &'a Walk<'a>,
    entered: BTreeMap<RepoPath, Directory>,
    pub(super) index: Tracked<fn(&RepoPath) -> bool>,
}

impl<'a> Ways<'a> {
    pub(super) fn new(walk: &'a Walk<'a>) -> Self {
        Self { walk, entered: BTreeMap::new(), index: Tracked::new(|_| true) }
    }

    /// How a path stands, and the steps to that.
    pub(super) fn standing(&mut self, path: &RepoPath, steps: &mut Vec<String>) -> Standing {
        let walk = self.walk;
        let (parent, directory_ignored) = match self.way(path, steps) {
            Ok(way) => way,
            Err(standing) => return standing,
        };
        if !walk.rules.selects(path) {
            steps.push("no path on the command line selects it".to_owned());
            return Standing::NotSelected;
        }
        if walk.options.tracked {
            let is_tracked = parent.work_tree().is_some_and(|work_tree| self.index.holds(&work_tree, path));
            steps.push(format!("--tracked is given, and git {} it", if is_tracked { "tracks" } else { "does not track" }));
            return if is_tracked { Standing::Met(walk.rules.fate(path, false)) } else { Standing::Passed };
        }
        let on_disk = walk.options.root.join(path.to_os());
        let searched = directory_ignored.is_none();
        let Some(rule) =
            directory_ignored.or_else(|| Some(format!("an ignore rule matches it: {}", parent.hides(&on_disk)?)))
        else {
            return Standing::Met(walk.rules.fate(path, false));
        };
        steps.push(rule);
        let fate = walk.rules.fate(path, true);
        if fate != Fate::Ignored && searched {
            return Standing::Met(fate);
        }
        let tracked = parent.work_tree().is_some_and(|work_tree| self.index.holds(&work_tree, path));
        steps.append(&mut self.index.notes);
        let is_in_store = path.as_bytes().split(|byte| *byte == b'/').any(is_store);
        let asked = match (tracked, is_in_store) {
            (true, true) => "git tracks it",
            (true, false) => "git tracks it all the same, so the rule does not apply",
            (false, _) => "git does not track it",
        };
        steps.push(asked.to_owned());
        if searched || tracked {
            return Standing::Met(walk.rules.fate(path, !tracked));
        }
        if is_in_store {
            return Standing::Passed;
        }
        let unless = "unless it is named or a pattern spells its path out";
        steps.push(format!("a directory that is ignored is not searched, {unless}"));
        Standing::KeptOut(SkipReason::Ignored)
    }

    /// The directory of the file as the walk enters it, or the last one that it enters with what keeps it from the next.
    fn way(&mut self, path: &RepoPath, steps: &mut Vec<String>) -> Result<(Directory, Option<String>), Standing> {
        let walk = self.walk;
        let Some(mut at) = walk.root() else {
            steps.push("only other files are named on the command line".to_owned());
            return Err(Standing::NotSelected);
        };
        let mut on_disk = walk.options.root.clone();
        let relative = path.to_os();
        let mut parts = relative.iter().peekable();
        loop {
            at = self.enter(at, &on_disk);
            let (Some(part), Some(_)) = (parts.next(), parts.peek()) else { return Ok((at, None)) };
            on_disk.push(part);
            let path = join(&at.path, part);
            if fs::symlink_metadata(&on_disk).is_ok_and(|metadata| metadata.is_symlink()) {
                steps.push(format!("{path} is a link to a directory: it is not followed"));
                return Err(Standing::Passed);
            }
            let (step, standing) = match walk.descend(&at, path.clone(), &on_disk) {
                Descent::Enter(directory) => {
                    at = directory;
                    continue;
                }
                Descent::Pruned => {
                    (format!("{path} is the store of a version control system: it is never searched"), Standing::Passed)
                }
                Descent::NotSelected => {
                    (format!("no path on the command line selects anything in {path}"), Standing::NotSelected)
                }
                Descent::Excluded => {
                    let pattern = walk.rules.excludes(&path).unwrap_or_default();
                    (format!("--exclude {pattern} keeps the walk out of {path}"), Standing::KeptOut(SkipReason::Excluded))
                }
                Descent::Store => {
                    let why = "the store of a version control system: only what git tracks in it is looked at";
                    return Ok((at, Some(format!("{path} is {why}"))));
                }
                Descent::Ignored => {
                    return Ok((at, Some(format!("an ignore rule matches it: one that keeps the walk out of {path}"))));
                }
            };
            steps.push(step);
            return Err(standing);
        }
    }

    fn enter(&mut self, mut directory: Directory, on_disk: &Path) -> Directory {
        if let Some(entered) = self.entered.get(&directory.path) {
            return entered.clone();
        }
        let is = |name: &str, file: bool| fs::symlink_metadata(on_disk.join(name)).is_ok_and(|m| !file || m.is_file());
        self.walk.enter(&mut directory, on_disk, is(".git", false), is(".gitignore", true));
        self.entered.insert(directory.path.clone(), directory.clone());
        directory
    }
}
