//! What a run starts from: what discovery found, or what an earlier run left to do.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{changed, standing};
use crate::diff::files::Touched;
use crate::discover::Discovery;
use crate::error::Error;
use crate::judge::count;
use crate::model::{
    Bucket, Counts, Exit, FileRecord, Finding, RepoPath, Run, SCHEMA_VERSION, ScanResult, Service, Status, Texts, Tool,
    Verdict,
};
use crate::progress::Progress;
use crate::scan::Ledger;
use crate::{discover, settings};

/// A run before its first call.
pub(super) struct Begun {
    /// What is to be done.
    pub(super) ledger: Ledger,
    /// The result so far: without files, findings and a verdict.
    pub(super) result: ScanResult,
    /// What the change touches, where the run is about one and its base is known.
    pub(super) touched: Option<Touched>,
    /// The findings of an earlier run, by path.
    pub(super) kept: Vec<Finding>,
}

impl Begun {
    /// Looks through the repository.
    pub(super) fn discover(settings: &settings::Scan, progress: &Progress) -> Result<Self, Error> {
        let started = Timestamp::now();
        let mut found = discover::discover(&settings.input)?;
        super::say_what_was_found(&found.files, progress);
        let touched = touched(settings.change.as_ref(), &settings.input, &mut found);
        let mut ledger = Ledger::open(found.files);
        if let Some(touched) = &touched {
            changed::mark_files(&mut ledger, touched);
        }
        if let Some(said) = settings.change.as_ref().map(|change| about_the_change(change, &ledger)) {
            progress.line(&said);
            found.notes.push(said);
        }
        let result = ScanResult {
            schema_version: SCHEMA_VERSION,
            tool: this_tool(),
            run: run_of(started, settings),
            service: Service::default(),
            policy: settings.rules.policy.clone(),
            policy_changes: Vec::new(),
            complete: false,
            verdict: Verdict { status: Status::Error, exit_code: Exit::Bug.code(), reasons: Vec::new() },
            counts: Counts {
                directories_not_searched: found.directories_not_searched,
                directories_unreadable: found.unreadable_directories.len() as u64,
                indexes_unreadable: found.unreadable_indexes.len() as u64,
                ..Counts::default()
            },
            files: Vec::new(),
            skipped: found.skipped,
            directories_not_searched: not_searched(found.pruned_directories, found.unreadable_directories),
            findings: Vec::new(),
            resolved: Vec::new(),
            tasks: Vec::new(),
            notes: found.notes,
            calls: [].into(),
        };
        Ok(Self { ledger, result, touched, kept: Vec::new() })
    }

    /// Takes up a run where it was cut off.
    pub(super) fn again(settings: &settings::Scan, saved: ScanResult) -> Self {
        let ledger = Ledger::reopen(&saved.files, &saved.tasks, saved.run.tasks_since);
        // How a finding stands is settled anew.
        let anew = |finding: Finding| Finding { bucket: Bucket::New, changed: None, suppressed: None, ..finding };
        let mut kept: Vec<Finding> = saved.findings.into_iter().map(anew).collect();
        kept.sort_by(|a, b| a.path.cmp(&b.path));
        Texts::default().share(kept.iter_mut().flat_map(Finding::of_rule));
        let base = settings.change.as_ref().and_then(|change| change.base.as_ref().ok());
        let sources: Vec<_> = ledger.entries.iter().map(|entry| entry.source.clone()).collect();
        let touched = base.map(|base| base.touched(&settings.input.root, &sources, &saved.skipped));
        let mut notes = saved.notes;
        if touched.is_none() && ledger.entries.iter().any(|entry| entry.changed.is_some()) {
            notes.push(
                "the base of the change is not known here: each finding of a changed file counts as changed".to_owned(),
            );
        }
        let result = ScanResult {
            schema_version: SCHEMA_VERSION,
            tool: this_tool(),
            notes,
            policy: settings.rules.policy.clone(),
            complete: false,
            files: Vec::new(),
            findings: Vec::new(),
            resolved: Vec::new(),
            ..saved
        };
        Self { ledger, result, touched, kept }
    }
}

/// Calls of two times, by API.
pub(super) fn sum(mut calls: BTreeMap<String, u64>, others: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    for (api, others) in others {
        *calls.entry(api.clone()).or_default() += others;
    }
    calls
}

/// Counts the files and findings of a result.
pub(super) fn count_files(result: &mut ScanResult) {
    let Counts { directories_not_searched, directories_unreadable, indexes_unreadable, .. } = result.counts;
    result.counts = Counts {
        directories_unreadable,
        indexes_unreadable,
        ..Counts::of(&result.files, &result.skipped, directories_not_searched, &result.findings)
    };
    result.complete = is_complete(&result.files) && directories_unreadable == 0 && indexes_unreadable == 0;
}

fn is_complete(files: &[FileRecord]) -> bool {
    files.iter().all(|file| file.state.has_verdict())
}

pub(super) fn this_tool() -> Tool {
    Tool { name: "hss-iac".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn not_searched(mut pruned: Vec<RepoPath>, mut unreadable: Vec<RepoPath>) -> Vec<RepoPath> {
    pruned.append(&mut unreadable);
    pruned.sort();
    pruned.dedup();
    pruned
}

/// Which of the files the change touches, where there is one and its base is known.
pub(super) fn touched(
    change: Option<&settings::Change>,
    input: &discover::Options,
    found: &mut Discovery,
) -> Option<Touched> {
    let change = change?;
    let base = change.base.as_ref().ok()?;
    found.notes.extend(change.notes.iter().cloned());
    let touched = base.touched(&input.root, &found.files, &found.skipped);
    found.notes.extend(touched.notes.iter().cloned());
    Some(touched)
}

/// What is scanned of a change, or why all is.
pub(super) fn about_the_change(change: &settings::Change, ledger: &Ledger) -> String {
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
    Run {
        id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
        started_at: time_of(started),
        ended_at: time_of(started),
        provider: settings.provider.clone(),
        base: settings.change.as_ref().and_then(|change| change.base.as_ref().ok()?.commits.first().cloned()),
        policy_from: settings
            .change
            .as_ref()
            .filter(|change| change.base.is_ok())
            .map(|change| if change.rules_of_base { "base".to_owned() } else { "head".to_owned() }),
        selected: standing::selected(&settings.input),
        secrets_sent: !settings.input.mask_secrets,
        tasks_since: None,
    }
}

/// RFC 3339, UTC.
pub(super) fn time_of(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
