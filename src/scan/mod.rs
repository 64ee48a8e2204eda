//! The job against a [`Client`]: upload, submit, wait, collect. The [`Ledger`] holds what is known at any moment.

pub mod cache;
mod collect;
mod ledger;
mod pages;
pub mod plan;
mod submit;
mod upload;
mod wait;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::try_join;
use tokio::sync::mpsc;

pub use ledger::{Entry, Ledger};

use crate::hss::{Client, Error, Kind};
use crate::mask::Masked;
use crate::model::{Level, State};

/// How to go about it.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Requests in flight at most.
    pub jobs: usize,
    /// Calls for the places of risks at most.
    pub max_path_calls: usize,
    /// The lowest level that fails the run: places of these risks are asked for first.
    pub gate: Option<Level>,
    /// Submit and go.
    pub no_wait: bool,
    /// The steady distance of polls.
    pub poll: Duration,
}

/// What the job is doing, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Files whose upload ended, of all that are to be sent.
    Uploaded {
        /// Ended, well or not.
        done: usize,
        /// All.
        of: usize,
    },
    /// Tasks created so far.
    Submitted {
        /// Tasks.
        tasks: usize,
    },
    /// Tasks that have finished, of all.
    Finished {
        /// Finished.
        done: usize,
        /// All.
        of: usize,
    },
    /// Files whose risks are read, of all that were submitted.
    Collected {
        /// Read.
        done: usize,
        /// All.
        of: usize,
    },
    /// Risks whose place in the file was asked for, of all that will be.
    Placed {
        /// Asked for.
        done: usize,
        /// All.
        of: usize,
    },
}

/// The job. It borrows its ledger, so that dropping the job in the middle leaves the account behind.
pub struct Job<'a> {
    /// Whom to ask.
    pub client: &'a Client,
    /// How.
    pub options: Options,
    /// The account.
    pub ledger: &'a RefCell<Ledger>,
    /// Told of every step.
    pub observe: &'a dyn Fn(Step),
    /// Reads what is sent of a file of the tree, without following links or blocking.
    pub read: &'a dyn Fn(usize) -> std::io::Result<Masked>,
    /// What was seen of tasks that are not this run's: they are never asked again.
    pub others: RefCell<BTreeMap<String, HashSet<String>>>,
    /// Calls in a row that failed for good.
    pub strikes: Cell<u32>,
    /// Since when tasks of this run may have been created: milliseconds of the service's clock.
    pub since: Cell<Option<i64>>,
}

/// How long a task that is being created is waited for when the run ends early.
pub const GRACE: Duration = Duration::from_secs(3);

/// The first waits between looks, in thousandths of the steady distance: early while it costs nothing, and only five in the first
/// window of the documented limit.
const FIRST_LOOKS: [u32; 6] = [20, 30, 100, 300, 800, 2_800];

/// A service that fails this many calls in a row, each after all its repetitions, is left alone.
const STRIKES: u32 = 2;

impl Job<'_> {
    /// Does the whole job. An error ends it early; what was reached stands in the ledger.
    pub async fn run(&self) -> Result<(), Error> {
        self.send().await?;
        if self.options.no_wait || self.ledger.borrow().tasks.is_empty() {
            return Ok(());
        }
        let (finished, tasks) = mpsc::unbounded_channel();
        try_join(self.wait(finished), self.collect(tasks)).await?;
        self.ask_places().await
    }

    /// Whether a failed call ends the job: the next ones would fail as well. Otherwise only its files are lost.
    fn forgive(&self, error: Error) -> Result<Error, Error> {
        if is_fatal(error.kind) {
            return Err(error);
        }
        let strikes = if is_failing(error.kind) { self.strikes.get() + 1 } else { 0 };
        self.strikes.set(strikes);
        if strikes >= STRIKES {
            return Err(error);
        }
        Ok(error)
    }

    /// A failed call costs these files their scan: where the service failed they are cut off, by its fault, and else they end in this
    /// state. An error says that the call ends the job, which leaves them open.
    fn lose(&self, files: &[usize], state: State, why: &str, error: Error) -> Result<(), Error> {
        let error = self.forgive(error)?;
        let failing = is_failing(error.kind);
        self.end(files, if failing { State::NotScanned } else { state }, &format!("{why}{}", error.message));
        if failing && !files.is_empty() {
            self.ledger.borrow_mut().failing = Some(error.message);
        }
        Ok(())
    }

    /// The distance of the nth look at something that takes its time, from 0.
    fn pause(&self, look: usize) -> Duration {
        self.options.poll * FIRST_LOOKS.get(look).copied().unwrap_or(1_000) / 1_000
    }

    fn end(&self, files: &[usize], state: State, reason: &str) {
        let mut ledger = self.ledger.borrow_mut();
        for index in files {
            ledger.end(*index, state, Some(reason.to_owned()));
        }
    }

    fn note(&self, note: String) {
        self.ledger.borrow_mut().notes.push(note);
    }
}

/// Whether the service is to blame, and another call may fare better.
fn is_failing(kind: Kind) -> bool {
    matches!(kind, Kind::Failing | Kind::Throttled)
}

/// Whether every later call would fail for the same reason.
fn is_fatal(kind: Kind) -> bool {
    matches!(kind, Kind::Login | Kind::NotPublished | Kind::Quota | Kind::Unreachable | Kind::StandIn)
}
