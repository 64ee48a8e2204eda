//! Comments of a Dockerfile: lines whose first character that is no blank is `#`, also between the lines of an instruction, but not in a
//! heredoc (Docker's Dockerfile reference, "Format" and "Here-documents").

use super::{Ignore, ignore};

pub(super) fn comments(text: &str) -> Vec<Ignore> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = escape(text);
    let mut ignores = Vec::new();
    let mut instruction = String::new();
    let mut bodies: Vec<Heredoc> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(body) = bodies.first() {
            if body.ends_with(line) {
                bodies.remove(0);
            }
        } else if line.trim_start().starts_with('#') {
            ignores.extend(ignore(line.trim(), number, true));
        } else if line.trim().is_empty() && !instruction.is_empty() {
            // An empty line does not end an instruction that goes on.
        } else {
            let line = line.trim_end();
            let goes_on = line.strip_suffix(escape);
            instruction.push_str(goes_on.unwrap_or(line));
            if goes_on.is_none() {
                bodies = heredocs(&instruction, escape);
                instruction.clear();
            }
        }
    }
    ignores
}

/// The character that lets an instruction go on: the parser directive `# escape=`, which stands above everything but other directives.
fn escape(text: &str) -> char {
    let directive = |line: &str| {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        matches!(name.as_str(), "syntax" | "escape" | "check").then(|| (name, value.trim().to_owned()))
    };
    let said = text.lines().map_while(directive).find(|(name, _)| name == "escape");
    if said.is_some_and(|(_, value)| value == "`") { '`' } else { '\\' }
}

#[derive(Debug, PartialEq, Eq)]
struct Heredoc {
    name: String,
    tabs: bool,
}

impl Heredoc {
    fn ends_with(&self, line: &str) -> bool {
        let line = if self.tabs { line.trim_start_matches('\t') } else { line };
        line == self.name
    }
}

/// The heredocs that follow an instruction.
fn heredocs(instruction: &str, escape: char) -> Vec<Heredoc> {
    let mut words = words(instruction, escape).into_iter().peekable();
    if words.peek().is_some_and(|word| word.eq_ignore_ascii_case("onbuild")) {
        words.next();
    }
    let takes = |word: &String| ["run", "copy", "add"].iter().any(|name| word.eq_ignore_ascii_case(name));
    if !words.next().is_some_and(|word| takes(&word)) {
        return Vec::new();
    }
    words.filter_map(|word| heredoc(&word)).collect()
}

/// A word such as `<<EOF`, `3<<-"EOF"`.
fn heredoc(word: &str) -> Option<Heredoc> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (tabs, name) = rest.strip_prefix('-').map_or((false, rest), |name| (true, name));
    let name: String = name.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
    (!name.is_empty() && !name.contains('<')).then_some(Heredoc { name, tabs })
}

/// Splits at blanks that are not quoted; quotes stay.
fn words(text: &str, escape: char) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => words.push(String::new()),
            (_, c) => {
                quote = match (quote, c) {
                    (None, '"' | '\'') => Some(c),
                    (Some(open), c) if open == c => None,
                    (quote, _) => quote,
                };
                if let Some(word) = words.last_mut() {
                    word.push(c);
                    if c == escape && quote != Some('\'') {
                        word.extend(chars.next());
                    }
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
