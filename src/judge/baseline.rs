//! What is known already: findings that stand in the baseline do not decide.
//!
//! A finding is recognised by rule, file, object and text, never by its line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Bucket, Finding, KnownFinding, RepoPath, ScanResult, State};

/// The version of the document that this program writes.
const VERSION: u32 = 1;

/// The document.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
pub struct Baseline {
    /// 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// What is known, sorted; a finding that is there twice stands here twice, one that stands for several places says so.
    pub findings: Vec<KnownFinding>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with a version")]
struct Version {
    version: u32,
}

/// Reads a baseline.
pub fn parse(bytes: &[u8]) -> Result<Vec<KnownFinding>, String> {
    // Some editors put a mark in front that JSON does not know.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    // The version first: a newer document may have another shape.
    let Version { version } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if !(1..=VERSION).contains(&version) {
        return Err(format!("it has version {version}, and this program reads up to {VERSION}"));
    }
    let read: Baseline = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(read.findings.into_iter().map(KnownFinding::normal).collect())
}

/// Writes a baseline, one finding a line, so that a change of it reads well.
pub fn text(findings: &[KnownFinding]) -> serde_json::Result<String> {
    let lines: Vec<String> = findings
        .iter()
        .map(|known| Ok(format!("\n    {}", serde_json::to_string(known)?)))
        .collect::<serde_json::Result<_>>()?;
    let end = if lines.is_empty() { "" } else { "\n  " };
    Ok(format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{}{end}]\n}}\n", lines.join(",")))
}

/// The baseline after a result: its findings that count, and what stood in the `old` one of files that were not scanned.
pub fn renewed(old: Vec<KnownFinding>, result: &ScanResult) -> Vec<KnownFinding> {
    let states: BTreeMap<&RepoPath, State> = result.files.iter().map(|file| (&file.path, file.state)).collect();
    let skipped: BTreeSet<&RepoPath> = result.skipped.iter().map(|skipped| &skipped.path).collect();
    let not_searched: BTreeSet<&RepoPath> = result.directories_not_searched.iter().collect();
    let stays = |known: &KnownFinding| {
        if let Some(state) = states.get(&known.path) {
            return !state.has_verdict();
        }
        let hidden = known.path.directories().any(|directory| not_searched.contains(&directory));
        // What a part of the repository does not hold may well stand in the rest.
        skipped.contains(&known.path) || hidden || !result.run.selected.is_empty()
    };
    let counting = result.findings.iter().filter(|finding| finding.suppressed.is_none()).map(KnownFinding::of);
    let mut all: Vec<KnownFinding> = old.into_iter().filter(stays).chain(counting).collect();
    all.sort();
    all
}

/// What a comparison brought to light besides.
#[derive(Debug, Default)]
pub struct Compared {
    /// Entries of the baseline that are gone from files that were looked at.
    pub resolved: Vec<KnownFinding>,
    /// How many places moved with a file that was renamed, by its old path and its new one.
    pub moved: BTreeMap<(RepoPath, RepoPath), u64>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It was looked at.
    Scanned,
    /// It is no longer there.
    Deleted,
    /// Nothing is known of what stands in it.
    Unknown,
}

/// Tells known findings from new ones, each place of an entry standing for one place of a finding. A finding of which only some places are
/// known becomes two, the second one new and without a fingerprint.
pub fn compare(findings: &mut Vec<Finding>, known: &[KnownFinding], look: &dyn Fn(&RepoPath) -> Look) -> Compared {
    let mut matching = Matching::new(findings, known);
    let same = |known: &KnownFinding| Some(KnownFinding { places: 1, ..known.clone() });
    matching.pass(same, same);
    // The service did not always name the place, or there were no calls left to ask for it.
    let file = |known: &KnownFinding| (known.rule_id.clone(), known.path.clone());
    matching.pass(|known| Some(file(known)), |finding| finding.is_placeless().then(|| file(finding)));
    matching.pass(|known| known.is_placeless().then(|| file(known)), |finding| Some(file(finding)));
    let moved = matching.renamed(look);
    let Matching { entries, findings: of, .. } = matching;
    let mut resolved: Vec<KnownFinding> = entries
        .into_iter()
        .filter(|(known, open)| *open > 0 && look(&known.path) != Look::Unknown)
        .map(|(known, open)| KnownFinding { places: open, ..known.clone() })
        .collect();
    resolved.sort();
    let open: Vec<u64> = of.into_iter().map(|(_, open)| open).collect();
    *findings = std::mem::take(findings).into_iter().zip(open).flat_map(|(finding, open)| parts(finding, open)).collect();
    Compared { resolved, moved }
}

/// A finding of which so many places are new.
fn parts(finding: Finding, open: u64) -> impl Iterator<Item = Finding> {
    let known = finding.places.saturating_sub(open);
    let new = (open > 0).then(|| {
        let fingerprint = if known > 0 { String::new() } else { finding.fingerprint.clone() };
        Finding { places: open, bucket: Bucket::New, fingerprint, ..finding.clone() }
    });
    let known = (known > 0).then_some(Finding { places: known, bucket: Bucket::Known, ..finding });
    known.into_iter().chain(new)
}

/// Entries and findings, each with how many of its places are still open.
struct Matching<'a> {
    entries: Vec<(&'a KnownFinding, u64)>,
    findings: Vec<(KnownFinding, u64)>,
    /// Findings that count come first, so that a suppressed one takes no entry from them.
    order: Vec<usize>,
}

impl<'a> Matching<'a> {
    fn new(findings: &[Finding], known: &'a [KnownFinding]) -> Self {
        let mut order: Vec<usize> = (0..findings.len()).collect();
        order.sort_by_key(|index| findings.get(*index).is_some_and(|finding| finding.suppressed.is_some()));
        let mut entries: Vec<(&KnownFinding, u64)> = known.iter().map(|known| (known, known.places)).collect();
        entries.sort();
        let findings = findings.iter().map(|finding| (KnownFinding::of(finding), finding.places)).collect();
        Self { entries, findings, order }
    }

    /// Brings together what is still open and has the same key, place by place; gives the pairs of entry and finding, with how many places.
    fn pass<K: Ord>(
        &mut self,
        entry_key: impl Fn(&KnownFinding) -> Option<K>,
        finding_key: impl Fn(&KnownFinding) -> Option<K>,
    ) -> Vec<(usize, usize, u64)> {
        let mut open: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
        for (index, (known, _)) in self.entries.iter().enumerate().filter(|(_, (_, left))| *left > 0) {
            if let Some(key) = entry_key(known) {
                open.entry(key).or_default().push_back(index);
            }
        }
        let mut pairs = Vec::new();
        for index in &self.order {
            let Some((finding, wanted)) = self.findings.get_mut(*index).filter(|(_, wanted)| *wanted > 0) else { continue };
            let Some(queue) = finding_key(finding).and_then(|key| open.get_mut(&key)) else { continue };
            while let Some(entry) = queue.front().copied().filter(|_| *wanted > 0) {
                let Some((_, left)) = self.entries.get_mut(entry) else { break };
                let taken = (*left).min(*wanted);
                (*left, *wanted) = (*left - taken, *wanted - taken);
                if *left == 0 {
                    queue.pop_front();
                }
                pairs.push((entry, *index, taken));
            }
        }
        pairs
    }

    /// Files that were renamed: what stood in one that is gone stands in one that the baseline does not know. What has no place of its own
    /// follows only where something else has shown the way.
    fn renamed(&mut self, look: &dyn Fn(&RepoPath) -> Look) -> BTreeMap<(RepoPath, RepoPath), u64> {
        let gone: BTreeSet<RepoPath> = self
            .entries
            .iter()
            .filter(|(known, open)| *open > 0 && look(&known.path) == Look::Deleted)
            .map(|(known, _)| known.path.clone())
            .collect();
        let paths: BTreeSet<RepoPath> = self.entries.iter().map(|(known, _)| known.path.clone()).collect();
        let what = |known: &KnownFinding| (known.rule_id.clone(), known.resource.clone(), known.text.clone());
        let mut pairs = self.pass(
            |known| (gone.contains(&known.path) && !known.is_placeless()).then(|| what(known)),
            |finding| (!paths.contains(&finding.path) && !finding.is_placeless()).then(|| what(finding)),
        );
        let ways: BTreeMap<RepoPath, RepoPath> =
            pairs.iter().filter_map(|pair| self.way(*pair)).map(|(from, to)| (to, from)).collect();
        pairs.extend(self.pass(
            |known| known.is_placeless().then(|| (known.rule_id.clone(), known.path.clone())),
            |finding| {
                let from = ways.get(&finding.path).filter(|_| finding.is_placeless())?;
                Some((finding.rule_id.clone(), from.clone()))
            },
        ));
        let mut moved = BTreeMap::new();
        for pair in pairs {
            if let Some(way) = self.way(pair) {
                *moved.entry(way).or_default() += pair.2;
            }
        }
        moved
    }

    /// From which file to which.
    fn way(&self, (entry, finding, _): (usize, usize, u64)) -> Option<(RepoPath, RepoPath)> {
        Some((self.entries.get(entry)?.0.path.clone(), self.findings.get(finding)?.0.path.clone()))
    }
}

#[cfg(test)]
mod tests;
