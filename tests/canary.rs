//! Secrets that are easily known again stand in every place that may hold a credential, and every command runs with them, well and badly:
//! nothing that is written may hold one, in any form, and only the request that needs it carries it.
#![cfg(all(feature = "emulator", unix))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/net.rs"]
mod net;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
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
    format!("{digest:016x}/{:016x}+{:08x}=", digest.rotate_left(23) ^ 0x5bd1_e995, digest >> 32 ^ 0x9e37_79b9)
}

/// What may give a secret away: itself, as other forms write it, and each half of it.
fn forms(secret: &str) -> Vec<String> {
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
    forms
}

/// Finds any of them, whatever form it has.
struct Search(regex::bytes::Regex);

impl Search {
    fn of<'a>(secrets: impl IntoIterator<Item = &'a String>) -> Self {
        let forms: Vec<String> =
            secrets.into_iter().flat_map(|secret| forms(secret)).map(|form| regex::escape(&form)).collect();
        Self(regex::bytes::Regex::new(&forms.join("|")).expect("a pattern"))
    }

    /// The first that is there, as it is there.
    fn first(&self, text: &[u8]) -> Option<String> {
        self.0.find(text).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }
}

fn holds(text: &[u8], secret: &str) -> bool {
    Search::of([&secret.to_owned()]).first(text).is_some()
}

/// A way to credentials: its variables, and a stand-in that takes them.
struct Source {
    name: &'static str,
    env: Vec<(&'static str, String)>,
    options: Options,
    /// Whether GitHub is asked for the identity token.
    github: bool,
    /// Whether a secret goes over the wire.
    is_sent: bool,
}

fn sources(home: &Path) -> Vec<Source> {
    let usual = Options::default();
    let mut sources = Vec::new();
    let mut add = |name, env: &[(&'static str, &str)], options: Options| {
        let env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let usual = Options::default();
        let is_sent =
            (&options.token, &options.id_token) != (&usual.token, &usual.id_token) || options.security_token.is_some();
        sources.push(Source { name, env, options, github: false, is_sent });
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
    for source in sources.iter_mut().filter(|source| source.name == "HW_USER_PASSWORD") {
        source.is_sent = true;
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
    /// The files that were searched.
    seen: RefCell<BTreeSet<(PathBuf, Vec<u8>)>>,
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
        git(&["init", "-q", "--template="]);
        git(&["add", "."]);
        git(&["commit", "-qm", "first"]);
        let repo = repo.file("k8s/config.yaml", &clean_manifest(2));
        let place = Self {
            repo,
            written: tempfile::tempdir().expect("a directory"),
            home: tempfile::tempdir().expect("a directory"),
            seen: RefCell::default(),
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

    /// Every file that was not there, or not so, when this was last asked.
    fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let roots = [self.repo.path(), self.written.path(), self.home.path()];
        let entries = roots.into_iter().flat_map(|root| walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok));
        let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        let files = files.map(|path| (path.clone(), std::fs::read(path).expect("a file")));
        let mut seen = self.seen.borrow_mut();
        files.filter(|file| seen.insert(file.clone())).collect()
    }
}

/// Every command of the program, as it is typed.
fn leaves() -> BTreeSet<String> {
    let mut leaves = BTreeSet::new();
    for command in Cli::command().get_subcommands() {
        let below: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        if below.is_empty() {
            leaves.insert(command.get_name().to_owned());
        }
        leaves.extend(below.into_iter().map(|name| format!("{} {name}", command.get_name())));
    }
    leaves
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
    /// How often something was taken out of a message.
    hidden: usize,
    hits: Vec<String>,
}

/// Does the same with the credentials of each source, all at once: most of the time is spent waiting. Gives how many secrets were searched
/// for too.
fn with_each(of: impl Fn(&Source) -> bool, what: impl Fn(&Source, &Search, &mut Count) + Sync) -> (usize, Count) {
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let search = Search::of(&all);
    let counts: Vec<Count> = std::thread::scope(|scope| {
        let one = |source| {
            let (search, what) = (&search, &what);
            scope.spawn(move || {
                let mut count = Count::default();
                what(source, search, &mut count);
                count
            })
        };
        let threads: Vec<_> = sources.iter().filter(|source| of(source)).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut whole = Count::default();
    for count in counts {
        whole.commands.extend(count.commands);
        whole.runs += count.runs;
        whole.bytes += count.bytes;
        whole.hidden += count.hidden;
        whole.hits.extend(count.hits);
    }
    (all.len(), whole)
}

impl Count {
    #[expect(clippy::print_stdout, reason = "--nocapture shows what was done")]
    fn say(&self, what: &str, secrets: usize) {
        let Self { commands, runs, bytes, hits, .. } = self;
        let (commands, hits) = (commands.len(), hits.len());
        println!(
            "canaries {what}: {secrets} secrets, {commands} commands, {runs} runs, {bytes} bytes searched, {hits} hits"
        );
    }

    fn search(&mut self, what: &str, text: &[u8], search: &Search) {
        self.bytes += text.len();
        self.hidden += memchr::memmem::find_iter(text, "(hidden)").count();
        self.hits.extend(search.first(text).map(|found| format!("{what}: {found}")));
    }

    fn run(&mut self, place: &Place, mut command: Command, search: &Search) -> i32 {
        let words: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let output = command.output().expect("the binary runs");
        let leaf = leaves().into_iter().find(|leaf| format!("{} ", words.join(" ")).starts_with(&format!("{leaf} ")));
        self.commands.extend(leaf);
        self.runs += 1;
        for text in [&output.stdout, &output.stderr] {
            self.search(&words.join(" "), text, search);
        }
        for (path, text) in place.written() {
            self.search(&path.display().to_string(), &text, search);
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
    let clusters = format!("json={out}/clusters.json");
    let lines: Vec<Vec<&str>> = match command {
        "scan" => vec![vec!["-vvv", &cache, "-o", &reports], vec!["-vvv", &cache, "--diff=HEAD"]],
        "list" => vec![
            vec!["-vvv", "--diff=HEAD"],
            vec!["-vvv", "-o", "json"],
            vec!["--explain=api"],
            vec!["--explain", "--diff=HEAD"],
        ],
        "cluster-scan" => vec![
            vec!["-vvv", "--all", "--type=cluster_vul", "-o", "table", "-o", &clusters],
            vec!["-vvv", "--all", "--type=cluster_vul", "--no-wait"],
        ],
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

fn run_all(source: &Source, search: &Search, count: &mut Count) {
    let emulator = start(source.options.clone());
    let place = Place::new();
    let out = place.written.path().to_str().expect("a path").to_owned();
    let program = Cli::command();
    for command in program.get_subcommands() {
        for line in invocations(command.get_name(), &out) {
            let args: Vec<&str> = line.iter().map(String::as_str).collect();
            let mut ran = place.command(source, &emulator.url(), &args);
            if source.github {
                ran.env("ACTIONS_ID_TOKEN_REQUEST_URL", github().0);
            }
            let code = count.run(&place, ran, search);
            assert!([0, 1].contains(&code), "{} with {}: exit {code}", args.join(" "), source.name);
        }
    }
}

#[test]
fn no_command_writes_a_secret_of_any_source() {
    let (secrets, count) = with_each(|_| true, run_all);
    count.say("that are taken", secrets);
    assert_eq!((count.commands, secrets, count.hits), (leaves(), 16, Vec::new()));
}

#[test]
fn no_failure_writes_a_secret() {
    let (secrets, count) = with_each(|source| !source.github, fail);
    count.say("in failure", secrets);
    assert_eq!(count.hits, [""; 0]);
}

fn fail(source: &Source, search: &Search, count: &mut Count) {
    let place = Place::new();
    let out = place.written.path().to_str().expect("a path").to_owned();
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = source.options.clone();
        change(&mut options);
        start(options)
    };
    let at = |api: &str, fault: Fault| with(&|options| options.faults = vec![scripted(api, 1, fault.clone())]);
    for (name, emulator, timeout) in [
        ("401", start(quick()), "20s"),
        ("throttle", at("batch-upload", Fault::Throttle { retry_after: Some(0) }), "20s"),
        ("server error", at("batch-upload", Fault::Status(503)), "20s"),
        ("garbage", at("task", Fault::Garbage), "20s"),
        ("no answer", at("batch-upload", Fault::ResetAfter), "20s"),
        ("timeout", with(&|options| options.never_finish = true), "1s"),
    ] {
        for command in ["scan", "doctor"] {
            let line = invocations(command, &out).swap_remove(0);
            let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
            if command == "scan" {
                args.extend(["--timeout", timeout]);
            }
            let code = count.run(&place, place.command(source, &emulator.url(), &args), search);
            assert!(code != 70 && code != 2, "{name}, {}: exit {code}", args.join(" "));
            assert!(name != "401" || code == 4, "{}: exit {code}", source.name);
            assert!(name != "timeout" || command == "doctor" || code == 6, "{}: exit {code}", source.name);
        }
    }
}

/// Where an error text is cut.
const CUT: usize = 500;

/// A host that answers every request with all of it, as debugging pages do: the first secret stands where the text is cut.
fn parrot(status: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let home = tempfile::tempdir().expect("a directory");
        let known = secrets(&sources(home.path()));
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head = net::head_of(&stream);
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body);
            let request = format!("{head}{}", String::from_utf8_lossy(&body));
            let secret = known.iter().find_map(|secret| Some((request.find(secret)?, secret)));
            let (at, secret) = secret.map_or((0, "none"), |(at, secret)| (at, secret));
            let said = format!("{}{}{request}", "x".repeat(CUT - secret.len() / 2), &request[at..]);
            let said = serde_json::json!({"error_code": "HSS.0001", "error_msg": said}).to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nX-Request-Id: {secret}\r\n"
            );
            let _ = write!(stream, "{head}Location: http://x/?{secret}\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        }
    });
    url
}

#[test]
fn what_a_server_repeats_of_a_secret_is_hidden() {
    let urls = ["400 Bad Request", "403 Forbidden", "302 Found", "418 No"].map(|status| (status, parrot(status)));
    let (secrets, count) = with_each(
        |source| !source.github,
        |source, search, count| {
            let place = Place::new();
            let out = place.written.path().to_str().expect("a path").to_owned();
            for ((status, url), command) in urls.iter().flat_map(|url| [(url, "scan"), (url, "doctor")]) {
                let line = invocations(command, &out).swap_remove(0);
                let args: Vec<&str> = line.iter().map(String::as_str).collect();
                let before = count.hidden;
                let mut ran = place.command(source, url, &args);
                ran.env("HSS_IAC_PROJECT_ID", Options::default().project_id);
                let code = count.run(&place, ran, search);
                assert!([4, 5, 7].contains(&code), "{status}, {}: exit {code}", source.name);
                // Of a redirect only the host is told. A secret key is not sent, so that nobody can repeat it.
                if !status.starts_with("302") {
                    assert_eq!(count.hidden > before, source.is_sent, "{status}, {command} with {}", source.name);
                }
            }
        },
    );
    count.say("that a server repeats", secrets);
    assert_eq!(count.hits, [""; 0]);
}

#[test]
fn only_the_request_that_needs_a_secret_carries_it() {
    let (secrets, count) = with_each(|source| !source.github, needed);
    count.say("on the wire, where a run is a request", secrets);
    assert_eq!(count.hits, [""; 0]);
    assert!(count.runs > 60, "{}", count.runs);
}

/// Counts the requests, and those with a secret that they do not need.
fn needed(source: &Source, search: &Search, count: &mut Count) {
    let emulator: Emulator = start(source.options.clone());
    let tap = Tap::to(&emulator.url());
    let place = Place::new();
    count.commands.insert("scan".to_owned());
    let ran = place.command(source, &format!("http://{}", tap.address), &["scan", "-q"]).output().expect("it runs");
    assert!([0, 1].contains(&ran.status.code().expect("a code")), "{}", String::from_utf8_lossy(&ran.stderr));
    let home = tempfile::tempdir().expect("a directory");
    let all = secrets(&sources(home.path()));
    for request in requests(&tap.heard().concat()) {
        count.runs += 1;
        count.bytes += request.len();
        if search.first(&request).is_none() {
            continue;
        }
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        let carried = all.iter().filter(|secret| holds(&request, secret) && !may_carry(source, &line, &request, secret));
        count.hits.extend(carried.map(|secret| format!("{}: {line} carries {secret}", source.name)));
    }
}

/// Requests follow each other on a connection, and each opens with its method.
fn requests(heard: &[u8]) -> Vec<Vec<u8>> {
    let opens = memchr::memmem::find_iter(heard, " HTTP/1.1\r\n").filter_map(|end| {
        let methods = ["GET /", "POST /", "PUT /"].map(|word| memchr::memmem::rfind(&heard[..end], word.as_bytes()));
        methods.into_iter().flatten().max()
    });
    let opens: Vec<usize> = opens.chain([heard.len()]).collect();
    opens.windows(2).map(|ends| heard[ends[0]..ends[1]].to_vec()).collect()
}

fn may_carry(source: &Source, line: &str, request: &[u8], secret: &String) -> bool {
    let is = |name: &str| *secret == canary(name);
    match source.name {
        "HSS_IAC_TOKEN" | "HW_AUTH_TOKEN" => is(source.name) && header(request, "x-auth-token", secret),
        "HW_USER_PASSWORD" => is("HW_USER_PASSWORD") && line.starts_with("POST /v3/auth/tokens"),
        "HUAWEICLOUD_SDK_ID_TOKEN_FILE" => is("id token") && line.starts_with("POST /v3.0/OS-AUTH/id-token/tokens"),
        "HUAWEICLOUD_OIDC_ID_TOKEN" | "HUAWEICLOUD_OIDC_TOKEN_FILE" => {
            is("id token") && line.starts_with("POST /v5/agencies/assume-with-oidc")
        }
        // A security token goes along with its key, a secret key nowhere.
        _ => source.options.security_token.as_ref() == Some(secret) && header(request, "x-security-token", secret),
    }
}

/// Whether a secret stands in this header, and there alone.
fn header(request: &[u8], name: &str, secret: &str) -> bool {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().find(|line| line.eq_ignore_ascii_case(&format!("{name}: {secret}")));
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
