//! Lines as everybody here counts them, so that a finding and a comment about it mean the same one.

use std::ops::Range;

/// The bytes of each line without its break: LF, CRLF or a lone CR, as GitHub counts them. Never empty: an empty text is one empty line.
pub(crate) fn lines(text: &str) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if !matches!(char, '\n' | '\r') {
            continue;
        }
        let pair = char == '\r' && chars.next_if(|(_, next)| *next == '\n').is_some();
        lines.push(start..at);
        start = at + if pair { 2 } else { 1 };
    }
    if start < text.len() || lines.is_empty() {
        lines.push(start..text.len());
    }
    lines
}
