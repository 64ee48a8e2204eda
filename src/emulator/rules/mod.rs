//! The stand-in's own rules, not HSS's.

/// What the stand-in found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Risk {
    /// `SI-DF-001`.
    pub(super) rule_id: &'static str,
    /// A short sentence.
    pub(super) name: &'static str,
    /// `high`, `medium`, `low`, `tips`.
    pub(super) level: &'static str,
    /// One of the documented categories.
    pub(super) category: &'static str,
    /// What it is.
    pub(super) description: &'static str,
    /// What to do.
    pub(super) remediation: &'static str,
    /// Dockerfile only: the instruction as written.
    pub(super) build_instruction: Option<String>,
    /// Kubernetes only: every place.
    pub(super) paths: Vec<Hit>,
}

/// A place in a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// `metadata.name`.
    pub(super) resource_name: String,
    /// The kind.
    pub(super) resource_type: String,
    /// `metadata.namespace`, `default` where it has none and is namespaced.
    pub(super) namespace: String,
    /// What the rule looked at.
    pub(super) hit_rule: String,
    /// `spec.template.spec.containers[0].securityContext.privileged`.
    pub(super) hit_path: String,
}

/// Scans a Dockerfile; an error is the reason for which the file fails.
pub(super) fn scan_dockerfile(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    let _ = bytes;
    Ok(Vec::new())
}

/// Scans a manifest; an error is the reason for which the file fails.
pub(super) fn scan_k8s_yaml(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    let _ = bytes;
    Ok(Vec::new())
}
