//! What every report for people says in its own way: which findings come first, where they are, what was not scanned.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::View;
use super::list::masked_values;
use super::text::cut;
use crate::model::{Bucket, FileRecord, Finding, Level, Precision, RepoPath, ScanResult, State, Status};

/// The longest quoted text.
const LONGEST: usize = 160;

/// Findings as people see them.
pub(super) struct Shown<'a> {
    /// Those that count and reach the report level, by [`rank`], then in the order of the result.
    pub(super) findings: Vec<&'a Finding>,
    /// How many count and don't reach it.
    pub(super) below: u64,
    /// How many of all that count are in the baseline.
    pub(super) known: u64,
    /// Those that don't count.
    pub(super) suppressed: Vec<&'a Finding>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(result: &'a ScanResult, view: View<'_>) -> Self {
        let (counting, suppressed): (Vec<_>, Vec<_>) = result.findings.iter().partition(|f| f.suppressed.is_none());
        let known = places(counting.iter().filter(|f| f.bucket == Bucket::Known));
        let (mut findings, below): (Vec<_>, Vec<_>) = counting.into_iter().partition(|f| f.level >= view.level);
        findings.sort_by_key(|f| rank(f));
        Self { findings, below: places(&below), known, suppressed }
    }

    /// The findings by file: the file with the worst comes first, and in it the worst finding.
    pub(super) fn by_file(&self) -> Vec<(&'a RepoPath, Vec<&'a Finding>)> {
        let mut files: BTreeMap<&RepoPath, Vec<&Finding>> = BTreeMap::new();
        for finding in &self.findings {
            files.entry(&finding.path).or_default().push(finding);
        }
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_cached_key(|(path, findings)| {
            let at = |of| findings.iter().filter(|f| rank(f) == of).count();
            (Reverse(std::array::from_fn::<_, RANKS, _>(at)), *path)
        });
        for (_, findings) in &mut files {
            findings.sort_by_key(|f| in_file(f));
        }
        files
    }

    /// `3 below high not shown`, if there are any.
    pub(super) fn below(&self, view: View<'_>) -> Option<String> {
        (self.below > 0).then(|| format!("{} below {} not shown", self.below, view.level))
    }
}

/// How often findings count: one that stands for several places counts for each.
fn places<'a>(findings: impl IntoIterator<Item = &'a &'a Finding>) -> u64 {
    findings.into_iter().map(|finding| finding.places).sum()
}

/// `The name (at 3 places)`, where one finding stands for several.
pub(super) fn name(finding: &Finding) -> String {
    let places = if finding.places > 1 { format!(" (at {} places)", finding.places) } else { String::new() };
    format!("{}{places}", finding.name)
}

/// How many ranks there are.
const RANKS: usize = 12;

/// Where a finding stands, 0 first: what touches the change, then all that is new, then what is known; in each the worst first.
fn rank(finding: &Finding) -> usize {
    let group = match (finding.bucket, finding.changed) {
        (Bucket::New, Some(true)) => 0,
        (Bucket::New, _) => 1,
        (Bucket::Known, _) => 2,
    };
    let level = match finding.level {
        Level::High => 0,
        Level::Medium => 1,
        Level::Low => 2,
        Level::Tips => 3,
    };
    group * Level::WORST_FIRST.len() + level
}

/// The order of findings in one file: by rank, then by place, what has none last.
fn in_file(finding: &Finding) -> impl Ord + use<> {
    (rank(finding), finding.location.is_none(), finding.location.map(|at| (at.line, at.column)))
}

/// `api/Dockerfile:12:1`, with `near` or `in` before it where that is not the very place, and no line where none is known.
pub(super) fn place(finding: &Finding) -> String {
    let path = &finding.path;
    match finding.location {
        None => path.to_string(),
        Some(at) => match at.precision {
            Precision::Exact => format!("{path}:{}:{}", at.line, at.column),
            Precision::Parent => format!("near {path}:{}:{}", at.line, at.column),
            Precision::Resource => format!("in {path}:{}:{}", at.line, at.column),
            Precision::File => format!("in {path}"),
        },
    }
}

/// `Deployment/web in shop`.
pub(super) fn object(finding: &Finding) -> Option<String> {
    let resource = finding.resource.as_ref()?;
    let object = match (&resource.kind, &resource.name) {
        (Some(kind), Some(name)) => format!("{kind}/{name}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => return None,
    };
    let namespace = resource.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    Some(cut(&format!("{object}{namespace}"), LONGEST).into_owned())
}

/// What the service says about the place: the instruction, or the object and the path inside it.
pub(super) fn words(finding: &Finding) -> Option<String> {
    if let Some(instruction) = &finding.instruction {
        return Some(cut(instruction, LONGEST).into_owned());
    }
    let said = [object(finding), finding.hit_path.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    (!said.is_empty()).then(|| cut(&said, LONGEST).into_owned())
}

/// The files of ours without a verdict.
pub(super) fn not_scanned(result: &ScanResult) -> Vec<&FileRecord> {
    result.files.iter().filter(|f| !f.state.is_done()).collect()
}

/// `scan failed`.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Scanned => "scanned",
        State::Reused => "reused",
        State::UploadFailed => "upload failed",
        State::ScanFailed => "scan failed",
        State::Unchanged => "unchanged",
        State::NotScanned | State::WouldSend => "not scanned",
    }
}

/// Whether there is more to know than the result holds.
pub(super) fn is_incomplete(result: &ScanResult) -> bool {
    let is_asked_for = matches!(result.verdict.status, Status::Pass | Status::Fail) && is_of_a_change(result);
    (!result.complete && !is_asked_for) || result.verdict.status == Status::Error
}

/// What the change alters in the rules, with a heading, if it does.
pub(super) fn altered(result: &ScanResult) -> Option<(&'static str, &[String])> {
    let heading = match result.run.policy_from.as_deref() {
        Some("head") => "The change alters the rules that it is judged by:",
        _ => "The change alters the rules, which takes effect after the merge:",
    };
    (!result.policy_changes.is_empty()).then_some((heading, result.policy_changes.as_slice()))
}

/// Whether nothing but what did not change was left out.
pub(crate) fn is_of_a_change(result: &ScanResult) -> bool {
    result.counts.unchanged > 0 && not_scanned(result).is_empty()
}

/// Why the result is not the whole truth, where it is not.
pub(super) fn incomplete(result: &ScanResult) -> Option<String> {
    is_incomplete(result).then(|| format!("INCOMPLETE: {}", reasons(result)))
}

/// Everything that led to the verdict.
pub(super) fn reasons(result: &ScanResult) -> String {
    if result.verdict.reasons.is_empty() { "no reason given".to_owned() } else { result.verdict.reasons.join("; ") }
}

/// `FAIL`.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "PASS",
        Status::Fail => "FAIL",
        Status::Partial => "PARTIAL",
        Status::Error => "ERROR",
        Status::Pending => "PENDING",
    }
}

/// The policy and the numbers that it was held against, on pass and fail alike:
/// `fail-on high, max medium=5; counted: 0 high, 3 medium, 2 low, 0 tips`.
pub(super) fn gate(result: &ScanResult) -> String {
    let policy = policy(result);
    if result.verdict.status == Status::Pending {
        return policy;
    }
    let counted = result.policy.counted(&result.findings);
    let levels: Vec<String> = Level::WORST_FIRST.iter().map(|level| format!("{} {level}", counted.at(*level))).collect();
    format!("{policy}; counted: {}", levels.join(", "))
}

/// `fail-on high, max medium=5, changed only, baseline known.json`.
fn policy(result: &ScanResult) -> String {
    let policy = &result.policy;
    let limit = |level: &Level| Some(format!("{level}={}", policy.max_at(*level)?));
    let max: Vec<String> = Level::WORST_FIRST.iter().filter_map(limit).collect();
    let parts = [
        Some(format!("fail-on {}", policy.fail_on)),
        (!max.is_empty()).then(|| format!("max {}", max.join(","))),
        policy.changed_only.then(|| "changed only".to_owned()),
        policy.baseline.as_ref().map(|baseline| format!("baseline {}", cut(baseline, LONGEST))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `3 files: 2 scanned, 1 scan failed; 4 skipped`.
pub(super) fn files(result: &ScanResult) -> String {
    let counts = &result.counts;
    let states = [
        (counts.scanned, State::Scanned),
        (counts.reused, State::Reused),
        (counts.upload_failed, State::UploadFailed),
        (counts.scan_failed, State::ScanFailed),
        (counts.not_scanned, State::NotScanned),
        (counts.unchanged, State::Unchanged),
    ];
    let said: Vec<String> = states.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {}", state(*word))).collect();
    let files = crate::judge::count(counts.files, "file", "files");
    let skipped = if counts.skipped > 0 { format!("; {} skipped", counts.skipped) } else { String::new() };
    let colon = if said.is_empty() { "" } else { ": " };
    let masked = if counts.masked > 0 { format!("; {}", masked_values(counts.masked)) } else { String::new() };
    format!("{files}{colon}{}{skipped}{masked}", said.join(", "))
}

/// How many places of the baseline are gone.
pub(super) fn resolved(result: &ScanResult) -> u64 {
    result.resolved.iter().fold(0, |sum, known| sum.saturating_add(known.places))
}

/// `1 high, 0 medium, 2 low, 0 tips, 1 suppressed, 1 known, 3 resolved`.
pub(super) fn findings(result: &ScanResult, shown: &Shown<'_>) -> String {
    let counts = &result.counts.findings;
    let levels = Level::WORST_FIRST.iter().map(|level| format!("{} {level}", counts.at(*level)));
    let more = [(counts.suppressed, "suppressed"), (shown.known, "known"), (resolved(result), "resolved")];
    let more = more.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    levels.chain(more).collect::<Vec<_>>().join(", ")
}
