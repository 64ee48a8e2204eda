//! The JSON result of a run that has not ended: written after every step that matters, so that `resume` can go on with it whatever happens
//! to the process.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::begun::{self, Begun};
use super::findings::Findings;
use super::output;
use crate::cli::Format;
use crate::hss::Client;
use crate::judge::{self, Facts};
use crate::model::{Exit, ScanResult, Service};
use crate::progress::Progress;
use crate::scan::{Ledger, Step};
use crate::{report, settings};

/// Where a step would only be read again, or one upload among several be sent again, writing takes no more than this part of the time.
const SHARE: u32 = 20;

/// Where the result stands while the run goes on.
pub(super) struct Checkpoint<'a> {
    settings: &'a settings::Scan,
    paths: Vec<PathBuf>,
    begun: &'a Begun,
    result: RefCell<ScanResult>,
    findings: RefCell<Findings>,
    /// Not before this time, unless it must be.
    due: Cell<Instant>,
    /// Whether something is to be written when it is due, and who is to be told.
    is_behind: Cell<bool>,
    behind: Notify,
    failed: Cell<bool>,
}

impl<'a> Checkpoint<'a> {
    /// One for each JSON result that goes to a file.
    pub(super) fn new(settings: &'a settings::Scan, begun: &'a Begun, findings: Findings) -> Self {
        let in_file = settings.outputs.iter().filter(|output| output.format == Format::Json);
        Self {
            settings,
            paths: in_file.filter_map(|output| output.path.clone()).collect(),
            begun,
            result: RefCell::new(begun.result.clone()),
            findings: RefCell::new(findings),
            due: Cell::new(Instant::now()),
            is_behind: Cell::new(false),
            behind: Notify::new(),
            failed: Cell::new(false),
        }
    }

    /// The service is known.
    pub(super) fn begin(&self, service: &Service) {
        self.result.borrow_mut().service = service.clone().after(&self.begun.result.service);
    }

    /// The findings so far, which need not be brought to their lines again.
    pub(super) fn into_findings(self) -> Findings {
        self.findings.into_inner()
    }

    /// Writes what is known after a step: at once where a task would be created again without it, or where an upload would be sent again
    /// under a limit, where there are few of them; else when it is due.
    pub(super) fn step(&self, step: Step, ledger: &Ledger, client: &Client, progress: &Progress) {
        let must = match step {
            Step::Sending | Step::Submitting | Step::Submitted { .. } => true,
            Step::Answered | Step::Uploaded { .. } => self.settings.jobs == 1 || !client.is_free(),
            Step::Finished { .. } | Step::Collected { .. } | Step::Placed { .. } => false,
        };
        if must || Instant::now() >= self.due.get() {
            self.write(ledger, client, progress);
        } else {
            self.is_behind.set(true);
            self.behind.notify_one();
        }
    }

    /// Writes what no step was worth writing for, once it is due: none may follow for long. It goes on for ever.
    pub(super) async fn catch_up(&self, ledger: &RefCell<Ledger>, client: &Client, progress: &Progress) -> Infallible {
        loop {
            self.behind.notified().await;
            while self.is_behind.get() {
                let due = self.due.get();
                tokio::time::sleep_until(due.into()).await;
                if due == self.due.get() {
                    self.write(&ledger.borrow(), client, progress);
                }
            }
        }
    }

    fn write(&self, ledger: &Ledger, client: &Client, progress: &Progress) {
        self.is_behind.set(false);
        if self.paths.is_empty() {
            return;
        }
        let start = Instant::now();
        let (mut result, mut findings) = (self.result.borrow_mut(), self.findings.borrow_mut());
        findings.update(ledger, &self.settings.input);
        result.findings = findings.lend();
        self.look_at(&mut result, ledger, client);
        for path in &self.paths {
            let written = output::write_draft(path, |out| report::json::write_line(&*result, out));
            if let Err(error) = written
                && !self.failed.replace(true)
            {
                progress.warn(&format!("the result can't be kept in {} while the run goes on: {error}", path.display()));
            }
        }
        findings.give_back(std::mem::take(&mut result.findings));
        self.due.set(Instant::now() + start.elapsed().max(Duration::from_millis(1)) * SHARE);
    }

    /// Brings up to date what a result says besides its findings.
    fn look_at(&self, result: &mut ScanResult, ledger: &Ledger, client: &Client) {
        result.files = ledger.records_if_closed("the run has not ended");
        result.tasks = ledger.tasks.values().cloned().collect();
        result.notes = [&ledger.notes[..], &self.begun.result.notes].concat();
        result.calls = begun::sum(client.calls(), &self.begun.result.calls);
        result.run.tasks_since = ledger.since;
        result.service.project_id = client.project().or(result.service.project_id.take());
        result.service.stand_in |= client.stand_in() || ledger.stand_in;
        begun::count_files(result);
        let facts = Facts {
            faults: vec![(Exit::Timeout, "the run has not ended; hss-iac resume goes on with it".to_owned())],
            obstacles: ledger.obstacles(),
            unreadable: result.counts.directories_unreadable,
            unreadable_indexes: result.counts.indexes_unreadable,
            pending: false,
        };
        result.verdict = judge::judge(&self.settings.rules, &result.files, &result.findings, &facts);
    }
}
