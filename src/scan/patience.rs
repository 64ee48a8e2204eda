//! How long to wait between looks at a task, and how often a service may fail: the same for tasks of files and of clusters.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::{is_failing, is_fatal};
use crate::hss::{Client, Error, Kind, Page, TaskFilter, TaskRow};

/// The first waits between looks, in thousandths of the steady distance: early while it costs nothing, and only five in the first
/// window of the documented limit.
const FIRST_LOOKS: [u32; 6] = [20, 30, 100, 300, 800, 2_800];

/// The steady distance of looks is a window of the service's limit through this: one call less than the limit allows.
const LOOKS_PER_WINDOW: u32 = 4;

/// A service that fails this many calls in a row, each after all its repetitions, is left alone.
const STRIKES: u32 = 2;

/// However long the service says that a task takes, it is looked at after so many steady distances.
const LONGEST_PAUSE: u32 = 4;

/// The patience with one service.
pub(super) struct Patience<'a> {
    client: &'a Client,
    /// The documented window of the service's limit.
    window: Duration,
    /// Calls in a row that failed for good.
    strikes: Cell<u32>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(client: &'a Client, window: Duration) -> Self {
        Self { client, window, strikes: Cell::new(0) }
    }

    /// A call was answered: failures are counted anew.
    pub(super) fn answered(&self) {
        self.strikes.set(0);
    }

    /// Whether a failed call ends the job: the next ones would fail as well. Otherwise only what it was about is lost.
    pub(super) fn forgive(&self, error: Error) -> Result<Error, Error> {
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

    /// The same of a look, which is made again and again: what is refused would be refused every time.
    pub(super) fn forgive_look(&self, error: Error) -> Result<Error, Error> {
        if matches!(error.kind, Kind::Refused | Kind::Invalid) { Err(error) } else { self.forgive(error) }
    }

    /// The distance of the nth look at something that takes its time, from 0.
    pub(super) fn pause(&self, look: usize) -> Duration {
        self.steady() * FIRST_LOOKS.get(look).copied().unwrap_or(1_000) / 1_000
    }

    /// The steady distance of looks, by the window that the service keeps to, as far as that is known.
    pub(super) fn steady(&self) -> Duration {
        self.client.window().unwrap_or(self.window) / LOOKS_PER_WINDOW
    }

    /// The row of the one task that the filter names; none where it is not visible yet.
    pub(super) async fn row_of(&self, filter: TaskFilter) -> Result<Option<TaskRow>, Error> {
        let listing = self.client.list_tasks(&filter, Page { offset: 0, limit: 10 }).await?;
        Ok(listing.rows.into_iter().find(|row| Some(&row.task_id) == filter.task_id.as_ref()))
    }
}

/// The polls so far.
#[derive(Default)]
pub(super) struct Polls {
    /// How many, from when all was sent on.
    count: usize,
    /// When.
    times: Vec<Instant>,
    /// When the first task ends, by the service's own guess.
    expected: Option<Instant>,
    /// Whether all was sent when the last one was planned.
    all_sent: bool,
}

impl Polls {
    /// Waits for the time of the next poll. Once the last task is there the looks begin anew, as early as those of the last window allow;
    /// `more` wakes to find out.
    pub(super) async fn next(&mut self, patience: &Patience<'_>, sent: impl Fn() -> bool, more: &Notify) {
        let mut due = None;
        loop {
            if sent() && !self.all_sent {
                self.all_sent = true;
                let window = patience.steady() * LOOKS_PER_WINDOW;
                let recent = self.times.iter().filter(|time| time.elapsed() < window).count();
                // Where more calls than documented were answered, looks are free.
                self.count = if patience.client.is_free() { 0 } else { recent };
                due = None;
            }
            let left = self.expected.map(|time| time.saturating_duration_since(Instant::now()) / 2).unwrap_or_default();
            let pause = patience.pause(self.count).max(left.min(patience.steady() * LONGEST_PAUSE));
            let due = *due.get_or_insert_with(|| Instant::now() + pause);
            if tokio::time::timeout_at(due, more.notified()).await.is_err() {
                self.count += 1;
                self.times.push(Instant::now());
                return;
            }
        }
    }

    /// What is polled is sent anew: the looks begin again, as they do once the last task is there.
    pub(super) fn begin_anew(&mut self) {
        (self.all_sent, self.expected) = (false, None);
    }

    /// Takes the service's guess for the tasks that are still open.
    pub(super) fn expect<'a>(&mut self, open: impl Iterator<Item = &'a TaskRow>) {
        self.expected = expected(open);
    }
}

/// When the first of these tasks ends, where the service says it of all. It says so in whole minutes, so the last of them may be none.
fn expected<'a>(open: impl Iterator<Item = &'a TaskRow>) -> Option<Instant> {
    let minutes = open.map(|row| row.estimated_time).reduce(|a, b| Some(a?.min(b?))).flatten()?;
    let left = Duration::try_from_secs_f64((minutes - 1.0) * 60.0).ok()?;
    Instant::now().checked_add(left)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::hss::auth::{Credentials, Plan};
    use crate::hss::{Config, Limit, Timings};
    use crate::model::TaskStatus;

    /// Of a service that nobody calls.
    fn client(rate: Option<Limit>) -> Client {
        let config = Config {
            endpoint: "https://hss.example".to_owned(),
            iam_endpoint: "https://iam.example".to_owned(),
            region: None,
            project_id: None,
            enterprise_project_id: "0".to_owned(),
            sts_endpoint: None,
            plan: Plan::Fixed(Credentials::Token("t".into())),
            ca_pem: None,
            stand_in_allowed: false,
            rate,
            timings: Timings::default(),
        };
        Client::new(config, Box::new(|_| ())).expect("a client")
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// The distances of looks, in milliseconds.
    async fn looks(polls: &mut Polls, patience: &Patience<'_>, sent: bool, count: usize) -> Vec<u128> {
        let more = Notify::new();
        let mut distances = Vec::new();
        for _ in 0..count {
            let before = Instant::now();
            polls.next(patience, || sent, &more).await;
            distances.push(before.elapsed().as_millis());
        }
        distances
    }

    #[tokio::test(start_paused = true)]
    async fn looks_come_early_and_then_as_often_as_the_limit_allows() {
        let client = client(None);
        let patience = Patience::new(&client, MINUTE);
        let mut polls = Polls::default();
        let early = [300, 450, 1_500, 4_500, 12_000, 42_000];
        assert_eq!(looks(&mut polls, &patience, true, 8).await, [&early[..], &[15_000, 15_000]].concat());
        // What is sent anew is looked for as early as the looks of the last minute allow, of which there were three.
        polls.begin_anew();
        assert_eq!(looks(&mut polls, &patience, true, 2).await, [4_500, 12_000]);
        polls.begin_anew();
        tokio::time::advance(MINUTE).await;
        assert_eq!(looks(&mut polls, &patience, true, 2).await, early[..2]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_task_is_looked_for_at_once_when_it_is_there() {
        let client = client(Some(Limit { calls: 5, window: Duration::from_secs(8) }));
        let patience = Patience::new(&client, MINUTE);
        let mut polls = Polls::default();
        assert_eq!(looks(&mut polls, &patience, false, 6).await, [40, 60, 200, 600, 1_600, 5_600]);
        // Three of those were in the last eight seconds.
        let (more, sent) = (Notify::new(), RefCell::new(false));
        let before = Instant::now();
        let last_task = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            *sent.borrow_mut() = true;
            more.notify_one();
        };
        tokio::join!(polls.next(&patience, || *sent.borrow(), &more), last_task);
        assert_eq!(before.elapsed().as_millis(), 500 + 600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_takes_long_is_looked_at_halfway_or_after_a_minute() {
        let client = client(None);
        let patience = Patience::new(&client, MINUTE);
        for (minutes, distance) in [(2.0, 30_000), (1.0, 300), (30.0, 60_000)] {
            let mut polls = Polls::default();
            polls.expect([open(Some(minutes))].iter());
            assert_eq!(looks(&mut polls, &patience, true, 1).await, [distance], "{minutes} minutes");
        }
    }

    #[test]
    fn a_service_that_fails_twice_in_a_row_is_left_alone() {
        let client = client(None);
        let patience = Patience::new(&client, MINUTE);
        let after = |kind: Kind| patience.forgive(Error::new(kind, String::new())).is_ok();
        assert_eq!([Kind::Failing, Kind::Refused, Kind::Failing, Kind::Throttled].map(after), [true, true, true, false]);
        assert!(!after(Kind::Failing), "and stays so");
        patience.answered();
        assert_eq!([Kind::Failing, Kind::Login].map(after), [true, false], "credentials are not waited for");
        let look = |kind: Kind| patience.forgive_look(Error::new(kind, String::new())).is_ok();
        patience.answered();
        assert_eq!([Kind::Refused, Kind::Invalid, Kind::Failing].map(look), [false, false, true]);
    }

    fn open(minutes: Option<f64>) -> TaskRow {
        TaskRow {
            task_id: "t".to_owned(),
            status: Some(TaskStatus::Running),
            status_word: None,
            start_time: None,
            end_time: None,
            estimated_time: minutes,
            file_type: None,
            files: None,
            succeeded: None,
            failed: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_task_to_end_decides_and_a_minute_may_be_none() {
        let now = Instant::now();
        let guess = |minutes: &[Option<f64>]| {
            let rows: Vec<TaskRow> = minutes.iter().map(|minutes| open(*minutes)).collect();
            expected(rows.iter()).map(|time| time.duration_since(now).as_secs())
        };
        assert_eq!(guess(&[Some(5.0), Some(3.0)]), Some(120));
        assert_eq!(guess(&[Some(1.0)]), Some(0));
        assert_eq!(guess(&[Some(0.0)]), None);
        assert_eq!(guess(&[Some(5.0), None]), None, "nobody knows");
        assert_eq!(guess(&[Some(f64::MAX)]), None);
        assert_eq!(guess(&[]), None);
    }
}
