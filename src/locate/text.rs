//! Source bytes as text with lines and columns.

use std::ops::Range;

use crate::model::{Location, Precision};

/// Lines of an excerpt, at most.
const EXCERPT_LINES: usize = 8;
/// Characters of a line in an excerpt, at most.
const EXCERPT_CHARS: usize = 400;

/// A decoded text and its lines. Lines end at LF, CRLF or a lone CR, as GitHub counts them.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    /// Never empty: an empty text is one empty line.
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    /// Where it begins, in bytes.
    start: usize,
    /// Where it ends, without its line break.
    end: usize,
    /// Its length in characters.
    chars: u32,
}

impl Text {
    /// Decodes UTF-8, or UTF-16 with a byte order mark, and drops the mark. What can't be decoded becomes U+FFFD.
    pub(super) fn decode(source: &[u8]) -> Self {
        let text = match source {
            [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
            [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
            _ => String::from_utf8_lossy(source).into_owned(),
        };
        Self::new(text)
    }

    /// Takes a text as it is.
    pub(super) fn new(text: String) -> Self {
        let lines = lines(&text);
        Self { text, lines }
    }

    /// The whole text.
    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// The whole text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes of the first line that is not blank, without the blanks around it; an empty range where there is none.
    pub(super) fn first_line(&self) -> Range<usize> {
        let rest = self.text.trim_start();
        let start = if rest.is_empty() { 0 } else { self.text.len() - rest.len() };
        let line = rest.split(['\r', '\n']).next().unwrap_or_default();
        start..start + line.trim_end().len()
    }

    /// The location of a range of bytes.
    pub(super) fn location(&self, bytes: &Range<usize>, precision: Precision) -> Location {
        let (line, column) = self.position(bytes.start);
        let (end_line, end_column) = self.position(bytes.end.max(bytes.start));
        Location { line, end_line, column, end_column, precision }
    }

    /// The same location where it lies inside the text, else the nearest one that does.
    pub(super) fn inside(&self, location: Location) -> Location {
        let last = count(self.lines.len());
        let line = location.line.clamp(1, last);
        let end_line = location.end_line.clamp(line, last);
        let column = location.column.clamp(1, self.end_column(line));
        let from = if line == end_line { column } else { 1 };
        let end_column = location.end_column.clamp(from, self.end_column(end_line));
        Location { line, end_line, column, end_column, precision: location.precision }
    }

    /// The source lines of a location; long ones and the last of many are cut.
    pub(super) fn excerpt(&self, location: &Location) -> Vec<String> {
        let first = location.line as usize - 1;
        let number = (location.end_line - location.line) as usize + 1;
        self.lines.iter().skip(first).take(number.min(EXCERPT_LINES)).map(|line| self.cut(*line)).collect()
    }

    fn cut(&self, line: Line) -> String {
        let text = &self.text[line.start..line.end];
        if line.chars as usize <= EXCERPT_CHARS {
            return text.to_owned();
        }
        text.chars().take(EXCERPT_CHARS - 1).chain(['…']).collect()
    }

    /// The column after the last character of a line that exists.
    fn end_column(&self, line: u32) -> u32 {
        self.lines.get(line as usize - 1).map_or(1, |line| line.chars.saturating_add(1))
    }

    /// Line and column of a byte; one inside a line break counts as the end of its line.
    fn position(&self, at: usize) -> (u32, u32) {
        let index = self.index_of(at);
        let line = self.lines[index];
        let before = self.text.get(line.start..at.min(line.end)).unwrap_or_default();
        (count(index + 1), count(before.chars().count()).saturating_add(1))
    }

    /// The place in `lines` of the line that holds a byte: the first line starts at 0, so there is always one.
    fn index_of(&self, at: usize) -> usize {
        self.lines.partition_point(|line| line.start <= at).saturating_sub(1)
    }
}

/// Numbers beyond four billion don't occur in files that can be sent.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, rest) = bytes.as_chunks::<2>();
    let half = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    char::decode_utf16(units.iter().map(|bytes| unit(*bytes)))
        .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain(half)
        .collect()
}

fn lines(text: &str) -> Vec<Line> {
    let line = |Range { start, end }: Range<usize>| Line { start, end, chars: count(text[start..end].chars().count()) };
    crate::lines::lines(text).into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &[u8]) -> Vec<String> {
        let text = Text::decode(source);
        text.lines.iter().map(|line| format!("{}|{}", &text.text[line.start..line.end], line.chars)).collect()
    }

    #[test]
    fn lines_end_at_every_kind_of_line_break() {
        assert_eq!(shown(b""), ["|0"]);
        assert_eq!(shown(b"\n"), ["|0"]);
        assert_eq!(shown(b"a"), ["a|1"]);
        assert_eq!(shown(b"a\nb\r\nc\rd\r\r\n\ne"), ["a|1", "b|1", "c|1", "d|1", "|0", "|0", "e|1"]);
    }

    #[test]
    fn byte_order_marks_are_no_characters() {
        assert_eq!(shown(b"\xEF\xBB\xBFab\n"), ["ab|2"]);
        assert_eq!(shown(b"\xFF\xFEa\0\x3D\xD8\x00\xDE\n\0b\0"), ["a\u{1F600}|2", "b|1"]);
        assert_eq!(shown(b"\xFE\xFF\0a\xD8\x3D\0\n\0b\0"), ["a\u{FFFD}|2", "b\u{FFFD}|2"]);
        assert_eq!(shown(b"a\xFFb\xE2\x82\n"), ["a\u{FFFD}b\u{FFFD}|4"]);
    }

    #[test]
    fn columns_count_characters() {
        let text = Text::decode("é x\r\nyz\n".as_bytes());
        let at = |bytes: Range<usize>| {
            let at = text.location(&bytes, Precision::Exact);
            (at.line, at.column, at.end_line, at.end_column)
        };
        assert_eq!(at(3..4), (1, 3, 1, 4));
        assert_eq!(at(0..8), (1, 1, 2, 3));
        assert_eq!(at(4..6), (1, 4, 2, 1), "a line break belongs to the line that it ends");
        assert_eq!(at(9..99), (2, 3, 2, 3));
    }

    #[test]
    fn what_lies_outside_is_moved_inside() {
        let text = Text::decode(b"abc\n\nde");
        let inside = |line, column, end_line, end_column| {
            let at = text.inside(Location { line, end_line, column, end_column, precision: Precision::Exact });
            (at.line, at.column, at.end_line, at.end_column)
        };
        assert_eq!(inside(0, 0, 0, 0), (1, 1, 1, 1));
        assert_eq!(inside(1, 2, 3, 3), (1, 2, 3, 3));
        assert_eq!(inside(3, 9, 9, 9), (3, 3, 3, 3));
        assert_eq!(inside(2, 5, 1, 1), (2, 1, 2, 1));
        assert_eq!(inside(1, 3, 1, 2), (1, 3, 1, 3));
    }

    #[test]
    fn excerpts_are_cut_in_both_directions() {
        let long = "é".repeat(401);
        let text = Text::decode(format!("{long}\n{}b\n{}", "é".repeat(399), "x\n".repeat(20)).as_bytes());
        let excerpt = |line, end_line| text.excerpt(&text.inside(Location { line, end_line, ..super::super::TOP_OF_FILE }));
        assert_eq!(excerpt(1, 2), [format!("{}…", "é".repeat(399)), format!("{}b", "é".repeat(399))]);
        assert_eq!(excerpt(3, 10), vec!["x"; 8]);
        assert_eq!(excerpt(3, 22), vec!["x"; 8]);
        assert_eq!(excerpt(22, 22), ["x"]);
    }
}
