//! Finding the instruction that a text speaks of. How the service writes an instruction is not documented, so the text is tried as
//! the whole instruction first, then ever more loosely; the first way that finds something decides. Only what reads as the text
//! does, keyword case and the number of blanks aside, is exact.

use std::cell::Cell;
use std::ops::Range;

use memchr::memmem::Finder;

use super::index::{Entry, Found, Index, fold, line_key, squeezed, without_joiners};
use crate::dockerfile::{Words, escape_character, instructions};
use crate::model::Precision;

/// Characters, blanks not counted, that an argument must have to be looked for inside of instructions.
const SHORTEST_PART: usize = 4;
/// The places that a part of an instruction is looked for at; a text that fits more says too little.
const MAX_PLACES: usize = 256;
/// Bytes that are searched for parts of instructions, all texts together. Beyond that a part that no index leads to is not found.
const MAX_SEARCHED: usize = 1 << 30;
/// What starting a search costs, in bytes.
const ONE_SEARCH: usize = 256;
/// What taking the blanks out of a byte costs, in bytes.
const SQUEEZE: usize = 8;

/// A Dockerfile, prepared to be searched.
#[derive(Debug)]
pub(super) struct Dockerfile<'a> {
    source: &'a str,
    escape: char,
    index: Index,
    /// The bytes that may still be searched.
    left: Cell<usize>,
}

impl<'a> Dockerfile<'a> {
    /// Reads a Dockerfile.
    pub(super) fn read(source: &'a str) -> Self {
        let escape = escape_character(source);
        let index = Index::of(source, instructions(source, escape));
        Self { source, escape, index, left: Cell::new(MAX_SEARCHED) }
    }

    /// The bytes of the last `FROM`.
    pub(super) fn last_from(&self) -> Option<Range<usize>> {
        let last = self.index.last.get(&("FROM".to_owned(), false))?;
        Some(self.index.entries[*last].span.clone())
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
        let words = Words::of(one);
        self.exact(&words)
            .or_else(|| self.exact(&Words::of(text)))
            .or_else(|| Some(Found { precision: Precision::Parent, ..self.exact(&Words::of(several?))? }))
            .or_else(|| self.same(&words))
            .or_else(|| self.line(&words))
            .or_else(|| self.beginning(&words))
            .or_else(|| self.part(&words))
            .or_else(|| self.keyword(&words))
            .or_else(|| self.line(&Words { keyword: String::new(), argument: one.trim(), on_build: false }))
    }

    /// What reads so: an instruction, one without its `ONBUILD`, all but the keyword of one, a line of one.
    fn exact(&self, words: &Words<'_>) -> Option<Found> {
        let key = fold(words);
        let Index { whole, triggers, arguments, lines, .. } = &self.index;
        [whole, triggers, arguments, lines].into_iter().find_map(|readings| readings.get(&key)).cloned()
    }

    /// Instructions that differ in their blanks alone.
    fn same(&self, words: &Words<'_>) -> Option<Found> {
        let key = squeezed(words.argument);
        self.found(words, self.starting(words, &key, |entry| self.index.squeezed(entry) == key))
    }

    /// Single lines of longer instructions, with a keyword that the service put before it, or in a heredoc.
    fn line(&self, words: &Words<'_>) -> Option<Found> {
        let argument = &words.argument[without_joiners(words.argument)];
        self.index.loose_lines.get(&line_key(&words.keyword, argument)).cloned()
    }

    /// Instructions that begin so: the service may have cut the text, and may say so by an ellipsis.
    fn beginning(&self, words: &Words<'_>) -> Option<Found> {
        let key = squeezed(words.argument.trim_end().trim_end_matches(['.', '…']));
        let says_enough = !words.keyword.is_empty() || key.chars().count() >= SHORTEST_PART;
        self.found(words, self.starting(words, &key, |_| says_enough && !key.is_empty()))
    }

    /// Instructions that hold this text, or the one line of them that does.
    fn part(&self, words: &Words<'_>) -> Option<Found> {
        let key = squeezed(words.argument.trim_end_matches(['.', '…']));
        if key.chars().count() < SHORTEST_PART {
            return None;
        }
        let part = Finder::new(key.as_bytes());
        let mut found = Vec::new();
        let mut from = 0;
        while found.len() < MAX_PLACES
            && let Some(at) = self.search(&part, &self.index.text[from..])
        {
            let index = self.index.entries.partition_point(|entry| entry.squeezed.end <= from + at);
            let Some(entry) = self.index.entries.get(index) else { break };
            if words.keyword.is_empty() || words.keyword == entry.keyword {
                found.push(index);
            }
            from = entry.squeezed.end;
        }
        let holds = |line: &Range<usize>| {
            self.left.set(self.left.get().saturating_sub(SQUEEZE * line.len()));
            self.left.get() > 0 && self.search(&part, &squeezed(&self.source[line.clone()])).is_some()
        };
        let found = self.like(words, found);
        let line = |entry: &Entry| {
            let lines = if let [_] = entry.lines[..] { &[] } else { &entry.lines[..] };
            lines.iter().find(|line| holds(line)).unwrap_or(&entry.span).clone()
        };
        self.index.found(&found, line)
    }

    /// Where a part stands in a text; nowhere once too much was searched.
    fn search(&self, part: &Finder<'_>, text: &str) -> Option<usize> {
        let found = self.left.get().checked_sub(ONE_SEARCH).and_then(|_| part.find(text.as_bytes()));
        self.left.set(self.left.get().saturating_sub(ONE_SEARCH + found.unwrap_or(text.len())));
        found
    }

    /// The last instruction with this keyword, if possible one that is as much `ONBUILD` as the text.
    fn keyword(&self, words: &Words<'_>) -> Option<Found> {
        if words.keyword.is_empty() {
            return None;
        }
        let last = |on_build| self.index.last.get(&(words.keyword.clone(), on_build));
        let last = last(words.on_build).or_else(|| last(!words.on_build))?;
        self.index.found(&[*last], |entry| entry.span.clone())
    }

    /// Instructions with the keyword of the text, if it has one, whose argument starts so and is wanted, in file order.
    fn starting(&self, words: &Words<'_>, start: &str, wanted: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let entry = |index: &usize| &self.index.entries[*index];
        let keywords = self.index.by_keyword.iter();
        let lists = keywords.filter(|(keyword, _)| words.keyword.is_empty() || words.keyword == **keyword);
        let found = lists.flat_map(|(_, list)| {
            let from = list.partition_point(|index| self.index.squeezed(entry(index)) < start);
            let list = list[from..].iter().take(MAX_PLACES);
            list.take_while(|index| self.index.squeezed(entry(index)).starts_with(start) && wanted(entry(index))).copied()
        });
        let mut found: Vec<usize> = found.collect();
        found.sort_unstable();
        found
    }

    /// Those instructions that are as much `ONBUILD` as the text; all where none is.
    fn like(&self, words: &Words<'_>, found: Vec<usize>) -> Vec<usize> {
        let is_like = |index: &usize| self.index.entries[*index].on_build == words.on_build;
        if found.iter().any(is_like) { found.into_iter().filter(is_like).collect() } else { found }
    }

    fn found(&self, words: &Words<'_>, found: Vec<usize>) -> Option<Found> {
        self.index.found(&self.like(words, found), |entry| entry.span.clone())
    }
}
