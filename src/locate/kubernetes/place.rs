//! From what was found to the span that is shown: one line, and as little of it as says what is meant.

use super::objects::Object;
use super::text::Lines;
use super::walk::Found;
use crate::model::{Location, Precision};
use crate::yaml::{Id, Tree, Value};

/// How far the first entry of the first entry … is looked for.
const MAX_HEADS: usize = 64;

/// The place of what a path led to in an object.
pub(super) fn place(tree: &Tree<'_>, lines: &Lines, object: &Object, found: &Found) -> Location {
    let common = match found.nodes[..] {
        [] => return resource(tree, lines, object),
        [one] => one,
        [first, .., last] => common_parent(tree, first, last),
    };
    let outside = |id: Id| tree.content(id) == object.root || tree.node(id).parent.is_none();
    if found.steps == 0 || outside(common) {
        return resource(tree, lines, object);
    }
    if found.whole && found.nodes.len() == 1 {
        let precision = if found.loose { Precision::Parent } else { Precision::Exact };
        return lines.location(span(tree, lines, common), precision);
    }
    let key = tree.node(common).key.map(|key| (tree.node(key).start(), tree.node(key).end()));
    lines.location(key.unwrap_or_else(|| span(tree, lines, common)), Precision::Parent)
}

/// The name of an object, else its kind, else its start.
fn resource(tree: &Tree<'_>, lines: &Lines, object: &Object) -> Location {
    let name = tree.get(object.root, "metadata").and_then(|metadata| tree.get(metadata, "name"));
    let name = name.filter(|name| tree.text(*name).is_some_and(|text| !text.is_empty())).map(|name| tree.node(name));
    let name = name.map(|name| (name.start(), name.end()));
    let kind = || tree.get(object.root, "kind").map(|kind| span(tree, lines, kind));
    let place = name.or_else(kind).unwrap_or_else(|| head(tree, lines, object.root));
    lines.location(place, Precision::Resource)
}

/// The node that holds two others, the first of which stands before the last.
fn common_parent(tree: &Tree<'_>, first: Id, last: Id) -> Id {
    let mut node = first;
    while tree.node(node).last < last {
        let Some(parent) = tree.node(node).parent else { break };
        node = parent;
    }
    node
}

/// From the key to the end of a value on the same line; of a longer value the key alone. An item has no key: its first entry.
fn span(tree: &Tree<'_>, lines: &Lines, value: Id) -> (usize, usize) {
    let node = tree.node(value);
    let Some(key) = node.key.map(|key| tree.node(key)) else { return head(tree, lines, value) };
    let short = matches!(node.value, Value::Scalar { .. } | Value::Alias(_)) && node.end() > node.start();
    let line = lines.line_of(key.start());
    let same_line = lines.line_of(node.start()) == line && lines.line_of(node.end()) == line;
    (key.start(), if short && same_line { node.end() } else { key.end() })
}

/// The first entry or item of a collection, and of that the first again; a scalar, an alias or an empty one itself.
fn head(tree: &Tree<'_>, lines: &Lines, value: Id) -> (usize, usize) {
    let mut id = value;
    for _ in 0..MAX_HEADS {
        let (Value::Sequence(children) | Value::Mapping(children)) = &tree.node(id).value else { break };
        let Some(first) = children.first() else { break };
        if let Some(held) = tree.node(*first).held {
            return span(tree, lines, held);
        }
        id = *first;
    }
    (tree.node(id).start(), tree.node(id).end())
}

/// The first line of a file that says anything.
pub(super) fn file(text: &str, lines: &Lines) -> Location {
    let says = |line: &str| !line.is_empty() && !line.starts_with(['#', '%']) && line != "---";
    let all = crate::lines::lines(text);
    let first = all.iter().position(|line| says(text[line.clone()].trim())).unwrap_or(0);
    let line = all.get(first).map_or("", |line| &text[line.clone()]);
    let blanks = line.chars().take_while(|char| char.is_whitespace()).count();
    let bounds = lines.bounds(first);
    let end = bounds.0 + line.trim_end().chars().count();
    lines.location(((bounds.0 + blanks).min(end), end), Precision::File)
}
