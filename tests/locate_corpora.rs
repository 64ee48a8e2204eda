//! Finds the instructions of real Dockerfiles again.
//!
//! `HSS_IAC_CORPORA` names a folder with, for each repository, a tree `NAME/` and the files of ours in it in `NAME.tsv` (path, tab,
//! `dockerfile` or `k8s_yaml`). The repositories are not part of this project; without the variable there is nothing to look at.
#![expect(clippy::expect_used, reason = "a test")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use hss_iac::locate::{Clue, Place, locate};
use hss_iac::model::{FileType, Precision};

#[test]
fn instructions_of_real_dockerfiles_are_found_exactly() {
    let Some(corpora) = std::env::var_os("HSS_IAC_CORPORA").map(PathBuf::from) else {
        eprintln!("skipped: HSS_IAC_CORPORA is not set");
        return;
    };
    let files = dockerfiles(&corpora);
    assert!(!files.is_empty(), "no Dockerfile in {}", corpora.display());
    let (mut once, mut misses) = (0, Vec::new());
    for file in &files {
        let source = fs::read(file).expect("a readable file");
        let text = String::from_utf8_lossy(&source).replace("\r\n", "\n");
        let said = instructions(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        for (said, _) in &said {
            *numbers.entry(said).or_default() += 1;
        }
        // Every instruction, every single line, and a text cut in the middle: whatever is asked, the place lies inside.
        let mut asked: Vec<&str> = said.iter().map(|(said, _)| said.as_str()).collect();
        asked.extend(text.lines());
        asked.extend(said.iter().map(|(said, _)| said.get(..said.len() / 2).unwrap_or_default()));
        let clues: Vec<Clue<'_>> =
            asked.into_iter().map(|text| Clue { instruction: Some(text), ..Clue::default() }).collect();
        let places = locate(FileType::Dockerfile, &source, &clues);
        assert_eq!(places.len(), clues.len());
        for (place, clue) in places.iter().zip(&clues) {
            assert!(is_inside(place, &text), "{}: {clue:?} at {:?}", file.display(), place.location);
        }
        for (place, (said, line)) in places.iter().zip(&said).filter(|(_, (said, _))| numbers[said.as_str()] == 1) {
            once += 1;
            let at = place.location;
            if (at.precision, at.line as usize) != (Precision::Exact, *line) {
                misses.push(format!("{}:{line}: {said:?} at {at:?}", file.display()));
            }
        }
    }
    println!("{} Dockerfiles, {once} instructions that stand in theirs once, {} missed", files.len(), misses.len());
    assert!(misses.len() * 100 <= once, "{}", misses.join("\n"));
}

fn dockerfiles(corpora: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(corpora).expect("HSS_IAC_CORPORA is a readable folder") {
        let truth = entry.expect("an entry").path();
        let name = truth.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = name.strip_suffix(".tsv").filter(|name| !name.ends_with(".templates")) else { continue };
        let text = fs::read_to_string(&truth).expect("a readable truth file");
        files.extend(text.lines().filter_map(|line| Some(corpora.join(name).join(line.strip_suffix("\tdockerfile")?))));
    }
    files.sort();
    files
}

/// Each instruction on one line, with the number of the line on which it begins: lines that go on are trimmed and joined by a blank.
fn instructions(text: &str) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    let mut goes_on = false;
    let mut ends: Vec<String> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(end) = ends.first() {
            if line == end {
                ends.remove(0);
            }
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let part = line.strip_suffix('\\').unwrap_or(line).trim();
        match found.last_mut().filter(|_| goes_on) {
            Some((said, _)) => {
                said.push(' ');
                said.push_str(part);
            }
            None => found.push((part.to_owned(), index + 1)),
        }
        goes_on = line.ends_with('\\');
        let openings = line.split(' ').filter_map(|word| word.strip_prefix("<<")).filter(|word| !word.starts_with('<'));
        ends = openings.map(|word| word.trim_start_matches('-').replace(['"', '\''], "")).collect();
        ends.retain(|end| text.lines().skip(index).any(|line| line.trim() == end));
    }
    found
}

fn is_inside(place: &Place, text: &str) -> bool {
    let at = place.location;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let width = |line: u32| text.lines().nth(line as usize - 1).map(|line| line.chars().count());
    let (Some(first), Some(last)) = (width(at.line), width(at.end_line)) else { return false };
    at.line >= 1
        && at.column >= 1
        && at.column as usize <= first + 1
        && at.end_column as usize <= last + 1
        && (at.line, at.column) <= (at.end_line, at.end_column)
}
