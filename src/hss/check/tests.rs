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
        (
            cluster(&[], ClusterRange::All),
            "scan_type_list: empty, HSS needs one or more of cluster_vul, risk_assessment, benchmark",
        ),
        (cluster(&["all"], ClusterRange::All), "scan_type_list: \"all\" is none of cluster_vul, risk_assessment, benchmark"),
        (
            cluster(&["benchmark"], ClusterRange::Specific(vec![])),
            "cluster_id_list: empty, and mandatory with range_type specific_cluster",
        ),
    ];
    for (task, expected) in cases {
        assert_eq!(refusal(&task), expected);
        let checked = check_task(&task).map_err(|error| error.message);
        assert_eq!(checked, if expected.starts_with('{') { Ok(()) } else { Err(expected.to_owned()) });
    }
    for (length, expected) in [(64, true), (65, false)] {
        let ids = vec!["f".repeat(length)];
        let files = NewTask::Iac { file_type: FileType::Dockerfile, file_ids: ids.clone() };
        let tasks = [files, cluster(&["benchmark"], ClusterRange::Specific(ids))];
        assert_eq!(tasks.map(|task| check_task(&task).is_ok()), [expected; 2], "an id of {length} characters");
    }
    assert_eq!([iac(100), iac(101)].map(|task| check_task(&task).is_ok()), [true, false]);
}

#[test]
fn what_every_call_carries_is_bounded() {
    let place = |project: Option<&str>, enterprise: &str| check_place(project, enterprise).map_err(|error| error.message);
    let long = "p".repeat(257);
    assert_eq!(place(None, "0"), Ok(()));
    assert_eq!(place(Some(&long[1..]), &long[1..]), Ok(()));
    assert_eq!(place(Some(&long), "0"), Err("project_id: 257 characters, HSS takes 1 to 256".to_owned()));
    assert_eq!(place(Some(""), "0"), Err("project_id: 0 characters, HSS takes 1 to 256".to_owned()));
    assert_eq!(place(Some("a/b"), "0"), Err("project_id: \"a/b\" has characters that no id has".to_owned()));
    assert_eq!(place(None, &long), Err("enterprise_project_id: 257 characters, HSS takes 1 to 256".to_owned()));
    let token = |length| {
        let plan = Plan::Fixed(Credentials::Token("t".repeat(length).into()));
        check_token(&plan).map_err(|error| error.message)
    };
    assert_eq!([token(1), token(32_768)], [Ok(()), Ok(())]);
    assert_eq!(token(32_769), Err("X-Auth-Token: 32769 characters, HSS takes 1 to 32768".to_owned()));
    assert_eq!(check_token(&Plan::Metadata { endpoint: String::new() }), Ok(()));
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
        "https://h#f",
        "https://u@h",
        "https://:p@h",
    ];
    for endpoint in bad {
        assert_eq!(verdict(endpoint), Err(Kind::Invalid), "{endpoint}");
    }
    assert_eq!(verdict("http://localhost:80"), Ok(true));
    let said = |endpoint: &str| is_loopback(endpoint).expect_err("refused").message;
    assert_eq!(said("https://u:p@h?q=s"), "endpoint \"h\": say the scheme, the host and the port only");
    assert_eq!(said("http://hss.example"), "endpoint \"http://hss.example\": plain http is for loopback only: say https");
}

#[test]
fn pages_and_ids_out_of_range_are_not_sent() {
    let page = |offset, limit| paging(Page { offset, limit }).is_ok();
    assert_eq!(
        [page(0, 10), page(2_000_000, 200), page(0, 9), page(0, 201), page(2_000_001, 10)],
        [true, true, false, false, false]
    );
    let pairs = [("offset", "20"), ("limit", "10")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(paging(Page { offset: 20, limit: 10 }), Ok(pairs.to_vec()));
    let id = |value: &str| segment("task_id", value).is_ok();
    assert_eq!([id("a-1"), id(""), id("a/b"), id(".."), id("a?b")], [true, false, false, false, false]);
}

#[test]
fn a_file_of_certificates_holds_at_least_one_that_can_be_read() {
    let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).expect("a certificate");
    let pem = made.cert.pem();
    let said = |pem: &str| certificates(pem.as_bytes()).map(|found| found.len()).map_err(|error| error.message);
    let holds = |what: &str| Err(format!("holds {what}: name a file with the certificate of a CA in PEM"));
    assert_eq!(said(&pem), Ok(1));
    assert_eq!(said(&format!("{pem}{pem}")), Ok(2));
    assert_eq!(said(""), holds("no PEM certificate"));
    assert_eq!(said(&made.signing_key.serialize_pem()), holds("no PEM certificate"));
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(said(cut), holds("a certificate that can't be read"));
}
