//! Where scalars stand, judged by another parser: `PyYAML` over generated files and real ones. `HSS_IAC_YAML` names an environment of
//! Python that has it, which `.ci/run` makes; `HSS_IAC_CORPORA` a folder with trees of real files, beside those of this repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use saphyr_parser::ScalarStyle;
use serde_json::json;

use super::{Value, read};

/// Files that are generated.
const GENERATED: usize = 2_000;

/// A file of random nodes in every style that `PyYAML` and YAML 1.2 read alike.
struct Writer {
    random: fastrand::Rng,
    text: String,
    anchors: usize,
}

impl Writer {
    fn file(seed: u64) -> String {
        let mut writer = Self { random: fastrand::Rng::with_seed(seed), text: String::new(), anchors: 0 };
        for nth in 0..writer.random.usize(1..4) {
            if nth > 0 || writer.random.bool() {
                writer.text.push_str("---\n");
                // Anchors are those of a document.
                writer.anchors = 0;
            }
            writer.mapping(0, 0);
        }
        writer.text
    }

    fn word(&mut self) -> &'static str {
        let words = ["web", "image", "0.5", "true", "null", "a b", "é中", "x-y_z", "-1", "a:b", "http://h/p", "😀", "~x"];
        words[self.random.usize(..words.len())]
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.push_str(&text.to_string());
    }

    fn indent(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    fn end(&mut self) {
        match self.random.u8(..6) {
            0 => self.text.push_str(" # key: 'value'\n"),
            1 => self.text.push_str("\n\n"),
            2 => self.text.push_str("\r\n"),
            _ => self.text.push('\n'),
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        for nth in 0..self.random.usize(1..5) {
            self.indent(indent);
            let word = self.word();
            let key = match self.random.u8(..6) {
                0 => format!("'{word}''{nth}'"),
                1 => format!("\"{word}\\t{nth}\""),
                _ => format!("k{nth}{}", self.random.u16(..)),
            };
            self.text.push_str(&key);
            self.text.push(':');
            self.value(indent, depth);
        }
    }

    /// What follows a key or a dash that stands at this indentation.
    fn value(&mut self, indent: usize, depth: usize) {
        let nested = if depth < 4 { 12 } else { 10 };
        match self.random.u8(..nested) {
            0 => self.end(),
            1 => {
                let (mark, keep) = (["|", ">"][self.random.usize(..2)], ["", "-", "+"][self.random.usize(..3)]);
                self.push(format_args!(" {mark}{keep}\n"));
                for _ in 0..self.random.usize(1..4) {
                    self.indent(indent + 3);
                    let word = self.word();
                    self.push(format_args!("{word}: # no comment\n"));
                    if self.random.bool() {
                        self.text.push('\n');
                    }
                }
            }
            2 => {
                let (a, b, c) = (self.word(), self.word(), self.random.u16(..));
                self.push(format_args!(" {{\"{a}\": [{c}, '{b}', {{}}], k: \"{b}\"}}"));
                self.end();
            }
            3 => {
                let (anchor, number) = (self.anchors, self.random.u16(..));
                self.push(format_args!(" &a{anchor} {number}"));
                self.anchors += 1;
                self.end();
            }
            4 if self.anchors > 0 => {
                let anchor = self.random.usize(..self.anchors);
                self.push(format_args!(" *a{anchor}"));
                self.end();
            }
            5 => {
                let word = self.word();
                self.push(format_args!(" !!str '{word}'"));
                self.end();
            }
            6 => {
                // Over two lines.
                let (quote, word) = (["\"", "'", ""][self.random.usize(..3)], self.random.u16(..));
                self.push(format_args!(" {quote}w{word}\n"));
                self.indent(indent + 2);
                self.push(format_args!("more{quote}"));
                self.end();
            }
            10 => {
                self.end();
                self.mapping(indent + 2, depth + 1);
            }
            11 => {
                self.end();
                // A list may stand as far left as the key that holds it.
                let indent = indent + 2;
                for _ in 0..self.random.usize(1..4) {
                    self.indent(indent);
                    self.text.push('-');
                    self.value(indent, depth + 1);
                }
            }
            _ => {
                let word = self.word();
                let quote = ["'", "\"", ""][self.random.usize(..3)];
                self.push(format_args!(" {quote}{word}{quote}"));
                self.end();
            }
        }
    }
}

/// The scalars that are written, in the order of the text: line and column from 0, and text. Nothing where it was read line by line.
fn scalars(text: &str) -> Option<Vec<serde_json::Value>> {
    let tree = read(text);
    if !tree.broken.is_empty() {
        return None;
    }
    let mut places = Vec::new();
    let (mut line, mut column) = (0, 0);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        places.push((line, column));
        let ends = char == '\n' || char == '\r' && chars.peek() != Some(&'\n');
        (line, column) = if ends { (line + 1, 0) } else { (line, column + 1) };
    }
    places.push((line, column));
    let scalar = |node: &super::Node<'_>| match &node.value {
        Value::Scalar { text, style, .. } if !(text.is_empty() && *style == ScalarStyle::Plain) => {
            let (line, column) = places[node.start()];
            // The span of a block begins somewhere before its header, in the same line.
            let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
            Some(json!([line, (!is_block).then_some(column), text]))
        }
        _ => None,
    };
    Some(tree.nodes.iter().filter_map(scalar).collect())
}

/// Every YAML file under a folder.
fn real(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let hidden = |entry: &walkdir::DirEntry| ["target", ".git"].iter().any(|name| entry.file_name() == *name);
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(move |entry| !hidden(entry));
    walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).filter(is_yaml)
}

#[test]
fn another_parser_agrees_where_scalars_stand() {
    let Some(python) = std::env::var_os("HSS_IAC_YAML") else {
        eprintln!("skipped: HSS_IAC_YAML does not say where PyYAML is; .ci/run does");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpora = std::env::var_os("HSS_IAC_CORPORA").map(PathBuf::from);
    // Its environment has manifests of other people, too.
    let folders = [Some(root.to_owned()), Some(Path::new(&python).join("lib")), corpora];
    let files = folders.into_iter().flatten().flat_map(|folder| real(&folder).collect::<Vec<_>>());
    let files = files.filter_map(|path| Some((path.display().to_string(), std::fs::read_to_string(path).ok()?)));
    let generated = (0..GENERATED as u64).map(|seed| (format!("seed {seed}"), Writer::file(seed)));
    let mut list = tempfile::NamedTempFile::new().unwrap();
    for (name, text) in generated.chain(files) {
        writeln!(list, "{}", json!({"name": name, "text": text, "scalars": scalars(&text)})).unwrap();
    }
    let python = Path::new(&python).join("bin/python");
    let ran = std::process::Command::new(python).arg(root.join("tests/yaml/compare.py")).arg(list.path()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let more = String::from_utf8_lossy(&ran.stderr);
    eprint!("{said}{more}");
    assert!(said.contains(", 0 files differ, ") && said.ends_with(" 0 by us alone\n"), "{said}{more}");
    // PyYAML takes quotes and brackets that close no deeper than their key, which YAML 1.2 forbids. What is generated has none.
    assert!(!more.contains("alone: seed"), "{more}");
}
