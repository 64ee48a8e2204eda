//! Documents that are made together with the line of every path in them.

use proptest::prelude::*;

use super::*;

/// A value and the style in which it is written.
#[derive(Debug, Clone)]
enum Shape {
    Plain(u32),
    Quoted(String),
    /// `|` or `>`, the lines, and blank lines after them.
    Block(bool, u8, u8),
    Map(Vec<(Key, Shape)>),
    List(Vec<Shape>),
    FlowMap(Vec<(Key, u32)>),
    FlowList(Vec<u32>),
    /// An anchored mapping, and an alias of it beside it.
    Anchored(Vec<(Key, u32)>),
}

#[derive(Debug, Clone)]
enum Key {
    Plain(String),
    Quoted(String),
}

impl Key {
    /// As written, and as a step of a path.
    fn forms(&self, number: usize) -> (String, String) {
        match self {
            Self::Plain(text) => (format!("{text}{number}"), format!(".{text}{number}")),
            Self::Quoted(text) => (format!("\"{text}{number}\""), format!("[\"{text}{number}\"]")),
        }
    }
}

/// Writes a document and notes where each path is.
#[derive(Default)]
struct Writer {
    text: String,
    line: usize,
    comments: bool,
    anchors: usize,
    /// Path, line, and the text that the span starts with.
    paths: Vec<(String, usize, String)>,
}

impl Writer {
    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.push_str(&text.to_string());
    }

    fn end(&mut self, blank: bool) {
        if self.comments {
            self.text.push_str(" # key: value");
        }
        self.text.push('\n');
        self.line += 1;
        if blank && self.comments {
            self.text.push_str("\n # more: - x\n");
            self.line += 2;
        }
    }

    /// Writes what follows a key or a dash; `at` is the indentation of children.
    fn value(&mut self, shape: &Shape, path: &str, at: usize) {
        match shape {
            Shape::Plain(number) => self.push(format_args!(" v{number}")),
            Shape::Quoted(text) => self.push(format_args!(" \"{text}: - #\"")),
            Shape::Block(literal, lines, blanks) => {
                let indent = " ".repeat(at);
                self.text.push_str(if *literal { " |\n" } else { " >-\n" });
                (0..=*lines).for_each(|_| self.push(format_args!("{indent}key: value # text\n")));
                (0..*blanks).for_each(|_| self.text.push('\n'));
                self.line += usize::from(*lines) + usize::from(*blanks) + 2;
                return;
            }
            Shape::Map(entries) if entries.is_empty() => self.text.push_str(" {}"),
            Shape::List(items) if items.is_empty() => self.text.push_str(" []"),
            Shape::Map(_) | Shape::List(_) => {
                self.end(true);
                return self.children(shape, path, at);
            }
            Shape::FlowMap(entries) => self.flow(entries, path),
            Shape::FlowList(items) => {
                let items: Vec<_> = items.iter().map(|item| format!("w{item}")).collect();
                for (index, item) in items.iter().enumerate() {
                    self.paths.push((format!("{path}[{index}]"), self.line, item.clone()));
                }
                self.push(format_args!(" [{}]", items.join(", ")));
            }
            Shape::Anchored(entries) => {
                let anchor = self.anchors;
                self.push(format_args!(" &n{anchor}"));
                self.flow(entries, path);
                self.anchors += 1;
            }
        }
        self.end(true);
    }

    fn flow(&mut self, entries: &[(Key, u32)], path: &str) {
        let mut written = Vec::new();
        for (number, (key, value)) in entries.iter().enumerate() {
            let (key, step) = key.forms(number);
            self.paths.push((format!("{path}{step}"), self.line, format!("{key}: v{value}")));
            written.push(format!("{key}: v{value}"));
        }
        self.push(format_args!(" {{{}}}", written.join(", ")));
    }

    fn children(&mut self, shape: &Shape, path: &str, at: usize) {
        let indent = " ".repeat(at);
        match shape {
            Shape::Map(entries) => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    let (key, step) = key.forms(number);
                    let path = format!("{path}{step}");
                    self.push(format_args!("{indent}{key}:"));
                    self.paths.push((path.clone(), self.line, key.clone()));
                    self.value(value, &path, at + 2);
                    if let Shape::Anchored(entries) = value {
                        let (name, line) = (self.anchors - 1, self.line);
                        self.push(format_args!("{indent}alias{name}: *n{name}\n"));
                        self.line += 1;
                        let alias = path.rfind(&step).map(|cut| format!("{}.alias{name}", &path[..cut])).unwrap_or_default();
                        self.paths.push((alias.clone(), line, format!("alias{name}: *n{name}")));
                        for (number, (key, _)) in entries.iter().enumerate() {
                            let (_, step) = key.forms(number);
                            let of = format!("{path}{step}");
                            let found = self.paths.iter().find(|(path, ..)| *path == of).cloned().expect("written before");
                            self.paths.push((format!("{alias}{step}"), found.1, found.2));
                        }
                    }
                }
            }
            Shape::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.push(format_args!("{indent}-"));
                    // What an item that is a collection starts with is asserted for what is in it.
                    if matches!(item, Shape::Plain(_) | Shape::Quoted(_) | Shape::Block(..)) {
                        self.paths.push((path.clone(), self.line, String::new()));
                    }
                    self.value(item, &path, at + 2);
                }
            }
            _ => {}
        }
    }
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        3 => "[a-z][a-zA-Z]{0,6}".prop_map(Key::Plain),
        1 => "[a-zé]{1,3}\\.[a-z]{1,3}/[ a-z#:']{0,4}z".prop_map(Key::Quoted),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let flat = || prop::collection::vec((key(), 0..100_u32), 1..4);
    let leaf = prop_oneof![
        4 => (0..100_u32).prop_map(Shape::Plain),
        1 => "[ a-zé日]{0,8}".prop_map(Shape::Quoted),
        1 => (any::<bool>(), 0..3_u8, 0..3_u8).prop_map(|(literal, lines, blanks)| Shape::Block(literal, lines, blanks)),
        1 => flat().prop_map(Shape::FlowMap),
        1 => prop::collection::vec(0..100_u32, 0..4).prop_map(Shape::FlowList),
        1 => flat().prop_map(Shape::Anchored),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            2 => prop::collection::vec((key(), inner.clone()), 0..5).prop_map(Shape::Map),
            1 => prop::collection::vec(inner, 0..4).prop_map(Shape::List),
        ]
    })
}

fn inside(text: &str, place: &Location) -> bool {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<_> = text.split_inclusive('\n').map(|line| line.trim_end_matches('\n')).collect();
    let chars = lines.get(place.end_line as usize - 1).map_or(0, |line| line.chars().count());
    let is_line = place.line >= 1 && (place.end_line as usize <= lines.len().max(1));
    is_line
        && place.line <= place.end_line
        && place.column >= 1
        && place.end_column as usize <= chars + 1
        && (place.line, place.column) <= (place.end_line, place.end_column)
}

proptest! {
    #[test]
    fn every_path_of_a_document_is_exact(shapes in prop::collection::vec(shape(), 1..4), crlf: bool, comments: bool) {
        let mut text = String::new();
        let mut all = Vec::new();
        for (number, shape) in shapes.iter().enumerate() {
            let mut writer = Writer { line: text.matches('\n').count() + 1, comments, ..Writer::default() };
            writer.text = format!("---\nkind: K{number}\nspec:");
            writer.line += 2;
            writer.value(shape, "spec", 2);
            text.push_str(&writer.text);
            all.push(writer.paths);
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        for (number, paths) in all.into_iter().enumerate() {
            let resource = Resource { kind: Some(format!("K{number}")), namespace: None, name: None };
            let clue = |path| Clue { instruction: None, resource: Some(&resource), hit_path: Some(path), hit_rule: None };
            let clues: Vec<_> = paths.iter().map(|(path, ..)| clue(path.as_str())).collect();
            for (place, (path, line, start)) in locate(&text, &clues).iter().zip(&paths) {
                let found = shown(&text, place);
                let (column, under) = found.split_once(" exact ").unwrap_or((&found, "not exact"));
                let column = column.split(':').next();
                prop_assert!(column == Some(&line.to_string()) && under.starts_with(start), "{path}: {found}, not {line} {start}\n{text}");
                prop_assert!(inside(&text, place), "{path}");
            }
        }
    }

    #[test]
    fn any_clue_in_any_text_is_inside(
        text in prop_oneof!["\\PC{0,80}", "([ \\-:a-c#&*\\[\\]{}|>'\"%!?,.\t\r\n\u{feff}\u{85}é]|---|<<|kind|: |\n){0,60}"],
        words in prop::collection::vec(prop::option::of("[ a-c/.A=]{0,6}"), 3),
        path in prop::option::of(prop_oneof!["\\PC{0,30}", "([.\\[\\]/*?(@='\"~$#{}<,;:\\\\]|a|b|c|kind|0|-1){0,12}"]),
    ) {
        let resource = Resource { kind: words[0].clone(), namespace: words[1].clone(), name: words[2].clone() };
        let clue = Clue { instruction: None, resource: Some(&resource), hit_path: path.as_deref(), hit_rule: None };
        let places = locate(&text, &[clue, Clue { resource: None, ..clue }]);
        prop_assert_eq!(places.len(), 2);
        prop_assert!(places.iter().all(|place| inside(&text, place)), "{:?}", places);
    }
}
