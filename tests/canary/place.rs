//! Where commands run with the secrets, and what they write is searched.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use clap::CommandFactory as _;
use hss_iac::cli::Cli;
use hss_iac::emulator::Emulator;

use crate::common::{self, BAD_DOCKERFILE, Repo, clean_manifest};
use crate::sources::{Search, Source, canary, secrets, sources};

/// A place to run in: a repository with a commit, a git that tells what it was asked, a home with secrets.
pub(crate) struct Place {
    repo: Repo,
    pub(crate) written: tempfile::TempDir,
    home: tempfile::TempDir,
    /// The files that were searched.
    seen: RefCell<BTreeSet<(PathBuf, Vec<u8>)>>,
}

impl Place {
    pub(crate) fn new() -> Self {
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
    pub(crate) fn command(&self, source: &Source, endpoint: &str, args: &[&str]) -> Command {
        let mut command = common::hss_iac(self.repo.path());
        command.args(args).env("HSS_IAC_REGION", "cn-north-4").env("HSS_IAC_TIMEOUT", "20s");
        command.env("PATH", self.written.path().join("bin")).env("HOME", self.home.path());
        for name in ["HSS_IAC_ENDPOINT", "HSS_IAC_IAM_ENDPOINT", "HSS_IAC_STS_ENDPOINT", "HSS_IAC_METADATA_ENDPOINT"] {
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
    pub(crate) fn written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let roots = [self.repo.path(), self.written.path(), self.home.path()];
        let entries = roots.into_iter().flat_map(|root| walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok));
        let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
        let files = files.map(|path| (path.clone(), std::fs::read(path).expect("a file")));
        let mut seen = self.seen.borrow_mut();
        files.filter(|file| seen.insert(file.clone())).collect()
    }
}

/// Every command of the program, as it is typed.
pub(crate) fn leaves() -> BTreeSet<String> {
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

pub(crate) fn which(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file()).expect("git")
}

/// What was run, and how much was looked through.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) commands: BTreeSet<String>,
    pub(crate) runs: usize,
    pub(crate) bytes: usize,
    /// How often something was taken out of a message.
    pub(crate) hidden: usize,
    pub(crate) hits: Vec<String>,
    /// How many of the secrets that were searched for had been obtained.
    pub(crate) issued: usize,
}

/// Does the same with the credentials of each source, all at once: most of the time is spent waiting. Gives how many secrets were searched
/// for too.
pub(crate) fn with_each(of: impl Fn(&Source) -> bool, what: impl Fn(&Source, &Search, &mut Count) + Sync) -> (usize, Count) {
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
        whole.issued += count.issued;
    }
    (all.len(), whole)
}

impl Count {
    #[expect(clippy::print_stdout, reason = "--nocapture shows what was done")]
    pub(crate) fn say(&self, what: &str, secrets: usize) {
        let Self { commands, runs, bytes, hits, issued, .. } = self;
        let (commands, hits) = (commands.len(), hits.len());
        println!(
            "canaries {what}: {secrets} secrets and {issued} that were obtained, {commands} commands, {runs} runs, {bytes} bytes searched, {hits} hits"
        );
    }

    pub(crate) fn search(&mut self, what: &str, text: &[u8], search: &Search) {
        self.bytes += text.len();
        self.hidden += memchr::memmem::find_iter(text, "(hidden)").count();
        self.hits.extend(search.first(text).map(|found| format!("{what}: {found}")));
    }

    /// Runs a command and searches all that it writes, for what the stand-in gave away too.
    pub(crate) fn run(&mut self, place: &Place, mut command: Command, search: &Search, emulator: &Emulator) -> i32 {
        let words: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let output = command.output().expect("the binary runs");
        let leaf = leaves().into_iter().find(|leaf| format!("{} ", words.join(" ")).starts_with(&format!("{leaf} ")));
        self.commands.extend(leaf);
        self.runs += 1;
        let issued = emulator.issued();
        self.issued += issued.len();
        let issued = (!issued.is_empty()).then(|| Search::of(&issued));
        let told = [output.stdout, output.stderr].map(|text| (words.join(" "), text));
        let written = place.written().into_iter().map(|(path, text)| (path.display().to_string(), text));
        for (what, text) in told.into_iter().chain(written) {
            self.search(&what, &text, search);
            self.hits.extend(issued.iter().filter_map(|issued| issued.first(&text)).map(|found| format!("{what}: {found}")));
        }
        output.status.code().unwrap_or(-1)
    }
}

pub(crate) const REPORTS: &str = "json=OUT/result.json,sarif=OUT/r.sarif,junit=OUT/r.xml,gitlab-codequality=OUT/cq.json,gitlab-sast=OUT/sast.json,\
     github=OUT/annotations,github-summary=OUT/summary.md,github-output=OUT/outputs,markdown=OUT/r.md,html=OUT/r.html,table";

/// What a command is run with; every command of the program has to stand here.
pub(crate) fn invocations(command: &str, out: &str) -> Vec<Vec<String>> {
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
