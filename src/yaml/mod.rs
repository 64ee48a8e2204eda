//! YAML as it is written: nodes with their spans, documents apart, aliases left as aliases.
//!
//! A position is the number of characters before a place in the text, as the parser counts.

mod by_line;
mod cursor;
#[cfg(test)]
mod peer;
mod read;
mod scalar;
mod tree;

pub(crate) use read::read;
pub(crate) use scalar::content;
pub(crate) use tree::{Id, Node, Tree, Value};
