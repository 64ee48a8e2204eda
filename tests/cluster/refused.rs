//! What is refused before a call is made.

use std::process::Command;

use super::common::{Finished, Repo, calls, hss_iac, quick, run, start};
use super::{ONE, command, failing, result, resume, scan};
use serde_json::{Value, json};

#[test]
fn every_constraint_is_refused_before_a_call_is_made() {
    let repo = Repo::new();
    let emulator = start(quick());
    let long = "x".repeat(65);
    let longer = "x".repeat(257);
    let types = "scan_type_list: empty, HSS needs one or more of cluster_vul, risk_assessment, benchmark";
    let unknown = "scan_type_list: \"virus\" is none of cluster_vul, risk_assessment, benchmark";
    let vul = ["--type", "cluster_vul"];
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["--all"], types),
        (vec!["--all", "--type", "cluster_vul,virus"], unknown),
        (vec!["--all", "--type", ""], "scan_type_list: \"\" is none of cluster_vul, risk_assessment, benchmark"),
        (vul.to_vec(), "range_type: say --all (all_cluster), or --cluster ID (specific_cluster)"),
        (
            [&vul[..], &["--all", "--cluster", "c"]].concat(),
            "range_type: --all is all_cluster and --cluster is specific_cluster; leave one of them out",
        ),
        ([&vul[..], &["--cluster", "a,,b"]].concat(), "cluster_id_list: 0 characters, HSS takes 1 to 64"),
        ([&vul[..], &["--cluster", "a", &long]].concat(), "cluster_id_list: 65 characters, HSS takes 1 to 64"),
        (
            [&vul[..], &["--all", "--enterprise-project-id", &longer]].concat(),
            "enterprise_project_id: 257 characters, HSS takes 1 to 256",
        ),
        ([&vul[..], &["--all", "--project-id", &longer]].concat(), "project_id: 257 characters, HSS takes 1 to 256"),
        (
            [&vul[..], &["--all", "-o", "sarif"]].concat(),
            "a scan of clusters has no sarif report: say --output table or json",
        ),
    ];
    for (args, said) in cases {
        let ran: Finished =
            command(repo.path(), &emulator, &[&["cluster-scan"], &args[..]].concat()).output().expect("it runs").into();
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (2, "", format!("error: {said}\n")), "{args:?}");
    }
    assert!(emulator.journal().is_empty(), "no call is made");
    let characters = "组".repeat(256);
    let args = ["--all", "--enterprise-project-id", &characters];
    let ran = scan(repo.path(), &emulator, &args);
    assert_eq!(ran.code, 0, "characters are counted, not bytes: {}", ran.stderr);
}

#[test]
fn a_token_has_as_many_characters_as_the_header_takes() {
    let repo = Repo::new();
    let emulator = start(quick());
    for (length, code) in [(32_768, 4), (32_769, 2)] {
        let mut scan: Command = hss_iac(repo.path());
        scan.args(["cluster-scan", "-q", "--type", "benchmark", "--all", "--region", "cn-north-4", "--project-id", "p"]);
        scan.args(["--endpoint", &emulator.url(), "--iam-endpoint", &emulator.url()]);
        let ran: Finished = scan.env("HSS_IAC_TOKEN", "t".repeat(length)).output().expect("it runs").into();
        assert_eq!((ran.code, emulator.journal().len()), (code, 1), "{}", ran.stderr);
        if code == 2 {
            assert_eq!(ran.stderr, "error: X-Auth-Token: 32769 characters, HSS takes 1 to 32768\n");
        }
    }
}

#[test]
fn a_report_that_can_not_be_written_is_told_before_the_task_is_created() {
    let repo = Repo::new();
    let emulator = start(quick());
    std::fs::create_dir(repo.path().join("there")).expect("a directory");
    for (place, why) in [("table=no/such/t.txt", "No such file or directory"), ("json=there", "is a directory")] {
        let ran = scan(repo.path(), &emulator, &["--all", "-o", place]);
        let path = place.split_once('=').expect("a path").1;
        let said = format!("error: {path} can't be written, and nothing was begun: ");
        assert!(ran.code == 8 && ran.stderr.starts_with(&said) && ran.stderr.contains(why), "{}", ran.stderr);
    }
    assert!(emulator.journal().is_empty(), "no call is made");
    let left: Vec<_> = std::fs::read_dir(repo.path()).expect("a directory").collect();
    assert_eq!(left.len(), 2, ".git and there: {left:?}");
}

#[test]
fn a_result_that_tells_of_no_task_is_not_gone_on_with() {
    let repo = Repo::new();
    let emulator = start(failing(1));
    assert_eq!(scan(repo.path(), &emulator, &["--all", "--no-wait"]).code, 0);
    let whole = result(repo.path());
    let before = emulator.journal().len();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = whole.clone();
        change(&mut changed);
        std::fs::write(repo.path().join("result.json"), changed.to_string()).expect("a file");
        resume(repo.path(), &emulator, &[])
    };
    let cases: [&dyn Fn(&mut Value); 4] = [
        &|result| (result["task"], result["next"]) = (json!(null), json!(null)),
        &|result| (result["task"], result["next"]) = (json!(null), json!("wait")),
        &|result| result["task"]["task_id"] = json!(""),
        &|result| result["next"] = json!("create"),
    ];
    for (index, change) in cases.into_iter().enumerate() {
        let ran = with(change);
        let said = "error: nothing can go on with this result: it names no task, or one beside a task that is still to be created; run \
                    cluster-scan again\n";
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, "", said), "{index}");
    }
    let ran = with(&|result| result["clusters"] = json!(7));
    assert!(ran.code == 2 && ran.stderr.contains("`hss-iac cluster-scan -o json=FILE`"), "{}", ran.stderr);
    assert_eq!(emulator.journal().len(), before, "no call is made");
}

#[test]
fn what_means_nothing_to_clusters_is_refused_by_its_name() {
    let repo = Repo::new();
    let emulator = start(failing(1));
    assert_eq!(scan(repo.path(), &emulator, &["--all", "--no-wait"]).code, 0);
    let flags: [&[&str]; 6] = [
        &["--fail-on", "low"],
        &["--max", "high=1"],
        &["--baseline", "b.json"],
        &["--config", "c.toml"],
        &["--report-level", "high"],
        &["--jobs", "2"],
    ];
    for flag in flags {
        let ran = resume(repo.path(), &emulator, flag);
        let said = format!("error: {} means nothing to a cluster-scan: leave it out\n", flag[0]);
        assert_eq!((ran.code, ran.stderr), (2, said));
    }
    assert_eq!(calls(&emulator, "tasks/batch-query"), 0);
    // A variable is there for every command of a pipeline.
    let mut resume = command(repo.path(), &emulator, &["resume", "-q", "result.json", "--timeout", "1m", "--rate", "auto"]);
    let ran: Finished = resume.env("HSS_IAC_FAIL_ON", "low").output().expect("it runs").into();
    assert_eq!(ran.code, 7, "{}", ran.stderr);
}

#[test]
fn only_what_can_go_on_is_said_to() {
    let repo = Repo::new();
    let ran =
        run(repo.path(), &["cluster-scan", "--type", "benchmark", "--all", "--emulator", "--no-wait", "-o", "json=e.json"]);
    assert!(ran.stderr.ends_with("the stand-in ended with this run, so nothing can go on with it\n"), "{}", ran.stderr);
    let emulator = start(quick());
    let ran = scan(repo.path(), &emulator, &["--cluster", ONE, "nowhere"]);
    assert_eq!((ran.code, ran.stderr.as_str(), &result(repo.path())["next"]), (5, "", &json!(null)));
    let ran = resume(repo.path(), &emulator, &[]);
    assert!(ran.code == 2 && ran.stderr.contains("run cluster-scan again"), "{}", ran.stderr);
    assert_eq!(calls(&emulator, "task"), 1);
}
