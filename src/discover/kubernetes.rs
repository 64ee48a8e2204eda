//! Whether a YAML file holds a Kubernetes object: a scan over lines, with an event parser for the few documents it can't decide.
//!
//! Nothing is expanded and no tree is built, so that a YAML bomb costs its bytes.

use std::borrow::Cow;

use super::events;
use super::gvk::{Gvk, judge};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// At least one document is an object.
    Manifest,
    /// Objects still to be rendered.
    Template,
    /// Shaped like objects, read by a tool.
    ToolConfig,
    /// Neither.
    Other,
}

/// What stands at the root of a document.
#[expect(clippy::struct_excessive_bools, reason = "one for each key that matters")]
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
    /// `metadata` is a mapping or null.
    pub(super) metadata: bool,
    pub(super) spec: bool,
    pub(super) items: bool,
    /// `clusters`, `users` or `contexts`.
    pub(super) kubeconfig: bool,
    /// A template action stands where YAML has a value.
    pub(super) template: bool,
}

impl Root {
    fn content(&self) -> Content {
        let (Some(api_version), Some(kind)) = (&self.api_version, &self.kind) else { return Content::Other };
        if self.template {
            return Content::Template;
        }
        match judge(api_version, kind, self.kubeconfig) {
            Gvk::ToolConfig => Content::ToolConfig,
            Gvk::Object if self.metadata || self.spec || (kind.ends_with("List") && self.items) => Content::Manifest,
            Gvk::Object | Gvk::Other => Content::Other,
        }
    }
}

/// A `kind: Secret` document or list item of a manifest, as `namespace/name` or `name`.
pub(super) fn secrets(bytes: &[u8]) -> Vec<String> {
    if memchr::memmem::find(bytes, b"Secret").is_none() {
        return Vec::new();
    }
    let Some(text) = decode(bytes) else { return Vec::new() };
    documents(&text).flat_map(|document| events::secrets(document.body)).collect()
}

/// Reads a file.
pub(super) fn content(bytes: &[u8]) -> Content {
    let Some(text) = decode(bytes) else { return Content::Other };
    let mut best = Content::Other;
    for document in documents(&text) {
        best = match (best, document.root().content()) {
            (_, Content::Manifest) => return Content::Manifest,
            (_, Content::Template) | (Content::Template, _) => Content::Template,
            (_, Content::ToolConfig) | (Content::ToolConfig, _) => Content::ToolConfig,
            (best, Content::Other) => best,
        };
    }
    best
}

/// The text of a file, without a byte order mark; `None` for a binary one.
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    if bytes.starts_with(b"\xff\xfe") {
        return Some(wide(u16::from_le_bytes).into());
    }
    if bytes.starts_with(b"\xfe\xff") {
        return Some(wide(u16::from_be_bytes).into());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let binary = memchr::memchr(0, &bytes[..bytes.len().min(8_192)]).is_some();
    (!binary).then(|| String::from_utf8_lossy(bytes))
}

/// A document and what stands behind its `---`.
struct Document<'a> {
    body: &'a str,
    /// Content behind the separator: left to the parser.
    inline: bool,
}

/// The documents of a text, split at lines that start with `---` and a blank or end, or with `...`.
fn documents(text: &str) -> impl Iterator<Item = Document<'_>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut inline = false;
    for (at, line) in lines(text) {
        if is_marker(line, "---") {
            documents.push(Document { body: &text[start..at], inline });
            let rest = line[3..].trim();
            inline = !rest.is_empty() && !rest.starts_with('#');
            start = at + if inline { 3 } else { line.len() };
        } else if is_marker(line, "...") {
            documents.push(Document { body: &text[start..at], inline });
            start = at + line.len();
            inline = false;
        }
    }
    documents.push(Document { body: &text[start..], inline });
    documents.into_iter()
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Lines with their places, without their ends; LF, CRLF and CR.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let rest = &text[start..];
        let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len());
        let line = (start, &rest[..end]);
        start += end + if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        Some(line)
    })
}

impl Document<'_> {
    fn root(&self) -> Root {
        if self.inline {
            return events::root(self.body);
        }
        let mut scan = Scan::default();
        for (_, line) in lines(self.body) {
            if scan.line(line) == Flow::AskParser {
                let template = scan.root.template;
                return Root { template, ..events::root(self.body) };
            }
        }
        // A quote that never closes was none: it stood in a plain scalar.
        if scan.quote.is_some() {
            let template = scan.root.template;
            return Root { template, ..events::root(self.body) };
        }
        scan.root
    }
}

#[derive(PartialEq, Eq)]
enum Flow {
    Go,
    AskParser,
}

/// The state between lines.
#[derive(Default)]
struct Scan {
    root: Root,
    indent: Option<usize>,
    /// In a block scalar whose key stands at this column.
    block: Option<usize>,
    /// In a quoted scalar that goes over lines.
    quote: Option<char>,
    /// In a template action that goes over lines.
    action: bool,
}

impl Scan {
    fn line(&mut self, line: &str) -> Flow {
        let text = line.trim_start_matches(' ');
        let column = line.len() - text.len();
        let trimmed = text.trim();
        if let Some(quote) = self.quote {
            self.quote = if closes(line, quote) { None } else { Some(quote) };
            return Flow::Go;
        }
        if self.action {
            self.action = !trimmed.contains("}}");
            return Flow::Go;
        }
        if trimmed.is_empty() || self.block.is_some_and(|key| column > key) {
            return Flow::Go;
        }
        self.block = None;
        if trimmed.starts_with('#') || (self.indent.is_none() && line.starts_with('%')) {
            return Flow::Go;
        }
        if is_plain_action(trimmed) {
            self.root.template = true;
        }
        if trimmed.starts_with("{{") {
            self.action = !trimmed.contains("}}");
            return Flow::Go;
        }
        let (quote, block) = ends_open(trimmed);
        self.quote = quote;
        if block {
            self.block = Some(column + dashes(trimmed));
        }
        let root = *self.indent.get_or_insert(column);
        if column != root {
            return Flow::Go;
        }
        if trimmed.starts_with(['{', '?', '!', '&', '*', '[']) || trimmed.starts_with("<<:") {
            return Flow::AskParser;
        }
        self.key(trimmed)
    }

    fn key(&mut self, text: &str) -> Flow {
        let Some((key, value)) = key_value(text) else { return Flow::Go };
        match key {
            "apiVersion" | "kind" => {
                let Some(value) = scalar(value) else { return Flow::AskParser };
                let place = if key == "kind" { &mut self.root.kind } else { &mut self.root.api_version };
                *place = value;
            }
            "metadata" => {
                let value = value.split(" #").next().unwrap_or_default().trim();
                self.root.metadata = value.is_empty()
                    || value.starts_with(['{', '&', '*', '!', '#', '~'])
                    || value.eq_ignore_ascii_case("null");
            }
            "spec" => self.root.spec = true,
            "items" => self.root.items = true,
            "clusters" | "users" | "contexts" => self.root.kubeconfig = true,
            _ => {}
        }
        Flow::Go
    }
}

/// How far right of `- - key: |` its block's parent stands: the key, or the last dash of `- - |`.
fn dashes(text: &str) -> usize {
    let mut rest = text;
    let mut last = 0;
    while let Some(inner) = rest.strip_prefix("- ") {
        last = text.len() - rest.len();
        rest = inner.trim_start();
    }
    if rest.starts_with(['|', '>']) { last } else { text.len() - rest.len() }
}

fn key_value(text: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (key, rest) = rest.split_once(quote)?;
            return Some((key, rest.trim_start().strip_prefix(':')?));
        }
    }
    let at = text.find(':')?;
    let rest = &text[at + 1..];
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| (text[..at].trim_end(), rest))
}

/// A value on the line of its key: `Some(None)` where it is no text, `None` where only a parser can tell.
#[expect(clippy::option_option, reason = "no text and not known are two answers")]
fn scalar(value: &str) -> Option<Option<String>> {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            let (inner, _) = rest.split_once(quote)?;
            return if inner.contains('\\') { None } else { Some((!inner.is_empty()).then(|| inner.to_owned())) };
        }
    }
    if value.is_empty()
        || value.starts_with(['#', '&', '*', '!', '|', '>', '['])
        || (value.starts_with('{') && !value.starts_with("{{"))
    {
        return None;
    }
    let end = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    let plain = value[..end].trim();
    Some(is_text(plain).then(|| plain.to_owned()))
}

/// Whether a plain scalar is a string, not a number, a truth or null.
pub(super) fn is_text(plain: &str) -> bool {
    let words = ["null", "Null", "NULL", "~", "true", "True", "TRUE", "false", "False", "FALSE", ""];
    !words.contains(&plain) && plain.parse::<f64>().is_err()
}

/// Whether an action stands where YAML has a value of its own: at the start, after `- `, right after `key: `, or first in a flow list.
fn is_plain_action(text: &str) -> bool {
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix("- ") {
        rest = inner.trim_start();
    }
    if rest.starts_with("{{") {
        return true;
    }
    if rest.starts_with(['"', '\'']) && key_value(rest).is_none() {
        return false;
    }
    let Some((_, value)) = key_value(rest) else { return false };
    let value = value.trim_start();
    let value = value.strip_prefix('[').map_or(value, str::trim_start);
    value.starts_with("{{")
}

/// Whether a line leaves a quoted scalar open, and whether it opens a block scalar.
fn ends_open(text: &str) -> (Option<char>, bool) {
    let mut quote: Option<char> = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    let mut end = text.len();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some('"') if c == '\\' => {
                chars.next();
            }
            Some('\'') if c == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            None if c == '#' && before.is_whitespace() => {
                end = at;
                break;
            }
            None if (c == '"' || c == '\'') && starts_value(&text[..at]) => quote = Some(c),
            Some(_) | None => {}
        }
        before = c;
    }
    (quote, quote.is_none() && opens_block(text[..end].trim_end()))
}

/// Whether what stands before a quote lets it open a scalar: a plain scalar may hold quotes.
fn starts_value(before: &str) -> bool {
    let mut value = before.trim_start();
    while let Some(rest) = value.strip_prefix("- ").or_else(|| value.strip_prefix("? ")) {
        value = rest.trim_start();
    }
    if !value.starts_with(['[', '{', '"', '\'']) {
        value = key_value(value).map_or(value, |(_, value)| value).trim_start();
    }
    while value.starts_with(['&', '!']) {
        value = value.split_once([' ', '\t']).map_or("", |(_, rest)| rest).trim_start();
    }
    value.is_empty()
        || (!value.starts_with("{{")
            && value.starts_with(['[', '{', '"', '\''])
            && value.trim_end().ends_with([':', '[', '{', ',']))
}

/// `key: |`, `- >-`, `key: &a !!str |2+`.
fn opens_block(text: &str) -> bool {
    let last = text.rsplit([' ', '\t']).next().unwrap_or_default();
    let before = text[..text.len() - last.len()].trim_end();
    let indicator =
        last.strip_prefix(['|', '>']).is_some_and(|rest| rest.len() <= 2 && rest.chars().all(|c| "+-123456789".contains(c)));
    let word = before.rsplit([' ', '\t']).next().unwrap_or_default();
    indicator && (before.is_empty() || before.ends_with([':', '-']) || word.starts_with(['&', '!']))
}

/// Whether a line closes a scalar that was opened with `quote` on a line before.
fn closes(line: &str, quote: char) -> bool {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if quote == '"' && c == '\\' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek() == Some(&'\'') {
                chars.next();
            } else {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_their_fate() {
        use Content::{Manifest, Other, Template, ToolConfig};
        let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";
        let cases = [
            (pod.to_owned(), Manifest),
            (pod.replace('\n', "\r\n"), Manifest),
            (pod.replace('\n', "\r"), Manifest),
            (format!("\u{feff}%YAML 1.2\n--- # c\n{pod}"), Manifest),
            (format!("a: 1\n---\t\n{pod}"), Manifest),
            (format!("a: 1\n--- x\n...\n{pod}"), Manifest),
            ("  kind: 'Pod' # c\n  \"apiVersion\": \"v1\"\n  spec: {}\n".to_owned(), Manifest),
            ("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {}}".to_owned(), Manifest),
            ("--- {apiVersion: v1, kind: Pod, metadata: {}}".to_owned(), Manifest),
            ("x: &v v1\napiVersion: *v\nkind: Pod\nmetadata: null\n".to_owned(), Manifest),
            ("apiVersion: v1\nkind: List\nitems: []\n".to_owned(), Manifest),
            ("apiVersion: v1\nkind: Pod\nstatus: {}\n".to_owned(), Other),
            ("apiVersion: 1\nkind: Pod\nspec: {}\n".to_owned(), Other),
            ("apiVersion: v1\nkind: null\nspec: {}\n".to_owned(), Other),
            ("a:\n  apiVersion: v1\n  kind: Pod\n  spec: {}\n".to_owned(), Other),
            ("- apiVersion: v1\n  kind: Pod\n  spec: {}\n".to_owned(), Other),
            (format!("a: |\n  {}", pod.replace('\n', "\n  ")), Other),
            (format!("{pod}broken: [\n"), Manifest),
            ("apiVersion: v1\nkind: Config\nclusters: []\nmetadata: {}\n".to_owned(), ToolConfig),
            (format!("{pod}spec: {{{{ .Values.spec }}}}\n"), Template),
            (format!("{{{{- if .x }}}}\n{pod}{{{{- end }}}}\n"), Template),
            (format!("{pod}spec:\n  args: [{{{{ x }}}}]\n"), Template),
            (
                format!("{pod}spec:\n  a: \"{{{{ x }}}}\"\n  b: step-{{{{x}}}}\n  # {{{{ c }}}}\n  d: |\n    {{{{ x }}}}\n"),
                Manifest,
            ),
            (format!("{pod}spec:\n  - >-\n    {{{{ x }}}}\n  - b: |\n      {{{{ x }}}}\n"), Manifest),
            (format!("{{{{- /*\n*/ -}}}}\n{pod}  a: {{{{ x }}}}\n"), Template),
            (format!("{pod}spec:\n  a: \"x\n{{{{ y }}}}\n  z\"\n"), Manifest),
            (format!("{pod}spec: {{{{ a }}}}\n---\n{pod}"), Manifest),
            (
                "apiVersion: v1\nmetadata:\n  annotations:\n    d: for users, 'tis fine\nkind: Pod\nspec: {}\n".to_owned(),
                Manifest,
            ),
            ("apiVersion: v1\nmetadata:\n  d: some text\n      \"quoted start\nkind: Pod\n".to_owned(), Manifest),
            ("base: &m {a: b}\n<<: *m\napiVersion: v1\nkind: Pod\nmetadata: {}\n".to_owned(), Manifest),
            ("{x: &m {a: b}, apiVersion: v1, metadata: *m, kind: Pod}".to_owned(), Manifest),
            (format!("{pod}spec:\n  a: !x \"multi\n    {{{{ x }}}}\n    b\"\n"), Manifest),
            ("a\0b".to_owned(), Other),
        ];
        for (text, expected) in cases {
            assert_eq!(content(text.as_bytes()), expected, "{text:?}");
        }
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(pod.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(content(&wide), Manifest);
    }

    #[test]
    fn secrets_are_named() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: n}\n---\napiVersion: v1\nkind: List\nitems:\n\
                    - kind: Secret\n  metadata:\n    name: b\n- kind: Secret\n- kind: ConfigMap\n  data: {kind: Secret}\n";
        assert_eq!(secrets(text.as_bytes()), ["n/a", "b", "(unnamed)"]);
    }
}
