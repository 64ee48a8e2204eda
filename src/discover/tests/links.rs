//! Links and special files.

use super::*;

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
fn a_link_into_what_is_never_searched_leads_out() {
    let tree = Tree::new(&["a/x.yaml"]);
    tree.write(".git/x.yaml", POD);
    tree.write("sub/.hg/x.yaml", POD);
    tree.link(".git/x.yaml", "git.yaml");
    tree.link("../sub/.hg/x.yaml", "a/hg.yaml");
    tree.link(".git", "store.yaml");
    tree.link("git.yaml", "twice.yaml");
    tree.link(".git/nothing", "gone.yaml");
    assert_eq!(
        tree.list(&[]),
        [
            "a/hg.yaml k8s_yaml (a link into the store of a version control system, which is not searched)",
            "a/x.yaml k8s_yaml",
            "git.yaml k8s_yaml (a link into the store of a version control system, which is not searched)",
            "store.yaml k8s_yaml (a link into the store of a version control system, which is not searched)",
            "twice.yaml k8s_yaml (a link into the store of a version control system, which is not searched)",
            "gone.yaml - broken_link"
        ]
    );
}

#[test]
fn a_link_stands_for_what_is_not_taken_under_its_own_name() {
    let tree = Tree::new(&["a.yaml", "out/b.yaml", "out/c.yaml"]);
    tree.write("image.bin", DOCKERFILE);
    tree.write("a.dat", POD);
    tree.write("t.dat", TEMPLATE);
    tree.write("notes.txt", "a: b\n");
    tree.write("both.yaml", format!("FROM a: &a\n---\n{POD}"));
    tree.write("data/x.bin", [0; 9]);
    for (target, link) in [
        ("image.bin", "Dockerfile"),
        ("Dockerfile", "chain.Dockerfile"),
        ("a.dat", "b.yaml"),
        ("a.yaml", "c.yaml"),
        ("t.dat", "t.yaml"),
        ("notes.txt", "notes.yaml"),
        ("data", "data.yaml"),
        ("data/x.bin", "x.Dockerfile"),
        // For a Dockerfile it is another thing than for a manifest.
        ("both.yaml", "Containerfile"),
        ("out/b.yaml", "excluded.yaml"),
    ] {
        tree.link(target, link);
    }
    let lost = |link: &str, target: &str, file_type: &str| {
        let why = format!("a link to {target}, which is not taken under its own name");
        format!("{link} {file_type} ({why}; --map {target}={file_type} takes it, or --exclude leaves the link out)")
    };
    let rest = [
        &lost("Containerfile", "both.yaml", "dockerfile"),
        &lost("Dockerfile", "image.bin", "dockerfile"),
        "a.yaml k8s_yaml",
        &lost("b.yaml", "a.dat", "k8s_yaml"),
        "both.yaml k8s_yaml",
        &lost("chain.Dockerfile", "image.bin", "dockerfile"),
    ];
    let skipped = ["c.yaml - link", "data.yaml - link"];
    let common = ["notes.yaml - link", "t.yaml - link", "x.Dockerfile - link"];
    let with = |flags: &[&str], more: &[&str], excluded: &[&str]| {
        let all = [&rest[..], more, &skipped[..], excluded, &common[..], &["1 not searched"][..flags.len()]].concat();
        assert_eq!(tree.list(flags), all, "{flags:?}");
    };
    with(&["exclude=out"], &[], &["excluded.yaml - excluded"]);
    with(&[], &["out/b.yaml k8s_yaml", "out/c.yaml k8s_yaml"], &["excluded.yaml - link"]);
}

#[test]
fn what_a_link_leads_to_is_explained() {
    let tree = Tree::new(&["a.yaml"]);
    tree.write("a.dat", POD);
    tree.link("a.dat", "b.yaml");
    tree.link("a.yaml", "c.yaml");
    let of = |path: &str, flags: &[&str]| explain(&tree.options(flags), &path.into());
    assert_eq!(
        of("b.yaml", &[]),
        [
            "it counts as a Kubernetes manifest: what it leads to would be that under its name",
            "decision: ours, but not scanned: a link to a.dat, which is not taken under its own name; --map a.dat=k8s_yaml takes it, or --exclude leaves the link out"
        ]
    );
    assert_eq!(
        of("c.yaml", &[]),
        [
            "it is not taken for one of ours: it is a link to a place in the tree, which is looked at on its own",
            "decision: skipped: link"
        ]
    );
    let decision = |path, flags| of(path, flags).pop().unwrap();
    assert_eq!(decision("c.yaml", &["exclude=a.yaml"]), "decision: skipped: excluded");
    assert_eq!(decision("c.yaml", &["include=c.yaml"]), "decision: skipped: not_included");
    assert_eq!(decision("c.yaml", &["exclude=c.yaml"]), "decision: skipped: excluded");
}

/// A repository in which a link stands where a program looks, and its target where people do.
#[test]
fn a_link_to_what_another_run_looks_at_is_not_lost() {
    let tree = Tree::new(&["docker/Dockerfile", "services/a/main.yaml", "vendor/image.bin", "charts/image.bin"]).work_tree();
    tree.write(".gitignore", "vendor\nbuilt.dockerfile\n");
    tree.write("values.yaml", "a: b\n");
    tree.write("docker/app", DOCKERFILE);
    tree.write("built.dockerfile", DOCKERFILE);
    fs::create_dir_all(tree.root().join("links")).unwrap();
    let link = |target: &str, selection: &[&str]| {
        let link = tree.root().join("services/a/Dockerfile");
        let _ = fs::remove_file(&link);
        symlink(target, link).unwrap();
        let mine = |line: &String| line.starts_with("services/a/Dockerfile ");
        tree.list(selection).into_iter().find(mine).unwrap_or_default()[22..].to_owned()
    };
    let lost = "dockerfile (a link to docker/app, which is not taken under its own name; --map docker/app=dockerfile takes it, or --exclude leaves the link out)";
    for (target, flags, expected) in [
        ("../../docker/Dockerfile", &[][..], "- link"),
        ("../../docker/Dockerfile", &["services/a"], "- link"),
        ("../../docker/Dockerfile", &["services/**"], "- link"),
        ("../../docker/Dockerfile", &["include=services/**"], "- not_included"),
        ("../../docker/Dockerfile", &["exclude=docker/**"], "- excluded"),
        ("../../docker/Dockerfile", &["exclude=docker"], "- excluded"),
        ("../../docker/Dockerfile", &["exclude=docker/*", "services"], "- link"),
        ("../../docker/Dockerfile", &["exclude=services/a/*"], "- excluded"),
        ("../../docker/app", &[], lost),
        ("../../docker/app", &["services"], "- link"),
        ("../../docker/app", &["exclude=docker/app"], "- excluded"),
        ("../../docker/app", &["dockerfile=docker/app"], "- link"),
        ("../../built.dockerfile", &[], "- ignored"),
        ("../../vendor/image.bin", &[], "- ignored"),
        ("../../nothing", &[], "- broken_link"),
        (
            "../../values.yaml",
            &["k8s_yaml=services/a/Dockerfile"],
            "k8s_yaml (a link to values.yaml, which is not taken under its own name; --map values.yaml=k8s_yaml takes it, or --exclude leaves the link out)",
        ),
        ("../../links", &[], "- link"),
    ] {
        assert_eq!(link(target, flags), expected, "{target} {flags:?}");
        let explained = explain(&tree.options(flags), &"services/a/Dockerfile".into()).pop().unwrap();
        let decision = match expected.split_once(' ') {
            Some(("-", reason)) => format!("decision: skipped: {reason}"),
            Some((_, why)) => format!("decision: ours, but not scanned: {}", why.trim_matches(['(', ')'])),
            None => String::new(),
        };
        assert_eq!(explained, decision, "{target} {flags:?}");
    }
    tree.link("values.yaml", "other.yaml");
    assert!(tree.list(&[]).contains(&"other.yaml - link".to_owned()));
}

/// Where git tracks it an ignore rule does not count: a change can bring both.
#[test]
fn an_ignore_rule_of_a_change_hides_nothing_behind_a_link() {
    let tree = Tree::new(&["vendor/image.bin", "image.bin"]);
    if !tree.git(&["init", "-q"]) {
        return;
    }
    tree.write(".gitignore", "*.bin\nvendor\n");
    tree.link("vendor/image.bin", "Dockerfile");
    tree.link("image.bin", "Containerfile");
    assert_eq!(tree.list(&[])[..2], ["Containerfile - ignored", "Dockerfile - ignored"]);
    assert!(tree.git(&["add", "-f", "-A"]));
    let found = tree.list(&[]);
    assert!(
        found[0].starts_with("Containerfile dockerfile (") && found[1].starts_with("Dockerfile dockerfile ("),
        "{found:?}"
    );
}

/// What one name makes of a target is no answer for a name that asks for more, or for less.
#[test]
fn links_of_one_kind_share_a_look() {
    let tree = Tree::new(&[]);
    tree.write("a.dat", "FROM a\nRUN {{ b }}\n");
    for link in ["Dockerfile.j2", "Dockerfile.prod", "Dockerfile", "x.yaml", "y.dockerfile"] {
        tree.link("a.dat", link);
    }
    let found = tree.list(&[]);
    let ours = found.iter().filter(|line| line.contains(" dockerfile (")).map(|line| line.split(' ').next().unwrap());
    assert_eq!(ours.collect::<Vec<_>>(), ["Dockerfile", "Dockerfile.prod", "y.dockerfile"], "{found:?}");
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
fn a_link_on_the_way_leads_to_nothing_of_ours() {
    let outside = Tree::new(&["x.yaml"]);
    let tree = Tree::new(&["a/x.yaml"]);
    tree.link(outside.root().to_str().unwrap(), "out");
    for selection in [Selection::File("out/x.yaml".into()), Selection::File("a/nothing.yaml".into())] {
        let Selection::File(path) = &selection else { panic!("a file") };
        let expected = format!("{path}: no such file, or one behind a link, and no link is followed");
        let options = Options { selections: vec![selection.clone()], ..tree.options(&["."]) };
        assert_eq!(discover(&options).unwrap_err().to_string(), expected);
    }
    let root = tree.root();
    let classifier = super::classify::Classifier::new(&root, true);
    let outcome = classifier.classify(&"out/x.yaml".into(), super::classify::Entry::File, None, false, &mut Vec::new());
    let super::classify::Outcome::Ours(file, _) = outcome else { panic!("{outcome:?}") };
    assert!(file.obstacle.as_ref().is_some_and(|obstacle| obstacle.starts_with("can't be read: ")), "{file:?}");
}
