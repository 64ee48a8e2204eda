//! A git repository in a temporary directory, and what `hss-iac` makes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{self, Finished};

/// A repository and what stands beside it.
pub(crate) struct Repository {
    dir: tempfile::TempDir,
    at: PathBuf,
}

impl Repository {
    /// An empty one on branch `main`.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = dir.path().join("origin");
        std::fs::create_dir(&at).expect("a directory");
        let repository = Self { dir, at };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    /// One with a commit that holds two Dockerfiles and a manifest, all clean.
    pub(crate) fn with_files() -> Self {
        let repository = Self::new();
        repository.write("a/Dockerfile", &common::clean_dockerfile(1));
        repository.write("b/Dockerfile", &common::clean_dockerfile(2));
        repository.write("config.yaml", &common::clean_manifest(1));
        repository.commit("first");
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        &self.at
    }

    /// A place beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.at.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(path, text).expect("a file");
    }

    /// Runs git and gives what it says.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.at, args)
    }

    /// Commits all there is, and gives the commit.
    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// A clone beside this one, in which work goes on.
    pub(crate) fn clone(self, args: &[&str]) -> Self {
        let url = format!("file://{}", self.at.display());
        git(self.dir.path(), &[&["clone", "-q"], args, &[&url, "clone"]].concat());
        Self { at: self.dir.path().join("clone"), dir: self.dir }
    }

    /// `list` with this `--diff` and environment: the files that would be sent, and the notes.
    pub(crate) fn list(&self, diff: &str, env: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let ran = self.run(&["list", &format!("--diff={diff}"), "-o", "json"], env, "");
        listed(&ran.json())
    }

    /// Runs the binary in the repository, with this on its standard input.
    pub(crate) fn run(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Finished {
        let mut command = common::hss_iac(&self.at);
        command.args(args).env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(env.iter().copied());
        with_stdin(command, stdin)
    }

    /// Writes the event of a GitHub run and gives the variables that point to it.
    pub(crate) fn github(&self, name: &'static str, event: &Value) -> Vec<(&'static str, String)> {
        let path = self.beside("event.json");
        std::fs::write(&path, event.to_string()).expect("an event");
        vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("CI", "true".to_owned()),
            ("GITHUB_EVENT_NAME", name.to_owned()),
            ("GITHUB_EVENT_PATH", path.display().to_string()),
        ]
    }
}

/// Runs git in a directory, without the settings of the machine.
pub(crate) fn git(at: &Path, args: &[&str]) -> String {
    let settings = ["user.name=a", "user.email=a@example.test", "protocol.file.allow=always", "commit.gpgSign=false"];
    let mut command = Command::new("git");
    command.current_dir(at).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for setting in settings {
        command.args(["-c", setting]);
    }
    let output = command.args(args).output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn with_stdin(mut command: Command, stdin: &str) -> Finished {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // Who does not read it may have ended by now.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
    child.wait_with_output().expect("it ends").into()
}

/// The files that would be sent, and the notes with the ids of commits as `<id>`.
pub(crate) fn listed(listing: &Value) -> (Vec<String>, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let files = listing["files"].as_array().expect("files");
    let sent = files.iter().filter(|file| file["state"] == json!("would_send")).map(|file| text(&file["path"])).collect();
    let notes = listing["notes"].as_array().expect("notes").iter().map(|note| without_ids(&text(note))).collect();
    (sent, notes)
}

/// The text with every word of 12 or more hex digits as `<id>`.
pub(crate) fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let split: Vec<&str> = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).collect();
    let shown = |part: &&str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_id(word) { format!("<id>{}", &part[word.len()..]) } else { (*part).to_owned() }
    };
    split.iter().map(shown).collect()
}
