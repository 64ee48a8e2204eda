//! Unix.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[cfg(target_os = "linux")]
use super::Kind;
use super::Stop;

/// The path of these bytes.
pub(crate) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// Makes a link.
pub(crate) fn link(target: &[u8], at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(OsStr::from_bytes(target), at)
}

/// Lets everybody run a file.
pub(crate) fn make_executable(path: &Path) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(0o755))
}

/// Whether the group of a file, or everybody, can read it.
pub(crate) fn readable_by_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

/// The signals by which a user or a system asks a process to end.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on they no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}

const FOLLOWED: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
const FILE: OFlags = FOLLOWED.union(OFlags::NOFOLLOW);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a file, also by a link, without waiting for a writer.
pub(crate) fn followed(path: &Path) -> io::Result<File> {
    Ok(File::from(rustix::fs::open(path, FOLLOWED, Mode::empty()).map_err(said)?))
}

/// Opens a file without following a link at its end or waiting for a writer.
pub(crate) fn leaf(path: &Path) -> io::Result<File> {
    Ok(File::from(rustix::fs::open(path, FILE, Mode::empty()).map_err(said)?))
}

/// One call where the kernel can refuse links on the whole way.
#[cfg(target_os = "linux")]
pub(crate) fn below(root: &Path, path: &Path) -> io::Result<File> {
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
pub(crate) use part_by_part as below;

/// What stands at a path below a root; an error too where the way to it leads over a link. `root` is real: no link is on its way.
#[cfg(target_os = "linux")]
pub(crate) fn kind(root: &Path, path: &Path) -> io::Result<Kind> {
    use rustix::fs::{CWD, ResolveFlags, openat2};
    use rustix::io::Errno;

    let place = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
    match openat2(CWD, root.join(path), place, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        Ok(place) => Ok(Kind::of(File::from(place).metadata()?.file_type())),
        Err(Errno::NOSYS | Errno::PERM) => super::kind_by_real_path(root, path),
        Err(error) => Err(said(error)),
    }
}

/// The room for the names of a directory; nearly all fit in it at once.
#[cfg(target_os = "linux")]
const LISTING: usize = 32 * 1024;

/// Shows `each` what a directory, which is no link, holds: one pass over the names, which come with what they stand for.
#[cfg(target_os = "linux")]
pub(crate) fn entries(directory: &Path, mut each: impl FnMut(&OsStr, Kind)) -> io::Result<()> {
    use rustix::fs::{FileType, RawDir};

    let opened = rustix::fs::open(directory, DIRECTORY, Mode::empty()).map_err(said)?;
    let mut names = Vec::with_capacity(LISTING);
    let mut listing = RawDir::new(opened, names.spare_capacity_mut());
    while let Some(entry) = listing.next() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let kind = match entry.file_type() {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            // Some file systems say it only when they are asked for the file.
            _ => Kind::of(std::fs::symlink_metadata(directory.join(name))?.file_type()),
        };
        if kind != Kind::Directory || !matches!(name.as_bytes(), b"." | b"..") {
            each(name, kind);
        }
    }
    Ok(())
}

pub(crate) fn part_by_part(root: &Path, path: &Path) -> io::Result<File> {
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

/// What a file that is neither regular, a directory nor a link is called.
pub(crate) fn special_name(file_type: std::fs::FileType) -> &'static str {
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

#[cfg(test)]
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
            assert_eq!(below(&root, Path::new(path)).is_ok(), opens, "{path}");
            assert_eq!(part_by_part(&root, Path::new(path)).is_ok(), opens, "{path}, part by part");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn both_ways_of_asking_what_stands_there_refuse_a_link_on_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/x"), "x").unwrap();
        symlink("a", root.join("b")).unwrap();
        symlink("/nowhere", root.join("a/y")).unwrap();
        let expected = [
            ("a", Some(Kind::Directory)),
            ("a/x", Some(Kind::File)),
            ("a/y", Some(Kind::Link)),
            ("b", Some(Kind::Link)),
            ("b/x", None),
            ("a/y/x", None),
            ("a/nothing", None),
        ];
        for (path, stands) in expected {
            assert_eq!(kind(&root, Path::new(path)).ok(), stands, "{path}");
            assert_eq!(super::super::kind_by_real_path(&root, Path::new(path)).ok(), stands, "{path}, by its real path");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn both_ways_of_listing_show_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join(".gitignore"), "x").unwrap();
        fs::write(root.join(OsStr::from_bytes(b"not \xFF utf-8")), "x").unwrap();
        symlink("a", root.join("to a")).unwrap();
        symlink("nowhere", root.join("to nothing")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        // More names than one reading holds.
        (0..2000).for_each(|n| fs::write(root.join(format!("a file with a long name {n}")), "").unwrap());
        let (mut listed, mut walked) = (Vec::new(), Vec::new());
        entries(root, |name, kind| listed.push((name.to_owned(), format!("{kind:?}")))).unwrap();
        super::super::walked(root, |name, kind| walked.push((name.to_owned(), format!("{kind:?}")))).unwrap();
        listed.sort();
        walked.sort();
        assert_eq!(listed, walked);
        assert_eq!(listed.len(), 2006);
        assert_eq!(listed.iter().find(|(name, _)| name == "socket").unwrap().1, "Special(\"a socket\")");
        assert!(entries(&root.join("to a"), |_, _| ()).is_err(), "a link is not listed");
    }
}
