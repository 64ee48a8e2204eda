//! Repositories that mean harm: each is listed and scanned whole, through the binary, and what comes of it is compared.
//!
//! A tree of a case is written by `trees.rs`, which `benches/hostile.rs` measures too. How many there are:
//! `cargo test --test hostile -- --list`.
#![cfg(all(target_os = "linux", feature = "emulator"))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod bombs;
mod links;
mod names;
mod outcome;
mod pull_request;
mod security;
mod swaps;
mod trees;
