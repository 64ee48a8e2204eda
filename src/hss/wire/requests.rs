//! What we send, and every documented constraint on it (HSS API reference: batch-upload, `CreateTask`, `ListTasks`,
//! `ListTaskResources`, `ListIacFiles`; official Python SDK 3.1.219 for the ranges of paging).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ClusterRange, FileFilter, NewTask, Page, ResourceFilter, ScanStatus, TaskFilter, UploadPart};
use crate::hss::Error;

/// Bytes of one file.
const LARGEST_FILE: usize = 1_000_000;

/// Bytes of a request body that may be signed.
const LARGEST_BODY: usize = 12_000_000;

/// Bytes around a file part: boundary, disposition, line ends.
const PART_OVERHEAD: usize = 256;

/// Checks the files of an upload.
pub(in crate::hss) fn check_upload(parts: &[UploadPart]) -> Result<(), Error> {
    if !(1..=10).contains(&parts.len()) {
        return Err(Error::invalid(format!("files: 1 to 10 files a request, not {}", parts.len())));
    }
    let mut names = BTreeSet::new();
    for UploadPart { name, bytes } in parts {
        let safe = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !safe || !(1..=512).contains(&name.len()) {
            return Err(Error::invalid(format!("files: the name {name:?} is not 1 to 512 of A-Z a-z 0-9 . _ -")));
        }
        if !names.insert(name) {
            return Err(Error::invalid(format!("files: the name {name} stands twice in one request")));
        }
        if bytes.len() > LARGEST_FILE {
            return Err(Error::invalid(format!("files: {name} has {} bytes, more than {LARGEST_FILE}", bytes.len())));
        }
    }
    let body: usize = parts.iter().map(|part| part.name.len() + part.bytes.len() + PART_OVERHEAD).sum();
    if body > LARGEST_BODY {
        return Err(Error::invalid(format!("files: {body} bytes in one request, more than {LARGEST_BODY}")));
    }
    Ok(())
}

/// Checks a page.
pub(in crate::hss) fn check_page(page: Page) -> Result<(), Error> {
    if !(10..=200).contains(&page.limit) {
        return Err(Error::invalid(format!("limit: 10 to 200, not {}", page.limit)));
    }
    if page.offset > 2_000_000 {
        return Err(Error::invalid(format!("offset: 0 to 2000000, not {}", page.offset)));
    }
    Ok(())
}

/// Checks a project id or enterprise project id, named `field`.
pub(in crate::hss) fn check_project(field: &str, id: &str) -> Result<(), Error> {
    check_length(field, id, 256)
}

/// Checks an id of a file, task, cluster or rule, named `field`.
pub(in crate::hss) fn check_id(field: &str, id: &str) -> Result<(), Error> {
    check_length(field, id, 64)
}

fn check_length(field: &str, id: &str, longest: usize) -> Result<(), Error> {
    // An id becomes part of a path, where a slash or dots would lead elsewhere.
    if !(1..=longest).contains(&id.chars().count()) || id.contains(['/', '\\']) || id.chars().all(|c| c == '.') {
        return Err(Error::invalid(format!("{field}: an id of 1 to {longest} characters, not {id:?}")));
    }
    Ok(())
}

/// The body of `CreateTask`.
pub(in crate::hss) fn task_body(task: &NewTask) -> Result<Value, Error> {
    match task {
        NewTask::Iac { file_type, file_ids } => {
            if !(1..=100).contains(&file_ids.len()) {
                return Err(Error::invalid(format!("file_id_list: 1 to 100 ids, not {}", file_ids.len())));
            }
            file_ids.iter().try_for_each(|id| check_id("file_id_list", id))?;
            let info = json!({"file_type": file_type.as_str(), "file_id_list": file_ids});
            Ok(json!({"task_type": "iac_scan", "iac_scan_info": info}))
        }
        NewTask::Cluster { scan_types, range } => {
            let known = ["cluster_vul", "risk_assessment", "benchmark"];
            if scan_types.is_empty() {
                return Err(Error::invalid("scan_type_list: at least one scan type"));
            }
            if let Some(odd) = scan_types.iter().find(|scan_type| !known.contains(&scan_type.as_str())) {
                return Err(Error::invalid(format!("scan_type_list: {odd:?} is none of {}", known.join(", "))));
            }
            let mut info = json!({"scan_type_list": scan_types, "range_type": "all_cluster"});
            if let ClusterRange::Specific(ids) = range {
                if ids.is_empty() {
                    return Err(Error::invalid("cluster_id_list: needed with range_type specific_cluster"));
                }
                ids.iter().try_for_each(|id| check_id("cluster_id_list", id))?;
                info["range_type"] = json!("specific_cluster");
                info["cluster_id_list"] = json!(ids);
            }
            Ok(json!({"task_type": "cluster_scan", "cluster_scan_info": info}))
        }
    }
}

/// The body of `ListTasks`.
pub(in crate::hss) fn task_list_body(filter: &TaskFilter) -> Result<Value, Error> {
    let mut body = json!({"task_type": "iac_scan"});
    if let Some(id) = &filter.task_id {
        check_id("task_id", id)?;
        body["task_id"] = json!(id);
    }
    if let Some(file_type) = filter.file_type {
        body["iac_scan_info"] = json!({"file_type": file_type.as_str()});
    }
    if let Some(time) = filter.start_create_time {
        body["start_create_time"] = json!(time);
    }
    Ok(body)
}

/// The body of `ListTaskResources`.
pub(in crate::hss) fn resource_body(filter: &ResourceFilter) -> Value {
    let mut body = json!({"task_type": "iac_scan"});
    if let Some(status) = filter.status {
        let status = match status {
            ScanStatus::Scanning => "scanning",
            ScanStatus::Success => "success",
            ScanStatus::Failed => "failed",
        };
        body["iac_scan_info"] = json!({"scan_status": status});
    }
    body
}

/// The query of `ListIacFiles`, without the page. The scan type is always sent: the service demands it.
pub(in crate::hss) fn file_query(filter: &FileFilter) -> Result<Vec<(&'static str, String)>, Error> {
    let mut query = vec![("scan_type", if filter.cicd { "cicd_scan" } else { "manual_scan" }.to_owned())];
    if let Some(id) = &filter.file_id {
        check_id("file_id", id)?;
        query.push(("file_id", id.clone()));
    }
    if let Some(file_type) = filter.file_type {
        query.push(("file_type", file_type.to_string()));
    }
    if let Some(risky) = filter.risky {
        query.push(("risky", risky.to_string()));
    }
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileType;

    fn part(name: &str, size: usize) -> UploadPart {
        UploadPart { name: name.into(), bytes: vec![b'x'; size] }
    }

    fn parts(count: usize, size: usize) -> Vec<UploadPart> {
        (0..count).map(|n| part(&format!("f{n}"), size)).collect()
    }

    fn refusal(result: Result<impl std::fmt::Debug, Error>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.kind, crate::hss::Kind::Invalid);
        error.message
    }

    #[test]
    fn uploads_keep_within_the_documented_limits() {
        assert_eq!(check_upload(&parts(10, 1_000_000)), Ok(()));
        assert_eq!(refusal(check_upload(&[])), "files: 1 to 10 files a request, not 0");
        assert_eq!(refusal(check_upload(&parts(11, 1))), "files: 1 to 10 files a request, not 11");
        assert_eq!(refusal(check_upload(&[part("a", 1_000_001)])), "files: a has 1000001 bytes, more than 1000000");
        assert_eq!(refusal(check_upload(&[part("a", 1), part("a", 2)])), "files: the name a stands twice in one request");
        for name in ["", "a/b", "a\"b", "a\nb", &"n".repeat(513)] {
            assert!(refusal(check_upload(&[part(name, 1)])).starts_with("files: the name"));
        }
    }

    #[test]
    fn pages_and_ids_keep_within_their_ranges() {
        assert_eq!(check_page(Page { offset: 2_000_000, limit: 10 }), Ok(()));
        assert_eq!(refusal(check_page(Page { offset: 0, limit: 9 })), "limit: 10 to 200, not 9");
        assert_eq!(refusal(check_page(Page { offset: 0, limit: 201 })), "limit: 10 to 200, not 201");
        assert_eq!(refusal(check_page(Page { offset: 2_000_001, limit: 10 })), "offset: 0 to 2000000, not 2000001");
        assert_eq!(check_project("project_id", &"p".repeat(256)), Ok(()));
        assert!(refusal(check_project("project_id", &"p".repeat(257))).starts_with("project_id: an id of 1 to 256"));
        for id in ["", "..", "a/b", &"i".repeat(65)] {
            assert!(refusal(check_id("file_id", id)).starts_with("file_id: an id of 1 to 64"), "{id}");
        }
    }

    #[test]
    fn a_task_of_files_is_worded_as_documented() {
        let task = |count: usize| NewTask::Iac {
            file_type: FileType::K8sYaml,
            file_ids: (0..count).map(|n| format!("id{n}")).collect(),
        };
        assert_eq!(
            task_body(&task(2)).unwrap(),
            json!({"task_type": "iac_scan", "iac_scan_info": {"file_type": "k8s_yaml", "file_id_list": ["id0", "id1"]}})
        );
        assert!(task_body(&task(100)).is_ok());
        assert_eq!(refusal(task_body(&task(0))), "file_id_list: 1 to 100 ids, not 0");
        assert_eq!(refusal(task_body(&task(101))), "file_id_list: 1 to 100 ids, not 101");
        let blank = NewTask::Iac { file_type: FileType::Dockerfile, file_ids: vec![String::new()] };
        assert!(refusal(task_body(&blank)).starts_with("file_id_list: an id"));
    }

    #[test]
    fn a_cluster_task_is_worded_as_documented() {
        let task = |types: &[&str], range| {
            task_body(&NewTask::Cluster { scan_types: types.iter().map(ToString::to_string).collect(), range })
        };
        assert_eq!(
            task(&["benchmark"], ClusterRange::All).unwrap(),
            json!({"task_type": "cluster_scan", "cluster_scan_info": {"scan_type_list": ["benchmark"], "range_type": "all_cluster"}})
        );
        assert_eq!(
            task(&["cluster_vul", "risk_assessment"], ClusterRange::Specific(vec!["c1".into()])).unwrap(),
            json!({"task_type": "cluster_scan", "cluster_scan_info": {
                "scan_type_list": ["cluster_vul", "risk_assessment"], "range_type": "specific_cluster", "cluster_id_list": ["c1"]}})
        );
        assert_eq!(refusal(task(&[], ClusterRange::All)), "scan_type_list: at least one scan type");
        assert!(refusal(task(&["all"], ClusterRange::All)).starts_with("scan_type_list: \"all\" is none of"));
        assert!(refusal(task(&["benchmark"], ClusterRange::Specific(vec![]))).starts_with("cluster_id_list: needed"));
    }

    #[test]
    fn filters_send_only_what_was_asked_for() {
        assert_eq!(task_list_body(&TaskFilter::default()).unwrap(), json!({"task_type": "iac_scan"}));
        let all = TaskFilter {
            task_id: Some("t".into()),
            file_type: Some(FileType::Dockerfile),
            start_create_time: Some(1_700_000_000_000),
        };
        assert_eq!(
            task_list_body(&all).unwrap(),
            json!({"task_type": "iac_scan", "task_id": "t", "iac_scan_info": {"file_type": "dockerfile"},
                   "start_create_time": 1_700_000_000_000_i64})
        );
        assert_eq!(resource_body(&ResourceFilter::default()), json!({"task_type": "iac_scan"}));
        assert_eq!(
            resource_body(&ResourceFilter { status: Some(ScanStatus::Failed) }),
            json!({"task_type": "iac_scan", "iac_scan_info": {"scan_status": "failed"}})
        );
        assert_eq!(file_query(&FileFilter::default()).unwrap(), [("scan_type", "manual_scan".to_owned())]);
        let all =
            FileFilter { cicd: true, file_id: Some("f".into()), file_type: Some(FileType::K8sYaml), risky: Some(false) };
        let query = [("scan_type", "cicd_scan"), ("file_id", "f"), ("file_type", "k8s_yaml"), ("risky", "false")];
        assert_eq!(file_query(&all).unwrap(), query.map(|(name, value)| (name, value.to_owned())));
    }
}
