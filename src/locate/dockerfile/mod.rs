//! Where in a Dockerfile a risk stands: at the instruction that the service names, or at the last `FROM` where something is missing.

mod find;
mod index;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use super::Clue;
use super::text::Text;
use crate::model::{Location, Precision};

use find::Dockerfile;
use index::Found;

/// One location for each clue.
pub(super) fn locate(text: &Text, clues: &[Clue<'_>]) -> Vec<Location> {
    let file = Dockerfile::read(text.as_str());
    let mut known: HashMap<&str, Option<Found>> = HashMap::new();
    for instruction in clues.iter().filter_map(|clue| clue.instruction) {
        known.entry(instruction).or_insert_with(|| file.find(instruction));
    }
    let found: Vec<Option<&Found>> =
        clues.iter().map(|clue| clue.instruction.and_then(|instruction| known.get(instruction)?.as_ref())).collect();
    let spans = share(clues, &found);
    let missing = match file.last_from() {
        Some(from) => text.location(&from, Precision::Resource),
        None => text.location(&text.first_line(), Precision::File),
    };
    // A column is counted from the start of its line, which may be long.
    let mut counted: HashMap<Range<usize>, Location> = HashMap::new();
    let mut location = |span: Range<usize>, precision| {
        let location = counted.entry(span).or_insert_with_key(|span| text.location(span, precision));
        Location { precision, ..*location }
    };
    let places = found.iter().zip(spans).map(|(found, span)| Some(location(span?, found.as_ref()?.precision)));
    places.map(|place| place.unwrap_or(missing)).collect()
}

/// Deals the places that equal clues of one rule found out among them: in order, one to one, where there are enough clues. Fewer
/// clues than places take the last ones where the last instruction is the one in force, else the first ones.
fn share(clues: &[Clue<'_>], found: &[Option<&Found>]) -> Vec<Option<Range<usize>>> {
    let mut numbers: HashMap<_, usize> = HashMap::new();
    for (clue, found) in clues.iter().zip(found) {
        if let Some(found) = found {
            *numbers.entry(key(clue, found)).or_default() += 1;
        }
    }
    let mut dealt: HashMap<_, usize> = HashMap::new();
    let shares = clues.iter().zip(found).map(|(clue, found)| {
        let found = (*found)?;
        let key = key(clue, found);
        let places = found.places.len();
        let skipped = if found.last_counts { places.saturating_sub(*numbers.get(&key)?) } else { 0 };
        let nth = dealt.entry(key).or_default();
        let place = (skipped + *nth).checked_rem(places)?;
        *nth += 1;
        found.places.get(place).cloned()
    });
    shares.collect()
}

/// Equal for clues of one rule that fit the same places.
fn key<'a>(clue: &Clue<'a>, found: &Found) -> (Option<Range<usize>>, usize, Option<&'a str>) {
    (found.places.first().cloned(), found.places.len(), clue.hit_rule)
}
