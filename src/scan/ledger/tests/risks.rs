//! Risks, where they stand, and which of them a later run or a report may take.

use super::super::properties::risk;
use super::*;
use crate::model::Level;

/// An account of these files, all of them in task `t`, each under an id that is made of its path.
fn in_a_task(files: Vec<SourceFile>) -> Ledger {
    let mut ledger = Ledger::open(files);
    let all = ledger.waiting();
    for index in &all {
        let file_id = format!("id of {}", ledger.entries[*index].source.path);
        ledger.uploaded(*index, file_id);
    }
    ledger.submitted(task("t", FileType::K8sYaml, all.len() as u64), &all);
    ledger
}

/// The account of a run that goes on with another.
fn reopened(ledger: &Ledger) -> Ledger {
    let tasks: Vec<Task> = ledger.tasks.values().cloned().collect();
    Ledger::reopen(&ledger.records(), &tasks, None)
}

/// The bytes, the number of risks, and whether places are missing for want of calls.
fn verdicts(ledger: &Ledger) -> Vec<(&str, usize, bool)> {
    ledger.verdicts().map(|verdict| (verdict.sha256, verdict.risks.len(), verdict.is_short)).collect()
}

#[test]
fn a_later_run_may_take_what_this_one_sent_and_read_as_far_as_it_was_allowed() {
    let names = ["placed", "clean", "left out", "unread", "both", "open", "failed"];
    let docker = SourceFile { sha256: Some("bytes of Dockerfile".to_owned()), ..file("Dockerfile", None) };
    let manifests = names.iter().map(|name| manifest(name, &format!("bytes of {name}")));
    let mut ledger = in_a_task(manifests.chain([docker]).collect());
    for index in [0, 2, 3, 4, 5, 6, 7] {
        ledger.found(index, vec![risk("r")]);
    }
    for index in [0, 1, 2, 3, 4, 5, 7] {
        ledger.end(index, State::Scanned, None);
    }
    ledger.end(6, State::ScanFailed, Some("some of its risks could not be read".to_owned()));
    ledger.not_located("id of unread");
    ledger.not_located("id of both");
    ledger.left_out("id of both");
    ledger.left_out("id of left out");
    ledger.placed(|file_id| file_id != "id of open");
    let expected = [
        ("bytes of placed", 1, false),
        ("bytes of clean", 0, false),
        ("bytes of left out", 1, true),
        ("bytes of Dockerfile", 1, false),
    ];
    assert_eq!(verdicts(&ledger), expected);

    // Which bytes the earlier run sent is not known for certain.
    ledger.close("cut off");
    let mut again = reopened(&ledger);
    assert_eq!(again.open_in("t"), [5]);
    again.found(5, vec![risk("r")]);
    again.end(5, State::Scanned, None);
    again.placed(|_| true);
    assert_eq!(verdicts(&again), []);
}

#[test]
fn places_are_asked_for_by_rule_in_manifests_that_were_read_anew() {
    let mut ledger = Ledger::open(vec![file("Dockerfile", None), manifest("new", "1"), manifest("known", "2")]);
    let known = || Known { risks: vec![(risk("r"), Vec::new())], at: Timestamp::UNIX_EPOCH, stand_in: false };
    ledger.reuse(|_, sha256| (sha256 == "2").then(known));
    for index in [0, 1] {
        ledger.found(index, vec![risk("b"), risk(""), risk("a")]);
    }
    let asked = |entry: &Entry| entry.with_places().map(|risk| risk.rule_id.to_string()).collect::<Vec<_>>();
    assert_eq!(ledger.entries.iter().map(asked).collect::<Vec<_>>(), [vec![], vec!["a", "b"], vec![]]);
}

#[test]
fn each_risk_has_as_many_places_as_it_numbers_and_the_worst_has_the_rest() {
    let mut ledger = in_a_task(vec![manifest("a", "1"), manifest("b", "2")]);
    let numbered = |rule_id, level, risk_num| RiskRow { level, risk_num, ..risk(rule_id) };
    let low = numbered("r", Level::Low, None);
    ledger.found(0, vec![low.clone(), numbered("q", Level::High, Some(4)), numbered("r", Level::High, Some(2))]);
    ledger.found(1, vec![low]);
    let place = |path: &str| PathRow {
        resource_name: None,
        resource_type: None,
        namespace: None,
        hit_rule: None,
        hit_path: Some(path.to_owned()),
    };
    let located = |ledger: &mut Ledger, paths: &str| {
        let places = paths.split(' ').map(place).collect();
        ledger.located("id of a", "r", places);
        let paths = |places: &[PathRow]| places.iter().filter_map(|place| place.hit_path.clone()).collect::<String>();
        let line = |(risk, places): &(RiskRow, Vec<PathRow>)| format!("{} {:?} {}", risk.rule_id, risk.level, paths(places));
        let of_files = ledger.entries.iter().map(|entry| entry.risks.iter().map(line).collect::<Vec<_>>());
        of_files.collect::<Vec<_>>()
    };
    let expected = |worst, other| [vec!["q High ".to_owned(), worst, other], vec!["r Low ".to_owned()]];
    assert_eq!(located(&mut ledger, "4 2 1 3"), expected("r High 123".to_owned(), "r Low 4".to_owned()));
    assert_eq!(located(&mut ledger, "2 1"), expected("r High 12".to_owned(), "r Low ".to_owned()));
}

#[test]
fn what_is_read_in_a_run_that_goes_on_is_new_and_the_rest_is_as_it_was() {
    let paths = ["done", "half read", "clean", "first", "equal", "late"];
    let mut before = Ledger::open(paths.map(|path| manifest(path, if path == "equal" { "first" } else { path })).into());
    for index in 0..3 {
        before.uploaded(index, format!("id-{index}"));
    }
    before.submitted(task("t", FileType::K8sYaml, 3), &[0, 1, 2]);
    before.found(0, vec![risk("r")]);
    before.placed(|_| true);
    before.end(0, State::Scanned, None);
    before.close("cut off");

    let mut ledger = reopened(&before);
    ledger.pair();
    ledger.uploaded(3, "id-3".to_owned());
    ledger.submitted(task("u", FileType::K8sYaml, 1), &[3]);
    let with_risks = |ledger: &Ledger| (0..6).filter(|index| ledger.risks(*index).is_some()).collect::<Vec<_>>();
    for index in [1, 3] {
        ledger.found(index, vec![risk("r")]);
    }
    assert!(with_risks(&ledger).is_empty());
    ledger.end(1, State::ScanFailed, Some("some of its risks could not be read".to_owned()));
    ledger.end(2, State::Scanned, None);
    ledger.end(3, State::Scanned, None);
    let read: Vec<String> = ledger.read_anew().into_iter().map(ToString::to_string).collect();
    assert_eq!(
        (read, with_risks(&ledger)),
        (["clean", "equal", "first", "half read"].map(str::to_owned).into(), vec![1, 3, 4])
    );
    assert_eq!(ledger.risks(4), Some(&vec![(risk("r"), Vec::new())]));
}
