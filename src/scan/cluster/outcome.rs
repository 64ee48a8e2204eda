//! What the rows of a task say of its clusters. Where they say several things of one, the worst holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::hss::{ClusterRow, ClusterScanRow, ScanStatus};
use crate::model::{Cluster, ClusterCheck, ClusterState};

/// Opens the reason of what failed before it was scanned again.
const BEFORE: &str = "failed before the retry: ";

/// What failed is scanned again. That it failed stays known.
pub(super) fn reopen(cluster: &mut Cluster) {
    let again = |state: &mut ClusterState, reason: &mut Option<String>| {
        if *state == ClusterState::Failed {
            *state = ClusterState::Unfinished;
            *reason = reason.take().map(|reason| format!("{BEFORE}{reason}"));
        }
    };
    again(&mut cluster.state, &mut cluster.reason);
    cluster.scans.iter_mut().for_each(|scan| again(&mut scan.state, &mut scan.reason));
}

/// Says of a cluster that is not finished why, and keeps how it had failed.
pub(super) fn leave(cluster: &mut Cluster, why: &str) {
    let before = cluster.reason.as_deref().and_then(|reason| reason.find(BEFORE).map(|at| &reason[at..]));
    cluster.reason = Some(before.map_or_else(|| why.to_owned(), |before| format!("{why}; {before}")));
}

/// Whether HSS is still at it.
pub(super) fn is_scanning(row: &ClusterRow) -> bool {
    says(row, ScanStatus::Scanning)
}

/// Whether HSS says that something of it failed: that alone can be scanned again.
pub(super) fn has_failed(row: &ClusterRow) -> bool {
    says(row, ScanStatus::Failed)
}

fn says(row: &ClusterRow, word: ScanStatus) -> bool {
    row.scans.iter().map(|scan| scan.status).chain([row.status]).any(|status| status == Some(word))
}

/// What these rows list takes the place of what was known of the same clusters; the rest stays. By id: rows of one cluster are one.
pub(super) fn merge(known: &mut Vec<Cluster>, wanted: &[String], rows: Vec<ClusterRow>) -> BTreeSet<String> {
    let mut merged: BTreeMap<String, ClusterRow> = BTreeMap::new();
    for row in rows {
        match merged.get_mut(&row.cluster_id) {
            Some(first) => {
                first.status = worst([first.status, row.status]);
                first.scans.extend(row.scans);
            }
            None => drop(merged.insert(row.cluster_id.clone(), row)),
        }
    }
    let listed = merged.keys().cloned().collect();
    let mut all: BTreeMap<String, Cluster> = known.drain(..).map(|known| (known.cluster_id.clone(), known)).collect();
    for (id, row) in merged {
        let cluster = cluster(wanted, all.get(&id), row);
        all.insert(id, cluster);
    }
    known.extend(all.into_values());
    listed
}

/// A finished task lists what is left of it: what succeeded before stays so, and of the rest nothing more will be heard.
pub(super) fn end(known: &mut [Cluster], listed: &BTreeSet<String>) {
    let is_left = |cluster: &&mut Cluster| cluster.state != ClusterState::Success && !listed.contains(&cluster.cluster_id);
    for cluster in known.iter_mut().filter(is_left) {
        leave(cluster, "the finished task does not list it");
        cluster.state = ClusterState::Failed;
        let unfinished = cluster.scans.iter_mut().filter(|scan| scan.state == ClusterState::Unfinished);
        unfinished.for_each(|scan| scan.state = ClusterState::Failed);
    }
}

/// A cluster succeeded where the service says so of it and of each scan that was asked for, and of no other scan anything else. Where it
/// says nothing of any scan, what it says of the cluster holds for all. A scan that succeeded before need not be listed again, nor while
/// the others are scanned again.
fn cluster(wanted: &[String], known: Option<&Cluster>, row: ClusterRow) -> Cluster {
    let is_at_work = row.status == Some(ScanStatus::Scanning);
    let check = |scan_type: &String| {
        let before = known.and_then(|known| known.scans.iter().find(|scan| scan.scan_type == *scan_type));
        let told = of_type(&row.scans, |of| of == scan_type);
        let (status, reason) = match (told, before) {
            (Some(scan), _) => (scan.status, scan.failed_reason.clone()),
            (None, Some(before)) if before.state == ClusterState::Success && (is_at_work || !row.scans.is_empty()) => {
                (Some(ScanStatus::Success), None)
            }
            (None, _) if is_at_work || row.scans.is_empty() => (row.status, None),
            (None, _) => (Some(ScanStatus::Failed), Some("the finished task does not list this scan".to_owned())),
        };
        let (state, reason) = outcome(status, reason);
        let still = |before: &&ClusterCheck| [state, before.state] == [ClusterState::Unfinished; 2];
        let reason = reason.or_else(|| before.filter(still)?.reason.clone());
        ClusterCheck { scan_type: scan_type.clone(), state, reason }
    };
    let scans: Vec<ClusterCheck> = wanted.iter().map(check).collect();
    let (mut state, mut reason) = outcome(row.status, None);
    if scans.iter().any(|scan| scan.state == ClusterState::Failed) {
        (state, reason) = (ClusterState::Failed, reason.filter(|_| row.scans.is_empty()));
    }
    if let Some(known) = known.filter(|known| [state, known.state] == [ClusterState::Unfinished; 2]) {
        reason.clone_from(&known.reason);
    }
    let other = of_type(&row.scans, |of| !wanted.iter().any(|wanted| wanted == of));
    let is_odd = |other: &&ClusterScanRow| !matches!(other.status, Some(ScanStatus::Success | ScanStatus::Scanning));
    if let Some(other) = other.filter(is_odd) {
        let name = if other.scan_type.is_empty() { "without a type" } else { other.scan_type.as_str() };
        let why = outcome(other.status, other.failed_reason.clone()).1.unwrap_or_default();
        (state, reason) = (ClusterState::Failed, Some(format!("a scan that was not asked for ({name}): {why}")));
    }
    Cluster {
        cluster_id: row.cluster_id,
        name: row.name,
        cluster_type: row.cluster_type,
        version: row.version,
        state,
        reason,
        scans,
    }
}

/// The worst of the scans of a type.
fn of_type(scans: &[ClusterScanRow], is: impl Fn(&str) -> bool) -> Option<&ClusterScanRow> {
    scans.iter().filter(|scan| is(&scan.scan_type)).max_by_key(|scan| badness(scan.status))
}

fn worst(both: [Option<ScanStatus>; 2]) -> Option<ScanStatus> {
    both.into_iter().max_by_key(|status| badness(*status)).flatten()
}

fn badness(status: Option<ScanStatus>) -> u8 {
    match status {
        Some(ScanStatus::Success) => 0,
        Some(ScanStatus::Scanning) => 1,
        None => 2,
        Some(ScanStatus::Failed) => 3,
    }
}

fn outcome(status: Option<ScanStatus>, reason: Option<String>) -> (ClusterState, Option<String>) {
    match status {
        Some(ScanStatus::Success) => (ClusterState::Success, None),
        Some(ScanStatus::Scanning) => (ClusterState::Unfinished, None),
        Some(ScanStatus::Failed) => {
            (ClusterState::Failed, Some(reason.unwrap_or_else(|| "HSS could not scan it and gives no reason".to_owned())))
        }
        None => (ClusterState::Failed, Some("HSS gives a scan status that is not known here".to_owned())),
    }
}

#[cfg(test)]
mod tests;
