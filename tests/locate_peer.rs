//! Where paths lead, judged by another parser: `PyYAML` tells the line of every path of generated and of real manifests. `HSS_IAC_YAML`
//! names an environment of Python that has it, and manifests of other people, which `.ci/run` makes; `HSS_IAC_CORPORA` a folder with more real ones, as in `corpora.rs`.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hss_iac::locate::{Clue, locate};
use hss_iac::model::{FileType, Precision, Resource};
use serde_json::Value;

/// Files that are generated.
const GENERATED: usize = 2_000;

/// The YAML files below a directory.
fn below(directory: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            found.push(path);
        }
    }
}

/// Manifests of this repository, of packages in the environment, and of those in `HSS_IAC_CORPORA` that `PyYAML` may be given.
fn real(environment: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    below(&environment.join("lib"), &mut files);
    assert!(files.len() > 10, "the environment has manifests of other people: {files:?}");
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &mut files);
    if let Some(corpora) = std::env::var_os("HSS_IAC_CORPORA").map(PathBuf::from) {
        for name in ["k8s-examples", "microservices-demo"] {
            let truth = fs::read_to_string(corpora.join(format!("{name}.tsv"))).expect("a truth file");
            let manifests = truth.lines().filter_map(|line| line.strip_suffix("\tk8s_yaml"));
            files.extend(manifests.map(|path| corpora.join(name).join(path)));
        }
    }
    files.sort();
    files
}

#[test]
fn every_path_leads_where_another_parser_says() {
    let Some(environment) = std::env::var_os("HSS_IAC_YAML").map(PathBuf::from) else {
        eprintln!("skipped: HSS_IAC_YAML is not set");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml/places.py");
    let told = Command::new(environment.join("bin/python3"))
        .arg(script)
        .arg(GENERATED.to_string())
        .args(real(&environment))
        .output();
    let told = told.expect("Python starts");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let (mut files, mut paths, mut wrong) = (0, 0, Vec::new());
    for line in told.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let file: Value = serde_json::from_slice(line).expect("JSON");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let targets: Vec<_> = file["targets"].as_array().expect("targets").iter().collect();
        let resource = |target: &&Value| Resource {
            kind: text(&target["kind"]),
            namespace: text(&target["namespace"]),
            name: text(&target["name"]),
        };
        let resources: Vec<Resource> = targets.iter().map(resource).collect();
        let clues: Vec<Clue<'_>> = targets
            .iter()
            .zip(&resources)
            .map(|(target, resource)| Clue {
                instruction: None,
                resource: Some(resource),
                hit_path: target["path"].as_str(),
                hit_rule: None,
            })
            .collect();
        let places = locate(FileType::K8sYaml, file["text"].as_str().expect("a text").as_bytes(), &clues);
        files += 1;
        paths += places.len();
        for (target, place) in targets.iter().zip(&places) {
            let is_there = place.location.precision == Precision::Exact && place.location.line == target["line"];
            if !is_there {
                wrong.push(format!("{}: {target}, found {:?}", file["name"], place.location));
            }
        }
    }
    eprintln!("{paths} paths of {files} files located, {} elsewhere", wrong.len());
    wrong.iter().take(20).for_each(|wrong| eprintln!("{wrong}"));
    assert!(wrong.is_empty() && files > GENERATED && paths > 10 * GENERATED);
}
