//! Names.
use crate::{outcome, trees};
#[test]
fn names_with_control_characters() { assert_eq!(outcome::of(trees::names_with_control_characters), Vec::<String>::new()); }
#[test]
fn names_with_bidi_marks() { assert_eq!(outcome::of(trees::names_with_bidi_marks), Vec::<String>::new()); }
#[test]
fn names_like_a_way_up() { assert_eq!(outcome::of(trees::names_like_a_way_up), Vec::<String>::new()); }
#[test]
fn names_like_options() { assert_eq!(outcome::of(trees::names_like_options), Vec::<String>::new()); }
#[test]
fn names_that_are_not_utf_8() { assert_eq!(outcome::of(trees::names_that_are_not_utf_8), Vec::<String>::new()); }
#[test]
fn names_that_differ_in_case() { assert_eq!(outcome::of(trees::names_that_differ_in_case), Vec::<String>::new()); }
#[test]
fn paths_of_4096_bytes() { assert_eq!(outcome::of(trees::paths_of_4096_bytes), Vec::<String>::new()); }
