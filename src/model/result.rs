//! The JSON result: everything a run found out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Bucket, FailOn, FileRecord, FileType, Finding, FindingCounts, KnownFinding, Level, RepoPath, Skipped, State, Verdict,
};

/// The state of a scan task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Created, as far as we know.
    Created,
    /// Waiting to run.
    Ready,
    /// Running.
    Running,
    /// Ended. There is no failed state; failure is per file.
    Finished,
}

/// A scan task of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The service's id.
    pub task_id: String,
    /// The type of its files.
    pub file_type: FileType,
    /// How many files it was given.
    pub files: u64,
    /// What was last heard of it.
    pub status: TaskStatus,
}

/// Numbers that add up: `files` is the sum of the five states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Files of ours.
    pub files: u64,
    /// State `scanned`.
    pub scanned: u64,
    /// State `reused`.
    pub reused: u64,
    /// State `upload_failed`.
    pub upload_failed: u64,
    /// State `scan_failed`.
    pub scan_failed: u64,
    /// State `not_scanned`.
    pub not_scanned: u64,
    /// State `unchanged`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unchanged: u64,
    /// `list` only: state `would_send`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub would_send: u64,
    /// Paths in `skipped`.
    pub skipped: u64,
    /// Directories that an ignore or exclude rule kept the walk out of.
    pub directories_not_searched: u64,
    /// Directories that could not be listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub directories_unreadable: u64,
    /// Git indexes that could not be read although an ignore rule kept something out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub indexes_unreadable: u64,
    /// Values masked before upload.
    pub masked: u64,
    /// Findings that count, by level, and those that are suppressed.
    pub findings: FindingCounts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Counts {
    /// Counts what a result holds.
    pub fn of(files: &[FileRecord], skipped: &[Skipped], directories_not_searched: u64, findings: &[Finding]) -> Self {
        let mut counts = Self {
            files: files.len() as u64,
            skipped: skipped.len() as u64,
            directories_not_searched,
            masked: files.iter().map(|file| file.masked).sum(),
            findings: FindingCounts::of(findings),
            ..Self::default()
        };
        for file in files {
            *match file.state {
                State::Scanned => &mut counts.scanned,
                State::Reused => &mut counts.reused,
                State::UploadFailed => &mut counts.upload_failed,
                State::ScanFailed => &mut counts.scan_failed,
                State::NotScanned => &mut counts.not_scanned,
                State::Unchanged => &mut counts.unchanged,
                State::WouldSend => &mut counts.would_send,
            } += 1;
        }
        counts
    }
}

/// What made the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `hss-iac`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The run: the only part of a result where times stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Random, unique.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// The CI platform: `github`, `gitlab` or none.
    pub provider: Option<String>,
    /// The base commit of a run about a change: the merge base, or the first of several.
    pub base: Option<String>,
    /// Whose rules count in a run about a change: those of the `base` or of the `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_from: Option<String>,
    /// What was asked for, where that was not the whole repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selected: Vec<String>,
    /// Whether the values of Secrets were sent as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secrets_sent: bool,
    /// Since when tasks of this run may have been created: milliseconds of the service's clock, with a margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_since: Option<i64>,
}

/// Where the scan was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// The HSS endpoint.
    pub endpoint: String,
    /// The region id.
    pub region: Option<String>,
    /// The project id.
    pub project_id: Option<String>,
    /// The enterprise project id.
    pub enterprise_project_id: String,
    /// Whether a stand-in answered in place of HSS.
    pub stand_in: bool,
}

impl Service {
    /// With what an earlier part of the run knows of it besides: that a stand-in answered, and in which project.
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        Self {
            stand_in: self.stand_in || earlier.stand_in,
            project_id: self.project_id.or_else(|| earlier.project_id.clone()),
            ..self
        }
    }
}

/// The policy that the verdict applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// The level that fails, or `never`.
    pub fail_on: FailOn,
    /// The most findings allowed at a level.
    pub max: BTreeMap<String, u64>,
    /// Whether only changed findings decide.
    pub changed_only: bool,
    /// The baseline in use.
    pub baseline: Option<String>,
}

impl Policy {
    /// Whether a finding may fail the run.
    pub fn decides(&self, finding: &Finding) -> bool {
        finding.suppressed.is_none()
            && (self.baseline.is_none() || finding.bucket == Bucket::New)
            && (!self.changed_only || finding.changed == Some(true))
    }

    /// The numbers that the gate looks at.
    pub fn counted(&self, findings: &[Finding]) -> FindingCounts {
        FindingCounts::of(findings.iter().filter(|finding| self.decides(finding)))
    }

    /// The most findings allowed at a level.
    pub fn max_at(&self, level: Level) -> Option<u64> {
        self.max.get(level.as_str()).copied()
    }
}

/// The version of the JSON result that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything a run found out: the JSON result, from which every report is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanResult {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made it.
    pub tool: Tool,
    /// When and where.
    pub run: Run,
    /// Against which service.
    pub service: Service,
    /// By which policy.
    pub policy: Policy,
    /// What the change alters in the rules: hss-iac.toml, the baseline, ignore comments; a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_changes: Vec<String>,
    /// Whether every file of ours was scanned.
    pub complete: bool,
    /// The outcome.
    pub verdict: Verdict,
    /// The numbers.
    pub counts: Counts,
    /// Files of ours, by path.
    pub files: Vec<FileRecord>,
    /// Paths not taken, by path.
    pub skipped: Vec<Skipped>,
    /// Directories that were not looked into, by path: an ignore or exclude rule kept the walk out, or they could not be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directories_not_searched: Vec<RepoPath>,
    /// Findings, by path, worst first in a file.
    pub findings: Vec<Finding>,
    /// What stands in the baseline and is gone from files that were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<KnownFinding>,
    /// Tasks of this run, by id.
    pub tasks: Vec<Task>,
    /// What a reader should know besides: what was left out, repeated or assumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Calls made, by API.
    pub calls: BTreeMap<String, u64>,
}
