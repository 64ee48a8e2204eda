//! What `list` and `scan` take for repositories that mean harm: the time and the peak memory of the program on each.
//!
//! `cargo bench --bench hostile [-- NAME]`. The bar is 5 s and 200 MB for each; the program exits 1 where one is over it. Linux only:
//! the memory is read from `/proc` until the program ends.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is no /proc"))]
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and may fail")]

use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hss_iac::emulator::{Emulator, Options};

#[path = "../tests/hostile/trees.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod trees;

use trees::Place;

const MOST_SECONDS: f64 = 5.0;
const MOST_MB: u64 = 200;

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    println!("{:44} {:>14} {:>24}", "", "list", "scan");
    let mut over = 0;
    for (name, write) in trees::ALL.into_iter().filter(|(name, _)| name.contains(&wanted)) {
        let place = Place::new();
        write(&place);
        let rows = [measure(&place, "list"), measure(&place, "scan")];
        trees::remove_long_paths(&place);
        let shown = rows.map(|(seconds, mb, code)| format!("{seconds:6.2} s {mb:5} MB exit {code:2}"));
        let is_over = rows.iter().any(|(seconds, mb, _)| *seconds > MOST_SECONDS || *mb > MOST_MB);
        over += u32::from(is_over);
        println!("{name:40} {}{}", shown.join("  "), if is_over { "  OVER" } else { "" });
    }
    println!("{over} over {MOST_SECONDS} s or {MOST_MB} MB");
    ExitCode::from(u8::from(over > 0))
}

/// Seconds, megabytes and the exit code.
fn measure(place: &Place, command: &str) -> (f64, u64, i32) {
    let usual = Options::default();
    let stand_in =
        Emulator::start(Options { scan_time: Duration::from_millis(1), ..Options::default() }).expect("it listens");
    let mut program = Command::new(env!("CARGO_BIN_EXE_hss-iac"));
    program
        .args([command, "-o", "json"])
        .current_dir(place.tree())
        .env_clear()
        .env("HSS_IAC_ACCESS_KEY", usual.access_key)
        .env("HSS_IAC_SECRET_KEY", usual.secret_key)
        .env("HSS_IAC_PROJECT_ID", usual.project_id)
        .env("HSS_IAC_REGION", "cn-north-4")
        .env("HSS_IAC_ENDPOINT", stand_in.url())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut child = program.spawn().expect("it starts");
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let kb =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kb.unwrap_or_default());
        let spent = started.elapsed();
        if spent > Duration::from_secs(60) {
            child.kill().expect("it can be ended");
        }
        if let Some(status) = child.try_wait().expect("it ends") {
            return (started.elapsed().as_secs_f64(), peak / 1_000, status.code().unwrap_or(-1));
        }
        sleep(Duration::from_millis(1));
    }
}
