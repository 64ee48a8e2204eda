use super::*;
use crate::model::{Bucket, FailOn, FileType, SuppressedBy, Suppression};

fn rules() -> Rules {
    Rules {
        policy: Policy { fail_on: FailOn::High, max: [].into(), changed_only: false, baseline: None },
        soften_partial: false,
        soften_service: false,
        fail_if_empty: false,
    }
}

fn gate_of(policy: Policy) -> Rules {
    Rules { policy, ..rules() }
}

pub(super) fn file(state: State) -> FileRecord {
    FileRecord {
        next: None,
        path: "a/Dockerfile".into(),
        file_type: FileType::Dockerfile,
        size: 1,
        sha256: None,
        masked: 0,
        secrets: Vec::new(),
        state,
        reason: None,
        file_id: None,
        task_id: None,
        reused_from: None,
        changed: None,
    }
}

pub(super) fn finding(level: Level) -> Finding {
    Finding {
        rule_id: "R".into(),
        name: "r".into(),
        level,
        category: None,
        path: "a/Dockerfile".into(),
        location: None,
        resource: None,
        instruction: None,
        hit_rule: None,
        hit_path: None,
        snippet: Vec::new(),
        line_hash: None,
        places: 1,
        description: None,
        remediation: None,
        fingerprint: "f".into(),
        bucket: Bucket::New,
        changed: None,
        suppressed: None,
    }
}

pub(super) fn verdict(status: Status, exit_code: u8, reasons: &[&str]) -> Verdict {
    Verdict { status, exit_code, reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect() }
}

#[test]
fn the_gate_and_what_stays_below_it() {
    let files = [file(State::Scanned)];
    let findings = [finding(Level::High), finding(Level::High), finding(Level::Medium)];
    let facts = Facts::default();
    assert_eq!(
        judge(&rules(), &files, &findings, &facts),
        verdict(Status::Fail, 1, &["2 findings (2 high) reach the gate (high)"])
    );
    assert_eq!(
        judge(&gate_of(Policy { fail_on: FailOn::Low, ..rules().policy }), &files, &findings, &facts),
        verdict(Status::Fail, 1, &["3 findings (2 high, 1 medium) reach the gate (low)"])
    );
    assert_eq!(
        judge(&rules(), &files, &findings[2..], &facts),
        verdict(Status::Pass, 0, &["no finding reaches the gate (high)"])
    );
    let never = gate_of(Policy { fail_on: FailOn::Never, max: [("high".to_owned(), 1)].into(), ..rules().policy });
    assert_eq!(
        judge(&never, &files, &findings, &facts),
        verdict(Status::Fail, 1, &["2 findings at high, at most 1 allowed"])
    );
    assert_eq!(judge(&rules(), &files, &[], &facts), verdict(Status::Pass, 0, &["no findings"]));
    let below = |rules: &Rules| judge(rules, &files, &findings[1..2], &facts);
    assert_eq!(below(&never), verdict(Status::Pass, 0, &["no level has more findings than allowed"]));
    let off = gate_of(Policy { fail_on: FailOn::Never, ..rules().policy });
    assert_eq!(below(&off), verdict(Status::Pass, 0, &["no finding fails the run (fail-on never)"]));
}

#[test]
fn findings_win_over_partial_and_both_are_said() {
    let files = [file(State::Scanned), file(State::ScanFailed)];
    assert_eq!(
        judge(&rules(), &files, &[finding(Level::High)], &Facts::default()),
        verdict(Status::Fail, 1, &["1 finding (1 high) reaches the gate (high)", "1 of 2 files not scanned"])
    );
    assert_eq!(judge(&rules(), &files, &[], &Facts::default()), verdict(Status::Partial, 7, &["1 of 2 files not scanned"]));
}

#[test]
fn softening_changes_the_code_and_never_the_word() {
    let files = [file(State::NotScanned)];
    let facts = Facts { faults: vec![(Exit::Service, "unreachable".into())], ..Facts::default() };
    let soft = Rules { soften_service: true, ..rules() };
    let reasons = ["unreachable (reported only)", "1 of 1 file not scanned (reported only)"];
    assert_eq!(judge(&soft, &files, &[], &facts), verdict(Status::Error, 0, &reasons));
    let padded = Facts { obstacles: 1, ..facts.clone() };
    let reasons = ["unreachable (reported only)", "1 of 1 file not scanned"];
    assert_eq!(judge(&soft, &files, &[], &padded), verdict(Status::Error, 7, &reasons));
    let refused = [file(State::NotScanned), file(State::UploadFailed)];
    assert_eq!(judge(&soft, &refused, &[], &facts).exit_code, 7);
    // What was not scanned for no fault of the service is not the service's.
    let reasons = ["1 of 1 file not scanned"];
    assert_eq!(judge(&soft, &files, &[], &Facts::default()), verdict(Status::Partial, 7, &reasons));
    let reasons = ["unreachable", "1 of 1 file not scanned"];
    assert_eq!(judge(&rules(), &files, &[], &facts), verdict(Status::Error, 5, &reasons));
    let login = Facts { faults: vec![(Exit::Login, "refused".into())], ..Facts::default() };
    let both = Rules { soften_partial: true, ..soft };
    let reasons = ["refused", "1 of 1 file not scanned (reported only)"];
    assert_eq!(judge(&both, &files, &[], &login), verdict(Status::Error, 4, &reasons));
}

#[test]
fn every_code_takes_its_place_in_the_order() {
    let every: Vec<(Exit, String)> = Exit::PRECEDENCE[..11].iter().rev().map(|exit| (*exit, format!("{exit:?}"))).collect();
    let mut codes = Vec::new();
    for left_out in 0..every.len() {
        let faults = every[..every.len() - left_out].to_vec();
        let facts = Facts { faults, ..Facts::default() };
        codes.push(judge(&rules(), &[file(State::Scanned)], &[], &facts).exit_code);
    }
    assert_eq!(codes, [70, 130, 143, 2, 1, 4, 5, 6, 7, 8, 3]);
}

#[test]
fn nothing_to_scan_and_not_waited_for() {
    let empty = Rules { fail_if_empty: true, ..rules() };
    assert_eq!(judge(&empty, &[], &[], &Facts::default()), verdict(Status::Error, 3, &["nothing to scan"]));
    assert_eq!(judge(&rules(), &[], &[], &Facts::default()), verdict(Status::Pass, 0, &["nothing to scan"]));
    let pending = Facts { pending: true, ..Facts::default() };
    let submitted = FileRecord { task_id: Some("t".into()), ..file(State::NotScanned) };
    let mut files = vec![submitted];
    assert_eq!(judge(&rules(), &files, &[], &pending), verdict(Status::Pending, 0, &["submitted, not waited for"]));
    files.push(file(State::UploadFailed));
    assert_eq!(judge(&rules(), &files, &[], &pending), verdict(Status::Partial, 7, &["1 of 2 files not scanned"]));
    // A task that refused a file is not under way for it.
    files.push(FileRecord { task_id: Some("t".into()), ..file(State::ScanFailed) });
    assert_eq!(judge(&rules(), &files, &[], &pending), verdict(Status::Partial, 7, &["2 of 3 files not scanned"]));
    let reasons = ["3 of 3 files not scanned"];
    assert_eq!(judge(&rules(), &files, &[], &Facts::default()), verdict(Status::Partial, 7, &reasons));
}

#[test]
fn what_could_not_be_read_is_said() {
    let files = [file(State::Scanned)];
    let facts = Facts { unreadable: 1, unreadable_indexes: 2, ..Facts::default() };
    let reasons =
        ["1 directory could not be listed", "2 git indexes could not be read: which ignored files git tracks is not known"];
    assert_eq!(judge(&rules(), &files, &[], &facts), verdict(Status::Partial, 7, &reasons));
    let faults = vec![(Exit::Timeout, "no end".to_owned())];
    let soft = Rules { soften_service: true, ..rules() };
    // Neither is of the service's making.
    for facts in [Facts { unreadable: 1, ..Facts::default() }, Facts { unreadable_indexes: 1, ..Facts::default() }] {
        let late = judge(&soft, &[file(State::NotScanned)], &[], &Facts { faults: faults.clone(), ..facts });
        assert_eq!((late.exit_code, late.reasons.len()), (7, 3));
    }
}

/// Every mix of `--fail-on`, `--max`, a baseline and `changed only` against one finding of every level and standing.
#[test]
fn what_does_not_count_never_decides_and_the_limits_are_independent() {
    let said = |by| Some(Suppression { by, reason: "why".into(), owner: None, until: None });
    let mut findings = Vec::new();
    for level in Level::WORST_FIRST {
        for bucket in [Bucket::New, Bucket::Known] {
            for changed in [Some(true), Some(false), None] {
                for suppressed in [None, said(SuppressedBy::Config), said(SuppressedBy::Inline)] {
                    findings.push(Finding { bucket, changed, suppressed, ..finding(level) });
                }
            }
        }
    }
    let files = [file(State::Scanned)];
    let limits = [FailOn::High, FailOn::Medium, FailOn::Low, FailOn::Tips, FailOn::Never];
    for fail_on in limits {
        for max in [None, Some((Level::Low, 0))] {
            for baseline in [None, Some("known.json".to_owned())] {
                for changed_only in [false, true] {
                    let max_of = max.map(|(level, n): (Level, u64)| (level.to_string(), n)).into_iter().collect();
                    let rules = gate_of(Policy { fail_on, max: max_of, baseline: baseline.clone(), changed_only });
                    for one in &findings {
                        let counts = one.suppressed.is_none()
                            && !(baseline.is_some() && one.bucket == Bucket::Known)
                            && !(changed_only && one.changed != Some(true));
                        let reached = fail_on.level().is_some_and(|limit| one.level >= limit);
                        let over = max.is_some() && one.level == Level::Low;
                        let verdict = judge(&rules, &files, std::slice::from_ref(one), &Facts::default());
                        let fails = counts && (reached || over);
                        assert_eq!(verdict.exit_code, u8::from(fails), "{rules:?} {one:?}");
                        assert_eq!(
                            verdict.reasons.len(),
                            if counts { 1.max(usize::from(reached) + usize::from(over)) } else { 1 }
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_verdict_says_what_it_counted() {
    let files = [file(State::Scanned)];
    let old = Finding { bucket: Bucket::Known, ..finding(Level::High) };
    let both = [finding(Level::High), old.clone()];
    let new_only = gate_of(Policy { baseline: Some("b".into()), max: [("high".to_owned(), 0)].into(), ..rules().policy });
    let reasons = ["1 new finding (1 high) reaches the gate (high)", "1 new finding at high, at most 0 allowed"];
    assert_eq!(judge(&new_only, &files, &both, &Facts::default()), verdict(Status::Fail, 1, &reasons));
    let reasons = ["no new finding reaches the gate (high)"];
    assert_eq!(judge(&new_only, &files, &[old], &Facts::default()), verdict(Status::Pass, 0, &reasons));
}
