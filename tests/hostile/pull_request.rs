//! A pull request can't redirect credentials, weaken the gate unseen, mute itself silently, forge output, poison the cache, or make the
//! tool run a program.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{BAD_DOCKERFILE, Finished, Repo, clean_dockerfile, hss_iac, quick, scan_command, start};

/// A repository whose `main` is clean.
fn repository(base: &[(&str, &str)]) -> Repo {
    let mut repo = Repo::new();
    std::fs::remove_dir(repo.path().join(".git")).expect("it is empty");
    git(&repo, &["init", "-q", "-b", "main"]);
    repo = repo.file("Dockerfile", &clean_dockerfile(1));
    for (path, text) in base {
        repo = repo.file(path, text);
    }
    commit(&repo);
    git(&repo, &["checkout", "-q", "-b", "feature"]);
    repo
}

fn git(repo: &Repo, args: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(repo.path()).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let ran = git.args(["-c", "user.name=a", "-c", "user.email=a@example.test"]).args(args).output().expect("git runs");
    assert!(ran.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn commit(repo: &Repo) {
    git(repo, &["add", "-A"]);
    git(repo, &["commit", "-q", "-m", "a change"]);
}

fn scan(repo: &Repo, emulator: &hss_iac::emulator::Emulator, args: &[&str]) -> Finished {
    let mut command = scan_command(repo.path(), emulator, &[&["--diff", "main"], args].concat());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).output().expect("it runs").into()
}

#[test]
fn can_not_redirect_credentials() {
    let thief = TcpListener::bind("127.0.0.1:0").expect("it listens");
    thief.set_nonblocking(true).expect("it does not wait");
    let url = format!("http://{}", thief.local_addr().expect("an address"));
    for key in ["endpoint", "iam-endpoint", "ca-file", "region", "project-id", "access-key", "emulator"] {
        let emulator = start(quick());
        let repo = repository(&[]).file("hss-iac.toml", &format!("{key} = \"{url}\"\n"));
        commit(&repo);
        // Where nothing says what the base is, the file of the change itself is read.
        let ran: Finished = scan_command(repo.path(), &emulator, &[]).output().expect("it runs").into();
        let refused = format!("error: hss-iac.toml:1:1: {key} can't be set by a repository: ");
        assert!(ran.code == 2 && ran.stderr.starts_with(&refused), "{key}: {} {}", ran.code, ran.stderr);
        assert!(emulator.journal().is_empty(), "{key}");
    }
    // Nor do files count that other programs take settings from.
    let emulator = start(quick());
    let repo = repository(&[])
        .file(".env", &format!("HSS_IAC_ENDPOINT={url}\nHTTP_PROXY={url}\nHTTPS_PROXY={url}\nALL_PROXY={url}\n"))
        .file(".huaweicloud/credentials", "[default]\nak = a\nsk = b\n")
        .file(".gitconfig", &format!("[http]\n\tproxy = {url}\n"))
        .file("new/Dockerfile", &clean_dockerfile(2));
    commit(&repo);
    assert_eq!(scan(&repo, &emulator, &[]).code, 0);
    assert_eq!(emulator.files().len(), 1);
    assert!(thief.accept().is_err(), "nobody came");
}

#[test]
fn can_not_weaken_the_gate_unseen() {
    let repo = repository(&[]).file("new/Dockerfile", BAD_DOCKERFILE).file("hss-iac.toml", "fail-on = \"never\"\n");
    commit(&repo);
    let changes = json!(["hss-iac.toml sets fail-on to \"never\""]);
    // By the rules of the base it fails; by its own, where the user wants those, it passes and says what it altered.
    for (policy, code) in [("base", 1), ("head", 0)] {
        let ran = scan(&repo, &start(quick()), &["--policy-from", policy]);
        assert_eq!((ran.code, &ran.json()["policy_changes"]), (code, &changes), "{policy}: {}", ran.stderr);
    }
}

#[test]
fn can_not_mute_itself_silently() {
    let muted = BAD_DOCKERFILE.replace("USER root", "# hss-iac: ignore[SI-DF-002] mine\nUSER root");
    let suppress = "[[suppress]]\nrule = \"SI-DF-006\"\nreason = \"mine\"\n";
    let repo = repository(&[]).file("new/Dockerfile", &muted).file("hss-iac.toml", suppress);
    commit(&repo);
    let changes =
        json!(["hss-iac.toml suppresses SI-DF-006 everywhere: mine", "new/Dockerfile:4 says ignore[SI-DF-002] mine"]);
    for (policy, suppressed) in [("base", 0), ("head", 2)] {
        let result = scan(&repo, &start(quick()), &["--policy-from", policy]).json();
        assert_eq!(result["policy_changes"], changes, "{policy}");
        assert_eq!(result["counts"]["findings"]["suppressed"], suppressed, "{policy}");
    }
}

#[test]
fn can_not_hide_a_file() {
    let zero = format!("# \0\n{BAD_DOCKERFILE}");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: a}\nspec: {hostPID: true, containers: [{name: a, image: a}]}\n";
    let zero_behind = format!("{pod}---\n# \0\n");
    let found = |path: &str| (1, vec![format!("{path} scanned")]);
    let lost = |link: &str, target: &str, file_type: &str| (7, vec![lost(link, target, file_type)]);
    let skipped = |path: &str, reason: &str| (0, vec![format!("{path} skipped {reason}")]);
    for (file, text, link, expected) in [
        ("new/Dockerfile", zero.as_str(), None, found("new/Dockerfile")),
        ("new/api.dockerfile", &zero, None, found("new/api.dockerfile")),
        ("new/pod.yaml", &zero_behind, None, found("new/pod.yaml")),
        ("new/Dockerfile", "RUN \0\n", None, skipped("new/Dockerfile", "binary")),
        (
            "new/image.bin",
            BAD_DOCKERFILE,
            Some(("new/Dockerfile", "image.bin")),
            lost("new/Dockerfile", "new/image.bin", "dockerfile"),
        ),
        ("k8s/a.dat", pod, Some(("k8s/a.yaml", "../k8s/a.dat")), lost("k8s/a.yaml", "k8s/a.dat", "k8s_yaml")),
        (".hg/Dockerfile", BAD_DOCKERFILE, None, found(".hg/Dockerfile")),
        ("new/.svn/k8s/pod.yaml", pod, None, found("new/.svn/k8s/pod.yaml")),
        (".jj/Dockerfile", BAD_DOCKERFILE, Some(("Containerfile", ".jj/Dockerfile")), {
            (1, vec![".jj/Dockerfile scanned".to_owned(), "Containerfile skipped link".to_owned()])
        }),
    ] {
        let repo = repository(&[]).file(file, text);
        if let Some((link, target)) = link {
            std::os::unix::fs::symlink(target, repo.path().join(link)).expect("a link");
        }
        git(&repo, &["add", "-A", "-f"]);
        commit(&repo);
        let sent = start(quick());
        for args in [&[][..], &["--tracked"], &["--no-ignore"]] {
            let ran: Finished = scan_command(repo.path(), &sent, args).output().expect("it runs").into();
            let result = ran.json();
            assert_eq!((ran.code, fates(&result)), expected, "{file} {args:?}: {}", ran.stderr);
        }
        let ran = scan(&repo, &sent, &["--changed-only"]);
        assert_eq!((ran.code, fates(&ran.json())), expected, "{file}, what changed: {}", ran.stderr);
    }
}

#[test]
fn can_not_hide_behind_a_link_of_the_base() {
    let repo = repository(&[]);
    git(&repo, &["checkout", "-q", "main"]);
    let repo = repo.file("new/image.bin", &clean_dockerfile(2));
    std::os::unix::fs::symlink("image.bin", repo.path().join("new/Dockerfile")).expect("a link");
    commit(&repo);
    git(&repo, &["checkout", "-q", "-B", "feature"]);
    let emulator = start(quick());
    let ran = scan(&repo, &emulator, &["--changed-only"]);
    assert_eq!((ran.code, fates(&ran.json())), (0, vec!["new/Dockerfile unchanged".to_owned()]), "{}", ran.stderr);
    let repo = repo.file("new/image.bin", BAD_DOCKERFILE);
    commit(&repo);
    let ran = scan(&repo, &emulator, &["--changed-only"]);
    let lost = lost("new/Dockerfile", "new/image.bin", "dockerfile");
    assert_eq!((ran.code, fates(&ran.json())), (7, vec![lost]), "{}", ran.stderr);
}

/// What becomes of a link to what would be ours under its name.
fn lost(link: &str, target: &str, file_type: &str) -> String {
    let next = format!("--map {target}={file_type} takes it, or --exclude leaves the link out");
    format!("{link} not_scanned a link to {target}, which is not taken under its own name; {next}")
}

/// What became of every path but the one that is clean.
fn fates(result: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let files = result["files"].as_array().expect("files").iter();
    let files = files.filter(|file| file["path"] != "Dockerfile").map(|file| {
        format!("{} {} {}", text(&file["path"]), text(&file["state"]), text(&file["reason"])).trim_end().to_owned()
    });
    let skipped = result["skipped"].as_array().expect("paths").iter();
    files.chain(skipped.map(|path| format!("{} skipped {}", text(&path["path"]), text(&path["reason"])))).collect()
}

#[test]
fn can_not_forge_output() {
    // Commands of a runner, of a terminal, and markup of each kind, in names and in what findings quote.
    let names = ["\n::error::forged", "\u{1b}[2Jforged", "|a|\n<b>forged", "<script>forged(", "](http:forged"];
    let mut repo = repository(&[]);
    for name in names {
        let quoted =
            format!("{BAD_DOCKERFILE}USER root # <script>forged</script> ::error::forged \u{1b}[31m ![x](http:forged)\n");
        repo = repo.file(&format!("{name}/Dockerfile"), &quoted);
    }
    commit(&repo);
    let out = tempfile::tempdir().expect("a directory");
    let formats =
        ["table", "github", "github-summary", "markdown", "html", "sarif", "junit", "gitlab-codequality", "gitlab-sast"];
    let outputs: Vec<String> =
        formats.iter().map(|format| format!("-o{format}={}", out.path().join(format).display())).collect();
    let mut args: Vec<&str> = outputs.iter().map(String::as_str).collect();
    args.push("--allow-partial-report");
    let ran = scan(&repo, &start(quick()), &args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let control = |text: &str| text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t'));
    assert!(!control(&ran.stderr) && !control(&ran.stdout), "{:?}", ran.stderr);
    for format in formats {
        let text = std::fs::read_to_string(out.path().join(format)).expect("a report");
        assert!(!control(&text), "{format}: {text:?}");
        match format {
            "html" => assert!(!text.contains("<script>forged") && !text.contains("<b>forged"), "{text}"),
            // What stands in a code span is text.
            "markdown" | "github-summary" => assert_eq!(markup_of_others(&text), [""; 0], "{format}"),
            "sarif" | "gitlab-codequality" | "gitlab-sast" => {
                serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
            }
            _ => {}
        }
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::error::forged")), "{format}");
    }
}

/// The HTML, links and images of a Markdown text that speak of what was forged.
fn markup_of_others(text: &str) -> Vec<String> {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM);
    let markup = parser.filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Some(text.to_string()),
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    markup.filter(|text| text.contains("forged")).collect()
}

#[test]
fn can_not_poison_the_cache() {
    let place = tempfile::tempdir().expect("a directory");
    let cache = place.path().to_str().expect("UTF-8");
    let emulator = start(quick());
    // What a pull request can bring into a shared cache: the verdict of a clean file, under the name of a bad one.
    let repo = repository(&[]).file("new/Dockerfile", &clean_dockerfile(2));
    commit(&repo);
    assert_eq!(scan(&repo, &emulator, &["--cache-dir", cache]).code, 0);
    let clean = std::fs::read(&entries(place.path())[0]).expect("an entry");
    let repo = repo.file("new/Dockerfile", BAD_DOCKERFILE);
    assert_eq!(scan(&repo, &emulator, &["--cache-dir", cache]).code, 1);
    let all = entries(place.path());
    assert_eq!(all.iter().filter(|entry| std::fs::read(entry).is_ok_and(|bytes| bytes == clean)).count(), 1);
    for forged in [&clean[..], b"{\"at\":4102444800,\"risks\":[]}", b""] {
        for entry in &all {
            std::fs::write(entry, forged).expect("an entry");
        }
        let ran = scan(&repo, &emulator, &["--cache-dir", cache]);
        assert_eq!((ran.code, &ran.json()["counts"]["reused"]), (1, &json!(0)), "{}", ran.stderr);
    }
    // A repository can't name one either.
    let repo = repo.file("hss-iac.toml", "cache-dir = \".cache\"\n");
    let ran: Finished = scan_command(repo.path(), &emulator, &[]).output().expect("it runs").into();
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

fn entries(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(directory).expect("a cache").map(|folder| folder.expect("a folder").path());
    let mut all: Vec<_> = folders
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()))
        .collect();
    all.sort();
    all
}

#[test]
fn can_not_make_the_tool_run_a_program() {
    let beside = tempfile::tempdir().expect("a directory");
    let ran = beside.path().join("ran");
    let program = format!("#!/bin/sh\necho \"$0\" >> {}\nexit 0\n", ran.display());
    let mut repo = repository(&[]);
    let programs = ["git", "bin/git", "trap", "hooks/pre-push", "hooks/post-checkout", "docker", "kubectl", "less"];
    for name in programs {
        repo = repo.file(name, &program);
        std::fs::set_permissions(repo.path().join(name), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let repo = repo
        .file(".gitattributes", "* filter=trap diff=trap merge=trap\n")
        .file(".gitmodules", "[submodule \"a\"]\n\tpath = a\n\turl = ext::./trap\n\tupdate = !./trap\n")
        .file("new/Dockerfile", "# syntax=./trap\nFROM a:1\nRUN ./trap\n")
        .file("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: $(./trap), namespace: a}\nspec: !!python/object/apply:os.system [./trap]\n");
    commit(&repo);
    for (name, value) in [
        ("core.fsmonitor", "./trap"),
        ("core.hooksPath", "hooks"),
        ("core.sshCommand", "./trap"),
        ("core.pager", "./trap"),
        ("diff.trap.textconv", "./trap"),
        ("filter.trap.smudge", "./trap"),
        ("filter.trap.clean", "./trap"),
        ("diff.external", "./trap"),
    ] {
        git(&repo, &["config", name, value]);
    }
    let path = format!("{}:bin:.:{}", repo.path().display(), std::env::var("PATH").unwrap_or_default());
    let emulator = start(quick());
    for args in [
        &["scan", "-o", "json", "--diff", "main"][..],
        &["scan", "--tracked"],
        &["list", "--diff", "main"],
        &["list", "--explain", "pod.yaml"],
        &["config"],
    ] {
        let mut command = hss_iac(repo.path());
        crate::common::connect(&mut command, &emulator).env("PATH", &path).env("PAGER", "./trap").args(args);
        let finished: Finished = command.output().expect("it runs").into();
        assert!([0, 1, 7].contains(&finished.code), "{args:?}: {}", finished.stderr);
    }
    assert_eq!(std::fs::read_to_string(&ran).unwrap_or_default(), "");
}
