//! How fast one API may be called. It starts free, careful after the fifth call, and learns from the first refusal.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Calls a window that HSS documents for each API.
const DOCUMENTED_CALLS: usize = 5;

/// A limit that the service told us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) calls: usize,
    pub(super) window: Duration,
}

/// When the next call may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Now; it is counted.
    Now,
    /// At this time.
    At(Instant),
    /// When a call in flight was answered.
    AfterAnswer,
}

/// The calls of one API.
#[derive(Debug, Default)]
pub(super) struct Pace {
    sent: VecDeque<Instant>,
    in_flight: usize,
    limit: Option<Limit>,
    blocked_until: Option<Instant>,
    /// A call beyond the documented number was answered: there is no such limit here.
    free: bool,
}

impl Pace {
    /// Asks to send a call now.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        if let Some(limit) = self.limit {
            let window = limit.window + margin(limit.window);
            while self.sent.front().is_some_and(|sent| *sent + window <= now) {
                self.sent.pop_front();
            }
            if self.sent.len() >= limit.calls.max(1) {
                let oldest = self.sent[self.sent.len() - limit.calls.max(1)];
                return Next::At(oldest + window);
            }
        } else if !self.free && self.sent.len() >= DOCUMENTED_CALLS && self.in_flight > 0 {
            return Next::AfterAnswer;
        }
        self.sent.push_back(now);
        self.in_flight += 1;
        Next::Now
    }

    /// A call is over, answered or not. Its window is counted from here: the service saw it at some time between its sending and now.
    pub(super) fn over(&mut self, answered: bool, now: Instant) {
        let first_in_flight = self.sent.len().checked_sub(self.in_flight);
        if let Some(time) = first_in_flight.and_then(|at| self.sent.get_mut(at)) {
            *time = now;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        if answered && self.limit.is_none() && self.sent.len() > DOCUMENTED_CALLS {
            self.free = true;
            self.sent.clear();
        }
    }

    /// The service refused a call: nothing goes before `wait` is over, and then no faster than `limit`.
    pub(super) fn refused(&mut self, limit: Limit, wait: Duration, now: Instant) {
        self.limit = Some(limit);
        self.free = false;
        let until = now + wait + margin(wait);
        self.blocked_until = Some(self.blocked_until.map_or(until, |before| before.max(until)));
        self.sent.clear();
    }
}

/// What clocks, networks and rounding may add to a window.
fn margin(window: Duration) -> Duration {
    (window / 50).clamp(Duration::from_millis(10), Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Limit = Limit { calls: 5, window: Duration::from_secs(60) };

    #[tokio::test(start_paused = true)]
    async fn free_until_a_refusal_and_then_as_fast_as_the_window_allows() {
        let mut pace = Pace::default();
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(pace.next(start), Next::Now);
        }
        assert_eq!(pace.next(start), Next::AfterAnswer);
        for _ in 0..5 {
            pace.over(true, start);
        }
        assert_eq!(pace.next(start), Next::Now, "the sixth goes alone");
        assert_eq!(pace.next(start), Next::AfterAnswer);
        pace.over(false, start);
        pace.refused(MINUTE, Duration::from_secs(60), start);
        let after = start + Duration::from_millis(60_500);
        assert_eq!(pace.next(start), Next::At(after));
        for _ in 0..5 {
            assert_eq!(pace.next(after), Next::Now);
        }
        assert_eq!(pace.next(after), Next::At(after + Duration::from_millis(60_500)));
        let answered = after + Duration::from_secs(2);
        pace.over(true, answered);
        assert_eq!(pace.next(answered), Next::At(answered + Duration::from_millis(60_500)), "from the answer on");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_the_sixth_sets_free() {
        let mut pace = Pace::default();
        let now = Instant::now();
        for _ in 0..6 {
            assert_eq!(pace.next(now), Next::Now);
            pace.over(true, now);
        }
        for _ in 0..100 {
            assert_eq!(pace.next(now), Next::Now);
        }
    }
}
