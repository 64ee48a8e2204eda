//! The JSON result of a `cluster-scan`, a contract like that of a scan: fields are only ever added.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::is_zero;
use super::{Service, TaskStatus, Tool, Verdict};

/// The word by which the result of a `cluster-scan` is told from that of a scan.
pub const CLUSTER_SCAN: &str = "cluster_scan";

/// Everything a `cluster-scan` found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterResult {
    /// [`super::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// [`CLUSTER_SCAN`].
    pub kind: String,
    /// What made it.
    pub tool: Tool,
    /// When and where.
    pub run: ClusterRun,
    /// Against which service.
    pub service: Service,
    /// What was asked for.
    pub request: ClusterRequest,
    /// Whether every scan of every cluster succeeded.
    pub complete: bool,
    /// The outcome.
    pub verdict: Verdict,
    /// The numbers.
    pub counts: ClusterCounts,
    /// The clusters, by id.
    pub clusters: Vec<Cluster>,
    /// The task, once it is created.
    pub task: Option<ClusterTask>,
    /// What is left to do; none where all is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ClusterNext>,
    /// What a reader should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Calls made, by API.
    pub calls: BTreeMap<String, u64>,
}

/// The run: the only part of the result where times stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterRun {
    /// Random, unique.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// The CI platform: `github`, `gitlab` or none.
    pub provider: Option<String>,
    /// When the task had ended before the failed clusters were scanned again, where they were or are to be: milliseconds of the
    /// service's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_after: Option<i64>,
}

/// What was asked for, in the service's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterRequest {
    /// `cluster_vul`, `risk_assessment`, `benchmark`.
    pub scan_types: Vec<String>,
    /// Which clusters.
    pub range_type: RangeType,
    /// The clusters, where they were named.
    pub cluster_ids: Vec<String>,
    /// Whether what failed is scanned again, once.
    pub retry_failed: bool,
}

/// Which clusters a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeType {
    /// Every one that can be scanned.
    AllCluster,
    /// Those that are named.
    SpecificCluster,
}

/// The task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterTask {
    /// The service's id.
    pub task_id: String,
    /// What was last heard of it.
    pub status: TaskStatus,
    /// Whether the service was asked to scan again what failed. It is asked once.
    pub retried: bool,
    /// Clusters that failed, as the service counts them or as a listing with a fault shows them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub counted_failed: u64,
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterNext {
    /// To create the task: surely none was.
    Create,
    /// To find out whether the task was created: the service was asked, and its answer is not known.
    FindOut,
    /// To wait for the task.
    Wait,
    /// To ask the service to scan again what failed.
    Retry,
}

/// How a cluster, or one scan of it, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterState {
    /// Scanned.
    Success,
    /// Not scanned, and it will not be.
    Failed,
    /// Not scanned, as far as the run saw it.
    Unfinished,
}

impl ClusterState {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// A cluster: it succeeded where every scan of it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    /// The service's id.
    pub cluster_id: String,
    /// Its name.
    pub name: Option<String>,
    /// `cce`, `ali`, `tencent`, `azure`, `aws`, `self_built_hw` or `self_built_idc`.
    pub cluster_type: Option<String>,
    /// The version of its Kubernetes.
    pub version: Option<String>,
    /// How it stands.
    pub state: ClusterState,
    /// Why, where no scan of it says so.
    pub reason: Option<String>,
    /// Its scans, one of each type that was asked for.
    pub scans: Vec<ClusterCheck>,
}

/// One scan of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterCheck {
    /// `cluster_vul`, `risk_assessment` or `benchmark`.
    pub scan_type: String,
    /// How it stands.
    pub state: ClusterState,
    /// Why it did not succeed.
    pub reason: Option<String>,
}

/// Numbers that add up: `clusters` is the sum of the three states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterCounts {
    /// Clusters that were named or that the task lists.
    pub clusters: u64,
    /// State `success`.
    pub success: u64,
    /// State `failed`.
    pub failed: u64,
    /// State `unfinished`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unfinished: u64,
}

impl ClusterCounts {
    /// Counts the clusters.
    pub fn of<'a>(clusters: impl IntoIterator<Item = &'a Cluster>) -> Self {
        let mut counts = Self::default();
        for cluster in clusters {
            counts.clusters += 1;
            match cluster.state {
                ClusterState::Success => counts.success += 1,
                ClusterState::Failed => counts.failed += 1,
                ClusterState::Unfinished => counts.unfinished += 1,
            }
        }
        counts
    }
}
