//! What `cluster-scan` needs. All that the service documents of the request is checked here, before a call is made.

use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, Command};

use super::resume::{fill_connection, is_the_same_place};
use super::{Env, Talk, Target, outputs, provider, talk, whom};
use crate::cli::{self, Format, IfEmpty, OnFault, Output, Pacing};
use crate::error::Error;
use crate::hss::{self, Timings};
use crate::judge::Lenience;
use crate::model::{ClusterRequest, ClusterResult, RangeType};
use crate::scan::task_of;

/// Everything `cluster-scan` needs.
#[derive(Debug)]
pub struct Cluster {
    /// What to ask for.
    pub request: ClusterRequest,
    /// What does not fail the run.
    pub lenience: Lenience,
    /// Tables and JSON, in the order typed; never empty.
    pub outputs: Vec<Output>,
    /// Where to call.
    pub target: Target,
    /// Whether a stand-in may answer.
    pub stand_in_allowed: bool,
    /// The whole run.
    pub timeout: Duration,
    /// Create the task and go.
    pub no_wait: bool,
    /// How fast; what the service allows is learnt where `None`.
    pub rate: Option<hss::Limit>,
    /// The CI platform: `github` or `gitlab`.
    pub provider: Option<String>,
    /// How to talk.
    pub talk: Talk,
    /// How long things take; only tests change it.
    pub timings: Timings,
}

impl Cluster {
    /// Checks what was typed.
    pub fn new(mut cli: cli::ClusterScan, matches: &ArgMatches, env: Env<'_>) -> Result<Self, Error> {
        typed_range_wins(&mut cli, matches);
        let request = request(&cli)?;
        Self::check(cli, request, matches, env)
    }

    /// Checks what was typed against the result that a run left.
    pub fn resume(cli: cli::Resume, saved: &ClusterResult, matches: &ArgMatches, env: Env<'_>) -> Result<Self, Error> {
        only_of_clusters(matches)?;
        let cli::Resume { result, gate, report, mut connection, pace, talk, .. } = cli;
        super::resume::can_go_on(&connection, &result)?;
        fill_connection(&mut connection, &saved.service, env);
        let mut output = report.output;
        super::resume::keep_result(&mut output, result);
        let cli = cli::ClusterScan {
            types: Vec::new(),
            all: false,
            cluster: Vec::new(),
            retry_failed: false,
            lenience: gate.lenience,
            output,
            connection,
            waiting: pace.waiting,
            talk,
        };
        let settings = Self::check(cli, saved.request.clone(), matches, env)?;
        is_the_same_place(&settings.target, settings.stand_in_allowed, &saved.service)?;
        Ok(settings)
    }

    fn check(cli: cli::ClusterScan, request: ClusterRequest, matches: &ArgMatches, env: Env<'_>) -> Result<Self, Error> {
        let (stand_in_allowed, target) = whom(&cli.connection, env)?;
        let target = target.ok_or_else(|| Error::Usage(super::NO_REGION.to_owned()))?;
        hss::check_task(&task_of(&request))?;
        Ok(Self {
            request,
            lenience: Lenience {
                soften_partial: cli.lenience.on_partial == OnFault::Warn,
                soften_service: cli.lenience.on_service_error == OnFault::Warn,
                fail_if_empty: cli.lenience.if_empty == IfEmpty::Fail,
            },
            outputs: outputs(tables_and_json(cli.output, is_typed(matches, "output"))?, None, env)?,
            target,
            stand_in_allowed,
            timeout: cli.waiting.timeout,
            no_wait: cli.waiting.no_wait,
            rate: match cli.waiting.rate {
                Pacing::Auto => None,
                Pacing::At(rate) => Some(hss::Limit { calls: rate.calls as usize, window: rate.window }),
            },
            provider: provider(env),
            talk: talk(&cli.talk),
            timings: Timings::default(),
        })
    }
}

/// Refuses what was typed that means nothing to clusters. Variables are set for every command of a pipeline, and are passed over.
fn only_of_clusters(matches: &ArgMatches) -> Result<(), Error> {
    let ours = cli::ClusterScan::augment_args(Command::new(""));
    let all = cli::Resume::augment_args(Command::new(""));
    let foreign = all.get_arguments().find(|arg| {
        let id = arg.get_id();
        is_typed(matches, id.as_str()) && !arg.is_positional() && !ours.get_arguments().any(|of_ours| of_ours.get_id() == id)
    });
    foreign.map_or(Ok(()), |arg| {
        let flag = arg.get_long().unwrap_or_default();
        Err(Error::Usage(format!("--{flag} means nothing to a cluster-scan: leave it out")))
    })
}

/// What was typed, in the service's words. Naming a thing twice is naming it.
fn request(cli: &cli::ClusterScan) -> Result<ClusterRequest, Error> {
    let once = |words: &[String]| {
        let mut all: Vec<String> = Vec::new();
        for word in words.iter().map(|word| word.trim()) {
            if !all.iter().any(|known| known == word) {
                all.push(word.to_owned());
            }
        }
        all
    };
    let range_type = match (cli.all, cli.cluster.is_empty()) {
        (true, true) => RangeType::AllCluster,
        (false, false) => RangeType::SpecificCluster,
        (true, false) => {
            let text = "range_type: --all is all_cluster and --cluster is specific_cluster; leave one of them out";
            return Err(Error::Usage(text.to_owned()));
        }
        (false, true) => {
            let text = "range_type: say --all (all_cluster), or --cluster ID (specific_cluster)";
            return Err(Error::Usage(text.to_owned()));
        }
    };
    Ok(ClusterRequest {
        scan_types: once(&cli.types),
        range_type,
        cluster_ids: once(&cli.cluster),
        retry_failed: cli.retry_failed,
    })
}

/// A variable is set for every command of a pipeline: of two ranges the typed one holds.
fn typed_range_wins(cli: &mut cli::ClusterScan, matches: &ArgMatches) {
    match (is_typed(matches, "all"), is_typed(matches, "cluster")) {
        (true, false) => cli.cluster.clear(),
        (false, true) => cli.all = false,
        _ => {}
    }
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// `auto` is a table wherever it runs: no platform has a report for clusters. Another format is refused where it was typed, and passed
/// over in a variable, which is set for every command of a pipeline.
fn tables_and_json(outputs: Vec<Output>, typed: bool) -> Result<Vec<Output>, Error> {
    let has = |format| matches!(format, Format::Auto | Format::Table | Format::Json);
    if let Some(other) = outputs.iter().find(|output| typed && !has(output.format)) {
        let text = format!("a scan of clusters has no {} report: say --output table or json", other.format);
        return Err(Error::Usage(text));
    }
    let ours = outputs.into_iter().filter(|output| has(output.format));
    let is_auto = |output: &Output| output.format == Format::Auto;
    Ok(ours.map(|output| if is_auto(&output) { Output { format: Format::Table, ..output } } else { output }).collect())
}
