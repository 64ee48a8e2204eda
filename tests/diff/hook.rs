//! The hook of plain git, and a push through it.

use std::path::PathBuf;
use std::process::Command;

use crate::common::{BAD_DOCKERFILE, Finished, clean_dockerfile, instruments, quick, start};
use crate::repository::Repository;

const OTHER: &str = "#!/bin/sh\ncat > told\necho 'the other hook' >&2\nexit ${OTHER_EXIT:-0}\n";

fn hook(repository: &Repository, args: &[&str]) -> (i32, String) {
    let ran = repository.run(&[&["hook"], args].concat(), &[], "");
    let text = format!("{}{}", ran.stdout, ran.stderr);
    (ran.code, text.replace(&format!("{}/", repository.path().display()), "").trim().to_owned())
}

fn executable(repository: &Repository, path: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    repository.write(path, text);
    std::fs::set_permissions(repository.path().join(path), std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn it_comes_and_goes() {
    let repository = Repository::with_files();
    let wrote = "wrote .git/hooks/pre-push: what is pushed is scanned first; `git push --no-verify` passes it by";
    assert_eq!(hook(&repository, &["uninstall"]), (0, "there is no .git/hooks/pre-push".to_owned()));
    assert_eq!(hook(&repository, &["install"]), (0, wrote.to_owned()));
    let read = || std::fs::read_to_string(repository.path().join(".git/hooks/pre-push")).ok();
    let ours = read();
    assert_eq!(hook(&repository, &["install"]), (0, ".git/hooks/pre-push is there already".to_owned()));
    assert_eq!(read(), ours);
    assert_eq!(hook(&repository, &["uninstall"]), (0, "removed .git/hooks/pre-push".to_owned()));
    assert_eq!(read(), None);

    executable(&repository, ".git/hooks/pre-push", OTHER);
    let left = "error: .git/hooks/pre-push is left as it is; --yes takes it along without asking";
    assert_eq!(hook(&repository, &["install"]), (2, left.to_owned()));
    assert_eq!(hook(&repository, &["uninstall"]), (0, ".git/hooks/pre-push is not ours and is left as it is".to_owned()));
    assert_eq!(hook(&repository, &["install", "--yes"]), (0, wrote.to_owned()));
    assert_eq!(hook(&repository, &["install", "--yes"]), (0, ".git/hooks/pre-push is there already".to_owned()));
    assert_eq!(
        hook(&repository, &["uninstall"]),
        (0, "removed ours, and put .git/hooks/pre-push back as it was".to_owned())
    );
    assert_eq!(read().as_deref(), Some(OTHER));
    std::fs::remove_file(repository.path().join(".git/hooks/pre-push")).expect("it goes");

    // What was added by hand is not lost.
    let more = format!("{}make lint\n", ours.as_deref().unwrap_or_default());
    executable(&repository, ".git/hooks/pre-push", &more);
    let changed = "error: .git/hooks/pre-push is not as this version writes it, and is left so; --yes writes it anew";
    assert_eq!(hook(&repository, &["install"]), (2, changed.to_owned()));
    let left =
        ".git/hooks/pre-push is not as this version writes it, and is left so; `hss-iac hook install --yes` writes it anew";
    assert_eq!(hook(&repository, &["uninstall"]), (0, left.to_owned()));
    assert_eq!(read(), Some(more));
    assert_eq!(hook(&repository, &["install", "--yes"]), (0, wrote.to_owned()));
    assert_eq!(read(), ours);

    repository.git(&["config", "core.hooksPath", ".hooks"]);
    assert_eq!(hook(&repository, &["install"]), (0, wrote.replace(".git/hooks", ".hooks")));
}

#[test]
fn a_push_is_scanned_and_the_hook_before_it_runs_too() {
    let repository = Repository::with_files().clone(&[]);
    let emulator = start(quick());
    executable(&repository, ".git/hooks/pre-push", OTHER);
    assert_eq!(hook(&repository, &["install", "--yes"]).0, 0);
    let push = |env: &[(&str, &str)]| -> Finished {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_hss-iac"));
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", binary.parent().expect("a directory").display());
        let usual = hss_iac::emulator::Options::default();
        let mut git = Command::new("git");
        git.current_dir(repository.path())
            .env_clear()
            .envs(instruments())
            .env("PATH", path)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HSS_IAC_ACCESS_KEY", usual.access_key)
            .env("HSS_IAC_SECRET_KEY", usual.secret_key)
            .env("HSS_IAC_PROJECT_ID", usual.project_id)
            .env("HSS_IAC_REGION", "cn-north-4")
            .env("HSS_IAC_ENDPOINT", emulator.url())
            .envs(env.iter().copied())
            .args(["push", "-q", "origin", "HEAD:feature"]);
        git.output().expect("git runs").into()
    };
    repository.write("c/Dockerfile", BAD_DOCKERFILE);
    repository.commit("bad");
    let refused = push(&[]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("the other hook") && refused.stdout.contains("FAIL (exit 1"), "{}", refused.stdout);
    let told = std::fs::read_to_string(repository.path().join("told")).expect("what git tells");
    assert!(told.starts_with("HEAD ") || told.starts_with("refs/heads/"), "{told}");
    repository.write("c/Dockerfile", &clean_dockerfile(3));
    repository.git(&["commit", "-q", "-a", "--amend", "-m", "good"]);
    let stopped = push(&[("OTHER_EXIT", "3")]);
    assert!(stopped.code != 0 && !stopped.stdout.contains("exit 0"), "{}", stopped.stdout);
    let pushed = push(&[]);
    assert_eq!(pushed.code, 0, "{}", pushed.stderr);
    assert!(pushed.stdout.contains("PASS (exit 0"), "{}", pushed.stdout);
}

#[test]
fn completions_and_pages_are_printed() {
    let repository = Repository::new();
    let says = |args: &[&str], text: &str| {
        let ran = repository.run(args, &[], "");
        assert!(ran.code == 0 && ran.stdout.contains(text), "{args:?}: {}{}", ran.stdout, ran.stderr);
    };
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        says(&["completions", shell], "hss-iac");
    }
    says(&["man"], ".TH hss-iac 1");
    says(&["man", "scan"], ".TH hss-iac-scan 1");
    let ran = repository.run(&["man", "sacn"], &[], "");
    assert!(
        ran.code == 2 && ran.stderr.starts_with("error: there is no command \"sacn\": say one of scan, list"),
        "{}",
        ran.stderr
    );
}
