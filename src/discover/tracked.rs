//! What git tracks, from its index: a tracked file that `.gitignore` matches is not ignored.

use std::path::Path;

use crate::model::RepoPath;

/// The tracked paths for which `wanted` holds.
pub(super) fn paths(root: &Path, wanted: impl Fn(&RepoPath) -> bool) -> Result<Vec<RepoPath>, String> {
    let place = super::ignored::git_dir(root).join("index");
    if std::fs::symlink_metadata(&place).is_err() {
        return Ok(Vec::new());
    }
    let index = gix_index::File::at(&place, gix_index::hash::Kind::Sha1, true, gix_index::decode::Options::default())
        .map_err(|error| {
            format!("git's index can't be read, so tracked files that .gitignore matches are not taken: {error}")
        })?;
    let paths = index.entries().iter().filter(|entry| entry.mode.contains(gix_index::entry::Mode::FILE));
    Ok(paths.map(|entry| RepoPath::new(entry.path(&index).to_vec())).filter(wanted).collect())
}
