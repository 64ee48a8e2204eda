//! Plays a run in this process: settings as the command line makes them, but with scaled timings, which no flag can reach.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::FromArgMatches as _;
use hss_iac::cli::{self, Cli, Command};
use hss_iac::diff::Scratch;
use hss_iac::emulator::{Call, Emulator, Options, StoredFile};
use hss_iac::error::Error;
use hss_iac::model::{Exit, ScanResult};
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

/// The stand-in, and where a result is kept.
fn stage(scenario: &Scenario) -> (Emulator, tempfile::TempDir) {
    // The jitter of repetitions, on this thread alone.
    fastrand::seed(scenario.seed);
    let emulator = Emulator::start(scenario.options.0.clone()).expect("the stand-in listens");
    (emulator, tempfile::tempdir().expect("a directory"))
}

/// Plays it.
pub(crate) fn play(scenario: &Scenario, repos: &Repos) -> Ran {
    let (emulator, kept) = stage(scenario);
    let file = kept.path().join("result.json");
    let mut out = Out { kind: scenario.stdout, bytes: Vec::new() };
    let settings = settings_of(scenario, repos, &emulator, &file, None);
    let (exit, took) = to_its_end(scenario, async |signal| {
        let mut streams = Streams { out: &mut out, color: anstream::ColorChoice::Never };
        run::scan(settings, signal, &mut streams).await
    });
    let bytes = if scenario.stdout == Stdout::Open { out.bytes } else { std::fs::read(&file).expect("a JSON result") };
    let result =
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)));
    Ran::new(exit, took, result, &emulator)
}

/// Plays it until it is cut off, and goes on with what it left until that ends. Counts those that left anything.
pub(crate) fn play_on(scenario: &Scenario, repos: &Repos, went_on: &AtomicU64) -> Ran {
    let (emulator, kept) = stage(scenario);
    let file = kept.path().join("result.json");
    let mut out = Out { kind: scenario.stdout, bytes: Vec::new() };
    let settings = settings_of(scenario, repos, &emulator, &file, None);
    to_its_end(scenario, async |signal| {
        run::scan(settings, signal, &mut Streams { out: &mut out, color: anstream::ColorChoice::Never }).await
    });
    let left = std::fs::read(&file).expect("a JSON result");
    let saved: ScanResult = serde_json::from_slice(&left).expect("a result");
    went_on.fetch_add(u64::from(saved.files.iter().any(|file| file.next.is_some())), Ordering::Relaxed);
    let settings = settings_of(scenario, repos, &emulator, &file, Some(&saved));
    let (exit, took) = to_its_end(&Scenario { signal: None, ..scenario.clone() }, async |signal| {
        run::resume(settings, saved, signal, &mut Streams { out: &mut out, color: anstream::ColorChoice::Never }).await
    });
    let result = serde_json::from_slice(&std::fs::read(&file).expect("a JSON result")).expect("a result");
    Ran::new(exit, took, result, &emulator)
}

/// The settings of a scan, or of going on with what it left in the file.
fn settings_of(
    scenario: &Scenario,
    repos: &Repos,
    emulator: &Emulator,
    file: &Path,
    saved: Option<&ScanResult>,
) -> settings::Scan {
    let usual = Options::default();
    let url = scenario.elsewhere.clone().unwrap_or_else(|| emulator.url());
    let is = |who: Who| scenario.who == who;
    let id_token = file.with_file_name("id-token");
    std::fs::write(&id_token, &usual.id_token).expect("a file");
    std::fs::set_permissions(&id_token, Permissions::from_mode(0o600)).expect("for us alone");
    let env = |name: &str| match name {
        "HSS_IAC_TOKEN" => is(Who::Token).then(|| usual.token.clone()),
        "HSS_IAC_ACCESS_KEY" => is(Who::Keys).then(|| usual.access_key.clone()),
        "HSS_IAC_SECRET_KEY" => is(Who::Keys).then(|| usual.secret_key.clone()),
        "HW_USER_NAME" => is(Who::User).then(|| usual.access_key.clone()),
        "HW_USER_PASSWORD" => is(Who::User).then(|| usual.secret_key.clone()),
        "HW_DOMAIN_NAME" => is(Who::User).then(|| usual.account.clone()),
        "HUAWEICLOUD_OIDC_PROVIDER_URN" => (is(Who::Agency) || is(Who::Job)).then(|| usual.provider_urn.clone()),
        "HUAWEICLOUD_OIDC_AGENCY_URN" => (is(Who::Agency) || is(Who::Job)).then(|| usual.agency_urn.clone()),
        "HUAWEICLOUD_OIDC_ID_TOKEN" => is(Who::Agency).then(|| usual.id_token.clone()),
        "ACTIONS_ID_TOKEN_REQUEST_URL" => is(Who::Job).then(|| format!("{url}/github/id-token?api-version=2.0")),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN" => is(Who::Job).then(|| usual.token.clone()),
        "HUAWEICLOUD_SDK_IDP_ID" => is(Who::Provider).then(|| usual.idp_id.clone()),
        "HUAWEICLOUD_SDK_ID_TOKEN_FILE" => is(Who::Provider).then(|| id_token.display().to_string()),
        "HW_ACCESS_KEY" => is(Who::Assumed).then(|| usual.access_key.clone()),
        "HW_SECRET_KEY" => is(Who::Assumed).then(|| usual.secret_key.clone()),
        "HW_ASSUME_ROLE_AGENCY_NAME" => is(Who::Assumed).then(|| usual.agency_name.clone()),
        "HW_ASSUME_ROLE_DOMAIN_NAME" => is(Who::Assumed).then(|| usual.account.clone()),
        "HSS_IAC_CREDENTIALS" => is(Who::Machine).then(|| "ecs".to_owned()),
        "HSS_IAC_METADATA_ENDPOINT" => is(Who::Machine).then(|| url.clone()),
        _ => None,
    };
    let (jobs, path) = (scenario.jobs.to_string(), file.display().to_string());
    let json = format!("json={path}");
    let mut args = if saved.is_some() { vec!["hss-iac", "resume", &path] } else { vec!["hss-iac", "scan"] };
    args.extend(["-q", "--color", "never", "--region", "cn-north-4", "--endpoint", &url]);
    args.extend(["--iam-endpoint", &url, "--sts-endpoint", &url, "--jobs", &jobs]);
    if scenario.project_known {
        args.extend(["--project-id", &usual.project_id]);
    }
    if scenario.no_wait && saved.is_none() {
        args.push("--no-wait");
    }
    match scenario.stdout {
        Stdout::Open => args.extend(["-o", "json"]),
        _ => args.extend(["-o", "table", "-o", &json]),
    }
    let matches = cli::command(&|_| None).try_get_matches_from(args).expect("flags");
    let command = Cli::from_arg_matches(&matches).expect("flags").command;
    let typed = matches.subcommand().expect("a command").1;
    let (cwd, scratch) = (repos.all[scenario.repo].repo.path(), Scratch::default());
    let settings = match (command, saved) {
        (Command::Scan(scan), _) => settings::Scan::new(*scan, typed, &env, cwd, &scratch),
        (Command::Resume(resume), Some(saved)) => settings::Scan::resume(*resume, saved, typed, &env, cwd, &scratch),
        _ => panic!("another command"),
    };
    let mut settings = settings.expect("settings");
    settings.timeout = scenario.timeout;
    settings.timings = scenario.timings;
    settings
}
