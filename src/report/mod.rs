//! Reports: each format is a function from a result to bytes, and owns its escaping.

pub mod cluster;
pub mod doctor;
pub mod effective;
mod excerpt;
pub mod github;
pub mod github_output;
pub mod github_summary;
pub mod gitlab_codequality;
pub mod gitlab_sast;
pub mod html;
pub mod json;
pub mod junit;
pub mod list;
mod machine;
pub mod markdown;
pub mod sarif;
mod shown;
pub mod table;
mod text;

use std::io;
use std::path::Path;

use crate::model::Level;

pub use text::printable;

/// The line that opens every report of a run that HSS did not answer.
pub const STAND_IN: &str = "The stand-in answered in place of HSS: these findings are its own and no verdict of HSS.";

/// What a writer gives back: what the report leaves out of the result, such as `5000 findings`, if anything.
pub type Written = io::Result<Option<String>>;

/// What the reports for people show.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The lowest level shown.
    pub level: Level,
    /// Whether the table says what to do and what is suppressed or resolved, one by one.
    pub verbose: bool,
    /// The root of the repository, where file names may be links to it.
    pub root: Option<&'a Path>,
}

#[cfg(test)]
#[path = "../../tests/common/samples.rs"]
#[allow(dead_code, reason = "each writer's tests take what they need")]
mod samples;
