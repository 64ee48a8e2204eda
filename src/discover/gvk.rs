//! Which `apiVersion` and `kind` name an object that an API server stores.

/// What an `apiVersion` and a `kind` name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gvk {
    /// An object of an API server.
    Object,
    /// A file that a tool reads and no API server stores.
    ToolConfig,
    /// Nothing of Kubernetes.
    Neither(&'static str),
}

/// Groups without a dot that Kubernetes itself serves; it refuses any other.
const UNDOTTED_GROUPS: [&str; 5] = ["apps", "batch", "autoscaling", "policy", "extensions"];

/// Well-formed groups that no API server stores: their files are read by a tool.
const TOOL_GROUPS: [&str; 27] = [
    "apiserver.config.k8s.io",
    "apiserver.k8s.io",
    "audit.k8s.io",
    "backstage.io",
    "chainsaw.kyverno.io",
    "cli.kyverno.io",
    "client.authentication.k8s.io",
    "config.kubernetes.io",
    "controller-runtime.sigs.k8s.io",
    "credentialprovider.kubelet.k8s.io",
    "ctlptl.dev",
    "eksctl.io",
    "fn.kpt.dev",
    "k3d.io",
    "kind.sigs.k8s.io",
    "kind.x-k8s.io",
    "kpt.dev",
    "kubeadm.k8s.io",
    "kubecontrollermanager.config.k8s.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kustomize.config.k8s.io",
    "kustomize.k8s.io",
    "kuttl.dev",
    "minikube.k8s.io",
    "scorecard.operatorframework.io",
];

/// Kinds of the core group that only kustomize reads.
const CORE_TOOL_KINDS: [&str; 2] = ["Kustomization", "Component"];

/// Decides what `api_version` and `kind` name. `kubeconfig` says whether `clusters`, `users` or `contexts` stand beside them.
pub(super) fn decide(api_version: &str, kind: &str, kubeconfig: bool) -> Gvk {
    if !is_dns_label(kind) {
        return Gvk::Neither("`kind` is not the name of a kind");
    }
    let Some((group, version)) = api_version.split_once('/') else {
        return if !is_core_version(api_version) {
            Gvk::Neither("`apiVersion` is not a version of a Kubernetes API")
        } else if CORE_TOOL_KINDS.contains(&kind) || (kind == "Config" && kubeconfig) {
            Gvk::ToolConfig
        } else {
            Gvk::Object
        };
    };
    if !is_dns_label(version) {
        Gvk::Neither("`apiVersion` is not a version of a Kubernetes API")
    } else if TOOL_GROUPS.contains(&group) {
        Gvk::ToolConfig
    } else if UNDOTTED_GROUPS.contains(&group) || (group.contains('.') && group.split('.').all(is_dns_label)) {
        Gvk::Object
    } else {
        Gvk::Neither("the group of `apiVersion` is not one that an API server accepts")
    }
}

/// `v1`, `v2alpha1`, `v1beta2`.
fn is_core_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let stage = after.strip_prefix("alpha").or_else(|| after.strip_prefix("beta"));
    let numbered = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    after.len() < rest.len() && (after.is_empty() || stage.is_some_and(numbered))
}

fn is_dns_label(text: &str) -> bool {
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_versions_groups_and_kinds() {
        for (api_version, kind, kubeconfig, expected) in [
            ("v1", "Pod", false, "object"),
            ("v1beta1", "Pod", false, "object"),
            ("v2alpha1", "Pod", false, "object"),
            ("v1gamma1", "Pod", false, "neither"),
            ("v1beta", "Pod", false, "neither"),
            ("v", "Pod", false, "neither"),
            ("1", "Pod", false, "neither"),
            ("apps/v1", "Deployment", false, "object"),
            ("extensions/v1beta1", "Ingress", false, "object"),
            ("monitoring.coreos.com/v1", "PrometheusRule", false, "object"),
            ("example.com/2020-01-01", "domain", false, "object"),
            ("example.com/v1/v2", "Thing", false, "neither"),
            ("example..com/v1", "Thing", false, "neither"),
            ("release-notes/v2", "bug-fix", false, "neither"),
            ("skaffold/v4beta6", "Config", false, "neither"),
            ("kops/v1alpha2", "Cluster", false, "neither"),
            ("v1", "not a kind", false, "neither"),
            ("v1", "-Pod", false, "neither"),
            ("v1", "", false, "neither"),
            ("kustomize.config.k8s.io/v1beta1", "Kustomization", false, "tool"),
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", false, "object"),
            ("kubelet.config.k8s.io/v1beta1", "KubeletConfiguration", false, "tool"),
            ("eksctl.io/v1alpha5", "ClusterConfig", false, "tool"),
            ("v1", "Kustomization", false, "tool"),
            ("v1", "Config", true, "tool"),
            ("v1", "Config", false, "object"),
        ] {
            let found = match decide(api_version, kind, kubeconfig) {
                Gvk::Object => "object",
                Gvk::ToolConfig => "tool",
                Gvk::Neither(_) => "neither",
            };
            assert_eq!(found, expected, "{api_version} {kind}");
        }
    }
}
