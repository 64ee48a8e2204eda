//! Credentials in a manifest: whole scalars whose key tells, or the `name` beside their `value`; text in all the others.

use std::ops::Range;

use super::dockerfile::password;
use super::joined::Joined;
use super::value::{self, Reader};
use super::{names, scan};
use crate::yaml::{self, Id, Tree, Value};

/// The spans of credentials.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let tree = yaml::read(text);
    let mut manifest = Manifest { text, tree: &tree, places: Vec::new(), spans: Vec::new() };
    manifest.places = manifest.contents();
    for id in tree.ids() {
        manifest.node(id);
    }
    manifest.rest();
    manifest.spans
}

struct Manifest<'a> {
    text: &'a str,
    tree: &'a Tree<'a>,
    /// The bytes of each scalar's text, by node; empty for what is none, or stands where the file is no YAML.
    places: Vec<Range<usize>>,
    spans: Vec<Range<usize>>,
}

impl Manifest<'_> {
    fn contents(&self) -> Vec<Range<usize>> {
        let chars: Vec<char> = self.text.chars().collect();
        let mut bytes: Vec<usize> = self.text.char_indices().map(|(at, _)| at).collect();
        bytes.push(self.text.len());
        let byte = |position: usize| bytes.get(position).copied().unwrap_or(self.text.len());
        let content = |node: &yaml::Node<'_>| match node.value {
            Value::Scalar { style, bare, .. } if !self.is_broken(node.start) => {
                let content = yaml::content(&chars, &(node.start..node.end), style, bare);
                byte(content.start)..byte(content.end.max(content.start))
            }
            _ => 0..0,
        };
        self.tree.nodes.iter().map(content).collect()
    }

    fn is_broken(&self, position: usize) -> bool {
        let broken = &self.tree.broken;
        let next = broken.partition_point(|broken| broken.end <= position);
        broken.get(next).is_some_and(|broken| broken.start <= position)
    }

    fn node(&mut self, id: Id) {
        let node = self.tree.node(id);
        match &node.value {
            Value::Mapping(keys) => self.mapping(keys),
            Value::Sequence(items) => self.sequence(items),
            Value::Scalar { .. } => {
                if let Some(place) = self.places.get(id.index()).cloned().filter(|place| !place.is_empty()) {
                    self.spans.extend(scan::within(self.text, place));
                }
            }
            Value::Alias(_) => {}
        }
    }

    fn mapping(&mut self, keys: &[Id]) {
        let tree = self.tree;
        let mut telling = None;
        for key in keys {
            let (Some(name), Some(held)) = (tree.text(*key), tree.node(*key).held) else { continue };
            if names::is_secret(name) || names::is_dsn(name) {
                self.hide(name, held);
                // Values of charts say more of one: `{value: X, description: …}`.
                for key in ["value", "default"] {
                    if let Some(value) = tree.get(held, key) {
                        self.hide(name, value);
                    }
                }
            }
            if matches!(name, "name" | "key") {
                telling = telling.or(tree.text(held).filter(|name| names::is_secret(name) || names::is_dsn(name)));
            }
        }
        let Some(name) = telling else { return };
        for key in keys.iter().filter(|key| matches!(tree.text(**key), Some("value" | "default"))) {
            if let Some(held) = tree.node(*key).held {
                self.hide(name, held);
            }
        }
    }

    /// The words of a command: what stands behind a telling switch, and what a tool takes.
    fn sequence(&mut self, items: &[Id]) {
        let tree = self.tree;
        for pair in items.windows(2) {
            let [switch, next] = pair else { continue };
            let name =
                tree.text(*switch).and_then(|switch| switch.strip_prefix('-')).map(|name| name.trim_start_matches('-'));
            let is_value = tree.text(*next).is_some_and(|next| !next.starts_with('-'));
            if let Some(name) = name.filter(|name| is_value && !name.contains(['=', ' ']) && names::is_secret(name)) {
                self.hide(name, *next);
            }
        }
        let mut command = Joined::of(self.text, &[]);
        for place in items.iter().filter_map(|item| self.places.get(item.index())).filter(|place| !place.is_empty()) {
            command.push(self.text, place.clone());
            command.text.push(' ');
        }
        self.spans.extend(scan::spans(&command.text).iter().flat_map(|span| command.back(span)));
    }

    /// Hides a scalar, or those of a list, with what the name says of it.
    fn hide(&mut self, name: &str, id: Id) {
        let id = self.tree.content(id);
        let items = self.tree.items(id).iter().map(|item| self.tree.content(*item));
        for id in items.chain([id]).collect::<Vec<_>>() {
            let Some(place) = self.places.get(id.index()).cloned() else { continue };
            let Some(text) = self.text.get(place.clone()) else { continue };
            let hidden = if names::is_dsn(name) { password(text) } else { value::hidden(name, text, Reader::Kubernetes) };
            self.spans.extend(hidden.map(|hidden| place.start + hidden.start..place.start + hidden.end));
        }
    }

    /// Comments between scalars, and documents that are no YAML.
    fn rest(&mut self) {
        let mut places: Vec<Range<usize>> = self.places.iter().filter(|place| !place.is_empty()).cloned().collect();
        places.sort_by_key(|place| place.start);
        places.push(self.text.len()..self.text.len());
        let mut at = 0;
        for place in places {
            let between = self.text.get(at..place.start).unwrap_or_default();
            if between.contains('#') || !self.tree.broken.is_empty() {
                self.spans.extend(scan::within(self.text, at..place.start));
            }
            at = at.max(place.end);
        }
    }
}
