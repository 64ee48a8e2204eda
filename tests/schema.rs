//! What the tool writes and reads, against the schemas that it prints.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Finished, Repo, calls, connect, hss_iac, project, quick, run, start};
use serde_json::{Value, json};

const BAD_MANIFEST: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  hostPID: true\n  containers:\n  - name: web\n    image: registry.example/web:1.2.3\n    securityContext:\n      privileged: true\n";

/// A repository with findings, some suppressed, and a file that is not UTF-8 in its name.
fn repo() -> Repo {
    Repo::new()
        .file("api/Dockerfile", BAD_DOCKERFILE)
        .file("k8s/web.yaml", BAD_MANIFEST)
        .file("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")
        .file("chart/templates/web.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n")
        .file(
            "hss-iac.toml",
            "[[suppress]]\nrule = 'SI-DF-002'\nreason = 'needs root'\nowner = 'shop'\nuntil = 2999-12-31\n",
        )
}

fn schema(of: &str) -> jsonschema::Validator {
    let schema = run(&project(), &["schema", of]);
    assert_eq!((schema.code, schema.stderr.as_str()), (0, ""));
    assert_eq!(schema.stdout, run(&project(), &["schema", of]).stdout);
    jsonschema::validator_for(&schema.json()).expect("a schema")
}

fn assert_valid(of: &str, document: &Value) {
    let faults: Vec<String> =
        schema(of).iter_errors(document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert_eq!(faults, [""; 0], "{document}");
}

#[test]
fn what_a_scan_writes_is_valid() {
    let repo = repo();
    let scan = ["scan", "-q", "--emulator", "-o", "json"];
    let result = run(repo.path(), &scan).json();
    assert_valid("result", &result);
    std::fs::write(repo.path().join("result.json"), result.to_string()).expect("a file");
    assert_eq!(run(repo.path(), &["baseline", "--force", "result.json"]).code, 0);
    let baseline = std::fs::read(repo.path().join("hss-iac-baseline.json")).expect("a baseline");
    assert_valid("baseline", &serde_json::from_slice(&baseline).expect("JSON"));
    std::fs::remove_dir_all(repo.path().join("k8s")).expect("it goes");
    let again = run(repo.path(), &[&scan[..], &["--baseline", "hss-iac-baseline.json", "api"]].concat()).json();
    assert!(again["resolved"].is_array() && again["counts"]["findings"]["known"].is_u64(), "{again}");
    assert_valid("result", &again);
    for (args, code) in [
        (&["--emulator", "--probe-upload"][..], 0),
        (&["--region", "cn-north-4", "--endpoint", "http://127.0.0.1:1"], 4),
        (&[], 2),
    ] {
        let examined = run(repo.path(), &[&["doctor", "-q", "-o", "json"], args].concat());
        assert_eq!((examined.code, &examined.json()["exit_code"]), (code, &json!(code)), "{}", examined.stderr);
        assert_valid("doctor", &examined.json());
    }
    let lost = run(repo.path(), &["scan", "-q", "--region", "cn-north-4", "-o", "json"]).json();
    assert_eq!(lost["verdict"]["exit_code"], 4);
    assert_valid("result", &lost);
}

#[test]
fn what_a_cluster_scan_writes_is_valid() {
    let repo = Repo::new();
    let scan = ["cluster-scan", "-q", "--type", "benchmark,cluster_vul", "-o", "json"];
    let stand_in = |args: &[&str]| run(repo.path(), &[&scan[..], &["--emulator"], args].concat()).json();
    let whole = stand_in(&["--all"]);
    assert_eq!((&whole["verdict"]["status"], &whole["complete"]), (&json!("pass"), &json!(true)));
    let pending = stand_in(&["--cluster", "stand-in-cluster-1", "--no-wait", "--retry-failed"]);
    assert_eq!((&pending["next"], &pending["verdict"]["status"]), (&json!("wait"), &json!("pending")));
    let refused = stand_in(&["--cluster", "nowhere"]);
    assert_eq!(refused["verdict"]["exit_code"], 5);
    let lost = run(repo.path(), &[&scan[..], &["--all", "--region", "cn-north-4"]].concat()).json();
    assert_eq!(lost["verdict"]["exit_code"], 4);
    for result in [&whole, &pending, &refused, &lost] {
        assert_valid("cluster-result", result);
    }
    for (pointer, value) in
        [("/verdict/status", json!("green")), ("/clusters/0/state", json!("fine")), ("/next", json!("?"))]
    {
        let mut wrong = pending.clone();
        *wrong.pointer_mut(pointer).expect(pointer) = value;
        assert!(!schema("cluster-result").is_valid(&wrong), "{pointer}");
    }
    assert!(!schema("cluster-result").is_valid(&run(repo.path(), &["scan", "-q", "--emulator", "-o", "json"]).json()));
}

#[test]
fn what_is_no_result_is_not_valid() {
    let result = run(repo().path(), &["scan", "-q", "--emulator", "-o", "json"]).json();
    for (pointer, value) in [
        ("/verdict/status", json!("green")),
        ("/findings/0/level", json!("worst")),
        ("/files/0/state", json!("fine")),
        ("/counts/files", json!(-1)),
        ("/findings/0/path", json!(7)),
    ] {
        let mut wrong = result.clone();
        *wrong.pointer_mut(pointer).expect(pointer) = value;
        assert!(!schema("result").is_valid(&wrong), "{pointer}");
    }
    let mut more = result.clone();
    more["colour"] = json!("blue");
    assert!(schema("result").is_valid(&more), "fields may be added");
    let mut less = result;
    less.as_object_mut().expect("an object").remove("verdict");
    assert!(!schema("result").is_valid(&less));
    let suppress = |key: &str, value: &str| json!({"suppress": [{"rule": "R", "reason": "r", key: value}]});
    assert!(schema("config").is_valid(&suppress("until", "2027-01-31")));
    assert_eq!(run(&project(), &["schema", "config"]).json()["$defs"]["Until"]["format"], "date");
    for wrong in [
        json!({"fail_on": "high"}),
        json!({"fail-on": "worst"}),
        json!({"suppress": [{"rule": "R"}]}),
        json!({"max": {"hihg": 1}}),
        json!({"max": {"high": -1}}),
        json!({"max": {"high": "1"}}),
        suppress("until", "soon"),
        suppress("until", "2027-1-31"),
        suppress("reason", " "),
        suppress("expires", "2027-01-31"),
    ] {
        assert!(!schema("config").is_valid(&wrong), "{wrong}");
    }
}

/// Documents as the first version wrote them. They are never changed, only added to: what was valid stays valid and readable.
#[test]
fn documents_of_the_first_version_stay_valid_and_readable() {
    let at = |name: &str| project().join("tests/schemas").join(name);
    let read = |name: &str| std::fs::read_to_string(at(name)).expect(name);
    let json = |name: &str| serde_json::from_str::<Value>(&read(name)).expect(name);
    assert_valid("result", &json("result-v1.json"));
    assert_valid("cluster-result", &json("cluster-result-v1.json"));
    assert_valid("baseline", &json("baseline-v1.json"));
    assert_valid("config", &toml::from_str(&read("config-v1.toml")).expect("TOML"));

    let repo = Repo::new().file("hss-iac.toml", &read("config-v1.toml")).file("known.json", &read("baseline-v1.json"));
    let saved = at("result-v1.json");
    let rendered = run(repo.path(), &["render", saved.to_str().expect("a path"), "-o", "json"]);
    assert_eq!((rendered.code, rendered.json()), (0, json("result-v1.json")), "{}", rendered.stderr);
    let ran = run(repo.path(), &["scan", "-q", "--emulator", "-o", "json"]);
    assert_eq!((ran.code, &ran.json()["policy"]["baseline"]), (0, &json!("known.json")), "{}", ran.stderr);
}

/// A result is gone on with only where it was begun, so that this one is given the address of the stand-in.
#[test]
fn a_cluster_result_of_the_first_version_is_gone_on_with() {
    let repo = Repo::new();
    let emulator = start(quick());
    let command = |args: &[&str]| -> Finished {
        let mut command = hss_iac(repo.path());
        connect(&mut command, &emulator).args(args).output().expect("it runs").into()
    };
    let create = ["cluster-scan", "-q", "--type", "cluster_vul,benchmark", "--all", "--no-wait"];
    assert_eq!(command(&create).code, 0);
    let recorded = std::fs::read_to_string(project().join("tests/schemas/cluster-result-v1.json")).expect("a file");
    let mut saved: Value = serde_json::from_str(&recorded).expect("JSON");
    assert!(emulator.tasks().iter().any(|task| saved["task"]["task_id"] == task.0), "{:?}", emulator.tasks());
    saved["service"]["endpoint"] = json!(emulator.url());
    std::fs::write(repo.path().join("saved.json"), saved.to_string()).expect("a file");
    let ran = command(&["resume", "-q", "saved.json"]);
    let done: Value = serde_json::from_slice(&std::fs::read(repo.path().join("saved.json")).expect("a file")).expect("JSON");
    assert_eq!((ran.code, &done["complete"], &done["next"]), (0, &json!(true), &json!(null)), "{}", ran.stderr);
    assert_eq!((&done["notes"], &done["run"]["id"]), (&saved["notes"], &saved["run"]["id"]));
    assert_eq!((calls(&emulator, "task"), calls(&emulator, "task/retry")), (1, 0), "neither is asked for again");
    assert_valid("cluster-result", &done);
}
