//! An error that ends a command before it has a result: what failed, and the next step.

use crate::model::Exit;
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
        | hss::Kind::Refused
        | hss::Kind::Throttled
        | hss::Kind::Failing
        | hss::Kind::Unreachable => Exit::Service,
    }
}
