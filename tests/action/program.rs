//! Where the program comes from, and what happens where it can't be had.

use std::path::Path;
use std::time::{Duration, Instant};

use super::common::{Repo, quick, start};
use super::runner::{Ended, Job, program};

fn outcome(ended: &Ended) -> (bool, &str, &str) {
    (ended.red, ended.output("verdict"), ended.output("exit-code"))
}

fn error_of(ended: &Ended) -> String {
    ended.commands().into_iter().filter(|line| line.starts_with("::error")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_release_is_taken_once_and_then_from_the_tool_cache() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator).released(None);
    let ended = job.run();
    assert_eq!(outcome(&ended), (false, "pass", "0"), "{}", ended.log);
    assert!(!job.path("cargo-called").exists(), "nothing is built");
    assert_eq!(ended.used, [""; 0]);
    std::fs::remove_dir_all(job.path("releases")).unwrap();
    assert_eq!(outcome(&job.run()), (false, "pass", "0"));
}

#[test]
fn a_release_with_another_sum_is_never_run_nor_replaced_by_a_build() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let sum = "0".repeat(64);
    let job = Job::new(repo.path()).against(&emulator).released(Some(&sum));
    let ended = job.run();
    assert_eq!(outcome(&ended), (true, "error", "5"));
    assert!(error_of(&ended).contains("is not what was released"), "{}", ended.log);
    assert!(!job.path("cargo-called").exists());
    assert!(!job.path("tools/hss-iac").exists());
    assert_eq!(super::common::calls(&emulator, "batch-upload"), 0);
}

/// Actions of two owners may share a machine and a version, and not the sums.
#[test]
fn a_program_in_the_tool_cache_that_has_another_sum_is_not_run() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator).released(None);
    assert_eq!(outcome(&job.run()), (false, "pass", "0"));
    let job = job.released(Some(&"0".repeat(64)));
    let ended = job.run();
    assert_eq!(outcome(&ended), (true, "error", "5"), "{}", ended.log);
    assert!(error_of(&ended).contains("is not what was released"), "{}", ended.log);
}

#[test]
fn a_release_that_is_gone_or_out_of_reach_is_said() {
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).released(None);
    std::fs::remove_dir_all(job.path("releases")).unwrap();
    let gone = job.run();
    assert_eq!(outcome(&gone), (true, "error", "5"));
    assert!(error_of(&gone).contains("can't be downloaded"), "{}", gone.log);

    // Nobody listens there, and a port just given back might be the next test's stand-in.
    let outage = job.env("HSS_IAC_DOWNLOAD_URL", "http://127.0.0.1:1").run();
    assert_eq!(outcome(&outage), (true, "error", "5"));
    assert!(error_of(&outage).contains("can't be downloaded"), "{}", outage.log);
}

#[test]
fn where_no_release_has_a_sum_the_checkout_is_built_once_and_without_keys() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator);
    let ended = job.run();
    assert_eq!(outcome(&ended), (false, "pass", "0"), "{}", ended.log);
    let called = std::fs::read_to_string(job.path("cargo-called")).unwrap();
    let called = called
        .replace(&job.path("").display().to_string(), "")
        .lines()
        .map(|line| {
            line.split_once("hss-iac-build.").map_or(line.to_owned(), |(before, _)| format!("{before}hss-iac-build.XXXXXX"))
        })
        .collect::<Vec<_>>();
    assert_eq!(
        called,
        [
            "_actions/owner/hss-iac/v1",
            "build",
            "--release",
            "--locked",
            "--target-dir",
            "temp/hss-iac-build.XXXXXX",
            "keys: none"
        ]
    );
    assert!(ended.used[0].starts_with("actions/cache key=hss-iac-source-"), "{:?}", ended.used);
    job.run();
    let again = std::fs::read_to_string(job.path("cargo-called")).unwrap();
    assert_eq!(again.lines().count(), called.len(), "not built again");
}

#[test]
fn a_build_follows_its_source_and_its_failure_is_an_error() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator).input("version", "source").released(None);
    assert_eq!(outcome(&job.run()), (false, "pass", "0"));
    std::fs::write(job.action("src/main.rs"), "fn main() { }\n").unwrap();
    program(&job.path("bin/cargo"), "exit 101\n");
    let ended = job.run();
    assert_eq!(outcome(&ended), (true, "error", "5"));
    assert!(error_of(&ended).contains("can't be built"), "{}", ended.log);
}

#[test]
fn another_version_without_a_sum_is_refused() {
    let repo = Repo::new().many(1);
    let ended = Job::new(repo.path()).input("version", "9.9.9").run();
    assert_eq!(outcome(&ended), (true, "error", "2"));
    assert!(error_of(&ended).contains("action-checksums.txt has no sum of hss-iac-9.9.9-"), "{}", ended.log);
}

/// The bar is a second on a quiet machine; that of tests is busy.
#[test]
fn the_script_adds_little_to_the_program() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator).released(None);
    job.run();
    let inside = |directory: &Path| std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
    let arch = inside(&inside(&job.path("tools/hss-iac")));
    program(&arch.join("hss-iac"), "exit 0\n");
    let start = Instant::now();
    job.run();
    let took = start.elapsed();
    eprintln!("get and scan without the program: {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
