//! Opening files of a tree that is not trusted: regular files only, no link followed, nothing that blocks.

use std::fs::File;
use std::io;
use std::path::{Component, Path};

use crate::model::RepoPath;

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
    use std::path::Path;

    use rustix::fs::{Mode, OFlags};

    const FILE: OFlags =
        OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    pub(super) fn leaf(path: &Path) -> io::Result<File> {
        Ok(File::from(rustix::fs::open(path, FILE, Mode::empty()).map_err(said)?))
    }

    /// One call where the kernel can refuse links on the whole way.
    #[cfg(target_os = "linux")]
    pub(super) fn below(root: &Path, path: &Path) -> io::Result<File> {
        use rustix::fs::{CWD, ResolveFlags, openat2};
        use rustix::io::Errno;

        match openat2(CWD, root.join(path), FILE, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
            Ok(file) => Ok(File::from(file)),
            // A kernel before 5.6, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => part_by_part(root, path),
            Err(error) => Err(said(error)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) use part_by_part as below;

    pub(super) fn part_by_part(root: &Path, path: &Path) -> io::Result<File> {
        let mut at = rustix::fs::open(root, DIRECTORY, Mode::empty()).map_err(said)?;
        let mut parts = path.iter().peekable();
        while let Some(name) = parts.next() {
            let flags = if parts.peek().is_some() { DIRECTORY } else { FILE };
            at = rustix::fs::openat(&at, name, flags, Mode::empty()).map_err(said)?;
        }
        Ok(File::from(at))
    }

    fn said(error: rustix::io::Errno) -> io::Error {
        match error {
            rustix::io::Errno::LOOP => io::Error::new(io::ErrorKind::InvalidInput, "a link stands on the way"),
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
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link stands on the way"));
            }
        }
        leaf(&at)
    }

    pub(super) fn special_name(_: std::fs::FileType) -> &'static str {
        "something else"
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_of_opening_refuse_a_link_anywhere() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/x"), "x").unwrap();
        symlink("a", root.join("b")).unwrap();
        symlink("x", root.join("a/y")).unwrap();
        for (path, opens) in [("a/x", true), ("b/x", false), ("a/y", false), ("a/nothing", false), ("a/x/x", false)] {
            assert_eq!(platform::below(&root, Path::new(path)).is_ok(), opens, "{path}");
            assert_eq!(platform::part_by_part(&root, Path::new(path)).is_ok(), opens, "{path}, part by part");
        }
    }
}
