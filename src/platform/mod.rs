//! All that differs from one operating system to another.

use std::fs::{self, File};
use std::io;
use std::path::Path;

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use self::other::followed;
#[cfg(not(unix))]
use self::other::special_name;
#[cfg(not(unix))]
pub(crate) use self::other::{Signals, below, leaf, link, make_executable, path, readable_by_others};
#[cfg(unix)]
use self::unix::followed;
#[cfg(unix)]
use self::unix::special_name;
#[cfg(unix)]
pub(crate) use self::unix::{Signals, below, leaf, link, make_executable, path, readable_by_others};

/// How a process was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// By the user at the keyboard.
    Interrupt,
    /// By the system or a supervisor.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Terminate,
}

/// What a name in a directory stands for; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File,
    Link,
    /// None of these, with what it is called.
    Special(&'static str),
}

impl Kind {
    pub(crate) fn of(file_type: fs::FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_symlink() {
            Self::Link
        } else if file_type.is_dir() {
            Self::Directory
        } else {
            Self::Special(special_name(file_type))
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Directory => "a directory",
            Self::File => "a file",
            Self::Link => "a link",
            Self::Special(name) => name,
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use self::unix::{entries, kind};
#[cfg(not(target_os = "linux"))]
pub(crate) use self::{kind_by_real_path as kind, walked as entries};

/// What stands at a path below a root; an error too where the way to it leads over a link. `root` is real: no link is on its way.
pub(crate) fn kind_by_real_path(root: &Path, path: &Path) -> io::Result<Kind> {
    let place = root.join(path);
    let directory = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if fs::canonicalize(directory)? != directory {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link stands on the way"));
    }
    Ok(Kind::of(fs::symlink_metadata(&place)?.file_type()))
}

/// Shows `each` what a directory holds. The walker opens the directories in it too, to read none of them: where the system lists
/// names by itself, that is taken.
#[cfg_attr(target_os = "linux", cfg(test))]
pub(crate) fn walked(directory: &Path, mut each: impl FnMut(&std::ffi::OsStr, Kind)) -> io::Result<()> {
    let walk = walkdir::WalkDir::new(directory).follow_links(false).follow_root_links(false).min_depth(1).max_depth(1);
    for entry in walk {
        let entry = entry?;
        each(entry.file_name(), Kind::of(entry.file_type()));
    }
    Ok(())
}

/// Opens a regular file that a user named, and follows links: those of mounted secrets are links. Anything else is refused and not waited for.
pub(crate) fn named(path: &Path) -> io::Result<File> {
    // Opening some devices does something.
    let regular = |file_type: fs::FileType| match Kind::of(file_type) {
        Kind::File => Ok(()),
        other => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}: name a regular file", other.name()))),
    };
    regular(fs::metadata(path)?.file_type())?;
    let file = followed(path)?;
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// What was to be opened is something else than a file.
pub(crate) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}
