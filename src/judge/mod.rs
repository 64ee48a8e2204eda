//! What a result means: which findings decide, which faults count, and the one exit code.

pub mod baseline;
mod cluster;
pub mod inline;
pub mod suppress;

pub use cluster::{ClusterFacts, Lenience, judge_clusters};

use crate::model::{Exit, FileRecord, Finding, Level, Policy, State, Status, Verdict};

/// The rules.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which findings fail the run.
    pub policy: Policy,
    /// Whether a partial run is only reported.
    pub soften_partial: bool,
    /// Whether a failing service and a time-out are only reported.
    pub soften_service: bool,
    /// Whether nothing to scan fails.
    pub fail_if_empty: bool,
}

/// What happened, besides findings.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What ended the run early or went wrong beside it.
    pub faults: Vec<(Exit, String)>,
    /// Submitted and not waited for.
    pub pending: bool,
    /// Files that no scan could have reached: too large, unreadable, special.
    pub obstacles: u64,
    /// Directories that could not be listed.
    pub unreadable: u64,
    /// Git indexes that could not be read although an ignore rule kept something out.
    pub unreadable_indexes: u64,
}

/// Judges. Everything that held stands in the reasons, most decisive first.
pub fn judge(rules: &Rules, files: &[FileRecord], findings: &[Finding], facts: &Facts) -> Verdict {
    let mut held = facts.faults.clone();
    held.extend(gate(&rules.policy, findings).into_iter().map(|reason| (Exit::Findings, reason)));
    let under_way = |file: &FileRecord| facts.pending && file.state == State::NotScanned && file.task_id.is_some();
    let done = |file: &FileRecord| file.state.is_done() || under_way(file);
    let missing = files.iter().filter(|file| !done(file)).count();
    if facts.unreadable > 0 {
        held.push((Exit::Partial, format!("{} could not be listed", count(facts.unreadable, "directory", "directories"))));
    }
    if facts.unreadable_indexes > 0 {
        let indexes = count(facts.unreadable_indexes, "git index", "git indexes");
        held.push((Exit::Partial, format!("{indexes} could not be read: which ignored files git tracks is not known")));
    }
    if missing > 0 {
        held.push((Exit::Partial, format!("{missing} of {} not scanned", count(files.len() as u64, "file", "files"))));
    }
    if files.is_empty() && rules.fail_if_empty {
        held.push((Exit::Empty, "nothing to scan".to_owned()));
    }
    let service_softened = rules.soften_service && held.iter().any(|(exit, _)| is_service(*exit));
    let refused = files.iter().any(|file| matches!(file.state, State::UploadFailed | State::ScanFailed));
    let only_cut_off = !refused && facts.obstacles == 0 && facts.unreadable == 0 && facts.unreadable_indexes == 0;
    let softened = |exit: Exit| match exit {
        Exit::Service | Exit::Timeout => rules.soften_service,
        // Files that the fault cut off are part of it; what was refused or what no scan could have reached is not.
        Exit::Partial => rules.soften_partial || (service_softened && only_cut_off),
        _ => false,
    };
    decide(held, softened, facts.pending, || pass_reason(rules, files, findings, facts))
}

/// From what held to the verdict: the first by precedence that is not softened is the exit code.
fn decide(
    mut held: Vec<(Exit, String)>,
    softened: impl Fn(Exit) -> bool,
    pending: bool,
    pass: impl FnOnce() -> String,
) -> Verdict {
    held.sort_by_key(|(exit, _)| Exit::PRECEDENCE.iter().position(|of| of == exit));
    let worst = held.first().map_or(Exit::Pass, |(exit, _)| *exit);
    let exit = held.iter().map(|(exit, _)| *exit).find(|exit| !softened(*exit)).unwrap_or(Exit::Pass);
    let mut reasons: Vec<String> = held
        .into_iter()
        .map(|(exit, reason)| if softened(exit) { format!("{reason} (reported only)") } else { reason })
        .collect();
    if reasons.is_empty() {
        reasons.push(pass());
    }
    Verdict { status: status(worst, pending), exit_code: exit.code(), reasons }
}

fn is_service(exit: Exit) -> bool {
    matches!(exit, Exit::Service | Exit::Timeout)
}

fn status(worst: Exit, pending: bool) -> Status {
    match worst {
        Exit::Pass if pending => Status::Pending,
        Exit::Pass => Status::Pass,
        Exit::Findings => Status::Fail,
        Exit::Partial => Status::Partial,
        _ => Status::Error,
    }
}

/// `finding`, in the words of what decides.
fn words(policy: &Policy) -> (&'static str, &'static str) {
    match (policy.baseline.is_some(), policy.changed_only) {
        (false, false) => ("finding", "findings"),
        (true, false) => ("new finding", "new findings"),
        (false, true) => ("changed finding", "changed findings"),
        (true, true) => ("new, changed finding", "new, changed findings"),
    }
}

fn gate(policy: &Policy, findings: &[Finding]) -> Vec<String> {
    let counts = policy.counted(findings);
    let (one, many) = words(policy);
    let said = |n| count(n, one, many);
    let mut reasons = Vec::new();
    if let Some(limit) = policy.fail_on.level() {
        let reached: Vec<String> = Level::WORST_FIRST
            .into_iter()
            .filter(|level| *level >= limit && counts.at(*level) > 0)
            .map(|level| format!("{} {level}", counts.at(level)))
            .collect();
        let total: u64 = Level::WORST_FIRST.into_iter().filter(|level| *level >= limit).map(|level| counts.at(level)).sum();
        if total > 0 {
            let verb = if total == 1 { "reaches" } else { "reach" };
            reasons.push(format!("{} ({}) {verb} the gate ({limit})", said(total), reached.join(", ")));
        }
    }
    for level in Level::WORST_FIRST {
        if let Some(max) = policy.max_at(level).filter(|max| counts.at(level) > *max) {
            reasons.push(format!("{} at {level}, at most {max} allowed", said(counts.at(level))));
        }
    }
    reasons
}

fn pass_reason(rules: &Rules, files: &[FileRecord], findings: &[Finding], facts: &Facts) -> String {
    if files.is_empty() {
        "nothing to scan".to_owned()
    } else if files.iter().all(|file| file.state == State::Unchanged) {
        "no Dockerfile and no manifest changed".to_owned()
    } else if facts.pending {
        "submitted, not waited for".to_owned()
    } else if findings.is_empty() {
        "no findings".to_owned()
    } else {
        let Policy { fail_on, max, .. } = &rules.policy;
        match (fail_on.level(), max.is_empty()) {
            (Some(level), _) => format!("no {} reaches the gate ({level})", words(&rules.policy).0),
            (None, true) => "no finding fails the run (fail-on never)".to_owned(),
            (None, false) => "no level has more findings than allowed".to_owned(),
        }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
