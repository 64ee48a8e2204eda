//! Reports for people, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Repo, hss_iac, quick, run, scan, start};

const OPENING: &str = "The stand-in answered in place of HSS";

#[test]
fn every_report_of_a_stand_in_opens_by_saying_so_and_is_written_whole() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let formats = ["table", "markdown", "github", "github-summary"];
    let outputs: Vec<String> =
        formats.iter().flat_map(|format| ["-o".to_owned(), format!("{format}=out.{format}")]).collect();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let ran = scan(repo.path(), &emulator, &outputs);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for format in formats {
        let text = std::fs::read_to_string(repo.path().join(format!("out.{format}"))).expect("a report");
        let opening: String = text.lines().take(2).collect();
        assert!(opening.contains(OPENING), "{format}: {text}");
        assert!(text.contains("FAIL") && text.contains("exit 1") || text.contains("Exit 1"), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
    }
    let left: Vec<_> =
        std::fs::read_dir(repo.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 6, "no part of a report is left behind: {left:?}");
}

#[test]
fn links_are_for_terminals_that_take_them_and_never_without_styles() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let table = |color: &str, env: &[(&str, &str)]| {
        let mut command = hss_iac(repo.path());
        let ran = command.args(["scan", "-q", "--emulator", "--color", color]).envs(env.iter().copied()).output();
        String::from_utf8(ran.expect("the binary runs").stdout).expect("text")
    };
    let link = "\u{1b}]8;;file:///";
    assert!(table("always", &[("FORCE_HYPERLINK", "1")]).contains(link));
    let styled = table("always", &[]);
    assert!(styled.contains("\u{1b}[") && !styled.contains(link), "stdout is no terminal");
    assert!(!table("never", &[("FORCE_HYPERLINK", "1")]).contains('\u{1b}'));
}

#[test]
fn list_has_a_table_and_json_only() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = run(repo.path(), &["list", "-o", "markdown"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("[possible values: table, json]"), "{}", ran.stderr);
}
