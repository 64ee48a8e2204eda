//! What was typed and what stands in the environment become one checked value. Touches no network.

mod change;
mod cluster;
mod connection;
mod doctor;
mod effective;
mod outputs;
mod policy;
mod resume;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::ColorChoice;
use clap::ArgMatches;
use secrecy::SecretString;

pub use self::change::Change;
pub use self::cluster::Cluster;
pub use self::connection::{Service, Target};
use self::connection::{whom, whom_to_send_to};
pub use self::doctor::Doctor;
pub use self::effective::config;
pub use self::outputs::Partial;
use self::outputs::{outputs, partial};
pub use self::policy::Baseline;
use self::policy::{Loaded, Rulebook};

use crate::cli::{self, IfEmpty, OnFault, Output, Pacing};
use crate::diff::Scratch;
use crate::error::Error;
use crate::hss::Timings;
use crate::judge::{Rules, suppress};
use crate::model::{FileType, KnownFinding, Level, Policy, RepoPath, ScanResult};
use crate::{discover, hss};

/// Reads one environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

const NO_REGION: &str =
    "no region: set HSS_IAC_REGION or --region, such as cn-north-4 (or try it without an account: --emulator)";

/// How to talk.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// No progress.
    pub quiet: bool,
    /// How much more.
    pub verbose: u8,
    /// Colour.
    pub color: ColorChoice,
}

/// Everything `scan` needs.
#[derive(Debug)]
pub struct Scan {
    /// What to take.
    pub input: discover::Options,
    /// How to judge.
    pub rules: Rules,
    /// What the repository says does not count.
    pub suppress: Vec<suppress::Entry>,
    /// Whether comments in the files may say so too.
    pub inline_ignores: bool,
    /// What is known already.
    pub baseline: Option<Baseline>,
    /// Reports, in the order typed; never empty.
    pub outputs: Vec<Output>,
    /// What human reports show.
    pub report_level: Level,
    /// Where to call.
    pub target: Target,
    /// Whether a stand-in may answer.
    pub stand_in_allowed: bool,
    /// The whole run.
    pub timeout: Duration,
    /// Submit and go.
    pub no_wait: bool,
    /// Requests in flight.
    pub jobs: usize,
    /// How fast; what the service allows is learnt where `None`.
    pub rate: Option<hss::Limit>,
    /// Calls for places.
    pub max_path_calls: usize,
    /// The CI platform: `github` or `gitlab`.
    pub provider: Option<String>,
    /// Where verdicts are kept, if anywhere.
    pub cache: Option<Verdicts>,
    /// What `--diff` came to, where it was asked for.
    pub change: Option<Change>,
    /// Which reports of a change are written.
    pub partial: Partial,
    /// How to talk.
    pub talk: Talk,
    /// How long things take; only tests change it.
    pub timings: Timings,
}

/// Verdicts of earlier runs.
#[derive(Debug)]
pub struct Verdicts {
    /// Where they are kept.
    pub directory: PathBuf,
    /// How old one may be.
    pub ttl: Duration,
    /// What they are sealed under, where that is not the secret key.
    pub key: Option<SecretString>,
}

impl Scan {
    /// Whether the built-in stand-in answers, which has no limit.
    pub(crate) fn stands_in(&self) -> bool {
        !matches!(self.target, Target::Service(_))
    }

    /// Checks what was typed, and what the repository says where nothing was.
    pub fn new(cli: cli::Scan, matches: &ArgMatches, env: Env<'_>, cwd: &Path, scratch: &Scratch) -> Result<Self, Error> {
        Self::check(cli, matches, env, cwd, scratch, None)?.1.ok_or_else(|| Error::Usage(NO_REGION.to_owned()))
    }

    /// The same with what the repository says; nothing where only a region is missing. Everything that a scan refuses before it starts is
    /// refused here, so that `config` can't call sound what a scan does not take. `saved` is the result of a run that is gone on with.
    fn check(
        mut cli: cli::Scan,
        matches: &ArgMatches,
        env: Env<'_>,
        cwd: &Path,
        scratch: &Scratch,
        saved: Option<&ScanResult>,
    ) -> Result<(Loaded, Option<Self>), Error> {
        let (stand_in_allowed, target) = whom_to_send_to(&cli.connection, env)?;
        let Taken { mut input, mut loaded, mut change } = input(&mut cli.input, matches, saved.is_none(), env, cwd)?;
        if let Some(saved) = saved {
            resume::policy_of(saved, &mut loaded, &mut cli.known);
        }
        policy::fill_gate(&mut cli.gate, &mut cli.report.shown, matches, &loaded.file);
        policy::fill_pace(&mut cli.pace, &mut cli.known, matches, &loaded.file);
        let rules = Rulebook { root: &input.root, base: change.as_ref().and_then(Change::rules) };
        let baseline = policy::baseline(cli.known.baseline.as_deref(), loaded.file.baseline.as_ref(), rules, cwd)?;
        if let Some(change) = &mut change {
            let in_tree = |path: &Option<PathBuf>| {
                path.as_ref().map(|path| Rulebook { root: &input.root, base: None }.inside(&cwd.join(path)))
            };
            let config = in_tree(&cli.input.config).unwrap_or(Some(crate::config::NAME.into()));
            let said = || policy::path_in_tree(&loaded.file.baseline.as_ref()?.0).ok();
            let known = in_tree(&cli.known.baseline).unwrap_or_else(said);
            change.compare_rules(&input.root, config.as_ref(), known.as_ref());
            change.lay_out(&mut input, scratch)?;
        }
        let partial = partial(cli.report.allow_partial, env);
        let outputs = outputs(cli.report.output, None, env)?;
        let suppress = policy::suppressions(&loaded);
        let scan = target.map(|target| Self {
            input,
            rules: Rules {
                policy: Policy {
                    fail_on: cli.gate.fail_on,
                    max: cli::limits(&cli.gate.max),
                    changed_only: cli.gate.changed_only,
                    baseline: baseline.as_ref().map(|baseline| baseline.name.clone()),
                },
                soften_partial: cli.gate.lenience.on_partial == OnFault::Warn,
                soften_service: cli.gate.lenience.on_service_error == OnFault::Warn,
                fail_if_empty: cli.gate.lenience.if_empty == IfEmpty::Fail,
            },
            suppress,
            inline_ignores: !cli.known.no_inline_ignores,
            baseline,
            outputs,
            report_level: cli.report.shown.report_level,
            target,
            stand_in_allowed,
            timeout: cli.pace.waiting.timeout,
            no_wait: cli.pace.waiting.no_wait,
            jobs: usize::from(cli.pace.jobs),
            rate: match cli.pace.waiting.rate {
                Pacing::Auto => None,
                Pacing::At(rate) => Some(hss::Limit { calls: rate.calls as usize, window: rate.window }),
            },
            max_path_calls: cli.pace.max_path_calls,
            provider: provider(env),
            cache: cli.pace.cache_dir.map(|directory| Verdicts {
                directory: cwd.join(directory),
                ttl: cli.pace.cache_ttl,
                key: env("HSS_IAC_CACHE_KEY").filter(|key| !key.trim().is_empty()).map(SecretString::from),
            }),
            change,
            partial,
            talk: talk(&cli.talk),
            timings: Timings::default(),
        });
        Ok((loaded, scan))
    }
}

/// How to talk.
pub fn talk(cli: &cli::Talk) -> Talk {
    Talk { quiet: cli.quiet, verbose: cli.verbose, color: cli.color.into() }
}

fn resolve(cli: &cli::Input, cwd: &Path) -> Result<(PathBuf, Vec<discover::Selection>), Error> {
    Ok(discover::resolve(cwd, &cli.paths)?)
}

/// What to take, what the repository says besides, and the change that it is about.
struct Taken {
    input: discover::Options,
    loaded: Loaded,
    change: Option<Change>,
}

fn input(cli: &mut cli::Input, matches: &ArgMatches, with_file: bool, env: Env<'_>, cwd: &Path) -> Result<Taken, Error> {
    let (root, selections) = resolve(cli, cwd)?;
    let change = Change::find(cli, &root, env);
    let rules = Rulebook { root: &root, base: change.as_ref().and_then(Change::rules) };
    let loaded = policy::load(cli.config.as_deref(), rules, cwd)?;
    if with_file {
        policy::fill_input(cli, matches, &loaded.file);
    }
    let patterns = |globs: &[String]| globs.iter().map(|glob| discover::pattern(glob)).collect::<Result<Vec<_>, _>>();
    let map: Result<Vec<(glob::Pattern, FileType)>, discover::Error> =
        cli.map.iter().map(|mapping| Ok((discover::pattern(&mapping.glob)?, mapping.file_type))).collect();
    let input = discover::Options {
        root,
        selections,
        include: patterns(&cli.include)?,
        exclude: patterns(&cli.exclude)?,
        map: map?,
        no_ignore: cli.no_ignore,
        tracked: cli.tracked,
        mask_secrets: cli.mask_secrets == cli::Switch::On,
    };
    Ok(Taken { input, loaded, change })
}

fn provider(env: Env<'_>) -> Option<String> {
    let set = |name: &str| env(name).is_some_and(|value| value == "true");
    [("GITHUB_ACTIONS", "github"), ("GITLAB_CI", "gitlab")]
        .into_iter()
        .find(|(variable, _)| set(variable))
        .map(|(_, provider)| provider.to_owned())
}

fn in_ci(env: Env<'_>) -> bool {
    env("CI").is_some_and(|ci| !ci.is_empty() && ci != "false" && ci != "0")
}

/// Everything `render` needs.
#[derive(Debug)]
pub struct Render {
    /// The saved result; `-` is stdin.
    pub result: PathBuf,
    /// Reports, in the order typed; never empty.
    pub outputs: Vec<Output>,
    /// Which reports of a change are written.
    pub partial: Partial,
    /// What human reports show.
    pub report_level: Level,
    /// How to talk.
    pub talk: Talk,
}

impl Render {
    /// Checks what was typed.
    pub fn new(cli: cli::Render, env: Env<'_>) -> Result<Self, Error> {
        let read = Some(cli.result.as_path()).filter(|result| *result != Path::new("-"));
        Ok(Self {
            outputs: outputs(cli.report.output, read, env)?,
            partial: partial(cli.report.allow_partial, env),
            result: cli.result,
            report_level: cli.report.shown.report_level,
            talk: talk(&cli.talk),
        })
    }
}

/// Everything `baseline` needs.
#[derive(Debug)]
pub struct Update {
    /// The saved result; `-` is stdin.
    pub result: PathBuf,
    /// The baseline to write.
    pub baseline: PathBuf,
    /// What stands in it.
    pub old: Vec<KnownFinding>,
    /// Whether the result of a stand-in will do.
    pub force: bool,
}

impl Update {
    /// Finds the baseline as a scan does, and reads what stands in it.
    pub fn new(cli: cli::Baseline, cwd: &Path) -> Result<Self, Error> {
        let root = root(cwd)?;
        let loaded = policy::load(cli.config.as_deref(), Rulebook { root: &root, base: None }, cwd)?;
        let (baseline, old) = policy::old_baseline(cli.file.as_deref(), loaded.file.baseline.as_ref(), &root, cwd)?;
        Ok(Self { result: cli.result, baseline, old, force: cli.force })
    }
}

/// The root of the repository around `cwd`.
pub fn root(cwd: &Path) -> Result<PathBuf, Error> {
    Ok(discover::resolve(cwd, &[])?.0)
}

/// What `list` needs.
#[derive(Debug)]
pub struct List {
    /// What to take.
    pub input: discover::Options,
    /// The root of the repository, also where the files that are meant stand elsewhere.
    pub root: PathBuf,
    /// What `--diff` came to, where it was asked for.
    pub change: Option<Change>,
    /// How to talk.
    pub talk: Talk,
}

/// Checks what was typed for `list`.
pub fn list(cli: &mut cli::List, matches: &ArgMatches, env: Env<'_>, cwd: &Path, scratch: &Scratch) -> Result<List, Error> {
    let Taken { mut input, mut change, .. } = input(&mut cli.input, matches, true, env, cwd)?;
    let root = input.root.clone();
    if let Some(change) = &mut change {
        change.lay_out(&mut input, scratch)?;
    }
    Ok(List { input, root, change, talk: talk(&cli.talk) })
}

/// The path that `list --explain` asks about, relative to the root.
pub fn explained(root: &Path, cwd: &Path, path: &Path) -> Result<RepoPath, Error> {
    let outside = || Error::Usage(format!("{} is not below {}", path.display(), root.display()));
    let absolute = std::path::absolute(cwd.join(path)).map_err(|_| outside())?;
    let relative = absolute.strip_prefix(root).map_err(|_| outside())?;
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in relative.components() {
        match part {
            std::path::Component::Normal(part) => parts.push(part.as_encoded_bytes()),
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(parts.pop().ok_or_else(outside)?),
            std::path::Component::Prefix(_) | std::path::Component::RootDir => return Err(outside()),
        }
    }
    Ok(RepoPath::new(parts.join(&b'/')))
}

/// What `emulator` needs.
#[cfg(feature = "emulator")]
pub fn emulator(cli: cli::Emulator) -> crate::emulator::Options {
    let usual = crate::emulator::Options::default();
    crate::emulator::Options {
        listen: cli.listen,
        access_key: cli.access_key.unwrap_or(usual.access_key),
        secret_key: cli.secret_key.unwrap_or(usual.secret_key),
        token: cli.token.unwrap_or(usual.token),
        project_id: cli.project_id.unwrap_or(usual.project_id),
        throttle: cli.throttle.map(|rate| (rate.calls, rate.window)),
        latency: cli.latency.unwrap_or(usual.latency),
        fault_rate: cli.fault_rate,
        seed: cli.seed,
        scan_time: cli.scan_time.unwrap_or(usual.scan_time),
        ..usual
    }
}
