//! Reports from a saved result, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use clap::ValueEnum as _;
use common::{BAD_DOCKERFILE, Finished, Repo, hss_iac, run};
use hss_iac::cli::Format;

fn names() -> Vec<String> {
    Format::value_variants()
        .iter()
        // It stands for others and has no place of its own.
        .filter(|format| **format != Format::Auto)
        .filter_map(|format| format.to_possible_value().map(|value| value.get_name().to_owned()))
        .collect()
}

/// Runs a command with every format to a file of its own in `directory`, and gives what stands in each.
fn every_format(cwd: &Path, directory: &str, args: &[&str]) -> (Finished, Vec<(String, Vec<u8>)>) {
    let at = cwd.join(directory);
    std::fs::create_dir(&at).expect("a directory");
    let mut command = hss_iac(cwd);
    command.args(args);
    for name in names() {
        command.arg("-o").arg(format!("{name}={directory}/{name}"));
    }
    let ran: Finished = command.output().expect("the binary runs").into();
    let reports = names().into_iter().map(|name| (std::fs::read(at.join(&name)), name));
    (ran, reports.map(|(bytes, name)| (name, bytes.expect("a report"))).collect())
}

#[test]
fn every_report_is_the_one_of_the_scan() {
    let repo = Repo::new().file("api/Dockerfile", BAD_DOCKERFILE).many(1);
    for (n, view) in [&[][..], &["-v"], &["--report-level", "high", "--color", "always"]].into_iter().enumerate() {
        let scan = [&["scan", "-q", "--emulator"][..], view].concat();
        let (scanned, reports) = every_format(repo.path(), &format!("scan{n}"), &scan);
        assert_eq!(scanned.code, 1, "{}", scanned.stderr);
        let saved = format!("scan{n}/json");
        let render = [&["render", &saved][..], view].concat();
        let (rendered, again) = every_format(repo.path(), &format!("render{n}"), &render);
        assert_eq!((rendered.code, rendered.stderr.as_str()), (0, ""));
        assert_eq!(rendered.stdout, scanned.stdout);
        for (one, other) in reports.iter().zip(&again) {
            assert_eq!(String::from_utf8_lossy(&one.1), String::from_utf8_lossy(&other.1), "{}", one.0);
        }
    }
}

#[test]
fn stdin_and_what_is_no_result() {
    let repo = Repo::new().many(1);
    let result = run(repo.path(), &["scan", "-q", "--emulator", "-o", "json"]).stdout;
    let render = |text: &str, args: &[&str]| -> Finished {
        let mut command = hss_iac(repo.path());
        command.args(["render", "-"]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("it reads");
        child.wait_with_output().expect("it ends").into()
    };
    assert_eq!(render(&result, &["-o", "json"]).stdout, result);

    let mut more: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    more["weather"] = "fine".into();
    more["files"][0]["colour"] = "blue".into();
    assert_eq!(render(&more.to_string(), &["-o", "json"]).stdout, result, "unknown fields are left out");

    more["schema_version"] = 2.into();
    let newer = render(&more.to_string(), &[]);
    let text = "error: stdin has schema version 2, and this program reads up to 1: take a newer hss-iac\n";
    assert_eq!((newer.code, newer.stdout.as_str(), newer.stderr.as_str()), (2, "", text));

    for text in ["", "[]", "{\"schema_version\": 1}", &run(repo.path(), &["list", "-o", "json"]).stdout] {
        let ran = render(text, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{text}");
        assert!(ran.stderr.starts_with("error: stdin is no JSON result"), "{}", ran.stderr);
    }
    assert_eq!(run(repo.path(), &["render", "nothing.json"]).code, 2);
}

#[test]
fn a_report_that_can_not_be_written() {
    let repo = Repo::new().many(1);
    let scan = run(repo.path(), &["scan", "-q", "--emulator", "-o", "json=result.json"]);
    let ran = run(repo.path(), &["render", "result.json", "-o", "json=/no/such/directory/report"]);
    assert_eq!((ran.code, ran.stdout), (8, scan.stdout), "what can be written is");
    assert!(ran.stderr.starts_with("the json report could not be written to /no/such/directory/report"), "{}", ran.stderr);
}
