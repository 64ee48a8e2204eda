//! Secrets that are easily known again stand in every place that may hold a credential, and every command runs with them, well and badly:
//! nothing that is written may hold one, in any form, and only the request that needs it carries it.
#![cfg(all(feature = "emulator", unix))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/net.rs"]
mod net;
mod place;
mod sources;
mod wire;

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::CommandFactory as _;
use common::{github_giving, quick, scripted, start};
use hss_iac::cli::Cli;
use hss_iac::emulator::{Fault, Options};
use place::{Count, Place, invocations, leaves, with_each};
use sources::{MACHINE, Search, Source, canary, holds, secrets, sources};

fn run_all(source: &Source, search: &Search, count: &mut Count) {
    let emulator = start(source.options.clone());
    let place = Place::new();
    let out = place.written.path().to_str().expect("a path").to_owned();
    let program = Cli::command();
    for command in program.get_subcommands() {
        for line in invocations(command.get_name(), &out) {
            let args: Vec<&str> = line.iter().map(String::as_str).collect();
            let mut ran = place.command(source, &emulator.url(), &args);
            if source.github {
                ran.env("ACTIONS_ID_TOKEN_REQUEST_URL", github_giving(source.options.id_token.clone()).0);
            }
            let code = count.run(&place, ran, search, &emulator);
            assert!([0, 1].contains(&code), "{} with {}: exit {code}", args.join(" "), source.name);
        }
    }
}

#[test]
fn no_command_writes_a_secret_of_any_source() {
    let (secrets, count) = with_each(|_| true, run_all);
    count.say("that are taken", secrets);
    assert_eq!((count.commands, secrets, count.hits), (leaves(), 16, Vec::new()));
    // A token, or a secret key and its security token, in each of several runs of each source that obtains them.
    assert!(count.issued > 100, "{}", count.issued);
}

#[test]
fn no_failure_writes_a_secret() {
    let (secrets, count) = with_each(|source| !source.github, fail);
    count.say("in failure", secrets);
    assert_eq!(count.hits, [""; 0]);
}

fn fail(source: &Source, search: &Search, count: &mut Count) {
    let place = Place::new();
    let out = place.written.path().to_str().expect("a path").to_owned();
    let with = |change: &dyn Fn(&mut Options)| {
        let mut options = source.options.clone();
        change(&mut options);
        start(options)
    };
    let at = |api: &str, fault: Fault| with(&|options| options.faults = vec![scripted(api, 1, fault.clone())]);
    for (name, emulator, timeout) in [
        ("401", start(quick()), "20s"),
        ("throttle", at("batch-upload", Fault::Throttle { retry_after: Some(0) }), "20s"),
        ("server error", at("batch-upload", Fault::Status(503)), "20s"),
        ("garbage", at("task", Fault::Garbage), "20s"),
        ("no answer", at("batch-upload", Fault::ResetAfter), "20s"),
        ("timeout", with(&|options| options.never_finish = true), "1s"),
    ] {
        for command in ["scan", "doctor"] {
            let line = invocations(command, &out).swap_remove(0);
            let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
            if command == "scan" {
                args.extend(["--timeout", timeout]);
            }
            let code = count.run(&place, place.command(source, &emulator.url(), &args), search, &emulator);
            assert!(code != 70 && code != 2, "{name}, {}: exit {code}", args.join(" "));
            // Of a machine nothing is asked that could be wrong.
            assert!(name != "401" || source.name == MACHINE || code == 4, "{}: exit {code}", source.name);
            assert!(name != "timeout" || command == "doctor" || code == 6, "{}: exit {code}", source.name);
        }
    }
}

#[test]
fn a_stand_in_that_was_given_real_keys_does_not_tell_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = canary("stand-in");
    let mut child = common::hss_iac(dir.path())
        .args(["emulator", "--secret-key", &secret, "--token", &secret])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    std::thread::sleep(Duration::from_millis(300));
    child.kill().expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.stdout.starts_with(b"listening on "), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!holds(&output.stdout, &secret) && !holds(&output.stderr, &secret));
}

/// Says in the child that it is to panic.
const CHILD: &str = "HSS_IAC_TEST_CANARY_PANIC";

#[test]
fn a_panic_tells_no_secret() {
    if std::env::var(CHILD).is_ok() {
        hss_iac::error::end_on_panic();
        let found = hss_iac::hss::auth::find(&|name| std::env::var(name).ok());
        panic!("with {found:?}");
    }
    let home = tempfile::tempdir().expect("a directory");
    let sources = sources(home.path());
    let all = secrets(&sources);
    let name = std::thread::current().name().expect("the test's name").to_owned();
    for source in &sources {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", &name, "--nocapture"]).env(CHILD, "1");
        child.envs(source.env.iter().map(|(name, value)| (*name, value)));
        if source.github {
            child.env("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.test/");
            child.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", canary("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
        }
        let ran = child.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(70), "{stderr}");
        assert!(stderr.contains("with Ok(Found"), "{stderr}");
        assert!(!all.iter().any(|secret| holds(&ran.stderr, secret)), "{}: {stderr}", source.name);
    }
}

#[test]
fn the_search_finds_what_it_is_to_find() {
    let secret = canary("x");
    for hidden in [
        secret.clone(),
        STANDARD.encode(format!("user:{secret}")),
        STANDARD.encode(format!("a:{secret}")),
        format!("{}…", &secret[..30]),
        secret.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
    ] {
        assert!(holds(hidden.as_bytes(), &secret), "{hidden}");
    }
    assert!(!holds(canary("y").as_bytes(), &secret));
}
