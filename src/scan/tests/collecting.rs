use super::*;

const RISK: &str = r#"{"risk_id":"i","rule_id":"u","risk_name":"n","risk_level":"low"}"#;

/// Runs with `a` scanned. Gives the run, and how many risks it has.
async fn collect(files: Vec<String>, risks: Vec<String>) -> (Ran, usize) {
    collect_with(files, risks, OPTIONS).await
}

async fn collect_with(files: Vec<String>, risks: Vec<String>, options: Options) -> (Ran, usize) {
    let host = service([
        ("create", vec![created("t")]),
        ("tasks", vec![data(&[task("t", "finished", [1, 1, 0])])]),
        ("files", files),
        ("risks", risks),
    ]);
    let (ran, ledger) = run_with(&host, ledger(FileType::Dockerfile, &["a"]), options).await;
    assert_eq!(ran.calls[..3], ["upload", "create", "tasks"]);
    (Ran { calls: ran.calls[3..].to_vec(), ..ran }, ledger.entries[0].risks.len())
}

fn row(risky: &str) -> String {
    data(&[format!("{{\"file_id\":\"a\"{risky}}}")])
}

#[tokio::test]
async fn a_clean_file_costs_no_call_of_its_own() {
    let collected = collect(vec![data(&[clean("a")])], vec![]).await;
    assert_eq!(collected, (ran(&["a Scanned"], &["files"]), 0));
}

#[tokio::test]
async fn a_file_that_is_not_said_to_be_clean_is_asked_for_its_risks() {
    for row in [row(r#","risky":true,"last_scan_time":1"#), row(r#","risky":false"#), none(), data(&[clean("z")])] {
        let collected = collect(vec![row], vec![data(&[RISK])]).await;
        assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks"]), 1));
    }
    let counted = row(r#","risky":false,"risk_num":1,"last_scan_time":1"#);
    assert_eq!(collect(vec![counted], vec![data(&[RISK])]).await.1, 1);
}

#[tokio::test]
async fn risks_that_come_late_are_waited_for() {
    let risky = row(r#","risky":true"#);
    let window = Duration::from_millis(200);
    let began = std::time::Instant::now();
    let late = vec![none(), none(), data(&[RISK])];
    let collected = collect_with(vec![risky], late, Options { window, ..OPTIONS }).await;
    // Before the third look it is asked once more what the file is said to be.
    assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks", "risks", "files", "risks"]), 1));
    assert!(began.elapsed() >= window / 4 * 2, "a steady distance between any two");
}

#[tokio::test]
async fn no_risks_are_believed_only_where_the_service_says_so() {
    let calls = ["files", "risks", "risks", "files", "risks", "files"];
    let said = collect(vec![row(r#","risky":true"#)], vec![none()]).await;
    let risky = "a ScanFailed: its risks could not be read: HSS counts it as risky and lists no risk";
    assert_eq!(said, (ran(&[risky], &calls), 0));
    let said = collect(vec![row(r#","risky":false,"risk_num":2"#)], vec![none()]).await;
    let unclear = "a ScanFailed: its risks could not be read: HSS lists no risk and does not say that it found none";
    assert_eq!(said, (ran(&[unclear], &calls), 0));
    let said = collect(vec![row("")], vec![none()]).await;
    assert_eq!(said, (ran(&[unclear], &calls), 0));
    let said = collect(vec![row(r#","risky":false"#)], vec![none()]).await;
    assert_eq!(said, (ran(&["a Scanned"], &calls), 0));
    let missing = collect(vec![none()], vec![none()]).await;
    let calls = ["files", "risks", "files", "files", "risks", "files", "files", "risks", "files", "files"];
    assert_eq!(missing, (ran(&[unclear], &calls), 0));
}

#[tokio::test]
async fn a_file_that_is_missing_among_those_of_one_kind_is_looked_for_among_the_others() {
    let looks = vec![none(), data(&[clean("z")]), data(&[clean("z"), clean("a")])];
    let collected = collect(looks, vec![none()]).await;
    assert_eq!(collected, (ran(&["a Scanned"], &["files", "risks", "files", "files"]), 0));
}

#[tokio::test]
async fn risks_that_could_be_read_in_part_count_and_cost_the_file_its_scan() {
    let (ran, found) = collect(vec![row("")], vec![data(&[RISK]).replace("\"total_num\":1", "\"total_num\":2")]).await;
    assert_eq!(found, 1);
    let reason = "file/risks: the listing names 2 rows and gave 1 different ones, read 3 times: try again later";
    assert_eq!(ran.files, [format!("a ScanFailed: some of its risks could not be read: {reason}")]);
    let (ran, found) = collect(vec![row("")], vec![says(400, "no")]).await;
    assert_eq!((ran.files, found), (vec!["a ScanFailed: its risks could not be read: file/risks: 400 no".to_owned()], 0));
}

#[tokio::test]
async fn a_listing_of_files_that_fails_costs_a_call_for_each_of_them() {
    let looks = vec![says(400, "no"), data(&[clean("a")])];
    let collected = collect(looks, vec![none()]).await;
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
            ("tasks", vec![data(&[task("t", "finished", [1, 1, 0])])]),
            ("files", vec![data(&[of(time)])]),
            ("risks", vec![data(&[RISK])]),
        ])
    };
    // Times below this are read as seconds.
    let [early, late] = [(began - day) / 1_000 - 1, (began - day) / 1_000 + 60];
    let (ran, _) = run_with(&host(early), ledger(FileType::Dockerfile, &["a"]), OPTIONS).await;
    assert_eq!(ran.calls[3..], ["files", "risks"]);
    let (ran, _) = run_with(&host(late), ledger(FileType::Dockerfile, &["a"]), OPTIONS).await;
    assert_eq!(ran.calls[3..], ["files"]);
}

/// What was asked of the listing of files, in the order of the offsets.
fn listings(host: &Host) -> Vec<String> {
    let query = |asked: &Asked| {
        let query = asked.line.split_once('?').map_or("", |(_, query)| query);
        query.trim_start_matches("offset=").trim_end_matches("&enterprise_project_id=e").to_owned()
    };
    let mut queries: Vec<String> = host.asked().iter().filter(|asked| api(asked) == "files").map(query).collect();
    queries.sort_by_key(|query| query.split('&').next().and_then(|offset| offset.parse::<u64>().ok()));
    queries
}

#[tokio::test]
async fn the_listing_is_narrowed_to_the_file_or_the_type_where_there_is_one() {
    let scanned = |files_in_task: u64| {
        let counts = [files_in_task, files_in_task, 0];
        ("tasks", vec![data(&[task("t", "finished", counts)])])
    };
    let common = || [("create", vec![created("t")]), ("risks", vec![data(&[RISK])]), ("places", vec![none()])];
    let host = service(common().into_iter().chain([scanned(1), ("files", vec![none()])]));
    let _ = run(&host, ledger(FileType::Dockerfile, &["a"])).await;
    assert_eq!(listings(&host), ["0&limit=200&scan_type=manual_scan&file_id=a&file_type=dockerfile"]);
    let host = service(common().into_iter().chain([scanned(2), ("files", vec![none()])]));
    let _ = run(&host, ledger(FileType::K8sYaml, &["a", "b"])).await;
    assert_eq!(listings(&host), ["0&limit=200&scan_type=manual_scan&file_type=k8s_yaml"]);
    // One that is not listed is asked for by its id, among those of either kind.
    let host = service(common().into_iter().chain([scanned(1), ("files", vec![none()]), ("risks", vec![none()])]));
    let _ = run(&host, ledger(FileType::Dockerfile, &["a"])).await;
    let [manual, cicd] = ["manual", "cicd"].map(|kind| format!("0&limit=10&scan_type={kind}_scan&file_id=a"));
    let first = "0&limit=200&scan_type=manual_scan&file_id=a&file_type=dockerfile".to_owned();
    assert_eq!(listings(&host), [vec![first], vec![[manual, cicd]; 3].concat()].concat());
}

/// A page of the listing with these files, clean, and so many of others.
fn page(ours: impl Iterator<Item = usize>, others: usize, total: usize) -> String {
    let rows: Vec<String> =
        ours.map(|id| clean(&id.to_string())).chain((0..others).map(|other| clean(&format!("other-{other}")))).collect();
    says(200, &format!("{{\"total_num\":{total},\"data_list\":[{}]}}", rows.join(",")))
}

/// Runs with so many clean files, where the listing has such pages, by their offset.
async fn list(count: usize, jobs: usize, pages: impl Fn(usize) -> String + Send + Sync + 'static) -> (Ran, Vec<u64>) {
    let host = Host::new(move |_, asked| match api(asked) {
        "upload" => kept(asked),
        "create" => created("t"),
        "tasks" => data(&[task("t", "finished", [count as u64, count as u64, 0])]),
        "files" => {
            let offset = asked.line.split(['=', '&']).nth(1).and_then(|offset| offset.parse().ok());
            pages(offset.unwrap_or_default())
        }
        "risks" => data(&[RISK]),
        _ => says(400, "nothing was to be asked here"),
    });
    let paths: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let options = Options { jobs, ..OPTIONS };
    let (ran, _) = run_with(&host, ledger(FileType::Dockerfile, &paths), options).await;
    let offset = |query: String| query.split('&').next().and_then(|offset| offset.parse().ok()).unwrap_or_default();
    let offsets = listings(&host).into_iter().filter(|query| query.contains("limit=200")).map(offset).collect();
    (ran, offsets)
}

#[tokio::test]
async fn the_listing_is_read_on_page_by_page_until_all_are_found() {
    // Ten each on the pages of 200 rows; there are many more.
    let pages = |offset: usize| page(offset / 20..offset / 20 + 10, 190, 20_000);
    let (ran, offsets) = list(40, 2, pages).await;
    assert_eq!((ran.error, ran.files.iter().filter(|file| file.ends_with(" Scanned")).count()), (None, 40));
    assert_eq!(offsets, [0, 200, 400, 600]);
    // As many as there are, where they are shorter.
    let pages = |offset: usize| page(offset / 10..offset / 10 + 10, 90, 20_000);
    assert_eq!(list(40, 2, pages).await.1, [0, 100, 200, 300]);
}

#[tokio::test]
async fn no_more_pages_are_read_than_there_are_files() {
    // It does not say how long it is, and never comes to an end.
    let others: Vec<String> = (0..200).map(|other| clean(&format!("other-{other}"))).collect();
    let rows = format!("{{\"data_list\":[{}]}}", others.join(","));
    let (ran, offsets) = list(3, 2, move |_| says(200, &rows)).await;
    assert_eq!((ran.error, ran.files.len(), offsets), (None, 3, vec![0, 200, 400]));
}

#[tokio::test]
async fn as_many_pages_as_are_needed_are_read_at_once_where_calls_are_free() {
    // All is cut off but what the service knows already: in one task, uploaded and scanned. Six calls of one API set free.
    let rows = |offset: usize| page(offset..offset + 200, 0, 20_000);
    let host = Host::new(move |_, asked| match api(asked) {
        "tasks" => data(&[task("t", "finished", [900, 900, 0])]),
        "files" => {
            let offset = asked.line.split(['=', '&']).nth(1).and_then(|offset| offset.parse().ok());
            rows(offset.unwrap_or_default())
        }
        _ => data(&[RISK]),
    });
    let client = client(&host);
    for _ in 0..6 {
        client.list_risks("z", crate::hss::Page { offset: 0, limit: 10 }).await.unwrap();
    }
    let paths: Vec<String> = (0..900).map(|number| number.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut open = ledger(FileType::Dockerfile, &paths);
    put_in_task(&mut open, "t", &(0..900).collect::<Vec<_>>());
    let open = RefCell::new(open);
    let read = |_: usize| Err(std::io::Error::other("it is sent already"));
    let options = Options { jobs: 3, ..OPTIONS };
    in_time(Box::pin(Job::new(&client, options, &open, &|_| (), &read).run())).await.unwrap();
    let offsets: Vec<String> =
        listings(&host).iter().filter_map(|query| query.split('&').next().map(str::to_owned)).collect();
    assert_eq!(offsets, ["0", "200", "400", "600", "800"]);
    // One, three at once, and one.
    let at = |offset: &str| {
        let is = |asked: &Asked| api(asked) == "files" && asked.line.contains(&format!("offset={offset}&"));
        host.asked().iter().position(is).unwrap()
    };
    assert!(at("0") < at("200").min(at("400")).min(at("600")) && at("800") > at("200").max(at("400")).max(at("600")));
}

#[tokio::test]
async fn a_page_that_has_none_of_them_is_the_last_while_the_end_is_far() {
    let pages = |offset: usize| if offset == 0 { page(0..2, 198, 20_000) } else { page(0..0, 200, 20_000) };
    let (ran, offsets) = list(4, 2, pages).await;
    assert_eq!((ran.error, ran.files.len(), offsets), (None, 4, vec![0, 200]));
}

#[tokio::test]
async fn every_step_is_told() {
    let host = service([
        ("create", vec![created("t")]),
        ("tasks", vec![data(&[task("t", "finished", [3, 3, 0])])]),
        ("files", vec![data(&[clean("a"), clean("b"), clean("c")])]),
    ]);
    let (ledger, client) = (RefCell::new(ledger(FileType::Dockerfile, &["a", "b", "c"])), client(&host));
    let read = |index: usize| Ok(Masked { bytes: vec![b'a' + u8::try_from(index).unwrap()], values: 0 });
    let steps = RefCell::new(Vec::new());
    let observe = |step: Step| steps.borrow_mut().push(step);
    in_time(Box::pin(Job::new(&client, OPTIONS, &ledger, &observe, &read).run())).await.unwrap();
    let expected = [
        Step::Sending,
        Step::Uploaded { done: 3, of: 3 },
        Step::Submitting,
        Step::Submitted { tasks: 1 },
        Step::Finished { done: 1, of: 1 },
        Step::Collected { done: 1, of: 3 },
        Step::Collected { done: 2, of: 3 },
        Step::Collected { done: 3, of: 3 },
    ];
    assert_eq!(steps.into_inner(), expected);
}
