//! What others must not read is replaced in the same length, so that lines and columns stay what they were: the values of Secrets before
//! a file is sent, credentials in what reports quote.

mod quoted;
mod secrets;
mod source;

pub use quoted::credentials;
pub use secrets::{Masked, Unmaskable, secrets};

use crate::model::FileType;

/// A file as reports may quote it, line by line: without values of Secrets, and without credentials wherever they stand.
pub fn quotable(file_type: FileType, bytes: &[u8], decode: fn(&[u8]) -> String) -> String {
    match sent(file_type, true, bytes.to_vec()) {
        Ok(masked) => quoted::file(file_type, decode(&masked.bytes)),
        // Sent as it is, on demand, and still not to be read by others.
        Err(Unmaskable) => decode(bytes).chars().map(|char| if char.is_whitespace() { char } else { '*' }).collect(),
    }
}

/// What is sent of a file.
pub fn sent(file_type: FileType, mask_secrets: bool, bytes: Vec<u8>) -> Result<Masked, Unmaskable> {
    let masked = if mask_secrets && file_type == FileType::K8sYaml { secrets(&bytes)? } else { None };
    Ok(masked.unwrap_or(Masked { bytes, values: 0 }))
}
