//! Answers read leniently: unknown fields are passed over, numbers may be strings, lists may be null, times seconds or milliseconds.

use serde_json::Value;

use super::wire::{
    ClusterRow, ClusterScanRow, FailedUpload, FileRow, Listing, PathRow, ResourceRow, RiskRow, ScanStatus, TaskRow,
    UploadAnswer, UploadedFile,
};
use crate::model::{FileType, Level, TaskStatus};

/// From here on a time is in milliseconds; below it, in seconds.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

fn text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value, name: &str) -> Option<u64> {
    match value.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn decimal(value: &Value, name: &str) -> Option<f64> {
    match value.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn truth(value: &Value, name: &str) -> Option<bool> {
    match value.get(name)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Some(number.as_u64()? != 0),
        _ => None,
    }
}

fn milliseconds(value: &Value, name: &str) -> Option<i64> {
    let time = i64::try_from(number(value, name)?).ok().filter(|time| *time > 0)?;
    Some(if time < FIRST_MILLISECONDS { time * 1_000 } else { time })
}

fn file_type(value: &Value) -> Option<FileType> {
    let word = text(value, "file_type")?;
    FileType::ALL.into_iter().find(|file_type| file_type.as_str() == word)
}

/// A page; `None` where the answer is no listing at all, which must not be taken for an empty one.
pub fn listing<T>(value: &Value, list: &str, row: impl Fn(&Value) -> Option<T>) -> Option<Listing<T>> {
    let total = number(value, "total_num");
    let all = match value.get(list) {
        Some(Value::Array(rows)) => rows.as_slice(),
        Some(Value::Null) | None if total.is_some() => &[],
        _ => return None,
    };
    let rows: Vec<T> = all.iter().filter_map(row).collect();
    Some(Listing { total, unreadable: (all.len() - rows.len()) as u64, rows })
}

/// The ids in IAM's list of projects, each once, sorted (`GET /v3/projects`); none where the answer is no such list.
pub fn projects(value: &Value) -> Vec<String> {
    let rows = value.get("projects").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut ids: Vec<String> = rows.iter().filter_map(|row| text(row, "id")).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What became of an upload (`success_file_info`, `fail_file_info`); `None` where the answer says neither.
pub fn upload(value: &Value) -> Option<UploadAnswer> {
    let list = |name: &str| value.get(name).and_then(Value::as_array).cloned();
    let (uploaded, failed) = (list("success_file_info"), list("fail_file_info"));
    if uploaded.is_none() && failed.is_none() {
        return None;
    }
    let uploaded = uploaded
        .unwrap_or_default()
        .iter()
        .filter_map(|row| {
            Some(UploadedFile { name: text(row, "file_name")?, file_id: text(row, "file_id").unwrap_or_default() })
        })
        .collect();
    let reason = |row: &Value| text(row, "fail_reason").unwrap_or_else(|| "refused, and HSS gives no reason".to_owned());
    let failed = failed
        .unwrap_or_default()
        .iter()
        .map(|row| FailedUpload { name: text(row, "file_name").unwrap_or_default(), reason: reason(row) })
        .collect();
    Some(UploadAnswer { uploaded, failed })
}

/// The id of a task.
pub fn task_id(value: &Value) -> Option<String> {
    text(value, "task_id")
}

/// A row of the tasks; one without an id is none.
pub fn task(value: &Value) -> Option<TaskRow> {
    let info = value.get("iac_scan_info").unwrap_or(&Value::Null);
    let (files, succeeded, failed) = if text(value, "task_type").as_deref() == Some("cluster_scan") {
        cluster_counts(value.get("cluster_scan_info").unwrap_or(&Value::Null))
    } else {
        (number(info, "scan_file_num"), number(info, "success_file_num"), number(info, "failed_file_num"))
    };
    let status_word = text(value, "task_status");
    let status = match status_word.as_deref() {
        Some("ready") => Some(TaskStatus::Ready),
        Some("running") => Some(TaskStatus::Running),
        Some("finished") => Some(TaskStatus::Finished),
        _ => None,
    };
    Some(TaskRow {
        task_id: task_id(value)?,
        status,
        status_word,
        start_time: milliseconds(value, "start_time"),
        end_time: milliseconds(value, "end_time"),
        estimated_time: decimal(value, "estimated_time"),
        file_type: file_type(info),
        files,
        succeeded,
        failed,
    })
}

/// Clusters in all, scanned, failed: the sum of the three that are sent is all.
fn cluster_counts(info: &Value) -> (Option<u64>, Option<u64>, Option<u64>) {
    let [scanning, success, failed] =
        ["scanning", "success", "failed"].map(|word| number(info, &format!("{word}_cluster_num")));
    let all = [scanning, success, failed].into_iter().try_fold(0_u64, |all, number| Some(all.saturating_add(number?)));
    (all, success, failed)
}

/// A file of a task; one without an id is none.
pub fn resource(value: &Value) -> Option<ResourceRow> {
    let status = scan_status(value, "scan_status");
    Some(ResourceRow { file_id: text(value, "file_id")?, status, failed_reason: text(value, "failed_reason") })
}

fn scan_status(value: &Value, name: &str) -> Option<ScanStatus> {
    match text(value, name).as_deref() {
        Some("scanning") => Some(ScanStatus::Scanning),
        Some("success") => Some(ScanStatus::Success),
        Some("failed") => Some(ScanStatus::Failed),
        _ => None,
    }
}

/// A cluster of a task; one without an id is none.
pub fn cluster(value: &Value) -> Option<ClusterRow> {
    // One without a type is a scan all the same, and may have failed.
    let scan = |value: &Value| ClusterScanRow {
        scan_type: text(value, "scan_type").unwrap_or_default(),
        status: scan_status(value, "status"),
        failed_reason: text(value, "failed_reason"),
    };
    let scans = value.get("scan_detail_list").and_then(Value::as_array);
    Some(ClusterRow {
        cluster_id: text(value, "cluster_id")?,
        name: text(value, "cluster_name"),
        cluster_type: text(value, "cluster_type"),
        version: text(value, "cluster_version"),
        status: scan_status(value, "scan_status"),
        scans: scans.into_iter().flatten().map(scan).collect(),
    })
}

/// A row of the files; one without an id is none.
pub fn file(value: &Value) -> Option<FileRow> {
    Some(FileRow {
        file_id: text(value, "file_id")?,
        risky: truth(value, "risky"),
        risk_num: number(value, "risk_num"),
        last_scan_time: milliseconds(value, "last_scan_time"),
    })
}

/// A risk is never dropped: one without a rule is a risk all the same.
pub fn risk(value: &Value) -> Option<RiskRow> {
    let level = match text(value, "risk_level").as_deref() {
        Some("medium") => Level::Medium,
        Some("low") => Level::Low,
        Some("tips") => Level::Tips,
        _ => Level::High,
    };
    let rule_id = text(value, "rule_id").unwrap_or_default();
    Some(RiskRow {
        risk_id: text(value, "risk_id").unwrap_or_default(),
        name: text(value, "risk_name").unwrap_or_else(|| rule_id.clone()).into(),
        rule_id: rule_id.into(),
        level,
        category: text(value, "risk_category").map(Into::into),
        description: text(value, "description").map(Into::into),
        remediation: text(value, "remediation").map(Into::into),
        build_instruction: text(value, "build_instruction"),
        risk_num: number(value, "risk_num"),
    })
}

/// A place of a risk; each of its parts may be missing.
pub fn path(value: &Value) -> Option<PathRow> {
    Some(PathRow {
        resource_name: text(value, "resource_name"),
        resource_type: text(value, "resource_type"),
        namespace: text(value, "namespace"),
        hit_rule: text(value, "hit_rule"),
        hit_path: text(value, "hit_path"),
    })
}

#[cfg(test)]
mod tests;
