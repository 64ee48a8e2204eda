//! The Markdown report: fit for a comment on a merge request.

mod escape;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use escape::{code, text};

use super::shown::{self, Shown};
use super::text::cut;
use super::{STAND_IN, View, Written};
use crate::judge::count;
use crate::model::{Bucket, Finding, Level, ScanResult};

/// By this a later run finds the comment of an earlier one.
pub const MARKER: &str = "<!-- hss-iac:report -->";
/// Bytes of a comment; GitHub takes 65,536 characters.
const BUDGET: usize = 60_000;
/// The longest quoted text, in characters.
const LONGEST: usize = 300;
/// Alterations of the rules that are listed at most.
const MOST_ALTERED: usize = 20;
/// Kept for the lines that say how much was left out.
const RESERVE: usize = 1_000;

/// Writes the comment.
pub fn write(result: &ScanResult, view: View<'_>, out: &mut dyn Write) -> Written {
    writeln!(out, "{MARKER}")?;
    let (document, left_out) = document(result, view, BUDGET - MARKER.len() - 1);
    out.write_all(document.as_bytes())?;
    Ok(left_out)
}

/// The report in at most `budget` bytes, cut by row, and what that leaves out; what is above the findings is always there.
pub(super) fn document(result: &ScanResult, view: View<'_>, budget: usize) -> (String, Option<String>) {
    let shown = Shown::of(result, view);
    let mut report = head(result, &shown);
    let foot = foot(result);
    let room = budget.saturating_sub(report.len() + foot.len() + RESERVE);
    // The smaller parts first: what they don't need is for the findings.
    let not_scanned = not_scanned(result, room / 5);
    let notes = notes(result, room / 10);
    let advice = advice(&shown, room / 5);
    let rest = [&not_scanned, &notes, &advice].iter().map(|part| part.text.len()).sum();
    let findings = findings(&shown, view, room.saturating_sub(rest));
    let parts = [findings, not_scanned, notes, advice];
    let left_out: usize = parts.iter().map(|part| part.left_out).sum();
    for part in parts {
        report.push_str(&part.text);
    }
    report.push_str(&foot);
    (report, (left_out > 0).then(|| count(left_out as u64, "row", "rows")))
}

fn head(result: &ScanResult, shown: &Shown<'_>) -> String {
    let mut head = String::new();
    if result.service.stand_in {
        push(&mut head, &format!("> **{STAND_IN}**\n"));
    }
    if let Some((heading, altered)) = shown::altered(result) {
        push(&mut head, &format!("**{heading}**\n"));
        for line in altered.iter().take(MOST_ALTERED) {
            push(&mut head, &format!("- {}", text(&cut(line, LONGEST))));
        }
        if let Some(more) = altered.len().checked_sub(MOST_ALTERED).filter(|more| *more > 0) {
            push(&mut head, &format!("- and {more} more"));
        }
        push(&mut head, "");
    }
    let verdict = &result.verdict;
    push(&mut head, &format!("### hss-iac: {}\n", shown::status(verdict.status)));
    let incomplete = if shown::is_incomplete(result) { "**INCOMPLETE**, exit" } else { "Exit" };
    let reasons = shown::reasons(result);
    let (gate, reasons) = (text(&shown::gate(result)), text(&cut(&reasons, 10 * LONGEST)));
    push(&mut head, &format!("{incomplete} {} ({gate}): {reasons}\n", verdict.exit_code));
    let counts = &result.counts.findings;
    let mut columns: Vec<(&str, u64)> = Level::WORST_FIRST.iter().map(|level| (level.as_str(), counts.at(*level))).collect();
    let more = [(counts.suppressed, "suppressed"), (shown.known, "known"), (shown::resolved(result), "resolved")];
    columns.extend(more.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| (word, n)));
    push(&mut head, &row(columns.iter().map(|(word, _)| (*word).to_owned())));
    push(&mut head, &row(columns.iter().map(|_| "---:".to_owned())));
    push(&mut head, &row(columns.iter().map(|(_, n)| n.to_string())));
    push(&mut head, &format!("\nChecked {}.", shown::files(result)));
    head
}

/// A table, or nothing.
#[derive(Default)]
struct Part {
    text: String,
    left_out: usize,
}

fn findings(shown: &Shown<'_>, view: View<'_>, room: usize) -> Part {
    let mut part =
        table("Findings", &["level", "rule", "finding", "where"], shown.findings.iter().map(|f| finding(f)), room);
    if let Some(below) = shown.below(view) {
        push(&mut part.text, &format!("\n{below}."));
    }
    part
}

fn finding(finding: &Finding) -> String {
    let known = if finding.bucket == Bucket::Known { " (known)" } else { "" };
    let place = code(&cut(&shown::place(finding), LONGEST));
    let words = shown::words(finding).map(|words| format!(" {}", code(&words))).unwrap_or_default();
    row([
        finding.level.to_string(),
        code(&cut(&finding.rule_id, LONGEST)),
        format!("{}{known}", text(&cut(&shown::name(finding), LONGEST))),
        format!("{place}{words}"),
    ])
}

fn not_scanned(result: &ScanResult, room: usize) -> Part {
    let files = shown::not_scanned(result);
    let rows = files.iter().map(|file| {
        let reason = file.reason.as_deref().unwrap_or("no reason given");
        let path = file.path.to_string();
        row([code(&cut(&path, LONGEST)), shown::state(file.state).to_owned(), text(&cut(reason, LONGEST))])
    });
    table("Not scanned", &["file", "state", "reason"], rows, room)
}

fn notes(result: &ScanResult, room: usize) -> Part {
    let rows = result.notes.iter().map(|note| row([text(&cut(note, LONGEST))]));
    table("Notes", &["note"], rows, room)
}

/// What to do, once a rule.
fn advice(shown: &Shown<'_>, room: usize) -> Part {
    let mut seen = BTreeSet::new();
    let advice = shown.findings.iter().filter_map(|f| Some((&*f.rule_id, f.remediation.as_deref()?)));
    let rows: Vec<String> = advice
        .filter(|(rule, _)| seen.insert(*rule))
        .map(|(rule, advice)| row([code(&cut(rule, LONGEST)), text(&cut(advice, LONGEST))]))
        .collect();
    table("What to do", &["rule", "advice"], rows.into_iter(), room)
}

fn foot(result: &ScanResult) -> String {
    format!("\nhss-iac {}.\n", text(&result.tool.version))
}

/// A heading and as many rows as there is room for; nothing where there are none.
fn table(title: &str, columns: &[&str], rows: impl ExactSizeIterator<Item = String>, room: usize) -> Part {
    let mut table = String::new();
    let mut left_out = 0;
    let all = rows.len();
    if all == 0 {
        return Part::default();
    }
    push(&mut table, &format!("\n#### {title}\n"));
    push(&mut table, &row(columns.iter().map(|column| (*column).to_owned())));
    push(&mut table, &row(columns.iter().map(|_| "---".to_owned())));
    for (written, row) in rows.enumerate() {
        if table.len() + row.len() + 1 > room {
            left_out = all - written;
            push(&mut table, &format!("\n{left_out} more not shown."));
            break;
        }
        push(&mut table, &row);
    }
    Part { text: table, left_out }
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {} |", cells.join(" | "))
}

fn push(report: &mut String, line: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(report, "{line}");
}

#[cfg(test)]
mod tests;
