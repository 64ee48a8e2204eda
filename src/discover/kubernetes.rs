//! What makes a YAML file a Kubernetes manifest: a scan over the lines of each [`document`](super::document).
//!
//! The few documents whose root the scan can't read go to [`events`].

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::document::{Document, Metadata, Scalar};
use super::events::{self, Object};
use super::gvk::{self, Gvk};

/// What the content of a YAML file makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// At least one document is an object of an API server.
    Manifest,
    /// None is, but one would be after rendering.
    Template,
    /// None is, but one is shaped like it and read by a tool.
    ToolConfig,
    /// None of these; the reason is that of the document that came closest.
    Neither(&'static str),
}

impl Content {
    fn rank(self) -> u8 {
        match self {
            Self::Manifest => 4,
            Self::Template => 3,
            Self::ToolConfig => 2,
            Self::Neither(NO_ROOT_KEYS) => 0,
            Self::Neither(_) => 1,
        }
    }
}

const NO_ROOT_KEYS: &str = "no document has `apiVersion` and `kind` at its root";

/// Whether the base name is that of a YAML file.
pub(super) fn name(base: &[u8]) -> bool {
    let ends_in = |extension: &[u8]| {
        base.len() >= extension.len() && base[base.len() - extension.len()..].eq_ignore_ascii_case(extension)
    };
    ends_in(b".yaml") || ends_in(b".yml")
}

/// Looks at the whole text of a YAML file.
pub(super) fn content(bytes: &[u8]) -> Content {
    let text = decode(bytes);
    let mut best = Content::Neither(NO_ROOT_KEYS);
    for document in documents(&text) {
        let found = Document::read(document).decide(document);
        if found.rank() > best.rank() {
            best = found;
        }
        if best == Content::Manifest {
            break;
        }
    }
    best
}

/// The `kind: Secret` objects in a YAML file, as `namespace/name` or `name`, in file order; those in Lists too.
///
/// Where a document can't be followed to its end, whatever looks like one more Secret in it is counted without a name.
pub(super) fn secrets(bytes: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let text = decode(bytes);
    let text = if memchr(0, &text).is_some() { without_nul(&text) } else { text };
    for document in documents(&text) {
        let likely = memmem::find_iter(document, b"Secret").filter(|at| may_be_a_kind(document, *at));
        let likely: Vec<usize> = likely.collect();
        if likely.is_empty() {
            continue;
        }
        let before = names.len();
        let root = events::read(document);
        root.object.iter().chain(&root.listed).for_each(|object| name_secrets(object, false, &mut names));
        if root.more {
            names.resize(names.len().max(before + likely.len()), UNNAMED.to_owned());
        }
    }
    names
}

/// Text in an encoding that no mark names, or with bytes that YAML has not: what is ASCII in it.
fn without_nul(bytes: &[u8]) -> Cow<'_, [u8]> {
    let marks = bytes.iter().take_while(|b| matches!(b, 0 | 0xFE | 0xFF)).count();
    Cow::Owned(bytes[marks..].iter().copied().filter(|b| *b != 0).collect())
}

/// How far around a "Secret" its key is looked for.
const LOOK_AROUND: usize = 1024;

/// A quick look: whether the "Secret" at `at` stands as it would for the value of a `kind`. CRDs speak of Secrets all the time.
fn may_be_a_kind(text: &[u8], at: usize) -> bool {
    let quote_or_blank = |b: &u8| matches!(b, b'"' | b'\'' | b' ' | b'\t' | b'\r');
    // Lines can be as long as the file.
    let (from, to) = (at.saturating_sub(LOOK_AROUND), text.len().min(at + LOOK_AROUND));
    let start = memchr::memrchr(b'\n', &text[from..at]).map_or(from, |newline| from + newline + 1);
    let end = memchr(b'\n', &text[at..to]).map_or(to, |newline| at + newline);
    let after = &text[at + b"Secret".len()..end];
    let after = after.strip_prefix(b"List").unwrap_or(after);
    if after.first().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    let before = &text[start..at];
    let before = &before[..before.iter().rposition(|b| !quote_or_blank(b)).map_or(0, |last| last + 1)];
    let word = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    match word {
        [] => after.iter().find(|b| !quote_or_blank(b)).is_none_or(|b| *b == b'#'),
        [b'!' | b'&', ..] | b":" => true,
        [key @ .., b':'] => memmem::find(key, b"kind").is_some(),
        _ => false,
    }
}

const UNNAMED: &str = "(unnamed)";

fn name_secrets(object: &Object, in_secret_list: bool, names: &mut Vec<String>) {
    let kind = object.kind.as_deref();
    if kind == Some("Secret") || (kind.is_none() && in_secret_list) {
        let name = object.name.as_deref().unwrap_or(UNNAMED);
        names.push(object.namespace.as_ref().map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}")));
    }
    for child in &object.children {
        name_secrets(child, kind == Some("SecretList"), names);
    }
}

/// The text as UTF-8 (more or less) with LF or CRLF line ends. A NUL makes no file binary that has a manifest: it would hide one.
fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    let utf16 = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    let mut text = if bytes.starts_with(b"\xFF\xFE") {
        utf16(u16::from_le_bytes)
    } else if bytes.starts_with(b"\xFE\xFF") {
        utf16(u16::from_be_bytes)
    } else {
        Cow::Borrowed(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
    };
    // Each document may begin with a mark of its own: files were put together.
    if memmem::find(&text, b"\n\xEF\xBB\xBF").is_some() {
        text = Cow::Owned(String::from_utf8_lossy(&text).replace("\n\u{feff}", "\n").into_bytes());
    }
    let lone_cr = memchr::memchr_iter(b'\r', &text).any(|at| text.get(at + 1) != Some(&b'\n'));
    if lone_cr {
        let mut lines = text.to_vec();
        for at in 0..lines.len() {
            if lines[at] == b'\r' && lines.get(at + 1) != Some(&b'\n') {
                lines[at] = b'\n';
            }
        }
        text = Cow::Owned(lines);
    }
    text
}

/// The documents of a file, each with the `---` line that starts it.
fn documents(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut from = 0;
        let end = loop {
            let Some(newline) = memchr(b'\n', &text[from..]) else { break None };
            from += newline + 1;
            if is_marker(&text[from..]) {
                break Some(from);
            }
        };
        rest = end.map(|at| &text[at..]);
        Some(end.map_or(text, |at| &text[..at]))
    })
}

pub(super) fn is_marker(line: &[u8]) -> bool {
    (line.starts_with(b"---") || line.starts_with(b"..."))
        && matches!(line.get(3), None | Some(b'\n' | b'\r' | b' ' | b'\t'))
}

impl Document<'_> {
    /// What the document is; `text` is its text.
    fn decide(&self, text: &[u8]) -> Content {
        if self.template {
            return self.decide_template();
        }
        if self.needs_parser {
            return events::root(text).map_or(Content::Neither(NO_ROOT_KEYS), |root| decide_object(&root));
        }
        let (Some(api_version), Some(kind)) = (string(self.api_version), string(self.kind)) else {
            return Content::Neither(NO_ROOT_KEYS);
        };
        let metadata = matches!(self.metadata, Metadata::Pending | Metadata::MappingOrNull);
        decide(api_version, kind, self.kubeconfig, metadata || self.spec, self.items)
    }

    /// A template need not show metadata or spec, and a part that is still to be rendered can be anything.
    fn decide_template(&self) -> Content {
        let (Some(api_version), Some(kind)) = (self.api_version, self.kind) else {
            return Content::Neither("it is a template whose `apiVersion` and `kind` don't stand at the root");
        };
        let rendered = |scalar: Scalar<'_>| memmem::find(scalar.text, b"{{").is_none();
        let api_version = if rendered(api_version) { string(Some(api_version)).unwrap_or_default() } else { "v1" };
        let kind = if rendered(kind) { string(Some(kind)).unwrap_or_default() } else { "Any" };
        match gvk::decide(api_version, kind, self.kubeconfig) {
            Gvk::Object => Content::Template,
            Gvk::ToolConfig => Content::ToolConfig,
            Gvk::Neither(why) => Content::Neither(why),
        }
    }
}

fn decide_object(object: &Object) -> Content {
    match (&object.api_version, &object.kind) {
        (Some(api_version), Some(kind)) => {
            decide(api_version, kind, object.kubeconfig, object.metadata || object.spec, object.items)
        }
        _ => Content::Neither(NO_ROOT_KEYS),
    }
}

fn decide(api_version: &str, kind: &str, kubeconfig: bool, metadata_or_spec: bool, items: bool) -> Content {
    match gvk::decide(api_version, kind, kubeconfig) {
        Gvk::ToolConfig => Content::ToolConfig,
        Gvk::Neither(why) => Content::Neither(why),
        Gvk::Object if metadata_or_spec || (items && kind.ends_with("List")) => Content::Manifest,
        Gvk::Object => Content::Neither("it has neither `metadata` nor `spec`, and is no List with `items`"),
    }
}

/// The text of a scalar that YAML reads as a string.
fn string(scalar: Option<Scalar<'_>>) -> Option<&str> {
    let scalar = scalar?;
    std::str::from_utf8(scalar.text).ok().filter(|text| events::is_string(text, scalar.plain))
}

#[cfg(test)]
mod tests;
