//! How fast one API may be called. It starts free, careful after the fifth call, and learns from the first refusal.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Calls a window that HSS documents for each API.
const DOCUMENTED_CALLS: usize = 5;

/// So many calls of one API in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls in the window.
    pub calls: usize,
    /// The window.
    pub window: Duration,
}

impl Limit {
    /// What HSS documents for each API, user and source address.
    pub const DOCUMENTED: Self = Self { calls: DOCUMENTED_CALLS, window: Duration::from_secs(60) };
}

/// What a refusal said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TooFast {
    /// The limit, where it was spelt out.
    pub(super) limit: Option<Limit>,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
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
    /// No call was answered since the last refusal.
    refusing: bool,
}

impl Pace {
    /// One that keeps to a limit from the first call on.
    pub(super) fn limited(limit: Limit) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// How fast calls may go, as far as that is known.
    pub(super) fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// Whether a call beyond the documented number was answered.
    pub(super) fn is_free(&self) -> bool {
        self.free
    }

    /// Asks to send a call now.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Next::At(until);
        }
        if let Some(limit) = self.limit {
            let window = limit.window + margin(limit.window);
            let oldest = self.sent.len().checked_sub(limit.calls.max(1)).map(|at| self.sent[at]);
            if let Some(next) = oldest.map(|sent| sent + window).filter(|next| *next > now) {
                return Next::At(next);
            }
            // One more than the limit tells how long a window is that turns out to be longer than was thought.
            while self.sent.len() > limit.calls.max(self.in_flight) {
                self.sent.pop_front();
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
        self.refusing &= !answered;
        if answered && self.limit.is_none() && self.sent.len() > DOCUMENTED_CALLS {
            self.free = true;
            self.sent.clear();
        }
    }

    /// The service refused a call: nothing goes before the wait is over, and then no faster than its limit. `documented` is the window
    /// where it says nothing; no wait and no window is longer than `longest`.
    pub(super) fn refused(&mut self, said: TooFast, documented: Duration, longest: Duration, now: Instant) {
        let TooFast { limit, retry_after } = said;
        // Who waited as long as was asked and is refused again is told too little, and no wait at all is what rounding down leaves, or a
        // clock that is behind: both are no reason to come back before the limit allows it.
        let in_vain = self.refusing && self.blocked_until.is_some_and(|until| until <= now);
        let believed = retry_after.filter(|wait| !wait.is_zero() && !in_vain);
        let floor = limit.map_or(documented, |limit| limit.window);
        let wait = believed.unwrap_or_else(|| retry_after.unwrap_or_default().max(floor)).min(longest);
        let told = limit.map(|limit| Limit { window: limit.window.min(longest), ..limit });
        self.limit = Some(told.unwrap_or_else(|| Limit {
            calls: DOCUMENTED_CALLS,
            window: if believed.is_some() { self.window_until(now, wait, documented) } else { documented },
        }));
        self.free = false;
        self.refusing = true;
        let until = now + wait + margin(wait);
        self.blocked_until = Some(self.blocked_until.map_or(until, |before| before.max(until)));
        self.sent.clear();
    }

    /// The window that ends after `wait`: it began no later than the calls of ours that fill it, and one that was too short before can't
    /// be the right one.
    fn window_until(&self, now: Instant, wait: Duration, documented: Duration) -> Duration {
        let first = self.sent.len().checked_sub(DOCUMENTED_CALLS + 1).map(|at| self.sent[at]);
        let filled = first.map_or(wait, |first| now.duration_since(first) + wait);
        let before = self.limit.map_or(Duration::ZERO, |limit| limit.window);
        filled.max(before).min(documented.max(wait))
    }
}

/// What clocks, networks and rounding may add to a window.
fn margin(window: Duration) -> Duration {
    (window / 50).clamp(Duration::from_millis(10), Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hss::send::wait_of;

    const LONGEST: Duration = Duration::from_secs(300);
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
        pace.refused(TooFast { limit: Some(MINUTE), retry_after: None }, MINUTE.window, LONGEST, start);
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

    /// The window of [`refusals`].
    const WINDOW: Duration = Duration::from_secs(6);
    /// What is said of it where it is spelt out.
    const SPELT_OUT: Limit = Limit { calls: 5, window: WINDOW };

    /// Sends as fast as the pace allows against a service that takes five calls in each window of six seconds; the number it refused,
    /// and how long it took. `say` is what a refusal says, by the seconds that are left of the window.
    async fn refusals(calls: usize, say: impl Fn(f64) -> TooFast) -> (usize, Duration) {
        let start = Instant::now();
        let mut pace = Pace::default();
        // Others began the window before us.
        let mut window = (Instant::now() - WINDOW / 2, 0);
        let mut refused = 0;
        let mut sent = 0;
        while sent < calls {
            let now = Instant::now();
            match pace.next(now) {
                Next::At(time) => tokio::time::sleep_until(time).await,
                Next::AfterAnswer => unreachable!("every call is answered at once"),
                Next::Now => {
                    while now >= window.0 + WINDOW {
                        window = (window.0 + WINDOW, 0);
                    }
                    window.1 += 1;
                    let taken = window.1 <= 5;
                    pace.over(taken, now);
                    if taken {
                        sent += 1;
                    } else {
                        refused += 1;
                        let said = say((window.0 + WINDOW - now).as_secs_f64());
                        pace.refused(said, MINUTE.window, LONGEST, now);
                    }
                }
            }
        }
        (refused, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_of_which_only_the_end_is_told_is_learnt() {
        let said = |left: f64| TooFast { limit: None, retry_after: Some(Duration::from_secs_f64(left.ceil())) };
        assert_eq!(refusals(200, said).await.0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_rounded_down_or_none_is_no_reason_to_ask_at_once() {
        const PAST: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
        let say = |limit, how: fn(f64) -> String| move |left| TooFast { limit, retry_after: wait_of(&how(left)) };
        let hows: [fn(f64) -> String; 4] =
            [|left| left.floor().to_string(), |_| "0".to_owned(), |_| PAST.to_owned(), |_| "1".to_owned()];
        for how in hows {
            let (refused, took) = refusals(200, say(Some(SPELT_OUT), how)).await;
            assert!(refused <= 2 && took < WINDOW * 42, "{refused} refusals in {took:?}");
            // Where no limit is spelt out either, the documented one counts.
            let (refused, took) = refusals(200, say(None, how)).await;
            assert!(refused <= 3 && took < MINUTE.window * 42, "{refused} refusals in {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_can_make_a_window_without_end() {
        let mut pace = Pace::default();
        let now = Instant::now();
        let limit = Some(Limit { calls: 1, window: Duration::MAX });
        pace.refused(TooFast { limit, retry_after: Some(Duration::MAX) }, MINUTE.window, LONGEST, now);
        let Next::At(time) = pace.next(now) else { panic!("nothing goes yet") };
        assert!(time <= now + 2 * LONGEST);
        assert_eq!(pace.next(time), Next::Now);
        assert!(matches!(pace.next(time), Next::At(next) if next <= time + 2 * LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_told_holds_from_the_first_call_on() {
        let limit = Limit { calls: 1, window: Duration::from_secs(2) };
        let mut pace = Pace::limited(limit);
        let now = Instant::now();
        assert_eq!(pace.next(now), Next::Now);
        pace.over(true, now);
        assert_eq!((pace.next(now), pace.limit()), (Next::At(now + Duration::from_millis(2_040)), Some(limit)));
    }

    /// What a refusal says that asks for a wait and names no limit.
    fn wait(seconds: u64) -> TooFast {
        TooFast { limit: None, retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_believed_until_it_was_waited_for_in_vain() {
        let seconds = |seconds: u64| Duration::from_secs(seconds) + margin(Duration::from_secs(seconds));
        let mut pace = Pace::default();
        let start = Instant::now();
        // Two that are refused at once: nobody has waited yet.
        for _ in 0..2 {
            assert_eq!(pace.next(start), Next::Now);
        }
        for _ in 0..2 {
            pace.over(false, start);
            pace.refused(wait(3), MINUTE.window, LONGEST, start);
        }
        let second = start + seconds(3);
        assert_eq!(pace.next(start), Next::At(second));
        // An answer came since: the next refusal is the first again.
        assert_eq!(pace.next(second), Next::Now);
        pace.over(true, second);
        assert_eq!(pace.next(second), Next::Now);
        pace.over(false, second);
        pace.refused(wait(5), MINUTE.window, LONGEST, second);
        let third = second + seconds(5);
        assert_eq!(pace.next(second), Next::At(third));
        // None came since.
        assert_eq!(pace.next(third), Next::Now);
        pace.over(false, third);
        pace.refused(wait(5), MINUTE.window, LONGEST, third);
        assert_eq!(pace.next(third), Next::At(third + seconds(60)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_began_no_later_than_the_calls_that_fill_it() {
        let mut pace = Pace::default();
        let start = Instant::now();
        for second in 0..5 {
            let time = start + Duration::from_secs(second);
            assert_eq!(pace.next(time), Next::Now);
            pace.over(true, time);
        }
        assert_eq!(pace.next(start + Duration::from_secs(5)), Next::Now);
        let later = start + Duration::from_secs(10);
        pace.over(false, later);
        pace.refused(wait(20), MINUTE.window, LONGEST, later);
        assert_eq!(pace.limit(), Some(Limit { calls: 5, window: Duration::from_secs(30) }));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_the_sixth_sets_free() {
        let mut pace = Pace::default();
        let now = Instant::now();
        for nth in 1..=6 {
            assert_eq!(pace.next(now), Next::Now);
            pace.over(true, now);
            assert_eq!(pace.is_free(), nth == 6, "after {nth} answers");
        }
        assert_eq!(pace.limit(), None);
        for _ in 0..100 {
            assert_eq!(pace.next(now), Next::Now);
        }
    }
}
