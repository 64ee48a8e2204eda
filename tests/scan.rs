//! The main job, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{BAD_DOCKERFILE, Repo, assert_adds_up, calls, faulty, quick, run, scan, start, states};
use hss_iac::emulator::{Emulator, Fault, Options};
use serde_json::{Value, json};

#[test]
fn risks_of_a_listing_that_does_not_add_up_still_count() {
    let emulator = start(Options { overcount_risks: true, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let result = scan(repo.path(), &emulator, &["--on-partial", "warn"]).json();
    assert_eq!((&result["verdict"]["exit_code"], &result["files"][0]["state"]), (&json!(1), &json!("scan_failed")));
    let reason = result["files"][0]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("some of its risks could not be read: file/risks: the listing names"), "{reason}");
}

#[test]
fn a_bad_dockerfile_fails_and_the_calls_are_the_least() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(result["verdict"]["status"], "fail");
    assert_eq!(result["complete"], true);
    assert_eq!(result["service"]["stand_in"], true);
    assert_adds_up(&result, 1);
    assert_eq!(calls(&emulator, "batch-upload"), 1);
    assert_eq!(calls(&emulator, "task"), 1);
    assert_eq!(calls(&emulator, "file/risks"), 1);
    assert_eq!(emulator.refusals(), Vec::<String>::new());
}

/// Each finding as `level instruction, line:column-line:column precision, source lines`.
fn places(result: &Value) -> Vec<String> {
    let findings = result["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| {
            let at = &finding["location"];
            let place = format!("{}:{}-{}:{}", at["line"], at["column"], at["end_line"], at["end_column"]);
            let text = |value: &Value| value.as_str().unwrap_or("nothing").to_owned();
            let said = format!("{} {}", text(&finding["level"]), text(&finding["instruction"]));
            format!("{said}, {place} {}, {}", text(&at["precision"]), finding["snippet"])
        })
        .collect()
}

#[test]
fn findings_stand_on_their_lines_worst_first() {
    let emulator = start(quick());
    let source = "FROM debian:12 AS build\nUSER root\nFROM debian:12\nRUN apt-get update && \\\n    # why\n    apt-get install -y \\\n      \
                  curl\nUSER root\n";
    let repo = Repo::new().file("Dockerfile", source);
    let result = scan(repo.path(), &emulator, &[]).json();
    let run = r#"["RUN apt-get update && \\","    # why","    apt-get install -y \\","      curl"]"#;
    let expected = [
        r#"high USER root, 8:1-8:10 exact, ["USER root"]"#.to_owned(),
        r#"low nothing, 3:1-3:15 resource, ["FROM debian:12"]"#.to_owned(),
        format!("low RUN apt-get update && apt-get install -y curl, 4:1-7:11 exact, {run}"),
        format!("tips RUN apt-get update && apt-get install -y curl, 4:1-7:11 exact, {run}"),
    ];
    assert_eq!(places(&result), expected);
}

#[test]
#[cfg(unix)]
fn a_file_that_changes_after_it_was_sent_has_findings_without_lines() {
    let emulator = start(Options { scan_time: Duration::from_secs(1), ..quick() });
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("b/Dockerfile", BAD_DOCKERFILE);
    let sent = scan(repo.path(), &emulator, &[]).json();
    let mut command = common::scan_command(repo.path(), &emulator, &[]);
    let child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    let tasks = |emulator: &Emulator| emulator.tasks().len();
    let submitted = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        tasks(&emulator) == 2
    });
    assert!(submitted);
    std::fs::write(repo.path().join("a/Dockerfile"), format!("\n{BAD_DOCKERFILE}")).expect("it is written");
    std::fs::remove_file(repo.path().join("b/Dockerfile")).expect("it is removed");
    let ran: common::Finished = child.wait_with_output().expect("it ends").into();
    let result = ran.json();
    assert_eq!(ran.code, 1);
    assert_eq!(
        result["notes"],
        json!([
            "the findings of a/Dockerfile have no lines: it has changed since it was sent",
            "the findings of b/Dockerfile have no lines: it could not be read again: No such file or directory (os error 2)",
        ])
    );
    for finding in result["findings"].as_array().expect("findings") {
        assert_eq!(
            finding["location"],
            json!({"line": 1, "end_line": 1, "column": 1, "end_column": 1, "precision": "file"}),
        );
        assert_eq!((&finding["snippet"], &finding["line_hash"]), (&json!([]), &Value::Null));
    }
    let fingerprints = |result: &Value| -> std::collections::BTreeSet<String> {
        let findings = result["findings"].as_array().expect("findings").iter();
        findings.map(|finding| finding["fingerprint"].to_string()).collect()
    };
    assert_eq!(fingerprints(&result), fingerprints(&sent), "a coarser place makes no other finding");
}

#[test]
fn many_files_make_full_batches_and_tasks_of_a_hundred() {
    let emulator = start(quick());
    let repo = Repo::new().many(150);
    let ran = scan(repo.path(), &emulator, &["--jobs", "8"]);
    let result = ran.json();
    assert_eq!((ran.code, &result["verdict"]["reasons"]), (0, &json!(["no findings"])), "{}", ran.stderr);
    assert_adds_up(&result, 300);
    assert_eq!(calls(&emulator, "batch-upload"), 30);
    assert_eq!(calls(&emulator, "task"), 4);
    assert_eq!(calls(&emulator, "file/risks"), 0, "clean files need no call of their own");
    assert_eq!(emulator.refusals(), Vec::<String>::new());
}

#[test]
fn what_is_refused_is_named_and_the_rest_is_scanned() {
    let named = Options { refuse_names: vec!["s1-".to_owned()], ..quick() };
    let unnamed = Options { refuse_batch_containing: vec!["s1-".to_owned()], ..quick() };
    for options in [named, unnamed] {
        let emulator = start(options);
        let repo = Repo::new().many(4);
        let ran = scan(repo.path(), &emulator, &[]);
        let result = ran.json();
        assert_eq!(ran.code, 7, "{}", ran.stderr);
        assert_adds_up(&result, 8);
        let failed: Vec<_> = states(&result).into_iter().filter(|(_, state)| state != "scanned").collect();
        let expected = ["s1/Dockerfile", "s1/config.yaml"].map(|path| (path.to_owned(), "upload_failed".to_owned()));
        assert_eq!(failed, expected);
    }
}

#[test]
fn a_file_that_can_not_be_scanned_is_said() {
    let emulator = start(Options { fail_scan_names: vec!["s0-".to_owned()], ..quick() });
    let repo = Repo::new().many(2);
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!(ran.code, 7);
    assert_adds_up(&result, 4);
    assert_eq!(result["counts"]["scan_failed"], 2);
}

#[test]
fn a_lost_answer_makes_no_second_task() {
    std::thread::scope(|scope| {
        for fault in [Fault::ResetAfter, Fault::ResetBefore, Fault::Status(503), Fault::Truncate] {
            scope.spawn(move || {
                let emulator = start(Options { hide_tasks: 1, ..faulty("task", 1, fault.clone()) });
                let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
                let ran = scan(repo.path(), &emulator, &[]);
                assert_eq!(ran.code, 1, "{fault:?}: {}", ran.stderr);
                assert_eq!(emulator.tasks().len(), 1, "{fault:?}");
            });
        }
    });
}

#[test]
fn late_risks_are_not_missed() {
    let emulator = start(Options { late_risks: 1, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = scan(repo.path(), &emulator, &[]);
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn a_wrong_key_costs_one_call() {
    let emulator = start(Options { secret_key: "another".to_owned(), ..quick() });
    let repo = Repo::new().many(30);
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!((ran.code, &result["verdict"]["status"]), (4, &json!("error")));
    assert_adds_up(&result, 60);
    assert_eq!(emulator.journal().len(), 1);
}

#[test]
fn missing_credentials_lose_no_file() {
    let repo = Repo::new().many(1);
    let ran = run(repo.path(), &["scan", "-q", "--region", "cn-north-4", "-o", "json"]);
    let result = ran.json();
    assert_eq!(ran.code, 4);
    assert_adds_up(&result, 2);
    assert_eq!(result["complete"], false);
}

#[test]
fn the_service_that_fails_and_the_api_that_is_gone() {
    let repo = Repo::new().many(1);
    let emulator = start(faulty("batch-upload", 0, Fault::NotPublished));
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!(ran.code, 5);
    assert_adds_up(&result, 2);
    assert!(result["verdict"]["reasons"][0].as_str().is_some_and(|reason| reason.contains("not published")), "{result}");
    let ran = scan(repo.path(), &emulator, &["--on-service-error", "warn"]);
    assert_eq!((ran.code, &ran.json()["verdict"]["status"]), (0, &json!("error")));
}

#[test]
fn time_out_no_wait_empty_usage_and_reports() {
    let repo = Repo::new().many(1);
    let emulator = start(Options { never_finish: true, ..quick() });
    let ran = scan(repo.path(), &emulator, &["--timeout", "1s"]);
    let result = ran.json();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert_adds_up(&result, 2);
    assert_eq!(result["tasks"].as_array().map(Vec::len), Some(2));
    let ran = scan(repo.path(), &emulator, &["--no-wait"]);
    assert_eq!((ran.code, &ran.json()["verdict"]["status"]), (0, &json!("pending")));

    let emulator = start(quick());
    let empty = Repo::new();
    assert_eq!(scan(empty.path(), &emulator, &[]).code, 0);
    assert_eq!(scan(empty.path(), &emulator, &["--if-empty", "fail"]).code, 3);
    assert_eq!(scan(empty.path(), &emulator, &["--fail-on", "worst"]).code, 2);
    assert_eq!(scan(empty.path(), &emulator, &["no/such/path"]).code, 2);
    let ran = scan(repo.path(), &emulator, &["-o", "table=/no/such/directory/report.txt"]);
    assert_eq!((ran.code, &ran.json()["verdict"]["exit_code"]), (8, &json!(8)));
}

#[test]
#[cfg(unix)]
fn a_signal_leaves_a_whole_account() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let repo = Repo::new().many(1);
        let emulator = start(Options { never_finish: true, ..quick() });
        let mut command = common::scan_command(repo.path(), &emulator, &[]);
        let child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
        let asked = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            calls(&emulator, "tasks/batch-query") > 0
        });
        assert!(asked, "it came to wait for its tasks");
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let ran: common::Finished = child.wait_with_output().expect("it ends").into();
        let result = ran.json();
        assert_eq!(ran.code, code);
        assert_adds_up(&result, 2);
        assert_eq!(ran.stderr.matches("task ").count(), 2, "{}", ran.stderr);
    }
}

#[test]
fn three_hundred_files_under_the_limit() {
    let emulator = start(Options { throttle: Some((5, Duration::from_secs(2))), ..quick() });
    let repo = Repo::new().many(150);
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!(ran.code, 0, "{}\n{}", ran.stderr, result["verdict"]);
    assert_adds_up(&result, 300);
    let journal = emulator.journal();
    let throttled: Vec<&str> =
        journal.iter().filter(|call| call.status == Some(429)).map(|call| call.api.as_str()).collect();
    assert!(throttled.len() <= 3, "throttled: {throttled:?}");
}

#[test]
fn the_stand_in_is_named_and_kept_out_of_ci() {
    let shop = common::project().join("examples/shop");
    let ran = run(&shop, &["scan", "-q", "--emulator", "."]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("The stand-in answered in place of HSS"), "{}", ran.stdout);
    let mut command = common::hss_iac(&shop);
    let ran: common::Finished = command.env("CI", "true").args(["scan", "--emulator"]).output().expect("it runs").into();
    assert_eq!(ran.code, 2);
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let emulator = start(quick());
    let mut command = common::scan_command(repo.path(), &emulator, &[]);
    let ran: common::Finished = command.env("CI", "true").output().expect("it runs").into();
    assert_eq!(ran.code, 2, "an endpoint that turns out to be a stand-in: {}", ran.stderr);
}

#[test]
fn twenty_seeds_of_bad_weather_lose_nothing() {
    let repo = Repo::new().many(150).file("bad/Dockerfile", BAD_DOCKERFILE);
    let mut codes = Vec::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..20)
            .map(|seed| {
                let repo = &repo;
                scope.spawn(move || {
                    let emulator = start(Options { fault_rate: 0.2, seed, ..quick() });
                    let ran = scan(repo.path(), &emulator, &["--jobs", "16"]);
                    let result = ran.json();
                    assert_adds_up(&result, 301);
                    let mut held = std::collections::HashSet::new();
                    for (_, _, files) in emulator.tasks() {
                        assert!(files.into_iter().all(|file| held.insert(file)), "seed {seed}: a file stands in two tasks");
                    }
                    let counts = &result["counts"];
                    let bad = states(&result).into_iter().find(|(path, _)| path == "bad/Dockerfile").expect("it is listed");
                    let cut_off = counts["not_scanned"].as_u64() > Some(0);
                    let expected = match (bad.1.as_str(), cut_off) {
                        ("scanned", _) => 1,
                        (_, true) => 5,
                        (_, false) => 7,
                    };
                    assert_eq!(ran.code, expected, "seed {seed}: {}", result["verdict"]);
                    ran.code
                })
            })
            .collect();
        codes.extend(runs.into_iter().map(|run| run.join().unwrap_or(-1)));
    });
    assert!(codes.iter().all(|code| [1, 5, 7].contains(code)), "{codes:?}");
    assert!(codes.iter().filter(|code| **code == 1).count() >= 15, "{codes:?}");
}

#[test]
fn a_file_that_grows_after_the_walk_is_not_read_whole() {
    let emulator = start(faulty("iam/projects", 1, Fault::Slow(Duration::from_secs(2))));
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let mut command = common::scan_command(repo.path(), &emulator, &[]);
    command.env_remove("HSS_IAC_PROJECT_ID").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("it starts");
    let walked = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        calls(&emulator, "iam/projects") > 0
    });
    assert!(walked);
    let grown = std::fs::OpenOptions::new().write(true).open(repo.path().join("Dockerfile")).expect("the file");
    grown.set_len(8_000_000_000).expect("a hole");
    let ran: common::Finished = child.wait_with_output().expect("it ends").into();
    let result = ran.json();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert_adds_up(&result, 1);
    assert_eq!(result["files"][0]["reason"], "could not be read again: it has more than 1000000 bytes");
    assert_eq!(calls(&emulator, "batch-upload"), 0);
}
