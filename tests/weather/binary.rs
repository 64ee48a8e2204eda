//! Some of the weather through the built binary: a name that nobody knows, a full disk, a closed stdout, signals, a process that is killed
//! and a run that goes on where it ended. Its timings are those of life, so its faults are those that pass soon.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hss_iac::emulator::{Emulator, Fault, Options};
use hss_iac::hss::Timings;
use hss_iac::model::Exit;
use serde_json::Value;

use crate::common::{connect, hss_iac};
use crate::oracle;
use crate::play::Ran;
use crate::repos::{self, Repos};
use crate::scenario::{CALLS, Scenario, Stdout, Who, faults, leaves_no_trace};

/// How many runs.
pub(crate) const RUNS: u64 = 50;
/// No run takes longer, or it hangs.
const FOR_EVER: Duration = Duration::from_secs(60);

/// Never in any name service (RFC 6761).
const NO_NAME: &str = "https://hss.nobody.invalid";

/// What befalls the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing: only the service fails.
    Untouched,
    /// The endpoint's name is not known.
    NoName,
    /// Stdout goes to a full disk.
    StdoutFull,
    /// Nobody reads stdout any more.
    StdoutUnread,
    /// There is no stdout.
    NoStdout,
    /// A report goes to a full disk.
    ReportFull,
    /// It is told to stop.
    Told(Exit),
    /// It is killed, and gone on with.
    Killed,
}

const WAYS: [Way; 10] = [
    Way::Killed,
    Way::Told(Exit::Interrupted),
    Way::StdoutFull,
    Way::Killed,
    Way::Untouched,
    Way::ReportFull,
    Way::NoName,
    Way::Told(Exit::Terminated),
    Way::StdoutUnread,
    Way::NoStdout,
];

/// A run of the binary.
#[derive(Debug)]
pub(crate) struct Storm {
    way: Way,
    /// A signal comes when the stand-in has seen so many calls and one, or as many less as there are.
    at: usize,
    scenario: Scenario,
}

impl Storm {
    /// The run of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let way = WAYS[usize::try_from(seed % WAYS.len() as u64).expect("a place in a list")];
        let mut random = fastrand::Rng::with_seed(seed ^ 0xb1a5);
        let mut scenario = Scenario::of(seed);
        scenario.pair = None;
        if scenario.who != Who::Token {
            scenario.who = Who::Keys;
        }
        scenario.repo = random.usize(..repos::COUNT);
        scenario.timeout = Duration::from_secs(15);
        scenario.timings = Timings::default();
        scenario.signal = None;
        scenario.no_wait = false;
        scenario.elsewhere = (way == Way::NoName).then(|| NO_NAME.to_owned());
        scenario.project_known |= way == Way::Killed;
        scenario.stdout = match way {
            Way::StdoutFull => Stdout::Full,
            Way::StdoutUnread | Way::NoStdout => Stdout::Closed,
            Way::ReportFull => Stdout::BesideFull,
            _ => Stdout::Open,
        };
        scenario.options.0 = Options {
            seed,
            scan_time: Duration::from_millis(50),
            throttle: Some((1_000, Duration::from_millis(20))),
            latency: Duration::from_millis(random.u64(5..15)),
            shuffle: random.bool(),
            omit_counts: random.bool(),
            ..Options::default()
        };
        // Those that are killed are so at one call after the other.
        let turn = usize::try_from(seed / WAYS.len() as u64).expect("few");
        let at = match (way, seed % WAYS.len() as u64) {
            (Way::Killed, 0) => 2 * turn,
            (Way::Killed, _) => 2 * turn + 1,
            _ => random.usize(..15),
        };
        let mut storm = Self { way, at, scenario };
        storm.add_faults(&mut random);
        storm
    }

    /// Up to two faults, that pass soon. A run that is to end as if nothing had been meets those alone that leave no trace.
    fn add_faults(&mut self, random: &mut fastrand::Rng) {
        let passes_soon = |fault: &Fault| match fault {
            Fault::Slow(wait) => *wait < Duration::from_secs(1),
            Fault::Hang | Fault::Drip(_) => false,
            _ => true,
        };
        let killed = self.way == Way::Killed;
        let fit = |(fault, nth): &(Fault, u32)| *nth != 0 && passes_soon(fault) && (!killed || leaves_no_trace(fault));
        let all: Vec<_> = faults().into_iter().filter(fit).collect();
        for _ in 0..random.usize(..3) {
            let (fault, nth) = all[random.usize(..all.len())].clone();
            let api = CALLS[random.usize(..CALLS.len())];
            self.scenario.options.0.faults.push(crate::common::scripted(api, nth, fault));
        }
    }
}

/// Plays it and judges it; gives the exit code. Counts the runs that were killed before they ended.
pub(crate) fn weather(storm: &Storm, repos: &Repos, killed: &AtomicU64) -> i32 {
    let emulator = Emulator::start(storm.scenario.options.0.clone()).expect("the stand-in listens");
    let kept = tempfile::tempdir().expect("a directory");
    let begin = Instant::now();
    let mut child = command(storm, repos, &emulator, kept.path()).spawn().expect("the binary starts");
    let wait_until_cut = matches!(storm.way, Way::Told(_) | Way::Killed);
    let mut signal = None;
    // Of the calls that it makes in fine weather, one before the last.
    let calls = repos.all[storm.scenario.repo].result["calls"].as_object().expect("calls").values();
    let calls = usize::try_from(calls.filter_map(Value::as_u64).sum::<u64>()).expect("few");
    if wait_until_cut && reaches(&emulator, 1 + storm.at % (calls - 1), &mut child) {
        match storm.way {
            Way::Told(exit) => {
                let name = if exit == Exit::Interrupted { "-INT" } else { "-TERM" };
                let told = Command::new("kill").args([name, &child.id().to_string()]).status();
                assert!(told.is_ok_and(|status| status.success()), "it can be told");
                signal = Some((exit, begin.elapsed()));
            }
            _ => child.kill().expect("it can be killed"),
        }
    }
    let ended = wait(&mut child);
    let said = read(kept.path(), "stderr");
    if storm.way == Way::Killed {
        killed.fetch_add(u64::from(ended.code().is_none()), Ordering::Relaxed);
        let ran = going_on(storm, repos, &emulator, kept.path());
        oracle::judge_resumed(&storm.scenario, repos, &ran);
        return i32::from(ran.exit);
    }
    let exit = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or_else(|| panic!("{ended}: {said}"));
    if signal.is_some() && !kept.path().join("result.json").exists() {
        // It came when the run had ended by itself before anything was sent, and the result was still to be written.
        assert_eq!(signal.map(|(exit, _)| exit.code()), Some(exit), "it ended by itself: {said}");
        assert!(emulator.tasks().is_empty() && emulator.files().is_empty(), "what was sent is not told of: {said}");
        assert!(!said.contains("goes on with it"), "there is nothing to go on with: {said}");
        return i32::from(exit);
    }
    let on_stdout = matches!(storm.way, Way::Untouched | Way::NoName | Way::ReportFull);
    let result = result(kept.path(), if on_stdout { "stdout" } else { "result.json" }, &said);
    let ran = Ran::new(exit, begin.elapsed(), result, &emulator);
    assert!(!said.contains("panicked"), "{said}");
    if is_interim(&ran.result) {
        // It came when all was done but the reports: they are not begun any more, and what was kept stays.
        assert_eq!(signal.map(|(exit, _)| exit.code()), Some(exit), "it ended by itself: {said}");
        crate::common::assert_adds_up(&ran.result, repos.all[storm.scenario.repo].paths.len());
        return i32::from(exit);
    }
    assert!(signal.is_none() || ran.took < storm.scenario.timeout, "a signal changes nothing: {said}");
    let scenario = Scenario { signal, ..storm.scenario.clone() };
    oracle::judge(&scenario, repos, &ran);
    assert!(storm.way != Way::NoName || ran.journal.is_empty() && ran.result["counts"]["scanned"] == 0);
    i32::from(exit)
}

fn command(storm: &Storm, repos: &Repos, emulator: &Emulator, kept: &Path) -> Command {
    let result = format!("json={}", kept.join("result.json").display());
    let mut args = vec!["scan", "-q", "--timeout", "15s", "--rate", "100/1s"];
    let jobs = storm.scenario.jobs.to_string();
    args.extend(["--jobs", &jobs]);
    match storm.way {
        Way::ReportFull if storm.at.is_multiple_of(2) => args.extend(["-o", "json", "-o", "json=/dev/full"]),
        Way::ReportFull => args.extend(["-o", "json", "-o", "sarif=/dev/full"]),
        Way::StdoutFull | Way::StdoutUnread | Way::NoStdout => args.extend(["-o", "table", "-o", &result]),
        Way::Told(_) | Way::Killed => args.extend(["-o", &result]),
        _ => args.extend(["-o", "json"]),
    }
    let mut command = calling(storm, emulator, repos.all[storm.scenario.repo].repo.path());
    if storm.way == Way::NoName {
        command.env("HSS_IAC_ENDPOINT", NO_NAME).env("HSS_IAC_IAM_ENDPOINT", NO_NAME);
    }
    if storm.way == Way::NoStdout {
        let binary = command.get_program().to_owned();
        let envs: Vec<_> =
            command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let cwd = command.get_current_dir().expect("a directory").to_owned();
        command = Command::new("/bin/sh");
        command.current_dir(cwd).env_clear().envs(envs).args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(binary);
    }
    let stdout = match storm.way {
        Way::StdoutFull => Stdio::from(File::options().write(true).open("/dev/full").expect("a full device")),
        // The end to read from is dropped here.
        Way::StdoutUnread => Stdio::from(io::pipe().expect("a pipe").1),
        _ => Stdio::from(File::create(kept.join("stdout")).expect("a file")),
    };
    command.args(args).stdout(stdout).stderr(File::create(kept.join("stderr")).expect("a file"));
    command
}

/// The binary, as who the stand-in knows.
fn calling(storm: &Storm, emulator: &Emulator, cwd: &Path) -> Command {
    let mut command = hss_iac(cwd);
    connect(&mut command, emulator);
    if storm.scenario.who == Who::Token {
        command.env_remove("HSS_IAC_ACCESS_KEY").env_remove("HSS_IAC_SECRET_KEY");
        command.env("HSS_IAC_TOKEN", Options::default().token);
    }
    if !storm.scenario.project_known {
        command.env_remove("HSS_IAC_PROJECT_ID");
    }
    command
}

/// `resume` in the repository.
fn going_on(storm: &Storm, repos: &Repos, emulator: &Emulator, kept: &Path) -> Ran {
    let begin = Instant::now();
    let interim = result(kept, "result.json", &read(kept, "stderr"));
    crate::common::assert_adds_up(&interim, repos.all[storm.scenario.repo].paths.len());
    let mut command = calling(storm, emulator, repos.all[storm.scenario.repo].repo.path());
    let jobs = storm.scenario.jobs.to_string();
    command.arg("resume").arg(kept.join("result.json")).args(["--rate", "100/1s", "--jobs", &jobs]);
    command.stdout(Stdio::null()).stderr(File::create(kept.join("stderr")).expect("a file"));
    let ended = wait(&mut command.spawn().expect("the binary starts"));
    let said = read(kept, "stderr");
    let exit = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or_else(|| panic!("{ended}: {said}"));
    Ran::new(exit, begin.elapsed(), result(kept, "result.json", &said), emulator)
}

/// Whether it is the result of a run that has not ended.
fn is_interim(result: &Value) -> bool {
    result["verdict"]["reasons"].to_string().contains("the run has not ended")
}

/// Waits until the stand-in has seen so many calls; false where the process ends before.
fn reaches(emulator: &Emulator, calls: usize, child: &mut Child) -> bool {
    let soon = Instant::now() + FOR_EVER;
    while emulator.journal().len() < calls {
        assert!(Instant::now() < soon, "call {calls} is reached");
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

fn wait(child: &mut Child) -> ExitStatus {
    let soon = Instant::now() + FOR_EVER;
    loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            return status;
        }
        if Instant::now() > soon {
            let _ = child.kill();
            panic!("it did not end in {FOR_EVER:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read(kept: &Path, name: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(kept.join(name)).unwrap_or_default()).into_owned()
}

fn result(kept: &Path, name: &str, said: &str) -> Value {
    let text = read(kept, name);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("no result in {name}: {error}: {text}\n{said}"))
}
