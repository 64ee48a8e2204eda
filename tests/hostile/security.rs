//! `SECURITY.md` names the tests that hold its promises.

use crate::common::project;
use crate::trees;

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = std::fs::read_to_string(project().join("SECURITY.md")).expect("SECURITY.md");
    let named: Vec<(&str, &str)> = text.split('`').filter_map(|word| word.split_once(".rs::")).collect();
    assert!(named.len() >= 25, "{named:?}");
    for (file, test) in named {
        let source = std::fs::read_to_string(project().join(format!("{file}.rs"))).expect(file);
        assert!(
            source.contains(&format!("#[test]\nfn {test}()")) || source.contains(&format!("    fn {test}()")),
            "{file}.rs::{test}"
        );
    }
}

#[test]
fn every_tree_is_tested() {
    let sources = ["links", "names", "bombs"].map(|name| project().join(format!("tests/hostile/{name}.rs")));
    let tests: String = sources.iter().map(|path| std::fs::read_to_string(path).expect("a source")).collect();
    let tested = tests.matches("outcome::of(trees::").count();
    assert_eq!(tested, trees::ALL.len());
}
