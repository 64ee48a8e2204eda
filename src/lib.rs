//! `hss-iac` takes the Dockerfiles and Kubernetes YAML of a repository to Huawei Cloud Host Security Service (HSS), has
//! them scanned, and turns the answer into a verdict. The binary is the product; this library is what it and its tests
//! are made of, and promises no stability of its own.

pub mod cli;
pub mod config;
pub mod diff;
mod digest;
pub mod discover;
pub mod dockerfile;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
mod git;
pub mod hss;
pub mod judge;
mod lines;
pub mod locate;
pub mod mask;
pub mod model;
mod platform;
pub mod progress;
pub mod report;
pub mod run;
pub mod scan;
pub mod settings;
mod yaml;
