//! Which findings do not count: because the configuration says so, or a comment in the file itself.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::inline::Ignore;
use crate::model::{
    FileRecord, FileType, Finding, KnownFinding, Location, Precision, RepoPath, Resource, SuppressedBy, Suppression,
};

/// An entry of the configuration.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The service's rule, exactly.
    pub rule: String,
    /// Only in files that match, or that stand in a directory that does.
    pub path: Option<glob::Pattern>,
    /// Only in this object: `kind/name` or `name`.
    pub resource: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The file and the line in which it stands.
    pub place: (String, usize),
}

/// What a run looked at: what was not looked at can't tell whether a suppression is still needed.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// Files of ours.
    pub files: &'a [FileRecord],
    /// Whether the whole repository was asked for.
    pub whole: bool,
    /// The day.
    pub today: Date,
}

/// Marks what does not count. Gives notes on suppressions that ran out, met nothing or can't be read, by file and line.
pub fn apply(
    entries: &[Entry],
    ignores: &[(RepoPath, FileType, Vec<Ignore>)],
    looked: Looked<'_>,
    findings: &mut [Finding],
) -> Vec<String> {
    let mut notes: Vec<(String, usize, String)> = Vec::new();
    let used = by_config(entries, looked.today, findings);
    for (entry, used) in entries.iter().zip(used) {
        let told = match entry.until {
            Some(until) if until < looked.today => format!("the suppression of {} ran out on {until}", entry.rule),
            _ if !used && looked.could_meet(entry) && !findings.iter().any(|finding| entry.may_be_about(finding)) => {
                format!("the suppression of {} meets no finding", entry.rule)
            }
            _ => continue,
        };
        notes.push((entry.place.0.clone(), entry.place.1, told));
    }
    let used = by_comment(ignores, findings);
    let numbered: HashSet<(&RepoPath, &str)> = findings
        .iter()
        .filter(|finding| KnownFinding::of(finding).is_placeless())
        .map(|finding| (&finding.path, &*finding.rule_id))
        .collect();
    for (path, file_type, ignores) in ignores {
        for ignore in ignores {
            let unused = |rule: &&String| {
                let may_be_about = *file_type == FileType::K8sYaml && numbered.contains(&(path, rule.as_str()));
                !used.contains(&(path, ignore.line, rule.as_str())) && !may_be_about
            };
            let told = match ignore.fault {
                Some(fault) => vec![format!("this ignore does not count: {fault}")],
                None => ignore.rules.iter().filter(unused).map(|rule| format!("ignore[{rule}] meets no finding")).collect(),
            };
            notes.extend(told.into_iter().map(|told| (path.to_string(), ignore.line as usize, told)));
        }
    }
    notes.sort();
    notes.into_iter().map(|(file, line, told)| format!("{file}:{line}: {told}")).collect()
}

impl Looked<'_> {
    /// Whether every finding that an entry is about would have been seen.
    fn could_meet(&self, entry: &Entry) -> bool {
        let mut about = self
            .files
            .iter()
            .filter(|file| entry.path.as_ref().is_none_or(|pattern| file.path.is_matched_by(pattern)))
            .peekable();
        let all_known = self.whole || (entry.path.is_some() && about.peek().is_some());
        all_known && about.all(|file| file.state.has_verdict())
    }
}

/// Which entries met a finding.
fn by_config(entries: &[Entry], today: Date, findings: &mut [Finding]) -> Vec<bool> {
    let mut used = vec![false; entries.len()];
    for finding in findings {
        for (entry, used) in entries.iter().zip(&mut used) {
            if !entry.is_about(finding) {
                continue;
            }
            *used = true;
            if finding.suppressed.is_none() && entry.until.is_none_or(|until| today <= until) {
                finding.suppressed = Some(Suppression {
                    by: SuppressedBy::Config,
                    reason: entry.reason.clone(),
                    owner: entry.owner.clone(),
                    until: entry.until.map(|until| until.to_string()),
                });
            }
        }
    }
    used
}

impl Entry {
    fn is_about(&self, finding: &Finding) -> bool {
        self.is_about_file(finding)
            && self.resource.as_ref().is_none_or(|wanted| finding.resource.as_ref().is_some_and(|of| is_called(of, wanted)))
    }

    fn is_about_file(&self, finding: &Finding) -> bool {
        *self.rule == *finding.rule_id && self.path.as_ref().is_none_or(|pattern| finding.path.is_matched_by(pattern))
    }

    /// Whether the object of a finding, which nobody asked for, may be the one of this.
    fn may_be_about(&self, finding: &Finding) -> bool {
        self.is_about_file(finding) && KnownFinding::of(finding).is_placeless()
    }
}

fn is_called(resource: &Resource, wanted: &str) -> bool {
    let Some(name) = &resource.name else { return false };
    name == wanted || resource.kind.as_ref().is_some_and(|kind| format!("{kind}/{name}") == wanted)
}

/// Which rules of which comments met a finding.
fn by_comment<'a>(
    ignores: &'a [(RepoPath, FileType, Vec<Ignore>)],
    findings: &mut [Finding],
) -> HashSet<(&'a RepoPath, u32, &'a str)> {
    let by_path: HashMap<&RepoPath, _> = ignores.iter().map(|(path, kind, ignores)| (path, (path, kind, ignores))).collect();
    let mut used = HashSet::new();
    for finding in findings {
        let (Some((path, file_type, ignores)), Some(location)) = (by_path.get(&finding.path), finding.location) else {
            continue;
        };
        // Places that were only numbered may stand anywhere in a manifest: nobody looked at them.
        if **file_type == FileType::K8sYaml && KnownFinding::of(finding).is_placeless() {
            continue;
        }
        for ignore in ignores.iter().filter(|ignore| ignore.fault.is_none() && reaches(ignore, **file_type, location)) {
            let Some(rule) = ignore.rules.iter().find(|rule| ***rule == *finding.rule_id) else { continue };
            used.insert((*path, ignore.line, rule.as_str()));
            if finding.suppressed.is_none() {
                let reason = ignore.reason.clone();
                finding.suppressed = Some(Suppression { by: SuppressedBy::Inline, reason, owner: None, until: None });
            }
        }
    }
    used
}

/// Whether a comment speaks of a place: it stands right above it, on its line, or inside a Dockerfile instruction of several lines. Where
/// only the file is known there is no such place.
fn reaches(ignore: &Ignore, file_type: FileType, at: Location) -> bool {
    let inside = file_type == FileType::Dockerfile && matches!(at.precision, Precision::Exact | Precision::Parent);
    let last = if inside { at.end_line } else { at.line };
    let above = ignore.alone && ignore.line.checked_add(1) == Some(at.line);
    at.precision != Precision::File && (above || (at.line..=last).contains(&ignore.line))
}

#[cfg(test)]
mod tests;
