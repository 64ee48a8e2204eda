//! The domain words, shared by every stage: what a file is, what state it ended in, what was found, and the verdict.
//!
//! Nothing here knows HTTP, the terminal or the disk. The types that carry `Serialize` are the JSON result, a contract:
//! fields are only ever added.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use serde::{Deserialize, Serialize};

/// The two kinds of file that HSS scans. The JSON names are the service's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// A path relative to the root of the repository: raw bytes, separated by `/`, never starting with `./`.
///
/// Ordered by bytes, so that results never depend on locale or thread order. Displayed as UTF-8 with every other
/// byte as `\xNN`; control characters are *not* escaped here, the writer of each format does that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "RepoPathFields", try_from = "RepoPathFields")]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes the bytes of a relative path with `/` between its parts.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What follows the last `/`.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default()
    }

    /// The path in the form that the operating system takes, still relative to the root.
    pub fn to_os(&self) -> PathBuf {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            PathBuf::from(std::ffi::OsStr::from_bytes(&self.0))
        }
        #[cfg(not(unix))]
        {
            PathBuf::from(String::from_utf8_lossy(&self.0).into_owned())
        }
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// The JSON form of a path, flattened into the object that it belongs to.
#[derive(Serialize, Deserialize)]
struct RepoPathFields {
    path: String,
    /// The exact bytes in base64, where they are not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_raw: Option<String>,
}

impl From<RepoPath> for RepoPathFields {
    fn from(path: RepoPath) -> Self {
        let raw = std::str::from_utf8(&path.0).is_err();
        Self { path: path.to_string(), path_raw: raw.then(|| base64::engine::general_purpose::STANDARD.encode(&path.0)) }
    }
}

impl TryFrom<RepoPathFields> for RepoPath {
    type Error = base64::DecodeError;

    fn try_from(fields: RepoPathFields) -> Result<Self, Self::Error> {
        Ok(match fields.path_raw {
            Some(raw) => Self(base64::engine::general_purpose::STANDARD.decode(raw)?),
            None => Self(fields.path.into_bytes()),
        })
    }
}

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
    /// Why it can't be sent although it is ours: too large, unreadable, special, a link out of the tree.
    pub obstacle: Option<String>,
}

/// Why a path that looked like ours is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// A link to a place in the tree, which is walked on its own.
    Link,
    /// A link in the tree to nothing.
    BrokenLink,
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
        }
    }
}

/// A path that looked like ours and is not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// Where it stands.
    #[serde(flatten)]
    pub path: RepoPath,
    /// Why it is not taken.
    pub reason: SkipReason,
}

/// The state in which a file of ours ended. Every file has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// `list` only: a scan would send it.
    WouldSend,
}

/// A file of ours in a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The Kubernetes object in which a path risk was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resource {
    /// `Deployment`, `Role`, …
    pub kind: Option<String>,
    /// The namespace, where it has one.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
}

/// How exact a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Not in the baseline, or there is none.
    New,
    /// In the baseline.
    Known,
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The reason that was given.
    pub reason: String,
}

/// A risk at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The service's rule.
    pub rule_id: String,
    /// Its name.
    pub name: String,
    /// How bad it is.
    pub level: Level,
    /// The service's category, free text.
    pub category: Option<String>,
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
    /// The source lines.
    pub snippet: Vec<String>,
    /// What the risk is.
    pub description: Option<String>,
    /// What to do.
    pub remediation: Option<String>,
    /// Stable while unrelated lines move; unique in a result.
    pub fingerprint: String,
    /// How it stands to the baseline.
    pub bucket: Bucket,
    /// Whether it touches what changed; `None` without a base.
    pub changed: Option<bool>,
    /// Why it does not count.
    pub suppressed: Option<Suppression>,
}

/// The state of a scan task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `list` only: state `would_send`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub would_send: u64,
    /// Paths in `skipped`.
    pub skipped: u64,
    /// Directories that an ignore or exclude rule kept the walk out of.
    pub directories_not_searched: u64,
    /// Values masked before upload.
    pub masked: u64,
    /// Findings that count, by level, and those that are suppressed.
    pub findings: FindingCounts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Findings by level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
            } += 1;
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
                State::WouldSend => &mut counts.would_send,
            } += 1;
        }
        counts
    }
}

/// How a run ends, as the process says it. Documented in `DESIGN`-order of precedence by [`Exit::PRECEDENCE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Pass, or submitted.
    Pass = 0,
    /// A finding at or above the gate.
    Findings = 1,
    /// Usage or configuration error.
    Usage = 2,
    /// Nothing to scan, and that was to fail.
    Empty = 3,
    /// Credentials missing or refused, or no permission.
    Login = 4,
    /// Service unreachable, failing, or not published there.
    Service = 5,
    /// Timed out waiting.
    Timeout = 6,
    /// Some file of ours was not scanned.
    Partial = 7,
    /// A report could not be written.
    Report = 8,
    /// A bug of ours.
    Bug = 70,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Where several hold, the first of these is the exit code.
    pub const PRECEDENCE: [Self; 12] = [
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
        Self::Usage,
        Self::Findings,
        Self::Login,
        Self::Service,
        Self::Timeout,
        Self::Partial,
        Self::Report,
        Self::Empty,
        Self::Pass,
    ];

    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// The word for how a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All that is ours was scanned, and nothing reached the gate.
    Pass,
    /// A finding reached the gate.
    Fail,
    /// Some file of ours was not scanned, and nothing reached the gate.
    Partial,
    /// The run could not do its job.
    Error,
    /// Submitted and not waited for.
    Pending,
}

/// The outcome, with everything that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The word.
    pub status: Status,
    /// The process's exit code.
    pub exit_code: u8,
    /// Everything that held, most decisive first.
    pub reasons: Vec<String>,
}

/// What made the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `hss-iac`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The run: the only part of a result where times stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Random, unique.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// The CI platform: `github`, `gitlab` or none.
    pub provider: Option<String>,
    /// The base commit of a diff run.
    pub base: Option<String>,
}

/// Where the scan was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// The policy that the verdict applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// The level at which a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// `high` only.
    High,
    /// `medium` and above.
    Medium,
    /// `low` and above.
    Low,
    /// Any finding.
    Tips,
    /// No finding fails the run.
    Never,
}

impl FailOn {
    /// The lowest level that fails; `None` for `never`.
    pub fn level(self) -> Option<Level> {
        match self {
            Self::High => Some(Level::High),
            Self::Medium => Some(Level::Medium),
            Self::Low => Some(Level::Low),
            Self::Tips => Some(Level::Tips),
            Self::Never => None,
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.level().map_or("never", Level::as_str))
    }
}

/// The version of the JSON result that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything a run found out: the JSON result, from which every report is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Findings, by path, worst first in a file.
    pub findings: Vec<Finding>,
    /// Tasks of this run, by id.
    pub tasks: Vec<Task>,
    /// What a reader should know besides: what was left out, repeated or assumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Calls made, by API.
    pub calls: BTreeMap<String, u64>,
}
