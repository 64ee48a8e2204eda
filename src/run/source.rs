//! A file of the run, read once more when it is over.

use crate::digest::sha256;
use crate::model::{FileType, RepoPath};
use crate::{discover, mask};

/// The file as it is on disk, if what was sent of it had this hash; else why there is none.
pub(super) fn again(
    input: &discover::Options,
    path: &RepoPath,
    file_type: FileType,
    sent: Option<&str>,
) -> Result<Vec<u8>, String> {
    let bytes = discover::read_at_most(&input.root, path, discover::MAX_FILE_SIZE)
        .map_err(|error| format!("it could not be read again: {error}"))?;
    let masked = mask::sent(file_type, input.mask_secrets, bytes.clone()).map_err(|error| error.to_string())?;
    if sent == Some(sha256(&masked.bytes).as_str()) { Ok(bytes) } else { Err("it has changed since it was sent".to_owned()) }
}
