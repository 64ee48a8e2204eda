//! The report for people: findings by file, worst first, then what was not scanned, the numbers, and the verdict.

use std::cmp::Reverse;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::{STAND_IN, printable};
use crate::model::{Finding, Level, RepoPath, ScanResult, State, Status};

/// What to show.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The lowest level shown.
    pub level: Level,
    /// Whether each finding says what to do.
    pub remediation: bool,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// Writes the table, with ANSI styles; a plain destination strips them.
pub fn write(result: &ScanResult, view: View, out: &mut dyn Write) -> io::Result<()> {
    if result.service.stand_in {
        writeln!(out, "{YELLOW}{STAND_IN}{YELLOW:#}\n")?;
    }
    write_findings(result, view, out)?;
    write_not_scanned(result, out)?;
    for note in &result.notes {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", printable(note))?;
    }
    write_counts(result, out)?;
    write_verdict(result, out)
}

fn write_findings(result: &ScanResult, view: View, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<&Finding> = result.findings.iter().filter(|f| f.level >= view.level && f.suppressed.is_none()).collect();
    let mut files: Vec<(&RepoPath, Vec<&Finding>)> = Vec::new();
    for finding in &shown {
        match files.iter_mut().find(|(path, _)| *path == &finding.path) {
            Some((_, findings)) => findings.push(finding),
            None => files.push((&finding.path, vec![finding])),
        }
    }
    files.sort_by_key(|(path, findings)| {
        let at = |level| findings.iter().filter(|f| f.level == level).count();
        (Reverse(Level::WORST_FIRST.map(at)), *path)
    });
    let rule = shown.iter().map(|f| printable(&f.rule_id).width()).max().unwrap_or(0);
    for (path, findings) in files {
        writeln!(out, "{BOLD}{}{BOLD:#}", printable(&path.to_string()))?;
        for finding in findings {
            write_finding(finding, rule, view, out)?;
        }
        writeln!(out)?;
    }
    let hidden = result.findings.iter().filter(|f| f.suppressed.is_none()).count() - shown.len();
    if hidden > 0 {
        writeln!(out, "{hidden} below {} not shown\n", view.level)?;
    }
    Ok(())
}

fn write_finding(finding: &Finding, rule: usize, view: View, out: &mut dyn Write) -> io::Result<()> {
    let style = style(finding.level);
    let id = printable(&finding.rule_id);
    let pad = " ".repeat(rule.saturating_sub(id.width()));
    writeln!(out, "  {style}{:<6}{style:#}  {DIM}{id}{DIM:#}{pad}  {}", finding.level, printable(&finding.name))?;
    if let Some(place) = place(finding) {
        writeln!(out, "          {DIM}{}{DIM:#}", printable(&place))?;
    }
    if view.remediation
        && let Some(remediation) = &finding.remediation
    {
        writeln!(out, "          {}", printable(remediation))?;
    }
    Ok(())
}

fn style(level: Level) -> Style {
    match level {
        Level::High => RED,
        Level::Medium => YELLOW,
        Level::Low => AnsiColor::Cyan.on_default(),
        Level::Tips => DIM,
    }
}

/// Where a finding is, in the service's words.
fn place(finding: &Finding) -> Option<String> {
    if let Some(instruction) = &finding.instruction {
        return Some(shorten(instruction));
    }
    let resource = finding.resource.as_ref()?;
    let object = match (&resource.kind, &resource.name) {
        (Some(kind), Some(name)) => format!("{kind}/{name}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    };
    let namespace = resource.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    let path = finding.hit_path.as_ref().map(|path| format!(": {path}")).unwrap_or_default();
    Some(shorten(&format!("{object}{namespace}{path}")))
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 160;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn write_not_scanned(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    let files: Vec<_> = result.files.iter().filter(|f| !matches!(f.state, State::Scanned | State::Reused)).collect();
    if files.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}Not scanned{BOLD:#}")?;
    for file in files {
        let state = match file.state {
            State::UploadFailed => "upload failed",
            State::ScanFailed => "scan failed",
            _ => "not scanned",
        };
        let reason = file.reason.as_deref().unwrap_or("no reason given");
        writeln!(out, "  {}  {YELLOW}{state}{YELLOW:#}: {}", printable(&file.path.to_string()), printable(reason))?;
    }
    writeln!(out)
}

fn write_counts(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    let counts = &result.counts;
    let states = [
        (counts.scanned, "scanned"),
        (counts.reused, "reused"),
        (counts.upload_failed, "upload failed"),
        (counts.scan_failed, "scan failed"),
        (counts.not_scanned, "not scanned"),
    ];
    let said: Vec<String> = states.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let files = crate::judge::count(counts.files, "file", "files");
    let skipped = if counts.skipped > 0 { format!("; {} skipped", counts.skipped) } else { String::new() };
    let colon = if said.is_empty() { "" } else { ": " };
    writeln!(out, "{files}{colon}{}{skipped}", said.join(", "))?;
    let levels: Vec<String> =
        Level::WORST_FIRST.iter().map(|level| format!("{} {level}", counts.findings.at(*level))).collect();
    let suppressed =
        if counts.findings.suppressed > 0 { format!(", {} suppressed", counts.findings.suppressed) } else { String::new() };
    writeln!(out, "findings: {}{suppressed}", levels.join(", "))
}

fn write_verdict(result: &ScanResult, out: &mut dyn Write) -> io::Result<()> {
    let (word, style) = match result.verdict.status {
        Status::Pass => ("PASS", GREEN),
        Status::Fail => ("FAIL", RED),
        Status::Partial => ("PARTIAL", YELLOW),
        Status::Error => ("ERROR", RED),
        Status::Pending => ("PENDING", YELLOW),
    };
    let max: Vec<String> = result.policy.max.iter().map(|(level, n)| format!("{level}={n}")).collect();
    let max = if max.is_empty() { String::new() } else { format!(", max {}", max.join(",")) };
    writeln!(
        out,
        "{style}{word}{style:#} (exit {}, fail-on {}{max}): {}",
        result.verdict.exit_code,
        result.policy.fail_on,
        printable(&result.verdict.reasons.join("; "))
    )
}
