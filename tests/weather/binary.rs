//! The same through the binary, in its own time: what can't be played in this process.

use crate::repos::Repos;

pub(crate) fn play(_seed: u64, _repos: &Repos) {}
