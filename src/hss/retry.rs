//! What may be repeated, how often, and after which wait. Pure decisions; the loop stands in `client`.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::{Error, Kind, Timings};

/// Repetitions after faults, at most.
const MOST_REPETITIONS: u32 = 5;

/// Waits for the service's limit, at most; they don't count as repetitions.
const MOST_THROTTLES: u32 = 20;

/// What a second try of a call would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// No harm, or harm that is only counted: reads, uploads.
    Freely,
    /// The same again, once more: only where the first try certainly did nothing. Creating a task.
    OnlyUntaken,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Give up.
    Stop,
    /// Try again after a wait of our own.
    Again,
    /// Try again when the limit allows it.
    AfterLimit,
}

/// A limit as the service words it: so many calls in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) calls: usize,
    pub(super) window: Duration,
}

/// A failed try, and what the answer said about trying again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// From `Retry-After`.
    pub(super) asked: Option<Duration>,
    /// From the text of a throttled answer.
    pub(super) rule: Option<Rule>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, asked: None, rule: None }
    }
}

/// What a failure of this kind calls for.
pub(super) fn step(error: &Error, repeat: Repeat) -> Step {
    match error.kind {
        Kind::Throttled => Step::AfterLimit,
        Kind::Unreachable => Step::Again,
        Kind::Failing if may_have_taken_effect(error) && repeat == Repeat::Freely => Step::Again,
        Kind::Failing | Kind::Invalid | Kind::Login | Kind::NotPublished | Kind::Refused => Step::Stop,
    }
}

/// Whether the request may have been carried out although it failed. A redirect was not followed, so it was not.
pub(super) fn may_have_taken_effect(error: &Error) -> bool {
    error.kind == Kind::Failing && !matches!(error.status, Some(300..=399))
}

/// How often a call was tried.
#[derive(Debug, Default)]
pub(super) struct Tries {
    repetitions: u32,
    throttles: u32,
}

impl Tries {
    /// The step after one more failure, and the wait before it (none for the limit: the pace knows).
    pub(super) fn next(&mut self, failure: &Failure, repeat: Repeat, timings: &Timings) -> Option<Duration> {
        match step(&failure.error, repeat) {
            Step::Again if self.repetitions < MOST_REPETITIONS => {
                self.repetitions += 1;
                let most = timings.backoff.saturating_mul(1 << (self.repetitions - 1)).min(timings.longest_backoff);
                let jittered = most.mul_f64(fastrand::f64());
                Some(jittered.max(failure.asked.unwrap_or_default().min(timings.longest_wait)))
            }
            Step::AfterLimit if self.throttles < MOST_THROTTLES => {
                self.throttles += 1;
                Some(Duration::ZERO)
            }
            _ => None,
        }
    }
}

/// Reads `Retry-After`: seconds or an HTTP date. Nothing where it is in the past or not to be read.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => Duration::try_from(http_date(value)?.duration_since(now)).ok()?,
    };
    (!wait.is_zero()).then_some(wait)
}

/// Reads an HTTP date.
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(value.trim()).ok()
}

/// Reads the gateway's `… ratelimit,limit:5,time:60 second`.
pub(super) fn throttle_rule(text: &str) -> Option<Rule> {
    let text = text.to_ascii_lowercase();
    let number_after = |label: &str| {
        let rest = text[text.find(label)? + label.len()..].trim_start();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        Some((rest[..digits].parse::<u32>().ok().filter(|number| *number > 0)?, rest[digits..].trim_start()))
    };
    let (calls, _) = number_after("limit:")?;
    let (count, unit) = number_after("time:")?;
    let seconds = match unit {
        unit if unit.starts_with("minute") => 60,
        unit if unit.starts_with("hour") => 3600,
        _ => 1,
    };
    Some(Rule { calls: calls as usize, window: Duration::from_secs(u64::from(count) * seconds) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Error {
        Error { status: Some(status), ..Error::new(Kind::of(status, None), "") }
    }

    #[test]
    fn decision_over_every_status() {
        let line = |status: u16| {
            let error = answered(status);
            let lost = if may_have_taken_effect(&error) { "lost" } else { "-" };
            format!("{:?} {:?} {:?} {lost}", error.kind, step(&error, Repeat::Freely), step(&error, Repeat::OnlyUntaken))
        };
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for status in 100..=599 {
            match runs.last_mut() {
                Some((_, last, text)) if *text == line(status) => *last = status,
                _ => runs.push((status, status, line(status))),
            }
        }
        let table: Vec<String> = runs.iter().map(|(from, to, text)| format!("{from}-{to} {text}")).collect();
        assert_eq!(
            table,
            [
                "100-199 Failing Again Stop lost",
                "200-299 Refused Stop Stop -",
                "300-399 Failing Stop Stop -",
                "400-400 Refused Stop Stop -",
                "401-401 Login Stop Stop -",
                "402-402 Refused Stop Stop -",
                "403-403 Login Stop Stop -",
                "404-404 NotPublished Stop Stop -",
                "405-407 Refused Stop Stop -",
                "408-408 Failing Again Stop lost",
                "409-428 Refused Stop Stop -",
                "429-429 Throttled AfterLimit AfterLimit -",
                "430-499 Refused Stop Stop -",
                "500-599 Failing Again Stop lost",
            ]
        );
    }

    #[test]
    fn without_an_answer_only_a_failed_connect_is_certain_to_have_done_nothing() {
        let unreachable = Error::new(Kind::Unreachable, "");
        let broken = Error::new(Kind::Failing, "");
        let unreadable = Error { status: Some(200), ..Error::new(Kind::Failing, "") };
        assert_eq!(step(&unreachable, Repeat::OnlyUntaken), Step::Again);
        assert_eq!(step(&broken, Repeat::OnlyUntaken), Step::Stop);
        assert_eq!(step(&unreadable, Repeat::Freely), Step::Again);
        assert!(may_have_taken_effect(&broken) && may_have_taken_effect(&unreadable));
        assert!(!may_have_taken_effect(&unreachable));
    }

    #[test]
    fn five_repetitions_and_twenty_limits_are_counted_apart() {
        let mut tries = Tries::default();
        let timings = Timings::default();
        let count = |tries: &mut Tries, error: Error| {
            let failure = Failure::from(error);
            (0..100).take_while(|_| tries.next(&failure, Repeat::Freely, &timings).is_some()).count()
        };
        assert_eq!(count(&mut tries, answered(429)), 20);
        assert_eq!(count(&mut tries, answered(503)), 5);
    }

    #[test]
    fn waits_double_up_to_the_longest_with_full_jitter() {
        let timings = Timings { longest_backoff: Duration::from_secs(3), ..Timings::default() };
        let failure = Failure::from(answered(503));
        let mut longest = [Duration::ZERO; 5];
        let mut shortest = [Duration::MAX; 5];
        for _ in 0..500 {
            let mut tries = Tries::default();
            for n in 0..5 {
                let wait = tries.next(&failure, Repeat::Freely, &timings).unwrap();
                longest[n] = longest[n].max(wait);
                shortest[n] = shortest[n].min(wait);
            }
        }
        for (n, most) in [500, 1000, 2000, 3000, 3000].map(Duration::from_millis).into_iter().enumerate() {
            assert!(longest[n] <= most && longest[n] > most / 2, "{n}: {:?}", longest[n]);
            assert!(shortest[n] < most / 4, "{n}: {:?}", shortest[n]);
        }
    }

    #[test]
    fn a_wait_that_the_service_asks_for_is_kept_within_bounds() {
        let timings = Timings { backoff: Duration::ZERO, ..Timings::default() };
        let wait = |asked| {
            let failure = Failure { asked: Some(Duration::from_secs(asked)), ..answered(503).into() };
            Tries::default().next(&failure, Repeat::Freely, &timings)
        };
        assert_eq!(wait(7), Some(Duration::from_secs(7)));
        assert_eq!(wait(7200), Some(timings.longest_wait));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = http_date("Thu, 01 Jan 2026 00:00:00 GMT").unwrap();
        assert_eq!(retry_after(" 12 ", now), Some(Duration::from_secs(12)));
        assert_eq!(retry_after("Thu, 01 Jan 2026 00:01:30 GMT", now), Some(Duration::from_secs(90)));
        for nothing in ["0", "-3", "soon", "", "Wed, 31 Dec 2025 23:59:59 GMT"] {
            assert_eq!(retry_after(nothing, now), None, "{nothing}");
        }
    }

    #[test]
    fn the_gateway_words_its_rule() {
        let rule = |calls, seconds| Some(Rule { calls, window: Duration::from_secs(seconds) });
        assert_eq!(throttle_rule("policy ip over ratelimit,limit:5,time:5 second"), rule(5, 5));
        assert_eq!(throttle_rule("policy user over ratelimit, Limit: 600, Time: 1 minute"), rule(600, 60));
        assert_eq!(throttle_rule("limit:5,time:2 hours"), rule(5, 7200));
        for nothing in ["too many requests", "limit:0,time:5 second", "limit:5", "limit:x,time:5"] {
            assert_eq!(throttle_rule(nothing), None, "{nothing}");
        }
    }
}
