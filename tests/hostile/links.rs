//! Links, special files and devices.

use crate::{outcome, trees};

#[test]
fn links_to_files_outside() {
    assert_eq!(
        outcome::of(trees::links_to_files_outside),
        [
            "exit 7: 5 of 6 files not scanned; 1 sent",
            "Dockerfile not_scanned: a link out of the tree",
            "nothing.yaml not_scanned: a link out of the tree",
            "passwd.yaml not_scanned: a link out of the tree",
            "pod.yaml not_scanned: a link out of the tree",
            "real.yaml scanned",
            "round.yaml skipped: link",
            "up/Dockerfile not_scanned: a link out of the tree"
        ]
    );
}

#[test]
fn links_to_directories_outside() {
    assert_eq!(
        outcome::of(trees::links_to_directories_outside),
        ["exit 7: 1 of 2 files not scanned; 1 sent", "a.yaml not_scanned: a link out of the tree", "real.yaml scanned"]
    );
}

#[test]
fn link_loops() {
    assert_eq!(
        outcome::of(trees::link_loops),
        [
            "exit 0: no findings; 1 sent",
            "a/again.yaml skipped: link",
            "a/b/real.yaml scanned",
            "one.yaml skipped: broken_link",
            "self.yaml skipped: broken_link",
            "two.yaml skipped: broken_link"
        ]
    );
}

#[test]
fn link_chains() {
    assert_eq!(
        outcome::of(trees::link_chains),
        [
            "exit 7: 40 of 41 files not scanned; 1 sent",
            "40 files not_scanned: a link out of the tree",
            "1 files scanned",
            "40 files skipped: broken_link",
            "40 files skipped: link"
        ]
    );
}

#[test]
fn links_through_proc() {
    assert_eq!(
        outcome::of(trees::links_through_proc),
        [
            "exit 7: 5 of 6 files not scanned; 1 sent",
            "Dockerfile not_scanned: a link out of the tree",
            "cwd.yaml not_scanned: a link out of the tree",
            "environ.yaml not_scanned: a link out of the tree",
            "real.yaml scanned",
            "root/Dockerfile not_scanned: a link out of the tree",
            "stdin.yaml not_scanned: a link out of the tree"
        ]
    );
}

#[test]
fn links_to_files_of_other_names() {
    assert_eq!(
        outcome::of(trees::links_to_files_of_other_names),
        [
            "exit 7: 5 of 6 files not scanned; 1 sent",
            "Containerfile not_scanned: a link to pipe, which can't be read: not a regular file",
            "Dockerfile not_scanned: a link to image.bin, which is not taken under its own name; --map image.bin=dockerfile takes it, or --exclude leaves the link out",
            "chain.yaml not_scanned: a link to data/a.dat, which is not taken under its own name; --map data/a.dat=k8s_yaml takes it, or --exclude leaves the link out",
            "note.yaml skipped: link",
            "pod.yaml not_scanned: a link to data/a.dat, which is not taken under its own name; --map data/a.dat=k8s_yaml takes it, or --exclude leaves the link out",
            "real.yaml scanned",
            "same.yaml skipped: link",
            "store.yaml not_scanned: a link into the store of a version control system, which is not searched"
        ]
    );
}

#[test]
fn links_to_one_large_file() {
    let began = std::time::Instant::now();
    assert_eq!(
        outcome::of(trees::links_to_one_large_file),
        ["exit 0: no findings; 1 sent", "1 files scanned", "400 files skipped: link"]
    );
    // A look takes seconds here: one for each link would take minutes.
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "{:?}", began.elapsed());
}

#[test]
fn fifos() {
    assert_eq!(
        outcome::of(trees::fifos),
        [
            "exit 7: 2 of 3 files not scanned; 1 sent",
            "Dockerfile not_scanned: not a regular file: a FIFO",
            "pod.yaml not_scanned: not a regular file: a FIFO",
            "real.yaml scanned"
        ]
    );
}

#[test]
fn sockets() {
    assert_eq!(
        outcome::of(trees::sockets),
        [
            "exit 7: 2 of 3 files not scanned; 1 sent",
            "Dockerfile not_scanned: not a regular file: a socket",
            "pod.yaml not_scanned: not a regular file: a socket",
            "real.yaml scanned"
        ]
    );
}

#[test]
fn devices() {
    if !trees::can_make_devices() {
        eprintln!("skipped: no device can be made here");
        return;
    }
    assert_eq!(
        outcome::of(trees::devices),
        [
            "exit 7: 3 of 4 files not scanned; 1 sent",
            "Dockerfile not_scanned: not a regular file: a character device",
            "disk.yaml not_scanned: not a regular file: a block device",
            "pod.yaml not_scanned: not a regular file: a character device",
            "real.yaml scanned"
        ]
    );
}

#[test]
fn configuration_that_is_a_fifo() {
    assert_eq!(
        outcome::of(trees::configuration_that_is_a_fifo),
        ["exit 2: error: the configuration hss-iac.toml can't be read: not a regular file"]
    );
}
