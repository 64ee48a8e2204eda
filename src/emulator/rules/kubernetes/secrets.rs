//! Credentials where everyone reads them.

use super::super::{Rule, credential};
use super::pods::Container;
use super::yaml::Node;
use super::{Check, Object, Place, join};

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-020",
        name: "A secret is written in an environment value",
        level: "high",
        category: "secrets",
        description: "The value stands in the repository, in the pod's description and in every backup of the API server.",
        remediation: "Rotate the secret, keep it in a Secret from a secret store, and refer to it by valueFrom.secretKeyRef or a volume.",
        check: Check::Container(environment),
    },
    Rule {
        id: "SI-K8-021",
        name: "A secret is kept in a ConfigMap",
        level: "high",
        category: "secrets",
        description: "ConfigMaps are not encrypted at rest, and far more people and programs may read them than Secrets.",
        remediation: "Rotate the secret and move it to a Secret from a secret store.",
        check: Check::Object(config_map),
    },
    Rule {
        id: "SI-K8-022",
        name: "A Secret's values stand in its manifest",
        level: "medium",
        category: "secrets",
        description: "Base64 hides nothing: who can read the repository, or any clone of it, has the values.",
        remediation: "Rotate the values; commit a sealed or external secret instead.",
        check: Check::Object(secret_values),
    },
    Rule {
        id: "SI-K8-023",
        name: "The role reads Secrets",
        level: "medium",
        category: "secrets",
        description: "get, list or watch on Secrets without resourceNames gives away every credential in reach of the role.",
        remediation: "Name the Secrets in resourceNames and allow get alone.",
        check: Check::Object(reads_secrets),
    },
];

fn environment(container: &Container<'_>) -> Vec<Place> {
    let variables = container.node.get("env").into_iter().flat_map(Node::items).enumerate();
    let exposed = variables.filter_map(|(index, variable)| {
        let name = variable.text_of("name")?;
        let is_exposed = credential::is_exposed(name, variable.text_of("value")?);
        is_exposed.then(|| container.place(&format!("env[{index}].value"), format!("env {name} holds a secret")))
    });
    exposed.collect()
}

fn config_map(object: &Object<'_>) -> Vec<Place> {
    if !object.is("", "ConfigMap") {
        return Vec::new();
    }
    let data = object.root.get("data").map(Node::entries).unwrap_or_default().iter();
    let exposed = data.filter(|(key, value)| value.text().is_some_and(|value| credential::is_exposed(key, value)));
    exposed.map(|(key, _)| Place::new(join("data", key), format!("{key} holds a secret"))).collect()
}

fn secret_values(object: &Object<'_>) -> Vec<Place> {
    if !object.is("", "Secret") {
        return Vec::new();
    }
    let has_values = |key: &&str| object.root.get(key).is_some_and(|data| !data.entries().is_empty());
    let fields = ["data", "stringData"].into_iter().filter(has_values);
    fields.map(|key| Place::new(key, format!("{key} has values"))).collect()
}

fn reads_secrets(object: &Object<'_>) -> Vec<Place> {
    let rules = super::access_control::role_rules(object);
    let reading = rules.into_iter().filter(|(rule, _)| {
        let has = |key: &str, values: &[&str]| {
            rule.get(key).into_iter().flat_map(Node::items).filter_map(Node::text).any(|text| values.contains(&text))
        };
        has("resources", &["secrets"]) && has("verbs", &["get", "list", "watch"]) && rule.get("resourceNames").is_none()
    });
    reading.map(|(_, path)| Place::new(format!("{path}.resources"), "resources has secrets")).collect()
}
