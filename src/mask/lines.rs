//! Values of Secrets in text that is no YAML, by its lines.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::secrets::{Hidden, Kind};

/// What may be a value: after `data:` or `stringData:` the rest of the line and all lines that are indented further, but for keys
/// that stand directly below. Nothing where no Secret is named.
pub(super) fn values(chars: &[char], within: Range<usize>) -> Vec<Hidden> {
    let text: String = chars.get(within.clone()).unwrap_or_default().iter().collect();
    let mut values = Vec::new();
    if !text.contains("Secret") {
        return values;
    }
    let mut hide =
        |span: Range<usize>| values.push(Hidden { span, style: ScalarStyle::Plain, bare: true, kind: Kind::Text });
    // The indentation of the key whose values follow, and that of the first of them.
    let mut open: Option<(usize, Option<usize>)> = None;
    let mut start = within.start;
    for line in text.split_inclusive(['\n', '\r']) {
        let end = start + line.chars().count();
        let indent = line.chars().take_while(|char| char.is_whitespace()).count();
        if !line.trim().is_empty() {
            open = open.filter(|(key, _)| indent > *key);
            match &mut open {
                Some((_, first)) => {
                    let is_key = *first.get_or_insert(indent) >= indent;
                    hide(start + if is_key { after_key(line) } else { 0 }..end);
                }
                None => {
                    if let Some(after) = after_data(line) {
                        open = Some((indent, None));
                        hide(start + after..end);
                    }
                }
            }
        }
        start = end;
    }
    values
}

/// The characters up to the value of a `key: value`, none where it is nothing of the kind.
fn after_key(line: &str) -> usize {
    let colon = line.match_indices(':').find(|(at, _)| line[at + 1..].starts_with(char::is_whitespace));
    colon.map_or(0, |(at, _)| line[..=at].chars().count())
}

/// The characters up to what follows a key `data` or `stringData`, wherever it stands on the line.
fn after_data(line: &str) -> Option<usize> {
    ["data", "stringData"].iter().flat_map(|key| line.match_indices(key).map(|(at, key)| (at, at + key.len()))).find_map(
        |(from, to)| {
            let rest = line[to..].trim_start_matches(['"', '\'']).trim_start();
            let alone = !line[..from].ends_with(|char: char| char.is_alphanumeric() || char == '_');
            let after = rest.strip_prefix(':').filter(|_| alone)?;
            Some(line[..line.len() - after.len()].chars().count())
        },
    )
}
