//! When the next call of an API may go, so that the service's limit is used fully and not run into.
//!
//! HSS documents five calls a minute for each API, user and source address; whether every gateway enforces that is not
//! known. So nothing is held back until a limit shows itself, and then exactly as much as it demands.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};

use super::Timings;
use super::retry::Rule;

/// Calls in the documented window.
const DOCUMENTED_CALLS: usize = 5;

/// What is known of the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Knowledge {
    /// Fewer calls than documented were made at once so far.
    Nothing,
    /// More than the documented number were answered.
    Unlimited,
    /// Learned from a throttled answer.
    Limit(Rule),
}

/// Whether a call may go.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turn {
    /// It was entered as sent. `beyond`: it is one more than documented.
    Now { beyond: bool },
    /// Not before this time.
    At(Instant),
    /// When one that is under way was answered.
    AfterAnswer,
}

#[derive(Debug)]
struct State {
    documented: Rule,
    longest_wait: Duration,
    knowledge: Knowledge,
    /// When the calls that count towards the limit were sent, oldest first.
    sent: VecDeque<Instant>,
    under_way: usize,
    /// Since a throttled answer no call was let through.
    probing: bool,
    /// Refusals in a row that our own calls don't account for.
    unexplained: u32,
    not_before: Option<Instant>,
}

impl State {
    fn ask(&mut self, now: Instant) -> Turn {
        if let Some(time) = self.not_before.filter(|time| *time > now) {
            return Turn::At(time);
        }
        let rule = match self.knowledge {
            Knowledge::Limit(rule) => rule,
            Knowledge::Nothing | Knowledge::Unlimited => self.documented,
        };
        let span = with_margin(rule.window);
        self.sent.retain(|sent| *sent + span > now);
        let full = self.sent.len() >= rule.calls;
        match self.knowledge {
            Knowledge::Limit(rule) if full => return Turn::At(self.sent[self.sent.len() - rule.calls] + span),
            Knowledge::Nothing if full && self.under_way > 0 => return Turn::AfterAnswer,
            _ if self.probing && self.under_way > 0 => return Turn::AfterAnswer,
            _ => {}
        }
        self.sent.push_back(now);
        self.under_way += 1;
        Turn::Now { beyond: full }
    }

    fn forget(&mut self, sent: Instant) {
        if let Some(place) = self.sent.iter().position(|other| *other == sent) {
            self.sent.remove(place);
        }
    }

    fn let_through(&mut self, beyond: bool) {
        self.probing = false;
        self.unexplained = 0;
        if beyond && self.knowledge == Knowledge::Nothing {
            self.knowledge = Knowledge::Unlimited;
        }
    }

    /// Learns from a throttled answer to a call that was just forgotten.
    fn throttled(&mut self, now: Instant, asked: Option<Duration>, rule: Option<Rule>) {
        self.probing = true;
        let known = match self.knowledge {
            Knowledge::Limit(known) => Some(known),
            Knowledge::Nothing | Knowledge::Unlimited => None,
        };
        let calls = rule.or(known).map_or(self.documented.calls, |rule| rule.calls);
        // The call that must leave the window before the next one fits.
        let age = self.sent.len().checked_sub(calls).map(|place| now - self.sent[place]);
        if rule.is_none() && asked.is_none() && (age.is_none() || self.knowledge == Knowledge::Unlimited) {
            // Nothing is to be learned from it: others may use up the budget, or it is a passing fault.
            let wait = (self.documented.window / 64).saturating_mul(1 << self.unexplained.min(6));
            self.unexplained += 1;
            return self.hold(now + wait.min(self.longest_wait));
        }
        let guess = match (rule, asked) {
            (Some(rule), _) => rule.window,
            (None, Some(asked)) => {
                let most = self.documented.window.max(asked);
                age.map_or(asked, |age| (age + asked).min(most))
            }
            (None, None) => self.documented.window,
        };
        // A second refusal shows that the first guess was too short, never that it was too long.
        let window = known.map_or(guess, |known| known.window.max(guess));
        self.knowledge = Knowledge::Limit(Rule { calls, window });
        let span = with_margin(window);
        let wait = asked.unwrap_or_else(|| age.map_or(span, |age| span.saturating_sub(age)));
        self.hold(now + wait.min(self.longest_wait));
    }

    fn hold(&mut self, until: Instant) {
        self.not_before = Some(self.not_before.map_or(until, |other| other.max(until)));
    }
}

/// The service's window starts when a call arrives, ours when it leaves: a little more than the window keeps us clear.
fn with_margin(window: Duration) -> Duration {
    window + (window / 50).clamp(Duration::from_millis(20), Duration::from_secs(1))
}

/// The pace of one API.
pub(super) struct Pace {
    /// Calls wait in the order in which they came; only the first looks at the clock.
    line: Mutex<()>,
    answered: Notify,
    state: RefCell<State>,
}

impl Pace {
    pub(super) fn new(timings: &Timings) -> Self {
        let documented = Rule { calls: DOCUMENTED_CALLS, window: timings.window };
        Self {
            line: Mutex::new(()),
            answered: Notify::new(),
            state: RefCell::new(State {
                documented,
                longest_wait: timings.longest_wait,
                knowledge: Knowledge::Nothing,
                sent: VecDeque::new(),
                under_way: 0,
                probing: false,
                unexplained: 0,
                not_before: None,
            }),
        }
    }

    /// Waits for the turn of one call. `waiting` is told each wait for the limit. May be dropped at any time.
    pub(super) async fn turn(&self, waiting: impl Fn(Duration)) -> Slot<'_> {
        let _line = self.line.lock().await;
        loop {
            let answered = self.answered.notified();
            let now = Instant::now();
            let turn = self.state.borrow_mut().ask(now);
            match turn {
                Turn::Now { beyond } => return Slot { pace: self, sent: now, beyond },
                Turn::At(time) => {
                    waiting(time - now);
                    sleep_until(time).await;
                }
                Turn::AfterAnswer => answered.await,
            }
        }
    }

    /// How long the next call would have to wait at least.
    pub(super) fn wait(&self) -> Duration {
        self.state.borrow().not_before.map_or(Duration::ZERO, |time| time.saturating_duration_since(Instant::now()))
    }
}

/// A call under way. Dropped without a word, it counts as sent.
pub(super) struct Slot<'a> {
    pace: &'a Pace,
    sent: Instant,
    beyond: bool,
}

impl Slot<'_> {
    /// The service answered, and not that it is throttled.
    pub(super) fn let_through(self) {
        self.pace.state.borrow_mut().let_through(self.beyond);
    }

    /// The service never saw it.
    pub(super) fn not_sent(self) {
        self.pace.state.borrow_mut().forget(self.sent);
    }

    /// The service refused it for its limit.
    pub(super) fn throttled(self, asked: Option<Duration>, rule: Option<Rule>) {
        let mut state = self.pace.state.borrow_mut();
        state.forget(self.sent);
        state.throttled(Instant::now(), asked, rule);
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.pace.state.borrow_mut().under_way -= 1;
        self.pace.answered.notify_waiters();
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
