//! Going on with a run that was cut off: through the binary, which is killed at every step.
#![cfg(all(unix, feature = "emulator"))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{
    BAD_DOCKERFILE, Finished, Repo, assert_adds_up, calls, clean_dockerfile, clean_manifest, connect, hss_iac, quick, run,
    scripted, start,
};
use hss_iac::emulator::{Emulator, Fault, Options};
use serde_json::{Value, json};

/// A pod with risks at two places.
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: registry.example/a:1.2.3\n  \
                   - name: b\n    image: registry.example/b:1.2.3\n    securityContext:\n      privileged: true\n";
/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_secs(600);
/// Files of [`repo`].
const FILES: usize = 27;

/// Two uploads of each type, one task of each, risks in both, and two files that are equal to others.
fn repo() -> Repo {
    let mut repo = Repo::new()
        .file("bad/Dockerfile", BAD_DOCKERFILE)
        .file("bad/too/Dockerfile", BAD_DOCKERFILE)
        .file("pod.yaml", POD)
        .file("pods/pod.yaml", POD)
        .file("pods/other.yaml", &POD.replace("web", "other"));
    for i in 0..11 {
        repo = repo
            .file(&format!("{i}/Dockerfile"), &clean_dockerfile(i))
            .file(&format!("{i}/config.yaml"), &clean_manifest(i));
    }
    repo
}

fn command(repo: &Path, emulator: &Emulator, args: &[&str]) -> Command {
    let mut command = hss_iac(repo);
    connect(&mut command, emulator).args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn scan(repo: &Path, emulator: &Emulator, args: &[&str]) -> Command {
    command(repo, emulator, &[&["scan", "-q", "-o", "json=result.json", "--jobs", "1"], args].concat())
}

fn resume(repo: &Path, emulator: &Emulator, args: &[&str]) -> Finished {
    command(repo, emulator, &[&["resume", "result.json"], args].concat()).output().expect("the binary runs").into()
}

fn result(repo: &Path) -> Value {
    let bytes = std::fs::read(repo.join("result.json")).expect("a result");
    serde_json::from_slice(&bytes).expect("JSON, whole")
}

/// What must be the same however often a run was cut off: all but times, ids and the number of calls.
fn lasting(mut result: Value) -> Value {
    for part in ["run", "service", "calls", "tasks", "notes"] {
        result.as_object_mut().expect("an object").remove(part);
    }
    for file in result["files"].as_array_mut().expect("files") {
        let file = file.as_object_mut().expect("an object");
        assert_eq!(file.remove("next"), None, "nothing is left to do");
        file.remove("file_id");
        file.remove("task_id");
    }
    result
}

/// How often each file came to the service.
fn uploads(emulator: &Emulator) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for file in emulator.files() {
        *times.entry(file.name).or_default() += 1;
    }
    times
}

/// Kills a scan once the stand-in holds back the answer to this call, and goes on with it.
fn killed_at(repo: &Path, api: &str, nth: u32, fault: Fault) -> (Emulator, Value) {
    let emulator = start(Options { faults: vec![scripted(api, nth, fault)], ..quick() });
    let mut child = scan(repo, &emulator, &[]).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(60);
    while calls(&emulator, api) < nth as usize {
        assert!(Instant::now() < soon && child.try_wait().is_ok_and(|ended| ended.is_none()), "{api} {nth} is reached");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let interim = result(repo);
    let reasons = interim["verdict"]["reasons"].as_array().expect("reasons");
    assert!(reasons.contains(&json!("the run has not ended; hss-iac resume goes on with it")), "{api} {nth}: {reasons:?}");
    let failed = interim["counts"]["findings"]["high"] != 0;
    assert_eq!(interim["verdict"]["exit_code"], if failed { 1 } else { 6 }, "{api} {nth}");
    assert_adds_up(&interim, FILES);
    let ran = resume(repo, &emulator, &[]);
    assert_eq!(ran.code, 1, "{api} {nth}: {}", ran.stderr);
    (emulator, result(repo))
}

#[test]
fn a_run_that_is_killed_at_any_step_ends_as_if_it_was_not() {
    let repo = repo();
    let emulator = start(quick());
    let undisturbed: Finished = scan(repo.path(), &emulator, &[]).output().expect("the binary runs").into();
    assert_eq!(undisturbed.code, 1, "{}", undisturbed.stderr);
    let expected = lasting(result(repo.path()));
    let (sent, tasks) = (uploads(&emulator), emulator.tasks().len());
    let mut steps: BTreeMap<String, u32> = BTreeMap::new();
    for call in emulator.journal() {
        *steps.entry(call.api).or_default() += 1;
    }
    assert!(["batch-upload", "task", "iac/files", "file/risks", "risk/paths"].iter().all(|api| steps.contains_key(*api)));
    // One look at the tasks is like the other, and how many there are is a matter of time.
    steps.insert("tasks/batch-query".to_owned(), 1);
    let faults = [Fault::Slow(FOR_EVER), Fault::Stalled(FOR_EVER)];
    let calls = steps.iter().flat_map(|(api, calls)| (1..=*calls).map(move |nth| (api, nth)));
    let kills = calls.flat_map(|(api, nth)| faults.iter().map(move |fault| (api, nth, fault)));
    let left = std::sync::Mutex::new(kills);
    let kill = || {
        let repo = self::repo();
        loop {
            let next = left.lock().expect("no thread panics with it").next();
            let Some((api, nth, fault)) = next else { return };
            let at = format!("killed at {api} {nth}, {fault:?}");
            let (emulator, result) = killed_at(repo.path(), api, nth, fault.clone());
            assert_eq!(lasting(result), expected, "{at}");
            let again: Vec<_> = uploads(&emulator).into_iter().filter(|(name, times)| *times > sent[name]).collect();
            assert!(again.len() <= 10 && again.iter().all(|(_, times)| *times == 2), "{at}: {again:?}");
            assert_eq!(emulator.tasks().len(), tasks, "{at}");
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(kill))));
}

#[test]
fn what_is_not_kept_is_not_said_to_be_gone_on_with() {
    let repo = Repo::new().many(12);
    let emulator = start(quick());
    let scan = scan(repo.path(), &emulator, &["--no-wait"]);
    let on_a_full_disk = || -> Finished {
        let mut bash = Command::new("bash");
        bash.args(["-c", r#"trap '' XFSZ; ulimit -f 1; exec "$0" "$@""#]).arg(scan.get_program()).args(scan.get_args());
        let envs = scan.get_envs().filter_map(|(name, value)| Some((name, value?)));
        // What counts lines in a coverage build would say that it has no room either.
        bash.current_dir(repo.path()).env_clear().envs(envs).env("LLVM_PROFILE_FILE", "/dev/null");
        bash.output().expect("bash").into()
    };
    let ran = on_a_full_disk();
    let said = "no JSON result is kept in a file, so nothing can go on with it: -o json=FILE keeps one\n";
    assert_eq!((ran.code, ran.stderr.ends_with(said)), (8, true), "{}", ran.stderr);
    // Its own stand-in ends with a run.
    let ran = run(repo.path(), &["scan", "--emulator", "--no-wait", "-o", "json=result.json"]);
    let said = "the stand-in ended with this run, so nothing can go on with it\n";
    assert_eq!((ran.code, ran.stderr.ends_with(said)), (0, true), "{}", ran.stderr);
    // Now there is a file.
    let ran = on_a_full_disk();
    let said =
        "hss-iac resume result.json goes on with what was kept there before, unless that could not be written either\n";
    assert_eq!((ran.code, ran.stderr.ends_with(said)), (8, true), "{}", ran.stderr);
}

#[test]
fn what_was_not_waited_for_is_waited_for() {
    let repo = repo();
    let emulator = start(quick());
    let ran: Finished = scan(repo.path(), &emulator, &["--no-wait"]).output().expect("the binary runs").into();
    let pending = result(repo.path());
    assert_eq!((ran.code, &pending["verdict"]["status"]), (0, &json!("pending")), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("hss-iac resume result.json goes on with it\n"), "{}", ran.stderr);
    let before = (calls(&emulator, "batch-upload"), calls(&emulator, "task"));

    // On another machine, which has the files elsewhere or not at all.
    let elsewhere = Repo::new();
    std::fs::copy(repo.path().join("result.json"), elsewhere.path().join("result.json")).expect("a copy");
    let ran = resume(elsewhere.path(), &emulator, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let there = result(elsewhere.path());
    assert_eq!(there["counts"]["scanned"], FILES);
    assert_eq!(there["findings"][0]["location"]["precision"], "file");

    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let here = result(repo.path());
    assert_eq!(here["findings"][0]["location"]["precision"], "exact");
    assert_eq!((here["run"]["id"].clone(), here["tasks"].as_array().map(Vec::len)), (pending["run"]["id"].clone(), Some(2)));
    assert_eq!((calls(&emulator, "batch-upload"), calls(&emulator, "task")), before, "nothing is sent again");

    let calls_before = emulator.journal().len();
    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!((ran.code, emulator.journal().len()), (1, calls_before), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("nothing is left to do"), "{}", ran.stderr);
    assert_eq!(lasting(result(repo.path())), lasting(here));
}

#[test]
fn a_run_that_timed_out_goes_on_and_keeps_its_policy() {
    let repo = repo();
    let emulator = start(Options { scan_time: Duration::from_secs(3), ..quick() });
    let args = ["--timeout", "2s", "--fail-on", "never", "--max", "high=0"];
    let ran: Finished = scan(repo.path(), &emulator, &args).output().expect("the binary runs").into();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let ran = resume(repo.path(), &emulator, &[]);
    let reasons = result(repo.path())["verdict"]["reasons"].to_string();
    assert!(ran.code == 1 && reasons.contains("at high, at most 0 allowed"), "{reasons}\n{}", ran.stderr);
}

#[test]
fn a_result_sends_no_credential_anywhere() {
    let repo = repo();
    let emulator = start(quick());
    let ran: Finished = scan(repo.path(), &emulator, &["--no-wait"]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let other = start(quick());
    let ran = resume(repo.path(), &other, &[]);
    let said = format!("error: the run was with the endpoint {}, and this would be {}", emulator.url(), other.url());
    assert!(ran.code == 2 && ran.stderr.starts_with(&said), "{}", ran.stderr);
    assert!(other.journal().is_empty());

    let mut without: Command = hss_iac(repo.path());
    without.env("HSS_IAC_ACCESS_KEY", "AK").env("HSS_IAC_SECRET_KEY", "SK").args(["resume", "result.json"]);
    let ran: Finished = without.output().expect("the binary runs").into();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_service_that_fails_leaves_something_to_go_on_with() {
    let repo = repo();
    let emulator = start(common::faulty("file/risks", 0, Fault::Status(503)));
    let mut child = scan(repo.path(), &emulator, &["--timeout", "20s"]);
    let ran: Finished = child.output().expect("the binary runs").into();
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let left = result(repo.path());
    let next = left["files"].as_array().expect("files").iter().filter(|file| file["next"] == "collect").count();
    assert_eq!(next, 5, "{left}");
}

#[test]
fn a_task_that_was_never_asked_for_is_not_looked_for() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("pod.yaml", POD);
    let emulator = start(common::faulty("task", 0, Fault::Throttle { retry_after: Some(60) }));
    let ran: Finished = scan(repo.path(), &emulator, &["--timeout", "1500ms"]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let left = result(repo.path());
    let files = left["files"].as_array().expect("files");
    assert!(files.iter().all(|file| file["next"] == "submit"), "{left}");
    assert_eq!((files.len(), emulator.tasks().len()), (2, 0));
}

#[test]
fn a_verdict_of_the_stand_in_stays_one() {
    let repo = repo();
    let emulator = start(quick());
    let ran: Finished = scan(repo.path(), &emulator, &[]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let service = result(repo.path())["service"].clone();
    assert_eq!(service["stand_in"], true);
    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!((ran.code, &result(repo.path())["service"]), (1, &service), "{}", ran.stderr);
    let mut in_ci = command(repo.path(), &emulator, &["resume", "result.json"]);
    let ran: Finished = in_ci.env("CI", "true").output().expect("the binary runs").into();
    assert!(ran.code == 2 && ran.stderr.contains("--allow-stand-in"), "{}", ran.stderr);
}

#[test]
fn findings_whose_places_are_missing_are_kept_until_they_are_read_again() {
    let repo = Repo::new().file("pod.yaml", POD);
    let emulator = start(common::faulty("risk/paths", 0, Fault::Slow(FOR_EVER)));
    let ran: Finished = scan(repo.path(), &emulator, &["--timeout", "3s"]).output().expect("the binary runs").into();
    let known = result(repo.path());
    assert_eq!((ran.code, &known["files"][0]["next"]), (1, &json!("locate")), "{}", ran.stderr);
    for _ in 0..2 {
        let ran = resume(repo.path(), &emulator, &["--timeout", "1ms"]);
        let after = result(repo.path());
        assert_eq!((ran.code, &after["findings"]), (1, &known["findings"]), "{}", ran.stderr);
        assert_ne!(after["files"][0]["next"], Value::Null);
    }
}

#[test]
fn a_look_for_a_task_that_fails_is_followed_by_another_unless_all_would_fail() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    for (fault, code, next) in [(Fault::Status(400), 1, Value::Null), (Fault::ExpiredToken, 4, json!("find_task"))] {
        let faults = vec![scripted("task", 1, Fault::Slow(FOR_EVER)), scripted("tasks/batch-query", 1, fault)];
        let emulator = start(Options { faults, ..quick() });
        let mut child = scan(repo.path(), &emulator, &[]).spawn().expect("it starts");
        let soon = Instant::now() + Duration::from_secs(60);
        while calls(&emulator, "task") < 1 {
            assert!(Instant::now() < soon && child.try_wait().is_ok_and(|ended| ended.is_none()), "a task is created");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("it is killed");
        child.wait().expect("it is over");
        let ran = resume(repo.path(), &emulator, &[]);
        let result = result(repo.path());
        assert_eq!((ran.code, &result["files"][0]["next"], calls(&emulator, "task")), (code, &next, 1), "{}", ran.stderr);
    }
}

#[test]
fn a_task_that_is_not_clear_is_not_created_again() {
    let repo = (0..101).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &clean_dockerfile(i)));
    let faults = vec![
        scripted("task", 1, Fault::Slow(FOR_EVER)),
        scripted("task", 2, Fault::Slow(FOR_EVER)),
        scripted("resources/batch-query", 0, Fault::Status(400)),
    ];
    let emulator = start(Options { faults, ..quick() });
    let mut child = scan(repo.path(), &emulator, &[]).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(60);
    while calls(&emulator, "task") < 2 {
        assert!(Instant::now() < soon && child.try_wait().is_ok_and(|ended| ended.is_none()), "two tasks are created");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!((ran.code, emulator.tasks().len()), (7, 2), "{}", ran.stderr);
    assert_adds_up(&result(repo.path()), 101);
}

#[test]
fn what_ended_before_a_resume_is_not_taken_for_clean_by_the_next_scan() {
    let repo = Repo::new()
        .file("a/Dockerfile", BAD_DOCKERFILE)
        .file("b/Dockerfile", BAD_DOCKERFILE)
        .file("c/Dockerfile", &BAD_DOCKERFILE.replace("hunter2", "hunter3"));
    let emulator = start(common::faulty("file/risks", 2, Fault::Slow(FOR_EVER)));
    let ran: Finished = scan(repo.path(), &emulator, &["--timeout", "2s"]).output().expect("the binary runs").into();
    let next: Vec<Value> =
        result(repo.path())["files"].as_array().expect("files").iter().map(|file| file["next"].clone()).collect();
    assert_eq!((ran.code, next), (1, vec![Value::Null, Value::Null, json!("collect")]), "{}", ran.stderr);
    let cache = tempfile::tempdir().expect("a directory");
    let cache = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
    let ran = resume(repo.path(), &emulator, &cache);
    let resumed = result(repo.path());
    assert_eq!((ran.code, &resumed["complete"]), (1, &json!(true)), "{}", ran.stderr);
    for reused in [0, 3] {
        let ran: Finished = scan(repo.path(), &emulator, &cache).output().expect("the binary runs").into();
        let again = result(repo.path());
        assert_eq!((ran.code, &again["counts"]["reused"]), (1, &json!(reused)), "{}", ran.stderr);
        assert_eq!(again["findings"], resumed["findings"]);
    }
}

#[test]
fn a_result_has_no_verdict_kept_of_bytes_that_were_not_sent() {
    let repo = Repo::new().file("Dockerfile", &clean_dockerfile(1));
    let bad = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let emulator = start(quick());
    for repo in [&repo, &bad] {
        let ran: Finished = scan(repo.path(), &emulator, &["--no-wait"]).output().expect("the binary runs").into();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let mut edited = result(repo.path());
    edited["files"][0]["sha256"] = result(bad.path())["files"][0]["sha256"].clone();
    std::fs::write(repo.path().join("result.json"), edited.to_string()).expect("it is written");
    let cache = tempfile::tempdir().expect("a directory");
    let cache = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
    let ran = resume(repo.path(), &emulator, &cache);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran: Finished = scan(bad.path(), &emulator, &cache).output().expect("the binary runs").into();
    assert_eq!((ran.code, &result(bad.path())["counts"]["reused"]), (1, &json!(0)), "{}", ran.stderr);
}

#[test]
fn what_is_gone_on_with_takes_the_verdict_of_the_bytes_of_now() {
    let clean = clean_dockerfile(1);
    let repo =
        Repo::new().file("a/Dockerfile", &clean).file("b/Dockerfile", &clean).file("c/Dockerfile", &clean_dockerfile(2));
    let emulator = start(quick());
    let cache = tempfile::tempdir().expect("a directory");
    let cache = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
    let ran: Finished = scan(repo.path(), &emulator, &cache).output().expect("the binary runs").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Without the cache, and cut off at once: all of it is still to be sent.
    let ran: Finished = scan(repo.path(), &emulator, &["--timeout", "1us"]).output().expect("the binary runs").into();
    let left = result(repo.path());
    let is_left = left["files"].as_array().is_some_and(|files| files.iter().all(|file| file["next"] == "upload"));
    assert!(ran.code == 6 && is_left, "{left}\n{}", ran.stderr);
    std::fs::write(repo.path().join("a/Dockerfile"), BAD_DOCKERFILE).expect("it is rewritten");
    std::fs::remove_file(repo.path().join("c/Dockerfile")).expect("it goes");
    let ran = resume(repo.path(), &emulator, &cache);
    let resumed = result(repo.path());
    let states: Vec<_> = common::states(&resumed).into_iter().map(|(_, state)| state).collect();
    assert_eq!((ran.code, &states[..]), (1, &["scanned", "reused", "not_scanned"].map(str::to_owned)[..]), "{resumed}");
}

#[test]
fn what_was_sent_before_a_wait_is_not_sent_again() {
    let throttle = Some((5, Duration::from_secs(6)));
    let emulator = start(Options { throttle, ..quick() });
    let repo = (0..100).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &clean_dockerfile(i)));
    let args = ["scan", "-q", "-o", "json=result.json", "--jobs", "2"];
    let mut child = command(repo.path(), &emulator, &args).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(60);
    // The sixth is refused, and the wait for the window begins.
    while !emulator.journal().iter().any(|call| call.api == "batch-upload" && call.status == Some(429)) {
        assert!(Instant::now() < soon && child.try_wait().is_ok_and(|ended| ended.is_none()), "it has to wait");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_secs(1));
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let ran = resume(repo.path(), &emulator, &["--jobs", "2"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let again = uploads(&emulator).into_values().filter(|times| *times > 1).count();
    assert_eq!((again, emulator.files().len()), (0, 100));
}

#[test]
fn the_half_of_a_batch_that_was_sent_before_a_wait_is_not_sent_again() {
    let faults = vec![
        scripted("batch-upload", 1, Fault::Status(400)),
        scripted("batch-upload", 3, Fault::Throttle { retry_after: Some(60) }),
    ];
    let emulator = start(Options { faults, ..quick() });
    let repo = (0..10).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), &clean_dockerfile(i)));
    let mut child = scan(repo.path(), &emulator, &[]).spawn().expect("it starts");
    let soon = Instant::now() + Duration::from_secs(60);
    while calls(&emulator, "batch-upload") < 3 {
        assert!(Instant::now() < soon && child.try_wait().is_ok_and(|ended| ended.is_none()), "it has to wait");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_secs(1));
    child.kill().expect("it is killed");
    child.wait().expect("it is over");
    let ran = resume(repo.path(), &emulator, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(uploads(&emulator).into_values().collect::<Vec<_>>(), [1; 10]);
}

#[test]
fn a_place_that_the_service_kept_back_is_asked_for_again() {
    let repo = Repo::new().file("pod.yaml", POD);
    let emulator = start(quick());
    let ran: Finished = scan(repo.path(), &emulator, &[]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let expected = lasting(result(repo.path()));

    let faults = (1..=10).map(|nth| scripted("risk/paths", nth, Fault::Status(503))).collect();
    let emulator = start(Options { faults, ..quick() });
    let cache = tempfile::tempdir().expect("a directory");
    let cache = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
    let ran: Finished = scan(repo.path(), &emulator, &cache).output().expect("the binary runs").into();
    let left = result(repo.path());
    assert_eq!((ran.code, &left["files"][0]["next"]), (1, &json!("locate")), "{left}\n{}", ran.stderr);
    let ran = resume(repo.path(), &emulator, &cache);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(lasting(result(repo.path())), expected);
    let ran: Finished = scan(repo.path(), &emulator, &cache).output().expect("the binary runs").into();
    assert_eq!((ran.code, &result(repo.path())["counts"]["reused"]), (1, &json!(0)), "{}", ran.stderr);
}

#[test]
fn equal_files_of_a_run_that_is_gone_on_with_fill_one_task() {
    let repo = (0..250).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/Dockerfile"), BAD_DOCKERFILE));
    let emulator = start(common::faulty("task", 1, Fault::Throttle { retry_after: Some(60) }));
    let ran: Finished = scan(repo.path(), &emulator, &["--timeout", "3s"]).output().expect("the binary runs").into();
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let left = result(repo.path());
    assert!(left["files"].as_array().is_some_and(|files| files.iter().all(|file| file["next"] == "submit")), "{left}");
    let ran = resume(repo.path(), &emulator, &[]);
    let result = result(repo.path());
    assert_eq!((ran.code, &result["counts"]["scanned"], emulator.tasks().len()), (1, &json!(250), 1), "{}", ran.stderr);
}
