//! Reads what is no YAML, a template above all, into a tree by its indentation: one key or item a line, no flow style, no
//! anchors. Better a place that is nearly right than none.

use std::borrow::Cow;

use saphyr_parser::ScalarStyle;

use super::read::{MAX_DEPTH, is_boundary};
use super::tree::{Id, Tree, Value};

/// Reads text that starts at a position of the file.
pub(super) fn read<'t>(tree: &mut Tree<'t>, text: &'t str, base: usize) {
    let mut reader = Reader { tree, stack: Vec::new(), open: None, block: None };
    let mut position = base;
    for line in text.split_inclusive('\n') {
        reader.line(line.trim_end(), position);
        position += line.chars().count();
    }
}

struct Reader<'a, 't> {
    tree: &'a mut Tree<'t>,
    /// The collections that are open, with their indentation.
    stack: Vec<(usize, Id)>,
    /// The last value, which the next lines may make a collection.
    open: Option<Id>,
    /// The indentation of the key of a block scalar, while its text is passed.
    block: Option<usize>,
}

impl<'t> Reader<'_, 't> {
    fn line(&mut self, line: &'t str, position: usize) {
        let mut rest = line.trim_start();
        let mut indent = line.chars().count() - rest.chars().count();
        if is_boundary(line, "---") || is_boundary(line, "...") {
            (self.stack, self.open, self.block) = (Vec::new(), None, None);
            return;
        }
        if rest.is_empty() || self.block.is_some_and(|block| indent > block) || rest.starts_with(['#', '%']) {
            return;
        }
        self.block = None;
        let mut dash = None;
        while let Some(item) = rest.strip_prefix('-').filter(|item| item.is_empty() || item.starts_with([' ', '\t'])) {
            let at = position + indent;
            if !self.enter(indent, false, at) {
                return;
            }
            let next = item.trim_start();
            let step = rest.chars().count() - next.chars().count();
            self.open = self.add(None, (at, at + 1), "");
            dash = Some(indent);
            (rest, indent) = (next, indent + step);
        }
        match split(rest) {
            Some(entry) => self.entry(entry, indent, (position + indent, rest)),
            None => self.text(rest, dash, position + indent),
        }
    }

    /// The text of an item whose dash has this indentation.
    fn text(&mut self, rest: &'t str, dash: Option<usize>, at: usize) {
        let text = bare(rest);
        let Some(node) = dash.and(self.open).and_then(|open| self.tree.get_mut(open)) else { return };
        if !matches!(text, "" | "{" | "[") {
            (node.start, node.end, node.value) = (at, at + text.chars().count(), scalar(unquoted(text)));
            self.open = None;
            self.block = dash.filter(|_| text.starts_with(['|', '>']));
        }
    }

    /// A key and its value, which stand in `rest` at a position.
    fn entry(&mut self, (key, name, value): (&'t str, &'t str, &'t str), indent: usize, (at, rest): (usize, &str)) {
        let chars = |text: &str| text.chars().count();
        if !self.enter(indent, true, at) {
            return;
        }
        let key_node = self.add(None, (at, at + chars(key)), name);
        let start = at + chars(rest) - chars(value.trim_start());
        let value = bare(value);
        let value_node = self.add(key_node, (start, start + chars(value)), unquoted(value));
        self.block = value.starts_with(['|', '>']).then_some(indent);
        self.open = value_node.filter(|_| matches!(value, "" | "{" | "["));
    }

    /// Makes the collection at an indentation the last one that is open; `false` where there can be none.
    fn enter(&mut self, indent: usize, mapping: bool, at: usize) -> bool {
        // The items of a key may stand under it without indentation.
        let is_in = |value: &Value<'_>| matches!(value, Value::Mapping(_)) == mapping;
        while let Some((column, id)) = self.stack.last() {
            let same = is_in(&self.tree.node(*id).value);
            if *column < indent || (*column == indent && (same || (!mapping && self.open.is_some()))) {
                break;
            }
            self.stack.pop();
            self.open = None;
        }
        let last = self.stack.last().copied();
        if let Some((column, id)) = last
            && column == indent
            && is_in(&self.tree.node(id).value)
        {
            return true;
        }
        let value = if mapping { Value::Mapping(Vec::new()) } else { Value::Sequence(Vec::new()) };
        let id = match (last, self.open.take()) {
            (None, _) => {
                let Some(id) = self.tree.add(None, None, (at, at), value) else { return false };
                self.tree.documents.push(id);
                id
            }
            (Some(_), Some(open)) if self.stack.len() < MAX_DEPTH => {
                if let Some(node) = self.tree.get_mut(open) {
                    (node.start, node.end, node.value) = (at, at, value);
                }
                open
            }
            _ => return false,
        };
        self.stack.push((indent, id));
        true
    }

    fn add(&mut self, key: Option<Id>, span: (usize, usize), text: &'t str) -> Option<Id> {
        let (_, parent) = *self.stack.last()?;
        self.tree.add(Some(parent), key, span, scalar(text))
    }
}

fn scalar(text: &str) -> Value<'_> {
    Value::Scalar { text: Cow::Borrowed(text), plain: true, style: ScalarStyle::Plain, bare: true }
}

/// Splits `key: value` into the key as written, its name, and the value.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let quote = text.chars().next().filter(|char| matches!(char, '"' | '\''));
    let from = match quote {
        Some(quote) => text.get(1..)?.find(quote)? + 2,
        None if text.starts_with(['{', '[', '&', '*', '!', '|', '>', '@', '`']) => return None,
        None => 0,
    };
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t', '{', '[']);
    let colons = text.get(from..)?.match_indices(':').map(|(at, _)| from + at);
    let colon = colons.into_iter().find(|at| text.get(at + 1..).is_some_and(ends))?;
    let key = text.get(..colon)?.trim_end();
    (!key.is_empty()).then_some((key, unquoted(key), text.get(colon + 1..)?))
}

/// A value without blanks, comment and the comma of JSON.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let quote = text.chars().next().filter(|char| matches!(char, '"' | '\''));
    let ends = |at: &usize| text.get(at + 1..).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', ',']));
    let end = match quote {
        Some(quote) => text.match_indices(quote).skip(1).map(|(at, _)| at).find(ends).map(|at| at + 1),
        None if text.starts_with('#') => Some(0),
        None => text.find(" #"),
    };
    let text = end.and_then(|end| text.get(..end)).unwrap_or(text).trim_end();
    text.strip_suffix(',').unwrap_or(text)
}

fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}
