//! The result of a `cluster-scan` for people: cluster by cluster what succeeded or failed, then the numbers and the verdict.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::shown;
use super::text::{cut, one_line, printable};
use crate::judge::count;
use crate::model::{Cluster, ClusterCounts, ClusterResult, ClusterState, Status};

/// The line that opens the table of a run that HSS did not answer.
const STAND_IN: &str = "The stand-in answered in place of HSS: its clusters are names alone, and this is no verdict of HSS.";

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

/// The longest reason, in characters.
const LONGEST: usize = 400;

/// Writes the table, with ANSI styles; a plain destination strips them.
pub fn write(result: &ClusterResult, out: &mut dyn Write) -> io::Result<()> {
    if result.service.stand_in {
        writeln!(out, "{YELLOW}{STAND_IN}{YELLOW:#}\n")?;
    }
    for cluster in &result.clusters {
        write_cluster(cluster, out)?;
    }
    for note in &result.notes {
        writeln!(out, "{YELLOW}note:{YELLOW:#} {}", one_line(note))?;
    }
    let ClusterCounts { clusters, success, failed, unfinished } = result.counts;
    let of = count(clusters, "cluster", "clusters");
    writeln!(out, "{of}: {success} succeeded, {failed} failed, {unfinished} unfinished")?;
    let style = match result.verdict.status {
        Status::Pass => GREEN,
        Status::Fail | Status::Error => RED,
        Status::Partial | Status::Pending => YELLOW,
    };
    let (word, exit) = (shown::status(result.verdict.status), result.verdict.exit_code);
    writeln!(out, "{style}{word}{style:#} (exit {exit}): {}", one_line(&result.verdict.reasons.join("; ")))
}

fn write_cluster(cluster: &Cluster, out: &mut dyn Write) -> io::Result<()> {
    let about: Vec<&str> =
        [&cluster.name, &cluster.cluster_type, &cluster.version].into_iter().filter_map(|text| text.as_deref()).collect();
    write!(out, "{BOLD}{}{BOLD:#}", printable(&cluster.cluster_id))?;
    if !about.is_empty() {
        write!(out, "  {DIM}{}{DIM:#}", printable(&about.join(", ")))?;
    }
    writeln!(out)?;
    let width = cluster.scans.iter().map(|scan| printable(&scan.scan_type).width()).max().unwrap_or(0);
    for scan in &cluster.scans {
        let name = printable(&scan.scan_type);
        let pad = " ".repeat(width.saturating_sub(name.width()));
        write_state(&format!("{name}{pad}"), scan.state, scan.reason.as_deref(), out)?;
    }
    if let Some(reason) = &cluster.reason {
        writeln!(out, "  cluster: {}", one_line(&cut(reason, LONGEST)))?;
    }
    writeln!(out)
}

fn write_state(name: &str, state: ClusterState, reason: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let style = match state {
        ClusterState::Success => GREEN,
        ClusterState::Failed => RED,
        ClusterState::Unfinished => YELLOW,
    };
    let why = reason.map(|reason| format!(": {}", one_line(&cut(reason, LONGEST)))).unwrap_or_default();
    writeln!(out, "  {name}  {style}{}{style:#}{why}", state.as_str())
}
