use super::super::tests::verdict;
use super::*;
use crate::model::Status;

const STRICT: Lenience = Lenience { soften_partial: false, soften_service: false, fail_if_empty: false };
const OVER: ClusterFacts<'_> =
    ClusterFacts { faults: &[], pending: false, is_over: true, retried: false, counted_failed: 0, enterprise_project: "0" };

fn clusters(states: &[ClusterState]) -> Vec<Cluster> {
    let cluster = |state: &ClusterState| Cluster {
        cluster_id: "c".into(),
        name: None,
        cluster_type: None,
        version: None,
        state: *state,
        reason: None,
        scans: Vec::new(),
    };
    states.iter().map(cluster).collect()
}

use ClusterState::{Failed, Success, Unfinished};

#[test]
fn what_failed_or_did_not_end_is_partial() {
    let judged = |states: &[ClusterState], facts| judge_clusters(STRICT, &clusters(states), facts);
    assert_eq!(judged(&[Success, Success], OVER), verdict(Status::Pass, 0, &["2 clusters scanned"]));
    let reasons = ["the scan of 1 of 3 clusters failed", "1 of 3 clusters not scanned"];
    assert_eq!(judged(&[Success, Failed, Unfinished], OVER), verdict(Status::Partial, 7, &reasons));
    let counted = |counted_failed| ClusterFacts { counted_failed, ..OVER };
    let reasons = ["the scan of 1 of 1 cluster failed"];
    assert_eq!(judged(&[Failed], counted(1)), verdict(Status::Partial, 7, &reasons));
    let reasons = ["the scan of 1 of 1 cluster failed", "HSS counts 2 clusters as failed"];
    assert_eq!(judged(&[Failed], counted(2)), verdict(Status::Partial, 7, &reasons));
    let pending = ClusterFacts { pending: true, is_over: false, ..OVER };
    let submitted = verdict(Status::Pending, 0, &["submitted, not waited for"]);
    assert_eq!(judged(&[Unfinished], pending), submitted);
    assert_eq!(judged(&[], pending), submitted);
    let again = ClusterFacts { retried: true, ..pending };
    assert_eq!(judged(&[Success, Unfinished], again), verdict(Status::Partial, 7, &["1 of 2 clusters not scanned"]));
}

#[test]
fn no_cluster_is_said_with_its_enterprise_project() {
    let one = "no cluster to scan in the enterprise project 0 (all_granted_eps is every one)";
    let every = "no cluster to scan in any enterprise project";
    let all = ClusterFacts { enterprise_project: "all_granted_eps", ..OVER };
    assert_eq!(judge_clusters(STRICT, &[], OVER), verdict(Status::Pass, 0, &[one]));
    assert_eq!(judge_clusters(STRICT, &[], all), verdict(Status::Pass, 0, &[every]));
    let strict = Lenience { fail_if_empty: true, ..STRICT };
    assert_eq!(judge_clusters(strict, &[], all), verdict(Status::Error, 3, &[every]));
    assert_eq!(judge_clusters(strict, &clusters(&[Success]), all), verdict(Status::Pass, 0, &["1 cluster scanned"]));
    // Before its end a task may name no cluster yet.
    let early = ClusterFacts { is_over: false, ..OVER };
    assert_eq!(judge_clusters(strict, &[], early), verdict(Status::Pass, 0, &["0 clusters scanned"]));
}

#[test]
fn softening_covers_what_the_fault_cut_off_and_no_more() {
    let service = [(Exit::Service, "unreachable".to_owned())];
    let soft = Lenience { soften_service: true, ..STRICT };
    let code = |lenience, states: &[ClusterState], facts| judge_clusters(lenience, &clusters(states), facts).exit_code;
    let cut = ClusterFacts { faults: &service, is_over: false, ..OVER };
    let reasons = ["unreachable (reported only)", "1 of 1 cluster not scanned (reported only)"];
    assert_eq!(judge_clusters(soft, &clusters(&[Unfinished]), cut), verdict(Status::Error, 0, &reasons));
    assert_eq!(code(STRICT, &[Unfinished], cut), 5);
    assert_eq!(code(soft, &[Unfinished, Failed], cut), 7);
    assert_eq!(code(soft, &[Unfinished], ClusterFacts { counted_failed: 1, ..cut }), 7);
    assert_eq!(code(soft, &[Unfinished], ClusterFacts { retried: true, ..cut }), 7);
    assert_eq!(code(soft, &[Unfinished], OVER), 7, "no fault of the service cut it off");
    let timeout = [(Exit::Timeout, "no end".to_owned())];
    let late = ClusterFacts { faults: &timeout, ..cut };
    assert_eq!([code(STRICT, &[Unfinished], late), code(soft, &[Unfinished], late)], [6, 0]);
    let login = [(Exit::Login, "refused".to_owned())];
    let both = Lenience { soften_partial: true, ..soft };
    assert_eq!(code(both, &[Unfinished], ClusterFacts { faults: &login, ..cut }), 4);
    assert_eq!(code(both, &[Failed], OVER), 0);
}
