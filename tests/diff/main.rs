//! Runs about a change, on real git repositories.
#![cfg(all(unix, feature = "emulator"))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod base;

mod hook;
mod hostile;
mod judged;
mod repository;
mod traps;
