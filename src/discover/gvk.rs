//! Which `apiVersion` and `kind` an API server could store.

/// What a pair says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gvk {
    /// An object.
    Object,
    /// Shaped like one, read by a tool.
    ToolConfig,
    /// Neither.
    Other,
}

/// Groups without a dot that are built in; a custom resource's group must have one.
const BUILT_IN: [&str; 5] = ["apps", "batch", "autoscaling", "policy", "extensions"];

/// Well-formed groups that no API server stores.
const TOOLS: [&str; 27] = [
    "kustomize.config.k8s.io",
    "kustomize.k8s.io",
    "config.kubernetes.io",
    "kpt.dev",
    "fn.kpt.dev",
    "kind.x-k8s.io",
    "kind.sigs.k8s.io",
    "kubeadm.k8s.io",
    "minikube.k8s.io",
    "k3d.io",
    "ctlptl.dev",
    "eksctl.io",
    "kubelet.config.k8s.io",
    "kubeproxy.config.k8s.io",
    "kubescheduler.config.k8s.io",
    "kubecontrollermanager.config.k8s.io",
    "apiserver.config.k8s.io",
    "apiserver.k8s.io",
    "audit.k8s.io",
    "client.authentication.k8s.io",
    "credentialprovider.kubelet.k8s.io",
    "controller-runtime.sigs.k8s.io",
    "scorecard.operatorframework.io",
    "backstage.io",
    "kuttl.dev",
    "chainsaw.kyverno.io",
    "cli.kyverno.io",
];

/// Judges a pair. `kubeconfig` says whether the document has `clusters`, `users` or `contexts`.
pub(super) fn judge(api_version: &str, kind: &str, kubeconfig: bool) -> Gvk {
    if !is_label(kind) {
        return Gvk::Other;
    }
    match api_version.split_once('/') {
        None if !is_core_version(api_version) => Gvk::Other,
        None if kind == "Kustomization" || kind == "Component" || (kind == "Config" && kubeconfig) => Gvk::ToolConfig,
        None => Gvk::Object,
        Some((_, version)) if !is_label(version) => Gvk::Other,
        Some((group, _)) if TOOLS.contains(&group) => Gvk::ToolConfig,
        Some((group, _)) if BUILT_IN.contains(&group) || (group.contains('.') && group.split('.').all(is_label)) => {
            Gvk::Object
        }
        Some(_) => Gvk::Other,
    }
}

/// `v1`, `v2beta3`.
fn is_core_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let stage = digits.strip_prefix("alpha").or_else(|| digits.strip_prefix("beta"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.len() < rest.len() && (digits.is_empty() || stage.is_some_and(is_number))
}

/// A DNS label, in any case.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs() {
        use Gvk::{Object, Other, ToolConfig};
        let cases = [
            ("v1", "Pod", Object),
            ("v2beta1", "X", Object),
            ("apps/v1", "Deployment", Object),
            ("kubevirt.io/v1", "domain", Object),
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", Object),
            ("1", "Pod", Other),
            ("v", "Pod", Other),
            ("v1gamma1", "Pod", Other),
            ("release-notes/v2", "bug-fix", Other),
            ("skaffold/v2beta1", "Config", Other),
            ("a.b/v1", "a b", Other),
            ("a.b/v1/x", "A", Other),
            ("kind.x-k8s.io/v1alpha4", "Cluster", ToolConfig),
            ("v1", "Kustomization", ToolConfig),
        ];
        for (api_version, kind, expected) in cases {
            assert_eq!(judge(api_version, kind, false), expected, "{api_version} {kind}");
        }
        assert_eq!(judge("v1", "Config", true), ToolConfig);
        assert_eq!(judge("v1", "Config", false), Object);
    }
}
