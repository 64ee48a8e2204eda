//! Where the text of a scalar stands, without what is written around it.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::tree::{Tree, Value};

/// The span of a scalar without anchor, tag, block header and quotes; `bare` where it has neither anchor nor tag.
pub(crate) fn content(chars: &[char], span: &Range<usize>, style: ScalarStyle, bare: bool) -> Range<usize> {
    let Range { start, end } = *span;
    let is = |at: usize, set: &[char]| at < end && chars.get(at).is_some_and(|char| set.contains(char));
    let skip = |from: usize, wanted: &dyn Fn(char) -> bool| {
        (from..end).find(|at| chars.get(*at).is_none_or(|char| !wanted(*char))).unwrap_or(end)
    };
    let mut at = start;
    while !bare && at < end {
        at = skip(at, &char::is_whitespace);
        if is(at, &['#']) {
            at = skip(at, &|char| !matches!(char, '\n' | '\r'));
        } else if is(at, &['&', '!']) {
            at = skip(at, &|char| !char.is_whitespace());
        } else {
            break;
        }
    }
    match style {
        ScalarStyle::Plain => at..end,
        ScalarStyle::Literal | ScalarStyle::Folded => skip(at, &|char| !matches!(char, '\n' | '\r'))..end,
        ScalarStyle::SingleQuoted => at + 1..closing(chars, at + 1..end, '\'', '\''),
        ScalarStyle::DoubleQuoted => at + 1..closing(chars, at + 1..end, '"', '\\'),
    }
}

/// Where the quote is closed; what the escape stands before is no end, another quote for one.
fn closing(chars: &[char], within: Range<usize>, quote: char, escape: char) -> usize {
    let mut at = within.start;
    while at < within.end {
        match (chars.get(at).copied(), chars.get(at + 1).copied()) {
            (Some(char), next) if char == escape && (escape != quote || next == Some(quote)) => at += 2,
            (Some(char), _) if char == quote => return at,
            _ => at += 1,
        }
    }
    within.end
}

impl Tree<'_> {
    /// Where the text of scalars stands, by place; `chars` are those of the file. Rather too much than too little.
    pub(crate) fn scalars(&self, chars: &[char]) -> Vec<Range<usize>> {
        let mut scalars: Vec<Range<usize>> = self
            .nodes
            .iter()
            .filter_map(|node| match node.value {
                // What stands before the header of a block with an anchor or a tag is not known well enough.
                Value::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, bare: false, .. } => Some(node.span()),
                Value::Scalar { style, bare, .. } => Some(content(chars, &node.span(), style, bare)),
                _ => None,
            })
            .collect();
        scalars.sort_by_key(|scalar| scalar.start);
        scalars
    }
}
