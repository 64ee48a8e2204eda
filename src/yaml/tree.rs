//! The nodes of a file with their spans. An alias stays an alias: what it stands for is looked up, never copied.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZero;
use std::ops::Range;

use saphyr_parser::ScalarStyle;

/// A node, by its number. Numbers follow the text: what a node holds comes after it, up to its `last`. A file of a megabyte may have a
/// million nodes, so they are kept small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(NonZero<u32>);

impl Id {
    /// Of the node at this place; `None` beyond what any file that is read has.
    fn at(index: usize) -> Option<Self> {
        u32::try_from(index + 1).ok().and_then(NonZero::new).map(Self)
    }

    /// The place of the node in the tree's list.
    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What may be merged into a mapping, one thing into the other counted; more than any real file needs.
const MAX_MERGES: usize = 256;
/// What may be merged in a whole file, counted in the same way for each of its mappings.
const MAX_ALL_MERGES: usize = 1 << 16;

/// What a node is.
#[derive(Debug)]
pub(crate) enum Value<'t> {
    Scalar {
        text: Cow<'t, str>,
        /// Whether neither quotes, block style nor a tag make it a string.
        plain: bool,
        /// How it is written.
        style: ScalarStyle,
        /// Whether it has neither anchor nor tag.
        bare: bool,
    },
    Sequence(Vec<Id>),
    /// The keys.
    Mapping(Vec<Id>),
    /// What it stands for, where that is known.
    Alias(Option<Id>),
}

/// A node as it is written.
#[derive(Debug)]
pub(crate) struct Node<'t> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) parent: Option<Id>,
    /// The key that this is the value of.
    pub(crate) key: Option<Id>,
    /// The value that this is the key of.
    pub(crate) held: Option<Id>,
    /// The last node in it.
    pub(crate) last: Id,
    pub(crate) value: Value<'t>,
}

/// All documents of a file.
#[derive(Debug, Default)]
pub(crate) struct Tree<'t> {
    pub(crate) nodes: Vec<Node<'t>>,
    /// The root of each document.
    pub(crate) documents: Vec<Id>,
    /// Where it is no YAML that the parser takes, and was read line by line.
    pub(crate) broken: Vec<Range<usize>>,
    /// All keys, by mapping and text.
    by_mapping: Vec<Id>,
    /// All keys, by text.
    by_text: Vec<Id>,
    /// What is merged into a mapping, each once, the nearest first.
    merges: HashMap<Id, Vec<Id>>,
    merges_too_much: bool,
}

impl<'t> Tree<'t> {
    /// Adds a node; `key` is the key that it is the value of.
    pub(crate) fn add(&mut self, parent: Option<Id>, key: Option<Id>, span: (usize, usize), value: Value<'t>) -> Option<Id> {
        let id = Id::at(self.nodes.len())?;
        self.nodes.push(Node { start: span.0, end: span.1, parent, key, held: None, last: id, value });
        if let Some(node) = key.and_then(|key| self.get_mut(key)) {
            node.held = Some(id);
            return Some(id);
        }
        let value = parent.and_then(|parent| self.get_mut(parent)).map(|node| &mut node.value);
        if let Some(Value::Sequence(children) | Value::Mapping(children)) = value {
            children.push(id);
        }
        Some(id)
    }

    /// A node that is still to be changed.
    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut Node<'t>> {
        self.nodes.get_mut(id.index())
    }

    /// Every node, in the order of the text.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = Id> + use<> {
        (0..self.nodes.len()).filter_map(Id::at)
    }

    /// A node and all that it holds, in the order of the text.
    pub(crate) fn within(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        (id.index()..=self.node(id).last.index()).filter_map(Id::at)
    }

    /// Makes the tree ready to be asked.
    pub(crate) fn finish(mut self) -> Self {
        for id in self.ids().rev() {
            let Node { parent: Some(parent), last, end, .. } = *self.node(id) else { continue };
            if let Some(parent) = self.get_mut(parent) {
                parent.last = parent.last.max(last);
                parent.end = parent.end.max(end);
            }
        }
        let mut keys: Vec<Id> = self.ids().filter(|id| self.node(*id).held.is_some()).collect();
        keys.sort_by(|a, b| self.text(*a).cmp(&self.text(*b)).then(a.cmp(b)));
        self.by_text.clone_from(&keys);
        keys.sort_by_key(|id| self.node(*id).parent);
        self.by_mapping = keys;
        self.merge();
        self
    }

    /// Looks up what is merged into each mapping.
    fn merge(&mut self) {
        let mut sources: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        for id in self.ids() {
            let Node { parent: Some(parent), held: Some(held), ref value, .. } = *self.node(id) else { continue };
            if matches!(value, Value::Scalar { text, plain: true, .. } if text == "<<") {
                let held = if self.items(held).is_empty() { vec![held] } else { self.items(held).to_vec() };
                let sources = sources.entry(parent).or_default();
                sources.extend(held.into_iter().take(MAX_MERGES.saturating_sub(sources.len())));
            }
        }
        let mut left = MAX_ALL_MERGES;
        for (mapping, direct) in &sources {
            if left == 0 {
                self.merges_too_much = true;
                break;
            }
            let mut merged = self.merged(*mapping, &sources);
            self.merges_too_much |= direct.len().max(merged.len() + 1) >= MAX_MERGES || merged.len() > left;
            merged.truncate(left);
            left -= merged.len();
            self.merges.insert(*mapping, merged);
        }
    }

    fn merged(&self, mapping: Id, sources: &BTreeMap<Id, Vec<Id>>) -> Vec<Id> {
        let mut open = vec![mapping];
        let mut seen = HashSet::new();
        let mut merged = Vec::new();
        while let Some(next) = open.pop().filter(|_| merged.len() < MAX_MERGES) {
            if seen.insert(next) {
                merged.push(next);
                open.extend(sources.get(&next).into_iter().flatten().rev().map(|id| self.content(*id)));
            }
        }
        merged.split_off(1)
    }

    /// Whether so much is merged somewhere that not all of it is looked at.
    pub(crate) fn merges_too_much(&self) -> bool {
        self.merges_too_much
    }

    /// A node. Its number is from this tree, which loses none once it is finished.
    pub(crate) fn node(&self, id: Id) -> &Node<'t> {
        &self.nodes[id.index()]
    }

    /// The node itself, or what it stands for.
    pub(crate) fn content(&self, id: Id) -> Id {
        match self.node(id).value {
            Value::Alias(Some(target)) => target,
            _ => id,
        }
    }

    /// The value behind a node.
    pub(crate) fn value(&self, id: Id) -> &Value<'t> {
        &self.node(self.content(id)).value
    }

    /// The text of a scalar.
    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        if let Value::Scalar { text, .. } = self.value(id) { Some(text) } else { None }
    }

    /// The text of a scalar behind a key, where it is neither empty nor null.
    pub(crate) fn text_of(&self, mapping: Id, key: &str) -> Option<&str> {
        let Value::Scalar { text, plain, .. } = self.value(self.get(mapping, key)?) else { return None };
        let null = text.is_empty() || (*plain && matches!(&**text, "~" | "null"));
        (!null).then_some(text)
    }

    /// The items of a sequence, none of anything else.
    pub(crate) fn items(&self, id: Id) -> &[Id] {
        if let Value::Sequence(items) = self.value(id) { items } else { &[] }
    }

    pub(crate) fn is_mapping(&self, id: Id) -> bool {
        matches!(self.value(id), Value::Mapping(_))
    }

    /// The value of a key: the last of several; a mapping's own before what is merged into it.
    pub(crate) fn get(&self, mapping: Id, key: &str) -> Option<Id> {
        let own = self.own(self.content(mapping), key);
        own.or_else(|| self.mappings(mapping).skip(1).find_map(|mapping| self.own(mapping, key)))
    }

    /// Whether a mapping has a key that starts like this.
    pub(crate) fn has_start(&self, mapping: Id, start: &str) -> bool {
        self.mappings(mapping).any(|mapping| {
            let place = |id: Id| (self.node(id).parent, self.text(id));
            let at = self.by_mapping.partition_point(|id| place(*id) < (Some(mapping), Some(start)));
            let next = self.by_mapping.get(at).filter(|id| self.node(**id).parent == Some(mapping));
            next.and_then(|id| self.text(*id)).is_some_and(|key| key.starts_with(start))
        })
    }

    /// The values of the keys, in the order of the text, merged ones last; `most` keys are looked at.
    pub(crate) fn members(&self, mapping: Id, most: usize) -> Vec<Id> {
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        let mut left = most;
        for mapping in self.mappings(mapping) {
            let Value::Mapping(keys) = self.value(mapping) else { continue };
            let merged = self.merges.contains_key(&mapping);
            members.extend(keys.iter().take(left).filter_map(|key| {
                let text = self.text(*key);
                let value = text.map_or(self.node(*key).held, |text| self.own(mapping, text))?;
                let is_merge = merged && text == Some("<<");
                (!is_merge && text.is_none_or(|text| seen.insert(text))).then_some(value)
            }));
            left = left.saturating_sub(keys.len());
        }
        members
    }

    /// The mappings with such a key among a node and all that it holds.
    pub(crate) fn holders<'a>(&'a self, key: &'a str, within: Id) -> impl Iterator<Item = Id> + 'a {
        let from = self.by_text.partition_point(|id| (self.text(*id), *id) < (Some(key), within));
        let last = self.node(within).last;
        let keys = self.by_text.get(from..).unwrap_or_default().iter();
        keys.take_while(move |id| self.text(**id) == Some(key) && **id <= last).filter_map(|id| self.node(*id).parent)
    }

    fn own(&self, mapping: Id, key: &str) -> Option<Id> {
        let wanted = (Some(mapping), Some(key));
        let place = |id: Id| (self.node(id).parent, self.text(id));
        let after = self.by_mapping.partition_point(|id| place(*id) <= wanted);
        let found = *self.by_mapping.get(after.checked_sub(1)?)?;
        if place(found) == wanted { self.node(found).held } else { None }
    }

    /// A mapping, and what is merged into it, each once, the nearest first.
    pub(crate) fn mappings(&self, mapping: Id) -> impl Iterator<Item = Id> {
        let mapping = self.content(mapping);
        std::iter::once(mapping).chain(self.merges.get(&mapping).into_iter().flatten().copied())
    }
}
