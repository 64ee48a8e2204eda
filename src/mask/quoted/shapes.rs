//! What is a credential whatever its name.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;
use regex::Regex;

use super::pattern;
use super::value::{self, Reader};

/// The tokens of clouds, code hosts, registries and chats. Their letters are ASCII, which keeps the search fast.
const TOKENS: [&str; 25] = [
    // Clouds.
    r"(?:AKIA|ASIA)[0-9A-Z]{16,}",
    r"AIza[0-9A-Za-z_\-]{35}",
    r"ya29\.[0-9A-Za-z_\-]{20,}",
    r"GOCSPX-[0-9A-Za-z_\-]{20,}",
    r"dop_v1_[a-f0-9]{40,}",
    r"hv[sbr]\.[A-Za-z0-9_\-]{20,}",
    // Code hosts.
    r"gh[pousr]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rtr?|soat|wt)-[A-Za-z0-9_\-]{20,}",
    r"ATATT3[A-Za-z0-9_=\-]{20,}",
    // Registries.
    r"npm_[A-Za-z0-9]{30,}",
    r"dckr_pat_[A-Za-z0-9_\-]{20,}",
    r"pypi-[A-Za-z0-9_\-]{50,}",
    r"rubygems_[a-f0-9]{40,}",
    // Chats, mail, payment, models.
    r"xox[a-z]-[A-Za-z0-9\-]{10,}",
    r"xapp-[A-Za-z0-9\-]{20,}",
    r"T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{16,}",
    r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
    r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}",
    r"sk-[A-Za-z0-9_\-]{32,}",
    r"hf_[A-Za-z0-9]{30,}",
    // JSON Web Tokens, keys of age, private keys in PEM that were encoded once more.
    r"eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)*",
    r"AGE-SECRET-KEY-1[A-Z0-9]{30,}",
    r"LS0tLS1CRUdJTi(?:BQUklWQVRF|BSU0EgUFJJVk|BFQyBQUklWQV|BPUEVOU1NI|BFTkNSWVBUR)[A-Za-z0-9+/=]*",
    // The password of a key, to OpenSSL.
    r#"pass(?:in|out)?[ "',]{1,4}pass:[^\s"']+"#,
];

/// The spans of credentials that their shape tells.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    static SHAPES: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?-u:\b)(?:{})", TOKENS.join("|"))));
    let mut spans: Vec<Range<usize>> =
        SHAPES.find_iter(text).filter_map(|found| secret(found.as_str(), found.start())).collect();
    spans.extend(private_keys(text));
    spans.extend(key_pairs(text));
    spans
}

/// The secret in what looks like one and stands at a place.
fn secret(found: &str, at: usize) -> Option<Range<usize>> {
    let lead = if found.starts_with("pass") { found.find(':')? + 1 } else { 0 };
    let hidden = value::hidden("password", found.get(lead..)?, Reader::Shell)?;
    Some(at + lead + hidden.start..at + lead + hidden.end)
}

/// The text of private keys in PEM, to the end of each or that of the text.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    static BEGIN: LazyLock<Regex> = LazyLock::new(|| pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"));
    let mut keys = Vec::new();
    let mut at = 0;
    while let Some(begin) = BEGIN.find_at(text, at) {
        let rest = text.as_bytes().get(begin.end()..).unwrap_or_default();
        let end = memmem::find(rest, b"-----END").map_or(text.len(), |end| begin.end() + end);
        keys.push(begin.end()..end);
        at = end;
    }
    keys
}

/// How far the two keys of a pair stand apart at most.
const APART: usize = 80;

/// The keys of AWS and Huawei Cloud have no mark, but stand beside each other: one of 20 capitals and digits, its secret of 40 letters.
fn key_pairs(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut last: Option<Range<usize>> = None;
    let mut at = 0;
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let place = at..at + word.len();
        at = place.end + text.get(place.end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if !is_access_key(word) && !is_secret_key(word) {
            continue;
        }
        if let Some(before) = last.take().filter(|before| before.len() != place.len() && place.start - before.end <= APART) {
            spans.extend([before, place]);
        } else {
            last = Some(place);
        }
    }
    spans
}

fn is_access_key(word: &str) -> bool {
    word.len() == 20 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A commit has as many letters, but no capitals.
fn is_secret_key(word: &str) -> bool {
    word.len() == 40
        && word.bytes().any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| !byte.is_ascii_uppercase())
}
