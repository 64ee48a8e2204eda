//! Kubernetes manifests: read into objects, then each rule put to each object, pod or container.

mod access_control;
mod control_plane;
mod network;
mod node_escape;
mod pods;
mod secrets;
#[cfg(test)]
mod tests;
mod workload;
mod yaml;

use super::{Hit, Risk, Rule};
use pods::{Container, Pod};
use yaml::Node;

/// One table a category, their ids in order.
const TABLES: [&[Rule<Check>]; 6] =
    [node_escape::RULES, workload::RULES, secrets::RULES, network::RULES, access_control::RULES, control_plane::RULES];

/// What a rule looks at.
enum Check {
    Object(fn(&Object<'_>) -> Vec<Place>),
    Pod(fn(&Pod<'_>) -> Vec<Place>),
    Container(fn(&Container<'_>) -> Vec<Place>),
}

/// A place in an object, and what the rule saw there.
struct Place {
    path: String,
    rule: String,
}

impl Place {
    fn new(path: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { path: path.into(), rule: rule.into() }
    }
}

/// An object of an API server.
struct Object<'a> {
    /// The API group, empty for the core.
    group: &'a str,
    kind: &'a str,
    root: &'a Node,
}

const CLUSTER_WIDE: [&str; 14] = [
    "APIService",
    "CSIDriver",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

impl<'a> Object<'a> {
    fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    fn metadata(&self, key: &str) -> Option<&'a str> {
        self.root.get("metadata")?.text_of(key)
    }

    fn spec(&self, key: &str) -> Option<&'a Node> {
        self.root.get("spec")?.get(key)
    }

    fn hit(&self, place: Place) -> Hit {
        let name = self.metadata("name").or_else(|| self.metadata("generateName"));
        let home = if CLUSTER_WIDE.contains(&self.kind) { "" } else { "default" };
        Hit {
            resource_name: name.unwrap_or_default().to_owned(),
            resource_type: self.kind.to_owned(),
            namespace: self.metadata("namespace").unwrap_or(home).to_owned(),
            hit_rule: place.rule,
            hit_path: place.path,
        }
    }
}

/// Scans a manifest; an error is the reason for which the file fails.
pub(super) fn scan(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    let documents = yaml::documents(bytes)?;
    let mut objects = Vec::new();
    for document in &documents {
        unfold(document, ("", ""), &mut objects);
    }
    let rules = TABLES.into_iter().flatten();
    let risks = rules.filter_map(|rule| {
        let hits: Vec<Hit> = objects.iter().flat_map(|object| check(&rule.check, object)).collect();
        (!hits.is_empty()).then(|| rule.risk(None, hits))
    });
    Ok(risks.collect())
}

fn check(check: &Check, object: &Object<'_>) -> Vec<Hit> {
    let pod = || pods::pod_of(object);
    let places = match check {
        Check::Object(check) => check(object),
        Check::Pod(check) => pod().map(|pod| check(&pod)).unwrap_or_default(),
        Check::Container(check) => pod().iter().flat_map(Pod::containers).flat_map(|container| check(&container)).collect(),
    };
    places.into_iter().map(|place| object.hit(place)).collect()
}

/// Lists are unfolded; the items of a `PodList` need not say that they are pods.
fn unfold<'a>(root: &'a Node, (list_version, list_kind): (&'a str, &'a str), objects: &mut Vec<Object<'a>>) {
    let version = root.text_of("apiVersion").unwrap_or(list_version);
    let kind = root.text_of("kind").unwrap_or(list_kind);
    match (kind.strip_suffix("List"), root.get("items")) {
        (Some(item_kind), Some(items)) => items.items().for_each(|item| unfold(item, (version, item_kind), objects)),
        _ if kind.is_empty() || version.is_empty() => {}
        _ => objects.push(Object { group: version.split_once('/').map_or("", |(group, _)| group), kind, root }),
    }
}

/// `path.key`, the key in brackets and quotes where it holds more than letters, digits, `-` and `_`.
fn join(path: &str, key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_plain { format!("{path}.{key}") } else { format!("{path}[{}]", serde_json::Value::from(key)) }
}
