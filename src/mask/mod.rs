//! What others must not read is replaced in the same length, so that lines and columns stay what they were: the values of Secrets before
//! a file is sent, credentials in what reports quote.

mod lines;
mod quoted;
mod secrets;
mod source;

pub use quoted::credentials;
pub use secrets::{Masked, secrets};

use crate::model::FileType;

/// A file as reports may quote it, line by line: without values of Secrets, and without credentials wherever they stand.
pub fn quotable(file_type: FileType, bytes: &[u8], decode: fn(&[u8]) -> String) -> String {
    let text = decode(&sent(file_type, true, bytes.to_vec()).bytes);
    credentials(&text).into_owned()
}

/// What is sent of a file.
pub fn sent(file_type: FileType, mask_secrets: bool, bytes: Vec<u8>) -> Masked {
    let masked = if mask_secrets && file_type == FileType::K8sYaml { secrets(&bytes) } else { None };
    masked.unwrap_or(Masked { bytes, values: 0 })
}
