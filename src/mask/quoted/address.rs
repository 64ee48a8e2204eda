//! Who logs in at an address, `scheme://user:password@host`.

use std::ops::Range;

use super::value::{self, Reader};

/// How far a password with signs in it that no address may have is looked for.
const MOST: usize = 256;

/// What to hide of the user info that may start at a place, and where it ends.
pub(super) fn user_info(text: &str, scheme: &str, at: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let rest = text.get(at..)?;
    let authority = rest.get(..rest.find(|c: char| c.is_whitespace() || "/?#\"'<>`\\".contains(c)).unwrap_or(rest.len()))?;
    let end = authority.rfind('@').or_else(|| odd(rest, authority))?;
    let info = rest.get(..end)?;
    let is_web = scheme.to_ascii_lowercase().contains("http");
    let user_end = info.find(':').unwrap_or(info.len());
    let user = info.get(..user_end)?;
    let password = info.get(user_end + 1..).unwrap_or_default();
    let mut hidden = Vec::new();
    if is_web && matches!(password, "" | "x-oauth-basic") && !matches!(user, "git" | "user" | "oauth2" | "x-access-token") {
        hidden.extend(value::hidden("password", user, Reader::Shell).map(|user| at + user.start..at + user.end));
    }
    let from = at + user_end + 1;
    let secret = value::hidden("password", password, Reader::Shell).filter(|_| password != "x-oauth-basic");
    hidden.extend(secret.map(|secret| from + secret.start..from + secret.end));
    Some((hidden, at + end))
}

/// The end of user info whose password has a slash in it: behind a colon there is no port.
fn odd(rest: &str, authority: &str) -> Option<usize> {
    let port = authority.split_once(':')?.1;
    if port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) || port.starts_with(['$', '{', '%', '[', '<']) {
        return None;
    }
    let near =
        rest.bytes().take(MOST).take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'')).count();
    rest.as_bytes().get(..near)?.iter().rposition(|byte| *byte == b'@').filter(|at| *at > authority.len())
}
