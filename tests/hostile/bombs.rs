//! Bombs.
use crate::{outcome, trees};
#[test]
fn gitignore_of_many_rules() { assert_eq!(outcome::of(trees::gitignore_of_many_rules), Vec::<String>::new()); }
#[test]
fn gitignore_of_one_long_rule() { assert_eq!(outcome::of(trees::gitignore_of_one_long_rule), Vec::<String>::new()); }
#[test]
fn gitignore_of_many_stars() { assert_eq!(outcome::of(trees::gitignore_of_many_stars), Vec::<String>::new()); }
#[test]
fn gitignore_without_end() { assert_eq!(outcome::of(trees::gitignore_without_end), Vec::<String>::new()); }
#[test]
fn gitignore_in_each_directory() { assert_eq!(outcome::of(trees::gitignore_in_each_directory), Vec::<String>::new()); }
#[test]
fn configuration_without_end() { assert_eq!(outcome::of(trees::configuration_without_end), Vec::<String>::new()); }
#[test]
fn configuration_of_nested_lists() { assert_eq!(outcome::of(trees::configuration_of_nested_lists), Vec::<String>::new()); }
#[test]
fn configuration_of_many_patterns() { assert_eq!(outcome::of(trees::configuration_of_many_patterns), Vec::<String>::new()); }
#[test]
fn configuration_of_many_stars() { assert_eq!(outcome::of(trees::configuration_of_many_stars), Vec::<String>::new()); }
#[test]
fn configuration_of_many_suppressions() { assert_eq!(outcome::of(trees::configuration_of_many_suppressions), Vec::<String>::new()); }
#[test]
fn yaml_laughs() { assert_eq!(outcome::of(trees::yaml_laughs), Vec::<String>::new()); }
#[test]
fn yaml_flow_mapping() { assert_eq!(outcome::of(trees::yaml_flow_mapping), Vec::<String>::new()); }
#[test]
fn yaml_flow_sequence() { assert_eq!(outcome::of(trees::yaml_flow_sequence), Vec::<String>::new()); }
#[test]
fn yaml_nested_brackets() { assert_eq!(outcome::of(trees::yaml_nested_brackets), Vec::<String>::new()); }
#[test]
fn yaml_nested_dashes() { assert_eq!(outcome::of(trees::yaml_nested_dashes), Vec::<String>::new()); }
#[test]
fn yaml_on_one_line() { assert_eq!(outcome::of(trees::yaml_on_one_line), Vec::<String>::new()); }
#[test]
fn yaml_aliases_to_themselves() { assert_eq!(outcome::of(trees::yaml_aliases_to_themselves), Vec::<String>::new()); }
#[test]
fn yaml_merges() { assert_eq!(outcome::of(trees::yaml_merges), Vec::<String>::new()); }
#[test]
fn yaml_anchors() { assert_eq!(outcome::of(trees::yaml_anchors), Vec::<String>::new()); }
#[test]
fn yaml_documents() { assert_eq!(outcome::of(trees::yaml_documents), Vec::<String>::new()); }
#[test]
fn yaml_secrets() { assert_eq!(outcome::of(trees::yaml_secrets), Vec::<String>::new()); }
#[test]
fn dockerfile_of_continuations() { assert_eq!(outcome::of(trees::dockerfile_of_continuations), Vec::<String>::new()); }
#[test]
fn dockerfile_that_goes_on_over_comments() { assert_eq!(outcome::of(trees::dockerfile_that_goes_on_over_comments), Vec::<String>::new()); }
#[test]
fn dockerfile_on_one_line() { assert_eq!(outcome::of(trees::dockerfile_on_one_line), Vec::<String>::new()); }
#[test]
fn dockerfile_of_heredocs() { assert_eq!(outcome::of(trees::dockerfile_of_heredocs), Vec::<String>::new()); }
#[test]
fn files_without_end() { assert_eq!(outcome::of(trees::files_without_end), Vec::<String>::new()); }
