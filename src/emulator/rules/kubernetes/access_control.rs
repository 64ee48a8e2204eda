//! Who may do what in the cluster.

use super::super::Rule;
use super::pods::Pod;
use super::yaml::Node;
use super::{Check, Object, Place};

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-031",
        name: "The role allows everything",
        level: "high",
        category: "access_control",
        description: "A wildcard in verbs or resources also grants what a later version of Kubernetes or a new operator adds.",
        remediation: "List the verbs and resources that are needed.",
        check: Check::Object(wildcard_role),
    },
    Rule {
        id: "SI-K8-032",
        name: "cluster-admin is granted",
        level: "high",
        category: "access_control",
        description: "Who takes over one of the subjects owns the cluster with all its nodes and secrets.",
        remediation: "Bind a role of the application's own with the verbs and resources that it needs.",
        check: Check::Object(cluster_admin),
    },
    Rule {
        id: "SI-K8-033",
        name: "The role can raise its own rights",
        level: "high",
        category: "access_control",
        description: "escalate, bind and impersonate let the holder give itself any right, or act as anyone.",
        remediation: "Remove these verbs; leave the granting of roles to the deployment pipeline.",
        check: Check::Object(raising_role),
    },
    Rule {
        id: "SI-K8-034",
        name: "Rights are granted to everyone",
        level: "high",
        category: "access_control",
        description: "system:anonymous and system:unauthenticated stand for anyone who reaches the API server, without a login.",
        remediation: "Bind named users, groups or service accounts.",
        check: Check::Object(anonymous_binding),
    },
    Rule {
        id: "SI-K8-035",
        name: "The service account's token is mounted",
        level: "low",
        category: "access_control",
        description: "Unless told not to, the pod holds a token for the API server, which most applications never use.",
        remediation: "Set automountServiceAccountToken to false on pods that don't call the Kubernetes API.",
        check: Check::Pod(mounted_token),
    },
];

/// The rules of a role with their places; none of another kind.
pub(super) fn role_rules<'a>(object: &Object<'a>) -> Vec<(&'a Node, String)> {
    if !object.is(RBAC, "Role") && !object.is(RBAC, "ClusterRole") {
        return Vec::new();
    }
    let rules = object.root.get("rules").into_iter().flat_map(Node::items).enumerate();
    rules.map(|(index, rule)| (rule, format!("rules[{index}]"))).collect()
}

/// The places of a role rule's words that are among these.
fn words_in(object: &Object<'_>, keys: &[&str], words: &[&str]) -> Vec<Place> {
    let mut places = Vec::new();
    for (rule, path) in role_rules(object) {
        for (key, value) in rule.entries().iter().filter(|(key, _)| keys.contains(&key.as_str())) {
            for (index, word) in value.items().enumerate() {
                if let Some(word) = word.text().filter(|word| words.contains(word)) {
                    places.push(Place::new(format!("{path}.{key}[{index}]"), format!("{key} has {word}")));
                }
            }
        }
    }
    places
}

fn wildcard_role(object: &Object<'_>) -> Vec<Place> {
    words_in(object, &["resources", "verbs"], &["*"])
}

fn raising_role(object: &Object<'_>) -> Vec<Place> {
    words_in(object, &["verbs"], &["escalate", "bind", "impersonate"])
}

fn is_binding(object: &Object<'_>) -> bool {
    object.is(RBAC, "RoleBinding") || object.is(RBAC, "ClusterRoleBinding")
}

fn cluster_admin(object: &Object<'_>) -> Vec<Place> {
    let role = object.root.get("roleRef").filter(|_| is_binding(object));
    let is_admin = role
        .is_some_and(|role| role.text_of("kind") == Some("ClusterRole") && role.text_of("name") == Some("cluster-admin"));
    is_admin.then(|| Place::new("roleRef.name", "roleRef == cluster-admin")).into_iter().collect()
}

fn anonymous_binding(object: &Object<'_>) -> Vec<Place> {
    let subjects = object.root.get("subjects").filter(|_| is_binding(object));
    let named = subjects.into_iter().flat_map(Node::items).enumerate().filter_map(|(index, subject)| {
        let name = subject.text_of("name").filter(|name| matches!(*name, "system:anonymous" | "system:unauthenticated"))?;
        Some(Place::new(format!("subjects[{index}].name"), format!("subject == {name}")))
    });
    named.collect()
}

fn mounted_token(pod: &Pod<'_>) -> Vec<Place> {
    let rule = match pod.spec.get("automountServiceAccountToken") {
        Some(value) if value.is_false() => return Vec::new(),
        Some(_) => "automountServiceAccountToken == true",
        None => "automountServiceAccountToken missing",
    };
    vec![pod.place("automountServiceAccountToken", rule)]
}
