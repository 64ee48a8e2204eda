use super::*;

const RISK: &str = r#"{"risk_id":"i","rule_id":"u","risk_name":"n","risk_level":"low"}"#;

/// Runs with `a` scanned. Gives the run, and how many risks it has.
async fn collect(files: Vec<String>, risks: Vec<String>) -> (Ran, usize) {
    let host = service([
        ("create", vec![created("t")]),
        ("tasks", vec![tasks(&[task("t", "finished", [1, 1, 0])])]),
        ("files", files),
        ("risks", risks),
    ]);
    let (ran, ledger) = run_with(&host, ledger(FileType::Dockerfile, &["a"]), OPTIONS).await;
    assert_eq!(ran.calls[..3], ["upload", "create", "tasks"]);
    (Ran { calls: ran.calls[3..].to_vec(), ..ran }, ledger.entries[0].risks.len())
}

fn risks(rows: &[&str]) -> String {
    listing("data_list", rows)
}

fn row(risky: &str) -> String {
    files(&[format!("{{\"file_id\":\"a\"{risky}}}")])
}

#[tokio::test]
async fn a_clean_file_costs_no_call_of_its_own() {
    let collected = collect(vec![files(&[clean("a")])], vec![]).await;
    assert_eq!(collected, (ran(&["a Scanned"], &["files"]), 0));
}

#[tokio::test]
async fn a_file_that_is_not_said_to_be_clean_is_asked_for_its_risks() {
    for row in [row(r#","risky":true,"last_scan_time":1"#), row(r#","risky":false"#), files(&[]), files(&[clean("z")])] {
        let collected = collect(vec![row], vec![risks(&[RISK])]).await;
        assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks"]), 1));
    }
    let counted = row(r#","risky":false,"risk_num":1,"last_scan_time":1"#);
    assert_eq!(collect(vec![counted], vec![risks(&[RISK])]).await.1, 1);
}

#[tokio::test]
async fn risks_that_come_late_are_waited_for() {
    let risky = row(r#","risky":true"#);
    let collected = collect(vec![risky], vec![risks(&[]), risks(&[]), risks(&[RISK])]).await;
    // Before the third look it is asked once more what the file is said to be.
    assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks", "risks", "files", "risks"]), 1));
}

#[tokio::test]
async fn no_risks_are_believed_only_where_the_service_says_so() {
    let calls = ["files", "risks", "risks", "files", "risks", "files"];
    let none = || vec![risks(&[])];
    let said = collect(vec![row(r#","risky":true"#)], none()).await;
    let risky = "a ScanFailed: its risks could not be read: HSS counts it as risky and lists no risk";
    assert_eq!(said, (ran(&[risky], &calls), 0));
    let said = collect(vec![row(r#","risky":false,"risk_num":2"#)], none()).await;
    let unclear = "a ScanFailed: its risks could not be read: HSS lists no risk and does not say that it found none";
    assert_eq!(said, (ran(&[unclear], &calls), 0));
    let said = collect(vec![row("")], none()).await;
    assert_eq!(said, (ran(&[unclear], &calls), 0));
    let said = collect(vec![row(r#","risky":false"#)], none()).await;
    assert_eq!(said, (ran(&["a Scanned"], &calls), 0));
    let missing = collect(vec![files(&[])], none()).await;
    let calls = ["files", "risks", "files", "files", "risks", "files", "files", "risks", "files", "files"];
    assert_eq!(missing, (ran(&[unclear], &calls), 0));
}

#[tokio::test]
async fn a_file_that_is_missing_among_those_of_one_kind_is_looked_for_among_the_others() {
    let looks = vec![files(&[]), files(&[clean("z")]), files(&[clean("z"), clean("a")])];
    let collected = collect(looks, vec![risks(&[])]).await;
    assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks", "files", "files"]), 0));
}

#[tokio::test]
async fn risks_that_could_be_read_in_part_count_and_cost_the_file_its_scan() {
    let (ran, found) = collect(vec![row("")], vec![risks(&[RISK]).replace("\"total_num\":1", "\"total_num\":2")]).await;
    assert_eq!(found, 1);
    let reason = "file/risks: the listing names 2 rows and gave 1 different ones, read 3 times: try again later";
    assert_eq!(ran.files, [format!("a ScanFailed: some of its risks could not be read: {reason}")]);
    let (ran, found) = collect(vec![row("")], vec![says(400, "no")]).await;
    assert_eq!((ran.files, found), (vec!["a ScanFailed: its risks could not be read: file/risks: 400 no".to_owned()], 0));
}

#[tokio::test]
async fn a_listing_of_files_that_fails_costs_a_call_for_each_of_them() {
    let looks = vec![says(400, "no"), files(&[clean("a")])];
    let collected = collect(looks, vec![risks(&[])]).await;
    assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks", "files"]), 0));
    let (ran, _) = collect(vec![says(403, "no")], vec![]).await;
    assert_eq!(ran.error.as_deref(), Some("iac/files: 403 no"));
}

#[tokio::test]
async fn a_verdict_of_an_earlier_run_is_none() {
    // The service's clock stands at an hour; a day is allowed for.
    let dated = |answer: String| answer.replacen("\r\n", "\r\nDate: Sat, 03 Jan 1970 01:00:00 GMT\r\n", 1);
    let of = |time: i64| format!("{{\"file_id\":\"a\",\"risky\":false,\"last_scan_time\":{time}}}");
    let day = 24 * 60 * 60 * 1_000_i64;
    let began = 2 * day + 60 * 60 * 1_000 - 60_000;
    let host = |time: i64| {
        service([
            ("upload", vec![dated(says(200, r#"{"success_file_info":[{"file_name":"a","file_id":"a"}]}"#))]),
            ("create", vec![created("t")]),
            ("tasks", vec![tasks(&[task("t", "finished", [1, 1, 0])])]),
            ("files", vec![files(&[of(time)])]),
            ("risks", vec![risks(&[RISK])]),
        ])
    };
    // Times below this are read as seconds.
    let [early, late] = [(began - day) / 1_000 - 1, (began - day) / 1_000 + 60];
    let (ran, _) = run_with(&host(early), ledger(FileType::Dockerfile, &["a"]), OPTIONS).await;
    assert_eq!(ran.calls[3..], ["files", "risks"]);
    let (ran, _) = run_with(&host(late), ledger(FileType::Dockerfile, &["a"]), OPTIONS).await;
    assert_eq!(ran.calls[3..], ["files"]);
}
