//! Tasks, their states, and the lists.

use std::time::{Duration, Instant};

use hss_iac::emulator::{FailingClusterScan, Options};
use serde_json::{Value, json};

use crate::call::{Call, DOCKERFILE, MANIFEST, iac_tasks, ids, list_tasks, resources, scan, start};

#[test]
fn a_task_goes_from_ready_to_finished() {
    let options = Options {
        hide_tasks: 1,
        fail_scan_names: vec!["broken".to_owned()],
        scan_time: Duration::from_millis(1500),
        ..Options::default()
    };
    let emulator = start(options);
    let ids = ids(&emulator, "dockerfile", &[("good", DOCKERFILE), ("broken", DOCKERFILE)]);
    let begin = Instant::now();
    let task_id = scan("dockerfile", &ids).answer(&emulator).json()["task_id"].clone();
    assert_eq!(iac_tasks().answer(&emulator).json(), json!({"total_num": 0, "data_list": []}));
    let mut seen: Vec<Value> = Vec::new();
    while seen.last().is_none_or(|row| row["task_status"] != "finished") {
        assert!(begin.elapsed() < Duration::from_secs(10));
        let rows = iac_tasks().answer(&emulator).json();
        assert_eq!(rows["total_num"], 1);
        if seen.last().is_none_or(|row| row["task_status"] != rows["data_list"][0]["task_status"]) {
            seen.push(rows["data_list"][0].clone());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(begin.elapsed() >= Duration::from_millis(1500));
    assert_eq!(seen.iter().map(|row| row["task_status"].clone()).collect::<Vec<_>>(), ["ready", "running", "finished"]);
    let start = seen[0]["start_time"].as_i64().unwrap();
    let row = |status: &str, minutes: u8, succeeded: u8, failed: u8| {
        let counts =
            json!({"file_type": "dockerfile", "scan_file_num": 2, "success_file_num": succeeded, "failed_file_num": failed});
        json!({"task_id": task_id, "task_type": "iac_scan", "task_name": format!("iac_scan_{start}"), "trigger_type": "manual",
               "task_status": status, "start_time": start, "estimated_time": minutes, "iac_scan_info": counts})
    };
    let mut finished = row("finished", 0, 1, 1);
    finished["end_time"] = json!(start + 1500);
    assert_eq!(seen, [row("ready", 1, 0, 0), row("running", 1, 0, 0), finished]);

    let rows = resources(task_id.as_str().unwrap(), &json!({"task_type": "iac_scan"})).answer(&emulator).json();
    let file = |index: usize, name: &str, status: &str| {
        json!({"file_id": ids[index], "file_name": name, "file_type": "dockerfile", "file_size": DOCKERFILE.len(),
               "scan_status": status, "start_time": start, "end_time": start + 1500})
    };
    let mut broken = file(1, "broken", "failed");
    broken["failed_reason"] = json!("the file could not be parsed");
    assert_eq!(rows, json!({"total_num": 2, "iac_scan_data_list": [broken, file(0, "good", "success")]}));
    assert_eq!(emulator.tasks(), [(task_id.as_str().unwrap().to_owned(), "dockerfile".to_owned(), ids)]);
    assert_eq!(emulator.refusals(), Vec::<String>::new());
}

#[test]
fn tasks_may_never_finish_and_lack_their_counts() {
    let emulator = start(Options { never_finish: true, omit_counts: true, scan_time: Duration::ZERO, ..Options::default() });
    let ids = ids(&emulator, "k8s_yaml", &[("a", MANIFEST)]);
    scan("k8s_yaml", &ids).answer(&emulator);
    let row = iac_tasks().answer(&emulator).json()["data_list"][0].clone();
    assert_eq!((&row["task_status"], &row["iac_scan_info"]), (&json!("running"), &json!({"file_type": "k8s_yaml"})));
}

#[test]
fn clusters_are_listed_scan_by_scan_and_scanned_again_where_they_failed() {
    let failing =
        FailingClusterScan { cluster_id: "stand-in-cluster-2".to_owned(), scan_type: "benchmark".to_owned(), times: 1 };
    let emulator =
        start(Options { scan_time: Duration::from_millis(400), fail_cluster_scans: vec![failing], ..Options::default() });
    let info = json!({"scan_type_list": ["benchmark", "cluster_vul"], "range_type": "all_cluster"});
    let body = json!({"task_type": "cluster_scan", "cluster_scan_info": info});
    let task_id = Call::post("/v5/{p}/common/task", &body).answer(&emulator).json()["task_id"].as_str().unwrap().to_owned();
    let rows = list_tasks(&json!({"task_type": "cluster_scan", "task_id": task_id})).answer(&emulator).json();
    assert_eq!((&rows["total_num"], &rows["data_list"][0]["task_status"]), (&json!(1), &json!("ready")));
    let counts = |scanning: u8, success: u8, failed: u8| {
        json!({"scan_type_list": ["benchmark", "cluster_vul"], "scanning_cluster_num": scanning, "success_cluster_num": success,
               "failed_cluster_num": failed})
    };
    assert_eq!(rows["data_list"][0]["cluster_scan_info"], counts(2, 0, 0));
    let retry = |range: &str| {
        let info = json!({"range_type": range});
        let body = json!({"task_type": "cluster_scan", "cluster_scan_info": info});
        Call::post(&format!("/v5/{{p}}/common/tasks/{task_id}/retry"), &body).with_method("PUT")
    };
    assert_eq!(retry("all_failed_cluster").answer(&emulator).code(), "HSS.0001", "it has not finished");
    let row = || list_tasks(&json!({"task_type": "cluster_scan"})).answer(&emulator).json()["data_list"][0].clone();
    let finish = || {
        let begin = Instant::now();
        while row()["task_status"] != "finished" {
            assert!(begin.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    finish();
    assert_eq!(row()["cluster_scan_info"], counts(0, 1, 1));
    let clusters = |filter: Value| {
        let body = json!({"task_type": "cluster_scan", "cluster_scan_info": filter});
        resources(&task_id, &body).answer(&emulator).json()["cluster_scan_data_list"].clone()
    };
    assert_eq!(clusters(json!({})).as_array().unwrap().len(), 2);
    let failed = clusters(json!({"scan_status": "failed"}));
    let details = json!([
        {"scan_type": "benchmark", "status": "failed", "failed_reason": "the cluster can't be reached"},
        {"scan_type": "cluster_vul", "status": "success"},
    ]);
    assert_eq!((failed.as_array().unwrap().len(), &failed[0]["scan_detail_list"]), (1, &details));
    assert_eq!(retry("all_failed_cluster").answer(&emulator).json(), json!({}));
    assert_eq!(row()["cluster_scan_info"], counts(1, 1, 0));
    finish();
    assert_eq!(row()["cluster_scan_info"], counts(0, 2, 0));
    assert_eq!(retry("all_failed_cluster").answer(&emulator).code(), "HSS.0001", "nothing is left that failed");
    assert_eq!(iac_tasks().answer(&emulator).json()["total_num"], 0);
    let statistics = Call::get("/v5/{p}/common/task-statistics").query("task_type=cluster_scan").answer(&emulator).json();
    assert_eq!((&statistics["total_num"], &statistics["running_num"]), (&json!(1), &json!(0)));
}

#[test]
fn tasks_are_filtered_and_paged() {
    let emulator = start(Options::default());
    let docker = ids(&emulator, "dockerfile", &[("a", DOCKERFILE)]);
    let yaml = ids(&emulator, "k8s_yaml", &[("a", MANIFEST)]);
    let created: Vec<Value> =
        (0..12).map(|_| scan("dockerfile", &docker).answer(&emulator).json()["task_id"].clone()).collect();
    scan("k8s_yaml", &yaml).answer(&emulator);
    let filter =
        |filter: Value| json!({"task_type": "iac_scan", "iac_scan_info": {"file_type": "dockerfile"}, "sort_dir": filter});
    let page = |query: &str| {
        let rows = list_tasks(&filter(json!("asc"))).query(query).answer(&emulator).json();
        assert_eq!(rows["total_num"], 12);
        rows["data_list"].as_array().unwrap().iter().map(|row| row["task_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(page("limit=10"), created[..10]);
    assert_eq!(page("limit=10&offset=10"), created[10..]);
    assert_eq!(page("offset=12"), Vec::<Value>::new());
    let later = json!({"task_type": "iac_scan", "start_create_time": 9_999_999_999_999_i64});
    assert_eq!(list_tasks(&later).answer(&emulator).json()["total_num"], 0);
}

#[test]
fn a_list_is_shuffled_by_the_seed_alone() {
    let names: Vec<String> = (0..10).map(|index| format!("f{index}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), DOCKERFILE)).collect();
    let order = |seed, shuffle| {
        let emulator = start(Options { seed, shuffle, ..Options::default() });
        ids(&emulator, "dockerfile", &files);
        let rows = Call::get("/v5/{p}/container/iac/files")
            .query("offset=0&limit=10&scan_type=manual_scan")
            .answer(&emulator)
            .json();
        rows["data_list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["file_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let reversed: Vec<String> = names.iter().rev().cloned().collect();
    assert_eq!(order(1, false), reversed);
    assert_eq!(order(1, true), order(1, true));
    assert_ne!(order(1, true), order(2, true));
    assert_ne!(order(1, true), reversed);
}

#[test]
fn an_enterprise_project_sees_its_own() {
    let emulator = start(Options::default());
    Call::upload("dockerfile", &[("a", DOCKERFILE)]).query("enterprise_project_id=team").answer(&emulator);
    let seen = |project: &str| {
        let query = format!("offset=0&limit=10&scan_type=manual_scan{project}");
        Call::get("/v5/{p}/container/iac/files").query(&query).answer(&emulator).json()["total_num"].clone()
    };
    let projects = ["", "&enterprise_project_id=0", "&enterprise_project_id=team", "&enterprise_project_id=all_granted_eps"];
    assert_eq!(projects.map(seen), [0, 0, 1, 1]);
}
