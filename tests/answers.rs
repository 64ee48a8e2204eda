//! What a service may answer and the stand-in does not by itself: the client in this process, and the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "common/between.rs"]
mod between;
mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use between::{Answer, between};
use common::{BAD_DOCKERFILE, Finished, Repo, calls, clean_dockerfile, quick, scan_command, scripted, start, states};
use hss_iac::emulator::{Emulator, Fault, Options};
use hss_iac::hss::auth::{Agency, Credentials, IdToken, Plan};
use hss_iac::hss::{Client, Config, Error, Event, FileFilter, Kind, NewTask, Page, TaskFilter, Timings, UploadPart};
use hss_iac::model::FileType;
use serde_json::{Value, json};

const TIMINGS: Timings = Timings {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(20),
    knock: Duration::from_secs(20),
    backoff: Duration::from_millis(1),
    longest_backoff: Duration::from_millis(4),
    longest_wait: Duration::from_millis(7),
    window: Duration::from_millis(100),
    grace: Duration::from_millis(100),
};
const PAGE: Page = Page { offset: 0, limit: 10 };
/// How long a token of the stand-in holds, in seconds.
const DAY: i64 = 86_400;

fn config(url: &str, plan: Plan) -> Config {
    Config {
        endpoint: url.to_owned(),
        iam_endpoint: url.to_owned(),
        region: Some("cn-north-4".to_owned()),
        project_id: Some(Options::default().project_id),
        enterprise_project_id: "0".to_owned(),
        sts_endpoint: Some(url.to_owned()),
        plan,
        ca_pem: None,
        stand_in_allowed: true,
        rate: None,
        timings: TIMINGS,
    }
}

fn client(config: Config) -> Client {
    Client::new(config, Box::new(|_| ())).expect("a client")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

fn password() -> Plan {
    let Options { access_key, secret_key, account, .. } = Options::default();
    Plan::Password { user: access_key, password: secret_key.into(), domain: account }
}

fn token() -> Plan {
    Plan::Fixed(Credentials::Token(Options::default().token.into()))
}

fn agency(id_token: String) -> Plan {
    let Options { provider_urn, agency_urn, .. } = Options::default();
    Plan::Agency(Box::new(Agency {
        provider_urn,
        agency_urn,
        session_name: "test".to_owned(),
        seconds: 900,
        policy: None,
        policy_ids: Vec::new(),
        id_token: IdToken::Value(id_token.into()),
    }))
}

/// What a failed call says.
fn said<T: std::fmt::Debug>(result: Result<T, Error>) -> (Kind, String) {
    let error = result.expect_err("it fails");
    (error.kind, error.message)
}

/// The calls that reached the stand-in, in their order, each with its status; 0 where the connection broke.
fn journal(emulator: &Emulator) -> Vec<(String, u16)> {
    emulator.journal().into_iter().map(|call| (call.api, call.status.unwrap_or(0))).collect()
}

fn expected(calls: &[(&str, u16)]) -> Vec<(String, u16)> {
    calls.iter().map(|(api, status)| ((*api).to_owned(), *status)).collect()
}

#[test]
fn a_renewal_that_fails_leaves_in_use_what_still_holds() {
    let near_the_end = || Fault::Dated(DAY - 120);
    let mut faults: Vec<_> = (2..=7).map(|nth| scripted("iam/tokens", nth, Fault::ResetBefore)).collect();
    faults.extend([1, 2].map(|nth| scripted("iac/files", nth, near_the_end())));
    faults.push(scripted("iac/files", 3, Fault::Dated(DAY + 10)));
    let emulator = start(Options { faults, ..quick() });
    let client = client(config(&emulator.url(), password()));
    run(async {
        for call in 1..=4 {
            client.list_files(&FileFilter::default(), PAGE).await.unwrap_or_else(|error| panic!("{call}: {error:?}"));
        }
    });
    let lost = [("iam/tokens", 0); 6];
    let second = [("iac/files", 200), ("iac/files", 200)];
    let token = [("iam/tokens", 201), ("iac/files", 200)];
    assert_eq!(journal(&emulator), expected(&[&token[..], &lost, &second, &token].concat()), "it is tried again at the end");
}

#[test]
fn calls_at_once_renew_once() {
    let emulator = start(Options { faults: vec![scripted("iac/files", 1, Fault::Dated(DAY - 120))], ..quick() });
    let client = client(config(&emulator.url(), password()));
    let filter = FileFilter::default();
    run(async {
        client.list_files(&filter, PAGE).await.expect("an answer");
        let (one, two, three) = tokio::join!(
            client.list_files(&filter, PAGE),
            client.list_files(&filter, PAGE),
            client.list_files(&filter, PAGE)
        );
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
    });
    let token = [("iam/tokens", 201), ("iac/files", 200)];
    assert_eq!(journal(&emulator), expected(&[&token[..], &token, &[("iac/files", 200); 2]].concat()));
}

#[test]
fn a_token_that_ended_before_it_came_is_none() {
    let emulator = start(Options { faults: vec![scripted("iam/tokens", 1, Fault::Dated(2 * DAY))], ..quick() });
    let client = client(config(&emulator.url(), password()));
    run(async {
        for _ in 0..2 {
            let ended = (Kind::Login, "the credentials that were issued have ended already".to_owned());
            assert_eq!(said(client.list_files(&FileFilter::default(), PAGE).await), ended);
        }
    });
    assert_eq!(journal(&emulator), expected(&[("iam/tokens", 201)]));
}

#[test]
fn a_metadata_service_that_fails_is_not_asked_without_a_token() {
    let emulator = start(Options { faults: vec![scripted("metadata/token", 0, Fault::Status(503))], ..quick() });
    let client = client(config(&emulator.url(), Plan::Metadata { endpoint: emulator.url() }));
    let failed = said(run(client.list_files(&FileFilter::default(), PAGE)));
    assert!(failed.0 == Kind::Failing && failed.1.starts_with("metadata/token: 503 "), "{failed:?}");
    assert_eq!(journal(&emulator), expected(&[("metadata/token", 503); 6]));
}

#[test]
fn what_is_lacking_for_credentials_is_named_before_any_call() {
    let emulator = start(quick());
    let usual = |plan| config(&emulator.url(), plan);
    let length = "id_token: STS takes 4 to 20000 characters";
    let cases = [
        (usual(agency("abc".to_owned())), length),
        (usual(agency("a".repeat(20_001))), length),
        (
            Config { sts_endpoint: None, ..usual(agency("a token".to_owned())) },
            "no STS endpoint: set a region, or HSS_IAC_STS_ENDPOINT",
        ),
        (
            Config { project_id: None, region: None, ..usual(password()) },
            "no project that a token could be for: set HSS_IAC_PROJECT_ID, or a region",
        ),
        (
            Config { project_id: None, region: None, ..usual(token()) },
            "no project: set HSS_IAC_PROJECT_ID, or a region to look it up by",
        ),
    ];
    for (config, message) in cases {
        let failed = said(run(client(config).list_files(&FileFilter::default(), PAGE)));
        assert_eq!(failed, (Kind::Invalid, message.to_owned()));
    }
    assert_eq!(journal(&emulator), []);
}

#[test]
fn a_project_is_taken_only_where_there_is_one() {
    let none = "no project of region cn-north-4 is visible to these credentials: set HSS_IAC_PROJECT_ID";
    let several = "region cn-north-4 has several projects (a, b): set HSS_IAC_PROJECT_ID to one";
    for (projects, message) in [
        (json!([{"id": "b"}, {"id": "a"}, {"id": "b"}, {"name": "c"}]), several),
        (json!([]), none),
        (json!([{"name": "c"}]), none),
        (json!(null), none),
    ] {
        let emulator = start(quick());
        let url = between(&emulator, move |answer| answer.body["projects"] = projects.clone());
        let client = client(Config { project_id: None, ..config(&url, token()) });
        assert_eq!(said(run(client.project_id())), (Kind::Login, message.to_owned()));
        assert_eq!(client.project(), None);
    }
}

#[test]
fn an_upload_that_hss_does_not_take_is_not_sent() {
    let emulator = start(quick());
    let client = client(config(&emulator.url(), token()));
    let part = |name: &str, size| UploadPart {
        name: name.to_owned(),
        bytes: format!("FROM scratch\n{}", "#".repeat(size)).into_bytes()[..size].to_vec(),
    };
    let (long, longest) = ("n".repeat(513), "n".repeat(512));
    let larger = |name: &str| format!("files: {name} is larger or longer in name than HSS takes");
    run(async {
        for (parts, message) in [
            (vec![], "files: 0 parts, HSS takes 1 to 10".to_owned()),
            (vec![part("a", 1); 11], "files: 11 parts, HSS takes 1 to 10".to_owned()),
            (vec![part("a", 1), part("b", 1_000_001)], larger("b")),
            (vec![part("", 1)], larger("")),
            (vec![part(&long, 1)], larger(&long)),
        ] {
            assert_eq!(said(client.upload(FileType::Dockerfile, &parts).await), (Kind::Invalid, message));
        }
        assert_eq!(journal(&emulator), []);
        let most = [part(&longest, 13), part("b", 1_000_000)];
        let answer = client.upload(FileType::Dockerfile, &most).await.expect("an answer");
        assert_eq!((answer.uploaded.len(), answer.failed), (2, vec![]));
    });
}

#[test]
fn json_that_is_no_answer_is_none() {
    let emulator = start(quick());
    let url = between(&emulator, |answer| (answer.status, answer.body) = (200, json!({"error": null})));
    let client = client(config(&url, token()));
    let task = NewTask::Iac { file_type: FileType::Dockerfile, file_ids: vec!["f".to_owned()] };
    let parts = [UploadPart { name: "Dockerfile".to_owned(), bytes: b"FROM scratch\n".to_vec() }];
    let created = run(async {
        for (api, failed) in [
            ("batch-upload", said(client.upload(FileType::Dockerfile, &parts).await)),
            ("tasks/batch-query", said(client.list_tasks(&TaskFilter::default(), PAGE).await)),
            ("resources/batch-query", said(client.list_task_resources("t", PAGE).await)),
            ("resources/batch-query", said(client.list_task_clusters("t", PAGE).await)),
            ("iac/files", said(client.list_files(&FileFilter::default(), PAGE).await)),
            ("file/risks", said(client.list_risks("f", PAGE).await)),
            ("risk/paths", said(client.list_risk_paths("f", "r", PAGE).await)),
        ] {
            assert_eq!(failed, (Kind::Failing, format!("{api}: 200 with an answer that lacks what is documented")));
        }
        client.create_task(&task).await.expect_err("no id")
    });
    let message = "task: 200 with an answer that lacks what is documented";
    assert_eq!((created.kind, created.message.as_str(), created.lost), (Kind::Failing, message, true));
    assert_eq!(emulator.journal().len(), 8, "none is repeated");
}

#[test]
fn no_body_is_an_answer_only_where_none_is_documented() {
    let emulator = start(quick());
    let url = between(&emulator, |answer| (answer.status, answer.body) = (200, Value::Null));
    let client = client(config(&url, token()));
    let task = NewTask::Iac { file_type: FileType::Dockerfile, file_ids: vec!["f".to_owned()] };
    run(async {
        client.retry_failed_clusters("t").await.expect("it is heard");
        let created = client.create_task(&task).await.expect_err("no id");
        let message = "task: 200 with an answer that is not JSON";
        assert_eq!((created.kind, created.message.as_str(), created.lost), (Kind::Failing, message, true));
    });
    assert_eq!(emulator.journal().len(), 2, "neither is repeated");
}

#[test]
fn a_failing_service_may_ask_for_a_wait_but_not_for_any() {
    let emulator = start(quick());
    let mut asked = ["3600", "0"].into_iter();
    let url = between(&emulator, move |answer| {
        if let Some(seconds) = asked.next() {
            answer.status = 503;
            answer.headers = format!("Retry-After: {seconds}\r\n");
        }
    });
    let waits: Rc<RefCell<Vec<Duration>>> = Rc::default();
    let kept = Rc::clone(&waits);
    let observe = move |event: &Event| {
        if let Event::Repeating { after, .. } = event {
            kept.borrow_mut().push(*after);
        }
    };
    let client = Client::new(config(&url, token()), Box::new(observe)).expect("a client");
    run(client.list_files(&FileFilter::default(), PAGE)).expect("an answer");
    assert_eq!(emulator.journal().len(), 3);
    assert_eq!(waits.borrow()[..1], [TIMINGS.longest_wait]);
    assert!(waits.borrow()[1] <= TIMINGS.longest_backoff && waits.borrow().len() == 2, "no wait is none that was asked for");
}

/// With looks four times a second.
const QUICKLY: &[&str] = &["--rate", "50/1s"];

/// `scan` where every answer of HSS passes `change`.
fn scan(repo: &Repo, emulator: &Emulator, change: impl FnMut(&mut Answer) + Send + 'static) -> Finished {
    let url = between(emulator, change);
    let mut command = scan_command(repo.path(), emulator, QUICKLY);
    command.env("HSS_IAC_ENDPOINT", url).output().expect("it runs").into()
}

/// The reasons that files have, in order.
fn reasons(result: &Value) -> Vec<String> {
    let files = result["files"].as_array().expect("files").iter();
    let mut reasons: Vec<String> = files.filter_map(|file| Some(file["reason"].as_str()?.to_owned())).collect();
    reasons.sort();
    reasons
}

#[test]
fn a_finished_task_with_a_file_that_is_being_scanned_is_waited_for() {
    let emulator = start(Options { omit_counts: true, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let mut first = true;
    let ran = scan(&repo, &emulator, move |answer| {
        if answer.asked.contains("/resources/batch-query") && std::mem::take(&mut first) {
            answer.body["iac_scan_data_list"][0]["scan_status"] = json!("scanning");
        }
    });
    assert_eq!((ran.code, calls(&emulator, "resources/batch-query")), (1, 2), "{}", ran.stderr);
    assert_eq!(states(&ran.json()), [("Dockerfile".to_owned(), "scanned".to_owned())]);
}

#[test]
fn a_finished_task_that_says_nothing_clear_of_a_file_did_not_scan_it() {
    let emulator = start(Options { omit_counts: true, ..quick() });
    let repo = (0..3).fold(Repo::new(), |repo, n| repo.file(&format!("{n}/Dockerfile"), &clean_dockerfile(n)));
    let ran = scan(&repo, &emulator, |answer| {
        if answer.asked.contains("/resources/batch-query") {
            answer.body["iac_scan_data_list"][0]["scan_status"] = json!("paused");
            answer.body["iac_scan_data_list"].as_array_mut().expect("rows").pop();
            answer.body["total_num"] = json!(2);
        }
    });
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    let expected = ["HSS gives a scan status that is not known here", "the finished task does not list it"];
    assert_eq!(reasons(&ran.json()), expected);
}

/// `scan` of a clean file where the files are listed as those of pipelines, if at all; gives also which listings were asked for.
fn listed_elsewhere(at_all: bool) -> (Finished, Vec<&'static str>) {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", &clean_dockerfile(1));
    let none = json!({"total_num": 0, "data_list": []});
    let (sender, asked) = std::sync::mpsc::channel();
    let mut known = none.clone();
    let ran = scan(&repo, &emulator, move |answer| {
        if answer.asked.contains("/iac/files?") {
            let is_manual = answer.asked.contains("scan_type=manual_scan");
            sender.send(if is_manual { "manual" } else { "pipelines" }).expect("it is kept");
            if is_manual && at_all {
                known = std::mem::take(&mut answer.body);
            }
            answer.body = if is_manual { none.clone() } else { known.clone() };
        }
    });
    (ran, asked.try_iter().collect())
}

#[test]
fn a_file_that_is_listed_with_those_of_pipelines_is_found() {
    let (ran, asked) = listed_elsewhere(true);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(asked, ["manual", "manual", "pipelines"]);
}

#[test]
fn no_risk_without_a_word_that_there_is_none_is_no_pass() {
    let (ran, asked) = listed_elsewhere(false);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    let reason = "its risks could not be read: HSS lists no risk and does not say that it found none";
    assert_eq!(reasons(&ran.json()), [reason]);
    assert_eq!(asked, [&["manual"][..], &["manual", "pipelines"].repeat(3)].concat(), "it is asked three times");
}

#[test]
fn a_task_of_somebody_else_is_looked_into_once() {
    let faults = [1, 2].map(|nth| scripted("task", nth, Fault::ResetBefore)).into();
    let emulator = start(Options { faults, old_tasks: 4, ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran: Finished = scan_command(repo.path(), &emulator, QUICKLY).output().expect("it runs").into();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!((calls(&emulator, "task"), calls(&emulator, "resources/batch-query")), (3, 2));
}

/// Puts a copy of the first risk that is not high in the place of the high one; whether there was one.
fn hide_the_high_risk(answer: &mut Answer) -> bool {
    let Some(rows) = answer.body["data_list"].as_array_mut().filter(|_| answer.asked.contains("/file/risks")) else {
        return false;
    };
    let (high, others): (Vec<Value>, Vec<Value>) =
        std::mem::take(rows).into_iter().partition(|row| row["risk_level"] == "high");
    *rows = [vec![others[0].clone(); high.len()], others].concat();
    !high.is_empty()
}

#[test]
fn a_risk_that_comes_twice_in_the_place_of_another_hides_none() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let always = scan(&repo, &start(quick()), |answer| {
        hide_the_high_risk(answer);
    });
    assert_eq!(always.code, 7, "{}", always.stderr);
    assert_eq!(states(&always.json()), [("Dockerfile".to_owned(), "scan_failed".to_owned())]);

    let mut hidden = false;
    let once = scan(&repo, &start(quick()), move |answer| hidden = hidden || hide_the_high_risk(answer));
    assert_eq!(once.code, 1, "it is read again: {}", once.stderr);
    assert_eq!(states(&once.json()), [("Dockerfile".to_owned(), "scanned".to_owned())]);
}

#[test]
fn risks_and_places_that_come_twice_are_found_once() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: r/a:1\n    \
               securityContext:\n      privileged: true\n";
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("pod.yaml", pod);
    let ran = |twice: bool| {
        let finished = scan(&repo, &start(quick()), move |answer| {
            if twice && (answer.asked.contains("/file/risks") || answer.asked.contains("/risk/paths")) {
                let rows = answer.body["data_list"].as_array_mut().expect("rows");
                *rows = rows.iter().flat_map(|row| [row.clone(), row.clone()]).collect();
            }
        });
        finished.json()["findings"].clone()
    };
    assert_eq!(ran(true), ran(false));
}

#[test]
fn risks_that_share_an_id_and_differ_are_two() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = scan(&repo, &start(quick()), |answer| {
        if answer.asked.contains("/file/risks") {
            let rows = answer.body["data_list"].as_array_mut().expect("rows");
            rows.truncate(1);
            let worse = json!({"risk_level": "high", "risk_id": "r", "rule_id": "R", "risk_name": "worse"});
            *rows = vec![json!({"risk_level": "low", "risk_id": "r", "rule_id": "R", "risk_name": "bad"}), worse];
            answer.body["total_num"] = json!(1);
        }
    });
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.json()["counts"]["findings"]["low"], 1);
}

/// Has every row of a listing twice, and counted twice.
fn double(answer: &mut Answer, rows: &str) {
    let listed = answer.body[rows].as_array_mut().expect("rows");
    *listed = listed.iter().flat_map(|row| [row.clone(), row.clone()]).collect();
    answer.body["total_num"] = json!(listed.len());
}

#[test]
fn a_listing_that_counts_a_row_twice_loses_no_file_and_no_task() {
    let emulator = start(Options { omit_counts: true, faults: vec![scripted("task", 1, Fault::ResetAfter)], ..quick() });
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = scan(&repo, &emulator, |answer| {
        if answer.asked.contains("/resources/batch-query") {
            double(answer, "iac_scan_data_list");
        } else if answer.asked.contains("/tasks/batch-query") {
            double(answer, "data_list");
        }
    });
    assert_eq!((ran.code, calls(&emulator, "task")), (1, 1), "{}", ran.stderr);
    assert_eq!(states(&ran.json()), [("Dockerfile".to_owned(), "scanned".to_owned())]);
}
