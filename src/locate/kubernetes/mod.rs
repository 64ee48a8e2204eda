//! Kubernetes YAML: the object by its kind, namespace and name, then the path inside it.

mod lookup;
mod objects;
mod path;
mod place;
#[cfg(test)]
mod tests;
mod text;
mod walk;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use self::lookup::Lookup;
use self::objects::{Index, Named, Object};
use self::path::Path;
use self::text::Lines;
use self::walk::Found;
use super::Clue;
use crate::model::{Location, Precision};
use crate::yaml;

/// The objects in which a path is tried, where none is named.
const MAX_CANDIDATES: usize = 256;

/// The place of each clue, in the order of the clues. The text is decoded and has no byte order mark.
pub(super) fn locate(text: &str, clues: &[Clue<'_>]) -> Vec<Location> {
    let (tree, lines) = (yaml::read(text), Lines::new(text));
    let objects = objects::find(&tree);
    let index = Index::new(&objects);
    let whole = place::file(text, &lines);
    let file = File { lookup: Lookup::new(&tree), lines, objects: &objects };
    let mut named: HashMap<_, Option<Rc<Named>>> = HashMap::new();
    let mut all_named: HashSet<Rc<Named>> = HashSet::new();
    let mut places: HashMap<_, Vec<Location>> = HashMap::new();
    let mut numbers: HashMap<&Clue<'_>, usize> = HashMap::new();
    for clue in clues {
        *numbers.entry(clue).or_default() += 1;
    }
    let mut seen: HashMap<&Clue<'_>, usize> = HashMap::new();
    let mut locations = Vec::with_capacity(clues.len());
    for clue in clues {
        let named = clue.resource.and_then(|resource| {
            let named = named.entry(resource).or_insert_with(|| {
                // What is said in many ways may name the same objects.
                let named = Rc::new(index.named(resource)?);
                let known = all_named.get(&named).cloned();
                Some(known.unwrap_or_else(|| {
                    all_named.insert(Rc::clone(&named));
                    named
                }))
            });
            named.clone()
        });
        let places =
            places.entry((named.clone(), clue.hit_path)).or_insert_with(|| file.places(named.as_deref(), clue.hit_path));
        // Equal clues are taken to mean the places that fit equally well, one each. Of fewer it is not known which are meant.
        let count = seen.entry(clue).or_default();
        let mut place = places.get(*count % places.len().max(1)).copied().unwrap_or(whole);
        if numbers.get(clue).is_some_and(|number| *number < places.len()) {
            place.precision = place.precision.max(Precision::Parent);
        }
        locations.push(place);
        *count += 1;
    }
    locations
}

struct File<'a, 't> {
    lookup: Lookup<'a, 't>,
    lines: Lines,
    objects: &'a [Object],
}

impl File<'_, '_> {
    /// The places that fit a path best in the objects that are named, in the order of the file; none where only the file is
    /// known. A place in an object that may be another one is not exact.
    fn places(&self, named: Option<&Named>, hit_path: Option<&str>) -> Vec<Location> {
        let paths = hit_path.map(path::spellings).unwrap_or_default();
        let sure = named.is_none_or(|named| named.sure);
        let mut places = match named {
            Some(named) if !named.objects.is_empty() => self.best(&named.objects, &paths),
            _ => self.guess(&paths).into_iter().collect(),
        };
        for place in places.iter_mut().filter(|_| !sure) {
            place.precision = place.precision.max(Precision::Parent);
        }
        places
    }

    fn best(&self, named: &[usize], paths: &[Path]) -> Vec<Location> {
        let objects = named.iter().map(|at| &self.objects[*at]);
        let found: Vec<_> = objects.map(|object| (object, walk::resolve(&self.lookup, object, paths))).collect();
        let best = found.iter().map(|(_, found)| found.rank()).max().unwrap_or_default();
        let best = found.iter().filter(|(_, found)| found.rank() == best);
        best.map(|(object, found)| self.place(object, found)).collect()
    }

    /// Where nothing is named: the one object in which the path leads anywhere, else the only object.
    fn guess(&self, paths: &[Path]) -> Option<Location> {
        let objects: Vec<&Object> = self.objects.iter().filter(|object| !object.list).take(MAX_CANDIDATES).collect();
        let mut found = objects.iter().map(|object| (*object, walk::resolve(&self.lookup, object, paths)));
        if objects.len() == 1 {
            return found.next().map(|(object, found)| self.place(object, &found));
        }
        let mut whole = found.filter(|(_, found)| found.whole);
        let (object, found) = whole.next()?;
        whole.next().is_none().then(|| self.place(object, &found))
    }

    fn place(&self, object: &Object, found: &Found) -> Location {
        place::place(self.lookup.tree, &self.lines, object, found)
    }
}
