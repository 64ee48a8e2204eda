//! The job against a service that gives the answers that a test says.

mod clusters;
mod collecting;
mod placing;
mod submitting;
mod uploading;
mod waiting;

use std::collections::HashMap;
use std::sync::Mutex;

use super::*;
use crate::hss::tests::{Asked, Host, client, says, wait_for};
use crate::model::{FileType, SourceFile, Task, TaskStatus};

/// What stands for an answer to an upload that keeps all that is sent.
const KEPT: &str = "kept";

/// The API that is asked.
fn api(asked: &Asked) -> &'static str {
    let path = asked.line.split('?').next().unwrap_or_default();
    let apis = [
        ("/batch-upload", "upload"),
        ("/common/task", "create"),
        ("/common/tasks/batch-query", "tasks"),
        ("/resources/batch-query", "resources"),
        ("/iac/files", "files"),
        ("/file/risks", "risks"),
        ("/risk/paths", "places"),
        ("/retry", "retry"),
    ];
    apis.into_iter().find(|(end, _)| path.ends_with(end)).map_or("unknown", |(_, api)| api)
}

/// A service that gives these answers to each API in turn, and the last of them from then on. Where nothing else is said it keeps every
/// file, and gives each the id that its name ends in.
fn service(script: impl IntoIterator<Item = (&'static str, Vec<String>)>) -> Host {
    let script: HashMap<&str, Vec<String>> = script.into_iter().collect();
    let asked_before: Mutex<HashMap<&str, usize>> = Mutex::default();
    Host::new(move |_, asked| {
        let api = api(asked);
        let mut before = asked_before.lock().unwrap();
        let nth = before.entry(api).or_default();
        let answers = script.get(api).map_or(&[][..], Vec::as_slice);
        let text = answers.get(*nth).or(answers.last()).map(String::as_str);
        *nth += 1;
        match text {
            Some(KEPT) => kept(asked),
            None if api == "upload" => kept(asked),
            Some(text) => text.to_owned(),
            None => says(400, "nothing was to be asked here"),
        }
    })
}

/// The names under which files were sent.
fn names(asked: &Asked) -> Vec<String> {
    let names = asked.body.split("filename=\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

fn kept(asked: &Asked) -> String {
    let row = |name: &String| {
        let id = name.rsplit('-').next().unwrap_or_default();
        format!("{{\"file_name\":\"{name}\",\"file_id\":\"{id}\"}}")
    };
    let rows: Vec<String> = names(asked).iter().map(row).collect();
    says(200, &format!("{{\"success_file_info\":[{}],\"fail_file_info\":[]}}", rows.join(",")))
}

/// A page with these rows, which is all there is.
fn listing<S: std::borrow::Borrow<str>>(list: &str, rows: &[S]) -> String {
    says(200, &format!("{{\"total_num\":{},\"{list}\":[{}]}}", rows.len(), rows.join(",")))
}

/// The same of the listings that call their rows data.
fn data<S: std::borrow::Borrow<str>>(rows: &[S]) -> String {
    listing("data_list", rows)
}

/// A page without any.
fn none() -> String {
    data::<&str>(&[])
}

fn created(task_id: &str) -> String {
    says(200, &format!("{{\"task_id\":\"{task_id}\"}}"))
}

/// A row of the tasks, with its counts of files: all, scanned, failed.
fn task(task_id: &str, status: &str, [all, succeeded, failed]: [u64; 3]) -> String {
    format!(
        "{{\"task_id\":\"{task_id}\",\"task_status\":\"{status}\",\"iac_scan_info\":{{\"scan_file_num\":{all},\
         \"success_file_num\":{succeeded},\"failed_file_num\":{failed}}}}}"
    )
}

/// The files of a task, each with its status.
fn resources(rows: &[(&str, &str)]) -> String {
    let row = |(id, status): &(&str, &str)| format!("{{\"file_id\":\"{id}\",\"scan_status\":\"{status}\"}}");
    let rows: Vec<String> = rows.iter().map(row).collect();
    listing("iac_scan_data_list", &rows)
}

/// A file without risks, as of now.
fn clean(file_id: &str) -> String {
    format!("{{\"file_id\":\"{file_id}\",\"risky\":false,\"risk_num\":0,\"last_scan_time\":1}}")
}

/// These paths, all Dockerfiles or all manifests.
fn ledger(file_type: FileType, paths: &[&str]) -> Ledger {
    let source = |path: &&str| SourceFile {
        path: (*path).into(),
        file_type,
        size: 1,
        sha256: None,
        secrets: Vec::new(),
        masked: 0,
        obstacle: None,
    };
    Ledger::open(paths.iter().map(source).collect())
}

/// Puts these files, under ids that are their paths, into a task.
fn put_in_task(ledger: &mut Ledger, task_id: &str, files: &[usize]) {
    for index in files {
        ledger.uploaded(*index, ledger.entries[*index].source.path.to_string());
    }
    let file_type = ledger.entries[files[0]].source.file_type;
    let task = Task { task_id: task_id.to_owned(), file_type, files: files.len() as u64, status: TaskStatus::Created };
    ledger.submitted(task, files);
}

/// What is said of a file in a task where the run ends there.
const IN_TASK: &str = "NotScanned: submitted, result not read: over";

const OPTIONS: Options = Options {
    jobs: 2,
    max_path_calls: 10,
    gate: Some(Level::High),
    no_wait: false,
    window: Duration::from_millis(20),
    grace: Duration::from_millis(20),
};

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    /// The error that ended it early.
    error: Option<String>,
    /// Path, state and reason of each file.
    files: Vec<String>,
    notes: Vec<String>,
    /// Each call, by its API.
    calls: Vec<&'static str>,
}

/// A job that has no end is a failure, and no test that hangs.
async fn in_time<T>(job: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), job).await.expect("the job ends")
}

async fn run_with(host: &Host, ledger: Ledger, options: Options) -> (Ran, Ledger) {
    let (ledger, client) = (RefCell::new(ledger), client(host));
    let read = |index: usize| {
        // No two are equal.
        Ok(Masked { bytes: ledger.borrow().entries[index].source.path.as_bytes().to_vec(), values: 0 })
    };
    let ended = in_time(Box::pin(Job::new(&client, options, &ledger, &|_| (), &read).run())).await;
    let ledger = ledger.into_inner();
    (came_to(host, ended, &ledger), ledger)
}

fn came_to(host: &Host, ended: Result<(), Error>, ledger: &Ledger) -> Ran {
    let line = |record: crate::model::FileRecord| {
        let reason = record.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        format!("{} {:?}{reason}", record.path, record.state)
    };
    Ran {
        error: ended.err().map(|error| error.message),
        files: ledger.records_if_closed("over").into_iter().map(line).collect(),
        notes: ledger.notes.clone(),
        calls: host.asked().iter().map(api).collect(),
    }
}

async fn run(host: &Host, ledger: Ledger) -> Ran {
    run_with(host, ledger, OPTIONS).await.0
}

/// A run that no error ended and that had nothing to note.
fn ran(files: &[&str], calls: &[&'static str]) -> Ran {
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    Ran { error: None, files, notes: Vec::new(), calls: calls.to_vec() }
}
