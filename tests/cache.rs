//! Verdicts that are kept between runs: through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{BAD_DOCKERFILE, Finished, Repo, calls, faulty, quick, scan, scan_command, start};
use hss_iac::emulator::{Emulator, Fault};
use serde_json::{Value, json};

/// A pod of two containers, to which more can be added.
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers:\n  - name: a\n    \
                   image: registry.example/a:1.2.3\n  - name: b\n    image: registry.example/b:1.2.3\n";

/// A scan that keeps verdicts in this directory; how many calls it took, and what it found.
fn cached(repo: &Repo, emulator: &Emulator, cache: &Path, args: &[&str]) -> (usize, Value) {
    let before = emulator.journal().len();
    let cache = cache.to_str().expect("UTF-8");
    let ran = scan(repo.path(), emulator, &[&["--cache-dir", cache][..], args].concat());
    let result = ran.json();
    assert_eq!((ran.code, &result["complete"]), (1, &json!(true)), "{}", ran.stderr);
    (emulator.journal().len() - before, result["findings"].clone())
}

/// A pod that may do what its node may.
fn privileged(i: usize) -> String {
    format!("{}    securityContext:\n      privileged: true\n", POD.replace("web", &format!("web{i}")))
}

#[test]
fn a_second_run_makes_no_call_also_where_not_all_places_were_asked_for() {
    let repo = (0..30).fold(Repo::new(), |repo, i| repo.file(&format!("{i}/pod.yaml"), &privileged(i)));
    let cache = tempfile::tempdir().expect("a directory");
    let emulator = start(quick());
    let (_, first) = cached(&repo, &emulator, cache.path(), &[]);
    assert_eq!(calls(&emulator, "risk/paths"), 25);
    assert_eq!(cached(&repo, &emulator, cache.path(), &[]), (0, first.clone()));
    assert_eq!(cached(&repo, &emulator, cache.path(), &["--max-path-calls", "0"]), (0, first.clone()));
    // Who may ask for more does.
    let (_, more) = cached(&repo, &emulator, cache.path(), &["--max-path-calls", "40"]);
    assert_eq!(calls(&emulator, "risk/paths"), 65);
    assert_ne!(more, first);
    assert_eq!(cached(&repo, &emulator, cache.path(), &["--max-path-calls", "40"]), (0, more));
    // What is whole is so under any number.
    let (_, all) = cached(&repo, &emulator, cache.path(), &["--max-path-calls", "1000"]);
    assert_eq!(cached(&repo, &emulator, cache.path(), &["--max-path-calls", "2000"]), (0, all));
}

#[test]
fn a_verdict_whose_places_could_not_be_read_is_not_kept() {
    let repo = Repo::new().file("a/pod.yaml", &privileged(1)).file("b/pod.yaml", &privileged(2));
    let cache = tempfile::tempdir().expect("a directory");
    let emulator = start(faulty("risk/paths", 1, Fault::Status(400)));
    cached(&repo, &emulator, cache.path(), &[]);
    let (again, _) = cached(&repo, &emulator, cache.path(), &[]);
    assert!(again > 0, "the file whose places could not be read is asked about again");
    assert_eq!(cached(&repo, &emulator, cache.path(), &[]).0, 0);
}

#[test]
fn one_verdict_that_can_not_be_kept_keeps_no_other_from_it() {
    let repo = (0..3).fold(Repo::new(), |repo, i| {
        repo.file(&format!("{i}/Dockerfile"), &BAD_DOCKERFILE.replace("hunter2", &format!("hunter{i}")))
    });
    let emulator = start(quick());
    let folders = |cache: &Path| -> BTreeSet<_> {
        let folders = std::fs::read_dir(cache).expect("a directory").map(|folder| folder.expect("a folder"));
        folders.filter(|folder| folder.path().is_dir()).map(|folder| folder.file_name()).collect()
    };
    let first = tempfile::tempdir().expect("a directory");
    cached(&repo, &emulator, first.path(), &[]);
    let all = folders(first.path());
    for folder in &all {
        let cache = tempfile::tempdir().expect("a directory");
        std::fs::write(cache.path().join(folder), "").expect("a file in its place");
        let args = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
        let result = scan(repo.path(), &emulator, &args).json();
        let mut expected = all.clone();
        expected.remove(folder);
        assert_eq!(folders(cache.path()), expected);
        let said = |note: &Value| note.as_str().is_some_and(|note| note.contains(" could not be kept in the cache: "));
        assert!(result["notes"].as_array().expect("notes").iter().any(said), "{result}");
    }
}

#[test]
fn a_verdict_of_a_stand_in_stays_one() {
    let repo = Repo::new().file("Dockerfile", &common::clean_dockerfile(1));
    let cache = tempfile::tempdir().expect("a directory");
    let emulator = start(quick());
    let args = ["--cache-dir", cache.path().to_str().expect("UTF-8")];
    let seen = |args: &[&str], ci: bool| {
        let before = emulator.journal().len();
        let mut command = scan_command(repo.path(), &emulator, args);
        let ran: Finished = command.envs(ci.then_some(("CI", "true"))).output().expect("the binary runs").into();
        let result = ran.json();
        let seen = (ran.code, result["service"]["stand_in"].clone(), result["counts"]["reused"].clone());
        (seen, emulator.journal().len() > before)
    };
    assert_eq!(seen(&args, false), ((0, json!(true), json!(0)), true));
    assert_eq!(seen(&args, false), ((0, json!(true), json!(1)), false));
    let allowed = [&args[..], &["--allow-stand-in"]].concat();
    assert_eq!(seen(&allowed, true), ((0, json!(true), json!(1)), false));
    // Where none may answer the service is asked, and found to be none.
    assert_eq!(seen(&args, true), ((2, json!(true), json!(0)), true));
}
