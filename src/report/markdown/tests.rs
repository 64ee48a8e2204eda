use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};

use super::*;
use crate::report::{github_summary, samples};

const VIEW: View<'_> = View { level: Level::Tips, verbose: false, root: None };

fn result(value: Value) -> ScanResult {
    serde_json::from_value(value).expect("a result")
}

fn report(value: Value, view: View<'_>) -> String {
    let mut bytes = Vec::new();
    write(&result(value), view, &mut bytes).expect("a report");
    String::from_utf8(bytes).expect("text")
}

fn summary(value: Value, view: View<'_>) -> String {
    let mut bytes = Vec::new();
    github_summary::write(&result(value), view, 0, &mut bytes).expect("a report");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn samples_are_shown() {
    insta::assert_snapshot!("none", report(samples::none(), VIEW));
    insta::assert_snapshot!("two", report(samples::two(), VIEW));
    insta::assert_snapshot!("hostile", report(samples::hostile(), VIEW));
    insta::assert_snapshot!("rich", report(samples::rich(), VIEW));
}

#[test]
fn the_summary_is_the_comment_without_its_marker() {
    for value in [samples::none(), samples::two(), samples::rich(), samples::hostile()] {
        assert_eq!(format!("{MARKER}\n{}", summary(value.clone(), VIEW)), report(value, VIEW));
    }
}

#[test]
fn hostile_text_makes_no_html_link_or_cell() {
    let report = report(samples::hostile(), VIEW);
    let mut html = Vec::new();
    for event in Parser::new_ext(&report, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => html.push(text.trim().to_owned()),
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::List(_)) => panic!("{event:?}"),
            _ => (),
        }
    }
    assert_eq!(html, [MARKER]);
    assert!(!report.contains(|c: char| c.is_control() && c != '\n'));
}

/// Rows written and rows said to be left out, together.
fn findings_in(report: &str) -> (usize, usize) {
    let (_, part) = report.split_once("#### Findings\n").expect("findings");
    let part = part.split("\n#### ").next().expect("a part");
    let rows = part.lines().filter(|line| line.starts_with("| ")).count() - 2;
    let more =
        part.lines().find_map(|line| line.strip_suffix(" more not shown.")).map_or(0, |n| n.parse().expect("a number"));
    (rows, more)
}

#[test]
fn eight_thousand_findings_fit_and_the_rest_is_counted() {
    let mut value = samples::many(8_000);
    value["notes"] = json!(vec!["a note ".repeat(100); 500]);
    let long = report(value.clone(), VIEW);
    let (rows, more) = findings_in(&long);
    assert!(long.len() <= 60_000 && long.len() > 50_000, "{}", long.len());
    assert_eq!(rows + more, 8_000);
    assert!(long.contains("| 2000 | 2000 | 2000 | 2000 |\n"));
    assert!(long.ends_with("\nhss-iac 0.1.0.\n"));
    let first: Vec<&str> = long.lines().filter(|line| line.starts_with("| high | `")).collect();
    assert_eq!(first.len(), rows, "the worst are shown");

    let long = summary(value, VIEW);
    let (rows, more) = findings_in(&long);
    assert!(long.len() <= 900 * 1024 && long.len() > 800 * 1024, "{}", long.len());
    assert_eq!(rows + more, 8_000);
}

#[test]
fn many_files_that_were_not_scanned_leave_room_for_the_findings() {
    let mut value = samples::hostile();
    let lost = value["files"][1].clone();
    value["files"] = json!(vec![lost; 5_000]);
    value["verdict"]["reasons"] = json!(vec![samples::HOSTILE; 5_000]);
    let long = report(value, VIEW);
    assert!(long.len() <= 60_000, "{}", long.len());
    assert_eq!(findings_in(&long), (1, 0));
    assert!(long.contains(" more not shown.\n"));
}

#[test]
fn the_report_level_hides_and_says_so() {
    let report = report(samples::rich(), View { level: Level::High, ..VIEW });
    assert!(report.contains("\n4 below high not shown.\n"), "{report}");
    assert_eq!(findings_in(&report), (2, 0));
}

#[test]
fn an_error_is_incomplete_near_the_top() {
    let mut value = samples::none();
    value["verdict"] = json!({"status": "error", "exit_code": 4, "reasons": ["no credentials"]});
    let report = report(value, VIEW);
    let head = "<!-- hss-iac:report -->\n### hss-iac: ERROR\n\n**INCOMPLETE**, exit 4 \
                (fail-on high; counted: 0 high, 0 medium, 0 low, 0 tips): no credentials\n";
    assert!(report.starts_with(head), "{report}");
}
