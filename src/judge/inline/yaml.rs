//! Comments of a manifest. The parser keeps none, but says where every scalar stands: a `#` after a blank is a comment if it is in none.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Ignore, ignore};

pub(super) const BEHIND: &str = "it stands behind a place where the file is no YAML";

pub(super) fn comments(text: &str) -> Vec<Ignore> {
    let chars: Vec<char> = text.chars().collect();
    let Scalars { spans, read_to } = scalars(text, &chars);
    let mut spans = spans.into_iter().peekable();
    let mut ignores = Vec::new();
    let (mut at, mut line, mut line_start) = (0, 1, 0);
    while let Some(c) = chars.get(at) {
        while spans.next_if(|(_, end)| *end <= at).is_some() {}
        let in_scalar = spans.peek().is_some_and(|(start, _)| *start <= at);
        let before = chars.get(line_start..at).unwrap_or_default();
        if *c == '\n' {
            line += 1;
            line_start = at + 1;
        } else if *c == '#' && !in_scalar && before.last().is_none_or(|c| c.is_whitespace() || *c == '\u{feff}') {
            let alone = before.iter().all(|c| c.is_whitespace() || *c == '\u{feff}');
            let comment: String = chars.iter().skip(at).take_while(|c| !matches!(c, '\n' | '\r')).collect();
            at += comment.chars().count();
            if let Some(mut ignore) = ignore(&comment, line, alone) {
                if at > read_to {
                    ignore.fault = Some(BEHIND);
                }
                ignores.push(ignore);
            }
            continue;
        }
        at += 1;
    }
    ignores
}

/// Where scalars stand, as positions of characters, and how far the text could be read.
struct Scalars {
    spans: Vec<(usize, usize)>,
    read_to: usize,
}

fn scalars(text: &str, chars: &[char]) -> Scalars {
    let mut read = Scalars { spans: Vec::new(), read_to: 0 };
    for event in Parser::new_from_str(text) {
        // Past the last event that was read anything may be inside a scalar that was never closed.
        let Ok((event, span)) = event else { return read };
        let (start, end) = (span.start.index(), span.end.index());
        read.read_to = read.read_to.max(end);
        match event {
            Event::Scalar(_, ScalarStyle::SingleQuoted, ..) => {
                read.spans.push((start, closed(chars, start, '\'').unwrap_or(end)));
            }
            Event::Scalar(_, ScalarStyle::DoubleQuoted, ..) => {
                read.spans.push((start, closed(chars, start, '"').unwrap_or(end)));
            }
            Event::Scalar(..) => read.spans.push((start, end)),
            _ => {}
        }
    }
    read.read_to = chars.len();
    read
}

/// Where a quoted scalar ends, which the parser says is behind the comment after it. `None` where an anchor or a tag stands before it.
fn closed(chars: &[char], start: usize, quote: char) -> Option<usize> {
    let mut at = start + 1;
    (chars.get(start) == Some(&quote)).then_some(())?;
    loop {
        match (quote, *chars.get(at)?) {
            ('"', '\\') => at += 2,
            ('\'', '\'') if chars.get(at + 1) == Some(&'\'') => at += 2,
            (_, c) if c == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}
