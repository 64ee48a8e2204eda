//! What HSS says that does not fit, and what ends a run in the middle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::FromArgMatches as _;
use hss_iac::cli::{self, Cli};
use hss_iac::emulator::{Fault, Options};
use hss_iac::hss::Timings;
use hss_iac::run::{self, Streams};
use hss_iac::settings;
use serde_json::{Value, json};

use super::between::between;
use super::common::{Repo, calls, faulty, quick, scripted, start};
use super::{ONE, TWO, UNREACHED, ended, failing, result, resume, scan, states, verdict};

/// A stand-in where the benchmark of the second cluster fails for ever, whose rows of clusters are spoilt.
fn spoilt(spoil: fn(&mut Vec<Value>)) -> Options {
    Options { spoil_clusters: Some(spoil), ..failing(u32::MAX) }
}

/// The rows of the second cluster.
fn of_two(rows: &mut [Value]) -> impl Iterator<Item = &mut Value> {
    rows.iter_mut().filter(|row| row["cluster_id"] == TWO)
}

#[test]
fn what_failed_before_a_retry_stays_failed_until_that_is_over() {
    let repo = Repo::new();
    let busy = |row: &mut Value| {
        if row["cluster_scan_info"]["scanning_cluster_num"] != 0 {
            row["task_status"] = json!("running");
        }
    };
    let emulator = start(Options { scan_time: Duration::from_millis(700), spoil_task: Some(busy), ..failing(1) });
    let args = ["--all", "--retry-failed", "--timeout", "1300ms", "--on-service-error", "warn"];
    let ran = scan(repo.path(), &emulator, &args);
    let cut = result(repo.path());
    assert_eq!(calls(&emulator, "task/retry"), 1);
    let before = format!("{TWO}: unfinished; benchmark unfinished failed before the retry: {UNREACHED}");
    assert_eq!((ran.code, &states(&cut)[1]), (7, &before), "{}", ran.stderr);
    let reasons = ["timed out after 1.3 s (reported only)", "1 of 2 clusters not scanned"];
    assert_eq!((verdict(&cut), &cut["next"]), (ended(7, "error", &reasons), &json!("wait")));
    let ran = resume(repo.path(), &emulator, &["-q", "--timeout", "1ms"]);
    assert_eq!((ran.code, &states(&result(repo.path()))[1]), (6, &before), "it stays known: {}", ran.stderr);
}

#[test]
fn the_worst_that_is_said_of_a_cluster_holds() {
    let repo = Repo::new();
    let twice = |rows: &mut Vec<Value>| {
        let mut fine = of_two(rows).next().expect("a row").clone();
        fine["scan_status"] = json!("success");
        fine["scan_detail_list"] =
            json!([{"scan_type": "cluster_vul", "status": "success"}, {"scan_type": "benchmark", "status": "success"}]);
        rows.insert(0, fine.clone());
        // Two equal rows would be one, and fewer than the listing counts.
        fine["scan_detail_list"].as_array_mut().expect("details").reverse();
        rows.push(fine);
    };
    let two_details = |rows: &mut Vec<Value>| {
        for row in of_two(rows) {
            row["scan_status"] = json!("success");
            let all = row["scan_detail_list"].as_array_mut().expect("details");
            all.insert(0, json!({"scan_type": "benchmark", "status": "success"}));
            all.push(json!({"scan_type": "benchmark", "status": "success"}));
        }
    };
    let unknown = |rows: &mut Vec<Value>| {
        for row in of_two(rows) {
            row["scan_status"] = json!("skipped");
            row["scan_detail_list"] = json!(null);
        }
    };
    let unreached = format!("benchmark failed {UNREACHED}");
    let strange = "HSS gives a scan status that is not known here";
    let cases = [
        (spoilt(twice), unreached.clone()),
        (spoilt(two_details), unreached),
        (spoilt(unknown), format!("cluster_vul failed {strange}; benchmark failed {strange}")),
    ];
    for (options, failure) in cases {
        let emulator = start(options);
        let ran = scan(repo.path(), &emulator, &["--all"]);
        let expected = [format!("{ONE}: success"), format!("{TWO}: failed; {failure}")];
        assert_eq!((ran.code, states(&result(repo.path()))), (7, expected.to_vec()), "{}", ran.stderr);
    }
}

#[test]
fn a_failed_scan_without_a_type_fails_its_cluster() {
    let repo = Repo::new();
    let emulator = start(spoilt(|rows| {
        for row in of_two(rows) {
            row["scan_status"] = json!("success");
            let all = row["scan_detail_list"].as_array_mut().expect("details");
            all[1].as_object_mut().expect("a detail").remove("scan_type");
            all.push(json!({"scan_type": "benchmark", "status": "success"}));
        }
    }));
    let ran = scan(repo.path(), &emulator, &["--all", "-o", "table"]);
    assert_eq!((ran.code, &states(&result(repo.path()))[1]), (7, &format!("{TWO}: failed")), "{}", ran.stderr);
    let said = format!("  benchmark    success\n  cluster: a scan that was not asked for (without a type): {UNREACHED}\n");
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
}

#[test]
fn a_row_without_an_id_is_a_fault() {
    let repo = Repo::new();
    let nameless = |rows: &mut Vec<Value>| of_two(rows).for_each(|row| row["cluster_id"] = json!(null));
    let faults = [vec![], vec![scripted("resources/batch-query", 0, Fault::Untotalled)]];
    for faults in faults {
        let emulator = start(Options { faults, omit_counts: true, ..spoilt(nameless) });
        let ran = scan(repo.path(), &emulator, &["--all", "--rate", "50/1s"]);
        let (code, _, reasons) = verdict(&result(repo.path()));
        let said = "resources/batch-query: the listing has rows without the id that they are known by (1): try again later";
        assert_eq!((ran.code, code, reasons[0].as_str()), (5, 5, said));
    }
}

#[test]
fn a_cluster_that_is_listed_in_the_place_of_another_hides_none() {
    let repo = Repo::new();
    let faults = vec![scripted("resources/batch-query", 0, Fault::InPlace)];
    let emulator = start(Options { faults, omit_counts: true, ..quick() });
    let ran = scan(repo.path(), &emulator, &["--all", "--rate", "50/1s"]);
    let (code, _, reasons) = verdict(&result(repo.path()));
    let said = "resources/batch-query: the listing names 2 rows and gave 1 different ones: try again later";
    assert_eq!((ran.code, code, reasons[0].as_str()), (5, 5, said), "{}", ran.stderr);
}

#[test]
fn why_a_retry_was_refused_stays_known() {
    let repo = Repo::new();
    let emulator = start(Options { faults: vec![scripted("task/retry", 1, Fault::NoPermission)], ..failing(u32::MAX) });
    scan(repo.path(), &emulator, &["--all", "--rate", "50/1s", "--retry-failed"]);
    let notes = |result: &Value| result["notes"].as_array().expect("notes").iter().map(Value::to_string).collect::<String>();
    let first = notes(&result(repo.path()));
    assert!(first.contains("what failed was not scanned again: task/retry: 400 HSS.0013 no permission"), "{first}");
    resume(repo.path(), &emulator, &[]);
    assert_eq!(notes(&result(repo.path())), first);
}

#[test]
fn what_failed_in_a_listing_with_a_fault_is_not_softened_with_it() {
    let repo = Repo::new();
    let nameless = |rows: &mut Vec<Value>| {
        rows.iter_mut().filter(|row| row["cluster_id"] == ONE).for_each(|row| row["cluster_id"] = json!(null));
    };
    let emulator = start(Options { omit_counts: true, ..spoilt(nameless) });
    let ran = scan(repo.path(), &emulator, &["--all", "--rate", "50/1s", "--on-service-error", "warn"]);
    let cut = result(repo.path());
    let (_, _, reasons) = verdict(&cut);
    assert_eq!((ran.code, &cut["next"]), (7, &json!("wait")), "{}", ran.stderr);
    assert!(reasons[0].ends_with("(reported only)") && reasons[1] == "HSS counts 1 cluster as failed", "{reasons:?}");
}

#[test]
fn a_listing_that_does_not_fit_the_counts_of_its_task_is_no_pass() {
    let repo = Repo::new();
    let fault = |api: &str, fault| scripted(api, 0, fault);
    let none = Options { faults: vec![fault("resources/batch-query", Fault::Emptied)], ..failing(u32::MAX) };
    let fewer = Options { faults: vec![fault("resources/batch-query", Fault::Missing)], ..quick() };
    let fine = spoilt(|rows| {
        for row in of_two(rows) {
            row["scan_status"] = json!("success");
            row["scan_detail_list"] = json!([]);
        }
    });
    let at = |listed: &str| format!("resources/batch-query lists {listed} failed: look at the task in the console");
    let cases = [(none, Some(at("0, 0 scanned and 0"))), (fine, Some(at("2, 2 scanned and 0"))), (fewer, None)];
    for (options, said) in cases {
        let emulator = start(options);
        let ran = scan(repo.path(), &emulator, &["--all", "--rate", "100/1s", "--timeout", "60s"]);
        let cut = result(repo.path());
        let (_, _, reasons) = verdict(&cut);
        assert_eq!((ran.code, &cut["next"]), (5, &json!("wait")), "{reasons:?}");
        match said {
            Some(said) => {
                assert!(
                    reasons[0].ends_with(&said) && reasons[0].contains(" counts 2 clusters, 1 scanned and 1 failed"),
                    "{reasons:?}"
                );
                assert_eq!(reasons[1], "HSS counts 1 cluster as failed");
            }
            None => assert!(reasons[0].contains("the listing names 2 rows and gave 1 different ones"), "{reasons:?}"),
        }
    }
    // Once is no more than a listing that lags behind.
    let lagging = Options { faults: vec![scripted("resources/batch-query", 1, Fault::Emptied)], ..quick() };
    let emulator = start(lagging);
    let ran = scan(repo.path(), &emulator, &["--all", "--rate", "100/1s"]);
    assert_eq!((ran.code, states(&result(repo.path())).len()), (0, 2), "{}", ran.stderr);
}

#[test]
fn no_cluster_at_all_names_the_enterprise_project() {
    let repo = Repo::new();
    let emulator = start(quick());
    let ran = scan(repo.path(), &emulator, &["--all", "--enterprise-project-id", "mistyped"]);
    let said = "no cluster to scan in the enterprise project mistyped (all_granted_eps is every one)";
    assert_eq!((ran.code, verdict(&result(repo.path()))), (0, ended(0, "pass", &[said])));
}

#[test]
fn more_clusters_than_a_page_holds_are_all_read() {
    let repo = Repo::new();
    let emulator = start(Options { clusters: 431, ..failing(u32::MAX) });
    let ran = scan(repo.path(), &emulator, &["--all"]);
    let all = states(&result(repo.path()));
    assert_eq!((ran.code, all.len(), calls(&emulator, "resources/batch-query")), (7, 430, 3), "{}", ran.stderr);
    let failed: Vec<&String> = all.iter().filter(|state| !state.ends_with(": success")).collect();
    assert_eq!(failed, [&format!("{TWO}: failed; benchmark failed {UNREACHED}")]);
}

#[test]
fn a_finished_task_with_a_cluster_that_is_being_scanned_is_waited_for() {
    static FIRST: AtomicBool = AtomicBool::new(true);
    let repo = Repo::new();
    let at_it = |rows: &mut Vec<Value>| {
        if FIRST.swap(false, Ordering::Relaxed) {
            for row in of_two(rows) {
                row["scan_status"] = json!("scanning");
            }
        }
    };
    let emulator = start(Options { spoil_clusters: Some(at_it), ..quick() });
    let ran = scan(repo.path(), &emulator, &["--all"]);
    assert_eq!((ran.code, calls(&emulator, "resources/batch-query")), (0, 2), "{}", ran.stderr);
    assert_eq!(verdict(&result(repo.path())), ended(0, "pass", &["2 clusters scanned"]));
}

#[test]
fn only_what_hss_calls_failed_is_scanned_again() {
    let repo = Repo::new();
    let unlisted = |rows: &mut Vec<Value>| rows.retain(|row| row["cluster_id"] != TWO);
    let emulator = start(Options { omit_counts: true, ..spoilt(unlisted) });
    let ran = scan(repo.path(), &emulator, &["--cluster", ONE, TWO, "--retry-failed"]);
    assert_eq!((ran.code, calls(&emulator, "task/retry")), (7, 0), "{}", ran.stderr);
    assert_eq!(verdict(&result(repo.path())), ended(7, "partial", &["the scan of 1 of 2 clusters failed"]));
}

#[test]
fn what_was_never_sent_is_not_taken_for_lost() {
    let throttle = |api: &str| vec![scripted(api, 0, Fault::Throttle { retry_after: Some(60) })];
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let repo = Repo::new();
            let emulator = start(Options { faults: throttle("task"), ..quick() });
            let ran = scan(repo.path(), &emulator, &["--all", "--timeout", "700ms"]);
            let cut = result(repo.path());
            assert_eq!((ran.code, &cut["next"], &cut["task"]), (6, &json!("create"), &json!(null)), "{}", ran.stderr);
            assert!(ran.stderr.ends_with("hss-iac resume result.json goes on with it\n"), "{}", ran.stderr);
        });
        scope.spawn(|| {
            let repo = Repo::new();
            let emulator = start(Options { faults: throttle("task/retry"), ..failing(1) });
            let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed", "--timeout", "1500ms"]);
            let cut = result(repo.path());
            assert_eq!((ran.code, &cut["next"]), (6, &json!("retry")), "{}", ran.stderr);
            assert_eq!((&cut["task"]["retried"], calls(&emulator, "task/retry")), (&json!(false), 1));
            assert_eq!(states(&cut)[1], format!("{TWO}: failed; benchmark failed {UNREACHED}"));
        });
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "a throttled call waits for a minute, and the run does not");
}

#[test]
fn a_broken_listing_of_clusters_ends_the_run_and_is_named() {
    let repo = Repo::new();
    let emulator = start(faulty("resources/batch-query", 0, Fault::Html502));
    let code = scaled(&repo, &emulator.url(), &["--all"]);
    let (_, _, reasons) = verdict(&result(repo.path()));
    assert!(code == 5 && reasons[0].starts_with("resources/batch-query: 502 "), "{reasons:?}");
    assert_eq!(calls(&emulator, "resources/batch-query"), 12, "two calls, each with its repetitions");
}

#[test]
fn a_run_that_timed_out_says_what_was_odd() {
    let strange = Options { spoil_task: Some(|row| row["task_status"] = json!("paused")), ..quick() };
    let hidden = Options { hide_tasks: u32::MAX, ..quick() };
    for (options, odd) in [(strange, "is \"paused\", a status that is not known here"), (hidden, "no listing shows task ")] {
        let repo = Repo::new();
        let emulator = start(options);
        let ran = scan(repo.path(), &emulator, &["--all", "--timeout", "600ms"]);
        let (_, _, reasons) = verdict(&result(repo.path()));
        let opening = "timed out after 0.6 s, and the last look at the task was odd: ";
        assert!(ran.code == 6 && reasons[0].starts_with(opening) && reasons[0].contains(odd), "{reasons:?}");
    }
}

/// A retry that was not heard leaves the task as it was, which is believed after a time, however many looks that is.
#[test]
fn a_retry_that_does_not_show_is_waited_for_a_time() {
    let repo = Repo::new();
    let emulator = start(Options { faults: vec![scripted("task/retry", 1, Fault::ResetBefore)], ..failing(1) });
    let begun = std::time::Instant::now();
    assert_eq!((scaled(&repo, &emulator.url(), &["--all", "--retry-failed"]), calls(&emulator, "task/retry")), (7, 1));
    assert!(begun.elapsed() >= SCALED.window / 4, "{:?}", begun.elapsed());
}

#[test]
fn the_end_of_the_first_round_that_is_named_late_is_not_that_of_the_retry() {
    let repo = Repo::new();
    let emulator = start(failing(1));
    let (mut retried, mut looks) = (false, 0);
    let url = between(&emulator, move |answer| {
        retried |= answer.asked.contains("/retry");
        if answer.asked.contains("/tasks/batch-query") {
            let row = &mut answer.body["data_list"][0];
            row["cluster_scan_info"] = json!({});
            looks += u32::from(retried);
            // As it was before the retry, and with a time that was not there before.
            row["task_status"] = json!("finished");
            row["end_time"] = if looks < 3 { json!(1_000_000_000_000_u64) } else { json!(1_000_000_009_000_u64) };
            if !retried {
                row.as_object_mut().expect("a row").remove("end_time");
            }
        } else if answer.asked.contains("/resources/") && retried && looks < 3 {
            for row in of_two(answer.body["cluster_scan_data_list"].as_array_mut().expect("rows")) {
                row["scan_status"] = json!("failed");
                row["scan_detail_list"] = json!([]);
            }
        }
    });
    assert_eq!((scaled(&repo, &url, &["--all", "--retry-failed"]), calls(&emulator, "task/retry")), (0, 1));
}

#[test]
fn a_listing_that_is_short_at_two_looks_is_read_at_the_third() {
    let repo = Repo::new();
    let emulator = start(quick());
    let mut listings = 0;
    // A page, and what is missing of its total: so many calls are one reading.
    let url = between(&emulator, move |answer| {
        if answer.asked.contains("/resources/") {
            listings += 1;
            if listings <= 4 {
                answer.body["cluster_scan_data_list"].as_array_mut().expect("rows").retain(|row| row["cluster_id"] == ONE);
            }
        }
    });
    let code = scaled(&repo, &url, &["--all"]);
    let result = result(repo.path());
    assert_eq!((code, states(&result).len(), &result["calls"]["resources/batch-query"]), (0, 2, &json!(5)), "{result}");
}

#[test]
fn a_task_id_that_no_path_takes_is_a_fault_of_the_service() {
    let repo = Repo::new();
    let emulator = start(quick());
    let url = between(&emulator, |answer| {
        if answer.asked.ends_with("/common/task?enterprise_project_id=0") {
            answer.body["task_id"] = json!("T/1");
        }
    });
    assert_eq!(scaled(&repo, &url, &["--all"]), 5);
    let cut = result(repo.path());
    let said = "a task may exist: task: task_id: \"T/1\" has characters that no id has";
    assert_eq!((verdict(&cut), &cut["next"]), (ended(5, "error", &[said]), &json!("find_out")));
}

#[test]
fn a_retry_does_not_make_the_looks_too_many() {
    let repo = Repo::new();
    let options = Options { scan_time: Duration::from_millis(100), throttle: Some((5, SCALED.window)), ..failing(1) };
    let emulator = start(options);
    assert_eq!(scaled(&repo, &emulator.url(), &["--all", "--retry-failed"]), 0);
    let refused = emulator.journal().into_iter().filter(|call| call.status == Some(429)).count();
    assert_eq!((refused, calls(&emulator, "task/retry")), (0, 1));
}

#[test]
fn every_count_that_is_sent_is_compared() {
    let ends = |said: &str, counts: fn(&mut Value)| {
        let repo = Repo::new();
        let emulator = start(Options { spoil_task: Some(counts), ..quick() });
        let code = scaled(&repo, &emulator.url(), &["--all"]);
        let (_, _, reasons) = verdict(&result(repo.path()));
        assert!(code == 5 && reasons[0].contains(said), "{reasons:?}");
    };
    ends("counts 2 clusters, 0 scanned and 0 failed", |row| {
        row["cluster_scan_info"] = json!({"scanning_cluster_num": 2, "success_cluster_num": 0, "failed_cluster_num": 0});
    });
    ends("counts ? clusters, 3 scanned and 0 failed", |row| {
        row["cluster_scan_info"] = json!({"success_cluster_num": 3, "failed_cluster_num": 0});
    });
    ends("counts ? clusters, 1 scanned and ? failed", |row| {
        row["cluster_scan_info"] = json!({"success_cluster_num": 1});
    });
}

/// Times through which a minute is less than two seconds.
const SCALED: Timings = Timings {
    connect: Duration::from_millis(300),
    request: Duration::from_secs(2),
    knock: Duration::from_secs(20),
    backoff: Duration::from_millis(2),
    longest_backoff: Duration::from_millis(15),
    longest_wait: Duration::from_millis(60),
    window: Duration::from_millis(1_800),
    grace: Duration::from_millis(100),
};

/// Runs `cluster-scan` in this process, with times that no flag can reach; gives the exit code.
fn scaled(repo: &Repo, url: &str, args: &[&str]) -> i32 {
    let usual = Options::default();
    let env = |name: &str| (name == "HSS_IAC_TOKEN").then(|| usual.token.clone());
    let json = format!("json={}", repo.path().join("result.json").display());
    let connection = ["--region", "cn-north-4", "--endpoint", url, "--iam-endpoint", url, "--project-id", &usual.project_id];
    let line =
        [&["hss-iac", "cluster-scan", "-q", "--type", "cluster_vul,benchmark", "-o", &json], &connection[..], args].concat();
    let matches = cli::command(&|_| None).try_get_matches_from(line).expect("flags");
    let cli = Cli::from_arg_matches(&matches).expect("flags");
    let cli::Command::ClusterScan(typed) = cli.command else { panic!("not a cluster-scan") };
    let (_, of_command) = matches.subcommand().expect("a command");
    let mut settings = settings::Cluster::new(*typed, of_command, &env).expect("settings");
    settings.timings = SCALED;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_signal, signalled) = tokio::sync::oneshot::channel();
    let mut out = Vec::new();
    let mut streams = Streams { out: &mut out, color: anstream::ColorChoice::Never };
    let exit = runtime.block_on(run::cluster_scan(settings, signalled, &mut streams)).expect("a result");
    i32::from(exit.code())
}
