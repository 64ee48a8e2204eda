//! `.gitignore`, `.git/info/exclude` and the global excludes, matched by the `ignore` crate.

use std::path::Path;
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The rules that hold in a directory: its own before those above it.
pub(super) struct Rules {
    own: Gitignore,
    above: Option<Arc<Rules>>,
}

impl Rules {
    /// The rules at a root; none outside a git work tree.
    pub(super) fn at_root(root: &Path) -> Option<Arc<Self>> {
        if std::fs::symlink_metadata(root.join(".git")).is_err() {
            return None;
        }
        let global = Arc::new(Self { own: GitignoreBuilder::new(root).build_global().0, above: None });
        let mut exclude = GitignoreBuilder::new(root);
        // A rule that can't be read is passed over, as git does.
        let _ = exclude.add(git_dir(root).join("info/exclude"));
        let exclude = exclude.build().unwrap_or_else(|_| Gitignore::empty());
        Some(Arc::new(Self { own: exclude, above: Some(global) }))
    }

    /// The rules in `folder`, given those above it.
    pub(super) fn in_folder(above: &Arc<Self>, folder: &Path) -> Arc<Self> {
        let file = folder.join(".gitignore");
        if !std::fs::symlink_metadata(&file).is_ok_and(|place| place.is_file()) {
            return Arc::clone(above);
        }
        let mut builder = GitignoreBuilder::new(folder);
        let _ = builder.add(file);
        match builder.build() {
            Ok(own) if own.is_empty() => Arc::clone(above),
            Ok(own) => Arc::new(Self { own, above: Some(Arc::clone(above)) }),
            Err(_) => Arc::clone(above),
        }
    }

    /// Whether a path in this directory is ignored.
    pub(super) fn ignore(&self, path: &Path, is_dir: bool) -> bool {
        match self.own.matched(path, is_dir) {
            Match::Ignore(_) => true,
            Match::Whitelist(_) => false,
            Match::None => self.above.as_ref().is_some_and(|above| above.ignore(path, is_dir)),
        }
    }
}

/// The git directory of a root; a `.git` file names it, and its `commondir` the one with `info`.
pub(super) fn git_dir(root: &Path) -> std::path::PathBuf {
    let dot_git = root.join(".git");
    let Ok(text) = std::fs::read_to_string(&dot_git) else { return dot_git };
    match text.strip_prefix("gitdir:") {
        Some(place) => root.join(place.trim()),
        None => dot_git,
    }
}
