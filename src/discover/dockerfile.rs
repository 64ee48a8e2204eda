//! What makes a file a Dockerfile: its name, then its first instruction.

use memchr::{memchr, memchr2, memmem};

/// How a name speaks of a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// `Dockerfile` or `Containerfile`: the name is the declaration.
    Exact,
    /// A variant of it, such as `Dockerfile.prod` or `api.dockerfile`: the content has to agree.
    Variant,
}

/// What the content of a file with such a name makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A builder pointed at it could start.
    Dockerfile(&'static str),
    /// It is still to be rendered.
    Template(&'static str),
    /// No text, although the name declares it.
    Binary(&'static str),
    /// Neither.
    Neither(&'static str),
}

const STEMS: [&str; 2] = ["dockerfile", "containerfile"];

/// Last extensions that say "document" or "code" of a name like `x.Dockerfile.md`.
const OTHER_EXTENSIONS: [&str; 27] = [
    "adoc", "c", "cpp", "cs", "diff", "go", "h", "html", "java", "js", "json", "lock", "md", "patch", "png", "ps1", "py",
    "rb", "rs", "rst", "sh", "svg", "toml", "ts", "txt", "yaml", "yml",
];

const TEMPLATE_EXTENSIONS: [&str; 15] = [
    "ejs", "envsubst", "erb", "gotmpl", "hbs", "in", "j2", "jinja", "jinja2", "m4", "mustache", "template", "tmpl", "tpl",
    "tt",
];

/// Openings of the template languages in use, as far as no Dockerfile instruction starts so.
const OPENINGS: [&[u8]; 3] = [b"{{", b"{%", b"<%"];

/// Looks at a base name; `None` where it says nothing of a Dockerfile.
pub(super) fn name(name: &[u8]) -> Option<Name> {
    // Nearly all names of a tree end here: nothing is allocated for them, and few have the `f` of both stems.
    let holds = |stem: &str| name.windows(stem.len()).any(|part| part.eq_ignore_ascii_case(stem.as_bytes()));
    if memchr2(b'f', b'F', name).is_none() || !STEMS.iter().any(|stem| holds(stem)) {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    if lower.ends_with(b".dockerignore") || lower.ends_with(b".containerignore") {
        return None;
    }
    if STEMS.iter().any(|stem| lower == stem.as_bytes()) {
        return Some(Name::Exact);
    }
    STEMS.iter().any(|stem| is_variant(name, &lower, stem.as_bytes())).then_some(Name::Variant)
}

fn is_variant(name: &[u8], lower: &[u8], stem: &[u8]) -> bool {
    let is_separator = |b: u8| matches!(b, b'.' | b'_' | b'-');
    let separated_before = |at: usize| at > 0 && is_separator(lower[at - 1]);
    let separated_after = |at: usize| lower.get(at + stem.len()).is_some_and(|b| is_separator(*b));
    memmem::find_iter(lower, stem).any(|at| {
        let ends_here = at + stem.len() == lower.len();
        let starts_word =
            at > 0 && name[at].is_ascii_uppercase() && (name[at - 1].is_ascii_lowercase() || name[at - 1].is_ascii_digit());
        (at == 0 && separated_after(at))
            || (ends_here && (separated_before(at) || starts_word))
            || (separated_before(at) && separated_after(at) && !has_extension(lower, &OTHER_EXTENSIONS))
    })
}

fn has_extension(lower: &[u8], extensions: &[&str]) -> bool {
    lower
        .rsplit(|b| *b == b'.')
        .next()
        .is_some_and(|last| last.len() < lower.len() && extensions.iter().any(|e| last == e.as_bytes()))
}

/// Looks at the text of a file whose base name is `base` and speaks of a Dockerfile as `name` says.
pub(super) fn content(name: Name, base: &[u8], text: &[u8]) -> Content {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Content::Neither("it is empty");
    }
    let (directives, body) = directives(text);
    let first = first_instruction(body, directives.escape);
    let from = is_from(&first);
    // A builder drops comments unread and starts with what follows them: one zero in them must not hide it.
    if !from && !directives.syntax && memchr(0, &text[..text.len().min(8192)]).is_some() {
        return match name {
            Name::Exact => Content::Binary("it is binary, and does not begin with FROM"),
            Name::Variant => Content::Neither("it is binary"),
        };
    }
    if OPENINGS.iter().any(|opening| first.starts_with(opening)) {
        return Content::Template("its first instruction is a template action");
    }
    let rendered_from = from && OPENINGS.iter().any(|opening| memmem::find(&first, opening).is_some());
    if name == Name::Variant && rendered_from {
        return Content::Template("its FROM line holds a template action");
    }
    if has_template_extension(base) && has_unquoted_action(text) {
        return Content::Template("its extension is one of a template language and it holds an action of one");
    }
    if directives.syntax {
        return Content::Dockerfile("its `# syntax=` directive names a Dockerfile frontend");
    }
    match name {
        Name::Exact => Content::Dockerfile("its name declares it"),
        Name::Variant if from => Content::Dockerfile("its first instruction is FROM"),
        Name::Variant => Content::Neither("its first instruction is not FROM"),
    }
}

/// Whether a base name ends as those of a template language do.
pub(super) fn has_template_extension(base: &[u8]) -> bool {
    has_extension(&base.to_ascii_lowercase(), &TEMPLATE_EXTENSIONS)
}

/// What the parser directives at the top of a Dockerfile say.
#[derive(Debug, Clone, Copy)]
struct Directives {
    syntax: bool,
    escape: u8,
}

/// Reads the block of directives and returns what follows it.
fn directives(text: &[u8]) -> (Directives, &[u8]) {
    let mut found = Directives { syntax: false, escape: b'\\' };
    let mut rest = text;
    loop {
        let (line, after) = split_line(rest);
        let Some((key, value)) = directive(line) else { return (found, rest) };
        if key.eq_ignore_ascii_case(b"syntax") {
            found.syntax = true;
        } else if key.eq_ignore_ascii_case(b"escape")
            && let [b @ (b'\\' | b'`')] = value
        {
            found.escape = *b;
        }
        rest = after;
    }
}

/// `# key=value`, with a key of a letter and then letters and digits.
fn directive(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = line.trim_ascii().strip_prefix(b"#")?;
    let at = memchr(b'=', body)?;
    let (key, value) = (body[..at].trim_ascii(), body[at + 1..].trim_ascii());
    let is_key = key.first().is_some_and(u8::is_ascii_alphabetic) && key.iter().all(u8::is_ascii_alphanumeric);
    (is_key && !value.is_empty()).then_some((key, value))
}

/// Of an instruction that is longer only so much is looked at: one line may be the whole of a huge file.
const LONGEST: usize = 64 * 1024;

/// The first instruction that is not ARG, with its continuation lines, as one line.
fn first_instruction(text: &[u8], escape: u8) -> Vec<u8> {
    let mut rest = text;
    let mut instruction = Vec::new();
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        rest = after;
        let line = line.trim_ascii_end();
        let body = line.trim_ascii_start();
        if body.is_empty() || body.starts_with(b"#") {
            continue;
        }
        // What a continuation line is indented by parts the words.
        let line = if instruction.is_empty() { body } else { line };
        let part = line.strip_suffix(&[escape]);
        let words = part.unwrap_or(line);
        instruction.extend_from_slice(&words[..words.len().min(LONGEST - instruction.len())]);
        if part.is_some() {
            continue;
        }
        if !is_word(&instruction, b"ARG") {
            return instruction;
        }
        instruction.clear();
    }
    instruction
}

fn is_from(instruction: &[u8]) -> bool {
    is_word(instruction, b"FROM") && (!instruction[4..].trim_ascii().is_empty() || instruction.len() == LONGEST)
}

fn is_word(instruction: &[u8], word: &[u8]) -> bool {
    instruction.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        && instruction.get(word.len()).is_none_or(u8::is_ascii_whitespace)
}

/// Whether a template action stands outside quotes; quotes are taken to end with their line.
fn has_unquoted_action(text: &[u8]) -> bool {
    text.split(|b| *b == b'\n').any(|line| {
        let mut quote = None;
        line.iter().enumerate().any(|(at, b)| match (quote, *b) {
            (None, b'"' | b'\'') => {
                quote = Some(*b);
                false
            }
            (Some(open), b) if open == b => {
                quote = None;
                false
            }
            (None, _) => OPENINGS.iter().any(|o| line[at..].starts_with(o)) || line[at..].starts_with(b"@@"),
            _ => false,
        })
    })
}

fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    memchr(b'\n', text).map_or((text, &[]), |at| (&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_to_d5_names() {
        let exact = Some(Name::Exact);
        let variant = Some(Name::Variant);
        for (base, expected) in [
            ("Dockerfile", exact),
            ("dockerfile", exact),
            ("CONTAINERFILE", exact),
            ("Dockerfile.dockerignore", None),
            (".dockerignore", None),
            ("Containerfile.containerignore", None),
            ("Dockerfile.prod", variant),
            ("Dockerfile-dev", variant),
            ("Dockerfile_arm", variant),
            ("Containerfile.in", variant),
            ("Dockerfile.a.b", variant),
            ("Dockerfile.md", variant),
            ("api.dockerfile", variant),
            ("prod.Dockerfile", variant),
            (".gitpod.Dockerfile", variant),
            ("build-Dockerfile", variant),
            (".Dockerfile", variant),
            ("AdtDockerfile", variant),
            ("v2Containerfile", variant),
            ("ADTDockerfile", None),
            ("a.Dockerfile.prod", variant),
            ("x-Dockerfile.approved.txt", None),
            ("a.Dockerfile.md", None),
            ("mydockerfile", None),
            ("Dockerfile2", None),
            ("Dockerfiles", None),
            ("Dockerfile~", None),
            ("docker-compose.yml", None),
            ("", None),
        ] {
            assert_eq!(name(base.as_bytes()), expected, "{base}");
        }
    }

    #[test]
    fn c1_to_c5_contents() {
        for (base, text, expected) in [
            ("Dockerfile", "", "neither"),
            ("Dockerfile", " \n\t\r\n", "neither"),
            ("Dockerfile", "\u{feff}\n", "neither"),
            ("Dockerfile", "FROM a\0", "dockerfile"),
            ("Dockerfile", "# a\0\nFROM a\n", "dockerfile"),
            ("Dockerfile", "# a\0\nARG A=\0\n\nfrom a\n", "dockerfile"),
            ("Dockerfile", "# syntax=example/front:1\n# \0\nINCLUDE+ base\n", "dockerfile"),
            ("Dockerfile", "\0", "binary"),
            ("Dockerfile", "\0\nFROM a\n", "binary"),
            ("Dockerfile", "RUN a\0\nFROM a\n", "binary"),
            ("Dockerfile", "\u{7f}ELF\u{2}\u{1}\0", "binary"),
            ("Dockerfile.a", "# a\0\nFROM a\n", "dockerfile"),
            ("Dockerfile.a", "RUN a\0\n", "neither"),
            ("Dockerfile.a", "# a\0\nFROM {{ .Base }}\n", "template"),
            ("Dockerfile", "# nothing but a comment\n", "dockerfile"),
            ("Dockerfile", "RUN true\n", "dockerfile"),
            ("Dockerfile.a", "RUN true\n", "neither"),
            ("Dockerfile.a", "\u{feff}FROM a\n", "dockerfile"),
            ("Dockerfile.a", "\r\n  from scratch\r\n", "dockerfile"),
            ("Dockerfile.a", "FROM\n", "neither"),
            ("Dockerfile.a", "FROMAGE brie\n", "neither"),
            ("Dockerfile.a", "FROM \\\n  # why\n\n  alpine\n", "dockerfile"),
            ("Dockerfile.a", "FROM\\\n  alpine\n", "dockerfile"),
            ("Dockerfile.a", "FROM\\ \t\r\n\talpine\r\n", "dockerfile"),
            ("Dockerfile.a", "FROM\\\nalpine\n", "neither"),
            ("Dockerfile.a", "FR\\\nOM alpine\n", "dockerfile"),
            ("Dockerfile.a", "ARG\\\n  A=1\nFROM a\n", "dockerfile"),
            ("Dockerfile.a", "ARG A=1 \\\n  B=2\nARG C\nFROM a\n", "dockerfile"),
            ("Dockerfile.a", "# escape=`\nARG A=1 `\n  B=2\nFROM a\n", "dockerfile"),
            ("Dockerfile.a", "ARG A=1 `\n  B=2\nFROM a\n", "neither"),
            ("Dockerfile.a", "# syntax=example/front:1\nINCLUDE+ base\n", "dockerfile"),
            ("Dockerfile.a", "# a1=b\n# syntax=example/front:1\nINCLUDE+ base\n", "dockerfile"),
            ("Dockerfile.a", "# 1a=b\n# syntax=example/front:1\nINCLUDE+ base\n", "neither"),
            ("Dockerfile.a", "# a=\n# syntax=example/front:1\nINCLUDE+ base\n", "neither"),
            ("Dockerfile.a", "# syntax=\nINCLUDE+ base\n", "neither"),
            ("Dockerfile.a", "# comment\n# syntax=example/front:1\nINCLUDE+ base\n", "neither"),
            ("Dockerfile", "{{ if .A }}\nFROM a\n", "template"),
            ("Dockerfile", "{% set a = 1 %}\nFROM a\n", "template"),
            ("Dockerfile", "<% a %>\nFROM a\n", "template"),
            ("Dockerfile", "FROM {{ .Base }}\n", "dockerfile"),
            ("Dockerfile.a", "FROM {{ .Base }}\n", "template"),
            ("Dockerfile.tmpl", "FROM a\nRUN {{ .Run }}\n", "template"),
            ("Dockerfile.in", "FROM a\nENV V=@@VERSION@@\n", "template"),
            ("Dockerfile.tmpl", "FROM a\n", "dockerfile"),
            ("Dockerfile.tmpl", "FROM a\nRUN docker inspect -f '{{.Id}}'\n", "dockerfile"),
            ("Dockerfile.a", "FROM a\nRUN docker inspect -f {{.Id}}\n", "dockerfile"),
            ("dockerfile.png", "\u{89}PNG", "neither"),
        ] {
            let found = match content(name(base.as_bytes()).unwrap(), base.as_bytes(), text.as_bytes()) {
                Content::Dockerfile(_) => "dockerfile",
                Content::Template(_) => "template",
                Content::Binary(_) => "binary",
                Content::Neither(_) => "neither",
            };
            assert_eq!(found, expected, "{base}: {text:?}");
        }
    }
}
