//! The GitHub Action: the steps of `action.yml` under a runner of our own, against the stand-in.
//!
//! Only on Linux: the runner that is played here is one of Linux.
#![cfg(all(feature = "emulator", target_os = "linux"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod expression;
mod hostile;
mod program;
mod runner;
mod verdict;
