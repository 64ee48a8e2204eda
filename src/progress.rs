//! The one writer to stderr while a command runs: bars on a terminal, a line per stage elsewhere, nothing where it is to be quiet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::hss::Event;
use crate::judge::count;
use crate::report::printable;
use crate::scan::Step;

/// How often the bar's clock moves.
const TICK: Duration = Duration::from_secs(1);

/// What is done side by side, each by calls of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Send,
    Wait,
    Read,
    Place,
}

impl Stage {
    /// The one that the calls of an API are for.
    fn of(api: &str) -> Option<Self> {
        match api {
            "batch-upload" => Some(Self::Send),
            "tasks/batch-query" => Some(Self::Wait),
            "iac/files" | "file/risks" => Some(Self::Read),
            "risk/paths" => Some(Self::Place),
            _ => None,
        }
    }

    /// What is left of it.
    fn unit(self) -> &'static str {
        match self {
            Self::Send => "files to send",
            Self::Wait => "tasks to end",
            Self::Read => "files to ask about",
            Self::Place => "places to ask for",
        }
    }
}

/// Talks to people who wait.
pub struct Progress {
    quiet: bool,
    verbose: u8,
    color: ColorChoice,
    bar: Option<ProgressBar>,
    last: RefCell<String>,
    /// How much is still to be done of each stage that began.
    left: RefCell<BTreeMap<Stage, usize>>,
}

impl Progress {
    /// Decides once how to talk.
    pub fn new(quiet: bool, verbose: u8, color: ColorChoice) -> Self {
        let bars = !quiet && verbose == 0 && std::io::stderr().is_terminal();
        let bar = bars.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            // A template that does not parse leaves the default style.
            if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {elapsed}") {
                bar.set_style(style);
            }
            bar
        });
        Self { quiet, verbose, color, bar, last: RefCell::default(), left: RefCell::default() }
    }

    /// One line, unless quiet.
    pub fn line(&self, text: &str) {
        if !self.quiet {
            self.write(text);
        }
    }

    /// One line with `-v`.
    pub fn detail(&self, text: &str) {
        if self.verbose > 0 {
            self.line(text);
        }
    }

    /// One line, also when quiet: what the user must know.
    pub fn warn(&self, text: &str) {
        self.write(text);
    }

    /// A step of the job.
    pub fn step(&self, step: Step) {
        let (stage, what, done, of) = match step {
            Step::Uploaded { done, of } => (Stage::Send, "uploaded", done, of),
            Step::Sending | Step::Answered | Step::Submitting => return,
            Step::Submitted { tasks } => {
                return self.detail(&format!("submitted: {}", count(tasks as u64, "task", "tasks")));
            }
            Step::Finished { done, of } => (Stage::Wait, "tasks finished", done, of),
            Step::Collected { done, of } => (Stage::Read, "risks read", done, of),
            Step::Placed { done, of } => (Stage::Place, "places asked for", done, of),
        };
        self.left.borrow_mut().insert(stage, of.saturating_sub(done));
        if let Some(bar) = &self.bar {
            bar.update(|state| {
                state.set_len(of as u64);
                state.set_pos(done as u64);
            });
            bar.set_message(format!("{what}: {done} of {of}"));
            if bar.is_hidden() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                // The clock goes on where nothing else does.
                bar.enable_steady_tick(TICK);
            }
        } else if done == of {
            let line = format!("{what}: {done} of {of}");
            if *self.last.borrow() != line {
                self.line(&line);
                *self.last.borrow_mut() = line;
            }
        }
    }

    /// Something happened on the wire.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Answered { api, status, took } => {
                let status = status.map_or("no answer".to_owned(), |status| status.to_string());
                self.detail(&format!("{api}: {status} ({} ms)", took.as_millis()));
            }
            Event::Repeating { api, why, after } => {
                self.detail(&format!("{api}: again in {} ms: {why}", after.as_millis()));
            }
            // Calls that wait side by side wait for the same thing.
            Event::Waiting { api, for_, limit } if for_.as_secs() > 0 => {
                let limit = limit.map_or_else(String::new, |limit| {
                    format!(" of {} in {} s", count(limit.calls as u64, "call", "calls"), limit.window.as_secs_f64())
                });
                let left = self.left_of(api).unwrap_or_default();
                let line = format!("waiting {} s for the service's limit{limit} to {api}{left}", for_.as_secs());
                if *self.last.borrow() != line {
                    self.line(&line);
                    *self.last.borrow_mut() = line;
                }
            }
            Event::Waiting { .. } => {}
            Event::Issued { until } => {
                let until = until.and_then(|until| jiff::Timestamp::from_millisecond(until).ok());
                let until =
                    until.map_or_else(String::new, |until| until.strftime(", good until %Y-%m-%d %H:%M:%S UTC").to_string());
                self.detail(&format!("credentials obtained{until}"));
            }
        }
    }

    /// How much is left to do by calls of this API.
    fn left_of(&self, api: &str) -> Option<String> {
        let stage = Stage::of(api)?;
        let left = self.left.borrow().get(&stage).copied().filter(|left| *left > 0)?;
        Some(format!(", {left} {}", stage.unit()))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn write(&self, text: &str) {
        let line = |text: &str| {
            // Nobody is left to tell if stderr is gone.
            let _ = writeln!(AutoStream::new(std::io::stderr(), self.color), "{}", printable(text));
        };
        match &self.bar {
            Some(bar) => bar.suspend(|| line(text)),
            None => line(text),
        }
    }
}
