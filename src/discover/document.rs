//! A scan over the lines of one YAML document that builds no tree.
//!
//! It follows just enough of YAML (indentation, block scalars, quotes, flow collections) to know which keys stand at the
//! root and where `{{` is a template action rather than text.

use memchr::{memchr, memmem};

use super::kubernetes::is_marker;

/// A scalar at the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scalar<'a> {
    pub(super) text: &'a [u8],
    pub(super) plain: bool,
}

/// What is known of `metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    Absent,
    /// Its value, if any, stands on the next lines.
    Pending,
    MappingOrNull,
    Other,
}

/// What goes on beyond the end of a line.
#[derive(Debug, Clone, Copy)]
enum Open {
    Nothing,
    /// A block scalar: all lines indented more than this.
    Block(isize),
    /// A plain scalar: all lines indented more than this.
    Plain(isize),
    /// A quoted scalar.
    Quote(u8),
    /// A flow collection of this depth, with the quote that is open in it.
    Flow(usize, Option<u8>),
    /// A template action.
    Action,
}

/// What the lines of one document say.
#[expect(clippy::struct_excessive_bools, reason = "each says whether one thing was met")]
pub(super) struct Document<'a> {
    /// The indentation of the root's keys.
    base: Option<isize>,
    open: Open,
    pub(super) api_version: Option<Scalar<'a>>,
    pub(super) kind: Option<Scalar<'a>>,
    pub(super) metadata: Metadata,
    pub(super) spec: bool,
    pub(super) items: bool,
    pub(super) kubeconfig: bool,
    /// A template action stands where YAML has none.
    pub(super) template: bool,
    /// The root is written so that only a parser can read it.
    pub(super) needs_parser: bool,
}

impl<'a> Document<'a> {
    pub(super) fn read(text: &'a [u8]) -> Self {
        let mut document = Self {
            base: None,
            open: Open::Nothing,
            api_version: None,
            kind: None,
            metadata: Metadata::Absent,
            spec: false,
            items: false,
            kubeconfig: false,
            template: false,
            needs_parser: false,
        };
        let mut rest = text;
        if is_marker(text) {
            let end = memchr(b'\n', text).unwrap_or(text.len());
            document.marker(text[3..end].trim_ascii());
            rest = &text[end..];
        }
        for line in memchr::memchr_iter(b'\n', rest).chain([rest.len()]).scan(0, |from, at| {
            let line = &rest[*from..at];
            *from = at + 1;
            Some(line)
        }) {
            document.line(line);
        }
        document
    }

    /// What follows `---` on its line.
    fn marker(&mut self, content: &'a [u8]) {
        if !content.is_empty() && !content.starts_with(b"#") {
            self.value(content, -1);
            self.needs_parser = !self.template;
        }
    }

    fn line(&mut self, line: &'a [u8]) {
        let spaces = line.iter().take_while(|b| **b == b' ').count();
        let body = line[spaces..].trim_ascii();
        if body.is_empty() {
            return;
        }
        let indent = spaces.cast_signed();
        if self.goes_on(indent, body) || body[0] == b'#' {
            return;
        }
        if self.action(body) {
            return;
        }
        let (dashes, at, body) = strip_dashes(indent, body);
        if self.metadata == Metadata::Pending && Some(indent) >= self.base {
            self.metadata = if dashes.is_some() { Metadata::Other } else { Metadata::MappingOrNull };
        }
        if self.action(body) {
            return;
        }
        let base = match self.base {
            Some(base) => base,
            None => {
                if self.starts_root(dashes.is_some(), body) {
                    indent
                } else {
                    isize::MAX
                }
            }
        };
        self.base = Some(base);
        if body.is_empty() {
            return;
        }
        let at_root = dashes.is_none() && indent == base;
        if self.template && !at_root {
            return;
        }
        self.needs_parser |= at_root && matches!(body, [b'?'] | [b'?', b' ' | b'\t', ..]);
        match split_key(body) {
            Some((key, value)) if at_root => self.root_key(key, value, at),
            Some((_, value)) => self.value(value, at),
            None => self.value(body, dashes.unwrap_or(at - 1)),
        }
    }

    /// Whether the line belongs to what an earlier one opened.
    fn goes_on(&mut self, indent: isize, body: &[u8]) -> bool {
        match self.open {
            Open::Block(parent) if indent > parent => return true,
            Open::Plain(parent) if indent > parent => {
                self.template |= body.starts_with(b"{{");
                return true;
            }
            Open::Quote(quote) => {
                if closing_quote(body, quote).is_some() {
                    self.open = Open::Nothing;
                }
                return true;
            }
            Open::Flow(depth, quote) => {
                self.flow(body, depth, quote);
                return true;
            }
            Open::Action => {
                if memmem::find(body, b"}}").is_some() {
                    self.open = Open::Nothing;
                }
                return true;
            }
            Open::Nothing | Open::Block(_) | Open::Plain(_) => self.open = Open::Nothing,
        }
        false
    }

    /// Takes a template action at the start of `body`, if there is one.
    fn action(&mut self, body: &[u8]) -> bool {
        let found = body.starts_with(b"{{");
        if found {
            self.template = true;
            self.open = if memmem::find(body, b"}}").is_some() { Open::Nothing } else { Open::Action };
        }
        found
    }

    /// Whether the first line of a document starts a mapping that the line scan can read.
    fn starts_root(&mut self, dash: bool, body: &[u8]) -> bool {
        if dash || body[0] == b'[' {
            return false;
        }
        let parser = matches!(body[0], b'{' | b'?' | b'!' | b'&' | b'*');
        self.needs_parser |= parser;
        !parser && split_key(body).is_some()
    }

    fn root_key(&mut self, key: Scalar<'a>, value: &'a [u8], indent: isize) {
        if !key.plain && memchr(b'\\', key.text).is_some() {
            self.needs_parser = true;
        }
        match key.text {
            b"apiVersion" if self.api_version.is_none() => self.api_version = self.scalar(value),
            b"kind" if self.kind.is_none() => self.kind = self.scalar(value),
            b"metadata" => {
                self.metadata = match strip_comment(value) {
                    b"" => Metadata::Pending,
                    b"null" | b"Null" | b"NULL" | b"~" | [b'{', ..] => Metadata::MappingOrNull,
                    [b'*' | b'&' | b'!', ..] => {
                        self.needs_parser = true;
                        Metadata::MappingOrNull
                    }
                    _ => Metadata::Other,
                }
            }
            b"spec" => self.spec = true,
            b"items" => self.items = true,
            b"clusters" | b"users" | b"contexts" => self.kubeconfig = true,
            b"<<" => self.needs_parser = true,
            _ => {}
        }
        self.value(value, indent);
    }

    /// The value of `apiVersion` or `kind`, where it stands plainly on the line of its key.
    fn scalar(&mut self, value: &'a [u8]) -> Option<Scalar<'a>> {
        let value = value.trim_ascii();
        match value.first() {
            Some(quote @ (b'"' | b'\'')) => {
                let end = closing_quote(&value[1..], *quote).map(|end| &value[1..=end]);
                let simple = end.filter(|text| memchr::memchr2(b'\\', b'\'', text).is_none());
                self.needs_parser |= simple.is_none();
                simple.map(|text| Scalar { text, plain: false })
            }
            None | Some(b'#' | b'|' | b'>' | b'*' | b'&' | b'!' | b'[') => {
                self.needs_parser = true;
                None
            }
            Some(b'{') if !value.starts_with(b"{{") => {
                self.needs_parser = true;
                None
            }
            Some(_) => {
                let text = strip_comment(value);
                self.template |= memmem::find(text, b"{{").is_some();
                Some(Scalar { text, plain: true })
            }
        }
    }

    /// Reads a value far enough to know what goes on beyond its line. `parent` is the indentation of what it belongs to.
    fn value(&mut self, value: &[u8], parent: isize) {
        let mut value = value.trim_ascii();
        while let [b'&' | b'!', ..] = value {
            let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
            value = value[end..].trim_ascii();
        }
        if self.action(value) {
            return;
        }
        match value {
            [] | [b'#' | b'*', ..] => {}
            [b'|' | b'>', header @ ..] => {
                let indicators = header.iter().take_while(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')).count();
                let rest = header[indicators..].trim_ascii();
                let is_block = rest.is_empty() || (rest.starts_with(b"#") && header[indicators].is_ascii_whitespace());
                self.open = if is_block { Open::Block(parent) } else { Open::Plain(parent) };
            }
            [quote @ (b'"' | b'\''), rest @ ..] => {
                if closing_quote(rest, *quote).is_none() {
                    self.open = Open::Quote(*quote);
                }
            }
            [b'[' | b'{', ..] => self.flow(value, 0, None),
            _ => self.open = Open::Plain(parent),
        }
    }

    /// Reads a line of a flow collection that was entered to `depth`, with `quote` open.
    fn flow(&mut self, line: &[u8], mut depth: usize, mut quote: Option<u8>) {
        let mut at = 0;
        let mut starts_node = true;
        while at < line.len() {
            if let Some(open) = quote {
                let Some(end) = closing_quote(&line[at..], open) else { break };
                at += end + 1;
                quote = None;
                continue;
            }
            if starts_node && line[at..].starts_with(b"{{") {
                self.template = true;
                self.open = Open::Nothing;
                return;
            }
            match line[at] {
                b @ (b'"' | b'\'') if starts_node => quote = Some(b),
                b'#' if at == 0 || line[at - 1].is_ascii_whitespace() => break,
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            starts_node = matches!(line[at], b'[' | b'{' | b',' | b':') || (starts_node && line[at].is_ascii_whitespace());
            at += 1;
            if depth == 0 {
                self.open = Open::Nothing;
                return;
            }
        }
        self.open = Open::Flow(depth, quote);
    }
}

/// Takes `- ` off: the indentation of the last dash, if any, and of what follows it.
fn strip_dashes(indent: isize, body: &[u8]) -> (Option<isize>, isize, &[u8]) {
    let mut dash = None;
    let mut at = indent;
    let mut rest = body;
    while let [b'-', after @ ..] = rest {
        if !after.first().is_none_or(u8::is_ascii_whitespace) {
            break;
        }
        dash = Some(at);
        rest = after.trim_ascii_start();
        at += 1 + (after.len() - rest.len()).cast_signed();
    }
    (dash, at, rest)
}

/// Splits `key: value`.
fn split_key(body: &[u8]) -> Option<(Scalar<'_>, &[u8])> {
    if let [quote @ (b'"' | b'\''), rest @ ..] = body {
        let end = closing_quote(rest, *quote)?;
        let value = rest[end + 1..].trim_ascii_start().strip_prefix(b":")?;
        return value
            .first()
            .is_none_or(u8::is_ascii_whitespace)
            .then_some((Scalar { text: &rest[..end], plain: false }, value));
    }
    if matches!(body[0], b'[' | b'{' | b'#' | b'|' | b'>' | b'&' | b'!' | b'*') {
        return None;
    }
    let colon = memchr::memchr_iter(b':', body).find(|at| body.get(at + 1).is_none_or(u8::is_ascii_whitespace))?;
    let key = body[..colon].trim_ascii_end();
    memmem::find(key, b" #").is_none().then(|| (Scalar { text: key, plain: true }, &body[colon + 1..]))
}

/// Where the quoted scalar that `text` is the inside of ends.
fn closing_quote(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr::memchr2(quote, b'\\', &text[at..]) {
        at += found;
        let escaped = if quote == b'"' { text[at] == b'\\' } else { text[at] == quote && text.get(at + 1) == Some(&quote) };
        if escaped {
            at = (at + 2).min(text.len());
        } else if text[at] == quote {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

fn strip_comment(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let comment = memchr::memchr_iter(b'#', value).find(|at| *at == 0 || value[at - 1].is_ascii_whitespace());
    comment.map_or(value, |at| value[..at].trim_ascii_end())
}
