//! GitLab's SAST report, schema 15.2.4: a newer MAJOR.MINOR than GitLab knows would be refused.

use std::borrow::Cow;
use std::io::Write;

use serde::{Serialize, Serializer};

use super::Written;
use super::json;
use super::machine::{self, Unique, Weight, cut, or};
use crate::model::{Finding, Level, ScanResult};

/// The longest name of a vulnerability, and of an identifier.
const NAME: usize = 255;

/// The longest description; GitLab takes 1 MiB, and no rule needs more than this.
const DESCRIPTION: usize = 10_000;

/// The longest solution.
const SOLUTION: usize = 7_000;

/// The longest message of the scan.
const MESSAGE: usize = 1_000;

/// Writes the report in one line.
pub fn write(result: &ScanResult, out: &mut dyn Write) -> Written {
    let tool = Tool {
        id: machine::tool(result),
        name: machine::tool(result),
        version: cut(or(Some(&result.tool.version), "0.0.0"), NAME),
        vendor: Vendor { name: "hss-iac" },
    };
    let report = Report {
        version: "15.2.4",
        scan: Scan {
            analyzer: &tool,
            scanner: &tool,
            r#type: "sast",
            start_time: machine::time(&result.run.started_at),
            end_time: machine::time(&result.run.ended_at),
            status: if machine::is_whole(result) { "success" } else { "failure" },
            messages: messages(result),
        },
        vulnerabilities: Vulnerabilities(machine::worst_first(result)),
    };
    json::write_line(&report, out)?;
    Ok(None)
}

fn messages(result: &ScanResult) -> Vec<Message> {
    let level = |weight| match weight {
        // `fatal` is for a scanner that broke down; what is missing here is named file by file.
        Weight::Error | Weight::Warning => "warn",
        Weight::Note => "info",
    };
    let messages = machine::messages(result);
    let value = |line: &str| cut(or(Some(line), "-"), MESSAGE).into_owned();
    messages.iter().map(|message| Message { level: level(message.weight), value: value(&message.line()) }).collect()
}

#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    scan: Scan<'a>,
    vulnerabilities: Vulnerabilities<'a>,
}

#[derive(Serialize)]
struct Scan<'a> {
    analyzer: &'a Tool<'a>,
    scanner: &'a Tool<'a>,
    r#type: &'static str,
    start_time: String,
    end_time: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Tool<'a> {
    id: &'static str,
    name: &'static str,
    version: Cow<'a, str>,
    vendor: Vendor,
}

#[derive(Serialize)]
struct Vendor {
    name: &'static str,
}

#[derive(Serialize)]
struct Message {
    level: &'static str,
    value: String,
}

/// Vulnerabilities made one at a time as they are written.
struct Vulnerabilities<'a>(Vec<&'a Finding>);

impl Serialize for Vulnerabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut ids = Unique::default();
        serializer.collect_seq(self.0.iter().map(|finding| {
            let id = machine::uuid(&finding.fingerprint).to_string();
            let id = ids.name(&id, |id, nth| machine::uuid(&format!("{id}\n{nth}")).to_string());
            Vulnerability::of(finding, id)
        }))
    }
}

#[derive(Serialize)]
struct Vulnerability<'a> {
    id: String,
    name: String,
    description: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<Cow<'a, str>>,
    identifiers: [Identifier<'a>; 1],
    location: Location,
    tracking: Tracking,
}

impl<'a> Vulnerability<'a> {
    fn of(finding: &'a Finding, id: String) -> Self {
        let rule = or(Some(&finding.rule_id), "unnamed");
        let name = machine::name(finding);
        let target = machine::target(finding).map(|target| format!("{target}\n\n")).unwrap_or_default();
        let description = format!("{target}{}", or(finding.description.as_deref(), &name));
        let location = || Location {
            file: machine::path(&finding.path),
            start_line: machine::line(finding),
            end_line: machine::end_line(finding),
        };
        // GitLab would follow a vulnerability by its line; our fingerprint stays when unrelated lines move.
        let signature = Signature { algorithm: "scope_offset", value: id.clone() };
        Self {
            id,
            name: cut(&name, NAME).into_owned(),
            description: cut(&description, DESCRIPTION).into_owned(),
            severity: match finding.level {
                Level::High => "High",
                Level::Medium => "Medium",
                Level::Low => "Low",
                Level::Tips => "Info",
            },
            solution: finding
                .remediation
                .as_deref()
                .filter(|text| !or(Some(text), "").is_empty())
                .map(|text| cut(text, SOLUTION)),
            identifiers: [Identifier { r#type: "hss_iac_rule", name: cut(rule, NAME), value: cut(rule, NAME) }],
            location: location(),
            tracking: Tracking { r#type: "source", items: [Item { location: location(), signatures: [signature] }] },
        }
    }
}

#[derive(Serialize)]
struct Identifier<'a> {
    r#type: &'static str,
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

#[derive(Serialize)]
struct Location {
    file: String,
    start_line: u32,
    end_line: u32,
}

#[derive(Serialize)]
struct Tracking {
    r#type: &'static str,
    items: [Item; 1],
}

#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    location: Location,
    signatures: [Signature; 1],
}

#[derive(Serialize)]
struct Signature {
    algorithm: &'static str,
    value: String,
}
