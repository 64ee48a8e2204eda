//! The part of a run that needs the service.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::checkpoint::Checkpoint;
use super::{cache, connect, human};
use crate::error::{Error, exit_of};
use crate::hss::{self, Client, Limit};
use crate::judge::count;
use crate::model::{Exit, Service, SourceFile};
use crate::progress::Progress;
use crate::scan::cache::Cache;
use crate::scan::{self, Job, Ledger, plan};
use crate::{discover, mask, settings};

/// The account of a run, and what ended it.
pub(super) struct Done {
    pub(super) ledger: Ledger,
    pub(super) service: Service,
    pub(super) calls: std::collections::BTreeMap<String, u64>,
    pub(super) faults: Vec<(Exit, String)>,
}

/// The part that needs the service, cut off by the deadline or a signal at any point.
pub(super) async fn work(
    settings: &settings::Scan,
    ledger: Ledger,
    mut signal: oneshot::Receiver<Exit>,
    progress: &Rc<Progress>,
    checkpoint: &Checkpoint<'_>,
) -> Result<Done, Error> {
    let ledger = RefCell::new(ledger);
    let connection = connect::connect(settings.into(), progress)?;
    let mut done = Done { ledger: Ledger::default(), service: connection.service, calls: [].into(), faults: Vec::new() };
    let unknown = settings.cache.is_some() && ledger.borrow().has_unchanged();
    if !ledger.borrow().is_open() && !unknown {
        done.faults.extend(signal.try_recv().ok().map(cut_off_by));
        done.ledger = ledger.into_inner();
        return Ok(done);
    }
    match connection.client {
        // Only the cache was to be asked: what it might know is no reason to fail.
        Err(_) if !ledger.borrow().is_open() => {}
        Err(missing) => {
            ledger.borrow_mut().close(&missing);
            done.faults.push((Exit::Login, missing));
        }
        Ok(client) => {
            let plan = connection.plan.as_ref();
            let cache = plan.and_then(|plan| cache::open(settings, plan, &done.service, progress));
            let cache = cache.as_ref();
            checkpoint.begin(&done.service);
            let talk = Conversation { settings, client: &client, cache, ledger: &ledger, progress, checkpoint };
            let end = talk.until_cut_off(signal).await;
            // A stand-in that may not be one decides, however the run ended.
            let end = impostor(settings.stand_in_allowed, &client).or(end);
            let reason = end.as_ref().map_or("not waited for", |(_, reason)| reason.as_str()).to_owned();
            ledger.borrow_mut().close(&reason);
            if let (Some(cache), Some(project)) = (cache, client.project()) {
                let note = cache::keep(cache, &project, client.stand_in(), &ledger.borrow());
                ledger.borrow_mut().notes.extend(note);
            }
            let failing = ledger.borrow().failing.clone().map(|message| (Exit::Service, message));
            let told = end.as_ref().is_some_and(|(exit, _)| *exit == Exit::Service);
            done.faults.extend(end);
            done.faults.extend(failing.filter(|_| !told));
            done.service.stand_in |= client.stand_in() || ledger.borrow().stand_in;
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

fn cut_off_by(signal: Exit) -> (Exit, String) {
    (signal, if signal == Exit::Interrupted { "interrupted" } else { "terminated" }.to_owned())
}

/// What it takes to talk to the service.
struct Conversation<'a> {
    settings: &'a settings::Scan,
    client: &'a Client,
    cache: Option<&'a Cache>,
    ledger: &'a RefCell<Ledger>,
    progress: &'a Progress,
    checkpoint: &'a Checkpoint<'a>,
}

impl Conversation<'_> {
    /// Talks to the service until the job is done, the time is over or a signal comes.
    async fn until_cut_off(&self, signal: oneshot::Receiver<Exit>) -> Option<(Exit, String)> {
        let is_submitting = || self.ledger.borrow().is_submitting();
        let settings::Scan { timeout, timings, .. } = self.settings;
        until_cut_off(Box::pin(self.converse()), *timeout, timings.grace, signal, self.client, is_submitting).await
    }

    /// What it takes at the least; a run that can't end in time is better stopped now.
    fn say_what_it_takes(&self) {
        let Self { settings, progress, .. } = self;
        let calls = plan::least_calls(&self.ledger.borrow().items());
        let limit = settings.rate.unwrap_or(Limit::DOCUMENTED);
        let least = plan::least_time(&calls, limit);
        let all = count(calls.values().sum(), "call", "calls");
        if calls.is_empty() || settings.stands_in() {
            return;
        }
        if least.is_zero() {
            return progress.line(&format!("at least {all}"));
        }
        let limit = format!("{} calls in {} for each API", limit.calls, human(limit.window));
        progress.line(&format!("at least {all}, which take {} under a limit of {limit}", human(least)));
        if least > settings.timeout {
            progress.warn(&format!(
                "that is more than --timeout {}: give it more time, or less to do with --diff, --exclude or --cache-dir",
                human(settings.timeout)
            ));
        }
    }

    /// Talks to the service until the job is done; what ended it early otherwise.
    async fn converse(&self) -> Option<(Exit, String)> {
        let Self { settings, client, ledger, .. } = *self;
        let fault = |error: hss::Error| Some((exit_of(error.kind), error.message));
        if !ledger.borrow().is_open() && client.project().is_none() {
            // Only the cache was to be asked, and a call is too much for that.
            return None;
        }
        if let Err(error) = client.project_id().await {
            return fault(error);
        }
        let read = |source: &SourceFile| {
            let bytes = discover::read_at_most(&settings.input.root, &source.path, discover::MAX_FILE_SIZE)?;
            mask::sent(source.file_type, settings.input.mask_secrets, bytes).map_err(std::io::Error::other)
        };
        if let (Some(cache), Some(project)) = (self.cache, client.project()) {
            cache::take(cache, &project, settings.stand_in_allowed, &mut ledger.borrow_mut(), read);
        }
        // After the cache: what is known is not sent, and no twin waits for it.
        ledger.borrow_mut().pair();
        self.say_what_it_takes();
        let read = |index: usize| read(&ledger.borrow().entries[index].source);
        let observe = |step| {
            self.progress.step(step);
            self.checkpoint.step(step, &ledger.borrow(), client, self.progress);
        };
        let options = scan::Options {
            jobs: settings.jobs,
            max_path_calls: settings.max_path_calls,
            gate: settings.rules.policy.fail_on.level(),
            no_wait: settings.no_wait,
            window: settings.timings.window,
            grace: settings.timings.grace,
        };
        let job = Job::new(client, options, ledger, &observe, &read);
        tokio::select! {
            end = job.run() => end.err().and_then(fault),
            never = self.checkpoint.catch_up(ledger, client, self.progress) => match never {},
        }
    }
}

/// Does a job until it is done, the time is over or a signal comes; what ended it early. A call that is then on its way whose answer
/// must not be lost is waited for a little.
pub(super) async fn until_cut_off(
    mut job: Pin<Box<impl Future<Output = Option<(Exit, String)>>>>,
    timeout: Duration,
    grace: Duration,
    signal: oneshot::Receiver<Exit>,
    client: &Client,
    is_asking: impl Fn() -> bool,
) -> Option<(Exit, String)> {
    let cut = tokio::select! {
        end = &mut job => return end,
        () = tokio::time::sleep(timeout) => (Exit::Timeout, format!("timed out after {}", human(timeout))),
        Ok(exit) = signal => cut_off_by(exit),
    };
    if is_asking() {
        client.stop();
        let _ = tokio::time::timeout(grace, job).await;
    }
    Some(cut)
}

/// A stand-in where none is allowed.
pub(super) fn impostor(stand_in_allowed: bool, client: &Client) -> Option<(Exit, String)> {
    let message = "a stand-in answered in place of HSS where CI is set; say --allow-stand-in if that is meant";
    (client.stand_in() && !stand_in_allowed).then(|| (Exit::Usage, message.to_owned()))
}
