//! Systems that are no Unix. Nothing here has been run yet.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tokio::signal::windows::CtrlC;

use super::Stop;

/// The path of these bytes.
pub(crate) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Making a link takes a right that few have; one that is not there is looked at no further.
pub(crate) fn link(_: &[u8], _: &Path) -> io::Result<()> {
    Ok(())
}

/// Files have no such mode.
pub(crate) fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Files have no such mode; who reads them stands in lists that are not looked at.
pub(crate) fn readable_by_others(_: &Path) -> bool {
    false
}

/// The signal by which a user asks a process to end.
pub(crate) struct Signals {
    interrupt: CtrlC,
}

impl Signals {
    /// From here on it no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Stop {
        self.interrupt.recv().await;
        Stop::Interrupt
    }
}

/// Opens a file, also by a link.
pub(crate) fn followed(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens a file that is no link.
pub(crate) fn leaf(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_file() { File::open(path) } else { Err(super::not_regular()) }
}

/// Opens a file below a root, with no link on the way.
pub(crate) fn below(root: &Path, path: &Path) -> io::Result<File> {
    let mut at = root.to_path_buf();
    for part in path {
        at.push(part);
        if fs::symlink_metadata(&at)?.is_symlink() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link stands on the way"));
        }
    }
    leaf(&at)
}

/// What a file that is neither regular, a directory nor a link is called.
pub(crate) fn special_name(_: std::fs::FileType) -> &'static str {
    "something else"
}
