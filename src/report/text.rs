//! Text that is safe on a terminal and in the log of a CI job.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows control characters, line ends, and marks that turn the direction of text as `\u{…}`: no file name and no text of the service can
/// move the cursor, set a colour or hide what follows. The same is done to `##[` anywhere and to `::` at the start, since GitHub's
/// runner reads every line of a log for commands of these two spellings.
pub fn printable(text: &str) -> Cow<'_, str> {
    let start = text.len() - text.trim_start().len();
    let colons = text[start..].starts_with("::");
    if !colons && !text.contains(is_unsafe) && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if (colons && at == start) || is_unsafe_at(text, at, c) {
            push_escaped(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Prose on one line: each run of blanks and line ends is one space, all else is as [`printable`] has it.
pub(super) fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// The first characters of a text, with a mark where that is not all.
pub(super) fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    match text.char_indices().nth(longest) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()),
    }
}

/// Whether the character `c`, which stands in `text` at byte `at`, must be escaped.
pub(super) fn is_unsafe_at(text: &str, at: usize, c: char) -> bool {
    is_unsafe(c) || (c == '[' && text.get(..at).is_some_and(|before| before.ends_with("##")))
}

/// Adds `\u{…}`.
pub(super) fn push_escaped(safe: &mut String, c: char) {
    // Writing to a string can't fail.
    let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
}

/// Whether a terminal may obey it rather than show it.
pub(super) fn is_unsafe(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}' | '\u{fdd0}'..='\u{fdef}')
        // Noncharacters, which XML and HTML refuse: the last two of every plane.
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("api/Dockerfile – 部署"), "api/Dockerfile – 部署");
        assert_eq!(printable("a\x1b[31m\r\nb\t\u{202e}c\u{9b}"), r"a\u{1b}[31m\u{d}\u{a}b\u{9}\u{202e}c\u{9b}");
    }

    #[test]
    fn nothing_is_a_command_of_the_runner() {
        assert_eq!(printable("::error::x"), r"\u{3a}:error::x");
        assert_eq!(printable(" \u{a0}::add-mask::x"), " \u{a0}\\u{3a}:add-mask::x");
        assert_eq!(printable("a ##[error]b [c] #[d]"), r"a ##\u{5b}error]b [c] #[d]");
        assert_eq!(printable("std::fmt ::1"), "std::fmt ::1");
    }

    #[test]
    fn prose_is_one_line() {
        assert_eq!(one_line("  Set it\r\n\tto false.\u{7}\n"), r"Set it to false.\u{7}");
        assert_eq!(one_line("\n ::error::x"), r"\u{3a}:error::x");
        assert_eq!(cut("部署部署", 4), "部署部署");
        assert_eq!(cut("部署部署", 3), "部署…");
    }
}
