use serde_json::json;

use super::*;

#[test]
fn a_task_is_read_as_documented() {
    let json = json!({"total_num": 1, "data_list": [{
        "task_id": "t1", "task_type": "iac_scan", "task_name": "n", "trigger_type": "manual", "task_status": "finished",
        "start_time": 1_700_000_000_000_i64, "end_time": 1_700_000_060_000_i64, "estimated_time": 2,
        "iac_scan_info": {"file_type": "k8s_yaml", "scan_file_num": 3, "success_file_num": 2, "failed_file_num": 1}}]});
    let row = TaskRow {
        task_id: "t1".into(),
        status: Some(TaskStatus::Finished),
        start_time: Some(1_700_000_000_000),
        end_time: Some(1_700_000_060_000),
        estimated_time: Some(2.0),
        file_type: Some(FileType::K8sYaml),
        files: Some(3),
        succeeded: Some(2),
        failed: Some(1),
    };
    assert_eq!(tasks(&json), Ok(Listing { total: Some(1), rows: vec![row] }));
}

#[test]
fn a_task_is_read_leniently() {
    let json = json!({"total_num": "7", "new_field": {}, "data_list": [{
        "task_id": 12, "task_status": "paused", "start_time": "1700000000", "end_time": 0, "estimated_time": "0.5",
        "iac_scan_info": {"file_type": "helm", "scan_file_num": "3", "success_file_num": 3.0, "failed_file_num": null}}]});
    let row = TaskRow {
        task_id: "12".into(),
        status: None,
        start_time: Some(1_700_000_000_000),
        end_time: None,
        estimated_time: Some(0.5),
        file_type: None,
        files: Some(3),
        succeeded: Some(3),
        failed: None,
    };
    assert_eq!(tasks(&json), Ok(Listing { total: Some(7), rows: vec![row] }));
}

#[test]
fn seconds_become_milliseconds_below_ten_to_the_eleventh() {
    let at = |time: Value| super::time(&json!({"t": time}), "t");
    assert_eq!(at(json!(99_999_999_999_i64)), Some(99_999_999_999_000));
    assert_eq!(at(json!(100_000_000_000_i64)), Some(100_000_000_000));
    assert_eq!(at(json!("1700000000123")), Some(1_700_000_000_123));
    for never in [json!(0), json!(-1), json!(null), json!(""), json!("soon"), json!({})] {
        assert_eq!(at(never.clone()), None, "{never}");
    }
}

#[test]
fn an_empty_list_is_told_from_an_unreadable_answer() {
    let empty = |total| Ok(Listing { total, rows: vec![] });
    assert_eq!(risks(&json!({"total_num": 0, "data_list": []})), empty(Some(0)));
    assert_eq!(risks(&json!({"data_list": null})), empty(None));
    assert_eq!(risks(&json!({"total_num": 0})), empty(Some(0)));
    for (answer, why) in [
        (json!({}), "neither data_list nor total_num"),
        (json!({"items": []}), "neither data_list nor total_num"),
        (json!([]), "neither data_list nor total_num"),
        (json!("ok"), "neither data_list nor total_num"),
        (json!({"total_num": "many"}), "neither data_list nor total_num"),
        (json!({"total_num": 1, "data_list": "x"}), "data_list is not a list of objects"),
        (json!({"total_num": 1, "data_list": [null]}), "data_list is not a list of objects"),
    ] {
        assert_eq!(risks(&answer), Err(why.to_owned()), "{answer}");
    }
}

#[test]
fn a_risk_of_an_unknown_level_is_high() {
    let read = |level: Value| risks(&json!({"data_list": [{"rule_id": "r", "risk_level": level}]})).unwrap().rows[0].level;
    assert_eq!(read(json!("tips")), Level::Tips);
    assert_eq!(read(json!("low")), Level::Low);
    assert_eq!(read(json!(" Medium ")), Level::Medium);
    for high in [json!("high"), json!("critical"), json!(3), json!(null), json!({})] {
        assert_eq!(read(high.clone()), Level::High, "{high}");
    }
}

#[test]
fn risks_paths_files_and_resources_are_read_as_documented() {
    let json = json!({"total_num": 1, "data_list": [{"risk_id": "i", "rule_id": "r", "risk_name": "n", "risk_level": "low",
        "risk_category": "workload", "risk_num": 1, "description": "d", "remediation": "m", "build_instruction": "USER root"}]});
    let some = |text: &str| Some(text.to_owned());
    let risk = RiskRow {
        risk_id: "i".into(),
        rule_id: "r".into(),
        name: "n".into(),
        level: Level::Low,
        category: some("workload"),
        description: some("d"),
        remediation: some("m"),
        build_instruction: some("USER root"),
    };
    assert_eq!(risks(&json).unwrap().rows, [risk]);

    let json = json!({"data_list": [{"resource_name": "web", "resource_type": "Deployment", "namespace": "", "hit_rule": "h",
        "hit_path": "spec.template"}]});
    let path = PathRow {
        resource_name: some("web"),
        resource_type: some("Deployment"),
        namespace: None,
        hit_rule: some("h"),
        hit_path: some("spec.template"),
    };
    assert_eq!(paths(&json).unwrap().rows, [path]);

    let json = json!({"data_list": [{"file_id": "f", "risky": "true", "risk_num": "4", "last_scan_time": 1_700_000_000},
        {"file_id": "g", "risky": false}]});
    let file =
        FileRow { file_id: "f".into(), risky: Some(true), risk_num: Some(4), last_scan_time: Some(1_700_000_000_000) };
    let clean = FileRow { file_id: "g".into(), risky: Some(false), risk_num: None, last_scan_time: None };
    assert_eq!(files(&json).unwrap().rows, [file, clean]);

    let json = json!({"iac_scan_data_list": [{"file_id": "f", "scan_status": "failed", "failed_reason": "bad"},
        {"file_id": "g", "scan_status": "queued"}]});
    let failed = ResourceRow { file_id: "f".into(), status: Some(ScanStatus::Failed), failed_reason: some("bad") };
    let odd = ResourceRow { file_id: "g".into(), status: None, failed_reason: None };
    assert_eq!(resources(&json).unwrap().rows, [failed, odd]);
}

#[test]
fn an_upload_is_read_with_either_list() {
    let ok = json!({"success_file_info": [{"file_name": "a", "file_id": "1"}], "fail_file_info": null});
    let uploaded = vec![UploadedFile { name: "a".into(), file_id: "1".into() }];
    assert_eq!(upload_answer(&ok), Ok(UploadAnswer { uploaded, failed: vec![] }));
    let bad = json!({"fail_file_info": [{"file_name": "b", "fail_reason": "why"}, {"file_name": "c"}]});
    let failed = vec![
        FailedUpload { name: "b".into(), reason: "why".into() },
        FailedUpload { name: "c".into(), reason: "no reason given".into() },
    ];
    assert_eq!(upload_answer(&bad), Ok(UploadAnswer { uploaded: vec![], failed }));
    for unreadable in [
        json!({}),
        json!(null),
        json!({"success_file_info": [{"file_name": "a"}]}),
        json!({"success_file_info": [{"file_id": "1"}]}),
        json!({"success_file_info": {}}),
    ] {
        assert!(upload_answer(&unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn a_created_task_has_an_id() {
    assert_eq!(create_answer(&json!({"task_id": "t"})), Ok("t".into()));
    for unreadable in [json!({}), json!({"task_id": ""}), json!({"task_id": null}), json!([])] {
        assert!(create_answer(&unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn projects_are_read() {
    let json = json!({"projects": [{"id": "p", "name": "cn-north-4"}], "links": {}});
    assert_eq!(projects(&json), Ok(vec![("p".into(), "cn-north-4".into())]));
    assert!(projects(&json!({"links": {}})).is_err());
}
