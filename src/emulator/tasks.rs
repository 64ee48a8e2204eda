//! Tasks: create, list, list resources, statistics (HSS API reference; official Python SDK 3.1.219).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::clusters;
use super::query::{self, Query, one_of};
use super::store::{Job, State, Task, visible};

const TASK_TYPES: [&str; 2] = ["iac_scan", "cluster_scan"];
const FILE_TYPES: [&str; 2] = ["dockerfile", "k8s_yaml"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    task_type: String,
    iac_scan_info: Option<NewIacScan>,
    cluster_scan_info: Option<clusters::New>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIacScan {
    file_type: String,
    file_id_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskFilter {
    task_type: String,
    task_id: Option<String>,
    task_name: Option<String>,
    start_create_time: Option<i64>,
    end_create_time: Option<i64>,
    trigger_type: Option<String>,
    task_status: Option<String>,
    sort_key: Option<String>,
    sort_dir: Option<String>,
    iac_scan_info: Option<TaskFileType>,
    cluster_scan_info: Option<TaskScanTypes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskScanTypes {
    scan_type_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskFileType {
    file_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceFilter {
    task_type: String,
    iac_scan_info: Option<IacResourceFilter>,
    cluster_scan_info: Option<clusters::Filter>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct IacResourceFilter {
    scan_status: Option<String>,
    file_name: Option<String>,
    chart_name: Option<String>,
}

pub(super) fn create(state: &mut State, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    query.only(&[])?;
    let enterprise_project = query.enterprise_project()?;
    let task: NewTask = query::json(body)?;
    let job = match (one_of("task_type", &task.task_type, &TASK_TYPES)?, task.iac_scan_info, task.cluster_scan_info) {
        ("iac_scan", Some(scan), None) => iac_job(state, enterprise_project, scan)?,
        ("iac_scan", _, _) => return Err(Refusal::invalid("iac_scan_info, and nothing else, belongs to an iac_scan")),
        (_, None, Some(scan)) => clusters::job(&state.options, enterprise_project, scan)?,
        _ => return Err(Refusal::invalid("cluster_scan_info, and nothing else, belongs to a cluster_scan")),
    };
    let detail = match &job {
        Job::Iac { file_type, file_ids } => format!("{file_type}: {} files", file_ids.len()),
        Job::Cluster { scans, .. } => format!("{} scans of clusters", scans.len()),
    };
    let task_id = state.create_task(enterprise_project, job);
    Ok(Answer::done(&json!({"task_id": task_id}), detail))
}

fn iac_job(state: &State, enterprise_project: &str, scan: NewIacScan) -> Result<Job, Refusal> {
    one_of("file_type", &scan.file_type, &FILE_TYPES)?;
    if !(1..=100).contains(&scan.file_id_list.len()) {
        return Err(Refusal::invalid("file_id_list must have 1 to 100 ids"));
    }
    for (index, file_id) in scan.file_id_list.iter().enumerate() {
        query::id("file_id_list", file_id)?;
        if scan.file_id_list[..index].contains(file_id) {
            return Err(Refusal::invalid(format!("file {file_id} is given twice")));
        }
        let file = state
            .file(file_id, enterprise_project)
            .ok_or_else(|| Refusal::hss("HSS.0011", format!("resource not found: file {file_id}")))?;
        if file.stored.file_type != scan.file_type {
            return Err(Refusal::invalid(format!("file {file_id} is a {}", file.stored.file_type)));
        }
    }
    Ok(Job::Iac { file_type: scan.file_type, file_ids: scan.file_id_list })
}

pub(super) fn list(state: &mut State, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    query.only(&["offset", "limit"])?;
    let page = query.page()?;
    let enterprise_project = query.enterprise_project()?;
    let filter: TaskFilter = query::json(body)?;
    check_task_filter(&filter)?;
    let mut shown = Vec::new();
    for index in 0..state.tasks.len() {
        if !visible(&state.tasks[index].enterprise_project, enterprise_project) || !fits(state, &state.tasks[index], &filter)
        {
            continue;
        }
        let task = &mut state.tasks[index];
        if task.hidden > 0 {
            task.hidden -= 1;
        } else {
            shown.push(index);
        }
    }
    match filter.sort_dir.as_deref() {
        // Tasks are kept in the order of their start.
        Some("asc") => {}
        Some(_) => shown.reverse(),
        None => state.arrange(&mut shown, |index| state.tasks[*index].id.clone()),
    }
    let total = shown.len();
    let shown = page.cut(shown);
    let rows: Vec<Value> = shown.iter().map(|index| task_row(state, &state.tasks[*index])).collect();
    for index in shown {
        state.tasks[index].stale = state.tasks[index].stale.and_then(|(ended, left)| Some((ended, left.checked_sub(1)?)));
    }
    let detail = format!("{} of {total}", rows.len());
    Ok(Answer::done(&json!({"total_num": total, "data_list": rows}), detail))
}

fn check_task_filter(filter: &TaskFilter) -> Result<(), Refusal> {
    one_of("task_type", &filter.task_type, &TASK_TYPES)?;
    let optional = [
        ("trigger_type", &filter.trigger_type, &["manual", "schedule"][..]),
        ("task_status", &filter.task_status, &["ready", "running", "finished"]),
        ("sort_key", &filter.sort_key, &["start_time"]),
        ("sort_dir", &filter.sort_dir, &["asc", "desc"]),
    ];
    for (name, value, values) in optional {
        value.as_deref().map(|value| one_of(name, value, values)).transpose()?;
    }
    if let Some(task_id) = &filter.task_id {
        query::id("task_id", task_id)?;
    }
    if let Some(file_type) = filter.iac_scan_info.as_ref().and_then(|info| info.file_type.as_deref()) {
        one_of("file_type", file_type, &FILE_TYPES)?;
    }
    for scan_type in filter.cluster_scan_info.iter().flat_map(|info| info.scan_type_list.iter().flatten()) {
        one_of("scan_type_list", scan_type, &clusters::SCAN_TYPES)?;
    }
    let foreign = match filter.task_type.as_str() {
        "iac_scan" => filter.cluster_scan_info.is_some(),
        _ => filter.iac_scan_info.is_some(),
    };
    if foreign {
        return Err(Refusal::invalid("the filter belongs to the other type of task"));
    }
    Ok(())
}

fn fits(state: &State, task: &Task, filter: &TaskFilter) -> bool {
    let wanted_type = filter.iac_scan_info.as_ref().and_then(|info| info.file_type.as_ref());
    let scan_types = filter.cluster_scan_info.as_ref().and_then(|info| info.scan_type_list.as_deref()).unwrap_or_default();
    let scans_all = |job: &Job| match job {
        Job::Cluster { scan_types: of_task, .. } => scan_types.iter().all(|wanted| of_task.contains(wanted)),
        Job::Iac { .. } => true,
    };
    filter.task_type == task.task_type()
        && scans_all(&task.job)
        && filter.task_id.as_ref().is_none_or(|id| *id == task.id)
        && filter.task_name.as_ref().is_none_or(|name| task_name(task).contains(name))
        && filter.start_create_time.is_none_or(|start| task.started >= start)
        && filter.end_create_time.is_none_or(|end| task.started <= end)
        && filter.trigger_type.as_deref().is_none_or(|trigger| trigger == "manual")
        && filter.task_status.as_deref().is_none_or(|status| status == task.status(&state.options))
        && wanted_type.is_none_or(|wanted| matches!(&task.job, Job::Iac { file_type, .. } if file_type == wanted))
}

fn task_name(task: &Task) -> String {
    format!("{}_{}", task.task_type(), task.started)
}

fn task_row(state: &State, task: &Task) -> Value {
    let finished = task.finished(&state.options);
    let mut row = json!({
        "task_id": task.id,
        "task_type": task.task_type(),
        "task_name": task_name(task),
        "trigger_type": "manual",
        "task_status": task.status(&state.options),
        "start_time": task.started,
        "estimated_time": i32::from(!finished),
    });
    if finished {
        row["end_time"] = json!(task.ended(&state.options));
    }
    if let Some((ended, 1..)) = task.stale {
        row["task_status"] = json!("finished");
        row["estimated_time"] = json!(0);
        row["end_time"] = json!(ended);
    }
    match &task.job {
        Job::Iac { file_type, file_ids } => {
            let mut info = Map::from_iter([("file_type".to_owned(), json!(file_type))]);
            if !state.options.omit_counts {
                let count = |status| file_ids.iter().filter(|id| scan_status(state, finished, id).0 == status).count();
                info.insert("scan_file_num".to_owned(), json!(file_ids.len()));
                info.insert("success_file_num".to_owned(), json!(count("success")));
                info.insert("failed_file_num".to_owned(), json!(count("failed")));
            }
            row["iac_scan_info"] = Value::Object(info);
        }
        Job::Cluster { scan_types, scans } => {
            row["cluster_scan_info"] = clusters::counts(state, task, scan_types, scans);
            state.options.spoil_task.into_iter().for_each(|spoil| spoil(&mut row));
        }
    }
    row
}

/// How the scan of a file in a task went, and why it failed.
fn scan_status(state: &State, finished: bool, file_id: &str) -> (&'static str, Option<String>) {
    if !finished {
        return ("scanning", None);
    }
    match state.files.get(file_id).and_then(|file| file.result.as_ref()) {
        Some(Ok(_)) => ("success", None),
        Some(Err(reason)) => ("failed", Some(reason.clone())),
        None => ("scanning", None),
    }
}

pub(super) fn resources(state: &State, query: &Query, task_id: &str, body: &[u8]) -> Result<Answer, Refusal> {
    query.only(&["offset", "limit"])?;
    let page = query.page()?;
    let enterprise_project = query.enterprise_project()?;
    let filter: ResourceFilter = query::json(body)?;
    one_of("task_type", &filter.task_type, &TASK_TYPES)?;
    let task = state
        .tasks
        .iter()
        .find(|task| task.id == task_id && visible(&task.enterprise_project, enterprise_project))
        .ok_or_else(|| Refusal::hss("HSS.0011", format!("resource not found: task {task_id}")))?;
    if task.task_type() != filter.task_type {
        return Err(Refusal::invalid(format!("task {task_id} is a {}", task.task_type())));
    }
    let foreign = match &task.job {
        Job::Iac { .. } => filter.cluster_scan_info.is_some(),
        Job::Cluster { .. } => filter.iac_scan_info.is_some(),
    };
    if foreign {
        return Err(Refusal::invalid("the filter belongs to the other type of task"));
    }
    let info = filter.iac_scan_info.unwrap_or_default();
    if let Some(status) = &info.scan_status {
        one_of("scan_status", status, &["scanning", "success", "failed"])?;
    }
    let (list, mut rows) = match &task.job {
        Job::Iac { file_ids, .. } => ("iac_scan_data_list", iac_rows(state, task, file_ids, &info)),
        Job::Cluster { scans, .. } => {
            let filter = filter.cluster_scan_info.unwrap_or_default();
            ("cluster_scan_data_list", clusters::rows(state, task, scans, &filter)?)
        }
    };
    state.arrange(&mut rows, |row| format!("{}{}", row["file_id"], row["cluster_id"]));
    if let (Job::Cluster { .. }, Some(spoil)) = (&task.job, state.options.spoil_clusters) {
        spoil(&mut rows);
    }
    let total = rows.len();
    let rows = page.cut(rows);
    let detail = format!("{} of {total}", rows.len());
    Ok(Answer::done(&json!({"total_num": total, list: rows}), detail))
}

fn iac_rows(state: &State, task: &Task, file_ids: &[String], filter: &IacResourceFilter) -> Vec<Value> {
    let finished = task.finished(&state.options);
    let files = file_ids.iter().filter_map(|id| state.files.get(id));
    files
        .filter_map(|file| {
            let (status, reason) = scan_status(state, finished, &file.stored.file_id);
            // No chart can be uploaded, so none is ever found.
            let wanted = filter.scan_status.as_ref().is_none_or(|wanted| wanted == status)
                && filter.file_name.as_ref().is_none_or(|part| file.stored.name.contains(part))
                && filter.chart_name.is_none();
            wanted.then(|| {
                let mut row = json!({
                    "file_id": file.stored.file_id,
                    "file_name": file.stored.name,
                    "file_type": file.stored.file_type,
                    "file_size": file.stored.bytes.len(),
                    "scan_status": status,
                    "start_time": task.started,
                });
                if let Some(reason) = reason {
                    row["failed_reason"] = json!(reason);
                }
                if finished {
                    row["end_time"] = json!(task.ended(&state.options));
                }
                row
            })
        })
        .collect()
}

pub(super) fn statistics(state: &State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&["task_type"])?;
    let enterprise_project = query.enterprise_project()?;
    let task_type = one_of("task_type", query.need("task_type")?, &TASK_TYPES)?;
    let tasks: Vec<&Task> = state
        .tasks
        .iter()
        .filter(|task| task.task_type() == task_type && visible(&task.enterprise_project, enterprise_project))
        .collect();
    let running = tasks.iter().filter(|task| task.status(&state.options) == "running").count();
    let last = tasks.last().map_or(0, |task| task.started);
    let body = json!({"total_num": tasks.len(), "running_num": running, "last_task_start_time": last});
    Ok(Answer::done(&body, ""))
}
