//! GitLab's Code Quality report: an array of entries, `[]` where all is clean.
//!
//! The format knows entries and nothing else, so what a reader must know besides the findings stands there as entries:
//! the stand-in (`info`), files that were not scanned and a run that is not whole (`major`).

use std::borrow::Cow;
use std::io::Write;

use serde::Serialize;

use super::json;
use super::machine::{self, Unique, cut, or};
use super::{STAND_IN, Written};
use crate::model::{Finding, Level, ScanResult};

/// The longest description: it stands in one row of a table.
const DESCRIPTION: usize = 1_000;

/// The longest name of a check.
const CHECK: usize = 255;

/// Writes the entries, worst first, in one line.
pub fn write(result: &ScanResult, out: &mut dyn Write) -> Written {
    // The model promises unique fingerprints; a result from elsewhere need not keep that, and two entries with one
    // fingerprint are shown as one.
    let mut fingerprints = Unique::default();
    let mut entries = about_the_run(result);
    entries.extend(machine::worst_first(result).into_iter().map(Entry::of));
    for entry in &mut entries {
        entry.fingerprint = fingerprints.name(&entry.fingerprint, |text, nth| fingerprint_of(&format!("{text}\n{nth}")));
    }
    json::write_line(&entries, out)?;
    Ok(None)
}

fn fingerprint_of(text: &str) -> String {
    machine::uuid(text).simple().to_string()
}

fn about_the_run(result: &ScanResult) -> Vec<Entry<'_>> {
    // An entry needs a path; what is about the run stands at the first file.
    let anchor = result.files.first().map(|file| &file.path).or(result.findings.first().map(|finding| &finding.path));
    let entry = |check: &'static str, severity, text: &str, path: String| Entry {
        description: cut(&format!("{check}: {text}"), DESCRIPTION).into_owned(),
        check_name: check.into(),
        fingerprint: fingerprint_of(&format!("{check}\n{path}")),
        severity,
        location: Location { path, lines: Lines { begin: 1 } },
    };
    let anchor = || anchor.map_or_else(|| ".".to_owned(), machine::path);
    let mut entries = Vec::new();
    if result.service.stand_in {
        entries.push(entry("hss-iac/stand-in", "info", STAND_IN, anchor()));
    }
    let told = entries.len();
    entries.extend(
        machine::lost(result)
            .map(|file| entry("hss-iac/not-scanned", "major", &machine::loss(file), machine::path(&file.path))),
    );
    if entries.len() == told && !machine::is_whole(result) {
        entries.push(entry("hss-iac/incomplete", "major", &machine::shortfall(result), anchor()));
    }
    entries
}

#[derive(Serialize)]
struct Entry<'a> {
    description: String,
    check_name: Cow<'a, str>,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

impl<'a> Entry<'a> {
    fn of(finding: &'a Finding) -> Self {
        // GitLab does not show the name of the check.
        let rule = cut(or(Some(&finding.rule_id), "unnamed"), CHECK);
        let name = machine::name(finding);
        let target = machine::target(finding).map(|target| format!(" ({target})")).unwrap_or_default();
        Self {
            description: cut(&format!("{rule}: {name}{target}"), DESCRIPTION).into_owned(),
            check_name: rule,
            fingerprint: cut(or(Some(&finding.fingerprint), "none"), CHECK).into_owned(),
            severity: match finding.level {
                Level::High => "critical",
                Level::Medium => "major",
                Level::Low => "minor",
                Level::Tips => "info",
            },
            location: Location { path: machine::path(&finding.path), lines: Lines { begin: machine::line(finding) } },
        }
    }
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}
