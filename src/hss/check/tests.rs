use super::*;
use crate::model::FileType;

fn refusal(task: &NewTask) -> String {
    task_body(task).map_or_else(|error| error.message, |body| body.to_string())
}

#[test]
fn both_task_types_as_documented_and_their_constraints() {
    let iac = |n: usize| NewTask::Iac { file_type: FileType::Dockerfile, file_ids: vec!["f".into(); n] };
    let cluster =
        |types: &[&str], range| NewTask::Cluster { scan_types: types.iter().map(|t| (*t).to_owned()).collect(), range };
    let cases = [
        (iac(1), r#"{"iac_scan_info":{"file_id_list":["f"],"file_type":"dockerfile"},"task_type":"iac_scan"}"#),
        (iac(0), "file_id_list: 0 ids, HSS takes 1 to 100"),
        (iac(101), "file_id_list: 101 ids, HSS takes 1 to 100"),
        (
            cluster(&["benchmark"], ClusterRange::All),
            r#"{"cluster_scan_info":{"range_type":"all_cluster","scan_type_list":["benchmark"]},"task_type":"cluster_scan"}"#,
        ),
        (
            cluster(&["cluster_vul"], ClusterRange::Specific(vec!["c".into()])),
            r#"{"cluster_scan_info":{"cluster_id_list":["c"],"range_type":"specific_cluster","scan_type_list":["cluster_vul"]},"task_type":"cluster_scan"}"#,
        ),
        (cluster(&[], ClusterRange::All), "scan_type_list: empty, HSS needs one of cluster_vul, risk_assessment, benchmark"),
        (cluster(&["all"], ClusterRange::All), "scan_type_list: \"all\" is none of cluster_vul, risk_assessment, benchmark"),
        (
            cluster(&["benchmark"], ClusterRange::Specific(vec![])),
            "cluster_id_list: empty, and mandatory with range_type specific_cluster",
        ),
    ];
    for (task, expected) in cases {
        assert_eq!(refusal(&task), expected);
    }
}

#[test]
fn endpoints_that_may_be_called() {
    let verdict = |endpoint: &str| is_loopback(endpoint).map_err(|error| error.kind);
    assert_eq!(verdict("https://hss.cn-north-4.myhuaweicloud.com"), Ok(false));
    assert_eq!(verdict("http://127.0.0.1:80"), Ok(true));
    assert_eq!(verdict("http://[::1]:80"), Ok(true));
    let bad = [
        "http://hss.example",
        "http://127.0.0.1.example",
        "ftp://a",
        "hss",
        "https://u:p@h",
        "https://h/path",
        "https://h?q",
    ];
    for endpoint in bad {
        assert_eq!(verdict(endpoint), Err(Kind::Invalid), "{endpoint}");
    }
}

#[test]
fn pages_and_ids_out_of_range_are_not_sent() {
    let page = |offset, limit| paging(Page { offset, limit }).is_ok();
    assert_eq!(
        [page(0, 10), page(2_000_000, 200), page(0, 9), page(0, 201), page(2_000_001, 10)],
        [true, true, false, false, false]
    );
    let id = |value: &str| segment("task_id", value).is_ok();
    assert_eq!([id("a-1"), id(""), id("a/b"), id(".."), id("a?b")], [true, false, false, false, false]);
}
