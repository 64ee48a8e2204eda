//! What a job gets: outputs, annotations, summary, reports and the colour of the step.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use hss_iac::emulator::Fault;

use super::common::{BAD_DOCKERFILE, Repo, calls, clean_dockerfile, faulty, github, quick, start};
use super::runner::{Ended, Job};

fn gist(ended: &Ended) -> String {
    let mut text = format!("red={} code={}\n", ended.red, ended.code);
    for (name, value) in ended.outputs.iter().filter(|(_, value)| !value.is_empty()) {
        let value = match name.as_str() {
            "json-file" | "sarif-file" => value.rsplit('/').next().unwrap().to_owned(),
            "task-ids" => format!("{} lines", value.lines().count()),
            _ => value.clone(),
        };
        writeln!(text, "{name}: {value}").unwrap();
    }
    text
}

#[test]
fn a_finding_at_the_gate_turns_the_step_red() {
    let emulator = start(quick());
    let repo = Repo::new().file("api/Dockerfile", BAD_DOCKERFILE).file("web/Dockerfile", &clean_dockerfile(1));
    let ended = Job::new(repo.path()).against(&emulator).run();
    insta::assert_snapshot!(gist(&ended), @"
    red=true code=1
    exit-code: 1
    files-not-scanned: 0
    files-scanned: 2
    findings-high: 2
    findings-low: 1
    findings-medium: 2
    findings-tips: 0
    json-file: result.json
    new-findings: 5
    sarif-file: result.sarif
    task-ids: 1 lines
    verdict: fail
    ");
    let on_its_line = |line: &&&str| line.starts_with("::error ") && line.contains("file=api/Dockerfile,line=");
    assert!(ended.commands().iter().any(|line| on_its_line(&line)), "{}", ended.log);
    assert!(ended.log.contains("FAIL (exit 1"), "{}", ended.log);
    assert!(ended.summary.contains("api/Dockerfile"), "{}", ended.summary);
    assert!(ended.used.iter().all(|used| used.starts_with("actions/cache")), "{:?}", ended.used);
}

#[test]
fn clean_files_pass() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let ended = Job::new(repo.path()).against(&emulator).run();
    insta::assert_snapshot!(gist(&ended), @"
    red=false code=0
    exit-code: 0
    files-not-scanned: 0
    files-scanned: 2
    findings-high: 0
    findings-low: 0
    findings-medium: 0
    findings-tips: 0
    json-file: result.json
    new-findings: 0
    sarif-file: result.sarif
    task-ids: 2 lines
    verdict: pass
    ");
}

#[test]
fn credentials_are_masked_before_anything_is_said() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let job = Job::new(repo.path()).against(&emulator).env("HW_AUTH_TOKEN", "10%\r\nsecond line");
    let job = job.env("HSS_IAC_CACHE_KEY", "seals the verdicts").run();
    let first: Vec<_> = job.log.lines().filter(|line| !line.is_empty()).take(4).collect();
    let usual = hss_iac::emulator::Options::default();
    let access = format!("::add-mask::{}", usual.access_key);
    let secret = format!("::add-mask::{}", usual.secret_key);
    let more = ["::add-mask::10%25%0D%0Asecond line", "::add-mask::seals the verdicts"];
    assert_eq!(first, [access.as_str(), secret.as_str(), more[0], more[1]]);
}

/// The names stand in the script, in the README and in the program.
#[test]
fn every_credential_of_the_readme_is_masked() {
    let script = std::fs::read_to_string(super::common::project().join("scripts/action.sh")).unwrap();
    let readme = std::fs::read_to_string(super::common::project().join("README.md")).unwrap();
    let table = readme.split("### Credentials").nth(1).unwrap().split("\n\n").nth(2).unwrap();
    let names: Vec<_> =
        table.split('`').filter(|word| word.len() > 6 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
    assert!(names.len() > 10, "{names:?}");
    // Names of people, accounts and files: masking these would black out half a log.
    let open = ["_URN", "_FILE", "_IDP_ID", "_USER_NAME", "_DOMAIN_NAME"];
    let names = names.into_iter().filter(|name| !open.iter().any(|end| name.ends_with(end)));
    let masked = script.split("credentials=(").nth(1).unwrap().split(')').next().unwrap();
    for name in names {
        assert!(masked.split_whitespace().any(|masked| masked == name), "{name} is not masked");
    }
}

/// What a job says that has no keys.
fn keyless(job: Job) -> Job {
    let usual = hss_iac::emulator::Options::default();
    let job = job.env("HSS_IAC_ACCESS_KEY", "").env("HSS_IAC_SECRET_KEY", "");
    let job = job.input("oidc-provider-urn", &usual.provider_urn).input("oidc-agency-urn", &usual.agency_urn);
    job.input("oidc-audience", "hss")
}

#[test]
fn a_job_without_keys_scans_as_the_agency() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let (url, asked) = github();
    let job = keyless(Job::new(repo.path()).against(&emulator)).env("HSS_IAC_STS_ENDPOINT", &emulator.url());
    let job = job.env("ACTIONS_ID_TOKEN_REQUEST_URL", &url).env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "asks");
    let ended = job.run();
    assert_eq!(ended.output("verdict"), "pass", "{}", ended.log);
    assert_eq!(calls(&emulator, "sts/assume-with-oidc"), 1);
    assert!(ended.log.contains("::add-mask::asks"));
    assert!(asked.join().unwrap()[0].ends_with("&audience=hss HTTP/1.1"));
}

#[test]
fn a_job_without_keys_needs_the_permission_to_ask() {
    let repo = Repo::new().many(1);
    let push = keyless(Job::new(repo.path())).run();
    assert_eq!((push.output("verdict"), push.output("exit-code")), ("error", "4"));
    assert!(push.log.contains("the job the permission id-token: write"), "{}", push.log);
    let fork = keyless(Job::new(repo.path())).pull_request_from("stranger/shop").run();
    assert_eq!((fork.output("verdict"), fork.output("exit-code")), ("not_scanned", "0"));
}

#[test]
fn a_fork_without_credentials_is_told_what_a_scan_would_take() {
    let repo = Repo::new().file("a<b>/Dockerfile", BAD_DOCKERFILE);
    let ended = Job::new(repo.path()).pull_request_from("stranger/shop").run();
    insta::assert_snapshot!(gist(&ended), @"
    red=false code=0
    exit-code: 0
    files-scanned: 0
    verdict: not_scanned
    ");
    let commands: Vec<_> = ended.commands().into_iter().filter(|line| line.starts_with("::warning")).collect();
    insta::assert_snapshot!(commands.join("\n"), @"::warning title=hss-iac::not scanned: this run has no credentials, since GitHub gives no secrets to forks and Dependabot");
    insta::assert_snapshot!(ended.summary, @"
    ### hss-iac: not scanned

    Nothing was sent: this run has no credentials, since GitHub gives no secrets to forks and Dependabot. A scan would have taken:

    <pre>
    a&lt;b&gt;/Dockerfile  dockerfile      103 B
    note: all is scanned, not only what changed: this is no git repository that can be read (git rev-parse: fatal: not a git repository (or any of the parent directories): .git)

    1 file: 1 to send, 0 not scanned; 0 skipped, 0 directories not searched
    at least 4 calls: 1 batch-upload, 1 iac/files, 1 task, 1 tasks/batch-query
    no waiting: every API stays within the documented limit of 5 calls a minute
    </pre>
    ");
}

#[test]
fn missing_credentials_are_forgiven_where_github_withholds_them_only() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let outcome = |job: Job| {
        let ended = job.run();
        (ended.red, ended.output("exit-code").to_owned(), ended.output("verdict").to_owned())
    };
    let failed = (true, "4".to_owned(), "error".to_owned());
    let forgiven = (false, "0".to_owned(), "not_scanned".to_owned());
    let job = || Job::new(repo.path());
    assert_eq!(outcome(job()), failed, "a push");
    assert_eq!(outcome(job().pull_request_from("shop/shop")), failed, "a pull request from a branch");
    assert_eq!(outcome(job().pull_request_from("shop/shop").env("GITHUB_ACTOR", "dependabot[bot]")), forgiven, "Dependabot");
    assert_eq!(outcome(job().pull_request_from("")), forgiven, "a fork that was deleted");
    let strict = job().pull_request_from("stranger/shop").input("on-missing-credentials", "fail");
    assert_eq!(outcome(strict), failed, "a fork, where the job says so");
    let target =
        job().event("pull_request_target", serde_json::json!({"pull_request": {"head": {"repo": {"full_name": "a/b"}}}}));
    assert_eq!(outcome(target), failed, "pull_request_target has secrets");
}

#[test]
fn an_outage_of_the_service_is_an_error_with_its_own_code() {
    let emulator = start(faulty("batch-upload", 0, Fault::Status(503)));
    let repo = Repo::new().many(1);
    let ended = Job::new(repo.path()).against(&emulator).run();
    assert!(ended.red);
    insta::assert_snapshot!(gist(&ended), @"
    red=true code=5
    exit-code: 5
    files-not-scanned: 2
    files-scanned: 0
    findings-high: 0
    findings-low: 0
    findings-medium: 0
    findings-tips: 0
    json-file: result.json
    new-findings: 0
    sarif-file: result.sarif
    verdict: error
    ");

    drop(emulator);
    let gone = start(quick());
    let job = Job::new(repo.path()).against(&gone);
    drop(gone);
    let ended = job.run();
    assert_eq!((ended.red, ended.output("verdict"), ended.output("exit-code")), (true, "error", "5"), "{}", ended.log);
}

#[test]
fn a_usage_error_sets_the_outputs_too() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let outcomes: Vec<_> =
        [("fail-on", "worst"), ("annotations", "yes"), ("working-directory", "none"), ("version", "latest")]
            .into_iter()
            .map(|(input, value)| {
                let ended = Job::new(repo.path()).against(&emulator).input(input, value).run();
                format!("{input}: red={} {} {}", ended.red, ended.output("verdict"), ended.output("exit-code"))
            })
            .collect();
    insta::assert_snapshot!(outcomes.join("\n"), @"
    fail-on: red=true error 2
    annotations: red=true error 2
    working-directory: red=true error 2
    version: red=true error 2
    ");
}

#[test]
fn code_scanning_is_told_and_can_not_hide_the_verdict() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let uploads = |ended: &Ended| ended.used.iter().filter(|used| used.contains("upload-sarif")).count();
    let mut job = Job::new(repo.path()).against(&emulator).input("upload-sarif", "true");
    job.others_fail = true;
    let ended = job.run();
    let with = format!("category=hss-iac sarif_file={}", ended.output("sarif-file"));
    assert_eq!(ended.used.iter().filter(|used| used.contains(&with)).count(), 1, "{:?}", ended.used);
    assert_eq!((ended.red, ended.output("verdict"), ended.code), (true, "fail", 1));

    let mut job = Job::new(repo.path()).against(&emulator).input("upload-sarif", "true").input("fail-on", "never");
    job.others_fail = true;
    let ended = job.run();
    assert_eq!((ended.red, ended.output("verdict"), uploads(&ended)), (false, "pass", 1));

    let fork =
        Job::new(repo.path()).against(&emulator).input("upload-sarif", "true").pull_request_from("stranger/shop").run();
    assert_eq!((fork.output("verdict"), uploads(&fork)), ("fail", 0), "the token of a fork can't upload");
}

/// Code scanning would take for fixed what an incomplete report lacks.
#[test]
fn code_scanning_is_not_told_of_a_scan_that_is_not_whole() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let gone = start(quick());
    let mut job = Job::new(repo.path()).against(&gone).input("upload-sarif", "true");
    drop(gone);
    for more in ["", "--on-service-error=warn\n--on-partial=warn"] {
        job = job.input("extra-args", more);
        let ended = job.run();
        assert!(!ended.output("sarif-file").is_empty(), "{}", ended.log);
        assert!(!ended.used.iter().any(|used| used.contains("upload-sarif")), "{more}: {:?}", ended.used);
        let warned = ended.commands().into_iter().any(|line| line.contains("not sent to code scanning"));
        assert!(warned, "{more}: {}", ended.log);
    }
}

#[test]
fn verdicts_are_kept_and_cost_no_call_again() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let job = Job::new(repo.path()).against(&emulator).input("cache", "true").released(None);
    let first = job.run();
    let keys: Vec<_> = first.used.iter().map(|used| used.split(' ').take(1).collect::<String>()).collect();
    assert_eq!(keys, ["actions/cache/restore", "actions/cache/save"]);
    let old = job.path("temp/hss-iac-verdicts/ab/old.verdict");
    std::fs::create_dir_all(old.parent().unwrap()).unwrap();
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 86_400);
    std::fs::File::create(&old).unwrap().set_modified(two_days_ago).unwrap();
    let again = job.run();
    assert!(!old.exists(), "what is kept does not grow for ever");
    assert_eq!((again.output("verdict"), again.output("files-scanned")), ("fail", "1"));
    assert_eq!(calls(&emulator, "batch-upload"), 1);
    assert_ne!(first.used[1], again.used[1], "a cache is written once under a key");
}

#[test]
fn two_uses_in_a_job_do_not_meet() {
    let emulator = start(quick());
    let repo = Repo::new().file("bad/Dockerfile", BAD_DOCKERFILE).file("good/Dockerfile", &clean_dockerfile(1));
    let job = Job::new(repo.path()).against(&emulator).input("paths", "bad");
    let first = job.run();
    let job = job.input("paths", "good");
    let second = job.run();
    assert_eq!((first.output("verdict"), second.output("verdict")), ("fail", "pass"));
    assert_ne!(first.output("json-file"), second.output("json-file"));
    assert!(std::fs::read_to_string(first.output("json-file")).unwrap().contains("bad/Dockerfile"));
}

#[test]
fn only_a_run_about_a_change_looks_for_its_base() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let called = |job: Job| {
        let program = job.path("called");
        super::runner::program(
            &job.path("bin/cargo"),
            &format!(
                "while [ \"$1\" != --target-dir ]; do shift; done\nmkdir -p \"$2/release\"\n\
             printf '#!/bin/sh\\n[ \"$1\" = --version ] || printf \"%%s\\\\n\" \"$@\" >%s\\n' '{}' >\"$2/release/hss-iac\"\n",
                program.display()
            ),
        );
        job.run();
        let text = std::fs::read_to_string(program).unwrap();
        text.lines().find(|line| line.starts_with("--diff")).unwrap_or("none").to_owned()
    };
    let job = || Job::new(repo.path()).against(&emulator);
    assert_eq!(called(job()), "none");
    assert_eq!(called(job().pull_request_from("shop/shop")), "--diff=auto");
    assert_eq!(called(job().event("merge_group", serde_json::json!({}))), "--diff=auto");
    assert_eq!(called(job().pull_request_from("shop/shop").input("diff", "off")), "--diff=off");
    assert_eq!(called(job().pull_request_from("shop/shop").env("HSS_IAC_DIFF", "off")), "none");
}

/// The runner signals the shell of the step alone.
#[test]
fn a_job_that_is_cancelled_stops_the_scan() {
    let emulator = start(hss_iac::emulator::Options { scan_time: std::time::Duration::from_secs(600), ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let cancel = |job: &Job| {
        job.run_and(|script| {
            while calls(&emulator, "tasks/batch-query") == 0 {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            // The step's shell waits for the script, which is its only child.
            let children = format!("/proc/{script}/task/{script}/children");
            let child = std::fs::read_to_string(children).unwrap();
            let sent = std::process::Command::new("kill").args(["-INT", child.trim()]).status().unwrap();
            assert!(sent.success());
        })
    };
    let ended = cancel(&Job::new(repo.path()).against(&emulator));
    assert_eq!((ended.code, ended.output("exit-code"), ended.output("verdict")), (143, "143", "error"), "{}", ended.log);
}

/// As the workflow of this repository uses it.
#[test]
fn the_built_in_stand_in_needs_no_other() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let job = Job::new(repo.path()).env("HSS_IAC_ALLOW_STAND_IN", "1").env("HSS_IAC_TOKEN", "none");
    let ended = job.input("extra-args", "--emulator").run();
    assert_eq!((ended.red, ended.output("verdict"), ended.output("exit-code")), (true, "fail", "1"), "{}", ended.log);
}
