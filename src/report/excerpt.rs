//! The source line of a finding with a caret line under its span.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use super::text::{is_unsafe_at, push_escaped};
use crate::model::Finding;

/// The widest line, gutter and all, in terminal columns.
const WIDEST: usize = 120;
/// Columns of the line number; a longer one moves its line.
const NUMBER: usize = 9;
/// Columns between tab stops.
const TAB: usize = 4;
/// What stands for text left out.
const LEFT_OUT: &str = "…";

/// Two lines, each after its own gutter, and neither with a line end.
pub(super) struct Excerpt {
    /// The line number and a bar.
    pub(super) number: String,
    /// The source, a window of it where it is long.
    pub(super) source: String,
    /// As wide as `number`.
    pub(super) blank: String,
    /// Blanks and carets.
    pub(super) carets: String,
    /// How many lines of the span come after this one.
    pub(super) more: u32,
}

/// The first line of a finding's snippet; `None` without a place or a text, or where the span lies behind what was kept of the line.
pub(super) fn of(finding: &Finding) -> Option<Excerpt> {
    let at = finding.location?;
    let line = finding.snippet.first()?;
    let cells = cells(line);
    let more = at.end_line.saturating_sub(at.line);
    let start = usize::try_from(at.column).ok()?.checked_sub(1)?;
    let end = if more > 0 { cells.len() } else { usize::try_from(at.end_column).ok()?.checked_sub(1)?.min(cells.len()) };
    if line.trim().is_empty() || start >= cells.len() {
        return None;
    }
    let span = start..end.max(start + 1);

    let number = format!("{:>NUMBER$} | ", at.line);
    let blank = format!("{:>width$} | ", "", width = number.width() - 3);
    let window = window(&cells, &span, WIDEST.saturating_sub(number.width()));
    let text = |range: Range<usize>| cells.get(range).unwrap_or_default().concat();
    let left = if window.start > 0 { LEFT_OUT } else { "" };
    let right = if window.end < cells.len() { LEFT_OUT } else { "" };
    let before = format!("{left}{}", text(window.start..span.start));
    let through = format!("{before}{}", text(span.start..span.end.min(window.end)));
    let source = format!("{left}{}{right}", text(window)).trim_end().to_owned();
    let carets =
        format!("{}{}", " ".repeat(before.width()), "^".repeat(through.width().saturating_sub(before.width()).max(1)));
    Some(Excerpt { number, source, blank, carets, more })
}

/// What is shown of each character.
fn cells(line: &str) -> Vec<String> {
    let mut width = 0;
    let cell = |(at, c): (usize, char)| {
        let mut cell = String::new();
        if c == '\t' {
            cell.push_str(&" ".repeat(TAB - width % TAB));
        } else if is_unsafe_at(line, at, c) {
            push_escaped(&mut cell, c);
        } else {
            cell.push(c);
        }
        width += cell.width();
        cell
    };
    line.char_indices().map(cell).collect()
}

/// The most columns that a cell adds to what stands before it: the variation selector makes an emoji of a character.
fn columns(cell: &str) -> usize {
    if cell == "\u{fe0f}" { 1 } else { cell.width() }
}

/// The cells around the span that fit into `room` columns together with the marks for what is left out.
fn window(cells: &[String], span: &Range<usize>, room: usize) -> Range<usize> {
    let width =
        |range: Range<usize>| -> usize { cells.get(range).unwrap_or_default().iter().map(|cell| columns(cell)).sum() };
    if width(0..cells.len()) <= room {
        return 0..cells.len();
    }
    let room = room.saturating_sub(2 * LEFT_OUT.width());
    let before = room.saturating_sub(width(span.clone())) / 2;
    let grow_left = |mut from: usize, to: usize, room: usize| {
        let mut used = width(from..to);
        while let Some(cell) =
            from.checked_sub(1).and_then(|left| cells.get(left)).filter(|cell| used + columns(cell) <= room)
        {
            used += columns(cell);
            from -= 1;
        }
        from
    };
    let from = grow_left(span.start, span.start, before);
    let (mut to, mut used) = (from, 0);
    while let Some(cell) = cells.get(to).filter(|cell| used + columns(cell) <= room) {
        used += columns(cell);
        to += 1;
    }
    grow_left(from, to, room)..to
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Location, Precision, ScanResult};
    use crate::report::samples;

    fn excerpt(line: &str, columns: Range<u32>, lines: u32) -> Option<Excerpt> {
        let result: ScanResult = serde_json::from_value(samples::two()).expect("a result");
        let mut finding = result.findings[0].clone();
        finding.snippet = vec![line.to_owned()];
        finding.location = Some(Location {
            line: 7,
            end_line: 6 + lines,
            column: columns.start,
            end_column: columns.end,
            precision: Precision::Exact,
        });
        of(&finding)
    }

    fn drawn(line: &str, columns: Range<u32>) -> [String; 2] {
        let excerpt = excerpt(line, columns, 1).expect("an excerpt");
        [excerpt.source, excerpt.carets]
    }

    #[test]
    fn the_carets_stand_under_the_span() {
        assert_eq!(drawn("USER root", 1..10), ["USER root", "^^^^^^^^^"]);
        assert_eq!(drawn("\tname: 部署 # x", 8..10), ["    name: 部署 # x", "          ^^^^"]);
        assert_eq!(drawn("a\u{1b}b: ##[c]", 3..4), [r"a\u{1b}b: ##\u{5b}c]", "       ^"]);
        assert_eq!(drawn("e\u{301}x", 3..4), ["e\u{301}x", " ^"]);
        assert_eq!(drawn("empty span", 7..7), ["empty span", "      ^"]);
    }

    #[test]
    fn a_long_line_is_a_window_around_the_span() {
        let line = format!("{}PASSWORD{}", "a".repeat(500), "b".repeat(500));
        let left = "a".repeat(49);
        let right = "b".repeat(49);
        assert_eq!(drawn(&line, 501..509), [format!("…{left}PASSWORD{right}…"), format!("{}^^^^^^^^", " ".repeat(50))]);
        assert_eq!(drawn(&line, 1..3), [format!("{}…", "a".repeat(106)), "^^".to_owned()]);
        assert_eq!(drawn(&line, 1008..1009), [format!("…{}", "b".repeat(106)), format!("{}^", " ".repeat(106))]);
        assert_eq!(drawn(&line, 1..1009), [format!("{}…", "a".repeat(106)), "^".repeat(106)]);
    }

    #[test]
    fn a_span_of_lines_is_underlined_to_the_end_of_the_first() {
        let excerpt = excerpt("RUN curl \\", 1..4, 3).expect("an excerpt");
        assert_eq!((excerpt.carets.as_str(), excerpt.more), ("^^^^^^^^^^", 2));
        assert_eq!((excerpt.number.as_str(), excerpt.blank.as_str()), ("        7 | ", "          | "));
    }

    #[test]
    fn what_is_not_there_is_not_drawn() {
        assert!(excerpt("USER", 5..6, 1).is_none(), "behind the line");
        assert!(excerpt("  ", 1..2, 1).is_none(), "blank");
        assert!(excerpt("", 1..1, 1).is_none(), "empty");
    }

    proptest! {
        /// The window is narrow enough, and what stands above the carets is what the span holds.
        #[test]
        fn the_carets_fit_whatever_the_line(line in "(\\PC|\t|\u{1b}|##\\[|部){0,200}", start in 0usize..210, length in 1usize..40) {
            let chars: Vec<char> = line.chars().collect();
            let columns = u32::try_from(start + 1).unwrap()..u32::try_from(start + 1 + length).unwrap();
            let Some(excerpt) = excerpt(&line, columns, 1) else {
                prop_assert!(start >= chars.len() || line.trim().is_empty());
                return Ok(());
            };
            prop_assert!(excerpt.source.chars().all(|c| !c.is_control()));
            prop_assert!(excerpt.number.width() + excerpt.source.width() <= WIDEST);
            prop_assert!(excerpt.carets.trim_start().chars().all(|c| c == '^'));
            let offset = excerpt.carets.width() - excerpt.carets.trim_start().width();
            let first = chars[start];
            if first.is_ascii_graphic() && first != '[' {
                let above = (0..=excerpt.source.len())
                    .filter(|at| excerpt.source.is_char_boundary(*at))
                    .filter(|at| excerpt.source[..*at].width() == offset)
                    .any(|at| excerpt.source[at..].starts_with(first));
                prop_assert!(above, "{first:?} at {offset} in {:?}", excerpt.source);
            }
        }
    }
}
