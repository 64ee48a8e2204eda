//! The spellings of a path. What the service writes is not documented: dots, slashes, `JSONPath` and JSON Pointer are read, and
//! text around them is passed over.

/// A path longer than this is cut: no real one is.
const MAX_CHARS: usize = 4096;
/// Of a list of paths these many are looked at.
const MAX_PIECES: usize = 16;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A key, an index or the name of an item. A `bare` one may be a part of a key that holds separators.
    Key { text: String, bare: bool },
    /// Every item or value.
    Any,
    /// Whatever is below.
    Deep,
    /// The items in which these keys lead to this value.
    Filter { keys: Vec<String>, value: String },
}

/// One reading of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<Step>,
    /// What parts bare keys: `.` or `/`.
    pub(super) separator: char,
}

/// All readings of what the service wrote, the most literal first.
pub(super) fn spellings(text: &str) -> Vec<Path> {
    let cut = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(byte, _)| byte);
    let text = text.get(..cut).unwrap_or_default().trim();
    let mut pieces = vec![text];
    let several = split(text, |char, _| matches!(char, ',' | ';' | '\n'));
    for piece in several.into_iter().take(MAX_PIECES) {
        let named = split(piece.trim(), |char, next| match char {
            ':' => next.is_none_or(char::is_whitespace),
            _ => char == '=' || char.is_whitespace(),
        });
        pieces.push(piece.trim());
        pieces.extend(named.first());
    }
    let mut paths: Vec<Path> = Vec::new();
    for piece in pieces {
        let inner = piece.strip_prefix('{').and_then(|piece| piece.strip_suffix('}')).unwrap_or(piece);
        let inner = without_root(inner.trim());
        let pointer = inner.starts_with('/');
        // In `data..dockerconfigjson` the second dot may be the key's own.
        let dots = [(!pointer && inner.contains(".."), '.', true), (!pointer, '.', false)];
        let readings = dots.into_iter().chain([(inner.contains('/'), '/', false)]);
        for (_, separator, dotted) in readings.filter(|(is_possible, ..)| *is_possible) {
            let scanner = Scanner { rest: inner, separator, pointer, dotted, ..Scanner::default() };
            let path = Path { steps: scanner.read(), separator };
            if !path.steps.is_empty() && !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

/// A path without the sign of the root: `$.spec`, `@.spec`, `#/spec`; but `$patch` is a key.
fn without_root(path: &str) -> &str {
    let rest = path.strip_prefix(['$', '@', '#']).unwrap_or(path);
    if rest.is_empty() || rest.starts_with(['.', '[', '/']) { rest } else { path }
}

/// Splits where `ends` says so of a character and the next, but never in brackets or quotes.
fn split(text: &str, ends: impl Fn(char, Option<char>) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, _) if depth == 0 && ends(char, chars.peek().map(|(_, next)| *next)) => {
                parts.extend(text.get(start..at));
                start = at + char.len_utf8();
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[derive(Default)]
struct Scanner<'a> {
    rest: &'a str,
    separator: char,
    /// A JSON Pointer has no brackets and no quotes.
    pointer: bool,
    /// Whether the second of two dots starts a key.
    dotted: bool,
    word: String,
    steps: Vec<Step>,
}

impl<'a> Scanner<'a> {
    fn read(mut self) -> Vec<Step> {
        while let Some(char) = self.rest.chars().next() {
            self.rest = self.rest.get(char.len_utf8()..).unwrap_or_default();
            match char {
                _ if char == self.separator => {
                    self.end_word();
                    if let (true, Some(rest)) = (char == '.', self.rest.strip_prefix('.')) {
                        self.rest = rest;
                        if self.dotted { self.word.push('.') } else { self.steps.push(Step::Deep) }
                    }
                }
                '\\' if self.separator == '.' => {
                    let escaped = self.rest.chars().next();
                    self.word.extend(escaped);
                    self.rest = self.rest.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
                }
                '[' if !self.pointer => {
                    self.end_word();
                    let content = self.until(']');
                    self.steps.push(bracket(content.trim()));
                }
                '"' | '\'' if !self.pointer && self.word.is_empty() => {
                    let text = self.until(char).to_owned();
                    self.steps.push(Step::Key { text, bare: false });
                }
                _ => self.word.push(char),
            }
        }
        self.end_word();
        self.steps
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        let text = if self.separator == '/' { word.replace("~1", "/").replace("~0", "~") } else { word };
        match text.trim() {
            "" => {}
            "*" => self.steps.push(Step::Any),
            "**" => self.steps.push(Step::Deep),
            text => self.steps.push(Step::Key { text: text.to_owned(), bare: true }),
        }
    }

    /// The text up to a closing mark, and past it; brackets and quotes in brackets are balanced.
    fn until(&mut self, close: char) -> &'a str {
        let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
        for (at, char) in self.rest.char_indices() {
            match (quote, char) {
                (_, '\\') if !escaped => {
                    escaped = true;
                    continue;
                }
                (None, _) if char == close && depth == 0 && !escaped => {
                    let (text, rest) = (self.rest.get(..at), self.rest.get(at + char.len_utf8()..));
                    self.rest = rest.unwrap_or_default();
                    return text.unwrap_or_default();
                }
                (None, '"' | '\'') if close == ']' => quote = Some(char),
                (None, '[') if close == ']' => depth += 1,
                (None, ']') => depth = depth.saturating_sub(1),
                (Some(open), _) if open == char && !escaped => quote = None,
                _ => {}
            }
            escaped = false;
        }
        std::mem::take(&mut self.rest)
    }
}

/// The step that brackets with this content are.
fn bracket(text: &str) -> Step {
    if let Some(text) = quoted(text) {
        return Step::Key { text, bare: false };
    }
    let is_slice = text.contains(':') && text.chars().all(|char| matches!(char, ':' | '-' | '0'..='9'));
    if matches!(text, "" | "*") || is_slice {
        return Step::Any;
    }
    let condition = text.trim_start_matches('?').trim().trim_start_matches('(').trim_end_matches(')');
    let sides = split(condition, |char, _| char == '=');
    if text.starts_with('?') || sides.len() > 1 {
        let [field, value] = sides[..] else { return Step::Any };
        let field = field.trim().trim_start_matches('@').trim_start_matches('.');
        // Anything but one equation is a condition that is not understood.
        if !field.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '/')) {
            return Step::Any;
        }
        let value = value.trim();
        let value = quoted(value).unwrap_or_else(|| value.to_owned());
        return Step::Filter { keys: field.split('.').map(str::to_owned).collect(), value };
    }
    if split(text, |char, _| char == ',').len() > 1 { Step::Any } else { Step::Key { text: text.to_owned(), bare: false } }
}

/// What stands in quotes, where nothing else does.
fn quoted(text: &str) -> Option<String> {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('"') {
        let text = serde_json::from_str(text).ok();
        return text.or_else(|| (!inner.contains('"')).then(|| inner.to_owned()));
    }
    let text = inner('\'')?.replace("\\'", "'");
    (!text.contains("','") && !text.contains("' ,") && !text.contains("', ")).then_some(text)
}

#[cfg(test)]
mod tests;
