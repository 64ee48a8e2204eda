use super::*;

fn risk(id: &str, rule: &str, level: &str) -> String {
    format!("{{\"risk_id\":\"{id}\",\"rule_id\":\"{rule}\",\"risk_level\":\"{level}\"}}")
}

/// Runs with the manifests `a` and `b`, each of which has these risks.
async fn place(risks: &[String], places: Vec<String>, max_path_calls: usize) -> (Ran, Vec<String>) {
    let risks: Vec<&str> = risks.iter().map(String::as_str).collect();
    let host = service([
        ("create", vec![created("t")]),
        ("tasks", vec![data(&[task("t", "finished", [2, 2, 0])])]),
        ("files", vec![none()]),
        ("risks", vec![data(&risks)]),
        ("places", places),
    ]);
    let ledger = ledger(FileType::K8sYaml, &["a", "b"]);
    let (ran, _) = run_with(&host, ledger, Options { max_path_calls, jobs: 1, ..OPTIONS }).await;
    let question = |asked: &Asked| {
        let of = |name: &str| asked.line.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
        format!("{} {}", of("file_id="), of("rule_id="))
    };
    let asked = host.asked().iter().filter(|asked| api(asked) == "places").map(question).collect();
    (ran, asked)
}

fn somewhere() -> String {
    data(&[r#"{"hit_path":"spec"}"#])
}

#[tokio::test]
async fn each_rule_of_a_file_is_asked_about_once_the_worst_first() {
    let risks = [risk("1", "l", "low"), risk("2", "h", "high"), risk("3", "h", "high"), risk("4", "m", "medium")];
    let (ran, asked) = place(&risks, vec![somewhere()], 10).await;
    assert_eq!((ran.error, ran.notes), (None, Vec::new()));
    assert_eq!(ran.files, ["a Scanned", "b Scanned"]);
    assert_eq!(asked, ["a h", "b h", "a m", "b m", "a l", "b l"]);
}

#[tokio::test]
async fn no_more_is_asked_than_is_allowed() {
    // A rule that hits twice is one.
    let risks = [risk("1", "l", "low"), risk("2", "h", "high"), risk("3", "g", "high"), risk("4", "g", "high")];
    let (ran, asked) = place(&risks, vec![somewhere()], 3).await;
    assert_eq!(asked.len(), 3);
    let without = |what: &str, at_the_gate: u64| {
        format!(
            "{what} without the places in the file, {at_the_gate} of them at the gate: asking for each rule in a file costs a \
             call, and --max-path-calls allows"
        )
    };
    assert_eq!(ran.notes, [format!("{} 3", without("3 rules are shown", 1))]);
    let (ran, asked) = place(&risks, vec![somewhere()], 5).await;
    assert_eq!((ran.notes, asked.len()), (vec![format!("{} 5", without("1 rule is shown", 0))], 5));
    let (ran, asked) = place(&risks, vec![somewhere()], 0).await;
    assert_eq!((ran.notes, asked.len()), (vec![format!("{} 0", without("6 rules are shown", 4))], 0));
    let (ran, asked) = place(&risks, vec![somewhere()], 6).await;
    assert_eq!((ran.notes, asked.len()), (Vec::new(), 6));
}

#[tokio::test]
async fn places_that_are_refused_are_noted_and_the_others_asked_for() {
    let risks = [risk("2", "h", "high")];
    let (ran, asked) = place(&risks, vec![says(400, "no"), somewhere()], 10).await;
    assert_eq!(ran.notes, ["the places of rule h could not be read: risk/paths: 400 no"]);
    assert_eq!((ran.error, ran.files.len(), asked.len()), (None, 2, 2));
    assert_eq!(ran.files, ["a Scanned", "b Scanned"]);
    let (ran, _) = place(&risks, vec![says(403, "no")], 10).await;
    assert_eq!(ran.error.as_deref(), Some("risk/paths: 403 no"));
}

#[tokio::test]
async fn the_worst_is_asked_about_while_other_files_are_read() {
    // The risks of the second file come when it was asked where those of the first are.
    let asked_early = std::sync::Arc::new(Mutex::new(false));
    let (seen, is_asked) = (std::sync::Arc::clone(&asked_early), Mutex::new(false));
    let host = Host::new(move |_, asked| match api(asked) {
        "upload" => kept(asked),
        "create" => created("t"),
        "tasks" => data(&[task("t", "finished", [2, 2, 0])]),
        "files" => none(),
        "places" => {
            *is_asked.lock().unwrap() = true;
            somewhere()
        }
        _ => {
            if asked.line.contains("file_id=b&") {
                wait_for(|| *is_asked.lock().unwrap(), Duration::from_secs(2));
                *seen.lock().unwrap() = *is_asked.lock().unwrap();
            }
            data(&[risk("1", "h", "high")])
        }
    });
    let (ran, _) = run_with(&host, ledger(FileType::K8sYaml, &["a", "b"]), Options { jobs: 1, ..OPTIONS }).await;
    assert_eq!((ran.error, ran.files), (None, vec!["a Scanned".to_owned(), "b Scanned".to_owned()]));
    assert!(*asked_early.lock().unwrap());
}
