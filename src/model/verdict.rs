//! How a run ends: exit codes, the gate and the verdict.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Level;

/// How a run ends, as the process says it. Documented in `DESIGN`-order of precedence by [`Exit::PRECEDENCE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Pass, or submitted.
    Pass = 0,
    /// A finding at or above the gate.
    Findings = 1,
    /// Usage or configuration error.
    Usage = 2,
    /// Nothing to scan, and that was to fail.
    Empty = 3,
    /// Credentials missing or refused, or no permission.
    Login = 4,
    /// Service unreachable, failing, or not published there.
    Service = 5,
    /// Timed out waiting.
    Timeout = 6,
    /// Some file of ours was not scanned.
    Partial = 7,
    /// A report could not be written.
    Report = 8,
    /// A bug of ours.
    Bug = 70,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Where several hold, the first of these is the exit code.
    pub const PRECEDENCE: [Self; 12] = [
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
        Self::Usage,
        Self::Findings,
        Self::Login,
        Self::Service,
        Self::Timeout,
        Self::Partial,
        Self::Report,
        Self::Empty,
        Self::Pass,
    ];

    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The word for how a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All that is ours was scanned, and nothing reached the gate.
    Pass,
    /// A finding reached the gate.
    Fail,
    /// Some file of ours was not scanned, and nothing reached the gate.
    Partial,
    /// The run could not do its job.
    Error,
    /// Submitted and not waited for.
    Pending,
}

impl Status {
    /// The word, as it stands in the result.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Partial => "partial",
            Self::Error => "error",
            Self::Pending => "pending",
        }
    }
}

/// The outcome, with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The word.
    pub status: Status,
    /// The process's exit code.
    pub exit_code: u8,
    /// Everything that held, most decisive first.
    pub reasons: Vec<String>,
}

/// The level at which a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// `high` only.
    High,
    /// `medium` and above.
    Medium,
    /// `low` and above.
    Low,
    /// Any finding.
    Tips,
    /// No finding fails the run.
    Never,
}

impl FailOn {
    /// The lowest level that fails; `None` for `never`.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::High => Some(Level::High),
            Self::Medium => Some(Level::Medium),
            Self::Low => Some(Level::Low),
            Self::Tips => Some(Level::Tips),
            Self::Never => None,
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.level().map_or("never", Level::as_str))
    }
}
