//! Plays a run in this process: settings as the command line makes them, but with scaled timings, which no flag can reach.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::FromArgMatches as _;
use hss_iac::cli::{self, Cli, Command};
use hss_iac::diff::Scratch;
use hss_iac::emulator::{Call, Emulator, Options, StoredFile};
use hss_iac::error::Error;
use hss_iac::model::Exit;
use hss_iac::run::{self, Streams};
use hss_iac::settings;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::repos::Repos;
use crate::scenario::{Scenario, Stdout, Who};

/// What a run came to, on both sides.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) took: Duration,
    pub(crate) result: Value,
    pub(crate) journal: Vec<Call>,
    /// Id, type, file ids.
    pub(crate) tasks: Vec<(String, String, Vec<String>)>,
    pub(crate) kept: Vec<StoredFile>,
    pub(crate) refusals: Vec<String>,
}

impl Ran {
    /// What the stand-in saw of it besides.
    pub(crate) fn new(exit: u8, took: Duration, result: Value, emulator: &Emulator) -> Self {
        let (journal, tasks, kept) = (emulator.journal(), emulator.tasks(), emulator.files());
        Self { exit, took, result, journal, tasks, kept, refusals: emulator.refusals() }
    }

    /// How many calls met a fault.
    pub(crate) fn faults(&self) -> usize {
        self.journal.iter().filter(|call| is_fault(call)).count()
    }
}

/// Whether a fault was injected.
pub(crate) fn is_fault(call: &Call) -> bool {
    call.detail.starts_with("fault ")
}

/// A stdout.
struct Out {
    kind: Stdout,
    bytes: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind {
            Stdout::Open | Stdout::BesideFull => self.bytes.write(bytes),
            Stdout::Closed => Err(io::ErrorKind::BrokenPipe.into()),
            Stdout::Full => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs until it ends, or until the scenario's signal has it end: the exit code, and how long it took.
pub(crate) fn to_its_end(
    scenario: &Scenario,
    run: impl AsyncFnOnce(oneshot::Receiver<Exit>) -> Result<Exit, Error>,
) -> (u8, Duration) {
    let (sender, signal) = oneshot::channel();
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ended = runtime.block_on(async {
        let cut = async {
            if let Some((exit, after)) = scenario.signal {
                tokio::time::sleep(after).await;
                let _ = sender.send(exit);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = run(signal) => ended,
            () = cut => unreachable!("it never ends"),
            () = tokio::time::sleep(Duration::from_secs(30)) => panic!("it did not end in 30 s"),
        }
    });
    let took = begin.elapsed();
    // Connections that are still open hold the stand-in's answers back.
    drop(runtime);
    (ended.unwrap_or_else(|error| panic!("no result: {error}")).code(), took)
}

/// Plays it.
pub(crate) fn play(scenario: &Scenario, repos: &Repos) -> Ran {
    // The jitter of repetitions, on this thread alone.
    fastrand::seed(scenario.seed);
    let emulator = Emulator::start(scenario.options.0.clone()).expect("the stand-in listens");
    let kept = tempfile::tempdir().expect("a directory");
    let file = kept.path().join("result.json");
    let mut out = Out { kind: scenario.stdout, bytes: Vec::new() };
    let settings = settings_of(scenario, repos, &emulator, &file);
    let (exit, took) = to_its_end(scenario, async |signal| {
        let mut streams = Streams { out: &mut out, color: anstream::ColorChoice::Never };
        run::scan(settings, signal, &mut streams).await
    });
    let bytes = if scenario.stdout == Stdout::Open { out.bytes } else { std::fs::read(&file).expect("a JSON result") };
    let result =
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)));
    Ran::new(exit, took, result, &emulator)
}

fn settings_of(scenario: &Scenario, repos: &Repos, emulator: &Emulator, file: &std::path::Path) -> settings::Scan {
    let usual = Options::default();
    let url = scenario.elsewhere.clone().unwrap_or_else(|| emulator.url());
    let is = |who: Who| scenario.who == who;
    let env = |name: &str| match name {
        "HSS_IAC_TOKEN" => is(Who::Token).then(|| usual.token.clone()),
        "HSS_IAC_ACCESS_KEY" => is(Who::Keys).then(|| usual.access_key.clone()),
        "HSS_IAC_SECRET_KEY" => is(Who::Keys).then(|| usual.secret_key.clone()),
        "HW_USER_NAME" => is(Who::User).then(|| usual.access_key.clone()),
        "HW_USER_PASSWORD" => is(Who::User).then(|| usual.secret_key.clone()),
        "HW_DOMAIN_NAME" => is(Who::User).then(|| usual.account.clone()),
        "HUAWEICLOUD_OIDC_PROVIDER_URN" => is(Who::Agency).then(|| usual.provider_urn.clone()),
        "HUAWEICLOUD_OIDC_AGENCY_URN" => is(Who::Agency).then(|| usual.agency_urn.clone()),
        "HUAWEICLOUD_OIDC_ID_TOKEN" => is(Who::Agency).then(|| usual.id_token.clone()),
        _ => None,
    };
    let (jobs, json) = (scenario.jobs.to_string(), format!("json={}", file.display()));
    let mut args = vec!["hss-iac", "scan", "-q", "--color", "never", "--region", "cn-north-4", "--endpoint", &url];
    args.extend(["--iam-endpoint", &url, "--sts-endpoint", &url, "--jobs", &jobs]);
    if scenario.project_known {
        args.extend(["--project-id", &usual.project_id]);
    }
    if scenario.no_wait {
        args.push("--no-wait");
    }
    match scenario.stdout {
        Stdout::Open => args.extend(["-o", "json"]),
        _ => args.extend(["-o", "table", "-o", &json]),
    }
    let matches = cli::command(&|_| None).try_get_matches_from(args).expect("flags");
    let Ok(Cli { command: Command::Scan(scan), .. }) = Cli::from_arg_matches(&matches) else { panic!("not a scan") };
    let typed = matches.subcommand().expect("scan").1;
    let cwd = repos.all[scenario.repo].repo.path();
    let mut settings = settings::Scan::new(*scan, typed, &env, cwd, &Scratch::default()).expect("settings");
    settings.timeout = scenario.timeout;
    settings.timings = scenario.timings;
    settings
}
