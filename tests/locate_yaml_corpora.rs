//! Looks for every path of every manifest of real repositories.
//!
//! `HSS_IAC_CORPORA` names a folder as in `corpora.rs`. The paths and their lines come from a walk of its own over the
//! parser's events; without the variable there is nothing to walk.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hss_iac::locate::{Clue, locate};
use hss_iac::model::{FileType, Location, Precision, Resource};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// A node and the line that it starts on.
struct Node {
    line: usize,
    value: Value,
}

enum Value {
    Scalar(String),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
}

impl Node {
    fn text(&self) -> Option<&str> {
        if let Value::Scalar(text) = &self.value { Some(text) } else { None }
    }

    fn entries(&self) -> &[(Rc<Node>, Rc<Node>)] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    fn items(&self) -> &[Rc<Node>] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().rfind(|(name, _)| name.text() == Some(key)).map(|(_, value)| &**value)
    }

    /// The line of the first thing in it that is no collection.
    fn head(&self) -> usize {
        match &self.value {
            Value::Mapping(entries) => entries.first().map_or(self.line, |(key, _)| key.line),
            Value::Sequence(items) => items.first().map_or(self.line, |item| item.head()),
            Value::Scalar(_) => self.line,
        }
    }
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

fn node(events: &mut Events<'_>, lines: &[&str], anchors: &mut HashMap<usize, Rc<Node>>) -> Option<Rc<Node>> {
    let (event, span) = events.next()?.ok()?;
    let mut line = span.start.line();
    let (anchor, value) = match event {
        Event::Alias(anchor) => {
            let target = anchors.get(&anchor)?;
            let value = match &target.value {
                Value::Scalar(text) => Value::Scalar(text.clone()),
                Value::Sequence(items) => Value::Sequence(items.clone()),
                Value::Mapping(entries) => Value::Mapping(entries.clone()),
            };
            (0, value)
        }
        Event::Scalar(text, style, anchor, tag) => {
            let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
            if block && anchor == 0 && tag.is_none() {
                // The parser gives the line of the text; the item starts where `|` or `>` stands.
                line -= 1;
                while lines.get(line - 1).is_some_and(|line| line.trim().is_empty()) {
                    line -= 1;
                }
            }
            (anchor, Value::Scalar(text.into_owned()))
        }
        Event::SequenceStart(anchor, _) => {
            let mut items = Vec::new();
            while !matches!(events.peek()?.as_ref().ok()?.0, Event::SequenceEnd) {
                items.push(node(events, lines, anchors)?);
            }
            events.next();
            (anchor, Value::Sequence(items))
        }
        Event::MappingStart(anchor, _) => {
            let mut entries = Vec::new();
            while !matches!(events.peek()?.as_ref().ok()?.0, Event::MappingEnd) {
                entries.push((node(events, lines, anchors)?, node(events, lines, anchors)?));
            }
            events.next();
            (anchor, Value::Mapping(entries))
        }
        _ => return None,
    };
    let node = Rc::new(Node { line, value });
    if anchor != 0 {
        anchors.insert(anchor, Rc::clone(&node));
    }
    Some(node)
}

/// The roots of all documents, and whether they all could be read.
fn documents(text: &str) -> (Vec<Rc<Node>>, bool) {
    let lines: Vec<_> = text.lines().collect();
    let mut events = Parser::new_from_str(text);
    let mut roots = Vec::new();
    loop {
        match events.peek() {
            Some(Ok((Event::StreamEnd, _))) | None => return (roots, true),
            Some(Ok((Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _))) => drop(events.next()),
            Some(Ok(_)) => match node(&mut events, &lines, &mut HashMap::new()) {
                Some(root) => roots.push(root),
                None => return (roots, false),
            },
            Some(Err(_)) => return (roots, false),
        }
    }
}

fn objects<'a>(root: &'a Node, list_kind: Option<&str>, found: &mut Vec<(Resource, &'a Node)>) {
    let said = |node: Option<&Node>| node.and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = said(root.get("kind")).or_else(|| list_kind.map(str::to_owned));
    let metadata = |key| said(root.get("metadata").and_then(|metadata| metadata.get(key)));
    let item_kind = kind.clone();
    let resource = Resource { kind, namespace: metadata("namespace"), name: metadata("name") };
    if resource.kind.is_some() {
        found.push((resource, root));
    }
    if let Some(kind) = item_kind.as_deref().and_then(|kind| kind.strip_suffix("List")) {
        let items = root.get("items").map(Node::items).unwrap_or_default();
        for item in items {
            objects(item, Some(kind).filter(|kind| !kind.is_empty()), found);
        }
    }
}

/// A step of a path.
#[derive(Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// Every path below a node with its line; of keys that stand twice none.
fn paths(node: &Node, path: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, usize)>) {
    for (index, item) in node.items().iter().enumerate() {
        path.push(Step::Index(index));
        found.push((path.clone(), item.head()));
        paths(item, path, found);
        path.pop();
    }
    for (key, value) in node.entries() {
        let Some(text) = key.text() else { continue };
        let once = node.entries().iter().filter(|(other, _)| other.text() == Some(text)).count() == 1;
        if once && text != "<<" {
            path.push(Step::Key(text.to_owned()));
            found.push((path.clone(), key.line));
            paths(value, path, found);
            path.pop();
        }
    }
}

fn spellings(path: &[Step]) -> [String; 5] {
    let is_plain = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let write = |form: fn(&Step, bool) -> String| -> String {
        path.iter().map(|step| form(step, matches!(step, Step::Key(key) if is_plain(key)))).collect()
    };
    let dotted = write(|step, plain| match step {
        Step::Key(key) if plain => format!(".{key}"),
        Step::Key(key) => format!("[{}]", serde_json::Value::from(key.as_str())),
        Step::Index(index) => format!("[{index}]"),
    });
    let brackets = write(|step, _| match step {
        Step::Key(key) => format!("['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
        Step::Index(index) => format!("[{index}]"),
    });
    let pointer = write(|step, _| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    });
    let bare = write(|step, _| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Index(index) => format!(".{index}"),
    });
    let escaped = write(|step, _| match step {
        Step::Key(key) => format!(".{}", key.replace('\\', "\\\\").replace('.', "\\.")),
        Step::Index(index) => format!("[{index}]"),
    });
    [
        dotted.trim_start_matches('.').to_owned(),
        format!("${brackets}"),
        pointer,
        bare[1..].to_owned(),
        format!("{{{escaped}}}"),
    ]
}

/// `lines` are the lengths of all lines in characters.
fn is_inside(lines: &[usize], place: &Location) -> bool {
    lines.get(place.line as usize - 1).is_some_and(|chars| place.end_column as usize <= chars + 1)
        && place.end_line == place.line
        && (1..=place.end_column).contains(&place.column)
}

#[derive(Default)]
struct Tally {
    files: usize,
    broken: usize,
    clues: usize,
    outside: usize,
    /// Targets that exist once, and those found exactly at their line, for each spelling.
    once: [usize; 5],
    exact: [usize; 5],
    spent: Duration,
    misses: Vec<String>,
}

impl Tally {
    fn file(&mut self, name: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned();
        let (roots, whole) = documents(&text);
        let lines: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        self.files += 1;
        self.broken += usize::from(!whole);
        let mut found = Vec::new();
        for root in &roots {
            objects(root, None, &mut found);
        }
        let mut targets = Vec::new();
        for (resource, root) in &found {
            let twin = |other: &Resource| {
                let namespace = |resource: &Resource| resource.namespace.clone().unwrap_or_else(|| "default".to_owned());
                (&other.kind, namespace(other), &other.name) == (&resource.kind, namespace(resource), &resource.name)
            };
            let once = found.iter().filter(|(other, _)| twin(other)).count() == 1;
            let mut all = Vec::new();
            paths(root, &mut Vec::new(), &mut all);
            targets.extend(all.into_iter().map(|(path, line)| (resource, spellings(&path), line, once)));
        }
        // In the largest files each path is looked for in one spelling, else in all five.
        let step = if targets.len() > 2000 { 5 } else { 1 };
        for form in 0..5 {
            let targets: Vec<_> = targets.iter().skip(if step > 1 { form } else { 0 }).step_by(step).collect();
            let clue = |(resource, paths)| Clue { instruction: None, resource, hit_path: Some(paths), hit_rule: None };
            let clues: Vec<_> = targets.iter().map(|(resource, paths, ..)| clue((Some(*resource), &paths[form]))).collect();
            let start = Instant::now();
            let places = locate(FileType::K8sYaml, bytes, &clues);
            self.spent += start.elapsed();
            assert_eq!(places.len(), clues.len());
            for ((_, paths, line, once), place) in targets.into_iter().zip(&places) {
                self.clues += 1;
                self.outside += usize::from(!is_inside(&lines, &place.location));
                if *once {
                    self.once[form] += 1;
                    let hit = place.location.precision == Precision::Exact && place.location.line as usize == *line;
                    self.exact[form] += usize::from(hit);
                    if !hit {
                        self.misses.push(format!("{name}: {} is on line {line}, found {place:?}", paths[form]));
                    }
                }
            }
        }
    }
}

#[test]
fn every_path_is_found() {
    let Some(corpora) = std::env::var_os("HSS_IAC_CORPORA").map(PathBuf::from) else {
        eprintln!("skipped: HSS_IAC_CORPORA is not set");
        return;
    };
    let mut tally = Tally::default();
    let entries = fs::read_dir(&corpora).expect("HSS_IAC_CORPORA is a readable folder");
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for name in names.iter().filter_map(|name| name.strip_suffix(".tsv")).filter(|name| !name.ends_with(".templates")) {
        let truth = fs::read_to_string(corpora.join(format!("{name}.tsv"))).expect("a readable truth file");
        for path in truth.lines().filter_map(|line| line.strip_suffix("\tk8s_yaml")) {
            let bytes = fs::read(corpora.join(name).join(path)).expect("a file of the tree");
            tally.file(&format!("{name}/{path}"), &bytes);
        }
    }
    let Tally { files, broken, clues, outside, once, exact, spent, misses } = tally;
    eprintln!("{files} files ({broken} broken), {clues} clues in {spent:?}: {outside} outside");
    eprintln!("targets that exist once {once:?}, exact {exact:?}");
    misses.iter().take(40).for_each(|miss| eprintln!("{miss}"));
    assert!(files > 0, "no NAME.tsv in {}", corpora.display());
    assert_eq!(outside, 0);
    for (once, exact) in once.into_iter().zip(exact) {
        assert!(exact * 100 >= once * 99, "{exact} of {once}");
    }
}
