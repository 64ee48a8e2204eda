//! What the result of a `cluster-scan` means.

use super::{count, decide, is_service};
use crate::model::{Cluster, ClusterState, Exit, Verdict};

/// What does not fail the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lenience {
    /// Whether a partial run is only reported.
    pub soften_partial: bool,
    /// Whether a failing service and a time-out are only reported.
    pub soften_service: bool,
    /// Whether nothing to scan fails.
    pub fail_if_empty: bool,
}

/// What happened, besides what stands in the clusters.
#[derive(Debug, Clone, Copy)]
pub struct ClusterFacts<'a> {
    /// What ended the run early or went wrong beside it.
    pub faults: &'a [(Exit, String)],
    /// The task was created and is not waited for.
    pub pending: bool,
    /// The task has finished.
    pub is_over: bool,
    /// Something failed and is scanned again: until that is over, it failed.
    pub retried: bool,
    /// Clusters that failed, as HSS counts them.
    pub counted_failed: u64,
    /// Whose clusters were asked for.
    pub enterprise_project: &'a str,
}

/// Judges clusters. Everything that held stands in the reasons, most decisive first.
pub fn judge_clusters(lenience: Lenience, clusters: &[Cluster], facts: ClusterFacts<'_>) -> Verdict {
    let ClusterFacts { faults, pending, is_over, retried, counted_failed, enterprise_project } = facts;
    let mut held = faults.to_vec();
    let of = count(clusters.len() as u64, "cluster", "clusters");
    let failed = clusters.iter().filter(|cluster| cluster.state == ClusterState::Failed).count() as u64;
    let unfinished = clusters.iter().filter(|cluster| cluster.state == ClusterState::Unfinished).count();
    if failed > 0 {
        held.push((Exit::Partial, format!("the scan of {failed} of {of} failed")));
    }
    // What is pending may succeed. What failed and is scanned again has failed until it does.
    if unfinished > 0 && (!pending || retried) {
        held.push((Exit::Partial, format!("{unfinished} of {of} not scanned")));
    }
    if counted_failed > failed {
        let counted = count(counted_failed, "cluster", "clusters");
        held.push((Exit::Partial, format!("HSS counts {counted} as failed")));
    }
    let is_empty = is_over && clusters.is_empty();
    let nothing = || match enterprise_project {
        "all_granted_eps" => "no cluster to scan in any enterprise project".to_owned(),
        one => format!("no cluster to scan in the enterprise project {one} (all_granted_eps is every one)"),
    };
    if is_empty && lenience.fail_if_empty {
        held.push((Exit::Empty, nothing()));
    }
    let service_softened = lenience.soften_service && held.iter().any(|(exit, _)| is_service(*exit));
    let softened = |exit: Exit| match exit {
        exit if is_service(exit) => lenience.soften_service,
        // What the fault cut off is part of it; what failed is not, be it scanned again.
        Exit::Partial => lenience.soften_partial || (service_softened && failed == 0 && counted_failed == 0 && !retried),
        _ => false,
    };
    let pass = || match (pending, is_empty) {
        (true, _) => "submitted, not waited for".to_owned(),
        (false, true) => nothing(),
        (false, false) => format!("{of} scanned"),
    };
    decide(held, softened, pending, pass)
}

#[cfg(test)]
mod tests;
