//! Text that is safe on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows control characters, line ends, and marks that turn the direction of text as `\u{…}`: no file name and no text of the service can
/// move the cursor, set a colour or hide what follows.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing to a string can't fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Whether a terminal may obey it rather than show it.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(printable("api/Dockerfile – 部署"), "api/Dockerfile – 部署");
        assert_eq!(printable("a\x1b[31m\r\nb\t\u{202e}c\u{9b}"), r"a\u{1b}[31m\u{d}\u{a}b\u{9}\u{202e}c\u{9b}");
    }
}
