//! What must hold of any run, from the outside: what stands in its result, against what the stand-in saw and what is in the repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use hss_iac::emulator::{Call, Fault, ScriptedFault};
use hss_iac::model::{Exit, ScanResult};
use hss_iac::report;
use serde_json::Value;

use crate::checks;
use crate::common::assert_adds_up;
use crate::play::{Ran, is_fault};
use crate::repos::{Found, Repos, add};
use crate::scenario::{Scenario, Stdout, Who, ends_with, gives_credentials, leaves_no_trace};

/// What a busy machine may add to a run.
const SLACK: Duration = Duration::from_secs(1);
/// The same where a body has no end: 16 MiB of it are read, by code that nothing optimized.
const SLACK_FOR_MUCH: Duration = Duration::from_secs(6);

/// Panics with the first thing that does not hold.
pub(crate) fn judge(scenario: &Scenario, repos: &Repos, ran: &Ran) {
    let known = &repos.all[scenario.repo].paths;
    assert_adds_up(&ran.result, known.len());
    let has_no_end = scenario.options.0.faults.iter().any(|scripted| scripted.fault == Fault::Endless);
    let slack = if has_no_end { SLACK_FOR_MUCH } else { SLACK };
    assert!(ran.took < scenario.timeout + scenario.timings.grace + slack, "it took {:?}", ran.took);
    assert!(ran.refusals.iter().all(|refusal| is_asked_for(scenario, refusal)), "refused: {:?}", ran.refusals);
    nothing_is_claimed(ran);
    findings_are_those_of_the_files(scenario, known, ran);
    exit_code(scenario, ran);
    what_passes_leaves_no_trace(scenario, repos, ran);
    tasks_are_known(scenario, ran);
    no_call_follows_a_refused_key(scenario, ran);
    calls_are_counted(scenario, ran);
    reports_are_valid(ran);
    fits_the_schema(repos, ran);
    assert!(!ran.result.to_string().contains(&scenario.options.0.secret_key), "a secret in the result");
}

/// Panics with the first thing that does not hold of a run that was killed and then gone on with: it ends as if it had not been, whatever
/// the service did meanwhile.
pub(crate) fn judge_resumed(scenario: &Scenario, repos: &Repos, ran: &Ran) {
    let known = &repos.all[scenario.repo];
    assert_adds_up(&ran.result, known.paths.len());
    assert!(ran.refusals.is_empty(), "refused: {:?}", ran.refusals);
    assert_eq!(lasting(&ran.result), lasting(&known.result));
    assert_eq!(known.result["verdict"]["exit_code"], ran.exit, "the exit code");
    nothing_is_claimed(ran);
    tasks_are_known(scenario, ran);
    reports_are_valid(ran);
    fits_the_schema(repos, ran);
    // A lost answer has its batch sent again, and so has the kill, which finds at most so many on their way.
    let lost = ran.journal.iter().filter(|call| call.api == "batch-upload" && call.effect && is_fault(call)).count();
    let mut copies: HashMap<&str, usize> = HashMap::new();
    for file in &ran.kept {
        *copies.entry(file.name.as_str()).or_default() += 1;
    }
    let more: usize = copies.values().map(|copies| copies - 1).sum();
    assert!(more <= BATCH * (lost + scenario.jobs), "{more} files were sent again, of {lost} lost uploads");
}

/// Files of an upload at most.
const BATCH: usize = 10;

/// What must be the same however often a run was cut off: all but times, ids, the number of calls and what is said of faults.
fn lasting(result: &Value) -> Value {
    let mut result = result.clone();
    for part in ["run", "service", "calls", "tasks", "notes"] {
        result.as_object_mut().expect("an object").remove(part);
    }
    for file in result["files"].as_array_mut().expect("files") {
        let file = file.as_object_mut().expect("an object");
        assert_eq!(file.get("next"), None, "nothing is left to do");
        file.remove("file_id");
        file.remove("task_id");
    }
    result
}

/// A fault that passes is got over: the run ends as in fine weather.
fn what_passes_leaves_no_trace(scenario: &Scenario, repos: &Repos, ran: &Ran) {
    let passes = |ScriptedFault { nth, fault, .. }: &ScriptedFault| *nth > 0 && leaves_no_trace(fault);
    if scenario.pair.is_none() || scenario.no_wait || scenario.resumed || !scenario.options.0.faults.iter().all(passes) {
        return;
    }
    let known = &repos.all[scenario.repo].result;
    let as_known = ran.result["verdict"] == known["verdict"] && lasting(&ran.result) == lasting(known);
    assert!(as_known, "not as in fine weather: {}", ran.result["verdict"]);
}

/// Refusals that the stand-in was told to give, or led to: an upload's answer that lacks what was refused has a task made of files that
/// are not kept, and a listing that makes a task up has its files asked for.
fn is_asked_for(scenario: &Scenario, refusal: &str) -> bool {
    let options = &scenario.options.0;
    let lied = |api: &str, lies: &[Fault]| {
        options.faults.iter().any(|scripted| scripted.api == api && lies.contains(&scripted.fault))
    };
    let hid_a_refusal = !options.refuse_names.is_empty() && lied("batch-upload", &[Fault::Missing, Fault::Shifted]);
    let made_a_task_up = lied("tasks/batch-query", &[Fault::NoEnd]);
    refusal.contains("HSS.1018: invalid file information")
        || hid_a_refusal && refusal.starts_with("task: HSS.0011: resource not found: file ")
        || made_a_task_up && refusal.starts_with("resources/batch-query: HSS.0011: resource not found: task ")
}

fn files(ran: &Ran) -> impl Iterator<Item = &Value> {
    ran.result["files"].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// A file that counts as scanned is kept by the service, stands in the task that is named, and has been scanned.
fn nothing_is_claimed(ran: &Ran) {
    let tasks: HashMap<&str, &Vec<String>> = ran.tasks.iter().map(|(id, _, files)| (id.as_str(), files)).collect();
    let paths: BTreeSet<&str> = files(ran).map(|file| text(file, "path")).collect();
    assert_eq!(paths.len(), files(ran).count(), "each path once");
    for file in files(ran) {
        let (state, id, task) = (text(file, "state"), text(file, "file_id"), text(file, "task_id"));
        assert!(state == "scanned" || !text(file, "reason").is_empty(), "no reason: {file}");
        if state == "scanned" {
            assert!(tasks.get(task).is_some_and(|files| files.iter().any(|file| file == id)), "in no task: {file}");
            let kept = ran.kept.iter().find(|kept| kept.file_id == id);
            assert!(kept.is_some_and(|kept| kept.bytes.len() as u64 == file["size"]), "not kept: {file}");
            assert!(kept.is_some_and(|kept| kept.scanned == Some(true)), "not scanned by the service: {file}");
        }
    }
}

/// What is scanned has all findings of fine weather, anything else none that fine weather lacks.
fn findings_are_those_of_the_files(scenario: &Scenario, known: &BTreeMap<String, Found>, ran: &Ran) {
    let mut found: BTreeMap<&str, Found> = BTreeMap::new();
    let mut made_up = BTreeSet::new();
    for finding in ran.result["findings"].as_array().into_iter().flatten() {
        // Of a listing without end.
        if text(finding, "rule_id") == "made-up" {
            made_up.insert(text(finding, "path"));
        } else {
            add(found.entry(text(finding, "path")).or_default(), finding);
        }
    }
    for file in files(ran) {
        let path = text(file, "path");
        let (expected, found) = (&known[path], found.remove(path).unwrap_or_default());
        // A service that counts more than it lists says so of every risk.
        let overcounts = scenario.options.0.overcount_risks;
        let is_known = |(rule, places): (&_, &u64)| expected.get(rule).is_some_and(|known| overcounts || places <= known);
        assert!(found.iter().all(is_known), "{path} has findings of its own: {found:?}, not {expected:?}");
        // What was made up is not to be told from the risks that it stands for, where these are still to come.
        let is_hidden = scenario.options.0.late_risks > 0 && made_up.contains(path);
        if text(file, "state") == "scanned" && !is_hidden {
            let rules = |found: &Found| found.keys().cloned().collect::<Vec<_>>();
            assert_eq!(rules(&found), rules(expected), "{path} is scanned and not all is found");
            assert!(overcounts || found == *expected, "{path} is found at {found:?}, not at {expected:?}");
        }
    }
    assert!(found.is_empty(), "findings without a file: {found:?}");
}

/// The one exit code, from what the result and the scenario say.
fn exit_code(scenario: &Scenario, ran: &Ran) {
    let result = &ran.result;
    let all_scanned = files(ran).all(|file| file["state"] == "scanned");
    assert_eq!(result["complete"], all_scanned, "complete");
    let told = u8::try_from(result["verdict"]["exit_code"].as_u64().unwrap_or(999)).expect("a code");
    // A result that was written before stdout failed can't say so.
    let hidden = scenario.stdout == Stdout::Full && ran.exit == 8;
    assert!(told == ran.exit || hidden && [0, 3].contains(&told), "the result says {told}, the process {}", ran.exit);
    let full = [Stdout::Full, Stdout::BesideFull].contains(&scenario.stdout);
    assert!(!full || ran.exit != 0, "a full disk passes");
    let gate = result["findings"].as_array().into_iter().flatten().any(|finding| finding["level"] == "high");
    let submitted = files(ran).all(|file| !text(file, "task_id").is_empty() || file["state"] != "not_scanned");
    let statuses: BTreeSet<u16> = ran.journal.iter().filter_map(|call| call.status).collect();
    let cut_by = |exit: Exit| scenario.signal.is_some_and(|(signal, _)| signal == exit);
    match told {
        0 if scenario.no_wait => assert!(submitted && !gate, "green, and not all is submitted"),
        0 => assert!(all_scanned && !gate, "green by accident"),
        1 => assert!(gate, "no finding reaches the gate"),
        // A project that is not listed can't be told from one that may not be seen.
        4 if outlived(scenario, ran) => {}
        4 if !scenario.project_known => assert!(ran.faults() > 0, "nobody refused a login"),
        4 => assert!(ran.journal.iter().any(refuses_a_login), "nobody refused a login"),
        5 => assert!(scenario.elsewhere.is_some() || ran.faults() > 0 || statuses.contains(&429), "nothing failed"),
        6 => assert!(ran.took >= scenario.timeout, "too early for a time-out: {:?}", ran.took),
        7 => assert!(!all_scanned, "all is scanned"),
        8 => assert!(full, "no disk was full"),
        130 => assert!(cut_by(Exit::Interrupted)),
        143 => assert!(cut_by(Exit::Terminated)),
        other => panic!("exit code {other}"),
    }
    assert!(!gate || [1, 130, 143].contains(&told), "{told} though a finding reaches the gate");
    if let (Some(_), [ScriptedFault { api, nth: 0, fault }], false) = (&scenario.pair, &scenario.options.0.faults[..], gate)
        && let Some(exit) = ends_with(api, fault)
        && !scenario.resumed
    {
        // Repetitions take their time, which may be more than there is.
        let is_cut = told == Exit::Timeout.code() && exit == Exit::Service;
        assert!(
            told == exit.code() || is_cut,
            "ended with {told}, where {fault:?} at every {api} ends with {}",
            exit.code()
        );
    }
    let status = match told {
        0 if text(&result["verdict"], "status") == "pending" => "pending",
        0 => "pass",
        1 => "fail",
        7 => "partial",
        _ => "error",
    };
    assert_eq!(result["verdict"]["status"], status);
}

/// Whether an answer may be that of one who does not know us, or does not let us.
fn refuses_a_login(call: &Call) -> bool {
    let is_login = gives_credentials(&call.api);
    call.status.is_some_and(|status| [400, 401, 403].contains(&status) || is_login && (400..500).contains(&status))
}

/// Whether what was obtained has ended by the clock of a service that is ahead.
fn outlived(scenario: &Scenario, ran: &Ran) -> bool {
    let is_ahead = !scenario.options.0.date_ahead.is_zero()
        || ran
            .journal
            .iter()
            .any(|call| call.detail.starts_with("fault Dated") && !call.detail.starts_with("fault Dated(-"));
    is_ahead && ran.result["verdict"]["reasons"].to_string().contains("the credentials that were issued have ended already")
}

/// No two tasks hold a file, but where the listing that was to show the first did not.
fn tasks_are_known(scenario: &Scenario, ran: &Ran) {
    let told: BTreeSet<&str> =
        ran.result["tasks"].as_array().into_iter().flatten().map(|task| text(task, "task_id")).collect();
    let made: BTreeSet<&str> =
        ran.tasks.iter().filter(|(id, ..)| !is_old(scenario, ran, id)).map(|(id, ..)| id.as_str()).collect();
    assert!(told.is_subset(&made), "a task that nobody made: {told:?}");
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for (_, _, files) in &ran.tasks {
        for file in files {
            *holders.entry(file).or_default() += 1;
        }
    }
    if let Some((file, _)) = holders.iter().find(|(_, tasks)| **tasks > 1) {
        assert!(may_repeat(scenario, ran), "file {file} stands in two tasks");
    }
    // The answer was lost and no look brought it back: then its files say so.
    for (id, _, held) in ran.tasks.iter().filter(|(id, ..)| made.contains(id.as_str()) && !told.contains(id.as_str())) {
        let says_so = |file: &Value| {
            let reason = text(file, "reason");
            reason.contains("a task may exist") || !text(file, "task_id").is_empty()
        };
        let silent: Vec<&Value> =
            files(ran).filter(|file| held.iter().any(|id| id == text(file, "file_id")) && !says_so(file)).collect();
        assert!(silent.is_empty(), "task {id} is not told of: {silent:?}");
    }
}

/// A task of yesterday.
fn is_old(scenario: &Scenario, ran: &Ran, id: &str) -> bool {
    let old = usize::try_from(scenario.options.0.old_tasks).expect("few");
    ran.tasks.iter().take(old).any(|(task, ..)| task == id)
}

/// Whether a task was lost and the looks for it could not see it.
fn may_repeat(scenario: &Scenario, ran: &Ran) -> bool {
    let options = &scenario.options.0;
    let is_lost = |call: &Call| call.api == "task" && call.effect && is_fault(call);
    // One that is cut off may lose any answer.
    let lost = scenario.resumed || ran.journal.iter().any(is_lost);
    let met = |api: &str, kinds: &[&str]| {
        let is_one = |call: &&Call| kinds.iter().any(|kind| call.detail.starts_with(&format!("fault {kind}")));
        ran.journal.iter().filter(|call| call.api == api).filter(is_one).count()
    };
    let emptied = met("tasks/batch-query", &["Emptied"]) + met("resources/batch-query", &["Emptied"]);
    let unseen = options.hide_tasks as usize + emptied;
    // A clock that is ahead hides it from all looks but the last, and looks that fail see nothing.
    let ahead = !options.date_ahead.is_zero() || ran.journal.iter().any(|call| call.detail.starts_with("fault Dated"));
    let before_the_last = if ahead { 0 } else { 3 };
    // The last look alone does not ask whether it was given all.
    let cut_short = met("tasks/batch-query", &["Missing", "InPlace", "Shifted", "Short", "OneRow", "NoEnd"]) > 0;
    // Files that are made up are somebody else's.
    let made_foreign = met("resources/batch-query", &["NoEnd"]) > 0;
    lost && (made_foreign || unseen > before_the_last || unseen == before_the_last && cut_short)
}

/// More than five wrong signatures lock a key: after a 401 only what was in flight arrives. What was obtained is obtained anew, once.
fn no_call_follows_a_refused_key(scenario: &Scenario, ran: &Ran) {
    let Some(at) = ran.journal.iter().position(|call| call.status == Some(401)) else { return };
    let refused = ran.journal.iter().filter(|call| call.status == Some(401)).count();
    // Jobs, and the poll, the task and the place that may be asked for beside them.
    let at_once = scenario.jobs + 3;
    let is_ours = matches!(scenario.who, Who::Keys | Who::Token);
    let runs = if scenario.resumed { 2 } else { 1 };
    assert!(refused <= runs * if is_ours { at_once } else { 2 * at_once }, "{refused} times 401");
    if is_ours && !scenario.resumed {
        let after = ran.journal.len() - at - 1;
        assert!(after <= if at == 0 { 0 } else { 2 * scenario.jobs + 2 }, "after a 401 {after} calls");
    }
}

/// What the result says of calls is what was sent, and that is not without end.
fn calls_are_counted(scenario: &Scenario, ran: &Ran) {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for call in &ran.journal {
        *seen.entry(&call.api).or_default() += 1;
    }
    let told = ran.result["calls"].as_object().expect("calls");
    for (api, told) in told {
        let (told, calls) = (told.as_u64().expect("a number"), seen.remove(api.as_str()).unwrap_or_default());
        // What was on its way when time was up may not have arrived, and nothing arrives elsewhere.
        let more = scenario.jobs as u64 + 3;
        assert!(scenario.elsewhere.is_some() || told <= calls + more, "counted {told} calls of {api}, {calls} seen");
        assert!(calls <= told, "{calls} calls of {api}, {told} counted");
        assert!(calls <= 900, "{calls} calls of {api}");
    }
    assert!(seen.is_empty(), "not counted: {seen:?}");
}

type Writer = fn(&ScanResult, &mut dyn std::io::Write) -> report::Written;
type Check = fn(&[u8], &Value);

fn reports_are_valid(ran: &Ran) {
    let result: ScanResult = serde_json::from_value(ran.result.clone()).expect("a result");
    let formats: [(Writer, Check); 4] = [
        (report::sarif::write, checks::sarif),
        (report::junit::write, checks::junit),
        (report::gitlab_codequality::write, checks::codequality),
        (report::gitlab_sast::write, checks::sast),
    ];
    for (write, check) in formats {
        let mut bytes = Vec::new();
        write(&result, &mut bytes).expect("a report");
        check(&bytes, &ran.result);
    }
}

fn fits_the_schema(repos: &Repos, ran: &Ran) {
    let faults: Vec<String> =
        repos.schema.iter_errors(&ran.result).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "not as its schema says: {faults:?}");
}
