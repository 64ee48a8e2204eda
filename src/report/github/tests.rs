use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::report::samples;

const VIEW: View<'_> = View { level: Level::Tips, verbose: false, root: None };

fn report(value: Value, view: View<'_>) -> String {
    let result: ScanResult = serde_json::from_value(value).expect("a result");
    let mut bytes = Vec::new();
    write(&result, view, &mut bytes).expect("a report");
    String::from_utf8(bytes).expect("text")
}

#[derive(Debug, PartialEq)]
struct Command {
    kind: String,
    properties: Vec<(String, String)>,
    message: String,
}

impl Command {
    fn get(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a log as the runner does: a command is a line that starts with `::`, blanks before it aside, or holds `##[`.
fn commands(log: &str) -> Vec<Command> {
    let undo = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let mut commands = Vec::new();
    for line in log.split(['\r', '\n']) {
        let Some(rest) = line.trim_start().strip_prefix("::") else {
            assert!(!line.contains("##["), "the other spelling: {line}");
            continue;
        };
        let (head, data) = rest.split_once("::").expect("a command ends its head");
        let (kind, properties) = head.split_once(' ').unwrap_or((head, ""));
        let properties = properties.trim().split(',').filter_map(|property| property.split_once('='));
        let property = |text: &str| undo(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
        commands.push(Command {
            kind: kind.to_owned(),
            properties: properties.map(|(key, value)| (key.to_owned(), property(value))).collect(),
            message: undo(data).replace("%25", "%"),
        });
    }
    commands
}

#[test]
fn samples_are_shown() {
    insta::assert_snapshot!("none", report(samples::none(), VIEW));
    insta::assert_snapshot!("two", report(samples::two(), VIEW));
    insta::assert_snapshot!("hostile", report(samples::hostile(), VIEW));
    insta::assert_snapshot!("rich", report(samples::rich(), VIEW));
}

#[test]
fn ten_of_a_kind_and_the_worst_of_them() {
    let mut value = samples::many(400);
    // The last of all touches the change, so it comes before the others of its kind.
    value["findings"][396]["changed"] = json!(true);
    let log = report(value, VIEW);
    let commands = commands(&log);
    let of = |kind: &str| commands.iter().filter(|command| command.kind == kind).collect::<Vec<_>>();
    assert_eq!((of("error").len(), of("warning").len(), of("notice").len()), (10, 10, 10));
    assert_eq!(of("error")[0].get("line"), Some("397"));
    assert_eq!(of("error")[9].message, "91 more: see the summary or another report");
    assert!(of("notice")[..9].iter().all(|command| command.get("title").expect("a title").starts_with("low ")));
    assert_eq!(of("notice")[9].message, "191 more: see the summary or another report");
    assert!(log.contains("\nfindings: 100 high, 100 medium, 100 low, 100 tips\n"), "{log}");
}

#[test]
fn ten_are_ten() {
    let mut value = samples::many(40);
    assert_eq!(commands(&report(value.clone(), VIEW)).iter().filter(|command| command.kind == "error").count(), 10);
    assert!(!report(value.clone(), View { level: Level::Medium, ..VIEW }).contains("more: see"));
    value["findings"][1]["level"] = json!("high");
    let log = report(value, VIEW);
    assert!(log.contains("::error title=hss-iac::2 more: see the summary or another report\n"), "{log}");
}

#[test]
fn a_span_of_lines_has_no_columns_and_a_mere_file_no_line() {
    let all = commands(&report(samples::rich(), VIEW));
    let names = |command: &Command| command.properties.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>().join(" ");
    let of = |path: &str, level: &str| {
        let found = all.iter().find(|command| {
            command.get("file") == Some(path) && command.get("title").is_some_and(|title| title.starts_with(level))
        });
        names(found.expect("a command"))
    };
    assert_eq!(of("api/Dockerfile", "low"), "file line endLine title");
    assert_eq!(of("api/Dockerfile", "high"), "file line endLine col endColumn title");
    assert_eq!(of("web/Dockerfile", "medium"), "file title");
}

#[test]
fn the_report_level_hides_and_says_so() {
    let log = report(samples::rich(), View { level: Level::High, ..VIEW });
    assert!(log.contains("\n4 below high not shown\n"), "{log}");
    assert_eq!(commands(&log).iter().filter(|command| command.kind == "notice").count(), 0);
}

proptest! {
    /// Whatever the texts, the runner reads back our two commands and no other.
    #[test]
    fn no_text_makes_a_command(text in "(\\PC|[%:,;=\r\n \t]|::error::|##\\[error\\]|%0A|%25|%3A){1,40}") {
        let mut value = samples::two();
        for field in ["name", "rule_id", "description", "remediation", "path", "instruction"] {
            value["findings"][0][field] = json!(text);
        }
        value["verdict"]["reasons"] = json!([text]);
        value["policy"]["baseline"] = json!(text);
        let log = report(value, VIEW);
        let commands = commands(&log);
        prop_assert_eq!(commands.iter().map(|command| command.kind.as_str()).collect::<Vec<_>>(), ["error", "warning"]);
        // The blanks around a value are the runner's to drop.
        let path = printable(&text).into_owned();
        prop_assert_eq!(commands[0].get("file"), Some(path.as_str()));
        let title = cut(&one_line(&format!("high {text}: {text}")), 200).into_owned();
        prop_assert_eq!(commands[0].get("title"), Some(title.trim_end()));
        if !one_line(&text).is_empty() {
            prop_assert_eq!(&commands[0].message, &format!("{0} {0}", one_line(&text)));
        }
    }
}
