//! Reports: each format is a function from a result to bytes, and owns its escaping.

pub mod gitlab_codequality;
pub mod gitlab_sast;
pub mod json;
pub mod junit;
pub mod list;
mod machine;
pub mod sarif;
pub mod table;
mod text;

pub use text::printable;

/// The line that opens every report of a run that HSS did not answer.
pub const STAND_IN: &str = "The stand-in answered in place of HSS: these findings are its own and no verdict of HSS.";

#[cfg(test)]
#[path = "../../tests/common/samples.rs"]
#[allow(dead_code, reason = "each writer's tests take what they need")]
mod samples;
