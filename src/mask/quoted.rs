//! Credentials in what reports quote: source lines, instructions, paths.
//!
//! Names decide first (`DB_PASSWORD=…`), then shapes that only credentials have (`ghp_…`). Where it is unclear how far a value reaches,
//! more is masked rather than less. A file is taken apart as what it is; text of which that is not known, by signs that most who read
//! such text agree on.

mod address;
mod commands;
mod dockerfile;
mod joined;
mod kubernetes;
mod names;
mod scan;
mod shapes;
mod told;
mod value;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;

use crate::dockerfile::Words;
use crate::model::FileType;

/// Stars may bring to light what a value hid, such as the end of a quote. Text that is not settled after so many passes was made to fool us.
const PASSES: usize = 4;

/// Masks what looks like a credential in a text: each of its characters becomes `*`, line ends stay. References (`$VAR`,
/// `/run/secrets/x`), switches, counts and empty values stay.
pub fn credentials(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    for _ in 0..PASSES {
        let spans = if Words::of(&masked).keyword.is_empty() { scan::spans(&masked) } else { dockerfile::spans(&masked) };
        match paint(&masked, spans) {
            None => return masked,
            Some(next) => masked = Cow::Owned(next),
        }
    }
    Cow::Owned(text.chars().map(|c| if c.is_whitespace() { c } else { '*' }).collect())
}

/// Masks a whole file, so that lines can be cut from it: what stands on other lines tells more of a value than its own line does.
pub(super) fn file(file_type: FileType, text: String) -> String {
    let spans = match file_type {
        FileType::Dockerfile => dockerfile::spans(&text),
        FileType::K8sYaml => kubernetes::spans(&text),
    };
    paint(&text, spans).unwrap_or(text)
}

/// The text with stars on the spans and on what its shape tells; `None` where nothing changes.
fn paint(text: &str, mut spans: Vec<Range<usize>>) -> Option<String> {
    spans.extend(shapes::spans(text));
    spans.extend(told::spans(text));
    spans.sort_by_key(|span| span.start);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for span in spans {
        let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0).max(end);
        let stop = (span.end..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        if start < stop {
            masked.push_str(&text[end..start]);
            masked.extend(text[start..stop].chars().map(|c| if is_line_end(c) { c } else { '*' }));
            end = stop;
        }
    }
    masked.push_str(&text[end..]);
    (masked != text).then_some(masked)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and each is compiled in the tests")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a sound pattern")
}

#[cfg(test)]
mod tests;
