//! Scenarios on real directories: a tree goes in, everything that is found comes out as text.
#![cfg(unix)]

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
        files.chain(skipped).chain(directories).chain(unreadable).chain(found.notes.iter().cloned()).collect()
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

#[test]
fn the_walk_finds_and_sorts() {
    let tree = Tree::new(&["b/Dockerfile", "a/x.yaml", "a-b.yaml", ".hidden/vendor/api.dockerfile", "Dockerfile/x.yaml"]);
    tree.write(".git/Dockerfile", DOCKERFILE);
    tree.write("sub/.svn/x.yaml", POD);
    tree.write("values.yaml", "a: b\n");
    tree.write("README.md", POD);
    assert_eq!(
        tree.list(&[]),
        [
            ".hidden/vendor/api.dockerfile dockerfile",
            "Dockerfile/x.yaml k8s_yaml",
            "a-b.yaml k8s_yaml",
            "a/x.yaml k8s_yaml",
            "b/Dockerfile dockerfile"
        ]
    );
}

#[test]
fn what_is_not_sent_has_its_reason() {
    let tree = Tree::new(&["chart/Chart.yaml"]);
    tree.write("chart/Chart.yaml", "apiVersion: v2\nname: a\n");
    tree.write("chart/templates/deep/pod.yaml", TEMPLATE);
    tree.write("chart/templates/whole.yaml", POD);
    tree.write("templates/pod.yaml", TEMPLATE);
    tree.write("Dockerfile.j2", "FROM {{ base }}\n");
    tree.write("kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n");
    tree.write("notes.yaml", "apiVersion: release-notes/v2\nkind: bug-fix\nmetadata: {}\n");
    assert_eq!(
        tree.list(&[]),
        [
            "chart/templates/whole.yaml k8s_yaml",
            "Dockerfile.j2 - dockerfile_template",
            "chart/templates/deep/pod.yaml - helm_template",
            "kustomization.yaml - tool_config",
            "templates/pod.yaml - k8s_template"
        ]
    );
}

#[test]
fn size_hash_and_secrets_are_kept() {
    let tree = Tree::new(&[]);
    tree.write("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: n}\n");
    let found = discover(&tree.options(&[])).unwrap();
    assert_eq!(
        found.files,
        [SourceFile {
            path: "s.yaml".into(),
            file_type: FileType::K8sYaml,
            size: 62,
            sha256: Some("b99d752f5897b3c696e165204fb2216b9f2a7894e2aea43830b84e86bfc88660".to_owned()),
            secrets: vec!["n/a".to_owned()],
            obstacle: None,
        }]
    );
}

#[test]
fn too_large_is_said_of_ours_only() {
    let tree = Tree::new(&[]);
    let padded = |size: usize, start: &str| format!("{start}{}", "#".repeat(size - start.len()));
    tree.write("fits.yaml", padded(1_000_000, POD));
    tree.write("large.yaml", padded(1_000_001, POD));
    tree.write("other.yaml", padded(2_000_000, "a: b\n"));
    tree.write("huge.yaml", padded(10_000, POD));
    fs::File::options().write(true).open(tree.root().join("huge.yaml")).unwrap().set_len(100 << 20).unwrap();
    assert_eq!(
        tree.list(&[]),
        [
            "fits.yaml k8s_yaml",
            "huge.yaml k8s_yaml (104,857,600 bytes, more than the 1,000,000 that HSS takes)",
            "large.yaml k8s_yaml (1,000,001 bytes, more than the 1,000,000 that HSS takes)"
        ]
    );
}

#[test]
fn links_are_not_followed() {
    let outside = Tree::new(&["x.yaml", "Dockerfile"]);
    let tree = Tree::new(&["a/x.yaml"]);
    tree.link("a/x.yaml", "in.yaml");
    tree.link("a", "directory");
    tree.link(".", "a/loop");
    tree.link("nothing", "broken.yaml");
    tree.link("self.yaml", "self.yaml");
    tree.link("/etc/nothing-of-this-name", "Dockerfile");
    tree.link("../../../../../nothing", "a/up.yaml");
    tree.link(outside.root().join("x.yaml").to_str().unwrap(), "out.yaml");
    tree.link(outside.root().to_str().unwrap(), "elsewhere");
    tree.link("elsewhere/x.yaml", "detour.yaml");
    tree.link(tree.root().join("a/x.yaml").to_str().unwrap(), "absolute.yaml");
    assert_eq!(
        tree.list(&[]),
        [
            "Dockerfile dockerfile (a link out of the tree)",
            "a/up.yaml k8s_yaml (a link out of the tree)",
            "a/x.yaml k8s_yaml",
            "detour.yaml k8s_yaml (a link out of the tree)",
            "out.yaml k8s_yaml (a link out of the tree)",
            "absolute.yaml - link",
            "broken.yaml - broken_link",
            "in.yaml - link",
            "self.yaml - broken_link"
        ]
    );
}

#[test]
fn special_files_are_never_opened() {
    let tree = Tree::new(&[]);
    let fifo = |name: &str| {
        rustix::fs::mkfifoat(rustix::fs::CWD, tree.root().join(name), rustix::fs::Mode::RWXU).unwrap();
    };
    fifo("Dockerfile");
    fifo("pipe");
    let _socket = std::os::unix::net::UnixListener::bind(tree.root().join("s.yaml")).unwrap();
    assert_eq!(
        tree.list(&[]),
        ["Dockerfile dockerfile (not a regular file: a FIFO)", "s.yaml k8s_yaml (not a regular file: a socket)"]
    );
    for name in ["Dockerfile", "s.yaml"] {
        assert_eq!(read(&tree.root(), &name.into()).unwrap_err().to_string(), "not a regular file");
    }
}

#[test]
fn reading_follows_no_link_on_the_way() {
    let tree = Tree::new(&["a/x.yaml"]);
    tree.link("a", "b");
    tree.link("a/x.yaml", "c.yaml");
    assert_eq!(read(&tree.root(), &"a/x.yaml".into()).unwrap(), POD.as_bytes());
    for path in ["b/x.yaml", "c.yaml", "a/../a/x.yaml", "a", "nothing"] {
        assert!(read(&tree.root(), &path.into()).is_err(), "{path}");
    }
}

#[test]
fn what_cannot_be_read_is_not_lost() {
    let tree = Tree::new(&["Dockerfile", "closed/x.yaml"]);
    let mode = |path: &str, mode| fs::set_permissions(tree.root().join(path), fs::Permissions::from_mode(mode)).unwrap();
    mode("Dockerfile", 0);
    mode("closed", 0);
    // To root nothing is closed.
    let closed = fs::read_dir(tree.root().join("closed")).is_err();
    let list = tree.list(&[]);
    mode("closed", 0o755);
    if closed {
        assert_eq!(
            list,
            [
                "Dockerfile dockerfile (can't be read: Permission denied (os error 13))",
                "closed unreadable",
                "closed can't be searched: Permission denied (os error 13)"
            ]
        );
    }
}

#[test]
fn names_are_bytes() {
    let tree = Tree::new(&[]);
    let name = OsStr::from_bytes(b"caf\xE9/\xFF.yaml");
    tree.write(name, POD);
    assert_eq!(tree.list(&[]), ["caf\\xE9/\\xFF.yaml k8s_yaml"]);
    assert_eq!(tree.list(&["exclude=*/*.yaml"]), ["caf\\xE9/\\xFF.yaml - excluded"]);
    assert_eq!(read(&tree.root(), &RepoPath::new(name.as_bytes())).unwrap(), POD.as_bytes());
}

#[test]
fn ignore_rules_hold_in_a_work_tree_only() {
    let tree = Tree::new(&[
        "build/Dockerfile",
        "a.yaml",
        "sub/a.yaml",
        "sub/keep.yaml",
        "sub/deep/b.yaml",
        "note.yaml",
        "x/x.yaml",
    ]);
    tree.write(".gitignore", "build/\n*.yaml\n!note.yaml\n");
    tree.write("sub/.gitignore", "!keep.yaml\ndeep\n");
    tree.write(".git/info/exclude", "/x\n");
    tree.write("note.yaml", "a: b\n");
    assert_eq!(tree.list(&[]), ["sub/keep.yaml k8s_yaml", "a.yaml - ignored", "sub/a.yaml - ignored", "3 not searched"]);
    let all = [
        "a.yaml k8s_yaml",
        "build/Dockerfile dockerfile",
        "sub/a.yaml k8s_yaml",
        "sub/deep/b.yaml k8s_yaml",
        "sub/keep.yaml k8s_yaml",
        "x/x.yaml k8s_yaml",
    ];
    assert_eq!(tree.list(&["no-ignore"]), all);
    fs::remove_dir_all(tree.root().join(".git")).unwrap();
    assert_eq!(tree.list(&[]), all);
}

#[test]
fn a_nested_work_tree_has_its_own_rules() {
    let tree = Tree::new(&["module/a.yaml", "module/b.yaml", "a.yaml"]).work_tree();
    tree.write(".gitignore", "a.yaml\n");
    tree.write("module/.gitignore", "b.yaml\n");
    fs::create_dir_all(tree.root().join(".git/modules/module")).unwrap();
    tree.write("module/.git", "gitdir: ../.git/modules/module\n");
    assert_eq!(tree.list(&[]), ["module/a.yaml k8s_yaml", "a.yaml - ignored", "module/b.yaml - ignored"]);
}

#[test]
fn what_git_tracks_is_not_lost() {
    let tree =
        Tree::new(&["build/Dockerfile", "build/deep/x.yaml", "build/new.yaml", "a.yaml", "b.yaml", "build/gone.yaml"]);
    tree.write(".gitignore", "build/\na.yaml\nb.yaml\n");
    if !tree.git(&["init"]) {
        return;
    }
    assert!(tree.git(&["add", "-f", ".gitignore", "build/Dockerfile", "build/deep/x.yaml", "build/gone.yaml", "a.yaml"]));
    fs::remove_file(tree.root().join("build/gone.yaml")).unwrap();
    let expected = [
        "a.yaml k8s_yaml",
        "build/Dockerfile dockerfile",
        "build/deep/x.yaml k8s_yaml",
        "b.yaml - ignored",
        "1 not searched",
    ];
    assert_eq!(tree.list(&[]), expected);

    assert!(tree.git(&["commit", "-qm", "a"]));
    let linked = tempfile::tempdir().unwrap();
    let linked = Tree { directory: linked };
    assert!(tree.git(&["worktree", "add", "-f", linked.root().join("w").to_str().unwrap()]));
    let mut options = linked.options(&[]);
    options.root = linked.root().join("w");
    fs::write(options.root.join("b.yaml"), POD).unwrap();
    let found = discover(&options).unwrap();
    let paths: Vec<_> = found.files.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(paths, ["a.yaml", "build/Dockerfile", "build/deep/x.yaml", "build/gone.yaml"]);
    assert_eq!(found.skipped, [Skipped { path: "b.yaml".into(), reason: crate::model::SkipReason::Ignored }]);

    tree.write(".git/index", "not an index");
    let list = tree.list(&[]);
    assert_eq!(list[..3], ["a.yaml - ignored", "b.yaml - ignored", "1 not searched"]);
    assert!(list[3].starts_with("the git index can't be read ("), "{list:?}");
}

#[test]
fn the_order_of_what_decides() {
    let tree = Tree::new(&["a.yaml", "b.yaml", "build/c.yaml", "build/d.yaml", "out/e.yaml"]).work_tree();
    tree.write(".gitignore", "build/\nb.yaml\n");
    tree.write("plain.txt", "RUN true\n");
    for (flags, expected) in [
        (vec![], vec!["a.yaml k8s_yaml", "out/e.yaml k8s_yaml", "b.yaml - ignored", "1 not searched"]),
        (vec!["exclude=out"], vec!["a.yaml k8s_yaml", "b.yaml - ignored", "2 not searched"]),
        (vec!["exclude=*.yaml"], vec!["out/e.yaml k8s_yaml", "a.yaml - excluded", "b.yaml - excluded", "1 not searched"]),
        (
            vec!["include=build/c.yaml"],
            vec![
                "build/c.yaml k8s_yaml",
                "a.yaml - not_included",
                "b.yaml - not_included",
                "build/d.yaml - not_included",
                "out/e.yaml - not_included",
            ],
        ),
        (
            vec!["include=b*", "exclude=build"],
            vec!["b.yaml k8s_yaml", "a.yaml - not_included", "out/e.yaml - not_included", "1 not searched"],
        ),
        (
            vec!["include=build/", "exclude=**/d.yaml"],
            vec![
                "build/c.yaml k8s_yaml",
                "a.yaml - not_included",
                "b.yaml - not_included",
                "build/d.yaml - excluded",
                "out/e.yaml - not_included",
            ],
        ),
        (
            vec!["dockerfile=plain.txt", "dockerfile=b.yaml", "exclude=out"],
            vec!["a.yaml k8s_yaml", "b.yaml dockerfile", "plain.txt dockerfile", "2 not searched"],
        ),
        (
            vec!["dockerfile=plain.txt", "include=a.yaml"],
            vec![
                "a.yaml k8s_yaml",
                "b.yaml - not_included",
                "out/e.yaml - not_included",
                "plain.txt - not_included",
                "1 not searched",
            ],
        ),
        (vec!["build/d.yaml", "exclude=build"], vec!["build/d.yaml k8s_yaml"]),
        (vec!["build"], vec!["build/c.yaml k8s_yaml", "build/d.yaml k8s_yaml"]),
        (vec!["out", "build/d.yaml"], vec!["build/d.yaml k8s_yaml", "out/e.yaml k8s_yaml"]),
        (vec!["**/e.yaml"], vec!["out/e.yaml k8s_yaml", "1 not searched"]),
        (vec!["ou?"], vec!["out/e.yaml k8s_yaml", "1 not searched"]),
        (vec!["*.nothing"], vec!["1 not searched"]),
    ] {
        assert_eq!(tree.list(&flags), expected, "{flags:?}");
    }
}

#[test]
fn a_named_file_is_taken_or_refused_with_the_reason() {
    let tree = Tree::new(&["a.yaml"]);
    tree.write("build/Docker.base", DOCKERFILE);
    tree.write("x.yml.tmpl", POD);
    tree.write("plain.txt", "text\n");
    tree.write("t.yaml", TEMPLATE);
    tree.link("a.yaml", "l.yaml");
    tree.link("/etc/passwd", "o.yaml");
    for (flags, expected) in [
        (vec!["build/Docker.base"], vec!["build/Docker.base dockerfile"]),
        (vec!["x.yml.tmpl"], vec!["x.yml.tmpl k8s_yaml"]),
        (vec!["plain.txt", "dockerfile=*.txt"], vec!["plain.txt dockerfile"]),
        (
            vec![".", "a.yaml"],
            vec!["a.yaml k8s_yaml", "o.yaml k8s_yaml (a link out of the tree)", "l.yaml - link", "t.yaml - k8s_template"],
        ),
        (vec!["o.yaml"], vec!["o.yaml k8s_yaml (a link out of the tree)"]),
    ] {
        assert_eq!(tree.list(&flags), expected, "{flags:?}");
    }
    for (flag, expected) in [
        (
            "plain.txt",
            "plain.txt can't be taken: its name is not one of a Dockerfile or a YAML file; to have it scanned nevertheless, say what it is with --map 'plain.txt=dockerfile' or --map 'plain.txt=k8s_yaml'",
        ),
        (
            "t.yaml",
            "t.yaml can't be taken: `{{` stands where YAML has no text; to have it scanned nevertheless, say what it is with --map 't.yaml=dockerfile' or --map 't.yaml=k8s_yaml'",
        ),
        (
            "l.yaml",
            "l.yaml can't be taken: it is a link to a place in the tree, which is looked at on its own; name the file itself",
        ),
    ] {
        assert_eq!(discover(&tree.options(&[flag])).unwrap_err().to_string(), expected);
    }
}

#[test]
fn paths_lead_to_one_root() {
    let tree = Tree::new(&["one/.git/", "one/sub/a.yaml", "two/.git/", "bare/b.yaml"]);
    tree.write("worktree/.git", "gitdir: ../one/.git\n");
    tree.write("one/{x}.yaml", POD);
    tree.link("one", "way");
    tree.link("sub", "one/l");
    let of = |cwd: &str, paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(OsString::from).collect();
        match resolve(&tree.root().join(cwd), &paths) {
            Ok((root, selections)) => format!("{} {selections:?}", root.strip_prefix(tree.root()).unwrap().display()),
            Err(error) => error.to_string().replace(tree.root().to_str().unwrap(), ""),
        }
    };
    assert_eq!(of("one/sub", &[]), r#"one [Tree("sub")]"#);
    assert_eq!(of("one/sub", &["..", "a.yaml"]), r#"one [Tree(""), File("sub/a.yaml")]"#);
    assert_eq!(of("", &["way/sub/a.yaml"]), r#"one [File("sub/a.yaml")]"#);
    assert_eq!(of("worktree", &["."]), r#"worktree [Tree("")]"#);
    assert_eq!(of("bare", &["b.yaml"]), r#"bare [File("b.yaml")]"#);
    assert_eq!(of("one", &["{x}.yaml"]), r#"one [File("{x}.yaml")]"#);
    assert_eq!(
        of("one/sub", &["./*.yaml/"]),
        format!("one {:?}", [Selection::Pattern(glob::Pattern::new("sub/*.yaml").unwrap())])
    );
    assert_eq!(of("one/sub", &["../*"]), format!("one {:?}", [Selection::Pattern(glob::Pattern::new("*").unwrap())]));
    assert_eq!(of("", &["one", "two"]), "one and two stand in two repositories (/one and /two); scan them one by one");
    assert_eq!(of("one", &["nothing"]), "nothing: no such file or directory");
    assert_eq!(of("one", &["l"]), "l: a link to a directory is not followed; name the directory itself");
    assert_eq!(
        of("one", &["{a,b}.yaml"]),
        "{a,b}.yaml: {a,b} is not understood in a pattern; give one pattern for each, repeating the flag"
    );
    assert_eq!(of("one", &["a[.yaml"]), "a[.yaml: invalid range pattern");
}

#[test]
fn explaining_goes_the_way_of_the_walk() {
    let tree = Tree::new(&["a.yaml", "build/c.yaml", "out/e.yaml", "ignored.yaml"]).work_tree();
    tree.write(".gitignore", "build/\nignored.yaml\n");
    tree.write("t.yaml", TEMPLATE);
    tree.write("README.md", "a\n");
    let cases: [(&str, &[&str], &[&str]); 9] = [
        (
            "a.yaml",
            &[],
            &["it is a Kubernetes manifest: it holds an object of a Kubernetes API", "decision: taken as k8s_yaml"],
        ),
        (
            "t.yaml",
            &[],
            &["it is not taken for one of ours: `{{` stands where YAML has no text", "decision: skipped: k8s_template"],
        ),
        (
            "README.md",
            &[],
            &["its name is not one of a Dockerfile or a YAML file, and no --map names it", "decision: not taken"],
        ),
        ("nothing", &[], &["nothing does not exist", "decision: not taken"]),
        ("out", &[], &["out is a directory: only files are taken", "decision: not taken"]),
        ("out/e.yaml", &["exclude=out"], &["--exclude out keeps the walk out of out", "decision: not taken"]),
        (
            "ignored.yaml",
            &[],
            &[
                "an ignore rule matches it: ignored.yaml",
                "git does not track it",
                "it is a Kubernetes manifest: it holds an object of a Kubernetes API",
                "the ignore rule keeps it out",
                "decision: skipped: ignored",
            ],
        ),
        (
            "build/c.yaml",
            &["include=build/*"],
            &[
                "an ignore rule matches it: a rule for a directory above it",
                "it is a Kubernetes manifest: it holds an object of a Kubernetes API",
                "decision: taken as k8s_yaml",
            ],
        ),
        (
            "README.md",
            &["dockerfile=README.md"],
            &[
                "--map README.md says that it is a Dockerfile",
                "it is a Dockerfile: --map says so",
                "decision: taken as dockerfile",
            ],
        ),
    ];
    for (path, flags, expected) in cases {
        assert_eq!(explain(&tree.options(flags), &path.into()), expected, "{path} {flags:?}");
    }
}
