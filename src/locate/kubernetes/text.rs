//! Positions. Inside this module's folder a position is the number of characters before it, as the YAML parser counts; it
//! becomes a line and a column at the very end, and nowhere else.

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

/// Finds the byte of a position; cheap where each position is near the one before.
pub(super) struct Cursor<'t> {
    text: &'t str,
    ascii: bool,
    byte: usize,
    position: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, ascii: text.is_ascii(), byte: 0, position: 0 }
    }

    /// The text before a position.
    pub(super) fn before(&mut self, position: usize) -> &'t str {
        if self.ascii {
            return self.text.get(..position).unwrap_or(self.text);
        }
        let (before, after) = self.text.split_at_checked(self.byte).unwrap_or((self.text, ""));
        if position >= self.position {
            for char in after.chars().take(position - self.position) {
                self.byte += char.len_utf8();
                self.position += 1;
            }
        } else if let Some((byte, _)) = before.char_indices().nth_back(self.position - position - 1) {
            self.byte = byte;
            self.position = position;
        }
        self.text.get(..self.byte).unwrap_or(self.text)
    }
}
