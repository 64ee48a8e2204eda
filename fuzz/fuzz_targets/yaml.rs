//! A YAML file: what it is, what of it is masked, and where a risk stands. Before the first NUL byte stands what the service says, one clue
//! a line; behind it, the file.
#![no_main]

use hss_iac::discover::type_of;
use hss_iac::locate::{Clue, decode, locate};
use hss_iac::mask;
use hss_iac::model::{FileType, RepoPath, Resource};
use libfuzzer_sys::fuzz_target;

#[path = "../places.rs"]
mod places;

fuzz_target!(|bytes: &[u8]| {
    let (said, file) = bytes.iter().position(|b| *b == 0).map_or((&b""[..], bytes), |at| (&bytes[..at], &bytes[at + 1..]));
    classify(file);
    hide(file);
    let said = String::from_utf8_lossy(said);
    let mut resource = Resource::default();
    let mut paths = Vec::new();
    for (n, line) in said.lines().enumerate().take(16) {
        match n {
            0 => resource.kind = Some(line.to_owned()),
            1 => resource.name = Some(line.to_owned()),
            2 => resource.namespace = Some(line.to_owned()),
            _ => paths.push(line),
        }
    }
    let mut clues = vec![Clue::default(), Clue { resource: Some(&resource), ..Clue::default() }];
    for path in paths {
        clues.push(Clue { hit_path: Some(path), resource: Some(&resource), ..Clue::default() });
        clues.push(Clue { hit_path: Some(path), hit_rule: Some("x"), ..Clue::default() });
    }
    let placed = locate(FileType::K8sYaml, file, &clues);
    places::assert_inside(file, &placed, clues.len());
});

/// A checkout with other line ends is the same file.
fn classify(file: &[u8]) {
    let path = RepoPath::from("a.yaml");
    let found = type_of(&path, file);
    assert_ne!(found, Some(FileType::Dockerfile));
    if !file.contains(&b'\r') && std::str::from_utf8(file).is_ok() {
        let crlf = String::from_utf8_lossy(file).replace('\n', "\r\n");
        assert_eq!(type_of(&path, crlf.as_bytes()), found, "line ends say nothing");
    }
}

/// Masking changes no length and no line, and a second time changes nothing.
fn hide(file: &[u8]) {
    let Ok(Some(masked)) = mask::secrets(file) else { return };
    assert_eq!(masked.bytes.len(), file.len());
    assert!(masked.values > 0);
    assert_eq!(lines(&masked.bytes), lines(file));
    let again = mask::secrets(&masked.bytes).expect("what was masked can be read").expect("it still holds a Secret");
    assert!(again.bytes == masked.bytes, "a second time changes nothing");
}

/// How long each line is, in bytes or in units of UTF-16. Not in characters: one of several bytes becomes as many.
fn lines(file: &[u8]) -> Vec<usize> {
    let is_end = |unit: &u16| [0x0A, 0x0D].contains(unit);
    let units: Vec<u16> = match file {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => decode(file).encode_utf16().collect(),
        _ => file.iter().copied().map(u16::from).collect(),
    };
    units.split(is_end).map(<[u16]>::len).collect()
}
