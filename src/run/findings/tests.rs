use super::*;
use crate::discover::Selection;
use crate::model::{Level, State, Task, TaskStatus};

fn manifest(path: &str) -> SourceFile {
    SourceFile {
        path: path.into(),
        file_type: FileType::K8sYaml,
        size: 1,
        sha256: Some("of its bytes".to_owned()),
        secrets: Vec::new(),
        masked: 0,
        obstacle: None,
    }
}

fn risk(risk_num: u64) -> RiskRow {
    RiskRow {
        risk_id: String::new(),
        rule_id: "R".into(),
        name: "n".into(),
        level: Level::High,
        category: None,
        description: None,
        remediation: None,
        build_instruction: None,
        risk_num: Some(risk_num),
    }
}

fn place(hit_path: &str) -> PathRow {
    PathRow {
        resource_name: None,
        resource_type: None,
        namespace: None,
        hit_rule: None,
        hit_path: Some(hit_path.to_owned()),
    }
}

/// Of two equal files the second has no risks of its own until the run is over, and every draft knows more places than the last.
#[test]
fn each_draft_has_the_findings_of_equal_files_once() {
    let nowhere = discover::Options {
        root: "/no/such/directory".into(),
        selections: vec![Selection::Tree(RepoPath::default())],
        include: Vec::new(),
        exclude: Vec::new(),
        map: Vec::new(),
        no_ignore: false,
        tracked: false,
        mask_secrets: true,
    };
    let mut ledger = Ledger::open(vec![manifest("a.yaml"), manifest("b.yaml")]);
    ledger.pair();
    ledger.uploaded(0, "id".to_owned());
    let task = Task { task_id: "t".to_owned(), file_type: FileType::K8sYaml, files: 1, status: TaskStatus::Created };
    ledger.submitted(task, &[0]);
    ledger.found(0, vec![risk(2)]);
    ledger.end(0, State::ScanFailed, Some("some of its risks could not be read".to_owned()));

    let mut findings = Findings::of_earlier(Vec::new());
    let mut draft = |ledger: &Ledger| {
        findings.update(ledger, &nowhere);
        let all = findings.lend();
        let told = |finding: &Finding| format!("{} {:?} {}", finding.path, finding.hit_path, finding.places);
        let drafted: Vec<String> = all.iter().map(told).collect();
        findings.give_back(all);
        drafted
    };
    assert_eq!(draft(&ledger), ["a.yaml None 2", "b.yaml None 2"]);
    ledger.located("id", "R", vec![place("spec")]);
    let half = ["a.yaml None 1", r#"a.yaml Some("spec") 1"#, "b.yaml None 1", r#"b.yaml Some("spec") 1"#];
    assert_eq!(draft(&ledger), half);
    ledger.located("id", "R", vec![place("spec"), place("kind")]);
    let whole =
        [r#"a.yaml Some("kind") 1"#, r#"a.yaml Some("spec") 1"#, r#"b.yaml Some("kind") 1"#, r#"b.yaml Some("spec") 1"#];
    assert_eq!(draft(&ledger), whole);
    assert_eq!(draft(&ledger), whole);
    ledger.close("not waited for");
    assert_eq!(draft(&ledger), whole);
}
