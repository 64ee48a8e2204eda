//! Every exit code, and which of several is the one, through the binary. 70 stands in `bug.rs`.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{BAD_DOCKERFILE, Finished, Repo, quick, scan, scan_command, start};
use hss_iac::emulator::{Fault, Options, ScriptedFault};

const NO_REPORT: [&str; 2] = ["-o", "table=no/such/directory/report.txt"];
/// The service answers the first question for risks, which is for the bad Dockerfile, and then no more.
const IN_ORDER: [&str; 2] = ["--jobs", "1"];

/// One low finding.
const HARMLESS_DOCKERFILE: &str = "FROM registry.example/base:1.2.3\nUSER 10001\nCMD [\"/bin/serve\"]\n";

fn repo() -> Repo {
    Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("b/Dockerfile", HARMLESS_DOCKERFILE)
}

fn fault(api: &str, nth: u32, fault: Fault) -> Options {
    Options { faults: vec![ScriptedFault { api: api.to_owned(), nth, fault }], ..quick() }
}

/// The first upload fails, after all its repetitions.
fn one_upload_fails() -> Options {
    let fault = |nth| ScriptedFault { api: "batch-upload".to_owned(), nth, fault: Fault::Status(500) };
    Options { faults: (1..=6).map(fault).collect(), ..quick() }
}

/// The code, and the reasons up to what is the service's own text.
fn end(ran: &Finished) -> (i32, Vec<String>) {
    let result = ran.json();
    assert_eq!(result["verdict"]["exit_code"], ran.code, "{}", ran.stderr);
    let reasons = result["verdict"]["reasons"].as_array().expect("reasons");
    let start = |reason: &str| reason.split([':', '(']).next().unwrap_or_default().trim().to_owned();
    (ran.code, reasons.iter().map(|reason| start(reason.as_str().unwrap_or_default())).collect())
}

const FINDINGS: &str = "2 findings";
const PARTIAL: &str = "1 of 2 files not scanned";
const NOTHING: &str = "2 of 2 files not scanned";
const REPORT: &str = "the table report could not be written to no/such/directory/report.txt";

#[test]
fn the_first_of_several_is_the_code_and_all_are_named() {
    let (bad, empty) = (repo(), Repo::new());
    let both = Repo::new().many(1);
    let late = Fault::Slow(Duration::from_secs(5));
    let row = |options: Options, args: &[&[&'static str]], code: i32, reasons: &[&'static str]| {
        (options, args.concat(), code, reasons.to_vec())
    };
    let of_bad = [
        row(quick(), &[&["--fail-on", "never"]], 0, &["no finding fails the run"]),
        row(quick(), &[], 1, &[FINDINGS]),
        row(Options { refuse_names: vec!["b-".to_owned()], ..quick() }, &[&NO_REPORT], 1, &[FINDINGS, PARTIAL, REPORT]),
        row(fault("file/risks", 2, Fault::ExpiredToken), &[&IN_ORDER], 1, &[FINDINGS, "file/risks", PARTIAL]),
        row(fault("file/risks", 2, Fault::NotPublished), &[&IN_ORDER], 1, &[FINDINGS, "file/risks", PARTIAL]),
        row(
            fault("file/risks", 2, late),
            &[&IN_ORDER, &["--timeout", "2s"]],
            1,
            &[FINDINGS, "timed out after 2 s", PARTIAL],
        ),
        row(fault("batch-upload", 0, Fault::Status(403)), &[&NO_REPORT], 4, &["batch-upload", NOTHING, REPORT]),
        row(
            Options { never_finish: true, ..quick() },
            &[&NO_REPORT, &["--timeout", "1s"]],
            6,
            &["timed out after 1 s", NOTHING, REPORT],
        ),
        // One call alone fails for good, and the service is to blame for all the files that it costs.
        row(fault("batch-upload", 0, Fault::Status(500)), &[&["--on-partial", "warn"]], 5, &["batch-upload", NOTHING]),
        row(fault("batch-upload", 0, Fault::Status(302)), &[&["--on-partial", "warn"]], 5, &["batch-upload", NOTHING]),
        row(
            fault("file/risks", 0, Fault::Status(500)),
            &[&["--on-partial", "warn"], &IN_ORDER],
            5,
            &["file/risks", NOTHING],
        ),
        row(fault("batch-upload", 0, Fault::Status(500)), &[&["--on-service-error", "warn"]], 0, &["batch-upload", NOTHING]),
        row(Options { fail_scan_names: vec!["a-".to_owned()], ..quick() }, &[&NO_REPORT], 7, &[PARTIAL, REPORT]),
    ];
    let of_both = [
        // The other type was scanned whole.
        row(one_upload_fails(), &[&["--on-partial", "warn"], &IN_ORDER], 5, &["batch-upload", PARTIAL]),
        row(one_upload_fails(), &[&["--on-service-error", "warn"], &IN_ORDER], 0, &["batch-upload", PARTIAL]),
        row(fault("batch-upload", 0, Fault::Status(500)), &[&NO_REPORT], 5, &["batch-upload", NOTHING, REPORT]),
        row(quick(), &[&["--endpoint", "http://127.0.0.1:9"]], 5, &["batch-upload", NOTHING]),
    ];
    let of_empty = [
        row(quick(), &[], 0, &["nothing to scan"]),
        row(quick(), &[&["--if-empty", "fail"]], 3, &["nothing to scan"]),
        row(quick(), &[&NO_REPORT, &["--if-empty", "fail"]], 8, &[REPORT, "nothing to scan"]),
    ];
    let rows = of_bad.map(|row| (&bad, row)).into_iter();
    let rows = rows.chain(of_both.map(|row| (&both, row))).chain(of_empty.map(|row| (&empty, row)));
    // Most of the time goes into waiting.
    std::thread::scope(|scope| {
        for (repo, (options, args, code, reasons)) in rows {
            scope.spawn(move || {
                let ran = scan(repo.path(), &start(options), &args);
                let reasons: Vec<String> = reasons.into_iter().map(str::to_owned).collect();
                assert_eq!(end(&ran), (code, reasons), "{}", ran.stdout);
            });
        }
    });
}

#[test]
fn a_stand_in_in_ci_is_a_usage_error_before_all_else() {
    let repo = repo();
    let emulator = start(quick());
    let ran: Finished = scan_command(repo.path(), &emulator, &NO_REPORT).env("CI", "true").output().expect("it runs").into();
    let first = "a stand-in answered in place of HSS where CI is set; say --allow-stand-in if that is meant";
    assert_eq!(end(&ran), (2, [first, NOTHING, REPORT].map(str::to_owned).to_vec()), "{}", ran.stderr);
}

#[test]
fn files_go_to_one_enterprise_project() {
    let (repo, emulator) = (repo(), start(quick()));
    let said = "error: all_granted_eps is every enterprise project, and files are uploaded to one: name that with \
                --enterprise-project-id\n";
    for variable in ["HSS_IAC_ENTERPRISE_PROJECT_ID", "HW_ENTERPRISE_PROJECT_ID"] {
        let mut command = scan_command(repo.path(), &emulator, &[]);
        let ran: Finished = command.env(variable, "all_granted_eps").output().expect("it runs").into();
        assert_eq!((ran.code, ran.stderr.as_str()), (2, said));
    }
    assert!(emulator.journal().is_empty());
}

#[test]
#[cfg(unix)]
fn a_signal_comes_before_findings() {
    for (signal, code, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let repo = repo();
        let emulator = start(fault("file/risks", 2, Fault::Slow(Duration::from_secs(5))));
        let mut command = scan_command(repo.path(), &emulator, &[&IN_ORDER[..], &NO_REPORT].concat());
        let child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it starts");
        let answered = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(25));
            emulator.journal().iter().any(|call| call.api == "file/risks")
        });
        assert!(answered, "it came to read the risks");
        // The second question is on its way once the first answer has been read.
        std::thread::sleep(Duration::from_millis(200));
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let ran: Finished = child.wait_with_output().expect("it ends").into();
        assert_eq!(end(&ran), (code, [word, FINDINGS, PARTIAL, REPORT].map(str::to_owned).to_vec()), "{}", ran.stderr);
    }
}
