//! How far a value reaches in text of which nobody knows who reads it. Where it is unclear, rather further.
//!
//! Every function looks ahead no further than the value it finds, not even for the end of the line, so that a text is read once.

use memchr::memchr2;

/// How far a value reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As a word of a shell does.
    Word,
    /// As a word does, and no further than a flow mapping or JSON would let it.
    Flow,
    /// To the end of the line, or of the quote around it.
    Line,
    /// To the brace that closes the reference around it.
    Brace,
    /// To the next tag.
    Element,
}

/// Where the line ends that a place is on.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    memchr2(b'\n', b'\r', rest).map_or(text.len(), |end| at + end)
}

/// The length of the quote at a place, with what escapes it; 0 where there is none.
pub(super) fn quote_length(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
    if matches!(rest.get(escapes), Some(b'"' | b'\'')) { escapes + 1 } else { 0 }
}

/// Where the text in a quote ends that `open` opened before `at`: at what closes it, else at the end of the line.
pub(super) fn closing(text: &str, at: usize, open: &str) -> usize {
    let escapes = open.len().saturating_sub(1);
    let quote = open.as_bytes().last().copied();
    let mut run = 0;
    for (index, byte) in text.as_bytes().iter().enumerate().skip(at) {
        match *byte {
            b'\n' | b'\r' => return index,
            // In single quotes a backslash is one.
            b'\\' if open != "'" => run += 1,
            byte if Some(byte) == quote && (run == escapes || (escapes == 0 && run % 2 == 0)) => return index - escapes,
            _ => run = 0,
        }
    }
    text.len()
}

/// Where a value without quotes around it ends; `enclosing` is the quote that is open.
pub(super) fn end(text: &str, at: usize, enclosing: Option<u8>, reach: Reach) -> usize {
    match reach {
        Reach::Word | Reach::Flow => word(text, at, enclosing, reach == Reach::Flow),
        Reach::Brace => brace(text, at),
        Reach::Element => {
            let rest = text.get(at..).unwrap_or_default();
            at + rest.find(['<', '\n', '\r']).unwrap_or(rest.len())
        }
        Reach::Line => {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r') || Some(*byte) == enclosing;
            let end = rest.iter().position(is_end).map_or(text.len(), |end| at + end);
            if enclosing.is_some() && text.as_bytes().get(end).copied() == enclosing {
                return end;
            }
            let line = text.get(at..end).unwrap_or_default();
            at + [" #", "\t#", " \\"].into_iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len())
        }
    }
}

fn word(text: &str, at: usize, enclosing: Option<u8>, flow: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(byte) = bytes.get(at).copied() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'`' => break,
            _ if Some(byte) == enclosing => break,
            b'"' | b'\'' => {
                let end = closing(text, at + 1, if byte == b'"' { "\"" } else { "'" });
                at = end + usize::from(bytes.get(end) == Some(&byte));
            }
            b'\\' => at += if matches!(bytes.get(at + 1), None | Some(b'\n' | b'\r')) { 1 } else { 2 },
            b'|' if enclosing.is_none() => break,
            b';' | b'&' if is_separator(bytes.get(at..).unwrap_or_default()) => break,
            b',' | b'{' | b'}' | b'[' | b']' if flow && enclosing.is_none() => break,
            b',' | b'}' | b']' | b')' => {
                let closers = bytes.get(at..).unwrap_or_default().iter();
                let behind = at + closers.take_while(|byte| matches!(byte, b',' | b'}' | b']' | b')')).count();
                let is_end = |next: u8| next.is_ascii_whitespace() || Some(next) == enclosing;
                if bytes.get(behind).copied().is_none_or(is_end) {
                    break;
                }
                at = behind;
            }
            _ => at += 1,
        }
    }
    // After an escape there may stand more than a byte.
    while !text.is_char_boundary(at.min(text.len())) {
        at += 1;
    }
    at.min(text.len())
}

/// Whether `;` or `&` ends a command, or stands before the next of several pairs.
fn is_separator(text: &[u8]) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ')).count();
    text.starts_with(b"&&")
        || (text.starts_with(b";") && rest.first().is_none_or(u8::is_ascii_whitespace))
        || (name > 0 && rest.get(name) == Some(&b'='))
}

fn brace(text: &str, at: usize) -> usize {
    let mut open = 0u32;
    for (index, byte) in text.as_bytes().iter().enumerate().skip(at) {
        match byte {
            b'\n' | b'\r' => return index,
            b'{' => open += 1,
            b'}' if open == 0 => return index,
            b'}' => open -= 1,
            _ => {}
        }
    }
    text.len()
}

/// What stands below the line of a key that has no value beside it: the lines that are indented deeper, where they are text and neither
/// keys nor items.
pub(super) fn below(text: &str, line_start: usize, key_at: usize, header: bool) -> Option<(usize, usize)> {
    let key = key_at.saturating_sub(line_start);
    let start = line_end(text, key_at);
    let start = start + text.get(start..)?.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut end = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let indented = line.trim_start();
        let is_blank = indented.is_empty();
        if !is_blank && line.len() - indented.len() <= key {
            break;
        }
        let is_node = || {
            indented.starts_with(['-', '{', '[', '"', '\'', '#'])
                || indented.contains(": ")
                || indented.trim_end().ends_with(':')
        };
        if !header && !is_blank && (is_node() || indented.starts_with("{{")) {
            break;
        }
        end += line.len();
    }
    let body = text.get(start..end)?.trim_end();
    let first = start + body.len() - body.trim_start().len();
    (first < start + body.len()).then_some((first, start + body.len()))
}
