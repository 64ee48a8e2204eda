use serde_json::json;

use super::*;

#[test]
fn a_value_of_another_type_means_the_same_or_nothing() {
    let said = json!({"text": 7, "number": " 7 ", "decimal": "1.5", "yes": "true", "true": true, "false": false, "one": 1, "none": 0, "list": [], "empty": ""});
    assert_eq!(text(&said, "text").as_deref(), Some("7"));
    assert_eq!(["number", "text"].map(|name| number(&said, name)), [Some(7); 2]);
    assert_eq!(["decimal", "text"].map(|name| decimal(&said, name)), [Some(1.5), Some(7.0)]);
    let truths = ["yes", "one", "true", "none", "false"].map(|name| truth(&said, name) == Some(true));
    assert_eq!(truths, [true, true, true, false, false]);
    assert_eq!(["none", "false"].map(|name| truth(&said, name)), [Some(false); 2]);
    for name in ["list", "empty", "missing"] {
        let read = (text(&said, name), number(&said, name), decimal(&said, name), truth(&said, name));
        assert_eq!(read, (None, None, None, None), "{name}");
    }
}

#[test]
fn what_is_no_listing_is_not_an_empty_one() {
    let read = |value: Value| listing(&value, "data_list", resource);
    assert_eq!(read(json!({})), None);
    assert_eq!(read(json!({"data_list": {}, "total_num": 0})), None);
    assert_eq!(
        read(json!({"data_list": null, "total_num": "0"})),
        Some(Listing { total: Some(0), unreadable: 0, rows: vec![] })
    );
    assert_eq!(read(json!({"data_list": [7]})), Some(Listing { total: None, unreadable: 1, rows: vec![] }));
    let read = read(json!({"data_list": [{"file_id": "f"}, {}], "total_num": 2}));
    assert_eq!(read.map(|page| (page.rows.len(), page.unreadable)), Some((1, 1)));
}

#[test]
fn numbers_as_text_and_times_in_seconds() {
    let row = json!({"task_id": "t", "task_status": "paused", "start_time": 1_700_000_000, "end_time": "1700000000123",
        "estimated_time": "1.5", "new": {}, "iac_scan_info": {"file_type": "k8s_yaml", "scan_file_num": "3", "failed_file_num": 0}});
    let expected = TaskRow {
        task_id: "t".into(),
        status: None,
        status_word: Some("paused".into()),
        start_time: Some(1_700_000_000_000),
        end_time: Some(1_700_000_000_123),
        estimated_time: Some(1.5),
        file_type: Some(FileType::K8sYaml),
        files: Some(3),
        succeeded: None,
        failed: Some(0),
    };
    assert_eq!(task(&row), Some(expected));
}

#[test]
fn a_time_in_milliseconds_is_told_from_one_in_seconds() {
    let read = |time: i64| milliseconds(&json!({"time": time}), "time");
    assert_eq!(read(99_999_999_999), Some(99_999_999_999_000));
    assert_eq!(read(100_000_000_000), Some(100_000_000_000));
    assert_eq!([1, 0, -1].map(read), [Some(1_000), None, None]);
}

#[test]
fn an_upload_says_what_was_taken_or_what_was_refused() {
    let taken = |name: &str, id: &str| UploadedFile { name: name.into(), file_id: id.into() };
    let refused = |name: &str, reason: &str| FailedUpload { name: name.into(), reason: reason.into() };
    let nameless = json!({"file_id": "lost"});
    let success = json!({"success_file_info": [{"file_name": "a", "file_id": "1"}, {"file_name": "b"}, nameless]});
    let uploaded = vec![taken("a", "1"), taken("b", "")];
    assert_eq!(upload(&success), Some(UploadAnswer { uploaded, failed: vec![] }));
    let fail = json!({"success_file_info": null, "fail_file_info": [{"file_name": "a", "fail_reason": "too large"}, {}]});
    let failed = vec![refused("a", "too large"), refused("", "refused, and HSS gives no reason")];
    assert_eq!(upload(&fail), Some(UploadAnswer { uploaded: vec![], failed }));
    assert_eq!(upload(&json!({"success_file_info": {}})), None);
}

#[test]
fn tasks_know_three_words_and_clusters_are_counted_by_their_sum() {
    use TaskStatus::{Finished, Ready, Running};
    let read = |word: &str| task(&json!({"task_id": "t", "task_status": word})).and_then(|task| task.status);
    assert_eq!(["ready", "running", "finished"].map(read), [Some(Ready), Some(Running), Some(Finished)]);
    let counts = |info: Value| {
        let row = json!({"task_id": "t", "task_type": "cluster_scan", "cluster_scan_info": info});
        task(&row).map(|task| (task.files, task.succeeded, task.failed))
    };
    let three = json!({"scanning_cluster_num": 1, "success_cluster_num": 2, "failed_cluster_num": 4});
    assert_eq!(counts(three), Some((Some(7), Some(2), Some(4))));
    assert_eq!(counts(json!({"success_cluster_num": 2})), Some((None, Some(2), None)));
}

#[test]
fn a_cluster_keeps_scans_that_name_no_type() {
    let row = json!({"cluster_id": "c", "cluster_name": "n", "cluster_type": "cce", "cluster_version": "v1.31", "scan_status": "success",
        "scan_detail_list": [{"scan_type": "benchmark", "status": "scanning"}, {"status": "failed", "failed_reason": "no agent"}, {"status": "?"}]});
    let scan = |scan_type: &str, status, reason: Option<&str>| ClusterScanRow {
        scan_type: scan_type.into(),
        status,
        failed_reason: reason.map(str::to_owned),
    };
    let scans = vec![
        scan("benchmark", Some(ScanStatus::Scanning), None),
        scan("", Some(ScanStatus::Failed), Some("no agent")),
        scan("", None, None),
    ];
    let [name, cluster_type, version] = ["n", "cce", "v1.31"].map(|text| Some(text.to_owned()));
    let status = Some(ScanStatus::Success);
    assert_eq!(cluster(&row), Some(ClusterRow { cluster_id: "c".into(), name, cluster_type, version, status, scans }));
    assert_eq!(cluster(&json!({"cluster_name": "n"})), None);
}

#[test]
fn files_risks_and_places_are_read_whole() {
    let row = json!({"file_id": "f", "risky": true, "risk_num": "2", "last_scan_time": 1_700_000_000});
    let last_scan_time = Some(1_700_000_000_000);
    assert_eq!(file(&row), Some(FileRow { file_id: "f".into(), risky: Some(true), risk_num: Some(2), last_scan_time }));
    assert_eq!(file(&json!({"risky": true})), None);
    let row = json!({"file_id": "f", "scan_status": "failed", "failed_reason": "no text"});
    let failed =
        ResourceRow { file_id: "f".into(), status: Some(ScanStatus::Failed), failed_reason: Some("no text".into()) };
    assert_eq!(resource(&row), Some(failed));
    let some = |text: &str| Some(text.to_owned());
    let row = json!({"risk_id": "r", "risk_name": "n", "rule_id": "R", "risk_level": "low", "risk_category": "c", "description": "d",
        "remediation": "m", "build_instruction": "USER root", "risk_num": 3});
    let whole = RiskRow {
        risk_id: "r".into(),
        rule_id: "R".into(),
        name: "n".into(),
        level: Level::Low,
        category: Some("c".into()),
        description: Some("d".into()),
        remediation: Some("m".into()),
        build_instruction: some("USER root"),
        risk_num: Some(3),
    };
    let mut read = risk(&row);
    assert_eq!(read, Some(whole));
    let of_rule: Vec<String> = read.iter_mut().flat_map(RiskRow::of_rule).map(|text| text.to_string()).collect();
    assert_eq!(of_rule, ["R", "n", "c", "d", "m"], "what is the same wherever it hits");
    assert_eq!(
        risk(&json!({"rule_id": "R"})).map(|risk| risk.name.to_string()),
        some("R"),
        "the rule stands in for the name"
    );
    let row = json!({"resource_name": "web", "resource_type": "Deployment", "namespace": "shop", "hit_rule": "h", "hit_path": "spec"});
    let whole = PathRow {
        resource_name: some("web"),
        resource_type: some("Deployment"),
        namespace: some("shop"),
        hit_rule: some("h"),
        hit_path: some("spec"),
    };
    assert_eq!(path(&row), Some(whole));
}

#[test]
fn unknown_levels_count_as_high() {
    use Level::{High, Low, Medium, Tips};
    let level = |word: Value| risk(&json!({"rule_id": "R", "risk_level": word})).map(|risk| risk.level);
    let levels: Vec<_> =
        [json!("tips"), json!("low"), json!("medium"), json!("high"), json!("critical"), json!(null), json!("HIGH")]
            .into_iter()
            .filter_map(level)
            .collect();
    assert_eq!(levels, [Tips, Low, Medium, High, High, High, High]);
}

#[test]
fn a_project_has_an_id_and_counts_once() {
    let listed =
        json!({"projects": [{"id": "b"}, {"id": "a", "name": "cn-north-4"}, {"id": "b"}, {"id": ""}, {"name": "x"}]});
    assert_eq!(projects(&listed), ["a", "b"]);
    for none in [json!({"projects": null}), json!({"projects": {"id": "a"}}), json!([{"id": "a"}]), json!("a")] {
        assert_eq!(projects(&none), [""; 0], "{none}");
    }
}
