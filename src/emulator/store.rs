//! What the stand-in remembers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;

use super::Options;
use super::auth::Locks;
use super::issue::Issued;
use super::rules::{self, Risk};

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// A call as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The API, as in [`super::ScriptedFault::api`]; `unknown` for any other path.
    pub api: String,
    /// The status of the answer; `None` where the connection was closed without one.
    pub status: Option<u16>,
    /// Whether the call was carried out: for an upload, that its files are kept.
    pub effect: bool,
    /// What was done, refused or injected, in a line.
    pub detail: String,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub file_id: String,
    /// The name that it was sent under.
    pub name: String,
    /// `dockerfile` or `k8s_yaml`.
    pub file_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// How its scan went: true where it succeeded, `None` until a task that holds it has been seen finished.
    pub scanned: Option<bool>,
}

/// A file and what is known of it.
#[derive(Debug)]
pub(super) struct File {
    pub(super) stored: StoredFile,
    pub(super) enterprise_project: String,
    pub(super) uploaded: i64,
    /// When it was first and last scanned, in milliseconds; `None` until then.
    pub(super) scanned: Option<(i64, i64)>,
    /// What the rules say; `None` until a task with the file has finished.
    pub(super) result: Option<Result<Vec<Risk>, String>>,
    /// Risk listings that will still be empty.
    pub(super) late: u32,
}

/// A task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) enterprise_project: String,
    pub(super) job: Job,
    /// Milliseconds since 1970.
    pub(super) started: i64,
    clock: Instant,
    /// Listings from which it will still be missing.
    pub(super) hidden: u32,
    /// When the round before the last ended, and the listings that will still show it.
    pub(super) stale: Option<(i64, u32)>,
    settled: bool,
    /// Finished before the stand-in started.
    old: bool,
}

/// What a task is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    Iac { file_type: String, file_ids: Vec<String> },
    Cluster { scan_types: Vec<String>, scans: Vec<ClusterScan> },
}

/// A scan of a cluster in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClusterScan {
    pub(super) cluster_id: String,
    pub(super) scan_type: String,
    /// Which try this is, from 1.
    pub(super) tries: u32,
    /// Whether it belongs to the round that is, or was, the last.
    pub(super) under_way: bool,
}

/// All of it.
pub(super) struct State {
    pub(super) options: Options,
    /// By id, in the order of upload.
    pub(super) files: IndexMap<String, File>,
    pub(super) tasks: Vec<Task>,
    pub(super) journal: Vec<Call>,
    pub(super) refusals: Vec<String>,
    pub(super) locks: Locks,
    pub(super) issued: Issued,
    /// Calls so far, by API and what is told apart of it.
    pub(super) calls: BTreeMap<(&'static str, String), u32>,
    /// The open window of each API: its begin and the calls in it.
    pub(super) windows: BTreeMap<&'static str, (Instant, u32)>,
    ids: u64,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        let mut state = Self {
            options,
            files: IndexMap::new(),
            tasks: Vec::new(),
            journal: Vec::new(),
            refusals: Vec::new(),
            locks: Locks::default(),
            issued: Issued::default(),
            calls: BTreeMap::new(),
            windows: BTreeMap::new(),
            ids: 0,
        };
        for n in 0..state.options.old_tasks {
            state.add_old_task(n);
        }
        state
    }

    fn add_old_task(&mut self, n: u32) {
        let (file_type, name) = if n.is_multiple_of(2) { ("dockerfile", "Dockerfile") } else { ("k8s_yaml", "old.yaml") };
        let yesterday = now_ms().saturating_sub(DAY_MS);
        let file_id = self.next_id("file");
        self.create_task("0", Job::Iac { file_type: file_type.to_owned(), file_ids: vec![file_id.clone()] });
        if let Some(task) = self.tasks.last_mut() {
            task.started = yesterday;
            task.hidden = 0;
            task.old = true;
            task.settled = true;
        }
        let (name, file_type) = (format!("{n}-{name}"), file_type.to_owned());
        let stored = StoredFile { file_id, name, file_type, bytes: Vec::new(), scanned: Some(true) };
        self.keep(File {
            stored,
            enterprise_project: "0".to_owned(),
            uploaded: yesterday,
            scanned: Some((yesterday, yesterday)),
            result: Some(Ok(Vec::new())),
            late: 0,
        });
    }

    /// The next id: decided by the seed and a counter, of the form of a UUID.
    pub(super) fn next_id(&mut self, kind: &str) -> String {
        self.ids += 1;
        uuid(self.options.seed, &format!("{kind} {}", self.ids))
    }

    /// The file, if the enterprise project may see it.
    pub(super) fn file(&self, file_id: &str, enterprise_project: &str) -> Option<&File> {
        self.files.get(file_id).filter(|file| visible(&file.enterprise_project, enterprise_project))
    }

    pub(super) fn keep(&mut self, file: File) {
        self.files.insert(file.stored.file_id.clone(), file);
    }

    pub(super) fn create_task(&mut self, enterprise_project: &str, job: Job) -> String {
        let task_id = self.next_id("task");
        self.tasks.push(Task {
            id: task_id.clone(),
            enterprise_project: enterprise_project.to_owned(),
            job,
            started: now_ms(),
            clock: Instant::now(),
            hidden: self.options.hide_tasks,
            stale: None,
            settled: false,
            old: false,
        });
        task_id
    }

    /// Scans the files of the tasks that have finished meanwhile, each file once.
    pub(super) fn settle(&mut self) {
        for task in self.tasks.iter_mut().filter(|task| !task.settled && task.finished(&self.options)) {
            task.settled = true;
            let ended = task.ended(&self.options);
            let Job::Iac { file_ids, .. } = &task.job else { continue };
            for file_id in file_ids {
                let Some(file) = self.files.get_mut(file_id) else { continue };
                let first = file.scanned.map_or(ended, |(first, _)| first);
                file.scanned = Some((first, ended));
                if file.result.is_none() {
                    let result = scan(&file.stored, &self.options.fail_scan_names);
                    file.late = if matches!(&result, Ok(risks) if !risks.is_empty()) { self.options.late_risks } else { 0 };
                    file.stored.scanned = Some(result.is_ok());
                    file.result = Some(result);
                }
            }
        }
    }

    /// Puts rows, given in the order of the request, in the order of the answer.
    pub(super) fn arrange<T>(&self, rows: &mut [T], key: impl Fn(&T) -> String) {
        if self.options.shuffle {
            rows.sort_by_cached_key(|row| hash(self.options.seed, &key(row)));
        } else {
            rows.reverse();
        }
    }
}

impl Task {
    /// Id, file type, ids of its files.
    pub(super) fn summary(&self) -> (String, String, Vec<String>) {
        match &self.job {
            Job::Iac { file_type, file_ids } => (self.id.clone(), file_type.clone(), file_ids.clone()),
            Job::Cluster { .. } => (self.id.clone(), String::new(), Vec::new()),
        }
    }

    /// `iac_scan` or `cluster_scan`.
    pub(super) fn task_type(&self) -> &'static str {
        match self.job {
            Job::Iac { .. } => "iac_scan",
            Job::Cluster { .. } => "cluster_scan",
        }
    }

    /// `ready`, `running` or `finished`.
    pub(super) fn status(&self, options: &Options) -> &'static str {
        if self.finished(options) {
            "finished"
        } else if self.clock.elapsed() < options.scan_time / 5 {
            "ready"
        } else {
            "running"
        }
    }

    /// Whether it is done.
    pub(super) fn finished(&self, options: &Options) -> bool {
        self.old || (!options.never_finish && self.clock.elapsed() >= options.scan_time)
    }

    /// When it ended, or will.
    pub(super) fn ended(&self, options: &Options) -> i64 {
        self.started.saturating_add(millis(options.scan_time))
    }

    /// Begins another round. Until then it has finished.
    pub(super) fn begin_again(&mut self, options: &Options) {
        self.stale = Some((self.ended(options), options.stale_retries));
        self.clock = Instant::now();
        self.started = now_ms();
    }
}

fn scan(file: &StoredFile, failing: &[String]) -> Result<Vec<Risk>, String> {
    if holds_one(&file.name, failing) {
        return Err("the file could not be parsed".to_owned());
    }
    match file.file_type.as_str() {
        "dockerfile" => rules::scan_dockerfile(&file.bytes),
        _ => rules::scan_k8s_yaml(&file.bytes),
    }
}

/// Whether what belongs to one enterprise project is seen by a request for another.
pub(super) fn visible(owner: &str, asked: &str) -> bool {
    asked == "all_granted_eps" || asked == owner
}

/// Whether the name holds one of the parts.
pub(super) fn holds_one(name: &str, parts: &[String]) -> bool {
    parts.iter().any(|part| name.contains(part.as_str()))
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// FNV-1a with a final mix: the same on every machine and in every build, unlike the standard hasher.
pub(super) fn hash(seed: u64, text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut hash = text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// Something that looks like a UUID.
pub(super) fn uuid(seed: u64, text: &str) -> String {
    let (high, low) = (hash(seed, text), hash(!seed, text));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
