//! The commands: the stages in reading order, and the only place that knows the order.

mod cache;
mod changed;
mod connect;
mod findings;
mod hook;
mod output;
mod policy;
mod saved;
mod signal;
mod source;
mod standing;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::cli::Form;
use crate::diff::files::Touched;
use crate::discover::Discovery;
use crate::error::{Error, exit_of};
use crate::hss::{self, Client};
use crate::judge::{self, Facts, count};
use crate::model::{
    Counts, Exit, FileRecord, FileType, RepoPath, Run, SCHEMA_VERSION, ScanResult, Service, SourceFile, State, Task, Tool,
    Verdict,
};
use crate::progress::Progress;
use crate::report::list::{Listing, Plan, secrets};
use crate::scan::cache::Cache;
use crate::scan::{self, Job, Ledger, plan};
use crate::settings;
use crate::{discover, mask, report};

pub use cache::cache;
use findings::Findings;
pub use hook::hook;
pub use output::Streams;
pub use policy::{completions, config, init, man, schema};
pub use saved::{baseline, render};
pub use signal::first_signal;

/// The account of a run, and what ended it.
struct Done {
    ledger: Ledger,
    service: Service,
    calls: std::collections::BTreeMap<String, u64>,
    faults: Vec<(Exit, String)>,
}

/// `scan`: discover, upload, submit, wait, collect, judge, report. `signal` cuts it short.
pub async fn scan(
    settings: settings::Scan,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let talk = settings.talk;
    let progress = Rc::new(Progress::new(talk.quiet, talk.verbose, talk.color));
    let started = Timestamp::now();
    let mut found = discover::discover(&settings.input)?;
    say_what_was_found(&found.files, &progress);
    let touched = touched(settings.change.as_ref(), &settings.input, &mut found);
    let mut ledger = Ledger::open(found.files);
    if let Some(touched) = &touched {
        changed::mark_files(&mut ledger, touched);
    }
    if let Some(said) = settings.change.as_ref().map(|change| about_the_change(change, &ledger)) {
        progress.line(&said);
        found.notes.push(said);
    }

    say_what_it_takes(&settings, &ledger, &progress);
    let mut done = work(&settings, ledger, signal, &progress).await?;
    progress.finish();
    done.ledger.notes.extend(found.notes);

    let files = done.ledger.records();
    let obstacles = done.ledger.obstacles();
    let Findings { mut findings, notes } = findings::all(&done.ledger, &settings.input);
    done.ledger.notes.extend(notes);
    let changed = match (&settings.change, &touched) {
        (Some(change), Some(touched)) => Some(changed::compare(change, touched, &settings.input, &files)),
        _ => None,
    };
    if let Some(changed) = &changed {
        changed.mark_findings(&files, &mut findings);
    }
    let standing = standing::settle(&settings, &files, &found.skipped, changed.as_ref(), &mut findings);
    done.ledger.notes.extend(standing.notes);
    let submitted = settings.no_wait && !done.ledger.tasks.is_empty();
    let mut facts = Facts {
        faults: done.faults,
        pending: submitted,
        obstacles,
        unreadable: found.unreadable_directories.len() as u64,
        unreadable_indexes: found.unreadable_indexes.len() as u64,
    };
    let verdict = judge::judge(&settings.rules, &files, &findings, &facts);
    let mut result = ScanResult {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "hss-iac".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        run: run_of(started, &settings),
        service: done.service,
        policy: settings.rules.policy.clone(),
        policy_changes: standing.altered,
        complete: is_complete(&files) && facts.unreadable == 0 && facts.unreadable_indexes == 0,
        counts: Counts::of(&files, &found.skipped, found.directories_not_searched, &findings),
        verdict,
        files,
        skipped: found.skipped,
        directories_not_searched: not_searched(found.pruned_directories, found.unreadable_directories),
        findings,
        resolved: standing.resolved,
        tasks: done.ledger.tasks.into_values().collect(),
        notes: done.ledger.notes,
        calls: done.calls,
    };
    if submitted || !facts.faults.is_empty() {
        say_tasks(&result.tasks, &progress);
    }
    let view = report::View { level: settings.report_level, verbose: talk.verbose > 0, root: Some(&settings.input.root) };
    let warn = |text: &str| progress.warn(text);
    let outputs = output::allowed(&result, settings.outputs, settings.partial, warn);
    output::write_all(&mut result, &outputs, view, streams, warn, |result, fault| {
        facts.faults.push((Exit::Report, fault));
        result.verdict = judge::judge(&settings.rules, &result.files, &result.findings, &facts);
    });
    exit_code(&result.verdict)
}

fn exit_code(verdict: &Verdict) -> Result<Exit, Error> {
    let exit = Exit::PRECEDENCE.into_iter().find(|exit| exit.code() == verdict.exit_code);
    exit.ok_or_else(|| Error::Usage(format!("no such exit code: {}", verdict.exit_code)))
}

/// The part that needs the service, cut off by the deadline or a signal at any point.
async fn work(
    settings: &settings::Scan,
    ledger: Ledger,
    mut signal: oneshot::Receiver<Exit>,
    progress: &Rc<Progress>,
) -> Result<Done, Error> {
    let ledger = RefCell::new(ledger);
    let connection = connect::connect(settings, progress)?;
    let mut done = Done { ledger: Ledger::default(), service: connection.service, calls: [].into(), faults: Vec::new() };
    let unknown = settings.cache.is_some() && ledger.borrow().has_unchanged();
    if ledger.borrow().waiting().is_empty() && !unknown {
        done.faults.extend(signal.try_recv().ok().map(cut_off_by));
        done.ledger = ledger.into_inner();
        return Ok(done);
    }
    match connection.client {
        // Only the cache was to be asked: what it might know is no reason to fail.
        Err(_) if ledger.borrow().waiting().is_empty() => {}
        Err(missing) => {
            ledger.borrow_mut().close(&missing);
            done.faults.push((Exit::Login, missing));
        }
        Ok(client) => {
            let cache = connection.cache.as_ref();
            let end = until_cut_off(settings, &client, cache, &ledger, signal, progress).await;
            // A stand-in that may not be one decides, however the run ended.
            let end = impostor(settings, &client).or(end);
            let reason = end.as_ref().map_or("not waited for", |(_, reason)| reason.as_str()).to_owned();
            ledger.borrow_mut().close(&reason);
            if let (Some(cache), Some(project)) = (cache, client.project()) {
                let note = cache::keep(cache, &project, &ledger.borrow());
                ledger.borrow_mut().notes.extend(note);
            }
            let failing = ledger.borrow().failing.clone().map(|message| (Exit::Service, message));
            let told = end.as_ref().is_some_and(|(exit, _)| *exit == Exit::Service);
            done.faults.extend(end);
            done.faults.extend(failing.filter(|_| !told));
            done.service.stand_in |= client.stand_in();
            done.service.project_id = client.project();
            done.calls = client.calls();
            let again = client.repeated_uploads();
            if again > 0 {
                let note = format!(
                    "{} repeated after a lost answer, copies may stay in the project",
                    count(again, "upload was", "uploads were")
                );
                ledger.borrow_mut().notes.push(note);
            }
        }
    }
    done.ledger = ledger.into_inner();
    Ok(done)
}

/// Talks to the service until the job is done, the time is over or a signal comes. A task that is then being created is waited for a
/// little: its id must not be lost.
async fn until_cut_off(
    settings: &settings::Scan,
    client: &Client,
    cache: Option<&Cache>,
    ledger: &RefCell<Ledger>,
    signal: oneshot::Receiver<Exit>,
    progress: &Progress,
) -> Option<(Exit, String)> {
    let job = converse(settings, client, cache, ledger, progress);
    tokio::pin!(job);
    let cut = tokio::select! {
        end = &mut job => return end,
        () = tokio::time::sleep(settings.timeout) => (Exit::Timeout, format!("timed out after {}", human(settings.timeout))),
        Ok(exit) = signal => cut_off_by(exit),
    };
    if ledger.borrow().is_submitting() {
        client.stop();
        let _ = tokio::time::timeout(scan::GRACE, job).await;
    }
    Some(cut)
}

fn cut_off_by(signal: Exit) -> (Exit, String) {
    (signal, if signal == Exit::Interrupted { "interrupted" } else { "terminated" }.to_owned())
}

/// Talks to the service until the job is done; what ended it early otherwise.
async fn converse(
    settings: &settings::Scan,
    client: &Client,
    cache: Option<&Cache>,
    ledger: &RefCell<Ledger>,
    progress: &Progress,
) -> Option<(Exit, String)> {
    let fault = |error: hss::Error| Some((exit_of(error.kind), error.message));
    if ledger.borrow().waiting().is_empty() && client.project().is_none() {
        // Only the cache was to be asked, and a call is too much for that.
        return None;
    }
    if let Err(error) = client.project_id().await {
        return fault(error);
    }
    if let (Some(cache), Some(project)) = (cache, client.project()) {
        cache::take(cache, &project, &mut ledger.borrow_mut());
    }
    // After the cache: what is known is not sent, and no twin waits for it.
    ledger.borrow_mut().pair();
    let read = |index: usize| {
        let (path, file_type) = {
            let source = &ledger.borrow().entries[index].source;
            (source.path.clone(), source.file_type)
        };
        let bytes = discover::read(&settings.input.root, &path)?;
        mask::sent(file_type, settings.input.mask_secrets, bytes).map_err(std::io::Error::other)
    };
    let observe = |step| progress.step(step);
    let options = scan::Options {
        jobs: settings.jobs,
        max_path_calls: settings.max_path_calls,
        gate: settings.rules.policy.fail_on.level(),
        no_wait: settings.no_wait,
        window: settings.timings.window,
    };
    let job = Job::new(client, options, ledger, &observe, &read);
    job.run().await.err().and_then(fault)
}

/// A stand-in where none is allowed.
fn impostor(settings: &settings::Scan, client: &Client) -> Option<(Exit, String)> {
    let message = "a stand-in answered in place of HSS where CI is set; say --allow-stand-in if that is meant";
    (client.stand_in() && !settings.stand_in_allowed).then(|| (Exit::Usage, message.to_owned()))
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
    let plan = Plan { least_seconds: plan::least_seconds(&calls), calls };
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

/// How long it takes at the least, where that is long; one that can't end in time is better stopped now.
fn say_what_it_takes(settings: &settings::Scan, ledger: &Ledger, progress: &Progress) {
    // Verdicts that are known cost nothing, and how many are is not known yet.
    let seconds = plan::least_seconds(&plan::least_calls(&ledger.items()));
    if seconds == 0 || settings.cache.is_some() || settings.stands_in() {
        return;
    }
    progress.line(&format!("at least {seconds} s at the documented limit of 5 calls a minute for each API"));
    if Duration::from_secs(seconds) > settings.timeout {
        progress.warn(&format!(
            "that is more than --timeout {}: give it more time, or less to do with --diff, --exclude or --cache-dir",
            human(settings.timeout)
        ));
    }
}

fn say_tasks(tasks: &[Task], progress: &Progress) {
    for task in tasks {
        progress.warn(&format!("task {} ({}, {})", task.task_id, task.file_type, count(task.files, "file", "files")));
    }
}

fn not_searched(mut pruned: Vec<RepoPath>, mut unreadable: Vec<RepoPath>) -> Vec<RepoPath> {
    pruned.append(&mut unreadable);
    pruned.sort();
    pruned.dedup();
    pruned
}

fn is_complete(files: &[FileRecord]) -> bool {
    files.iter().all(|file| matches!(file.state, State::Scanned | State::Reused))
}

/// Which of the files the change touches, where there is one and its base is known.
fn touched(change: Option<&settings::Change>, input: &discover::Options, found: &mut Discovery) -> Option<Touched> {
    let change = change?;
    let base = change.base.as_ref().ok()?;
    found.notes.extend(change.notes.iter().cloned());
    let touched = base.touched(&input.root, &found.files, &found.skipped);
    found.notes.extend(touched.notes.iter().cloned());
    Some(touched)
}

/// What is scanned of a change, or why all is.
fn about_the_change(change: &settings::Change, ledger: &Ledger) -> String {
    match &change.base {
        Err(why) => format!("all is scanned, not only what changed: {why}"),
        Ok(base) => {
            let changed = ledger.entries.iter().filter(|entry| entry.changed == Some(true)).count();
            let of = count(ledger.entries.len() as u64, "file", "files");
            format!("{changed} of {of} changed since {}", base.what)
        }
    }
}

fn run_of(started: Timestamp, settings: &settings::Scan) -> Run {
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Run {
        id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
        started_at: time(started),
        ended_at: time(Timestamp::now()),
        provider: settings.provider.clone(),
        base: settings.change.as_ref().and_then(|change| change.base.as_ref().ok()?.commits.first().cloned()),
        policy_from: settings
            .change
            .as_ref()
            .filter(|change| change.base.is_ok())
            .map(|change| if change.rules_of_base { "base".to_owned() } else { "head".to_owned() }),
        selected: standing::selected(&settings.input),
    }
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
