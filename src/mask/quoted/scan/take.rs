//! What of a value is hidden, and where looking goes on.

use super::super::value::{self, Reader, Start};
use super::super::words::{Reach, below, closing, end, line_end, quote_length};
use super::Scan;

/// Where a value stands.
struct Extent {
    /// Its first character.
    start: usize,
    /// The first that is no reference.
    from: usize,
    to: usize,
    /// Where looking goes on.
    next: usize,
}

impl Scan<'_> {
    /// Hides the value at a place and goes on behind it; goes on in it where it is none.
    pub(super) fn take(&mut self, name: &str, at: usize, reach: Reach) {
        let text = self.text;
        let open = text.get(at..at + quote_length(text, at)).unwrap_or_default();
        self.at = at;
        // The quote that is open closes: there is no value.
        if open.len() == 1 && open.bytes().next() == self.quote {
            return;
        }
        let mut start = at + open.len();
        if name.to_ascii_lowercase().ends_with("authorization") {
            start += scheme(text.get(start..).unwrap_or_default());
        }
        let reader = if open == "'" { Reader::Literal } else { Reader::Shell };
        let (from, reach) = match value::start(text.get(start..).unwrap_or_default(), reader) {
            Start::Computed => {
                self.at = start;
                self.quote = if open.len() == 1 { open.bytes().next() } else { self.quote };
                return;
            }
            Start::Text(skip) => (start + skip, reach),
            Start::Fallback(skip) => (start + skip, Reach::Brace),
        };
        if reach == Reach::Line && open.is_empty() && self.quote.is_none() && self.below(name, from) {
            return;
        }
        let first = self.byte(from);
        if open.is_empty()
            && from == start
            && matches!(reach, Reach::Line | Reach::Flow)
            && matches!(first, Some(b'[' | b'{'))
        {
            return;
        }
        let Extent { start, from, to, next } = self.extent(at, open, (start, from), reach);
        let part = from - start..to.saturating_sub(start).max(from - start);
        let whole = text.get(start..to.max(from)).unwrap_or_default();
        if let Some(hidden) = value::credential(name, whole, part) {
            self.spans.push(start + hidden.start..start + hidden.end);
        }
        self.at = next.max(from);
    }

    /// How far the value reaches that `open` opens at a place; its text starts at `start`, what is not a reference at `from`.
    fn extent(&self, at: usize, open: &str, (start, from): (usize, usize), reach: Reach) -> Extent {
        if reach == Reach::Brace || open.is_empty() {
            let to = end(self.text, from, self.quote, reach);
            return Extent { start, from, to, next: to };
        }
        let close = closing(self.text, start, open);
        let is_closed = self.text.get(close..).is_some_and(|rest| rest.starts_with(open));
        let behind = close + if is_closed { open.len() } else { 0 };
        let to = if reach == Reach::Word { end(self.text, behind, self.quote, reach) } else { behind };
        if to <= behind {
            return Extent { start, from, to: close, next: behind };
        }
        // What a shell joins to the quote is hidden with it.
        let (start, from) = match from {
            from if from == close => (start, behind),
            from if from == start => (at, at),
            from => (start, from),
        };
        Extent { start, from, to, next: to }
    }

    /// Hides a block scalar, or text that begins on the next line.
    fn below(&mut self, name: &str, at: usize) -> bool {
        let line = self.text.get(at..line_end(self.text, at)).unwrap_or_default();
        let line = if line.starts_with('#') { "" } else { line };
        let line = line.find(" #").and_then(|end| line.get(..end)).unwrap_or(line).trim();
        let header = line
            .strip_prefix(['|', '>'])
            .is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-')));
        if !header && !line.is_empty() {
            return false;
        }
        if let Some((from, to)) = below(self.text, self.line, self.key, header) {
            let whole = self.text.get(from..to).unwrap_or_default();
            let hidden = value::hidden(name, whole, Reader::Shell);
            self.spans.extend(hidden.map(|hidden| from + hidden.start..from + hidden.end));
            self.at = to;
            return true;
        }
        line.is_empty() || header
    }
}

/// The length of the scheme that a header begins with.
fn scheme(text: &str) -> usize {
    let word = text.bytes().take(12).take_while(u8::is_ascii_alphabetic).count();
    let blanks = text.get(word..).unwrap_or_default().bytes().take_while(|byte| *byte == b' ').count();
    let schemes = ["basic", "bearer", "digest", "token", "apikey"];
    let is_scheme = text.get(..word).is_some_and(|word| schemes.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)));
    if is_scheme && blanks > 0 { word + blanks } else { 0 }
}
