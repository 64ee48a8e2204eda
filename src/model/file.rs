//! What the repository holds: files of ours with the state in which they ended, and what is not taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileType, RepoPath};

/// A file of ours, as discovery saw it: a Dockerfile or manifest of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it stands.
    pub path: RepoPath,
    /// What it is taken for.
    pub file_type: FileType,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes that would be sent, lower-case hex; `None` where it could not be read.
    pub sha256: Option<String>,
    /// The `kind: Secret` documents in it, as `namespace/name` or `name`, in file order.
    pub secrets: Vec<String>,
    /// How many values are masked before it is sent.
    pub masked: u64,
    /// Why it can't be sent although it is ours: too large, unreadable, special, a link out of the tree.
    pub obstacle: Option<String>,
}

/// Why a path that looked like ours is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A Dockerfile that is still to be rendered.
    DockerfileTemplate,
    /// A manifest of a Helm chart that is still to be rendered.
    HelmTemplate,
    /// Any other manifest that is still to be rendered.
    K8sTemplate,
    /// Shaped like a Kubernetes object but read by a tool, not stored by an API server (kustomization, kubeconfig, …).
    ToolConfig,
    /// Matched by `--exclude`.
    Excluded,
    /// `--include` is given and no pattern of it matches.
    NotIncluded,
    /// Matched by `.gitignore`, `.git/info/exclude` or the global excludes, and not tracked.
    Ignored,
    /// A link to what is taken under its own name, to what no path of the command line selects, or to a place in the tree that holds
    /// nothing of ours.
    Link,
    /// A link in the tree to nothing.
    BrokenLink,
    /// Named as a Dockerfile, but no text, and no builder could start with it.
    Binary,
}

impl SkipReason {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DockerfileTemplate => "dockerfile_template",
            Self::HelmTemplate => "helm_template",
            Self::K8sTemplate => "k8s_template",
            Self::ToolConfig => "tool_config",
            Self::Excluded => "excluded",
            Self::NotIncluded => "not_included",
            Self::Ignored => "ignored",
            Self::Link => "link",
            Self::BrokenLink => "broken_link",
            Self::Binary => "binary",
        }
    }
}

/// A path that looked like ours and is not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Where it stands.
    #[serde(flatten)]
    pub path: RepoPath,
    /// Why it is not taken.
    pub reason: SkipReason,
}

/// The state in which a file of ours ended. Every file has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// HSS scanned it in this run and its risks were read.
    Scanned,
    /// A cached verdict of the same bytes was used.
    Reused,
    /// HSS did not take it.
    UploadFailed,
    /// HSS took it and could not scan it, or its risks could not be read.
    ScanFailed,
    /// It was not sent, or its scan was not waited for.
    NotScanned,
    /// It is as it was at the base of the change, and was not looked at.
    Unchanged,
    /// `list` only: a scan would send it.
    WouldSend,
}

impl State {
    /// Whether all that HSS says of the file is known: what is not found in it is not there.
    pub fn has_verdict(self) -> bool {
        matches!(self, Self::Scanned | Self::Reused)
    }

    /// Whether it has a verdict, or needs none.
    pub fn is_done(self) -> bool {
        self.has_verdict() || self == Self::Unchanged
    }
}

/// What is left to do about a file where the run ended before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// To upload it; a copy may be in the project already.
    Upload,
    /// To create a task of it.
    Submit,
    /// To look for its task, which may have been created, before one is.
    FindTask,
    /// To wait for its task and to read its risks.
    Collect,
    /// To ask where its risks stand, which are known.
    Locate,
}

/// A file of ours in a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRecord {
    /// Where it stands.
    #[serde(flatten)]
    pub path: RepoPath,
    /// What it was taken for.
    pub file_type: FileType,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes that were sent, lower-case hex.
    pub sha256: Option<String>,
    /// How many values were masked before it was sent.
    pub masked: u64,
    /// The `kind: Secret` documents in it, as `namespace/name` or `name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The state in which it ended.
    pub state: State,
    /// Why, where the state is not `scanned`.
    pub reason: Option<String>,
    /// The service's id of the uploaded copy.
    pub file_id: Option<String>,
    /// The task that it was scanned in.
    pub task_id: Option<String>,
    /// When the cached verdict was made.
    pub reused_from: Option<String>,
    /// Whether it differs from the base; `None` without a base.
    pub changed: Option<bool>,
    /// What `resume` does about it; `None` where the run was done with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
}
