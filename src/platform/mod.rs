//! All that differs from one operating system to another.

use std::io;

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use self::other::{Signals, below, leaf, link, make_executable, path, readable_by_others, special_name};
#[cfg(unix)]
pub(crate) use self::unix::{Signals, below, leaf, link, make_executable, path, readable_by_others, special_name};

/// How a process was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// By the user at the keyboard.
    Interrupt,
    /// By the system or a supervisor.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Terminate,
}

/// What was to be opened is something else than a file.
pub(crate) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}
