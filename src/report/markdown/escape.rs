//! Text that stays text in the Markdown of GitHub and GitLab, table cells included.

use crate::report::printable;
use crate::report::text::one_line;

/// Shown as nothing: stands where a mention, a reference or a link would begin, since those are found after escapes are undone.
const BREAK: &str = "&#8203;";

/// The shortest hash of a commit that is made a link.
const SHORTEST_HASH: usize = 7;

/// Prose on one line: no markup, HTML, link, mention or reference comes of it. Must not stand at the start of a line.
pub(super) fn text(text: &str) -> String {
    let text = one_line(text);
    let mut safe = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '&' => {
                safe.push_str("&amp;");
                break_before_word(&mut safe, rest);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // An escaped pipe would do in most parsers, not after a backslash.
            '|' => safe.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' => safe.extend(['\\', c]),
            '@' | '#' | '!' | '~' | '$' | '%' | '^' => {
                safe.extend(['\\', c]);
                break_before_word(&mut safe, rest);
            }
            // `GH-12` is an issue, whatever comes before the letters.
            '-' if ends_with(text.get(..at).unwrap_or_default(), "gh")
                && rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit()) =>
            {
                safe.push(c);
                safe.push_str(BREAK);
            }
            // A run of such digits may be the hash of a commit, which has 40 at most and is found from 7 on.
            _ if c.is_ascii_hexdigit()
                && hex_before(&text, at) > 0
                && hex_before(&text, at).is_multiple_of(SHORTEST_HASH - 1) =>
            {
                safe.push_str(BREAK);
                safe.push(c);
            }
            ':' if rest.starts_with("://") => {
                safe.push(c);
                safe.push_str(BREAK);
            }
            '.' if ends_with(text.get(..at).unwrap_or_default(), "www") => {
                safe.push_str(BREAK);
                safe.push(c);
            }
            _ => safe.push(c),
        }
    }
    safe
}

/// A reference begins where a word, a number or a quote follows its sign.
fn break_before_word(safe: &mut String, rest: &str) {
    if rest.chars().nth(1).is_some_and(|next| next.is_alphanumeric() || next == '_' || next == '"') {
        safe.push_str(BREAK);
    }
}

fn ends_with(before: &str, end: &str) -> bool {
    before.len().checked_sub(end.len()).and_then(|at| before.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// How many hexadecimal digits stand before a byte.
fn hex_before(text: &str, at: usize) -> usize {
    text.bytes().take(at).rev().take_while(u8::is_ascii_hexdigit).count()
}

/// A code span: nothing in it is markup or a reference. A pipe would close the table cell even there, so such a text is prose.
pub(super) fn code(code: &str) -> String {
    let code = printable(code);
    if code.contains('|') || code.trim().is_empty() {
        return text(&code);
    }
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One blank on each side is taken away again; without it a backtick would join the fence, and outer blanks of the text be lost.
    let pad = if code.starts_with(['`', ' ']) || code.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{code}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    /// The cells of the only table, as a reader sees them; a panic where there is anything but text and code in them.
    fn cells(markdown: &str) -> Vec<String> {
        let mut cells = Vec::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM)
        {
            match event {
                Event::Start(Tag::TableCell) => cells.push(String::new()),
                Event::Text(text) | Event::Code(text) => cells.last_mut().expect("text in a cell").push_str(&text),
                Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow)
                | Event::End(TagEnd::TableCell | TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow) => (),
                other => panic!("{other:?} in {markdown}"),
            }
        }
        cells
    }

    fn row(first: &str, second: &str) -> Vec<String> {
        cells(&format!("| a | b |\n| --- | --- |\n| {first} | {second} |\n"))[2..].to_vec()
    }

    /// What linkifiers look for, which the parser here does not know.
    fn is_inert(text: &str) -> bool {
        let lower = text.to_lowercase();
        let after = |mark: char| text.split(mark).skip(1).all(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        let hash = lower.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= SHORTEST_HASH);
        let issue = lower.split("gh-").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let marks = ['@', '#', '!', '~', '$', '%', '^', '&'].into_iter().all(after);
        !lower.contains("://") && !lower.contains("www.") && !hash && !issue && marks
    }

    #[test]
    fn known_traps() {
        assert_eq!(text("a|b"), "a&#124;b");
        assert_eq!(text("@everyone #12"), "\\@&#8203;everyone \\#&#8203;12");
        assert_eq!(text("&123 xGH-12 gh-a"), "&amp;&#8203;123 xGH-&#8203;12 gh-a");
        assert_eq!(text("at 0a1b2c3 and 0a1b2c"), "at 0a1b2c&#8203;3 and 0a1b2c");
        assert_eq!(text(&"f".repeat(15)), "ffffff&#8203;ffffff&#8203;fff");
        assert_eq!(text("<!-- x --> & <b>"), "&lt;\\!-- x --&gt; &amp; &lt;b&gt;");
        assert_eq!(text("![i](http://x) www.x"), "\\!\\[i\\](http:&#8203;//x) www&#8203;.x");
        assert_eq!(code("USER root"), "`USER root`");
        assert_eq!(code("echo `id`"), "`` echo `id` ``");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("a|b"), "a&#124;b");
        assert_eq!(code(""), "");
        assert_eq!(code("<b>\n"), "`<b>\\u{a}`");
    }

    proptest! {
        #[test]
        fn prose_comes_back_and_is_nothing_else(prose in "(\\PC|[\\\\`*_\\[\\]()<>&|~#@!:/.$ \n\t-]|www\\.|http://|&lt;|<!--|-->|##\\[|GH-|[0-9a-f]{7}){0,40}") {
            let seen = row(&text(&prose), "x");
            prop_assert_eq!(seen.len(), 2);
            prop_assert_eq!(seen[0].replace('\u{200b}', ""), one_line(&prose));
            prop_assert!(is_inert(&seen[0]), "{}", seen[0]);
            prop_assert_eq!(&seen[1], "x");
        }

        #[test]
        fn code_comes_back_and_is_nothing_else(source in "(\\PC|[\\\\`*_\\[\\]()<>&|~#@!:/.$ \n\t-]|``){0,40}") {
            let seen = row(&code(&source), "x");
            let expected = if source.trim().is_empty() || source.contains('|') { one_line(&printable(&source)) } else { printable(&source).into_owned() };
            prop_assert_eq!(seen.len(), 2);
            prop_assert_eq!(seen[0].replace('\u{200b}', ""), expected);
            prop_assert_eq!(&seen[1], "x");
        }
    }
}
