//! The stand-in, spoken to over a bare socket: what it serves, what it refuses, and how it fails.
#![cfg(feature = "emulator")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hss_iac::emulator::{Emulator, Fault, Options, ScriptedFault};
use serde_json::{Value, json};

const DOCKERFILE: &[u8] = b"FROM alpine:3.20\nUSER app\n";
const MANIFEST: &[u8] = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// What came back.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
    /// Whether all of the body came.
    whole: bool,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error_code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request to be sent.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Call {
    fn get(path: &str) -> Self {
        Self { method: "GET", path: path.replace("{p}", &Options::default().project_id), headers: token(), body: Vec::new() }
    }

    fn post(path: &str, body: &Value) -> Self {
        Self::get(path).with_method("POST").typed("application/json", body.to_string().into_bytes())
    }

    fn upload(upload_type: &str, files: &[(&str, &[u8])]) -> Self {
        let text = part("name=\"upload_type\"", upload_type.as_bytes());
        let files = files.iter().map(|(name, bytes)| part(&format!("name=\"files\"; filename=\"{name}\""), bytes));
        Self::form(std::iter::once(text).chain(files).collect())
    }

    fn form(parts: Vec<Vec<u8>>) -> Self {
        let body = parts.into_iter().chain([b"--X--\r\n".to_vec()]).flatten().collect();
        let call = Self::get("/v5/{p}/common/files/batch-upload").with_method("POST");
        call.typed("multipart/form-data; boundary=X", body)
    }

    fn with_method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    fn query(self, query: &str) -> Self {
        Self { path: format!("{}?{query}", self.path), ..self }
    }

    fn typed(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers.push(("Content-Type", content_type.to_owned()));
        Self { body, ..self }
    }

    fn without_token(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "X-Auth-Token");
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends it on a connection of its own; `None` where that was closed without a byte of an answer.
    fn send(&self, emulator: &Emulator) -> Option<Reply> {
        let url = emulator.url();
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n\r\n"]);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut answer = Vec::new();
        // A reset ends the answer as well as a close does.
        let _ = stream.read_to_end(&mut answer);
        reply(&String::from_utf8(answer).unwrap())
    }

    fn answer(&self, emulator: &Emulator) -> Reply {
        self.send(emulator).unwrap()
    }
}

fn reply(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let whole = headers.get("content-length").is_some_and(|length| *length == body.len().to_string());
    Some(Reply { status, headers, body: body.to_owned(), whole })
}

fn token() -> Vec<(&'static str, String)> {
    vec![("X-Auth-Token", Options::default().token)]
}

fn part(disposition: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn start(options: Options) -> Emulator {
    Emulator::start(options).unwrap()
}

/// Uploads files and returns their ids, in the order of the names.
fn ids(emulator: &Emulator, upload_type: &str, files: &[(&str, &[u8])]) -> Vec<String> {
    let answer = Call::upload(upload_type, files).answer(emulator).json();
    let id = |name: &str| {
        let rows = answer["success_file_info"].as_array().unwrap();
        rows.iter().find(|row| row["file_name"] == name).unwrap()["file_id"].as_str().unwrap().to_owned()
    };
    files.iter().map(|(name, _)| id(name)).collect()
}

fn scan(file_type: &str, ids: &[String]) -> Call {
    let info = json!({"file_type": file_type, "file_id_list": ids});
    Call::post("/v5/{p}/common/task", &json!({"task_type": "iac_scan", "iac_scan_info": info}))
}

fn list_tasks(filter: &Value) -> Call {
    Call::post("/v5/{p}/common/tasks/batch-query", filter)
}

fn iac_tasks() -> Call {
    list_tasks(&json!({"task_type": "iac_scan"}))
}

fn resources(task_id: &str, filter: &Value) -> Call {
    Call::post(&format!("/v5/{{p}}/common/tasks/{task_id}/resources/batch-query"), filter)
}

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
    let files = || Call::get("/v5/{p}/container/iac/files");
    let risks = || Call::get("/v5/{p}/container/iac/file/risks");
    let paths = || Call::get("/v5/{p}/container/iac/file/risk/paths");
    let statistics = || Call::get("/v5/{p}/common/task-statistics");
    let table = vec![
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
fn a_cluster_scan_is_finished_at_once() {
    let emulator = start(Options::default());
    let info = json!({"scan_type_list": ["benchmark"], "range_type": "all_cluster"});
    let body = json!({"task_type": "cluster_scan", "cluster_scan_info": info});
    let task_id = Call::post("/v5/{p}/common/task", &body).answer(&emulator).json()["task_id"].as_str().unwrap().to_owned();
    let rows = list_tasks(&json!({"task_type": "cluster_scan", "task_id": task_id})).answer(&emulator).json();
    assert_eq!((&rows["total_num"], &rows["data_list"][0]["task_status"]), (&json!(1), &json!("finished")));
    let clusters = resources(&task_id, &json!({"task_type": "cluster_scan"})).answer(&emulator).json();
    assert_eq!(clusters["cluster_scan_data_list"].as_array().unwrap().len(), 2);
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

#[test]
fn every_answer_says_that_it_is_no_service() {
    let emulator = start(Options::default());
    let calls = [iac_tasks(), iac_tasks().query("limit=1"), Call::get("/"), iac_tasks().without_token()];
    let mut requests = std::collections::BTreeSet::new();
    for call in calls {
        let reply = call.answer(&emulator);
        assert_eq!(reply.headers["x-hss-stand-in"], concat!("hss-iac ", env!("CARGO_PKG_VERSION")));
        assert!(reply.headers["date"].ends_with("GMT"));
        requests.insert(reply.headers["x-request-id"].clone());
    }
    assert_eq!(requests.len(), 4);
}

#[test]
fn each_api_has_its_own_limit_and_window() {
    let window = Duration::from_secs(1);
    let emulator = start(Options { throttle: Some((2, window)), throttle_retry_after: true, ..Options::default() });
    let begin = Instant::now();
    let statuses: Vec<u16> = (0..3).map(|_| iac_tasks().answer(&emulator).status).collect();
    assert!(begin.elapsed() < window, "the machine is too slow for this test");
    assert_eq!(statuses, [200, 200, 429]);
    let refused = iac_tasks().answer(&emulator);
    let message = "The throttling threshold has been reached: policy user over ratelimit,limit:2,time:1 second";
    let body = json!({"error_code": "APIGW.0308", "error_msg": message, "request_id": refused.headers["x-request-id"]});
    assert_eq!((refused.json(), refused.headers["retry-after"].as_str()), (body, "1"));
    assert_eq!(Call::get("/v3/projects").answer(&emulator).status, 200);
    std::thread::sleep(window);
    assert_eq!(iac_tasks().answer(&emulator).status, 200);
    assert_eq!(emulator.refusals(), Vec::<String>::new());
}

#[test]
fn a_signed_call_needs_no_token() {
    let options = Options::default();
    let emulator = start(options.clone());
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let sha256 = |text: &str| hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    let canonical = format!("GET\n/v3/projects/\nname=a%20b\nx-sdk-date:{now}\n\nx-sdk-date\n{}", sha256(""));
    let to_sign = format!("SDK-HMAC-SHA256\n{now}\n{}", sha256(&canonical));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, options.secret_key.as_bytes());
    let signature = hex(ring::hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let access_key = options.access_key;
    let authorization = format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders=x-sdk-date, Signature={signature}");
    let call = |query: &str| {
        let call = Call::get("/v3/projects").query(query).without_token();
        call.header("X-Sdk-Date", &now).header("Authorization", &authorization).answer(&emulator).status
    };
    assert_eq!(["name=a%20b", "name=a+b", "name=ab"].map(call), [200, 401, 401]);
}

#[test]
fn a_key_is_locked_after_more_than_five_failures() {
    let emulator = start(Options::default());
    let access_key = Options::default().access_key;
    let forged = format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders=x-sdk-date, Signature=00");
    let call = iac_tasks().without_token().header("Authorization", &forged).header("X-Sdk-Date", "20260101T000000Z");
    let messages: Vec<String> = (0..7)
        .map(|_| {
            let reply = call.answer(&emulator);
            assert_eq!((reply.status, reply.code().as_str()), (401, "APIGW.0301"));
            reply.json()["error_msg"].as_str().unwrap().rsplit(": ").next().unwrap().to_owned()
        })
        .collect();
    let wrong = "verify aksk signature fail";
    assert_eq!(messages, [wrong, wrong, wrong, wrong, wrong, wrong, "AK access failed to reach the limit"]);
    assert_eq!(iac_tasks().answer(&emulator).status, 200);
}

#[test]
fn each_fault_shows_itself_and_has_the_effect_that_it_says() {
    let slow = Duration::from_millis(150);
    let table = [
        (Fault::Throttle { retry_after: None }, Some((429, "APIGW.0308", true)), false),
        (Fault::Throttle { retry_after: Some(7) }, Some((429, "APIGW.0308", true)), false),
        (Fault::Status(500), Some((500, "HSS.0041", true)), false),
        (Fault::StatusAfter(503), Some((503, "HSS.0041", true)), true),
        (Fault::Html502, Some((502, "", true)), false),
        (Fault::ResetBefore, None, false),
        (Fault::ResetAfter, None, true),
        (Fault::Truncate, Some((200, "", false)), true),
        (Fault::Slow(slow), Some((200, "", true)), true),
        (Fault::ExpiredToken, Some((401, "APIGW.0301", true)), false),
        (Fault::NotPublished, Some((404, "APIGW.0101", true)), false),
        (Fault::Garbage, Some((200, "", true)), true),
    ];
    for (fault, expected, effect) in table {
        let scripted = ScriptedFault { api: "batch-upload".to_owned(), nth: 2, fault: fault.clone() };
        let emulator = start(Options { faults: vec![scripted], ..Options::default() });
        let call = Call::upload("dockerfile", &[("a", DOCKERFILE)]);
        assert!(call.answer(&emulator).json()["fail_file_info"].as_array().unwrap().is_empty());
        let begin = Instant::now();
        let reply = call.send(&emulator);
        let took = begin.elapsed();
        let summary = reply.as_ref().map(|reply| (reply.status, reply.code(), reply.whole));
        assert_eq!(summary, expected.map(|(status, code, whole)| (status, code.to_owned(), whole)), "{fault:?}");
        assert_eq!(emulator.files().len(), 1 + usize::from(effect), "{fault:?}");
        let entry = emulator.journal().remove(1);
        assert_eq!((entry.status, entry.effect), (expected.map(|(status, ..)| status), effect), "{fault:?}");
        assert!(entry.detail.starts_with(&format!("fault {fault:?}")), "{}", entry.detail);
        assert_eq!(emulator.refusals(), Vec::<String>::new(), "{fault:?}");
        let json = reply.as_ref().is_some_and(|reply| serde_json::from_str::<Value>(&reply.body).is_ok());
        assert_eq!(
            json,
            !matches!(fault, Fault::Html502 | Fault::ResetBefore | Fault::ResetAfter | Fault::Truncate | Fault::Garbage)
        );
        let header = reply.and_then(|reply| reply.headers.get("retry-after").cloned());
        assert_eq!(header, matches!(fault, Fault::Throttle { retry_after: Some(_) }).then(|| "7".to_owned()));
        assert!(!matches!(fault, Fault::Slow(_)) || took >= slow);
    }
}

#[test]
fn a_caller_that_leaves_is_not_refused() {
    let emulator = start(Options::default());
    let url = emulator.url();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let path = format!("/v5/{}/common/task", Options::default().project_id);
    stream.write_all(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{").as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert_eq!((emulator.journal(), emulator.refusals()), (Vec::new(), Vec::new()));
}

#[test]
fn faults_are_drawn_by_the_seed_at_the_given_rate() {
    let outcomes = |seed| {
        let emulator = start(Options { fault_rate: 0.25, seed, ..Options::default() });
        for _ in 0..200 {
            Call::get("/v3/projects").send(&emulator);
        }
        emulator.journal()
    };
    let first = outcomes(1);
    assert_eq!(first, outcomes(1));
    assert_ne!(first, outcomes(2));
    let faults = first.iter().filter(|call| call.detail.starts_with("fault")).count();
    assert!((30..=70).contains(&faults), "{faults} of 200");
}

#[test]
fn iam_finds_the_project_and_gives_the_token() {
    let options = Options::default();
    let emulator = start(options.clone());
    for path in ["/v3/projects?name=ap-southeast-3", "/v3/auth/projects"] {
        let projects = Call::get(path).answer(&emulator).json()["projects"].clone();
        assert_eq!((projects.as_array().unwrap().len(), projects[0]["id"].as_str()), (1, Some(options.project_id.as_str())));
    }
    let login = |password: &str| {
        let user = json!({"name": options.access_key, "password": password, "domain": {"name": "account"}});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let body = json!({"auth": {"identity": identity, "scope": {"project": {"name": "cn-north-4"}}}});
        Call::post("/v3/auth/tokens", &body).without_token().query("nocatalog=true").answer(&emulator)
    };
    let granted = login(&options.secret_key);
    assert_eq!((granted.status, granted.headers.get("x-subject-token")), (201, Some(&options.token)));
    let denied = login("wrong");
    assert_eq!((denied.status, denied.json()["error"]["title"].as_str()), (401, Some("Unauthorized")));
}

#[test]
fn a_dropped_stand_in_no_longer_listens() {
    let emulator = start(Options::default());
    let url = emulator.url();
    drop(emulator);
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err());
}
