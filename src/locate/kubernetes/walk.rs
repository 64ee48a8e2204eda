//! Follows a path from an object.

use std::collections::BTreeSet;

use super::lookup::Lookup;
use super::objects::Object;
use super::path::{Path, Step};
use crate::yaml::{Id, Value};

/// The nodes that one walk goes through; more than any real path needs.
const BUDGET: usize = 5000;
/// What a walk costs that leads nowhere, in nodes.
const ONE_WALK: usize = 16;
/// The items of a sequence that are looked at one by one, where no index leads to them.
const MAX_MEMBERS: usize = 2000;
/// The parts that a key with separators may have.
const MAX_PARTS: usize = 16;
/// The places from which a path that does not start at the root is tried; of more than a few it is not known which is meant.
const MAX_STARTS: usize = 32;

/// Where a path leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The nodes, in the order of the file.
    pub(super) nodes: Vec<Id>,
    /// How many steps lead there.
    pub(super) steps: usize,
    /// Whether these are all steps.
    pub(super) whole: bool,
    /// Whether keys were compared loosely.
    pub(super) loose: bool,
}

impl Found {
    /// Of several the one with the highest rank is meant.
    pub(super) fn rank(&self) -> (bool, bool, usize) {
        (self.whole, self.whole && !self.loose, self.steps)
    }
}

/// How keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As written; of bare keys as many as possible are one.
    Longest,
    /// As written; of bare keys as few as possible are one.
    Shortest,
    /// Without case, `_` and `-`; a sequence without an index is every item of it.
    Loose,
}

/// Follows the first path that leads anywhere in an object, else the one that comes farthest.
pub(super) fn resolve(lookup: &Lookup<'_, '_>, object: &Object, paths: &[Path]) -> Found {
    let mut best = Found::default();
    if lookup.is_spent() {
        return best;
    }
    let mut better = |found: Found| {
        if found.whole || found.steps > best.steps {
            best = found;
        }
        best.whole.then(|| std::mem::take(&mut best))
    };
    for path in paths {
        for mode in [Mode::Longest, Mode::Shortest] {
            if let Some(found) = better(walk(lookup, object.root, path, mode)) {
                return found;
            }
        }
        for attempt in [from_document(lookup, object, path), from_below(lookup, object, path)] {
            if let Some(found) = attempt.and_then(&mut better) {
                return found;
            }
        }
    }
    for path in paths {
        if let Some(found) = better(walk(lookup, object.root, path, Mode::Loose)) {
            return found;
        }
    }
    best
}

/// `items[0].spec`: a path from the root of the document, where it ends in the object.
fn from_document(lookup: &Lookup<'_, '_>, object: &Object, path: &Path) -> Option<Found> {
    let Some(Step::Key { text, .. }) = path.steps.first() else { return None };
    if !matches!(text.as_str(), "items" | "objects") && text.parse::<usize>().is_err() {
        return None;
    }
    let within = object.root..=lookup.tree.node(object.root).last;
    let found = (object.root != object.document).then(|| walk(lookup, object.document, path, Mode::Longest))?;
    (found.whole && found.nodes.iter().all(|id| within.contains(id))).then_some(found)
}

/// `containers[0].image` of a Deployment: a path from somewhere below, where only one place fits. `spec.containers` is such a
/// path too, if the object's own `spec` has no such key; others whose first key is found are not, else the `metadata.namespace`
/// that an object lacks would be found in its template.
fn from_below(lookup: &Lookup<'_, '_>, object: &Object, path: &Path) -> Option<Found> {
    let from_root = walk(lookup, object.root, path, Mode::Longest);
    let starts_with_spec = matches!(path.steps.first(), Some(Step::Key { text, .. }) if text == "spec");
    if from_root.steps > usize::from(starts_with_spec) {
        return None;
    }
    let tree = lookup.tree;
    let holders = joined(path, 0).flat_map(|(_, key)| tree.holders(&key, object.root).take(MAX_STARTS).collect::<Vec<_>>());
    let starts: BTreeSet<Id> = holders.filter(|id| *id != object.root).collect();
    if starts.len() >= MAX_STARTS {
        return None;
    }
    let found: Vec<Found> = starts.iter().map(|start| walk(lookup, *start, path, Mode::Longest)).collect();
    let mut whole = found.iter().filter(|found| found.whole);
    match (whole.next(), whole.next()) {
        (Some(one), None) => Some(one.clone()),
        (None, _) if found.len() == 1 => found.into_iter().next(),
        _ => None,
    }
}

fn walk(lookup: &Lookup<'_, '_>, root: Id, path: &Path, mode: Mode) -> Found {
    if lookup.is_spent() {
        return Found::default();
    }
    lookup.spend(ONE_WALK);
    // The nodes that each number of steps leads to, from none to all.
    let mut reached = vec![BTreeSet::new(); path.steps.len() + 1];
    reached[0].insert(root);
    let mut budget = BUDGET;
    for at in 0..path.steps.len() {
        for id in reached[at].clone() {
            if budget == 0 || lookup.is_spent() {
                break;
            }
            let nodes = take_step(lookup, id, path, at, mode);
            lookup.spend(1 + nodes.len());
            budget = budget.saturating_sub(1 + nodes.len());
            for (next, node) in nodes.into_iter().take(budget) {
                reached[next].insert(node);
            }
        }
    }
    let steps = reached.iter().rposition(|nodes| !nodes.is_empty()).unwrap_or(0);
    let (whole, loose) = (steps == path.steps.len(), mode == Mode::Loose);
    Found { nodes: reached.swap_remove(steps).into_iter().collect(), steps, whole, loose }
}

/// Where the step at `at` leads from a node: other nodes, each with the number of steps then taken.
fn take_step(lookup: &Lookup<'_, '_>, id: Id, path: &Path, at: usize, mode: Mode) -> Vec<(usize, Id)> {
    let tree = lookup.tree;
    let id = tree.content(id);
    let Some(step) = path.steps.get(at) else { return Vec::new() };
    let nodes = match (step, tree.value(id)) {
        (Step::Key { .. }, Value::Mapping(_)) => return key_of_mapping(lookup, id, path, at, mode).into_iter().collect(),
        (Step::Key { text, .. }, Value::Sequence(items)) => {
            let nodes = items_called(lookup, id, text);
            if nodes.is_empty() && mode == Mode::Loose {
                let items = items.iter().take(MAX_MEMBERS);
                lookup.spend(items.len());
                let mappings = items.map(|item| tree.content(*item)).filter(|item| tree.is_mapping(*item));
                return mappings.filter_map(|item| key_of_mapping(lookup, item, path, at, mode)).collect();
            }
            nodes
        }
        (Step::Any, Value::Mapping(_)) => tree.members(id, BUDGET),
        (Step::Any, Value::Sequence(items)) => items.iter().copied().take(BUDGET).collect(),
        (Step::Filter { keys, value }, Value::Sequence(_)) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
            lookup.holding(id, &keys, value, BUDGET)
        }
        (Step::Deep, _) => below(lookup, id, path, at + 1),
        _ => Vec::new(),
    };
    nodes.into_iter().map(|id| (at + 1, id)).collect()
}

/// The keys that the step at `at` may be, alone and with those after it, each with the number of steps then taken.
fn joined(path: &Path, at: usize) -> impl Iterator<Item = (usize, String)> {
    let mut key = String::new();
    let steps = path.steps.iter().enumerate().skip(at).take(MAX_PARTS);
    steps.map_while(move |(index, step)| match step {
        Step::Key { text, bare } if index == at || *bare => {
            if index > at {
                // Only bare keys are joined, the first one too.
                let Some(Step::Key { bare: true, .. }) = path.steps.get(at) else { return None };
                key.push(path.separator);
            }
            key.push_str(text);
            Some((index + 1, key.clone()))
        }
        _ => None,
    })
}

fn key_of_mapping(lookup: &Lookup<'_, '_>, mapping: Id, path: &Path, at: usize, mode: Mode) -> Option<(usize, Id)> {
    let tree = lookup.tree;
    lookup.spend(tree.mappings(mapping).count());
    let mut keys: Vec<(usize, String)> = joined(path, at).take(2).collect();
    // Most keys hold no separator.
    if let [(_, one), (..)] = &keys[..] {
        let is_part = mode == Mode::Loose || tree.has_start(mapping, &format!("{one}{}", path.separator));
        keys = joined(path, at).take(if is_part { MAX_PARTS } else { 1 }).collect();
    }
    if mode != Mode::Shortest {
        keys.reverse();
    }
    keys.iter().find_map(|(next, key)| {
        let value = if mode == Mode::Loose { lookup.loosely(mapping, key) } else { tree.get(mapping, key) };
        Some((*next, value?))
    })
}

/// The item at an index, from the end if negative; else those with this name, or that are this text.
fn items_called(lookup: &Lookup<'_, '_>, sequence: Id, text: &str) -> Vec<Id> {
    if let Ok(index) = text.parse::<isize>() {
        let items = lookup.tree.items(sequence);
        let index = usize::try_from(index).ok().or_else(|| items.len().checked_sub(index.unsigned_abs()));
        return index.and_then(|index| items.get(index)).copied().into_iter().collect();
    }
    let fields: [&[&str]; 3] = [&["name"], &["key"], &[]];
    let items: BTreeSet<Id> = fields.into_iter().flat_map(|keys| lookup.holding(sequence, keys, text, BUDGET)).collect();
    items.into_iter().collect()
}

/// Every node in a node, itself among them; of those only the ones from which the next step can lead on.
fn below(lookup: &Lookup<'_, '_>, id: Id, path: &Path, next: usize) -> Vec<Id> {
    let tree = lookup.tree;
    if matches!(path.steps.get(next), Some(Step::Key { .. })) {
        let holders = joined(path, next).flat_map(|(_, key)| tree.holders(&key, id).take(BUDGET).collect::<Vec<_>>());
        return holders.collect();
    }
    let is_value = |id: &Id| tree.node(*id).held.is_none();
    tree.within(id).filter(is_value).take(BUDGET).collect()
}
