//! Brings a risk to its place in the source text, and says how exact that place is.

mod kubernetes;

use crate::model::{FileType, Location, Resource};

/// What the service says of where a risk is.
#[derive(Debug, Clone, Copy)]
pub struct Clue<'a> {
    /// The Dockerfile instruction.
    pub instruction: Option<&'a str>,
    /// The Kubernetes object.
    pub resource: Option<&'a Resource>,
    /// The path inside the object.
    pub hit_path: Option<&'a str>,
    /// What the rule looked at.
    pub hit_rule: Option<&'a str>,
}

/// The place of each clue in a source file, in the order of the clues.
pub fn locate(file_type: FileType, source: &[u8], clues: &[Clue<'_>]) -> Vec<Location> {
    let text = String::from_utf8_lossy(source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source));
    match file_type {
        FileType::Dockerfile => Vec::new(),
        FileType::K8sYaml => kubernetes::locate(&text, clues),
    }
}
