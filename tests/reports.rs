//! Reports for people, through the binary.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/samples.rs"]
#[allow(dead_code, reason = "one sample is enough")]
mod samples;

use std::process::{Command, Stdio};

use common::{BAD_DOCKERFILE, Repo, hss_iac, quick, run, scan, start};

const OPENING: &str = "The stand-in answered in place of HSS";

#[test]
fn every_report_of_a_stand_in_opens_by_saying_so_and_is_written_whole() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let formats = ["table", "markdown", "github", "github-summary"];
    let outputs: Vec<String> =
        formats.iter().flat_map(|format| ["-o".to_owned(), format!("{format}=out.{format}")]).collect();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let ran = scan(repo.path(), &emulator, &outputs);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for format in formats {
        let text = std::fs::read_to_string(repo.path().join(format!("out.{format}"))).expect("a report");
        let opening: String = text.lines().take(2).collect();
        assert!(opening.contains(OPENING), "{format}: {text}");
        assert!(text.contains("FAIL") && text.contains("exit 1") || text.contains("Exit 1"), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}: {text}");
    }
    let left: Vec<_> =
        std::fs::read_dir(repo.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 6, "no part of a report is left behind: {left:?}");
}

#[test]
fn links_are_for_terminals_that_take_them_and_never_without_styles() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let table = |color: &str, env: &[(&str, &str)]| {
        let mut command = hss_iac(repo.path());
        let ran = command.args(["scan", "-q", "--emulator", "--color", color]).envs(env.iter().copied()).output();
        String::from_utf8(ran.expect("the binary runs").stdout).expect("text")
    };
    let link = "\u{1b}]8;;file:///";
    assert!(table("always", &[("FORCE_HYPERLINK", "1")]).contains(link));
    let styled = table("always", &[]);
    assert!(styled.contains("\u{1b}[") && !styled.contains(link), "stdout is no terminal");
    assert!(!table("never", &[("FORCE_HYPERLINK", "1")]).contains('\u{1b}'));
}

#[test]
fn list_has_a_table_and_json_only() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let ran = run(repo.path(), &["list", "-o", "markdown"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("[possible values: table, json]"), "{}", ran.stderr);
}

/// A report to what is no regular file goes through it: a device or a pipe must stay what it is, behind a link too.
#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let out = tempfile::tempdir().expect("a directory");
    let at = |name: &str| out.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe")).status().expect("mkfifo").success());
    std::os::unix::fs::symlink("/dev/zero", at("sink")).expect("a link");
    std::os::unix::fs::symlink("pipe", at("link")).expect("a link");
    let mut reader = Command::new("cat").arg(at("pipe")).stdout(Stdio::piped()).spawn().expect("cat");
    let mut command = hss_iac(repo.path());
    command.args(["scan", "-q", "--emulator", "-o"]).arg(format!("json={}", at("link").display()));
    let ran = command.arg("-o").arg(format!("html={}", at("sink").display())).output().expect("the binary runs");
    let kind = |name: &str| std::fs::symlink_metadata(at(name)).expect("it is there").file_type();
    let kinds = (kind("pipe").is_fifo(), kind("link").is_symlink(), kind("sink").is_symlink());
    if kinds != (true, true, true) {
        reader.kill().expect("it ends");
    }
    let read = reader.wait_with_output().expect("it ends").stdout;
    assert_eq!(kinds, (true, true, true), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(1));
    let read: serde_json::Value = serde_json::from_slice(&read).expect("the whole report");
    assert_eq!(read["verdict"]["exit_code"], 1);
}

/// The file descriptors of a shell are links too, to a pipe or to a file that another program holds open.
#[cfg(target_os = "linux")]
#[test]
fn a_report_goes_to_a_file_descriptor() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let out = tempfile::NamedTempFile::new().expect("a file");
    let mut command = hss_iac(repo.path());
    command.args(["scan", "-q", "--emulator", "-o", "json=/dev/stderr"]);
    let status = command.stderr(out.reopen().expect("the file")).stdout(Stdio::null()).status().expect("the binary runs");
    assert_eq!(status.code(), Some(1));
    assert!(std::fs::symlink_metadata("/dev/stderr").expect("it is there").is_symlink());
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(out.path()).expect("text")).expect("JSON");
    assert_eq!(written["verdict"]["exit_code"], 1);
}

/// All that runs in a step of GitHub adds to one summary.
#[test]
fn a_summary_is_added_to_what_is_there_and_stays_below_what_github_takes() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let path = repo.path().join("summary.md");
    let args = ["scan", "-q", "--emulator", "-o", "github-summary=summary.md"];
    let read = || std::fs::read_to_string(&path).expect("a summary");
    run(repo.path(), &args);
    let alone = read();
    std::fs::write(&path, "# Of another tool").expect("a summary");
    run(repo.path(), &args);
    assert_eq!(read(), format!("# Of another tool\n{alone}"));
    std::fs::write(&path, "x".repeat(1024 * 1024 - 100)).expect("a summary");
    let ran = run(repo.path(), &args);
    assert!(read().ends_with('x'), "a longer one would be dropped whole");
    let said = "the github-summary report leaves out all: 1048476 of 1048576 bytes are taken\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (1, said));
}

/// Whatever the order typed: a report that failed stands in the JSON file, on stdout and in the exit code.
#[test]
fn the_json_file_holds_the_verdict_of_the_whole_run() {
    let repo = Repo::new().many(1);
    let args =
        ["scan", "-q", "--emulator", "-o", "json=x.json", "-o", "html=/no/such/directory/page", "-o", "sarif=x.sarif"];
    let ran = run(repo.path(), &args);
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    assert!(ran.stdout.contains("ERROR (exit 8"), "{}", ran.stdout);
    let result: serde_json::Value =
        serde_json::from_slice(&std::fs::read(repo.path().join("x.json")).expect("a result")).expect("JSON");
    assert_eq!((&result["verdict"]["status"], &result["verdict"]["exit_code"]), (&"error".into(), &8.into()));
    assert_eq!(run(repo.path(), &["render", "x.json"]).stdout, ran.stdout);
}

/// The other way round: no report that was written tells of a run whose JSON file could not be.
#[test]
fn a_json_file_that_can_not_be_written_stands_in_every_report() {
    let repo = Repo::new().many(1);
    let lost = ["/no/such/directory/x.json", "/no/such/directory/x.sarif"];
    let json = format!("json={}", lost[0]);
    let sarif = format!("sarif={}", lost[1]);
    let args = ["scan", "-q", "--emulator", "-o", "markdown=x.md", "-o", "table=x.txt", "-o", &json, "-o", &sarif];
    let ran = run(repo.path(), &args);
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    for report in ["x.md", "x.txt"] {
        let text = std::fs::read_to_string(repo.path().join(report)).expect("a report");
        assert!(text.contains("ERROR") && text.contains("exit 8"), "{report}: {text}");
        assert!(lost.iter().all(|path| text.contains(path)), "both faults stand in {report}: {text}");
    }
    let names = std::fs::read_dir(repo.path()).expect("a directory").flatten().map(|entry| entry.file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().ends_with(".tmp")).count(), 0, "no part is left behind");
}

/// The disk takes the empty file with which a run tries whether it can write, and of the result nothing.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_by_then_costs_the_json_file_alone() {
    let repo = Repo::new().many(12);
    let script = r#"trap '' XFSZ; ulimit -f 1; exec "$0" scan --emulator -o json=x.json -o table"#;
    let program = hss_iac(repo.path()).get_program().to_owned();
    let ran: common::Finished = Command::new("bash")
        .args(["-c", script])
        .arg(program)
        .current_dir(repo.path())
        .env_clear()
        .output()
        .expect("bash")
        .into();
    let (kept, lost) =
        ("the result can't be kept in x.json while the run goes on", "the json report could not be written to x.json");
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches(kept).count(), 1, "said once: {}", ran.stderr);
    assert!(ran.stdout.contains(lost) && ran.stdout.contains("24 files"), "{}", ran.stdout);
    let left: Vec<_> =
        std::fs::read_dir(repo.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("x.json")), "{left:?}");
}

/// One of two reports would be lost, and nothing say so.
#[cfg(unix)]
#[test]
fn two_reports_in_one_file_are_refused_however_it_is_spelled() {
    let repo = Repo::new().many(1).file("d/old.json", "old").file("d/result.json", "old");
    std::os::unix::fs::symlink("d", repo.path().join("link")).expect("a link");
    std::os::unix::fs::symlink("d/old.json", repo.path().join("old.json")).expect("a link");
    let whole = repo.path().join("a.json");
    let whole = whole.to_str().expect("UTF-8");
    let pairs = [
        ("a.json", "./a.json"),
        ("a.json", "d/../a.json"),
        ("a.json", whole),
        ("d/a.json", "link/a.json"),
        ("d/old.json", "old.json"),
    ];
    for (one, other) in pairs {
        let outputs = [format!("json={one}"), format!("sarif={other}")];
        let ran = run(repo.path(), &["scan", "-q", "--emulator", "-o", &outputs[0], "-o", &outputs[1]]);
        let text = format!("error: two reports go to {other}: give one of them a file with --output FORMAT=PATH\n");
        assert_eq!((ran.code, ran.stderr), (2, text));
    }
    let result = run(repo.path(), &["scan", "-q", "--emulator", "-o", "json"]).stdout;
    std::fs::write(repo.path().join("d/result.json"), &result).expect("a result");
    for output in ["html=d/result.json", "json=./d/../link/result.json"] {
        let ran = run(repo.path(), &["render", "d/result.json", "-o", output]);
        let path = output.split_once('=').expect("a path").1;
        let text = format!("error: a report goes to {path}, which is the result to read: give it another file\n");
        assert_eq!((ran.code, ran.stderr), (2, text));
    }
    assert_eq!(std::fs::read_to_string(repo.path().join("d/result.json")).expect("a result"), result);
    let free = run(repo.path(), &["render", "d/result.json", "-o", "json=d/a.json", "-o", "json=a.json"]);
    assert_eq!((free.code, free.stderr.as_str()), (0, ""));
}

/// A report that is not all there is says so where the run is watched, too.
#[test]
fn what_a_report_leaves_out_is_said_on_stderr() {
    let repo = Repo::new();
    std::fs::write(repo.path().join("in.json"), samples::many(30_000).to_string()).expect("a result");
    let outputs = ["sarif", "markdown", "github", "github-summary"];
    let mut command = hss_iac(repo.path());
    command.args(["render", "in.json", "-o", "table=out.table"]);
    for format in outputs {
        command.arg("-o").arg(format!("{format}=out.{format}"));
    }
    let ran = command.output().expect("the binary runs");
    let stderr = String::from_utf8(ran.stderr).expect("text");
    let said: Vec<&str> = stderr.lines().collect();
    let number = |line: &str| line.split(' ').find_map(|word| word.parse::<usize>().ok()).expect("a number");
    let inside = |format: &str, end: &str| {
        let text = std::fs::read_to_string(repo.path().join(format!("out.{format}"))).expect("a report");
        text.lines().filter_map(|line| line.strip_suffix(end)?.parse::<usize>().ok()).sum::<usize>()
    };
    assert_eq!(said.len(), 4, "{stderr}");
    assert_eq!(said[0], "the sarif report leaves out 5000 findings");
    assert_eq!(said[1], format!("the markdown report leaves out {} rows", inside("markdown", " more not shown.")));
    assert_eq!(said[2], format!("the github report leaves out {} annotations", 30_000 - 3 * 9));
    assert_eq!(number(said[3]), inside("github-summary", " more not shown."));
}

#[test]
fn auto_writes_where_the_platform_looks() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let out = tempfile::tempdir().expect("a directory");
    let run = |env: &[(&str, &std::path::Path)], set: &str| {
        let emulator = start(quick());
        let mut command = common::hss_iac(repo.path());
        common::connect(&mut command, &emulator)
            .env(set, "true")
            .envs(env.iter().copied())
            .args(["scan", "-q", "-o", "auto"]);
        let ran: common::Finished = command.output().expect("the binary runs").into();
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        ran.stdout
    };
    let (summary, outputs) = (out.path().join("summary"), out.path().join("outputs"));
    std::fs::write(&summary, "of another step\n").expect("a summary");
    std::fs::write(&outputs, "other=1\n").expect("outputs");
    let said = run(&[("GITHUB_STEP_SUMMARY", &summary), ("GITHUB_OUTPUT", &outputs)], "GITHUB_ACTIONS");
    assert!(said.contains("::error file=Dockerfile,line=4"), "{said}");
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(summary.starts_with("of another step\n") && summary.contains("### hss-iac: FAIL"), "{summary}");
    let outputs = std::fs::read_to_string(outputs).expect("outputs");
    let lines: Vec<&str> = outputs.lines().collect();
    let fixed = "other=1\nverdict=fail\nexit-code=1\nfindings-high=2\nfindings-medium=2\nfindings-low=1\nfindings-tips=0\nnew-findings=5\n\
                 files-scanned=1\nfiles-not-scanned=0";
    assert_eq!(lines[..10].join("\n"), fixed);
    let delimiter = lines[10].strip_prefix("task-ids<<").expect("task ids");
    assert_eq!((delimiter.len(), lines.len(), lines[12]), (77, 13, delimiter));

    assert!(run(&[], "GITLAB_CI").contains("FAIL (exit 1"));
    let mut there: Vec<String> = std::fs::read_dir(repo.path())
        .expect("files")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    assert_eq!(there, [".git", "Dockerfile", "gl-code-quality-report.json", "gl-sast-report.json", "junit.xml"]);
    assert!(run(&[], "ANYWHERE").contains("FAIL (exit 1"));
}
