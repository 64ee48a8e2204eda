//! What leads from a node of the tree to those in it by what they are called, where the tree has no index of its own; and how much
//! all of this may cost in one file.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

use crate::yaml::{Id, Tree};

/// The nodes that all walks in a file go through, at most. Beyond that no path is followed any further.
pub(super) const MAX_NODES: usize = 4_000_000;

/// Items by their text.
type ByText<'a> = HashMap<&'a str, Vec<Id>>;

/// A tree that is searched.
pub(super) struct Lookup<'a, 't> {
    pub(super) tree: &'a Tree<'t>,
    /// The value of the first key that reads so, in each mapping.
    loose: OnceCell<HashMap<(Id, String), Id>>,
    /// The items of a sequence by the text that some keys lead to.
    items: RefCell<HashMap<(Id, String), ByText<'a>>>,
    left: Cell<usize>,
}

impl<'a, 't> Lookup<'a, 't> {
    pub(super) fn new(tree: &'a Tree<'t>) -> Self {
        Self { tree, loose: OnceCell::new(), items: RefCell::new(HashMap::new()), left: Cell::new(MAX_NODES) }
    }

    /// Counts nodes that are looked at.
    pub(super) fn spend(&self, nodes: usize) {
        self.left.set(self.left.get().saturating_sub(nodes));
    }

    /// Whether no more are to be looked at.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    /// The value of a key, without case, `_` and `-`.
    pub(super) fn loosely(&self, mapping: Id, key: &str) -> Option<Id> {
        let all = self.loose.get_or_init(|| self.all_loose());
        let key = fold(key);
        self.tree.mappings(mapping).find_map(|mapping| all.get(&(mapping, key.clone())).copied())
    }

    fn all_loose(&self) -> HashMap<(Id, String), Id> {
        let mut all = HashMap::new();
        for id in self.tree.ids() {
            let node = self.tree.node(id);
            let (Some(mapping), Some(_), Some(text)) = (node.parent, node.held, self.tree.text(id)) else { continue };
            if let Some(value) = self.tree.get(mapping, text) {
                all.entry((mapping, fold(text))).or_insert(value);
            }
        }
        all
    }

    /// The items of a sequence in which keys lead to a text; without keys those that are this text. No more than `most`.
    pub(super) fn holding(&self, sequence: Id, keys: &[&str], text: &str, most: usize) -> Vec<Id> {
        let tree = self.tree;
        let mut all = self.items.borrow_mut();
        let by_text = all.entry((sequence, keys.join("."))).or_insert_with(|| {
            let mut by_text = ByText::new();
            self.spend(tree.items(sequence).len());
            for item in tree.items(sequence) {
                let field = keys.iter().try_fold(*item, |node, key| tree.get(node, key));
                if let Some(text) = field.and_then(|field| tree.text(field)) {
                    by_text.entry(text).or_default().push(*item);
                }
            }
            by_text
        });
        by_text.get(text).into_iter().flatten().copied().take(most).collect()
    }
}

fn fold(key: &str) -> String {
    key.chars().filter(|char| !matches!(char, '_' | '-')).flat_map(char::to_lowercase).collect()
}
