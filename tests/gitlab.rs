//! The GitLab component and the plain include: what their job says, and what its script leaves behind.
#![cfg(all(unix, feature = "emulator"))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::Command;

use hss_iac::emulator::{Emulator, Options};

use crate::common::{BAD_DOCKERFILE, Finished, Repo};

const REPORTS: [&str; 4] = ["gl-code-quality-report.json", "gl-sast-report.json", "hss-iac.json", "junit.xml"];

fn read(path: &str) -> String {
    std::fs::read_to_string(common::project().join(path)).expect("a file of the project")
}

/// The value of one key of the job: its line and the deeper ones below it, without comments.
fn block(job: &str, key: &str) -> String {
    let start = format!("  {key}:");
    let mut lines = job.lines().skip_while(|line| *line != start);
    let first = lines.next().unwrap_or_else(|| panic!("no {key} in\n{job}"));
    let deeper = lines.take_while(|line| line.starts_with("    "));
    let told = deeper.filter(|line| !line.trim_start().starts_with('#'));
    std::iter::once(first).chain(told).collect::<Vec<_>>().join("\n")
}

fn component() -> String {
    read("templates/hss-iac.yml")
}

fn include() -> String {
    read("examples/gitlab/hss-iac.gitlab-ci.yml")
}

/// Runs the script of the job in a repository, as a runner does.
fn job(repo: &Path, stand_in: &Emulator, diff: &str, base: &str) -> Finished {
    job_with(repo, stand_in, diff, base, "")
}

fn job_with(repo: &Path, stand_in: &Emulator, diff: &str, base: &str, cache: &str) -> Finished {
    let script = block(&include(), "script");
    let script = script.lines().skip(2).map(str::trim).collect::<Vec<_>>().join(" ");
    let binary = Path::new(env!("CARGO_BIN_EXE_hss-iac")).parent().expect("a directory");
    let usual = Options::default();
    Command::new("sh")
        .args(["-euc", &script])
        .current_dir(repo)
        .env_clear()
        .envs(common::instruments())
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()))
        .envs([("CI", "true"), ("GITLAB_CI", "true"), ("HSS_IAC_ALLOW_STAND_IN", "1"), ("HSS_IAC_DIFF", diff)])
        .envs([("CI_PIPELINE_SOURCE", "merge_request_event"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base)])
        .envs([("CI_MERGE_REQUEST_IID", "7"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")])
        .env("CI_COMMIT_SHA", git(repo, &["rev-parse", "HEAD"]))
        .env("HSS_IAC_CACHE_DIR", cache)
        // Inputs that were left empty.
        .envs([("HSS_IAC_FAIL_ON", ""), ("HSS_IAC_MAX", ""), ("HSS_IAC_TIMEOUT", ""), ("HSS_IAC_REPORT_LEVEL", "")])
        .env("HSS_IAC_ACCESS_KEY", usual.access_key)
        .env("HSS_IAC_SECRET_KEY", usual.secret_key)
        .env("HSS_IAC_PROJECT_ID", usual.project_id)
        .env("HSS_IAC_REGION", "cn-north-4")
        .env("HSS_IAC_ENDPOINT", stand_in.url())
        .env("HSS_IAC_IAM_ENDPOINT", stand_in.url())
        .output()
        .expect("the script runs")
        .into()
}

fn git(at: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(at).args(["-c", "user.name=a", "-c", "user.email=a@example.test"]).args(args);
    let output = git.output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository whose last commit adds a bad Dockerfile, and the commit before.
fn merge_request() -> (Repo, String) {
    let repo = Repo::new().many(1);
    git(repo.path(), &["init", "-q", "-b", "main"]);
    git(repo.path(), &["add", "-A"]);
    git(repo.path(), &["commit", "-qm", "first"]);
    let base = git(repo.path(), &["rev-parse", "HEAD"]);
    let repo = repo.file("api/Dockerfile", BAD_DOCKERFILE);
    git(repo.path(), &["add", "-A"]);
    git(repo.path(), &["commit", "-qm", "second"]);
    (repo, base)
}

fn written(repo: &Repo) -> Vec<&'static str> {
    REPORTS.into_iter().filter(|report| repo.path().join(report).exists()).collect()
}

#[test]
fn the_plain_include_does_what_the_component_does() {
    for key in ["script", "artifacts"] {
        assert_eq!(block(&include(), key), block(&component(), key), "{key}");
    }
}

#[test]
fn no_input_stands_in_the_script() {
    assert!(!block(&component(), "script").contains("$[["));
}

#[test]
fn every_input_is_used_and_every_used_one_is_there() {
    for name in ["templates/hss-iac.yml", "templates/hss-iac-cluster.yml"] {
        inputs_are_used(&read(name));
    }
}

fn inputs_are_used(component: &str) {
    let (spec, jobs) = component.split_once("\n---\n").expect("spec and jobs");
    let is_name = |line: &&str| line.starts_with("    ") && !line.starts_with("     ");
    let mut there: Vec<_> = spec.lines().filter(is_name).map(|line| line.trim().trim_end_matches(':')).collect();
    let mut used: Vec<_> = jobs.split("$[[ inputs.").skip(1).filter_map(|rest| rest.split([' ', ']']).next()).collect();
    there.sort_unstable();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, there);
}

/// The names are read from the components, the values are those that their inputs would have.
#[test]
fn a_job_with_an_id_token_needs_no_keys() {
    let jobs: [(&str, &[&str]); 2] = [
        ("templates/hss-iac.yml", &["scan", "-q"]),
        ("templates/hss-iac-cluster.yml", &["cluster-scan", "-q", "--type", "benchmark", "--all"]),
    ];
    for (component, args) in jobs {
        let usual = Options::default();
        let component = read(component);
        let value = |input: &str| {
            component.lines().find_map(|line| line.trim().strip_suffix(&format!(": \"$[[ inputs.{input} ]]\"")))
        };
        let named = component.split("  id_tokens:\n").nth(1).and_then(|rest| rest.lines().next()).expect("id_tokens");
        let env = [
            (named.trim().trim_end_matches(':'), usual.id_token),
            (value("oidc-provider-urn").expect("the provider"), usual.provider_urn),
            (value("oidc-agency-urn").expect("the agency"), usual.agency_urn),
        ];
        let stand_in = common::start(common::quick());
        let repo = Repo::new().many(1);
        let mut command = common::hss_iac(repo.path());
        common::connect(&mut command, &stand_in).args(args);
        command.env_remove("HSS_IAC_ACCESS_KEY").env_remove("HSS_IAC_SECRET_KEY");
        command.env("HSS_IAC_STS_ENDPOINT", stand_in.url()).envs(env);
        let ran: Finished = command.output().expect("it runs").into();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(common::calls(&stand_in, "sts/assume-with-oidc"), 1);
    }
}

#[test]
fn the_job_after_a_deployment_scans_the_clusters_that_are_named_or_all() {
    let component = read("templates/hss-iac-cluster.yml");
    let script = block(&component, "script");
    let lines = script.lines().skip(1).filter_map(|line| line.trim().strip_prefix("- "));
    let script = lines.collect::<Vec<_>>().join("\n");
    let stand_in = common::start(common::quick());
    let binary = Path::new(env!("CARGO_BIN_EXE_hss-iac")).parent().expect("a directory");
    let cases = [
        ("", "true", "", 0, 2),
        ("stand-in-cluster-1", "false", "", 0, 1),
        ("stand-in-cluster-2,stand-in-cluster-1", "false", "", 0, 2),
        ("", "true", "all_granted_eps", 0, 3),
        ("", "true", "mistyped", 3, 0),
        // Nothing was named, and nobody said that all is meant.
        ("", "false", "", 2, 0),
    ];
    for (clusters, all, enterprise_project, code, expected) in cases {
        let inputs = [
            ("type", "cluster_vul,benchmark"),
            ("clusters", clusters),
            ("all", all),
            ("retry-failed", "true"),
            ("if-empty", "fail"),
            ("enterprise-project-id", enterprise_project),
            ("timeout", ""),
        ];
        let variable = |input: &str| {
            let is = |line: &&str| line.ends_with(&format!(": \"$[[ inputs.{input} ]]\""));
            component.lines().find(is).and_then(|line| line.trim().split(':').next()).expect("a variable")
        };
        let repo = Repo::new();
        let mut job = Command::new("sh");
        job.args(["-euc", &script]).current_dir(repo.path()).env_clear().envs(common::instruments());
        let ran: Finished = common::connect(&mut job, &stand_in)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()))
            .envs([("CI", "true"), ("GITLAB_CI", "true"), ("HSS_IAC_ALLOW_STAND_IN", "1")])
            .envs(inputs.map(|(input, value)| (variable(input), value)))
            .output()
            .expect("the script runs")
            .into();
        assert_eq!(ran.code, code, "{clusters}: {}\n{}", ran.stdout, ran.stderr);
        if code != 2 {
            let result = std::fs::read(repo.path().join("hss-iac-cluster.json")).expect("a result");
            let result: serde_json::Value = serde_json::from_slice(&result).expect("JSON");
            assert_eq!(result["counts"]["success"], expected, "{clusters}");
        }
    }
}

#[test]
fn a_merge_request_has_the_reports_that_a_change_may_write() {
    let (repo, base) = merge_request();
    let stand_in = common::start(common::quick());
    let ran = job(repo.path(), &stand_in, "auto", &base);
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("3 files: 1 scanned, 2 unchanged"), "{}", ran.stdout);
    assert_eq!(written(&repo), ["hss-iac.json", "junit.xml"], "{}", ran.stderr);
}

#[test]
fn the_default_branch_has_all_reports() {
    let (repo, base) = merge_request();
    let stand_in = common::start(common::quick());
    let ran = job(repo.path(), &stand_in, "off", &base);
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(written(&repo), REPORTS, "{}", ran.stderr);
}

#[test]
fn a_second_job_takes_the_verdicts_of_the_first_from_the_cache() {
    let job = component();
    assert!(job.contains("HSS_IAC_CACHE_DIR: .hss-iac-cache\n"));
    assert_eq!(block(&job, "after_script"), "  after_script:\n    - hss-iac cache prune");
    let (repo, base) = merge_request();
    let stand_in = common::start(common::quick());
    job_with(repo.path(), &stand_in, "off", &base, ".hss-iac-cache");
    let ran = job_with(repo.path(), &stand_in, "off", &base, ".hss-iac-cache");
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("3 files: 3 reused"), "{}", ran.stdout);
    assert_eq!(written(&repo), REPORTS, "{}", ran.stderr);
}
