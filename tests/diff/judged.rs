//! By what a change is judged, and what it costs.

use serde_json::{Value, json};

use crate::common::{self, BAD_DOCKERFILE, Finished, calls, quick, scan_command, start};
use crate::repository::Repository;

/// A Dockerfile with a user, which is missed when it goes.
const WITH_USER: &str =
    "FROM registry.example/base:1.2.3\nHEALTHCHECK CMD [\"/bin/check\"]\nUSER 10001\nCMD [\"/bin/serve\"]\n";

fn scan(repository: &Repository, args: &[&str]) -> Finished {
    let emulator = start(quick());
    scan_with(repository, &emulator, args)
}

fn scan_with(repository: &Repository, emulator: &hss_iac::emulator::Emulator, args: &[&str]) -> Finished {
    let mut command = scan_command(repository.path(), emulator, args);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().expect("it runs").into()
}

/// The findings as `rule path:line changed`, with what mutes them.
fn findings(result: &Value) -> Vec<String> {
    let text = |finding: &Value| {
        let muted = finding["suppressed"]["by"].as_str().map(|by| format!(" ({by})")).unwrap_or_default();
        let (rule, path) = (finding["rule_id"].as_str().unwrap_or_default(), finding["path"].as_str().unwrap_or_default());
        format!("{rule} {path}:{} {}{muted}", finding["location"]["line"], finding["changed"])
    };
    result["findings"].as_array().expect("findings").iter().map(text).collect()
}

#[test]
fn a_merge_request_costs_a_handful_of_calls() {
    let repository = Repository::new();
    for i in 0..150 {
        repository.write(&format!("s{i}/Dockerfile"), &common::clean_dockerfile(i));
        repository.write(&format!("s{i}/config.yaml"), &common::clean_manifest(i));
    }
    repository.commit("three hundred files");
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("new/Dockerfile", BAD_DOCKERFILE);
    repository.commit("one more");
    let emulator = start(quick());
    let ran = scan_with(&repository, &emulator, &["--diff", "main"]);
    let result = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let cost = ["batch-upload", "task", "iac/files", "file/risks", "risk/paths"].map(|api| calls(&emulator, api));
    assert_eq!(cost, [1, 1, 1, 1, 0]);
    assert_eq!(result["counts"]["unchanged"], 300);
    assert_eq!((&result["complete"], &result["verdict"]["status"]), (&json!(false), &json!("fail")));
    assert_eq!(result["run"]["base"], repository.git(&["rev-parse", "main"]));
    let found = findings(&result);
    assert!(found.contains(&"SI-DF-002 new/Dockerfile:4 true".to_owned()), "{found:?}");
    assert!(found.iter().all(|finding| finding.ends_with(" true")), "{found:?}");
}

#[test]
fn a_change_without_iac_passes_and_says_so() {
    let repository = Repository::with_files();
    repository.write("README.md", "text\n");
    repository.commit("second");
    let ran = scan(&repository, &["--diff", "HEAD~1", "--if-empty", "fail"]);
    let result = ran.json();
    let expected = json!({"status": "pass", "exit_code": 0, "reasons": ["no Dockerfile and no manifest changed"]});
    assert_eq!((ran.code, &result["verdict"]), (0, &expected));
    let empty = Repository::new();
    empty.write("README.md", "text\n");
    empty.commit("first");
    assert_eq!(scan(&empty, &["--diff", "HEAD", "--if-empty", "fail"]).code, 3);
}

#[test]
fn what_was_there_before_does_not_decide() {
    let repository = Repository::new();
    repository.write("Dockerfile", &format!("# old\n{BAD_DOCKERFILE}"));
    repository.commit("first");
    repository.write("Dockerfile", &format!("# new\n{BAD_DOCKERFILE}ENV API_TOKEN=abcdefghijklmnop\n"));
    let ran = scan(&repository, &["--diff", "HEAD", "--changed-only"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let high = |result: &Value| {
        let high = result["findings"].as_array().expect("findings").iter().filter(|f| f["level"] == "high");
        high.map(|f| (f["location"]["line"].clone(), f["changed"].clone())).collect::<Vec<_>>()
    };
    let result = ran.json();
    let expected = [(json!(4), json!(false)), (json!(5), json!(false)), (json!(6), json!(true))];
    assert_eq!(high(&result), expected);
    assert_eq!(result["verdict"]["reasons"], json!(["1 changed finding (1 high) reaches the gate (high)"]));
    repository.write("Dockerfile", &format!("# new\n{BAD_DOCKERFILE}"));
    assert_eq!(scan(&repository, &["--diff", "HEAD", "--changed-only"]).code, 0);
}

#[test]
fn a_user_that_goes_is_caught() {
    let repository = Repository::new();
    repository.write("Dockerfile", WITH_USER);
    repository.commit("first");
    repository.write("Dockerfile", &WITH_USER.replace("USER 10001\n", ""));
    let ran = scan(&repository, &["--diff", "HEAD", "--changed-only", "--fail-on", "medium"]);
    assert_eq!((ran.code, findings(&ran.json())), (1, vec!["SI-DF-001 Dockerfile:1 true".to_owned()]), "{}", ran.stderr);
}

#[test]
fn a_key_that_goes_is_caught_and_other_objects_are_not() {
    let pod = |name: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: shop\nspec:\n  containers:\n  - name: a\n    \
             image: registry.example/a:1.2.3\n    securityContext:\n{more}      privileged: false\n"
        )
    };
    let secure = "      allowPrivilegeEscalation: false\n";
    let repository = Repository::new();
    repository.write("pods.yaml", &format!("{}---\n{}", pod("one", secure), pod("two", "")));
    repository.commit("first");
    repository.write("pods.yaml", &format!("{}---\n{}", pod("one", ""), pod("two", "")));
    let result = scan(&repository, &["--diff", "HEAD", "--changed-only"]).json();
    let changed = |name: &str| {
        let found = result["findings"].as_array().expect("findings").iter();
        let of = found.filter(|f| f["rule_id"] == "SI-K8-008" && f["resource"]["name"] == name);
        of.map(|f| f["changed"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((changed("one"), changed("two")), (vec![json!(true)], vec![json!(false)]), "{result}");
}

#[test]
fn a_renamed_file_brings_its_old_lines_along() {
    let repository = Repository::new();
    repository.write("old/Dockerfile", BAD_DOCKERFILE);
    repository.commit("first");
    repository.git(&["mv", "old", "new"]);
    let ran = scan(&repository, &["--diff", "HEAD", "--changed-only"]);
    let found = findings(&ran.json());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!found.is_empty() && found.iter().all(|finding| finding.ends_with(" false")), "{found:?}");
    repository.write("new/Dockerfile", &format!("{BAD_DOCKERFILE}ENV API_TOKEN=abcdefghijklmnop\n"));
    assert_eq!(scan(&repository, &["--diff", "HEAD", "--changed-only"]).code, 1);
    // What was not scanned before has no old lines.
    repository.git(&["reset", "-q", "--hard"]);
    repository.git(&["mv", "old/Dockerfile", "notes.txt"]);
    repository.commit("second");
    repository.git(&["mv", "notes.txt", "Dockerfile"]);
    assert_eq!(scan(&repository, &["--diff", "HEAD", "--changed-only"]).code, 1);
}

#[test]
fn a_change_can_not_mute_its_own_gate() {
    let rules = |result: &Value| result["policy_changes"].clone();
    let muted = "[[suppress]]\nrule = \"*\"\nreason = \"mine\"\n";
    let clean = || {
        let repository = Repository::new();
        repository.write("Dockerfile", WITH_USER);
        repository.commit("first");
        repository
    };
    // In the configuration.
    let repository = clean();
    repository.write("Dockerfile", BAD_DOCKERFILE);
    repository.write(
        "hss-iac.toml",
        &format!("fail-on = \"never\"\nexclude = [\"Dockerfile\"]\n\n{}", muted.replace('*', "SI-DF-002")),
    );
    repository.commit("second");
    let ran = scan(&repository, &["--diff", "HEAD~1"]);
    let expected = json!([
        "hss-iac.toml sets exclude to [\"Dockerfile\"]",
        "hss-iac.toml sets fail-on to \"never\"",
        "hss-iac.toml suppresses SI-DF-002 everywhere: mine",
    ]);
    assert_eq!((ran.code, rules(&ran.json())), (1, expected.clone()), "{}", ran.stderr);
    let ran = scan(&repository, &["--diff", "HEAD~1", "--policy-from", "head"]);
    assert_eq!((ran.code, rules(&ran.json())), (0, expected), "{}", ran.stderr);

    // In the file itself, above the line, and between an old comment and its line.
    let repository = clean();
    repository.write("Dockerfile", &BAD_DOCKERFILE.replace("USER root", "# hss-iac: ignore[SI-DF-002] mine\nUSER root"));
    let ran = scan(&repository, &["--diff", "HEAD"]);
    let result = ran.json();
    assert_eq!((ran.code, rules(&result)), (1, json!(["Dockerfile:4 says ignore[SI-DF-002] mine"])), "{}", ran.stderr);
    assert!(findings(&result).contains(&"SI-DF-002 Dockerfile:5 true".to_owned()), "{:?}", findings(&result));
    let ran = scan(&repository, &["--diff", "HEAD", "--policy-from", "head"]);
    assert!(
        findings(&ran.json()).contains(&"SI-DF-002 Dockerfile:5 true (inline)".to_owned()),
        "{:?}",
        findings(&ran.json())
    );

    let old = "FROM registry.example/base:1.2.3\nUSER 10001\n# hss-iac: ignore[SI-DF-006] it has to\nENV DB_PASSWORD=hunter2hunter2\n";
    let repository = Repository::new();
    repository.write("Dockerfile", old);
    repository.commit("first");
    let secrets = |text: &str| {
        repository.write("Dockerfile", text);
        let of = |finding: &String| finding.starts_with("SI-DF-006");
        findings(&scan(&repository, &["--diff", "HEAD"]).json()).into_iter().filter(of).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&format!("# new\n{old}")), ["SI-DF-006 Dockerfile:5 false (inline)"], "an old one counts");
    let edited = old.replace("hunter2hunter2", "hunter3hunter3");
    assert_eq!(secrets(&edited), ["SI-DF-006 Dockerfile:4 true (inline)"], "also where its own line changes");
    let between = old.replace("it has to\n", "it has to\nENV API_TOKEN=abcdefghijklmnop\n");
    let unmuted = ["SI-DF-006 Dockerfile:4 true", "SI-DF-006 Dockerfile:5 false"];
    assert_eq!(secrets(&between), unmuted, "and not for what is put between");

    // In a baseline.
    let repository = clean();
    repository.write("hss-iac.toml", "baseline = \"known.json\"\n");
    repository.write("known.json", "{\"version\": 1, \"findings\": []}\n");
    repository.commit("with a baseline");
    repository.write("Dockerfile", BAD_DOCKERFILE);
    let full = repository.beside("full.json");
    scan(&repository, &["-o", &format!("json={}", full.display())]);
    let wrote = repository.run(&["baseline", full.to_str().expect("UTF-8"), "--force"], &[], "");
    assert_eq!(wrote.code, 0, "{}", wrote.stderr);
    assert_eq!(scan(&repository, &[]).code, 0, "all is known");
    let ran = scan(&repository, &["--diff", "HEAD"]);
    let altered = ran.json()["policy_changes"][0].as_str().unwrap_or_default().to_owned();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(altered.starts_with("known.json gains ") && altered.ends_with(" known findings"), "{altered}");
}

#[test]
fn what_the_change_alters_is_listed_first() {
    let repository = Repository::with_files();
    repository.write("hss-iac.toml", "fail-on = \"never\"\n");
    repository.commit("second");
    let emulator = start(quick());
    let mut command = common::hss_iac(repository.path());
    let report = |format: &str| repository.beside(format).display().to_string();
    let formats = ["table", "markdown", "html", "github-summary", "github"];
    for format in formats {
        command.args(["-o", &format!("{format}={}", report(format))]);
    }
    let usual = hss_iac::emulator::Options::default();
    command
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HSS_IAC_ACCESS_KEY", usual.access_key)
        .env("HSS_IAC_SECRET_KEY", usual.secret_key)
        .env("HSS_IAC_PROJECT_ID", usual.project_id)
        .env("HSS_IAC_REGION", "cn-north-4")
        .env("HSS_IAC_ENDPOINT", emulator.url());
    let mut all = common::hss_iac(repository.path());
    all.args(["scan", "-q", "--diff", "HEAD~1"])
        .args(command.get_args())
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    let ran: Finished = all.output().expect("it runs").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for format in formats {
        let text = std::fs::read_to_string(report(format)).expect("a report");
        let (heading, verdict) = (text.find("takes effect after the merge"), text.find("PASS"));
        let verdict = if format == "html" { text.find("class=\"verdict") } else { verdict };
        assert!(heading.is_some() && heading < verdict, "{format}: {heading:?} {verdict:?}");
        assert!(text.contains("fail-on to"), "{format}");
    }
}

#[test]
fn reports_that_close_alerts_are_not_written_of_a_part() {
    let repository = Repository::with_files();
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    repository.commit("second");
    let formats = ["sarif", "gitlab-codequality", "gitlab-sast", "junit"];
    let written = |args: &[&str], env: &[(&str, &str)]| {
        let emulator = start(quick());
        let out = tempfile::tempdir().expect("a directory");
        let outputs: Vec<String> =
            formats.iter().map(|format| format!("-o{format}={}", out.path().join(format).display())).collect();
        let mut command = scan_command(repository.path(), &emulator, args);
        command.args(&outputs).env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(env.iter().copied());
        let ran: Finished = command.output().expect("it runs").into();
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let there: Vec<&str> = formats.into_iter().filter(|format| out.path().join(format).exists()).collect();
        (there, ran.stderr.matches("is not written: only what changed was scanned").count())
    };
    assert_eq!(written(&[], &[]), (formats.to_vec(), 0));
    assert_eq!(written(&["--diff", "HEAD~1"], &[]), (vec!["junit"], 3));
    let pull_request = [("GITHUB_EVENT_NAME", "pull_request")];
    assert_eq!(written(&["--diff", "HEAD~1"], &pull_request), (vec!["sarif", "junit"], 2));
    assert_eq!(written(&["--diff", "HEAD~1", "--allow-partial-report"], &[]), (formats.to_vec(), 0));
}

#[test]
fn what_did_not_change_is_filled_from_the_cache() {
    let repository = Repository::new();
    for i in 0..20 {
        repository.write(&format!("s{i}/Dockerfile"), &common::clean_dockerfile(i));
    }
    repository.write("old/Dockerfile", BAD_DOCKERFILE);
    repository.commit("first");
    let dir = repository.beside("cache").display().to_string();
    let emulator = start(quick());
    let cached = |args: &[&str]| scan_with(&repository, &emulator, &[&["--cache-dir", &dir][..], args].concat());
    let first = cached(&[]);
    assert_eq!((first.code, &first.json()["counts"]["scanned"]), (1, &json!(21)), "{}", first.stderr);
    let before = emulator.journal().len();
    let second = cached(&[]);
    let result = second.json();
    assert_eq!((second.code, emulator.journal().len()), (1, before), "no call: {}", second.stderr);
    assert_eq!((&result["counts"]["reused"], &result["complete"]), (&json!(21), &json!(true)));
    assert_eq!(findings(&result), findings(&first.json()));
    assert!(result["files"][0]["reused_from"].as_str().is_some_and(|time| time.ends_with('Z')), "{result}");

    repository.write("s3/Dockerfile", BAD_DOCKERFILE);
    let third = cached(&["--diff", "HEAD", "--changed-only"]);
    let result = third.json();
    // The bytes of the new file are known too: under another path.
    assert_eq!((third.code, emulator.journal().len()), (1, before), "{}", third.stderr);
    assert_eq!((&result["counts"]["reused"], &result["counts"]["unchanged"]), (&json!(21), &Value::Null));
    let changed: Vec<String> = findings(&result).into_iter().filter(|finding| finding.ends_with("true")).collect();
    assert!(!changed.is_empty() && changed.iter().all(|finding| finding.contains(" s3/")), "{changed:?}");

    repository.write("s4/Dockerfile", WITH_USER);
    let fourth = cached(&["--diff", "HEAD"]);
    assert_eq!((&fourth.json()["counts"]["scanned"], &fourth.json()["complete"]), (&json!(1), &json!(true)));
    assert_eq!(calls(&emulator, "batch-upload"), 4, "three for the first run");
}

#[test]
fn a_verdict_that_is_known_is_judged_by_the_change_like_a_new_one() {
    let twice = |before: &str, after: &str, args: &[&str]| {
        let repository = Repository::new();
        repository.write("Dockerfile", before);
        repository.commit("first");
        repository.write("Dockerfile", after);
        let dir = repository.beside("cache").display().to_string();
        let emulator = start(quick());
        let ran = || {
            let args = [&["--diff", "HEAD", "--cache-dir", &dir][..], args].concat();
            let ran = scan_with(&repository, &emulator, &args);
            let result = ran.json();
            (result["counts"]["reused"] == 1, (ran.code, findings(&result), result["policy_changes"].clone()))
        };
        let (first, second) = (ran(), ran());
        assert_eq!((first.0, second.0), (false, true), "the second is of the cache");
        assert_eq!(first.1, second.1);
        first.1.0
    };
    let secret = "FROM registry.example/base:1.2.3\nUSER 10001\nENV DB_PASSWORD=hunter2hunter2\n";
    let muted = secret.replace("ENV", "# hss-iac: ignore[SI-DF-006] mine\nENV");
    assert_eq!(twice(secret, &muted, &[]), 1, "a change does not mute its own gate");
    let edited = format!("# new\n{BAD_DOCKERFILE}");
    assert_eq!(twice(BAD_DOCKERFILE, &edited, &["--changed-only"]), 0, "nor is what stood there before held against it");
}

#[test]
fn a_change_without_iac_needs_no_credentials_for_the_cache() {
    let repository = Repository::with_files();
    let args = ["scan", "-q", "-o", "json", "--diff", "HEAD", "--cache-dir", "../cache", "--region", "cn-north-4"];
    let ran = repository.run(&args, &[], "");
    assert_eq!((ran.code, &ran.json()["counts"]["unchanged"]), (0, &json!(3)), "{}", ran.stderr);
    // Nor a project that would have to be looked up first, at a host that does not answer.
    let nowhere = "http://127.0.0.1:9";
    let keys = [("HSS_IAC_ACCESS_KEY", "a"), ("HSS_IAC_SECRET_KEY", "s"), ("HSS_IAC_IAM_ENDPOINT", nowhere)];
    assert_eq!(repository.run(&args, &keys, "").code, 0);
}

#[test]
fn a_cache_without_a_secret_is_off_and_says_so() {
    let repository = Repository::with_files();
    let emulator = start(quick());
    let usual = hss_iac::emulator::Options::default();
    let run = |env: &[(&str, &str)]| -> Finished {
        let mut command = scan_command(repository.path(), &emulator, &["--cache-dir", "../cache"]);
        command.env_remove("HSS_IAC_ACCESS_KEY").env_remove("HSS_IAC_SECRET_KEY").env("HSS_IAC_TOKEN", &usual.token);
        command.envs(env.iter().copied()).output().expect("it runs").into()
    };
    let off = run(&[]);
    assert_eq!((off.code, repository.beside("cache").exists()), (0, false), "{}", off.stderr);
    assert!(off.stderr.contains("the cache is off") && off.stderr.contains("set HSS_IAC_CACHE_KEY"), "{}", off.stderr);
    let on = run(&[("HSS_IAC_CACHE_KEY", "one key for all jobs")]);
    assert_eq!((on.code, on.stderr.as_str()), (0, ""));
    let again = run(&[("HSS_IAC_CACHE_KEY", "one key for all jobs")]);
    assert_eq!(again.json()["counts"]["reused"], 3);
    let stats = repository.run(&["cache", "stats", "--cache-dir", "../cache"], &[], "");
    assert_eq!(stats.stdout, "3 verdicts of 1 kB; 0 too old to be taken again\n");
    let pruned = repository.run(&["cache", "prune", "--cache-dir", "../cache", "--cache-ttl", "0s"], &[], "");
    assert_eq!(pruned.stdout, "0 verdicts of 0 kB; 3 removed\n");
}

#[test]
fn a_run_is_not_gone_on_with_by_the_rules_of_the_change() {
    let repository = Repository::with_files();
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("new/Dockerfile", BAD_DOCKERFILE);
    repository.write("hss-iac.toml", "fail-on = \"never\"\n[[suppress]]\nrule = \"*\"\nreason = \"mine\"\n");
    repository.commit("a change that mutes itself");
    let emulator = start(quick());
    let ran = scan_with(&repository, &emulator, &["--diff", "main", "--no-wait", "-o", "json=result.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let resume = |at: &std::path::Path| -> Finished {
        let mut command = common::hss_iac(at);
        common::connect(&mut command, &emulator).args(["resume", "result.json", "-q"]);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().expect("it runs").into()
    };
    let saved = std::fs::read(repository.path().join("result.json")).expect("a result");
    // Here is the commit of the change, and not its base.
    let shallow = repository.clone(&["--depth=1", "--branch=feature"]);
    std::fs::write(shallow.path().join("result.json"), &saved).expect("a copy");
    let ran = resume(shallow.path());
    assert!(ran.code == 2 && ran.stderr.contains("fetch that commit"), "{} {}", ran.code, ran.stderr);
    shallow.git(&["fetch", "-q", "--unshallow", "origin", "main", "feature"]);
    let ran = resume(shallow.path());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let result: Value =
        serde_json::from_slice(&std::fs::read(shallow.path().join("result.json")).expect("a result")).expect("JSON");
    assert!(findings(&result).iter().all(|finding| finding.ends_with(" true")), "{:?}", findings(&result));
}
