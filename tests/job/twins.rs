//! Equal files.

use super::*;

#[test]
fn equal_files_with_one_id_are_one_in_their_task() {
    for fault in [None, Some(Fault::ResetAfter)] {
        let faults = fault.into_iter().map(|fault| scripted("task", 1, fault)).collect();
        let emulator = start(Options { one_id_per_content: true, faults, ..quick() });
        let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("b/Dockerfile", BAD_DOCKERFILE);
        let ran = scan(repo.path(), &emulator, &[]);
        let result = ran.json();
        assert_eq!(ran.code, 1, "{}\n{}", ran.stderr, result["verdict"]);
        let scanned = ["a/Dockerfile", "b/Dockerfile"].map(|path| (path.to_owned(), "scanned".to_owned()));
        assert_eq!(states(&result), scanned);
        assert_eq!(emulator.tasks().len(), 1);
        assert_eq!(calls(&emulator, "file/risks"), 1);
        assert_eq!(emulator.refusals(), Vec::<String>::new());
    }
}

#[test]
fn equal_bytes_are_sent_once_and_count_at_every_path() {
    let emulator = start(quick());
    let repo = Repo::new()
        .file("a/Dockerfile", BAD_DOCKERFILE)
        .file("b/Dockerfile", BAD_DOCKERFILE)
        .file("c/pod.yaml", TWO_PLACES)
        .file("d/pod.yaml", TWO_PLACES);
    let ran = scan(repo.path(), &emulator, &[]);
    let result = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_adds_up(&result, 4);
    assert_eq!(emulator.files().len(), 2);
    let of = |path: &str| {
        let found = result["findings"].as_array().expect("findings").iter().filter(|finding| finding["path"] == path);
        found.map(|finding| (finding["rule_id"].clone(), finding["location"].clone())).collect::<Vec<_>>()
    };
    assert!(!of("a/Dockerfile").is_empty() && !of("c/pod.yaml").is_empty());
    assert_eq!((of("a/Dockerfile"), of("c/pod.yaml")), (of("b/Dockerfile"), of("d/pod.yaml")));

    let emulator = start(Options { refuse_names: vec!["a-".to_owned()], ..quick() });
    let result = scan(repo.path(), &emulator, &[]).json();
    let expected = [("a/Dockerfile", "upload_failed"), ("b/Dockerfile", "upload_failed")];
    let failed: Vec<_> = states(&result).into_iter().take(2).collect();
    assert_eq!(failed, expected.map(|(path, state)| (path.to_owned(), state.to_owned())));
}

/// Scans a Dockerfile and then manifests that are equal, to which this is done when the Dockerfile is on its way.
fn twins(done: impl FnOnce(&Repo)) -> (Vec<(String, String)>, Vec<String>, Value) {
    let mut repo = Repo::new().file("Dockerfile", &common::clean_dockerfile(1));
    for name in ["a", "b", "c"] {
        repo = repo.file(&format!("{name}/pod.yaml"), TWO_PLACES);
    }
    let emulator = start(faulty("batch-upload", 1, Fault::Slow(Duration::from_secs(2))));
    let mut command = scan_command(repo.path(), &emulator, &["--jobs", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    until("it came to send the first file", || calls(&emulator, "batch-upload") > 0);
    done(&repo);
    let ran: Finished = child.wait_with_output().expect("it ends").into();
    let result = ran.json();
    assert_adds_up(&result, 4);
    assert_eq!(emulator.refusals(), Vec::<String>::new());
    let sent = emulator.files().into_iter().map(|file| file.name).collect();
    (states(&result).into_iter().skip(1).collect(), sent, result)
}

/// These states of the files of [`twins`].
fn manifests(states: [&str; 3]) -> Vec<(String, String)> {
    ["a/pod.yaml", "b/pod.yaml", "c/pod.yaml"]
        .into_iter()
        .zip(states)
        .map(|(path, state)| (path.into(), state.into()))
        .collect()
}

#[test]
fn a_file_that_goes_takes_no_equal_one_along() {
    let gone = |repo: &Repo, name: &str| std::fs::remove_file(repo.path().join(name)).expect("it goes");
    let (states, sent, _) = twins(|repo| {
        gone(repo, "a/pod.yaml");
        gone(repo, "b/pod.yaml");
    });
    assert_eq!(states, manifests(["not_scanned", "not_scanned", "scanned"]));
    assert!(sent.len() == 2 && sent[1].starts_with("c-"), "{sent:?}");
}

#[test]
fn a_file_that_is_rewritten_takes_no_equal_one_along() {
    let (states, sent, result) = twins(|repo| {
        std::fs::write(repo.path().join("a/pod.yaml"), TWO_PLACES.replace("web", "other")).expect("it is rewritten");
    });
    assert_eq!(states, manifests(["scanned"; 3]));
    assert_eq!(sent.len(), 3, "the Dockerfile, the new text and the old one: {sent:?}");
    let of = |path: &str| {
        let found = result["findings"].as_array().expect("findings").iter().filter(|finding| finding["path"] == path);
        found.map(|finding| finding["resource"]["name"].clone()).collect::<Vec<_>>()
    };
    assert!(of("a/pod.yaml").iter().all(|name| name == "other") && of("b/pod.yaml").iter().all(|name| name == "web"));
    assert!(!of("a/pod.yaml").is_empty() && of("a/pod.yaml").len() == of("c/pod.yaml").len());
}

/// The verdict that each of the manifests of [`twins`] got: the names of the objects in its findings.
fn names(result: &Value) -> Vec<(String, Vec<String>)> {
    let name = |finding: &Value| finding["resource"]["name"].as_str().unwrap_or_default().to_owned();
    let of = |path: &str| {
        let all = result["findings"].as_array().expect("findings").iter();
        let mut names: Vec<String> = all.filter(|finding| finding["path"] == path).map(name).collect();
        names.dedup();
        names
    };
    ["a/pod.yaml", "b/pod.yaml", "c/pod.yaml"].map(|path| (path.to_owned(), of(path))).into()
}

#[test]
fn a_file_that_was_equal_to_another_is_read_before_it_counts_as_such() {
    let (states, sent, result) = twins(|repo| {
        std::fs::write(repo.path().join("b/pod.yaml"), TWO_PLACES.replace("web", "other")).expect("it is rewritten");
        std::fs::remove_file(repo.path().join("c/pod.yaml")).expect("it goes");
    });
    assert_eq!(states, manifests(["scanned", "scanned", "not_scanned"]));
    let reason = result["files"][3]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("could not be read again: "), "{result}");
    assert!(sent.len() == 3 && sent[1].starts_with("a-") && sent[2].starts_with("b-"), "{sent:?}");
    let found = [("a", &["web"][..]), ("b", &["other"]), ("c", &[])];
    let found = found.map(|(name, names)| (format!("{name}/pod.yaml"), names.iter().map(|&name| name.into()).collect()));
    assert_eq!(names(&result), found);
}

#[test]
fn files_that_are_rewritten_alike_are_still_sent_once() {
    let (states, sent, result) = twins(|repo| {
        for name in ["a", "b", "c"] {
            let path = repo.path().join(format!("{name}/pod.yaml"));
            std::fs::write(path, TWO_PLACES.replace("web", "other")).expect("it is rewritten");
        }
    });
    assert_eq!((states, sent.len()), (manifests(["scanned"; 3]), 2), "{sent:?}");
    assert!(names(&result).iter().all(|(_, names)| names == &["other"]), "{result}");
}

#[test]
fn any_number_of_equal_files_may_be_rewritten_before_they_are_sent() {
    let repo = (0..25).fold(Repo::new().file("Dockerfile", &common::clean_dockerfile(1)), |repo, i| {
        repo.file(&format!("{i}/pod.yaml"), TWO_PLACES)
    });
    let emulator = start(faulty("batch-upload", 1, Fault::Slow(Duration::from_secs(2))));
    let mut command = scan_command(repo.path(), &emulator, &["--jobs", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    until("it came to send the first file", || calls(&emulator, "batch-upload") > 0);
    for i in 0..25 {
        let text = TWO_PLACES.replace("web", &format!("web{i}"));
        std::fs::write(repo.path().join(format!("{i}/pod.yaml")), text).expect("it is rewritten");
    }
    let ran: Finished = child.wait_with_output().expect("it ends").into();
    let result = ran.json();
    assert_adds_up(&result, 26);
    assert_eq!((&result["counts"]["scanned"], emulator.files().len()), (&json!(26), 26), "{}", ran.stderr);
    // The Dockerfile, the first manifest, and the others, ten at a time.
    assert_eq!((calls(&emulator, "batch-upload"), emulator.refusals()), (5, Vec::new()));
}
