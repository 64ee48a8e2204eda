//! What the service answers, read leniently: no public record of a real answer of these calls exists, so a number may
//! come as a string, a time in seconds, a list as null. What can't be read at all is an error, never an empty list.
//!
//! Field names: HSS API reference (`ListIacFiles`, `ListIacFileRisks`, `ListIacFileRiskPaths`, `CreateTask`) and the
//! official Python SDK 3.1.219; batch-upload: official Python SDK 3.1.160.

use serde_json::Value;

use super::{
    FailedUpload, FileRow, Listing, PathRow, ResourceRow, RiskRow, ScanStatus, TaskRow, UploadAnswer, UploadedFile,
};
use crate::model::{FileType, Level, TaskStatus};

/// What is wrong with an answer, for people.
pub(in crate::hss) type Unreadable = String;

/// From this number on a time is in milliseconds.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads the answer of batch-upload.
pub(in crate::hss) fn upload_answer(json: &Value) -> Result<UploadAnswer, Unreadable> {
    let (uploaded, failed) = (list(json, &["success_file_info"])?, list(json, &["fail_file_info"])?);
    if uploaded.is_none() && failed.is_none() {
        return Err("neither success_file_info nor fail_file_info".into());
    }
    let name = |row: &Value| field(row, "file_name").ok_or("a file without file_name");
    let uploaded = uploaded.unwrap_or_default().iter().map(|row| {
        let file_id = field(row, "file_id").ok_or("a file without file_id")?;
        Ok(UploadedFile { name: name(row)?, file_id })
    });
    let failed = failed.unwrap_or_default().iter().map(|row| {
        let reason = field(row, "fail_reason").unwrap_or_else(|| "no reason given".into());
        Ok(FailedUpload { name: name(row)?, reason })
    });
    let (uploaded, failed): (Result<_, &str>, Result<_, &str>) = (uploaded.collect(), failed.collect());
    Ok(UploadAnswer { uploaded: uploaded?, failed: failed? })
}

/// Reads the id in the answer of `CreateTask`.
pub(in crate::hss) fn create_answer(json: &Value) -> Result<String, Unreadable> {
    field(json, "task_id").ok_or_else(|| "no task_id".into())
}

/// Reads the ids and names of the answer of IAM's `KeystoneListProjects`.
pub(in crate::hss) fn projects(json: &Value) -> Result<Vec<(String, String)>, Unreadable> {
    let rows = list(json, &["projects"])?.ok_or("no projects")?;
    let id = |row: &Value| field(row, "id").ok_or_else(|| "a project without id".to_owned());
    rows.iter().map(|row| Ok((id(row)?, field(row, "name").unwrap_or_default()))).collect()
}

/// Reads a page: the first of the documented list `fields` that is there, and the total.
fn listing<T>(json: &Value, fields: &[&str], row: impl Fn(&Value) -> T) -> Result<Listing<T>, Unreadable> {
    let total = json.get("total_num").and_then(number);
    let rows = list(json, fields)?;
    if rows.is_none() && total.is_none() {
        return Err(format!("neither {} nor total_num", fields.join(", ")));
    }
    Ok(Listing { total, rows: rows.unwrap_or_default().iter().map(row).collect() })
}

/// Reads the answer of `ListTasks`.
pub(in crate::hss) fn tasks(json: &Value) -> Result<Listing<TaskRow>, Unreadable> {
    listing(json, &["data_list"], |row| {
        let info = row.get("iac_scan_info").unwrap_or(&Value::Null);
        TaskRow {
            task_id: field(row, "task_id").unwrap_or_default(),
            status: word(row, "task_status").and_then(|word| match word.as_str() {
                "ready" => Some(TaskStatus::Ready),
                "running" => Some(TaskStatus::Running),
                "finished" => Some(TaskStatus::Finished),
                _ => None,
            }),
            start_time: time(row, "start_time"),
            end_time: time(row, "end_time"),
            estimated_time: row.get("estimated_time").and_then(text).and_then(|text| text.trim().parse().ok()),
            file_type: file_type(info),
            files: info.get("scan_file_num").and_then(number),
            succeeded: info.get("success_file_num").and_then(number),
            failed: info.get("failed_file_num").and_then(number),
        }
    })
}

/// Reads the answer of `ListTaskResources`.
pub(in crate::hss) fn resources(json: &Value) -> Result<Listing<ResourceRow>, Unreadable> {
    listing(json, &["iac_scan_data_list", "data_list"], |row| ResourceRow {
        file_id: field(row, "file_id").unwrap_or_default(),
        status: word(row, "scan_status").and_then(|word| match word.as_str() {
            "scanning" => Some(ScanStatus::Scanning),
            "success" => Some(ScanStatus::Success),
            "failed" => Some(ScanStatus::Failed),
            _ => None,
        }),
        failed_reason: field(row, "failed_reason"),
    })
}

/// Reads the answer of `ListIacFiles`.
pub(in crate::hss) fn files(json: &Value) -> Result<Listing<FileRow>, Unreadable> {
    listing(json, &["data_list"], |row| FileRow {
        file_id: field(row, "file_id").unwrap_or_default(),
        risky: word(row, "risky").and_then(|word| match word.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }),
        risk_num: row.get("risk_num").and_then(number),
        last_scan_time: time(row, "last_scan_time"),
    })
}

/// Reads the answer of `ListIacFileRisks`.
pub(in crate::hss) fn risks(json: &Value) -> Result<Listing<RiskRow>, Unreadable> {
    listing(json, &["data_list"], |row| RiskRow {
        risk_id: field(row, "risk_id").unwrap_or_default(),
        rule_id: field(row, "rule_id").unwrap_or_default(),
        name: field(row, "risk_name").unwrap_or_default(),
        level: level(word(row, "risk_level").as_deref()),
        category: field(row, "risk_category"),
        description: field(row, "description"),
        remediation: field(row, "remediation"),
        build_instruction: field(row, "build_instruction"),
    })
}

/// Reads the answer of `ListIacFileRiskPaths`.
pub(in crate::hss) fn paths(json: &Value) -> Result<Listing<PathRow>, Unreadable> {
    listing(json, &["data_list"], |row| PathRow {
        resource_name: field(row, "resource_name"),
        resource_type: field(row, "resource_type"),
        namespace: field(row, "namespace"),
        hit_rule: field(row, "hit_rule"),
        hit_path: field(row, "hit_path"),
    })
}

/// A level that we do not know, or none, is high: the gate must not open for want of a word.
fn level(word: Option<&str>) -> Level {
    match word {
        Some("medium") => Level::Medium,
        Some("low") => Level::Low,
        Some("tips") => Level::Tips,
        _ => Level::High,
    }
}

fn file_type(row: &Value) -> Option<FileType> {
    let word = word(row, "file_type")?;
    FileType::ALL.into_iter().find(|file_type| file_type.as_str() == word)
}

/// The first of `fields` that is there. Null is an empty list; anything but a list of objects can't be read.
fn list<'a>(json: &'a Value, fields: &[&str]) -> Result<Option<&'a [Value]>, Unreadable> {
    let Some((name, value)) = fields.iter().find_map(|name| Some((name, json.get(name)?))) else { return Ok(None) };
    match value {
        Value::Null => Ok(Some(&[])),
        Value::Array(rows) if rows.iter().all(Value::is_object) => Ok(Some(rows)),
        _ => Err(format!("{name} is not a list of objects")),
    }
}

/// A scalar as text; nothing where it is null, blank or no scalar.
pub(in crate::hss) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn field(row: &Value, name: &str) -> Option<String> {
    row.get(name).and_then(text)
}

fn word(row: &Value, name: &str) -> Option<String> {
    field(row, name).map(|word| word.trim().to_ascii_lowercase())
}

fn whole(value: &Value) -> Option<i64> {
    let text = text(value)?;
    let text = text.trim();
    // `3.0` is how some JSON writers say 3.
    let text = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0')).map_or(text, |(whole, _)| whole);
    text.parse().ok()
}

fn number(value: &Value) -> Option<u64> {
    whole(value).and_then(|number| number.try_into().ok())
}

/// A time in milliseconds; zero is how the service may say "never".
fn time(row: &Value, name: &str) -> Option<i64> {
    let time = row.get(name).and_then(whole).filter(|time| *time > 0)?;
    if time >= MILLISECONDS_FROM { Some(time) } else { time.checked_mul(1000) }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
