//! Names and their values in text of which nobody knows who reads it: shells, property files, JSON, YAML that is none.
//!
//! The text is read once from its start to its end. A value that is hidden is not looked into, and what is not hidden is read on, so the
//! time it takes is that of its length, whatever it holds.

use std::ops::Range;

use super::commands::{Command, Takes, Tool, told};
use super::value::{self, Reader};
use super::words::{Reach, quote_length};
use super::{address, names};

mod bare;
mod take;

/// The spans of credentials.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut scan = Scan {
        text,
        at: 0,
        line: 0,
        key: first_key(text, 0),
        quote: None,
        command: Command::default(),
        pair: Pair::default(),
        netrc: 0,
        spans: Vec::new(),
    };
    while scan.at < text.len() {
        scan.step();
    }
    scan.spans
}

/// Those in a part of a text.
pub(super) fn within(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let found = spans(text.get(part.clone()).unwrap_or_default());
    found.into_iter().map(move |span| part.start + span.start..part.start + span.end)
}

/// A `name` and a `value` in one mapping.
#[derive(Default)]
struct Pair {
    /// A telling name that waits for its value.
    name: Option<Range<usize>>,
    /// A value that waits for its name: where it stands, how far it reaches, and the quote around it.
    value: Option<(usize, Reach, Option<u8>)>,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// Where the line starts, and where its first key would.
    line: usize,
    key: usize,
    quote: Option<u8>,
    command: Command,
    pair: Pair,
    /// How many more words may pass until the password of a netrc file.
    netrc: u8,
    spans: Vec<Range<usize>>,
}

/// What stands between a name and its value.
struct Operator {
    colon: bool,
    /// Where the value starts.
    value: usize,
}

impl Scan<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn blanks(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    fn step(&mut self) {
        let Some(byte) = self.byte(self.at) else { return };
        match byte {
            b'\n' | b'\r' => self.new_line(),
            b'\\' if matches!(self.byte(self.at + 1), Some(b'"' | b'\'' | b'\\')) => self.at += 2,
            b'"' | b'\'' => self.toggle(byte),
            b'|' | b';' | b'&' if self.quote.is_none() => {
                self.command.next(self.at, byte);
                self.at += 1;
            }
            b'/' if self.byte(self.at + 1) == Some(b'>') => {
                self.pair = Pair::default();
                self.at += 1;
            }
            b'{' | b'}' => {
                self.pair = Pair::default();
                self.at += 1;
            }
            byte if is_name_byte(byte) => self.word(),
            _ => self.at += 1,
        }
    }

    fn new_line(&mut self) {
        let continued = self.text.as_bytes().get(..self.at).is_some_and(|before| before.ends_with(b"\\"));
        let accounts = self.command.tool == Some(Tool::Accounts);
        if !continued && self.byte(self.at) == Some(b'\n') {
            self.command.next(self.at, b'\n');
        }
        self.command.tool = self.command.tool.or(accounts.then_some(Tool::Accounts));
        self.at += 1;
        (self.line, self.key, self.quote) = (self.at, first_key(self.text, self.at), None);
        if self.text.get(self.line..self.key).is_some_and(|before| before.contains('-')) {
            self.pair = Pair::default();
        }
    }

    /// A quote opens or closes; an apostrophe does neither.
    fn toggle(&mut self, quote: u8) {
        let is_letter = |at: Option<usize>| at.and_then(|at| self.byte(at)).is_some_and(|byte| byte.is_ascii_alphanumeric());
        let is_apostrophe = quote == b'\'' && is_letter(self.at.checked_sub(1)) && is_letter(Some(self.at + 1));
        match self.quote {
            None if !is_apostrophe => self.quote = Some(quote),
            Some(open) if open == quote => self.quote = None,
            _ => {}
        }
        self.at += 1;
    }

    /// A word of the letters that names have.
    fn word(&mut self) {
        let (text, start) = (self.text, self.at);
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_name_byte(*byte)).count();
        let word = rest.get(..length).unwrap_or_default();
        self.at += length;
        self.command.word(word);
        let switch = word.starts_with('-');
        let name = word.trim_start_matches('-');
        if text.get(..start).is_some_and(|before| before.ends_with("${")) {
            return self.reference(start, word);
        }
        if self.byte(self.at) == Some(b'>') && text.get(..start).is_some_and(|before| before.ends_with('<')) {
            return self.element(word);
        }
        if let Some((piped, accounts)) = self.command.reads(word) {
            self.piped(piped, accounts);
        }
        if text.get(self.at..).is_some_and(|rest| rest.starts_with("://")) {
            return self.address(word);
        }
        if let Some(operator) = self.operator(word) {
            self.assignment(start, name, &operator);
        } else if self.tool(start, word) {
        } else if switch && names::is_secret(name) {
            self.argument(name);
        } else {
            self.bare(word);
        }
        self.netrc = if word == "machine" { 8 } else { self.netrc.saturating_sub(1) };
    }

    /// `${NAME:-value}`
    fn reference(&mut self, start: usize, word: &str) {
        let name: &str = word.split(['-', '.']).next().unwrap_or_default();
        if name.is_empty() {
            return;
        }
        self.at = start + name.len();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let sign = rest.strip_prefix(':').unwrap_or(rest);
        if sign.starts_with(['-', '=', '+']) {
            self.at += rest.len() - sign.len() + 1;
            if names::is_secret(name) {
                self.take(name, self.at, Reach::Brace);
            }
        }
    }

    /// Hides what is piped into a command that reads a credential.
    fn piped(&mut self, piped: Range<usize>, accounts: bool) {
        let Some(command) = self.text.get(piped.clone()) else { return };
        let Some(part) = told(command, accounts) else { return };
        let hidden = command.get(part.clone()).and_then(|part| value::hidden("password", part, Reader::Shell));
        self.spans
            .extend(hidden.map(|hidden| piped.start + part.start + hidden.start..piped.start + part.start + hidden.end));
    }

    fn address(&mut self, scheme: &str) {
        self.at += 3;
        if let Some((hidden, end)) = address::user_info(self.text, scheme, self.at) {
            self.spans.extend(hidden);
            self.at = end;
        }
    }

    /// What makes the word before a name. A colon counts before a blank or after a quote: `token-service:1.2` is an image.
    fn operator(&self, word: &str) -> Option<Operator> {
        let quote = quote_length(self.text, self.at);
        let gap = self.blanks(self.at + quote);
        let at = self.at + quote + gap;
        let spaced = |value: usize| value + self.blanks(value);
        let equal = |value: usize| Operator { colon: false, value };
        match (self.byte(at)?, self.byte(at + 1)) {
            (b'=', Some(b'=' | b'~')) => None,
            (b'=', Some(b'>')) | (b':' | b'+' | b'?', Some(b'=')) => Some(equal(spaced(at + 2))),
            (b'=', _) => Some(equal(if gap > 0 { spaced(at + 1) } else { at + 1 })),
            (b':', next) => {
                let lower = word.to_ascii_lowercase();
                let is_header = lower.starts_with("x-") || lower.ends_with("authorization") || lower == "private-token";
                let counts = quote > 0 || is_header || next.is_none_or(|next| next.is_ascii_whitespace());
                counts.then(|| Operator { colon: true, value: spaced(at + 1) })
            }
            _ => None,
        }
    }

    fn assignment(&mut self, start: usize, name: &str, operator: &Operator) {
        let is_key = operator.colon && start == self.key;
        let reach = match (is_key, operator.colon) {
            (true, _) => Reach::Line,
            (_, true) => Reach::Flow,
            _ => Reach::Word,
        };
        let after_escape = self.text.get(..start).is_some_and(|before| before.ends_with('\\'));
        let unescaped = name.strip_prefix(['n', 'r', 't']).filter(|_| after_escape);
        let is_secret = names::is_secret(name) || unescaped.is_some_and(names::is_secret);
        // `<add key="NAME" value="X"/>`
        let is_attribute = !operator.colon && quote_length(self.text, operator.value) > 0;
        let is_paired = match name {
            "name" | "value" => operator.colon || is_attribute,
            "key" => is_attribute,
            _ => false,
        };
        if !(is_secret || is_paired) {
            return;
        }
        // The quote behind the name closes.
        if let Some(quote) = self.quote.filter(|quote| self.byte(self.at) == Some(*quote)) {
            self.at += 1;
            self.quote = self.quote.filter(|open| *open != quote);
        }
        match name {
            "name" | "key" => self.pair_name(operator.value),
            "value" => self.pair_value(operator.value, if is_attribute { Reach::Flow } else { reach }),
            _ => self.take(name, operator.value, reach),
        }
    }

    fn pair_name(&mut self, at: usize) {
        let at = at + quote_length(self.text, at);
        let rest = self.text.get(at..).unwrap_or_default();
        let name = at..at + rest.bytes().take(200).take_while(|byte| is_name_byte(*byte)).count();
        let text = self.text.get(name.clone()).unwrap_or_default();
        if !names::is_secret(text) {
            self.pair = Pair::default();
            return;
        }
        match self.pair.value.take() {
            None => self.pair.name = Some(name),
            Some((value, reach, quote)) => {
                let (here, open) = (self.at, std::mem::replace(&mut self.quote, quote));
                self.take(text, value, reach);
                (self.at, self.quote) = (self.at.max(here), open);
            }
        }
    }

    fn pair_value(&mut self, at: usize, reach: Reach) {
        match self.pair.name.take().and_then(|name| self.text.get(name)) {
            Some(name) => self.take(name, at, reach),
            None => self.pair.value = Some((at, reach, self.quote)),
        }
    }

    /// The switches of a tool.
    fn tool(&mut self, start: usize, word: &str) -> bool {
        if self.command.tool == Some(Tool::Accounts) && word != "chpasswd" {
            return self.account(word);
        }
        let next = self.byte(start + 2);
        let attached =
            next.is_some_and(|next| !next.is_ascii_whitespace() && !matches!(next, b',' | b']') && Some(next) != self.quote);
        match self.command.takes(word, attached) {
            None => return false,
            Some(Takes::Attached) => self.take("password", start + 2, Reach::Word),
            Some(Takes::Next) => self.argument("password"),
            Some(Takes::NextAccount) => {
                let Some(at) = self.next_argument() else { return true };
                let at = at + quote_length(self.text, at);
                let rest = self.text.get(at..).unwrap_or_default();
                let user = rest
                    .find([':', ' ', '"', '\''])
                    .filter(|user| rest.get(*user..).is_some_and(|rest| rest.starts_with(':')));
                let Some(user) = user else { return true };
                self.quote = self
                    .text
                    .get(..at)
                    .and_then(|before| before.bytes().last())
                    .filter(|quote| matches!(quote, b'"' | b'\''));
                self.account_password(at + user + 1);
            }
        }
        true
    }

    /// `user:password` to `chpasswd`.
    fn account(&mut self, word: &str) -> bool {
        let is_account = self.byte(self.at) == Some(b':');
        if is_account {
            self.account_password(self.at + 1);
        } else if self.at - word.len() == self.line {
            self.command.tool = None;
        }
        is_account
    }

    fn account_password(&mut self, at: usize) {
        let reach = if self.quote.is_some() { Reach::Line } else { Reach::Word };
        self.take("password", at, reach);
    }

    /// Where the word behind a switch starts: behind blanks, and in a list of words behind quotes and a comma.
    fn next_argument(&self) -> Option<usize> {
        let quote = quote_length(self.text, self.at);
        let mut at = self.at + quote;
        at += self.blanks(at);
        let is_list = self.byte(at) == Some(b',');
        at += usize::from(is_list);
        at += self.blanks(at);
        let rest = self.text.get(at..).unwrap_or_default();
        if let Some(next) = rest.strip_prefix("\\\n").or_else(|| rest.strip_prefix("\\\r\n")) {
            at += rest.len() - next.len();
            at += self.blanks(at);
        }
        let starts_a_word =
            |next: u8| !next.is_ascii_whitespace() && !matches!(next, b'-' | b'|' | b';' | b'&' | b'<' | b'>' | b')' | b']');
        // A quote right behind a switch opens a word where none is open.
        let is_apart = at > self.at + quote || (quote > 0 && self.quote.is_none());
        (is_apart && self.byte(at).is_some_and(starts_a_word)).then_some(at)
    }

    fn argument(&mut self, name: &str) {
        let Some(at) = self.next_argument() else { return };
        let rest = self.text.get(at..).unwrap_or_default();
        // `--secret id=…` names a secret of the builder.
        if rest.starts_with("id=") || rest.starts_with("type=") {
            return;
        }
        if self.quote.is_some() && quote_length(self.text, self.at) > 0 {
            self.quote = None;
        }
        self.take(name, at, Reach::Word);
    }
}

/// Where on a line the key of a block mapping would stand.
fn first_key(text: &str, line: usize) -> usize {
    let rest = text.as_bytes().get(line..).unwrap_or_default();
    line + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'"' | b'\'' | b'#')).count()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
