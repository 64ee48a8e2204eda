//! Which base a run takes, and when it scans all instead.

use serde_json::json;

use crate::common::{self, BAD_DOCKERFILE, Finished};
use crate::repository::{Repository, git, listed, without_ids};

const ZEROS: &str = "0000000000000000000000000000000000000000";
const VANISHED: &str = "1111111111111111111111111111111111111111";
const ALL: [&str; 4] = ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile", "config.yaml"];

/// `main` with one commit of its own after the branch `feature` left it with one new file, and the merge of both as GitHub makes it.
struct PullRequest {
    repository: Repository,
    base: String,
    head: String,
    merge: String,
}

fn pull_request() -> PullRequest {
    let repository = Repository::with_files();
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    let head = repository.commit("feature");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("a/Dockerfile", &common::clean_dockerfile(7));
    let base = repository.commit("main goes on");
    repository.git(&["checkout", "-q", "-b", "merge"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "merge", "feature"]);
    let merge = repository.head();
    PullRequest { repository, base, head, merge }
}

fn refs<'a>(env: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    env.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Asserts what is listed: these files, and this note about the change.
fn assert_listed((sent, notes): (Vec<String>, Vec<String>), files: &[&str], note: &str) {
    assert_eq!((sent, notes), (files.iter().map(|file| (*file).to_owned()).collect(), vec![note.to_owned()]));
}

fn on_github(repository: &Repository, name: &'static str, event: &serde_json::Value) -> (Vec<String>, Vec<String>) {
    repository.list("auto", &refs(&repository.github(name, event)))
}

#[test]
fn github_pull_requests() {
    let PullRequest { repository, base, head, .. } = pull_request();
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let one = "1 of 4 files changed since <id>, the merge base with";
    // The checkout of GitHub: a merge of the head into the base.
    let found = on_github(&repository, "pull_request", &event);
    assert_listed(found, &["c/Dockerfile"], &format!("{one} what the pull request is merged into"));
    // The head itself: what `main` did meanwhile is no change of the pull request.
    repository.git(&["checkout", "-q", "feature"]);
    let found = on_github(&repository, "pull_request", &event);
    assert_listed(found, &["c/Dockerfile"], &format!("{one} the base of the pull request"));
    let found = on_github(&repository, "pull_request_target", &event);
    assert_listed(found, &["c/Dockerfile"], &format!("{one} the base of the pull request"));
    // pull_request_target checks the base out unless told otherwise: no diff of nothing.
    repository.git(&["checkout", "-q", "main"]);
    let (files, notes) = on_github(&repository, "pull_request_target", &event);
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "config.yaml"]);
    assert_eq!(notes, ["all is scanned, not only what changed: HEAD is not <id>, the commit that this run is about"]);
}

#[test]
fn github_pull_requests_in_shallow_clones() {
    let PullRequest { repository, base, head, .. } = pull_request();
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let deep = repository.clone(&["--depth", "2", "--branch", "merge"]);
    let note = "1 of 4 files changed since <id>, the merge base with what the pull request is merged into";
    assert_listed(on_github(&deep, "pull_request", &event), &["c/Dockerfile"], note);

    let PullRequest { repository, base, head, .. } = pull_request();
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let shallow = repository.clone(&["--depth", "1", "--branch", "merge"]);
    let note = "all is scanned, not only what changed: HEAD is neither <id> nor a merge of it with its parents here: the clone is \
                shallow, check out with a depth of 2 or more";
    assert_listed(on_github(&shallow, "pull_request", &event), &ALL, note);

    let PullRequest { repository, base, head, .. } = pull_request();
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let shallow = repository.clone(&["--depth", "1", "--branch", "feature"]);
    let note = "all is scanned, not only what changed: <id> (the base of the pull request) is not in this clone: the clone is shallow, \
                fetch more of it";
    assert_listed(on_github(&shallow, "pull_request", &event), &ALL, note);
}

#[test]
fn other_events_of_github() {
    let PullRequest { repository, base, head, merge } = pull_request();
    repository.git(&["update-ref", "refs/remotes/origin/main", &base]);
    let full = |why: &str| format!("all is scanned, not only what changed: {why}");
    let group = json!({"merge_group": {"base_sha": base, "head_sha": merge}});
    let note = "1 of 4 files changed since <id>, the merge base with the base of the merge group";
    assert_listed(on_github(&repository, "merge_group", &group), &["c/Dockerfile"], note);
    let push = |reference: &str, before: &str| json!({"ref": reference, "before": before, "after": merge, "repository": {"default_branch": "main"}});
    let branch = "refs/heads/merge";
    let note = |what: &str| format!("1 of 4 files changed since <id>, the merge base with {what}");
    let on_push = |event| on_github(&repository, "push", &event);
    assert_listed(on_push(push(branch, &base)), &["c/Dockerfile"], &note("the branch before the push"));
    // A new branch, and one whose old commit went with a force push.
    assert_listed(on_push(push(branch, ZEROS)), &["c/Dockerfile"], &note("the default branch"));
    assert_listed(on_push(push(branch, VANISHED)), &["c/Dockerfile"], &note("the default branch"));
    // A force push of a branch that is still here: against the merge base with what was.
    let forced = push(branch, &head);
    assert_listed(on_push(forced), &["a/Dockerfile"], &note("the branch before the push"));
    assert_listed(on_push(push("refs/heads/main", &base)), &ALL, &full("a push to the default branch scans all"));
    assert_listed(on_push(push("refs/tags/v1", &base)), &ALL, &full("what was pushed is no branch"));
    assert_listed(on_github(&repository, "schedule", &json!({})), &ALL, &full("this event has no base"));
    let lost = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_EVENT_PATH", "/nowhere")];
    let why = full("the event of GitHub (GITHUB_EVENT_PATH) can't be read");
    assert_listed(repository.list("auto", &lost), &ALL, &why);
    repository.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    let why = full("refs/remotes/origin/main (the default branch) is not in this clone");
    assert_listed(on_push(push(branch, ZEROS)), &ALL, &why);
}

#[test]
fn gitlab_pipelines() {
    let PullRequest { repository, base, head, merge } = pull_request();
    repository.git(&["update-ref", "refs/remotes/origin/main", &base]);
    let first = repository.git(&["merge-base", "main", "feature"]);
    let list = |checkout: &str, env: &[(&str, &str)]| {
        repository.git(&["checkout", "-q", checkout]);
        let commit = repository.head();
        let usual = [("GITLAB_CI", "true"), ("CI_COMMIT_SHA", commit.as_str()), ("CI_DEFAULT_BRANCH", "main")];
        repository.list("auto", &[&usual[..], env].concat())
    };
    let one = |n, what: &str| format!("1 of {n} files changed since <id>, the merge base with {what}");
    let c = ["c/Dockerfile"];
    let detached = [("CI_MERGE_REQUEST_IID", "1"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", first.as_str())];
    assert_listed(list("feature", &detached), &c, &one(4, "the base of the merge request"));
    // In such a pipeline the commit before the push was seen to be the last push itself, and the range empty.
    for kind in ["merged_result", "merge_train"] {
        let merged = [
            ("CI_MERGE_REQUEST_IID", "1"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", kind),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", base.as_str()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", first.as_str()),
            ("CI_COMMIT_BEFORE_SHA", merge.as_str()),
            ("CI_COMMIT_BRANCH", "merge"),
        ];
        assert_listed(list("merge", &merged), &c, &one(4, "the target of the merge request"));
    }
    let external = [
        ("CI_EXTERNAL_PULL_REQUEST_IID", "1"),
        ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA", base.as_str()),
        ("CI_COMMIT_BRANCH", "feature"),
    ];
    assert_listed(list("feature", &external), &c, &one(4, "the target of the pull request"));
    let branch = |before| [("CI_COMMIT_BRANCH", "feature"), ("CI_COMMIT_BEFORE_SHA", before)];
    assert_listed(list("feature", &branch(&first)), &c, &one(4, "the branch before the push"));
    assert_listed(list("feature", &branch(ZEROS)), &c, &one(4, "the default branch"));
    assert_listed(list("feature", &branch(VANISHED)), &c, &one(4, "the default branch"));
    let full = |why: &str| format!("all is scanned, not only what changed: {why}");
    let default = [("CI_COMMIT_BRANCH", "main"), ("CI_COMMIT_BEFORE_SHA", first.as_str())];
    let three = ["a/Dockerfile", "b/Dockerfile", "config.yaml"];
    assert_listed(list("main", &default), &three, &full("a pipeline of the default branch scans all"));
    let tag = [("CI_COMMIT_TAG", "v1")];
    assert_listed(list("main", &tag), &three, &full("the pipeline is neither for a merge request nor for a branch"));
    let missing = [("CI_MERGE_REQUEST_IID", "1"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", VANISHED)];
    let why = full("<id> (the base of the merge request) is not in this clone");
    assert_listed(list("feature", &missing), &ALL, &why);
    let stale = [("CI_COMMIT_SHA", head.as_str()), ("CI_MERGE_REQUEST_IID", "1")];
    let (_, notes) = list("main", &stale);
    assert_eq!(notes, [full("HEAD is not <id>, the commit that this run is about")]);
}

#[test]
fn a_branch_of_a_shallow_clone_scans_all() {
    let repository = Repository::with_files();
    let before = repository.head();
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    let head = repository.commit("second");
    let shallow = repository.clone(&["--depth", "1"]);
    let env = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", head.as_str()),
        ("CI_COMMIT_BRANCH", "feature"),
        ("CI_COMMIT_BEFORE_SHA", before.as_str()),
        ("CI_DEFAULT_BRANCH", "trunk"),
    ];
    let why = "all is scanned, not only what changed: refs/remotes/origin/trunk (the default branch) is not in this clone: the clone is \
               shallow, fetch more of it";
    assert_listed(shallow.list("auto", &env), &ALL, why);
}

fn pre_push(repository: &Repository, lines: &str) -> (Vec<String>, Vec<String>) {
    listed(&repository.run(&["list", "--diff", "pre-push", "-o", "json"], &[], lines).json())
}

#[test]
fn what_is_pushed() {
    let repository = Repository::with_files();
    let first = repository.head();
    let repository = repository.clone(&[]);
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    let second = repository.commit("second");
    // What stands in the work tree is not what is pushed.
    repository.write("d/Dockerfile", BAD_DOCKERFILE);
    repository.write("c/Dockerfile", "");
    let line = |remote: &str| format!("refs/heads/feature {second} refs/heads/feature {remote}\n");
    let one = |what: &str| format!("1 of 4 files changed since <id>, the merge base with {what}");
    assert_listed(pre_push(&repository, &line(&first)), &["c/Dockerfile"], &one("what the remote has"));
    assert_listed(pre_push(&repository, &line(ZEROS)), &["c/Dockerfile"], &one("the default branch"));
    assert_listed(pre_push(&repository, &line(VANISHED)), &["c/Dockerfile"], &one("the default branch"));
    let with_tag = format!("{}refs/tags/v1 {second} refs/tags/v1 {ZEROS}\n", line(&first));
    assert_listed(pre_push(&repository, &with_tag), &["c/Dockerfile"], &one("what the remote has"));
    let deleted = format!("(delete) {ZEROS} refs/heads/feature {first}\n");
    let note = "0 of 4 files changed since the remote, which only loses";
    assert_listed(pre_push(&repository, &deleted), &[], note);
    let two = format!("{}refs/heads/main {first} refs/heads/main {ZEROS}\n", line(&first));
    let (files, notes) = pre_push(&repository, &two);
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "config.yaml", "d/Dockerfile"]);
    assert_eq!(notes, ["all is scanned, not only what changed: several branches are pushed at once"]);
    let env = [("PRE_COMMIT_FROM_REF", first.as_str()), ("PRE_COMMIT_TO_REF", second.as_str())];
    assert_listed(repository.list("auto", &env), &["c/Dockerfile"], &one("what the remote has"));
}

/// The branch of one's own that is pushed is no base of itself.
#[test]
fn the_first_push_scans_all() {
    let repository = Repository::with_files();
    let first = repository.head();
    // What stands in the work tree is not what is pushed.
    repository.write("d/Dockerfile", BAD_DOCKERFILE);
    let line = format!("refs/heads/main {first} refs/heads/main {ZEROS}\n");
    let all = ["a/Dockerfile", "b/Dockerfile", "config.yaml"];
    let note = |why: &str| format!("all is scanned, not only what changed: {why}");
    let no_default = note("refs/remotes/origin/master (the default branch) is not in this clone");
    assert_listed(pre_push(&repository, &line), &all, &no_default);
    // pre-commit names no commits then.
    let env = [("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"), ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main")];
    assert_listed(repository.list("auto", &env), &all, &note("nothing names a base"));
}

#[test]
fn a_work_tree_of_ones_own() {
    let repository = Repository::with_files();
    let repository = repository.clone(&[]);
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    repository.commit("second");
    let one = |what: &str| format!("1 of 4 files changed since <id>, the merge base with {what}");
    assert_listed(repository.list("auto", &[]), &["c/Dockerfile"], &one("the default branch"));
    assert_listed(repository.list("HEAD~1", &[]), &["c/Dockerfile"], &one("HEAD~1, as --diff says"));
    repository.git(&["branch", "-q", "--set-upstream-to", "origin/main"]);
    assert_listed(repository.list("auto", &[]), &["c/Dockerfile"], &one("the upstream of the branch"));
    // What is not committed and what is not tracked counts.
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    repository.write("d/Dockerfile", BAD_DOCKERFILE);
    let three = ["b/Dockerfile", "c/Dockerfile", "d/Dockerfile"];
    let note = "3 of 5 files changed since <id>, the merge base with the upstream of the branch";
    assert_listed(repository.list("auto", &[]), &three, note);
    let sub = git(&repository.path().join("d"), &["rev-parse", "--show-prefix"]);
    assert_eq!(sub, "d/");
    let mut command = common::hss_iac(&repository.path().join("d"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(["list", "--diff", "auto", "-o", "json"]);
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!(listed(&ran.json()).0, ["d/Dockerfile"]);
    let full = |why: &str| format!("all is scanned, not only what changed: {why}");
    let all = ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile", "config.yaml", "d/Dockerfile"];
    let unknown = full("no-such-branch (no-such-branch, as --diff says) is not in this clone");
    assert_listed(repository.list("no-such-branch", &[]), &all, &unknown);
    assert_listed(
        repository.list("--output=/tmp/x", &[]),
        &all,
        &full("--output=/tmp/x (--output=/tmp/x, as --diff says) is not in this clone"),
    );
    let ci = full("the base of a change is not known on this CI platform; name it with --diff REV");
    assert_listed(repository.list("auto", &[("CI", "true")]), &all, &ci);
}

#[test]
fn what_is_staged() {
    let repository = Repository::with_files();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.git(&["add", "-A"]);
    repository.write("a/Dockerfile", &common::clean_dockerfile(1));
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    let note = "1 of 3 files changed since <id>, the last commit";
    assert_listed(repository.list("staged", &[]), &["a/Dockerfile"], note);
    let new = Repository::new();
    new.write("Dockerfile", BAD_DOCKERFILE);
    new.git(&["add", "-A"]);
    let note = "all is scanned, not only what changed: there is no commit yet";
    assert_listed(new.list("staged", &[]), &["Dockerfile"], note);
    assert_listed(new.list("auto", &[]), &["Dockerfile"], note);
}

#[test]
fn what_is_no_repository_is_scanned_whole() {
    let repository = common::Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let list = |path: &str| {
        let mut command = common::hss_iac(repository.path());
        let ran: Finished =
            command.env("PATH", path).args(["list", "--diff", "main", "-o", "json"]).output().expect("it runs").into();
        listed(&ran.json())
    };
    let (files, notes) = list(&std::env::var("PATH").unwrap_or_default());
    assert_eq!(files, ["Dockerfile"]);
    assert!(
        notes[0].starts_with("all is scanned, not only what changed: this is no git repository that can be read"),
        "{notes:?}"
    );
    let note = "all is scanned, not only what changed: there is no git on the PATH";
    assert_listed(list("/nowhere"), &["Dockerfile"], note);
}

#[test]
fn merges_renames_worktrees_and_submodules() {
    // Criss-cross: both branches merged the other's first commit, so there are two merge bases.
    let repository = Repository::with_files();
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("c/Dockerfile", &common::clean_dockerfile(3));
    repository.commit("one");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("a/Dockerfile", &common::clean_dockerfile(4));
    repository.commit("two");
    repository.git(&["branch", "side"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "m1", "feature"]);
    repository.git(&["checkout", "-q", "feature"]);
    repository.git(&["merge", "-q", "--no-ff", "-m", "m2", "side"]);
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    repository.commit("three");
    let (files, notes) = repository.list("main", &[]);
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "c/Dockerfile"], "whatever differs from any of them");
    assert_eq!(notes, ["3 of 4 files changed since <id> and <id>, the merge base with main, as --diff says"]);

    let linked = repository.beside("linked");
    repository.git(&["worktree", "add", "-q", linked.to_str().expect("UTF-8"), "HEAD"]);
    let mut command = common::hss_iac(&linked);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(["list", "--diff", "HEAD~1", "-o", "json"]);
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!(listed(&ran.json()).0, ["b/Dockerfile"]);

    let inner = Repository::with_files();
    let outer = Repository::with_files();
    outer.git(&["submodule", "add", "-q", &format!("file://{}", inner.path().display()), "inner"]);
    outer.commit("with a submodule");
    assert_eq!(outer.list("HEAD", &[]).0, Vec::<String>::new());
    outer.write("inner/b/Dockerfile", BAD_DOCKERFILE);
    assert_eq!(outer.list("HEAD", &[]).0, ["inner/b/Dockerfile"]);
    let mut command = common::hss_iac(&outer.path().join("inner"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(["list", "--diff", "HEAD", "-o", "json"]);
    let ran: Finished = command.output().expect("it runs").into();
    assert_eq!(listed(&ran.json()).0, ["b/Dockerfile"]);
}

#[test]
fn kustomizations_and_charts_are_named() {
    let repository = Repository::with_files();
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../config.yaml]\n";
    repository.write("k/kustomization.yaml", kustomization);
    repository.write("chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    repository.write("chart/values.yaml", "replicas: 1\n");
    repository.commit("a chart");
    repository.write("k/kustomization.yaml", &kustomization.replace("../", "../../"));
    repository.write("chart/values.yaml", "replicas: 2\n");
    let (files, notes) = repository.list("HEAD", &[]);
    assert_eq!(files, Vec::<String>::new());
    assert_eq!(
        notes,
        [
            "the chart in chart changed: what it builds may differ where no file does, and is not scanned",
            "the kustomization in k changed: what it builds may differ where no file does, and is not scanned",
            "0 of 3 files changed since <id>, the merge base with HEAD, as --diff says",
        ]
    );
}

#[test]
fn the_base_explains_itself() {
    let PullRequest { repository, base, head, .. } = pull_request();
    let event = json!({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}});
    let ran =
        repository.run(&["list", "--diff", "auto", "--explain"], &refs(&repository.github("pull_request", &event)), "");
    let said = without_ids(&ran.stdout);
    assert_eq!(
        said,
        "the base is named by GitHub pull_request\n\
         GITHUB_EVENT_NAME=pull_request\n\
         pull_request.head.sha=<id>\n\
         pull_request.base.sha=<id>\n\
         HEAD is <id>\n\
         what the pull request is merged into is <id>\n\
         the merge base is <id>\n\
         decision: what differs from <id>, the merge base with what the pull request is merged into is scanned\n"
    );
    let ran = repository.run(&["list", "--explain"], &[], "");
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (2, "error: --explain needs a PATH, or --diff to say how its base is found\n")
    );
}

#[test]
fn what_git_tracks_is_taken_without_a_walk() {
    let repository = Repository::with_files();
    repository.write(".gitignore", "hidden/\n");
    repository.write("hidden/Dockerfile", BAD_DOCKERFILE);
    repository.git(&["add", "-f", "hidden/Dockerfile"]);
    repository.write("untracked/Dockerfile", BAD_DOCKERFILE);
    std::fs::remove_file(repository.path().join("b/Dockerfile")).expect("a file");
    let list = |args: &[&str]| listed(&repository.run(&[&["list", "-o", "json"], args].concat(), &[], "").json()).0;
    assert_eq!(list(&["--tracked"]), ["a/Dockerfile", "config.yaml", "hidden/Dockerfile"]);
    assert_eq!(list(&["--tracked", "--exclude", "a", "hidden", "a"]), ["hidden/Dockerfile"]);
    let explained = |path: &str| repository.run(&["list", "--tracked", "--explain", path], &[], "").stdout;
    assert!(explained("hidden/Dockerfile").ends_with("decision: taken as dockerfile\n"));
    assert!(explained("untracked/Dockerfile").ends_with("git does not track it\ndecision: not taken\n"));
    let bare = common::Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = common::run(bare.path(), &["list", "--tracked"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "\n0 files: 0 to send, 0 not scanned; 0 skipped, 0 directories not searched\n")
    );
    let none = tempfile::tempdir().expect("a directory");
    let ran = common::run(none.path(), &["list", "--tracked"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: --tracked needs a git work tree"), "{}", ran.stderr);
}
