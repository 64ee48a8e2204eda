//! The client against a server that plays a script: one connection, one request, one line of the script.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::super::UploadedFile;
use super::*;

/// What the server does with a request.
enum Play {
    /// Status, header lines, body.
    Say(u16, &'static str, &'static str),
    /// The same, but the body breaks off: more is announced than comes.
    Break(u16, &'static str),
    /// Reads the request and closes the connection.
    HangUp,
    /// Reads the request and answers too late.
    Dawdle,
}

struct Server {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(script: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, seen): (Vec<Play>, _) = (script.into_iter().collect(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for play in script {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let request = read_request(&mut stream);
                seen.lock().unwrap().push(request);
                let text = match play {
                    Play::Say(status, headers, body) => answer(status, headers, body.len(), body),
                    Play::Break(status, body) => answer(status, "", body.len() + 10, body),
                    Play::HangUp => continue,
                    Play::Dawdle => {
                        std::thread::sleep(Duration::from_millis(400));
                        continue;
                    }
                };
                let _ = stream.write_all(text.as_bytes());
            }
        });
        Self { endpoint, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(status: u16, headers: &str, length: usize, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}")
}

fn read_request(stream: &mut TcpStream) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

type Log = Rc<RefCell<Vec<String>>>;

fn config(endpoint: &str) -> Config {
    let ms = Duration::from_millis;
    Config {
        endpoint: endpoint.into(),
        iam_endpoint: endpoint.into(),
        region: Some("cn-north-4".into()),
        project_id: Some("p1".into()),
        enterprise_project_id: "0".into(),
        credentials: Credentials::Keys { access_key: "AK".into(), secret_key: "SK".into(), security_token: None },
        ca_pem: None,
        timings: Timings {
            connect: ms(200),
            request: ms(200),
            backoff: ms(1),
            longest_backoff: ms(2),
            longest_wait: ms(30),
            window: ms(200),
            poll: ms(10),
        },
    }
}

/// A client, and the events it tells of, without times.
fn client(config: Config) -> (Client, Log) {
    let log = Log::default();
    let told = Rc::clone(&log);
    let observe = move |event: &Event| {
        told.borrow_mut().push(match event {
            Event::Answered { api, status, .. } => format!("{api} answered {status:?}"),
            Event::Repeating { api, why, .. } => format!("{api} again: {why}"),
            Event::Waiting { api, .. } => format!("{api} waits"),
        });
    };
    (Client::new(config, Box::new(observe)).unwrap(), log)
}

fn parts() -> Vec<UploadPart> {
    vec![UploadPart { name: "Dockerfile".into(), bytes: b"FROM alpine\n".to_vec() }]
}

fn task() -> NewTask {
    NewTask::Iac { file_type: FileType::Dockerfile, file_ids: vec!["f1".into()] }
}

const PAGE: Page = Page { offset: 0, limit: 10 };
const EMPTY: Play = Play::Say(200, "", r#"{"total_num":0,"data_list":[]}"#);
const UPLOADED: Play = Play::Say(200, "", r#"{"success_file_info":[{"file_name":"Dockerfile","file_id":"f1"}]}"#);

fn uploaded() -> UploadAnswer {
    UploadAnswer { uploaded: vec![UploadedFile { name: "Dockerfile".into(), file_id: "f1".into() }], failed: vec![] }
}

fn header(request: &str, name: &str) -> Option<String> {
    request.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
}

#[tokio::test]
async fn an_upload_is_worded_as_documented() {
    let server = Server::start([UPLOADED]);
    let (client, _) = client(config(&server.endpoint));
    assert_eq!(client.upload(FileType::Dockerfile, &parts()).await, Ok(uploaded()));
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v5/p1/common/files/batch-upload?enterprise_project_id=0 HTTP/1.1\r\n"), "{head}");
    let content_type = header(head, "content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"upload_type\"\r\n\r\ndockerfile\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"Dockerfile\"\r\n\r\nFROM alpine\n\r\n\
         --{boundary}--\r\n"
    );
    assert_eq!(body, expected);
    assert_eq!(header(head, "user-agent").unwrap(), concat!("hss-iac/", env!("CARGO_PKG_VERSION")));
    assert_eq!(header(head, "x-sdk-content-sha256").unwrap(), "UNSIGNED-PAYLOAD");
    assert_eq!(header(head, "x-project-id").unwrap(), "p1");
    let authorization = header(head, "authorization").unwrap();
    let signed = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-project-id;x-sdk-content-sha256;x-sdk-date, ";
    assert!(authorization.starts_with(signed), "{authorization}");
}

#[tokio::test]
async fn every_listing_has_its_path_and_query() {
    let resources = Play::Say(200, "", r#"{"total_num":0,"iac_scan_data_list":null}"#);
    let server = Server::start([EMPTY, resources, EMPTY, EMPTY, EMPTY]);
    let token = Credentials::Token("secret-token".into());
    let (client, _) = client(Config { credentials: token, ..config(&server.endpoint) });
    client.list_tasks(&TaskFilter::default(), PAGE).await.unwrap();
    client.list_task_resources("t 1", &ResourceFilter::default(), PAGE).await.unwrap();
    client.list_files(&FileFilter::default(), PAGE).await.unwrap();
    client.list_risks("f1", PAGE).await.unwrap();
    client.list_risk_paths("f1", "r&1", Page { offset: 200, limit: 200 }).await.unwrap();
    let requests = server.requests();
    assert!(requests.iter().all(|request| header(request, "x-auth-token").as_deref() == Some("secret-token")));
    let lines: Vec<String> = requests
        .iter()
        .map(|request| {
            let body = request.split_once("\r\n\r\n").unwrap().1;
            format!("{} {body}", request.lines().next().unwrap().trim_end_matches(" HTTP/1.1"))
        })
        .collect();
    let iac = r#"{"task_type":"iac_scan"}"#;
    assert_eq!(
        lines,
        [
            format!("POST /v5/p1/common/tasks/batch-query?offset=0&limit=10&enterprise_project_id=0 {iac}"),
            format!(
                "POST /v5/p1/common/tasks/t%201/resources/batch-query?offset=0&limit=10&enterprise_project_id=0 {iac}"
            ),
            "GET /v5/p1/container/iac/files?offset=0&limit=10&scan_type=manual_scan&enterprise_project_id=0 ".into(),
            "GET /v5/p1/container/iac/file/risks?offset=0&limit=10&file_id=f1&enterprise_project_id=0 ".into(),
            "GET /v5/p1/container/iac/file/risk/paths?offset=200&limit=200&file_id=f1&rule_id=r%261&enterprise_project_id=0 "
                .into(),
        ]
    );
    let counted: Vec<_> = client.calls().into_iter().collect();
    let expected = ["file/risks", "iac/files", "resources/batch-query", "risk/paths", "tasks/batch-query"];
    assert_eq!(counted, expected.map(|api| (api.to_owned(), 1)));
}

#[tokio::test]
async fn a_wrong_key_costs_one_refusal() {
    let body = r#"{"error_code":"APIGW.0301","error_msg":"verify aksk signature fail","request_id":"r"}"#;
    let server = Server::start([Play::Say(401, "", body), EMPTY, EMPTY, EMPTY]);
    let (client, _) = client(config(&server.endpoint));
    let answers = join_all((0..4).map(|_| client.list_risks("f1", PAGE))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.kind, Kind::Login);
        assert_eq!(error.message, "file/risks: 401 APIGW.0301 verify aksk signature fail (request id r)");
        assert_eq!(error.code.as_deref(), Some("APIGW.0301"));
    }
    assert_eq!(client.create_task(&task()).await.unwrap_err().status, Some(401));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_missing_permission_does_not_stop_other_calls() {
    let denied = Play::Say(400, "", r#"{"error_code":"HSS.0013","error_msg":"no permission"}"#);
    let server = Server::start([denied, EMPTY]);
    let (client, _) = client(config(&server.endpoint));
    assert_eq!(client.create_task(&task()).await.unwrap_err().kind, Kind::Login);
    assert!(client.list_risks("f1", PAGE).await.is_ok());
}

#[tokio::test]
async fn a_throttled_call_waits_and_goes_on() {
    let throttled = r#"{"error_code":"APIGW.0308","error_msg":"over ratelimit,limit:5,time:1 second"}"#;
    let server = Server::start([
        Play::Say(429, "", throttled),
        Play::Say(429, "Retry-After: 1\r\n", ""),
        Play::Say(200, "", r#"{"task_id":"t1"}"#),
    ]);
    let (client, log) = client(config(&server.endpoint));
    assert_eq!(client.create_task(&task()).await, Ok("t1".into()));
    assert_eq!(
        *log.borrow(),
        [
            "task answered Some(429)",
            "task again: task: 429 APIGW.0308 over ratelimit,limit:5,time:1 second",
            "task waits",
            "task answered Some(429)",
            "task again: task: 429",
            "task waits",
            "task answered Some(200)",
        ]
    );
    assert_eq!(client.calls(), BTreeMap::from([("task".to_owned(), 3)]));
}

#[tokio::test]
async fn a_task_whose_answer_is_lost_is_not_created_again() {
    for (play, message) in [
        (Play::Say(503, "", "busy"), "task: 503 busy"),
        (Play::Say(504, "", ""), "task: 504"),
        (Play::Say(200, "", "{}"), "task: 200 unreadable answer: no task_id"),
        (Play::Break(200, r#"{"task_id":"t1"}"#), "task: 200 unreadable answer: "),
        (Play::HangUp, "task: no answer from http://127.0.0.1:"),
        (Play::Dawdle, "task: no answer from http://127.0.0.1:"),
    ] {
        let server = Server::start([play, Play::Say(200, "", r#"{"task_id":"t2"}"#)]);
        let (client, _) = client(config(&server.endpoint));
        let error = client.create_task(&task()).await.unwrap_err();
        assert!(error.lost && error.kind == Kind::Failing, "{error:?}");
        assert!(error.message.starts_with(message), "{error}");
        assert_eq!(server.requests().len(), 1, "{message}");
    }
    for (status, kind) in [(400, Kind::Refused), (403, Kind::Login), (302, Kind::Failing)] {
        let server = Server::start([Play::Say(status, "", "")]);
        let (client, _) = client(config(&server.endpoint));
        let error = client.create_task(&task()).await.unwrap_err();
        assert_eq!((error.kind, error.lost), (kind, false), "{error}");
    }
}

#[tokio::test]
async fn an_upload_is_repeated_and_its_copies_are_counted() {
    let server = Server::start([
        Play::Say(502, "", "<html><title>502 Bad Gateway</title></html>"),
        Play::HangUp,
        Play::Break(200, "{"),
        UPLOADED,
    ]);
    let (client, log) = client(config(&server.endpoint));
    assert_eq!(client.upload(FileType::Dockerfile, &parts()).await, Ok(uploaded()));
    assert_eq!(client.repeated_uploads(), 3);
    assert_eq!(log.borrow()[1], "batch-upload again: batch-upload: 502 page: 502 Bad Gateway");
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.contains("FROM alpine")), "the body is built anew for every try");
}

#[tokio::test]
async fn a_read_gives_up_after_five_repetitions() {
    let server = Server::start((0..9).map(|_| Play::Say(200, "", r#"{"unexpected":1}"#)));
    let (client, _) = client(config(&server.endpoint));
    let error = client.list_risks("f1", PAGE).await.unwrap_err();
    assert_eq!(error.message, "file/risks: 200 unreadable answer: neither data_list nor total_num");
    assert_eq!((error.kind, error.lost), (Kind::Failing, false));
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn no_connection_is_repeated_even_for_a_new_task() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (client, log) = client(config(&format!("http://{closed}")));
    let error = client.create_task(&task()).await.unwrap_err();
    assert_eq!((error.kind, error.lost), (Kind::Unreachable, false));
    assert!(error.message.starts_with(&format!("task: no connection to http://{closed}: ")), "{error}");
    assert_eq!(log.borrow().iter().filter(|line| *line == "task answered None").count(), 6);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start([EMPTY]);
    let location = format!("Location: {}/x\r\n", elsewhere.endpoint).leak();
    let server = Server::start([Play::Say(307, location, "")]);
    let (client, _) = client(config(&server.endpoint));
    let error = client.list_files(&FileFilter::default(), PAGE).await.unwrap_err();
    assert_eq!(error.message, "iac/files: 307 redirects to 127.0.0.1, which is not followed");
    assert_eq!(error.kind, Kind::Failing);
    assert_eq!((server.requests().len(), elsewhere.requests().len()), (1, 0));
}

#[tokio::test]
async fn an_api_that_is_not_published_says_where_it_was_looked_for() {
    let body =
        r#"{"error_code":"APIGW.0101","error_msg":"The API does not exist or has not been published","request_id":"r"}"#;
    let server = Server::start([Play::Say(404, "", body)]);
    let (client, _) = client(config(&server.endpoint));
    let error = client.upload(FileType::Dockerfile, &parts()).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotPublished);
    assert_eq!(
        error.message,
        format!(
            "batch-upload: 404 APIGW.0101 The API does not exist or has not been published (request id r); \
             not published in this region, or withdrawn: tried region cn-north-4 at {}; \
             try another region or endpoint, or ask Huawei Cloud support whether this API is open to the account",
            server.endpoint
        )
    );
}

#[tokio::test]
async fn a_project_is_looked_up_once() {
    let found = Play::Say(200, "", r#"{"projects":[{"id":"p9","name":"cn-north-4"}]}"#);
    let server = Server::start([found, EMPTY, EMPTY]);
    let (client, _) = client(Config { project_id: None, ..config(&server.endpoint) });
    let answers = join_all((0..2).map(|_| client.list_risks("f1", PAGE))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(client.project_id().await, Ok("p9".into()));
    let firsts: Vec<String> = server.requests().iter().map(|request| request.lines().next().unwrap().into()).collect();
    let risks = "GET /v5/p9/container/iac/file/risks?offset=0&limit=10&file_id=f1&enterprise_project_id=0 HTTP/1.1";
    assert_eq!(firsts, ["GET /v3/projects?name=cn-north-4 HTTP/1.1", risks, risks]);
}

#[tokio::test]
async fn a_project_that_is_not_the_only_one_must_be_named() {
    for (body, message) in [
        (r#"{"projects":[]}"#, "IAM knows no project of region cn-north-4: set the project id"),
        (
            r#"{"projects":[{"id":"b","name":"n2"},{"id":"a","name":"n1"}]}"#,
            "IAM knows several projects of region cn-north-4, set one: a (n1), b (n2)",
        ),
    ] {
        let server = Server::start([Play::Say(200, "", body)]);
        let (client, _) = client(Config { project_id: None, ..config(&server.endpoint) });
        let error = client.project_id().await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Invalid, message));
    }
}

#[tokio::test]
async fn what_breaks_a_documented_limit_is_not_sent() {
    let server = Server::start([EMPTY]);
    let (client, _) = client(config(&server.endpoint));
    let page = Page { offset: 0, limit: 5 };
    assert_eq!(client.list_risks("f1", page).await.unwrap_err().kind, Kind::Invalid);
    assert_eq!(client.upload(FileType::Dockerfile, &[]).await.unwrap_err().kind, Kind::Invalid);
    assert_eq!(client.list_risk_paths("f1", "", PAGE).await.unwrap_err().kind, Kind::Invalid);
    assert_eq!(client.list_task_resources("../x", &ResourceFilter::default(), PAGE).await.unwrap_err().kind, Kind::Invalid);
    assert_eq!((client.calls(), server.requests().len()), (BTreeMap::new(), 0));
}

#[tokio::test]
async fn the_service_tells_its_clock_and_whether_it_is_a_stand_in() {
    let headers = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nX-HSS-Stand-In: 1\r\n";
    let server = Server::start([Play::Say(200, headers, r#"{"data_list":[]}"#)]);
    let (client, _) = client(config(&server.endpoint));
    assert_eq!((client.service_time(), client.stand_in()), (None, false));
    client.list_risks("f1", PAGE).await.unwrap();
    let time = client.service_time().unwrap();
    assert!((1_767_225_600_000..1_767_225_660_000).contains(&time), "{time}");
    assert!(client.stand_in());
}

#[test]
fn an_endpoint_is_https_or_loopback_and_nothing_more() {
    let build = |endpoint: &str| Client::new(config(endpoint), Box::new(|_| ())).err().map(|error| error.message);
    for good in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
        assert_eq!(build(good), None, "{good}");
    }
    let plain = |host: &str| Some(format!("endpoint: \"{host}\" is plain http, which is possible to loopback only"));
    for bad in ["http://hss.example", "http://127.0.0.1.example", "http://localhost.example", "http://10.0.0.1"] {
        assert_eq!(build(bad), plain(bad));
    }
    let bare = Some("endpoint: only https://host or https://host:port is possible".to_owned());
    for bad in ["https://user:pw@hss.example", "https://hss.example/path", "https://hss.example?q"] {
        assert_eq!(build(bad), bare, "{bad}");
    }
    assert!(build("ftp://hss.example").unwrap().ends_with("is neither https nor http"));
    assert!(build("hss.example").unwrap().contains("is no address"));
}

#[test]
fn certificates_must_be_certificates() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let config = Config { ca_pem: Some(pem.into()), ..config("https://hss.example") };
        let error = Client::new(config, Box::new(|_| ())).err().unwrap();
        assert_eq!(error.kind, Kind::Invalid, "{error}");
    }
}
