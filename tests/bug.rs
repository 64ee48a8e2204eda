//! A bug of ours, which the binary has no way to reach: the test runs itself as a process that panics under the binary's hook.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

/// Says in the child on which thread it is to panic.
const CHILD: &str = "HSS_IAC_TEST_PANIC";

#[test]
fn a_bug_is_called_one_and_ends_in_70() {
    if let Ok(thread) = std::env::var(CHILD) {
        hss_iac::error::end_on_panic();
        let broken = || panic!("no such \u{1b}[31mbatch\nat all");
        if thread == "another" {
            let _ = std::thread::spawn(broken).join();
        }
        broken();
    }
    let name = std::thread::current().name().expect("a test thread has the test's name").to_owned();
    for thread in ["this", "another"] {
        let mut child = Command::new(std::env::current_exe().expect("this program has a path"));
        let ran = child.args(["--exact", &name, "--nocapture"]).env(CHILD, thread).output().expect("it runs");
        let stderr = String::from_utf8(ran.stderr).expect("text");
        assert_eq!(ran.status.code(), Some(70), "{stderr}");
        let lines: Vec<&str> = stderr.lines().collect();
        let [first, place, last] = lines[..] else { panic!("three lines, not {stderr}") };
        assert_eq!(
            first,
            concat!("error: a bug in hss-iac ", env!("CARGO_PKG_VERSION"), " ended this run, which has no verdict")
        );
        assert!(place.contains(file!()) && place.ends_with(r" no such \u{1b}[31mbatch at all"), "{place}");
        assert_eq!(last, "Please report it where you got hss-iac from, with these lines and the command line.");
    }
}
