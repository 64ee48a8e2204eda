//! Opening files of a tree that is not trusted: regular files only, no link followed, nothing that blocks.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use crate::model::RepoPath;

/// A file under a name of ours is classified by this much of it at the most.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Reads a file of the tree: regular files only, without following links or blocking; the first 64 MiB at the most.
pub fn read(root: &Path, path: &RepoPath) -> io::Result<Vec<u8>> {
    read_sized(&root.join(path.to_os())).map(|(bytes, _)| bytes)
}

/// The bytes of a file and its whole size.
pub(super) fn read_sized(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let file = open(path)?;
    let place = file.metadata()?;
    if !place.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(place.len().min(LONGEST)).unwrap_or(0));
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let size = place.len().max(bytes.len() as u64);
    Ok((bytes, size))
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    if std::fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link"));
    }
    OpenOptions::new().read(true).open(path)
}
