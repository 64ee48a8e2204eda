//! Names that are no names to the next program.

use crate::{outcome, trees};

#[test]
fn names_with_control_characters() {
    assert_eq!(
        outcome::of(trees::names_with_control_characters),
        [
            "exit 1: 1 finding (1 high) reaches the gate (high); 2 sent",
            "\u{7}\u{8}\u{7f}.yaml scanned",
            "\n##[group]/Dockerfile scanned",
            "\r\n::error::x.yaml scanned",
            "\u{1b}[2J\u{1b}[31m.yaml scanned",
            "a\nb.yaml scanned",
            "\u{9b}2J.yaml scanned"
        ]
    );
}

#[test]
fn names_with_bidi_marks() {
    assert_eq!(
        outcome::of(trees::names_with_bidi_marks),
        [
            "exit 0: no findings; 1 sent",
            "a\u{2066}b\u{2069}.yaml scanned",
            "zero\u{200b}width.yaml scanned",
            "\u{200f}c.yaml scanned",
            "\u{202e}lmay.yaml scanned"
        ]
    );
}

#[test]
fn names_like_a_way_up() {
    assert_eq!(
        outcome::of(trees::names_like_a_way_up),
        [
            "exit 0: no findings; 1 sent",
            "%2e%2e%2fd.yaml scanned",
            "....yaml scanned",
            ".../a.yaml scanned",
            "...yaml scanned",
            "..a/b.yaml scanned",
            "\\..\\..\\c.yaml scanned",
            "a../..yaml scanned"
        ]
    );
}

#[test]
fn names_like_options() {
    assert_eq!(
        outcome::of(trees::names_like_options),
        [
            "exit 1: 1 finding (1 high) reaches the gate (high); 2 sent",
            "--/Dockerfile.yaml scanned",
            "--config=x/Dockerfile scanned",
            "--emulator/c.yaml scanned",
            "--output=json=x.yaml scanned",
            "-/a.yaml scanned",
            "-v.yaml scanned",
            "@b.yaml scanned"
        ]
    );
}

#[test]
fn names_that_are_not_utf_8() {
    assert_eq!(
        outcome::of(trees::names_that_are_not_utf_8),
        [
            "exit 0: no finding reaches the gate (high); 2 sent",
            "\\xC3(.yaml scanned",
            "\\xED\\xA0\\x80.yaml scanned",
            "\\xF0\\x9F/Dockerfile scanned",
            "\\xFF.yaml scanned"
        ]
    );
}

#[test]
fn names_that_differ_in_case() {
    assert_eq!(
        outcome::of(trees::names_that_differ_in_case),
        [
            "exit 0: no finding reaches the gate (high); 6 sent",
            "A/Dockerfile scanned",
            "DOCKERFILE scanned",
            "Dockerfile scanned",
            "Pod.YAML scanned",
            "a/Dockerfile scanned",
            "dockerfile scanned",
            "pod.yaml scanned"
        ]
    );
}

#[test]
fn paths_of_4096_bytes() {
    assert_eq!(
        outcome::of(trees::paths_of_4096_bytes),
        [
            "exit 7: 1 directory could not be listed; 1 sent",
            "17 files scanned",
            "note: dddddddd..4318..arched: File name too long (os error 36)"
        ]
    );
}
