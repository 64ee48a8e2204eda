//! What is sent, and what is made of the answer.

use super::*;
use crate::model::FileType;

#[tokio::test]
async fn what_is_sent_and_begun_is_asked_for_as_documented() {
    let host = Host::saying([
        says(200, r#"{"success_file_info":[{"file_name":"n","file_id":"f"}],"fail_file_info":[]}"#),
        says(200, r#"{"task_id":"t"}"#),
        says(200, ""),
    ]);
    let client = client(&host);
    let part = UploadPart { name: "n".to_owned(), bytes: b"FROM a\n".to_vec() };
    let uploaded = client.upload(FileType::Dockerfile, &[part]).await.unwrap();
    assert_eq!(uploaded.uploaded, [UploadedFile { name: "n".to_owned(), file_id: "f".to_owned() }]);
    let task = NewTask::Iac { file_type: FileType::K8sYaml, file_ids: vec!["f".to_owned()] };
    assert_eq!(client.create_task(&task).await.unwrap(), "t");
    client.retry_failed_clusters("t").await.unwrap();

    let mut lines = host.lines();
    let upload = lines.remove(0);
    assert!(upload.starts_with("POST /v5/p/common/files/batch-upload?enterprise_project_id=e --"), "{upload}");
    for part in ["name=\"upload_type\"\r\n\r\ndockerfile\r\n", "name=\"files\"; filename=\"n\"\r\n", "\r\n\r\nFROM a\n\r\n"]
    {
        assert!(upload.contains(part), "{upload}");
    }
    let expected = [
        "POST /v5/p/common/task?enterprise_project_id=e \
         {\"iac_scan_info\":{\"file_id_list\":[\"f\"],\"file_type\":\"k8s_yaml\"},\"task_type\":\"iac_scan\"}",
        "PUT /v5/p/common/tasks/t/retry?enterprise_project_id=e \
         {\"cluster_scan_info\":{\"range_type\":\"all_failed_cluster\"},\"task_type\":\"cluster_scan\"}",
    ];
    assert_eq!(lines, expected);
    assert!(host.asked().iter().all(|asked| asked.header("x-auth-token") == Some("a token")));
}

/// What was asked for a list, with a page of 100 rows from the 200th on.
const LISTED: [&str; 8] = [
    r#"POST /v5/p/common/tasks/batch-query?PAGE {"task_type":"iac_scan"}"#,
    r#"POST /v5/p/common/tasks/batch-query?PAGE {"iac_scan_info":{"file_type":"dockerfile"},"sort_dir":"desc","sort_key":"start_time","start_create_time":7,"task_id":"t","task_type":"cluster_scan"}"#,
    r#"POST /v5/p/common/tasks/t/resources/batch-query?PAGE {"iac_scan_info":{},"task_type":"iac_scan"}"#,
    r#"POST /v5/p/common/tasks/t/resources/batch-query?PAGE {"task_type":"cluster_scan"}"#,
    "GET /v5/p/container/iac/files?offset=200&limit=100&scan_type=manual_scan&enterprise_project_id=e",
    "GET /v5/p/container/iac/files?offset=200&limit=100&scan_type=cicd_scan&file_id=f&file_type=k8s_yaml&enterprise_project_id=e",
    "GET /v5/p/container/iac/file/risks?offset=200&limit=100&file_id=f&enterprise_project_id=e",
    "GET /v5/p/container/iac/file/risk/paths?offset=200&limit=100&file_id=f&rule_id=u&enterprise_project_id=e",
];

#[tokio::test]
async fn what_is_listed_is_asked_for_as_documented() {
    let row = r#"{"task_id":"t","file_id":"f","scan_status":"success","cluster_id":"c","risky":true,"risk_id":"i","hit_path":"h"}"#;
    let lists = ["data_list", "iac_scan_data_list", "cluster_scan_data_list"].map(|list| format!("\"{list}\":[{row}]"));
    let host = Host::saying([says(200, &format!("{{\"total_num\":1,{}}}", lists.join(",")))]);
    let client = client(&host);
    let page = Page { offset: 200, limit: 100 };
    let one = TaskFilter {
        task_type: TaskType::Cluster,
        task_id: Some("t".to_owned()),
        file_type: Some(FileType::Dockerfile),
        start_create_time: Some(7),
        newest_first: true,
    };
    for filter in [TaskFilter::default(), one] {
        assert_eq!(client.list_tasks(&filter, page).await.unwrap().rows[0].task_id, "t");
    }
    assert_eq!(client.list_task_resources("t", page).await.unwrap().rows[0].status, Some(ScanStatus::Success));
    assert_eq!(client.list_task_clusters("t", page).await.unwrap().rows[0].cluster_id, "c");
    let one = FileFilter { cicd: true, file_id: Some("f".to_owned()), file_type: Some(FileType::K8sYaml) };
    for filter in [FileFilter::default(), one] {
        assert_eq!(client.list_files(&filter, page).await.unwrap().rows[0].risky, Some(true));
    }
    assert_eq!(client.list_risks("f", page).await.unwrap().rows[0].risk_id, "i");
    assert_eq!(client.list_risk_paths("f", "u", page).await.unwrap().rows[0].hit_path.as_deref(), Some("h"));
    let expected = LISTED.map(|line| line.replace("PAGE", "offset=200&limit=100&enterprise_project_id=e"));
    assert_eq!(host.lines(), expected);
    let calls: Vec<String> = client.calls().into_iter().map(|(api, count)| format!("{api} {count}")).collect();
    let expected = ["file/risks 1", "iac/files 2", "resources/batch-query 2", "risk/paths 1", "tasks/batch-query 2"];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn an_answer_that_lacks_what_is_documented_is_none() {
    let host = Host::saying([says(200, "{}")]);
    let client = client(&host);
    let part = UploadPart { name: "n".to_owned(), bytes: vec![b'\n'] };
    let task = NewTask::Iac { file_type: FileType::K8sYaml, file_ids: vec!["f".to_owned()] };
    let errors = [
        client.upload(FileType::Dockerfile, &[part]).await.unwrap_err(),
        client.list_tasks(&TaskFilter::default(), PAGE).await.unwrap_err(),
        client.list_task_resources("t", PAGE).await.unwrap_err(),
        client.list_task_clusters("t", PAGE).await.unwrap_err(),
        client.list_files(&FileFilter::default(), PAGE).await.unwrap_err(),
        client.list_risks("f", PAGE).await.unwrap_err(),
        client.list_risk_paths("f", "u", PAGE).await.unwrap_err(),
    ];
    let apis = [
        "batch-upload",
        "tasks/batch-query",
        "resources/batch-query",
        "resources/batch-query",
        "iac/files",
        "file/risks",
        "risk/paths",
    ];
    for (error, api) in errors.into_iter().zip(apis) {
        let message = format!("{api}: 200 with an answer that lacks what is documented");
        assert_eq!(error, Error::new(Kind::Failing, message));
    }
    let lost = |message: &str| Error { lost: true, ..Error::new(Kind::Failing, message.to_owned()) };
    let error = client.create_task(&task).await.unwrap_err();
    assert_eq!(error, lost("task: 200 with an answer that lacks what is documented"));
    let odd = Host::saying([says(200, r#"{"task_id":"../t"}"#)]);
    let error = super::client(&odd).create_task(&task).await.unwrap_err();
    assert_eq!(error, lost("task: task_id: \"../t\" has characters that no id has"));
}

#[tokio::test]
async fn an_upload_that_hss_would_not_take_is_not_sent() {
    let host = Host::saying([says(200, r#"{"success_file_info":[]}"#)]);
    let client = client(&host);
    let part = |name: usize, bytes: usize| UploadPart { name: "n".repeat(name), bytes: vec![b' '; bytes] };
    let refused = [vec![], vec![part(1, 1); 11], vec![part(1, 1_000_001)], vec![part(0, 1)], vec![part(513, 1)]];
    for parts in refused {
        assert_eq!(client.upload(FileType::Dockerfile, &parts).await.unwrap_err().kind, Kind::Invalid);
    }
    assert_eq!(host.lines().len(), 0);
    for parts in [vec![part(1, 1); 10], vec![part(1, 1_000_000)], vec![part(512, 1)]] {
        client.upload(FileType::Dockerfile, &parts).await.unwrap();
    }
    assert_eq!(host.lines().len(), 3);
}

#[tokio::test]
async fn the_project_is_looked_up_once_and_must_be_one() {
    let projects = |ids: &[&str]| {
        let rows: Vec<String> = ids.iter().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
        says(200, &format!("{{\"projects\":[{}]}}", rows.join(",")))
    };
    let without = |host: &Host| {
        let config = Config { project_id: None, ..config(host) };
        client_of(config)
    };
    let host = Host::saying([projects(&["q", "q"]), says(200, NONE)]);
    let found = without(&host);
    assert_eq!(found.project(), None);
    assert_eq!(found.project_id().await.unwrap(), "q");
    assert_eq!(found.project().as_deref(), Some("q"));
    found.list_risks("f", PAGE).await.unwrap();
    let risks = "GET /v5/q/container/iac/file/risks?offset=0&limit=10&file_id=f&enterprise_project_id=e";
    assert_eq!(host.lines(), ["GET /v3/projects?name=r", risks]);

    let said = async |answer: String| without(&Host::saying([answer])).project_id().await.unwrap_err();
    let login = |message: &str| Error::new(Kind::Login, message.to_owned());
    let none = "no project of region r is visible to these credentials: set HSS_IAC_PROJECT_ID";
    assert_eq!(said(projects(&[])).await, login(none));
    let several = "region r has several projects (q, s): set HSS_IAC_PROJECT_ID to one";
    assert_eq!(said(projects(&["s", "q"])).await, login(several));
    let nowhere = Config { project_id: None, region: None, ..config(&host) };
    let nowhere = client_of(nowhere);
    let invalid = "no project: set HSS_IAC_PROJECT_ID, or a region to look it up by";
    assert_eq!(nowhere.project_id().await.unwrap_err(), Error::new(Kind::Invalid, invalid.to_owned()));
}
