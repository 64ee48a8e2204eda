//! The lines of a Dockerfile as instructions and comments, each with its place: parser directives, continuations with comments and
//! empty lines between them, heredocs. What a builder would refuse is read as well as it can be.

use std::collections::HashMap;
use std::ops::Range;

/// The instructions of the Dockerfile reference.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// An instruction and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// As written, continuations joined as a builder joins them, comments dropped, without heredoc bodies.
    pub text: String,
    /// The heredoc bodies with their ends, as written; empty where there are none.
    pub body: String,
    /// Its bytes, from the keyword to the last character of the last line, heredoc bodies included.
    pub span: Range<usize>,
    /// The bytes of each of its lines that says something, without the blanks around it and the escape character behind it.
    pub lines: Vec<Range<usize>>,
    /// The bytes that `text` is put together from.
    pub parts: Vec<Range<usize>>,
    /// How many of these lines, from the first on, are not of a heredoc.
    pub own_lines: usize,
}

/// An instruction's text in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words<'a> {
    /// Whether `ONBUILD` stands before it.
    pub on_build: bool,
    /// In upper case; what is triggered for `ONBUILD`; empty where the text does not begin with an instruction.
    pub keyword: String,
    /// What follows.
    pub argument: &'a str,
}

impl<'a> Words<'a> {
    /// Splits a text.
    pub fn of(text: &'a str) -> Self {
        let (keyword, argument) = split_keyword(text);
        if keyword == "ONBUILD" && !argument.is_empty() {
            let (keyword, argument) = split_keyword(argument);
            return Self { on_build: true, keyword, argument };
        }
        Self { on_build: false, keyword, argument }
    }

    /// The same without `ONBUILD`.
    pub(crate) fn bare(&self) -> Self {
        Self { on_build: false, ..self.clone() }
    }
}

fn split_keyword(text: &str) -> (String, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let upper = first.to_ascii_uppercase();
    if KEYWORDS.contains(&upper.as_str()) { (upper, rest.trim()) } else { (String::new(), text) }
}

/// The escape character that the parser directives at the top of a file choose.
pub fn escape_character(text: &str) -> char {
    text.lines()
        .map_while(directive)
        .find(|(name, value)| name.eq_ignore_ascii_case("escape") && matches!(*value, "`" | "\\"))
        .map_or('\\', |(_, value)| if value == "`" { '`' } else { '\\' })
}

/// `# name=value`, with a name of a letter and then letters and digits.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_name && !value.is_empty()).then_some((name, value))
}

/// The instructions of a text, in its order.
pub fn instructions(text: &str, escape: char) -> Vec<Instruction> {
    Reader::read(text, escape).0
}

/// The bytes of the lines that are comments, from the `#` on, also between the lines of an instruction. After a heredoc without an end
/// there are none: its text may go on to the end of the file.
pub fn comments(text: &str) -> Vec<Range<usize>> {
    let (_, mut comments, unended) = Reader::read(text, escape_character(text));
    comments.retain(|comment| unended.is_none_or(|at| comment.start < at));
    comments
}

struct Reader<'a> {
    escape: char,
    lines: Lines<'a>,
    comments: Vec<Range<usize>>,
}

impl<'a> Reader<'a> {
    /// The instructions, the comments, and where a heredoc without an end begins.
    fn read(text: &'a str, escape: char) -> (Vec<Instruction>, Vec<Range<usize>>, Option<usize>) {
        let mut reader = Self { escape, lines: Lines { text, at: 0 }, comments: Vec::new() };
        let mut ends = None;
        let mut unended = None;
        let mut found = Vec::new();
        while let Some(line) = reader.next_that_says_something() {
            let (joined, parts) = reader.join(line);
            let mut own: Vec<_> = parts.iter().map(|part| trimmed(text, part)).filter(|line| !line.is_empty()).collect();
            let (Some(first), Some(last)) = (own.first(), own.last()) else { continue };
            let mut span = first.start..last.end;
            let own_lines = own.len();
            let mut body = String::new();
            let lines = &mut reader.lines;
            for heredoc in heredocs(&joined) {
                let ends = ends.get_or_insert_with(|| Ends::of(text));
                // A heredoc without an end is none: what follows is read as instructions.
                let Some(end) = ends.first_from(&heredoc, lines.at) else {
                    unended.get_or_insert(lines.at);
                    break;
                };
                body.push_str(&text[lines.at..end.end]);
                body.push('\n');
                // This takes the line of the end as well, which is not one that says something.
                own.extend(lines.by_ref().take_while(|line| line.start < end.start).map(|line| trimmed(text, &line)));
                own.retain(|line| !line.is_empty());
                span.end = end.end;
            }
            found.push(Instruction { text: joined, body, span, lines: own, own_lines, parts });
        }
        (found, reader.comments, unended)
    }

    /// Joins a line with those that continue it; gives their bytes too.
    fn join(&mut self, first: Range<usize>) -> (String, Vec<Range<usize>>) {
        let text = self.lines.text;
        let mut joined = String::new();
        let mut parts = Vec::new();
        let mut line = first;
        loop {
            let whole = &text[line.clone()];
            let continued = whole.trim_end().strip_suffix(self.escape).filter(|before| !before.ends_with(self.escape));
            let part = continued.unwrap_or(whole);
            joined.push_str(part);
            parts.push(line.start..line.start + part.len());
            let next = continued.and_then(|_| self.next_that_says_something());
            match next {
                Some(next) => line = next,
                None => break,
            }
        }
        (joined, parts)
    }

    /// The next line that is neither blank nor a comment; comments on the way are kept.
    fn next_that_says_something(&mut self) -> Option<Range<usize>> {
        let text = self.lines.text;
        for line in self.lines.by_ref() {
            let bytes = trimmed(text, &line);
            if text[bytes.clone()].starts_with('#') {
                self.comments.push(bytes);
            } else if !bytes.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

fn trimmed(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let inner = &text[bytes.clone()];
    let start = bytes.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

/// The bytes of each line as a builder sees it: ended by LF, CRs before that dropped.
#[derive(Debug, Clone)]
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        let start = self.at;
        self.at += line.len() + 1;
        Some(start..start + line.trim_end_matches('\r').len())
    }
}

/// What ends a heredoc.
#[derive(Debug, PartialEq, Eq)]
struct Heredoc {
    end: String,
    strip_tabs: bool,
}

/// Where each line of a file stands, to find the ends of heredocs without looking at every line for each.
struct Ends<'a> {
    whole: HashMap<&'a str, Vec<Range<usize>>>,
    without_tabs: HashMap<&'a str, Vec<Range<usize>>>,
}

impl<'a> Ends<'a> {
    fn of(text: &'a str) -> Self {
        let mut ends = Self { whole: HashMap::new(), without_tabs: HashMap::new() };
        for bytes in (Lines { text, at: 0 }) {
            let line = &text[bytes.clone()];
            ends.whole.entry(line).or_default().push(bytes.clone());
            ends.without_tabs.entry(line.trim_start_matches('\t')).or_default().push(bytes);
        }
        ends
    }

    fn first_from(&self, heredoc: &Heredoc, at: usize) -> Option<Range<usize>> {
        let lines = if heredoc.strip_tabs { &self.without_tabs } else { &self.whole };
        let lines = lines.get(heredoc.end.as_str())?;
        lines.get(lines.partition_point(|line| line.start < at)).cloned()
    }
}

/// The heredocs that an instruction opens: `<<EOF`, `<<-"EOF"`, `3<<EOF`, each a word of its own; `<<<word` is not one.
fn heredocs(text: &str) -> Vec<Heredoc> {
    let words = Words::of(text);
    if !matches!(words.keyword.as_str(), "RUN" | "COPY" | "ADD") || is_exec_form(words.argument) {
        return Vec::new();
    }
    let opened = shell_words(words.argument).into_iter().filter_map(|word| {
        let marker = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (strip_tabs, name) = marker.strip_prefix('-').map_or((false, marker), |name| (true, name));
        let end: String = name.chars().filter(|char| !matches!(char, '"' | '\'')).collect();
        (!end.is_empty() && !end.contains('<')).then_some(Heredoc { end, strip_tabs })
    });
    opened.collect()
}

/// Whether an argument is a JSON list of strings, flags before it aside.
fn is_exec_form(argument: &str) -> bool {
    let mut rest = argument;
    while rest.starts_with("--") {
        rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    rest.starts_with('[') && serde_json::from_str::<Vec<String>>(rest).is_ok()
}

/// Splits at blanks outside quotes; quotes stay.
fn shell_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (index, char) in text.char_indices() {
        if quote.is_none() && !escaped && char.is_whitespace() {
            words.extend(start.take().map(|start| &text[start..index]));
            continue;
        }
        start.get_or_insert(index);
        match (quote, char) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each instruction as `text|body|source of the span|sources of its lines`.
    fn read(text: &str) -> Vec<String> {
        instructions(text, escape_character(text))
            .into_iter()
            .map(|found| {
                let lines: Vec<&str> = found.lines.into_iter().map(|line| &text[line]).collect();
                format!("{}|{}|{}|{}", found.text, found.body, &text[found.span], lines.join("¶"))
            })
            .collect()
    }

    #[test]
    fn the_escape_directive_stands_at_the_very_top() {
        for (text, escape) in [
            ("", '\\'),
            ("# escape=`\n", '`'),
            ("#Escape = ` \r\nFROM a", '`'),
            ("# syntax=docker/dockerfile:1\n# escape=`\n", '`'),
            ("# escape=\\\n", '\\'),
            ("# why\n# escape=`\n", '\\'),
            ("\n# escape=`\n", '\\'),
            ("# a b=c\n# escape=`\n", '\\'),
            ("FROM a\n# escape=`\n", '\\'),
            ("# a1=b\n# escape=`\n", '`'),
            ("# 1a=b\n# escape=`\n", '\\'),
            ("# a=\n# escape=`\n", '\\'),
            ("# =b\n# escape=`\n", '\\'),
            ("# escape=\n# escape=`\n", '\\'),
        ] {
            assert_eq!(escape_character(text), escape, "{text:?}");
        }
    }

    #[test]
    fn continuations_pass_over_comments_and_empty_lines() {
        let text = "from a\r\n\r\nRUN one \\  \r\n  # a comment \\\r\n\r\n    two\\\r\nthree  \r\n# end\r\nUSER b";
        let expected = [
            "from a||from a|from a",
            "RUN one     twothree  ||RUN one \\  \r\n  # a comment \\\r\n\r\n    two\\\r\nthree|RUN one¶two¶three",
            "USER b||USER b|USER b",
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn the_escape_character_may_be_a_backtick_or_escaped() {
        assert_eq!(
            read("# escape=`\nRUN a `\n b\\\nUSER c"),
            ["RUN a  b\\||RUN a `\n b\\|RUN a¶b\\", "USER c||USER c|USER c"]
        );
        assert_eq!(read("RUN a\\\\\nUSER c")[0], "RUN a\\\\||RUN a\\\\|RUN a\\\\");
        assert_eq!(read("\\\nFROM a \\\n"), ["FROM a ||FROM a|FROM a"]);
        assert_eq!(read("\\\n"), [""; 0]);
    }

    #[test]
    fn heredoc_bodies_belong_to_their_instruction() {
        let text = "RUN <<EOF cat 3<<-'B C'\n# no comment\nUSER root\nEOF\n\t\tx\n\t\tB C\nUSER a";
        let expected = [
            "RUN <<EOF cat 3<<-'B C'|# no comment\nUSER root\nEOF\n\t\tx\n\t\tB C\n|\
             RUN <<EOF cat 3<<-'B C'\n# no comment\nUSER root\nEOF\n\t\tx\n\t\tB C|\
             RUN <<EOF cat 3<<-'B C'¶# no comment¶USER root¶x",
            "USER a||USER a|USER a",
        ];
        assert_eq!(read(text), expected);
        assert_eq!(read("ONBUILD COPY <<E /a\n\tE\nE\r\nUSER a").len(), 2);
    }

    #[test]
    fn what_is_no_heredoc() {
        for text in [
            "RUN cat <<<EOF\nEOF",
            "RUN echo \"<<EOF\"\nEOF",
            "RUN [\"cat\", \"<<EOF\"]\nEOF",
            "RUN echo $((1<<EOF))\nEOF",
            "RUN cat <<EOF\nUSER a",
            "ENV A <<EOF\nEOF",
            "RUN cat <<\nEOF",
        ] {
            assert_eq!(read(text).len(), 2, "{text:?}");
        }
    }

    #[test]
    fn texts_are_split_into_their_words() {
        let words = |text| {
            let words = Words::of(text);
            format!("{} {} {}", words.on_build, words.keyword, words.argument)
        };
        assert_eq!(words(" user\troot "), "false USER root");
        assert_eq!(words("OnBuild  run  a b"), "true RUN a b");
        assert_eq!(words("ONBUILD"), "false ONBUILD ");
        assert_eq!(words("ONBUILD x y"), "true  x y");
        assert_eq!(words("apt-get update"), "false  apt-get update");
    }
}
