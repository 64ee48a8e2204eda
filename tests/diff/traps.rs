//! What would have a change pass that brings a finding.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::json;

use crate::common::{self, BAD_DOCKERFILE, Finished, quick, scan_command, start};
use crate::repository::{Repository, git, listed};

const ZEROS: &str = "0000000000000000000000000000000000000000";
const LAX: &str = "fail-on = \"never\"\n";

fn scan(repository: &Repository, args: &[&str]) -> Finished {
    let emulator = start(quick());
    let mut command = scan_command(repository.path(), &emulator, args);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().expect("it runs").into()
}

/// One commit with a clean Dockerfile, and a bad one that is not committed yet.
fn with_a_finding() -> Repository {
    let repository = Repository::new();
    repository.write("Dockerfile", &common::clean_dockerfile(1));
    repository.commit("first");
    repository.write("Dockerfile", BAD_DOCKERFILE);
    repository
}

#[test]
fn a_commit_with_an_index_of_its_own() {
    let repository = Repository::with_files();
    let listing = repository.beside("listing.json");
    let hook = repository.path().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().expect("a parent")).expect("a directory");
    let text =
        format!("#!/bin/sh\nexec {} list --diff staged -o json > {}\n", env!("CARGO_BIN_EXE_hss-iac"), listing.display());
    std::fs::write(&hook, text).expect("a hook");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let sent = |args: &[&str]| {
        repository.git(args);
        let text = std::fs::read_to_string(&listing).expect("the hook ran");
        listed(&serde_json::from_str(&text).expect("JSON")).0
    };
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    assert_eq!(sent(&["commit", "-q", "-m", "one file", "a/Dockerfile"]), ["a/Dockerfile"]);
    assert_eq!(sent(&["commit", "-q", "-a", "-m", "all files"]), ["b/Dockerfile"]);
}

#[test]
fn a_configuration_that_is_nowhere_is_no_empty_one() {
    let repository = with_a_finding();
    for flag in ["--config", "--baseline"] {
        let ran = scan(&repository, &["--diff", "HEAD", flag, "typo.toml"]);
        assert_eq!(ran.code, 2, "{flag}: {}", ran.stderr);
        let outside = repository.beside("typo.toml");
        let ran = scan(&repository, &["--diff", "HEAD", flag, outside.to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 2, "{flag}: {}", ran.stderr);
    }
    // One that the change brings in says nothing yet.
    repository.write("ci.toml", LAX);
    let ran = scan(&repository, &["--diff", "HEAD", "--config", "ci.toml"]);
    assert_eq!((ran.code, &ran.json()["policy_changes"][0]), (1, &json!("ci.toml sets fail-on to \"never\"")));
}

#[test]
fn a_link_of_the_change_leads_to_no_other_configuration() {
    let repository = Repository::new();
    repository.write("Dockerfile", &common::clean_dockerfile(1));
    repository.write("ci/rules.toml", "fail-on = \"medium\"\n");
    repository.write("examples/rules.toml", LAX);
    repository.commit("first");
    repository.write("Dockerfile", BAD_DOCKERFILE);
    std::fs::remove_dir_all(repository.path().join("ci")).expect("it goes");
    symlink("examples", repository.path().join("ci")).expect("a link");
    let ran = scan(&repository, &["--diff", "HEAD", "--config", "ci/rules.toml"]);
    assert_eq!((ran.code, &ran.json()["policy"]["fail_on"]), (1, &json!("medium")), "{}", ran.stderr);
    // Nor does one of the base that is not followed leave the usual rules in force.
    repository.commit("with the link");
    let ran = scan(&repository, &["--diff", "HEAD", "--config", "ci/rules.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("link"), "{}", ran.stderr);
}

#[test]
fn a_configuration_that_can_not_be_read_at_the_base_says_which_is_meant() {
    let repository = Repository::new();
    repository.write("hss-iac.toml", "nonsense = true\n");
    repository.write("Dockerfile", BAD_DOCKERFILE);
    repository.commit("first");
    repository.write("hss-iac.toml", "");
    let ran = scan(&repository, &["--diff", "HEAD"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("at the base") && ran.stderr.contains("--policy-from head"), "{}", ran.stderr);
}

/// Makes a directory of plain files that git takes for a repository, with a commit of everything in `repository`.
fn bare_repository(repository: &Repository, at: &str) {
    let at = repository.path().join(at);
    let url = repository.path().display().to_string();
    git(repository.path(), &["clone", "-q", "--bare", &url, at.to_str().expect("UTF-8")]);
}

#[test]
fn files_that_look_like_a_repository_are_none() {
    // Nobody's repository: the unpacked files of a change.
    let repository = with_a_finding();
    repository.commit("bad");
    bare_repository(&repository, "bare");
    let bare = repository.path().join("bare");
    let unpacked = repository.beside("unpacked");
    std::fs::rename(&bare, &unpacked).expect("it moves");
    std::fs::write(unpacked.join("Dockerfile"), BAD_DOCKERFILE).expect("a file");
    let mut command = common::hss_iac(&unpacked);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(["list", "--diff", "HEAD", "-o", "json"]);
    let ran: Finished = command.output().expect("it runs").into();
    let (files, notes) = listed(&ran.json());
    assert_eq!((files, notes.len()), (vec!["Dockerfile".to_owned()], 1));
    assert!(notes[0].starts_with("all is scanned, not only what changed: "), "{notes:?}");

    // In place of a submodule: it says itself what was there before.
    let inner = with_a_finding();
    inner.commit("bad");
    let outer = Repository::with_files();
    outer.git(&["submodule", "add", "-q", &format!("file://{}", inner.path().display()), "inner"]);
    outer.commit("with a submodule");
    std::fs::remove_dir_all(outer.path().join("inner")).expect("it goes");
    git(inner.path(), &["clone", "-q", "--bare", ".", outer.path().join("inner").to_str().expect("UTF-8")]);
    outer.write("inner/Dockerfile", BAD_DOCKERFILE);
    assert_eq!(outer.list("HEAD", &[]).0, ["inner/Dockerfile"]);
}

#[test]
fn one_commit_that_is_pushed_to_two_branches() {
    let repository = Repository::with_files();
    let first = repository.head();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    let second = repository.commit("second");
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    let third = repository.commit("third");
    let to = |name: &str, id: &str| format!("refs/heads/x {third} {name} {id}\n");
    let push = |lines: &str| listed(&repository.run(&["list", "--diff", "pre-push", "-o", "json"], &[], lines).json());
    let (files, notes) = push(&format!("{}{}", to("refs/heads/x", &second), to("refs/heads/main", &first)));
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "config.yaml"]);
    assert_eq!(notes, ["all is scanned, not only what changed: several branches are pushed at once"]);
    let (files, _) = push(&format!("{}{}", to("refs/heads/x", &second), to("refs/tags/v1", ZEROS)));
    assert_eq!(files, ["b/Dockerfile"]);
}

#[test]
fn a_pipeline_whose_base_holds_the_commit_already() {
    let repository = Repository::with_files();
    let first = repository.head();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    let second = repository.commit("second");
    let event = json!({"pull_request": {"base": {"sha": second}, "head": {"sha": second}}});
    let env = repository.github("pull_request", &event);
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let all = ["a/Dockerfile", "b/Dockerfile", "config.yaml"];
    let note = "all is scanned, not only what changed: <id> (the base of the pull request) holds HEAD already, so nothing lies between";
    assert_eq!(repository.list("auto", &env), (all.map(str::to_owned).to_vec(), vec![note.to_owned()]));
    // The branch went back: the next best base is asked.
    repository.git(&["update-ref", "refs/remotes/origin/main", &first]);
    let pipeline = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", second.as_str()),
        ("CI_COMMIT_BRANCH", "feature"),
        ("CI_COMMIT_BEFORE_SHA", second.as_str()),
        ("CI_DEFAULT_BRANCH", "main"),
    ];
    assert_eq!(repository.list("auto", &pipeline).0, ["a/Dockerfile"]);
    let unnamed = [("GITLAB_CI", "true"), ("CI_MERGE_REQUEST_IID", "1"), ("CI_MERGE_REQUEST_DIFF_BASE_SHA", first.as_str())];
    let note = "all is scanned, not only what changed: the pipeline names no commit";
    assert_eq!(repository.list("auto", &unnamed), (all.map(str::to_owned).to_vec(), vec![note.to_owned()]));
}

#[test]
fn a_tree_made_by_hand_is_not_laid_out_elsewhere() {
    use std::io::Write as _;
    let repository = Repository::with_files();
    let first = repository.head();
    let outside = repository.beside("outside");
    std::fs::create_dir(&outside).expect("a directory");
    std::fs::write(repository.beside("target"), outside.to_str().expect("UTF-8")).expect("a file");
    let target = repository.git(&["hash-object", "-w", repository.beside("target").to_str().expect("UTF-8")]);
    let file = repository.git(&["rev-parse", "HEAD:a/Dockerfile"]);
    let make = |entries: &[(&str, &str, &str)]| {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend((0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).expect("hex")));
        }
        let at = repository.beside("tree");
        std::fs::File::create(&at).and_then(|mut file| file.write_all(&bytes)).expect("a file");
        repository.git(&["hash-object", "-w", "-t", "tree", "--literally", at.to_str().expect("UTF-8")])
    };
    let inner = make(&[("100644", "Dockerfile", &file), ("120000", "x.yaml", &target)]);
    let tree = make(&[("120000", "Dockerfile", &target), ("40000", "Dockerfile", &inner)]);
    let commit = repository.git(&["commit-tree", "-p", &first, "-m", "both", &tree]);
    let line = format!("refs/heads/x {commit} refs/heads/x {first}\n");
    let ran = repository.run(&["list", "--diff", "pre-push", "-o", "json"], &[], &line);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(std::fs::read_dir(&outside).expect("a directory").count(), 0);
}

#[test]
fn a_lone_carriage_return_is_no_line_end_to_a_builder() {
    let repository = Repository::new();
    let hidden = "FROM registry.example/base:1.2.3\nHEALTHCHECK CMD [\"/bin/check\"]\nUSER 10001\n# was\rUSER root\nCMD [\"/bin/serve\"]\n";
    repository.write("Dockerfile", hidden);
    repository.commit("first");
    repository.write("Dockerfile", &hidden.replace('\r', "\n"));
    let ran = scan(&repository, &["--diff", "HEAD", "--changed-only"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
}

#[test]
fn a_file_that_git_tracks_is_not_ignored() {
    let repository = Repository::with_files();
    repository.write(".gitignore", "c/\nd/\n");
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    repository.write("d/Dockerfile", BAD_DOCKERFILE);
    repository.git(&["add", "-f", "c/Dockerfile", ".gitignore"]);
    repository.git(&["commit", "-q", "-m", "second"]);
    assert_eq!(repository.list("HEAD~1", &[]).0, ["c/Dockerfile"]);
    repository.git(&["update-index", "--assume-unchanged", "a/Dockerfile"]);
    repository.git(&["update-index", "--skip-worktree", "b/Dockerfile"]);
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    assert_eq!(repository.list("HEAD", &[]).0, ["a/Dockerfile", "b/Dockerfile"]);
}

#[test]
fn grafts_and_replacements_do_not_move_the_base() {
    let repository = Repository::with_files();
    let first = repository.head();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    let second = repository.commit("second");
    repository.git(&["checkout", "-q", "-b", "main2", &first]);
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    let other = repository.commit("other");
    repository.git(&["checkout", "-q", "main"]);
    repository.write(".git/info/grafts", &format!("{other} {second}\n"));
    assert_eq!(repository.list("main2", &[]).0, ["a/Dockerfile"]);
    std::fs::remove_file(repository.path().join(".git/info/grafts")).expect("it goes");
    repository.git(&["replace", &first, &second]);
    assert_eq!(repository.list("main2", &[]).0, ["a/Dockerfile"]);
}

#[test]
fn builders_that_are_not_laid_out_are_no_change() {
    let repository = Repository::with_files();
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n";
    repository.write("k/Kustomization", kustomization);
    repository.write("chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    repository.write("chart/templates/_helpers.tpl", "{{- define \"a\" }}{{ end }}\n");
    repository.write("docs/templates/chart/templates/_helpers.tpl", "a\n");
    repository.write("docs/templates/chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    repository.commit("a chart");
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.git(&["add", "-A"]);
    let (files, notes) = repository.list("staged", &[]);
    assert_eq!(
        (files, notes),
        (vec!["a/Dockerfile".to_owned()], vec!["1 of 3 files changed since <id>, the last commit".to_owned()])
    );
    repository.write("chart/templates/_helpers.tpl", "b\n");
    repository.write("docs/templates/chart/templates/_helpers.tpl", "b\n");
    repository.git(&["add", "-A"]);
    let note =
        |at: &str| format!("the chart in {at} changed: what it builds may differ where no file does, and is not scanned");
    assert_eq!(repository.list("staged", &[]).1[..2], [note("chart"), note("docs/templates/chart")]);
    assert_eq!(repository.list("HEAD", &[]).1[..2], [note("chart"), note("docs/templates/chart")]);
}

#[test]
fn a_thousand_files_that_move_bring_their_lines_along() {
    let repository = Repository::new();
    for i in 0..60 {
        repository.write(&format!("old/s{i}/Dockerfile"), &format!("# {i}\n{BAD_DOCKERFILE}"));
    }
    repository.commit("first");
    repository.git(&["mv", "old", "new"]);
    let ran = scan(&repository, &["--diff", "HEAD", "--changed-only"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_pull_request_target_runs_on_the_branch_whose_alerts_it_would_close() {
    let repository = Repository::with_files();
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    repository.commit("second");
    for (event, is_written) in [("pull_request", true), ("pull_request_target", false)] {
        let emulator = start(quick());
        let sarif = repository.beside("sarif");
        let mut command = scan_command(repository.path(), &emulator, &["--diff", "HEAD~1", "-o"]);
        command.arg(format!("sarif={}", sarif.display())).env("GITHUB_EVENT_NAME", event);
        let ran: Finished =
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().expect("it runs").into();
        assert_eq!((ran.code, sarif.exists()), (1, is_written), "{event}: {}", ran.stderr);
        let _ = std::fs::remove_file(&sarif);
    }
}

#[test]
fn a_git_that_goes_by_its_own_name_is_run_by_it() {
    let repository = with_a_finding();
    let bin = repository.beside("bin");
    std::fs::create_dir(&bin).expect("a directory");
    // One program for many names, as snap and version managers have it.
    let many = repository.beside("many");
    let path = std::env::var("PATH").unwrap_or_default();
    let text = format!("#!/bin/sh\ncase \"$0\" in */git) PATH='{path}' exec git \"$@\" ;; esac\nexit 1\n");
    std::fs::write(&many, text).expect("a file");
    std::fs::set_permissions(&many, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    symlink(&many, bin.join("git")).expect("a link");
    let (files, notes) = repository.list("HEAD", &[("PATH", bin.to_str().expect("UTF-8"))]);
    assert_eq!((files.len(), notes.len()), (1, 1), "{notes:?}");
    assert!(notes[0].starts_with("1 of 1 file changed"), "{notes:?}");
}

#[test]
fn what_is_laid_out_goes_with_the_run() {
    let repository = Repository::with_files();
    let in_files = |texts: &[&str]| texts.iter().map(|text| repository.beside(text)).collect::<Vec<_>>();
    let [temporary, waiting] = &in_files(&["temporary", "waiting"])[..] else { panic!("two paths") };
    std::fs::create_dir(temporary).expect("a directory");
    // A git that takes its time over the contents.
    let bin = repository.beside("bin");
    std::fs::create_dir(&bin).expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let text = format!(
        "#!/bin/sh\nPATH='{path}'\ncase \"$*\" in *--batch*) touch {}; sleep 2 ;; esac\nexec git \"$@\"\n",
        waiting.display()
    );
    std::fs::write(bin.join("git"), text).expect("a file");
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut command = common::hss_iac(repository.path());
        command.args(["list", "--diff", "staged"]).env("PATH", &bin).env("TMPDIR", temporary);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("it starts");
        while !waiting.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(std::fs::read_dir(temporary).expect("a directory").count(), 1);
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert_eq!(std::fs::read_dir(temporary).expect("a directory").count(), 0);
        std::fs::remove_file(waiting).expect("it goes");
    }
}

#[test]
fn files_in_conflict_are_not_left_out() {
    let repository = Repository::with_files();
    repository.git(&["checkout", "-q", "-b", "feature"]);
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.commit("one side");
    repository.git(&["checkout", "-q", "main"]);
    repository.write("a/Dockerfile", &common::clean_dockerfile(9));
    repository.commit("the other");
    let merged = std::process::Command::new("git")
        .current_dir(repository.path())
        .args(["-c", "user.name=a", "-c", "user.email=a@example.test", "merge", "-q", "feature"])
        .output();
    assert!(merged.is_ok_and(|merged| !merged.status.success()));
    let (files, notes) = repository.list("staged", &[]);
    assert_eq!(files, ["a/Dockerfile", "b/Dockerfile", "config.yaml"]);
    assert_eq!(notes, ["all is scanned, not only what changed: the index holds conflicts, or can't be read"]);
}

#[test]
fn a_submodule_that_moves_is_named_where_it_is_not_scanned() {
    let inner = Repository::with_files();
    let outer = Repository::with_files();
    outer.git(&["submodule", "add", "-q", &format!("file://{}", inner.path().display()), "inner"]);
    outer.commit("with a submodule");
    let none = "0 of 3 files changed since <id>, the last commit".to_owned();
    assert_eq!(outer.list("staged", &[]), (Vec::new(), vec![none.clone()]));
    git(&outer.path().join("inner"), &["commit", "-q", "--allow-empty", "-m", "second"]);
    outer.git(&["add", "inner"]);
    let moved = "the submodule inner changed: what is in it is not scanned".to_owned();
    assert_eq!(outer.list("staged", &[]), (Vec::new(), vec![moved, none]));
}
