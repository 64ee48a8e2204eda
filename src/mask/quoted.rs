//! Credentials in text that reports quote: instructions, source lines, environment values.
//!
//! Names decide first (`DB_PASSWORD=…`), then shapes that only credentials have (`ghp_…`). Where it is unclear how far a value reaches,
//! more is masked rather than less.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Masks what looks like a credential: each of its characters becomes `*`, line ends stay. References (`$VAR`, `/run/secrets/x`), switches
/// and empty values stay.
///
/// A whole file is masked better than a line of it (`name: DB_PASSWORD` may stand above `value: …`), and since lines and columns stay, lines
/// can be cut from it afterwards.
pub fn credentials(text: &str) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    // Stars may bring to light what a value hid, such as the end of a quote: on until nothing changes.
    while let Some(next) = once(&masked) {
        masked = Cow::Owned(next);
    }
    masked
}

fn once(text: &str) -> Option<String> {
    let mut spans = assignments(text);
    spans.extend(shapes(text));
    spans.sort_by_key(|span| span.start);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for span in spans {
        let start = span.start.max(end);
        if start < span.end {
            masked.push_str(text.get(end..start)?);
            masked.extend(text.get(start..span.end)?.chars().map(|c| if is_line_end(c) { c } else { '*' }));
            end = span.end;
        }
    }
    masked.push_str(text.get(end..)?);
    (masked != text).then_some(masked)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and each is compiled in the tests")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a sound pattern")
}

/// A name and what stands between it and its value. A colon counts before a blank or after a quote only: `token-service:1.2` is an image.
static NAMES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        r#"(?m)([A-Za-z0-9_.\-]+)(?:["']?[ \t]*(?::=|=>|=)[ \t]*|["'][ \t]*:[ \t]*|[ \t]*:(?:[ \t]+|$))"#,
        // ENV NAME value
        r"(?im)^[ \t]*(?:onbuild[ \t]+)?env[ \t]+([a-z0-9_.\-]+)[ \t]+",
        // --name value, and in the exec form "--name", "value"
        r#"(?m)(?:^|[\s"'])--?([A-Za-z][A-Za-z0-9_.\-]*)["']?(?:[ \t]+|[ \t]*,[ \t]*)"#,
        // name: DB_PASSWORD, and on the next line or behind a comma value: …
        r#"["']?\bname["']?:[ \t]*["']?([A-Za-z0-9_.\-]+)["']?[ \t]*(?:\r?\n|,)[ \t]*["']?value["']?:[ \t]*"#,
        // ${NAME:-value}
        r"\$\{([A-Za-z0-9_]+):?[-=]",
    ]
    .map(pattern)
});

/// How far a value reaches.
#[derive(Clone, Copy, PartialEq)]
enum Reach {
    /// To a blank, a quote or the start of another command or pair.
    Word,
    /// To the end of the line.
    Line,
    /// To the brace that closes the reference around it.
    Brace,
}

/// The values of names that tell of a credential.
fn assignments(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for (kind, names) in NAMES.iter().enumerate() {
        for found in names.captures_iter(text) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
            if !is_secret_name(name.as_str()) {
                continue;
            }
            let reach = match kind {
                0 if is_yaml_key(text, name.start()) && whole.as_str().contains(':') => Reach::Line,
                1 => Reach::Line,
                3 if whole.as_str().contains('\n') => Reach::Line,
                4 => Reach::Brace,
                _ => Reach::Word,
            };
            spans.extend(value(text, whole.end(), reach));
        }
    }
    spans
}

/// Whether only what may stand before a key of a block mapping stands before this on its line.
fn is_yaml_key(text: &str, at: usize) -> bool {
    let line = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    line.chars().all(|c| matches!(c, ' ' | '\t' | '-' | '"' | '\''))
}

/// What to mask of the value that starts at `at`, if it is one.
fn value(text: &str, at: usize, reach: Reach) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let line = rest.split(is_line_end).next().unwrap_or_default();
    if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let inner = line.get(1..)?;
        return plain(inner.get(..closing(inner, quote))?, at + 1);
    }
    if reach == Reach::Line && is_block_header(line) {
        return block(text, at);
    }
    // The braces of a flow mapping hold names of their own.
    if line.starts_with('[') || (line.starts_with('{') && !line.starts_with("{{")) {
        return None;
    }
    let references = references(line);
    let behind = line.get(references..)?;
    let end = match reach {
        Reach::Line => [" #", "\t#", " \\"].into_iter().filter_map(|end| behind.find(end)).min().unwrap_or(behind.len()),
        Reach::Brace => behind.find('}').unwrap_or(behind.len()),
        Reach::Word => word(behind),
    };
    plain(line.get(..references + end)?, at)
}

/// The span of a value without its quotes; `None` where it is no credential.
fn plain(value: &str, at: usize) -> Option<Range<usize>> {
    let trimmed = value.trim_end();
    let start = references(trimmed);
    let secret = trimmed.get(start..)?;
    let is_switch = SWITCHES.contains(&secret.to_ascii_lowercase().as_str());
    (!secret.is_empty() && !is_switch && !PATH.is_match(secret)).then(|| at + start..at + trimmed.len())
}

/// Where the quote is closed, or the end.
fn closing(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        if c == quote && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped && quote == '"';
    }
    inner.len()
}

/// Where an unquoted word ends.
fn word(text: &str) -> usize {
    static END: LazyLock<Regex> = LazyLock::new(|| pattern(r#"[\s"'`|]|&&|[;&][A-Za-z_ ]+=|;(?:\s|$)|[,}\])]+(?:\s|$)|\}"#));
    END.find(text).map_or(text.len(), |end| end.start())
}

/// How many bytes of references to something else a value begins with.
fn references(value: &str) -> usize {
    static REFERENCES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z0-9_]+\}|\$\{\{.*?\}\}|\$\([^)]*\)?|\{\{.*?\}\}|%[A-Za-z_]+%|`[^`]*`|\$\{[A-Za-z0-9_]+:?[-=+?][^}]*\})+",
        )
    });
    REFERENCES.find(value).map_or(0, |found| found.end())
}

/// The path of a file that holds the credential; base64 may begin with a slash too, but never is all lower case.
static PATH: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:/|\./|~/)[a-z0-9._/\-]+$"));

const SWITCHES: [&str; 11] = ["true", "false", "yes", "no", "on", "off", "none", "null", "~", "enabled", "disabled"];

fn is_block_header(value: &str) -> bool {
    static HEADER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[|>][+\-0-9]*[ \t]*(?:#.*)?$"));
    HEADER.is_match(value.trim_end())
}

/// The lines below that are indented deeper than the one of the header.
fn block(text: &str, header: usize) -> Option<Range<usize>> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t', '-']).len();
    let line_start = text.get(..header)?.rfind('\n').map_or(0, |at| at + 1);
    let key = indent(text.get(line_start..)?.lines().next()?);
    let start = header + text.get(header..)?.find('\n')? + 1;
    let mut end = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        if !line.trim().is_empty() && line.len() - line.trim_start().len() <= key {
            break;
        }
        end += line.len();
    }
    let body = text.get(start..end)?;
    let first = start + body.len() - body.trim_start().len();
    (first < end).then_some(first..end)
}

/// Names that hold one of these, blanks and signs left out, tell of a credential.
const SECRET: [&str; 17] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "accountkey",
    "sharedkey",
    "authkey",
    "credential",
    "connectionstring",
    "authtoken",
];
/// Names that end in one of these words do too.
const SECRET_LAST: [&str; 5] = ["pwd", "pass", "auth", "pat", "sk"];
/// Names that end in one of these words tell something about a credential.
const ABOUT: [&str; 32] = [
    "file",
    "path",
    "dir",
    "name",
    "names",
    "namespace",
    "ttl",
    "expiry",
    "expiration",
    "timeout",
    "length",
    "enabled",
    "url",
    "uri",
    "host",
    "port",
    "issuer",
    "type",
    "id",
    "ref",
    "mode",
    "seconds",
    "audience",
    "algorithm",
    "endpoint",
    "policy",
    "version",
    "class",
    "driver",
    "store",
    "provider",
    "count",
];

fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    let joined = words.concat();
    SECRET_LAST.contains(&last.as_str()) || last.ends_with("pwd") || SECRET.iter().any(|word| joined.contains(word))
}

/// `dbPassword` and `DB_PASSWORD` alike are `db`, `password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (was_lower && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Each group is masked.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Keys of cloud providers: two of AWS, then one of Huawei Cloud beside its secret key.
        r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b",
        r"(?s)\b([A-Z0-9]{20})\b.{0,80}?\b([A-Za-z0-9]{40})\b",
        r"(?s)\b([A-Za-z0-9]{40})\b.{0,80}?\b([A-Z0-9]{20})\b",
        r"\b(AIza[0-9A-Za-z_\-]{35})",
        // Tokens of code hosts, registries and chat.
        r"\b(gh[pousr]_[A-Za-z0-9]{20,})",
        r"\b(github_pat_[A-Za-z0-9_]{20,})",
        r"\b(gl[a-z]{2,6}-[A-Za-z0-9_\-]{20,})",
        r"\b(xox[a-z]-[A-Za-z0-9\-]{10,})",
        r"\b(npm_[A-Za-z0-9]{30,})",
        r"\b(dckr_pat_[A-Za-z0-9_\-]{20,})",
        r"\b(pypi-[A-Za-z0-9_\-]{50,})",
        r"\b((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,})",
        r"\b(eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?)",
        // A key in PEM, to its end or that of the text.
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(.*?)(?:-----END|$)",
        // Headers.
        r#"(?i)authorization["']?[ \t]*[:=][ \t]*["']?(?:(?:basic|bearer|digest|token)[ \t]+)?([^\s"']+)"#,
        r"(?i)\bbearer[ \t]+([A-Za-z0-9+/=._~\-]{16,})",
        r"\b[Bb]asic[ \t]+([A-Za-z0-9+/]{12,}={1,2})",
        // The switches of known tools.
        r"\bsshpass[ \t]+-p[ \t]*([^\s$]\S*)",
        r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;&]*[ \t]-p([^\s$]\S*)",
        r"\b(?:docker|podman|buildah|helm|crane|skopeo)\b[^\n|;&]*\blogin\b[^\n|;&]*[ \t]-p[ \t]+([^\s$]\S*)",
        r"\bredis-cli\b[^\n|;&]*[ \t]-a[ \t]+([^\s$]\S*)",
        r#"\bcurl\b[^\n|;&]*[ \t](?:-[A-Za-z]*u|--user)[ \t=]*["']?[^\s:"']+:([^\s$"'][^\s"']*)"#,
    ]
    .into_iter()
    .map(pattern)
    .collect()
});

/// `scheme://user:password@host`
static USER_INFO: LazyLock<Regex> = LazyLock::new(|| pattern(r#"[A-Za-z][A-Za-z0-9+.\-]*://([^\s/?#"'<>]*)@"#));

/// What is a credential whatever its name.
fn shapes(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for shape in SHAPES.iter() {
        spans.extend(
            shape
                .captures_iter(text)
                .flat_map(|found| found.iter().skip(1).flatten().map(|group| group.range()).collect::<Vec<_>>()),
        );
    }
    for found in USER_INFO.captures_iter(text) {
        if let Some(user_info) = found.get(1)
            && let Some((user, password)) = user_info.as_str().split_once(':')
        {
            let at = user_info.start() + user.len() + 1;
            let start = references(password);
            spans.push(at + start..at + password.len());
        }
    }
    spans
}

#[cfg(test)]
mod tests;
