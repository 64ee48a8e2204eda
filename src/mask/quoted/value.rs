//! What of a value is the credential, if it is one.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{names, pattern};

/// Who reads the value decides what `$` means in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A shell or a builder: `$NAME` is a reference.
    Shell,
    /// `$(NAME)` is one, and what some tool filled in before, `${NAME}`.
    Kubernetes,
    /// Nobody: quotes keep it as it is.
    Literal,
}

/// How a value begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// So many bytes of references, then text.
    Text(usize),
    /// So many bytes, then what is taken where a reference has no value, to the brace that closes it.
    Fallback(usize),
    /// With a command or a template that gives it.
    Computed,
}

/// How a value begins; looks at no more of it than that.
pub(super) fn start(value: &str, reader: Reader) -> Start {
    let mut at = 0;
    loop {
        let rest = value.get(at..).unwrap_or_default();
        if ["{{", "${{", "<%"].iter().any(|template| rest.starts_with(template)) {
            return Start::Computed;
        }
        if reader == Reader::Literal {
            return Start::Text(at);
        }
        if let Some(length) = reference(rest, reader) {
            at += length;
        } else if reader == Reader::Shell && (rest.starts_with("$(") || rest.starts_with('`')) {
            return Start::Computed;
        } else {
            return fallback(rest).map_or(Start::Text(at), |skip| Start::Fallback(at + skip));
        }
    }
}

/// The length of the reference that text begins with.
fn reference(text: &str, reader: Reader) -> Option<usize> {
    let closed = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?;
        let name = name_length(inner);
        (name > 0 && inner.get(name..)?.starts_with(close)).then_some(open.len() + name + close.len())
    };
    let bare = || {
        let inner = text.strip_prefix('$').filter(|inner| !inner.starts_with(|c: char| c.is_ascii_digit()))?;
        Some(name_length(inner)).filter(|length| *length > 0).map(|length| length + 1)
    };
    let either = closed("${", "}").or_else(|| closed("$(", ")"));
    if reader == Reader::Shell { either.or_else(bare).or_else(|| closed("%", "%")) } else { either }
}

/// The length of `${NAME:-` and the like.
fn fallback(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let name = Some(name_length(inner)).filter(|length| *length > 0)?;
    let rest = inner.get(name..)?;
    let sign = rest.strip_prefix(':').unwrap_or(rest);
    sign.starts_with(['-', '=', '+']).then(|| 2 + name + (rest.len() - sign.len()) + 1)
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// What to hide of a value that is known to its end.
pub(super) fn hidden(name: &str, value: &str, reader: Reader) -> Option<Range<usize>> {
    let (from, to) = match start(value, reader) {
        Start::Computed => return None,
        Start::Text(at) => (at, value.len()),
        Start::Fallback(at) => (at, value.rfind('}').filter(|end| *end > at).unwrap_or(value.len())),
    };
    credential(name, value, from..to)
}

/// A part of a value, without blanks around it, if it is a credential; what stands before it are references.
pub(super) fn credential(name: &str, value: &str, part: Range<usize>) -> Option<Range<usize>> {
    let text = value.get(part.clone())?;
    let trimmed = text.trim();
    let is_harmless = trimmed.is_empty()
        || SWITCHES.iter().any(|switch| trimmed.eq_ignore_ascii_case(switch))
        || is_count(name, trimmed)
        || is_path(trimmed, part.start > 0);
    let from = part.start + (text.len() - text.trim_start().len());
    (!is_harmless).then(|| from..from + trimmed.len())
}

const SWITCHES: [&str; 11] = ["true", "false", "yes", "no", "on", "off", "none", "null", "~", "enabled", "disabled"];

/// A number, with its unit, that nobody logs in with.
fn is_count(name: &str, value: &str) -> bool {
    static COUNT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[+-]?[0-9]{1,7}(?:\.[0-9]{1,7})?(?:[a-zA-Z]{1,2}|%)?$"));
    value.len() < 20 && COUNT.is_match(value) && !names::is_password(name)
}

/// The path of a file that holds the credential; base64 may begin with a slash too, but hardly ever is all lower case.
fn is_path(value: &str, below_reference: bool) -> bool {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^(?:(?:\.{1,2}|~)/|/[a-z0-9._\-]+/|/)[a-z0-9._\-]*(?:/[a-z0-9._\-]+)*/?$"));
    let is_deep = below_reference || value.starts_with(['.', '~']) || value.bytes().filter(|byte| *byte == b'/').count() > 1;
    value.starts_with(['/', '.', '~']) && is_deep && PATH.is_match(value)
}
