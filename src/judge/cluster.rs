//! What the result of a `cluster-scan` means.

use super::{count, decide};
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

/// Judges clusters. `pending` says that the task was created and not waited for, `is_over` that it has finished. Everything that held
/// stands in the reasons, most decisive first.
pub fn judge_clusters(
    lenience: Lenience,
    clusters: &[Cluster],
    faults: &[(Exit, String)],
    pending: bool,
    is_over: bool,
) -> Verdict {
    let mut held = faults.to_vec();
    let of = count(clusters.len() as u64, "cluster", "clusters");
    let failed = clusters.iter().filter(|cluster| cluster.state == ClusterState::Failed).count();
    let unfinished = clusters.iter().filter(|cluster| cluster.state == ClusterState::Unfinished).count();
    if failed > 0 {
        held.push((Exit::Partial, format!("the scan of {failed} of {of} failed")));
    }
    if unfinished > 0 && !pending {
        held.push((Exit::Partial, format!("{unfinished} of {of} not scanned")));
    }
    let is_empty = is_over && clusters.is_empty();
    if is_empty && lenience.fail_if_empty {
        held.push((Exit::Empty, "no cluster to scan".to_owned()));
    }
    let service_softened =
        lenience.soften_service && held.iter().any(|(exit, _)| matches!(exit, Exit::Service | Exit::Timeout));
    let softened = |exit: Exit| match exit {
        Exit::Service | Exit::Timeout => lenience.soften_service,
        // What the fault cut off is part of it; what failed is not.
        Exit::Partial => lenience.soften_partial || (service_softened && failed == 0),
        _ => false,
    };
    let pass = || match (pending, is_empty) {
        (true, _) => "submitted, not waited for".to_owned(),
        (false, true) => "no cluster to scan".to_owned(),
        (false, false) => format!("{of} scanned"),
    };
    decide(held, softened, pending, pass)
}
