//! What is found, what it is, and why it is not sent.

use super::*;

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
            masked: 0,
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
fn padding_hides_nothing() {
    let tree = Tree::new(&["Dockerfile"]);
    for (name, object) in [("pod.yaml", POD), ("Dockerfile.prod", DOCKERFILE)] {
        tree.write(name, "# padding\n".repeat(1_000));
        let file = fs::OpenOptions::new().append(true).open(tree.root().join(name)).unwrap();
        // A hole: the bytes between cost nothing.
        file.set_len(66 * 1024 * 1024).unwrap();
        std::io::Write::write_all(&mut &file, format!("\n{object}").as_bytes()).unwrap();
    }
    let why = "too large to be looked at whole, and it may hold an object; --exclude says that it is none of ours";
    assert_eq!(
        tree.list(&[]),
        [
            "Dockerfile dockerfile".to_owned(),
            format!("Dockerfile.prod dockerfile ({why})"),
            format!("pod.yaml k8s_yaml ({why})"),
        ]
    );
}

#[test]
fn what_git_tracks_in_the_store_of_another_system_is_found() {
    let tree = Tree::new(&["a.yaml", ".hg/k8s/pod.yaml", ".hg/store.yaml", "sub/.svn/Dockerfile", ".jj/x.yaml"]);
    let with = |flags: &[&str], tracked: bool| {
        let options = Options { tracked, ..tree.options(flags) };
        let found = discover(&options).unwrap();
        assert_eq!((found.skipped, found.directories_not_searched, found.notes), (Vec::new(), 0, Vec::<String>::new()));
        found.files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>()
    };
    for flags in [&[][..], &["no-ignore"]] {
        assert_eq!(with(flags, false), ["a.yaml"], "without git");
    }
    if !tree.git(&["init", "-q"]) {
        return;
    }
    assert!(tree.git(&["add", "-f", "a.yaml", ".hg/k8s", "sub"]));
    for flags in [&[][..], &["no-ignore"]] {
        for tracked in [false, true] {
            assert_eq!(with(flags, tracked), [".hg/k8s/pod.yaml", "a.yaml", "sub/.svn/Dockerfile"], "{flags:?} {tracked}");
        }
    }
    let explained = |path: &str| explain(&tree.options(&[]), &path.into());
    let why = ".hg is the store of a version control system: only what git tracks in it is looked at";
    assert_eq!(
        explained(".hg/k8s/pod.yaml"),
        [
            why,
            "git tracks it",
            "it is a Kubernetes manifest: it holds an object of a Kubernetes API",
            "decision: taken as k8s_yaml"
        ]
    );
    assert_eq!(explained(".hg/store.yaml"), [why, "git does not track it", "decision: not taken"]);
}
