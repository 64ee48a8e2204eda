//! What `doctor` finds on the way to the service, and what it says to do.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
#[path = "../common/net.rs"]
mod net;
mod way;

use common::{Finished, Repo, calls, connect, faulty, hss_iac, project, quick, run, scripted, start};
use hss_iac::emulator::{Emulator, Fault, Options};
use serde_json::Value;

/// `doctor` with the credentials of the stand-in, JSON on stdout; `None` takes a variable away.
fn doctor(emulator: &Emulator, env: &[(&str, Option<&str>)], args: &[&str]) -> Finished {
    let nowhere = Repo::new();
    let mut command = hss_iac(nowhere.path());
    connect(&mut command, emulator).args(["doctor", "-o", "json"]).args(args);
    for (name, value) in env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.output().expect("the binary runs").into()
}

/// How each check ended, but for those that are well: `failed login 4`.
fn unwell(ran: &Finished) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = ran.json()["checks"].as_array().expect("checks").clone();
    let unwell = checks.iter().filter(|check| check["state"] != "ok");
    unwell
        .map(|check| {
            format!("{} {} {}", text(&check["state"]), text(&check["name"]), check["exit_code"]).replace(" null", "")
        })
        .collect()
}

/// What was found, and the remedy.
fn said(ran: &Finished, name: &str) -> (String, String) {
    let json = ran.json();
    let checks = json["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == name && check["state"] != "ok").expect("a check");
    let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
    (text("found"), text("remedy"))
}

const SKIPPED_AFTER_LOGIN: [&str; 3] = ["skipped project", "skipped permission", "skipped upload"];

#[test]
fn all_is_well_for_one_call() {
    let emulator = start(quick());
    let nowhere = Repo::new();
    let mut command = hss_iac(nowhere.path());
    let ran: Finished = connect(&mut command, &emulator).args(["doctor", "-q"]).output().expect("it runs").into();
    let expected = "\
A stand-in answered in place of HSS: this says nothing of HSS.
ok       region       cn-north-4: HSS is URL, IAM is URL
ok       credentials  an access key from HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY
ok       proxy        URL: none, since it is this machine
ok       resolve      127.0.0.1 is an address
ok       connection   URL answers
ok       tls          URL: plain http, which does not leave this machine
ok       clock        within a minute of the service's
ok       login        the service takes the credentials
ok       project      5a1d0c7e94b24f3f8e6b72c915d03a48
ok       permission   tasks can be listed
skipped  upload       not tried: --probe-upload uploads one tiny file, which stays in the project
10 checks: none failed (1 call; exit 0)
";
    assert_eq!((ran.code, ran.stdout.replace(&emulator.url(), "URL"), ran.stderr.as_str()), (0, expected.to_owned(), ""));
    let made: Vec<_> = emulator.journal().into_iter().map(|call| call.api).collect();
    assert_eq!(made, ["unknown", "tasks/batch-query"], "the first is / and no API");

    let looked_up = doctor(&emulator, &[("HSS_IAC_PROJECT_ID", None)], &[]);
    assert_eq!(looked_up.json()["calls"], serde_json::json!({"iam/projects": 1, "tasks/batch-query": 1}));
    assert_eq!((looked_up.code, unwell(&looked_up)), (0, vec!["skipped upload".to_owned()]));
}

#[test]
fn it_works_without_an_account() {
    let nowhere = Repo::new();
    let ran = run(nowhere.path(), &["doctor", "--emulator", "-o", "json"]);
    assert_eq!((ran.code, ran.json()["service"]["endpoint"].as_str()), (0, Some("stand-in")), "{}", ran.stderr);
    assert_eq!(ran.stdout, run(nowhere.path(), &["doctor", "--emulator", "-o", "json"]).stdout);
}

#[test]
fn a_probe_stays_and_says_so() {
    let emulator = start(quick());
    let ran = doctor(&emulator, &[], &["--probe-upload"]);
    assert_eq!((ran.code, unwell(&ran)), (0, Vec::new()), "{}", ran.stdout);
    let found = ran.json()["checks"].as_array().expect("checks").last().expect("upload")["found"].clone();
    assert_eq!(
        found,
        "uploaded hss-iac-doctor.Dockerfile of 13 bytes: it stays in the project, and HSS has no call to delete it"
    );
    assert_eq!((emulator.files().len(), emulator.tasks().len()), (1, 0));
}

#[test]
fn credentials_that_are_missing_halved_or_refused() {
    let emulator = start(quick());
    let none = [("HSS_IAC_ACCESS_KEY", None), ("HSS_IAC_SECRET_KEY", None)];
    let after = |first: &str| {
        let skipped = ["skipped login", "skipped project", "skipped permission", "skipped upload"];
        [&[first][..], &skipped].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let missing = doctor(&emulator, &none, &[]);
    assert_eq!((missing.code, unwell(&missing)), (4, after("failed credentials 4")));
    assert!(said(&missing, "credentials").0.starts_with("no credentials: set HSS_IAC_ACCESS_KEY"));
    let half = doctor(&emulator, &none[1..], &[]);
    assert_eq!((half.code, unwell(&half)), (4, after("failed credentials 4")));
    let expected = "half a credential: HSS_IAC_ACCESS_KEY is set and HSS_IAC_SECRET_KEY is not";
    let remedy = "set the other half, or unset this one so that the next source counts";
    assert_eq!(said(&half, "credentials"), (expected.to_owned(), remedy.to_owned()));
    assert!(emulator.journal().iter().all(|call| call.api == "unknown"), "/ alone was asked for");

    for project in [Some(Options::default().project_id), None] {
        let emulator = start(quick());
        let env = [("HSS_IAC_SECRET_KEY", Some("wrong")), ("HSS_IAC_PROJECT_ID", project.as_deref())];
        let refused = doctor(&emulator, &env, &[]);
        let mut expected = vec!["failed login 4".to_owned()];
        expected.extend(SKIPPED_AFTER_LOGIN.map(str::to_owned));
        assert_eq!((refused.code, unwell(&refused)), (4, expected));
        let remedy = "check the credentials (HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY): whole, active, not expired";
        let and = if project.is_some() { ", and that the project is one of theirs" } else { "" };
        assert_eq!(said(&refused, "login").1, format!("{remedy}{and}"));
        assert_eq!(emulator.journal().iter().filter(|call| call.status == Some(401)).count(), 1, "five lock the key");
    }
}

#[test]
#[cfg(unix)]
fn what_is_wrong_with_a_file_is_said_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let emulator = start(quick());
    let usual = Options::default();
    let repo = Repo::new().file("keys", &format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, usual.secret_key));
    let path = repo.path().join("keys");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let path = path.to_str().expect("a path");
    let env = [("HSS_IAC_ACCESS_KEY", None), ("HSS_IAC_SECRET_KEY", None), ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", Some(path))];
    let ran = doctor(&emulator, &env, &[]);
    let found = format!("{path} holds a credential and can be read by others");
    let remedy = "chmod 600, and renew it if others may have read it".to_owned();
    assert_eq!((ran.code, said(&ran, "credentials")), (0, (found, remedy)));
}

#[test]
fn an_identity_token_that_can_not_be_read() {
    let emulator = start(quick());
    let usual = Options::default();
    let nowhere = Repo::new();
    let path = nowhere.path().join("token");
    let env = [
        ("HSS_IAC_ACCESS_KEY", None),
        ("HSS_IAC_SECRET_KEY", None),
        ("HUAWEICLOUD_OIDC_PROVIDER_URN", Some(&*usual.provider_urn)),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", Some(&*usual.agency_urn)),
        ("HUAWEICLOUD_OIDC_TOKEN_FILE", path.to_str()),
        ("HSS_IAC_STS_ENDPOINT", Some(&*emulator.url())),
    ]
    .map(|(name, value)| (name, value.map(str::to_owned)));
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_deref())).collect();
    let ran = doctor(&emulator, &env, &[]);
    let expected = [&["failed login 4"][..], &SKIPPED_AFTER_LOGIN].concat();
    assert_eq!((ran.code, unwell(&ran)), (4, expected.iter().map(|text| (*text).to_owned()).collect()), "{}", ran.stdout);
    let (found, remedy) = said(&ran, "login");
    assert!(found.starts_with(&format!("the identity token {} can't be read: ", path.display())), "{found}");
    let named = "HUAWEICLOUD_OIDC_PROVIDER_URN, HUAWEICLOUD_OIDC_AGENCY_URN, HUAWEICLOUD_OIDC_TOKEN_FILE";
    assert_eq!(remedy, format!("nobody was asked yet: see to it on this machine; it is named by {named}"));
}

#[test]
fn a_project_of_somebody_else() {
    let emulator = start(quick());
    let token = Options::default().token;
    let by_token = [
        ("HSS_IAC_PROJECT_ID", Some("f00d")),
        ("HSS_IAC_ACCESS_KEY", None),
        ("HSS_IAC_SECRET_KEY", None),
        ("HSS_IAC_TOKEN", Some(&*token)),
    ];
    let ran = doctor(&emulator, &by_token, &[]);
    let expected = ["failed project 4", "skipped permission", "skipped upload"];
    assert_eq!((ran.code, unwell(&ran)), (4, expected.map(str::to_owned).into()));
    let remedy = "set HSS_IAC_PROJECT_ID or --project-id to a project of theirs in this region, or leave it out";
    assert_eq!(said(&ran, "project").1, remedy);

    // A key is refused at the gate with the project that it names, as a wrong key is.
    let ran = doctor(&emulator, &by_token[..1], &[]);
    let expected = [&["failed login 4"][..], &SKIPPED_AFTER_LOGIN].concat();
    assert_eq!((ran.code, unwell(&ran)), (4, expected.iter().map(|text| (*text).to_owned()).collect()));
    assert!(said(&ran, "login").1.ends_with(", and that the project is one of theirs"), "{}", ran.stdout);
}

#[test]
fn a_project_that_can_not_be_looked_up() {
    let emulator = start(faulty("iam/projects", 0, Fault::Status(403)));
    let ran = doctor(&emulator, &[("HSS_IAC_PROJECT_ID", None)], &[]);
    let expected = ["failed project 4", "skipped permission", "skipped upload"];
    assert_eq!((ran.code, unwell(&ran)), (4, expected.map(str::to_owned).into()), "{}", ran.stdout);
    assert_eq!(said(&ran, "project").1, "set HSS_IAC_PROJECT_ID or --project-id to a project of theirs in this region");
}

/// Answers every request with a page, as a web filter does.
fn filter(status: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = std::io::Read::read(&mut stream, &mut [0; 8_192]);
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 21");
            let _ = std::io::Write::write_all(&mut stream, format!("{head}\r\n\r\n<html>Blocked.</html>").as_bytes());
        }
    });
    url
}

#[test]
fn a_page_of_somebody_in_between_proves_no_login() {
    let emulator = start(quick());
    for status in ["403 Forbidden", "400 Bad Request", "404 Not Found", "413 Payload Too Large"] {
        let url = filter(status);
        let given =
            doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some(&url))], &["--project-id", &Options::default().project_id]);
        let unwell = unwell(&given).join(", ");
        assert!(
            unwell.starts_with("skipped clock, skipped login, skipped project, failed permission "),
            "{status}: {unwell}"
        );
        let (_, remedy) = said(&given, "permission");
        let between = "that is no answer of HSS: look at what stands in between, such as a proxy or a web filter";
        assert_eq!(remedy, between, "{status}");
        // Nor where it answers in place of IAM.
        let iam = [("HSS_IAC_IAM_ENDPOINT", Some(url.as_str())), ("HSS_IAC_PROJECT_ID", None)];
        let looked_up = doctor(&emulator, &iam, &[]);
        assert_eq!(said(&looked_up, "project").0, "not tried: the credentials were not taken", "{status}");
    }
}

#[test]
fn what_may_not_be_done_or_is_not_there() {
    let right = "give the IAM user or agency the right to use HSS in this project and enterprise project";
    let action = "give the IAM user or agency the action hss::batchUploadFiles (hss:hosts:set)";
    let region = "try another region, or ask Huawei Cloud support for batch-upload";
    let elsewhere = "HSS does not scan files there: try another region";
    let busy = "try again; if it stays, take the request id to Huawei Cloud support";
    for (api, fault, check, code, remedy) in [
        ("tasks/batch-query", Fault::NoPermission, "permission", 4, right),
        ("tasks/batch-query", Fault::NotPublished, "permission", 5, elsewhere),
        ("tasks/batch-query", Fault::Status(418), "permission", 5, busy),
        ("batch-upload", Fault::NoPermission, "upload", 4, action),
        ("batch-upload", Fault::NotPublished, "upload", 5, region),
    ] {
        let emulator = start(faulty(api, 0, fault.clone()));
        let ran = doctor(&emulator, &[], &["--probe-upload"]);
        let mut unwell = unwell(&ran);
        let is_unknown = (api, &fault) == ("tasks/batch-query", &Fault::NotPublished);
        if is_unknown {
            assert_eq!(
                unwell.drain(..2).collect::<Vec<_>>(),
                ["skipped login", "skipped project"],
                "a gateway knows nobody"
            );
        }
        assert_eq!((ran.code, &*unwell[0]), (code, &*format!("failed {check} {code}")), "{api} {fault:?}: {}", ran.stdout);
        assert_eq!(said(&ran, check).1, remedy, "{api} {fault:?}");
        assert_eq!((calls(&emulator, api), emulator.files().len()), (1, 0), "{api} {fault:?}");
    }
    let emulator = start(faulty("batch-upload", 0, Fault::NotPublished));
    let (found, _) = said(&doctor(&emulator, &[], &["--probe-upload"]), "upload");
    assert!(found.starts_with("the upload is not published in this region (cn-north-4), or withdrawn: "), "{found}");
}

#[test]
fn the_first_class_decides_and_a_fault_that_passes_is_none() {
    let emulator = start(Options { faults: vec![scripted("tasks/batch-query", 1, Fault::Status(503))], ..quick() });
    let ran = doctor(&emulator, &[], &[]);
    assert_eq!((ran.code, calls(&emulator, "tasks/batch-query")), (0, 2));
    let both = [("HSS_IAC_ENDPOINT", Some("http://127.0.0.1:1")), ("HSS_IAC_SECRET_KEY", None)];
    assert_eq!(doctor(&emulator, &both, &[]).code, 4);
}

#[test]
fn what_was_typed_wrong() {
    let nowhere = Repo::new();
    let ran = run(nowhere.path(), &["doctor"]);
    let expected = "\
FAILED   region       no region, so that no host is known
                      set HSS_IAC_REGION or --region to the id of your region, such as cn-north-4
FAILED   credentials  no credentials: set HSS_IAC_ACCESS_KEY and HSS_IAC_SECRET_KEY, or HSS_IAC_TOKEN
                      see \"Credentials\" in the README for every way there is, also without a key
skipped  proxy        not tried: no host is known
skipped  resolve      not tried: no host is known
skipped  connection   not tried: no host is known
skipped  tls          not tried: no host is known
skipped  clock        not tried: no host is known
skipped  login        not tried: no host is known
skipped  project      not tried: no host is known
skipped  permission   not tried: no host is known
skipped  upload       not tried: no host is known
2 checks: 2 failed (0 calls; exit 2)
";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, expected, ""));
    let first: String = expected.split_inclusive('\n').take(4).collect();
    for readme in ["README.md", "README.zh-CN.md"] {
        let readme = std::fs::read_to_string(project().join(readme)).expect("a README");
        assert!(readme.contains(&format!("$ hss-iac doctor\n{first}```")));
    }
    let ran = run(nowhere.path(), &["doctor", "--endpoint", "http://hss.example.test"]);
    let expected = "error: endpoint \"http://hss.example.test\": plain http is for loopback only: say https\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, "", expected));
}

#[test]
fn without_a_region_each_row_names_its_own_cause() {
    let emulator = start(quick());
    let no_region = [("HSS_IAC_REGION", None), ("HSS_IAC_PROJECT_ID", None), ("HSS_IAC_IAM_ENDPOINT", None)];
    let ran = doctor(&emulator, &no_region, &[]);
    let expected = ["skipped login", "failed project 2", "skipped permission", "skipped upload"];
    assert_eq!((ran.code, unwell(&ran)), (2, expected.map(str::to_owned).into()), "{}", ran.stdout);
    let url = emulator.url();
    assert_eq!(ran.json()["checks"][0]["found"], format!("HSS is {url}, IAM is not known without a region"));
    let project = "set HSS_IAC_PROJECT_ID or --project-id; or HSS_IAC_REGION or --region, to have it looked up";
    assert_eq!(said(&ran, "project"), ("no project, and no region to look it up by".to_owned(), project.to_owned()));
    assert!(emulator.journal().iter().all(|call| call.api == "unknown"), "/ alone was asked for, of HSS");
    assert_eq!(emulator.journal().len(), 1);

    let usual = Options::default();
    let keyless = [
        no_region[0],
        ("HSS_IAC_ACCESS_KEY", None),
        ("HSS_IAC_SECRET_KEY", None),
        ("HUAWEICLOUD_OIDC_PROVIDER_URN", Some(&*usual.provider_urn)),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", Some(&*usual.agency_urn)),
        ("HUAWEICLOUD_OIDC_ID_TOKEN", Some(&*usual.id_token)),
    ];
    let ran = doctor(&emulator, &keyless, &[]);
    let expected = "error: no STS endpoint to get keys from: set a region, or HSS_IAC_STS_ENDPOINT\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, "", expected));
}

#[test]
fn a_stand_in_in_ci_is_no_service() {
    let emulator = start(quick());
    let ran = doctor(&emulator, &[("CI", Some("true"))], &[]);
    let skipped = ["skipped login", "skipped project", "skipped permission", "skipped upload"];
    let expected = [&["failed connection 2"][..], &skipped].concat();
    assert_eq!((ran.code, unwell(&ran)), (2, expected.iter().map(|text| (*text).to_owned()).collect()));
    assert_eq!(doctor(&emulator, &[("CI", Some("true"))], &["--allow-stand-in"]).code, 0);
}
