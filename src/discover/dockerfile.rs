//! Whether a file is a Dockerfile: by name first, then by its first instruction.

/// What the name of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// `Dockerfile`, `Containerfile`.
    Plain,
    /// `Dockerfile.prod`, `api.dockerfile`, `AppDockerfile`: the content must agree.
    Variant,
    /// Nothing.
    Other,
}

/// What the content says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A builder could start.
    Dockerfile,
    /// Still to be rendered.
    Template,
    /// Neither.
    Other,
}

const WORDS: [&str; 2] = ["dockerfile", "containerfile"];
const SEPARATORS: [char; 3] = ['.', '_', '-'];
/// Last extensions of documents and code that quote a Dockerfile's name.
const DOCUMENTS: [&str; 27] = [
    "md", "rst", "adoc", "html", "txt", "json", "yaml", "yml", "toml", "lock", "cs", "go", "py", "rs", "js", "ts", "java",
    "rb", "sh", "ps1", "c", "h", "cpp", "patch", "diff", "svg", "png",
];
const TEMPLATES: [&str; 15] = [
    "j2", "jinja", "jinja2", "tmpl", "tpl", "template", "in", "erb", "m4", "mustache", "hbs", "gotmpl", "ejs", "envsubst",
    "tt",
];

/// Reads a name.
pub(super) fn name(file_name: &[u8]) -> Name {
    let text = String::from_utf8_lossy(file_name);
    let lower = text.to_ascii_lowercase();
    if lower.ends_with(".dockerignore") || lower.ends_with(".containerignore") {
        return Name::Other;
    }
    if WORDS.contains(&lower.as_str()) {
        return Name::Plain;
    }
    let variant = WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let (before, after) = (&lower[..at], &lower[at + word.len()..]);
            let starts = before.is_empty() || before.ends_with(SEPARATORS);
            let ends = after.is_empty() || after.starts_with(SEPARATORS);
            match (before.is_empty(), after.is_empty()) {
                _ if !ends => false,
                (true, _) => true,
                (false, true) => starts || is_camel_case(&text, at),
                (false, false) => starts && !DOCUMENTS.contains(&extension(&lower)),
            }
        })
    });
    if variant { Name::Variant } else { Name::Other }
}

fn is_camel_case(text: &str, at: usize) -> bool {
    let upper = text[at..].starts_with(|c: char| c.is_ascii_uppercase());
    upper && text[..at].ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Reads the content of a file whose name is `file_name`.
pub(super) fn content(file_name: &[u8], bytes: &[u8]) -> Content {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if memchr::memchr(0, &bytes[..bytes.len().min(8_192)]).is_some() || bytes.iter().all(u8::is_ascii_whitespace) {
        return Content::Other;
    }
    let kind = name(file_name);
    let lower = String::from_utf8_lossy(file_name).to_ascii_lowercase();
    if TEMPLATES.contains(&extension(&lower)) && holds_delimiter(bytes) {
        return Content::Template;
    }
    let first = first_instruction(bytes);
    if first.syntax {
        return Content::Dockerfile;
    }
    let text = first.line;
    if ["{{", "{%", "<%"].iter().any(|open| text.starts_with(open)) {
        return Content::Template;
    }
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((&text, ""));
    if word.eq_ignore_ascii_case("FROM") && !rest.trim().is_empty() {
        let templated = ["{{", "{%", "<%"].iter().any(|open| rest.contains(open));
        return if templated && kind != Name::Plain { Content::Template } else { Content::Dockerfile };
    }
    if kind == Name::Plain { Content::Dockerfile } else { Content::Other }
}

fn holds_delimiter(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| {
        let mut quote = None;
        line.char_indices().any(|(at, c)| match quote {
            Some(open) => {
                if c == open {
                    quote = None;
                }
                false
            }
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                false
            }
            None => ["{{", "{%", "<%", "@@"].iter().any(|open| line[at..].starts_with(open)),
        })
    })
}

struct First {
    line: String,
    /// A `# syntax=` directive names another frontend.
    syntax: bool,
}

/// The first instruction that is not `ARG`.
fn first_instruction(bytes: &[u8]) -> First {
    let text = String::from_utf8_lossy(bytes);
    let mut escape = '\\';
    let mut directives = true;
    let mut in_arg = false;
    for line in text.split(['\n', '\r']).map(str::trim) {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            if directives && let Some((key, value)) = comment.split_once('=') {
                match key.trim().to_ascii_lowercase().as_str() {
                    "syntax" if !value.trim().is_empty() => return First { line: String::new(), syntax: true },
                    "escape" if value.trim() == "`" => escape = '`',
                    _ => {}
                }
            } else {
                directives = false;
            }
            continue;
        }
        directives = false;
        let continues = line.ends_with(escape);
        let word = line.split([' ', '\t']).next().unwrap_or_default();
        if in_arg || word.eq_ignore_ascii_case("ARG") {
            in_arg = continues;
            continue;
        }
        return First { line: line.to_owned(), syntax: false };
    }
    First { line: String::new(), syntax: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let plain = ["Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile"];
        let variants = [
            "Dockerfile.prod",
            "Dockerfile-dev",
            "Dockerfile_arm",
            "Containerfile.in",
            "Dockerfile.a.b",
            "api.dockerfile",
            "prod.Dockerfile",
            ".gitpod.Dockerfile",
            "build-Dockerfile",
            ".Dockerfile",
            "AdtDockerfile",
            "a.Dockerfile.prod",
            "Dockerfile.txt",
            "Dockerfile.bak",
            "dockerfile.png",
        ];
        let others = [
            "Dockerfile.dockerignore",
            "x.containerignore",
            "mydockerfile",
            "Dockerfile2",
            "Dockerfiles",
            "Dockerfile~",
            "docker-compose.yml",
            "a.Dockerfile.approved.txt",
            "a.dockerfile.md",
        ];
        for (names, expected) in [(&plain[..], Name::Plain), (&variants[..], Name::Variant), (&others[..], Name::Other)] {
            for file in names {
                assert_eq!(name(file.as_bytes()), expected, "{file}");
            }
        }
    }

    #[test]
    fn contents() {
        use Content::{Dockerfile, Other, Template};
        let cases = [
            ("Dockerfile", "FROM a", Dockerfile),
            ("Dockerfile", "\u{feff}# c\r\n\r\nARG A \\\n# inside\n  b\n from a", Dockerfile),
            ("Dockerfile", "RUN make", Dockerfile),
            ("Dockerfile", " \n", Other),
            ("Dockerfile", "a\0b", Other),
            ("Dockerfile", "{{ if }}\nFROM a", Template),
            ("Dockerfile.dev", "RUN make", Other),
            ("Dockerfile.dev", "FROM {{ base }}", Template),
            ("Dockerfile.dev", "FROM", Other),
            ("Dockerfile.dev", "# escape=`\nARG A `\n b\nFROM a", Dockerfile),
            ("a.dockerfile", "# syntax=x/y\nINCLUDE+ z", Dockerfile),
            ("a.dockerfile", "# c\n# syntax=x/y\nINCLUDE+ z", Other),
            ("Dockerfile.tmpl", "FROM a", Dockerfile),
            ("Dockerfile.tmpl", "FROM a\nRUN {{ x }}", Template),
            ("Dockerfile.in", "FROM a\nENV V=@@V@@", Template),
            ("Dockerfile.tmpl", "FROM a\nRUN docker inspect -f '{{.Id}}'", Dockerfile),
        ];
        for (file, text, expected) in cases {
            assert_eq!(content(file.as_bytes(), text.as_bytes()), expected, "{file}: {text:?}");
        }
    }
}
