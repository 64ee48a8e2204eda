//! Two `.gitignore` files over a fixed tree: rules may hide a file, and never lose one without a word. The first byte that is no UTF-8 (0xFF)
//! parts the two.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use hss_iac::discover::{self, Discovery, Options, Selection};
use hss_iac::model::RepoPath;
use libfuzzer_sys::fuzz_target;

static TREE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let tree = tempfile::tempdir().expect("a directory");
    for directory in [".git", "a/b", "c d", "[x]", "ä"] {
        fs::create_dir_all(tree.path().join(directory)).expect("a directory");
    }
    fs::write(tree.path().join(".git/HEAD"), "ref: refs/heads/main\n").expect("a file");
    for file in ["Dockerfile", "a/Dockerfile", "a/b/Dockerfile", "c d/Dockerfile", "[x]/Dockerfile", "ä/Dockerfile.dev"] {
        fs::write(tree.path().join(file), "FROM scratch\n").expect("a file");
    }
    fs::write(tree.path().join("a/b/web.yaml"), "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n").expect("a file");
    tree
});

fn found(no_ignore: bool) -> Discovery {
    let options = Options {
        root: fs::canonicalize(TREE.path()).expect("it is there"),
        selections: vec![Selection::Tree(RepoPath::default())],
        include: Vec::new(),
        exclude: Vec::new(),
        map: Vec::new(),
        no_ignore,
        tracked: false,
        mask_secrets: true,
    };
    discover::discover(&options).expect("a tree")
}

static ALL: LazyLock<Vec<RepoPath>> = LazyLock::new(|| {
    let all: Vec<RepoPath> = found(true).files.into_iter().map(|file| file.path).collect();
    assert_eq!(all.len(), 7);
    all
});

fuzz_target!(|bytes: &[u8]| {
    let (top, inner) =
        bytes.iter().position(|b| *b == 0xFF).map_or((bytes, &b""[..]), |at| (&bytes[..at], &bytes[at + 1..]));
    let all = &*ALL;
    fs::write(TREE.path().join(".gitignore"), top).expect("a file");
    fs::write(TREE.path().join("a/.gitignore"), inner).expect("a file");
    let found = found(false);
    for path in all {
        let taken = found.files.iter().any(|file| file.path == *path);
        let skipped = found.skipped.iter().any(|skipped| skipped.path == *path);
        let pruned = path.directories().any(|directory| found.pruned_directories.contains(&directory));
        assert_eq!(u8::from(taken) + u8::from(skipped) + u8::from(pruned), 1, "{path:?} is in one place: {found:?}");
    }
    assert!(found.files.iter().all(|file| all.contains(&file.path)), "rules bring nothing in");
    assert_eq!(found.directories_not_searched, found.pruned_directories.len() as u64);
    // Comments and empty lines are no rules.
    let says_nothing = |rules: &[u8]| rules.split(|b| *b == b'\n').all(|line| line.is_empty() || line.starts_with(b"#"));
    if says_nothing(top) && says_nothing(inner) {
        assert_eq!(found.files.len(), all.len());
    }
});
