//! What `list` prints.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::printable;
use crate::judge::count;
use crate::model::{Counts, FileRecord, SCHEMA_VERSION, Skipped, State};

/// What a scan would do.
#[derive(Debug, Serialize)]
pub struct Listing {
    schema_version: u32,
    counts: Counts,
    files: Vec<FileRecord>,
    skipped: Vec<Skipped>,
    notes: Vec<String>,
    plan: Plan,
}

/// What a scan would cost at the least.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Calls by API.
    pub calls: BTreeMap<String, u64>,
    /// Under the documented limit.
    pub least_seconds: u64,
}

impl Listing {
    /// Puts together what discovery found and what the plan says.
    pub fn new(files: Vec<FileRecord>, skipped: Vec<Skipped>, directories: u64, notes: Vec<String>, plan: Plan) -> Self {
        let counts = Counts::of(&files, &skipped, directories, &[]);
        Self { schema_version: SCHEMA_VERSION, counts, files, skipped, notes, plan }
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the table.
pub fn write(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let width = listing.files.iter().map(|file| printable(&file.path.to_string()).width()).max().unwrap_or(0).min(80);
    for file in &listing.files {
        let path = file.path.to_string();
        let path = printable(&path);
        let pad = " ".repeat(width.saturating_sub(path.width()));
        write!(out, "{path}{pad}  {:<10}  {:>9}", file.file_type, size(file.size))?;
        if file.state == State::NotScanned {
            write!(out, "  not scanned: {}", printable(file.reason.as_deref().unwrap_or_default()))?;
        }
        if !file.secrets.is_empty() {
            write!(out, "  holds {}", printable(&secrets(&file.secrets)))?;
        }
        writeln!(out)?;
    }
    if !listing.skipped.is_empty() {
        writeln!(out, "\n{BOLD}Skipped{BOLD:#}")?;
        for skipped in &listing.skipped {
            writeln!(out, "  {}  {DIM}{}{DIM:#}", printable(&skipped.path.to_string()), skipped.reason.as_str())?;
        }
    }
    for note in &listing.notes {
        writeln!(out, "note: {}", printable(note))?;
    }
    let counts = &listing.counts;
    writeln!(out)?;
    writeln!(
        out,
        "{}: {} to send, {} not scanned; {} skipped, {} not searched",
        count(counts.files, "file", "files"),
        counts.would_send,
        counts.not_scanned,
        counts.skipped,
        count(counts.directories_not_searched, "directory", "directories"),
    )?;
    let calls: Vec<String> = listing.plan.calls.iter().map(|(api, n)| format!("{n} {api}")).collect();
    if !calls.is_empty() {
        writeln!(out, "at least {} calls: {}", listing.plan.calls.values().sum::<u64>(), calls.join(", "))?;
        match listing.plan.least_seconds {
            0 => writeln!(out, "no waiting: every API stays within the documented limit of 5 calls a minute")?,
            seconds => writeln!(out, "at least {seconds} s, as HSS documents a limit of 5 calls a minute for each API")?,
        }
    }
    Ok(())
}

/// Names the Secret documents of a file.
pub fn secrets(names: &[String]) -> String {
    format!("{}: {}", count(names.len() as u64, "Secret", "Secrets"), names.join(", "))
}

fn size(bytes: u64) -> String {
    if bytes < 10_000 { format!("{bytes} B") } else { format!("{} kB", bytes / 1_000) }
}
