//! Reports: each format is a function from a result to bytes, and owns its escaping.

pub mod html;
pub mod json;
pub mod list;
pub mod table;
mod text;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::{Finding, Level, RepoPath};

pub use table::{STAND_IN, View};
pub use text::printable;

/// Findings by file, in their order; the file with the worst comes first.
fn by_file<'a>(findings: &[&'a Finding]) -> Vec<(&'a RepoPath, Vec<&'a Finding>)> {
    let mut files: BTreeMap<&RepoPath, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        files.entry(&finding.path).or_default().push(finding);
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_cached_key(|(_, findings)| {
        Reverse(Level::WORST_FIRST.map(|level| findings.iter().filter(|f| f.level == level).count()))
    });
    files
}

/// The Kubernetes object of a finding: `Deployment/web in shop`.
fn object(finding: &Finding) -> Option<String> {
    let resource = finding.resource.as_ref()?;
    let object = match (&resource.kind, &resource.name) {
        (Some(kind), Some(name)) => format!("{kind}/{name}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => return None,
    };
    let namespace = resource.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    Some(object + &namespace)
}

#[cfg(test)]
#[path = "../../tests/common/samples.rs"]
#[allow(dead_code, reason = "each writer's tests take what they need")]
mod samples;
