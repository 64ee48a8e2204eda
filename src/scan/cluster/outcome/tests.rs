use super::*;

const SUCCESS: Option<ScanStatus> = Some(ScanStatus::Success);
const SCANNING: Option<ScanStatus> = Some(ScanStatus::Scanning);
const FAILED: Option<ScanStatus> = Some(ScanStatus::Failed);

fn wanted() -> Vec<String> {
    ["cluster_vul", "benchmark"].map(str::to_owned).into()
}

fn row(id: &str, status: Option<ScanStatus>, scans: &[(&str, Option<ScanStatus>)]) -> ClusterRow {
    let scan = |(scan_type, status): &(&str, _)| ClusterScanRow {
        scan_type: (*scan_type).to_owned(),
        status: *status,
        failed_reason: None,
    };
    let scans = scans.iter().map(scan).collect();
    ClusterRow { cluster_id: id.to_owned(), name: None, cluster_type: None, version: None, status, scans }
}

/// The state of the cluster and its reason, then those of its scans.
fn said(cluster: &Cluster) -> Vec<String> {
    let said = |state: ClusterState, reason: &Option<String>| {
        [state.as_str(), reason.as_deref().unwrap_or_default()].join(" ").trim().to_owned()
    };
    let first = said(cluster.state, &cluster.reason);
    std::iter::once(first).chain(cluster.scans.iter().map(|scan| said(scan.state, &scan.reason))).collect()
}

/// What is said of a cluster of which the service says this.
fn told(status: Option<ScanStatus>, scans: &[(&str, Option<ScanStatus>)]) -> Vec<String> {
    said(&cluster(&wanted(), None, row("c", status, scans)))
}

#[test]
fn a_cluster_succeeded_only_where_all_that_is_said_of_it_says_so() {
    let silent = "failed HSS could not scan it and gives no reason";
    let unlisted = "failed the finished task does not list this scan";
    let unknown = "failed HSS gives a scan status that is not known here";
    let both = |vul, benchmark| [("cluster_vul", vul), ("benchmark", benchmark)];
    assert_eq!(told(SUCCESS, &both(SUCCESS, SUCCESS)), ["success", "success", "success"]);
    assert_eq!(told(SUCCESS, &[]), ["success", "success", "success"]);
    assert_eq!(told(SUCCESS, &both(SUCCESS, FAILED)), ["failed", "success", silent]);
    assert_eq!(told(SUCCESS, &both(SUCCESS, None)), ["failed", "success", unknown]);
    assert_eq!(told(SUCCESS, &[("benchmark", SUCCESS)]), ["failed", unlisted, "success"]);
    assert_eq!(told(FAILED, &both(SUCCESS, SUCCESS)), [silent, "success", "success"]);
    assert_eq!(told(FAILED, &[]), [silent, silent, silent]);
    assert_eq!(told(None, &[]), [unknown, unknown, unknown]);
    let twice = [("cluster_vul", SUCCESS), ("benchmark", FAILED), ("benchmark", SUCCESS)];
    assert_eq!(told(SUCCESS, &twice), ["failed", "success", silent]);
    let other = |status| [both(SUCCESS, SUCCESS).as_slice(), &[("", status), ("", SUCCESS)]].concat();
    let untyped = "failed a scan that was not asked for (without a type): HSS could not scan it and gives no reason";
    assert_eq!(told(SUCCESS, &other(FAILED)), [untyped, "success", "success"]);
    assert_eq!(told(SUCCESS, &other(SUCCESS)), ["success"; 3]);
}

#[test]
fn the_worst_of_two_rows_of_a_cluster_holds() {
    let row = |status| row("c", status, &[]);
    for (first, second, state) in [
        (FAILED, SUCCESS, ClusterState::Failed),
        (SUCCESS, FAILED, ClusterState::Failed),
        (None, SUCCESS, ClusterState::Failed),
        (SCANNING, SUCCESS, ClusterState::Unfinished),
        (SUCCESS, SUCCESS, ClusterState::Success),
    ] {
        let mut clusters = Vec::new();
        let listed = merge(&mut clusters, &["benchmark".to_owned()], vec![row(first), row(second)]);
        assert_eq!(clusters.iter().map(|cluster| cluster.state).collect::<Vec<_>>(), [state]);
        assert_eq!(listed, BTreeSet::from(["c".to_owned()]));
    }
}

#[test]
fn something_of_a_cluster_is_enough_to_be_at_it_or_to_have_failed() {
    let rows = [
        row("done", SUCCESS, &[("benchmark", SUCCESS)]),
        row("at work", SCANNING, &[]),
        row("one scan at work", SUCCESS, &[("benchmark", SUCCESS), ("cluster_vul", SCANNING)]),
        row("failed", FAILED, &[("benchmark", SUCCESS)]),
        row("one scan failed", SUCCESS, &[("benchmark", FAILED)]),
        row("both", SCANNING, &[("benchmark", FAILED)]),
        row("unknown", None, &[("benchmark", None)]),
    ];
    let ids =
        |is: fn(&ClusterRow) -> bool| rows.iter().filter(|row| is(row)).map(|row| &*row.cluster_id).collect::<Vec<_>>();
    assert_eq!(ids(is_scanning), ["at work", "one scan at work", "both"]);
    assert_eq!(ids(has_failed), ["failed", "one scan failed", "both"]);
}

#[test]
fn what_failed_before_the_retry_stays_known_until_it_succeeds() {
    let silent = "HSS could not scan it and gives no reason";
    let all = |known: &[Cluster]| known.iter().map(said).collect::<Vec<_>>();
    let mut known = Vec::new();
    let first = vec![
        row("gone", FAILED, &[]),
        row("good", SUCCESS, &[]),
        row("half", SUCCESS, &[("cluster_vul", SUCCESS), ("benchmark", FAILED)]),
        row("none", SUCCESS, &[("cluster_vul", FAILED), ("benchmark", FAILED)]),
    ];
    merge(&mut known, &wanted(), first);
    known.iter_mut().for_each(reopen);
    let again = &*format!("unfinished failed before the retry: {silent}");
    let reopened = [[again; 3], ["success"; 3], ["unfinished", "success", again], ["unfinished", again, again]];
    assert_eq!(all(&known), reopened);

    // Of what is being scanned again nothing new is said.
    let both = [("cluster_vul", SUCCESS), ("benchmark", SCANNING)];
    merge(&mut known, &wanted(), vec![row("gone", SCANNING, &[]), row("half", SCANNING, &both)]);
    assert_eq!(all(&known), reopened);

    // The finished task lists what was left of it alone. A scan that had succeeded need not be listed again, one that had failed must be.
    let left = ["half", "none"].map(|id| row(id, SUCCESS, &[("benchmark", SUCCESS)]));
    let listed = merge(&mut known, &wanted(), left.into());
    end(&mut known, &listed);
    let gone = &*format!("failed the finished task does not list it; failed before the retry: {silent}");
    let failed = &*format!("failed failed before the retry: {silent}");
    let unlisted = "failed the finished task does not list this scan";
    let ended = [[gone, failed, failed], ["success"; 3], ["success"; 3], ["failed", unlisted, "success"]];
    assert_eq!(all(&known), ended);
}

#[test]
fn what_succeeded_before_the_retry_stays_so_while_the_rest_is_scanned_again() {
    let all = |known: &[Cluster]| known.iter().map(said).collect::<Vec<_>>();
    let mut known = Vec::new();
    let first = row("c", SUCCESS, &[("cluster_vul", SUCCESS), ("benchmark", FAILED)]);
    merge(&mut known, &wanted(), vec![first]);
    known.iter_mut().for_each(reopen);
    let reopened = all(&known);
    for scans in [&[("benchmark", SCANNING)][..], &[]] {
        merge(&mut known, &wanted(), vec![row("c", SCANNING, scans)]);
        assert_eq!(all(&known), reopened);
    }
    let listed = merge(&mut known, &wanted(), vec![row("c", SUCCESS, &[("benchmark", SUCCESS)])]);
    end(&mut known, &listed);
    assert_eq!(all(&known), [["success"; 3]]);
}
