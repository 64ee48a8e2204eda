//! Credentials that stand behind a word without a sign between, or in a tag.

use super::super::names;
use super::super::words::Reach;
use super::{Scan, is_name_byte};

impl Scan<'_> {
    /// `<password>X</password>`, `<name>NAME</name><value>X</value>`
    pub(super) fn element(&mut self, name: &str) {
        let at = self.at + 1;
        match name {
            "name" => self.pair_name(at),
            "value" => self.pair_value(at, Reach::Element),
            _ if names::is_secret(name) => self.take(name, at, Reach::Element),
            _ => {}
        }
    }

    /// `password X` of a netrc file, `requirepass X` of another, `git config user.token X`, `Bearer X` of a header.
    pub(super) fn bare(&mut self, word: &str) {
        let at = self.at + self.blanks(self.at);
        if at == self.at {
            return;
        }
        // `\npassword` in what `printf` is told.
        if self.netrc > 0 && matches!(word, "password" | "npassword") {
            return self.take(word, at, Reach::Word);
        }
        if matches!(word, "requirepass" | "masterauth") {
            return self.take(word, at, Reach::Word);
        }
        // Words alone are those of a sentence.
        if self.command.sets && word.contains(['.', '_']) && names::is_secret(word) {
            return self.argument(word);
        }
        if let Some(rest) =
            self.text.get(at..).filter(|_| word == "--password-stdin").and_then(|rest| rest.strip_prefix("<<<"))
        {
            let at = self.text.len() - rest.len();
            return self.take("password", at + self.blanks(at), Reach::Word);
        }
        if ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
            let rest = self.text.get(at..).unwrap_or_default();
            let length =
                rest.bytes().take_while(|byte| is_name_byte(*byte) || matches!(byte, b'+' | b'/' | b'=' | b'~')).count();
            let token = rest.get(..length).unwrap_or_default();
            let has = |kind: fn(&u8) -> bool| token.bytes().any(|byte| kind(&byte));
            let is_random = has(u8::is_ascii_digit) || (has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase));
            if (length >= 16 && is_random) || (length >= 8 && token.ends_with('=')) {
                self.spans.push(at..at + length);
                self.at = at + length;
            }
        }
    }
}
