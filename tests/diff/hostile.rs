//! What a repository names is not run.

use std::os::unix::fs::PermissionsExt as _;

use crate::common::BAD_DOCKERFILE;
use crate::repository::{Repository, listed};

#[test]
fn git_runs_nothing_that_a_repository_names() {
    let repository = Repository::with_files();
    let ran = repository.beside("ran");
    let trap = repository.path().join("trap.sh");
    repository.write("trap.sh", &format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 0\n", ran.display()));
    repository.write("bin/git", &format!("#!/bin/sh\necho git >> {}\n", ran.display()));
    for program in ["trap.sh", "bin/git"] {
        let program = repository.path().join(program);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    repository.write(".gitattributes", "* filter=trap diff=trap merge=trap\n");
    let included = repository.beside("included");
    let trap = trap.display();
    std::fs::write(&included, format!("[core]\n\tsshCommand = {trap}\n\tfsmonitor = {trap}\n")).expect("a file");
    repository.commit("with traps");
    for (name, value) in [
        ("core.fsmonitor", trap.to_string()),
        ("core.hooksPath", repository.path().display().to_string()),
        ("core.pager", trap.to_string()),
        ("core.editor", trap.to_string()),
        ("core.sshCommand", trap.to_string()),
        ("core.askPass", trap.to_string()),
        ("core.gitProxy", trap.to_string()),
        ("core.alternateRefsCommand", trap.to_string()),
        ("credential.helper", trap.to_string()),
        ("diff.external", trap.to_string()),
        ("diff.trap.textconv", trap.to_string()),
        ("diff.trap.command", trap.to_string()),
        ("filter.trap.clean", trap.to_string()),
        ("filter.trap.smudge", trap.to_string()),
        ("filter.trap.process", trap.to_string()),
        ("alias.rev-parse", format!("!{trap}")),
        ("alias.ls-tree", format!("!{trap}")),
        ("pager.ls-tree", trap.to_string()),
        ("gpg.program", trap.to_string()),
        ("uploadpack.packObjectsHook", trap.to_string()),
        ("extensions.partialClone", "origin".to_owned()),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.url", format!("ext::{trap}")),
        ("remote.origin.uploadpack", trap.to_string()),
        ("protocol.ext.allow", "always".to_owned()),
        ("include.path", included.display().to_string()),
        (&format!("includeIf.gitdir:{}/.path", repository.path().display()), included.display().to_string()),
    ] {
        repository.git(&["config", name, &value]);
    }
    std::fs::remove_file(&ran).ok();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    // An object that is missing would be fetched from the remote of a partial clone.
    let lost = repository.git(&["rev-parse", "HEAD:b/Dockerfile"]);
    std::fs::remove_file(repository.path().join(format!(".git/objects/{}/{}", &lost[..2], &lost[2..]))).expect("an object");
    repository.write("b/Dockerfile", BAD_DOCKERFILE);
    std::fs::remove_file(&ran).ok();
    let path = format!("{}:bin:.:{}", repository.path().join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let found = listed(&repository.run(&["list", "--diff", "HEAD", "-o", "json"], &[("PATH", &path)], "").json());
    assert_eq!(found.0, ["a/Dockerfile", "b/Dockerfile"]);
    let emulator = crate::common::start(crate::common::quick());
    let mut command = crate::common::scan_command(repository.path(), &emulator, &["--diff", "HEAD"]);
    let scanned: crate::common::Finished = command.env("PATH", &path).output().expect("it runs").into();
    assert_eq!(scanned.code, 1, "{}", scanned.stderr);
    assert_eq!(std::fs::read_to_string(&ran).unwrap_or_default(), "");
}

#[test]
fn a_repository_of_somebody_else_is_read() {
    let repository = Repository::with_files();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    let owned = std::process::Command::new("chown").args(["-R", "65534:65534"]).arg(repository.path()).status();
    if !owned.is_ok_and(|status| status.success()) {
        // Only who may give files away can stand where a container does.
        eprintln!("skipped: chown is not allowed here");
        return;
    }
    assert_eq!(repository.list("HEAD", &[]).0, ["a/Dockerfile"]);
}

#[test]
fn variables_of_git_do_not_lead_elsewhere() {
    let other = Repository::with_files();
    let repository = Repository::with_files();
    repository.write("a/Dockerfile", BAD_DOCKERFILE);
    repository.commit("second");
    let git_dir = other.path().join(".git").display().to_string();
    let env = [("GIT_DIR", git_dir.as_str()), ("GIT_INDEX_FILE", "/nowhere"), ("GIT_WORK_TREE", "/nowhere")];
    assert_eq!(repository.list("HEAD~1", &env).0, ["a/Dockerfile"]);
}
