//! What lets a container out onto its node.

use super::super::Rule;
use super::pods::{Container, Pod};
use super::yaml::Node;
use super::{Check, Place};

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-001",
        name: "The container is privileged",
        level: "high",
        category: "node_escape",
        description: "A privileged container has every capability and every device of the node: root in it is root on the node.",
        remediation: "Remove privileged; add the single capability or device that is needed.",
        check: Check::Container(privileged),
    },
    Rule {
        id: "SI-K8-002",
        name: "The pod shares the node's process namespace",
        level: "high",
        category: "node_escape",
        description: "With hostPID the pod sees, and as root can signal and trace, every process of the node.",
        remediation: "Remove hostPID; use shareProcessNamespace if containers of one pod must see each other.",
        check: Check::Pod(|pod| pod.if_true("hostPID")),
    },
    Rule {
        id: "SI-K8-003",
        name: "The pod shares the node's IPC namespace",
        level: "high",
        category: "node_escape",
        description: "With hostIPC the pod can read and write the shared memory of the node's processes.",
        remediation: "Remove hostIPC; share memory inside the pod by an emptyDir of medium Memory.",
        check: Check::Pod(|pod| pod.if_true("hostIPC")),
    },
    Rule {
        id: "SI-K8-004",
        name: "The container runtime's socket is mounted",
        level: "high",
        category: "node_escape",
        description: "Whoever can talk to the container runtime can start a privileged container, and so owns the node.",
        remediation: "Remove the mount; build images without a daemon, and read container state from the Kubernetes API.",
        check: Check::Pod(|pod| host_paths(pod, is_runtime_socket)),
    },
    Rule {
        id: "SI-K8-005",
        name: "A directory that controls the node is mounted",
        level: "high",
        category: "node_escape",
        description: "The root, configuration, kernel or kubelet directories of the node let a container read its credentials or change what it runs.",
        remediation: "Remove the mount; use a ConfigMap, a Secret, a projected volume or a CSI driver.",
        check: Check::Pod(|pod| host_paths(pod, |path| is_sensitive(path) && !is_runtime_socket(path))),
    },
    Rule {
        id: "SI-K8-006",
        name: "A directory of the node is mounted",
        level: "medium",
        category: "node_escape",
        description: "hostPath ties the pod to its node and lets what it writes outlive it, unseen by the scheduler and by quotas.",
        remediation: "Use a PersistentVolumeClaim, or an emptyDir for scratch space.",
        check: Check::Pod(|pod| host_paths(pod, |path| !is_sensitive(path) && !is_runtime_socket(path))),
    },
    Rule {
        id: "SI-K8-007",
        name: "A capability that leads to the node is added",
        level: "high",
        category: "node_escape",
        description: "With this capability a process can mount, load kernel code, trace or read past permissions: ways out of the container.",
        remediation: "Remove the capability; find the narrow one that the program needs.",
        check: Check::Container(dangerous_capabilities),
    },
    Rule {
        id: "SI-K8-008",
        name: "The container may gain privileges",
        level: "medium",
        category: "node_escape",
        description: "Unless allowPrivilegeEscalation is false, a setuid program in the image can make an unprivileged process root.",
        remediation: "Set securityContext.allowPrivilegeEscalation to false.",
        check: Check::Container(privilege_escalation),
    },
    Rule {
        id: "SI-K8-009",
        name: "The container has no seccomp profile",
        level: "low",
        category: "node_escape",
        description: "Without a seccomp profile the container may make every system call, those behind most kernel exploits too.",
        remediation: "Set securityContext.seccompProfile.type to RuntimeDefault on the pod.",
        check: Check::Container(seccomp),
    },
];

fn privileged(container: &Container<'_>) -> Vec<Place> {
    let is_true = container.security("privileged").is_some_and(Node::is_true);
    is_true.then(|| container.place("securityContext.privileged", "privileged == true")).into_iter().collect()
}

fn host_paths(pod: &Pod<'_>, breaks: impl Fn(&str) -> bool) -> Vec<Place> {
    let paths = pod.host_paths().filter(|(path, _)| breaks(path));
    paths.map(|(path, place)| Place::new(place, format!("hostPath == {path}"))).collect()
}

fn is_runtime_socket(path: &str) -> bool {
    ["docker.sock", "containerd.sock", "crio.sock", "dockershim.sock"].iter().any(|socket| path.ends_with(socket))
}

fn is_sensitive(path: &str) -> bool {
    const DIRECTORIES: [&str; 11] = [
        "/etc",
        "/root",
        "/home",
        "/proc",
        "/sys",
        "/dev",
        "/boot",
        "/usr",
        "/var/lib/kubelet",
        "/var/lib/etcd",
        "/var/run",
    ];
    let path = path.trim_end_matches('/');
    let below = |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    path.is_empty() || DIRECTORIES.iter().any(|directory| below(directory))
}

fn dangerous_capabilities(container: &Container<'_>) -> Vec<Place> {
    const DANGEROUS: [&str; 8] =
        ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "DAC_READ_SEARCH", "BPF"];
    let added = container.capabilities("add").into_iter().filter(|(name, _)| DANGEROUS.contains(&name.as_str()));
    added.map(|(name, place)| Place::new(place, format!("capabilities.add has {name}"))).collect()
}

fn privilege_escalation(container: &Container<'_>) -> Vec<Place> {
    let rule = match container.security("allowPrivilegeEscalation") {
        Some(value) if value.is_false() => return Vec::new(),
        Some(_) => "allowPrivilegeEscalation == true",
        None => "allowPrivilegeEscalation missing",
    };
    vec![container.place("securityContext.allowPrivilegeEscalation", rule)]
}

fn seccomp(container: &Container<'_>) -> Vec<Place> {
    let Some((profile, place)) = container.inherited("seccompProfile") else {
        return vec![container.place("securityContext.seccompProfile", "seccompProfile missing")];
    };
    let is_unconfined = profile.text_of("type") == Some("Unconfined");
    is_unconfined.then(|| Place::new(format!("{place}.type"), "seccompProfile == Unconfined")).into_iter().collect()
}
