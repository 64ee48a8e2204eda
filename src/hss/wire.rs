//! The service's words, as typed requests and answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{FileType, Level};

/// A part of an upload.
#[derive(Debug, Clone)]
pub struct UploadPart {
    /// The file name that the service will answer with: `[A-Za-z0-9._-]`, unique in the request.
    pub name: String,
    /// At most 1,000,000 bytes.
    pub bytes: Vec<u8>,
}

/// What the service says of an upload. Ids count only where `failed` is empty: the upload is all or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadAnswer {
    /// Files taken.
    pub uploaded: Vec<UploadedFile>,
    /// Files refused.
    pub failed: Vec<FailedUpload>,
}

/// A file that the service keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedFile {
    /// The name that was sent.
    pub name: String,
    /// The service's id.
    pub file_id: String,
}

/// A file that the service refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedUpload {
    /// The name that was sent.
    pub name: String,
    /// The service's reason.
    pub reason: String,
}

/// A task to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewTask {
    /// `iac_scan` of 1 to 100 uploaded files of one type.
    Iac {
        /// The type of all files.
        file_type: FileType,
        /// Their ids.
        file_ids: Vec<String>,
    },
    /// `cluster_scan`.
    Cluster {
        /// `cluster_vul`, `risk_assessment`, `benchmark`.
        scan_types: Vec<String>,
        /// Which clusters.
        range: ClusterRange,
    },
}

/// Which clusters a `cluster_scan` looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterRange {
    /// `all_cluster`.
    All,
    /// `specific_cluster`.
    Specific(Vec<String>),
}

/// A page of a listing: `offset` 0 to 2,000,000, `limit` 10 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to pass over.
    pub offset: u64,
    /// Rows at most.
    pub limit: u64,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// Rows in all, where the service says.
    pub total: Option<u64>,
    /// Rows of this page that lack what names them. They are rows all the same, and nobody knows what they say.
    pub unreadable: u64,
    /// The rows of this page.
    pub rows: Vec<T>,
}

/// What a task is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TaskType {
    /// `iac_scan`: uploaded files.
    #[default]
    Iac,
    /// `cluster_scan`: clusters of the project.
    Cluster,
}

impl TaskType {
    /// The service's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Iac => "iac_scan",
            Self::Cluster => "cluster_scan",
        }
    }
}

/// Which tasks to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Tasks of this type only.
    pub task_type: TaskType,
    /// Only this task.
    pub task_id: Option<String>,
    /// Only tasks of files of this type.
    pub file_type: Option<FileType>,
    /// Only tasks created at or after this time, in milliseconds of the service's clock.
    pub start_create_time: Option<i64>,
    /// In the order of their start, the last one first; the order is not documented otherwise.
    pub newest_first: bool,
}

/// A task as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    /// The id.
    pub task_id: String,
    /// `None` where the service sends a word that we do not know.
    pub status: Option<crate::model::TaskStatus>,
    /// The word of the service for it.
    pub status_word: Option<String>,
    /// Milliseconds.
    pub start_time: Option<i64>,
    /// Milliseconds.
    pub end_time: Option<i64>,
    /// Minutes, the service's guess.
    pub estimated_time: Option<f64>,
    /// The type of its files.
    pub file_type: Option<FileType>,
    /// Files in the task; clusters in one of clusters.
    pub files: Option<u64>,
    /// Those that were scanned.
    pub succeeded: Option<u64>,
    /// Those that could not be scanned.
    pub failed: Option<u64>,
}

/// The state of a file in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanStatus {
    /// Not done.
    Scanning,
    /// Scanned.
    Success,
    /// Not scanned.
    Failed,
}

/// A file in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRow {
    /// The id of the file.
    pub file_id: String,
    /// `None` where the service sends a word that we do not know.
    pub status: Option<ScanStatus>,
    /// Why it failed.
    pub failed_reason: Option<String>,
}

/// A cluster in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRow {
    /// The id of the cluster.
    pub cluster_id: String,
    /// Its name.
    pub name: Option<String>,
    /// `cce`, `ali`, `tencent`, `azure`, `aws`, `self_built_hw` or `self_built_idc`.
    pub cluster_type: Option<String>,
    /// The version of its Kubernetes.
    pub version: Option<String>,
    /// `None` where the service sends a word that we do not know.
    pub status: Option<ScanStatus>,
    /// How each scan of it went.
    pub scans: Vec<ClusterScanRow>,
}

/// One scan of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterScanRow {
    /// `cluster_vul`, `risk_assessment` or `benchmark`; empty where the service names none.
    pub scan_type: String,
    /// `None` where the service sends a word that we do not know.
    pub status: Option<ScanStatus>,
    /// Why it failed.
    pub failed_reason: Option<String>,
}

/// Which files to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// `manual_scan` or `cicd_scan`; `manual_scan` where `None`.
    pub cicd: bool,
    /// Only this file.
    pub file_id: Option<String>,
    /// Only files of this type.
    pub file_type: Option<FileType>,
}

/// A file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The id.
    pub file_id: String,
    /// Whether it has risks.
    pub risky: Option<bool>,
    /// How many.
    pub risk_num: Option<u64>,
    /// When it was last scanned, milliseconds; `None` where it never was.
    pub last_scan_time: Option<i64>,
}

/// A risk of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskRow {
    /// The id of this risk; empty where the service sends none.
    pub risk_id: String,
    /// The rule.
    pub rule_id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Unknown levels count as high.
    pub level: Level,
    /// Free text.
    pub category: Option<Arc<str>>,
    /// What it is.
    pub description: Option<Arc<str>>,
    /// What to do.
    pub remediation: Option<Arc<str>>,
    /// The Dockerfile instruction.
    pub build_instruction: Option<String>,
    /// At how many places, where the service says.
    pub risk_num: Option<u64>,
}

impl RiskRow {
    /// What it says of its rule.
    pub fn of_rule(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let Self { rule_id, name, category, description, remediation, .. } = self;
        [rule_id, name].into_iter().chain([category, description, remediation].into_iter().flatten())
    }

    /// At how many places it is at the least: as many as the service numbers, and never none. A number that no answer can list is cut.
    pub fn places(&self) -> usize {
        usize::try_from(self.risk_num.unwrap_or(1).clamp(1, MOST_PLACES)).unwrap_or(1)
    }
}

/// The largest offset of a listing, and so the most places that can be named.
const MOST_PLACES: u64 = 2_000_000;

/// A place in a Kubernetes object at which a rule hit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathRow {
    /// `metadata.name`.
    pub resource_name: Option<String>,
    /// The kind.
    pub resource_type: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// What the rule looked at.
    pub hit_rule: Option<String>,
    /// The path in the object; its syntax is not documented.
    pub hit_path: Option<String>,
}
