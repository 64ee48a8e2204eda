//! Huawei's own Python SDK against the stand-in. Needs two environments of Python, which `.ci/run` makes: `HSS_IAC_SDK` names the
//! directory that holds `current` (3.1.219) and `upload` (3.1.161, the last with the upload).
#![cfg(feature = "emulator")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skips"
)]

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hss_iac::emulator::{Emulator, FailingClusterScan, Options};

fn python(sdk: &Path, version: &str, script: &str, emulator: &Emulator, more: &[&str]) -> String {
    let usual = Options::default();
    let script = common::project().join("tests/sdk").join(script);
    let ran = Command::new(sdk.join(version).join("bin/python"))
        .arg("-B")
        .arg(script)
        .args([&emulator.url(), &usual.project_id, &usual.access_key, &usual.secret_key])
        .args(more)
        .env_clear()
        .output()
        .expect("python runs");
    let said = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    assert!(ran.status.success(), "{said}\n{}\n{:?}", String::from_utf8_lossy(&ran.stderr), emulator.refusals());
    said
}

#[test]
fn the_official_sdk_drives_the_stand_in() {
    let Some(sdk) = std::env::var_os("HSS_IAC_SDK") else {
        eprintln!("skipped: HSS_IAC_SDK does not say where the official SDK is; .ci/run does");
        return;
    };
    let failing =
        FailingClusterScan { cluster_id: "stand-in-cluster-2".to_owned(), scan_type: "benchmark".to_owned(), times: 1 };
    let options = Options { scan_time: Duration::from_millis(200), fail_cluster_scans: vec![failing], ..Options::default() };
    let emulator = common::start(options);
    let sdk = Path::new(&sdk);
    let uploaded = python(sdk, "upload", "upload.py", &emulator, &[]);
    let (ids, old) = uploaded.split_once('\n').expect("ids and what was driven");
    assert!(old.starts_with("8 operations driven in "), "{old}");
    let said = python(sdk, "current", "drive.py", &emulator, &[ids]);
    assert!(said.starts_with("8 operations driven in "), "{said}");
    assert_eq!(emulator.refusals(), [""; 0]);
    assert_eq!(emulator.files().len(), 2);
    println!("with 3.1.161 {old}");
    println!("with 3.1.219 {said}");
}
