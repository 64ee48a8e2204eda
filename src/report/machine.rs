//! What the formats for machines share: texts within a platform's limits, names that no other entry has, and what a
//! reader must know besides the findings.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};

use jiff::Timestamp;
use uuid::Uuid;

use super::STAND_IN;
use crate::model::{Bucket, FileRecord, Finding, RepoPath, Resource, ScanResult, State, Status};

/// The name of what found the findings. The stand-in has its own: a platform replaces earlier findings by tool, and
/// those of HSS must not be closed by a run that HSS did not answer.
pub(super) fn tool(result: &ScanResult) -> &'static str {
    if result.service.stand_in { "hss-iac-stand-in" } else { "hss-iac" }
}

/// Whether the run did its job: findings or not, all that is ours was scanned.
pub(super) fn is_whole(result: &ScanResult) -> bool {
    !super::shown::is_incomplete(result) && matches!(result.verdict.status, Status::Pass | Status::Fail)
}

/// Findings that count, worst first, then those of the change, then new ones, then by place.
pub(super) fn worst_first(result: &ScanResult) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = result.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    // A stable sort: the order of the result, by path, decides the rest.
    findings.sort_by_key(|finding| (Reverse(finding.level), finding.changed != Some(true), finding.bucket != Bucket::New));
    findings
}

/// Files of ours that were not scanned.
pub(super) fn lost(result: &ScanResult) -> impl Iterator<Item = &FileRecord> {
    result.files.iter().filter(|file| !file.state.is_done())
}

/// Why a file was not scanned, with the state in front.
pub(super) fn loss(file: &FileRecord) -> String {
    let state = match file.state {
        State::UploadFailed => "upload failed",
        State::ScanFailed => "scan failed",
        State::Scanned | State::Reused | State::Unchanged | State::NotScanned | State::WouldSend => "not scanned",
    };
    format!("{state}: {}", or(file.reason.as_deref(), "no reason given"))
}

/// Why the run is not whole, in one line.
pub(super) fn shortfall(result: &ScanResult) -> String {
    format!("this report is incomplete: {}", or(Some(&result.verdict.reasons.join("; ")), "no reason given"))
}

/// How much a message weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Error,
    Warning,
    Note,
}

/// What a reader must know besides the findings.
pub(super) struct Message<'a> {
    pub(super) weight: Weight,
    pub(super) path: Option<&'a RepoPath>,
    pub(super) text: Cow<'a, str>,
}

impl Message<'_> {
    /// The text with the file in front.
    pub(super) fn line(&self) -> String {
        self.path.map_or_else(|| self.text.clone().into_owned(), |path| format!("{path}: {}", self.text))
    }
}

/// Messages at most in a report: a repository can hold any number of files that are not taken.
const MESSAGES: usize = 1_000;

/// The messages of a result: the stand-in, what is missing, notes, what was not taken. The last says how many more
/// there are where there are too many.
pub(super) fn messages(result: &ScanResult) -> Vec<Message<'_>> {
    let say = |weight, text: Cow<'static, str>| Message { weight, path: None, text };
    let stand_in = result.service.stand_in.then(|| say(Weight::Warning, STAND_IN.into()));
    let incomplete = (!is_whole(result)).then(|| say(Weight::Error, shortfall(result).into()));
    let lost = lost(result).map(|file| Message { weight: Weight::Error, path: Some(&file.path), text: loss(file).into() });
    let notes = result.notes.iter().map(|note| Message { weight: Weight::Note, path: None, text: note.into() });
    let skipped = result.skipped.iter().map(|skipped| Message {
        weight: Weight::Note,
        path: Some(&skipped.path),
        text: format!("not taken: {}", skipped.reason.as_str().replace('_', " ")).into(),
    });
    let mut all = stand_in.into_iter().chain(incomplete).chain(lost).chain(notes).chain(skipped);
    let mut messages: Vec<_> = all.by_ref().take(MESSAGES).collect();
    let more = all.count();
    if more > 0 {
        messages.push(say(Weight::Warning, format!("{more} more messages are left out").into()));
    }
    messages
}

/// UTC without a zone.
pub(super) fn time(text: &str) -> String {
    let time: Timestamp = text.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The name of a finding, never empty, with the number of places where it stands for several.
pub(super) fn name(finding: &Finding) -> Cow<'_, str> {
    match or(Some(&finding.name), or(Some(&finding.rule_id), "unnamed")) {
        name if finding.places > 1 => Cow::Owned(format!("{name} (at {} places)", finding.places)),
        name => Cow::Borrowed(name),
    }
}

/// The object of a finding: `Deployment/web in shop`.
pub(super) fn object(resource: Option<&Resource>) -> Option<String> {
    let Resource { kind, namespace, name } = resource?;
    let name = [kind, name].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
    let namespace = namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let object = format!("{name}{namespace}");
    (!object.trim().is_empty()).then_some(object)
}

/// What the rule looked at, in the service's words: object and path inside it, or instruction.
pub(super) fn target(finding: &Finding) -> Option<String> {
    let place = finding.hit_path.as_ref().or(finding.instruction.as_ref());
    let parts: Vec<String> = object(finding.resource.as_ref()).into_iter().chain(place.cloned()).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A path as text. No path of a file system holds U+0000, one of a result from elsewhere may.
pub(super) fn path(path: &RepoPath) -> String {
    cut(&path.to_string(), usize::MAX).into_owned()
}

/// The first line, 1 where none is known.
pub(super) fn line(finding: &Finding) -> u32 {
    finding.location.map_or(1, |location| location.line.max(1))
}

/// The last line, never before the first.
pub(super) fn end_line(finding: &Finding) -> u32 {
    finding.location.map_or(1, |location| location.end_line.max(line(finding)))
}

/// The text, or other words where it is missing or blank: platforms refuse empty strings.
pub(super) fn or<'a>(text: Option<&'a str>, otherwise: &'a str) -> &'a str {
    text.filter(|text| !text.trim_matches(|c: char| c.is_whitespace() || c.is_control()).is_empty()).unwrap_or(otherwise)
}

/// At most `most` characters, without U+0000, which the databases behind the platforms don't take.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let fits = text.len() <= most || text.chars().nth(most).is_none();
    if fits && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    let clean = || text.chars().filter(|c| *c != '\0');
    if clean().nth(most).is_none() {
        return Cow::Owned(clean().collect());
    }
    Cow::Owned(clean().take(most.saturating_sub(1)).chain(['…']).collect())
}

/// Names already given, with how often each was asked for.
#[derive(Default)]
pub(super) struct Unique(HashMap<String, u64>);

impl Unique {
    /// The name itself the first time, afterwards what `salted` makes of it and of 2, 3, …; never one given before.
    pub(super) fn name(&mut self, name: &str, salted: impl Fn(&str, u64) -> String) -> String {
        let mut nth = self.0.get(name).copied().unwrap_or(0);
        let mut candidate = name.to_owned();
        while self.0.contains_key(&candidate) {
            nth += 1;
            candidate = salted(name, nth + 1);
        }
        if nth > 0 {
            self.0.insert(name.to_owned(), nth);
        }
        self.0.insert(candidate.clone(), 0);
        candidate
    }
}

/// Counts what would be written.
pub(super) struct Size(pub(super) usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The namespace of our identifiers.
const NAMESPACE: Uuid = Uuid::from_u128(0x7fa2_e482_f61d_4afe_b825_c804_e792_6124);

/// A UUID that follows from the text.
pub(super) fn uuid(text: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_characters_and_shows() {
        assert_eq!(cut("部署部署", 4), "部署部署");
        assert_eq!(cut("部署部署", 3), "部署…");
        assert_eq!(cut("a\0b\0c", 3), "abc");
        assert_eq!(cut("a\0bcd", 3), "ab…");
    }

    #[test]
    fn a_salted_name_that_is_taken_is_passed_over() {
        let mut unique = Unique::default();
        let mut name = |name| unique.name(name, |name, nth| format!("{name} #{nth}"));
        assert_eq!(["a #2", "a", "a", "a", "a #2", "b"].map(&mut name), ["a #2", "a", "a #3", "a #4", "a #2 #2", "b"]);
    }

    #[test]
    fn blank_is_no_text() {
        assert_eq!([Some("a"), Some(" \n\0"), Some(""), None].map(|text| or(text, "-")), ["a", "-", "-", "-"]);
    }
}
