//! One self-contained page: verdict, a plot of the findings, a filter for the keyboard, and source excerpts.
//!
//! Every text is escaped by the template and freed of control characters before. The content policy lets nothing load and only the page's
//! own style and script run, by their hashes; so there are no `style` attributes, and the plot is drawn with SVG attributes.

mod plot;

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest;

use super::shown::{self, Shown};
use super::{STAND_IN, View, Written, printable};
use crate::judge::count;
use crate::model::{Finding, Level, Location, Precision, RepoPath, ScanResult};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page, file by file.
pub fn write(result: &ScanResult, view: View<'_>, out: &mut dyn Write) -> Written {
    let shown = Shown::of(result, view);
    let put = |out: &mut dyn Write, markup: Markup| out.write_all(markup.0.as_bytes());
    put(out, head(result))?;
    put(out, top(result, &shown, view))?;
    for (path, findings) in shown.by_file() {
        put(out, file(path, &findings))?;
    }
    put(out, rest(result, &shown))?;
    writeln!(out, "</main>{}<script>{SCRIPT}</script></body></html>", foot(result).0)?;
    Ok(None)
}

fn head(result: &ScanResult) -> Markup {
    let hash = |text: &str| {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    // The two elements that stay open are closed by `write`.
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { "hss-iac: " (shown::status(result.verdict.status)) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
    }
}

fn top(result: &ScanResult, shown: &Shown<'_>, view: View<'_>) -> Markup {
    html! {
        header {
            h1 { "Dockerfiles and Kubernetes manifests" }
            @if result.service.stand_in { p.notice role="note" { (STAND_IN) } }
            @if let Some(why) = shown::incomplete(result) { p.notice role="note" { (printable(&why)) } }
            @if let Some((heading, altered)) = shown::altered(result) {
                div.notice role="note" { p { (heading) } ul { @for line in altered { li { (printable(line)) } } } }
            }
            div class=(format!("verdict {}", result.verdict.status.as_str())) {
                strong { (shown::status(result.verdict.status)) }
                ul { @for reason in &result.verdict.reasons { li { (printable(reason)) } } }
            }
            (numbers(result, shown))
        }
        (PreEscaped("<main>"))
        @if !shown.findings.is_empty() {
            h2 { "By directory" }
            (plot::by_directory(&shown.findings))
            h2 { "Findings" }
            (filter())
        }
        @if let Some(below) = shown.below(view) { p.soft { (below) } }
    }
}

fn numbers(result: &ScanResult, shown: &Shown<'_>) -> Markup {
    let counts = &result.counts;
    let files = [
        (counts.files, "files"),
        (counts.scanned, "scanned"),
        (counts.reused, "reused"),
        (counts.upload_failed, "upload failed"),
        (counts.scan_failed, "scan failed"),
        (counts.not_scanned, "not scanned"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.masked, "values masked"),
    ];
    let other = [(counts.findings.suppressed, "suppressed"), (shown.known, "known"), (shown::resolved(result), "resolved")];
    html! {
        ul.numbers {
            @for level in Level::WORST_FIRST { li { b { (counts.findings.at(level)) } " " (level.as_str()) } }
            @for (n, name) in other { @if n > 0 { li { b { (n) } " " (name) } } }
        }
        ul.numbers {
            @for (n, name) in files { @if n > 0 { li { b { (n) } " " (name) } } }
        }
        p.soft { "Policy: " (printable(&shown::gate(result))) "; exit code " (result.verdict.exit_code) }
    }
}

fn filter() -> Markup {
    html! {
        div.filter hidden {
            input type="search" aria-label="Search findings" placeholder="Search";
            @for (n, level) in Level::WORST_FIRST.into_iter().enumerate() {
                label { input type="checkbox" value=(level.as_str()) checked; " " (level.as_str()) " " kbd.keys { (n + 1) } }
            }
            output aria-live="polite" {}
            span.soft.keys { kbd { "/" } " search " kbd { "j" } " " kbd { "k" } " next, previous " kbd { "Esc" } " all" }
        }
    }
}

fn file(path: &RepoPath, findings: &[&Finding]) -> Markup {
    html! {
        section.file {
            h3 { (breakable(&path.to_string())) }
            @for finding in findings { (article(finding)) }
        }
    }
}

fn article(finding: &Finding) -> Markup {
    let object = shown::object(finding);
    html! {
        article tabindex="-1" data-level=(finding.level.as_str()) data-places=(finding.places) {
            p {
                span class=(format!("badge {}", finding.level)) { (finding.level.as_str()) }
                b { (printable(&shown::name(finding))) } " "
                @if !finding.rule_id.is_empty() {
                    a.soft href=(format!("#{}", anchor(&finding.rule_id))) { (printable(&finding.rule_id)) }
                }
            }
            p.soft {
                (place(finding.location))
                @if let Some(object) = &object { " · " (printable(object)) }
            }
            @if let Some(path) = &finding.hit_path { p.soft { code { (printable(path)) } } }
            @if finding.snippet.is_empty() && let Some(instruction) = &finding.instruction { p { code { (printable(instruction)) } } }
            @if !finding.snippet.is_empty() { (excerpt(finding)) }
        }
    }
}

/// A path that a narrow column breaks between its parts rather than within one.
fn breakable(path: &str) -> Markup {
    let path = printable(path);
    html! { @for part in path.split_inclusive('/') { (part) @if part.ends_with('/') { wbr; } } }
}

/// The source lines with their numbers, the span marked.
fn excerpt(finding: &Finding) -> Markup {
    let at = finding.location;
    let first = at.map_or(1, |at| at.line);
    // The snippet is cut where the span is long.
    let more = at.map_or(0, |at| (at.end_line as usize + 1).saturating_sub(at.line as usize + finding.snippet.len()));
    html! {
        pre {
            @for (n, line) in finding.snippet.iter().enumerate() {
                @let is_last = at.is_some_and(|at| at.line as usize + n >= at.end_line as usize);
                @let (before, span, after) = cut(line, at.filter(|at| at.precision != Precision::File), n == 0, is_last);
                span.line {
                    span.at { (format!("{:>5}  ", first as usize + n)) }
                    (printable_line(before)) @if !span.is_empty() { mark { (printable_line(span)) } } (printable_line(after)) "\n"
                }
            }
            @if more > 0 { span.at { "       " (count(more as u64, "more line", "more lines")) "\n" } }
        }
    }
}

/// Splits a line at the columns of the location, as far as they stand on it.
fn cut(line: &str, at: Option<Location>, is_first: bool, is_last: bool) -> (&str, &str, &str) {
    let Some(at) = at else { return (line, "", "") };
    let byte = |column: u32| line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(byte, _)| byte);
    let start = if is_first { byte(at.column) } else { line.len() - line.trim_start().len() };
    let end = if is_last { byte(at.end_column).max(start) } else { line.len() };
    (&line[..start], &line[start..end], &line[end..])
}

/// Tabs stay: they are what the source holds, and harmless here.
fn printable_line(text: &str) -> String {
    text.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

fn place(at: Option<Location>) -> String {
    match at {
        None => "somewhere in the file".to_owned(),
        Some(at) => match at.precision {
            Precision::Exact => format!("line {}, column {}", at.line, at.column),
            Precision::Parent => format!("in line {}", at.line),
            Precision::Resource => format!("in the object at line {}", at.line),
            Precision::File => "somewhere in the file".to_owned(),
        },
    }
}

/// What follows the findings: files not scanned, suppressed and resolved findings, notes, and what each rule means.
fn rest(result: &ScanResult, shown: &Shown<'_>) -> Markup {
    let lost = shown::not_scanned(result);
    let suppressed: Vec<_> = shown.suppressed.iter().filter_map(|f| Some((f, f.suppressed.as_ref()?))).collect();
    html! {
        @if !lost.is_empty() {
            h2 { "Files not scanned" }
            table {
                thead { tr { th scope="col" { "File" } th scope="col" { "Why" } } }
                tbody { @for file in lost {
                    tr { td { code { (printable(&file.path.to_string())) } } td { (printable(file.reason.as_deref().unwrap_or("no reason given"))) } }
                } }
            }
        }
        @if !suppressed.is_empty() {
            h2 { "Suppressed" }
            ul.plain { @for (finding, why) in suppressed {
                li {
                    code { (printable(&finding.path.to_string())) } ": " (printable(&finding.rule_id)) " (" (finding.level.as_str()) "), "
                    (printable(&why.reason))
                    @if let Some(owner) = &why.owner { ", " (printable(owner)) }
                    @if let Some(until) = &why.until { ", until " (printable(until)) }
                }
            } }
        }
        @if !result.resolved.is_empty() {
            h2 { "Resolved since the baseline" }
            ul.plain { @for known in &result.resolved { li { code { (printable(&known.path.to_string())) } ": " (printable(&known.rule_id)) } } }
        }
        @if !result.notes.is_empty() {
            h2 { "Notes" }
            ul.plain { @for note in &result.notes { li { (printable(note)) } } }
        }
        (rules(&shown.findings))
    }
}

fn rules(shown: &[&Finding]) -> Markup {
    let mut rules: BTreeMap<&str, (&Finding, u64)> = BTreeMap::new();
    for finding in shown {
        rules.entry(&finding.rule_id).or_insert((finding, 0)).1 += finding.places;
    }
    html! {
        @if !rules.is_empty() {
            h2 { "Rules" }
            dl.rules { @for (id, (finding, n)) in rules {
                dt id=(anchor(id)) { @if !id.is_empty() { (printable(id)) ": " } (printable(&finding.name)) " (" (n) ")" }
                @if let Some(description) = &finding.description { dd { (printable(description)) } }
                @if let Some(remediation) = &finding.remediation { dd { b { "What to do: " } (printable(remediation)) } }
                @if finding.description.is_none() && finding.remediation.is_none() { dd { "The service says no more of it." } }
            } }
        }
    }
}

fn foot(result: &ScanResult) -> Markup {
    let service = &result.service;
    html! {
        footer {
            (printable(&result.tool.name)) " " (printable(&result.tool.version)) " · " (printable(&service.endpoint))
            @if let Some(project) = &service.project_id { " · project " (printable(project)) }
            " · " (printable(&result.run.started_at)) " to " (printable(&result.run.ended_at))
        }
    }
}

/// A rule id as an element id: any text, so hex where it is not plain.
fn anchor(rule_id: &str) -> String {
    let plain = rule_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if plain { format!("rule-{rule_id}") } else { format!("rule--{}", crate::digest::hex(rule_id.as_bytes())) }
}

#[cfg(test)]
mod tests;
