//! Results to write reports from: made as JSON by hand, so that no writer is tested with its own types.

use serde_json::{Value, json};

/// Text that tries to break out of every format.
pub(crate) const HOSTILE: &str = "a|b`c`<script>alert(1)</script>]]>&amp;\"'\u{1b}[31m\u{202e}\u{7f}\u{fffe}\u{0}\r\n::error::x%0A##[error]y @everyone \
                                  [l](javascript:x) <!-- --> ${{ secrets.X }} 😀";

/// A result without findings: one clean file.
pub(crate) fn none() -> Value {
    result(&[file("api/Dockerfile", "dockerfile", "scanned")], &[])
}

/// A result with one finding.
pub(crate) fn one() -> Value {
    result(&[file("api/Dockerfile", "dockerfile", "scanned")], &[dockerfile_finding(0)])
}

/// A result with one finding of each file type.
pub(crate) fn two() -> Value {
    let files = [file("api/Dockerfile", "dockerfile", "scanned"), file("k8s/web.yaml", "k8s_yaml", "scanned")];
    result(&files, &[dockerfile_finding(0), kubernetes_finding("k8s/web.yaml", 1)])
}

/// The same, of a run that HSS did not answer.
pub(crate) fn stand_in() -> Value {
    let mut value = two();
    value["service"]["stand_in"] = json!(true);
    value
}

/// A run that was cut off before it could send anything.
pub(crate) fn cut_off() -> Value {
    let mut lost = file("k8s/web.yaml", "k8s_yaml", "not_scanned");
    lost["reason"] = json!("timed out after 30 min");
    let mut value = result(&[file("api/Dockerfile", "dockerfile", "reused"), lost], &[]);
    value["verdict"] = json!({"status": "error", "exit_code": 6, "reasons": ["timed out after 30 min"]});
    value["skipped"] = json!([{"path": "chart/templates/web.yaml", "reason": "helm_template"}]);
    value["notes"] = json!(["a directory could not be read"]);
    value
}

/// A run that found no file and is not whole all the same: a directory could not be read.
pub(crate) fn blind() -> Value {
    let mut value = result(&[], &[]);
    value["complete"] = json!(false);
    value["verdict"] = json!({"status": "partial", "exit_code": 7, "reasons": ["1 directory could not be read"]});
    value
}

/// A result that says as little as it may: empty texts, no place, one fingerprint and one rule for findings of two
/// levels, a path that is not UTF-8, and a place that can't be.
pub(crate) fn poor() -> Value {
    let mut first = dockerfile_finding(0);
    for field in ["rule_id", "name"] {
        first[field] = json!("");
    }
    for field in ["category", "location", "instruction", "description", "remediation"] {
        first[field] = Value::Null;
    }
    first.as_object_mut().expect("a finding").remove("line_hash");
    let (mut second, mut third) = (first.clone(), first.clone());
    second["level"] = json!("low");
    second["location"] = json!({"line": 0, "end_line": 0, "column": 0, "end_column": 0, "precision": "file"});
    third["level"] = json!("tips");
    third["path"] = json!("b\\xFF c%/Dockerfile");
    third["path_raw"] = json!("Yv8gYyUvRG9ja2VyZmlsZQ==");
    third["resource"] = json!({"kind": null, "namespace": null, "name": null});
    result(&[file("api/Dockerfile", "dockerfile", "scanned")], &[first, second, third])
}

/// A result of `count` findings with long texts, none like another, so that they do not shrink.
pub(crate) fn heavy(count: usize) -> Value {
    let mut value = many(count);
    let mut state = 1_u64;
    let mut noise = |length: usize| -> String {
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + u8::try_from(state >> 58).expect("six bits"))
        };
        (0..length).map(|_| letter()).collect()
    };
    for finding in value["findings"].as_array_mut().expect("findings") {
        for field in ["hit_path", "description"] {
            finding[field] = json!(noise(1_000));
        }
    }
    value
}

/// A result of `count` findings in a hundredth as many files.
pub(crate) fn many(count: usize) -> Value {
    let path = |file: usize| format!("team-{}/service-{file}/deploy.yaml", file % 7);
    let files: Vec<Value> = (0..count.div_ceil(100)).map(|n| file(&path(n), "k8s_yaml", "scanned")).collect();
    let findings: Vec<Value> = (0..count).map(|n| kubernetes_finding(&path(n / 100), n)).collect();
    result(&files, &findings)
}

/// A result in which every free text is hostile, a file was not scanned, and a finding is suppressed.
pub(crate) fn hostile() -> Value {
    let path = format!("dir\n{HOSTILE}/Dockerfile");
    let mut finding = dockerfile_finding(0);
    for field in ["name", "category", "instruction", "hit_rule", "hit_path", "description", "remediation", "rule_id", "path"]
    {
        finding[field] = json!(HOSTILE);
    }
    finding["path"] = json!(path);
    finding["resource"] = json!({"kind": HOSTILE, "namespace": HOSTILE, "name": HOSTILE});
    finding["snippet"] = json!([HOSTILE, "x".repeat(10_000)]);
    let mut suppressed = finding.clone();
    suppressed["suppressed"] = json!({"by": "config", "reason": HOSTILE, "owner": HOSTILE});
    suppressed["fingerprint"] = json!("f".repeat(32));
    let mut lost = file(&format!("{HOSTILE}.yaml"), "k8s_yaml", "scan_failed");
    lost["reason"] = json!(HOSTILE);
    let mut value = result(&[file(&path, "dockerfile", "scanned"), lost], &[finding, suppressed]);
    value["notes"] = json!([HOSTILE]);
    value["verdict"]["reasons"] = json!([HOSTILE]);
    value["skipped"] = json!([{"path": HOSTILE, "reason": "helm_template"}]);
    value["counts"]["skipped"] = json!(1);
    value["policy"]["baseline"] = json!(HOSTILE);
    value
}

/// A result that shows all there is to say of findings: every precision, a span of lines, tabs, what changed, what is known, suppressed or
/// resolved, and a file that was not scanned, against the stand-in.
pub(crate) fn rich() -> Value {
    let at = |mut finding: Value, level: &str, place: [u32; 4], precision: &str, snippet: &[&str]| {
        finding["level"] = json!(level);
        finding["location"] = json!({"line": place[0], "column": place[1], "end_line": place[2], "end_column": place[3], "precision": precision});
        finding["snippet"] = json!(snippet);
        finding
    };
    let docker = |n| dockerfile_finding(n);
    let kube = |n| kubernetes_finding("k8s/web.yaml", n);
    let mut changed =
        at(docker(2), "low", [3, 1, 5, 12], "exact", &["RUN curl -fsSL https://example.test/install.sh \\", "  | sh"]);
    changed["changed"] = json!(true);
    let mut known = at(docker(1), "high", [12, 1, 12, 10], "exact", &["USER root"]);
    known["bucket"] = json!("known");
    let mut missing = at(docker(3), "medium", [1, 1, 1, 2], "file", &[]);
    missing["path"] = json!("web/Dockerfile");
    let exact = at(kube(4), "high", [21, 4, 21, 20], "exact", &["\t\t\tprivileged: true\t# 部署"]);
    let parent = at(kube(5), "medium", [18, 9, 18, 24], "parent", &["        securityContext:"]);
    let resource = at(kube(6), "tips", [4, 3, 4, 12], "resource", &["  name: web"]);
    let mut suppressed = at(kube(7), "medium", [30, 9, 30, 26], "exact", &["        hostNetwork: true"]);
    suppressed["suppressed"] =
        json!({"by": "config", "reason": "The agent needs it.", "owner": "platform", "until": "2026-12-31"});
    let mut lost = file("k8s/broken.yaml", "k8s_yaml", "scan_failed");
    lost["reason"] = json!("the service could not read it");
    let files = [
        file("api/Dockerfile", "dockerfile", "scanned"),
        lost,
        file("k8s/web.yaml", "k8s_yaml", "scanned"),
        file("web/Dockerfile", "dockerfile", "scanned"),
    ];
    let mut value = result(&files, &[changed, known, exact, parent, resource, suppressed, missing]);
    value["service"]["stand_in"] = json!(true);
    value["policy"]["baseline"] = json!("known.json");
    value["policy"]["max"] = json!({"medium": 5});
    value["resolved"] = json!([{"path": "api/Dockerfile", "rule_id": "SI-DF-001", "text": "FROM debian:latest"}]);
    value["notes"] = json!(["one upload was repeated after a lost answer, copies may stay in the project"]);
    value["verdict"]["reasons"] = json!(["1 finding at high reaches the gate (high)", "1 file was not scanned"]);
    value
}

fn file(path: &str, file_type: &str, state: &str) -> Value {
    json!({
        "path": path, "file_type": file_type, "size": 812, "sha256": "0f".repeat(32), "masked": 0, "state": state,
        "reason": null, "file_id": "file-1", "task_id": "task-1", "reused_from": null, "changed": null,
    })
}

fn dockerfile_finding(n: usize) -> Value {
    json!({
        "rule_id": "SI-DF-003", "name": "The container runs as root", "level": "high", "category": "workload",
        "path": "api/Dockerfile",
        "location": {"line": 12, "end_line": 12, "column": 1, "end_column": 10, "precision": "exact"},
        "resource": null, "instruction": "USER root", "hit_rule": null, "hit_path": null, "snippet": ["USER root"],
        "line_hash": "54703d4cd895b18:1", "description": "A process that runs as root owns the node once it escapes.",
        "remediation": "Add USER with a number above 0.", "fingerprint": format!("{n:032x}"), "bucket": "new",
        "changed": null, "suppressed": null,
    })
}

fn kubernetes_finding(path: &str, n: usize) -> Value {
    let level = ["high", "medium", "low", "tips"][n % 4];
    json!({
        "rule_id": format!("SI-K8-{:03}", n % 40), "name": "A container is privileged", "level": level, "category": "workload",
        "path": path,
        "location": {"line": n + 1, "end_line": n + 1, "column": 9, "end_column": 25, "precision": "exact"},
        "resource": {"kind": "Deployment", "namespace": "shop", "name": format!("web-{n}")},
        "instruction": null, "hit_rule": "privileged == true",
        "hit_path": "spec.template.spec.containers[0].securityContext.privileged",
        "snippet": ["        privileged: true"], "line_hash": "271789c17abda88f:1",
        "description": "A privileged container has every right of the node.", "remediation": "Set privileged to false.",
        "fingerprint": format!("{n:032x}"), "bucket": "new", "changed": null, "suppressed": null,
    })
}

fn result(files: &[Value], findings: &[Value]) -> Value {
    let counted = |level: &str| findings.iter().filter(|f| f["level"] == level && f["suppressed"].is_null()).count();
    let state = |state: &str| files.iter().filter(|f| f["state"] == state).count();
    let (high, whole) = (counted("high"), state("scanned") + state("reused") == files.len());
    let (status, exit_code, reason) = match (high, whole) {
        (0, true) => ("pass", 0, "no finding reaches the gate (high)".to_owned()),
        (0, false) => ("partial", 7, "a file was not scanned".to_owned()),
        (n, _) => ("fail", 1, format!("{n} findings at high reach the gate (high)")),
    };
    json!({
        "schema_version": 1,
        "tool": {"name": "hss-iac", "version": "0.1.0"},
        "run": {"id": "5f0c", "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:01:00Z", "provider": null, "base": null},
        "service": {"endpoint": "https://hss.cn-north-4.myhuaweicloud.com", "region": "cn-north-4", "project_id": "p",
                    "enterprise_project_id": "0", "stand_in": false},
        "policy": {"fail_on": "high", "max": {}, "changed_only": false, "baseline": null},
        "complete": whole,
        "verdict": {"status": status, "exit_code": exit_code, "reasons": [reason]},
        "counts": {"files": files.len(), "scanned": state("scanned"), "reused": state("reused"), "upload_failed": 0,
                   "scan_failed": state("scan_failed"), "not_scanned": state("not_scanned"), "skipped": 0, "directories_not_searched": 0, "masked": 0,
                   "findings": {"high": high, "medium": counted("medium"), "low": counted("low"), "tips": counted("tips"),
                                "suppressed": findings.iter().filter(|f| !f["suppressed"].is_null()).count()}},
        "files": files, "skipped": [], "findings": findings,
        "tasks": [{"task_id": "task-1", "file_type": "dockerfile", "files": files.len(), "status": "finished"}],
        "calls": {"batch-upload": 1, "task": 1},
    })
}
