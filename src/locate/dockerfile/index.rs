//! The instructions of a Dockerfile by all that they can be told by, so that no text costs a look at each of them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::rc::Rc;

use crate::dockerfile::{Instruction, Words};
use crate::model::Precision;

/// The places that a text fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The bytes of each, in file order; never empty.
    pub(super) places: Rc<[Range<usize>]>,
    /// How exact they are.
    pub(super) precision: Precision,
    /// Whether of several such instructions only the last is in force.
    pub(super) last_counts: bool,
}

/// An instruction.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) span: Range<usize>,
    /// As in [`Instruction`].
    pub(super) lines: Vec<Range<usize>>,
    pub(super) on_build: bool,
    pub(super) keyword: String,
    /// The bytes of argument and heredoc bodies in the squeezed text.
    pub(super) squeezed: Range<usize>,
}

/// What is exact stands here as it reads, blanks folded.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<Entry>,
    /// The arguments of all instructions, with heredoc bodies, without blanks and escape characters; a line break behind each.
    pub(super) text: String,
    /// Whole instructions, with and without heredoc bodies.
    pub(super) whole: HashMap<String, Found>,
    /// The same of `ONBUILD` without that word.
    pub(super) triggers: HashMap<String, Found>,
    /// What follows the keyword.
    pub(super) arguments: HashMap<String, Found>,
    /// Single lines of instructions that have several, heredocs aside.
    pub(super) lines: HashMap<String, Found>,
    /// Single lines by `line_key`, heredocs too: never exact.
    pub(super) loose_lines: HashMap<String, Found>,
    /// Places in `entries` by keyword, sorted by squeezed argument.
    pub(super) by_keyword: BTreeMap<String, Vec<usize>>,
    /// The last instruction with a keyword, with and without `ONBUILD`.
    pub(super) last: HashMap<(String, bool), usize>,
}

impl Index {
    /// Reads the instructions of a source.
    pub(super) fn of(source: &str, instructions: Vec<Instruction>) -> Self {
        let mut index = Self::default();
        let mut readings = Readings::default();
        for instruction in instructions {
            readings.add(source, &instruction, index.entries.len());
            index.add(instruction);
        }
        let found = |groups, precision| index.groups(groups, precision);
        let [whole, triggers, arguments, lines] =
            [readings.whole, readings.triggers, readings.arguments, readings.lines].map(|map| found(map, Precision::Exact));
        let loose_lines = found(readings.loose_lines, Precision::Parent);
        let Self { entries, text, by_keyword, .. } = &mut index;
        for list in by_keyword.values_mut() {
            // Stable: those with the same argument stay in file order.
            list.sort_by_key(|entry| &text[entries[*entry].squeezed.clone()]);
        }
        Self { whole, triggers, arguments, lines, loose_lines, ..index }
    }

    fn add(&mut self, instruction: Instruction) {
        let index = self.entries.len();
        let Words { on_build, keyword, argument } = Words::of(&instruction.text);
        let start = self.text.len();
        self.text.extend([squeezed(argument), squeezed(&instruction.body)]);
        let squeezed = start..self.text.len();
        self.text.push('\n');
        self.by_keyword.entry(keyword.clone()).or_default().push(index);
        self.last.insert((keyword.clone(), on_build), index);
        self.entries.push(Entry { span: instruction.span, lines: instruction.lines, on_build, keyword, squeezed });
    }

    /// The squeezed argument of an instruction.
    pub(super) fn squeezed(&self, entry: &Entry) -> &str {
        &self.text[entry.squeezed.clone()]
    }

    /// These instructions, each at the place that is asked for; they are what is meant, but not what was said.
    pub(super) fn found(&self, indices: &[usize], place: impl Fn(&Entry) -> Range<usize>) -> Option<Found> {
        let group = indices.iter().map(|index| (*index, place(&self.entries[*index]))).collect();
        (!indices.is_empty()).then(|| self.group(group, Precision::Parent))
    }

    fn groups(&self, groups: HashMap<String, Group>, precision: Precision) -> HashMap<String, Found> {
        groups.into_iter().map(|(key, group)| (key, self.group(group, precision))).collect()
    }

    /// Of several keywords it is not known which is meant.
    fn group(&self, group: Group, precision: Precision) -> Found {
        let keyword = |(index, _): &(usize, _)| self.entries[*index].keyword.as_str();
        let ambiguous = group.windows(2).any(|pair| keyword(&pair[0]) != keyword(&pair[1]));
        let is_last =
            |keyword| matches!(keyword, "CMD" | "ENTRYPOINT" | "HEALTHCHECK" | "SHELL" | "STOPSIGNAL" | "USER" | "WORKDIR");
        Found {
            last_counts: group.iter().all(|one| is_last(keyword(one))),
            precision: if ambiguous { precision.max(Precision::Parent) } else { precision },
            places: group.into_iter().map(|(_, place)| place).collect(),
        }
    }
}

/// Instructions by their places in the index, with the bytes that are shown of each.
type Group = Vec<(usize, Range<usize>)>;

/// The maps of the index while it is made.
#[derive(Default)]
struct Readings {
    whole: HashMap<String, Group>,
    triggers: HashMap<String, Group>,
    arguments: HashMap<String, Group>,
    lines: HashMap<String, Group>,
    loose_lines: HashMap<String, Group>,
}

impl Readings {
    fn add(&mut self, source: &str, instruction: &Instruction, index: usize) {
        let Instruction { text, body, span, lines, .. } = instruction;
        let header = lines.iter().take(instruction.own_lines).map(|line| &source[line.clone()]);
        // A builder joins lines without a blank, people read one.
        let spaced = header.collect::<Vec<_>>().join(" ");
        for text in [text, &spaced, &format!("{text}\n{body}"), &format!("{spaced}\n{body}")] {
            let words = Words::of(text);
            push(&mut self.whole, fold(&words), index, span);
            push(&mut self.arguments, fold_blanks(words.argument), index, span);
            if words.on_build {
                push(&mut self.triggers, fold(&words.bare()), index, span);
            }
        }
        if lines.len() > 1 {
            for (nth, line) in lines.iter().enumerate() {
                self.add_line(source, (nth, line), instruction, index);
            }
        }
    }

    fn add_line(&mut self, source: &str, (nth, line): (usize, &Range<usize>), instruction: &Instruction, index: usize) {
        let keyword = Words::of(&instruction.text).keyword;
        let inner = without_joiners(&source[line.clone()]);
        let inner = line.start + inner.start..line.start + inner.end;
        // The first line has the keyword; another that seems to have one is text.
        let words = Words::of(&source[inner.clone()]);
        let text = if nth == 0 { words.argument } else { &source[inner.clone()] };
        for keyword in [keyword.as_str(), ""] {
            push(&mut self.loose_lines, line_key(keyword, text), index, &inner);
        }
        if nth < instruction.own_lines && (nth == 0 || words.keyword.is_empty()) {
            for part in [line, &inner] {
                let words = Words::of(&source[part.clone()]);
                push(&mut self.lines, fold(&words), index, part);
                push(&mut self.lines, fold_blanks(words.argument), index, part);
            }
        }
    }
}

/// Each place counts once for a reading.
fn push(map: &mut HashMap<String, Group>, key: String, index: usize, place: &Range<usize>) {
    if key.trim().is_empty() {
        return;
    }
    let group = map.entry(key).or_default();
    if group.last().is_none_or(|last| last.1 != *place) {
        group.push((index, place.clone()));
    }
}

/// As it reads, keyword case and the number of blanks aside.
pub(super) fn fold(words: &Words<'_>) -> String {
    let before = [if words.on_build { "ONBUILD" } else { "" }, &words.keyword];
    let parts = before.into_iter().filter(|part| !part.is_empty()).chain(words.argument.split_whitespace());
    parts.collect::<Vec<_>>().join(" ")
}

fn fold_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without blanks and escape characters.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && !matches!(char, '\\' | '`')).collect()
}

/// A line of an instruction with this keyword. The blank behind the keyword stays, or `RUN set` would equal `RUNset`.
pub(super) fn line_key(keyword: &str, text: &str) -> String {
    format!("{keyword} {}", squeezed(text))
}

/// The part of a line of a shell script without what joins it to the next and the last one.
pub(super) fn without_joiners(line: &str) -> Range<usize> {
    let is_joiner = |char: char| char.is_whitespace() || matches!(char, '&' | '|' | ';');
    let start = line.len() - line.trim_start_matches(is_joiner).len();
    start..start.max(line.trim_end_matches(is_joiner).len())
}
