//! `cluster-scan` through the binary, against the stand-in.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/between.rs"]
mod between;
#[path = "../common/mod.rs"]
mod common;
mod known;
mod refused;
mod trouble;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Finished, Repo, calls, connect, faulty, hss_iac, quick, run, scripted, start};
use hss_iac::emulator::{Emulator, FailingClusterScan, Fault, Options};
use serde_json::{Value, json};

/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_secs(600);
const ONE: &str = "stand-in-cluster-1";
const TWO: &str = "stand-in-cluster-2";
const UNREACHED: &str = "the cluster can't be reached";

fn command(at: &Path, emulator: &Emulator, args: &[&str]) -> Command {
    let mut command = hss_iac(at);
    connect(&mut command, emulator).args(args);
    command
}

/// `cluster-scan` for two types of scan, with its result in `result.json`.
fn scan(at: &Path, emulator: &Emulator, args: &[&str]) -> Finished {
    let usual = ["cluster-scan", "-q", "--type", "cluster_vul,benchmark", "-o", "json=result.json"];
    command(at, emulator, &[&usual[..], args].concat()).output().expect("the binary runs").into()
}

fn resume(at: &Path, emulator: &Emulator, args: &[&str]) -> Finished {
    command(at, emulator, &[&["resume", "result.json"], args].concat()).output().expect("the binary runs").into()
}

fn result(at: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(at.join("result.json")).expect("a result")).expect("JSON, whole")
}

/// Each cluster as `id: state`, followed by the scans that did not succeed, each with its reason.
fn states(result: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let clusters = result["clusters"].as_array().expect("clusters");
    let of = |state: &str| clusters.iter().filter(|cluster| cluster["state"] == state).count();
    let counts = &result["counts"];
    assert_eq!(counts["clusters"], clusters.len(), "{counts}");
    assert_eq!((&counts["success"], &counts["failed"]), (&json!(of("success")), &json!(of("failed"))), "{counts}");
    assert_eq!(counts["unfinished"].as_u64().unwrap_or_default(), of("unfinished") as u64, "{counts}");
    let cluster = |cluster: &Value| {
        let scans = cluster["scans"].as_array().expect("scans").iter().filter(|scan| scan["state"] != "success");
        let scans =
            scans.map(|scan| format!("{} {} {}", word(&scan["scan_type"]), word(&scan["state"]), word(&scan["reason"])));
        let own = format!("{}: {}", word(&cluster["cluster_id"]), word(&cluster["state"]));
        std::iter::once(own).chain(scans).collect::<Vec<_>>().join("; ")
    };
    clusters.iter().map(cluster).collect()
}

fn verdict(result: &Value) -> (i64, String, Vec<String>) {
    let verdict = &result["verdict"];
    let reasons = verdict["reasons"].as_array().expect("reasons").iter();
    (
        verdict["exit_code"].as_i64().expect("a code"),
        verdict["status"].as_str().expect("a status").to_owned(),
        reasons.map(|reason| reason.as_str().expect("text").to_owned()).collect(),
    )
}

fn ended(code: i64, status: &str, reasons: &[&str]) -> (i64, String, Vec<String>) {
    (code, status.to_owned(), reasons.iter().map(|reason| (*reason).to_owned()).collect())
}

/// A stand-in where the benchmark of the second cluster fails so many times.
fn failing(times: u32) -> Options {
    let scan = FailingClusterScan { cluster_id: TWO.to_owned(), scan_type: "benchmark".to_owned(), times };
    Options { fail_cluster_scans: vec![scan], ..quick() }
}

#[test]
fn both_ranges_are_created_as_documented_and_read() {
    let repo = Repo::new();
    let emulator = start(quick());
    let cases: [(&[&str], &[&str]); 4] = [
        (&["--all"], &[ONE, TWO]),
        (&["--cluster", TWO], &[TWO]),
        (&["--cluster", TWO, ONE, "--cluster", TWO], &[ONE, TWO]),
        (&["--all", "--enterprise-project-id", "all_granted_eps"], &[ONE, TWO, "stand-in-cluster-3"]),
    ];
    for (args, expected) in cases {
        let ran = scan(repo.path(), &emulator, args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        let result = result(repo.path());
        let expected: Vec<String> = expected.iter().map(|id| format!("{id}: success")).collect();
        assert_eq!(states(&result), expected, "{args:?}");
        let text = if expected.len() == 1 {
            "1 cluster scanned".to_owned()
        } else {
            format!("{} clusters scanned", expected.len())
        };
        assert_eq!(verdict(&result), ended(0, "pass", &[&text]));
        assert_eq!(
            (&result["complete"], &result["next"], &result["task"]["status"]),
            (&json!(true), &json!(null), &json!("finished"))
        );
    }
    assert_eq!((emulator.tasks().len(), calls(&emulator, "task/retry")), (4, 0));
    assert_eq!(emulator.refusals(), [""; 0]);
}

#[test]
fn what_failed_is_told_scan_by_scan() {
    let repo = Repo::new();
    let emulator = start(failing(u32::MAX));
    let ran = scan(repo.path(), &emulator, &["--all", "-o", "table"]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    let json = result(repo.path());
    assert_eq!(states(&json), [format!("{ONE}: success"), format!("{TWO}: failed; benchmark failed {UNREACHED}")]);
    assert_eq!(verdict(&json), ended(7, "partial", &["the scan of 1 of 2 clusters failed"]));
    let named = |id: &str| {
        let cluster = json["clusters"].as_array().expect("clusters").iter().find(|cluster| cluster["cluster_id"] == id);
        cluster.and_then(|cluster| cluster["name"].as_str()).expect("a name").to_owned()
    };
    let expected = format!(
        "The stand-in answered in place of HSS: its clusters are names alone, and this is no verdict of HSS.\n\n\
         {ONE}  {}, cce, v1.31\n  cluster_vul  success\n  benchmark    success\n\n\
         {TWO}  {}, cce, v1.31\n  cluster_vul  success\n  benchmark    failed: {UNREACHED}\n\n\
         2 clusters: 1 succeeded, 1 failed, 0 unfinished\nPARTIAL (exit 7): the scan of 1 of 2 clusters failed\n",
        named(ONE),
        named(TWO)
    );
    assert_eq!(ran.stdout, expected);
    let ran = scan(repo.path(), &emulator, &["--all", "--on-partial", "warn"]);
    assert_eq!((ran.code, verdict(&result(repo.path())).1), (0, "partial".to_owned()));
    let ran = scan(repo.path(), &emulator, &["--cluster", ONE]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn what_failed_is_scanned_again_once() {
    let repo = Repo::new();
    for (times, stale, code) in [(1, 0, 0), (1, 2, 0), (2, 0, 7)] {
        let emulator = start(Options { stale_retries: stale, ..failing(times) });
        let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed"]);
        let result = result(repo.path());
        assert_eq!(ran.code, code, "{times}, {stale}: {result}");
        assert_eq!(result["task"]["retried"], true);
        assert_eq!((calls(&emulator, "task"), calls(&emulator, "task/retry")), (1, 1));
        assert_eq!(emulator.refusals(), [""; 0]);
    }
    let emulator = start(quick());
    let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed"]);
    assert_eq!((ran.code, calls(&emulator, "task/retry")), (0, 0), "nothing failed");
}

#[test]
fn a_retry_that_may_have_been_heard_is_not_asked_for_again() {
    let repo = Repo::new();
    let heard = [Fault::ResetAfter, Fault::StatusAfter(503), Fault::Garbage, Fault::Truncate];
    for fault in heard {
        let options = Options { faults: vec![scripted("task/retry", 1, fault.clone())], ..failing(1) };
        let emulator = start(options);
        let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed"]);
        assert_eq!((ran.code, calls(&emulator, "task/retry")), (0, 1), "{fault:?}: {}", ran.stderr);
        let note = "the answer to the retry was lost; it is not asked for again, and what the task says counts";
        assert_eq!(result(repo.path())["notes"], json!([note]), "{fault:?}");
    }
    // It was refused: that is told, and so is what failed.
    let emulator = start(Options { faults: vec![scripted("task/retry", 1, Fault::Status(400))], ..failing(1) });
    let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed"]);
    let (code, _, reasons) = verdict(&result(repo.path()));
    assert_eq!((ran.code, code, calls(&emulator, "task/retry")), (5, 5, 1));
    assert_eq!((reasons.len(), reasons[1].as_str()), (2, "the scan of 1 of 2 clusters failed"));
}

#[test]
fn one_empty_listing_is_not_believed() {
    let repo = Repo::new();
    for (nth, listings, clusters) in [(1, 2, 2), (0, 3, 0)] {
        let options = faulty("resources/batch-query", nth, Fault::Emptied);
        let emulator = start(Options { omit_counts: true, ..options });
        let ran = scan(repo.path(), &emulator, &["--all", "--rate", "50/1s"]);
        let result = result(repo.path());
        assert_eq!((ran.code, states(&result).len()), (0, clusters), "{nth}: {result}");
        assert_eq!(calls(&emulator, "resources/batch-query"), listings, "{nth}");
    }
}

#[test]
fn a_run_that_timed_out_is_gone_on_with() {
    let repo = Repo::new();
    let emulator = start(Options { scan_time: Duration::from_secs(3), ..failing(1) });
    let ran = scan(repo.path(), &emulator, &["--cluster", ONE, TWO, "--retry-failed", "--timeout", "1s"]);
    let cut = result(repo.path());
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert_eq!(verdict(&cut), ended(6, "error", &["timed out after 1 s", "2 of 2 clusters not scanned"]));
    let task_id = cut["task"]["task_id"].as_str().expect("a task").to_owned();
    let said = format!("task {task_id} (cluster_scan)\nhss-iac resume result.json goes on with it\n");
    assert_eq!((ran.stderr, &cut["next"]), (said, &json!("wait")));

    // In the middle of the second round, which was asked for.
    let soon = Instant::now() + Duration::from_secs(20);
    let mut child = command(repo.path(), &emulator, &["resume", "result.json", "-q"]).spawn().expect("it starts");
    while calls(&emulator, "task/retry") == 0 {
        assert!(Instant::now() < soon, "it is asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let killed = result(repo.path());
    assert_eq!((&killed["next"], &killed["task"]["retried"]), (&json!("wait"), &json!(true)), "{killed}");
    assert_eq!(
        states(&killed),
        [format!("{ONE}: success"), format!("{TWO}: unfinished; benchmark unfinished failed before the retry: {UNREACHED}")]
    );

    let ran = resume(repo.path(), &emulator, &["-q"]);
    let done = result(repo.path());
    assert_eq!((ran.code, states(&done)), (0, vec![format!("{ONE}: success"), format!("{TWO}: success")]), "{}", ran.stderr);
    assert_eq!((&done["task"]["task_id"], &done["run"]["id"]), (&json!(task_id), &cut["run"]["id"]));
    assert_eq!((calls(&emulator, "task"), calls(&emulator, "task/retry")), (1, 1), "nothing is asked twice");

    let before = emulator.journal().len();
    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!((ran.code, emulator.journal().len()), (0, before));
    assert_eq!(ran.stderr, "nothing is left to do: the run was done with every cluster\n");
}

#[test]
fn what_is_not_waited_for_is_pending_and_is_gone_on_with() {
    let repo = Repo::new();
    let emulator = start(failing(1));
    let ran = scan(repo.path(), &emulator, &["--all", "--no-wait", "--retry-failed"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(verdict(&result(repo.path())), ended(0, "pending", &["submitted, not waited for"]));
    assert!(ran.stderr.ends_with("hss-iac resume result.json goes on with it\n"), "{}", ran.stderr);
    assert_eq!(emulator.journal().len(), 1, "one call");

    // A result sends no credential anywhere, and other commands do not take it for one of a scan.
    let other = start(quick());
    let ran = resume(repo.path(), &other, &[]);
    assert!(ran.code == 2 && ran.stderr.starts_with("error: the run was with the endpoint "), "{}", ran.stderr);
    assert!(other.journal().is_empty());
    let ran = run(repo.path(), &["render", "result.json"]);
    let said = "error: result.json is the result of a cluster-scan, which has no findings: hss-iac resume alone takes it\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, said));

    let ran = resume(repo.path(), &emulator, &["-q", "--enterprise-project-id", "0"]);
    assert_eq!((ran.code, states(&result(repo.path()))), (0, vec![format!("{ONE}: success"), format!("{TWO}: success")]));
    assert_eq!((calls(&emulator, "task"), calls(&emulator, "task/retry")), (1, 1));
}

fn ends(options: Options, args: &[&str], code: i32, next: &str) {
    let repo = Repo::new();
    let emulator = start(options);
    let ran = scan(repo.path(), &emulator, args);
    let result = result(repo.path());
    assert_eq!((ran.code, result["next"].as_str().unwrap_or_default()), (code, next), "{args:?}: {result}");
    assert_eq!(verdict(&result).0, i64::from(code), "{args:?}");
    assert!(calls(&emulator, "task") <= 1, "a task is created once: {args:?}");
    if next == "find_out" {
        let ran = resume(repo.path(), &emulator, &[]);
        assert!(ran.code == 2 && ran.stderr.starts_with("error: whether the task of this run was created is not known"));
        assert_eq!(emulator.journal().len(), 1);
    }
}

#[test]
fn every_exit_code() {
    let never = Options { never_finish: true, ..quick() };
    let (gone, down) = (faulty("task", 1, Fault::NotPublished), faulty("tasks/batch-query", 0, Fault::Status(503)));
    let cases: [(Options, &[&str], i32, &str); 7] = [
        (faulty("task", 1, Fault::ExpiredToken), &["--all"], 4, "create"),
        (gone, &["--all"], 5, "create"),
        (faulty("task", 1, Fault::ResetAfter), &["--all"], 5, "find_out"),
        (down, &["--all", "--timeout", "120s"], 5, "wait"),
        (never, &["--all", "--timeout", "1s", "--on-service-error", "warn"], 0, "wait"),
        (quick(), &["--cluster", "unknown"], 5, ""),
        (quick(), &["--all", "--enterprise-project-id", "empty", "--if-empty", "fail"], 3, ""),
    ];
    // Most of the time goes into waiting.
    std::thread::scope(|scope| {
        for (options, args, code, next) in cases {
            scope.spawn(move || ends(options, args, code, next));
        }
    });
}

#[test]
fn no_stand_in_in_ci_and_no_credentials_from_nowhere() {
    let repo = Repo::new();
    let emulator = start(quick());
    let ran: Finished = command(repo.path(), &emulator, &["cluster-scan", "--type", "benchmark", "--all"])
        .env("CI", "true")
        .output()
        .expect("it runs")
        .into();
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    let without = run(repo.path(), &["cluster-scan", "-q", "--type", "benchmark", "--all", "--region", "cn-north-4"]);
    assert_eq!(without.code, 4, "{}", without.stderr);
}

#[test]
#[cfg(unix)]
fn a_signal_while_the_task_is_created_does_not_lose_it() {
    let repo = Repo::new();
    let emulator = start(faulty("task", 1, Fault::Slow(Duration::from_secs(1))));
    let args = ["cluster-scan", "-q", "--type", "benchmark", "--all", "-o", "json=result.json"];
    let mut child = command(repo.path(), &emulator, &args).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(20);
    while calls(&emulator, "task") == 0 {
        assert!(Instant::now() < soon, "it is created");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(result(repo.path())["next"], "find_out", "written before the call");
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    assert_eq!(result(repo.path())["next"], "wait");
    let ran = resume(repo.path(), &emulator, &["-q"]);
    assert_eq!((ran.code, calls(&emulator, "task")), (0, 1), "{}", ran.stderr);
}

#[test]
fn the_first_killed_before_the_task_is_there_asks_for_nothing_again() {
    let repo = Repo::new();
    let emulator = start(faulty("task", 1, Fault::Stalled(FOR_EVER)));
    let args = ["cluster-scan", "-q", "--type", "benchmark", "--all", "-o", "json=result.json"];
    let mut child = command(repo.path(), &emulator, &args).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(20);
    while calls(&emulator, "task") == 0 {
        assert!(Instant::now() < soon, "it is asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let interim = result(repo.path());
    assert_eq!((&interim["next"], &interim["verdict"]["exit_code"]), (&json!("find_out"), &json!(6)));
    assert_eq!(resume(repo.path(), &emulator, &[]).code, 2);
    assert_eq!(calls(&emulator, "task"), 1);
}

#[test]
fn a_result_of_the_stand_in_stays_one() {
    let repo = Repo::new();
    let emulator = start(quick());
    let ran = scan(repo.path(), &emulator, &["--all", "--no-wait"]);
    assert_eq!((ran.code, &result(repo.path())["service"]["stand_in"]), (0, &json!(true)), "{}", ran.stderr);
    let mut in_ci = command(repo.path(), &emulator, &["resume", "result.json"]);
    let ran: Finished = in_ci.env("CI", "true").output().expect("the binary runs").into();
    assert!(ran.code == 2 && ran.stderr.contains("--allow-stand-in"), "{}", ran.stderr);
    let mut alone = command(repo.path(), &emulator, &["resume", "result.json", "--timeout", "1ms"]);
    let ran: Finished = alone.output().expect("the binary runs").into();
    assert_eq!((ran.code, &result(repo.path())["service"]["stand_in"]), (6, &json!(true)), "{}", ran.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn every_report_tells_of_the_one_that_could_not_be_written() {
    let repo = Repo::new();
    let emulator = start(quick());
    let said = "the json report could not be written to /dev/full: No space left on device (os error 28)";
    let outputs = ["-o", "json=/dev/full", "-o", "table=table.txt", "-o", "table"];
    let ran = scan(repo.path(), &emulator, &[&["--all"][..], &outputs].concat());
    assert_eq!((ran.code, verdict(&result(repo.path()))), (8, ended(8, "error", &[said])), "{}", ran.stderr);
    let in_file = std::fs::read_to_string(repo.path().join("table.txt")).expect("a table");
    let last = format!("ERROR (exit 8): {said}\n");
    assert!(in_file.ends_with(&last) && ran.stdout == in_file, "{in_file}");
    let left = std::fs::read_dir(repo.path()).expect("a directory").count();
    assert_eq!(left, 3, "the result, the table and .git");
    // What is kept in no file is not gone on with.
    let args = ["cluster-scan", "-q", "--type", "benchmark", "--all", "--no-wait", "-o", "json=/dev/full"];
    let ran: Finished = command(repo.path(), &emulator, &args).output().expect("it runs").into();
    assert!(ran.code == 8 && ran.stderr.ends_with("nothing can go on with it: -o json=FILE keeps one\n"), "{}", ran.stderr);
}

#[test]
fn the_stand_in_of_one_run_takes_the_place_that_is_named() {
    let repo = Repo::new();
    let usual = ["cluster-scan", "-q", "--emulator", "--type", "benchmark", "--all", "-o", "json=result.json"];
    let cases: [(&[&str], &str, usize); 3] = [
        (&[], "0", 2),
        (&["--enterprise-project-id", "all_granted_eps"], "all_granted_eps", 3),
        (&["--enterprise-project-id", "stand-in-enterprise", "--project-id", "mine"], "stand-in-enterprise", 1),
    ];
    for (args, enterprise_project, clusters) in cases {
        let ran = run(repo.path(), &[&usual[..], args].concat());
        let result = result(repo.path());
        assert_eq!((ran.code, states(&result).len()), (0, clusters), "{args:?}: {}", ran.stderr);
        assert_eq!(result["service"]["enterprise_project_id"], enterprise_project);
        assert_eq!(result["service"]["project_id"] == "mine", args.contains(&"mine"));
    }
    let longer = "x".repeat(257);
    for (flag, field) in [("--enterprise-project-id", "enterprise_project_id"), ("--project-id", "project_id")] {
        let said = format!("error: {field}: 257 characters, HSS takes 1 to 256\n");
        for command in [&usual[..], &["scan", "--emulator"], &["doctor", "--emulator"]] {
            let ran = run(repo.path(), &[command, &[flag, &longer]].concat());
            assert_eq!((ran.code, ran.stderr), (2, said.clone()), "{command:?}");
        }
    }
    let repo = repo.many(1);
    assert_eq!(run(repo.path(), &["scan", "-q", "--emulator", "--enterprise-project-id", "other"]).code, 0);
}

#[test]
fn what_is_typed_holds_over_the_variables_of_a_pipeline() {
    let repo = Repo::new();
    let emulator = start(quick());
    let scanned = |args: &[&str], variables: &[(&str, &str)]| {
        let mut scan = command(repo.path(), &emulator, &[&["cluster-scan", "-q", "--type", "benchmark"], args].concat());
        let ran: Finished = scan.envs(variables.iter().copied()).output().expect("it runs").into();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}, {variables:?}");
        states(&result(repo.path()))
    };
    let both = [format!("{ONE}: success"), format!("{TWO}: success")];
    let output = ("HSS_IAC_OUTPUT", "sarif=s.sarif,junit,json=result.json");
    assert_eq!(scanned(&["--cluster", TWO], &[("HSS_IAC_ALL", "true"), output]), both[1..]);
    assert_eq!(scanned(&["--all"], &[("HSS_IAC_CLUSTER", ONE), output]), both);
    assert_eq!(scanned(&["-o", "json=result.json"], &[("HSS_IAC_CLUSTER", ONE), ("HSS_IAC_OUTPUT", "sarif")]), both[..1]);
    assert!(!repo.path().join("s.sarif").exists());
    let mut scan = command(repo.path(), &emulator, &["cluster-scan", "-q", "--type", "benchmark"]);
    let ran: Finished = scan.env("HSS_IAC_ALL", "true").env("HSS_IAC_CLUSTER", ONE).output().expect("it runs").into();
    assert_eq!(ran.code, 2, "none of two variables is the typed one: {}", ran.stderr);
}
