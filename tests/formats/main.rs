//! The formats for machines: what each platform takes, whatever the result holds.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/checks.rs"]
mod checks;
#[cfg(feature = "emulator")]
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/samples.rs"]
#[allow(dead_code, reason = "the writers for people take the rest")]
mod samples;
mod validators;

use std::io::Write;

use hss_iac::model::{Level, ScanResult};
use hss_iac::report::{self, View};
use proptest::prelude::*;
use serde_json::{Value, json};

type Writer = fn(&ScanResult, &mut dyn Write) -> report::Written;
type Check = fn(&[u8], &Value);

/// Format, the ending of its file, writer, checker.
const FORMATS: [(&str, &str, Writer, Check); 4] = [
    ("sarif", "sarif", report::sarif::write, checks::sarif),
    ("junit", "xml", report::junit::write, checks::junit),
    ("gitlab-codequality", "json", report::gitlab_codequality::write, checks::codequality),
    ("gitlab-sast", "json", report::gitlab_sast::write, checks::sast),
];

fn every_sample() -> [(&'static str, Value); 9] {
    [
        ("none", samples::none()),
        ("one", samples::one()),
        ("two", samples::two()),
        ("stand_in", samples::stand_in()),
        ("cut_off", samples::cut_off()),
        ("blind", samples::blind()),
        ("poor", samples::poor()),
        ("hostile", samples::hostile()),
        ("many", samples::many(30_000)),
    ]
}

fn parsed(value: &Value) -> ScanResult {
    serde::Deserialize::deserialize(value).expect("a result")
}

fn bytes(write: Writer, result: &ScanResult) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(result, &mut bytes).expect("a report");
    bytes
}

fn written(write: Writer, value: &Value) -> Vec<u8> {
    bytes(write, &parsed(value))
}

fn sarif(value: &Value) -> Value {
    serde_json::from_slice(&written(report::sarif::write, value)).expect("JSON")
}

fn junit(value: &Value) -> checks::Node {
    checks::xml(&String::from_utf8(written(report::junit::write, value)).expect("UTF-8"))
}

#[test]
fn every_format_keeps_to_its_platform_and_tells_all() {
    for (name, value) in every_sample() {
        let result = parsed(&value);
        for (format, _, write, check) in FORMATS {
            // Named in the output of a test that fails.
            println!("{format} of {name}");
            check(&bytes(write, &result), &value);
        }
    }
}

#[test]
fn a_clean_run_is_a_whole_report() {
    let text = |write| String::from_utf8(written(write, &samples::none())).expect("UTF-8");
    assert_eq!(text(report::gitlab_codequality::write), "[]\n");
    assert_eq!(
        text(report::gitlab_sast::write),
        concat!(
            r#"{"version":"15.2.4","scan":{"analyzer":{"id":"hss-iac","name":"hss-iac","version":"0.1.0","vendor":{"name":"hss-iac"}},"#,
            r#""scanner":{"id":"hss-iac","name":"hss-iac","version":"0.1.0","vendor":{"name":"hss-iac"}},"type":"sast","#,
            r#""start_time":"2026-01-01T00:00:00","end_time":"2026-01-01T00:01:00","status":"success"},"vulnerabilities":[]}"#,
            "\n"
        )
    );
    assert_eq!(
        text(report::junit::write),
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<testsuites name="hss-iac" tests="1" failures="0" errors="0" skipped="0" time="0">"#,
            r#"<testsuite name="hss-iac" tests="1" failures="0" errors="0" skipped="0" time="0" timestamp="2026-01-01T00:00:00">"#,
            r#"<testcase classname="api/Dockerfile" name="no findings · api/Dockerfile" time="0" file="api/Dockerfile"/>"#,
            "</testsuite></testsuites>\n"
        )
    );
    let run = &sarif(&samples::none())["runs"][0];
    assert_eq!((&run["results"], &run["tool"]["driver"]["rules"]), (&json!([]), &json!([])));
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));
}

#[test]
fn a_finding_says_what_where_and_how_bad() {
    let value = samples::one();
    let fingerprint = "0".repeat(32);
    assert_eq!(
        sarif(&value)["runs"][0]["results"],
        json!([{
            "ruleId": "SI-DF-003", "ruleIndex": 0, "level": "error",
            "message": {"text": "The container runs as root: USER root"},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": "api/Dockerfile", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 12, "startColumn": 1, "endLine": 12, "endColumn": 10},
            }}],
            "partialFingerprints": {"primaryLocationLineHash": "54703d4cd895b18:1", "hssIac/v1": fingerprint},
        }])
    );
    let entries: Value = serde_json::from_slice(&written(report::gitlab_codequality::write, &value)).expect("JSON");
    assert_eq!(
        entries,
        json!([{
            "description": "SI-DF-003: The container runs as root (USER root)", "check_name": "SI-DF-003",
            "fingerprint": fingerprint, "severity": "critical", "location": {"path": "api/Dockerfile", "lines": {"begin": 12}},
        }])
    );
    let sast: Value = serde_json::from_slice(&written(report::gitlab_sast::write, &value)).expect("JSON");
    let vulnerability = &sast["vulnerabilities"][0];
    assert_eq!(vulnerability["description"], "USER root\n\nA process that runs as root owns the node once it escapes.");
    assert_eq!(vulnerability["solution"], "Add USER with a number above 0.");
    assert_eq!(vulnerability["location"], json!({"file": "api/Dockerfile", "start_line": 12, "end_line": 12}));
    let case = &junit(&value).children[0].children[0];
    assert_eq!((case.at("name"), case.at("line")), ("SI-DF-003 · api/Dockerfile:12", "12"));
    let failure = &case.children[0];
    assert_eq!((failure.at("type"), failure.at("message")), ("high", "The container runs as root"));
    assert_eq!(
        failure.text,
        "api/Dockerfile:12\nUSER root\nA process that runs as root owns the node once it escapes.\nRemediation: Add USER with a number above 0."
    );
}

#[test]
fn what_does_not_fit_is_the_least_severe() {
    let heavy = samples::heavy(16_000);
    let result = parsed(&heavy);
    let log = bytes(report::sarif::write, &result);
    checks::sarif(&log, &heavy);
    let log: Value = serde_json::from_slice(&log).expect("JSON");
    let levels: Vec<&Value> =
        log["runs"][0]["results"].as_array().expect("results").iter().map(|result| &result["level"]).collect();
    assert!(
        levels.len() < 16_000 && levels.iter().filter(|level| **level == "error").count() == 4_000,
        "every high is kept"
    );
    let suites = bytes(report::junit::write, &result);
    checks::junit(&suites, &heavy);
    let suite = checks::xml(std::str::from_utf8(&suites).expect("UTF-8")).children.remove(0);
    let high = |node: &&checks::Node| node.children.iter().any(|outcome| outcome.at("type") == "high");
    let cases: Vec<_> = suite.children.iter().filter(|node| node.tag == "testcase").collect();
    assert!(cases.len() < 16_000 && cases.iter().filter(|case| high(case)).count() == 4_000, "every high is kept");

    let many = sarif(&samples::many(30_000));
    assert_eq!(many["runs"][0]["results"].as_array().map(Vec::len), Some(25_000));
    let left_out = &many["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(left_out, "5000 more findings are left out, the least severe: code scanning takes 25000 results and 10 MB");
}

/// What counts is the size after gzip: long texts in any script shrink where they repeat.
#[test]
fn nothing_is_left_out_below_the_limit() {
    let mut value = samples::many(20_000);
    for finding in value["findings"].as_array_mut().expect("findings") {
        finding["name"] = json!("容器以特权模式运行，可以访问节点上的所有设备和内核功能".repeat(8));
    }
    let result = parsed(&value);
    assert_eq!(report::sarif::write(&result, &mut std::io::sink()).expect("a report"), None);
}

#[test]
fn a_rule_at_two_levels_has_the_worse_and_findings_their_own() {
    let run = &sarif(&samples::poor())["runs"][0];
    let levels: Vec<&Value> = run["results"].as_array().expect("results").iter().map(|result| &result["level"]).collect();
    assert_eq!(levels, ["error", "note", "note"]);
    assert_eq!(run["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(1));
    assert_eq!(run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "b%FF%20c%25/Dockerfile");
}

#[test]
fn the_same_result_gives_the_same_bytes() {
    for (_, _, write, _) in FORMATS {
        assert_eq!(written(write, &samples::many(500)), written(write, &samples::many(500)));
    }
}

/// A finding all of whose texts are this.
fn all(text: &str) -> Value {
    let mut value = samples::hostile();
    let finding = &mut value["findings"][0];
    for field in ["rule_id", "name", "instruction", "hit_path", "description", "remediation", "fingerprint"] {
        finding[field] = json!(text);
    }
    finding["resource"] = json!({"kind": text, "namespace": text, "name": text});
    value
}

fn drop_forbidden(text: &str) -> String {
    text.chars().filter(|c| (*c >= ' ' || "\t\n\r".contains(*c)) && !"\u{fffe}\u{ffff}".contains(*c)).collect()
}

/// One finding for several places: the service numbers places that it does not name.
#[test]
fn a_finding_that_stands_for_several_places_says_so() {
    let mut value = samples::one();
    value["findings"][0]["places"] = json!(12);
    let name = "The container runs as root (at 12 places)";
    let run = &sarif(&value)["runs"][0];
    assert_eq!(run["results"][0]["message"]["text"], format!("{name}: USER root"));
    assert_eq!(run["tool"]["driver"]["rules"][0]["name"], "The container runs as root", "a rule has no places");
    let entries: Value = serde_json::from_slice(&written(report::gitlab_codequality::write, &value)).expect("JSON");
    assert_eq!(entries[0]["description"], format!("SI-DF-003: {name} (USER root)"));
    let sast: Value = serde_json::from_slice(&written(report::gitlab_sast::write, &value)).expect("JSON");
    assert_eq!(sast["vulnerabilities"][0]["name"], name);
    assert_eq!(junit(&value).children[0].children[0].children[0].at("message"), name);
}

/// A format as bytes.
type Format = (&'static str, fn(&ScanResult) -> Vec<u8>);

const EVERY_FORMAT: [Format; 10] = [
    ("table", |result| {
        let mut bytes = Vec::new();
        report::table::write(result, VIEW, &mut bytes).expect("a report");
        anstream::adapter::strip_bytes(&bytes).into_vec()
    }),
    ("json", |result| {
        let mut bytes = Vec::new();
        report::json::write(result, &mut bytes).expect("a report");
        bytes
    }),
    ("sarif", |result| bytes(report::sarif::write, result)),
    ("junit", |result| bytes(report::junit::write, result)),
    ("gitlab-codequality", |result| bytes(report::gitlab_codequality::write, result)),
    ("gitlab-sast", |result| bytes(report::gitlab_sast::write, result)),
    ("markdown", |result| bytes(|result, out| report::markdown::write(result, VIEW, out), result)),
    ("github", |result| bytes(|result, out| report::github::write(result, VIEW, out), result)),
    ("github-summary", |result| bytes(|result, out| report::github_summary::write(result, VIEW, 0, out), result)),
    ("html", |result| bytes(|result, out| report::html::write(result, VIEW, out), result)),
];

const VIEW: View<'_> = View { level: Level::Tips, verbose: true, root: None };

/// What the log of a CI job or a terminal would obey, in a report that is written to it.
fn obeyed(format: &str, report: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(report).expect("UTF-8");
    let mark = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ours =
        |line: &str| format == "github" && ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
    let command = |line: &&str| (line.trim_start().starts_with("::") && !ours(line)) || line.contains("##[");
    text.split(['\r', '\n']).find(command).or(text.contains(mark).then_some("a mark")).map(str::to_owned)
}

/// Everything that is free text in a result is this.
fn every_text(text: &str) -> Value {
    let value = samples::hostile().to_string().replace(&json!(samples::HOSTILE).to_string(), &json!(text).to_string());
    let mut value: Value = serde_json::from_str(&value).expect("JSON");
    let path = format!("dir\n{text}/Dockerfile");
    value["files"][0]["path"] = json!(path);
    value["files"][1]["path"] = json!(text);
    for finding in value["findings"].as_array_mut().expect("findings") {
        finding["path"] = json!(path);
        finding["fingerprint"] = json!(text);
    }
    value["tool"]["version"] = json!(text);
    value["service"]["endpoint"] = json!(text);
    value
}

#[test]
fn no_report_of_any_size_is_obeyed_or_fails() {
    for (name, value) in every_sample() {
        let result = parsed(&value);
        for (format, write) in EVERY_FORMAT {
            assert_eq!(obeyed(format, &write(&result)), None, "{format} of {name}");
        }
    }
}

/// The formats of people, which have no checker of their own: no longer than what each platform takes.
#[test]
fn thirty_thousand_findings_fit_every_platform() {
    let result = parsed(&samples::many(30_000));
    let markdown = text(report::markdown::write, &result);
    assert!(markdown.chars().count() <= 65_536, "the comment of a pull request");
    let summary = text(|result, view, out| report::github_summary::write(result, view, 0, out), &result);
    assert!(summary.len() <= 1024 * 1024, "the summary of a step");
    let log = text(report::github::write, &result);
    let of = |kind: &str| log.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!([of("::error "), of("::warning "), of("::notice "), of("::")], [10, 10, 10, 30]);
    assert_eq!(text(report::table::write, &result).matches("SI-K8-").count(), 30_000, "all are on a terminal");
}

fn text(write: fn(&ScanResult, View<'_>, &mut dyn Write) -> report::Written, result: &ScanResult) -> String {
    let mut bytes = Vec::new();
    write(result, VIEW, &mut bytes).expect("a report");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Every element of the page is closed by its own end, and every finding has one. Validators read the page of 30,000.
#[test]
fn a_page_is_well_formed() {
    let html = text(report::html::write, &parsed(&samples::many(3_000)));
    assert_eq!(checks::html(&html, "article"), 3_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text stays the text of the one value it was put in, and adds no element, entry or key.
    #[test]
    fn any_text_is_data(text in r#"([\[\](){}0-9<>&'"\\a;!?%]|\]\]>|<!--|\PC|[\x00-\x1f\x7f\u{fffe}\u{ffff}\u{85}\u{2028}]){1,60}"#) {
        let text = format!("x{text}x");
        let value = all(&text);
        for (_, _, write, check) in FORMATS {
            check(&written(write, &value), &value);
        }
        let plain = text.replace('\0', "");
        let rule = &sarif(&value)["runs"][0]["tool"]["driver"]["rules"][0];
        for field in [&rule["id"], &rule["name"], &rule["shortDescription"]["text"], &rule["fullDescription"]["text"], &rule["help"]["text"]] {
            prop_assert_eq!(field, &json!(plain));
        }
        let entries: Value = serde_json::from_slice(&written(report::gitlab_codequality::write, &value)).expect("JSON");
        prop_assert_eq!(&entries[1]["check_name"], &json!(plain));
        let sast: Value = serde_json::from_slice(&written(report::gitlab_sast::write, &value)).expect("JSON");
        let vulnerability = &sast["vulnerabilities"][0];
        prop_assert_eq!((&vulnerability["name"], &vulnerability["solution"]), (&json!(plain), &json!(plain)));
        let allowed = drop_forbidden(&text);
        let root = junit(&value);
        let failure = root.children[0].children.iter().flat_map(|case| &case.children).find(|node| node.tag == "failure");
        let failure = failure.expect("a failure");
        prop_assert_eq!(failure.at("message"), &allowed);
        let end = format!("\n{allowed}\nRemediation: {allowed}");
        prop_assert!(failure.text.ends_with(&end), "{:?} ends with {:?}", failure.text, end);
    }

    /// Reports go to stdout too, where the runner of a CI job reads every line for commands and a terminal obeys what is no letter.
    #[test]
    fn no_text_is_obeyed(text in r"([\r\n\t ]|::error::|##\[error\]|##\[|::|#|\[|:|\\|<|[\x00-\x1f\x7f-\x9f\u{85}\u{a0}\u{202e}\u{2066}\u{2028}]|\PC){1,30}") {
        let result = parsed(&every_text(&text));
        for (format, write) in EVERY_FORMAT {
            prop_assert_eq!(obeyed(format, &write(&result)), None, "{}", format);
        }
    }

    /// A message makes no link and takes no argument, and says the rest as it is.
    #[test]
    fn a_sarif_message_is_plain(text in r"([\[\](){}0-9a\\]|\]\(|\{0\}){1,30}") {
        let value = all(&text);
        let message = sarif(&value)["runs"][0]["results"][0]["message"]["text"].as_str().expect("a text").to_owned();
        prop_assert!(!message.contains("]("));
        let argument = message.split('{').skip(1).filter_map(|rest| rest.split_once('}')).any(|(n, _)| n.parse::<u32>().is_ok());
        prop_assert!(!argument, "{message}");
        let packed = |text: &str| text.replace(' ', "");
        let expected = format!("{text}: {text}/{text} in {text}, {text}");
        prop_assert_eq!(packed(&message), packed(&expected));
    }
}

/// Through the binary: every format in one run, each in its file, checked against the JSON of the same run.
#[cfg(feature = "emulator")]
#[test]
fn one_run_writes_every_format() {
    let emulator = common::start(common::quick());
    let repo = common::Repo::new().file("Dockerfile", common::BAD_DOCKERFILE).many(1);
    let reports = tempfile::tempdir().expect("a directory");
    let outputs: Vec<String> =
        FORMATS.iter().map(|(format, ..)| format!("{format}={}", reports.path().join(format).display())).collect();
    let args: Vec<&str> = outputs.iter().flat_map(|output| ["-o", output]).collect();
    let ran = common::scan(repo.path(), &emulator, &args);
    let result = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for (format, _, _, check) in FORMATS {
        check(&std::fs::read(reports.path().join(format)).expect("a report"), &result);
    }
}

/// Only styles are for the terminal: a character of a file name is data, on stdout and in a file.
#[cfg(all(unix, feature = "emulator"))]
#[test]
fn no_byte_of_a_report_is_lost_on_its_way() {
    let emulator = common::start(common::quick());
    let repo = common::Repo::new().file("a\u{7f}b/Dockerfile", common::BAD_DOCKERFILE);
    let reports = tempfile::tempdir().expect("a directory");
    let path = reports.path().join("json");
    let ran = common::scan(repo.path(), &emulator, &["-o", &format!("json={}", path.display())]);
    let written: Value = serde_json::from_slice(&std::fs::read(path).expect("a report")).expect("JSON");
    for result in [ran.json(), written] {
        assert_eq!(result["files"][0]["path"], "a\u{7f}b/Dockerfile");
    }
}
