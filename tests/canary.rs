//! Secrets that are easily known again stand in every place that may hold a credential, and every command runs with them, well and badly:
//! nothing that is written may hold one, in any form, and only the request that needs it carries it.
#![cfg(all(feature = "emulator", unix))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/net.rs"]
mod net;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use clap::CommandFactory as _;
use common::{BAD_DOCKERFILE, Repo, clean_manifest, github, quick, scripted, start};
use hss_iac::cli::Cli;
use hss_iac::emulator::{Emulator, Fault, Options};
use net::Tap;

/// A secret that nothing else looks like, with characters that URLs and JSON write in another way.
fn canary(name: &str) -> String {
    let digest =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}/{:016x}+{:08x}=", digest.rotate_left(23) ^ 0x5bd1_e995, digest as u32 ^ 0x9e37_79b9)
}

/// What may give a secret away: itself, as other forms write it, and each half of it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let encoded: String = secret
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let mut forms = vec![secret.to_owned(), encoded.clone(), encoded.to_lowercase(), secret.replace('/', "\\/")];
    // A text before it moves base64 by one or two bytes.
    for before in ["", "x", "xx"] {
        let text = format!("{before}{secret}");
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&text);
            forms.push(text[4..text.len() - 4].to_owned());
        }
    }
    let (first, last) = secret.split_at(secret.len() / 2);
    forms.extend([first, last].into_iter().filter(|half| half.len() >= 12).map(str::to_owned));
    forms.into_iter().map(String::into_bytes).collect()
}

fn holds(text: &[u8], secret: &str) -> bool {
    forms(secret).iter().any(|form| memchr::memmem::find(text, form).is_some())
}

/// A way to credentials: its variables, and a stand-in that takes them.
struct Source {
    name: &'static str,
    env: Vec<(&'static str, String)>,
    options: Options,
    /// What GitHub is asked with, where it is asked.
    github: bool,
}

fn sources(home: &Path) -> Vec<Source> {
    let usual = Options::default();
    let mut sources = Vec::new();
    let mut add = |name, env: &[(&'static str, &str)], options| {
        let env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        sources.push(Source { name, env, options, github: false });
    };
    let token = |name: &str| Options { token: canary(name), ..quick() };
    for name in ["HSS_IAC_TOKEN", "HW_AUTH_TOKEN"] {
        add(name, &[(name, &canary(name))], token(name));
    }
    for (access, secret, session) in [
        ("HSS_IAC_ACCESS_KEY", "HSS_IAC_SECRET_KEY", Some("HSS_IAC_SECURITY_TOKEN")),
        ("HSS_IAC_ACCESS_KEY", "HSS_IAC_SECRET_KEY", None),
        ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", Some("HUAWEICLOUD_SDK_SECURITY_TOKEN")),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY", Some("HW_SECURITY_TOKEN")),
        ("HUAWEI_CLOUD_ACCESS_KEY_ID", "HUAWEI_CLOUD_SECRET_ACCESS_KEY", None),
        ("OS_ACCESS_KEY", "OS_SECRET_KEY", None),
    ] {
        let options = Options { secret_key: canary(secret), security_token: session.map(canary), ..quick() };
        let secret_key = canary(secret);
        let mut env = vec![(access, usual.access_key.as_str()), (secret, secret_key.as_str())];
        let session = session.map(|name| (name, canary(name)));
        env.extend(session.as_ref().map(|(name, token)| (*name, token.as_str())));
        add(secret, &env, options);
    }
    let password = canary("HW_USER_PASSWORD");
    let user =
        [("HW_USER_NAME", usual.access_key.as_str()), ("HW_USER_PASSWORD", &password), ("HW_DOMAIN_NAME", &usual.account)];
    add("HW_USER_PASSWORD", &user, Options { secret_key: password.clone(), ..quick() });
    let id_token = Options { id_token: canary("id token"), ..quick() };
    let file = home.join("id-token");
    std::fs::write(&file, canary("id token")).expect("a file");
    let file = file.to_str().expect("a path");
    let agency =
        [("HUAWEICLOUD_OIDC_PROVIDER_URN", usual.provider_urn.as_str()), ("HUAWEICLOUD_OIDC_AGENCY_URN", &usual.agency_urn)];
    let at_hand = canary("id token");
    add("HUAWEICLOUD_OIDC_ID_TOKEN", &[&agency[..], &[("HUAWEICLOUD_OIDC_ID_TOKEN", &at_hand)]].concat(), id_token.clone());
    add("HUAWEICLOUD_OIDC_TOKEN_FILE", &[&agency[..], &[("HUAWEICLOUD_OIDC_TOKEN_FILE", file)]].concat(), id_token.clone());
    let idp = [("HUAWEICLOUD_SDK_IDP_ID", usual.idp_id.as_str()), ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", file)];
    add("HUAWEICLOUD_SDK_ID_TOKEN_FILE", &idp, id_token);
    let profile = home.join("profile");
    let ini = format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, canary("profile"));
    std::fs::write(&profile, ini).expect("a file");
    let profile = [("HUAWEICLOUD_SDK_CREDENTIALS_FILE", profile.to_str().expect("a path"))];
    add("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &profile, Options { secret_key: canary("profile"), ..quick() });
    add("agency of GitHub", &agency, quick());
    if let Some(last) = sources.last_mut() {
        last.github = true;
    }
    sources
}

/// Secrets that stand beside every source.
const BESIDE: [&str; 3] = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "HSS_IAC_CACHE_KEY", "proxy"];

/// All canaries that any source has.
fn secrets(sources: &[Source]) -> BTreeSet<String> {
    let known: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| {
            let options = &source.options;
            let told = [options.token.clone(), options.secret_key.clone(), options.id_token.clone()];
            told.into_iter().chain(options.security_token.clone())
        })
        .collect();
    let usual = Options::default();
    let plain = [usual.token, usual.secret_key, usual.id_token];
    known.into_iter().filter(|secret| !plain.contains(secret)).chain(BESIDE.map(canary)).collect()
}

/// A place to run in: a repository with a commit, a git that tells what it was asked, a home with secrets.
struct Place {
    repo: Repo,
    written: tempfile::TempDir,
    home: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let repo = Repo::new().file("api/Dockerfile", BAD_DOCKERFILE).file("k8s/config.yaml", &clean_manifest(1));
        std::fs::remove_dir_all(repo.path().join(".git")).expect("an empty .git");
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            git.current_dir(repo.path()).args(["-c", "user.name=t", "-c", "user.email=t@example.test"]).args(args);
            assert!(git.output().expect("git runs").status.success(), "{args:?}");
        };
        git(&["init", "-q"]);
        git(&["add", "."]);
        git(&["commit", "-qm", "first"]);
        let place = Self {
            repo,
            written: tempfile::tempdir().expect("a directory"),
            home: tempfile::tempdir().expect("a directory"),
        };
        let bin = place.written.path().join("bin");
        std::fs::create_dir(&bin).expect("a directory");
        let real = which("git");
        let script = format!(
            "#!/bin/sh\n{{ printf '%s\\n' \"$0\" \"$@\"; env; }} >> '{}'\nexec '{}' \"$@\"\n",
            place.written.path().join("git.log").display(),
            real.display()
        );
        std::fs::write(bin.join("git"), script).expect("a script");
        std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        place
    }

    /// The binary with every secret that stands beside the source's own.
    fn command(&self, source: &Source, endpoint: &str, args: &[&str]) -> Command {
        let mut command = common::hss_iac(self.repo.path());
        command.args(args).env("HSS_IAC_REGION", "cn-north-4").env("HSS_IAC_TIMEOUT", "20s");
        command.env("PATH", self.written.path().join("bin")).env("HOME", self.home.path());
        for name in ["HSS_IAC_ENDPOINT", "HSS_IAC_IAM_ENDPOINT", "HSS_IAC_STS_ENDPOINT"] {
            command.env(name, endpoint);
        }
        let proxy = format!(
            "http://user:{}@127.0.0.1:1",
            canary("proxy").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")
        );
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        command.env("HSS_IAC_CACHE_KEY", canary("HSS_IAC_CACHE_KEY"));
        command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", canary("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
        command.envs(source.env.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Everything that stands in a file, by its path.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for root in [self.repo.path(), self.written.path()] {
            for entry in walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok) {
                if entry.file_type().is_file() {
                    found.push((entry.path().to_owned(), std::fs::read(entry.path()).expect("a file")));
                }
            }
        }
        found
    }
}

fn which(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file()).expect("git")
}

/// What was run, and how much was looked through.
#[derive(Default)]
struct Count {
    commands: BTreeSet<String>,
    runs: usize,
    bytes: usize,
    hits: Vec<String>,
}

impl Count {
    fn search(&mut self, what: &str, text: &[u8], secrets: &BTreeSet<String>) {
        self.bytes += text.len();
        self.hits.extend(secrets.iter().filter(|secret| holds(text, secret)).map(|secret| format!("{what}: {secret}")));
    }

    fn run(&mut self, place: &Place, mut command: Command, secrets: &BTreeSet<String>) -> i32 {
        let words: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let output = command.output().expect("the binary runs");
        self.commands.insert(words.first().cloned().unwrap_or_default());
        self.runs += 1;
        for text in [&output.stdout, &output.stderr] {
            self.search(&words.join(" "), text, secrets);
        }
        for (path, text) in place.files() {
            self.search(&path.display().to_string(), &text, secrets);
        }
        output.status.code().unwrap_or(-1)
    }
}

const REPORTS: &str = "json=OUT/result.json,sarif=OUT/r.sarif,junit=OUT/r.xml,gitlab-codequality=OUT/cq.json,gitlab-sast=OUT/sast.json,\
     github=OUT/annotations,github-summary=OUT/summary.md,github-output=OUT/outputs,markdown=OUT/r.md,html=OUT/r.html,table";

/// What a command is run with; every command of the program has to stand here.
fn invocations(command: &str, out: &str) -> Vec<Vec<String>> {
    let result = format!("{out}/result.json");
    let reports = REPORTS.replace("OUT", out);
    let cache = format!("--cache-dir={out}/cache");
    let lines: Vec<Vec<&str>> = match command {
        "scan" => vec![vec!["-vvv", &cache, "-o", &reports, "--diff=HEAD", "."], vec!["-vvv", &cache, "-o", &reports]],
        "list" => vec![vec!["-vvv", "--diff=HEAD"], vec!["-vvv", "-o", "json"], vec!["--explain"]],
        "resume" => vec![vec!["-vvv", &cache, "-o", &reports, &result]],
        "render" => vec![vec!["-vvv", &result, "-o", "html"]],
        "baseline" => vec![vec![&result, "--force"]],
        "doctor" => vec![vec!["-vvv", "--probe-upload"], vec!["-vvv", "-o", "json"]],
        "config" => vec![vec!["-vvv"], vec!["-vvv", "-o", "json"]],
        "init" => vec![vec!["--force"]],
        "schema" => vec![vec!["result"], vec!["doctor"]],
        "hook" => vec![vec!["install", "--yes"], vec!["uninstall"]],
        "cache" => vec![vec!["stats", &cache], vec!["prune", &cache]],
        "completions" => vec![vec!["bash"]],
        "man" => vec![vec![], vec!["doctor"]],
        // It serves until it is told to stop; its own test is below.
        "emulator" => vec![vec!["--help"]],
        other => panic!("{other} is not run with canaries: say here how"),
    };
    let whole = |line: Vec<&str>| [command].into_iter().chain(line).map(str::to_owned).collect();
    lines.into_iter().map(whole).collect()
}

fn run_all(count: &mut Count, source: &Source, all: &BTreeSet<String>) {
    let emulator = start(source.options.clone());
    let place = Place::new();
    let out = place.written.path().to_str().expect("a path").to_owned();
    let program = Cli::command();
    for command in program.get_subcommands() {
        for line in invocations(command.get_name(), &out) {
            let args: Vec<&str> = line.iter().map(String::as_str).collect();
            let mut ran = place.command(source, &emulator.url(), &args);
            if source.github && matches!(args[0], "scan" | "doctor" | "resume") {
                ran.env("ACTIONS_ID_TOKEN_REQUEST_URL", github().0);
            }
            let code = count.run(&place, ran, all);
            assert!([0, 1].contains(&code), "{} with {}: exit {code}", args.join(" "), source.name);
        }
    }
}

#[test]
fn no_command_writes_a_secret_of_any_source() {
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    assert!(sources.len() >= 14 && all.len() >= 14, "{} sources, {} secrets", sources.len(), all.len());
    let mut count = Count::default();
    for source in &sources {
        run_all(&mut count, source, &all);
    }
    let every: BTreeSet<String> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(count.commands, every);
    println!(
        "canaries: {} sources, {} secrets, {} commands, {} runs, {} bytes searched, {} hits",
        sources.len(),
        all.len(),
        count.commands.len(),
        count.runs,
        count.bytes,
        count.hits.len()
    );
    assert_eq!(count.hits, [""; 0]);
}

#[test]
fn no_failure_writes_a_secret() {
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let mut count = Count::default();
    for source in sources.iter().filter(|source| !source.github) {
        let place = Place::new();
        let out = place.written.path().to_str().expect("a path").to_owned();
        let with = |change: &dyn Fn(&mut Options)| {
            let mut options = source.options.clone();
            change(&mut options);
            start(options)
        };
        let at = |api: &str, fault: Fault| with(&|options| options.faults = vec![scripted(api, 1, fault.clone())]);
        let refusing = start(quick());
        let late = with(&|options| options.never_finish = true);
        for (name, emulator, timeout) in [
            ("401", &refusing, "20s"),
            ("throttle", &at("batch-upload", Fault::Throttle { retry_after: Some(0) }), "20s"),
            ("server error", &at("batch-upload", Fault::Status(503)), "20s"),
            ("garbage", &at("task", Fault::Garbage), "20s"),
            ("no answer", &at("batch-upload", Fault::ResetAfter), "20s"),
            ("timeout", &late, "1s"),
        ] {
            for command in ["scan", "doctor"] {
                let line = invocations(command, &out).swap_remove(0);
                let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
                if command == "scan" {
                    args.extend(["--timeout", timeout]);
                }
                let code = count.run(&place, place.command(source, &emulator.url(), &args), &all);
                assert!(code != 70 && code != 2, "{name}, {}: exit {code}", args.join(" "));
                assert!(name != "401" || code == 4, "{}: exit {code}", source.name);
                assert!(name != "timeout" || command == "doctor" || code == 6, "{}: exit {code}", source.name);
            }
        }
    }
    println!("canaries in failure: {} runs, {} bytes searched, {} hits", count.runs, count.bytes, count.hits.len());
    assert_eq!(count.hits, [""; 0]);
}

/// A host that answers every request with all of it, as debugging pages do.
fn parrot(status: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head = net::head_of(&stream);
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body);
            let said = format!("{}{head}{}", "x".repeat(440), String::from_utf8_lossy(&body));
            let said = serde_json::json!({"error_code": "HSS.0001", "error_msg": said}).to_string();
            let place =
                head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-auth-token: ")).unwrap_or("x: none");
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nLocation: http://x/?{}\r\nX-Request-Id: {0}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
                &place[place.find(' ').unwrap_or(0) + 1..],
                said.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn what_a_server_repeats_of_a_secret_is_hidden() {
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let mut count = Count::default();
    for status in ["400 Bad Request", "403 Forbidden", "302 Found", "418 No"] {
        let url = parrot(status);
        for source in sources.iter().filter(|source| !source.github) {
            let place = Place::new();
            let out = place.written.path().to_str().expect("a path").to_owned();
            for command in ["scan", "doctor"] {
                let line = invocations(command, &out).swap_remove(0);
                let args: Vec<&str> = line.iter().map(String::as_str).collect();
                let mut ran = place.command(source, &url, &args);
                ran.env("HSS_IAC_PROJECT_ID", Options::default().project_id);
                let code = count.run(&place, ran, &all);
                assert!([4, 5].contains(&code), "{status}, {}: exit {code}", source.name);
            }
        }
    }
    println!("canaries repeated: {} runs, {} bytes searched, {} hits", count.runs, count.bytes, count.hits.len());
    assert_eq!(count.hits, [""; 0]);
}

#[test]
fn only_the_request_that_needs_a_secret_carries_it() {
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let mut requests = 0;
    for source in sources.iter().filter(|source| !source.github) {
        let emulator: Emulator = start(source.options.clone());
        let tap = Tap::to(&emulator.url());
        let place = Place::new();
        let ran = place.command(source, &format!("http://{}", tap.address), &["scan", "-q"]).output().expect("it runs");
        assert!([0, 1].contains(&ran.status.code().expect("a code")), "{}", String::from_utf8_lossy(&ran.stderr));
        let heard = tap.heard().concat();
        // Requests of a connection follow each other, and each opens with its method.
        let starts: Vec<usize> = memchr::memmem::find_iter(&heard, " HTTP/1.1\r\n").collect();
        for (nth, end) in starts.iter().enumerate() {
            let line_start = heard[..*end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let line = String::from_utf8_lossy(&heard[line_start..*end]).into_owned();
            let until = starts.get(nth + 1).copied().unwrap_or(heard.len());
            let request = &heard[line_start..until];
            requests += 1;
            for secret in all.iter().filter(|secret| holds(request, secret)) {
                let is = |name: &str| *secret == canary(name);
                let allowed = match source.name {
                    "HSS_IAC_TOKEN" | "HW_AUTH_TOKEN" => is(source.name) && header(request, "x-auth-token", secret),
                    "HW_USER_PASSWORD" => is("HW_USER_PASSWORD") && line.contains("POST /v3/auth/tokens"),
                    "HUAWEICLOUD_SDK_ID_TOKEN_FILE" => is("id token") && line.contains("POST /v3.0/OS-AUTH/id-token/tokens"),
                    "HUAWEICLOUD_OIDC_ID_TOKEN" | "HUAWEICLOUD_OIDC_TOKEN_FILE" => {
                        is("id token") && line.contains("POST /v5/agencies/assume-with-oidc")
                    }
                    // A security token goes along with its key, a secret key nowhere.
                    _ => {
                        source.options.security_token.as_ref() == Some(secret) && header(request, "x-security-token", secret)
                    }
                };
                assert!(allowed, "{}: {line} carries {secret}", source.name);
            }
        }
    }
    println!("canaries on the wire: {requests} requests, 0 with a secret that they do not need");
    assert!(requests > 60, "{requests}");
}

/// Whether a secret stands in this header, and there alone.
fn header(request: &[u8], name: &str, secret: &str) -> bool {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().find(|line| line.to_ascii_lowercase() == format!("{name}: {secret}").to_ascii_lowercase());
    line.is_some() && text.matches(secret).count() == 1
}

#[test]
fn a_stand_in_that_was_given_real_keys_does_not_tell_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = canary("stand-in");
    let mut child = common::hss_iac(dir.path())
        .args(["emulator", "--secret-key", &secret, "--token", &secret])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    std::thread::sleep(Duration::from_millis(300));
    child.kill().expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.stdout.starts_with(b"listening on "), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!holds(&output.stdout, &secret) && !holds(&output.stderr, &secret));
}

/// Says in the child that it is to panic.
const CHILD: &str = "HSS_IAC_TEST_CANARY_PANIC";

#[test]
fn a_panic_tells_no_secret() {
    if std::env::var(CHILD).is_ok() {
        hss_iac::error::end_on_panic();
        let found = hss_iac::hss::auth::find(&|name| std::env::var(name).ok());
        panic!("with {found:?}");
    }
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let name = std::thread::current().name().expect("the test's name").to_owned();
    for source in &sources {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", &name, "--nocapture"]).env(CHILD, "1");
        child.envs(source.env.iter().map(|(name, value)| (*name, value)));
        if source.github {
            child.env("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.test/");
            child.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", canary("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
        }
        let ran = child.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(70), "{stderr}");
        assert!(stderr.contains("with Ok(Found"), "{stderr}");
        assert!(!all.iter().any(|secret| holds(&ran.stderr, secret)), "{}: {stderr}", source.name);
    }
}

#[test]
fn the_search_finds_what_it_is_to_find() {
    let secret = canary("x");
    for hidden in [
        secret.clone(),
        STANDARD.encode(format!("user:{secret}")),
        STANDARD.encode(format!("a:{secret}")),
        format!("{}…", &secret[..30]),
        secret.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
    ] {
        assert!(holds(hidden.as_bytes(), &secret), "{hidden}");
    }
    assert!(!holds(canary("y").as_bytes(), &secret));
}
