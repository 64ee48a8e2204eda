use super::*;
use crate::model::{Cluster, ClusterNext, ClusterRequest, ClusterState, RangeType};

/// What a job of clusters came to.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    error: Option<String>,
    /// Id, state, reason and each scan.
    clusters: Vec<String>,
    next: Option<ClusterNext>,
    /// Status, whether it was retried, and clusters that failed by the service's count.
    task: Option<(TaskStatus, bool, u64)>,
    notes: Vec<String>,
    odd: Option<String>,
    calls: Vec<&'static str>,
}

fn account(retry_failed: bool) -> Account {
    Account::new(ClusterRequest {
        scan_types: vec!["benchmark".to_owned()],
        range_type: RangeType::AllCluster,
        cluster_ids: Vec::new(),
        retry_failed,
    })
}

/// One whose task is created and whose clusters are to be scanned again.
fn to_retry() -> Account {
    let task = crate::model::ClusterTask {
        task_id: "t".to_owned(),
        status: TaskStatus::Finished,
        retried: false,
        counted_failed: 1,
    };
    let mut account = Account { task: Some(task), next: Some(ClusterNext::Retry), ..account(true) };
    account.retried_after = Some(ENDED);
    account
}

async fn scan(account: Account, no_wait: bool, script: impl IntoIterator<Item = (&'static str, Vec<String>)>) -> Came {
    scan_at(&service(script), account, ClusterOptions { no_wait, window: OPTIONS.window }).await
}

async fn scan_at(host: &Host, account: Account, options: ClusterOptions) -> Came {
    let (account, client) = (RefCell::new(account), client(host));
    let ended = in_time(Box::pin(ClusterJob::new(&client, options, &account, &|_| ()).run())).await;
    let account = account.into_inner();
    assert!(!account.asking);
    let cluster = |cluster: &Cluster| {
        let reason = |reason: &Option<String>| reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        let scans: Vec<String> = cluster
            .scans
            .iter()
            .map(|scan| format!("{} {:?}{}", scan.scan_type, scan.state, reason(&scan.reason)))
            .collect();
        format!("{} {:?}{}: {}", cluster.cluster_id, cluster.state, reason(&cluster.reason), scans.join(", "))
    };
    Came {
        error: ended.err().map(|error| error.message),
        clusters: account.clusters.iter().map(cluster).collect(),
        next: account.next,
        task: account.task.map(|task| (task.status, task.retried, task.counted_failed)),
        notes: account.notes,
        odd: account.odd,
        calls: host.asked().iter().map(api).collect(),
    }
}

/// In milliseconds.
const ENDED: i64 = 1_000_000_000_000;

/// The task with its counts of clusters: at it, scanned, failed.
fn status(word: &str, [scanning, success, failed]: [u64; 3], ended: i64) -> String {
    data(&[format!(
        "{{\"task_id\":\"t\",\"task_type\":\"cluster_scan\",\"task_status\":\"{word}\",\"end_time\":{ended},\
         \"cluster_scan_info\":{{\"scanning_cluster_num\":{scanning},\"success_cluster_num\":{success},\
         \"failed_cluster_num\":{failed}}}}}"
    )])
}

fn finished(counts: [u64; 3]) -> String {
    status("finished", counts, ENDED)
}

/// Clusters, each with what is said of it and of its one scan.
fn clusters(rows: &[(&str, &str)]) -> String {
    let row = |(id, status): &(&str, &str)| {
        format!(
            "{{\"cluster_id\":\"{id}\",\"scan_status\":\"{status}\",\
             \"scan_detail_list\":[{{\"scan_type\":\"benchmark\",\"status\":\"{status}\"}}]}}"
        )
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    listing("cluster_scan_data_list", &rows)
}

const GOOD: &str = "c Success: benchmark Success";

#[tokio::test]
async fn a_task_is_created_waited_for_and_read() {
    let looks = vec![none(), status("running", [1, 0, 0], 0), finished([0, 1, 0])];
    let listed = vec![clusters(&[("c", "success")])];
    let came = scan(account(true), false, [("create", vec![created("t")]), ("tasks", looks), ("resources", listed)]).await;
    let expected = Came {
        error: None,
        clusters: vec![GOOD.to_owned()],
        next: None,
        task: Some((TaskStatus::Finished, false, 0)),
        notes: Vec::new(),
        odd: None,
        calls: vec!["create", "tasks", "tasks", "tasks", "resources"],
    };
    assert_eq!(came, expected);
}

#[tokio::test]
async fn a_task_that_is_not_waited_for_is_only_created() {
    let came = scan(account(false), true, [("create", vec![created("t")])]).await;
    assert_eq!((came.error, came.next, came.calls), (None, Some(ClusterNext::Wait), vec!["create"]));
    assert_eq!(came.task, Some((TaskStatus::Created, false, 0)));
}

#[tokio::test]
async fn a_task_whose_creation_is_not_certain_is_neither_created_again_nor_looked_for() {
    let came = scan(account(false), false, [("create", vec![says(503, "busy")])]).await;
    assert_eq!(came.error.as_deref(), Some("a task may exist: task: 503 busy"));
    assert_eq!((came.next, came.calls), (Some(ClusterNext::FindOut), vec!["create"]));
    let came = scan(account(false), false, [("create", vec![says(400, "no")])]).await;
    assert_eq!((came.error.as_deref(), came.next), (Some("task: 400 no"), None));
    let came = scan(account(false), false, [("create", vec![says(403, "no")])]).await;
    assert_eq!((came.error.as_deref(), came.next), (Some("task: 403 no"), Some(ClusterNext::Create)));
    let unsure = Account { next: Some(ClusterNext::FindOut), ..account(false) };
    let came = scan(unsure, false, []).await;
    assert_eq!((came.error, came.next, came.calls), (None, Some(ClusterNext::FindOut), vec![]));
}

/// The looks at a created task, and the listings of its clusters.
async fn look(retry_failed: bool, looks: Vec<String>, listings: Vec<String>, retries: Vec<String>) -> Came {
    let script = [("create", vec![created("t")]), ("tasks", looks), ("resources", listings), ("retry", retries)];
    scan(account(retry_failed), false, script).await
}

#[tokio::test]
async fn what_failed_is_scanned_again_once() {
    let looks = || vec![finished([0, 0, 1]), status("running", [1, 0, 0], ENDED), status("finished", [0, 0, 1], ENDED + 1)];
    let failed = || vec![clusters(&[("c", "failed")])];
    let calls = ["create", "tasks", "resources", "retry", "tasks", "tasks", "resources"];
    let came = look(true, looks(), failed(), vec![says(200, "")]).await;
    assert_eq!(
        (came.clusters, came.next),
        (vec!["c Failed: benchmark Failed (HSS could not scan it and gives no reason)".to_owned()], None)
    );
    assert_eq!((came.task, came.calls), (Some((TaskStatus::Finished, true, 1)), calls.to_vec()));
    let good = vec![clusters(&[("c", "failed")]), clusters(&[("c", "success")])];
    let looks = vec![finished([0, 0, 1]), status("finished", [0, 1, 0], ENDED + 1)];
    let came = look(true, looks, good, vec![says(200, "")]).await;
    assert_eq!((came.clusters, came.next, came.task), (vec![GOOD.to_owned()], None, Some((TaskStatus::Finished, true, 0))));
    assert_eq!(came.calls, ["create", "tasks", "resources", "retry", "tasks", "resources"]);
    let came = look(false, vec![finished([0, 0, 1])], failed(), vec![]).await;
    assert_eq!((came.next, came.calls), (None, vec!["create", "tasks", "resources"]));
}

#[tokio::test]
async fn a_retry_that_is_not_seen_is_believed_after_a_while() {
    // The task stays as it was before.
    let script = [
        ("tasks", vec![finished([0, 0, 1])]),
        ("resources", vec![clusters(&[("c", "failed")])]),
        ("retry", vec![says(200, "")]),
    ];
    // A quarter of a window at least, which the first looks come to.
    for window in [Duration::ZERO, Duration::from_millis(200)] {
        let options = ClusterOptions { no_wait: false, window };
        let came = scan_at(&service(script.clone()), to_retry(), options).await;
        assert_eq!((came.error, came.next), (None, None));
        assert_eq!(came.calls, ["retry", "tasks", "tasks", "tasks", "tasks", "tasks", "resources"]);
    }
}

#[tokio::test]
async fn the_answer_to_a_retry_decides_what_is_left() {
    let after =
        [("tasks", vec![status("finished", [0, 1, 0], ENDED + 1)]), ("resources", vec![clusters(&[("c", "success")])])];
    let lost = scan(to_retry(), false, after.clone().into_iter().chain([("retry", vec![says(503, "")])])).await;
    let note = "the answer to the retry was lost; it is not asked for again, and what the task says counts";
    assert_eq!((lost.error, lost.notes), (None, vec![note.to_owned()]));
    assert_eq!(lost.calls, ["retry", "tasks", "resources"]);
    for (status, next, retried) in [(400, None, true), (403, Some(ClusterNext::Retry), false)] {
        let came = scan(to_retry(), false, [("retry", vec![says(status, "no")])]).await;
        let message = format!("task/retry: {status} no");
        assert_eq!(came.notes, [format!("what failed was not scanned again: {message}")]);
        assert_eq!((came.error, came.next), (Some(message), next));
        assert_eq!(came.task, Some((TaskStatus::Finished, retried, 1)));
    }
}

#[tokio::test]
async fn a_finished_task_that_is_still_at_it_is_looked_at_again() {
    let listings = vec![clusters(&[("c", "scanning")]), clusters(&[("c", "success")])];
    let came = look(false, vec![finished([1, 0, 0]), finished([0, 1, 0])], listings, vec![]).await;
    assert_eq!((came.clusters, came.odd), (vec![GOOD.to_owned()], None));
    assert_eq!(came.calls, ["create", "tasks", "resources", "tasks", "resources"]);
}

#[tokio::test]
async fn a_listing_that_does_not_fit_is_doubted_three_times() {
    let counted = |came: &Came| came.calls.iter().filter(|api| **api == "resources").count();
    let came = look(false, vec![finished([0, 2, 0])], vec![clusters(&[("c", "success")])], vec![]).await;
    let odd = "tasks/batch-query: task t counts 2 clusters, 2 scanned and 0 failed, and resources/batch-query lists 1, 1 \
               scanned and 0 failed: look at the task in the console";
    assert_eq!((came.error.as_deref(), counted(&came), came.clusters.len()), (Some(odd), 3, 1));
    let empty = look(false, vec![finished([0, 0, 0])], vec![clusters(&[])], vec![]).await;
    assert_eq!((empty.error.as_deref(), counted(&empty)), (None, 3), "then none is what HSS says");
    let late = look(false, vec![finished([0, 1, 0])], vec![clusters(&[]), clusters(&[("c", "success")])], vec![]).await;
    assert_eq!((late.error.as_deref(), counted(&late), late.clusters), (None, 2, vec![GOOD.to_owned()]));
    let short = clusters(&[("c", "success")]).replace("\"total_num\":1", "\"total_num\":2");
    let short = look(false, vec![finished([0, 1, 0])], vec![short], vec![]).await;
    let fault = "resources/batch-query: the listing names 2 rows and gave 1 different ones: try again later";
    assert_eq!((short.error.as_deref(), counted(&short)), (Some(fault), 6), "with a look for what is behind the page");
}

#[tokio::test]
async fn what_a_task_counts_as_failed_is_known_before_its_clusters_are() {
    let came = look(true, vec![status("running", [1, 0, 3], 0), says(403, "no")], vec![], vec![]).await;
    assert_eq!(came.task, Some((TaskStatus::Running, false, 3)));
    let partial = clusters(&[("c", "failed"), ("d", "failed")]).replace("\"total_num\":2", "\"total_num\":9");
    let came = look(true, vec![finished([0, 9, 0])], vec![partial], vec![]).await;
    assert_eq!(came.task, Some((TaskStatus::Finished, false, 2)), "and what is listed counts");
}

#[tokio::test]
async fn what_is_odd_about_a_look_is_kept_until_the_next() {
    let nowhere = look(false, vec![none(), says(403, "no")], vec![], vec![]).await;
    assert_eq!(nowhere.odd.as_deref(), Some("no listing shows task t"));
    let word = look(false, vec![status("paused", [1, 0, 0], 0), says(403, "no")], vec![], vec![]).await;
    assert_eq!(word.odd.as_deref(), Some("task t is \"paused\", a status that is not known here"));
    let failed = look(false, vec![says(503, ""); 6].into_iter().chain([says(403, "no")]).collect(), vec![], vec![]).await;
    assert_eq!(failed.odd.as_deref(), Some("tasks/batch-query: 503 "));
    let refused = look(false, vec![says(400, "no")], vec![], vec![]).await;
    assert_eq!((refused.error.as_deref(), refused.odd), (Some("tasks/batch-query: 400 no"), None));
    let unread = look(false, vec![finished([0, 1, 0]), says(403, "no")], vec![says(503, "")], vec![]).await;
    assert_eq!(unread.odd.as_deref(), Some("resources/batch-query: 503 "));
}

#[tokio::test]
async fn what_a_listing_lacks_has_failed_when_it_is_believed() {
    let named = || {
        let account = account(false);
        let cluster_ids = vec!["c".to_owned(), "d".to_owned()];
        Account::new(ClusterRequest { range_type: RangeType::SpecificCluster, cluster_ids, ..account.request })
    };
    let script = |then: String| {
        let looks = vec![finished([0, 2, 0]), then];
        [("create", vec![created("t")]), ("tasks", looks), ("resources", vec![clusters(&[("c", "success")])])]
    };
    let believed = scan(named(), false, script(finished([0, 2, 0]))).await;
    let lacking = "d Failed (the finished task does not list it): benchmark Failed";
    assert_eq!((believed.clusters, believed.error.is_some()), (vec![GOOD.to_owned(), lacking.to_owned()], true));
    let doubted = scan(named(), false, script(says(403, "no"))).await;
    assert_eq!(doubted.clusters, [GOOD, "d Unfinished: benchmark Unfinished"]);
}

#[tokio::test]
async fn a_listing_without_an_end_is_read_once() {
    let host = Host::new(|before, asked| match api(asked) {
        "create" => created("t"),
        "tasks" => finished([0, 1, 0]),
        _ => says(200, &format!("{{\"cluster_scan_data_list\":[{{\"cluster_id\":\"{before}\"}}]}}")),
    });
    let came = scan_at(&host, account(false), ClusterOptions { no_wait: false, window: OPTIONS.window }).await;
    let fault = "resources/batch-query: a listing was given up after 50 calls, which gave 50 rows";
    assert_eq!(came.error.as_deref(), Some(fault));
    assert_eq!(came.calls.len(), 2 + 50);
}

#[test]
fn an_account_that_is_closed_says_why() {
    let mut account = Account::new(ClusterRequest {
        scan_types: vec!["benchmark".to_owned()],
        range_type: RangeType::SpecificCluster,
        cluster_ids: vec!["d".to_owned(), "c".to_owned()],
        retry_failed: false,
    });
    account.clusters[0].state = ClusterState::Success;
    account.close("cancelled");
    let said: Vec<_> =
        account.clusters.iter().map(|cluster| (cluster.cluster_id.as_str(), cluster.reason.as_deref())).collect();
    assert_eq!(said, [("c", None), ("d", Some("cancelled"))]);
}
