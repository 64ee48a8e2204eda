//! What a workload opens to the network.

use super::super::Rule;
use super::pods::Container;
use super::yaml::Node;
use super::{Check, Object, Place};

pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-K8-024",
        name: "The pod shares the node's network",
        level: "high",
        category: "network",
        description: "With hostNetwork the pod reaches what listens on the node's loopback and the cloud's metadata service, and network policies pass it by.",
        remediation: "Remove hostNetwork; publish ports by a Service.",
        check: Check::Pod(|pod| pod.if_true("hostNetwork")),
    },
    Rule {
        id: "SI-K8-025",
        name: "The container takes a port of the node",
        level: "medium",
        category: "network",
        description: "hostPort opens the port on the node's address, past Services and most network policies.",
        remediation: "Remove hostPort; publish the port by a Service.",
        check: Check::Container(host_ports),
    },
    Rule {
        id: "SI-K8-026",
        name: "A capability over the network is added",
        level: "medium",
        category: "network",
        description: "NET_ADMIN and NET_RAW let a process change routes and filters, or forge and read packets.",
        remediation: "Remove the capability, or move the work to a CNI plugin or a node agent.",
        check: Check::Container(network_capabilities),
    },
    Rule {
        id: "SI-K8-027",
        name: "The Service is open to every address",
        level: "medium",
        category: "network",
        description: "A load balancer without source ranges, or any external address, takes traffic from the whole internet.",
        remediation: "Set loadBalancerSourceRanges or use an internal load balancer; put an Ingress with TLS in front.",
        check: Check::Object(open_service),
    },
    Rule {
        id: "SI-K8-028",
        name: "The Service opens a port on every node",
        level: "low",
        category: "network",
        description: "NodePort makes the Service reachable at the address of each node, also from networks that were not meant.",
        remediation: "Use ClusterIP behind an Ingress or a load balancer.",
        check: Check::Object(node_port),
    },
    Rule {
        id: "SI-K8-029",
        name: "The Ingress has no TLS",
        level: "medium",
        category: "network",
        description: "Requests, cookies and credentials travel in the clear and can be changed on the way.",
        remediation: "Add spec.tls with the hosts and a certificate's Secret.",
        check: Check::Object(plain_ingress),
    },
    Rule {
        id: "SI-K8-030",
        name: "The NetworkPolicy admits every peer",
        level: "low",
        category: "network",
        description: "An ingress rule without peers, or with the block 0.0.0.0/0, admits all traffic: the policy protects nothing.",
        remediation: "Name the pods and namespaces that may connect.",
        check: Check::Object(open_policy),
    },
];

fn host_ports(container: &Container<'_>) -> Vec<Place> {
    let ports = container.node.get("ports").into_iter().flat_map(Node::items).enumerate();
    let taken = ports.filter_map(|(index, port)| {
        let port = port.text_of("hostPort").filter(|port| *port != "0")?;
        Some(container.place(&format!("ports[{index}].hostPort"), format!("hostPort == {port}")))
    });
    taken.collect()
}

fn network_capabilities(container: &Container<'_>) -> Vec<Place> {
    let added = container.capabilities("add").into_iter().filter(|(name, _)| name == "NET_ADMIN" || name == "NET_RAW");
    added.map(|(name, place)| Place::new(place, format!("capabilities.add has {name}"))).collect()
}

fn is_service_of(object: &Object<'_>, kind: &str) -> bool {
    object.is("", "Service") && object.spec("type").and_then(Node::text) == Some(kind)
}

fn open_service(object: &Object<'_>) -> Vec<Place> {
    let ranges = object.spec("loadBalancerSourceRanges").into_iter().flat_map(Node::items);
    let mut ranges = ranges.filter_map(Node::text).peekable();
    let is_open = ranges.peek().is_none() || ranges.any(|range| range == "0.0.0.0/0");
    let balancer = (is_service_of(object, "LoadBalancer") && is_open)
        .then(|| Place::new("spec.loadBalancerSourceRanges", "LoadBalancer without source ranges"));
    let external = object.spec("externalIPs").filter(|ips| object.is("", "Service") && ips.items().next().is_some());
    balancer.into_iter().chain(external.map(|_| Place::new("spec.externalIPs", "externalIPs set"))).collect()
}

fn node_port(object: &Object<'_>) -> Vec<Place> {
    is_service_of(object, "NodePort").then(|| Place::new("spec.type", "type == NodePort")).into_iter().collect()
}

fn plain_ingress(object: &Object<'_>) -> Vec<Place> {
    let is_ingress = object.is("networking.k8s.io", "Ingress") || object.is("extensions", "Ingress");
    let has_tls = object.spec("tls").is_some_and(|tls| tls.items().next().is_some());
    (is_ingress && !has_tls).then(|| Place::new("spec.tls", "tls missing")).into_iter().collect()
}

fn open_policy(object: &Object<'_>) -> Vec<Place> {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return Vec::new();
    }
    let rules = object.spec("ingress").into_iter().flat_map(Node::items).enumerate();
    let open = rules.filter_map(|(index, rule)| {
        let peers: Vec<&Node> = rule.get("from").into_iter().flat_map(Node::items).collect();
        let path = format!("spec.ingress[{index}]");
        if peers.is_empty() {
            return Some(Place::new(path, "from missing"));
        }
        let all = |peer: &&Node| peer.at(&["ipBlock", "cidr"]).and_then(Node::text) == Some("0.0.0.0/0");
        let peer = peers.iter().position(all)?;
        Some(Place::new(format!("{path}.from[{peer}].ipBlock.cidr"), "cidr == 0.0.0.0/0"))
    });
    open.collect()
}
