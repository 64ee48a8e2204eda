//! Reads one YAML document as a stream of events: aliases are never expanded and no tree is built.
//!
//! Used for the few documents that the line scan can't decide, and to name Secrets. A syntax error ends the reading; what
//! was seen before it stands.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nesting beyond this is taken for a syntax error; it bounds the memory that a hostile file costs.
const MAX_DEPTH: usize = 512;

/// A key, kind, version or name longer than this is none of Kubernetes: a 253-byte group, `/` and a 63-byte version are less.
/// What aliases repeat is then never copied at length.
const MAX_SCALAR: usize = 320;

/// What stands directly in a mapping, as far as it says which Kubernetes object it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one key is there")]
pub(super) struct Object {
    /// `apiVersion`, where it is a string.
    pub(super) api_version: Option<String>,
    /// `kind`, where it is a string.
    pub(super) kind: Option<String>,
    /// `metadata.name`.
    pub(super) name: Option<String>,
    /// `metadata.namespace`.
    pub(super) namespace: Option<String>,
    /// Whether `metadata` is there and a mapping or null.
    pub(super) metadata: bool,
    /// Whether `spec` is there.
    pub(super) spec: bool,
    /// Whether `items` is there.
    pub(super) items: bool,
    /// Whether `clusters`, `users` or `contexts` is there.
    pub(super) kubeconfig: bool,
    /// The mappings in `items` (of a List) or `objects` (of a Template).
    pub(super) children: Vec<Object>,
}

/// The first document of a text.
#[derive(Debug, Default)]
pub(super) struct Root {
    /// The root, where it is a mapping.
    pub(super) object: Option<Object>,
    /// The mappings in the root, where that is a sequence.
    pub(super) listed: Vec<Object>,
    /// Whether there may be more in it than was seen: beyond a syntax error, or through an alias of a collection.
    pub(super) more: bool,
}

/// The root of the first document in `text`; `None` where it is not a mapping.
pub(super) fn root(text: &[u8]) -> Option<Object> {
    read(text).object
}

/// Reads the first document in `text`.
pub(super) fn read(text: &[u8]) -> Root {
    let text = String::from_utf8_lossy(text);
    let mut reader = Reader::default();
    let mut ended = false;
    for event in Parser::new_from_str(&text) {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((Event::DocumentEnd, _)) => ended = true,
            Ok((event, _)) => reader.root.more = ended || !reader.take(event),
            Err(_) => reader.root.more = true,
        }
        // An error, or something behind the end of the document.
        if reader.root.more {
            break;
        }
    }
    while !reader.stack.is_empty() {
        reader.end();
    }
    reader.root.more |= reader.aliases;
    reader.root
}

/// What a collection is to the object around it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Role {
    Object,
    Metadata,
    Items,
    /// The value of `<<`, or a mapping of a list there.
    Merge,
    #[default]
    Other,
}

/// A collection that is being read.
#[derive(Debug, Default)]
struct Frame {
    role: Role,
    mapping: bool,
    /// In a mapping, whether the next node is a key.
    at_key: bool,
    /// The last key; empty where it is not a short scalar.
    key: String,
    anchor: usize,
    object: Object,
    /// What `<<` adds: keys of the mapping's own come first, wherever they stand.
    merged: Object,
}

/// A node that an alias may name.
#[derive(Debug)]
enum Anchored {
    Scalar { text: String, plain: bool },
    Mapping(Object),
    Sequence,
}

#[derive(Debug, Default)]
struct Reader {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Rc<Anchored>>,
    /// Whether a collection was named by an alias.
    aliases: bool,
    root: Root,
}

impl Reader {
    /// Takes the next event; `false` ends the reading.
    fn take(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::MappingStart(anchor, _) => return self.begin(anchor, true),
            Event::SequenceStart(anchor, _) => return self.begin(anchor, false),
            Event::MappingEnd | Event::SequenceEnd => self.end(),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let node = Rc::new(Anchored::Scalar { text: text.into_owned(), plain });
                self.leaf(&node);
                if anchor != 0 {
                    self.anchors.insert(anchor, node);
                }
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).map_or_else(|| Rc::new(Anchored::Sequence), Rc::clone);
                self.aliases |= !matches!(*node, Anchored::Scalar { .. });
                self.leaf(&node);
            }
            _ => {}
        }
        true
    }

    fn begin(&mut self, anchor: usize, mapping: bool) -> bool {
        if self.stack.len() == MAX_DEPTH {
            return false;
        }
        let role = match self.stack.last_mut() {
            None if mapping => Role::Object,
            None => Role::Items,
            Some(parent) if parent.mapping => {
                let was_key = parent.at_key;
                let role = if was_key {
                    parent.key.clear();
                    Role::Other
                } else {
                    parent.object.note(&parent.key, mapping);
                    match (parent.role, parent.key.as_str()) {
                        (Role::Object, "metadata") if mapping => Role::Metadata,
                        (Role::Object, "items" | "objects") if !mapping => Role::Items,
                        (_, "<<") => Role::Merge,
                        _ => Role::Other,
                    }
                };
                parent.at_key = !was_key;
                role
            }
            Some(parent) if parent.role == Role::Items => {
                if mapping {
                    Role::Object
                } else {
                    Role::Items
                }
            }
            Some(parent) if parent.role == Role::Merge => Role::Merge,
            Some(_) => Role::Other,
        };
        self.stack.push(Frame { role, mapping, anchor, at_key: true, ..Frame::default() });
        true
    }

    fn end(&mut self) {
        let Some(mut frame) = self.stack.pop() else { return };
        frame.object.merge(&frame.merged);
        if frame.anchor != 0 {
            let node = if frame.mapping { Anchored::Mapping(frame.object.clone()) } else { Anchored::Sequence };
            self.anchors.insert(frame.anchor, Rc::new(node));
        }
        let Some(parent) = self.stack.last_mut() else {
            if frame.mapping {
                self.root.object = Some(frame.object);
            } else {
                self.root.listed = frame.object.children;
            }
            return;
        };
        match frame.role {
            Role::Object => parent.object.children.push(frame.object),
            Role::Items => parent.object.children.extend(frame.object.children),
            Role::Metadata => {
                parent.object.name = frame.object.name;
                parent.object.namespace = frame.object.namespace;
            }
            Role::Merge => parent.merged.merge(&frame.object),
            Role::Other => {}
        }
    }

    /// A scalar, or an alias of a node read before.
    fn leaf(&mut self, node: &Anchored) {
        let Some(frame) = self.stack.last_mut() else { return };
        if !frame.mapping {
            if let (Role::Merge, Anchored::Mapping(object)) = (frame.role, node) {
                frame.merged.merge(object);
            }
            return;
        }
        let was_key = frame.at_key;
        frame.at_key = !was_key;
        match (was_key, node) {
            (true, Anchored::Scalar { text, .. }) if text.len() <= MAX_SCALAR => frame.key.clone_from(text),
            (true, _) => frame.key.clear(),
            (false, Anchored::Scalar { text, plain }) => {
                let null = *plain && is_null(text);
                frame.object.note(&frame.key, null);
                if text.len() <= MAX_SCALAR && is_string(text, *plain) {
                    frame.object.set(&frame.key, text, frame.role);
                }
            }
            (false, Anchored::Mapping(object)) if frame.key == "<<" => frame.merged.merge(object),
            (false, Anchored::Mapping(_)) => frame.object.note(&frame.key, true),
            (false, Anchored::Sequence) => frame.object.note(&frame.key, false),
        }
    }
}

impl Object {
    /// Notes that `key` is there; `mapping_or_null` says what its value is.
    fn note(&mut self, key: &str, mapping_or_null: bool) {
        match key {
            "metadata" => self.metadata |= mapping_or_null,
            "spec" => self.spec = true,
            "items" => self.items = true,
            "clusters" | "users" | "contexts" => self.kubeconfig = true,
            _ => {}
        }
    }

    fn set(&mut self, key: &str, text: &str, role: Role) {
        let place = match (role, key) {
            (Role::Metadata, "name") => &mut self.name,
            (Role::Metadata, "namespace") => &mut self.namespace,
            (_, "apiVersion") => &mut self.api_version,
            (_, "kind") => &mut self.kind,
            _ => return,
        };
        place.get_or_insert_with(|| text.to_owned());
    }

    fn merge(&mut self, other: &Self) {
        self.api_version = self.api_version.take().or_else(|| other.api_version.clone());
        self.kind = self.kind.take().or_else(|| other.kind.clone());
        self.metadata |= other.metadata;
        self.spec |= other.spec;
        self.items |= other.items;
        self.kubeconfig |= other.kubeconfig;
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether YAML reads a scalar as a string that is not empty: one that is not quoted may be null, a boolean or a number.
pub(super) fn is_string(text: &str, plain: bool) -> bool {
    let boolean = matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE");
    let other = plain && (is_null(text) || boolean || text.parse::<f64>().is_ok());
    !text.is_empty() && !other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> String {
        let Some(o) = root(text.as_bytes()) else { return "none".to_owned() };
        let flags: String = [('m', o.metadata), ('s', o.spec), ('i', o.items), ('c', o.kubeconfig)]
            .iter()
            .filter_map(|(letter, set)| set.then_some(*letter))
            .collect();
        let children: Vec<_> = o.children.iter().map(|c| c.kind.clone().unwrap_or_default()).collect();
        format!("{:?} {:?} {:?} {flags} {children:?}", o.api_version, o.kind, o.name)
    }

    #[test]
    fn what_stands_at_the_root() {
        for (text, expected) in [
            ("[a, b]", "none"),
            ("just text", "none"),
            ("{apiVersion: v1, kind: Pod, metadata: {name: a}}", r#"Some("v1") Some("Pod") Some("a") m []"#),
            ("? apiVersion\n: v1\n? {a: b}\n: c\n? kind\n: Pod\n", r#"Some("v1") Some("Pod") None  []"#),
            ("a: &v v1\napiVersion: *v\nkind: Pod\nmetadata:\n", r#"Some("v1") Some("Pod") None m []"#),
            ("b: &b {apiVersion: v1, metadata: {name: x}}\n<<: *b\nkind: Pod\n", r#"Some("v1") Some("Pod") None m []"#),
            ("b: &b {kind: Job}\n<<: *b\napiVersion: v1\nkind: Pod\n", r#"Some("v1") Some("Pod") None  []"#),
            ("<<: {apiVersion: v1, kind: Pod, spec: }\nmetadata: {}\n", r#"Some("v1") Some("Pod") None ms []"#),
            ("b: &b {kind: Pod}\n<<: [*b, {apiVersion: v1, kind: Job}]\n", r#"Some("v1") Some("Pod") None  []"#),
            ("apiVersion: 1\nkind: true\nmetadata: [a]\nspec: a\n", "None None None s []"),
            ("apiVersion: '1'\nkind: \"true\"\n", r#"Some("1") Some("true") None  []"#),
            ("apiVersion: v1\nkind: Pod\nspec: 1\nbroken: [a\n", r#"Some("v1") Some("Pod") None s []"#),
            ("kind: List\nitems:\n- kind: Secret\n- kind: Pod\n", r#"None Some("List") None i ["Secret", "Pod"]"#),
            ("users: []\n", "None None None c []"),
        ] {
            assert_eq!(summary(text), expected, "{text}");
        }
    }

    #[test]
    fn k9_a_bomb_costs_its_bytes() {
        let mut bomb = String::from("a0: &a0 [x]\n");
        for n in 1..200 {
            let previous = vec![format!("*a{}", n - 1); 9].join(", ");
            bomb = format!("{bomb}a{n}: &a{n} [{previous}]\n");
        }
        bomb.push_str("apiVersion: v1\nkind: Pod\nspec: *a199\n");
        assert_eq!(summary(&bomb), r#"Some("v1") Some("Pod") None s []"#);
        assert_eq!(summary(&"- ".repeat(100_000)), "none");
    }
}
