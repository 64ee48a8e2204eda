//! The stand-in's own rules, not HSS's.
//!
//! They are a small set that a practitioner would recognise, so that a run against the stand-in shows real findings. A rule is
//! data and a function; nothing here reads a file, and nothing of the rest of the crate is used.

mod credential;
mod dockerfile;
mod image;
mod kubernetes;

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
#[expect(clippy::struct_field_names, reason = "the names of the service's answer")]
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

/// A rule: its texts, and the function that finds what breaks it.
struct Rule<Check> {
    id: &'static str,
    name: &'static str,
    level: &'static str,
    category: &'static str,
    description: &'static str,
    remediation: &'static str,
    check: Check,
}

impl<Check> Rule<Check> {
    fn risk(&self, build_instruction: Option<String>, paths: Vec<Hit>) -> Risk {
        Risk {
            rule_id: self.id,
            name: self.name,
            level: self.level,
            category: self.category,
            description: self.description,
            remediation: self.remediation,
            build_instruction,
            paths,
        }
    }
}

/// Scans a Dockerfile; an error is the reason for which the file fails. Risks come by rule, then in file order.
pub(super) fn scan_dockerfile(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    dockerfile::scan(bytes)
}

/// Scans a manifest; an error is the reason for which the file fails. Risks come by rule, their hits in document order.
pub(super) fn scan_k8s_yaml(bytes: &[u8]) -> Result<Vec<Risk>, String> {
    kubernetes::scan(bytes)
}
