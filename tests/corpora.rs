//! Compares discovery with the known truth of real repositories.
//!
//! `HSS_IAC_CORPORA` names a folder with, for each repository, a tree `NAME/`, the files of ours in it in `NAME.tsv` (path,
//! tab, `dockerfile` or `k8s_yaml`) and the templates in `NAME.templates.tsv` (path, tab, `k8s_template`). The repositories
//! are not part of this project; without the variable there is nothing to compare with.
#![expect(clippy::expect_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hss_iac::discover::{Options, Selection, discover};
use hss_iac::model::{RepoPath, SkipReason};

#[test]
fn discovery_equals_the_truth() {
    let Some(corpora) = std::env::var_os("HSS_IAC_CORPORA").map(PathBuf::from) else {
        eprintln!("skipped: HSS_IAC_CORPORA is not set");
        return;
    };
    let mut names: Vec<_> = fs::read_dir(&corpora)
        .expect("HSS_IAC_CORPORA is a readable folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".tsv").filter(|name| !name.ends_with(".templates")).map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no NAME.tsv in {}", corpora.display());
    let differences: Vec<_> = names.iter().flat_map(|name| differences(&corpora, name)).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn differences(corpora: &Path, name: &str) -> Vec<String> {
    let options = Options {
        root: fs::canonicalize(corpora.join(name)).expect("a tree for each NAME.tsv"),
        selections: vec![Selection::Tree(RepoPath::default())],
        include: Vec::new(),
        exclude: Vec::new(),
        map: Vec::new(),
        no_ignore: false,
        tracked: false,
        mask_secrets: true,
    };
    let found = discover(&options).expect("discovery works");
    let files: BTreeMap<_, _> = found.files.iter().map(|file| (file.path.to_string(), file.file_type.to_string())).collect();
    let templates: BTreeSet<_> = found
        .skipped
        .iter()
        .filter(|skipped| matches!(skipped.reason, SkipReason::HelmTemplate | SkipReason::K8sTemplate))
        .map(|skipped| skipped.path.to_string())
        .collect();
    let true_files: BTreeMap<_, _> = truth(&corpora.join(format!("{name}.tsv"))).into_iter().collect();
    let true_templates: BTreeSet<_> =
        truth(&corpora.join(format!("{name}.templates.tsv"))).into_iter().map(|(path, _)| path).collect();

    let mut differences = Vec::new();
    for path in files.keys().chain(true_files.keys()).collect::<BTreeSet<_>>() {
        if files.get(path) != true_files.get(path) {
            differences.push(format!("{name}/{path}: found {:?}, truth {:?}", files.get(path), true_files.get(path)));
        }
    }
    for path in true_templates.difference(&templates) {
        differences.push(format!("{name}/{path}: a template that was not found"));
    }
    for path in templates.difference(&true_templates) {
        if !opens_with_an_action(&options.root.join(path)) {
            differences.push(format!("{name}/{path}: found as a template that is none"));
        }
    }
    differences
}

/// The truth was made with a YAML parser. Where a file opens with `{{ if … }}` it saw a flow mapping, and a syntax error, in
/// what is a template like any other; `{{- if … }}` it knew. Such files may be found beyond the truth.
fn opens_with_an_action(file: &Path) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("{{") && !line.starts_with("{{-"))
}

fn truth(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).expect("a readable truth file");
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once('\t').expect("path, tab, kind"))
        .map(|(path, kind)| (path.to_owned(), kind.to_owned()))
        .collect()
}
