//! SARIF 2.1.0, as GitHub code scanning takes it.
//!
//! Only the findings that count: GitHub opens an alert for a suppressed result too. And no `automationDetails`: its id is the category,
//! by which a later upload replaces an earlier one. Only whoever uploads knows how many jobs upload, and the `category` of the upload step
//! is not used where the file has one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Serialize, Serializer};

use super::Written;
use super::json;
use super::machine::{self, Message, Size, Weight, cut, or};
use crate::judge::count;
use crate::model::{FileType, Finding, Level, RepoPath, ScanResult};

/// Results that GitHub takes in a run; one more and the whole upload is refused. The same holds for rules, which are
/// never more than results.
const RESULTS: usize = 25_000;

/// GitHub refuses more than 10 MB after gzip; not every gzip packs as well as ours.
const BUDGET: usize = 9_500_000;

/// The longest short and full description of a rule.
const DESCRIPTION: usize = 1_024;

/// The longest name of a rule.
const NAME: usize = 255;

/// The longest of the other texts; GitHub names no limit for these.
const TEXT: usize = 1_024;

/// What RFC 3986 leaves as it is in a path, and the slash between its parts.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Writes the log: one run, in one line.
pub fn write(result: &ScanResult, out: &mut dyn Write) -> Written {
    let mut most = RESULTS;
    loop {
        let selected = Selected::of(result, most);
        let (kept, left_out) = (selected.results.len(), selected.left_out);
        let mut log = Vec::new();
        json::write_line(&log_of(result, selected), &mut log)?;
        let size = if log.len() > BUDGET { packed(&log)? } else { log.len() };
        if size <= BUDGET || kept == 0 {
            out.write_all(&log)?;
            return Ok((left_out > 0).then(|| count(left_out as u64, "finding", "findings")));
        }
        // As many as would fit if all were equal, and a little less: they are not.
        most = kept * (BUDGET / 1_000) / (size / 1_000) * 97 / 100;
    }
}

/// Bytes after gzip, but for its few of a header.
fn packed(bytes: &[u8]) -> io::Result<usize> {
    let mut packed = DeflateEncoder::new(Size(0), Compression::default());
    packed.write_all(bytes)?;
    Ok(packed.finish()?.0)
}

fn log_of<'a>(result: &'a ScanResult, selected: Selected<'a>) -> Log<'a> {
    let tool = machine::tool(result);
    let stand_in = result.service.stand_in.then_some(super::STAND_IN);
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: tool,
                    full_name: stand_in.map(|notice| format!("{tool}: {notice}")),
                    semantic_version: or(Some(&result.tool.version), "0.0.0"),
                    rules: selected.rules.into_values().collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: machine::is_whole(result),
                tool_execution_notifications: notifications(result, selected.left_out),
            }],
            original_uri_base_ids: BTreeMap::from([(
                "%SRCROOT%",
                Base { description: text("The root of the repository.") },
            )]),
            column_kind: "unicodeCodePoints",
            results: Results(selected.results),
        }],
    }
}

/// What goes in, within the limits.
struct Selected<'a> {
    /// Worst first, with the place of the rule.
    results: Vec<(usize, &'a Finding)>,
    rules: BTreeMap<Cow<'a, str>, Rule<'a>>,
    left_out: usize,
}

impl<'a> Selected<'a> {
    /// The first `most`.
    fn of(result: &'a ScanResult, most: usize) -> Self {
        let types: HashMap<&RepoPath, FileType> = result.files.iter().map(|file| (&file.path, file.file_type)).collect();
        let worst_first = machine::worst_first(result);
        let mut rules: BTreeMap<Cow<'a, str>, Rule<'a>> = BTreeMap::new();
        let kept = worst_first.len().min(most);
        for finding in worst_first.iter().take(kept) {
            // Worst first: the first finding of a rule has the highest level.
            let rule = rules.entry(rule_id(finding)).or_insert_with(|| Rule::of(finding));
            if let Some(file_type) = types.get(&finding.path) {
                rule.properties.tags.insert(match file_type {
                    FileType::Dockerfile => "dockerfile",
                    FileType::K8sYaml => "kubernetes",
                });
            }
        }
        let index: HashMap<&str, usize> = rules.keys().enumerate().map(|(index, id)| (id.as_ref(), index)).collect();
        // Every kept finding has put its rule in.
        let rule = |finding| index.get(rule_id(finding).as_ref()).copied().unwrap_or_default();
        let results = worst_first.iter().take(kept).map(|finding| (rule(finding), *finding)).collect();
        Self { results, left_out: worst_first.len() - kept, rules }
    }
}

fn notifications(result: &ScanResult, left_out: usize) -> Vec<Notification> {
    let trimmed = (left_out > 0).then(|| Message {
        weight: Weight::Warning,
        path: None,
        text: format!(
            "{left_out} more findings are left out, the least severe: code scanning takes {RESULTS} results and 10 MB"
        )
        .into(),
    });
    let mut messages = machine::messages(result);
    // The stand-in opens every report.
    let at = messages.len().min(usize::from(result.service.stand_in));
    messages.splice(at..at, trimmed);
    messages.iter().map(Notification::of).collect()
}

fn rule_id(finding: &Finding) -> Cow<'_, str> {
    cut(or(Some(&finding.rule_id), "unnamed"), NAME)
}

fn level(level: Level) -> &'static str {
    match level {
        Level::High => "error",
        Level::Medium => "warning",
        Level::Low | Level::Tips => "note",
    }
}

fn uri(path: &RepoPath) -> String {
    percent_encode(path.as_bytes(), PATH).to_string()
}

/// Rule, object and path: all that the list of alerts shows.
fn message(finding: &Finding) -> Text<'static> {
    let name = machine::name(finding);
    let target = machine::target(finding).map(|target| format!(": {target}")).unwrap_or_default();
    text(&format!("{name}{target}"))
}

/// A message string. `](` would make a link and `{0}` stand for an argument (SARIF 3.11.5 and 3.11.6). A blank breaks
/// either: the escapes of the standard would be shown as they are by GitHub.
fn text(raw: &str) -> Text<'static> {
    let raw = cut(raw, TEXT);
    let mut safe = String::with_capacity(raw.len());
    let mut rest = raw.as_ref();
    while let Some(at) = rest.find(['{', ']']) {
        let (before, tail) = rest.split_at(at);
        safe.push_str(before);
        let mut chars = tail.chars();
        safe.extend(chars.next());
        rest = chars.as_str();
        if tail.starts_with("](") || is_placeholder(tail) {
            safe.push(' ');
        }
    }
    safe.push_str(rest);
    Text { text: safe.into() }
}

/// Whether `{0}` or the like stands at the start.
fn is_placeholder(text: &str) -> bool {
    let number = text.strip_prefix('{').and_then(|text| text.split_once('}')).map(|(number, _)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    original_uri_base_ids: BTreeMap<&'static str, Base>,
    column_kind: &'static str,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Base {
    description: Text<'static>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<String>,
    semantic_version: &'a str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text<'static>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<FileLocation>,
}

impl Notification {
    fn of(message: &Message<'_>) -> Self {
        let level = match message.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        let locations =
            message.path.map(|path| FileLocation { physical_location: FilePlace { artifact_location: Artifact::of(path) } });
        Self { level, message: text(or(Some(&message.line()), "-")), locations: locations.into_iter().collect() }
    }
}

#[derive(Serialize)]
struct Text<'a> {
    text: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    short_description: Text<'a>,
    full_description: Text<'a>,
    help: Text<'a>,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: BTreeSet<&'static str>,
    precision: &'static str,
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
}

impl<'a> Rule<'a> {
    fn of(finding: &'a Finding) -> Self {
        let name = or(Some(&finding.name), or(Some(&finding.rule_id), "unnamed"));
        let description = or(finding.description.as_deref(), name);
        let (problem_severity, security_severity) = match finding.level {
            Level::High => ("error", Some("8.0")),
            Level::Medium => ("warning", Some("5.5")),
            Level::Low => ("recommendation", Some("3.0")),
            Level::Tips => ("recommendation", None),
        };
        Self {
            id: rule_id(finding),
            name: cut(name, NAME),
            short_description: Text { text: cut(name, DESCRIPTION) },
            full_description: Text { text: cut(description, DESCRIPTION) },
            help: Text { text: cut(or(finding.remediation.as_deref(), description), TEXT) },
            default_configuration: Configuration { level: level(finding.level) },
            properties: Properties {
                tags: BTreeSet::from(["security"]),
                precision: "high",
                problem_severity,
                security_severity,
            },
        }
    }
}

/// Results made one at a time as they are written.
struct Results<'a>(Vec<(usize, &'a Finding)>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(rule, finding)| Entry::of(*rule, finding)))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    rule_id: Cow<'a, str>,
    rule_index: usize,
    level: &'static str,
    message: Text<'static>,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints<'a>,
}

impl<'a> Entry<'a> {
    fn of(rule_index: usize, finding: &'a Finding) -> Self {
        let place = Place { artifact_location: Artifact::of(&finding.path), region: Region::of(finding) };
        Self {
            rule_id: rule_id(finding),
            rule_index,
            level: level(finding.level),
            message: message(finding),
            locations: [Location { physical_location: place }],
            partial_fingerprints: Fingerprints { line_hash: finding.line_hash.as_deref(), ours: &finding.fingerprint },
        }
    }
}

#[derive(Serialize)]
struct Fingerprints<'a> {
    #[serde(rename = "primaryLocationLineHash", skip_serializing_if = "Option::is_none")]
    line_hash: Option<&'a str>,
    #[serde(rename = "hssIac/v1")]
    ours: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileLocation {
    physical_location: FilePlace,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilePlace {
    artifact_location: Artifact,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

impl Artifact {
    fn of(path: &RepoPath) -> Self {
        Self { uri: uri(path), uri_base_id: "%SRCROOT%" }
    }
}

/// All four numbers start at 1; the end column is the one after the last, as in the model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

impl Region {
    fn of(finding: &Finding) -> Self {
        let (start_line, end_line) = (machine::line(finding), machine::end_line(finding));
        let (column, end_column) = finding.location.map_or((1, 1), |location| (location.column, location.end_column));
        let start_column = column.max(1);
        let least = if start_line == end_line { start_column } else { 1 };
        Self { start_line, start_column, end_line, end_column: end_column.max(least) }
    }
}
