//! The documents that a line scan can't decide, read as events: no tree, no expansion, as far as the syntax goes.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::kubernetes::{Root, is_text};

/// A place in a document, as far as it matters here: keys of mappings and `[]` for items.
type Path = Vec<String>;

/// Scalars near the root, with the path that leads to each; `visit` is told of every node, before what is in it.
fn walk(text: &str, mut visit: impl FnMut(&Path, &Node<'_>)) {
    let mut path: Path = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: std::collections::HashMap<usize, String> = std::collections::HashMap::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, _)) = event else { return };
        let node = match event {
            Event::Scalar(text, style, anchor, _) => {
                if anchor != 0 {
                    anchors.insert(anchor, text.to_string());
                }
                Node::Scalar(text.into_owned().into(), style == ScalarStyle::Plain)
            }
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some(text) => Node::Scalar(text.clone().into(), true),
                None => Node::Alias,
            },
            Event::MappingStart(..) => Node::Mapping,
            Event::SequenceStart(..) => Node::Sequence,
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                close_value(&mut path, &mut open);
                continue;
            }
            Event::DocumentEnd => return,
            _ => continue,
        };
        if let Some(Open::Mapping { key: key @ None }) = open.last_mut() {
            // A key: what follows is its value. A key that is not a scalar has no name.
            let name = if let Node::Scalar(text, _) = &node { text.to_string() } else { String::new() };
            *key = Some(());
            path.push(name);
            if matches!(node, Node::Scalar(..)) {
                continue;
            }
        } else if let Some(Open::Sequence) = open.last() {
            path.push("[]".to_owned());
        }
        visit(&path, &node);
        match node {
            Node::Scalar(..) | Node::Alias => close_value(&mut path, &mut open),
            Node::Mapping => open.push(Open::Mapping { key: None }),
            Node::Sequence => open.push(Open::Sequence),
        }
    }
}

enum Open {
    Mapping { key: Option<()> },
    Sequence,
}

enum Node<'a> {
    /// The text, and whether it is plain.
    Scalar(std::borrow::Cow<'a, str>, bool),
    Mapping,
    Sequence,
    /// A mapping or sequence that stands elsewhere.
    Alias,
}

/// A value has ended: the next node of a mapping is a key.
fn close_value(path: &mut Path, open: &mut [Open]) {
    match open.last_mut() {
        Some(Open::Mapping { key }) => {
            *key = None;
            path.pop();
        }
        Some(Open::Sequence) => {
            path.pop();
        }
        None => {}
    }
}

/// What stands at the root of a document.
pub(super) fn root(text: &str) -> Root {
    let mut root = Root::default();
    walk(text, |path, node| {
        let [key] = &path[..] else { return };
        let text = match node {
            Node::Scalar(text, plain) if !*plain || is_text(text) => (!text.is_empty()).then(|| text.to_string()),
            _ => None,
        };
        match key.as_str() {
            "apiVersion" => root.api_version = text,
            "kind" => root.kind = text,
            "metadata" => {
                root.metadata = matches!(node, Node::Mapping | Node::Alias)
                    || matches!(node, Node::Scalar(text, true) if text.eq_ignore_ascii_case("null") || text == "~" || text.is_empty());
            }
            "spec" => root.spec = true,
            "items" => root.items = true,
            "clusters" | "users" | "contexts" => root.kubeconfig = true,
            _ => {}
        }
    });
    root
}

/// The `kind: Secret` objects of a document, list items too.
pub(super) fn secrets(text: &str) -> Vec<String> {
    let mut objects: Vec<Object> = vec![Object::default()];
    walk(text, |path, node| {
        let inner = match &path[..] {
            [items, item, inner @ ..] if items == "items" && item == "[]" => {
                if inner.is_empty() {
                    objects.push(Object::default());
                }
                inner
            }
            whole => whole,
        };
        let place = if inner.len() == path.len() { objects.first_mut() } else { objects.last_mut() };
        let (Some(object), Node::Scalar(text, _)) = (place, node) else { return };
        match inner {
            [key] if key == "kind" => object.secret = text == "Secret",
            [metadata, key] if metadata == "metadata" && key == "name" => object.name = Some(text.to_string()),
            [metadata, key] if metadata == "metadata" && key == "namespace" => object.namespace = Some(text.to_string()),
            _ => {}
        }
    });
    objects.into_iter().filter(|object| object.secret).map(Object::title).collect()
}

#[derive(Default)]
struct Object {
    secret: bool,
    name: Option<String>,
    namespace: Option<String>,
}

impl Object {
    fn title(self) -> String {
        let name = self.name.unwrap_or_else(|| "(unnamed)".to_owned());
        self.namespace.map(|namespace| format!("{namespace}/{name}")).unwrap_or(name)
    }
}
