//! An error that ends a command before it has a result: what failed, and the next step.

use std::io::{IsTerminal as _, Write as _};

use crate::model::Exit;
use crate::report::printable;
use crate::{discover, hss};

/// Why a command could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was typed or configured can't be used.
    #[error("{0}")]
    Usage(String),
    /// The paths or patterns can't be used.
    #[error(transparent)]
    Discover(#[from] discover::Error),
    /// A request that can't be made.
    #[error(transparent)]
    Service(#[from] hss::Error),
    /// Something that the machine refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Error {
    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Discover(_) => Exit::Usage,
            Self::Service(error) => exit_of(error.kind),
            Self::Io { .. } => Exit::Report,
        }
    }
}

/// The exit code for a failed call.
pub(crate) fn exit_of(kind: hss::Kind) -> Exit {
    match kind {
        hss::Kind::Invalid | hss::Kind::StandIn => Exit::Usage,
        hss::Kind::Login => Exit::Login,
        hss::Kind::NotPublished
        | hss::Kind::Quota
        | hss::Kind::Refused
        | hss::Kind::Throttled
        | hss::Kind::Failing
        | hss::Kind::Unreachable => Exit::Service,
    }
}

/// From here on a panic, on whichever thread, is called a bug of ours and ends the process with [`Exit::Bug`]: not with the code of a
/// signal, which release builds would leave, and not with that of a verdict.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let mut stderr = std::io::stderr();
        // A progress bar may stand on the line.
        let start = if stderr.is_terminal() { "\n" } else { "" };
        let place = panic.to_string().lines().map(printable).collect::<Vec<_>>().join(" ");
        // Nobody is left to tell if stderr is gone.
        let _ = write!(
            stderr,
            "{start}error: a bug in hss-iac {} ended this run, which has no verdict\n  {place}\n\
             Please report it where you got hss-iac from, with these lines and the command line.\n",
            env!("CARGO_PKG_VERSION"),
        );
        end(Exit::Bug);
    }));
}

#[expect(clippy::exit, reason = "after a panic no caller is left to hand a code to")]
fn end(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}
