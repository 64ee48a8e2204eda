//! What it refuses, and what it takes.

use hss_iac::emulator::{Emulator, Options};
use serde_json::{Value, json};

use crate::call::{Call, DOCKERFILE, MANIFEST, iac_tasks, ids, list_tasks, part, resources, scan, start};

/// Sends each call and compares status and code; nothing but a 401 may be missing from the list of refusals.
fn assert_refused(emulator: &Emulator, table: Vec<(&str, Call, u16, &str)>) {
    let mut expected = Vec::new();
    for (name, call, status, code) in table {
        let reply = call.answer(emulator);
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{name}: {}", reply.body);
        expected.extend((status != 401).then_some(code));
    }
    let codes: Vec<String> = emulator.refusals().iter().map(|line| line.split(": ").nth(1).unwrap().to_owned()).collect();
    assert_eq!(codes, expected);
}

#[test]
fn refuses_an_upload_that_is_not_as_documented() {
    let emulator = start(Options::default());
    let eleven: Vec<String> = (0..11).map(|index| format!("f{index}")).collect();
    let eleven: Vec<(&str, &[u8])> = eleven.iter().map(|name| (name.as_str(), DOCKERFILE)).collect();
    let file_part = || part("name=\"files\"; filename=\"a\"", DOCKERFILE);
    let iac = json!({"task_type": "iac_scan"});
    let large = vec![b'#'; 12_000_001];
    let table = vec![
        ("upload: no type", Call::form(vec![file_part()]), 400, "HSS.0001"),
        ("upload: unknown type", Call::upload("helm", &[("a", DOCKERFILE)]), 400, "HSS.0001"),
        ("upload: type in the query", Call::form(vec![file_part()]).query("upload_type=dockerfile"), 400, "HSS.0001"),
        ("upload: no file", Call::upload("dockerfile", &[]), 400, "HSS.0001"),
        ("upload: eleven files", Call::upload("dockerfile", &eleven), 400, "HSS.0001"),
        ("upload: one name twice", Call::upload("dockerfile", &[("a", DOCKERFILE), ("a", DOCKERFILE)]), 400, "HSS.1018"),
        (
            "upload: file as text",
            Call::form(vec![part("name=\"upload_type\"", b"dockerfile"), part("name=\"files\"", DOCKERFILE)]),
            400,
            "HSS.1018",
        ),
        ("upload: files[]", Call::form(vec![part("name=\"files[]\"; filename=\"a\"", DOCKERFILE)]), 400, "HSS.0001"),
        ("upload: not a form", Call::post("/v5/{p}/common/files/batch-upload", &iac), 400, "HSS.0002"),
        (
            "upload: to all projects",
            Call::upload("dockerfile", &[("a", DOCKERFILE)]).query("enterprise_project_id=all_granted_eps"),
            400,
            "HSS.0001",
        ),
        ("upload: over 12 MB", Call::upload("dockerfile", &[("a", &large)]), 413, "APIGW.0201"),
    ];
    assert_refused(&emulator, table);
    assert_eq!(emulator.files(), []);
}

#[test]
fn refuses_a_task_that_is_not_as_documented() {
    let emulator = start(Options::default());
    let docker = ids(&emulator, "dockerfile", &[("a", DOCKERFILE)]).remove(0);
    let other =
        Call::upload("dockerfile", &[("b", DOCKERFILE)]).query("enterprise_project_id=other").answer(&emulator).json();
    let other = other["success_file_info"][0]["file_id"].as_str().unwrap().to_owned();
    let iac = json!({"task_type": "iac_scan"});
    let create = |body: Value| Call::post("/v5/{p}/common/task", &body);
    let cluster = |info: Value| create(json!({"task_type": "cluster_scan", "cluster_scan_info": info}));
    let specific = |ids: &[&str]| {
        cluster(json!({"scan_type_list": ["benchmark"], "range_type": "specific_cluster", "cluster_id_list": ids}))
    };
    let hundred_and_one = vec![docker.clone(); 101];
    let table = vec![
        ("task: not JSON", create(json!(null)).typed("application/json", b"{".to_vec()), 400, "HSS.0002"),
        ("task: unknown type", create(json!({"task_type": "image_scan"})), 400, "HSS.0001"),
        ("task: no scan", create(iac.clone()), 400, "HSS.0001"),
        ("task: unknown field", create(json!({"task_type": "iac_scan", "upload_type": "dockerfile"})), 400, "HSS.0001"),
        ("task: no id", scan("dockerfile", &[]), 400, "HSS.0001"),
        ("task: 101 ids", scan("dockerfile", &hundred_and_one), 400, "HSS.0001"),
        ("task: empty id", scan("dockerfile", &[String::new()]), 400, "HSS.0001"),
        ("task: unknown id", scan("dockerfile", &["nothing".to_owned()]), 400, "HSS.0011"),
        ("task: id twice", scan("dockerfile", &[docker.clone(), docker.clone()]), 400, "HSS.0001"),
        ("task: id of the other type", scan("k8s_yaml", std::slice::from_ref(&docker)), 400, "HSS.0001"),
        ("task: id of another enterprise project", scan("dockerfile", &[other]), 400, "HSS.0011"),
        (
            "task: clusters without a scan type",
            cluster(json!({"scan_type_list": [], "range_type": "all_cluster"})),
            400,
            "HSS.0001",
        ),
        ("task: unknown range", cluster(json!({"scan_type_list": ["benchmark"], "range_type": "some"})), 400, "HSS.0001"),
        (
            "task: unknown scan type",
            cluster(json!({"scan_type_list": ["benchmark", "virus"], "range_type": "all_cluster"})),
            400,
            "HSS.0001",
        ),
        (
            "task: scan type twice",
            cluster(json!({"scan_type_list": ["benchmark", "benchmark"], "range_type": "all_cluster"})),
            400,
            "HSS.0001",
        ),
        (
            "task: all clusters, and which",
            cluster(json!({"scan_type_list": ["benchmark"], "range_type": "all_cluster", "cluster_id_list": ["c"]})),
            400,
            "HSS.0001",
        ),
        ("task: no cluster", specific(&[]), 400, "HSS.0001"),
        ("task: empty cluster", specific(&[""]), 400, "HSS.0001"),
        ("task: cluster twice", specific(&["stand-in-cluster-1", "stand-in-cluster-1"]), 400, "HSS.0001"),
        ("task: cluster of 65 characters", specific(&["x".repeat(65).as_str()]), 400, "HSS.0001"),
        ("task: unknown cluster", specific(&["x".repeat(64).as_str()]), 400, "HSS.0011"),
        ("task: cluster of another enterprise project", specific(&["stand-in-cluster-3"]), 400, "HSS.0011"),
        (
            "task: specific, but which",
            cluster(json!({"scan_type_list": ["benchmark"], "range_type": "specific_cluster"})),
            400,
            "HSS.0001",
        ),
    ];
    assert_refused(&emulator, table);
    assert_eq!(emulator.tasks(), []);
}

#[test]
fn refuses_a_question_that_is_not_as_documented() {
    let emulator = start(Options::default());
    let docker = ids(&emulator, "dockerfile", &[("a", DOCKERFILE)]).remove(0);
    let task =
        scan("dockerfile", std::slice::from_ref(&docker)).answer(&emulator).json()["task_id"].as_str().unwrap().to_owned();
    let iac = json!({"task_type": "iac_scan"});
    let clusters = json!({"task_type": "cluster_scan", "cluster_scan_info": {"scan_type_list": ["benchmark"], "range_type": "all_cluster"}});
    let of_clusters =
        Call::post("/v5/{p}/common/task", &clusters).answer(&emulator).json()["task_id"].as_str().unwrap().to_owned();
    let retry_of =
        |task: &str, body: &Value| Call::post(&format!("/v5/{{p}}/common/tasks/{task}/retry"), body).with_method("PUT");
    let retry = |info: Value| retry_of(&of_clusters, &json!({"task_type": "cluster_scan", "cluster_scan_info": info}));
    let all_failed = json!({"task_type": "cluster_scan", "cluster_scan_info": {"range_type": "all_failed_cluster"}});
    let one = json!({"cluster_id": "stand-in-cluster-1"});
    let files = || Call::get("/v5/{p}/container/iac/files");
    let risks = || Call::get("/v5/{p}/container/iac/file/risks");
    let paths = || Call::get("/v5/{p}/container/iac/file/risk/paths");
    let statistics = || Call::get("/v5/{p}/common/task-statistics");
    let table = vec![
        ("retry: of files", retry_of(&of_clusters, &json!({"task_type": "iac_scan"})), 400, "HSS.0001"),
        ("retry: of a task of files", retry_of(&task, &all_failed), 400, "HSS.0001"),
        ("retry: unknown task", retry_of("nothing", &all_failed), 400, "HSS.0011"),
        ("retry: by POST", retry(json!({"range_type": "all_failed_cluster"})).with_method("POST"), 404, "APIGW.0101"),
        ("retry: unknown range", retry(json!({"range_type": "all_cluster"})), 400, "HSS.0001"),
        ("retry: no range", retry(json!({})), 400, "HSS.0001"),
        ("retry: specific, but which", retry(json!({"range_type": "specific_cluster"})), 400, "HSS.0001"),
        ("retry: none", retry(json!({"range_type": "specific_cluster", "cluster_info_list": []})), 400, "HSS.0001"),
        (
            "retry: 201 clusters",
            retry(json!({"range_type": "specific_cluster", "cluster_info_list": vec![one.clone(); 201]})),
            400,
            "HSS.0001",
        ),
        (
            "retry: all, and which",
            retry(json!({"range_type": "all_failed_cluster", "cluster_info_list": [one]})),
            400,
            "HSS.0001",
        ),
        (
            "resources: filter of files",
            resources(&of_clusters, &json!({"task_type": "cluster_scan", "iac_scan_info": {}})),
            400,
            "HSS.0001",
        ),
        ("tasks: filter of files", list_tasks(&json!({"task_type": "cluster_scan", "iac_scan_info": {}})), 400, "HSS.0001"),
        ("tasks: no type", list_tasks(&json!({})), 400, "HSS.0001"),
        ("tasks: unknown status", list_tasks(&json!({"task_type": "iac_scan", "task_status": "failed"})), 400, "HSS.0001"),
        ("tasks: unknown sort key", list_tasks(&json!({"task_type": "iac_scan", "sort_key": "end_time"})), 400, "HSS.0001"),
        ("tasks: limit 9", iac_tasks().query("limit=9"), 400, "HSS.0001"),
        ("tasks: limit 201", iac_tasks().query("limit=201"), 400, "HSS.0001"),
        ("tasks: offset 2000001", iac_tasks().query("offset=2000001"), 400, "HSS.0001"),
        ("tasks: offset -1", iac_tasks().query("offset=-1"), 400, "HSS.0001"),
        ("tasks: unknown parameter", iac_tasks().query("page=1"), 400, "HSS.0001"),
        ("tasks: broken escape", iac_tasks().query("a=%zz"), 400, "HSS.0002"),
        ("resources: unknown task", resources("nothing", &iac), 400, "HSS.0011"),
        ("resources: wrong type", resources(&task, &json!({"task_type": "cluster_scan"})), 400, "HSS.0001"),
        (
            "resources: unknown status",
            resources(&task, &json!({"task_type": "iac_scan", "iac_scan_info": {"scan_status": "x"}})),
            400,
            "HSS.0001",
        ),
        ("statistics: no type", statistics(), 400, "HSS.0001"),
        ("files: no scan type", files().query("offset=0&limit=10"), 400, "HSS.0001"),
        ("files: no offset", files().query("limit=10&scan_type=manual_scan"), 400, "HSS.0001"),
        ("files: no limit", files().query("offset=0&scan_type=manual_scan"), 400, "HSS.0001"),
        ("files: risky maybe", files().query("offset=0&limit=10&scan_type=manual_scan&risky=maybe"), 400, "HSS.0001"),
        ("risks: no file", risks().query("offset=0&limit=10"), 400, "HSS.0001"),
        (
            "risks: critical",
            risks().query(&format!("offset=0&limit=10&file_id={docker}&risk_level=critical")),
            400,
            "HSS.0001",
        ),
        ("risks: unknown file", risks().query("offset=0&limit=10&file_id=nothing"), 400, "HSS.0011"),
        ("paths: no rule", paths().query(&format!("offset=0&limit=10&file_id={docker}")), 400, "HSS.0001"),
        (
            "wrong project",
            Call { path: "/v5/other/common/task-statistics?task_type=iac_scan".to_owned(), ..statistics() },
            400,
            "HSS.0010",
        ),
        ("wrong method", iac_tasks().with_method("GET"), 404, "APIGW.0101"),
        ("wrong path", Call::get("/v5/{p}/container/iac/risks"), 404, "APIGW.0101"),
        ("no credential", statistics().without_token(), 401, "APIGW.0301"),
        ("wrong token", statistics().without_token().header("X-Auth-Token", "x"), 401, "APIGW.0301"),
        ("token for another project", statistics().header("X-Project-Id", "other"), 401, "APIGW.0301"),
    ];
    assert_refused(&emulator, table);
}

#[test]
fn refuses_a_retry_of_what_is_not_as_documented() {
    let emulator = start(Options::default());
    let retry_of = |info: Value| {
        let body = json!({"task_type": "cluster_scan", "cluster_scan_info": info});
        Call::post("/v5/{p}/common/tasks/any/retry", &body).with_method("PUT")
    };
    let of_types = |types: &[&str]| {
        let list = json!([{"cluster_id": "stand-in-cluster-1", "scan_type_list": types}]);
        retry_of(json!({"range_type": "specific_cluster", "cluster_info_list": list}))
    };
    let table = vec![
        ("retry: no scan type", of_types(&[]), 400, "HSS.0001"),
        ("retry: unknown scan type", of_types(&["virus"]), 400, "HSS.0001"),
        ("retry: scan type twice", of_types(&["benchmark", "benchmark"]), 400, "HSS.0001"),
        (
            "retry: cluster of 65 characters",
            retry_of(json!({"range_type": "specific_cluster", "cluster_info_list": [{"cluster_id": "x".repeat(65)}]})),
            400,
            "HSS.0001",
        ),
    ];
    assert_refused(&emulator, table);
}

#[test]
fn an_upload_keeps_all_or_nothing() {
    let emulator = start(Options { refuse_names: vec!["bad".to_owned()], ..Options::default() });
    let large = [b"FROM a\n".as_slice(), &vec![b'#'; 999_994]].concat();
    let files: [(&str, &[u8]); 5] =
        [("good", DOCKERFILE), ("bad", DOCKERFILE), ("large", &large), ("exact", &large[..1_000_000]), ("other", MANIFEST)];
    let answer = Call::upload("dockerfile", &files).answer(&emulator);
    let body = answer.json();
    let names = |list: &str| body[list].as_array().unwrap().iter().map(|row| row["file_name"].clone()).collect::<Vec<_>>();
    assert_eq!(answer.status, 200);
    assert_eq!(names("success_file_info"), ["exact", "good"]);
    let reasons = ["the file is not a Dockerfile", "the file is larger than 1M", "the file is refused"];
    let failed: Vec<Value> = ["other", "large", "bad"]
        .iter()
        .zip(reasons)
        .map(|(name, reason)| json!({"file_name": name, "fail_reason": reason}))
        .collect();
    assert_eq!(body["fail_file_info"], json!(failed));
    assert_eq!(emulator.files(), []);
    let lost = body["success_file_info"][1]["file_id"].as_str().unwrap().to_owned();
    assert_eq!(scan("dockerfile", &[lost]).answer(&emulator).code(), "HSS.0011");

    ids(&emulator, "dockerfile", &[("good", DOCKERFILE), ("exact", &large[..1_000_000])]);
    let kept: Vec<(String, usize)> = emulator.files().into_iter().map(|file| (file.name, file.bytes.len())).collect();
    assert_eq!(kept, [("good".to_owned(), DOCKERFILE.len()), ("exact".to_owned(), 1_000_000)]);
    assert_eq!(emulator.journal().iter().map(|call| call.effect).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn content_must_match_the_upload_type() {
    let emulator = start(Options::default());
    let table: [(&str, &str, bool); 9] = [
        ("dockerfile", "# syntax\nfrom alpine", true),
        ("dockerfile", "hello: world", false),
        ("dockerfile", "", false),
        ("k8s_yaml", "a: 1\n---\napiVersion: v1\nkind: Pod", true),
        ("k8s_yaml", "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", true),
        ("k8s_yaml", "- apiVersion: v1\n  kind: Pod", true),
        ("k8s_yaml", "apiVersion: v1\n---\nkind: Pod", false),
        ("k8s_yaml", "myapiVersion: v1\nkind: Pod", false),
        ("k8s_yaml", "FROM alpine", false),
    ];
    for (upload_type, content, taken) in table {
        let answer = Call::upload(upload_type, &[("f", content.as_bytes())]).answer(&emulator).json();
        let lists = ["success_file_info", "fail_file_info"].map(|list| answer[list].as_array().unwrap().len());
        assert_eq!(lists, [usize::from(taken), usize::from(!taken)], "{content}");
    }
}

#[test]
fn a_batch_may_be_refused_without_names() {
    let emulator = start(Options { refuse_batch_containing: vec!["odd".to_owned()], ..Options::default() });
    let answer = Call::upload("dockerfile", &[("even", DOCKERFILE), ("odd", DOCKERFILE)]).answer(&emulator);
    assert_eq!(
        (answer.status, answer.json()),
        (400, json!({"error_code": "HSS.1018", "error_msg": "invalid file information"}))
    );
    assert_eq!(emulator.files(), []);
}
