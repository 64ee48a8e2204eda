//! Trees that change between a look and an opening.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::common::{clean_dockerfile, connect, hss_iac, quick, start};
use crate::outcome::guarded;
use crate::trees::{OUTSIDE, Place};

#[test]
fn a_swap_in_the_middle_brings_nothing_of_outside() {
    let place = Place::new();
    for n in 0..20 {
        place.write(format!("d{n}/Dockerfile"), clean_dockerfile(n));
        place.write(format!("f{n}/Dockerfile"), clean_dockerfile(100 + n));
        std::os::unix::fs::symlink(place.outside(), place.tree().join(format!(".d{n}"))).expect("a link");
        let link = place.tree().join(format!("f{n}/link"));
        std::os::unix::fs::symlink(place.outside().join("Dockerfile"), link).expect("a link");
    }
    let over = AtomicBool::new(false);
    let swap = |one: &str, other: &str| {
        let at = |path: &str| place.tree().join(path);
        renameat_with(CWD, at(one), CWD, at(other), RenameFlags::EXCHANGE).expect("a swap");
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for n in 0..20 {
                    swap(&format!("d{n}"), &format!(".d{n}"));
                    swap(&format!("f{n}/Dockerfile"), &format!("f{n}/link"));
                }
            }
        });
        for _ in 0..15 {
            let emulator = start(quick());
            let mut command = hss_iac(&place.tree());
            connect(&mut command, &emulator).args(["scan", "-o", "json"]);
            let ran = guarded(command);
            over.fetch_or(![0, 1, 7].contains(&ran.code), Ordering::Relaxed);
            assert!([0, 1, 7].contains(&ran.code), "exit {}: {}", ran.code, ran.stderr);
            for file in emulator.files() {
                let leaks = String::from_utf8_lossy(&file.bytes).contains(OUTSIDE);
                over.fetch_or(leaks, Ordering::Relaxed);
                assert!(!leaks, "{} comes from outside", file.name);
            }
            assert!(!ran.stdout.contains(OUTSIDE) && !ran.stderr.contains(OUTSIDE));
        }
        over.store(true, Ordering::Relaxed);
    });
}
