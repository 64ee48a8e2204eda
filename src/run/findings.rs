//! What HSS reports becomes findings.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::digest::sha256;
use crate::hss::{PathRow, RiskRow};
use crate::model::{Bucket, Finding, Resource};
use crate::scan::{Entry, Ledger};

/// Hex digits of a fingerprint: enough for as many findings as there will ever be.
const FINGERPRINT_LENGTH: usize = 32;

/// The findings of a run, by path, worst first in a file.
pub(super) fn all(ledger: &Ledger) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ledger.entries.iter().flat_map(of_file).collect();
    findings.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut seen: HashMap<String, u64> = HashMap::new();
    for finding in &mut findings {
        let text = identity(finding);
        let nth = seen.entry(text.clone()).or_default();
        let mut fingerprint = sha256(format!("{text}\n{nth}").as_bytes());
        fingerprint.truncate(FINGERPRINT_LENGTH);
        finding.fingerprint = fingerprint;
        *nth += 1;
    }
    findings
}

fn key(finding: &Finding) -> impl Ord + '_ {
    (
        finding.path.as_bytes(),
        Reverse(finding.level),
        &finding.rule_id,
        &finding.resource,
        &finding.instruction,
        &finding.hit_path,
        (&finding.hit_rule, &finding.name, &finding.description),
    )
}

/// One finding for each place that is named, and one for the places that are only numbered, so that a verdict does not hang on which
/// places were asked for.
fn of_file(entry: &Entry) -> Vec<Finding> {
    entry
        .risks
        .iter()
        .flat_map(|(risk, places)| {
            let unnamed = risk.places().saturating_sub(places.len()) as u64;
            let rest = (unnamed > 0).then(|| Finding { places: unnamed, ..finding(entry, risk, None) });
            places.iter().map(|place| finding(entry, risk, Some(place))).chain(rest)
        })
        .collect()
}

fn finding(entry: &Entry, risk: &RiskRow, place: Option<&PathRow>) -> Finding {
    Finding {
        rule_id: risk.rule_id.clone(),
        name: risk.name.clone(),
        level: risk.level,
        category: risk.category.clone(),
        path: entry.source.path.clone(),
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

/// What makes a finding the same one in another run: rule, file, object and text, not the place in the file.
fn identity(finding: &Finding) -> String {
    let words = |text: &Option<String>| text.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let resource = finding.resource.as_ref().map(|resource| {
        [&resource.kind, &resource.namespace, &resource.name]
            .map(|part| part.as_deref().unwrap_or_default().to_owned())
            .join("\n")
    });
    [
        finding.rule_id.clone(),
        finding.path.to_string(),
        resource.unwrap_or_default(),
        words(&finding.instruction),
        words(&finding.hit_path),
    ]
    .join("\n")
}
