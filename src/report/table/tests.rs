use anstream::adapter::strip_str;
use serde_json::{Value, json};

use super::*;
use crate::report::samples;

const VIEW: View<'_> = View { level: Level::Tips, verbose: false, root: None };

fn styled(value: Value, view: View<'_>) -> String {
    let result: ScanResult = serde_json::from_value(value).expect("a result");
    let mut bytes = Vec::new();
    write(&result, view, &mut bytes).expect("a report");
    String::from_utf8(bytes).expect("text")
}

fn plain(value: Value, view: View<'_>) -> String {
    strip_str(&styled(value, view)).to_string()
}

/// Takes away what a plain destination would, by a rule of the test's own: colours and links, nothing else.
fn without_our_escapes(mut text: &str) -> String {
    let mut rest = String::new();
    while let Some((before, after)) = text.split_once('\u{1b}') {
        rest.push_str(before);
        text = if let Some(colour) = after.strip_prefix('[') {
            let end = colour.find(|c: char| !(c.is_ascii_digit() || c == ';')).expect("an end");
            assert!(colour[end..].starts_with('m'), "{colour}");
            &colour[end + 1..]
        } else {
            let link = after.strip_prefix("]8;;").expect("a link");
            let (url, after) = link.split_once("\u{1b}\\").expect("the end of a link");
            assert!(url.is_empty() || (url.starts_with("file:///") && url.bytes().all(|b| b.is_ascii_graphic())), "{url}");
            after
        };
    }
    rest + text
}

#[test]
fn samples_are_shown() {
    insta::assert_snapshot!("none", plain(samples::none(), VIEW));
    insta::assert_snapshot!("two", plain(samples::two(), VIEW));
    insta::assert_snapshot!("hostile", plain(samples::hostile(), View { verbose: true, ..VIEW }));
    insta::assert_snapshot!("rich", plain(samples::rich(), VIEW));
    insta::assert_snapshot!("rich_verbose", plain(samples::rich(), View { verbose: true, ..VIEW }));
}

#[test]
fn the_report_level_hides_and_says_so() {
    let report = plain(samples::rich(), View { level: Level::High, ..VIEW });
    assert!(report.contains("\n4 below high not shown\n"), "{report}");
    assert!(report.contains("findings: 2 high, 2 medium, 1 low, 1 tips, 1 suppressed, 1 known, 1 resolved\n"), "{report}");
    assert!(!report.contains("securityContext:\n"), "{report}");
}

#[test]
fn what_is_resolved_counts_by_place() {
    let mut value = samples::rich();
    value["resolved"][0]["places"] = json!(3);
    let report = plain(value, VIEW);
    assert!(report.contains(", 1 known, 3 resolved\n"), "{report}");
}

#[test]
fn an_error_is_incomplete_at_the_top() {
    let mut value = samples::none();
    value["verdict"] = json!({"status": "error", "exit_code": 4, "reasons": ["no credentials\n::error::x"]});
    let report = plain(value, VIEW);
    assert!(report.starts_with("INCOMPLETE: no credentials ::error::x\n\n"), "{report}");
}

#[test]
fn no_escape_but_our_own_and_none_at_all_in_plain_text() {
    let view = View { root: Some(std::path::Path::new("/tmp/a b")), verbose: true, ..VIEW };
    for value in [samples::none(), samples::two(), samples::rich(), samples::hostile()] {
        let text = styled(value.clone(), view);
        let bare = without_our_escapes(&text);
        assert_eq!(bare, plain(value, view), "what a plain destination gets");
        assert!(!bare.contains(|c: char| c.is_control() && c != '\n'), "{bare}");
        for line in bare.lines() {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "a command of the runner: {line}");
        }
    }
    let text = styled(samples::two(), view);
    let link = "\u{1b}]8;;file:///tmp/a%20b/api/Dockerfile\u{1b}\\api/Dockerfile\u{1b}]8;;\u{1b}\\";
    assert!(text.contains(link), "{text:?}");
}

#[test]
fn a_pass_states_its_numbers_as_a_failure_does() {
    let last = |status: &str, change: &dyn Fn(&mut Value)| {
        let mut value = samples::rich();
        value["verdict"] = json!({"status": status, "exit_code": 0, "reasons": ["why"]});
        change(&mut value);
        let line = |report: String| report.lines().last().map(str::to_owned);
        line(plain(value.clone(), View { level: Level::High, ..VIEW })).expect("a line")
    };
    let bare = json!({"fail_on": "high", "max": {}, "changed_only": false, "baseline": null});
    let line = last("pass", &|value| value["policy"] = bare.clone());
    assert_eq!(line, "PASS (exit 0, fail-on high; counted: 2 high, 2 medium, 1 low, 1 tips): why");
    let line = last("fail", &|value| value["policy"]["max"] = json!({"low": 1, "medium": 2}));
    let expected = "FAIL (exit 0, fail-on high, max medium=2,low=1, baseline known.json; counted: 1 high, 2 medium, 1 low, 1 tips): why";
    assert_eq!(line, expected);
    let line = last("pending", &|value| value["policy"] = bare.clone());
    assert_eq!(line, "PENDING (exit 0, fail-on high): why");
}
