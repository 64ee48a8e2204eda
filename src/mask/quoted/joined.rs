//! Parts of a file put together to one text, and the way back.

use std::ops::Range;

/// Such a text.
pub(super) struct Joined {
    pub(super) text: String,
    /// Where each part starts in the text, and where it stands in the file.
    parts: Vec<(usize, Range<usize>)>,
}

impl Joined {
    /// Puts parts together.
    pub(super) fn of(file: &str, parts: &[Range<usize>]) -> Self {
        let mut joined = Self { text: String::new(), parts: Vec::new() };
        for part in parts {
            joined.push(file, part.clone());
        }
        joined
    }

    /// Adds a part.
    pub(super) fn push(&mut self, file: &str, part: Range<usize>) {
        if let Some(text) = file.get(part.clone()) {
            self.parts.push((self.text.len(), part));
            self.text.push_str(text);
        }
    }

    /// Where a span of the text stands in the file.
    pub(super) fn back(&self, span: &Range<usize>) -> Vec<Range<usize>> {
        let first = self.parts.partition_point(|(start, part)| start + part.len() <= span.start);
        let parts = self.parts.get(first..).unwrap_or_default().iter().take_while(|(start, _)| *start < span.end);
        let cut = parts.map(|(start, part)| {
            let from = part.start + span.start.saturating_sub(*start);
            from..part.start + (span.end - start).min(part.len())
        });
        cut.collect()
    }
}
