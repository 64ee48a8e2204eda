//! Links and special files.
use crate::{outcome, trees};
#[test]
fn links_to_files_outside() { assert_eq!(outcome::of(trees::links_to_files_outside), Vec::<String>::new()); }
#[test]
fn links_to_directories_outside() { assert_eq!(outcome::of(trees::links_to_directories_outside), Vec::<String>::new()); }
#[test]
fn link_loops() { assert_eq!(outcome::of(trees::link_loops), Vec::<String>::new()); }
#[test]
fn link_chains() { assert_eq!(outcome::of(trees::link_chains), Vec::<String>::new()); }
#[test]
fn links_through_proc() { assert_eq!(outcome::of(trees::links_through_proc), Vec::<String>::new()); }
#[test]
fn fifos() { assert_eq!(outcome::of(trees::fifos), Vec::<String>::new()); }
#[test]
fn sockets() { assert_eq!(outcome::of(trees::sockets), Vec::<String>::new()); }
#[test]
fn devices() { assert_eq!(outcome::of(trees::devices), Vec::<String>::new()); }
#[test]
fn configuration_that_is_a_fifo() { assert_eq!(outcome::of(trees::configuration_that_is_a_fifo), Vec::<String>::new()); }
