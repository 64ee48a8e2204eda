//! What others must not read is replaced in the same length, so that lines and columns stay what they were: the values of Secrets before
//! a file is sent, credentials in what reports quote.

mod lines;
mod quoted;
mod secrets;
mod source;

pub use quoted::credentials;
pub use secrets::{Masked, secrets};
