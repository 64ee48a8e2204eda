//! How a workload is run.

use super::super::{Rule, image};
use super::pods::{Container, Pod};
use super::yaml::Node;
use super::{Check, Object, Place, pods};

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-010",
        name: "The container is set to run as root",
        level: "high",
        category: "workload",
        description: "runAsUser 0 or runAsNonRoot false makes root of whoever takes the process over.",
        remediation: "Set runAsNonRoot to true and runAsUser to an id above 0, and give the image's files to it.",
        check: Check::Container(runs_as_root),
    },
    Rule {
        id: "SI-K8-011",
        name: "The container may run as root",
        level: "medium",
        category: "workload",
        description: "Nothing keeps the image from running as root: neither runAsNonRoot nor a user id is set.",
        remediation: "Set securityContext.runAsNonRoot to true on the pod.",
        check: Check::Container(may_run_as_root),
    },
    Rule {
        id: "SI-K8-012",
        name: "Capabilities are not dropped",
        level: "low",
        category: "workload",
        description: "The container keeps the runtime's default capabilities, which few programs need.",
        remediation: "Drop ALL and add back the single ones that the program needs.",
        check: Check::Container(keeps_capabilities),
    },
    Rule {
        id: "SI-K8-013",
        name: "The root file system is writable",
        level: "low",
        category: "workload",
        description: "A process that is taken over can change its programs and leave tools behind.",
        remediation: "Set readOnlyRootFilesystem to true and mount an emptyDir where the program writes.",
        check: Check::Container(writable_root),
    },
    Rule {
        id: "SI-K8-014",
        name: "The container has no memory limit",
        level: "medium",
        category: "workload",
        description: "A leak or an attack can use up the node's memory, and the kernel then kills other workloads.",
        remediation: "Set resources.limits.memory from measured use.",
        check: Check::Container(|container| resource(container, "limits", "memory")),
    },
    Rule {
        id: "SI-K8-015",
        name: "The container requests no CPU",
        level: "tips",
        category: "workload",
        description: "Without a request the scheduler counts the container as free of cost, and it starves first.",
        remediation: "Set resources.requests.cpu from measured use.",
        check: Check::Container(|container| resource(container, "requests", "cpu")),
    },
    Rule {
        id: "SI-K8-016",
        name: "The image is not pinned",
        level: "medium",
        category: "workload",
        description: "The image has no tag or the tag latest: pods of one workload can run different code, and a rollback is no way back.",
        remediation: "Name a version tag, better a digest.",
        check: Check::Container(floating_image),
    },
    Rule {
        id: "SI-K8-017",
        name: "The container has no probe",
        level: "low",
        category: "workload",
        description: "Without a readiness or liveness probe traffic goes to a container that is not ready or hangs.",
        remediation: "Add a readinessProbe that asks the program itself.",
        check: Check::Container(no_probe),
    },
    Rule {
        id: "SI-K8-018",
        name: "Containers share a process namespace",
        level: "low",
        category: "workload",
        description: "Each container of the pod sees the others' processes, their environment and their files.",
        remediation: "Remove shareProcessNamespace; use a debug container for the time of debugging.",
        check: Check::Pod(|pod| pod.if_true("shareProcessNamespace")),
    },
    Rule {
        id: "SI-K8-019",
        name: "The workload is in the default namespace",
        level: "tips",
        category: "workload",
        description: "The default namespace has no owner: quotas, network policies and roles can't be drawn around the workload.",
        remediation: "Give the application a namespace of its own, in the manifest or by kustomize.",
        check: Check::Object(default_namespace),
    },
];

fn runs_as_root(container: &Container<'_>) -> Vec<Place> {
    let user = container.inherited("runAsUser").filter(|(user, _)| user.text() == Some("0"));
    let user = user.map(|(_, place)| Place::new(place, "runAsUser == 0"));
    let root_allowed = || {
        let (_, place) = container.inherited("runAsNonRoot").filter(|(value, _)| value.is_false())?;
        has_user(container).is_none().then(|| Place::new(place, "runAsNonRoot == false"))
    };
    user.or_else(root_allowed).into_iter().collect()
}

fn may_run_as_root(container: &Container<'_>) -> Vec<Place> {
    let is_decided =
        has_user(container).is_some() || container.inherited("runAsNonRoot").is_some_and(|(value, _)| !value.is_null());
    if is_decided { Vec::new() } else { vec![container.place("securityContext.runAsNonRoot", "runAsNonRoot missing")] }
}

fn has_user<'a>(container: &Container<'a>) -> Option<&'a str> {
    container.inherited("runAsUser").and_then(|(user, _)| user.text())
}

fn keeps_capabilities(container: &Container<'_>) -> Vec<Place> {
    let drops_all = container.capabilities("drop").iter().any(|(name, _)| name == "ALL");
    if drops_all {
        Vec::new()
    } else {
        vec![container.place("securityContext.capabilities.drop", "capabilities.drop lacks ALL")]
    }
}

fn writable_root(container: &Container<'_>) -> Vec<Place> {
    let rule = match container.security("readOnlyRootFilesystem") {
        Some(value) if value.is_true() => return Vec::new(),
        Some(_) => "readOnlyRootFilesystem == false",
        None => "readOnlyRootFilesystem missing",
    };
    vec![container.place("securityContext.readOnlyRootFilesystem", rule)]
}

/// Ephemeral containers may have no resources.
fn resource(container: &Container<'_>, kind: &str, name: &str) -> Vec<Place> {
    let value = container.node.at(&["resources", kind, name]);
    // A limit stands for a request that is left out.
    let value = value.or_else(|| container.node.at(&["resources", "limits", name]));
    if container.list == "ephemeralContainers" || value.is_some_and(|value| !value.is_null()) {
        return Vec::new();
    }
    vec![container.place(&format!("resources.{kind}.{name}"), format!("resources.{kind}.{name} missing"))]
}

fn floating_image(container: &Container<'_>) -> Vec<Place> {
    let image = container.node.text_of("image").filter(|image| image::is_floating(image));
    image.map(|image| container.place("image", format!("image == {image}"))).into_iter().collect()
}

fn no_probe(container: &Container<'_>) -> Vec<Place> {
    let has = |key| container.node.get(key).is_some_and(|probe: &Node| !probe.is_null());
    if container.pod.ends || container.list != "containers" || has("readinessProbe") || has("livenessProbe") {
        return Vec::new();
    }
    vec![container.place("readinessProbe", "readinessProbe and livenessProbe missing")]
}

fn default_namespace(object: &Object<'_>) -> Vec<Place> {
    let rule = match object.metadata("namespace") {
        None => "namespace missing",
        Some("default") => "namespace == default",
        Some(_) => return Vec::new(),
    };
    let pod: Option<Pod<'_>> = pods::pod_of(object);
    pod.map(|_| Place::new("metadata.namespace", rule)).into_iter().collect()
}
