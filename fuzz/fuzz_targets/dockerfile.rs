//! The model of a Dockerfile: every span lies in the text and in its order, and what a CRLF checkout changes is not what it says.
#![no_main]

use hss_iac::dockerfile::{Words, comments, escape_character, instructions};
use hss_iac::locate::{Clue, locate};
use hss_iac::model::FileType;
use libfuzzer_sys::fuzz_target;

#[path = "../places.rs"]
mod places;

fuzz_target!(|text: &str| {
    let found = instructions(text, escape_character(text));
    let mut end = 0;
    for instruction in &found {
        assert!(instruction.span.start >= end && !text[instruction.span.clone()].trim().is_empty());
        end = instruction.span.end;
        assert!(instruction.own_lines <= instruction.lines.len());
        let mut line_end = 0;
        for line in &instruction.lines {
            assert!(line.start >= line_end && !text[line.clone()].is_empty());
            line_end = line.end;
        }
        // The text is what stands in the file, and nothing else.
        let joined: String = instruction.parts.iter().map(|part| &text[part.clone()]).collect();
        assert_eq!(joined, instruction.text);
        let words = Words::of(&instruction.text);
        assert!(instruction.text.ends_with(words.argument) || instruction.text.trim_end().ends_with(words.argument));
    }
    for comment in comments(text) {
        assert!(text[comment].starts_with('#'));
    }
    // What the service says of an instruction leads to a place inside the file.
    let clues: Vec<Clue<'_>> =
        found.iter().map(|found| Clue { instruction: Some(&found.text), ..Clue::default() }).collect();
    let placed = locate(FileType::Dockerfile, text.as_bytes(), &clues);
    places::assert_inside(text.as_bytes(), &placed, clues.len());
    if !text.contains('\r') {
        let texts = |text: &str| -> Vec<(String, usize)> {
            instructions(text, escape_character(text)).into_iter().map(|found| (found.text, found.lines.len())).collect()
        };
        assert_eq!(texts(&text.replace('\n', "\r\n")), texts(text), "line ends say nothing");
    }
});
