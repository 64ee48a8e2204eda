//! What can be typed. Records it and decides nothing.

mod cluster;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
mod policy;
mod saved;
mod tools;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};

pub use self::cluster::ClusterScan;
pub use self::doctor::Doctor;
#[cfg(feature = "emulator")]
pub use self::emulator::Emulator;
pub use self::policy::{Config, Document, Init, Schema};
pub use self::saved::{Baseline, Render, Resume};
pub use self::tools::{Cache, CacheAct, CacheDir, Completions, Hook, HookAct, Man};
pub(crate) use self::values::limits;
pub use self::values::{Color, Form, Format, IfEmpty, Mapping, Max, OnFault, Output, Pacing, Rate, Side, Switch};
use self::values::{duration, yes_or_no};
use crate::diff::Mode;
use crate::model::{FailOn, Level};

/// Scan a repository's Dockerfiles and Kubernetes YAML with Huawei Cloud Host Security Service (HSS).
#[derive(Debug, Parser)]
#[command(name = "hss-iac", bin_name = "hss-iac", version, max_term_width = 120, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The command line. A variable that is blank, as CI platforms leave it where nothing is meant, counts as none.
pub fn command(env: &dyn Fn(&str) -> Option<String>) -> clap::Command {
    let is_blank = |arg: &clap::Arg| {
        let name = arg.get_env().and_then(std::ffi::OsStr::to_str);
        name.and_then(env).is_some_and(|value| value.trim().is_empty())
    };
    let unset = |arg: clap::Arg| if is_blank(&arg) { arg.env(clap::builder::Resettable::Reset) } else { arg };
    Cli::command().mut_subcommands(|command| command.mut_args(unset))
}

/// The error with the name of the variable whose value it is about: who set that never typed the flag that the error names.
pub fn with_variable(mut error: clap::Error, env: &dyn Fn(&str) -> Option<String>) -> clap::Error {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return error };
    let flag = named.split(' ').next().unwrap_or_default().to_owned();
    let is_typed = std::env::args_os().any(|typed| typed.to_string_lossy().split('=').next() == Some(&flag));
    let command = Cli::command();
    let mut args = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let arg = args.find(|arg| arg.get_long() == flag.strip_prefix("--") && arg.get_env().is_some());
    let variable = arg.and_then(|arg| arg.get_env()?.to_str()).filter(|name| !is_typed && env(name).is_some());
    if let Some(name) = variable {
        let tip = format!("the value comes from the variable {name}").into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

const EXIT_CODES: &str = "\
Exit codes:
    0  pass; with --no-wait: submitted
    1  a finding reaches the gate
    2  usage or configuration error
    3  nothing to scan, with --if-empty fail
    4  credentials missing or refused, or no permission
    5  service unreachable or failing, or the API is not published there
    6  timed out waiting; `hss-iac resume` can go on
    7  partial: a file or a cluster was not scanned, and no finding reached the gate
    8  a report could not be written
   70  a bug of hss-iac
  130  interrupted
  143  terminated
Where several hold, the first of 130 and 143, 2, 1, 4, 5, 6, 7, 8, 3, 0 is the exit code.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Discover, upload, scan, wait, report, judge
    Scan(Box<Scan>),
    /// Show what scan would send and skip, with reasons, and the calls and time it needs; no network
    List(List),
    /// Go on with a scan or a cluster-scan that was cut off or not waited for, from its JSON result
    Resume(Box<Resume>),
    /// Have HSS scan clusters, after a deployment, and say which succeeded
    ClusterScan(Box<ClusterScan>),
    /// Write reports from a saved JSON result, as the scan would have; no network
    Render(Render),
    /// Write the baseline of a saved JSON result: what is known already and does not decide
    Baseline(Baseline),
    /// Check the way to HSS: proxy, name, TLS, clock, credentials, project, permission
    Doctor(Box<Doctor>),
    /// Show every effective value of a scan and where it comes from
    Config(Box<Config>),
    /// Write a commented hss-iac.toml at the root of the repository
    Init(Init),
    /// Print the JSON Schema of a result, hss-iac.toml, the baseline or what doctor found
    Schema(Schema),
    /// Have git scan what is pushed, before it is
    Hook(Hook),
    /// Look through the verdicts that are kept
    Cache(Cache),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page, in roff
    Man(Man),
    /// Run the stand-in for HSS and IAM on this machine
    #[cfg(feature = "emulator")]
    Emulator(Emulator),
}

/// `scan`.
#[derive(Debug, Args)]
pub struct Scan {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) gate: Gate,
    #[command(flatten)]
    pub(crate) known: Known,
    #[command(flatten)]
    pub(crate) report: Report,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) pace: Pace,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Say step by step why this path is taken or not; without a path, how --diff finds its base
    #[arg(long, value_name = "PATH", help_heading = "Report", num_args = 0..=1)]
    pub(crate) explain: Option<Vec<PathBuf>>,
    /// Print a table or the JSON of the plan
    #[arg(short, long, value_name = "FORMAT", default_value = "table", help_heading = "Report")]
    pub(crate) output: Form,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

impl List {
    /// What to explain: a path, or without one the change.
    pub fn explain(&self) -> Option<Explain<'_>> {
        self.explain.as_ref().map(|path| path.first().map_or(Explain::Change, |path| Explain::Path(path)))
    }

    /// How to print.
    pub fn format(&self) -> Form {
        self.output
    }
}

/// What `list --explain` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explain<'a> {
    /// Why this path is taken or not.
    Path(&'a std::path::Path),
    /// How `--diff` finds its base.
    Change,
}

/// What to take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// Files, directories or glob patterns to look at
    #[arg(value_name = "PATHS", default_value = ".")]
    pub(crate) paths: Vec<OsString>,
    /// Take only what matches, even where .gitignore hides it (repeatable)
    #[arg(long, value_name = "GLOB", env = "HSS_IAC_INCLUDE", value_delimiter = '\n')]
    pub(crate) include: Vec<String>,
    /// Leave out what matches (repeatable)
    #[arg(long, value_name = "GLOB", env = "HSS_IAC_EXCLUDE", value_delimiter = '\n')]
    pub(crate) exclude: Vec<String>,
    /// Take what matches for a `dockerfile` or `k8s_yaml` (repeatable)
    #[arg(long, value_name = "GLOB=TYPE", env = "HSS_IAC_MAP", value_delimiter = '\n')]
    pub(crate) map: Vec<Mapping>,
    /// Take only what changed since the merge base of REV, or: `auto` finds the base out, `staged` takes what is staged,
    /// `pre-push` what git tells a hook, `off` all
    #[arg(long, value_name = "REV", env = "HSS_IAC_DIFF", default_value = "off")]
    pub(crate) diff: Mode,
    /// With a known base, whose hss-iac.toml, baseline and ignore comments count
    #[arg(long, value_name = "base|head", env = "HSS_IAC_POLICY_FROM", default_value = "base", hide_possible_values = true)]
    pub(crate) policy_from: Side,
    /// Take only what git's index holds, without walking the tree
    #[arg(long, env = "HSS_IAC_TRACKED", value_parser = yes_or_no())]
    pub(crate) tracked: bool,
    /// Do not honour .gitignore
    #[arg(long, env = "HSS_IAC_NO_IGNORE", value_parser = yes_or_no())]
    pub(crate) no_ignore: bool,
    /// Replace the values of Secrets, in the same length, before a file is sent
    #[arg(long, value_name = "on|off", env = "HSS_IAC_MASK_SECRETS", default_value = "on", hide_possible_values = true)]
    pub(crate) mask_secrets: Switch,
    /// Read this in place of the hss-iac.toml at the root of the repository
    #[arg(long, value_name = "FILE", env = "HSS_IAC_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct Gate {
    /// The lowest level that fails the run
    #[arg(long, value_name = "LEVEL", env = "HSS_IAC_FAIL_ON", default_value = "high")]
    pub(crate) fail_on: FailOn,
    /// Fail where more than N findings stand at a level
    #[arg(long, value_name = "LEVEL=N", env = "HSS_IAC_MAX", value_delimiter = ',')]
    pub(crate) max: Vec<Max>,
    /// Let only findings decide that the change touches
    #[arg(long, env = "HSS_IAC_CHANGED_ONLY", value_parser = yes_or_no())]
    pub(crate) changed_only: bool,
    #[command(flatten)]
    pub(crate) lenience: Lenience,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct Lenience {
    /// What to do where a file of ours or a cluster was not scanned
    #[arg(long, value_name = "WHAT", env = "HSS_IAC_ON_PARTIAL", default_value = "fail")]
    pub(crate) on_partial: OnFault,
    /// What to do where the service fails or the time is over
    #[arg(long, value_name = "WHAT", env = "HSS_IAC_ON_SERVICE_ERROR", default_value = "fail")]
    pub(crate) on_service_error: OnFault,
    /// What to do where there is nothing to scan
    #[arg(long, value_name = "WHAT", env = "HSS_IAC_IF_EMPTY", default_value = "pass")]
    pub(crate) if_empty: IfEmpty,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Gate")]
pub(crate) struct Known {
    /// Let only findings decide that do not stand in this baseline
    #[arg(long, value_name = "FILE", env = "HSS_IAC_BASELINE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Do not honour `# hss-iac: ignore[RULE] reason` in the files
    #[arg(long, env = "HSS_IAC_NO_INLINE_IGNORES", value_parser = yes_or_no())]
    pub(crate) no_inline_ignores: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct Report {
    /// A report, on stdout or in a file (repeatable); a table on stdout where nothing is said
    #[arg(short, long, value_name = "FORMAT[=PATH]", env = "HSS_IAC_OUTPUT", value_delimiter = ',')]
    pub(crate) output: Vec<Output>,
    /// Write the reports that a platform compares or closes alerts by although only what changed was scanned
    #[arg(long = "allow-partial-report", env = "HSS_IAC_ALLOW_PARTIAL_REPORT", value_parser = yes_or_no())]
    pub(crate) allow_partial: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct Shown {
    /// The lowest level that human reports show; changes neither the verdict nor the JSON
    #[arg(long, value_name = "LEVEL", env = "HSS_IAC_REPORT_LEVEL", default_value = "tips")]
    pub(crate) report_level: Level,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The region id, such as cn-north-4
    #[arg(long, value_name = "ID", env = "HSS_IAC_REGION")]
    pub(crate) region: Option<String>,
    /// The project id; looked up by region where missing
    #[arg(long, value_name = "ID", env = "HSS_IAC_PROJECT_ID")]
    pub(crate) project_id: Option<String>,
    /// The enterprise project id
    #[arg(long, value_name = "ID", env = "HSS_IAC_ENTERPRISE_PROJECT_ID")]
    pub(crate) enterprise_project_id: Option<String>,
    /// The HSS endpoint, where it is not the region's; plain http only to loopback
    #[arg(long, value_name = "URL", env = "HSS_IAC_ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// The IAM endpoint, where it is not the region's
    #[arg(long, value_name = "URL", env = "HSS_IAC_IAM_ENDPOINT")]
    pub(crate) iam_endpoint: Option<String>,
    /// The STS endpoint, where it is not the region's; called only for keyless credentials
    #[arg(long, value_name = "URL", env = "HSS_IAC_STS_ENDPOINT")]
    pub(crate) sts_endpoint: Option<String>,
    /// PEM certificates to trust beside the system's
    #[arg(long, value_name = "FILE", env = "HSS_IAC_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Scan against the built-in stand-in: no account needed, and not a verdict of HSS
    #[cfg(feature = "emulator")]
    #[arg(long)]
    pub(crate) emulator: bool,
    /// Accept a stand-in where CI is set
    #[arg(long, env = "HSS_IAC_ALLOW_STAND_IN", value_parser = yes_or_no())]
    pub(crate) allow_stand_in: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub(crate) struct Waiting {
    /// How long the whole run may take
    #[arg(long, value_name = "DUR", env = "HSS_IAC_TIMEOUT", default_value = "30m", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Submit and go; the result is pending
    #[arg(long, env = "HSS_IAC_NO_WAIT", value_parser = yes_or_no())]
    pub(crate) no_wait: bool,
    /// Calls of one API in a time, such as 5/1m, from the first call on; auto learns what the service allows
    #[arg(long, value_name = "CALLS/DUR|auto", env = "HSS_IAC_RATE", default_value = "auto")]
    pub(crate) rate: Pacing,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub(crate) struct Pace {
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    /// Requests in flight at most
    #[arg(long, value_name = "N", env = "HSS_IAC_JOBS", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,
    /// Keep verdicts here, and take those of bytes that were scanned before
    #[arg(long, value_name = "DIR", env = "HSS_IAC_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// How old a verdict may be that is taken again
    #[arg(long, value_name = "DUR", env = "HSS_IAC_CACHE_TTL", default_value = "24h", value_parser = duration)]
    pub(crate) cache_ttl: Duration,
    /// Calls for the places of Kubernetes risks at most
    #[arg(long, value_name = "N", env = "HSS_IAC_MAX_PATH_CALLS", default_value_t = 25)]
    pub(crate) max_path_calls: usize,
}

/// How to talk.
#[derive(Debug, Args)]
#[command(next_help_heading = "Talk")]
pub struct Talk {
    /// No progress; warnings are still said
    #[arg(short, long, env = "HSS_IAC_QUIET", value_parser = yes_or_no())]
    pub(crate) quiet: bool,
    /// More: which credentials, a line for each call, and what to do about each finding
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, value_name = "WHEN", env = "HSS_IAC_COLOR", default_value = "auto")]
    pub(crate) color: Color,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
