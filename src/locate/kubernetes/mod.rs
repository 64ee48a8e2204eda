//! Kubernetes YAML: the object by its kind, namespace and name, then the path inside it.

mod objects;
mod path;
mod place;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::collections::HashMap;

use self::objects::{Index, Object};
use self::path::Path;
use self::text::Lines;
use self::walk::Found;
use super::Clue;
use crate::model::Location;
use crate::yaml::{self, Tree};

/// The objects in which a path is tried; a clue that fits more says too little to be exact.
const MAX_CANDIDATES: usize = 256;

/// The place of each clue, in the order of the clues. The text is decoded and has no byte order mark.
pub(super) fn locate(text: &str, clues: &[Clue<'_>]) -> Vec<Location> {
    let (tree, lines) = (yaml::read(text), Lines::new(text));
    let objects = objects::find(&tree);
    let index = Index::new(&objects);
    let whole = place::file(text, &lines);
    let file = File { tree, lines, objects: &objects };
    let mut named: HashMap<_, Vec<&Object>> = HashMap::new();
    let mut places: HashMap<_, Vec<Location>> = HashMap::new();
    let mut seen: HashMap<_, usize> = HashMap::new();
    let mut locations = Vec::with_capacity(clues.len());
    for clue in clues {
        let named = clue.resource.map(|resource| named.entry(resource).or_insert_with(|| index.named(resource)));
        let named = named.map_or(&[][..], |named| named);
        let key = (clue.resource.filter(|_| !named.is_empty()), clue.hit_path);
        let places = places.entry(key).or_insert_with(|| file.places(named, clue.hit_path));
        // Equal clues are taken to mean the places that fit equally well, one each.
        let count = seen.entry((clue.resource, clue.hit_path, clue.hit_rule)).or_default();
        locations.push(places.get(*count % places.len().max(1)).copied().unwrap_or(whole));
        *count += 1;
    }
    locations
}

struct File<'a> {
    tree: Tree<'a>,
    lines: Lines,
    objects: &'a [Object],
}

impl File<'_> {
    /// The places that fit a path best in the objects that are named, in the order of the file; none where only the file is
    /// known.
    fn places(&self, named: &[&Object], hit_path: Option<&str>) -> Vec<Location> {
        let paths = hit_path.map(path::spellings).unwrap_or_default();
        if named.is_empty() {
            return self.guess(&paths).into_iter().collect();
        }
        let found = self.follow(named, &paths);
        let best = found.iter().map(|(_, found)| (found.whole, found.steps)).max().unwrap_or_default();
        let best = found.iter().filter(|(_, found)| (found.whole, found.steps) == best);
        best.map(|(object, found)| place::place(&self.tree, &self.lines, object, found)).collect()
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
