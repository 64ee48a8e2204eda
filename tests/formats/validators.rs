//! Validators of other people.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use hss_iac::report;
use serde_json::Value;

use super::{FORMATS, VIEW, bytes, every_sample, junit, parsed, samples};

/// What they say of every report, where `HSS_IAC_VALIDATORS` names the directory that they are installed in.
#[test]
fn other_peoples_validators_agree() {
    let Some(tools) = std::env::var_os("HSS_IAC_VALIDATORS").map(PathBuf::from) else {
        eprintln!("skipped: HSS_IAC_VALIDATORS does not name the validators");
        return;
    };
    let reports = tempfile::tempdir().expect("a directory");
    let samples = Mutex::new(every_sample().into_iter().chain([("heavy", samples::heavy(16_000))]).rev());
    // These programs start slowly, so that one after the other would take minutes. What is large comes first.
    std::thread::scope(|all| {
        for _ in 0..4 {
            all.spawn(|| {
                while let Some((name, value)) = next(&samples) {
                    every_report_is_valid(&tools, reports.path(), name, &value);
                }
            });
        }
    });
}

/// In a function of its own, so that the lock is not held on.
fn next<T>(all: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    all.lock().expect("nobody panics here").next()
}

fn every_report_is_valid(tools: &Path, reports: &Path, name: &str, value: &Value) {
    let result = parsed(value);
    for (format, ending, write, _) in FORMATS {
        let path = reports.join(format!("{name}.{format}.{ending}"));
        std::fs::write(&path, bytes(write, &result)).expect("a report");
        match format {
            "sarif" => validate_sarif(tools, &path),
            "junit" => validate_junit(tools, &path, value),
            _ => {}
        }
    }
    // 30,000 findings are enough of a page.
    if name != "heavy" {
        let path = reports.join(format!("{name}.html"));
        let html = bytes(|result, out| report::html::write(result, VIEW, out), &result);
        std::fs::write(&path, html).expect("a report");
        validate_html(tools, &path);
    }
}

fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn validate_sarif(tools: &Path, path: &Path) {
    // Its schema and the rules of the standard; the program needs no ICU for that.
    let mut command = Command::new(tools.join("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"));
    command
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .args(["validate", "--max-file-size-in-kb", "100000"])
        .arg(path);
    let log = path.with_extension("log");
    ran(command.arg("--output").arg(&log));
    let log: Value = serde_json::from_slice(&std::fs::read(log).expect("a log")).expect("JSON");
    let errors: Vec<&Value> =
        log["runs"][0]["results"].as_array().into_iter().flatten().filter(|result| result["level"] == "error").collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    let packed = Command::new("gzip").arg("-c").arg(path).output().expect("gzip").stdout;
    assert!(!packed.is_empty() && packed.len() < 10_000_000, "{} is {} bytes packed", path.display(), packed.len());
}

fn validate_html(tools: &Path, path: &Path) {
    let mut command = Command::new(tools.join("node_modules/.bin/html-validate"));
    ran(command.args(["--preset", "recommended", "--max-warnings", "0"]).arg(path));
}

fn validate_junit(tools: &Path, path: &Path, value: &Value) {
    const COUNT: &str = "import sys, junitparser
cases = [c for s in junitparser.JUnitXml.fromfile(sys.argv[1]) for c in s]
kinds = [type(r).__name__ for c in cases for r in c.result]
print(len(cases), kinds.count('Failure'), kinds.count('Error'), kinds.count('Skipped'), sum(c.time for c in cases))";
    let said = ran(Command::new(tools.join("bin/python")).args(["-c", COUNT]).arg(path));
    let root = junit(value);
    let [tests, failures, errors, skipped] = ["tests", "failures", "errors", "skipped"].map(|name| root.at(name).to_owned());
    assert_eq!(said.trim(), format!("{tests} {failures} {errors} {skipped} 0.0"), "{}", path.display());
}
