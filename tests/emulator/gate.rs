//! What holds for every API: headers, limits, signatures, faults, IAM, and the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hss_iac::emulator::{Fault, Options, ScriptedFault};
use serde_json::{Value, json};

use crate::call::{Call, DOCKERFILE, iac_tasks, start};

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
        let user = json!({"name": options.access_key, "password": password, "domain": {"name": options.account}});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let body = json!({"auth": {"identity": identity, "scope": {"project": {"name": "cn-north-4"}}}});
        Call::post("/v3/auth/tokens", &body).without_token().query("nocatalog=true").answer(&emulator)
    };
    let granted = login(&options.secret_key);
    let token = granted.headers.get("x-subject-token").expect("a token");
    assert_eq!(granted.status, 201);
    let mut call = Call::get("/v3/auth/projects").without_token();
    call.headers.push(("X-Auth-Token", token.clone()));
    assert_eq!(call.answer(&emulator).status, 200);
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
