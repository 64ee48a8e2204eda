//! The objects of a file, and which of them the service means. What its words look like is not documented, so that every
//! spelling is taken that names an object: the better the likeness, the higher the rank.

use std::collections::{HashMap, HashSet};

use crate::model::Resource;
use crate::yaml::{Id, Tree};

/// An object of an API server, as far as it can be told apart.
#[derive(Debug)]
pub(super) struct Object {
    /// The mapping.
    pub(super) root: Id,
    /// The root of the document it is in.
    pub(super) document: Id,
    /// Whether it is a list of the objects that follow.
    pub(super) list: bool,
    /// In lower case; items of a `PodList` need not say that they are pods.
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    generate_name: Option<String>,
}

/// All objects in the order of the file; lists are unfolded.
pub(super) fn find(tree: &Tree<'_>) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut seen = HashSet::new();
    for document in &tree.documents {
        let mut open = vec![(*document, None)];
        while let Some((id, list_kind)) = open.pop() {
            let root = tree.content(id);
            if !seen.insert(root) {
                continue;
            }
            if !tree.is_mapping(root) {
                open.extend(tree.items(root).iter().rev().map(|item| (*item, None)));
                continue;
            }
            let object = Object::new(tree, root, *document, list_kind);
            let items = ["items", "objects"].into_iter().find_map(|key| tree.get(root, key)).map(|id| tree.items(id));
            let items = items.unwrap_or_default();
            let item_kind = object.kind.as_deref().and_then(|kind| kind.strip_suffix("list")).map(str::to_owned);
            let is_object = |id: &Id| ["kind", "metadata"].iter().any(|key| tree.get(*id, key).is_some());
            let list = items.iter().any(|item| is_object(item) || (item_kind.is_some() && tree.is_mapping(*item)));
            if list {
                let item_kind = item_kind.filter(|kind| !kind.is_empty());
                open.extend(items.iter().rev().map(|item| (*item, item_kind.clone())));
            }
            objects.push(Object { list, ..object });
        }
    }
    if objects.iter().any(|object| object.kind.is_some()) {
        objects.retain(|object| object.kind.is_some());
    }
    objects
}

impl Object {
    fn new(tree: &Tree<'_>, root: Id, document: Id, list_kind: Option<String>) -> Self {
        let metadata = |key| tree.text_of(tree.get(root, "metadata")?, key).map(str::to_owned);
        Self {
            root,
            document,
            list: false,
            kind: tree.text_of(root, "kind").map(str::to_lowercase).or(list_kind),
            namespace: metadata("namespace"),
            name: metadata("name"),
            generate_name: metadata("generateName"),
        }
    }
}

/// The objects by what the service says of them.
pub(super) struct Index<'o> {
    objects: &'o [Object],
    by_name: HashMap<&'o str, Vec<&'o Object>>,
}

impl<'o> Index<'o> {
    pub(super) fn new(objects: &'o [Object]) -> Self {
        let mut by_name: HashMap<&str, Vec<&Object>> = HashMap::new();
        for object in objects {
            if let Some(name) = &object.name {
                by_name.entry(name).or_default().push(object);
            }
        }
        Self { objects, by_name }
    }

    /// The objects that fit best, in the order of the file.
    pub(super) fn named(&self, resource: &Resource) -> Vec<&'o Object> {
        let Some(wanted) = Wanted::new(resource) else { return Vec::new() };
        let best = |objects: &mut dyn Iterator<Item = &'o Object>| {
            let ranked: Vec<_> = objects.filter_map(|object| Some((wanted.rank(object)?, object))).collect();
            let best = ranked.iter().map(|(rank, _)| *rank).max().unwrap_or_default();
            (best, ranked.into_iter().filter(|(rank, _)| *rank == best).map(|(_, object)| object).collect::<Vec<_>>())
        };
        // Nothing outranks an object of that very name and kind; without one all are looked at.
        let exact = wanted.names.iter().find_map(|name| self.by_name.get(name.as_str()));
        let (rank, objects) = best(&mut exact.into_iter().flatten().copied());
        if rank >= KIND_AND_NAME { objects } else { best(&mut self.objects.iter()).1 }
    }
}

/// The least rank of an object whose kind and name are both as said.
const KIND_AND_NAME: u32 = 130;

/// What the service says of an object, in all readings.
struct Wanted {
    names: Vec<String>,
    kinds: Vec<String>,
    namespace: Option<String>,
}

impl Wanted {
    /// `None` where nothing is said.
    fn new(resource: &Resource) -> Option<Self> {
        let said = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (kind, name) = (said(&resource.kind), said(&resource.name));
        let mut names: Vec<String> = name.iter().cloned().collect();
        let mut kinds = kind.as_deref().map(kinds).unwrap_or_default();
        if let Some((before, last)) = name.as_deref().and_then(|name| name.rsplit_once('/')) {
            names.push(last.to_owned());
            if kind.is_none() {
                kinds = before.split('/').flat_map(self::kinds).collect();
            }
        }
        (!names.is_empty() || !kinds.is_empty()).then_some(Self { names, kinds, namespace: said(&resource.namespace) })
    }

    /// How well an object fits, the higher the better; `None` where it does not.
    fn rank(&self, object: &Object) -> Option<u32> {
        let is_kind = |words: &[String]| {
            object.kind.as_ref().is_some_and(|kind| words.iter().any(|word| word.eq_ignore_ascii_case(kind)))
        };
        let is_name = |words: &[String]| object.name.as_ref().is_some_and(|name| words.contains(name));
        let kind = match &object.kind {
            _ if self.kinds.is_empty() => true,
            None => true,
            Some(_) => is_kind(&self.kinds),
        };
        let starts =
            |start: &str| self.names.iter().any(|name| name.starts_with(start) || name == start.trim_end_matches('-'));
        let name = match (&object.name, &object.generate_name) {
            _ if self.names.is_empty() => 3,
            (Some(_), _) if is_name(&self.names) => 3,
            (None, Some(start)) if starts(start) => 2,
            // A pod is named after what made it.
            (Some(name), _) if starts(&format!("{name}-")) => 1,
            (None, None) => 1,
            _ => 0,
        };
        let namespace = match (self.namespace.as_deref(), object.namespace.as_deref()) {
            (Some(wanted), Some(own)) if wanted == own => 2,
            (None | Some("default"), None | Some("default")) => 2,
            (None | Some("default"), Some(_)) | (Some(_), None) => 1,
            _ => 0,
        };
        match (kind, name) {
            (true, 1..) => Some(100 + 10 * name + namespace),
            _ if is_kind(&self.names) && is_name(&self.kinds) => Some(50 + namespace),
            (false, 3) if !self.names.is_empty() => Some(10 + namespace),
            _ => None,
        }
    }
}

/// The readings of `Deployment`, `deployments`, `deployment.apps`, `apps/v1/Deployment`, `apps/v1, Kind=Deployment`.
fn kinds(text: &str) -> Vec<String> {
    let last = text.rsplit(['/', '=']).next().unwrap_or(text);
    let short = last.split('.').next().unwrap_or(last);
    let mut kinds: Vec<String> = [text, last, short].map(str::to_owned).into();
    let lower = short.to_lowercase();
    kinds.extend(lower.strip_suffix("ies").map(|stem| format!("{stem}y")));
    kinds.extend(["es", "s"].iter().filter_map(|end| lower.strip_suffix(end)).map(str::to_owned));
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    const FILE: &str = "kind: Deployment\nmetadata: {name: web, namespace: a}\n---\nkind: Deployment\nmetadata: {name: web}\n\
                        ---\nkind: List\nitems:\n- kind: NetworkPolicy\n  metadata: {name: deny}\n- kind: PodList\n  items:\n  \
                        - metadata: {generateName: job-}\n  - spec: {}\n---\nhelm: values\n";

    fn resource([kind, namespace, name]: [&str; 3]) -> Resource {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Resource { kind: said(kind), namespace: said(namespace), name: said(name) }
    }

    #[test]
    fn lists_are_unfolded_in_the_order_of_the_file() {
        let tree = yaml::read(FILE);
        let found: Vec<_> = find(&tree).into_iter().map(|object| (object.kind.unwrap_or_default(), object.list)).collect();
        let expected = [
            ("deployment", false),
            ("deployment", false),
            ("list", true),
            ("networkpolicy", false),
            ("podlist", true),
            ("pod", false),
            ("pod", false),
        ];
        assert_eq!(found, expected.map(|(kind, list)| (kind.to_owned(), list)));
    }

    #[test]
    fn every_spelling_finds_its_object() {
        let tree = yaml::read(FILE);
        let objects = find(&tree);
        for (said, expected) in [
            (["Deployment", "a", "web"], vec![0]),
            (["deployment", "", "web"], vec![1]),
            (["deployments.apps", "default", "web"], vec![1]),
            (["Deployment", "b", "web"], vec![1]),
            (["", "a", "deployment/web"], vec![0]),
            (["apps/v1, Kind=Deployment", "a", "a/web"], vec![0]),
            (["web", "a", "Deployment"], vec![0]),
            (["networkpolicies", "", "deny"], vec![3]),
            (["NetworkPolicy", "", ""], vec![3]),
            (["Pod", "", "job-x7f"], vec![5]),
            (["Pod", "", "other"], vec![6]),
            (["ReplicaSet", "", "deny"], vec![3]),
            (["Service", "", "web-0"], vec![]),
            (["Service", "", ""], vec![]),
            (["List", "", ""], vec![2]),
            (["", "a", " "], vec![]),
        ] {
            let named = Index::new(&objects).named(&resource(said));
            let is_named = |at: &usize| named.iter().any(|object| std::ptr::eq(*object, &raw const objects[*at]));
            let found: Vec<_> = (0..objects.len()).filter(is_named).collect();
            assert_eq!(found, expected, "{said:?}");
        }
    }
}
