//! What comes of a tree: `list` and `scan` of it, and what reached the stand-in.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Finished, connect, instruments, quick, start};
use crate::trees::{self, OUTSIDE, Place};

/// A guard and no measure: what runs away is stopped, on a slow machine and in a debug build too.
const MOST_TIME: Duration = Duration::from_secs(120);
/// KB of address space, for the same reason.
const MOST_SPACE: &str = "4000000";

/// Writes a tree, lists it and scans it, and says what became of it: the exit code with the reasons, then a line for each file and each
/// path that was skipped. Asserts what holds for every tree: `list` says the same beforehand, what is sent is what was
/// scanned, nothing of outside is in it or in what is said, no crash.
pub(crate) fn of(write: fn(&Place)) -> Vec<String> {
    let place = Place::new();
    write(&place);
    let said = said(&place);
    trees::remove_long_paths(&place);
    said
}

fn said(place: &Place) -> Vec<String> {
    let emulator = start(quick());
    let listed = run(place, &["list", "-o", "json"], None);
    let scanned = run(place, &["scan", "-o", "json"], Some(&emulator));
    if listed.code != 0 {
        assert_eq!((listed.code, scanned.code), (2, 2), "{}\n{}", listed.stderr, scanned.stderr);
        assert_eq!((&listed.stdout, &listed.stderr), (&scanned.stdout, &scanned.stderr));
        assert!(emulator.journal().is_empty(), "no call");
        return vec![format!("exit 2: {}", scanned.stderr.trim_end().replace(&place.tree().display().to_string(), "TREE"))];
    }
    let (listing, result) = (listed.json(), scanned.json());
    let (before, after) = (lines(&listing), lines(&result));
    let sent = |lines: &BTreeMap<String, String>, state: &[&str]| -> Vec<String> {
        lines
            .iter()
            .filter(|(_, said)| state.iter().any(|state| said.starts_with(state)))
            .map(|(path, _)| path.clone())
            .collect()
    };
    let kept = |lines: &BTreeMap<String, String>| -> Vec<(String, String)> {
        let mine = |said: &String| said.starts_with("not_scanned") || said.starts_with("skipped");
        lines.iter().filter(|(_, said)| mine(said)).map(|(path, said)| (path.clone(), said.clone())).collect()
    };
    assert_eq!(kept(&before), kept(&after), "list says beforehand what is not scanned");
    assert_eq!(sent(&before, &["would_send"]), sent(&after, &["scanned", "scan_failed"]), "and what is");
    let received = emulator.files();
    let names: Vec<&str> = received.iter().map(|file| file.name.as_str()).collect();
    assert!(received.len() <= sent(&before, &["would_send"]).len(), "nothing else is sent: {names:?}");
    for file in &received {
        let text = String::from_utf8_lossy(&file.bytes);
        assert!(!text.contains(OUTSIDE) && !text.contains("root:x:0"), "{} comes from outside", file.name);
    }
    let reasons = result["verdict"]["reasons"].as_array().expect("reasons").iter().map(text).collect::<Vec<_>>().join("; ");
    let head = format!("exit {}: {reasons}; {} sent", scanned.code, received.len());
    let notes: Vec<&Value> = result["notes"].as_array().into_iter().flatten().collect();
    // Of many the first, and how many.
    let more = notes.len().checked_sub(2).filter(|more| *more > 0).map(|more| format!("{more} more notes"));
    let notes = notes.into_iter().take(2).map(|note| format!("note: {}", short(text(note))));
    std::iter::once(head).chain(files(after)).chain(notes).chain(more).collect()
}

/// A line a file; of many files the number with each fate.
fn files(fates: BTreeMap<String, String>) -> Vec<String> {
    if fates.len() <= 12 {
        return fates.into_iter().map(|(path, said)| format!("{} {said}", short(&path))).collect();
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for said in fates.into_values() {
        *counts.entry(said).or_default() += 1;
    }
    counts.into_iter().map(|(said, count)| format!("{count} files {said}")).collect()
}

/// A long path with its length in place of its middle.
fn short(path: &str) -> String {
    let all: Vec<char> = path.chars().collect();
    let end: String = all.iter().skip(all.len().saturating_sub(40)).collect();
    let start: String = all.iter().take(8).collect();
    if all.len() < 120 { path.to_owned() } else { format!("{start}..{}..{end}", all.len()) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Path and fate of every file that was taken or skipped, and of each directory that was not searched.
fn lines(result: &Value) -> BTreeMap<String, String> {
    let rows = |name: &str| result[name].as_array().cloned().unwrap_or_default();
    let files = rows("files").into_iter().map(|file| {
        let reason = file["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        (text(&file["path"]).to_owned(), format!("{}{reason}", text(&file["state"])))
    });
    let skipped = rows("skipped")
        .into_iter()
        .map(|path| (text(&path["path"]).to_owned(), format!("skipped: {}", text(&path["reason"]))));
    files.chain(skipped).collect()
}

/// Runs the program in a tree, guarded; a crash is a failure of the test.
fn run(place: &Place, args: &[&str], emulator: Option<&hss_iac::emulator::Emulator>) -> Finished {
    let mut command = Command::new("/bin/sh");
    command.current_dir(place.tree()).env_clear().envs(instruments());
    if let Some(emulator) = emulator {
        connect(&mut command, emulator);
    }
    let limited = "ulimit -v \"$1\" && shift && exec \"$@\"";
    command.args(["-c", limited, "sh", MOST_SPACE, env!("CARGO_BIN_EXE_hss-iac")]).args(args);
    let ran = guarded(command);
    assert!([0, 1, 2, 7].contains(&ran.code), "exit {}: {}", ran.code, ran.stderr);
    for said in [&ran.stdout, &ran.stderr] {
        assert!(!said.contains(OUTSIDE) && !said.contains("root:x:0"), "it tells of outside");
        assert!(!said.contains("panicked"), "{said}");
        assert!(!said.chars().any(|char| char.is_control() && char != '\n'), "control characters: {said:?}");
    }
    ran
}

/// Waits for a command, but not for ever.
pub(crate) fn guarded(mut command: Command) -> Finished {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let read = |mut pipe: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("it is read");
            String::from_utf8(bytes).expect("UTF-8")
        })
    };
    let stdout = read(Box::new(child.stdout.take().expect("a pipe")));
    let stderr = read(Box::new(child.stderr.take().expect("a pipe")));
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        if started.elapsed() > MOST_TIME {
            child.kill().expect("it can be ended");
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let said = |reader: std::thread::JoinHandle<String>| reader.join().expect("it is read");
    Finished { code: status.code().unwrap_or(-1), stdout: said(stdout), stderr: said(stderr) }
}
