//! Whom a scan calls, and how: through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Finished, Repo, assert_adds_up, quick, scan_command, start};
use serde_json::json;

#[test]
fn a_loopback_endpoint_is_called_directly_whatever_the_other_is() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let mut command = scan_command(repo.path(), &emulator, &["--timeout", "10s"]);
    // Nothing listens there.
    command.env("ALL_PROXY", "http://127.0.0.1:1").env("HSS_IAC_IAM_ENDPOINT", "https://iam.example.test");
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_stand_in_in_ci_hears_one_call() {
    let emulator = start(quick());
    let repo = Repo::new().many(30);
    for project in [true, false] {
        let before = emulator.journal().len();
        let mut command = scan_command(repo.path(), &emulator, &["--jobs", "8"]);
        command.env("CI", "true");
        if !project {
            command.env_remove("HSS_IAC_PROJECT_ID");
        }
        let ran: Finished = command.output().expect("it runs").into();
        let result = ran.json();
        assert_eq!((ran.code, &result["service"]["stand_in"]), (2, &json!(true)));
        assert_adds_up(&result, 60);
        assert_eq!(emulator.journal().len() - before, 1);
    }
}
