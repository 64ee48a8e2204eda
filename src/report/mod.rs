//! Reports: each format is a function from a result to bytes, and owns its escaping.

pub mod effective;
pub mod json;
pub mod list;
pub mod table;
mod text;

pub use text::printable;

#[cfg(test)]
#[path = "../../tests/common/samples.rs"]
#[allow(dead_code, reason = "each writer's tests take what they need")]
mod samples;
