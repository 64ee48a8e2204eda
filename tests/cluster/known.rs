//! What HSS said of a cluster once stands in every later result.

use std::time::Duration;

use hss_iac::emulator::Options;
use serde_json::{Value, json};

use super::common::{Repo, calls, start};
use super::{ONE, TWO, UNREACHED, ended, failing, result, resume, scan, states, verdict};

/// Whether the rows are those of after the retry, where nothing fails any more.
fn is_after(rows: &[Value]) -> bool {
    rows.iter().all(|row| row["scan_status"] == "success")
}

fn one_alone(rows: &mut Vec<Value>) {
    if is_after(rows) {
        rows.retain(|row| row["cluster_id"] == ONE);
    }
}

fn two_alone(rows: &mut Vec<Value>) {
    if is_after(rows) {
        rows.retain(|row| row["cluster_id"] == TWO);
    }
}

/// What was scanned again and nothing else.
fn its_benchmark_alone(rows: &mut Vec<Value>) {
    two_alone(rows);
    if let [row] = rows.as_mut_slice() {
        row["scan_detail_list"].as_array_mut().expect("details").retain(|detail| detail["scan_type"] == "benchmark");
    }
}

fn none(rows: &mut Vec<Value>) {
    if is_after(rows) {
        rows.clear();
    }
}

/// The task counts one cluster after the retry.
fn counts_one(row: &mut Value) {
    if row["cluster_scan_info"]["success_cluster_num"] == 2 {
        row["cluster_scan_info"]["success_cluster_num"] = json!(1);
    }
}

#[test]
fn a_listing_after_the_retry_loses_nothing_that_was_known() {
    let counted = |spoil_task, spoil| Options { spoil_task, spoil_clusters: Some(spoil), ..failing(1) };
    let uncounted = |spoil| Options { omit_counts: true, ..counted(None, spoil) };
    let one = Some(counts_one as fn(&mut Value));
    let good = [format!("{ONE}: success"), format!("{TWO}: success")];
    let before = format!("{TWO}: failed; benchmark failed failed before the retry: {UNREACHED}");
    let lost = [good[0].clone(), before];
    let cases: [(Options, i32, &[String; 2]); 7] = [
        (counted(one, two_alone), 0, &good),
        (counted(None, two_alone), 0, &good),
        (counted(one, its_benchmark_alone), 0, &good),
        (counted(one, one_alone), 7, &lost),
        (uncounted(one_alone), 7, &lost),
        (uncounted(none), 7, &lost),
        // It counts the second as scanned, and lists it nowhere.
        (counted(None, one_alone), 5, &lost),
    ];
    std::thread::scope(|scope| {
        for (index, (options, code, expected)) in cases.into_iter().enumerate() {
            scope.spawn(move || {
                for range in [&["--all"][..], &["--cluster", ONE, TWO]] {
                    let repo = Repo::new();
                    let emulator = start(options.clone());
                    let ran = scan(repo.path(), &emulator, &[range, &["--retry-failed", "--rate", "50/1s"]].concat());
                    let result = result(repo.path());
                    assert_eq!((ran.code, &states(&result)), (code, &expected.to_vec()), "{index}, {range:?}: {result}");
                    assert_eq!(calls(&emulator, "task/retry"), 1);
                    if code == 7 {
                        let why = "the finished task does not list it";
                        assert_eq!(result["clusters"][1]["reason"], json!(why), "{index}");
                    }
                }
            });
        }
    });
}

#[test]
fn what_failed_while_others_are_scanned_is_kept_and_not_softened() {
    let repo = Repo::new();
    let at_it = |rows: &mut Vec<Value>| {
        for row in rows.iter_mut().filter(|row| row["cluster_id"] == ONE) {
            row["scan_status"] = json!("scanning");
            row["scan_detail_list"] = json!([]);
        }
    };
    let emulator = start(Options { omit_counts: true, spoil_clusters: Some(at_it), ..failing(u32::MAX) });
    let args = ["--all", "--timeout", "600ms", "--on-service-error", "warn"];
    let ran = scan(repo.path(), &emulator, &args);
    let cut = result(repo.path());
    let scans = |state| format!("{state} -");
    let at_work = format!("{ONE}: unfinished; cluster_vul {}; benchmark {}", scans("unfinished"), scans("unfinished"));
    let failed = format!("{TWO}: failed; benchmark failed {UNREACHED}");
    assert_eq!((ran.code, states(&cut)), (7, vec![at_work.clone(), failed.clone()]), "{}", ran.stderr);
    let reasons =
        ["timed out after 0.6 s (reported only)", "the scan of 1 of 2 clusters failed", "1 of 2 clusters not scanned"];
    assert_eq!((verdict(&cut), &cut["next"]), (ended(7, "error", &reasons), &json!("wait")));
    let ran = resume(repo.path(), &emulator, &["-q", "--timeout", "1ms", "--on-service-error", "warn"]);
    assert_eq!((ran.code, states(&result(repo.path()))), (7, vec![at_work, failed]), "it stays known: {}", ran.stderr);
}

#[test]
fn a_count_of_failed_clusters_stays_known_over_resume() {
    let repo = Repo::new();
    let busy = |row: &mut Value| {
        row["task_status"] = json!("running");
        // Later rows say nothing of it.
        if row["cluster_scan_info"]["failed_cluster_num"] != 1 {
            row["cluster_scan_info"] = json!({});
        }
    };
    let emulator = start(Options { spoil_task: Some(busy), ..failing(u32::MAX) });
    let softly = ["--timeout", "500ms", "--on-service-error", "warn"];
    let ran = scan(repo.path(), &emulator, &[&["--all"][..], &softly].concat());
    let cut = result(repo.path());
    let counted = "HSS counts 1 cluster as failed";
    let cut_off = "timed out after 0.5 s (reported only)";
    assert_eq!((ran.code, verdict(&cut)), (7, ended(7, "error", &[cut_off, counted])), "{}", ran.stderr);
    assert_eq!(cut["task"]["counted_failed"], 1);
    let ran = resume(repo.path(), &emulator, &["-q", "--timeout", "1ms", "--on-service-error", "warn"]);
    let cut_off = "timed out after 0.001 s (reported only)";
    assert_eq!((ran.code, verdict(&result(repo.path()))), (7, ended(7, "error", &[cut_off, counted])), "{}", ran.stderr);
}

#[test]
fn a_run_that_goes_on_without_waiting_does_not_forget_what_failed() {
    let repo = Repo::new();
    let emulator = start(Options { scan_time: Duration::from_millis(700), ..failing(1) });
    let ran = scan(repo.path(), &emulator, &["--all", "--retry-failed", "--timeout", "1300ms"]);
    assert_eq!((ran.code, calls(&emulator, "task/retry")), (6, 1), "{}", ran.stderr);
    let ran = resume(repo.path(), &emulator, &["-q", "--no-wait"]);
    let expected = ended(7, "partial", &["1 of 2 clusters not scanned"]);
    assert_eq!((ran.code, verdict(&result(repo.path()))), (7, expected), "{}", ran.stderr);
}

#[test]
fn when_the_task_had_ended_is_kept_for_a_retry_alone() {
    let repo = Repo::new();
    let emulator = start(failing(1));
    for (args, retried) in [(&["--all"][..], false), (&["--cluster", ONE, "--retry-failed"], false)] {
        scan(repo.path(), &emulator, args);
        assert_eq!(result(repo.path())["run"]["retried_after"].is_i64(), retried, "{args:?}");
    }
    let emulator = start(failing(1));
    assert_eq!(scan(repo.path(), &emulator, &["--all", "--retry-failed"]).code, 0);
    assert!(result(repo.path())["run"]["retried_after"].is_i64());
}
