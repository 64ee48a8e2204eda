//! The cluster's own parts and what is decided for a whole namespace.

use super::super::Rule;
use super::pods::{Container, Pod};
use super::yaml::Node;
use super::{Check, Object, Place, join};

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-036",
        name: "The API server or kubelet allows every request",
        level: "high",
        category: "control_plane",
        description: "AlwaysAllow turns authorization off: whoever reaches the port owns the cluster or the node.",
        remediation: "Use --authorization-mode=Node,RBAC for the API server and Webhook for the kubelet.",
        check: Check::Container(|container| {
            argument(container, "--authorization-mode=", |value| value.split(',').any(|mode| mode == "AlwaysAllow"))
        }),
    },
    Rule {
        id: "SI-K8-037",
        name: "The control plane answers without a login",
        level: "high",
        category: "control_plane",
        description: "--anonymous-auth=true lets anyone who reaches the port ask for what system:anonymous may do.",
        remediation: "Set --anonymous-auth=false.",
        check: Check::Container(|container| argument(container, "--anonymous-auth=", |value| value == "true")),
    },
    Rule {
        id: "SI-K8-038",
        name: "The namespace enforces no Pod Security Standard",
        level: "low",
        category: "control_plane",
        description: "Nothing keeps a privileged pod out of the namespace.",
        remediation: "Label the namespace pod-security.kubernetes.io/enforce: restricted, or baseline.",
        check: Check::Object(pod_security),
    },
    Rule {
        id: "SI-K8-039",
        name: "The pod may run on control-plane nodes",
        level: "medium",
        category: "control_plane",
        description: "A pod that breaks out there is next to the API server's keys and etcd.",
        remediation: "Remove the toleration, or keep it for the cluster's own agents.",
        check: Check::Pod(tolerates_control_plane),
    },
    Rule {
        id: "SI-K8-040",
        name: "The admission webhook fails open",
        level: "low",
        category: "control_plane",
        description: "With failurePolicy Ignore every object passes while the webhook is down, or is kept down.",
        remediation: "Set failurePolicy to Fail and run the webhook with several replicas.",
        check: Check::Object(open_webhook),
    },
];

/// Places where a control-plane program is given this argument; other programs may have a flag of the same name.
fn argument(container: &Container<'_>, flag: &str, breaks: fn(&str) -> bool) -> Vec<Place> {
    let words = container.command_line();
    let is_control_plane = |word: &str| ["kube-apiserver", "kubelet"].contains(&word.rsplit('/').next().unwrap_or(word));
    if !words.iter().any(|(word, _)| is_control_plane(word)) {
        return Vec::new();
    }
    let broken = words.into_iter().filter(|(word, _)| word.strip_prefix(flag).is_some_and(breaks));
    broken.map(|(word, place)| Place::new(place, word.trim_start_matches('-').replacen('=', " == ", 1))).collect()
}

fn pod_security(object: &Object<'_>) -> Vec<Place> {
    if !object.is("", "Namespace") {
        return Vec::new();
    }
    let rule = match object.root.at(&["metadata", "labels", ENFORCE]).and_then(Node::text) {
        None => "enforce missing",
        Some("privileged") => "enforce == privileged",
        Some(_) => return Vec::new(),
    };
    vec![Place::new(join("metadata.labels", ENFORCE), rule)]
}

fn tolerates_control_plane(pod: &Pod<'_>) -> Vec<Place> {
    let tolerations = pod.spec.get("tolerations").into_iter().flat_map(Node::items).enumerate();
    let broken = tolerations.filter_map(|(index, toleration)| {
        let key = toleration.text_of("key");
        let is_role = matches!(key, Some("node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master"));
        let is_any = key.is_none() && toleration.text_of("operator") == Some("Exists");
        let rule =
            if is_any { "tolerates every taint".to_owned() } else { format!("tolerates {}", key.unwrap_or_default()) };
        (is_role || is_any).then(|| pod.place(&format!("tolerations[{index}]"), rule))
    });
    broken.collect()
}

fn open_webhook(object: &Object<'_>) -> Vec<Place> {
    let kinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
    let is_webhook = kinds.iter().any(|kind| object.is("admissionregistration.k8s.io", kind));
    let webhooks = object.root.get("webhooks").filter(|_| is_webhook).into_iter().flat_map(Node::items).enumerate();
    let open = webhooks.filter(|(_, webhook)| webhook.text_of("failurePolicy") == Some("Ignore"));
    open.map(|(index, _)| Place::new(format!("webhooks[{index}].failurePolicy"), "failurePolicy == Ignore")).collect()
}
