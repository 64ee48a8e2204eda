//! Finding the instruction that a text speaks of. How the service writes an instruction is not documented, so the text is tried as
//! the whole instruction first, then ever more loosely; the first way that finds something decides.

use std::collections::HashMap;
use std::ops::Range;

use crate::dockerfile::{Instruction, Words, escape_character, instructions};
use crate::model::Precision;

/// Characters, blanks not counted, that an argument must have to be looked for inside of instructions.
const SHORTEST_PART: usize = 4;

/// The places that a text fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The bytes of each, in file order; never empty.
    pub(super) places: Vec<Range<usize>>,
    /// How exact they are.
    pub(super) precision: Precision,
    /// Whether of several such instructions only the last is in force.
    pub(super) last_counts: bool,
}

/// A Dockerfile, prepared to be searched.
#[derive(Debug)]
pub(super) struct Dockerfile<'a> {
    source: &'a str,
    escape: char,
    entries: Vec<Entry>,
    /// Places in `entries` by whole text, blanks folded; with and without heredoc body, with and without `ONBUILD`.
    folded: HashMap<String, Vec<usize>>,
    /// The same by text without blanks and escape characters.
    squeezed: HashMap<String, Vec<usize>>,
    /// By what follows the keyword, without blanks and escape characters.
    arguments: HashMap<String, Vec<usize>>,
    /// The single lines of instructions that have several.
    lines: HashMap<String, Vec<(usize, Range<usize>)>>,
}

#[derive(Debug)]
struct Entry {
    instruction: Instruction,
    on_build: bool,
    keyword: String,
    /// Argument and heredoc body without blanks and escape characters.
    squeezed: String,
}

impl<'a> Dockerfile<'a> {
    /// Reads a Dockerfile.
    pub(super) fn read(source: &'a str) -> Self {
        let escape = escape_character(source);
        let mut file = Self {
            source,
            escape,
            entries: Vec::new(),
            folded: HashMap::new(),
            squeezed: HashMap::new(),
            arguments: HashMap::new(),
            lines: HashMap::new(),
        };
        for instruction in instructions(source, escape) {
            file.add(instruction);
        }
        file
    }

    fn add(&mut self, instruction: Instruction) {
        let index = self.entries.len();
        let with_body = format!("{}\n{}", instruction.text, instruction.body);
        let words = Words::of(&with_body);
        let header = Words::of(&instruction.text);
        // Each counts once: the readings of an instruction without body or `ONBUILD` are equal.
        for reading in [&header, &words, &header.bare(), &words.bare()] {
            push(&mut self.folded, fold(reading), index);
            push(&mut self.squeezed, squeeze(reading), index);
        }
        for reading in [&header, &words] {
            push(&mut self.arguments, squeezed(reading.argument), index);
        }
        if instruction.lines.len() > 1 {
            for (nth, line) in instruction.lines.iter().enumerate() {
                let words = Words::of(&self.source[line.clone()]);
                let argument = line_key(words.argument);
                let whole = line_key(&squeeze(&words.bare()));
                // The keyword on the first line is not part of what the line says.
                let without = (nth == 0 && whole != argument).then_some(argument);
                for key in [Some(whole), without].into_iter().flatten().filter(|key| !key.is_empty()) {
                    self.lines.entry(key).or_default().push((index, line.clone()));
                }
            }
        }
        let (on_build, keyword, squeezed) = (words.on_build, words.keyword.clone(), squeezed(words.argument));
        self.entries.push(Entry { instruction, on_build, keyword, squeezed });
    }

    /// The bytes of the last `FROM`.
    pub(super) fn last_from(&self) -> Option<Range<usize>> {
        let from = self.entries.iter().rfind(|entry| entry.keyword == "FROM" && !entry.on_build)?;
        Some(from.instruction.span.clone())
    }

    /// The places of the instruction that a text speaks of; `None` where the file has no such instruction.
    pub(super) fn find(&self, text: &str) -> Option<Found> {
        if squeezed(text).is_empty() {
            return None;
        }
        let inner = instructions(text, self.escape);
        let joined: Vec<String> = inner.iter().map(|inner| format!("{}\n{}", inner.text, inner.body)).collect();
        let one = if let [one] = joined.as_slice() { one } else { text };
        let several = joined.first().filter(|first| joined.len() > 1 && !Words::of(first).keyword.is_empty());
        let words = Words::of(text);
        self.whole(one)
            .or_else(|| self.whole(text))
            .or_else(|| self.whole(several?))
            .or_else(|| self.argument(one))
            .or_else(|| self.argument(text))
            .or_else(|| self.line(&words))
            .or_else(|| self.beginning(&words))
            .or_else(|| self.part(&words))
            .or_else(|| self.keyword(&words))
    }

    /// Instructions that read so as a whole.
    fn whole(&self, text: &str) -> Option<Found> {
        let words = Words::of(text);
        self.folded
            .get(&fold(&words))
            .or_else(|| self.squeezed.get(&squeeze(&words)))
            .map(|entries| self.found(&self.like(&words, entries), Precision::Exact))
    }

    /// Instructions of which this is all but the keyword.
    fn argument(&self, text: &str) -> Option<Found> {
        let words = Words::of(text);
        let key = squeezed(words.argument);
        if !words.keyword.is_empty() || key.is_empty() {
            return None;
        }
        self.arguments.get(&key).map(|entries| self.found(entries, Precision::Exact))
    }

    /// Single lines of longer instructions; with a keyword that the service put before it, or without.
    fn line(&self, words: &Words<'_>) -> Option<Found> {
        let whole = line_key(&squeeze(&words.bare()));
        let argument = line_key(words.argument);
        let (lines, keyword) = match self.lines.get(&whole) {
            Some(lines) => (lines, ""),
            None => (self.lines.get(&argument)?, words.keyword.as_str()),
        };
        let of_keyword = lines.iter().filter(|(index, _)| keyword.is_empty() || self.entries[*index].keyword == keyword);
        let places: Vec<_> = of_keyword.map(|(_, line)| line.clone()).collect();
        (!places.is_empty()).then_some(Found { places, precision: Precision::Exact, last_counts: false })
    }

    /// Instructions that begin so: the service may have cut the text, and may say so by an ellipsis.
    fn beginning(&self, words: &Words<'_>) -> Option<Found> {
        let argument = words.argument.trim_end();
        let without = argument.strip_suffix("...").or_else(|| argument.strip_suffix('…'));
        let key = squeezed(without.unwrap_or(argument));
        if key.is_empty() || (words.keyword.is_empty() && key.chars().count() < SHORTEST_PART) {
            return None;
        }
        let entries = self.indices(|entry| fits(words, entry) && entry.squeezed.starts_with(&key));
        let precision = if without.is_some() { Precision::Exact } else { Precision::Parent };
        (!entries.is_empty()).then(|| self.found(&entries, precision))
    }

    /// Instructions that hold this text, or the one line of them that does.
    fn part(&self, words: &Words<'_>) -> Option<Found> {
        let key = squeezed(words.argument.trim_end_matches(['.', '…']));
        if key.chars().count() < SHORTEST_PART {
            return None;
        }
        let entries = self.indices(|entry| fits(words, entry) && entry.squeezed.contains(&key));
        let line = |index: &usize| {
            let lines = self.entries[*index].instruction.lines.iter();
            lines.into_iter().find(|line| squeezed(&self.source[(*line).clone()]).contains(&key)).cloned()
        };
        let mut found = (!entries.is_empty()).then(|| self.found(&entries, Precision::Parent))?;
        for (place, line) in found.places.iter_mut().zip(entries.iter().map(line)) {
            *place = line.unwrap_or_else(|| place.clone());
        }
        Some(found)
    }

    /// The last instruction with this keyword, if possible one that is as much `ONBUILD` as the text.
    fn keyword(&self, words: &Words<'_>) -> Option<Found> {
        let entries = self.indices(|entry| !words.keyword.is_empty() && entry.keyword == words.keyword);
        let last = *self.like(words, &entries).last()?;
        Some(self.found(&[last], Precision::Parent))
    }

    /// Those instructions that are as much `ONBUILD` as the text; all where none is.
    fn like(&self, words: &Words<'_>, entries: &[usize]) -> Vec<usize> {
        let like: Vec<usize> =
            entries.iter().copied().filter(|index| self.entries[*index].on_build == words.on_build).collect();
        if like.is_empty() { entries.to_vec() } else { like }
    }

    fn indices(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<usize> {
        self.entries.iter().enumerate().filter(|(_, entry)| wanted(entry)).map(|(index, _)| index).collect()
    }

    /// These instructions, exact only as far as all of them read the same.
    fn found(&self, indices: &[usize], precision: Precision) -> Found {
        let entries: Vec<&Entry> = indices.iter().filter_map(|index| self.entries.get(*index)).collect();
        let reading = |entry: &Entry| fold(&Words::of(&entry.instruction.text).bare());
        let ambiguous = entries.windows(2).any(|pair| reading(pair[0]) != reading(pair[1]));
        let last_counts = entries.iter().all(|entry| {
            let keyword = entry.keyword.as_str();
            matches!(keyword, "CMD" | "ENTRYPOINT" | "HEALTHCHECK" | "SHELL" | "STOPSIGNAL" | "USER" | "WORKDIR")
        });
        Found {
            places: entries.iter().map(|entry| entry.instruction.span.clone()).collect(),
            precision: if ambiguous { precision.max(Precision::Parent) } else { precision },
            last_counts,
        }
    }
}

fn fits(words: &Words<'_>, entry: &Entry) -> bool {
    words.keyword.is_empty() || words.keyword == entry.keyword
}

fn push(map: &mut HashMap<String, Vec<usize>>, key: String, index: usize) {
    let indices = map.entry(key).or_default();
    if indices.last() != Some(&index) {
        indices.push(index);
    }
}

fn fold(words: &Words<'_>) -> String {
    let before = [if words.on_build { "ONBUILD" } else { "" }, &words.keyword];
    let parts = before.into_iter().filter(|part| !part.is_empty()).chain(words.argument.split_whitespace());
    parts.collect::<Vec<_>>().join(" ")
}

/// The blank behind the keyword stays, or `RUN set` would equal the argument `RUNset`.
fn squeeze(words: &Words<'_>) -> String {
    let before = if words.on_build { "ONBUILD " } else { "" };
    format!("{before}{} {}", words.keyword, squeezed(words.argument))
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && !matches!(char, '\\' | '`')).collect()
}

/// A line of a shell script without what joins it to the next and the last one.
fn line_key(line: &str) -> String {
    squeezed(line).trim_matches(['&', '|', ';']).to_owned()
}
