//! `JUnit` XML, as GitLab's tests tab and the other CI systems read it.
//!
//! A finding that counts is a failure, whatever the gate says: the tab has no word for a finding below it. A suppressed
//! one is skipped, a file that was not scanned is an error, and a file without findings passes. GitLab shows test cases
//! and little else, so what is said about the run is a test case too.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::name::QName;

use super::machine::{self, Size, Unique, cut, or};
use super::text::is_unsafe_at;
use super::{STAND_IN, Written};
use crate::judge::count;
use crate::model::{FileRecord, Finding, RepoPath, ScanResult};

/// GitLab takes less than 30 MB a file. The messages at the end have the rest.
const BUDGET: usize = 25_000_000;

/// The longest part of a name, and the longest text of any other kind.
const PART: usize = 300;
const TEXT: usize = 2_000;

/// The longest line of what is said at the end.
const MESSAGE: usize = 400;

/// Writes the one suite, worst first.
pub fn write(result: &ScanResult, out: &mut dyn Write) -> Written {
    let selected = Selected::of(result)?;
    let counts = [
        ("tests", selected.cases.len().to_string()),
        ("failures", selected.failures.to_string()),
        ("errors", selected.errors.to_string()),
        ("skipped", selected.skipped.to_string()),
        // Readers expect a time; a real one would make equal reports differ.
        ("time", "0".to_owned()),
    ];
    let name = [("name", machine::tool(result).to_owned())];
    let attributes = || name.iter().chain(&counts).map(|(key, value)| attribute(key, value));
    let started = machine::time(&result.run.started_at);
    let mut xml = Writer::new(&mut *out);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites").with_attributes(attributes()).write_inner_content(|xml| {
        xml.create_element("testsuite")
            .with_attributes(attributes())
            .with_attribute(attribute("timestamp", &started))
            .write_inner_content(|xml| {
                if result.service.stand_in {
                    let property = [attribute("name", "stand-in"), attribute("value", STAND_IN)];
                    xml.create_element("properties").write_inner_content(|xml| {
                        xml.create_element("property").with_attributes(property).write_empty()?;
                        Ok(())
                    })?;
                }
                for (name, case) in &selected.cases {
                    write_case(xml, name, case)?;
                }
                write_messages(xml, result)
            })?;
        Ok(())
    })?;
    out.write_all(b"\n")?;
    Ok((selected.left_out > 0).then(|| count(selected.left_out as u64, "test case", "test cases")))
}

/// The cases that fit, with their names.
#[derive(Default)]
struct Selected<'a> {
    cases: Vec<(String, Case<'a>)>,
    failures: u64,
    errors: u64,
    skipped: u64,
    left_out: usize,
}

impl<'a> Selected<'a> {
    fn of(result: &'a ScanResult) -> io::Result<Self> {
        let mut selected = Self::default();
        let mut names = Unique::default();
        let mut size = Writer::new(Size(0));
        let mut all = every_case(result);
        while let Some(case) = all.next() {
            let name = names.name(&case.name(), |name, nth| format!("{name} #{nth}"));
            write_case(&mut size, &name, &case)?;
            if size.get_mut().0 > BUDGET {
                selected.left_out = 1 + all.count();
                let cut = Case::Cut(selected.left_out);
                selected.push(cut.name(), cut);
                break;
            }
            selected.push(name, case);
        }
        Ok(selected)
    }

    fn push(&mut self, name: String, case: Case<'a>) {
        match case.outcome() {
            Outcome::Passed => {}
            Outcome::Failure(_) => self.failures += 1,
            Outcome::Error(_) => self.errors += 1,
            Outcome::Skipped(_) => self.skipped += 1,
        }
        self.cases.push((name, case));
    }
}

/// Every case that there is to tell, the weightiest first.
fn every_case(result: &ScanResult) -> impl Iterator<Item = Case<'_>> {
    let with_findings: HashSet<&RepoPath> = result.findings.iter().map(|finding| &finding.path).collect();
    let clean = result.files.iter().filter(move |file| file.state.has_verdict() && !with_findings.contains(&file.path));
    let stand_in = result.service.stand_in.then_some(Case::StandIn);
    let incomplete = (!machine::is_whole(result)).then(|| Case::Incomplete(machine::shortfall(result)));
    stand_in
        .into_iter()
        .chain(incomplete)
        .chain(machine::lost(result).map(Case::Lost))
        .chain(machine::worst_first(result).into_iter().map(Case::Finding))
        .chain(result.findings.iter().filter(|finding| finding.suppressed.is_some()).map(Case::Finding))
        .chain(clean.map(Case::Clean))
}

/// A test case.
enum Case<'a> {
    StandIn,
    Incomplete(String),
    Lost(&'a FileRecord),
    Finding(&'a Finding),
    Clean(&'a FileRecord),
    /// So many more did not fit.
    Cut(usize),
}

/// How a test case ended, with the message.
enum Outcome {
    Passed,
    Failure(String),
    Error(String),
    Skipped(String),
}

impl Case<'_> {
    /// GitLab keeps only the first of several cases with one name; [`Unique`] sees to the rest.
    fn name(&self) -> String {
        match self {
            Self::StandIn => "stand-in".to_owned(),
            Self::Incomplete(_) => "incomplete".to_owned(),
            Self::Lost(file) => format!("not scanned · {}", clean(&file.path.to_string())),
            Self::Clean(file) => format!("no findings · {}", clean(&file.path.to_string())),
            Self::Cut(more) => format!("{more} more test cases are left out"),
            Self::Finding(finding) => {
                let object = machine::object(finding.resource.as_ref());
                let object = object.map(|object| format!("{} · ", cut(&object, PART))).unwrap_or_default();
                let rule = cut(or(Some(&finding.rule_id), "unnamed"), PART);
                clean(&format!("{rule} · {object}{}:{}", finding.path, machine::line(finding))).into_owned()
            }
        }
    }

    fn path(&self) -> Option<&RepoPath> {
        match self {
            Self::StandIn | Self::Incomplete(_) | Self::Cut(_) => None,
            Self::Lost(file) | Self::Clean(file) => Some(&file.path),
            Self::Finding(finding) => Some(&finding.path),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::StandIn => Outcome::Skipped(STAND_IN.to_owned()),
            Self::Incomplete(why) => Outcome::Error(why.clone()),
            Self::Lost(file) => Outcome::Error(machine::loss(file)),
            Self::Clean(_) => Outcome::Passed,
            Self::Cut(_) => Outcome::Error("GitLab takes less than 30 MB; the least severe are left out".to_owned()),
            Self::Finding(finding) => match &finding.suppressed {
                Some(suppression) => Outcome::Skipped(or(Some(&suppression.reason), "no reason given").to_owned()),
                None => Outcome::Failure(machine::name(finding).into_owned()),
            },
        }
    }
}

fn write_case<W: Write>(xml: &mut Writer<W>, name: &str, case: &Case<'_>) -> io::Result<()> {
    let path = case.path().map(ToString::to_string);
    let path = path.as_deref().map(clean);
    let mut element = xml.create_element("testcase").with_attributes([
        attribute("classname", path.as_deref().unwrap_or("hss-iac")),
        attribute("name", name),
        attribute("time", "0"),
    ]);
    if let Some(path) = &path {
        element = element.with_attribute(attribute("file", path));
    }
    if let Case::Finding(finding) = case {
        element = element.with_attribute(attribute("line", &machine::line(finding).to_string()));
    }
    let (tag, kind, message) = match case.outcome() {
        Outcome::Passed => return element.write_empty().map(drop),
        Outcome::Failure(message) => {
            ("failure", if let Case::Finding(finding) = case { finding.level.as_str() } else { "" }, message)
        }
        Outcome::Error(message) => ("error", "not_scanned", message),
        Outcome::Skipped(message) => ("skipped", "suppressed", message),
    };
    let message = text(&message);
    element.write_inner_content(|xml| {
        let outcome = xml.create_element(tag).with_attributes([attribute("type", kind), attribute("message", &message)]);
        match case {
            Case::Finding(finding) if tag == "failure" => {
                outcome.write_text_content(content(&text(&body(finding))))?;
            }
            _ => {
                outcome.write_empty()?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// What a reader sees of a failure: the place, what it is, what to do.
fn body(finding: &Finding) -> String {
    let place = format!("{}:{}", finding.path, machine::line(finding));
    let target = machine::target(finding);
    let remediation = finding.remediation.as_ref().map(|text| format!("Remediation: {text}"));
    let parts = [Some(place), target, finding.description.as_deref().map(str::to_owned), remediation];
    parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

fn write_messages<W: Write>(xml: &mut Writer<W>, result: &ScanResult) -> io::Result<()> {
    let lines: Vec<String> =
        machine::messages(result).iter().map(|message| cut(&message.line(), MESSAGE).into_owned()).collect();
    if lines.is_empty() {
        return Ok(());
    }
    xml.create_element("system-out").write_text_content(content(&clean(&lines.join("\n"))))?;
    Ok(())
}

fn text(text: &str) -> Cow<'_, str> {
    match clean(text) {
        Cow::Borrowed(text) => cut(text, TEXT),
        Cow::Owned(text) => Cow::Owned(cut(&text, TEXT).into_owned()),
    }
}

/// An attribute in which nothing is a line end, nor anything else that a log would obey.
fn attribute<'a>(key: &'a str, value: &str) -> Attribute<'a> {
    Attribute { key: QName(key), value: safe(value, |_, c| c == '\n').into() }
}

/// Text whose line ends stay.
fn content(text: &str) -> BytesText<'static> {
    // The white space of ASCII and of Unicode before it would not hide a command from a runner.
    let leads = |at: usize| {
        text.get(..at)
            .is_some_and(|before| before.trim_end_matches(|c: char| c != '\n' && c.is_whitespace()).ends_with('\n'))
    };
    BytesText::from_escaped(safe(text, |at, c| c == ':' && leads(at)))
}

/// Escaped for XML. What a terminal or the log of a CI job would obey is a character reference, which means the same; so is what `too` says.
fn safe(text: &str, too: impl Fn(usize, char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if (c != '\n' && is_unsafe_at(text, at, c)) || too(at, c) {
            // Writing to a string can't fail.
            let _ = write!(safe, "&#{};", u32::from(c));
        } else {
            safe.push_str(&escape(c.encode_utf8(&mut [0; 4]) as &str));
        }
    }
    safe
}

/// Without the characters that XML 1.0 has no way to write.
fn clean(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(forbidden) { Cow::Owned(text.replace(forbidden, "")) } else { Cow::Borrowed(text) }
}
