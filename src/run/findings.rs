//! What HSS reports becomes findings: one for each place of a risk, brought to its line.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

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

/// Findings with what there is to say of them.
#[derive(Clone, Default)]
pub(super) struct Findings {
    /// By path, worst first in a file, then by line.
    pub(super) findings: Vec<Finding>,
    /// The files whose findings could not be brought to their lines, a sentence each.
    pub(super) notes: Vec<String>,
}

/// The findings of a run, by the place of their file, some of which are known already. Each other file that has some is read again, one
/// after the other.
pub(super) fn all(ledger: &Ledger, input: &discover::Options, mut known: BTreeMap<usize, Findings>) -> Findings {
    let mut all = Findings::default();
    for (index, entry) in ledger.entries.iter().enumerate().filter(|(_, entry)| !entry.risks.is_empty()) {
        let its = known.remove(&index).unwrap_or_else(|| of_file(&entry.source, &entry.risks, input));
        all.findings.extend(its.findings);
        all.notes.extend(its.notes);
    }
    all
}

/// The findings of one file, which is read again.
pub(super) fn of_file(source: &SourceFile, risks: &Risks, input: &discover::Options) -> Findings {
    let mut findings = of_risks(&source.path, risks);
    let mut notes = Vec::new();
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
            notes.push(format!("the findings of {} have no lines: {reason}", source.path));
        }
    }
    findings.iter_mut().for_each(conceal);
    findings.sort_by(|a, b| (Reverse(a.level), line(a), key(a)).cmp(&(Reverse(b.level), line(b), key(b))));
    Findings { findings, notes }
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
        FileType::Dockerfile => Some(finding.rule_id.as_str()),
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
