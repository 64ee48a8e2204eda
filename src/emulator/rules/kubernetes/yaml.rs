//! YAML to a small tree. Aliases are shared, merge keys resolved, and what a file would unfold to is bounded, so that a few
//! bytes that unfold to millions of nodes cost a few bytes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nodes in a file, each alias counted with all that it stands for.
const MOST_NODES: u64 = 200_000;
const DEEPEST: usize = 100;

/// A value of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `plain` where no quote, block style or `!!str` makes it a string.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Rc<Node>>),
    /// In document order, merged keys last; of a key that stands twice the last counts.
    Mapping(Vec<(String, Rc<Node>)>),
}

impl Node {
    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().rfind(|(name, _)| name == key).map(|(_, value)| value.as_ref())
    }

    /// The value behind several keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The pairs of a mapping, none of anything else.
    pub(super) fn entries(&self) -> &[(String, Rc<Self>)] {
        if let Self::Mapping(entries) = self { entries } else { &[] }
    }

    /// The items of a sequence, none of anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        let items: &[Rc<Self>] = if let Self::Sequence(items) = self { items } else { &[] };
        items.iter().map(AsRef::as_ref)
    }

    /// The text of a scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The text behind a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub(super) fn is_null(&self) -> bool {
        self.is_plain(&["", "~", "null"])
    }

    pub(super) fn is_true(&self) -> bool {
        self.is_plain(&["true", "yes", "on"])
    }

    pub(super) fn is_false(&self) -> bool {
        self.is_plain(&["false", "no", "off"])
    }

    fn is_plain(&self, words: &[&str]) -> bool {
        matches!(self, Self::Scalar { text, plain: true } if words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    }
}

/// The documents of a file. Those before a syntax error count; an error is one that left no document, or a limit.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Rc<Node>>, String> {
    let text = decode(bytes);
    let mut tree = Tree::default();
    let mut parser = Parser::new_from_str(&text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => tree.take(event).map_err(|reason| match reason {
                "document too large" => reason.to_owned(),
                _ => format!("line {}: {reason}", span.start.line()),
            })?,
            Err(error) if tree.documents.is_empty() => {
                return Err(format!("line {}: {}", error.marker().line(), error.info()));
            }
            Err(_) => break,
        }
    }
    Ok(tree.documents)
}

fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// A node with what it unfolds to.
#[derive(Clone)]
struct Built {
    node: Rc<Node>,
    size: u64,
    depth: usize,
}

/// A collection that is not closed.
struct Open {
    anchor: usize,
    size: u64,
    depth: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Rc<Node>>),
    Mapping { entries: Vec<(String, Rc<Node>)>, merged: Vec<Rc<Node>>, key: Option<Rc<Node>> },
}

#[derive(Default)]
struct Tree {
    documents: Vec<Rc<Node>>,
    size: u64,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix != "str");
                let node = Rc::new(Node::Scalar { text: text.into_owned(), plain });
                self.add(anchor, Built { node, size: 1, depth: 1 })
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(built) => self.add(0, built.clone()),
                None => Err("an alias of what encloses it"),
            },
            Event::SequenceStart(anchor, _) => self.open(anchor, Content::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, Content::Mapping { entries: Vec::new(), merged: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, content: Content) -> Result<(), &'static str> {
        if self.open.len() >= DEEPEST {
            return Err("nested too deep");
        }
        self.open.push(Open { anchor, size: 1, depth: 1, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let Some(Open { anchor, size, depth, content }) = self.open.pop() else { return Ok(()) };
        let node = match content {
            Content::Sequence(items) => Node::Sequence(items),
            Content::Mapping { entries, merged, .. } => Node::Mapping(merge(entries, &merged)),
        };
        self.add(anchor, Built { node: Rc::new(node), size, depth })
    }

    fn add(&mut self, anchor: usize, built: Built) -> Result<(), &'static str> {
        if built.depth > DEEPEST {
            return Err("nested too deep");
        }
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.size += built.size;
            self.documents.push(built.node);
            return within(self.size);
        };
        parent.size += built.size;
        parent.depth = parent.depth.max(built.depth + 1);
        match &mut parent.content {
            Content::Sequence(items) => items.push(built.node),
            Content::Mapping { entries, merged, key } => match key.take().as_deref() {
                None => *key = Some(built.node),
                Some(Node::Scalar { text, plain: true }) if text == "<<" => merged.push(built.node),
                Some(Node::Scalar { text, .. }) => entries.push((text.clone(), built.node)),
                // A collection as a key names nothing in Kubernetes.
                Some(_) => {}
            },
        }
        within(parent.size)
    }
}

fn within(size: u64) -> Result<(), &'static str> {
    if size > MOST_NODES { Err("document too large") } else { Ok(()) }
}

/// Own keys win over merged ones, and of the merged the first.
fn merge(mut entries: Vec<(String, Rc<Node>)>, merged: &[Rc<Node>]) -> Vec<(String, Rc<Node>)> {
    if merged.is_empty() {
        return entries;
    }
    let mut names: HashSet<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    for node in merged {
        let sources: Vec<&Node> = if matches!(**node, Node::Sequence(_)) { node.items().collect() } else { vec![node] };
        for (name, value) in sources.into_iter().flat_map(Node::entries) {
            if names.insert(name.clone()) {
                entries.push((name.clone(), Rc::clone(value)));
            }
        }
    }
    entries
}
