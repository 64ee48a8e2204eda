//! Pods and their containers, wherever a kind keeps them.

use super::yaml::Node;
use super::{Object, Place};

/// Group, kind, and the keys that lead to the pod's `spec`.
const KINDS: [(&str, &str, &[&str]); 11] = [
    ("", "Pod", &["spec"]),
    ("", "PodTemplate", &["template", "spec"]),
    ("", "ReplicationController", &["spec", "template", "spec"]),
    ("apps", "Deployment", &["spec", "template", "spec"]),
    ("apps", "StatefulSet", &["spec", "template", "spec"]),
    ("apps", "DaemonSet", &["spec", "template", "spec"]),
    ("apps", "ReplicaSet", &["spec", "template", "spec"]),
    ("extensions", "Deployment", &["spec", "template", "spec"]),
    ("extensions", "DaemonSet", &["spec", "template", "spec"]),
    ("batch", "Job", &["spec", "template", "spec"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// A pod's `spec`.
pub(super) struct Pod<'a> {
    pub(super) spec: &'a Node,
    /// Where it stands in its object.
    pub(super) path: String,
    /// Whether it is meant to end, as a job's is.
    pub(super) ends: bool,
}

/// A container of any of a pod's three lists.
pub(super) struct Container<'a> {
    pub(super) pod: &'a Pod<'a>,
    /// `containers`, `initContainers` or `ephemeralContainers`.
    pub(super) list: &'static str,
    pub(super) node: &'a Node,
    pub(super) path: String,
}

/// The pod that an object is or makes.
pub(super) fn pod_of<'a>(object: &Object<'a>) -> Option<Pod<'a>> {
    let (_, _, keys) = KINDS.iter().find(|(group, kind, _)| object.is(group, kind))?;
    Some(Pod { spec: object.root.at(keys)?, path: keys.join("."), ends: object.group == "batch" })
}

impl<'a> Pod<'a> {
    /// Init, ordinary and ephemeral containers, as they stand in the document.
    pub(super) fn containers(&self) -> Vec<Container<'_>> {
        let mut containers = Vec::new();
        for (key, value) in self.spec.entries() {
            let Some(list) = ["containers", "initContainers", "ephemeralContainers"].into_iter().find(|list| list == key)
            else {
                continue;
            };
            for (index, node) in value.items().enumerate() {
                containers.push(Container { pod: self, list, node, path: format!("{}.{list}[{index}]", self.path) });
            }
        }
        containers
    }

    /// A place below the pod's `spec`.
    pub(super) fn place(&self, path: &str, rule: impl Into<String>) -> Place {
        Place::new(format!("{}.{path}", self.path), rule)
    }

    /// One place if the key holds true.
    pub(super) fn if_true(&self, key: &str) -> Vec<Place> {
        let is_true = self.spec.get(key).is_some_and(Node::is_true);
        is_true.then(|| self.place(key, format!("{key} == true"))).into_iter().collect()
    }

    /// The pod's volumes with their places.
    pub(super) fn host_paths(&self) -> impl Iterator<Item = (&'a str, String)> {
        let volumes = self.spec.get("volumes").into_iter().flat_map(Node::items).enumerate();
        volumes.filter_map(|(index, volume)| {
            let path = volume.at(&["hostPath", "path"])?.text()?;
            Some((path, format!("{}.volumes[{index}].hostPath.path", self.path)))
        })
    }
}

impl<'a> Container<'a> {
    /// A place below the container.
    pub(super) fn place(&self, path: &str, rule: impl Into<String>) -> Place {
        Place::new(format!("{}.{path}", self.path), rule)
    }

    /// A field of the container's own security context.
    pub(super) fn security(&self, key: &str) -> Option<&'a Node> {
        self.node.get("securityContext")?.get(key)
    }

    /// A field of the security context that a container inherits from its pod, with its place.
    pub(super) fn inherited(&self, key: &str) -> Option<(&'a Node, String)> {
        let own = self.security(key).map(|node| (node, format!("{}.securityContext.{key}", self.path)));
        own.or_else(|| {
            let node = self.pod.spec.get("securityContext")?.get(key)?;
            Some((node, format!("{}.securityContext.{key}", self.pod.path)))
        })
    }

    /// The capabilities that are added or dropped, upper case and without `CAP_`, with their places.
    pub(super) fn capabilities(&self, verb: &str) -> Vec<(String, String)> {
        let list = self.security("capabilities").and_then(|capabilities| capabilities.get(verb));
        let named = list.into_iter().flat_map(Node::items).enumerate().filter_map(|(index, node)| {
            let name = node.text()?.to_ascii_uppercase();
            let name = name.strip_prefix("CAP_").map_or(name.clone(), str::to_owned);
            Some((name, format!("{}.securityContext.capabilities.{verb}[{index}]", self.path)))
        });
        named.collect()
    }

    /// The words of `command` and `args` with their places.
    pub(super) fn command_line(&self) -> Vec<(&'a str, String)> {
        let words = ["command", "args"].into_iter().flat_map(|key| {
            let items = self.node.get(key).into_iter().flat_map(Node::items).enumerate();
            items.filter_map(move |(index, word)| Some((word.text()?, format!("{}.{key}[{index}]", self.path))))
        });
        words.collect()
    }
}
