//! The stand-in, spoken to over a bare socket: what it serves, what it refuses, and how it fails.
#![cfg(feature = "emulator")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod call;
mod gate;
mod issue;
mod refusals;
mod tasks;
