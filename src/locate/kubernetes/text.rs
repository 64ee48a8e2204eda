//! Positions of the YAML tree become lines and columns here, at the very end, and nowhere else.

use crate::model::{Location, Precision};

/// The lines of a text. A line ends with `\n`; a `\r` before that is not part of it.
pub(super) struct Lines {
    /// Where the content of each line starts and ends.
    lines: Vec<(usize, usize)>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let mut start = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            let content = content.strip_suffix('\r').unwrap_or(content);
            lines.push((start, start + content.chars().count()));
            start += line.chars().count();
        }
        if lines.is_empty() {
            lines.push((0, 0));
        }
        Self { lines }
    }

    /// The line that holds a position, counted from 0; the last line for all that is beyond the end.
    pub(super) fn line_of(&self, position: usize) -> usize {
        self.lines.partition_point(|(start, _)| *start <= position).saturating_sub(1)
    }

    /// Where the content of a line starts and ends.
    pub(super) fn bounds(&self, line: usize) -> (usize, usize) {
        self.lines.get(line).copied().unwrap_or_default()
    }

    /// The part of a span that is on its first line.
    pub(super) fn location(&self, (start, end): (usize, usize), precision: Precision) -> Location {
        let line = self.line_of(start);
        let bounds = self.bounds(line);
        let start = start.clamp(bounds.0, bounds.1);
        let end = end.clamp(start, bounds.1);
        let [line, column, end_column] =
            [line, start - bounds.0, end - bounds.0].map(|n| u32::try_from(n + 1).unwrap_or(u32::MAX));
        Location { line, end_line: line, column, end_column, precision }
    }
}
