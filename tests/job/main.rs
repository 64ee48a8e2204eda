//! What the job costs, and what is left of it where something goes wrong: through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod twins;

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use common::{
    BAD_DOCKERFILE, Finished, Repo, assert_adds_up, calls, connect, faulty, hss_iac, quick, scan, scan_command, scripted,
    start, states,
};
use hss_iac::emulator::{Emulator, Fault, Options};
use serde_json::{Value, json};

/// A pod with a medium risk at two places: two containers without a memory limit.
const TWO_PLACES: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n  - name: a\n    \
                          image: registry.example/a:1.2.3\n  - name: b\n    image: registry.example/b:1.2.3\n";

/// What each listing of an API gave, such as `4 of 4`.
fn listed(emulator: &Emulator, api: &str) -> Vec<String> {
    emulator.journal().into_iter().filter(|call| call.api == api).map(|call| call.detail).collect()
}

fn task_ids(result: &Value) -> Vec<String> {
    let tasks = result["tasks"].as_array().expect("tasks");
    tasks.iter().map(|task| task["task_id"].as_str().unwrap_or_default().to_owned()).collect()
}

fn created(emulator: &Emulator) -> Vec<String> {
    let mut ids: Vec<String> = emulator.tasks().into_iter().map(|(id, ..)| id).collect();
    ids.sort();
    ids
}

#[test]
fn a_poll_is_one_call_however_long_the_project_s_history() {
    let emulator = start(Options { old_tasks: 3_000, ..quick() });
    let ran = scan(Repo::new().many(101).path(), &emulator, &["--jobs", "8"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let polls = listed(&emulator, "tasks/batch-query");
    assert!(polls.iter().all(|poll| ["1 of 1", "2 of 2", "3 of 3", "4 of 4"].contains(&poll.as_str())), "{polls:?}");
}

#[test]
fn a_date_that_is_ahead_hides_no_task() {
    let emulator = start(Options { date_ahead: Duration::from_secs(7_200), old_tasks: 300, ..quick() });
    let ran = scan(Repo::new().many(1).path(), &emulator, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let polls = listed(&emulator, "tasks/batch-query");
    assert_eq!(polls, ["0 of 0", "0 of 0", "0 of 0", "1 of 1", "1 of 1"]);
}

#[test]
fn a_look_that_fails_counts_for_none() {
    let faults = vec![scripted("task", 1, Fault::ResetAfter), scripted("tasks/batch-query", 2, Fault::Status(400))];
    // Four looks that see something are needed to see the task.
    let emulator = start(Options { faults, hide_tasks: 3, ..quick() });
    let ran = scan(Repo::new().file("Dockerfile", BAD_DOCKERFILE).path(), &emulator, &["--rate", "100/1s"]);
    assert_eq!((ran.code, emulator.tasks().len()), (1, 1), "{}", ran.stderr);
}

#[test]
fn a_listing_of_the_files_serves_the_tasks_that_a_poll_found_finished() {
    let emulator = start(quick());
    let ran = scan(Repo::new().many(150).path(), &emulator, &["--jobs", "8"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(emulator.tasks().len(), 4);
    let polls = calls(&emulator, "tasks/batch-query").min(4);
    assert!(calls(&emulator, "iac/files") <= 2 * polls, "300 files are two pages");
    assert_eq!(calls(&emulator, "file/risks"), 0, "no clean file is asked about");
}

#[test]
fn two_risks_of_a_rule_are_asked_for_once_and_found_once() {
    let repo = Repo::new().file("pod.yaml", TWO_PLACES);
    let found = |split_risks| {
        let emulator = start(Options { split_risks, ..quick() });
        let ran = scan(repo.path(), &emulator, &[]);
        let place = |finding: &Value| format!("{} {}", finding["rule_id"], finding["hit_path"]);
        let places: Vec<String> = ran.json()["findings"].as_array().expect("findings").iter().map(place).collect();
        (places, calls(&emulator, "risk/paths"))
    };
    let whole = found(false);
    assert!(whole.0.iter().any(|place| place.contains("containers[1]")), "{whole:?}");
    assert_eq!(found(true), whole);
}

#[test]
fn the_count_of_places_does_not_hang_on_asking_for_them() {
    let repo = Repo::new().file("pod.yaml", TWO_PLACES);
    let verdict = |options: Options, args: &[&str]| {
        let emulator = start(options);
        let args = [&["--fail-on", "never", "--max", "medium=4"], args].concat();
        let result = scan(repo.path(), &emulator, &args).json();
        (result["counts"]["findings"].clone(), result["verdict"]["exit_code"].clone(), result["findings"].clone())
    };
    let asked = verdict(quick(), &[]);
    assert_eq!(asked.1, json!(1), "{asked:?}");
    let unasked = verdict(quick(), &["--max-path-calls", "0"]);
    assert_eq!((&unasked.0, &unasked.1), (&asked.0, &asked.1));
    assert!(unasked.2.as_array().is_some_and(|findings| findings.iter().any(|finding| finding["places"] == 2)));
    let failed = verdict(faulty("risk/paths", 0, Fault::Status(400)), &[]);
    assert_eq!((&failed.0, &failed.1), (&asked.0, &asked.1));
}

#[test]
fn a_fatal_upload_waits_for_the_task_that_is_being_created() {
    let faults =
        vec![scripted("task", 1, Fault::Slow(Duration::from_secs(1))), scripted("batch-upload", 2, Fault::NotPublished)];
    let emulator = start(Options { faults, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("config.yaml", &common::clean_manifest(0));
    let ran = scan(repo.path(), &emulator, &["--jobs", "1"]);
    let result = ran.json();
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert_adds_up(&result, 2);
    assert_eq!(task_ids(&result), created(&emulator));
    assert!(ran.stderr.contains(&created(&emulator)[0]), "{}", ran.stderr);
}

#[test]
fn the_end_of_the_time_waits_a_little_for_a_task_and_else_says_so() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let emulator = start(faulty("task", 1, Fault::Slow(Duration::from_secs(2))));
    let ran = scan(repo.path(), &emulator, &["--timeout", "1s"]);
    assert_eq!((ran.code, task_ids(&ran.json())), (6, created(&emulator)), "{}", ran.stderr);

    let emulator = start(faulty("task", 1, Fault::Slow(Duration::from_secs(60))));
    let ran = scan(repo.path(), &emulator, &["--timeout", "1s"]);
    let result = ran.json();
    assert_eq!((ran.code, task_ids(&result)), (6, Vec::new()));
    assert_adds_up(&result, 1);
    assert_eq!(result["files"][0]["reason"], "being submitted, a task may exist: timed out after 1 s");
}

#[test]
fn a_clean_verdict_of_long_ago_is_not_believed_unasked() {
    let emulator = start(Options { stale_files: true, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("b/Dockerfile", &common::clean_dockerfile(1));
    let ran = scan(repo.path(), &emulator, &["--rate", "50/1s"]);
    assert_eq!((ran.code, calls(&emulator, "file/risks")), (1, 4), "{}", ran.stderr);
    assert_adds_up(&ran.json(), 2);
}

#[test]
fn a_clean_verdict_of_long_ago_is_not_believed_while_risks_may_be_late() {
    let emulator = start(Options { stale_files: true, late_risks: 2, ..quick() });
    let ran = scan(Repo::new().file("Dockerfile", BAD_DOCKERFILE).path(), &emulator, &["--rate", "50/1s"]);
    assert_eq!((ran.code, calls(&emulator, "file/risks")), (1, 3), "{}", ran.stderr);
}

#[test]
fn a_lost_task_is_found_though_the_date_is_ahead_of_the_clock_of_tasks() {
    let ahead = Duration::from_secs(7_200);
    let emulator = start(Options { date_ahead: ahead, old_tasks: 300, ..faulty("task", 1, Fault::ResetAfter) });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = scan(repo.path(), &emulator, &["--rate", "50/1s"]);
    assert_eq!((ran.code, emulator.tasks().len()), (1, 301), "{}", ran.stderr);
}

#[test]
fn a_project_that_is_listed_twice_is_one() {
    let emulator = start(faulty("iam/projects", 1, Fault::Twice));
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran: Finished =
        scan_command(repo.path(), &emulator, &[]).env_remove("HSS_IAC_PROJECT_ID").output().expect("the binary runs").into();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn a_file_that_is_on_its_way_may_have_left_a_copy() {
    let emulator = start(Options { latency: Duration::from_secs(3), ..quick() });
    let ran = scan(Repo::new().file("Dockerfile", BAD_DOCKERFILE).path(), &emulator, &["--timeout", "1s"]);
    let result = ran.json();
    let expected = json!("being uploaded, a copy may stay in the project: timed out after 1 s");
    assert_eq!((ran.code, &result["files"][0]["reason"]), (6, &expected));
}

#[cfg(unix)]
fn terminate(child: &std::process::Child) {
    let killed = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let reached = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        reached()
    });
    assert!(reached, "{what}");
}

#[test]
#[cfg(unix)]
fn a_signal_waits_a_little_for_a_task() {
    let emulator = start(faulty("task", 1, Fault::Slow(Duration::from_secs(2))));
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let mut command = scan_command(repo.path(), &emulator, &[]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    until("it came to create a task", || calls(&emulator, "task") > 0);
    terminate(&child);
    let ran: Finished = child.wait_with_output().expect("it ends").into();
    assert_eq!((ran.code, task_ids(&ran.json())), (143, created(&emulator)));
}

#[test]
#[cfg(unix)]
fn the_second_signal_waits_for_nothing() {
    let emulator = start(faulty("task", 1, Fault::Slow(Duration::from_secs(60))));
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let mut command = scan_command(repo.path(), &emulator, &[]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    until("it came to create a task", || calls(&emulator, "task") > 0);
    terminate(&child);
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().is_ok_and(|status| status.is_none()), "the first waits for the task");
    terminate(&child);
    let mut status = None;
    let soon = std::time::Instant::now() + Duration::from_millis(1_500);
    while status.is_none() && std::time::Instant::now() < soon {
        std::thread::sleep(Duration::from_millis(20));
        status = child.try_wait().expect("a child");
    }
    assert_eq!(status.and_then(|status| status.code()), Some(143));
}

#[test]
#[cfg(unix)]
fn a_signal_after_the_job_ends_a_report_that_nobody_reads() {
    let emulator = start(quick());
    let repo = Repo::new().many(300);
    let mut command = scan_command(repo.path(), &emulator, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let report = child.stdout.as_mut().expect("a pipe");
    report.read_exact(&mut [0]).expect("the report begins");
    // It is longer than a pipe, and the rest is not read.
    terminate(&child);
    until("it ends", || child.try_wait().is_ok_and(|status| status.is_some()));
    assert_eq!(child.wait().ok().and_then(|status| status.code()), Some(143));
}

#[test]
fn a_project_that_was_looked_up_is_in_the_result() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let ran: Finished =
        scan_command(repo.path(), &emulator, &[]).env_remove("HSS_IAC_PROJECT_ID").output().expect("the binary runs").into();
    assert_eq!((ran.code, calls(&emulator, "iam/projects")), (0, 1), "{}", ran.stderr);
    assert_eq!(ran.json()["service"]["project_id"], Options::default().project_id);
}

#[test]
fn a_limit_that_others_have_used_up_is_learnt_from_one_refusal() {
    let emulator = start(Options { throttle: Some((5, Duration::from_secs(3))), ..quick() });
    let repo = (0..50).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &common::clean_dockerfile(i)));
    for run in [0, 1] {
        let ran = scan(repo.path(), &emulator, &["--jobs", "8"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let journal = emulator.journal();
        let refused = journal.iter().filter(|call| call.api == "batch-upload" && call.status == Some(429)).count();
        assert_eq!(refused, run);
    }
}

#[test]
fn a_clean_file_costs_four_calls_and_a_risky_one_five() {
    let journal = |text: &str| {
        let emulator = start(quick());
        scan(Repo::new().file("Dockerfile", text).path(), &emulator, &[]);
        let mut apis: Vec<String> = emulator.journal().into_iter().map(|call| call.api).collect();
        apis.dedup();
        apis
    };
    let clean = ["batch-upload", "task", "tasks/batch-query", "iac/files"];
    assert_eq!(journal(&common::clean_dockerfile(1)), clean);
    assert_eq!(journal(BAD_DOCKERFILE), [&clean[..], &["file/risks"]].concat());
}

#[test]
fn a_lost_task_that_can_not_be_looked_for_costs_its_own_files_alone() {
    let mut faults: Vec<_> = (1..=4).map(|nth| scripted("tasks/batch-query", nth, Fault::Status(400))).collect();
    faults.push(scripted("task", 1, Fault::ResetAfter));
    let emulator = start(Options { faults, ..quick() });
    // The looks are the only calls of their API where nothing is waited for.
    let ran = scan(Repo::new().many(3).path(), &emulator, &["--no-wait"]);
    let result = ran.json();
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert_adds_up(&result, 6);
    assert_eq!(task_ids(&result).len(), 1);
    let said = |file: &&Value| file["reason"].as_str().is_some_and(|reason| reason.starts_with("a task may exist"));
    assert_eq!(result["files"].as_array().expect("files").iter().filter(said).count(), 3, "{result}");
    assert_eq!(emulator.tasks().len(), 2, "none was created again");
}

#[test]
fn a_task_that_is_long_invisible_is_found_and_not_made_again() {
    let emulator = start(Options { hide_tasks: 3, ..faulty("task", 1, Fault::ResetAfter) });
    let ran = scan(Repo::new().file("Dockerfile", BAD_DOCKERFILE).path(), &emulator, &[]);
    assert_eq!((ran.code, emulator.tasks().len()), (1, 1), "{}", ran.stderr);
}

#[test]
fn a_wait_for_the_limit_is_shown_with_what_is_left_of_that_api() {
    let emulator = start(Options { throttle: Some((5, Duration::from_secs(3))), ..quick() });
    let repo = (0..110).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &common::clean_dockerfile(i)));
    let mut command = hss_iac(repo.path());
    let ran: Finished = connect(&mut command, &emulator).args(["scan"]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let waits: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("waiting ")).collect();
    let is_told = |line: &&str| {
        let (_, rest) =
            line.split_once(" s for the service's limit of 5 calls in 3 s to batch-upload, ").unwrap_or_default();
        rest.strip_suffix(" files to send").is_some_and(|left| left.parse::<u32>().is_ok_and(|left| left < 110))
    };
    // By the second wait the first task has ended and its files are read.
    assert!(waits.len() >= 2 && waits.iter().all(is_told), "{}", ran.stderr);
}

#[test]
fn a_rate_that_is_told_needs_no_refusal() {
    let emulator = start(Options { throttle: Some((5, Duration::from_secs(1))), ..quick() });
    let repo = (0..80).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &common::clean_dockerfile(i)));
    let ran = scan(repo.path(), &emulator, &["--jobs", "8", "--rate", "5/1s"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(emulator.journal().iter().filter(|call| call.status == Some(429)).count(), 0);
    assert_eq!(calls(&emulator, "batch-upload"), 8);
}

#[test]
fn a_run_says_beforehand_what_it_takes_and_that_the_time_is_too_short() {
    let emulator = start(quick());
    let told = |repo: &Repo, args: &[&str]| {
        let mut command = hss_iac(repo.path());
        connect(&mut command, &emulator).args(["scan", "-o", "json"]).args(args);
        let ran: Finished = command.output().expect("the binary runs").into();
        ran.stderr.lines().skip(1).take_while(|line| !line.starts_with("uploaded")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&Repo::new().many(1), &[]), ["at least 6 calls"]);
    let args = ["--rate", "5/100ms", "--timeout", "100ms"];
    let said = told(&Repo::new().many(60), &args);
    assert_eq!(said[0], "at least 16 calls, which take 0.2 s under a limit of 5 calls in 0.1 s for each API");
    assert!(said[1].starts_with("that is more than --timeout 0.1 s: give it more time, or less to do"), "{said:?}");
}

#[test]
fn every_limit_is_learnt_from_one_refusal() {
    let throttle = Some((5, Duration::from_millis(400)));
    let emulator = start(Options { throttle, ..quick() });
    let risky = (0..30).fold(Repo::new().many(120), |repo, i| {
        repo.file(&format!("bad{i}/Dockerfile"), &BAD_DOCKERFILE.replace("hunter2", &format!("hunter{i}")))
            .file(&format!("pod{i}/pod.yaml"), &TWO_PLACES.replace("web", &format!("web{i}")))
    });
    let ran = scan(risky.path(), &emulator, &["--jobs", "8"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_adds_up(&ran.json(), 300);
    let mut refused: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for call in emulator.journal().into_iter().filter(|call| call.status == Some(429)) {
        *refused.entry(call.api).or_default() += 1;
    }
    let expected = ["batch-upload", "file/risks", "risk/paths"].map(|api| (api.to_owned(), 1));
    assert_eq!(refused, expected.into());
}
