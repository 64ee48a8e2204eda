//! Discovery against real repositories with the truth beside them. They are not part of the project: `HSS_IAC_CORPORA` names a folder
//! that holds `NAME/`, `NAME.tsv` (path, type) and `NAME.templates.tsv` (path, `k8s_template`).
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hss_iac::discover::{Options, Selection, discover};
use hss_iac::model::{RepoPath, SkipReason};

fn truth(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().filter_map(|line| line.split_once('\t')).map(|(path, what)| (path.to_owned(), what.to_owned())).collect()
}

fn is_template(reason: SkipReason) -> bool {
    matches!(reason, SkipReason::HelmTemplate | SkipReason::K8sTemplate)
}

#[test]
fn discovery_equals_the_truth() {
    let Some(folder) = std::env::var_os("HSS_IAC_CORPORA").map(std::path::PathBuf::from) else {
        println!("skipped: HSS_IAC_CORPORA names no folder");
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of the corpora")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    names.sort();
    assert!(!names.is_empty());
    let mut differences = Vec::new();
    for root in names {
        let options = Options {
            root: root.clone(),
            selections: vec![Selection::Tree(RepoPath::default())],
            include: vec![],
            exclude: vec![],
            map: vec![],
            no_ignore: false,
        };
        let found = discover(&options).expect("a walk");
        let files: BTreeMap<String, String> =
            found.files.iter().map(|file| (file.path.to_string(), file.file_type.to_string())).collect();

        let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = truth(&root.with_extension("tsv"));
        let wrong =
            files.iter().filter(|entry| wanted.get(entry.0) != Some(entry.1)).map(|entry| format!("+ {name} {entry:?}"));
        let missing = wanted.iter().filter(|entry| !files.contains_key(entry.0)).map(|entry| format!("- {name} {entry:?}"));
        differences.extend(wrong.chain(missing));
        // The list of templates leaves out those that open with `{{ if` and no dash: what we list more of is no difference.
        let templates: BTreeSet<String> = found
            .skipped
            .iter()
            .filter(|skipped| is_template(skipped.reason))
            .map(|skipped| skipped.path.to_string())
            .collect();
        let unlisted = truth(&root.with_extension("templates.tsv")).into_keys().filter(|path| !templates.contains(path));
        differences.extend(unlisted.map(|path| format!("- {name} template {path}")));
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
