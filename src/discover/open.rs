//! Opening files of a tree that is not trusted: regular files only, no link followed, nothing that blocks.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::model::RepoPath;

/// Opens `path`, whose last part must be a regular file and no link.
pub(super) fn leaf(path: &Path) -> io::Result<File> {
    platform::leaf(path).and_then(regular)
}

/// Opens `path` below `root`; no part of it may be a link.
pub(super) fn below(root: &Path, path: &RepoPath) -> io::Result<File> {
    platform::below(root, &path.to_os()).and_then(regular)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

/// What a file that is neither regular, a directory nor a link is called.
pub(super) fn special_name(file_type: std::fs::FileType) -> &'static str {
    platform::special_name(file_type)
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileTypeExt as _;
    use std::path::{Component, Path};

    use rustix::fs::{Mode, OFlags};

    const FILE: OFlags =
        OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    pub(super) fn leaf(path: &Path) -> io::Result<File> {
        Ok(File::from(rustix::fs::open(path, FILE, Mode::empty()).map_err(said)?))
    }

    pub(super) fn below(root: &Path, path: &Path) -> io::Result<File> {
        // The root itself may well be reached through links: the user named it.
        let mut at = rustix::fs::open(root, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?;
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else { return Err(super::not_regular()) };
            let flags = if parts.peek().is_some() { DIRECTORY } else { FILE };
            at = rustix::fs::openat(&at, name, flags, Mode::empty()).map_err(said)?;
        }
        Ok(File::from(at))
    }

    fn said(error: rustix::io::Errno) -> io::Error {
        match error {
            rustix::io::Errno::LOOP => io::Error::new(io::ErrorKind::InvalidInput, "a link"),
            // What opening a socket, or a device without a driver, answers.
            rustix::io::Errno::NXIO => super::not_regular(),
            other => other.into(),
        }
    }

    pub(super) fn special_name(file_type: std::fs::FileType) -> &'static str {
        if file_type.is_fifo() {
            "a FIFO"
        } else if file_type.is_socket() {
            "a socket"
        } else if file_type.is_block_device() {
            "a block device"
        } else if file_type.is_char_device() {
            "a character device"
        } else {
            "something else"
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::{self, File};
    use std::io;
    use std::path::Path;

    pub(super) fn leaf(path: &Path) -> io::Result<File> {
        if fs::symlink_metadata(path)?.is_file() { File::open(path) } else { Err(super::not_regular()) }
    }

    pub(super) fn below(root: &Path, path: &Path) -> io::Result<File> {
        let mut at = root.to_path_buf();
        for part in path {
            at.push(part);
            if fs::symlink_metadata(&at)?.is_symlink() {
                return Err(super::not_regular());
            }
        }
        leaf(&at)
    }

    pub(super) fn special_name(_: std::fs::FileType) -> &'static str {
        "something else"
    }
}
