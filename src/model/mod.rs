//! The domain words, shared by every stage: what a file is, what state it ended in, what was found, and the verdict.
//!
//! Nothing here knows HTTP, the terminal or the disk. The types that carry `Serialize` are the JSON result, a contract:
//! fields are only ever added.

mod cluster;
mod file;
mod finding;
mod path;
mod result;
mod texts;
mod verdict;
mod words;

pub use cluster::{
    CLUSTER_SCAN, Cluster, ClusterCheck, ClusterCounts, ClusterNext, ClusterRequest, ClusterResult, ClusterRun,
    ClusterState, ClusterTask, RangeType,
};
pub use file::{FileRecord, Next, SkipReason, Skipped, SourceFile, State};
pub use finding::{Bucket, Finding, FindingCounts, KnownFinding, Location, Precision, Resource, SuppressedBy, Suppression};
pub use path::RepoPath;
pub use result::{Counts, Policy, Run, SCHEMA_VERSION, ScanResult, Service, Task, TaskStatus, Tool};
pub use texts::Texts;
pub use verdict::{Exit, FailOn, Status, Verdict};
pub use words::{FileType, Level};
