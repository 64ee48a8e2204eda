//! Positions of the YAML tree become lines and columns here, at the very end, and nowhere else.

use crate::lines::lines;
use crate::model::{Location, Precision};

/// The lines of a text, which end at LF, CRLF or a lone CR, as in the rest of this module.
pub(super) struct Lines {
    /// Where the content of each line starts and ends.
    lines: Vec<(usize, usize)>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let (mut start, mut byte) = (0, 0);
        let lines = lines(text).into_iter().map(|line| {
            start += text[byte..line.start].chars().count();
            byte = line.start;
            (start, start + text[line].chars().count())
        });
        let lines = lines.collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_any_line_end() {
        let spans = |text: &str| Lines::new(text).lines;
        assert_eq!(spans(""), [(0, 0)]);
        assert_eq!(spans("a\nb\r\nc\rd"), [(0, 1), (2, 3), (5, 6), (7, 8)]);
        assert_eq!(spans("a\n\n"), [(0, 1), (2, 2)]);
        assert_eq!(spans("\r\n"), [(0, 0)]);
    }
}
