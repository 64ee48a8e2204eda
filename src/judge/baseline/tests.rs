use super::super::tests::finding;
use super::*;
use crate::model::{Level, Resource, Suppression};

fn at(path: &str, rule: &str, text: &str) -> Finding {
    let instruction = (!text.is_empty()).then(|| text.to_owned());
    Finding { path: path.into(), rule_id: rule.into(), instruction, ..finding(Level::High) }
}

fn known(path: &str, rule: &str, text: &str) -> KnownFinding {
    KnownFinding::of(&at(path, rule, text))
}

/// Compares where `old/…` is deleted, `lost/…` was not scanned, and all else was.
fn compared(findings: &mut [Finding], entries: &[KnownFinding]) -> (Vec<Bucket>, Vec<String>) {
    let (findings, resolved) = matched(findings, entries);
    (findings.iter().map(|finding| finding.bucket).collect(), resolved)
}

/// The same with the whole findings.
fn matched(findings: &[Finding], entries: &[KnownFinding]) -> (Vec<Finding>, Vec<String>) {
    let look = |path: &RepoPath| match path.to_string() {
        path if path.starts_with("old/") => Look::Deleted,
        path if path.starts_with("lost/") => Look::Unknown,
        _ => Look::Scanned,
    };
    let mut findings = findings.to_vec();
    let resolved = compare(&mut findings, entries, &look).resolved;
    let told = |known: KnownFinding| {
        let places = if known.places == 1 { String::new() } else { format!(" ({})", known.places) };
        format!("{} {} {}{places}", known.path, known.rule_id, known.text.unwrap_or_default())
    };
    (findings, resolved.into_iter().map(told).collect())
}

/// The same findings by bucket, places and fingerprint.
fn parts(findings: &[Finding], entries: &[KnownFinding]) -> (Vec<(Bucket, u64, String)>, Vec<String>) {
    let (findings, resolved) = matched(findings, entries);
    (findings.into_iter().map(|finding| (finding.bucket, finding.places, finding.fingerprint)).collect(), resolved)
}

use Bucket::{Known, New};

#[test]
fn a_finding_is_known_by_rule_file_object_and_text() {
    let in_object = |name: &str| Finding {
        resource: Some(Resource { kind: Some("Pod".into()), namespace: None, name: Some(name.into()) }),
        hit_path: Some("spec.hostPID".into()),
        ..at("pod.yaml", "R", "")
    };
    let entries = [known("f", "R", "USER root"), KnownFinding::of(&in_object("a"))];
    for (finding, bucket) in [
        (at("f", "R", "USER root"), Known),
        (at("f", "R", "USER\t root "), Known),
        (at("f", "R", "user root"), New),
        (at("f", "S", "USER root"), New),
        (at("g", "R", "USER root"), New),
        (in_object("a"), Known),
        (in_object("b"), New),
    ] {
        let told = format!("{finding:?}");
        assert_eq!(compared(&mut [finding], &entries).0, [bucket], "{told}");
    }
}

#[test]
fn one_entry_stands_for_one_finding() {
    let twice = || [at("f", "R", "ADD a b"), at("f", "R", "ADD a b"), at("f", "R", "ADD a b")];
    let entry = known("f", "R", "ADD a b");
    assert_eq!(compared(&mut twice(), std::slice::from_ref(&entry)), (vec![Known, New, New], vec![]));
    assert_eq!(compared(&mut twice()[..1], &[entry.clone(), entry.clone()]).1, ["f R ADD a b"]);
    let mut findings = twice();
    let said = Suppression { by: crate::model::SuppressedBy::Inline, reason: "why".into(), owner: None, until: None };
    findings[0].suppressed = Some(said);
    assert_eq!(compared(&mut findings, &[entry]).0, [New, Known, New], "what counts comes first");
}

#[test]
fn without_a_place_rule_and_file_are_enough() {
    assert_eq!(compared(&mut [at("f", "R", "")], &[known("f", "R", "USER root")]).0, [Known]);
    assert_eq!(compared(&mut [at("f", "R", "USER root")], &[known("f", "R", "")]).0, [Known]);
    let mut two = [at("f", "R", ""), at("f", "R", "USER root")];
    assert_eq!(compared(&mut two, &[known("f", "R", "USER root")]).0, [New, Known], "what fits best comes first");
}

#[test]
fn places_are_matched_one_to_one() {
    let many = |n: u64| Finding { places: n, ..at("f", "R", "") };
    let entry = |n: u64| KnownFinding::of(&many(n));
    let (whole, part) = ("f".to_owned(), String::new());
    assert_eq!(parts(&[many(5)], &[entry(5)]), (vec![(Known, 5, whole.clone())], vec![]));
    assert_eq!(parts(&[many(5)], &[entry(2)]), (vec![(Known, 2, whole.clone()), (New, 3, part)], vec![]));
    assert_eq!(parts(&[many(2)], &[entry(5)]), (vec![(Known, 2, whole.clone())], vec!["f R  (3)".to_owned()]));

    let placed = ["a", "b", "c"].map(|text| at("f", "R", text));
    let entries = placed.clone().map(|finding| KnownFinding::of(&finding));
    assert_eq!(parts(&[many(3)], &entries), (vec![(Known, 3, whole.clone())], vec![]), "they were only numbered");
    assert_eq!(parts(&[many(2)], &entries).1, ["f R c"]);
    assert_eq!(parts(&placed, &[entry(4)]).1, ["f R "], "one place is gone");
    let all_known = vec![(Known, 1, whole.clone()); 3];
    assert_eq!(parts(&placed, &[entry(3)]), (all_known, vec![]));
    let told: Vec<Bucket> = matched(&placed, &[entry(2)]).0.into_iter().map(|finding| finding.bucket).collect();
    assert_eq!(told, [Known, Known, New]);
    let mixed = [placed[0].clone(), many(2)];
    let expected = vec![(Known, 1, whole.clone()), (Known, 2, whole)];
    assert_eq!(parts(&mixed, &[entry(2), entries[0].clone()]), (expected, vec![]));

    let known_before = Finding { bucket: Known, ..many(2) };
    let new = vec![(New, 2, "f".to_owned())];
    assert_eq!(parts(&[known_before], &[]), (new, vec![]), "what is new as a whole keeps its fingerprint");
    let thrice = Finding { places: 3, ..placed[0].clone() };
    let expected = vec![(Known, 1, "f".to_owned()), (New, 2, String::new())];
    assert_eq!(parts(&[thrice], &entries[..1]), (expected, vec![]), "the same text at more places than before");
}

#[test]
fn a_masked_credential_is_the_same_whatever_its_length() {
    let entry = known("f", "R", "ENV TOKEN=************ B=*");
    assert_eq!(entry.text.as_deref(), Some("ENV TOKEN=*** B=***"));
    let old = format!(r#"{{"version":1,"findings":[{}]}}"#, r#"{"path":"f","rule_id":"R","text":"ENV TOKEN=***** B=**"}"#);
    assert_eq!(parse(old.as_bytes()), Ok(vec![entry.clone()]));
    assert_eq!(compared(&mut [at("f", "R", "ENV TOKEN=**** B=*****")], &[entry]).0, [Known]);
}

#[test]
fn resolved_is_only_what_was_looked_at() {
    let entries = [known("lost/f", "R", "a"), known("old/f", "R", "b"), known("f", "R", "c"), known("f", "R", "d")];
    assert_eq!(
        compared(&mut [at("f", "R", "d")], &entries),
        (vec![Known], vec!["f R c".to_owned(), "old/f R b".to_owned()])
    );
}

#[test]
fn a_renamed_file_takes_its_findings_along() {
    let entries = [known("old/f", "R", "USER root"), known("old/f", "S", ""), known("old/g", "T", "")];
    let mut moved =
        [at("new/f", "R", "USER root"), at("new/f", "R", "USER root"), at("new/f", "S", ""), at("new/f", "T", "")];
    assert_eq!(compared(&mut moved, &entries), (vec![Known, New, Known, New], vec!["old/g T ".to_owned()]));
    let look = |path: &RepoPath| if path.to_string().starts_with("old/") { Look::Deleted } else { Look::Scanned };
    let way = (RepoPath::from("old/f"), RepoPath::from("new/f"));
    assert_eq!(compare(&mut moved.to_vec(), &entries, &look).moved, [(way, 2)].into(), "places by the way they went");
    for (why, path, entry) in [
        ("the file is still there", "new/f", known("f", "R", "USER root")),
        ("the file was not scanned", "new/f", known("lost/f", "R", "USER root")),
        ("a place of its own", "new/f", known("old/f", "R", "")),
        ("another text", "new/f", known("old/f", "R", "USER 0")),
    ] {
        assert_eq!(compared(&mut [at(path, "R", "USER root")], &[entry]).0, [New], "{why}");
    }
    let both = [known("old/f", "R", "USER root"), known("f", "S", "a")];
    assert_eq!(compared(&mut [at("f", "R", "USER root")], &both).0, [New], "a file that the baseline knows was not renamed");
}

#[test]
fn what_is_written_is_read() {
    let raw = KnownFinding { path: RepoPath::new(*b"a\xff"), ..known("", "R", "USER root") };
    let entries = [raw, known("f", "R", ""), KnownFinding { places: 3, ..known("f", "R", "") }];
    let written = text(&entries).expect("text");
    let expected = r#"{
  "version": 1,
  "findings": [
    {"path":"a\\xFF","path_raw":"Yf8=","rule_id":"R","text":"USER root"},
    {"path":"f","rule_id":"R"},
    {"path":"f","rule_id":"R","places":3}
  ]
}
"#;
    assert_eq!(written, expected);
    assert_eq!(parse(written.as_bytes()), Ok(entries.to_vec()));
    let none = text(&[]).expect("text");
    assert_eq!((none.as_str(), parse(none.as_bytes())), ("{\n  \"version\": 1,\n  \"findings\": []\n}\n", Ok(vec![])));
    assert_eq!(parse(br#"{"version":2,"findings":[]}"#), Err("it has version 2, and this program reads up to 1".to_owned()));
    assert!(parse(b"").is_err());
}
