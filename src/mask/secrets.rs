//! The values of `kind: Secret` objects, masked before a file leaves the machine.

use std::collections::HashSet;
use std::ops::Range;

use memchr::{memchr, memmem};
use saphyr_parser::ScalarStyle;

use super::source::Source;
use crate::yaml::{self, Id, Tree, Value};

/// What `kubectl apply` keeps of the object, its values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What is sent of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// As long as the file, with the same lines.
    pub bytes: Vec<u8>,
    /// How many values were replaced.
    pub values: u64,
}

/// A file may hold a Secret that can't be told from the rest of it, or can't be masked in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what may be a Secret in it is no YAML that can be read, or is base64 with escapes in it, so its values can't be masked: mend it, leave \
     the file out with --exclude, or send it as it is with --mask-secrets off"
)]
pub struct Unmaskable;

/// Replaces the values of `data` and `stringData` of every Secret in a YAML file, wherever it stands and whatever it is merged from,
/// and what `kubectl apply` kept of them: base64 stays base64, lines stay lines.
///
/// `None` where there is nothing to replace; an error where there may be and it can't be found.
pub fn secrets(bytes: &[u8]) -> Result<Option<Masked>, Unmaskable> {
    if !may_hold_secrets(bytes) {
        return Ok(None);
    }
    let source = Source::read(bytes);
    let tree = yaml::read(&source.text);
    let mut found = Found { tree: &tree, seen: HashSet::new(), taken: HashSet::new(), values: Vec::new() };
    // What an alias stands for is looked at where it is written.
    for id in tree.ids().filter(|id| !matches!(tree.node(*id).value, Value::Alias(_))) {
        found.look_at(id);
    }
    let values = found.values;
    let chars: Vec<char> = source.text.chars().collect();
    if tree.broken.iter().any(|broken| may_be_a_secret(chars.get(broken.clone()).unwrap_or_default()))
        || tree.merges_too_much()
    {
        return Err(Unmaskable);
    }
    let mut masked = Masked { bytes: bytes.to_vec(), values: 0 };
    for value in values {
        // An escape is several characters that stand for one, so that as many of base64 would be too many.
        let escaped = value.kind == Kind::Base64 && value.style == ScalarStyle::DoubleQuoted;
        if escaped && chars.get(value.content(&chars)).is_some_and(|content| content.contains(&'\\')) {
            return Err(Unmaskable);
        }
        let hidden = value.content(&chars).filter(|at| value.kind.hides(chars.get(*at).copied()));
        let hidden = hidden.fold(0, |hidden, at| {
            source.fill(&mut masked.bytes, at, value.kind.stand_in());
            hidden + 1
        });
        masked.values += u64::from(hidden > 0);
    }
    Ok((masked.values > 0).then_some(masked))
}

/// A quick look. A kind can be written with escapes, which hardly anything but an attack does.
fn may_hold_secrets(bytes: &[u8]) -> bool {
    let has = |text: &[u8]| memmem::find(bytes, text).is_some();
    has(b"Secret") || memchr(0, bytes).is_some() || ESCAPES.iter().any(|escape| has(escape.as_bytes()))
}

/// What else than its letters can make up a word in quotes.
const ESCAPES: [&str; 5] = ["\\x", "\\u", "\\U", "\\\n", "\\\r"];

/// Whether text that can't be read names a Secret, or may.
fn may_be_a_secret(chars: &[char]) -> bool {
    let text: String = chars.iter().collect();
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut words = text.split(|char| !is_word(char));
    words.any(|word| matches!(word, "Secret" | "SecretList")) || ESCAPES.iter().any(|escape| text.contains(escape))
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of `data`.
    Base64,
    /// Of `stringData`.
    Text,
}

impl Kind {
    fn hides(self, char: Option<char>) -> bool {
        char.is_some_and(|char| !(char.is_whitespace() || (self == Self::Base64 && char == '=')))
    }

    fn stand_in(self) -> u8 {
        match self {
            Self::Base64 => b'A',
            Self::Text => b'x',
        }
    }
}

/// A scalar to hide.
#[derive(Debug)]
pub(super) struct Hidden {
    pub(super) span: Range<usize>,
    pub(super) style: ScalarStyle,
    pub(super) bare: bool,
    pub(super) kind: Kind,
}

impl Hidden {
    fn content(&self, chars: &[char]) -> Range<usize> {
        yaml::content(chars, &self.span, self.style, self.bare)
    }
}

/// The scalars to hide, each once.
struct Found<'a> {
    tree: &'a Tree<'a>,
    seen: HashSet<Id>,
    /// What was taken for a part of a Secret, and for which: aliases may lead there from anywhere, as often as they like.
    taken: HashSet<(Id, &'static str)>,
    values: Vec<Hidden>,
}

impl Found<'_> {
    /// Whether a node is a Secret, or a list of them whose items need not say so.
    fn look_at(&mut self, id: Id) {
        let kinds: Vec<&str> = self.behind(id, "kind").into_iter().filter_map(|kind| self.tree.text(kind)).collect();
        if kinds.contains(&"Secret") {
            self.secret(id);
        }
        if kinds.contains(&"SecretList") {
            for items in self.behind(id, "items").into_iter().map(|items| self.tree.content(items)).collect::<Vec<_>>() {
                if !self.taken.insert((items, "items")) {
                    continue;
                }
                self.tree.items(items).iter().for_each(|item| self.secret(self.tree.content(*item)));
            }
        }
    }

    fn secret(&mut self, id: Id) {
        if !self.taken.insert((id, "secret")) {
            return;
        }
        for value in self.behind(id, "data") {
            self.hide(value, Kind::Base64);
        }
        for value in self.behind(id, "stringData") {
            self.hide(value, Kind::Text);
        }
        for metadata in self.behind(id, "metadata") {
            if !self.taken.insert((self.tree.content(metadata), "metadata")) {
                continue;
            }
            for annotations in self.behind(metadata, "annotations") {
                if !self.taken.insert((self.tree.content(annotations), "annotations")) {
                    continue;
                }
                for value in self.behind(annotations, LAST_APPLIED) {
                    self.hide(value, Kind::Text);
                }
            }
        }
    }

    /// All values of a key: of each of several equal keys, and merged ones.
    fn behind(&self, id: Id, key: &str) -> Vec<Id> {
        let id = self.tree.content(id);
        let Value::Mapping(keys) = &self.tree.node(id).value else { return Vec::new() };
        let own = keys.iter().filter(|own| self.tree.text(**own) == Some(key)).filter_map(|own| self.tree.node(*own).held);
        own.chain(self.tree.get(id, key)).collect()
    }

    /// Everything in a node, through aliases.
    fn hide(&mut self, id: Id, kind: Kind) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let id = self.tree.content(id);
            if !self.seen.insert(id) {
                continue;
            }
            let node = self.tree.node(id);
            match &node.value {
                Value::Scalar { text, plain, .. } if text.is_empty() || (*plain && matches!(&**text, "~" | "null")) => {}
                Value::Scalar { style, bare, .. } => {
                    self.values.push(Hidden { span: node.start..node.end, style: *style, bare: *bare, kind });
                }
                Value::Sequence(items) => open.extend(items),
                Value::Mapping(keys) => open.extend(keys.iter().filter_map(|key| self.tree.node(*key).held)),
                Value::Alias(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
