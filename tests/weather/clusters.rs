//! `cluster-scan` in the same weather: the faults are those of the scan, over the calls that it makes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::FromArgMatches as _;
use hss_iac::cli::{self, Cli, Command};
use hss_iac::emulator::{Call, Emulator, FailingClusterScan, Fault, Options};
use hss_iac::model::Exit;
use hss_iac::run::{self, Streams};
use hss_iac::settings;
use serde_json::Value;

use crate::common::scripted;
use crate::play::{Ran, is_fault, to_its_end};
use crate::scenario::{Scenario, Told, faults};

const CALLS: [&str; 5] = ["task", "tasks/batch-query", "resources/batch-query", "task/retry", "iam/projects"];
const ONE: &str = "stand-in-cluster-1";
const TWO: &str = "stand-in-cluster-2";
const TYPES: [&str; 2] = ["cluster_vul", "benchmark"];

/// Every pair of a call and a fault.
pub(crate) fn pairs() -> u64 {
    (CALLS.len() * faults().len()) as u64
}

/// A run of it.
#[derive(Debug)]
pub(crate) struct Sky {
    /// The fault, the timings and the signal are those of a scan.
    scenario: Scenario,
    /// Whether the clusters are named.
    named: bool,
    retry: bool,
    /// How many tries of a scan of the second cluster fail.
    failing: u32,
}

impl Sky {
    /// Every pair of a call and a fault first, in an order that shows some of each soon; then some that are drawn.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0xc1a5);
        let all = faults();
        let mut scenario = Scenario::of(seed);
        scenario.pair = None;
        scenario.elsewhere = None;
        scenario.timeout = Duration::from_millis(2_500);
        let mut options = Options { seed, scan_time: Duration::from_millis(12), ..Options::default() };
        options.throttle = Some((1_000, Duration::from_millis(20)));
        // 257 is a prime that divides no number of pairs.
        let place = usize::try_from(seed * 257 % pairs()).expect("a place in a list");
        let (fault, nth) = all[place / CALLS.len()].clone();
        let api = CALLS[place % CALLS.len()];
        scenario.project_known &= api != "iam/projects";
        scenario.no_wait &= api == "task";
        options.faults.push(scripted(api, nth, fault));
        if seed >= pairs() {
            options.fault_rate = [0.1, 0.2, 0.5][random.usize(..3)];
            options.hide_tasks = random.u32(..4);
            options.stale_retries = random.u32(..4);
            options.never_finish = random.u8(..12) == 0;
        } else {
            scenario.signal = None;
        }
        if options.never_finish {
            scenario.timeout = Duration::from_millis(random.u64(10..500));
        }
        let failing = if api == "task/retry" { random.u32(1..3) } else { random.u32(..3) };
        options.fail_cluster_scans =
            vec![FailingClusterScan { cluster_id: TWO.to_owned(), scan_type: TYPES[1].to_owned(), times: failing }];
        scenario.options = Told(options);
        Self { scenario, named: random.bool(), retry: api == "task/retry" || random.bool(), failing }
    }
}

/// Plays it and judges it; gives the exit code.
pub(crate) fn weather(sky: &Sky, schema: &jsonschema::Validator) -> u8 {
    let ran = play(sky);
    clusters_add_up(sky, &ran);
    nothing_is_claimed(sky, &ran);
    no_task_is_created_twice(&ran);
    exit_code(sky, &ran);
    let faults: Vec<String> = schema.iter_errors(&ran.result).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "not as its schema says: {faults:?}");
    assert!(!ran.result.to_string().contains(&sky.scenario.options.0.secret_key), "a secret in the result");
    let timings = sky.scenario.timings;
    assert!(ran.took < sky.scenario.timeout + timings.grace + Duration::from_secs(4), "it took {:?}", ran.took);
    ran.exit
}

fn play(sky: &Sky) -> Ran {
    let scenario = &sky.scenario;
    fastrand::seed(scenario.seed);
    let emulator = Emulator::start(scenario.options.0.clone()).expect("the stand-in listens");
    let settings = settings_of(sky, &emulator.url());
    let mut out = Vec::new();
    let (exit, took) = to_its_end(scenario, async |signal| {
        let mut streams = Streams { out: &mut out, color: anstream::ColorChoice::Never };
        run::cluster_scan(settings, signal, &mut streams).await
    });
    Ran::new(exit, took, serde_json::from_slice(&out).expect("JSON"), &emulator)
}

fn settings_of(sky: &Sky, url: &str) -> settings::Cluster {
    let usual = Options::default();
    let env = |name: &str| match name {
        "HSS_IAC_ACCESS_KEY" => Some(usual.access_key.clone()),
        "HSS_IAC_SECRET_KEY" => Some(usual.secret_key.clone()),
        _ => None,
    };
    let types = TYPES.join(",");
    let mut args = vec!["hss-iac", "cluster-scan", "-q", "--color", "never", "-o", "json", "--type", &types];
    args.extend(["--region", "cn-north-4", "--endpoint", url, "--iam-endpoint", url]);
    args.extend(if sky.named { &["--cluster", TWO, ONE][..] } else { &["--all"] });
    args.extend(sky.retry.then_some("--retry-failed"));
    args.extend(sky.scenario.no_wait.then_some("--no-wait"));
    if sky.scenario.project_known {
        args.extend(["--project-id", &usual.project_id]);
    }
    let matches = cli::command(&|_| None).try_get_matches_from(args).expect("flags");
    let Ok(Cli { command: Command::ClusterScan(scan), .. }) = Cli::from_arg_matches(&matches) else { panic!("not it") };
    let (_, of_command) = matches.subcommand().expect("a command");
    let mut settings = settings::Cluster::new(*scan, of_command, &env).expect("settings");
    (settings.timeout, settings.timings) = (sky.scenario.timeout, sky.scenario.timings);
    settings
}

fn clusters(ran: &Ran) -> impl Iterator<Item = &Value> {
    ran.result["clusters"].as_array().into_iter().flatten()
}

/// Every cluster in one state, with a reason where it failed, and every one that was named.
fn clusters_add_up(sky: &Sky, ran: &Ran) {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    let ids: BTreeSet<&str> = clusters(ran).filter_map(|cluster| cluster["cluster_id"].as_str()).collect();
    assert_eq!(ids.len(), clusters(ran).count(), "each cluster once");
    assert!(!sky.named || ids == BTreeSet::from([ONE, TWO]), "{ids:?}");
    assert!(ids.is_subset(&BTreeSet::from([ONE, TWO])), "{ids:?}");
    for cluster in clusters(ran) {
        *states.entry(cluster["state"].as_str().expect("a state")).or_default() += 1;
        let scans = cluster["scans"].as_array().expect("scans");
        assert_eq!(
            scans.iter().map(|scan| &scan["scan_type"]).collect::<Vec<_>>(),
            TYPES.map(Value::from).iter().collect::<Vec<_>>()
        );
        let succeeded = scans.iter().all(|scan| scan["state"] == "success");
        assert_eq!(cluster["state"] == "success", succeeded, "{cluster}");
        let reasons = scans.iter().chain([cluster]).any(|one| one["reason"].is_string());
        assert!(succeeded || reasons || sky.scenario.no_wait, "no reason: {cluster}");
    }
    for state in ["success", "failed", "unfinished"] {
        let told = ran.result["counts"][state].as_u64().unwrap_or_default();
        assert_eq!(told, states.get(state).copied().unwrap_or_default(), "{state}");
    }
}

/// What counts as scanned was scanned, what failed is not said to be fine, and what was listed once is in the result.
fn nothing_is_claimed(sky: &Sky, ran: &Ran) {
    let is_cut_off = matches!(ran.exit, 6 | 130 | 143);
    // The answer to the last call may have come too late.
    let heard = &ran.journal[..ran.journal.len().saturating_sub(usize::from(is_cut_off))];
    let is_whole = |call: &&Call| call.api == "resources/batch-query" && call.detail == "2 of 2";
    assert!(heard.iter().find(is_whole).is_none() || clusters(ran).count() == 2, "a cluster is lost: {heard:?}");
    let retries = ran.journal.iter().filter(|call| call.api == "task/retry" && call.effect).count();
    let still_fails = sky.failing as usize > retries;
    for cluster in clusters(ran).filter(|cluster| cluster["state"] == "success") {
        assert_eq!(ran.tasks.len(), 1, "scanned without a task");
        assert!(!(still_fails && cluster["cluster_id"] == TWO), "a scan failed: {cluster}");
    }
}

/// One task, and one retry, at most; what may be there and is not known is said.
fn no_task_is_created_twice(ran: &Ran) {
    assert!(ran.tasks.len() <= 1, "{} tasks", ran.tasks.len());
    let retries = ran.journal.iter().filter(|call| call.api == "task/retry" && call.effect).count();
    assert!(retries <= 1, "{retries} retries");
    let (told, made) = (ran.result["task"]["task_id"].as_str(), ran.tasks.first().map(|(id, ..)| id.as_str()));
    assert!(told.is_none() || told == made, "{told:?} is not {made:?}");
    assert!(made.is_none() || told == made || ran.result["next"] == "find_out", "a task that is not told of");
    assert!(ran.result["next"] != "create" || made.is_none(), "it would be created again");
    let unknown: Vec<&str> =
        ran.refusals.iter().map(String::as_str).filter(|refusal| !refusal.contains("not failed")).collect();
    assert!(unknown.is_empty(), "refused: {unknown:?}");
    let calls: BTreeMap<&str, u64> = ran.journal.iter().fold(BTreeMap::new(), |mut calls, call| {
        *calls.entry(&call.api).or_default() += 1;
        calls
    });
    for (api, seen) in calls {
        assert!(seen <= ran.result["calls"][api].as_u64().unwrap_or_default() && seen <= 600, "{seen} calls of {api}");
    }
}

/// The one exit code, from what the result and the scenario say.
fn exit_code(sky: &Sky, ran: &Ran) {
    let verdict = &ran.result["verdict"];
    assert_eq!(verdict["exit_code"], ran.exit);
    let all = clusters(ran).all(|cluster| cluster["state"] == "success");
    let statuses: BTreeSet<u16> = ran.journal.iter().filter_map(|call| call.status).collect();
    let faults = ran.journal.iter().any(is_fault);
    match ran.exit {
        0 if sky.scenario.no_wait && ran.result["next"] == "wait" => assert_eq!(verdict["status"], "pending"),
        0 => {
            assert!(all && ran.result["complete"] == true, "green by accident");
            assert_eq!(clusters(ran).count(), 2, "a cluster is lost");
        }
        4 if !sky.scenario.project_known => assert!(faults, "nobody refused a login"),
        4 => assert!(statuses.iter().any(|status| [400, 401, 403].contains(status)), "nobody refused a login"),
        5 => assert!(faults || statuses.contains(&429), "nothing failed: {:?} {:?} {}", ran.journal, ran.refusals, verdict),
        6 => assert!(ran.took >= sky.scenario.timeout, "too early for a time-out: {:?}", ran.took),
        7 => assert!(!all, "all is scanned"),
        130 => assert!(sky.scenario.signal.is_some_and(|(exit, _)| exit == Exit::Interrupted)),
        143 => assert!(sky.scenario.signal.is_some_and(|(exit, _)| exit == Exit::Terminated)),
        other => panic!("exit code {other}"),
    }
}

/// The faults that a seed is about, by name.
pub(crate) fn pair(seed: u64) -> (String, u32, Fault) {
    let fault = Sky::of(seed).scenario.options.0.faults.remove(0);
    (fault.api, fault.nth, fault.fault)
}
