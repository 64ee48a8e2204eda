//! Credentials that stand at their place in a sentence of SQL or of a command: `IDENTIFIED BY 'X'`, `rabbitmqctl add_user u X`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern;
use super::value::{self, Reader};

/// What stands in quotes, in those of a shell inside of quotes, in those that are escaped.
const QUOTED: &str = r#"(?:'\\''([^'\n]+)|\\+['"]([^'"\\\n]+)|'((?:[^'\n]|'')+)|"([^"\n]+))"#;
/// A word, without the quote around it.
const WORD: &str = r#"['"]?([^\s'";&|<>]+)"#;

/// The credential is what a group takes.
static SENTENCES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?x)(?i:(?:^|[^\w.\-])(?:password|identified\s+(?:with\s+\S+\s+)?(?:by|as)))\s+ (?-x:{QUOTED})
        | \brabbitmqctl\s(?:[^\n;&|]*\s)?(?:add_user|change_password)\s+\S+\s+ (?-x:{WORD})
        | \bhtpasswd\s+(?:-\S+\s+)*-(?:\w*n\w*b|\w*b\w*n)\w*\s+(?:-\S+\s+)*[^\s\-]\S*\s+ (?-x:{WORD})
        | \bhtpasswd\s+(?:-\S+\s+)*-\w*b\w*\s+(?:-\S+\s+)*[^\s\-]\S*\s+\S+\s+ (?-x:{WORD})"
    ))
});

/// The spans of such credentials.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let found = SENTENCES.captures_iter(text).filter_map(|found| found.iter().skip(1).flatten().next());
    let hidden = found.filter_map(|word| {
        let hidden = value::hidden("password", word.as_str(), Reader::Shell)?;
        Some(word.start() + hidden.start..word.start() + hidden.end)
    });
    hidden.collect()
}
