//! `hss-iac.toml`, `config` and `init`, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Finished, Repo, hss_iac, run};
use serde_json::{Value, json};

/// Scans with the built-in stand-in, JSON on stdout.
fn scan(repo: &Repo, args: &[&str]) -> Finished {
    run(repo.path(), &[&["scan", "-q", "--emulator", "-o", "json"], args].concat())
}

fn paths(result: &Value) -> Vec<&str> {
    result["files"].as_array().expect("files").iter().filter_map(|file| file["path"].as_str()).collect()
}

/// The value and origin of a name in what `config` prints.
fn shown(output: &Finished, name: &str) -> (Value, Value) {
    let all = output.json();
    let mut found = all["values"].as_array().expect("values").iter().filter(|value| value["name"] == name);
    let value = found.next().unwrap_or_else(|| panic!("no {name}"));
    (value["value"].clone(), value["origin"].clone())
}

#[test]
fn the_file_says_what_to_scan_and_when_to_fail() {
    let repo = Repo::new()
        .file("Dockerfile", BAD_DOCKERFILE)
        .file("vendor/Dockerfile", BAD_DOCKERFILE)
        .file("api.docker", BAD_DOCKERFILE)
        .file("sub/readme", "")
        .file(
            "hss-iac.toml",
            "exclude = ['vendor']\nfail-on = 'never'\n[map]\n'*.docker' = 'dockerfile'\n[max]\nhigh = 100\n",
        );
    for directory in ["", "sub"] {
        let mut command = hss_iac(&repo.path().join(directory));
        let ran: Finished =
            command.args(["scan", "-q", "--emulator", "-o", "json"]).arg(repo.path()).output().expect("it runs").into();
        let result = ran.json();
        assert_eq!((ran.code, paths(&result)), (0, vec!["Dockerfile", "api.docker"]), "{}", ran.stderr);
        assert_eq!(result["policy"]["fail_on"], "never");
        assert_eq!(result["policy"]["max"], json!({"high": 100}));
    }
    let ran = scan(&repo, &["--fail-on", "high", "--exclude", "*.docker", "--max", "low=0"]);
    let result = ran.json();
    assert_eq!(
        (ran.code, paths(&result)),
        (1, vec!["Dockerfile", "vendor/Dockerfile"]),
        "what is typed takes the place of the file"
    );
    assert_eq!(result["policy"]["max"], json!({"low": 0}));
    let listed = run(repo.path(), &["list", "-o", "json"]).json();
    assert_eq!(paths(&listed), ["Dockerfile", "api.docker"], "list goes by the same file");
}

#[test]
fn what_the_file_may_not_say_ends_the_run() {
    for (text, expected) in [
        ("exclud = []", "error: hss-iac.toml:1:1: unknown key \"exclud\": did you mean \"exclude\"?\n"),
        (
            "\niam-endpoint = 'https://elsewhere.example'",
            "error: hss-iac.toml:2:1: iam-endpoint can't be set by a repository: it would choose where files and credentials go; use \
             --iam-endpoint or HSS_IAC_IAM_ENDPOINT\n",
        ),
        (
            "baseline = '../known.json'",
            "error: the baseline ../known.json can't be read: a repository may only name a file below its root; name \
             another with --baseline\n",
        ),
    ] {
        let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("hss-iac.toml", text);
        let ran = scan(&repo, &[]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, "", expected));
    }
}

#[test]
fn what_a_mistake_quotes_of_the_file_is_cut() {
    let long = "x".repeat(200_000);
    for (text, start, end) in [
        (format!("include = ['{long}']"), "include: xxx", "xxx…: a pattern of more than 4096 bytes, and no path is so long"),
        (
            format!("exclude = ['{{{},b}}']", &long[..4000]),
            "exclude: {xxx",
            "xxx,b}: {a,b} is not understood in a pattern; give one pattern for each, repeating the flag",
        ),
        (format!("{long} = 1"), "unknown key \"xxx", "xxx"),
        (format!("fail-on = '{long}'"), "fail-on: ", ""),
        (
            format!("[[suppress]]\nrule = 'R'\nreason = 'a'\nuntil = '{long}'"),
            "suppress",
            "xxx\" is no date, such as 2027-01-31",
        ),
    ] {
        let repo = Repo::new().many(1).file("hss-iac.toml", &text);
        let ran = scan(&repo, &[]);
        let shown: String = text.chars().take(20).collect();
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{shown}");
        assert!(ran.stderr.chars().count() < 500 && ran.stderr.contains('…'), "{shown}: {} bytes", ran.stderr.len());
        assert!(ran.stderr.contains(start) && ran.stderr.contains(end), "{shown}: {}", ran.stderr);
    }
}

#[test]
#[cfg(unix)]
fn only_a_small_regular_file_is_read() {
    let repo = Repo::new().many(1).file("elsewhere.toml", "fail-on = 'never'");
    std::os::unix::fs::symlink("elsewhere.toml", repo.path().join("hss-iac.toml")).expect("a link");
    let ran = scan(&repo, &[]);
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "error: the configuration hss-iac.toml can't be read: a link stands on the way\n")
    );
    assert_eq!(scan(&repo, &["--config", "hss-iac.toml"]).code, 0, "who names a file may name any");
    let repo = Repo::new().many(1).file("hss-iac.toml", &"#".repeat(1_000_001));
    let ran = scan(&repo, &[]);
    let expected = "error: the configuration hss-iac.toml can't be read: it has more than 1000000 bytes\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, expected));
    assert_eq!(scan(&repo, &["--config", "no.toml"]).code, 2, "a file that was named has to be there");
}

#[test]
fn config_tells_every_value_and_where_it_comes_from() {
    let repo = Repo::new().many(1).file(
        "hss-iac.toml",
        "exclude = ['a', 'b']\non-partial = 'warn'\nno-ignore = true\n\n[[suppress]]\nrule = 'R'\nreason = 'ours'\nuntil = 2030-01-02\n",
    );
    let mut command = hss_iac(repo.path());
    command
        .args(["config", "--output", "json", "--fail-on", "low", "--no-wait", "--endpoint", "https://hss.example"])
        .envs([("HSS_IAC_MAX", "high=3,low=4"), ("HW_REGION_NAME", "cn-north-4"), ("HSS_IAC_OUTPUT", "json=a,table")])
        .envs([("HSS_IAC_ACCESS_KEY", "access-hunter2"), ("HSS_IAC_SECRET_KEY", "secret-hunter2")]);
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let origin = |from: &str, name: &str| json!({"from": from, "name": name});
    for (name, value, origin) in [
        ("fail-on", json!("low"), origin("flag", "--fail-on")),
        ("no-wait", json!("true"), origin("flag", "--no-wait")),
        ("max", json!(["high=3", "low=4"]), origin("variable", "HSS_IAC_MAX")),
        ("region", json!("cn-north-4"), origin("variable", "HW_REGION_NAME")),
        ("output", json!(["json=a", "table"]), origin("variable", "HSS_IAC_OUTPUT")),
        ("credentials", json!("set"), origin("variable", "HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY")),
        ("exclude", json!(["a", "b"]), origin("file", "hss-iac.toml:exclude")),
        ("on-partial", json!("warn"), origin("file", "hss-iac.toml:on-partial")),
        ("no-ignore", json!("true"), origin("file", "hss-iac.toml:no-ignore")),
        ("suppress", json!("R until 2030-01-02: ours"), origin("file", "hss-iac.toml:5")),
        ("timeout", json!("30m"), json!({"from": "default"})),
        ("include", json!([]), json!({"from": "default"})),
        ("baseline", Value::Null, json!({"from": "default"})),
        ("quiet", json!("false"), json!({"from": "default"})),
    ] {
        assert_eq!(shown(&ran, name), (value, origin), "{name}");
    }
    let table = run(repo.path(), &["config", "--fail-on", "low"]).stdout;
    let line = |name: &str| {
        table.lines().find(|line| line.starts_with(name)).map(|line| line.split_whitespace().collect::<Vec<_>>())
    };
    assert_eq!(line("fail-on"), Some(vec!["fail-on", "low", "--fail-on"]));
    assert_eq!(line("exclude"), Some(vec!["exclude", "a,", "b", "hss-iac.toml:exclude"]));
    assert_eq!(line("jobs"), Some(vec!["jobs", "4", "default"]));
}

#[test]
fn a_blank_variable_says_nothing_and_a_switch_takes_a_number() {
    let repo = Repo::new().many(1);
    let mut command = hss_iac(repo.path());
    command.args(["config", "--output", "json"]).envs([
        ("HSS_IAC_FAIL_ON", ""),
        ("HSS_IAC_MAX", ""),
        ("HSS_IAC_QUIET", " "),
        ("HSS_IAC_OUTPUT", ""),
        ("HSS_IAC_REGION", ""),
        ("HSS_IAC_NO_INLINE_IGNORES", "1"),
    ]);
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let default = json!({"from": "default"});
    for (name, value) in
        [("fail-on", json!("high")), ("max", json!([])), ("quiet", json!("false")), ("output", json!(["table"]))]
    {
        assert_eq!(shown(&ran, name), (value, default.clone()), "{name}");
    }
    assert_eq!(shown(&ran, "region"), (Value::Null, default));
    let origin = json!({"from": "variable", "name": "HSS_IAC_NO_INLINE_IGNORES"});
    assert_eq!(shown(&ran, "no-inline-ignores").1, origin);
}

/// Whoever checks a change with `config` must not be told that it is sound where the scan after it stops.
#[test]
fn config_refuses_what_scan_refuses_in_the_same_words() {
    let refused = |repo: &Repo, args: &[&str], env: &[(&str, &str)], expected: &str| {
        for command in ["scan", "config"] {
            let mut ran = hss_iac(repo.path());
            let ran: Finished = ran.arg(command).args(args).envs(env.iter().copied()).output().expect("it runs").into();
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command} {args:?} {}", ran.stderr);
            let said = ran.stderr.lines().next().unwrap_or_default();
            assert!(said.starts_with(expected), "{command}: {said}");
            assert!(!ran.stderr.contains("hunter2"), "{said}");
        }
    };
    let repo = Repo::new().many(1).file("known.json", "{").file("ca.pem", "no certificate");
    let repo = repo.file("junk.pem", "-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n");
    let repo = repo.file("large.pem", &"x".repeat(4_000_001));
    for (args, env, expected) in [
        (&["--emulator"][..], ("CI", "true"), "error: --emulator where CI is set: "),
        (
            &["--emulator", "--endpoint", "https://hss.example"],
            ("A", ""),
            "error: --emulator and an endpoint name two services",
        ),
        (&["--baseline", "known.json"], ("A", ""), "error: known.json is no baseline: "),
        (&["--baseline", "no.json"], ("A", ""), "error: the baseline no.json can't be read: "),
        (
            &["--endpoint", "http://hss.example"],
            ("A", ""),
            "error: endpoint \"http://hss.example\": plain http is for loopback only",
        ),
        (
            &["--endpoint", "https://u:hunter2@hss.example"],
            ("A", ""),
            "error: endpoint \"hss.example\": say the scheme, the host and",
        ),
        (&["--iam-endpoint", "u:hunter2@hss.example"], ("A", ""), "error: endpoint \"hss.example\": say https://host"),
        (
            &["--endpoint", "https://hss.example/?token=hunter2"],
            ("A", ""),
            "error: endpoint \"https://hss.example/\": say the scheme",
        ),
        (&["--ca-file", "no.pem"], ("HSS_IAC_REGION", "cn-north-4"), "error: --ca-file no.pem can't be read: "),
        (&["--ca-file", "ca.pem"], ("HSS_IAC_REGION", "cn-north-4"), "error: --ca-file ca.pem holds no PEM certificate"),
        (
            &["--ca-file", "junk.pem"],
            ("HSS_IAC_REGION", "cn-north-4"),
            "error: --ca-file junk.pem holds a certificate that can't be read",
        ),
        (
            &["--region", "cn-north-4"],
            ("HSS_IAC_CA_FILE", "junk.pem"),
            "error: --ca-file junk.pem holds a certificate that can't be read",
        ),
        (
            &["--ca-file", "large.pem"],
            ("HSS_IAC_REGION", "cn-north-4"),
            "error: --ca-file large.pem has more than 4000000 bytes",
        ),
        (&["--region", "a b"], ("A", ""), "error: \"a b\" can't be a region: "),
        (&["--exclude", "{a,b}"], ("HSS_IAC_REGION", "cn-north-4"), "error: {a,b}: "),
        (
            &[],
            ("HSS_IAC_OUTPUT", "jsn"),
            "error: invalid value 'jsn' for '--output <FORMAT[=PATH]>': unknown format \"jsn\": say one of",
        ),
        (&[], ("HSS_IAC_OUTPUT", "json,sarif"), "error: two reports go to stdout: "),
        (&[], ("HSS_IAC_FAIL_ON", "worst"), "error: invalid value 'worst' for '--fail-on <LEVEL>': unknown level"),
        (&[], ("HSS_IAC_MAX", "high"), "error: invalid value 'high' for '--max <LEVEL=N>': say LEVEL=N"),
        (&[], ("HSS_IAC_NO_IGNORE", "maybe"), "error: invalid value 'maybe' for '--no-ignore': "),
        (&[], ("HSS_IAC_CONFIG", "no.toml"), "error: the configuration no.toml can't be read: "),
        (&["nowhere"], ("A", ""), "error: nowhere: "),
    ] {
        refused(&repo, args, &[env], expected);
    }
    for (text, expected) in [
        (
            "baseline = '../known.json'",
            "error: the baseline ../known.json can't be read: a repository may only name a file below",
        ),
        (
            "secret-key = 'hunter2'",
            "error: hss-iac.toml:1:1: secret-key can't be set by a repository: a credential has no place",
        ),
        ("[[suppress]]\nrule = 'R'\nreason = ' '", "error: hss-iac.toml:3:10: suppress.reason: is empty, and it has to say"),
    ] {
        refused(&Repo::new().many(1).file("hss-iac.toml", text), &[], &[], expected);
    }
}

#[test]
fn a_bad_value_of_a_variable_names_the_variable() {
    let repo = Repo::new().many(1);
    for (flag, name, value) in [
        ("--fail-on", "HSS_IAC_FAIL_ON", "worst"),
        ("--no-wait", "HSS_IAC_NO_WAIT", "maybe"),
        ("--color", "HSS_IAC_COLOR", "red"),
    ] {
        let mut command = hss_iac(repo.path());
        let ran: Finished = command.args(["scan", "--emulator"]).env(name, value).output().expect("it runs").into();
        let tip = format!("tip: the value comes from the variable {name}\n");
        assert!(ran.code == 2 && ran.stderr.contains(flag) && ran.stderr.contains(&tip), "{}", ran.stderr);
    }
    let ran = run(repo.path(), &["scan", "--fail-on", "worst"]);
    assert!(ran.code == 2 && !ran.stderr.contains("variable"), "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn init_does_not_wait_for_a_reader() {
    let repo = Repo::new();
    let path = repo.path().join("hss-iac.toml");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let ran = run(repo.path(), &["init", "--force"]);
    assert!(ran.code == 2 && ran.stderr.ends_with("hss-iac.toml is no regular file; remove it first\n"), "{}", ran.stderr);
}

#[test]
#[cfg(unix)]
fn a_pipe_is_not_waited_for() {
    let repo = Repo::new().file("Dockerfile", "FROM a\n");
    let pipe = repo.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    for (flag, what) in [("--config", "the configuration"), ("--baseline", "the baseline")] {
        let ran = run(repo.path(), &["scan", flag, "pipe"]);
        let said = format!("{what} pipe can't be read: it is a FIFO: name a regular file");
        assert!(ran.code == 2 && ran.stderr.contains(&said), "{}", ran.stderr);
    }
}

#[test]
fn init_writes_what_changes_nothing() {
    let repo = Repo::new().file("sub/readme", "");
    let config = |repo: &Repo| run(repo.path(), &["config", "-o", "json"]).json();
    let before = config(&repo);
    let ran = run(&repo.path().join("sub"), &["init"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let path = repo.path().join("hss-iac.toml");
    let written = std::fs::read_to_string(&path).expect("the file of the root");
    assert_eq!(config(&repo), before);

    // The keys that stand there commented out are the defaults; a baseline has none.
    let key = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '['])).unwrap_or(line).to_owned();
    let said = written.lines().map(key).collect::<Vec<_>>().join("\n");
    std::fs::write(&path, said.replace("baseline = ", "# baseline = ")).expect("a file");
    let said = config(&repo);
    let values = |config: &Value| -> Vec<Value> {
        config["values"].as_array().expect("values").iter().map(|value| json!([value["name"], value["value"]])).collect()
    };
    assert_eq!(values(&said), values(&before));
    let of_file =
        said["values"].as_array().expect("values").iter().filter(|value| value["origin"]["from"] == "file").count();
    assert_eq!(of_file, 10, "{said}");

    let ran = run(repo.path(), &["init"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.ends_with("hss-iac.toml is there already; --force writes over it\n"), "{}", ran.stderr);
    assert_eq!(run(repo.path(), &["init", "--force"]).code, 0);
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), written);
}
