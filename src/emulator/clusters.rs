//! Tasks of type `cluster_scan`: create, list clusters, retry (HSS API reference, "Creating a Task"; official Python SDK 3.1.219).
//!
//! The clusters are names and nothing else. Each scan of one succeeds unless [`super::Options::fail_cluster_scans`] says otherwise.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Options;
use super::answer::{Answer, Refusal};
use super::query::{self, Query, one_of};
use super::store::{ClusterScan, Job, State, Task, uuid, visible};

pub(super) const SCAN_TYPES: [&str; 3] = ["cluster_vul", "risk_assessment", "benchmark"];
const CLUSTER_TYPES: [&str; 7] = ["cce", "ali", "tencent", "azure", "aws", "self_built_hw", "self_built_idc"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    scan_type_list: Vec<String>,
    range_type: String,
    cluster_id_list: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    scan_status: Option<String>,
    cluster_name: Option<String>,
    cluster_id: Option<String>,
    cluster_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    task_type: String,
    cluster_scan_info: Option<RetryInfo>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryInfo {
    range_type: String,
    cluster_info_list: Option<Vec<RetryCluster>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryCluster {
    cluster_id: String,
    scan_type_list: Option<Vec<String>>,
}

/// What a new task is about.
pub(super) fn job(options: &Options, enterprise_project: &str, scan: New) -> Result<Job, Refusal> {
    if scan.scan_type_list.is_empty() {
        return Err(Refusal::invalid("scan_type_list is mandatory"));
    }
    check_scan_types(&scan.scan_type_list)?;
    let owner = |number| if number == 3 { "stand-in-enterprise" } else { "0" };
    let ours = (1..=options.clusters).filter(|number| visible(owner(*number), enterprise_project));
    let seen: Vec<String> = ours.map(|number| format!("stand-in-cluster-{number}")).collect();
    let ids = match (one_of("range_type", &scan.range_type, &["all_cluster", "specific_cluster"])?, scan.cluster_id_list) {
        ("all_cluster", None) => seen,
        ("all_cluster", Some(_)) => return Err(Refusal::invalid("cluster_id_list belongs to specific_cluster alone")),
        (_, Some(ids)) if !ids.is_empty() => named(&ids, &seen)?,
        _ => return Err(Refusal::invalid("cluster_id_list is mandatory with specific_cluster")),
    };
    let mut scans = Vec::new();
    for cluster_id in ids {
        for scan_type in &scan.scan_type_list {
            scans.push(ClusterScan {
                cluster_id: cluster_id.clone(),
                scan_type: scan_type.clone(),
                tries: 1,
                under_way: true,
            });
        }
    }
    Ok(Job::Cluster { scan_types: scan.scan_type_list, scans })
}

fn check_scan_types(scan_types: &[String]) -> Result<(), Refusal> {
    for (index, scan_type) in scan_types.iter().enumerate() {
        one_of("scan_type_list", scan_type, &SCAN_TYPES)?;
        if scan_types[..index].contains(scan_type) {
            return Err(Refusal::invalid(format!("{scan_type} is given twice")));
        }
    }
    Ok(())
}

fn named(ids: &[String], seen: &[String]) -> Result<Vec<String>, Refusal> {
    let one = |(index, id): (usize, &String)| {
        query::id("cluster_id_list", id)?;
        if ids[..index].contains(id) {
            return Err(Refusal::invalid(format!("cluster {id} is given twice")));
        }
        let found = seen.iter().find(|seen| *seen == id).cloned();
        found.ok_or_else(|| Refusal::hss("HSS.0011", format!("resource not found: cluster {id}")))
    };
    ids.iter().enumerate().map(one).collect()
}

/// How a scan stands, and why it failed.
fn status(state: &State, task: &Task, scan: &ClusterScan) -> (&'static str, Option<&'static str>) {
    if scan.under_way && !task.finished(&state.options) {
        return ("scanning", None);
    }
    if fails(state, scan) { ("failed", Some("the cluster can't be reached")) } else { ("success", None) }
}

fn fails(state: &State, scan: &ClusterScan) -> bool {
    state.options.fail_cluster_scans.iter().any(|failing| {
        failing.cluster_id == scan.cluster_id && failing.scan_type == scan.scan_type && scan.tries <= failing.times
    })
}

/// How a cluster stands by its scans: at work while any is, failed where any did.
fn of_cluster(state: &State, task: &Task, scans: &[&ClusterScan]) -> &'static str {
    let all: Vec<&str> = scans.iter().map(|scan| status(state, task, scan).0).collect();
    ["scanning", "failed"].into_iter().find(|word| all.contains(word)).unwrap_or("success")
}

/// The scans of each cluster.
fn by_cluster(scans: &[ClusterScan]) -> Vec<(&str, Vec<&ClusterScan>)> {
    let mut all: Vec<(&str, Vec<&ClusterScan>)> = Vec::new();
    for scan in scans {
        match all.last_mut() {
            Some((id, its)) if *id == scan.cluster_id => its.push(scan),
            _ => all.push((&scan.cluster_id, vec![scan])),
        }
    }
    all
}

/// What the row of a task says of its clusters.
pub(super) fn counts(state: &State, task: &Task, scan_types: &[String], scans: &[ClusterScan]) -> Value {
    let clusters = by_cluster(scans);
    let count = |word| clusters.iter().filter(|(_, scans)| of_cluster(state, task, scans) == word).count();
    let mut info = json!({"scan_type_list": scan_types});
    if !state.options.omit_counts {
        info["scanning_cluster_num"] = json!(count("scanning"));
        info["success_cluster_num"] = json!(count("success"));
        info["failed_cluster_num"] = json!(count("failed"));
    }
    info
}

/// The clusters of a task.
pub(super) fn rows(state: &State, task: &Task, scans: &[ClusterScan], filter: &Filter) -> Result<Vec<Value>, Refusal> {
    if let Some(status) = &filter.scan_status {
        one_of("scan_status", status, &["scanning", "success", "failed"])?;
    }
    if let Some(cluster_type) = &filter.cluster_type {
        one_of("cluster_type", cluster_type, &CLUSTER_TYPES)?;
    }
    let row = |(id, scans): (&str, Vec<&ClusterScan>)| {
        let word = of_cluster(state, task, &scans);
        let detail = |scan: &&ClusterScan| match status(state, task, scan) {
            (status, Some(reason)) => json!({"scan_type": scan.scan_type, "status": status, "failed_reason": reason}),
            (status, None) => json!({"scan_type": scan.scan_type, "status": status}),
        };
        let mut row = json!({
            "cluster_id": id,
            "cluster_name": format!("name-{}", &uuid(0, id)[..8]),
            "cluster_type": "cce",
            "cluster_version": "v1.31",
            "scan_status": word,
            "start_time": task.started,
            "scan_detail_list": scans.iter().map(detail).collect::<Vec<_>>(),
        });
        if word != "scanning" {
            row["end_time"] = json!(task.ended(&state.options));
        }
        let has = |name: &str, part: &Option<String>| {
            part.as_ref().is_none_or(|part| row[name].as_str().is_some_and(|text| text.contains(part.as_str())))
        };
        let is = |name: &str, value: &Option<String>| value.as_ref().is_none_or(|value| row[name] == *value);
        let wanted = is("scan_status", &filter.scan_status)
            && is("cluster_id", &filter.cluster_id)
            && is("cluster_type", &filter.cluster_type)
            && has("cluster_name", &filter.cluster_name);
        wanted.then_some(row)
    };
    Ok(by_cluster(scans).into_iter().filter_map(row).collect())
}

/// Scans again what failed. That a task has to be over, and something of it to have failed, is inferred.
pub(super) fn retry(state: &mut State, query: &Query, task_id: &str, body: &[u8]) -> Result<Answer, Refusal> {
    query.only(&[])?;
    query::id("task_id", task_id)?;
    let enterprise_project = query.enterprise_project()?;
    let retry: Retry = query::json(body)?;
    one_of("task_type", &retry.task_type, &["cluster_scan"])?;
    let info = retry.cluster_scan_info.ok_or_else(|| Refusal::invalid("cluster_scan_info is mandatory"))?;
    let range = one_of("range_type", &info.range_type, &["all_failed_cluster", "specific_cluster"])?;
    let wanted = match (range, info.cluster_info_list) {
        ("all_failed_cluster", None) => None,
        ("all_failed_cluster", Some(_)) => {
            return Err(Refusal::invalid("cluster_info_list belongs to specific_cluster alone"));
        }
        (_, Some(list)) if (1..=200).contains(&list.len()) => Some(list),
        _ => return Err(Refusal::invalid("cluster_info_list must have 1 to 200 clusters")),
    };
    for cluster in wanted.iter().flatten() {
        query::id("cluster_id", &cluster.cluster_id)?;
        if let Some(scan_types) = &cluster.scan_type_list {
            check_scan_types(scan_types)?;
            if scan_types.is_empty() {
                return Err(Refusal::invalid("scan_type_list must have 1 to 3 types"));
            }
        }
    }
    let index = state
        .tasks
        .iter()
        .position(|task| task.id == task_id && visible(&task.enterprise_project, enterprise_project))
        .ok_or_else(|| Refusal::hss("HSS.0011", format!("resource not found: task {task_id}")))?;
    begin(state, index, wanted.as_deref())
}

fn begin(state: &mut State, index: usize, wanted: Option<&[RetryCluster]>) -> Result<Answer, Refusal> {
    let task = &state.tasks[index];
    let Job::Cluster { scans, .. } = &task.job else {
        return Err(Refusal::invalid(format!("task {} is a {}", task.id, task.task_type())));
    };
    if !task.finished(&state.options) {
        return Err(Refusal::invalid("the task has not finished"));
    }
    let is_wanted = |scan: &ClusterScan| {
        wanted.is_none_or(|list| {
            let of = list.iter().find(|cluster| cluster.cluster_id == scan.cluster_id);
            of.is_some_and(|of| of.scan_type_list.as_ref().is_none_or(|types| types.contains(&scan.scan_type)))
        })
    };
    let again: Vec<bool> = scans.iter().map(|scan| fails(state, scan) && is_wanted(scan)).collect();
    let count = again.iter().filter(|again| **again).count();
    if count == 0 {
        return Err(Refusal::invalid("no such scan of the task has failed"));
    }
    let options = state.options.clone();
    let task = &mut state.tasks[index];
    if let Job::Cluster { scans, .. } = &mut task.job {
        for (scan, again) in scans.iter_mut().zip(again) {
            scan.under_way = again;
            scan.tries += u32::from(again);
        }
    }
    task.begin_again(&options);
    Ok(Answer::done(&json!({}), format!("{count} scans again")))
}
