//! The report for people: findings by file, worst first, then what was not scanned, the numbers, and the verdict.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;
use url::Url;

use super::shown::{self, Shown};
use super::text::{cut, one_line};
use super::{STAND_IN, View, Written, excerpt, printable};
use crate::model::{Bucket, Finding, Level, Precision, RepoPath, ScanResult, Status, SuppressedBy};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// What stands under a finding starts here.
const INDENT: &str = "          ";
/// Longer rule ids don't move the names of the others.
const WIDEST_RULE: usize = 32;
/// The longest name or advice, in characters.
const LONGEST: usize = 400;

/// Writes the table, with ANSI styles and links; a plain destination strips them.
pub fn write(result: &ScanResult, view: View<'_>, out: &mut dyn Write) -> Written {
    if result.service.stand_in {
        writeln!(out, "{YELLOW}{STAND_IN}{YELLOW:#}\n")?;
    }
    if let Some(incomplete) = shown::incomplete(result) {
        writeln!(out, "{RED}{}{RED:#}\n", one_line(&incomplete))?;
    }
    let shown = Shown::of(result, view);
    write_findings(&shown, view, out)?;
    if view.verbose {
        write_suppressed(&shown, out)?;
        write_resolved(result, out)?;
    }
    write_not_scanned(result, out)?;
    for note in &result.notes {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", one_line(note))?;
    }
    writeln!(out, "{}", shown::files(result))?;
    writeln!(out, "findings: {}", shown::findings(result, &shown))?;
    write_verdict(result, out)?;
    Ok(None)
}

fn write_findings(shown: &Shown<'_>, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rule = shown.findings.iter().map(|f| printable(&f.rule_id).width()).filter(|width| *width <= WIDEST_RULE).max();
    for (path, findings) in shown.by_file() {
        writeln!(out, "{BOLD}{}{BOLD:#}", linked(path, view))?;
        for finding in findings {
            write_finding(finding, rule.unwrap_or(0), view, out)?;
        }
        writeln!(out)?;
    }
    match shown.below(view) {
        Some(below) => writeln!(out, "{below}\n"),
        None => Ok(()),
    }
}

fn write_finding(finding: &Finding, rule: usize, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let style = style(finding.level);
    let id = printable(&finding.rule_id);
    let pad = " ".repeat(rule.saturating_sub(id.width()));
    let known = if finding.bucket == Bucket::Known { format!(" {DIM}(known){DIM:#}") } else { String::new() };
    let name = one_line(&cut(&shown::name(finding), LONGEST));
    writeln!(out, "  {style}{:<6}{style:#}  {DIM}{id}{DIM:#}{pad}  {name}{known}", finding.level)?;
    if let Some(place) = place(finding) {
        writeln!(out, "{INDENT}{DIM}{}{DIM:#}", printable(&place))?;
    }
    if let Some(excerpt) = excerpt_of(finding) {
        let more = if excerpt.more > 0 { format!(" and {} more", count_lines(excerpt.more)) } else { String::new() };
        writeln!(out, "{DIM}{}{DIM:#}{}", excerpt.number, excerpt.source)?;
        writeln!(out, "{DIM}{}{DIM:#}{style}{}{style:#}{DIM}{more}{DIM:#}", excerpt.blank, excerpt.carets)?;
    }
    if view.verbose
        && let Some(remediation) = &finding.remediation
    {
        writeln!(out, "{INDENT}{}", one_line(&cut(remediation, LONGEST)))?;
    }
    Ok(())
}

/// The source line; where only the file is known no line is the one.
fn excerpt_of(finding: &Finding) -> Option<excerpt::Excerpt> {
    finding.location.filter(|at| at.precision != Precision::File).and_then(|_| excerpt::of(finding))
}

fn count_lines(n: u32) -> String {
    crate::judge::count(u64::from(n), "line", "lines")
}

/// Where a finding is: the line, and what the service says where the line alone does not tell.
fn place(finding: &Finding) -> Option<String> {
    let precision = finding.location.map(|at| at.precision);
    let words = match precision {
        Some(Precision::Exact) if excerpt_of(finding).is_some() => shown::object(finding),
        _ => shown::words(finding),
    };
    match precision {
        None | Some(Precision::File) => words,
        Some(_) => Some([Some(shown::place(finding)), words].into_iter().flatten().collect::<Vec<_>>().join("  ")),
    }
}

/// A path, as a link to the file where the view has a root.
fn linked(path: &RepoPath, view: View<'_>) -> String {
    let text = path.to_string();
    let text = printable(&text);
    match view.root.and_then(|root| Url::from_file_path(root.join(path.to_os())).ok()) {
        Some(url) => format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\"),
        None => text.into_owned(),
    }
}

fn style(level: Level) -> Style {
    match level {
        Level::High => RED,
        Level::Medium => YELLOW,
        Level::Low => AnsiColor::Cyan.on_default(),
        Level::Tips => DIM,
    }
}

fn write_suppressed(shown: &Shown<'_>, out: &mut dyn Write) -> io::Result<()> {
    if shown.suppressed.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}Suppressed{BOLD:#}")?;
    for finding in &shown.suppressed {
        let Some(suppression) = &finding.suppressed else { continue };
        let by = match suppression.by {
            SuppressedBy::Config => "config",
            SuppressedBy::Inline => "inline",
        };
        let owner = suppression.owner.as_ref().map(|owner| format!(", {owner}")).unwrap_or_default();
        let until = suppression.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        let place = shown::place(finding);
        writeln!(
            out,
            "  {}  {DIM}{}{DIM:#}  {} {DIM}({by}{}{}){DIM:#}",
            printable(&place),
            printable(&finding.rule_id),
            one_line(&cut(&suppression.reason, LONGEST)),
            one_line(&owner),
            one_line(&until)
        )?;
    }
    writeln!(out)
}

fn write_resolved(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    if result.resolved.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}Resolved{BOLD:#}")?;
    for known in &result.resolved {
        let text = known.text.as_deref().map(|text| one_line(&cut(text, LONGEST))).unwrap_or_default();
        let line = format!("  {}  {DIM}{}{DIM:#}  {text}", printable(&known.path.to_string()), printable(&known.rule_id));
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

fn write_not_scanned(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    let files = shown::not_scanned(result);
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}Not scanned{BOLD:#}")?;
    for file in files {
        let state = shown::state(file.state);
        let reason = one_line(file.reason.as_deref().unwrap_or("no reason given"));
        writeln!(out, "  {}  {YELLOW}{state}{YELLOW:#}: {reason}", printable(&file.path.to_string()))?;
    }
    writeln!(out)
}

fn write_verdict(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    let style = match result.verdict.status {
        Status::Pass => GREEN,
        Status::Fail | Status::Error => RED,
        Status::Partial | Status::Pending => YELLOW,
    };
    let (word, exit) = (shown::status(result.verdict.status), result.verdict.exit_code);
    let (gate, reasons) = (one_line(&shown::gate(result)), one_line(&shown::reasons(result)));
    writeln!(out, "{style}{word}{style:#} (exit {exit}, {gate}): {reasons}")
}

#[cfg(test)]
mod tests;
