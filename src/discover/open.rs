//! Opening files of a tree that is not trusted: regular files only, no link followed, nothing that blocks.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use crate::model::RepoPath;
use crate::platform;

/// Opens `path`, whose last part must be a regular file and no link.
pub(super) fn leaf(path: &Path) -> io::Result<File> {
    platform::leaf(path).and_then(regular)
}

/// Opens `path` below `root`; no part of it may be a link. `root` is absolute and has no link on its way either.
pub(super) fn below(root: &Path, path: &RepoPath) -> io::Result<File> {
    let path = path.to_os();
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a path below the root"));
    }
    platform::below(root, &path).and_then(regular)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(platform::not_regular()) }
}
