//! Every report of a result whose texts are anything: it stays what its format is, says all findings, and nothing in it is obeyed by a
//! terminal or the runner of a CI job. The first byte chooses the result, U+0001 parts its texts.
#![no_main]

use hss_iac::model::{Level, ScanResult};
use hss_iac::report::{self, View};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

#[path = "../../tests/common/checks.rs"]
mod checks;
#[path = "../../tests/common/samples.rs"]
#[allow(dead_code, reason = "the tests take the rest")]
mod samples;

const SAMPLES: [fn() -> Value; 8] = [
    samples::none,
    samples::one,
    samples::two,
    samples::stand_in,
    samples::cut_off,
    samples::hostile,
    samples::rich,
    samples::poor,
];

/// Fields that others fill.
const TEXTS: [&str; 18] = [
    "rule_id",
    "name",
    "category",
    "instruction",
    "hit_rule",
    "hit_path",
    "description",
    "remediation",
    "fingerprint",
    "kind",
    "namespace",
    "reason",
    "owner",
    "task_id",
    "endpoint",
    "region",
    "text",
    "version",
];

const VIEW: View<'_> = View { level: Level::Tips, verbose: true, root: None };

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let sample = SAMPLES[usize::from(choice) % SAMPLES.len()];
    let texts: Vec<&str> = text.split('\u{1}').collect();
    let any = fill(sample(), &texts, |text| text.to_owned());
    let result: ScanResult = serde::Deserialize::deserialize(&any).expect("a result");
    people(&result);
    machines(&result);
    // What platforms ask for can be had only of texts that say something.
    let spoken = fill(sample(), &texts, |text| format!("x{text}x"));
    let result: ScanResult = serde::Deserialize::deserialize(&spoken).expect("a result");
    let bytes = |write: fn(&ScanResult, &mut dyn std::io::Write) -> report::Written| {
        let mut bytes = Vec::new();
        write(&result, &mut bytes).expect("a report");
        bytes
    };
    checks::sarif(&bytes(report::sarif::write), &spoken);
    checks::junit(&bytes(report::junit::write), &spoken);
    checks::codequality(&bytes(report::gitlab_codequality::write), &spoken);
    checks::sast(&bytes(report::gitlab_sast::write), &spoken);
});

/// The sample with the texts in their fields, in turn.
fn fill(mut value: Value, texts: &[&str], of: fn(&str) -> String) -> Value {
    let mut turn = 0;
    walk(&mut value, &mut |name, field| {
        let text = texts[turn % texts.len()];
        match field {
            // The name and the version of what made the result are ours.
            Value::String(_) if TEXTS.contains(&name) => *field = json!(of(text)),
            Value::String(_) if name == "path" => *field = json!(format!("{turn}/x{}x", text.replace('/', "_"))),
            Value::Array(lines) if ["snippet", "reasons", "notes"].contains(&name) => {
                lines.iter_mut().for_each(|line| *line = json!(of(text)));
            }
            _ => return,
        }
        turn += 1;
    });
    value
}

fn walk(value: &mut Value, each: &mut dyn FnMut(&str, &mut Value)) {
    match value {
        Value::Object(fields) => {
            // A path in two spellings would be two paths.
            fields.remove("path_raw");
            for (name, field) in fields {
                // Its reasons are words of ours.
                if name != "skipped" {
                    each(name, field);
                    walk(field, each);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, each)),
        _ => {}
    }
}

fn people(result: &ScanResult) {
    let written = |write: &dyn Fn(&mut dyn std::io::Write) -> report::Written| {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("a report");
        bytes
    };
    let table = written(&|out| report::table::write(result, VIEW, out));
    obeyed("table", &anstream::adapter::strip_bytes(&table).into_vec());
    obeyed("markdown", &written(&|out| report::markdown::write(result, VIEW, out)));
    obeyed("github", &written(&|out| report::github::write(result, VIEW, out)));
    obeyed("github-summary", &written(&|out| report::github_summary::write(result, VIEW, 0, out)));
    let page = written(&|out| report::html::write(result, VIEW, out));
    obeyed("html", &page);
    checks::html(std::str::from_utf8(&page).expect("UTF-8"), "article");
    let outputs = String::from_utf8(written(&|out| report::github_output::write(result, out))).expect("UTF-8");
    let delimiter = outputs.lines().find_map(|line| line.strip_prefix("task-ids<<")).expect("a value of many lines");
    assert_eq!(outputs.lines().filter(|line| *line == delimiter).count(), 1, "no id ends it");
    assert_eq!(outputs.lines().last(), Some(delimiter));
}

fn machines(result: &ScanResult) {
    let written = |write: fn(&ScanResult, &mut dyn std::io::Write) -> report::Written| {
        let mut bytes = Vec::new();
        write(result, &mut bytes).expect("a report");
        bytes
    };
    for (format, write) in [
        ("sarif", report::sarif::write as fn(&ScanResult, &mut dyn std::io::Write) -> report::Written),
        ("gitlab-codequality", report::gitlab_codequality::write),
        ("gitlab-sast", report::gitlab_sast::write),
    ] {
        let bytes = written(write);
        obeyed(format, &bytes);
        serde_json::from_slice::<Value>(&bytes).expect("JSON");
    }
    let junit = written(report::junit::write);
    obeyed("junit", &junit);
    checks::xml(std::str::from_utf8(&junit).expect("UTF-8"));
    let mut json = Vec::new();
    report::json::write(result, &mut json).expect("a report");
    obeyed("json", &json);
    assert_eq!(&serde_json::from_slice::<ScanResult>(&json).expect("a result"), result, "the JSON is the result");
}

/// Nothing that the log of a CI job or a terminal would obey.
fn obeyed(format: &str, report: &[u8]) {
    let text = std::str::from_utf8(report).expect("UTF-8");
    let mark = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(mark), "a mark in {format}: {text:?}");
    let ours =
        |line: &str| format == "github" && ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
    let command = |line: &&str| (line.trim_start().starts_with("::") && !ours(line)) || line.contains("##[");
    assert_eq!(text.split(['\r', '\n']).find(command), None, "{format}");
}
