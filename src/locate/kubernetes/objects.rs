//! The objects of a file, and which of them the service means. What its words look like is not documented, so that every
//! spelling is taken that names an object: the better the likeness, the higher the rank.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::Resource;
use crate::yaml::{Id, Tree};

/// The objects that one word leads to, at most; a word that fits more says too little.
const MAX_CANDIDATES: usize = 256;
/// Of a name these many bytes may be the start of another: no real one is longer.
const MAX_NAME: usize = 253;

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
    let mut lists = HashMap::new();
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
            let item_kind = object.kind.as_deref().and_then(|kind| kind.strip_suffix("list")).map(str::to_owned);
            let items = items(tree, root).map(|items| (items, lists.entry(items).or_insert_with(|| List::of(tree, items))));
            let items = items.filter(|(_, list)| list.objects || (item_kind.is_some() && list.mappings));
            let list = items.is_some();
            if let Some((items, list)) = items.filter(|(_, list)| !list.unfolded) {
                list.unfolded = true;
                let item_kind = item_kind.filter(|kind| !kind.is_empty());
                open.extend(tree.items(items).iter().rev().map(|item| (*item, item_kind.clone())));
            }
            objects.push(Object { list, ..object });
        }
    }
    if objects.iter().any(|object| object.kind.is_some()) {
        objects.retain(|object| object.kind.is_some());
    }
    objects
}

/// The sequence that an object may be the list of.
fn items(tree: &Tree<'_>, object: Id) -> Option<Id> {
    let items = ["items", "objects"].into_iter().find_map(|key| tree.get(object, key))?;
    Some(tree.content(items))
}

/// What a sequence holds. An alias may make it the items of many objects, but it is looked through and unfolded once.
struct List {
    /// Whether something in it says that it is an object.
    objects: bool,
    mappings: bool,
    unfolded: bool,
}

impl List {
    fn of(tree: &Tree<'_>, items: Id) -> Self {
        let items = tree.items(items).iter();
        let is_object = |id: &Id| ["kind", "metadata"].iter().any(|key| tree.get(*id, key).is_some());
        Self {
            objects: items.clone().any(is_object),
            mappings: items.clone().any(|item| tree.is_mapping(*item)),
            unfolded: false,
        }
    }
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
    /// Places in `objects`.
    by: HashMap<Said<'o>, Vec<usize>>,
    /// The length of the longest `generateName`.
    longest_start: usize,
}

/// What may be said of an object, with a namespace and with any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Said<'o> {
    Of(Word<'o>, Option<&'o str>),
    Any(Word<'o>),
}

/// A word that leads to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word<'o> {
    Name(&'o str),
    /// What names are generated from.
    Start(&'o str),
    Kind(Option<&'o str>),
    /// The kind of an object without a name, or any.
    Nameless(Option<&'o str>),
}

/// The objects that are meant.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// Their places among all objects, in order.
    pub(super) objects: Vec<usize>,
    /// Whether nothing that was said speaks against them.
    pub(super) sure: bool,
}

impl<'o> Index<'o> {
    pub(super) fn new(objects: &'o [Object]) -> Self {
        let mut index = Self { objects, by: HashMap::new(), longest_start: 0 };
        for (at, object) in objects.iter().enumerate() {
            let kind = object.kind.as_deref();
            let mut words = vec![Word::Kind(kind)];
            match (&object.name, &object.generate_name) {
                (Some(name), _) => words.push(Word::Name(name)),
                (None, Some(start)) => {
                    index.longest_start = index.longest_start.max(start.len()).min(MAX_NAME);
                    words.extend([start, start.trim_end_matches('-')].map(Word::Start));
                }
                (None, None) => words.extend([Word::Nameless(kind), Word::Nameless(None)]),
            }
            let namespace = object.namespace.as_deref();
            for said in words.into_iter().flat_map(|word| [Said::Of(word, namespace), Said::Any(word)]) {
                let objects = index.by.entry(said).or_default();
                if objects.len() < MAX_CANDIDATES && objects.last() != Some(&at) {
                    objects.push(at);
                }
            }
        }
        index
    }

    /// The objects that fit best; `None` where nothing is said of any.
    pub(super) fn named(&self, resource: &Resource) -> Option<Named> {
        let wanted = Wanted::new(resource)?;
        let mut ranked = BTreeMap::new();
        for word in wanted.words(self.longest_start) {
            let namespaces = [wanted.namespace.as_deref(), None, Some("default")].map(|namespace| Said::Of(word, namespace));
            let said = namespaces.into_iter().chain([Said::Any(word)]);
            for at in said.filter_map(|said| self.by.get(&said)).flatten() {
                ranked.entry(*at).or_insert_with(|| wanted.rank(&self.objects[*at]));
            }
        }
        let Some(best) = ranked.values().copied().flatten().max() else { return Some(Named::default()) };
        let objects = ranked.into_iter().filter(|(_, rank)| *rank == Some(best)).map(|(at, _)| at);
        // An object of another name, or of none, may have made the one that is meant.
        let is_called = best.words == Words::Swapped || (best.words == Words::KindAndName && best.name > 1);
        let sure = is_called && best.namespace > 0;
        Some(Named { objects: objects.collect(), sure })
    }
}

/// How well an object fits, the higher the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    words: Words,
    name: u8,
    namespace: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    /// The kind is another.
    NameAlone,
    /// The name is said for the kind, the kind for the name.
    Swapped,
    KindAndName,
}

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

    /// All words by which an object can be found that this may mean.
    fn words(&self, longest_start: usize) -> Vec<Word<'_>> {
        let kinds = self.kinds.iter().map(|kind| Some(kind.as_str()));
        let all_kinds = kinds.chain([None]);
        if self.names.is_empty() {
            return all_kinds.map(Word::Kind).collect();
        }
        let mut words: Vec<Word<'_>> = self.names.iter().chain(&self.kinds).map(|name| Word::Name(name)).collect();
        words.extend(all_kinds.map(Word::Nameless));
        for name in &self.names {
            let starts = (1..=longest_start.min(name.len())).filter_map(|end| name.get(..end));
            words.extend(starts.map(Word::Start));
            let makers = name.match_indices('-').map(|(end, _)| &name[..end]).take_while(|maker| maker.len() <= MAX_NAME);
            words.extend(makers.map(Word::Name));
        }
        words
    }

    /// How well an object fits; `None` where it does not.
    fn rank(&self, object: &Object) -> Option<Rank> {
        let is_kind = |words: &[String]| {
            object.kind.as_ref().is_some_and(|kind| words.iter().any(|word| word.eq_ignore_ascii_case(kind)))
        };
        let is_name = |words: &[String]| object.name.as_ref().is_some_and(|name| words.contains(name));
        let kind = self.kinds.is_empty() || object.kind.is_none() || is_kind(&self.kinds);
        let name = match (&object.name, &object.generate_name) {
            _ if self.names.is_empty() => 3,
            (Some(_), _) if is_name(&self.names) => 3,
            (None, Some(start)) => {
                let is_made = |name: &String| name.starts_with(start) || name == start.trim_end_matches('-');
                if self.names.iter().any(is_made) { 2 } else { 0 }
            }
            // A pod is named after what made it.
            (Some(maker), _) => {
                let is_made = |name: &String| name.strip_prefix(maker.as_str()).is_some_and(|rest| rest.starts_with('-'));
                u8::from(self.names.iter().any(is_made))
            }
            (None, None) => 1,
        };
        let namespace = match (self.namespace.as_deref(), object.namespace.as_deref()) {
            (Some(wanted), Some(own)) if wanted == own => 2,
            (None | Some("default"), None | Some("default")) => 2,
            (None | Some("default"), Some(_)) | (Some(_), None) => 1,
            _ => 0,
        };
        let rank = |words, name| Some(Rank { words, name, namespace });
        match (kind, name) {
            (true, 1..) => rank(Words::KindAndName, name),
            _ if is_kind(&self.names) && is_name(&self.kinds) => rank(Words::Swapped, 0),
            (false, 3) if !self.names.is_empty() => rank(Words::NameAlone, 0),
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
    // Objects keep theirs in lower case; names that were said for kinds are looked for as they are.
    kinds.extend([lower, last.to_lowercase(), text.to_lowercase()]);
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
    fn an_object_that_a_list_holds_twice_is_one() {
        let tree = yaml::read(
            "kind: List\nitems:\n- &a {kind: Pod, metadata: {name: a}}\n- *a\n- {kind: Pod, metadata: {name: b}}\n",
        );
        let names: Vec<_> = find(&tree).into_iter().filter_map(|object| object.name).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn only_lists_are_unfolded() {
        let kinds = |text: &str| {
            let tree = yaml::read(text);
            find(&tree).into_iter().map(|object| (object.kind.unwrap_or_default(), object.list)).collect::<Vec<_>>()
        };
        let own = |kind: &str, list| (kind.to_owned(), list);
        assert_eq!(kinds("kind: ConfigMap\nitems:\n- {a: b}\n"), [own("configmap", false)], "mappings alone are no objects");
        assert_eq!(kinds("kind: PodList\nitems:\n- a\n"), [own("podlist", false)], "nor are texts");
        assert_eq!(kinds("kind: Any\nitems:\n- {kind: Pod, metadata: {name: a}}\n"), [own("any", true), own("pod", false)]);
        assert_eq!(kinds("kind: PodList\nitems:\n- {spec: b}\n"), [own("podlist", true), own("pod", false)]);
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
            (["web", "a", "Service"], vec![]),
            (["other", "a", "Deployment"], vec![]),
            (["networkpolicies", "", "deny"], vec![3]),
            (["NetworkPolicy", "", ""], vec![3]),
            (["Pod", "", "job-x7f"], vec![5]),
            (["Pod", "", "job"], vec![5]),
            (["Pod", "", "other"], vec![6]),
            (["ReplicaSet", "", "deny"], vec![3]),
            (["Service", "", "web-0"], vec![]),
            (["Service", "", ""], vec![]),
            (["List", "", ""], vec![2]),
            (["Deployment", "", ""], vec![1]),
            (["Service", "c", ""], vec![]),
            (["", "a", " "], vec![]),
        ] {
            let found = Index::new(&objects).named(&resource(said)).unwrap_or_default().objects;
            assert_eq!(found, expected, "{said:?}");
        }
    }
}
