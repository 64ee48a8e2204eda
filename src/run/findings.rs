//! What HSS reports becomes findings: one for each place of a risk, brought to its line.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::source;
use crate::digest::sha256;
use crate::hss::{PathRow, RiskRow};
use crate::locate::{self, Clue, Place, TOP_OF_FILE};
use crate::model::{Bucket, FileType, Finding, KnownFinding, RepoPath, Resource, SourceFile};
use crate::scan::Ledger;
use crate::scan::cache::Risks;
use crate::{discover, mask};

/// Hex digits of a fingerprint: enough for as many findings as there will ever be.
const FINGERPRINT_LENGTH: usize = 32;

/// The findings of a run, as far as its files have ended.
pub(super) struct Findings {
    /// By path, worst first in a file, then by line.
    all: Vec<Finding>,
    /// The files whose findings of this run are among them, by their place.
    files: BTreeMap<usize, Read>,
}

/// A file that was read again to bring its findings to their lines.
struct Read {
    /// How many places of its risks were known then.
    places: usize,
    /// Why its findings could not be brought to their lines, a sentence.
    note: Option<String>,
}

impl Findings {
    /// Those of an earlier run, by path.
    pub(super) fn of_earlier(all: Vec<Finding>) -> Self {
        Self { all, files: BTreeMap::new() }
    }

    /// Brings them up to date: each file that has ended since, or of whose risks more places are known, is read again, one after the
    /// other. Those of an earlier run stay for every file that was not asked about anew.
    pub(super) fn update(&mut self, ledger: &Ledger, input: &discover::Options) {
        let mut new = Vec::new();
        let mut up_to_date = BTreeSet::new();
        for (index, entry) in ledger.entries.iter().enumerate() {
            let Some(risks) = ledger.risks(index) else { continue };
            let places = risks.iter().map(|(_, places)| places.len()).sum();
            if self.files.get(&index).is_some_and(|read| read.places == places) {
                up_to_date.insert(&entry.source.path);
                continue;
            }
            let (its, note) = of_file(&entry.source, risks, input);
            new.extend(its);
            self.files.insert(index, Read { places, note });
        }
        let mut others = ledger.read_anew();
        others.extend(new.iter().map(|finding: &Finding| &finding.path));
        self.all.retain(|finding| up_to_date.contains(&finding.path) || !others.contains(&finding.path));
        self.all.append(&mut new);
        self.all.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// They are lent, to be in a result, until they are given back.
    pub(super) fn lend(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.all)
    }

    /// What was lent.
    pub(super) fn give_back(&mut self, all: Vec<Finding>) {
        self.all = all;
    }

    /// All of them, and of which files they could not be brought to their lines, a sentence each.
    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<String>) {
        (self.all, self.files.into_values().filter_map(|read| read.note).collect())
    }
}

/// The findings of one file, which is read again, worst first, then by line; and why they have no lines.
fn of_file(source: &SourceFile, risks: &Risks, input: &discover::Options) -> (Vec<Finding>, Option<String>) {
    let mut findings = of_risks(&source.path, risks);
    let mut note = None;
    let mut seen = HashMap::new();
    // Equal texts are told apart by number, so the numbers are given before lines have a say in the order.
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    for finding in &mut findings {
        finding.fingerprint = fingerprint(finding, &mut seen);
    }
    match source::again(input, &source.path, source.file_type, source.sha256.as_deref()) {
        Ok(text) => settle(&mut findings, source.file_type, &text),
        Err(reason) => {
            for finding in &mut findings {
                finding.location = Some(TOP_OF_FILE);
            }
            note = Some(format!("the findings of {} have no lines: {reason}", source.path));
        }
    }
    findings.iter_mut().for_each(conceal);
    findings.sort_by(|a, b| (Reverse(a.level), line(a), key(a)).cmp(&(Reverse(b.level), line(b), key(b))));
    (findings, note)
}

/// Brings the findings of a file to their lines.
fn settle(findings: &mut [Finding], file_type: FileType, source: &[u8]) {
    let clues: Vec<Clue<'_>> = findings.iter().map(|finding| clue(finding, file_type)).collect();
    let places = locate::locate(file_type, source, &clues);
    let quotable = mask::quotable(file_type, source, locate::decode);
    let snippets = locate::excerpts(quotable, places.iter().map(|place| place.location));
    for ((finding, Place { location, line_hash }), snippet) in findings.iter_mut().zip(places).zip(snippets) {
        finding.location = Some(location);
        finding.snippet = snippet;
        finding.line_hash = Some(line_hash);
    }
}

/// Masks what looks like a credential in what the service quotes of the file.
fn conceal(finding: &mut Finding) {
    for quoted in [&mut finding.instruction, &mut finding.hit_rule, &mut finding.hit_path].into_iter().flatten() {
        *quoted = mask::credentials(quoted).into_owned();
    }
}

fn clue(finding: &Finding, file_type: FileType) -> Clue<'_> {
    let hit_rule = match file_type {
        FileType::Dockerfile => Some(&*finding.rule_id),
        FileType::K8sYaml => finding.hit_rule.as_deref(),
    };
    Clue {
        instruction: finding.instruction.as_deref(),
        resource: finding.resource.as_ref(),
        hit_path: finding.hit_path.as_deref(),
        hit_rule,
    }
}

fn line(finding: &Finding) -> u32 {
    finding.location.map_or(0, |location| location.line)
}

fn key(finding: &Finding) -> impl Ord + '_ {
    (
        Reverse(finding.level),
        &finding.rule_id,
        &finding.resource,
        &finding.instruction,
        &finding.hit_path,
        (&finding.hit_rule, &finding.name, &finding.description),
    )
}

/// The text with the number of the finding among those with an equal one.
fn fingerprint(finding: &Finding, seen: &mut HashMap<String, u64>) -> String {
    let text = identity(finding);
    let nth = seen.entry(text.clone()).or_default();
    let mut fingerprint = sha256(format!("{text}\n{nth}").as_bytes());
    fingerprint.truncate(FINGERPRINT_LENGTH);
    *nth += 1;
    fingerprint
}

/// Gives each finding that has no fingerprint the next number among those with an equal text.
pub(super) fn number_parts(findings: &mut [Finding]) {
    let (whole, parts): (Vec<_>, Vec<_>) = findings.iter_mut().partition(|finding| !finding.fingerprint.is_empty());
    let texts: HashSet<String> = parts.iter().map(|finding| identity(finding)).collect();
    let mut seen: HashMap<String, u64> = HashMap::new();
    for text in whole.iter().map(|finding| identity(finding)).filter(|text| texts.contains(text)) {
        *seen.entry(text).or_default() += 1;
    }
    for finding in parts {
        finding.fingerprint = fingerprint(finding, &mut seen);
    }
}

/// One finding for each place that is named, and one for the places that are only numbered, so that a verdict does not hang on which
/// places were asked for.
fn of_risks(path: &RepoPath, risks: &Risks) -> Vec<Finding> {
    risks
        .iter()
        .flat_map(|(risk, places)| {
            let unnamed = risk.places().saturating_sub(places.len()) as u64;
            let rest = (unnamed > 0).then(|| Finding { places: unnamed, ..finding(path, risk, None) });
            places.iter().map(|place| finding(path, risk, Some(place))).chain(rest)
        })
        .collect()
}

fn finding(path: &RepoPath, risk: &RiskRow, place: Option<&PathRow>) -> Finding {
    Finding {
        rule_id: risk.rule_id.clone(),
        name: risk.name.clone(),
        level: risk.level,
        category: risk.category.clone(),
        path: path.clone(),
        location: None,
        resource: place.map(|place| Resource {
            kind: place.resource_type.clone(),
            namespace: place.namespace.clone(),
            name: place.resource_name.clone(),
        }),
        instruction: risk.build_instruction.clone(),
        hit_rule: place.and_then(|place| place.hit_rule.clone()),
        hit_path: place.and_then(|place| place.hit_path.clone()),
        snippet: Vec::new(),
        line_hash: None,
        places: 1,
        description: risk.description.clone(),
        remediation: risk.remediation.clone(),
        fingerprint: String::new(),
        bucket: Bucket::New,
        changed: None,
        suppressed: None,
    }
}

/// What makes a finding the same one in another run: what a baseline remembers of it, so not the place in the file, and no credential.
fn identity(finding: &Finding) -> String {
    let mut quoted = finding.clone();
    conceal(&mut quoted);
    let known = KnownFinding::of(&quoted);
    let Resource { kind, namespace, name } = known.resource.unwrap_or_default();
    let parts = [Some(known.rule_id), Some(known.path.to_string()), kind, namespace, name, known.text];
    parts.map(Option::unwrap_or_default).join("\n")
}

#[cfg(test)]
mod tests;
