//! What `list` prints.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::printable;
use crate::judge::count;
use crate::model::{Counts, FileRecord, RepoPath, SCHEMA_VERSION, Skipped, State};

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

/// Names of one file that are shown.
const MOST_NAMES: usize = 10;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the table.
pub fn write(listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
    let width = width_of(listing.files.iter().map(|file| &file.path));
    for file in &listing.files {
        write!(out, "{}  {:<10}  {:>9}", padded(&file.path, width), file.file_type, size(file.size))?;
        if file.state == State::Unchanged {
            write!(out, "  unchanged")?;
        }
        if file.state == State::NotScanned {
            write!(out, "  not scanned: {}", printable(file.reason.as_deref().unwrap_or_default()))?;
        }
        if !file.secrets.is_empty() {
            write!(out, "  holds {}", printable(&secrets(&file.secrets, file.masked)))?;
        }
        writeln!(out)?;
    }
    if !listing.skipped.is_empty() {
        writeln!(out, "\n{BOLD}Skipped{BOLD:#} (--explain PATH says why)")?;
        let width = width_of(listing.skipped.iter().map(|skipped| &skipped.path));
        for skipped in &listing.skipped {
            writeln!(out, "  {}  {DIM}{}{DIM:#}", padded(&skipped.path, width), skipped.reason.as_str())?;
        }
    }
    for note in &listing.notes {
        writeln!(out, "note: {}", printable(note))?;
    }
    let counts = &listing.counts;
    writeln!(out)?;
    writeln!(
        out,
        "{}: {} to send, {} not scanned{}; {} skipped, {} not searched{}",
        count(counts.files, "file", "files"),
        counts.would_send,
        counts.not_scanned,
        if counts.unchanged > 0 { format!(", {} unchanged", counts.unchanged) } else { String::new() },
        counts.skipped,
        count(counts.directories_not_searched, "directory", "directories"),
        if counts.masked > 0 { format!("; {}", masked_values(counts.masked)) } else { String::new() },
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

/// The column that paths need; one that is very long does not widen it.
fn width_of<'a>(paths: impl Iterator<Item = &'a RepoPath>) -> usize {
    paths.map(|path| printable(&path.to_string()).width()).max().unwrap_or(0).min(80)
}

fn padded(path: &RepoPath, width: usize) -> String {
    let path = path.to_string();
    let path = printable(&path);
    format!("{path}{}", " ".repeat(width.saturating_sub(path.width())))
}

/// Names the Secret documents of a file, the first few where there are many, and says what becomes of their values.
pub fn secrets(names: &[String], masked: u64) -> String {
    let more = if names.len() > MOST_NAMES { format!(" and {} more", names.len() - MOST_NAMES) } else { String::new() };
    let first = names.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let of = count(names.len() as u64, "Secret", "Secrets");
    format!("{of}: {first}{more} ({})", masked_values(masked))
}

/// `3 values masked`.
pub(super) fn masked_values(masked: u64) -> String {
    if masked == 0 { "no value masked".to_owned() } else { count(masked, "value masked", "values masked") }
}

fn size(bytes: u64) -> String {
    if bytes < 10_000 { format!("{bytes} B") } else { format!("{} kB", bytes / 1_000) }
}
