//! What a service that gives without end, or never gives, may cost: each bound, held exactly.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use hss_iac::emulator::Fault;

use crate::common::scripted;
use crate::oracle;
use crate::play::{Ran, play};
use crate::repos::{Repos, WITH_PLACES};
use crate::scenario::Scenario;

/// One file, of which risks are read.
const ONE_FILE: usize = 0;
/// 101 clean Dockerfiles and one that is not: two tasks.
const MANY_FILES: usize = 6;

/// The run of a fault at these calls of an API, which keeps all rules of bad weather.
fn ran(repos: &Repos, repo: usize, api: &str, nth: u32, fault: Fault) -> Ran {
    let mut scenario = Scenario::calm(repo);
    scenario.options.0.faults.push(scripted(api, nth, fault));
    scenario.options.0.omit_counts = api == "resources/batch-query";
    let ran = play(&scenario, repos);
    oracle::judge(&scenario, repos, &ran);
    ran
}

fn calls(ran: &Ran, api: &str) -> usize {
    ran.journal.iter().filter(|call| call.api == api).count()
}

fn reasons(ran: &Ran) -> String {
    format!("{} {} {}", ran.result["verdict"]["reasons"], ran.result["notes"], ran.result["files"])
}

#[test]
fn a_call_that_always_fails_is_repeated_five_times() {
    let repos = Repos::new();
    for fault in [Fault::Status(503), Fault::ResetBefore, Fault::Truncate, Fault::Garbage, Fault::Headers, Fault::Endless] {
        let ran = ran(&repos, ONE_FILE, "batch-upload", 0, fault.clone());
        assert_eq!((ran.exit, calls(&ran, "batch-upload")), (5, 6), "{fault:?}: {}", reasons(&ran));
        assert!(
            fault != Fault::Endless || reasons(&ran).contains("with an answer of more than 16 MiB"),
            "{}",
            reasons(&ran)
        );
        assert_eq!(ran.journal.len(), 6, "{fault:?}: and nothing else is asked");
    }
    // A task is looked for after each of the four tries.
    let ran = self::ran(&repos, ONE_FILE, "task", 0, Fault::Status(503));
    assert_eq!((ran.exit, calls(&ran, "task")), (5, 4), "{}", reasons(&ran));
}

#[test]
fn a_call_that_is_always_too_fast_is_repeated_twenty_times() {
    let repos = Repos::new();
    let ran = ran(&repos, ONE_FILE, "batch-upload", 0, Fault::Throttle { retry_after: None });
    assert_eq!(calls(&ran, "batch-upload"), 21, "{}", reasons(&ran));
}

#[test]
fn a_listing_costs_fifty_calls_at_most() {
    let repos = Repos::new();
    let given_up = "a listing was given up after 50 calls, which gave ";
    let risks = ran(&repos, ONE_FILE, "file/risks", 0, Fault::NoEnd);
    assert_eq!((risks.exit, calls(&risks, "file/risks")), (1, 50), "{}", reasons(&risks));
    assert!(reasons(&risks).contains(given_up), "{}", reasons(&risks));
    let places = ran(&repos, WITH_PLACES, "risk/paths", 0, Fault::NoEnd);
    let rules = reasons(&places).matches(given_up).count();
    assert!(rules > 0 && calls(&places, "risk/paths") == 50 * rules, "{}", reasons(&places));
    let resources = ran(&repos, MANY_FILES, "resources/batch-query", 0, Fault::NoEnd);
    assert_eq!(calls(&resources, "resources/batch-query"), 50 * 2, "once for each task");
    assert!(reasons(&resources).contains(given_up), "{}", reasons(&resources));
}

#[test]
fn one_row_a_page_costs_no_call_for_each_row() {
    let repos = Repos::new();
    for fault in [Fault::OneRow, Fault::NoEnd] {
        for api in ["tasks/batch-query", "iac/files"] {
            let ran = ran(&repos, MANY_FILES, api, 0, fault.clone());
            let (files, polls) = (calls(&ran, "iac/files"), calls(&ran, "tasks/batch-query"));
            assert!(ran.exit <= 1, "{api} {fault:?}: {}", reasons(&ran));
            // One for each file, and then the listing.
            assert!(files <= 102 + 102, "{api} {fault:?}: {files} listings of files");
            assert!(polls <= 60, "{api} {fault:?}: {polls} looks at the tasks");
        }
        // Each of the hundred files of a task on a page of its own: that is told, and the run ends.
        let ran = ran(&repos, MANY_FILES, "resources/batch-query", 0, fault.clone());
        assert!(calls(&ran, "resources/batch-query") <= 100, "{fault:?}");
    }
}

/// Heads of answers that the stand-in's server does not lend itself to: headers without end, one header without end, and ten thousand.
#[test]
fn a_head_is_not_read_without_end() {
    let repos = Repos::new();
    let line = format!("x-more: {}\r\n", "a".repeat(1_000));
    let many = "x-more: a\r\n".repeat(10_000) + "content-length: 2\r\n\r\n{}";
    for (head, then) in [
        ("", line.as_str()),
        ("x-more: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (many.as_str(), ""),
    ] {
        let (url, given) = heads(head.to_owned(), then.to_owned());
        let scenario = Scenario { elsewhere: Some(url), ..Scenario::calm(ONE_FILE) };
        let ran = play(&scenario, &repos);
        oracle::judge(&scenario, &repos, &ran);
        assert_eq!((ran.exit, &ran.result["calls"]["batch-upload"]), (5, &serde_json::json!(6)), "{}", reasons(&ran));
        let most = given.recv_timeout(Duration::from_secs(10)).expect("it was called");
        // What lies in the buffers of the connection is taken for sent.
        assert!(most < 16 << 20, "{most} bytes of a head were taken");
    }
}

/// A server whose answers begin like this and go on like that until they are no longer read. Tells how many bytes of each were taken.
fn heads(head: String, then: String) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, given) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
            let _ = stream.read(&mut [0; 8_192]);
            let mut sent = head.len();
            let mut open = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).is_ok();
            while open && !then.is_empty() {
                open = stream.write_all(then.as_bytes()).is_ok();
                sent += then.len();
            }
            if told.send(sent).is_err() {
                return;
            }
        }
    });
    (url, given)
}
