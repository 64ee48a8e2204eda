//! A runner of GitHub as far as a composite action can tell: it takes the steps of `action.yml` as they stand there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hss_iac::emulator::{Emulator, Options};
use serde_json::{Value, json};

use super::common::{instruments, project};
use super::expression::{evaluate, holds, read};

/// A job with one step that uses the action.
pub(crate) struct Job {
    dir: tempfile::TempDir,
    workspace: PathBuf,
    inputs: BTreeMap<String, String>,
    event: (String, Value),
    env: BTreeMap<String, String>,
    /// What steps of other people's actions end with.
    pub(crate) others_fail: bool,
}

/// What the job left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether the step that uses the action is red.
    pub(crate) red: bool,
    /// The exit code of the last script that ran.
    pub(crate) code: i32,
    /// The outputs of the action.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The log.
    pub(crate) log: String,
    /// The summary.
    pub(crate) summary: String,
    /// The steps of other people's actions that ran, with their inputs.
    pub(crate) used: Vec<String>,
}

impl Ended {
    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// The workflow commands that the runner obeys, those of annotations and masks.
    pub(crate) fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut obeyed = Vec::new();
        for line in self.log.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
            if let Some(token) = &stopped {
                if line == format!("::{token}::") {
                    stopped = None;
                }
            } else if let Some(token) = line.strip_prefix("::stop-commands::") {
                stopped = Some(token.to_owned());
            } else {
                obeyed.push(line);
            }
        }
        assert_eq!(stopped, None, "commands are never resumed");
        obeyed
    }
}

impl Job {
    /// A push to the repository at `workspace`, on a runner of its own.
    pub(crate) fn new(workspace: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let action = dir.path().join("_actions/owner/hss-iac/v1");
        for path in ["action.yml", "scripts/action.sh", "action-checksums.txt", "Cargo.toml", "Cargo.lock"] {
            let to = action.join(path);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(project().join(path), to).unwrap();
        }
        std::fs::create_dir_all(action.join("src")).unwrap();
        std::fs::write(action.join("src/main.rs"), "fn main() {}\n").unwrap();
        for place in ["temp", "tools", "bin"] {
            std::fs::create_dir(dir.path().join(place)).unwrap();
        }
        let job = Self {
            workspace: workspace.to_owned(),
            inputs: BTreeMap::new(),
            event: ("push".to_owned(), json!({})),
            env: BTreeMap::new(),
            others_fail: false,
            dir,
        };
        job.env("GITHUB_REPOSITORY", "shop/shop").env("GITHUB_ACTOR", "ann").with_cargo()
    }

    /// Against this stand-in, with its credentials.
    pub(crate) fn against(self, emulator: &Emulator) -> Self {
        let usual = Options::default();
        self.env("HSS_IAC_ACCESS_KEY", &usual.access_key)
            .env("HSS_IAC_SECRET_KEY", &usual.secret_key)
            .env("HSS_IAC_IAM_ENDPOINT", &emulator.url())
            .env("HSS_IAC_ALLOW_STAND_IN", "1")
            .input("endpoint", &emulator.url())
            .input("region", "cn-north-4")
            .input("project-id", &usual.project_id)
    }

    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn event(mut self, name: &str, payload: Value) -> Self {
        self.event = (name.to_owned(), payload);
        self
    }

    /// A pull request whose head is in this repository.
    pub(crate) fn pull_request_from(self, repository: &str) -> Self {
        self.event("pull_request", json!({"pull_request": {"head": {"repo": {"full_name": repository}}}}))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// A file of the action's checkout.
    pub(crate) fn action(&self, path: &str) -> PathBuf {
        self.path("_actions/owner/hss-iac/v1").join(path)
    }

    /// A release with this sum of the archive; the right one where `None`.
    pub(crate) fn released(self, sum: Option<&str>) -> Self {
        let target = format!("{}-unknown-linux-musl", if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" });
        let archive = format!("hss-iac-{}-{target}.tar.gz", env!("CARGO_PKG_VERSION"));
        let release = self.path(&format!("releases/v{}", env!("CARGO_PKG_VERSION")));
        std::fs::create_dir_all(&release).unwrap();
        program(&release.join("hss-iac"), &binary());
        let packed = Command::new("tar").current_dir(&release).args(["-czf", &archive, "hss-iac"]).status().unwrap();
        assert!(packed.success());
        let right = Command::new("sha256sum").arg(release.join(&archive)).output().unwrap();
        let right = String::from_utf8(right.stdout).unwrap();
        let sum = sum.unwrap_or(right.split_whitespace().next().unwrap());
        std::fs::write(self.action("action-checksums.txt"), format!("# sums\n{sum}  {archive}\n")).unwrap();
        let url = format!("file://{}", self.path("releases").display());
        self.env("HSS_IAC_DOWNLOAD_URL", &url)
    }

    /// A cargo that notes how it was called and has the program at hand.
    fn with_cargo(self) -> Self {
        let note = self.path("cargo-called");
        let text = format!(
            "{{ pwd; printf '%s\\n' \"$@\"; printf 'keys: %s\\n' \"${{HSS_IAC_SECRET_KEY:-none}}\"; }} >>'{}'\n\
             while [ \"$1\" != --target-dir ]; do shift; done\nmkdir -p \"$2/release\"\n\
             printf '#!/bin/sh\\nexec %s \"$@\"\\n' '{}' >\"$2/release/hss-iac\"\n",
            note.display(),
            env!("CARGO_BIN_EXE_hss-iac")
        );
        program(&self.path("bin/cargo"), &text);
        self
    }

    /// Runs the steps of the action.
    pub(crate) fn run(&self) -> Ended {
        self.run_and(|_| {})
    }

    /// Runs the steps of the action, and this beside the step `scan`, with the process id of its shell.
    pub(crate) fn run_and(&self, beside_scan: impl Fn(u32)) -> Ended {
        let action = read(&std::fs::read_to_string(self.action("action.yml")).unwrap());
        for name in self.inputs.keys() {
            assert!(action["inputs"].get(name).is_some(), "no input {name}");
        }
        let given = |name: &str, default: &Value| self.inputs.get(name).map_or(default.clone(), |value| json!(value));
        let inputs = action["inputs"].as_object().unwrap().iter();
        let inputs: Value = inputs.map(|(name, input)| (name.clone(), given(name, &input["default"]))).collect();
        let mut contexts = json!({"inputs": inputs, "steps": {}, "github": {"event": self.event.1}});
        let mut ended = Ended {
            red: false,
            code: 0,
            outputs: BTreeMap::new(),
            log: String::new(),
            summary: String::new(),
            used: Vec::new(),
        };
        for step in action["runs"]["steps"].as_array().unwrap() {
            if !holds(step["if"].as_str(), ended.red, &contexts) {
                continue;
            }
            let failed = if let Some(uses) = step["uses"].as_str() {
                let with = step["with"].as_object().unwrap().iter();
                let with = with.fold(uses.split('@').next().unwrap().to_owned(), |mut text, (name, value)| {
                    write!(text, " {name}={}", evaluate(value.as_str().unwrap(), &contexts)).unwrap();
                    text
                });
                ended.used.push(with);
                self.others_fail
            } else {
                let scan = step["id"] == "scan";
                let outputs = self.script(step, &contexts, &mut ended, |id| {
                    if scan {
                        beside_scan(id);
                    }
                });
                contexts["steps"][step["id"].as_str().unwrap()] = json!({"outputs": outputs});
                ended.code != 0
            };
            ended.red |= failed && step["continue-on-error"] != "true";
        }
        for (name, output) in action["outputs"].as_object().unwrap() {
            ended.outputs.insert(name.clone(), evaluate(output["value"].as_str().unwrap(), &contexts));
        }
        ended.summary = std::fs::read_to_string(self.path("temp/summary")).unwrap_or_default();
        ended
    }

    /// Runs the script of a step as the runner does and returns its outputs.
    fn script(&self, step: &Value, contexts: &Value, ended: &mut Ended, beside: impl Fn(u32)) -> BTreeMap<String, String> {
        assert_eq!(step["shell"], "bash");
        let run = step["run"].as_str().unwrap();
        assert!(!run.contains("${{"), "an expression in a script");
        let (script, outputs) = (self.path("temp/step.sh"), self.path("temp/outputs"));
        std::fs::write(&script, run).unwrap();
        std::fs::write(&outputs, "").unwrap();
        std::fs::OpenOptions::new().append(true).create(true).open(self.path("temp/summary")).unwrap();
        let event = self.path("temp/event.json");
        std::fs::write(&event, self.event.1.to_string()).unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&script).current_dir(&self.workspace).env_clear();
        command.envs(instruments());
        command.env("PATH", format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()));
        command.envs([("CI", "true"), ("GITHUB_ACTIONS", "true"), ("RUNNER_OS", "Linux"), ("LC_ALL", "C.UTF-8")]);
        command.env("RUNNER_ARCH", if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" });
        command.env("RUNNER_TEMP", self.path("temp")).env("RUNNER_TOOL_CACHE", self.path("tools"));
        command.env("GITHUB_WORKSPACE", &self.workspace).env("GITHUB_ACTION_PATH", self.action(""));
        command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", self.path("temp/summary"));
        command.env("GITHUB_EVENT_NAME", &self.event.0).env("GITHUB_EVENT_PATH", &event).envs(&self.env);
        for (name, value) in step["env"].as_object().unwrap() {
            command.env(name, evaluate(value.as_str().unwrap(), contexts));
        }
        // One pipe for both streams, as a log has them.
        let (mut log, writer) = std::io::pipe().unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        drop(command);
        beside(child.id());
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes).unwrap();
        ended.code = child.wait().unwrap().code().unwrap_or(-1);
        ended.log += &String::from_utf8_lossy(&bytes);
        outputs_of(&std::fs::read_to_string(outputs).unwrap())
    }
}

/// Writes a shell script that can be run.
pub(crate) fn program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn binary() -> String {
    format!("exec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_hss-iac"))
}

/// A `GITHUB_OUTPUT` file as the runner reads it; the last value of a name counts.
fn outputs_of(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let block = line.find("<<").filter(|at| line.find('=').is_none_or(|equals| *at < equals));
        if let Some(at) = block {
            let delimiter = &line[at + 2..];
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.insert(line[..at].to_owned(), value.join("\n"));
        } else {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("not an output: {line}"));
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    outputs
}
