//! The two words that every stage sorts by: the type of a file and the level of a risk.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The two kinds of file that HSS scans. The JSON names are the service's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileType {
    /// A Dockerfile or Containerfile.
    Dockerfile,
    /// A YAML file with at least one Kubernetes object.
    K8sYaml,
}

impl FileType {
    /// Both types, in the order in which they are reported.
    pub const ALL: [Self; 2] = [Self::Dockerfile, Self::K8sYaml];

    /// The word used in JSON, on the wire and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dockerfile => "dockerfile",
            Self::K8sYaml => "k8s_yaml",
        }
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How bad a risk is, in the service's four steps. The order is the order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Advice.
    Tips,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High, and every level that we do not know.
    High,
}

impl Level {
    /// All levels, worst first.
    pub const WORST_FIRST: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Tips];

    /// The word used in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tips => "tips",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
