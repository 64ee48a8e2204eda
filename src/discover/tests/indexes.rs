//! A git index in each of its forms: the quick way through the usual ones shows what git wrote, and leaves the rest alone.

use gix_index::hash::Kind;

use super::*;
use crate::discover::index;

const PATHS: [&str; 5] = ["a/b/Dockerfile", "a/b/c-with-a-name-of-some-length.yaml", "a/b/c.yaml", "a/long.yaml", "z.yaml"];

fn repository(init: &[&str]) -> Option<Tree> {
    let tree = Tree::new(&PATHS);
    tree.link("z.yaml", "link.yaml");
    (tree.git(&[&["init"], init].concat()) && tree.git(&["add", "."])).then_some(tree)
}

/// What the quick way shows, each path once; `None` where it leaves the index alone.
fn shown(tree: &Tree, hash: Kind) -> Option<Vec<String>> {
    let mut shown = Vec::new();
    index::paths(&tree.root().join(".git/index"), hash, |path| shown.push(String::from_utf8_lossy(path).into_owned()))
        .ok()?;
    shown.dedup();
    Some(shown)
}

fn with_link() -> Vec<String> {
    let mut paths = PATHS.map(str::to_owned).to_vec();
    paths.insert(4, "link.yaml".to_owned());
    paths
}

#[test]
fn the_usual_forms_are_read_in_one_pass() {
    let Some(tree) = repository(&[]) else { return };
    assert_eq!(shown(&tree, Kind::Sha1), Some(with_link()), "version 2");
    assert_eq!(shown(&tree, Kind::Sha256), None, "not the hash of this repository");
    assert!(tree.git(&["update-index", "--index-version", "4"]));
    assert_eq!(shown(&tree, Kind::Sha1), Some(with_link()), "version 4");
    assert!(tree.git(&["-c", "index.skipHash=true", "update-index", "--index-version", "2", "--force-write-index"]));
    assert_eq!(shown(&tree, Kind::Sha1), Some(with_link()), "without a checksum");
    tree.write("new.yaml", POD);
    assert!(tree.git(&["add", "--intent-to-add", "new.yaml"]));
    let mut more = with_link();
    more.insert(5, "new.yaml".to_owned());
    assert_eq!(shown(&tree, Kind::Sha1), Some(more.clone()), "version 3");
    assert!(tree.git(&["commit", "-qm", "a"]));
    assert_eq!(shown(&tree, Kind::Sha1), Some(more.clone()), "with a cache of trees");
    if let Some(tree) = repository(&["--object-format=sha256"]) {
        assert_eq!(shown(&tree, Kind::Sha256), Some(with_link()), "SHA-256");
    }
}

#[test]
fn a_path_in_conflict_is_shown() {
    let Some(tree) = repository(&[]) else { return };
    assert!(tree.git(&["commit", "-qm", "a"]) && tree.git(&["checkout", "-qb", "other"]));
    tree.write("z.yaml", "one");
    assert!(tree.git(&["commit", "-qam", "one"]) && tree.git(&["checkout", "-q", "-"]));
    tree.write("z.yaml", "another");
    assert!(tree.git(&["commit", "-qam", "another"]) && !tree.git(&["merge", "-q", "other"]));
    assert_eq!(shown(&tree, Kind::Sha1), Some(with_link()));
}

#[test]
fn an_index_in_two_files_is_read_whole() {
    let Some(tree) = repository(&[]) else { return };
    assert!(tree.git(&["update-index", "--split-index"]));
    tree.write("new.yaml", POD);
    assert!(tree.git(&["add", "new.yaml"]) && tree.git(&["rm", "-q", "--cached", "a/long.yaml"]));
    assert_eq!(shown(&tree, Kind::Sha1), None);
    let mut options = tree.options(&[]);
    options.tracked = true;
    let found = discover(&options).unwrap();
    let paths: Vec<_> = found.files.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(paths, ["a/b/Dockerfile", "a/b/c-with-a-name-of-some-length.yaml", "a/b/c.yaml", "new.yaml", "z.yaml"]);
}

#[test]
fn a_damaged_index_is_left_alone() {
    let Some(tree) = repository(&[]) else { return };
    for version in ["2", "4"] {
        assert!(tree.git(&["update-index", "--index-version", version]));
        let whole = fs::read(tree.root().join(".git/index")).unwrap();
        for at in 0..whole.len() {
            tree.write(".git/index", &whole[..at]);
            assert_eq!(shown(&tree, Kind::Sha1), None, "version {version}, cut off after {at} bytes");
            let mut damaged = whole.clone();
            damaged[at] ^= 0x41;
            tree.write(".git/index", &damaged);
            assert_eq!(shown(&tree, Kind::Sha1), None, "version {version}, damaged at {at}");
        }
        tree.write(".git/index", &whole);
    }
}
