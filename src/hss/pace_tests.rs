use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::join_all;

use super::*;

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A gateway that lets `calls` through in any `window`, and counts its refusals.
struct Gateway {
    rule: Rule,
    says: Says,
    seen: RefCell<VecDeque<Instant>>,
    refused: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Says {
    RetryAfter,
    Rule,
    Nothing,
}

impl Gateway {
    fn new(calls: usize, window: u64, says: Says) -> Self {
        let rule = Rule { calls, window: seconds(window) };
        Self { rule, says, seen: RefCell::default(), refused: Cell::new(0) }
    }

    async fn call(&self, pace: &Pace) {
        loop {
            let slot = pace.turn(|_| ()).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = Instant::now();
            let mut seen = self.seen.borrow_mut();
            seen.retain(|time| *time + self.rule.window > now);
            if seen.len() < self.rule.calls {
                seen.push_back(now);
                return slot.let_through();
            }
            self.refused.set(self.refused.get() + 1);
            // Whole seconds, rounded up, as gateways write it.
            let wait = (seen[0] + self.rule.window - now).as_secs() + 1;
            match self.says {
                Says::RetryAfter => slot.throttled(Some(seconds(wait)), None),
                Says::Rule => slot.throttled(None, Some(self.rule)),
                Says::Nothing => slot.throttled(None, None),
            }
        }
    }
}

fn pace() -> Pace {
    Pace::new(&Timings::default())
}

async fn run(gateway: &Gateway, pace: &Pace, calls: usize) -> Duration {
    let start = Instant::now();
    join_all((0..calls).map(|_| gateway.call(pace))).await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_documented_limit_costs_one_refusal_and_is_then_used_fully() {
    for says in [Says::RetryAfter, Says::Rule, Says::Nothing] {
        let (gateway, pace) = (Gateway::new(5, 60, says), pace());
        let took = run(&gateway, &pace, 30).await;
        assert_eq!(gateway.refused.get(), 1);
        // Thirty calls are six windows, five of them waited for.
        assert!((seconds(300)..seconds(308)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_limit_is_learned_from_what_the_answer_says() {
    for says in [Says::RetryAfter, Says::Rule] {
        let (gateway, pace) = (Gateway::new(5, 2, says), pace());
        let took = run(&gateway, &pace, 50).await;
        assert_eq!(gateway.refused.get(), 1);
        assert!((seconds(18)..seconds(29)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_nothing_waits() {
    let pace = pace();
    let start = Instant::now();
    let call = async || {
        let slot = pace.turn(|_| ()).await;
        tokio::time::sleep(seconds(1)).await;
        slot.let_through();
    };
    join_all((0..100).map(|_| call())).await;
    // Five at once, the sixth alone, the rest at once.
    assert_eq!(start.elapsed(), seconds(3));
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_others_use_up_is_waited_for() {
    let (gateway, pace) = (Gateway::new(5, 60, Says::RetryAfter), pace());
    gateway.seen.borrow_mut().extend([Instant::now(); 3]);
    run(&gateway, &pace, 20).await;
    assert!(gateway.refused.get() <= 3, "{}", gateway.refused.get());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_is_told_once_and_can_be_dropped() {
    let pace = pace();
    pace.turn(|_| ()).await.throttled(Some(seconds(30)), None);
    assert_eq!(pace.wait(), seconds(30));
    let told = Rc::new(RefCell::new(Vec::new()));
    let turn = pace.turn(|wait| told.borrow_mut().push(wait));
    assert!(tokio::time::timeout(seconds(10), turn).await.is_err());
    assert_eq!(*told.borrow(), [seconds(30)]);
    let start = Instant::now();
    drop(pace.turn(|_| ()).await);
    assert_eq!(start.elapsed(), seconds(20));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_lets_the_next_one_go() {
    let pace = pace();
    let mut slots = Vec::new();
    for _ in 0..5 {
        slots.push(pace.turn(|_| ()).await);
    }
    assert!(tokio::time::timeout(seconds(1), pace.turn(|_| ())).await.is_err(), "the sixth goes alone");
    drop(slots);
    let sixth = pace.turn(|_| ()).await;
    assert!(tokio::time::timeout(seconds(1), pace.turn(|_| ())).await.is_err());
    sixth.let_through();
    let _seventh = pace.turn(|_| ()).await;
    let _eighth = pace.turn(|_| ()).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_sent_does_not_count() {
    let pace = pace();
    for _ in 0..20 {
        pace.turn(|_| ()).await.not_sent();
    }
    let _slots = [pace.turn(|_| ()).await, pace.turn(|_| ()).await];
    assert_eq!(pace.state.borrow().sent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_answer_can_ask_for_more_than_the_longest_wait() {
    let pace = pace();
    pace.turn(|_| ()).await.throttled(Some(seconds(86_400)), None);
    assert_eq!(pace.wait(), Timings::default().longest_wait);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_word_that_our_calls_do_not_explain_costs_a_moment() {
    let pace = pace();
    pace.turn(|_| ()).await.throttled(None, None);
    assert_eq!(pace.wait(), seconds(60) / 64);
    pace.turn(|_| ()).await.let_through();
    let start = Instant::now();
    for _ in 0..20 {
        pace.turn(|_| ()).await.let_through();
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "no limit was learned");
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_word_are_waited_for_longer_and_longer() {
    let pace = pace();
    let mut waits = Vec::new();
    for _ in 0..9 {
        pace.turn(|_| ()).await.throttled(None, None);
        waits.push(pace.wait().as_secs());
    }
    assert_eq!(waits, [0, 1, 3, 7, 15, 30, 60, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_one_call_goes_first() {
    let pace = pace();
    pace.turn(|_| ()).await.throttled(Some(seconds(2)), None);
    let first = pace.turn(|_| ()).await;
    assert!(tokio::time::timeout(seconds(1), pace.turn(|_| ())).await.is_err());
    first.let_through();
    let _others = [pace.turn(|_| ()).await, pace.turn(|_| ()).await];
}

#[tokio::test(start_paused = true)]
async fn a_learned_window_grows_and_never_shrinks() {
    let pace = pace();
    let mut windows = Vec::new();
    for asked in [2, 30, 1, 90, 60] {
        pace.turn(|_| ()).await.throttled(Some(seconds(asked)), None);
        match pace.state.borrow().knowledge {
            Knowledge::Limit(Rule { calls, window }) => windows.push((calls, window.as_secs())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(windows, [(5, 2), (5, 30), (5, 30), (5, 90), (5, 90)]);
}
