//! Discovery, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{BAD_DOCKERFILE, Finished, Repo, clean_manifest, run};
use serde_json::Value;

fn listed(repo: &Repo, args: &[&str]) -> (Vec<String>, Vec<String>) {
    let ran = run(repo.path(), &[&["list", "-o", "json"], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let result = ran.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = |name: &str, what: &str| -> Vec<String> {
        let rows = result[name].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| format!("{} {}", text(&row["path"]), text(&row[what]))).collect()
    };
    (rows("files", "state"), rows("skipped", "reason"))
}

fn git(repo: &Repo, args: &[&str]) {
    let status = std::process::Command::new("git").args(args).current_dir(repo.path()).output().map(|output| output.status);
    assert!(status.is_ok_and(|status| status.success()), "git {args:?}");
}

#[test]
#[cfg(unix)]
fn links_and_special_files_end_in_a_stated_place() {
    use std::os::unix::fs::symlink;
    let repo = Repo::new().file("a/Dockerfile", BAD_DOCKERFILE).file("b/x.yaml", &clean_manifest(1));
    let at = |path: &str| repo.path().join(path);
    symlink("a/Dockerfile", at("Dockerfile")).expect("a link in the tree");
    symlink("/etc/hostname", at("out.yaml")).expect("a link out of the tree");
    symlink("nowhere", at("gone.yaml")).expect("a link to nothing");
    symlink("../..", at("b/loop.yml")).expect("a link above the root");
    symlink(".", at("a/self.yaml")).expect("a loop");
    symlink("b", at("folder")).expect("a link to a directory");
    let fifo = std::process::Command::new("mkfifo").arg(at("pipe.yaml")).status();
    assert!(fifo.is_ok_and(|status| status.success()));
    let (files, skipped) = listed(&repo, &[]);
    assert_eq!(
        files,
        [
            "a/Dockerfile would_send",
            "b/loop.yml not_scanned",
            "b/x.yaml would_send",
            "out.yaml not_scanned",
            "pipe.yaml not_scanned"
        ]
    );
    assert_eq!(skipped, ["Dockerfile link", "a/self.yaml link", "gone.yaml broken_link"]);
}

#[test]
#[cfg(unix)]
fn no_typed_path_leads_through_a_link() {
    use std::os::unix::fs::symlink;
    let elsewhere = Repo::new().file("o.yaml", &clean_manifest(1)).file("sub/p.yaml", &clean_manifest(2));
    let plain = tempfile::tempdir().expect("a directory outside any repository");
    std::fs::write(plain.path().join("o.yaml"), clean_manifest(3)).expect("a file");
    let repo = Repo::new().file("a/x.yaml", &clean_manifest(1));
    symlink(elsewhere.path(), repo.path().join("outl")).expect("a link to another repository");
    symlink(plain.path(), repo.path().join("plain")).expect("a link to a directory");
    symlink("a", repo.path().join("inl")).expect("a link in the tree");
    for (typed, link) in [
        ("outl/o.yaml", "outl"),
        ("plain/o.yaml", "plain"),
        ("outl/nothing.yaml", "outl"),
        ("outl/sub", "outl"),
        ("./outl/../outl/sub/p.yaml", "outl"),
        ("outl/*.yaml", "outl"),
        ("outl/**", "outl"),
        ("inl/x.yaml", "inl"),
        ("inl/*", "inl"),
    ] {
        let ran = run(repo.path(), &["list", typed]);
        let expected = format!(
            "error: {typed}: {link} is a link, and no link of the tree is followed; name the file or directory itself\n"
        );
        assert_eq!((ran.code, ran.stderr, ran.stdout), (2, expected, String::new()), "{typed}");
    }
    let ran = run(repo.path(), &["list", "outl/"]);
    assert_eq!(ran.stderr, "error: outl/: a link to a directory is not followed; name the directory itself\n");
    assert_eq!(ran.code, 2);

    let result = run(repo.path(), &["list", "-o", "json", "out?/*.yaml", "[ap]*/*.yaml"]).json();
    assert_eq!(
        result["notes"],
        serde_json::json!([
            "outl is a link to a directory and not followed: a pattern that leads through it finds nothing there",
            "plain is a link to a directory and not followed: a pattern that leads through it finds nothing there",
            "the path out?/*.yaml matches no Dockerfile and no manifest"
        ])
    );
    assert_eq!(result["counts"]["would_send"], 1);

    // A way to the tree may lead over links: the user said where it is.
    let ways = tempfile::tempdir().expect("a directory outside any repository");
    symlink(elsewhere.path(), ways.path().join("way")).expect("a link to a repository");
    let way = ways.path().join("way/sub");
    assert_eq!(listed(&repo, &[way.to_str().expect("UTF-8")]).0, ["sub/p.yaml would_send"]);
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf_8_are_shown_and_kept() {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = Repo::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff.yaml");
    std::fs::write(repo.path().join(name), clean_manifest(1)).expect("a file");
    let result = run(repo.path(), &["list", "-o", "json"]).json();
    assert_eq!((&result["files"][0]["path"], &result["files"][0]["path_raw"]), (&r"\xFF.yaml".into(), &"/y55YW1s".into()));
}

#[test]
fn too_large_is_ours_and_not_scanned() {
    let padded = format!("{}# {}\n", clean_manifest(1), "x".repeat(1_000_000));
    let repo = Repo::new().file("big.yaml", &padded).file("big.txt", &padded).file("values.yaml", &"a: 1\n".repeat(300_000));
    assert_eq!(listed(&repo, &[]), (vec!["big.yaml not_scanned".to_owned()], vec![]));
    let ran = run(repo.path(), &["scan", "-q", "--emulator"]);
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn ignored_is_not_taken_unless_git_tracks_it() {
    let repo = Repo::new()
        .file(".gitignore", "*.gen.yaml\n!keep.gen.yaml\nout/\n")
        .file("a.gen.yaml", &clean_manifest(1))
        .file("keep.gen.yaml", &clean_manifest(2))
        .file("tracked.gen.yaml", &clean_manifest(3))
        .file("out/x.yaml", &clean_manifest(4))
        .file("out/tracked.yaml", &clean_manifest(5));
    git(&repo, &["init", "-q", "."]);
    git(&repo, &["add", "-f", "tracked.gen.yaml", "out/tracked.yaml"]);
    let files =
        ["keep.gen.yaml would_send", "out/tracked.yaml would_send", "tracked.gen.yaml would_send"].map(str::to_owned);
    assert_eq!(listed(&repo, &[]), (files.to_vec(), vec!["a.gen.yaml ignored".to_owned()]));
    let (files, skipped) = listed(&repo, &["--no-ignore"]);
    assert_eq!((files.len(), skipped.len()), (5, 0));
    let (files, skipped) = listed(&repo, &["--include", "out/*.yaml"]);
    assert_eq!(files, ["out/tracked.yaml would_send", "out/x.yaml would_send"]);
    assert_eq!(skipped, ["a.gen.yaml", "keep.gen.yaml", "tracked.gen.yaml"].map(|path| format!("{path} not_included")));
}

#[test]
fn what_decides_in_order() {
    let repo = Repo::new()
        .file("a/Dockerfile", BAD_DOCKERFILE)
        .file("b/Dockerfile", BAD_DOCKERFILE)
        .file("c/build.docker", BAD_DOCKERFILE);
    let files = |args: &[&str]| listed(&repo, args).0;
    assert_eq!(files(&["--exclude", "a"]), ["b/Dockerfile would_send"]);
    assert_eq!(files(&["--include", "a/**", "--exclude", "a/Dockerfile"]), Vec::<String>::new());
    assert_eq!(files(&["--exclude", "a", "a/Dockerfile"]), ["a/Dockerfile would_send"]);
    assert_eq!(files(&["--map", "**/*.docker=dockerfile", "c"]), ["c/build.docker would_send"]);
    assert_eq!(files(&["c/build.docker"]), ["c/build.docker would_send"], "a named file may be taken by its content");
    assert_eq!(files(&["[ab]/*"]), ["a/Dockerfile would_send", "b/Dockerfile would_send"]);
    let refused = |args: &[&str]| -> Finished { run(repo.path(), &[&["list"], args].concat()) };
    let repo_text = repo.path().join("notes.txt");
    std::fs::write(repo_text, "hello").expect("a file");
    let ran = refused(&["notes.txt"]);
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.stderr,
        "error: notes.txt can't be taken: its name is not one of a Dockerfile or a YAML file; to have it scanned nevertheless, say what it \
         is with --map 'notes.txt=dockerfile' or --map 'notes.txt=k8s_yaml'\n"
    );
    assert_eq!(refused(&["--exclude", "{a,b}"]).code, 2);
}

#[test]
fn explain_ends_in_the_decision() {
    let repo = Repo::new()
        .file("Dockerfile", BAD_DOCKERFILE)
        .file(
            "kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\nmetadata: {}\n",
        )
        .file(".gitignore", "hidden/\nkept.yaml\n")
        .file("kept.yaml", &clean_manifest(2))
        .file("hidden/x.yaml", &clean_manifest(1));
    let last = |args: &[&str]| {
        let ran = run(repo.path(), &[&["list"], args].concat());
        ran.stdout.lines().last().unwrap_or_default().to_owned()
    };
    assert_eq!(last(&["--explain", "Dockerfile"]), "decision: taken as dockerfile");
    assert_eq!(last(&["--explain", "./kustomization.yaml"]), "decision: skipped: tool_config");
    assert_eq!(last(&["--explain", "kept.yaml"]), "decision: skipped: ignored");
    assert_eq!(last(&["--explain", "hidden/x.yaml"]), "decision: not taken");
    assert_eq!(last(&["--include", "**/x.yaml", "--explain", "hidden/x.yaml"]), "decision: not taken");
    assert_eq!(last(&["--include", "hidden/**", "--explain", "hidden/x.yaml"]), "decision: taken as k8s_yaml");
    assert_eq!(last(&["--exclude", "Dockerfile", "--explain", "Dockerfile"]), "decision: skipped: excluded");
    assert_eq!(last(&["--explain", "nothing"]), "decision: not taken");
}

#[test]
fn an_index_that_cannot_be_read_makes_the_run_partial() {
    let repo = Repo::new()
        .file(".gitignore", "*.gen.yaml\n")
        .file("a.gen.yaml", &clean_manifest(1))
        .file("b.yaml", &clean_manifest(2));
    std::fs::write(repo.path().join(".git/index"), "not an index").expect("a file");
    let ran = run(repo.path(), &["scan", "-q", "--emulator", "-o", "json"]);
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    let result = ran.json();
    assert_eq!(result["complete"], false);
    assert_eq!(result["verdict"]["status"], "partial");
    let reasons = serde_json::json!(["1 git index could not be read: which ignored files git tracks is not known"]);
    assert_eq!(result["verdict"]["reasons"], reasons);
    // Where nothing is ignored, nobody asks what is tracked.
    assert_eq!(run(repo.path(), &["scan", "-q", "--emulator", "--no-ignore"]).code, 0);
}

#[test]
fn only_the_users_own_global_excludes_count() {
    let home = Repo::new()
        .file(".config/git/ignore", "/top.yaml\nboth.yaml\n")
        .file("elsewhere", "*\n")
        .file("ours", "/named.yaml\n");
    let repo =
        Repo::new().file(".git/config", &format!("[core]\n\texcludesFile = {}\n", home.path().join("elsewhere").display()));
    let repo = ["top.yaml", "sub/top.yaml", "both.yaml", "sub/both.yaml", "named.yaml"]
        .into_iter()
        .fold(repo, |repo, path| repo.file(path, &clean_manifest(1)));
    let taken = |home: &Repo| {
        let mut command = common::hss_iac(&repo.path().join("sub"));
        let output = command.args(["list", "-o", "json", ".."]).env("HOME", home.path()).output().expect("the binary runs");
        let files = Finished::from(output).json()["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| file["path"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(taken(&home), ["named.yaml", "sub/top.yaml"]);
    let config = format!("[core]\n\texcludesfile = {}\n", home.path().join("ours").display());
    let home = home.file(".gitconfig", &config);
    assert_eq!(taken(&home), ["both.yaml", "sub/both.yaml", "sub/top.yaml", "top.yaml"]);
}

#[test]
fn a_secret_that_cannot_be_masked_is_not_sent() {
    let repo = Repo::new()
        .file("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: &x # note\n  \"hunter2\"}\n")
        .file("b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData:\n  p: hunter2\nx: {\n");
    let result = run(repo.path(), &["list", "-o", "json"]).json();
    let said = |n: usize| (&result["files"][n]["state"], &result["files"][n]["masked"]);
    assert_eq!(said(0), (&"would_send".into(), &1.into()));
    assert_eq!(said(1), (&"not_scanned".into(), &0.into()));
    let reason = result["files"][1]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("what may be a Secret in it is no YAML that can be read"), "{reason}");
    let sent = run(repo.path(), &["list", "-o", "json", "--mask-secrets", "off"]).json();
    assert_eq!(sent["counts"]["would_send"], 2);
}
