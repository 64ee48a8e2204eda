//! From a seed to a run.

use std::time::Duration;

use hss_iac::emulator::{Fault, Options, ScriptedFault};
use hss_iac::hss::Timings;
use hss_iac::model::Exit;

use crate::common::scripted;
use crate::repos;

/// Every call that a run makes.
pub(crate) const CALLS: [&str; 15] = [
    "github/id-token",
    "iam/tokens",
    "iam/id-token",
    "iam/securitytokens",
    "metadata/token",
    "metadata/securitykey",
    "sts/assume-with-oidc",
    "iam/projects",
    "batch-upload",
    "task",
    "tasks/batch-query",
    "resources/batch-query",
    "iac/files",
    "file/risks",
    "risk/paths",
];

/// Every status that says that something is wrong, and two that nobody has given a meaning.
const STATUSES: [u16; 42] = [
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
    426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 599,
];

/// Where reports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    Open,
    Closed,
    Full,
    /// Stdout is open, and another report goes to a full disk.
    BesideFull,
}

/// As whom a run calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Keys,
    Token,
    /// A user of IAM, whose token is obtained.
    User,
    /// Whoever has an identity token, for which STS gives keys.
    Agency,
    /// A job of GitHub's, to which GitHub gives the identity token.
    Job,
    /// Whoever has an identity token, for which IAM gives a token.
    Provider,
    /// Keys that may assume an agency, for which IAM gives others.
    Assumed,
    /// A machine whose metadata service gives keys.
    Machine,
}

/// Keys as often as all others.
const CALLERS: [Who; 14] = [
    Who::Keys,
    Who::Keys,
    Who::Keys,
    Who::Keys,
    Who::Keys,
    Who::Keys,
    Who::Keys,
    Who::Token,
    Who::User,
    Who::Agency,
    Who::Job,
    Who::Provider,
    Who::Assumed,
    Who::Machine,
];

/// Where nobody listens. A port just given back would be the next stand-in's: runs play side by side, and this one would call on another.
const NOBODY: &str = "http://127.0.0.1:1";

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// The call and fault that it is about, where it is about one.
    pub(crate) pair: Option<(&'static str, String)>,
    /// Which repository.
    pub(crate) repo: usize,
    /// What the stand-in does wrong.
    pub(crate) options: Told,
    pub(crate) who: Who,
    pub(crate) project_known: bool,
    pub(crate) jobs: usize,
    pub(crate) no_wait: bool,
    pub(crate) timeout: Duration,
    pub(crate) timings: Timings,
    /// Cut short, and when.
    pub(crate) signal: Option<(Exit, Duration)>,
    /// It was cut short, and what is judged is the run that went on with it.
    pub(crate) resumed: bool,
    pub(crate) stdout: Stdout,
    /// The endpoint is not the stand-in but this.
    pub(crate) elsewhere: Option<String>,
}

/// What of [`Options`] is told; its own `Debug` is shy of credentials.
#[derive(Clone)]
pub(crate) struct Told(pub(crate) Options);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let usual = Options::default();
        let mut told = f.debug_struct("Options");
        told.field("fault_rate", &self.0.fault_rate).field("faults", &self.0.faults);
        macro_rules! unusual {
            ($($name:ident)*) => { $(if self.0.$name != usual.$name { told.field(stringify!($name), &self.0.$name); })* };
        }
        unusual!(faults_by_content throttle throttle_retry_after latency scan_time hide_tasks never_finish late_risks refuse_names
            refuse_batch_containing fail_scan_names omit_counts shuffle old_tasks one_id_per_content split_risks
            overcount_risks stale_files date_ahead);
        told.finish()
    }
}

/// Everything that goes wrong with a call besides a plain status.
fn kinds() -> Vec<Fault> {
    let ms = Duration::from_millis;
    vec![
        Fault::Throttle { retry_after: None },
        Fault::Throttle { retry_after: Some(1) },
        Fault::StatusAfter(500),
        Fault::StatusAfter(503),
        Fault::StatusAfter(408),
        Fault::Html502,
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Truncate,
        Fault::Slow(ms(60)),
        Fault::Slow(ms(5_000)),
        Fault::Stalled(ms(60)),
        Fault::ExpiredToken,
        Fault::NotPublished,
        Fault::NoPermission,
        Fault::Garbage,
        Fault::HtmlPage,
        Fault::WrongType,
        Fault::Endless,
        Fault::Drip(ms(1)),
        Fault::Drip(ms(50)),
        Fault::Hang,
        Fault::Headers,
        Fault::Dated(86_400),
        Fault::Dated(-86_400),
        Fault::Dated(10 * 365 * 86_400),
        Fault::Twice,
        Fault::Missing,
        Fault::InPlace,
        Fault::Untotalled,
        Fault::Shifted,
        Fault::Short,
        Fault::OneRow,
        Fault::NoEnd,
        Fault::Emptied,
        Fault::Gone,
    ]
}

/// Whether a call that meets it once is repeated or heard all the same, and nothing else comes of it.
pub(crate) fn leaves_no_trace(fault: &Fault) -> bool {
    match fault {
        Fault::Status(code) | Fault::StatusAfter(code) => matches!(code, 408 | 429 | 500 | 502..=504),
        Fault::Throttle { .. }
        | Fault::Html502
        | Fault::ResetBefore
        | Fault::ResetAfter
        | Fault::Truncate
        | Fault::Slow(_)
        | Fault::Stalled(_)
        | Fault::Hang
        | Fault::Drip(_)
        | Fault::HtmlPage
        | Fault::Garbage
        | Fault::WrongType
        | Fault::Headers => true,
        _ => false,
    }
}

/// The exit code of a run in which every call of an API meets this, where the call is needed and the fault leaves one alone.
pub(crate) fn ends_with(api: &str, fault: &Fault) -> Option<Exit> {
    match fault {
        // Without places the findings stand.
        _ if api == "risk/paths" => None,
        // The task is looked for, and there.
        fault if api == "task" && took_effect(fault) => None,
        // A service that knows of no tokens is asked without one, which ours refuses.
        Fault::Status(404) | Fault::NotPublished if api == "metadata/token" => Some(Exit::Login),
        Fault::Status(401 | 403) | Fault::NoPermission | Fault::ExpiredToken => Some(Exit::Login),
        fault if took_effect(fault) => Some(Exit::Service),
        Fault::Status(404 | 408 | 429 | 500..)
        | Fault::Html502
        | Fault::HtmlPage
        | Fault::ResetBefore
        | Fault::Stalled(_)
        | Fault::Throttle { .. }
        | Fault::NotPublished => Some(Exit::Service),
        Fault::Status(_) => Some(match api {
            "iam/projects" | "tasks/batch-query" => Exit::Service,
            api if gives_credentials(api) => Exit::Login,
            _ => Exit::Partial,
        }),
        _ => None,
    }
}

/// Whether a call that meets it was carried out, and only its answer says nothing of it.
fn took_effect(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::StatusAfter(_)
            | Fault::ResetAfter
            | Fault::Truncate
            | Fault::Garbage
            | Fault::Headers
            | Fault::Endless
            | Fault::Hang
    )
}

/// Whether it is the rows of a list that are wrong.
fn spoils_rows(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Twice | Fault::Missing | Fault::InPlace | Fault::Untotalled | Fault::Shifted | Fault::Short | Fault::Emptied
    )
}

/// Every fault with the calls that it comes at: the first, the second, all. A status comes at the first or at all.
pub(crate) fn faults() -> Vec<(Fault, u32)> {
    let kinds = kinds().into_iter().flat_map(|fault| [1, 2, 0].map(|nth| (fault.clone(), nth)));
    kinds.chain(STATUSES.into_iter().flat_map(|status| [1, 0].map(|nth| (Fault::Status(status), nth)))).collect()
}

/// Every pair of a call and a fault, and the calls that it comes at. Calls that give credentials are made once: there is no second.
pub(crate) fn pairs() -> Vec<(&'static str, Fault, u32)> {
    let of = |(fault, nth): (Fault, u32)| {
        let made = CALLS.into_iter().filter(move |api| nth < 2 || !gives_credentials(api));
        made.map(move |api| (api, fault.clone(), nth))
    };
    faults().into_iter().flat_map(of).collect()
}

/// Whether a call obtains credentials.
pub(crate) fn gives_credentials(api: &str) -> bool {
    api != "iam/projects" && ["github/", "iam/", "sts/", "metadata/"].iter().any(|service| api.starts_with(service))
}

/// The calls that list something of which a run may have several.
const LISTINGS: [&str; 5] = ["tasks/batch-query", "resources/batch-query", "iac/files", "file/risks", "risk/paths"];

/// 2,000 times faster than in life, so that a look at a task comes every 7 ms.
fn timings() -> Timings {
    let ms = Duration::from_millis;
    Timings {
        connect: ms(300),
        request: ms(300),
        knock: Duration::from_secs(20),
        backoff: ms(2),
        longest_backoff: ms(15),
        longest_wait: ms(60),
        window: ms(30),
        grace: ms(100),
    }
}

impl Scenario {
    /// The run of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let all = pairs();
        let pairs = all.len() as u64;
        // A step that shares no factor with the number of pairs: the first few seeds show some of every kind, all seeds every pair.
        let step = (607..pairs).find(|step| gcd(*step, pairs) == 1).unwrap_or(1);
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let mut scenario = Self {
            seed,
            pair: None,
            repo: random.usize(..repos::COUNT - 1),
            options: Told(Options {
                seed,
                scan_time: Duration::from_millis(12),
                throttle: Some((1_000, Duration::from_millis(20))),
                ..Options::default()
            }),
            who: CALLERS[random.usize(..CALLERS.len())],
            project_known: random.bool(),
            jobs: random.usize(1..=4),
            no_wait: random.u8(..12) == 0,
            timeout: Duration::from_millis(2_500),
            timings: timings(),
            signal: None,
            resumed: false,
            stdout: Stdout::Open,
            elsewhere: None,
        };
        let nth = seed - seed / 5;
        if seed % 5 < 4 && nth < pairs {
            scenario.about(&all[usize::try_from(nth * step % pairs).expect("a place in a list")]);
        } else {
            scenario.drawn(&mut random);
        }
        // One job at a time calls in an order of its own, but for two tasks whose files are listed; of several any may be the first.
        scenario.options.0.faults_by_content = scenario.jobs > 1 || scenario.options.0.omit_counts;
        scenario
    }

    /// The run of a seed, to be cut short by a signal and gone on with.
    pub(crate) fn cut(seed: u64) -> Self {
        let mut scenario = Self::of(seed);
        let mut random = fastrand::Rng::with_seed(seed ^ 0xc07);
        let after = Duration::from_millis(random.u64(..80));
        (scenario.signal, scenario.no_wait, scenario.elsewhere) = (Some((Exit::Terminated, after)), false, None);
        // The result goes to a file.
        scenario.stdout = Stdout::Closed;
        scenario
    }

    /// A run in fine weather, one job at a time, that nothing hurries.
    pub(crate) fn calm(repo: usize) -> Self {
        let mut scenario = Self::of(0);
        let options = Options { scan_time: Duration::from_millis(12), ..Options::default() };
        (scenario.pair, scenario.repo, scenario.options) = (None, repo, Told(options));
        (scenario.who, scenario.project_known, scenario.jobs, scenario.no_wait) = (Who::Keys, true, 1, false);
        (scenario.timeout, scenario.timings.request) = (Duration::from_secs(25), Duration::from_secs(10));
        scenario
    }

    /// A fault at a call, in a run that makes that call.
    fn about(&mut self, (api, fault, nth): &(&'static str, Fault, u32)) {
        let (api, nth) = (*api, *nth);
        self.pair = Some((api, format!("{fault:?} at {nth}")));
        self.no_wait &= ["batch-upload", "task"].contains(&api);
        self.project_known &= api != "iam/projects";
        self.who = match api {
            "iam/tokens" => Who::User,
            "github/id-token" => Who::Job,
            "sts/assume-with-oidc" => Who::Agency,
            "iam/id-token" => Who::Provider,
            "iam/securitytokens" => Who::Assumed,
            "metadata/token" | "metadata/securitykey" => Who::Machine,
            // A token says of itself which project it is for.
            "iam/projects" => Who::Keys,
            _ => self.who,
        };
        if nth > 1 {
            // Of several in flight none is the second.
            self.jobs = 1;
            // There may be no second call but the first again. Where rows are spoilt, pages of one row make a second page.
            let has_pages = spoils_rows(fault) && LISTINGS.contains(&api);
            let first = if has_pages { (0, Fault::OneRow) } else { (1, Fault::Status(503)) };
            self.options.0.faults.push(scripted(api, first.0, first.1));
            if has_pages {
                self.repo = repos::WITH_PLACES;
            }
        }
        let options = &mut self.options.0;
        match api {
            "resources/batch-query" => options.omit_counts = true,
            "file/risks" => self.repo = repos::WITH_PLACES,
            "risk/paths" => {
                self.repo = repos::WITH_PLACES;
                // One after the other each rule may meet what takes as long as a call may.
                self.timeout = Duration::from_secs(8);
            }
            _ => {}
        }
        // The first that fits decides.
        options.faults.insert(0, scripted(api, nth, fault.clone()));
    }

    /// Anything that may go wrong together.
    fn drawn(&mut self, random: &mut fastrand::Rng) {
        let ms = Duration::from_millis;
        if random.u8(..40) == 0 {
            self.repo = repos::COUNT - 1;
        }
        let options = &mut self.options.0;
        options.fault_rate = [0.0, 0.1, 0.2, 0.5][random.usize(..4)];
        let all = faults();
        for _ in 0..random.usize(1..4) {
            let (fault, nth) = all[random.usize(..all.len())].clone();
            let api = CALLS[random.usize(..CALLS.len())];
            options.faults.push(ScriptedFault {
                api: api.to_owned(),
                nth: if nth == 0 { random.u32(..6) } else { nth },
                fault,
            });
        }
        let mut at_times = |one_in: u8| random.u8(..one_in) == 0;
        options.shuffle = at_times(2);
        options.omit_counts = at_times(4);
        options.one_id_per_content = at_times(6);
        options.split_risks = at_times(6);
        options.overcount_risks = at_times(12);
        options.stale_files = at_times(12);
        options.never_finish = at_times(12);
        if at_times(10) {
            options.refuse_names = vec!["d1".to_owned(), "s1".to_owned()];
        }
        if at_times(10) {
            options.refuse_batch_containing = vec!["d2".to_owned(), "s0".to_owned()];
        }
        if at_times(10) {
            options.fail_scan_names = ["d3", "s2", "web", "bad"].map(str::to_owned).to_vec();
        }
        if at_times(8) {
            options.old_tasks = 250;
        }
        if at_times(12) {
            options.throttle = Some((5, ms(40)));
        }
        if at_times(20) {
            options.date_ahead = Duration::from_secs(7_200);
        }
        self.elsewhere = at_times(30).then(|| NOBODY.to_owned());
        self.stdout = match random.u8(..12) {
            0 => Stdout::Full,
            1 => Stdout::Closed,
            _ => Stdout::Open,
        };
        options.hide_tasks = random.u32(..5).saturating_sub(1);
        options.late_risks = random.u32(..6).saturating_sub(2);
        if options.stale_files {
            // Where the row is of long ago, three empty listings are believed: a clean file has no more to show.
            options.late_risks = options.late_risks.min(2);
        }
        if random.u8(..10) == 0 {
            let exit = if random.bool() { Exit::Interrupted } else { Exit::Terminated };
            self.signal = Some((exit, ms(random.u64(..120))));
        }
        if options.never_finish || random.u8(..16) == 0 {
            self.timeout = ms(random.u64(10..500));
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
