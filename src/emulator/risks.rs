//! Files, their risks, and where a rule hit (HSS API reference, `ListIacFiles`, `ListIacFileRisks`,
//! `ListIacFileRiskPaths`; official Python SDK 3.1.219).

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::query::{self, Page, Query};
use super::rules::{Hit, Risk};
use super::store::{File, State, uuid, visible};

pub(super) fn files(state: &State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&["offset", "limit", "scan_type", "file_id", "file_name", "file_type", "risky", "cicd_id", "cicd_name"])?;
    let page = query.mandatory_page()?;
    let enterprise_project = query.enterprise_project()?;
    query.need("scan_type")?;
    let scan_type = query.one_of("scan_type", &["manual_scan", "cicd_scan"])?;
    let file_type = query.one_of("file_type", &["dockerfile", "k8s_yaml"])?;
    let risky = query.one_of("risky", &["true", "false"])?.map(|risky| risky == "true");
    let file_id = query.get("file_id").map(|id| query::id("file_id", id)).transpose()?;
    // What is uploaded belongs to no pipeline of HSS.
    let none = scan_type == Some("cicd_scan") || query.get("cicd_id").is_some() || query.get("cicd_name").is_some();
    let wanted = |file: &&File| {
        !none
            && visible(&file.enterprise_project, enterprise_project)
            && file_id.is_none_or(|id| id == file.stored.file_id)
            && query.get("file_name").is_none_or(|part| file.stored.name.contains(part))
            && file_type.is_none_or(|file_type| file_type == file.stored.file_type)
            && risky.is_none_or(|risky| risky != found(file).is_empty())
    };
    let mut files: Vec<&File> = state.files.values().filter(wanted).collect();
    state.arrange(&mut files, |file| json!(file.stored.file_id).to_string());
    let total = files.len();
    let mut rows: Vec<Value> = page.cut(files).into_iter().map(file_row).collect();
    if state.options.stale_files {
        for row in &mut rows {
            (row["risky"], row["risk_num"], row["last_scan_time"]) = (json!(false), json!(0), json!(1_000_000_000_000_i64));
        }
    }
    let detail = format!("{} of {total}", rows.len());
    Ok(Answer::done(&json!({"total_num": total, "data_list": rows}), detail))
}

fn file_row(file: &File) -> Value {
    let mut row = json!({
        "file_id": file.stored.file_id,
        "file_name": file.stored.name,
        "file_type": file.stored.file_type,
        "risky": !found(file).is_empty(),
        "risk_num": found(file).len(),
        "upload_file_time": file.uploaded,
        "scan_type": "manual_scan",
    });
    if let Some((first, last)) = file.scanned {
        row["first_scan_time"] = json!(first);
        row["last_scan_time"] = json!(last);
    }
    row
}

pub(super) fn risks(state: &mut State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&["offset", "limit", "file_id", "risk_name", "risk_level", "risk_category"])?;
    let page = query.mandatory_page()?;
    let level = query.one_of("risk_level", &["high", "medium", "low", "tips"])?;
    let categories = ["control_plane", "access_control", "network", "workload", "secrets", "node_escape"];
    let category = query.one_of("risk_category", &categories)?;
    let file_id = wanted_file(state, query)?.stored.file_id.clone();
    if let Some(file) = state.files.get_mut(&file_id).filter(|file| file.late > 0) {
        file.late -= 1;
        return Ok(listing(page, Vec::new()));
    }
    let file = wanted_file(state, query)?;
    let wanted = |risk: &Risk| {
        level.is_none_or(|level| level == risk.level)
            && category.is_none_or(|category| category == risk.category)
            && query.get("risk_name").is_none_or(|part| risk.name.contains(part))
    };
    let listed = if state.options.split_risks { split(found(file)) } else { found(file).to_vec() };
    let rows = listed.iter().enumerate().filter(|(_, risk)| wanted(risk));
    let mut rows: Vec<Value> = rows.map(|(index, risk)| risk_row(file, index, risk)).collect();
    state.arrange(&mut rows, |row| row["risk_id"].to_string());
    let total = rows.len() + usize::from(state.options.overcount_risks);
    Ok(listing_of(page, rows, total))
}

/// One risk a path.
fn split(risks: &[Risk]) -> Vec<Risk> {
    let one = |risk: &Risk, hit: &Hit| Risk { paths: vec![hit.clone()], ..risk.clone() };
    let several = |risk: &Risk| risk.paths.iter().map(|hit| one(risk, hit)).collect();
    risks.iter().flat_map(|risk| if risk.paths.is_empty() { vec![risk.clone()] } else { several(risk) }).collect()
}

fn risk_row(file: &File, index: usize, risk: &Risk) -> Value {
    let mut row = json!({
        "risk_id": uuid(0, &format!("risk {} {index}", file.stored.file_id)),
        "rule_id": risk.rule_id,
        "risk_name": risk.name,
        "risk_level": risk.level,
        "risk_category": risk.category,
        "risk_num": risk.paths.len().max(1),
        "last_scan_time": file.scanned.map_or(0, |(_, last)| last),
        "description": risk.description,
        "remediation": risk.remediation,
    });
    if let Some(instruction) = &risk.build_instruction {
        row["build_instruction"] = json!(instruction);
    }
    row
}

pub(super) fn paths(state: &State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&["offset", "limit", "file_id", "rule_id", "resource_name", "resource_type", "namespace"])?;
    let page = query.mandatory_page()?;
    let rule_id = query.need("rule_id")?;
    let file = wanted_file(state, query)?;
    let equal = |name: &str, value: &str| query.get(name).is_none_or(|wanted| wanted == value);
    let mut rows: Vec<Value> = found(file)
        .iter()
        .filter(|risk| risk.rule_id == rule_id)
        .flat_map(|risk| &risk.paths)
        .filter(|hit| {
            equal("resource_name", &hit.resource_name)
                && equal("resource_type", &hit.resource_type)
                && equal("namespace", &hit.namespace)
        })
        .map(|hit| {
            json!({
                "resource_name": hit.resource_name,
                "resource_type": hit.resource_type,
                "namespace": hit.namespace,
                "hit_rule": hit.hit_rule,
                "hit_path": hit.hit_path,
            })
        })
        .collect();
    state.arrange(&mut rows, ToString::to_string);
    Ok(listing(page, rows))
}

fn wanted_file<'a>(state: &'a State, query: &Query) -> Result<&'a File, Refusal> {
    let file_id = query::id("file_id", query.need("file_id")?)?;
    state
        .file(file_id, query.enterprise_project()?)
        .ok_or_else(|| Refusal::hss("HSS.0011", format!("resource not found: file {file_id}")))
}

fn found(file: &File) -> &[Risk] {
    match &file.result {
        Some(Ok(risks)) => risks,
        _ => &[],
    }
}

fn listing(page: Page, rows: Vec<Value>) -> Answer {
    let total = rows.len();
    listing_of(page, rows, total)
}

fn listing_of(page: Page, rows: Vec<Value>, total: usize) -> Answer {
    let rows = page.cut(rows);
    let detail = format!("{} of {total}", rows.len());
    Answer::done(&json!({"total_num": total, "data_list": rows}), detail)
}

#[cfg(test)]
mod tests;
