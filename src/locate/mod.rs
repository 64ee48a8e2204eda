//! A risk and its source text become a place: line and columns, with the precision stated.
//!
//! The service names an instruction, or an object and a path inside it, and no line. What it says is looked up in the file, from
//! the exact to the coarse, so that every risk has a place and every place lies inside the file.

mod dockerfile;
mod hash;
mod kubernetes;
#[cfg(test)]
mod tests;
mod text;

use crate::model::{FileType, Location, Precision, Resource};

use hash::LineHashes;
use text::Text;

/// Where a risk stands of which nothing but the file is known.
pub const TOP_OF_FILE: Location = Location { line: 1, end_line: 1, column: 1, end_column: 1, precision: Precision::File };

/// What the service says of where a risk is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Clue<'a> {
    /// The Dockerfile instruction; without one, the risk is that something is missing.
    pub instruction: Option<&'a str>,
    /// The Kubernetes object.
    pub resource: Option<&'a Resource>,
    /// The path inside the object.
    pub hit_path: Option<&'a str>,
    /// What the rule looked at; for a Dockerfile anything that tells its rules apart. Clues that are equal in all of this are taken
    /// for several places, clues of two rules may be one.
    pub hit_rule: Option<&'a str>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Lines and columns, always inside the file.
    pub location: Location,
    /// GitHub's `primaryLocationLineHash` of the location's first line.
    pub line_hash: String,
}

/// One place for each clue, in the clues' order. All clues of a file belong into one call: which of several equal instructions is
/// meant depends on how many are.
pub fn locate(file_type: FileType, source: &[u8], clues: &[Clue<'_>]) -> Vec<Place> {
    let text = Text::decode(source);
    let locations = match file_type {
        FileType::Dockerfile => dockerfile::locate(&text, clues),
        FileType::K8sYaml => kubernetes::locate(text.as_str(), clues),
    };
    let hashes = LineHashes::of(source);
    locations
        .into_iter()
        .map(|location| {
            let location = text.inside(location);
            Place { line_hash: hashes.at(location.line), location }
        })
        .collect()
}

/// A file as text: UTF-8, or UTF-16 by its mark; what can't be decoded becomes U+FFFD.
pub fn decode(source: &[u8]) -> String {
    Text::decode(source).into_string()
}

/// The source lines of each location, from a text that has the lines of the file; long ones and the last of many are cut.
pub fn excerpts(text: String, locations: impl IntoIterator<Item = Location>) -> Vec<Vec<String>> {
    let text = Text::new(text);
    locations.into_iter().map(|location| text.excerpt(&location)).collect()
}
