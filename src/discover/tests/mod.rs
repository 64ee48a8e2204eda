//! Scenarios on real directories: a tree goes in, everything that is found comes out as text.
#![cfg(unix)]

mod explaining;
mod finding;
mod ignoring;
mod indexes;
mod links;
mod selecting;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .a }}\n";
const DOCKERFILE: &str = "FROM scratch\n";

struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    /// A name that ends in `.yaml` gets a pod, any other a Dockerfile; a name that ends in `/` is an empty directory.
    fn new(paths: &[&str]) -> Self {
        let tree = Self { directory: tempfile::tempdir().unwrap() };
        for path in paths {
            if path.ends_with('/') {
                fs::create_dir_all(tree.root().join(path)).unwrap();
            } else {
                tree.write(path, if kubernetes::name(path.as_bytes()) { POD } else { DOCKERFILE });
            }
        }
        tree
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.directory.path()).unwrap()
    }

    fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, target: &str, path: &str) {
        symlink(target, self.root().join(path)).unwrap();
    }

    /// What git needs for its rules to hold, without git.
    fn work_tree(self) -> Self {
        fs::create_dir_all(self.root().join(".git/info")).unwrap();
        self
    }

    fn options(&self, flags: &[&str]) -> Options {
        let mut options = Options {
            root: self.root(),
            selections: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            map: Vec::new(),
            no_ignore: false,
            tracked: false,
            mask_secrets: true,
        };
        for flag in flags {
            match flag.split_once('=') {
                Some(("include", glob)) => options.include.push(pattern(glob).unwrap()),
                Some(("exclude", glob)) => options.exclude.push(pattern(glob).unwrap()),
                Some(("dockerfile", glob)) => options.map.push((pattern(glob).unwrap(), FileType::Dockerfile)),
                Some(("k8s_yaml", glob)) => options.map.push((pattern(glob).unwrap(), FileType::K8sYaml)),
                _ if *flag == "no-ignore" => options.no_ignore = true,
                _ => options.selections.extend(resolve(&self.root(), &[OsString::from(flag)]).unwrap().1),
            }
        }
        if options.selections.is_empty() {
            options.selections.push(Selection::Tree(RepoPath::default()));
        }
        options
    }

    /// Everything that discovery finds, a line each.
    fn list(&self, flags: &[&str]) -> Vec<String> {
        let found = discover(&self.options(flags)).unwrap();
        let files = found.files.iter().map(|file| match &file.obstacle {
            Some(obstacle) => format!("{} {} ({obstacle})", file.path, file.file_type),
            None => format!("{} {}", file.path, file.file_type),
        });
        let skipped = found.skipped.iter().map(|skipped| format!("{} - {}", skipped.path, skipped.reason.as_str()));
        let directories =
            (found.directories_not_searched > 0).then(|| format!("{} not searched", found.directories_not_searched));
        let unreadable = found.unreadable_directories.iter().map(|path| format!("{path} unreadable"));
        let indexes = found.unreadable_indexes.iter().map(|path| format!("index of {:?} unreadable", path.to_string()));
        files.chain(skipped).chain(directories).chain(unreadable).chain(indexes).chain(found.notes.iter().cloned()).collect()
    }

    fn git(&self, arguments: &[&str]) -> bool {
        let run = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output();
        run.is_ok_and(|output| output.status.success())
    }
}
