use super::*;

/// An answer that names what it keeps and what not, by what the names end in.
fn answer(keeps: &[(&str, &str)], fails: &[(&str, &str)]) -> String {
    let kept: Vec<String> =
        keeps.iter().map(|(name, id)| format!("{{\"file_name\":\"{name}\",\"file_id\":\"{id}\"}}")).collect();
    let failed: Vec<String> =
        fails.iter().map(|(name, why)| format!("{{\"file_name\":\"{name}\",\"fail_reason\":\"{why}\"}}")).collect();
    says(200, &format!("{{\"success_file_info\":[{}],\"fail_file_info\":[{}]}}", kept.join(","), failed.join(",")))
}

/// What each upload carried, by what the names end in.
fn sent(host: &Host) -> Vec<String> {
    let ends = |asked: &Asked| {
        let ends: Vec<String> = names(asked).iter().filter_map(|name| name.rsplit('-').next().map(str::to_owned)).collect();
        ends.join(" ")
    };
    host.asked().iter().filter(|asked| api(asked) == "upload").map(ends).collect()
}

fn name(path: &str) -> String {
    plan::upload_names([&path.into()]).remove(0)
}

async fn upload(answers: Vec<String>, paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let host = service([("upload", answers), ("create", vec![created("t")])]);
    let ledger = ledger(FileType::Dockerfile, paths);
    let (ran, _) = run_with(&host, ledger, Options { no_wait: true, ..OPTIONS }).await;
    assert_eq!((ran.error, ran.notes), (None, Vec::new()));
    (sent(&host), ran.files)
}

#[tokio::test]
async fn what_is_refused_by_name_is_dropped_and_the_rest_sent_again() {
    let refusal = answer(&[], &[(&name("b"), "too odd")]);
    let (sent, files) = upload(vec![refusal, KEPT.to_owned()], &["a", "b", "c"]).await;
    assert_eq!(sent, ["a b c", "a c"]);
    assert_eq!(files, [&format!("a {IN_TASK}"), "b UploadFailed: too odd", &format!("c {IN_TASK}")]);
    let alone = answer(&[], &[(&name("a"), "too odd")]);
    assert_eq!(upload(vec![alone], &["a"]).await, (vec!["a".to_owned()], vec!["a UploadFailed: too odd".to_owned()]));
}

#[tokio::test]
async fn a_batch_that_is_refused_without_names_is_split_until_the_culprit_stands_alone() {
    let no = || says(400, "no");
    let keeps = || KEPT.to_owned();
    let (sent, files) = upload(vec![no(), no(), keeps(), no(), keeps()], &["a", "b", "c", "d"]).await;
    assert_eq!(sent, ["a b c d", "a b", "c d", "a", "b"]);
    assert_eq!(files[0], "a UploadFailed: batch-upload: 400 no");
    assert_eq!(files[1..], ["b", "c", "d"].map(|path| format!("{path} {IN_TASK}")));
    let strange = || answer(&[], &[("z", "no")]);
    let (sent, files) = upload(vec![strange(), strange(), keeps()], &["a", "b"]).await;
    assert_eq!(sent, ["a b", "a", "b"]);
    assert_eq!(files, ["a UploadFailed: refused under a name that was not sent", &format!("b {IN_TASK}")]);
}

#[tokio::test]
async fn what_is_taken_without_an_id_is_sent_alone() {
    let some = answer(&[(&name("a"), "a"), (&name("b"), "")], &[]);
    let none = answer(&[], &[]);
    let (sent, files) = upload(vec![some, none], &["a", "b", "c"]).await;
    assert_eq!(sent, ["a b c", "b", "c"]);
    let no_id = "UploadFailed: the service took it and gave no id";
    assert_eq!(files, [format!("a {IN_TASK}"), format!("b {no_id}"), format!("c {no_id}")]);
}

#[tokio::test]
async fn one_that_is_taken_without_an_id_is_sent_again_before_it_is_given_up() {
    let some = answer(&[(&name("a"), "a")], &[]);
    let (sent, files) = upload(vec![some, KEPT.to_owned()], &["a", "b"]).await;
    assert_eq!(sent, ["a b", "b"]);
    assert_eq!(files, ["a", "b"].map(|path| format!("{path} {IN_TASK}")));
}

#[tokio::test]
async fn an_id_is_known_by_its_name_below_a_directory_or_by_standing_alone() {
    let below = answer(&[(&format!("tmp/{}", name("b")), "2"), (&format!("tmp/{}", name("a")), "1")], &[]);
    let (sent, files) = upload(vec![below], &["a", "b"]).await;
    assert_eq!(sent, ["a b"]);
    assert_eq!(files, ["a", "b"].map(|path| format!("{path} {IN_TASK}")));
    let (_, files) = upload(vec![answer(&[("another", "1")], &[])], &["a"]).await;
    assert_eq!(files, [format!("a {IN_TASK}")]);
    let two = answer(&[("another", "1"), ("third", "2")], &[]);
    let (_, files) = upload(vec![two], &["a"]).await;
    assert_eq!(files, ["a UploadFailed: the service took it and gave no id"]);
}

#[tokio::test]
async fn files_in_different_uploads_share_a_task() {
    let paths: Vec<String> = (10..22).map(|number| number.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let host = service([("create", vec![created("t")])]);
    let (ran, ledger) =
        run_with(&host, ledger(FileType::K8sYaml, &paths), Options { no_wait: true, jobs: 1, ..OPTIONS }).await;
    assert_eq!(ran.calls, ["upload", "upload", "create"]);
    assert_eq!(sent(&host).iter().map(|names| names.split(' ').count()).collect::<Vec<_>>(), [10, 2]);
    assert_eq!(ledger.tasks["t"].files, 12);
}

#[tokio::test]
async fn a_file_that_can_not_be_read_again_is_not_sent_and_one_that_fails_costs_itself_alone() {
    let host = service([("create", vec![created("t")])]);
    let (ledger, client) = (RefCell::new(ledger(FileType::Dockerfile, &["a", "b"])), client(&host));
    let read = |index: usize| {
        let gone = || std::io::Error::other("gone");
        if index == 0 { Err(gone()) } else { Ok(Masked { bytes: vec![b'b'; 7], values: 3 }) }
    };
    let options = Options { no_wait: true, ..OPTIONS };
    let ended = in_time(Box::pin(Job::new(&client, options, &ledger, &|_| (), &read).run())).await;
    let ledger = ledger.into_inner();
    let ran = came_to(&host, ended, &ledger);
    assert_eq!(ran.files, ["a NotScanned: could not be read again: gone", &format!("b {IN_TASK}")]);
    assert_eq!(sent(&host), ["b"]);
    assert_eq!((ledger.entries[1].source.size, ledger.entries[1].source.masked), (7, 3));
}

#[tokio::test]
async fn a_service_that_fails_twice_is_left_alone() {
    let paths: Vec<String> = (10..40).map(|number| number.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let host = service([("upload", vec![says(503, "")])]);
    let (ran, _) =
        run_with(&host, ledger(FileType::Dockerfile, &paths), Options { no_wait: true, jobs: 1, ..OPTIONS }).await;
    assert_eq!(ran.error.as_deref(), Some("batch-upload: 503 "));
    assert_eq!(ran.calls, ["upload"; 12], "two batches, each with all its repetitions");
    assert_eq!(ran.files[0], "10 NotScanned: batch-upload: 503 ");
    assert_eq!(ran.files[29], "39 NotScanned: not sent: over");
}
