//! Comments of a manifest: a `#` at the start of a line or after a blank, where it stands in no scalar.

use std::ops::Range;

use super::{Ignore, ignore};
use crate::lines::lines;
use crate::yaml;

pub(super) const BROKEN: &str = "it stands where the file is no YAML";

pub(super) fn comments(text: &str) -> Vec<Ignore> {
    let tree = yaml::read(text);
    let scalars = tree.scalars(&text.chars().collect::<Vec<_>>());
    let mut ignores = Vec::new();
    let (mut start, mut byte) = (0, 0);
    for (line, number) in lines(text).into_iter().zip(1..) {
        start += text.get(byte..line.start).unwrap_or_default().chars().count();
        byte = line.start;
        let line = text.get(line).unwrap_or_default();
        let Some((before, comment, at)) = comment(line, start, &scalars) else { continue };
        let Some(mut ignore) = ignore(comment, number, before.trim_start_matches([' ', '\t']).is_empty()) else { continue };
        if tree.broken.iter().any(|broken| broken.contains(&at)) {
            ignore.fault = Some(BROKEN);
        }
        ignores.push(ignore);
    }
    ignores
}

/// What stands before the comment of a line, the comment, and its position.
fn comment<'t>(line: &'t str, start: usize, scalars: &[Range<usize>]) -> Option<(&'t str, &'t str, usize)> {
    let mut before = None;
    for ((byte, char), at) in line.char_indices().zip(start..) {
        if char == '#' && before.is_none_or(|char| matches!(char, ' ' | '\t')) && !is_in(scalars, at) {
            let (before, comment) = line.split_at(byte);
            return Some((before, comment, at));
        }
        before = Some(char);
    }
    None
}

fn is_in(scalars: &[Range<usize>], at: usize) -> bool {
    let after = scalars.partition_point(|scalar| scalar.start <= at);
    after.checked_sub(1).and_then(|last| scalars.get(last)).is_some_and(|scalar| at < scalar.end)
}
