//! 30,000 findings in every format: the time of each, the bytes, and the peak memory of the process.
//!
//! `cargo bench --bench reports`. The aim is under 2 s for all of them together and under 200 MB.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

#[path = "../tests/common/samples.rs"]
#[allow(dead_code, reason = "one sample is enough")]
mod samples;

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hss_iac::model::{Level, ScanResult};
use hss_iac::report::{self, View, Written};

/// Counts what it is given.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Writer = fn(&ScanResult, View<'_>, &mut dyn Write) -> Written;

const FORMATS: [(&str, Writer); 10] = [
    ("table", |result, view, out| report::table::write(result, view, out)),
    ("json", |result, _, out| report::json::write(result, out).map(|()| None)),
    ("sarif", |result, _, out| report::sarif::write(result, out)),
    ("junit", |result, _, out| report::junit::write(result, out)),
    ("gitlab-codequality", |result, _, out| report::gitlab_codequality::write(result, out)),
    ("gitlab-sast", |result, _, out| report::gitlab_sast::write(result, out)),
    ("github", |result, view, out| report::github::write(result, view, out)),
    ("github-summary", |result, view, out| report::github_summary::write(result, view, 0, out)),
    ("markdown", |result, view, out| report::markdown::write(result, view, out)),
    ("html", |result, view, out| report::html::write(result, view, out)),
];

/// Makes the sample, and measures in a process of its own, so that what making it costs is not counted.
fn main() {
    if let Some(path) = std::env::args_os().nth(1).filter(|arg| arg != "--bench") {
        return measure(path.as_ref());
    }
    let sample = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(sample.path(), samples::many(30_000).to_string()).expect("a sample");
    let this = std::env::current_exe().expect("this program");
    let status = std::process::Command::new(this).arg(sample.path()).status().expect("it runs");
    assert!(status.success(), "{status}");
}

fn measure(path: &Path) {
    let start = Instant::now();
    let result: ScanResult = serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("a result");
    println!("{:<20} {:>6} ms", "read the result", start.elapsed().as_millis());
    let view = View { level: Level::Tips, verbose: true, root: None };
    let mut whole = Duration::ZERO;
    for (name, write) in FORMATS {
        let mut out = Counter(0);
        let start = Instant::now();
        write(&result, view, &mut out).expect("a report");
        let time = start.elapsed();
        whole += time;
        println!("{name:<20} {:>6} ms {:>12} bytes", time.as_millis(), out.0);
    }
    println!("{:<20} {:>6} ms", "all formats", whole.as_millis());
    if let Some(peak) = peak_memory() {
        println!("{:<20} {peak:>6} kB", "peak memory");
    }
}

/// In kB, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
