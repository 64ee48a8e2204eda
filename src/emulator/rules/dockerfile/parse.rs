//! A small model of a Dockerfile, read as the Dockerfile reference says: parser directives, continuation lines with comments
//! between them, heredocs, exec forms, stages.

use std::collections::HashMap;
use std::str::Lines;

/// A Dockerfile's instructions, in file order.
#[derive(Debug)]
pub(super) struct Dockerfile {
    pub(super) instructions: Vec<Instruction>,
    pub(super) stages: Vec<Stage>,
}

/// One instruction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Upper case; what is triggered, for `ONBUILD`.
    pub(super) keyword: String,
    /// Whether it is run by the images built on this one, and not here.
    pub(super) on_build: bool,
    /// As written, continuation lines joined by a blank, without heredoc bodies.
    pub(super) text: String,
    /// What follows the keyword.
    pub(super) rest: String,
    /// Heredoc bodies.
    pub(super) bodies: Vec<String>,
}

/// A build stage.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// Where its `FROM` stands in [`Dockerfile::instructions`]; the stage ends where the next begins.
    pub(super) first: usize,
    /// One behind its last instruction.
    pub(super) end: usize,
    /// What it is built on.
    pub(super) base: Base,
}

/// What a stage is built on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// An image, global arguments replaced by their defaults.
    Image(String),
    /// An earlier stage.
    Stage(usize),
    /// `scratch`, or a reference whose arguments have no default.
    Unknown,
}

impl Dockerfile {
    /// Reads a Dockerfile. Fails where a builder could not start: no instruction, or a heredoc without an end.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let escape = escape_character(&text);
        let mut lines = NumberedLines { lines: text.lines(), number: 0 };
        let mut instructions = Vec::new();
        while let Some(line) = lines.next() {
            if is_blank_or_comment(line) {
                continue;
            }
            let joined = join_continuations(line, escape, &mut lines);
            instructions.push(Instruction::read(joined, &mut lines)?);
        }
        if instructions.is_empty() {
            return Err("the file has no instruction".to_owned());
        }
        let stages = stages(&instructions);
        Ok(Self { instructions, stages })
    }

    /// The instructions with this keyword, those of `ONBUILD` too.
    pub(super) fn all<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a Instruction> {
        self.instructions.iter().filter(move |instruction| instruction.keyword == keyword)
    }

    /// The stages that the image is made of, the last first: the one that is built by default and those it builds on.
    pub(super) fn lineage(&self) -> impl Iterator<Item = &Stage> {
        std::iter::successors(self.stages.last(), |stage| match stage.base {
            Base::Stage(index) => self.stages.get(index),
            Base::Image(_) | Base::Unknown => None,
        })
    }

    /// The instruction with this keyword that is in force in the image, and not in a stage that is left behind.
    pub(super) fn last_in_force(&self, keyword: &str) -> Option<&Instruction> {
        self.lineage().find_map(|stage| {
            let own = &self.instructions[stage.first..stage.end];
            own.iter().rfind(|instruction| instruction.keyword == keyword && !instruction.on_build)
        })
    }
}

impl Instruction {
    fn read(text: String, lines: &mut NumberedLines<'_>) -> Result<Self, String> {
        let (mut keyword, mut rest) = split_keyword(&text);
        let on_build = keyword == "ONBUILD";
        if on_build {
            (keyword, rest) = split_keyword(rest);
        }
        let rest = rest.to_owned();
        let mut bodies = Vec::new();
        if matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") {
            for heredoc in heredocs(&rest) {
                bodies.push(heredoc.read(lines)?);
            }
        }
        Ok(Self { keyword, on_build, text, rest, bodies })
    }

    /// The words behind the flags, quotes taken off; an exec form's strings.
    pub(super) fn arguments(&self) -> Vec<String> {
        let (_, rest) = self.split_flags();
        serde_json::from_str(rest).unwrap_or_else(|_| words(rest))
    }

    /// `--mount=type=cache,target=/x` and the like.
    pub(super) fn flags(&self) -> Vec<&str> {
        self.split_flags().0
    }

    /// What a `RUN` gives to the shell: its arguments and heredoc bodies.
    pub(super) fn script(&self) -> String {
        let (_, rest) = self.split_flags();
        let mut script = serde_json::from_str::<Vec<String>>(rest).map_or_else(|_| rest.to_owned(), |words| words.join(" "));
        for body in &self.bodies {
            script.push('\n');
            script.push_str(body);
        }
        script
    }

    fn split_flags(&self) -> (Vec<&str>, &str) {
        let mut flags = Vec::new();
        let mut rest = self.rest.as_str();
        while rest.starts_with("--") {
            let (flag, behind) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
            flags.push(flag);
            rest = behind.trim_start();
        }
        (flags, rest)
    }

    /// The pairs of an `ENV`, `ARG` or `LABEL`, the old form `ENV name value` too.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let words = words(&self.rest);
        match words.first() {
            Some(name) if self.keyword == "ENV" && !name.contains('=') => {
                vec![(name.clone(), words[1..].join(" "))]
            }
            _ => words
                .iter()
                .map(|word| {
                    word.split_once('=').map_or((word.clone(), String::new()), |(name, value)| (name.into(), value.into()))
                })
                .collect(),
        }
    }
}

struct NumberedLines<'a> {
    lines: Lines<'a>,
    number: usize,
}

impl<'a> Iterator for NumberedLines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }
}

/// The backslash, unless a directive at the very top says otherwise.
fn escape_character(text: &str) -> char {
    for line in text.lines() {
        let Some((name, value)) = line.trim_start().strip_prefix('#').and_then(|comment| comment.split_once('=')) else {
            break;
        };
        let (name, value) = (name.trim(), value.trim());
        let mut letters = name.chars();
        let named = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric());
        if !named || value.is_empty() {
            break;
        }
        if name.eq_ignore_ascii_case("escape") && value == "`" {
            return '`';
        }
    }
    '\\'
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn join_continuations(first: &str, escape: char, lines: &mut NumberedLines<'_>) -> String {
    let mut joined = String::new();
    let mut line = first;
    loop {
        let continued = line.trim_end().strip_suffix(escape).filter(|before| !before.ends_with(escape));
        let part = continued.unwrap_or(line).trim();
        if !part.is_empty() {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(part);
        }
        if continued.is_none() {
            return joined;
        }
        match lines.find(|line| !is_blank_or_comment(line)) {
            Some(next) => line = next,
            None => return joined,
        }
    }
}

fn split_keyword(text: &str) -> (String, &str) {
    let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (keyword.to_ascii_uppercase(), rest.trim())
}

struct Heredoc {
    end: String,
    strip_tabs: bool,
}

impl Heredoc {
    fn read(&self, lines: &mut NumberedLines<'_>) -> Result<String, String> {
        let start = lines.number;
        let mut body = String::new();
        for line in lines.by_ref() {
            let line = if self.strip_tabs { line.trim_start_matches('\t') } else { line };
            if line == self.end {
                return Ok(body);
            }
            body.push_str(line);
            body.push('\n');
        }
        Err(format!("line {start}: the heredoc {} has no end", self.end))
    }
}

/// `<<EOF`, `<<-"EOF"`, `3<<EOF`, each a word of its own; `<<<word` is not one.
fn heredocs(rest: &str) -> Vec<Heredoc> {
    let mut found = Vec::new();
    for word in raw_words(rest) {
        let Some(marker) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else { continue };
        let (strip_tabs, marker) = marker.strip_prefix('-').map_or((false, marker), |name| (true, name));
        let end = unquoted(marker);
        if !end.is_empty() && !end.contains('<') {
            found.push(Heredoc { end, strip_tabs });
        }
    }
    found
}

/// Splits at blanks outside quotes; quotes are taken off.
pub(super) fn words(text: &str) -> Vec<String> {
    raw_words(text).into_iter().map(unquoted).collect()
}

fn raw_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (index, char) in text.char_indices() {
        if quote.is_none() && !escaped && char.is_whitespace() {
            words.extend(start.take().map(|start| &text[start..index]));
            continue;
        }
        start.get_or_insert(index);
        match (quote, char) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

fn unquoted(word: &str) -> String {
    word.chars().filter(|char| !matches!(char, '"' | '\'')).collect()
}

fn stages(instructions: &[Instruction]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut named: HashMap<String, usize> = HashMap::new();
    let mut defaults: HashMap<String, String> = HashMap::new();
    for (index, instruction) in instructions.iter().enumerate() {
        if instruction.keyword == "ARG" && stages.is_empty() {
            defaults.extend(instruction.pairs().into_iter().filter(|(_, value)| !value.is_empty()));
        }
        if instruction.keyword != "FROM" || instruction.on_build {
            if let Some(stage) = stages.last_mut() {
                stage.end = index + 1;
            }
            continue;
        }
        let words = instruction.arguments();
        let reference = words.first().and_then(|word| expand(word, &defaults));
        let base = match reference {
            Some(reference) => match named.get(&reference.to_ascii_lowercase()) {
                Some(&earlier) => Base::Stage(earlier),
                None if reference == "scratch" => Base::Unknown,
                None => Base::Image(reference),
            },
            None => Base::Unknown,
        };
        let name = (words.len() > 2 && words[1].eq_ignore_ascii_case("as")).then(|| words[2].to_ascii_lowercase());
        if let Some(name) = &name {
            named.insert(name.clone(), stages.len());
        }
        stages.push(Stage { first: index, end: index + 1, base });
    }
    stages
}

/// Puts in the defaults of `$NAME`, `${NAME}` and `${NAME:-default}`; `None` where one has no default.
fn expand(text: &str, defaults: &HashMap<String, String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once('$') {
        out.push_str(before);
        let (expression, behind) = match variable.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => {
                variable.split_at(variable.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(variable.len()))
            }
        };
        let (name, fallback) = expression.split_once(":-").map_or((expression, None), |(name, value)| (name, Some(value)));
        out.push_str(defaults.get(name).map(String::as_str).or(fallback)?);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}
