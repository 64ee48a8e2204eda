//! What was found: a risk at a place.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, RepoPath};

/// The Kubernetes object in which a path risk was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// `Deployment`, `Role`, …
    pub kind: Option<String>,
    /// The namespace, where it has one.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
}

/// How exact a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The very place.
    Exact,
    /// What encloses it.
    Parent,
    /// The object.
    Resource,
    /// Only the file is known.
    File,
}

/// A span of text. Lines and columns start at 1; columns count characters; the end is included in lines, excluded in columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column.
    pub column: u32,
    /// The column after the last.
    pub end_column: u32,
    /// How exact this is.
    pub precision: Precision,
}

/// How a finding stands to the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Not in the baseline, or there is none.
    New,
    /// In the baseline.
    Known,
}

/// Who said that a finding does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBy {
    /// An entry of `hss-iac.toml`.
    Config,
    /// A comment in the file itself.
    Inline,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// Where it was said.
    pub by: SuppressedBy,
    /// The reason that was given.
    pub reason: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last day on which it holds, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A finding as a baseline remembers it: by what it is about, not by its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct KnownFinding {
    /// The file.
    #[serde(flatten)]
    pub path: RepoPath,
    /// The service's rule.
    pub rule_id: String,
    /// The Kubernetes object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// The instruction or the path inside the object, blanks folded, each run of `*` as `***`; `None` where the service named no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For how many places it stands.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub places: u64,
}

impl KnownFinding {
    /// What a baseline remembers of a finding.
    pub fn of(finding: &Finding) -> Self {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let resource = finding.resource.as_ref().map(|resource| Resource {
            kind: said(&resource.kind),
            namespace: said(&resource.namespace),
            name: said(&resource.name),
        });
        Self {
            path: finding.path.clone(),
            rule_id: finding.rule_id.to_string(),
            resource: resource.filter(|resource| *resource != Resource::default()),
            text: said(&finding.instruction).or_else(|| said(&finding.hit_path)).map(|text| normal(&text)),
            places: finding.places,
        }
    }

    /// The same with its text as [`KnownFinding::of`] writes it.
    #[must_use]
    pub fn normal(self) -> Self {
        Self { text: self.text.map(|text| normal(&text)), ..self }
    }

    /// Whether it says nothing of where in the file it is.
    pub fn is_placeless(&self) -> bool {
        self.resource.is_none() && self.text.is_none()
    }
}

/// Folds blanks, and stars as well: their number would tell the length of a masked credential, and a new one would be a new finding.
fn normal(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut normal = String::with_capacity(folded.len());
    let mut rest = folded.as_str();
    while let Some((before, stars)) = rest.split_once('*') {
        normal.extend([before, "***"]);
        rest = stars.trim_start_matches('*');
    }
    normal + rest
}

/// A risk at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The service's rule.
    pub rule_id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// How bad it is.
    pub level: Level,
    /// The service's category, free text.
    pub category: Option<Arc<str>>,
    /// The file.
    #[serde(flatten)]
    pub path: RepoPath,
    /// The place in the file.
    pub location: Option<Location>,
    /// The Kubernetes object.
    pub resource: Option<Resource>,
    /// The Dockerfile instruction.
    pub instruction: Option<String>,
    /// What the rule looked at.
    pub hit_rule: Option<String>,
    /// The path inside the object.
    pub hit_path: Option<String>,
    /// The source lines of the location, credentials masked; long ones and the last of many are cut.
    pub snippet: Vec<String>,
    /// GitHub's `primaryLocationLineHash` of the location's first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_hash: Option<String>,
    /// For how many places it stands: 1, or more where the service numbers places of the risk that it did not name, or was not asked
    /// to. Every count and limit counts places.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub places: u64,
    /// What the risk is.
    pub description: Option<Arc<str>>,
    /// What to do.
    pub remediation: Option<Arc<str>>,
    /// Stable while unrelated lines move; unique in a result.
    pub fingerprint: String,
    /// How it stands to the baseline.
    pub bucket: Bucket,
    /// Whether it touches what changed; `None` without a base.
    pub changed: Option<bool>,
    /// Why it does not count.
    pub suppressed: Option<Suppression>,
}

impl Finding {
    /// What it says of its rule.
    pub fn of_rule(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let Self { rule_id, name, category, description, remediation, .. } = self;
        [rule_id, name].into_iter().chain([category, description, remediation].into_iter().flatten())
    }
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_one(n: &u64) -> bool {
    *n == 1
}

/// Findings by level, each as often as it has places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingCounts {
    /// Level `high`.
    pub high: u64,
    /// Level `medium`.
    pub medium: u64,
    /// Level `low`.
    pub low: u64,
    /// Level `tips`.
    pub tips: u64,
    /// Findings that do not count.
    pub suppressed: u64,
    /// Of those that are not suppressed, how many stand in the baseline.
    #[serde(default, skip_serializing_if = "super::result::is_zero")]
    pub known: u64,
}

impl FindingCounts {
    /// Counts findings; a suppressed one only as such.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            *match (&finding.suppressed, finding.level) {
                (Some(_), _) => &mut counts.suppressed,
                (None, Level::High) => &mut counts.high,
                (None, Level::Medium) => &mut counts.medium,
                (None, Level::Low) => &mut counts.low,
                (None, Level::Tips) => &mut counts.tips,
            } += finding.places;
            if finding.suppressed.is_none() && finding.bucket == Bucket::Known {
                counts.known += finding.places;
            }
        }
        counts
    }

    /// The number at one level.
    pub fn at(&self, level: Level) -> u64 {
        match level {
            Level::High => self.high,
            Level::Medium => self.medium,
            Level::Low => self.low,
            Level::Tips => self.tips,
        }
    }
}
