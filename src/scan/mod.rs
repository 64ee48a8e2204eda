//! The job against a [`Client`]: upload, submit, wait, collect. The [`Ledger`] holds what is known at any moment.

pub mod cache;
mod cluster;
mod collect;
mod ledger;
mod pages;
mod patience;
mod places;
pub mod plan;
mod submit;
mod upload;
mod wait;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::{Either, select, try_join3};
use futures_util::pin_mut;
use tokio::sync::{Notify, mpsc};

pub use cluster::{Account, ClusterJob, ClusterOptions, task_of};
pub use ledger::{Entry, Ledger, Verdict};
use patience::Patience;

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
    /// The documented window of the service's limit.
    pub window: Duration,
    /// How long a task that is being created is waited for when the run ends early.
    pub grace: Duration,
}

/// What the job is doing, for people who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is sent yet.
    Sending,
    /// Files whose upload ended, of all that are to be sent.
    Uploaded {
        /// Ended, well or not.
        done: usize,
        /// All.
        of: usize,
    },
    /// An upload was answered; the rest of its batch is sent again, apart.
    Answered,
    /// A task is about to be created.
    Submitting,
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
    client: &'a Client,
    options: Options,
    ledger: &'a RefCell<Ledger>,
    observe: &'a dyn Fn(Step),
    read: &'a dyn Fn(usize) -> std::io::Result<Masked>,
    /// What was seen of tasks that are not this run's: they are never asked again.
    others: RefCell<BTreeMap<String, HashSet<String>>>,
    patience: Patience<'a>,
    /// Whether all that is to be sent is in its task.
    sent: Cell<bool>,
    /// Whether the risks of all that were scanned are read.
    collected: Cell<bool>,
    /// Wakes who waits for tasks: there is another one, or there will be none.
    more_tasks: Notify,
    /// Wakes who asks for places: more risks are read, or all are.
    more_risks: Notify,
}

impl<'a> Job<'a> {
    /// A job for what waits in the ledger. `observe` is told of every step; `read` reads what is sent of a file of the tree, without
    /// following links or blocking.
    pub fn new(
        client: &'a Client,
        options: Options,
        ledger: &'a RefCell<Ledger>,
        observe: &'a dyn Fn(Step),
        read: &'a dyn Fn(usize) -> std::io::Result<Masked>,
    ) -> Self {
        Self {
            client,
            options,
            ledger,
            observe,
            read,
            others: RefCell::default(),
            patience: Patience::new(client, options.window),
            sent: Cell::new(false),
            collected: Cell::new(false),
            more_tasks: Notify::new(),
            more_risks: Notify::new(),
        }
    }

    /// Does the whole job, every part as soon as the one before it has something to give. An error ends it early; what was reached stands
    /// in the ledger.
    pub async fn run(&self) -> Result<(), Error> {
        (self.observe)(Step::Sending);
        if self.options.no_wait {
            return self.send().await;
        }
        let (finished, tasks) = mpsc::unbounded_channel();
        let send = self.send();
        let follow = try_join3(self.wait(finished), self.collect(tasks), self.ask_places());
        pin_mut!(send, follow);
        match select(send, follow).await {
            Either::Left((ended, follow)) => {
                ended?;
                follow.await.map(drop)
            }
            Either::Right((followed, send)) => {
                // Only an error ends what follows before all is sent. A task that is being created is worth a little time.
                if followed.is_err() && self.ledger.borrow().is_submitting() {
                    self.client.stop();
                    let _ = tokio::time::timeout(self.options.grace, send).await;
                }
                followed.map(drop)
            }
        }
    }

    /// A failed call costs these files their scan: where the service failed they are cut off, by its fault, and else they end in this
    /// state. An error says that the call ends the job, which leaves them open.
    fn lose(&self, files: &[usize], state: State, why: &str, error: Error) -> Result<(), Error> {
        let error = self.patience.forgive(error)?;
        let failing = is_failing(error.kind);
        let reason = format!("{why}{}", error.message);
        if !failing {
            self.end(files, state, &reason);
        } else if !files.is_empty() {
            let mut ledger = self.ledger.borrow_mut();
            for index in files {
                ledger.cut_off(*index, reason.clone());
            }
            ledger.failing = Some(error.message);
        }
        Ok(())
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

#[cfg(test)]
mod tests;
