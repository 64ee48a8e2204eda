//! What people read: tables, help, and the README that goes with them.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;

use common::{Repo, project, run};

/// Stdout of a run in the project's directory, where the README's reader stands.
fn stdout(args: &[&str], code: i32) -> String {
    let ran = run(&project(), args);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn the_example_scanned() {
    let scan = |args: &[&str]| stdout(&[&["scan", "--emulator", "examples/shop"], args].concat(), 1);
    let plain = scan(&[]);
    insta::assert_snapshot!("scan", plain);
    assert_eq!(scan(&["--quiet", "--color", "never"]), plain, "a pipe is no terminal, and progress is no data");
    insta::assert_snapshot!("scan_verbose", scan(&["--verbose", "--color", "never"]));
    let color = scan(&["--color", "always"]);
    assert_eq!(anstream::adapter::strip_str(&color).to_string(), plain, "colour adds no word");
    insta::assert_snapshot!("scan_color", color.replace('\x1b', "␛"));
}

#[test]
fn the_example_listed() {
    insta::assert_snapshot!("list", stdout(&["list", "examples/shop"], 0));
    let explained = [
        "examples/shop/services/web/Dockerfile.dev",
        "examples/shop/deploy/base/web.yaml",
        "examples/shop/deploy/base/kustomization.yaml",
        "examples/shop/charts/reviews/templates/service.yaml",
        "examples/shop/charts/reviews/values.yaml",
        "examples/shop/compose.yaml",
        "examples/shop/services/cart/app.py",
        "examples/shop/nowhere",
    ];
    let explained = explained.map(|path| format!("$ list --explain {path}\n{}", stdout(&["list", "--explain", path], 0)));
    insta::assert_snapshot!("list_explain", explained.join("\n"));
}

const COMMANDS: [&str; 10] =
    ["scan", "list", "cluster-scan", "render", "baseline", "doctor", "init", "config", "schema", "emulator"];

#[test]
fn help() {
    insta::assert_snapshot!("help", stdout(&["--help"], 0));
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{}", command.replace('-', "_")), stdout(&[command, "--help"], 0));
    }
}

#[test]
#[cfg(unix)]
fn nothing_that_a_repository_holds_moves_the_cursor() {
    let repo = Repo::new()
        .file(
            "x\u{1b}[2J\ny\u{202e}\u{9b}/Dockerfile",
            "FROM debian:1\u{9b}31m\nENV DB_PASSWORD=hunter\u{1b}[31m\u{202e}two\u{7}\nUSER root\n",
        )
        .file(
            "z\u{7}.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"s\\e[1m\\nt\"\n  namespace: \"n\\u202e\"\nstringData: {a: b}\n",
        );
    std::os::unix::fs::symlink("/etc/hostname", repo.path().join("l\u{1b}]0;title\u{7}.yaml"))
        .expect("a link out of the tree");
    let both = |args: &[&str]| {
        let ran = run(repo.path(), args);
        format!("$ {}\n{}{}", args.join(" ").escape_debug(), ran.stderr, ran.stdout)
    };
    let shown = ["--color always", "--color never"].map(|color| {
        let color: Vec<&str> = color.split(' ').collect();
        let of = |args: &[&str]| both(&[args, &color].concat());
        let z = ["list", "--explain", "z\u{7}.yaml"];
        [of(&["list"]), of(&z), of(&["list", "nowhere\u{1b}[2J"]), of(&["scan", "--emulator"])].join("\n")
    });
    let [color, plain] = shown;
    insta::assert_snapshot!("control_characters", plain);
    let safe = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
    assert!(plain.chars().all(safe), "{plain:?}");
    let color = color.replace("--color always", "--color never");
    assert_eq!(anstream::adapter::strip_str(&color).to_string(), anstream::adapter::strip_str(&plain).to_string());

    let json = run(repo.path(), &["list", "-o", "json"]);
    assert!(json.stdout.chars().all(safe), "{}", json.stdout);
    assert_eq!(json.json()["files"][1]["path"], "x\u{1b}[2J\ny\u{202e}\u{9b}/Dockerfile");
}

/// The words of a text that are long flags.
fn flags(text: &str) -> BTreeSet<String> {
    let mark = |c: char| !(c.is_ascii_lowercase() || c == '-');
    text.split(mark).filter(|word| word.starts_with("--") && !word.ends_with('-')).map(str::to_owned).collect()
}

fn readme() -> String {
    std::fs::read_to_string(project().join("README.md")).expect("a README")
}

#[test]
fn the_readme_names_every_flag_and_no_other() {
    // A line that opens with a flag defines it; elsewhere help may speak of a flag.
    let opening =
        |help: String| help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(flags).collect::<Vec<_>>();
    let defined: BTreeSet<String> = COMMANDS.into_iter().flat_map(|name| opening(stdout(&[name, "--help"], 0))).collect();
    let said = flags(&readme());
    // The README has the short forms of the first two.
    let unsaid: Vec<_> = defined.difference(&said).collect();
    assert_eq!(unsaid, ["--quiet", "--verbose"], "flags that the README does not name");
    // Those of cargo, in commands that build, and one of pre-commit.
    let others = ["--git", "--hook-type", "--locked", "--no-default-features", "--path", "--release", "--tag"];
    assert_eq!(said.difference(&defined).collect::<Vec<_>>(), others, "flags that are not there");
}

#[test]
fn the_transcript_in_the_readme_is_one() {
    let ran = run(&project(), &["scan", "--emulator", "examples/shop"]);
    let said = format!("{}{}", ran.stderr, ran.stdout);
    let readme = readme();
    let transcript = readme.split("```\n").find(|block| block.starts_with("found ")).expect("a transcript");
    let mut lines = said.lines();
    for line in transcript.lines().filter(|line| !line.starts_with('[')) {
        assert!(lines.any(|printed| printed == line), "not printed, or not in this order: {line}");
    }
    let files = |text: &str| text.lines().filter(|line| line.starts_with("examples/") && !line.contains(' ')).count();
    let left_out = files(&said) - files(transcript);
    assert!(transcript.contains(&format!("[{left_out} more files with findings]")), "{left_out} files are left out");
}
