//! Findings that do not count, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Finished, Repo, run};
use serde_json::{Value, json};

fn scan(repo: &Repo, args: &[&str]) -> Finished {
    run(repo.path(), &[&["scan", "-q", "--emulator", "-o", "json"], args].concat())
}

/// Rules of high findings.
fn high(result: &Value) -> Vec<&str> {
    let mut rules: Vec<&str> = result["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(|finding| finding["level"] == "high")
        .filter_map(|finding| finding["rule_id"].as_str())
        .collect();
    rules.dedup();
    rules
}

fn entry(rule: &str, more: &str) -> String {
    format!("[[suppress]]\nrule = '{rule}'\nreason = 'accepted'\n{more}\n")
}

#[test]
fn entries_keep_findings_from_deciding_and_in_the_result() {
    let repo = Repo::new().file("api/Dockerfile", BAD_DOCKERFILE);
    let before = scan(&repo, &[]).json();
    let rules = high(&before);
    assert!(!rules.is_empty());
    let all: String = rules.iter().map(|rule| entry(rule, "path = 'api'\nowner = 'shop'\nuntil = 2999-12-31")).collect();
    let repo = repo.file("hss-iac.toml", &all);
    let ran = scan(&repo, &["--max", "high=0"]);
    let result = ran.json();
    assert_eq!((ran.code, &result["verdict"]["reasons"]), (0, &json!(["no finding reaches the gate (high)"])));
    assert_eq!(result["findings"].as_array().map(Vec::len), before["findings"].as_array().map(Vec::len));
    assert_eq!(result["counts"]["findings"]["suppressed"], before["counts"]["findings"]["high"]);
    assert_eq!(result["counts"]["findings"]["high"], 0);
    let said = json!({"by": "config", "reason": "accepted", "owner": "shop", "until": "2999-12-31"});
    let suppressed = result["findings"].as_array().expect("findings").iter().filter(|f| f["suppressed"] == said).count();
    assert_eq!(json!(suppressed), result["counts"]["findings"]["suppressed"]);
    assert_eq!(result["notes"], Value::Null);

    let one_short: String = rules.iter().skip(1).map(|rule| entry(rule, "")).collect();
    let ran = scan(&repo.file("hss-iac.toml", &one_short), &[]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
}

#[test]
fn what_ran_out_or_is_not_needed_is_told() {
    let repo = Repo::new().file("api/Dockerfile", BAD_DOCKERFILE);
    let rule = high(&scan(&repo, &[]).json())[0].to_owned();
    let entries = format!("{}{}{}", entry("NONE", ""), entry(&rule, "until = '2020-02-29'"), entry("GONE", "path = 'gone'"));
    let repo = repo.file("hss-iac.toml", &entries);
    let ran = scan(&repo, &[]);
    assert_eq!(ran.code, 1);
    let notes = json!([
        "hss-iac.toml:1: the suppression of NONE meets no finding",
        format!("hss-iac.toml:5: the suppression of {rule} ran out on 2020-02-29"),
        "hss-iac.toml:9: the suppression of GONE meets no finding",
    ]);
    assert_eq!(ran.json()["notes"], notes);
    let part = scan(&repo.file("b/Dockerfile", BAD_DOCKERFILE), &["b"]).json();
    assert_eq!(part["notes"], json!([notes[1]]), "a part of the repository can't tell");
    assert_eq!(part["run"]["selected"], json!(["b"]));
}

#[test]
fn comments_that_do_nothing_are_told() {
    let text = "# hss-iac: ignore[NONE] not needed\nFROM registry.example/base:1.2.3\nUSER 10001\n# hss-iac: ignore[NONE]\n\
                HEALTHCHECK CMD [\"/bin/check\"]\nCMD [\"/bin/serve\"]\n";
    let repo = Repo::new().file("Dockerfile", text);
    let notes = json!([
        "Dockerfile:1: ignore[NONE] meets no finding",
        "Dockerfile:4: this ignore does not count: it has no reason; write # hss-iac: ignore[RULE] reason",
    ]);
    assert_eq!(scan(&repo, &[]).json()["notes"], notes);
    assert_eq!(scan(&repo, &["--no-inline-ignores"]).json()["notes"], Value::Null);
    let repo = repo.file("hss-iac.toml", "no-inline-ignores = true");
    assert_eq!(scan(&repo, &[]).json()["notes"], Value::Null);
}

#[test]
fn comments_keep_findings_from_deciding() {
    let repo = Repo::new().file(
        "Dockerfile",
        "FROM registry.example/base:1.2.3\n# hss-iac: ignore[SI-DF-002] needs root\nUSER root\nHEALTHCHECK CMD [\"/bin/check\"]\n",
    );
    let ran = scan(&repo, &[]);
    let said = json!({"by": "inline", "reason": "needs root"});
    assert_eq!((ran.code, &ran.json()["findings"][0]["suppressed"]), (0, &said), "{}", ran.stdout);
    assert_eq!(scan(&repo, &["--no-inline-ignores"]).code, 1);
}
