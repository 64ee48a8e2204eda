//! The built binary, run as a user would: cleared environment, a temporary directory, the stand-in in place of HSS.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::JoinHandle;

use hss_iac::emulator::{Emulator, Fault, Options, ScriptedFault};
use serde_json::Value;

/// A repository in a temporary directory.
pub(crate) struct Repo {
    dir: tempfile::TempDir,
}

impl Repo {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(dir.path().join(".git")).expect("a .git directory");
        Self { dir }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Adds a file.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// Adds `n` clean Dockerfiles and `n` clean manifests.
    pub(crate) fn many(mut self, n: usize) -> Self {
        for i in 0..n {
            self = self
                .file(&format!("s{i}/Dockerfile"), &clean_dockerfile(i))
                .file(&format!("s{i}/config.yaml"), &clean_manifest(i));
        }
        self
    }
}

/// A Dockerfile that no rule of the stand-in objects to.
pub(crate) fn clean_dockerfile(i: usize) -> String {
    format!(
        "FROM registry.example/base:1.2.3\nLABEL service=\"s{i}\"\nUSER 10001\nHEALTHCHECK CMD [\"/bin/check\"]\nCMD [\"/bin/serve\"]\n"
    )
}

/// A manifest that no rule of the stand-in objects to.
pub(crate) fn clean_manifest(i: usize) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{i}\n  namespace: shop\ndata:\n  key: value\n")
}

/// A Dockerfile with a high finding.
pub(crate) const BAD_DOCKERFILE: &str =
    "FROM debian:latest\nADD https://example.test/tool.tar.gz /opt/\nENV DB_PASSWORD=hunter2hunter2\nUSER root\n";

/// What a run of the binary left behind.
pub(crate) struct Finished {
    /// The exit code.
    pub(crate) code: i32,
    /// Stdout.
    pub(crate) stdout: String,
    /// Stderr.
    pub(crate) stderr: String,
}

impl Finished {
    /// The JSON on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The binary in a directory, with an environment of nothing.
pub(crate) fn hss_iac(cwd: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hss-iac"));
    command.current_dir(cwd).env_clear().envs(instruments());
    command
}

/// What reaches a binary in an environment of nothing: where one that counts its lines writes them, which without it is the directory that it
/// runs in, and which mutant is on.
pub(crate) fn instruments() -> impl Iterator<Item = (&'static str, OsString)> {
    ["LLVM_PROFILE_FILE", "MUTANT"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Runs the binary and waits for it.
pub(crate) fn run(cwd: &Path, args: &[&str]) -> Finished {
    hss_iac(cwd).args(args).output().expect("the binary runs").into()
}

/// `scan` against a stand-in, JSON on stdout.
pub(crate) fn scan(cwd: &Path, emulator: &Emulator, args: &[&str]) -> Finished {
    scan_command(cwd, emulator, args).output().expect("the binary runs").into()
}

/// The command of [`scan`].
pub(crate) fn scan_command(cwd: &Path, emulator: &Emulator, args: &[&str]) -> Command {
    let mut command = hss_iac(cwd);
    connect(&mut command, emulator).args(["scan", "-q", "-o", "json"]).args(args);
    command
}

/// Has a command call a stand-in, as whom it knows.
pub(crate) fn connect<'a>(command: &'a mut Command, emulator: &Emulator) -> &'a mut Command {
    let usual = Options::default();
    command
        .env("HSS_IAC_ACCESS_KEY", usual.access_key)
        .env("HSS_IAC_SECRET_KEY", usual.secret_key)
        .env("HSS_IAC_PROJECT_ID", usual.project_id)
        .env("HSS_IAC_REGION", "cn-north-4")
        .env("HSS_IAC_ENDPOINT", emulator.url())
        .env("HSS_IAC_IAM_ENDPOINT", emulator.url())
}

/// A stand-in that scans at once.
pub(crate) fn quick() -> Options {
    Options { scan_time: std::time::Duration::from_millis(50), ..Options::default() }
}

/// Starts a stand-in.
pub(crate) fn start(options: Options) -> Emulator {
    Emulator::start(options).expect("the stand-in listens")
}

/// A stand-in that scans at once and fails at one call of an API.
pub(crate) fn faulty(api: &str, nth: u32, fault: Fault) -> Options {
    Options { faults: vec![scripted(api, nth, fault)], ..quick() }
}

/// A fault at the nth call of an API.
pub(crate) fn scripted(api: &str, nth: u32, fault: Fault) -> ScriptedFault {
    ScriptedFault { api: api.to_owned(), nth, fault }
}

/// How many calls of an API the stand-in has seen.
pub(crate) fn calls(emulator: &Emulator, api: &str) -> usize {
    emulator.journal().iter().filter(|call| call.api == api).count()
}

/// The path and the state of every file of a result.
pub(crate) fn states(result: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    result["files"].as_array().expect("files").iter().map(|file| (text(&file["path"]), text(&file["state"]))).collect()
}

/// Asserts that every file of ours ended in exactly one state and that the numbers say so.
pub(crate) fn assert_adds_up(result: &Value, files: usize) {
    let counts = &result["counts"];
    let states = ["scanned", "reused", "upload_failed", "scan_failed", "not_scanned"];
    let listed = result["files"].as_array().expect("files");
    let of = |state: &str| listed.iter().filter(|file| file["state"] == state).count();
    for state in states {
        assert_eq!(counts[state], of(state), "{state} in {counts}");
    }
    assert_eq!(listed.len(), files);
    assert_eq!(counts["files"], files);
    assert_eq!(states.iter().map(|state| of(state)).sum::<usize>(), files);
}

/// GitHub's end: gives the identity token that a stand-in takes to one request, and returns that request as it came.
pub(crate) fn github() -> (String, JoinHandle<Vec<String>>) {
    github_giving(Options::default().id_token)
}

/// The same, which gives this token.
pub(crate) fn github_giving(token: String) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token/7?api-version=2.0", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        let lines = BufReader::new(&stream).lines().map(|line| line.expect("a line"));
        let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let body = format!("{{\"count\":1,\"value\":\"{token}\"}}");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        write!(&stream, "{head}Connection: close\r\n\r\n{body}").expect("an answer");
        lines
    });
    (url, thread)
}

/// The root of this project.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
