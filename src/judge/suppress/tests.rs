use jiff::civil::date;

use super::super::tests::{file, finding};
use super::*;
use crate::model::{Level, State};

const TODAY: Date = date(2027, 1, 31);

fn entry(rule: &str) -> Entry {
    Entry {
        rule: rule.to_owned(),
        path: None,
        resource: None,
        reason: "why".to_owned(),
        until: None,
        owner: None,
        place: ("hss-iac.toml".to_owned(), 7),
    }
}

fn at(path: &str, rule: &str) -> Finding {
    Finding { path: path.into(), rule_id: rule.into(), ..finding(Level::High) }
}

fn whole(files: &[FileRecord]) -> Looked<'_> {
    Looked { files, whole: true, today: TODAY }
}

fn record(path: &str, state: State) -> FileRecord {
    FileRecord { path: path.into(), ..file(state) }
}

fn resource(kind: &str, name: &str) -> Resource {
    Resource { kind: Some(kind.into()), namespace: None, name: Some(name.into()) }
}

#[test]
fn an_entry_is_about_a_rule_a_path_and_an_object() {
    let of = |path: Option<&str>, resource: Option<&str>| Entry {
        path: path.map(|path| glob::Pattern::new(path).expect("a pattern")),
        resource: resource.map(str::to_owned),
        ..entry("R")
    };
    let web = Finding { resource: Some(resource("Deployment", "web")), ..at("a/b/web.yaml", "R") };
    for (entry, met) in [
        (entry("R"), true),
        (entry("r"), false),
        (entry("R2"), false),
        (of(Some("a/b/web.yaml"), None), true),
        (of(Some("a"), None), true),
        (of(Some("a/*"), None), true),
        (of(Some("*.yaml"), None), false),
        (of(Some("**/*.yaml"), None), true),
        (of(None, Some("web")), true),
        (of(None, Some("Deployment/web")), true),
        (of(None, Some("Job/web")), false),
        (of(None, Some("Deployment")), false),
        (of(Some("b"), Some("web")), false),
    ] {
        let mut findings = [web.clone()];
        apply(std::slice::from_ref(&entry), &[], whole(&[]), &mut findings);
        assert_eq!(findings[0].suppressed.is_some(), met, "{entry:?}");
    }
    let mut placeless = [at("a/b/web.yaml", "R")];
    apply(&[of(None, Some("web"))], &[], whole(&[]), &mut placeless);
    assert_eq!(placeless[0].suppressed, None);
}

#[test]
fn the_last_day_counts_and_the_next_does_not() {
    for (until, holds) in [(date(2027, 1, 31), true), (date(2027, 1, 30), false), (date(2028, 1, 1), true)] {
        let mut findings = [at("a", "R")];
        let entries = [Entry { until: Some(until), owner: Some("shop".into()), ..entry("R") }];
        let notes = apply(&entries, &[], whole(&[]), &mut findings);
        let expected = Suppression {
            by: SuppressedBy::Config,
            reason: "why".into(),
            owner: Some("shop".into()),
            until: Some(until.to_string()),
        };
        assert_eq!(findings[0].suppressed, holds.then_some(expected));
        assert_eq!(notes.is_empty(), holds, "{notes:?}");
    }
}

#[test]
fn what_is_no_longer_needed_is_told_where_that_can_be_known() {
    let under = |path: &str| Entry { path: Some(glob::Pattern::new(path).expect("a pattern")), ..entry("R") };
    let files = [record("a/x", State::Scanned), record("b/x", State::ScanFailed)];
    for (entry, looked, told) in [
        (entry("R"), Looked { files: &files[..1], whole: true, today: TODAY }, true),
        (entry("R"), Looked { files: &files[..1], whole: false, today: TODAY }, false),
        (entry("R"), whole(&files), false),
        (under("a"), whole(&files), true),
        (under("a"), Looked { files: &files, whole: false, today: TODAY }, true),
        (under("b"), whole(&files), false),
        (under("c"), whole(&files), true),
        (under("c"), Looked { files: &files, whole: false, today: TODAY }, false),
    ] {
        let notes = apply(std::slice::from_ref(&entry), &[], looked, &mut []);
        let expected = if told { vec!["hss-iac.toml:7: the suppression of R meets no finding"] } else { vec![] };
        assert_eq!(notes, expected, "{entry:?}");
    }
}

#[test]
fn a_comment_reaches_its_line_the_next_one_and_the_instruction_around_it() {
    use FileType::{Dockerfile, K8sYaml};
    use Precision::{Exact, File, Parent, Resource};

    let location = |line, end_line, precision| Some(Location { line, end_line, column: 1, end_column: 2, precision });
    for (file_type, place, reached) in [
        (Dockerfile, location(5, 8, Exact), vec![4, 5, 6, 7, 8]),
        (Dockerfile, location(5, 8, File), vec![]),
        (Dockerfile, None, vec![]),
        (K8sYaml, location(5, 8, Exact), vec![4, 5]),
        (K8sYaml, location(5, 8, Parent), vec![4, 5]),
        (K8sYaml, location(5, 8, Resource), vec![4, 5]),
        (K8sYaml, location(1, 9, File), vec![]),
    ] {
        for alone in [true, false] {
            let lines: Vec<u32> = (1..10)
                .filter(|line| {
                    let ignore = Ignore { line: *line, alone, rules: vec!["R".into()], reason: "why".into(), fault: None };
                    let hit_path = (file_type == K8sYaml).then(|| "spec".to_owned());
                    let mut findings = [Finding { location: place, hit_path, ..at("f", "R") }];
                    apply(&[], &[("f".into(), file_type, vec![ignore])], whole(&[]), &mut findings);
                    findings[0].suppressed.is_some()
                })
                .collect();
            let expected: Vec<u32> = reached.iter().copied().filter(|line| alone || *line != 4).collect();
            assert_eq!(lines, expected, "{file_type} {place:?} {alone}");
        }
    }
}

#[test]
fn places_that_nobody_looked_at_are_neither_muted_by_a_comment_nor_said_to_be_missing() {
    let location = Some(Location { line: 3, end_line: 3, column: 1, end_column: 2, precision: Precision::Resource });
    let numbered = Finding { location, places: 7, ..at("pod.yaml", "R") };
    let comment = |rule: &str| Ignore { line: 3, alone: false, rules: vec![rule.into()], reason: "why".into(), fault: None };
    let ignores = [("pod.yaml".into(), FileType::K8sYaml, vec![comment("R"), comment("S")])];
    let about = |rule: &str| Entry { resource: Some("web".into()), ..entry(rule) };
    let mut findings = [numbered.clone()];
    let notes = apply(&[about("R"), about("S")], &ignores, whole(&[]), &mut findings);
    assert_eq!(findings, std::slice::from_ref(&numbered));
    let expected = ["hss-iac.toml:7: the suppression of S meets no finding", "pod.yaml:3: ignore[S] meets no finding"];
    assert_eq!(notes, expected);
    let mut named = [Finding { resource: Some(resource("Pod", "web")), places: 1, ..numbered }];
    apply(&[], &ignores, whole(&[]), &mut named);
    assert!(named[0].suppressed.is_some());
}

#[test]
fn notes_on_comments_come_by_file_and_line() {
    let ignore = |line, rules: &[&str], fault| Ignore {
        line,
        alone: true,
        rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
        reason: "inline".into(),
        fault,
    };
    let location = Some(Location { line: 3, end_line: 3, column: 1, end_column: 2, precision: Precision::Exact });
    let mut findings = [Finding { location, ..at("b", "R") }, Finding { location, ..at("c", "R") }];
    let ignores = [
        ("b".into(), FileType::Dockerfile, vec![ignore(2, &["R", "S"], None), ignore(10, &["R"], None)]),
        ("a".into(), FileType::Dockerfile, vec![ignore(2, &["R"], Some("it has no reason"))]),
    ];
    let notes = apply(&[], &ignores, whole(&[]), &mut findings);
    let expected = [
        "a:2: this ignore does not count: it has no reason",
        "b:2: ignore[S] meets no finding",
        "b:10: ignore[R] meets no finding",
    ];
    assert_eq!(notes, expected);
    let by = findings.map(|finding| finding.suppressed.map(|said| (said.by, said.reason)));
    assert_eq!(by, [Some((SuppressedBy::Inline, "inline".to_owned())), None]);
}
