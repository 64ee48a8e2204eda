//! GitHub workflow commands: annotations on the lines of a change, as its runner reads them from the log.
//!
//! The runner takes ten of a kind for a step, first come, and drops the rest without a word: so the worst come first, and the last of ten
//! says how many more there are. `%`, CR and LF are escaped in every text, `:` and `,` in properties too.

use std::io::{self, Write};
use std::sync::Arc;

use super::shown::{self, Shown};
use super::text::{cut, one_line};
use super::{STAND_IN, View, Written, printable};
use crate::judge::count;
use crate::model::{Bucket, Finding, Level, Location, Precision, ScanResult};

/// Annotations of one kind that the runner takes from a step.
const OF_A_KIND: usize = 10;
/// The longest title, in characters; GitHub cuts at 255.
const LONGEST_TITLE: usize = 200;
/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 2_000;
/// Files named in the warning about what was not scanned.
const NAMED: usize = 5;

const KINDS: [&str; 3] = ["error", "warning", "notice"];

/// An annotation, not yet escaped.
#[derive(Default)]
struct Annotation {
    file: Option<String>,
    at: Option<Location>,
    title: String,
    message: String,
}

/// Writes the commands, then the verdict as a plain line of the log.
pub fn write(result: &ScanResult, view: View<'_>, out: &mut dyn Write) -> Written {
    if result.service.stand_in {
        writeln!(out, "{STAND_IN}")?;
    }
    let shown = Shown::of(result, view);
    let mut left_out = 0;
    for kind in KINDS {
        let mut annotations = if kind == "warning" { about_the_run(result) } else { Vec::new() };
        annotations.extend(shown.findings.iter().filter(|f| kind_of(f.level) == kind).map(|f| of_finding(f)));
        let all = annotations.len();
        if all > OF_A_KIND {
            annotations.truncate(OF_A_KIND - 1);
            left_out += all - annotations.len();
            annotations.push(Annotation {
                title: "hss-iac".to_owned(),
                message: format!("{} more: see the summary or another report", all - annotations.len()),
                ..Annotation::default()
            });
        }
        for annotation in annotations {
            write_command(kind, &annotation, out)?;
        }
    }
    if let Some(below) = shown.below(view) {
        writeln!(out, "{below}")?;
    }
    writeln!(out, "{}", shown::files(result))?;
    writeln!(out, "findings: {}", shown::findings(result, &shown))?;
    let verdict = &result.verdict;
    writeln!(
        out,
        "{} (exit {}, {}): {}",
        shown::status(verdict.status),
        verdict.exit_code,
        one_line(&shown::gate(result)),
        one_line(&shown::reasons(result))
    )?;
    Ok((left_out > 0).then(|| count(left_out as u64, "annotation", "annotations")))
}

fn kind_of(level: Level) -> &'static str {
    match level {
        Level::High => "error",
        Level::Medium => "warning",
        Level::Low | Level::Tips => "notice",
    }
}

/// What a reader must know before any finding; these are the first of the warnings.
fn about_the_run(result: &ScanResult) -> Vec<Annotation> {
    let titled = |title: &str, message: String| Annotation { title: title.to_owned(), message, ..Annotation::default() };
    let mut annotations = Vec::new();
    if result.service.stand_in {
        annotations.push(titled("Not a verdict of HSS", STAND_IN.to_owned()));
    }
    if let Some((heading, altered)) = shown::altered(result) {
        let lines: Vec<String> = altered.iter().take(NAMED).map(|line| one_line(&cut(line, LONGEST_TITLE))).collect();
        let more = if altered.len() > NAMED { format!("; and {} more", altered.len() - NAMED) } else { String::new() };
        annotations.push(titled(heading.trim_end_matches(':'), format!("{}{more}", lines.join("; "))));
    }
    if let Some(incomplete) = shown::incomplete(result) {
        annotations.push(titled("The scan is incomplete", one_line(&incomplete)));
    }
    let files = shown::not_scanned(result);
    if !files.is_empty() {
        let named: Vec<String> = files
            .iter()
            .take(NAMED)
            .map(|file| {
                let reason = one_line(&cut(file.reason.as_deref().unwrap_or("no reason given"), LONGEST_TITLE));
                format!("{}: {}: {reason}", printable(&file.path.to_string()), shown::state(file.state))
            })
            .collect();
        let more = if files.len() > NAMED { format!("; and {} more", files.len() - NAMED) } else { String::new() };
        let title = format!("{} not scanned", count(files.len() as u64, "file", "files"));
        annotations.push(titled(&title, format!("{}{more}", named.join("; "))));
    }
    annotations
}

fn of_finding(finding: &Finding) -> Annotation {
    let known = (finding.bucket == Bucket::Known).then_some("Known.");
    let near = match finding.location.map(|at| at.precision) {
        Some(Precision::Exact) => None,
        _ => shown::words(finding).map(|words| format!("({})", printable(&words))),
    };
    let prose = |text: &Option<Arc<str>>| text.as_deref().map(one_line).filter(|text| !text.is_empty());
    let parts = [known.map(str::to_owned), prose(&finding.description), prose(&finding.remediation), near];
    let message = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let title = one_line(&format!("{} {}: {}", finding.level, finding.rule_id, shown::name(finding)));
    Annotation {
        file: Some(printable(&finding.path.to_string()).into_owned()),
        at: finding.location.filter(|at| at.precision != Precision::File),
        // The runner drops an annotation without a message.
        message: if message.is_empty() { title.clone() } else { message },
        title,
    }
}

fn write_command(kind: &str, annotation: &Annotation, out: &mut dyn Write) -> io::Result<()> {
    let mut properties = Vec::new();
    if let Some(file) = &annotation.file {
        properties.push(format!("file={}", property(file)));
    }
    if let Some(at) = annotation.at {
        properties.push(format!("line={},endLine={}", at.line, at.end_line));
        // GitHub refuses columns of a span of lines.
        if at.line == at.end_line {
            properties.push(format!("col={},endColumn={}", at.column, at.end_column));
        }
    }
    properties.push(format!("title={}", property(&cut(&annotation.title, LONGEST_TITLE))));
    writeln!(out, "::{kind} {}::{}", properties.join(","), data(&cut(&annotation.message, LONGEST_MESSAGE)))
}

/// `%` first, or the others would be escaped twice.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests;
