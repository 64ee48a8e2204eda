//! What git ignores and tracks.

use super::*;

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
    assert_eq!(list[..4], ["a.yaml - ignored", "b.yaml - ignored", "1 not searched", "index of \"\" unreadable"]);
    assert!(list[4].starts_with("the git index can't be read ("), "{list:?}");
}

#[test]
fn what_git_tracks_is_not_lost_with_sha_256() {
    let tree = Tree::new(&["build/x.yaml", "build/new.yaml", "a.yaml", "b.yaml"]);
    tree.write(".gitignore", "build/\na.yaml\nb.yaml\n");
    if !tree.git(&["init", "--object-format=sha256"]) {
        return;
    }
    assert!(tree.git(&["-c", "index.skipHash=true", "add", "-f", ".gitignore", "build/x.yaml", "a.yaml"]));
    let expected = ["a.yaml k8s_yaml", "build/x.yaml k8s_yaml", "b.yaml - ignored", "1 not searched"];
    assert_eq!(tree.list(&[]), expected);
    assert!(tree.git(&["update-index", "--force-write-index"]));
    assert_eq!(tree.list(&[]), expected);
}

#[test]
fn a_tracked_link_is_a_link_and_a_deleted_file_is_not_there() {
    let tree = Tree::new(&["x.yaml", "gone.yaml", "build/gone.yaml"]);
    tree.write(".gitignore", "build/\nl*.yaml\ngone.yaml\n");
    tree.link("x.yaml", "l-in.yaml");
    tree.link("/etc/hostname", "l-out.yaml");
    tree.link("/etc/hostname", "l-untracked.yaml");
    tree.link("../x.yaml", "build/in.yaml");
    tree.link("/etc/hostname", "build/out.yaml");
    tree.link("/etc/hostname", "build/untracked.yaml");
    if !tree.git(&["init"]) {
        return;
    }
    let tracked = ["l-in.yaml", "l-out.yaml", "build/in.yaml", "build/out.yaml", "gone.yaml", "build/gone.yaml"];
    assert!(tree.git(&[&["add", "-f", "x.yaml"], &tracked[..]].concat()));
    fs::remove_file(tree.root().join("gone.yaml")).unwrap();
    fs::remove_file(tree.root().join("build/gone.yaml")).unwrap();
    assert_eq!(
        tree.list(&[]),
        [
            "build/out.yaml k8s_yaml (a link out of the tree)",
            "l-out.yaml k8s_yaml (a link out of the tree)",
            "x.yaml k8s_yaml",
            "build/in.yaml - link",
            "l-in.yaml - link",
            "l-untracked.yaml - ignored",
            "1 not searched"
        ]
    );
    // What stands at the place of a tracked directory is not what git tracks.
    fs::rename(tree.root().join("build"), tree.root().join("moved")).unwrap();
    tree.link("moved", "build");
    fs::write(tree.root().join(".gitignore"), "build\nmoved\nl*.yaml\n").unwrap();
    assert_eq!(
        tree.list(&[]),
        [
            "l-out.yaml k8s_yaml (a link out of the tree)",
            "x.yaml k8s_yaml",
            "l-in.yaml - link",
            "l-untracked.yaml - ignored",
            "1 not searched"
        ]
    );
}

#[test]
fn a_linked_work_tree_has_the_exclude_file_of_its_repository() {
    let tree = Tree::new(&["linked/a.yaml", "linked/sub/a.yaml", "linked/b.yaml"]);
    tree.write("main/.git/info/exclude", "/a.yaml\n");
    tree.write("main/.git/worktrees/linked/commondir", "../..\n");
    tree.write("main/.git/worktrees/linked/info/exclude", "/b.yaml\n");
    tree.write("linked/.git", format!("gitdir: {}\n", tree.root().join("main/.git/worktrees/linked").display()));
    let options = Options { root: tree.root().join("linked"), ..tree.options(&["."]) };
    let found = discover(&options).unwrap();
    assert_eq!(found.skipped, [Skipped { path: "a.yaml".into(), reason: crate::model::SkipReason::Ignored }]);
    assert_eq!(found.files.iter().map(|file| file.path.to_string()).collect::<Vec<_>>(), ["b.yaml", "sub/a.yaml"]);
}
