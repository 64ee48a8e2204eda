//! `cluster-scan`: create one task, wait, read its clusters, judge, report.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::work::{impostor, until_cut_off};
use super::{Streams, begun, connect, exit_code, output};
use crate::error::{Error, exit_of};
use crate::hss::Client;
use crate::judge::{ClusterFacts, judge_clusters};
use crate::model::{
    CLUSTER_SCAN, ClusterCounts, ClusterNext, ClusterResult, ClusterRun, ClusterState, Exit, SCHEMA_VERSION, Service,
    Status, Verdict,
};
use crate::progress::Progress;
use crate::report;
use crate::scan::{Account, ClusterJob, ClusterOptions};
use crate::settings;

/// `cluster-scan`. `signal` cuts it short.
pub async fn cluster_scan(
    settings: settings::Cluster,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let account = Account::new(settings.request.clone());
    let now = begun::time_of(Timestamp::now());
    let result = ClusterResult {
        schema_version: SCHEMA_VERSION,
        kind: CLUSTER_SCAN.to_owned(),
        tool: begun::this_tool(),
        run: ClusterRun {
            id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
            started_at: now.clone(),
            ended_at: now,
            provider: settings.provider.clone(),
            retried_after: None,
        },
        service: Service::default(),
        request: settings.request.clone(),
        complete: false,
        verdict: Verdict { status: Status::Error, exit_code: Exit::Bug.code(), reasons: Vec::new() },
        counts: ClusterCounts::default(),
        clusters: Vec::new(),
        task: None,
        next: None,
        notes: Vec::new(),
        calls: [].into(),
    };
    to_the_end(&settings, account, result, signal, streams).await
}

/// `resume` with the result of a `cluster-scan`.
pub async fn resume_clusters(
    settings: settings::Cluster,
    saved: ClusterResult,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    if saved.next == Some(ClusterNext::FindOut) {
        return Err(Error::Usage(
            "whether the task of this run was created is not known, and nothing tells it from the tasks of others: look for it in the \
             console, and run cluster-scan again if it is not there"
                .to_owned(),
        ));
    }
    let begun = match (saved.next, &saved.task) {
        (Some(ClusterNext::Create), None) => true,
        (Some(ClusterNext::Create), Some(_)) => false,
        (_, task) => task.as_ref().is_some_and(|task| !task.task_id.is_empty()),
    };
    if !begun {
        return Err(Error::Usage(
            "nothing can go on with this result: it names no task, or one beside a task that is still to be created; run cluster-scan again"
                .to_owned(),
        ));
    }
    let account = Account {
        task: saved.task.clone(),
        next: saved.next,
        clusters: saved.clusters.clone(),
        retried_after: saved.run.retried_after,
        notes: saved.notes.clone(),
        ..Account::new(saved.request.clone())
    };
    let result = ClusterResult { tool: begun::this_tool(), ..saved };
    to_the_end(&settings, account, result, signal, streams).await
}

/// All that follows the settings.
async fn to_the_end(
    settings: &settings::Cluster,
    account: Account,
    mut result: ClusterResult,
    signal: oneshot::Receiver<Exit>,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    let talk = settings.talk;
    let progress = Rc::new(Progress::new(talk.quiet, talk.verbose, talk.color));
    let account = RefCell::new(account);
    let mut faults = Vec::new();
    if account.borrow().next.is_none() {
        progress.line("nothing is left to do: the run was done with every cluster");
    } else {
        for path in settings.outputs.iter().filter_map(|output| output.path.as_deref()) {
            output::can_be_written(path)?;
        }
        faults = work(settings, &account, &mut result, signal, &progress).await?;
    }
    progress.finish();
    let account = account.into_inner();
    result.run.ended_at = begun::time_of(Timestamp::now());
    settle(settings, &account, &mut result, &faults);
    let write = |result: &ClusterResult, format, _, out: &mut dyn io::Write| output::of_clusters(result, format, out);
    let warn = |text: &str| progress.warn(text);
    let lost = output::write_all(&mut result, &settings.outputs, &write, streams, warn, |result, fault| {
        faults.push((Exit::Report, fault));
        settle(settings, &account, result, &faults);
    });
    say_what_is_left(settings, &result, output::how_to_go_on(&settings.outputs, &lost), &progress);
    exit_code(&result.verdict)
}

/// The part that needs the service; what ended it early.
async fn work(
    settings: &settings::Cluster,
    account: &RefCell<Account>,
    result: &mut ClusterResult,
    signal: oneshot::Receiver<Exit>,
    progress: &Rc<Progress>,
) -> Result<Vec<(Exit, String)>, Error> {
    let connection = connect::connect(settings.into(), progress)?;
    result.service = connection.service.after(&result.service);
    let client = match connection.client {
        Ok(client) => client,
        Err(missing) => {
            account.borrow_mut().close(&missing);
            return Ok(vec![(Exit::Login, missing)]);
        }
    };
    let before = result.calls.clone();
    let end = {
        let draft = RefCell::new(&mut *result);
        let failed = Cell::new(false);
        let observe = |step| {
            progress.step(step);
            let mut draft = draft.borrow_mut();
            of_service(&mut draft, &client, &before);
            let unended = (Exit::Timeout, "the run has not ended; hss-iac resume goes on with it".to_owned());
            settle(settings, &account.borrow(), &mut draft, &[unended]);
            for path in output::json_files(&settings.outputs) {
                let written = output::write_draft(path, |out| report::json::write(&**draft, out));
                if let Err(error) = written
                    && !failed.replace(true)
                {
                    let path = path.display();
                    progress.warn(&format!("the result can't be kept in {path} while the run goes on: {error}"));
                }
            }
        };
        let options = ClusterOptions { no_wait: settings.no_wait, window: settings.timings.window };
        let job = ClusterJob::new(&client, options, account, &observe);
        let converse = async {
            let done = async {
                client.project_id().await?;
                job.run().await
            };
            done.await.err().map(|error| (exit_of(error.kind), error.message))
        };
        until_cut_off(Box::pin(converse), settings.timeout, settings.timings.grace, signal, &client, || {
            account.borrow().asking
        })
        .await
    };
    // A stand-in that may not be one decides, however the run ended.
    let mut end = impostor(settings.stand_in_allowed, &client).or(end);
    if let (Some((Exit::Timeout | Exit::Interrupted | Exit::Terminated, why)), Some(odd)) = (&mut end, &account.borrow().odd)
    {
        *why = format!("{why}, and the last look at the task was odd: {odd}");
    }
    account.borrow_mut().close(end.as_ref().map_or("not waited for", |(_, reason)| reason));
    of_service(result, &client, &before);
    Ok(end.into_iter().collect())
}

fn of_service(result: &mut ClusterResult, client: &Client, before: &std::collections::BTreeMap<String, u64>) {
    result.service.project_id = client.project().or(result.service.project_id.take());
    result.service.stand_in |= client.stand_in();
    result.calls = begun::sum(client.calls(), before);
}

/// Brings the result up to date.
fn settle(settings: &settings::Cluster, account: &Account, result: &mut ClusterResult, faults: &[(Exit, String)]) {
    result.task.clone_from(&account.task);
    result.next = account.next;
    result.clusters.clone_from(&account.clusters);
    result.notes.clone_from(&account.notes);
    result.run.retried_after = account.retried_after;
    result.counts = ClusterCounts::of(&result.clusters);
    let is_over = account.next.is_none() && account.task.is_some();
    let whole = result.clusters.iter().all(|cluster| cluster.state == ClusterState::Success);
    result.complete = is_over && whole;
    let pending = settings.no_wait && account.next.is_some() && account.task.is_some() && faults.is_empty();
    let facts = ClusterFacts {
        faults,
        pending,
        is_over,
        retried: account.retried() && !is_over,
        counted_failed: account.counted_failed(),
        enterprise_project: &result.service.enterprise_project_id,
    };
    result.verdict = judge_clusters(settings.lenience, &result.clusters, facts);
}

/// What the service was given, and how to go on with it by the file that keeps the result.
fn say_what_is_left(settings: &settings::Cluster, result: &ClusterResult, how_to_go_on: String, progress: &Progress) {
    let Some(next) = result.next else { return };
    if let Some(task) = &result.task {
        progress.warn(&format!("task {} (cluster_scan)", task.task_id));
    }
    progress.warn(&match (&settings.target, next) {
        #[cfg(feature = "emulator")]
        (settings::Target::StandIn { .. }, _) => "the stand-in ended with this run, so nothing can go on with it".to_owned(),
        (_, ClusterNext::FindOut) => {
            "the task is not created again, since it may be there: look for it in the console".to_owned()
        }
        _ => how_to_go_on,
    });
}
