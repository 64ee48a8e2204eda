use serde_json::{Value, json};

use super::super::Options;
use super::super::rules::{Hit, Risk};
use super::super::store::{File, State, StoredFile};
use super::*;

fn hit(name: &str) -> Hit {
    Hit {
        resource_name: name.to_owned(),
        resource_type: "Pod".to_owned(),
        namespace: "default".to_owned(),
        hit_rule: "privileged".to_owned(),
        hit_path: "spec.containers[0]".to_owned(),
    }
}

fn risk(rule_id: &'static str, level: &'static str, build_instruction: Option<&str>, paths: Vec<Hit>) -> Risk {
    Risk {
        rule_id,
        name: "A name",
        level,
        category: "workload",
        description: "What it is.",
        remediation: "What to do.",
        build_instruction: build_instruction.map(str::to_owned),
        paths,
    }
}

fn file(id: &str, result: Option<Result<Vec<Risk>, String>>, late: u32) -> File {
    let stored = StoredFile {
        file_id: id.to_owned(),
        name: format!("{id}.yaml"),
        file_type: "k8s_yaml".to_owned(),
        bytes: Vec::new(),
        scanned: None,
    };
    let scanned = result.is_some().then_some((2000, 3000));
    File { stored, enterprise_project: "0".to_owned(), uploaded: 1000, scanned, result, late }
}

fn state(late: u32) -> State {
    let mut state = State::new(Options::default());
    let risks =
        vec![risk("SI-1", "high", None, vec![hit("a"), hit("b")]), risk("SI-2", "low", Some("USER root"), Vec::new())];
    let files = [
        file("risky", Some(Ok(risks)), late),
        file("clean", Some(Ok(Vec::new())), 0),
        file("failed", Some(Err("why".to_owned())), 0),
        file("new", None, 0),
    ];
    for file in files {
        state.keep(file);
    }
    state
}

fn query(rest: &str) -> Query {
    Query::parse(&format!("offset=0&limit=10&{rest}")).unwrap()
}

fn body(answer: Result<Answer, Refusal>) -> Value {
    serde_json::from_str(&answer.unwrap().body).unwrap()
}

#[test]
fn a_file_row_says_whether_and_when_it_was_scanned() {
    let row = |id: &str, risks: usize| {
        json!({"file_id": id, "file_name": format!("{id}.yaml"), "file_type": "k8s_yaml", "risky": risks > 0, "risk_num": risks,
               "upload_file_time": 1000, "scan_type": "manual_scan", "first_scan_time": 2000, "last_scan_time": 3000})
    };
    let mut new = row("new", 0);
    new.as_object_mut().unwrap().retain(|name, _| !name.ends_with("t_scan_time"));
    let all = json!({"total_num": 4, "data_list": [new, row("failed", 0), row("clean", 0), row("risky", 2)]});
    assert_eq!(body(files(&state(0), &query("scan_type=manual_scan"))), all);
    let ids = |filter: &str| {
        let rows = body(files(&state(0), &query(filter)));
        rows["data_list"].as_array().unwrap().iter().map(|row| row["file_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids("scan_type=manual_scan&risky=true"), ["risky"]);
    assert_eq!(ids("scan_type=manual_scan&risky=false"), ["new", "failed", "clean"]);
    assert_eq!(ids("scan_type=manual_scan&file_id=clean"), ["clean"]);
    assert_eq!(ids("scan_type=manual_scan&file_name=nope"), ["failed"; 0]);
    assert_eq!(ids("scan_type=manual_scan&file_type=dockerfile"), ["failed"; 0]);
    assert_eq!(ids("scan_type=cicd_scan"), ["failed"; 0]);
}

#[test]
fn a_risk_row_has_every_documented_field() {
    let mut state = state(0);
    let mut rows = body(risks(&mut state, &query("file_id=risky")));
    let ids: Vec<Value> = rows["data_list"].as_array_mut().unwrap().iter_mut().map(|row| row["risk_id"].take()).collect();
    assert_ne!(ids[0], ids[1]);
    let row = |rule: &str, level: &str, count: usize| {
        json!({"risk_id": null, "rule_id": rule, "risk_name": "A name", "risk_level": level, "risk_category": "workload",
               "risk_num": count, "last_scan_time": 3000, "description": "What it is.", "remediation": "What to do."})
    };
    let mut second = row("SI-2", "low", 1);
    second["build_instruction"] = json!("USER root");
    assert_eq!(rows, json!({"total_num": 2, "data_list": [second, row("SI-1", "high", 2)]}));
    let high = body(risks(&mut state, &query("file_id=risky&risk_level=high")));
    assert_eq!((&high["total_num"], &high["data_list"][0]["rule_id"]), (&json!(1), &json!("SI-1")));
}

#[test]
fn risks_may_come_late() {
    let mut state = state(2);
    let totals: Vec<Value> = (0..3).map(|_| body(risks(&mut state, &query("file_id=risky")))["total_num"].clone()).collect();
    assert_eq!(totals, [0, 0, 2]);
}

#[test]
fn paths_belong_to_a_rule() {
    let row = |name: &str| {
        json!({"resource_name": name, "resource_type": "Pod", "namespace": "default", "hit_rule": "privileged",
               "hit_path": "spec.containers[0]"})
    };
    let state = state(0);
    let all = body(paths(&state, &query("file_id=risky&rule_id=SI-1")));
    assert_eq!(all, json!({"total_num": 2, "data_list": [row("b"), row("a")]}));
    let one = body(paths(&state, &query("file_id=risky&rule_id=SI-1&resource_name=a")));
    assert_eq!(one, json!({"total_num": 1, "data_list": [row("a")]}));
    assert_eq!(body(paths(&state, &query("file_id=risky&rule_id=SI-2")))["total_num"], 0);
}
