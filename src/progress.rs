//! The one writer to stderr while a command runs: bars on a terminal, a line per stage elsewhere, nothing where it is to be quiet.

use std::cell::{Cell, RefCell};
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

/// Talks to people who wait.
pub struct Progress {
    quiet: bool,
    verbose: u8,
    color: ColorChoice,
    bar: Option<ProgressBar>,
    last: RefCell<String>,
    /// What is still to be done of the stage.
    left: Cell<Option<(&'static str, usize)>>,
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
        Self { quiet, verbose, color, bar, last: RefCell::default(), left: Cell::new(None) }
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
        let (what, done, of) = match step {
            Step::Uploaded { done, of } => ("uploaded", done, of),
            Step::Sending | Step::Submitting => return,
            Step::Submitted { tasks } => {
                return self.detail(&format!("submitted: {}", count(tasks as u64, "task", "tasks")));
            }
            Step::Finished { done, of } => ("tasks finished", done, of),
            Step::Collected { done, of } => ("risks read", done, of),
            Step::Placed { done, of } => ("places asked for", done, of),
        };
        let stage = match step {
            Step::Uploaded { .. } => "files to send",
            Step::Finished { .. } => "tasks to end",
            _ => "files to ask about",
        };
        self.left.set(Some((stage, of.saturating_sub(done))));
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
                let left =
                    self.left.get().filter(|(_, n)| *n > 0).map(|(what, n)| format!(", {n} {what}")).unwrap_or_default();
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
