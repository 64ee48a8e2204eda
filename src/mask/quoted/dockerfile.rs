//! Credentials in a Dockerfile: pairs as a builder takes them apart, and text behind every instruction.

use std::ops::Range;

use super::joined::Joined;
use super::value::{self, Reader};
use super::{names, scan};
use crate::dockerfile::{Instruction, Words, comments, escape_character, instructions};

/// The spans of credentials.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let escape = escape_character(text);
    let mut spans = Vec::new();
    for comment in comments(text) {
        spans.extend(scan::within(text, comment));
    }
    for instruction in instructions(text, escape) {
        let joined = Joined::of(text, &instruction.parts);
        let found = scan::spans(&joined.text).into_iter().chain(pairs(&joined.text, escape));
        spans.extend(found.flat_map(|span| joined.back(&span)));
        spans.extend(scan::within(text, body(&instruction)));
    }
    spans
}

/// What stands behind the first lines of an instruction.
fn body(instruction: &Instruction) -> Range<usize> {
    let start = instruction.parts.last().map_or(instruction.span.end, |part| part.end);
    start.min(instruction.span.end)..instruction.span.end
}

/// The values of `ENV`, `ARG` and `LABEL` whose names tell.
fn pairs(text: &str, escape: char) -> Vec<Range<usize>> {
    let words = Words::of(text);
    if !matches!(words.keyword.as_str(), "ENV" | "ARG" | "LABEL") {
        return Vec::new();
    }
    let start = text.trim_end().len() - words.argument.len();
    let pairs = split(words.argument, escape);
    let Some(first) = pairs.first().and_then(|pair| words.argument.get(pair.clone())) else { return Vec::new() };
    // ENV NAME value
    if words.keyword != "ARG" && !first.contains('=') {
        let value = words.argument.get(first.len()..).unwrap_or_default();
        let at = start + first.len() + value.len() - value.trim_start().len();
        return hidden(first, value.trim_start(), at).into_iter().collect();
    }
    let pairs = pairs.into_iter().filter_map(|pair| {
        let (name, value) = words.argument.get(pair.clone())?.split_once('=')?;
        hidden(name.trim_matches(['"', '\'']), value, start + pair.start + name.len() + 1)
    });
    pairs.collect()
}

/// What to hide of a value that stands at a place.
fn hidden(name: &str, value: &str, at: usize) -> Option<Range<usize>> {
    let inner = |quote: char| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some((inner, if quote == '\'' { Reader::Literal } else { Reader::Shell }))
    };
    let (inner, reader) = inner('"').or_else(|| inner('\'')).unwrap_or((value, Reader::Shell));
    let at = at + usize::from(inner.len() < value.len());
    if names::is_dsn(name) {
        return password(inner).map(|span| at + span.start..at + span.end);
    }
    let hidden = names::is_secret(name).then(|| value::hidden(name, inner, reader)).flatten()?;
    Some(at + hidden.start..at + hidden.end)
}

/// The password in `user:password@host`; in an address with a scheme it is found anyway.
pub(super) fn password(dsn: &str) -> Option<Range<usize>> {
    let (info, _) = dsn.rsplit_once('@').filter(|_| !dsn.contains("://"))?;
    let user = info.find(':')?;
    let hidden = value::hidden("password", info.get(user + 1..)?, Reader::Shell)?;
    Some(user + 1 + hidden.start..user + 1 + hidden.end)
}

/// Splits at blanks outside quotes, as a builder does.
fn split(text: &str, escape: char) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let (mut start, mut quote, mut escaped) = (None, None, false);
    for (at, c) in text.char_indices() {
        if quote.is_none() && !escaped && c.is_whitespace() {
            words.extend(start.take().map(|start| start..at));
            continue;
        }
        start.get_or_insert(at);
        match quote {
            _ if escaped => escaped = false,
            _ if c == escape => escaped = true,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| start..text.len()));
    words
}
