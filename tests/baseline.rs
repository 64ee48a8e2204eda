//! The baseline, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Finished, Repo, run};
use serde_json::{Value, json};

fn scan(repo: &Repo, args: &[&str]) -> Finished {
    run(repo.path(), &[&["scan", "-q", "--emulator", "-o", "json"], args].concat())
}

/// Scans and writes the baseline of it.
fn remember(repo: &Repo) {
    run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=result.json"]);
    let ran = run(repo.path(), &["baseline", "result.json", "--force"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
}

fn written(repo: &Repo) -> Vec<String> {
    let text = std::fs::read_to_string(repo.path().join("hss-iac-baseline.json")).expect("a baseline");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let findings = document["findings"].as_array().expect("findings");
    let paths = findings.iter().filter_map(|finding| finding["path"].as_str());
    let mut paths: Vec<String> = paths.map(str::to_owned).collect();
    paths.dedup();
    paths
}

const BASELINE: &[&str] = &["--baseline", "hss-iac-baseline.json"];

#[test]
fn only_what_is_new_decides() {
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE);
    remember(&repo);
    let ran = scan(&repo, BASELINE);
    let result = ran.json();
    assert_eq!((ran.code, &result["verdict"]["reasons"]), (0, &json!(["no new finding reaches the gate (high)"])));
    assert_eq!(result["policy"]["baseline"], "hss-iac-baseline.json");
    let found = result["findings"].as_array().expect("findings");
    assert!(found.iter().all(|finding| finding["bucket"] == "known"), "{result}");
    assert_eq!(result["counts"]["findings"]["known"], found.len());
    assert_eq!(result["resolved"], Value::Null);

    let repo = repo.file("a/Dockerfile", &format!("\n\n# moved\n{BAD_DOCKERFILE}ENV API_TOKEN=not-a-real-token\n"));
    let ran = scan(&repo, BASELINE);
    let result = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let new: Vec<&Value> =
        result["findings"].as_array().expect("findings").iter().filter(|f| f["bucket"] == "new").collect();
    assert!(!new.is_empty() && new.iter().all(|f| f["instruction"] == "ENV API_TOKEN=****************"), "{new:?}");
    let table = run(repo.path(), &[&["scan", "-q", "--emulator"], BASELINE].concat()).stdout;
    let last = table.lines().last().expect("a verdict");
    assert!(
        last.starts_with(
            "FAIL (exit 1, fail-on high, baseline hss-iac-baseline.json; counted: 1 high, 0 medium, 0 low, 0 tips): "
        ),
        "{last}"
    );
}

#[test]
fn a_renamed_file_is_known_and_a_mended_one_resolved() {
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("b/Dockerfile", BAD_DOCKERFILE);
    remember(&repo);
    std::fs::rename(repo.path().join("a"), repo.path().join("moved")).expect("a rename");
    let repo = repo.file("b/Dockerfile", &common::clean_dockerfile(1));
    let result = scan(&repo, BASELINE).json();
    let found = result["findings"].as_array().expect("findings");
    assert!(found.iter().all(|finding| finding["bucket"] == "known"), "{result}");
    let moved = format!("{} findings of the baseline moved from a/Dockerfile to moved/Dockerfile", found.len());
    assert_eq!(result["notes"], json!([moved]));
    let resolved = result["resolved"].as_array().expect("resolved");
    assert!(!resolved.is_empty() && resolved.iter().all(|known| known["path"] == "b/Dockerfile"), "{resolved:?}");
}

#[test]
fn what_was_not_scanned_stays_and_what_is_gone_leaves() {
    let repo = Repo::new()
        .file("a/Dockerfile", BAD_DOCKERFILE)
        .file("b/Dockerfile", BAD_DOCKERFILE)
        .file("c/Dockerfile", BAD_DOCKERFILE);
    remember(&repo);
    assert_eq!(written(&repo), ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"]);
    let first = std::fs::read(repo.path().join("hss-iac-baseline.json")).expect("a baseline");
    remember(&repo);
    assert_eq!(std::fs::read(repo.path().join("hss-iac-baseline.json")).expect("a baseline"), first, "the same again");

    std::fs::remove_dir_all(repo.path().join("a")).expect("it goes");
    run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=part.json", "b"]);
    assert_eq!(run(repo.path(), &["baseline", "part.json", "--force"]).code, 0);
    assert_eq!(written(&repo), ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"], "a part does not know of the rest");

    let path = repo.path().join("result.json");
    run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=result.json"]);
    let mut result: Value = serde_json::from_slice(&std::fs::read(&path).expect("a result")).expect("JSON");
    result["files"][0]["state"] = json!("scan_failed");
    result["findings"] = json!([]);
    std::fs::write(&path, result.to_string()).expect("a file");
    assert_eq!(run(repo.path(), &["baseline", "result.json", "--force"]).code, 0);
    assert_eq!(written(&repo), ["b/Dockerfile"], "a is gone, b failed, c is mended");
}

#[test]
fn what_stands_in_a_directory_that_was_left_out_stays() {
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("vendor/x/Dockerfile", BAD_DOCKERFILE);
    remember(&repo);
    let repo = repo.file("hss-iac.toml", "exclude = ['vendor']");
    remember(&repo);
    assert_eq!(written(&repo), ["a/Dockerfile", "vendor/x/Dockerfile"]);
    let result: Value =
        serde_json::from_slice(&std::fs::read(repo.path().join("result.json")).expect("a result")).expect("JSON");
    assert_eq!(result["directories_not_searched"], json!([{"path": "vendor"}]));
}

#[test]
fn the_baseline_is_written_where_a_scan_reads_it() {
    let repo = Repo::new()
        .file("a/Dockerfile", BAD_DOCKERFILE)
        .file("known/readme", "")
        .file("known/b.json", "{\"version\": 1, \"findings\": []}")
        .file("hss-iac.toml", "baseline = 'known/b.json'");
    run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=result.json"]);
    let ran = run(&repo.path().join("a"), &["baseline", "../result.json", "--force"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!repo.path().join("a/hss-iac-baseline.json").exists());
    assert_eq!(scan(&repo, &[]).code, 0);
}

#[test]
fn suppressed_findings_and_stand_ins_stay_out() {
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE);
    run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=result.json"]);
    let ran = run(repo.path(), &["baseline", "result.json"]);
    let text = "error: a stand-in made this result: HSS may find other things; --force writes the baseline all the same\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, text));
    assert!(!repo.path().join("hss-iac-baseline.json").exists());

    let result: Value =
        serde_json::from_slice(&std::fs::read(repo.path().join("result.json")).expect("a result")).expect("JSON");
    let mut rules: Vec<&str> =
        result["findings"].as_array().expect("findings").iter().filter_map(|f| f["rule_id"].as_str()).collect();
    rules.dedup();
    let entry = |rule: &&str| format!("[[suppress]]\nrule = '{rule}'\nreason = 'ours'\n");
    let entries = rules.iter().map(entry).collect::<Vec<_>>().concat();
    let repo = repo.file("hss-iac.toml", &entries);
    remember(&repo);
    assert_eq!(written(&repo), [""; 0]);
}

#[test]
fn a_baseline_that_can_not_be_read_ends_the_run() {
    let repo = Repo::new().many(1).file("broken.json", "{").file("newer.json", r#"{"version": 2, "findings": []}"#);
    for (name, start) in [
        ("no.json", "error: the baseline no.json can't be read: "),
        ("broken.json", "error: broken.json is no baseline: "),
        (
            "newer.json",
            "error: newer.json is no baseline: it has version 2, and this program reads up to 1; write it anew with",
        ),
    ] {
        let ran = scan(&repo, &["--baseline", name]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.starts_with(start) && ran.stderr.contains("`hss-iac baseline RESULT -b "), "{}", ran.stderr);
    }
    let repo =
        repo.file("hss-iac.toml", "baseline = 'known/b.json'").file("known/b.json", r#"{"version": 1, "findings": []}"#);
    let result = scan(&repo, &[]).json();
    assert_eq!(result["policy"]["baseline"], "known/b.json");
}
