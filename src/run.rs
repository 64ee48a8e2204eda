//! The commands: the stages in reading order, and the only place that knows the order.

mod begun;
mod cache;
mod changed;
mod checkpoint;
mod cluster;
mod connect;
mod doctor;
mod findings;
mod hook;
mod output;
mod policy;
mod saved;
mod signal;
mod source;
mod standing;
mod work;

use std::collections::HashSet;
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::cli::Form;
use crate::error::Error;
use crate::hss::Limit;
use crate::judge::{self, Facts, count};
use crate::model::{Exit, FileType, RepoPath, ScanResult, SourceFile, State, TaskStatus, Verdict};
use crate::progress::Progress;
use crate::report::list::{Listing, Plan, secrets};
use crate::scan::{Ledger, plan};
use crate::settings::{self, Target};
use crate::{discover, report};

use begun::{Begun, about_the_change, touched};
pub use cache::cache;
use changed::Changed;
use checkpoint::Checkpoint;
pub use cluster::{cluster_scan, resume_clusters};
pub use doctor::doctor;
use findings::Findings;
pub use hook::hook;
pub use output::Streams;
pub use policy::{completions, config, init, man, schema};
pub use saved::{Saved, baseline, load, load_either, render};
pub use signal::first_signal;
use work::{Done, work};

/// `scan`: discover, upload, submit, wait, collect, judge, report. `signal` cuts it short.
pub async fn scan(
    settings: settings::Scan,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let progress = progress_of(&settings);
    let begun = Begun::discover(&settings, &progress)?;
    to_the_end(settings, begun, signal, &progress, streams).await
}

/// `resume`: goes on with a run that was cut off or not waited for.
pub async fn resume(
    settings: settings::Scan,
    saved: ScanResult,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let progress = progress_of(&settings);
    let begun = Begun::again(&settings, saved);
    let left = begun.ledger.records_if_closed("").iter().filter(|file| file.next.is_some()).count() as u64;
    progress.line(&match left {
        0 => "nothing is left to do: the run was done with every file".to_owned(),
        _ => format!("going on with {} of {}", left, count(begun.ledger.entries.len() as u64, "file", "files")),
    });
    to_the_end(settings, begun, signal, &progress, streams).await
}

fn progress_of(settings: &settings::Scan) -> Rc<Progress> {
    let talk = settings.talk;
    Rc::new(Progress::new(talk.quiet, talk.verbose, talk.color))
}

/// All that follows discovery.
async fn to_the_end(
    settings: settings::Scan,
    mut begun: Begun,
    signal: oneshot::Receiver<Exit>,
    progress: &Rc<Progress>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let ledger = std::mem::take(&mut begun.ledger);
    let kept = Findings::of_earlier(std::mem::take(&mut begun.kept));
    let checkpoint = Checkpoint::new(&settings, &begun, kept);
    let done = work(&settings, ledger, signal, progress, &checkpoint).await?;
    let findings = checkpoint.into_findings();
    progress.finish();
    let (mut result, mut facts) = settle(&settings, begun, done, findings);
    let view =
        report::View { level: settings.report_level, verbose: settings.talk.verbose > 0, root: Some(&settings.input.root) };
    let warn = |text: &str| progress.warn(text);
    let outputs = output::allowed(&result, settings.outputs, settings.partial, warn);
    let write = |result: &ScanResult, format, goal, out: &mut dyn Write| output::of_scan(result, format, view, goal, out);
    let lost = output::write_all(&mut result, &outputs, &write, streams, warn, |result, fault| {
        facts.faults.push((Exit::Report, fault));
        result.verdict = judge::judge(&settings.rules, &result.files, &result.findings, &facts);
    });
    // A signal may end the process while reports are written: only what is kept by now is told of.
    say_what_is_left(&result, &settings.target, output::how_to_go_on(&outputs, &lost), progress);
    exit_code(&result.verdict)
}

/// From the account to the result: risks become findings, which stand as the rules say, and are judged.
fn settle(settings: &settings::Scan, begun: Begun, done: Done, mut findings: Findings) -> (ScanResult, Facts) {
    let Done { ledger, service, calls, faults } = done;
    let files = ledger.records();
    findings.update(&ledger, &settings.input);
    let (mut findings, notes) = findings.into_parts();
    let Begun { mut result, touched, .. } = begun;
    let changed = match (&settings.change, &touched) {
        (Some(change), Some(touched)) => Some(changed::compare(change, touched, &settings.input, &files)),
        // The base of a run that is gone on with is not known here: all of a changed file counts as changed.
        _ => files.iter().any(|file| file.changed.is_some()).then(Changed::default),
    };
    if let Some(changed) = &changed {
        changed.mark_findings(&files, &mut findings);
    }
    let is_whole = result.run.selected.is_empty();
    let standing = standing::settle(settings, &files, &result.skipped, is_whole, changed.as_ref(), &mut findings);
    let facts = Facts {
        faults,
        pending: settings.no_wait && !ledger.tasks.is_empty(),
        obstacles: ledger.obstacles(),
        unreadable: result.counts.directories_unreadable,
        unreadable_indexes: result.counts.indexes_unreadable,
    };
    result.verdict = judge::judge(&settings.rules, &files, &findings, &facts);
    result.run.ended_at = begun::time_of(Timestamp::now());
    result.run.tasks_since = ledger.since;
    result.service = service.after(&result.service);
    result.policy_changes = union(standing.altered, std::mem::take(&mut result.policy_changes));
    let of_discovery = std::mem::take(&mut result.notes);
    result.notes = union([ledger.notes, of_discovery, notes].concat(), standing.notes);
    result.calls = begun::sum(calls, &result.calls);
    (result.files, result.findings, result.resolved) = (files, findings, standing.resolved);
    result.tasks = ledger.tasks.into_values().collect();
    begun::count_files(&mut result);
    (result, facts)
}

/// What stands in either, once.
fn union(mut these: Vec<String>, others: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    these.extend(others);
    these.retain(|text| seen.insert(text.clone()));
    these
}

fn exit_code(verdict: &Verdict) -> Result<Exit, Error> {
    let exit = Exit::PRECEDENCE.into_iter().find(|exit| exit.code() == verdict.exit_code);
    exit.ok_or_else(|| Error::Usage(format!("no such exit code: {}", verdict.exit_code)))
}

/// `list`: what `scan` would do, from the disk alone.
pub fn list(settings: &settings::List, form: Form, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let mut found = discover::discover(&settings.input)?;
    let touched = touched(settings.change.as_ref(), &settings.input, &mut found);
    let mut ledger = Ledger::open(found.files);
    if let Some(touched) = &touched {
        changed::mark_files(&mut ledger, touched);
    }
    found.notes.extend(settings.change.as_ref().map(|change| about_the_change(change, &ledger)));
    ledger.pair();
    let calls = plan::least_calls(&ledger.items());
    let mut files = ledger.records();
    for file in files.iter_mut().filter(|file| file.reason.is_none() && file.state != State::Unchanged) {
        file.state = State::WouldSend;
    }
    let plan = Plan { least_seconds: plan::least_time(&calls, Limit::DOCUMENTED).as_secs(), calls };
    let listing = Listing::new(files, found.skipped, found.directories_not_searched, found.notes, plan);
    match form {
        Form::Table => streams.print(|out| report::list::write(&listing, out))?,
        Form::Json => streams.write(|out| report::json::write(&listing, out))?,
    }
    Ok(Exit::Pass)
}

/// `list --explain` without a path: how the base of the change was found.
pub fn explain_change(settings: &settings::List, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let Some(change) = &settings.change else {
        return Err(Error::Usage("--explain needs a PATH, or --diff to say how its base is found".to_owned()));
    };
    streams.print(|out| change.steps.iter().try_for_each(|step| writeln!(out, "{}", report::printable(step))))?;
    Ok(Exit::Pass)
}

/// `list --explain`: why a path is taken or not.
pub fn explain(input: &discover::Options, path: &RepoPath, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let steps = discover::explain(input, path);
    streams.print(|out| steps.iter().try_for_each(|step| writeln!(out, "{}", report::printable(step))))?;
    Ok(Exit::Pass)
}

fn say_what_was_found(files: &[SourceFile], progress: &Progress) {
    let of = |file_type| files.iter().filter(|file| file.file_type == file_type).count() as u64;
    progress.line(&format!(
        "found {}, {}",
        count(of(FileType::Dockerfile), "Dockerfile", "Dockerfiles"),
        count(of(FileType::K8sYaml), "Kubernetes manifest", "Kubernetes manifests"),
    ));
    for file in files.iter().filter(|file| !file.secrets.is_empty() && file.obstacle.is_none()) {
        progress.line(&format!("{} holds {}", file.path, secrets(&file.secrets, file.masked)));
    }
}

/// What the service was given, and how to go on with it.
fn say_what_is_left(result: &ScanResult, target: &Target, how_to_go_on: String, progress: &Progress) {
    if result.files.iter().all(|file| file.next.is_none()) {
        return;
    }
    for task in result.tasks.iter().filter(|task| task.status != TaskStatus::Finished) {
        progress.warn(&format!("task {} ({}, {})", task.task_id, task.file_type, count(task.files, "file", "files")));
    }
    progress.warn(&match target {
        #[cfg(feature = "emulator")]
        Target::StandIn { .. } => "the stand-in ended with this run, so nothing can go on with it".to_owned(),
        Target::Service(_) => how_to_go_on,
    });
}

fn human(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 120.0 { format!("{seconds} s") } else { format!("{} min", (seconds / 60.0).round()) }
}

/// `emulator`: serves until it is told to stop.
#[cfg(feature = "emulator")]
pub async fn emulator(options: crate::emulator::Options, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let listen = options.listen;
    let emulator = crate::emulator::Emulator::start(options)
        .map_err(|source| Error::Usage(format!("the stand-in can't listen on {listen}: {source}")))?;
    streams.print(|out| writeln!(out, "listening on {}", emulator.url()))?;
    let signals = crate::platform::Signals::listen();
    let mut signals = signals.map_err(|source| Error::Io { what: "signals can't be heard".to_owned(), source })?;
    Ok(signal::next(&mut signals).await)
}
