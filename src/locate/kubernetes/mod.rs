//! Kubernetes YAML: the object by its kind, namespace and name, then the path inside it.

mod objects;
mod path;
mod place;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::collections::HashMap;

use self::objects::{Object, Wanted};
use self::path::Path;
use self::text::Lines;
use self::walk::Found;
use super::Clue;
use crate::model::{Location, Resource};
use crate::yaml::{self, Tree};

/// The objects in which a path is tried; a clue that fits more says too little to be exact.
const MAX_CANDIDATES: usize = 256;

/// The place of each clue, in the order of the clues. The text is decoded and has no byte order mark.
pub(super) fn locate(text: &str, clues: &[Clue<'_>]) -> Vec<Location> {
    let tree = yaml::read(text);
    let lines = Lines::new(text);
    let file = File { objects: objects::find(&tree), whole: place::file(text, &lines), tree, lines };
    let mut places: HashMap<_, Vec<Location>> = HashMap::new();
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut locations = Vec::with_capacity(clues.len());
    for clue in clues {
        let places = places.entry((clue.resource, clue.hit_path)).or_insert_with(|| file.places(clue));
        // Equal clues are taken to mean the places that fit equally well, one each.
        let count = seen.entry((clue.resource, clue.hit_path, clue.hit_rule)).or_default();
        locations.push(places.get(*count % places.len().max(1)).copied().unwrap_or(file.whole));
        *count += 1;
    }
    locations
}

struct File<'t> {
    tree: Tree<'t>,
    lines: Lines,
    objects: Vec<Object>,
    /// The place of what is known to be in the file and no more.
    whole: Location,
}

impl File<'_> {
    /// The places that fit a clue best, in the order of the file.
    fn places(&self, clue: &Clue<'_>) -> Vec<Location> {
        let paths = clue.hit_path.map(path::spellings).unwrap_or_default();
        let named = self.named(clue.resource);
        if named.is_empty() {
            return self.guess(&paths).into_iter().collect();
        }
        let found = self.follow(&named, &paths);
        let best = found.iter().map(|(_, found)| (found.whole, found.steps)).max().unwrap_or_default();
        let best = found.iter().filter(|(_, found)| (found.whole, found.steps) == best);
        best.map(|(object, found)| place::place(&self.tree, &self.lines, object, found)).collect()
    }

    /// The objects that a resource names best.
    fn named(&self, resource: Option<&Resource>) -> Vec<&Object> {
        let Some(wanted) = resource.and_then(Wanted::new) else { return Vec::new() };
        let ranked: Vec<_> = self.objects.iter().filter_map(|object| Some((wanted.rank(object)?, object))).collect();
        let best = ranked.iter().map(|(rank, _)| *rank).max();
        ranked.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, object)| object).collect()
    }

    /// Where nothing is named: the one object in which the path leads anywhere, else the only object.
    fn guess(&self, paths: &[Path]) -> Option<Location> {
        let objects: Vec<&Object> = self.objects.iter().filter(|object| !object.list).collect();
        let found = self.follow(&objects, paths);
        let whole: Vec<_> = found.iter().filter(|(_, found)| found.whole).collect();
        let (object, found) = match (&whole[..], &found[..]) {
            ([one], _) => one,
            (_, [one]) => one,
            _ => return None,
        };
        Some(place::place(&self.tree, &self.lines, object, found))
    }

    fn follow<'o>(&self, objects: &[&'o Object], paths: &[Path]) -> Vec<(&'o Object, Found)> {
        let objects = objects.iter().take(MAX_CANDIDATES);
        objects.map(|object| (*object, walk::resolve(&self.tree, object, paths))).collect()
    }
}
