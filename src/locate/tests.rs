//! Whatever stands in a file and whatever the service says of it, a place lies inside.

use proptest::prelude::*;

use super::{Clue, decode, excerpts, locate};
use crate::model::{FileType, Location, Resource};

/// The number of characters in each line of a file; an empty file is one empty line.
fn widths(source: &[u8]) -> Vec<usize> {
    let text = decode(source).replace("\r\n", "\n").replace('\r', "\n");
    text.strip_suffix('\n').unwrap_or(&text).split('\n').map(|line| line.chars().count()).collect()
}

fn is_inside(widths: &[usize], at: &Location) -> bool {
    let holds = |line: u32, column: u32| {
        let width = (line as usize).checked_sub(1).and_then(|line| widths.get(line));
        width.is_some_and(|width| (1..=width + 1).contains(&(column as usize)))
    };
    holds(at.line, at.column) && holds(at.end_line, at.end_column) && (at.line, at.column) <= (at.end_line, at.end_column)
}

/// Bytes with a mark of each encoding before them, of both kinds of file or of neither.
fn source() -> impl Strategy<Value = Vec<u8>> {
    let marks = proptest::sample::select(vec![&b""[..], b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"]);
    let words = "(USER|RUN|FROM|ONBUILD|root|<<E|E|kind|: |- |a|spec|\\{|\\[|,|\\}|\\]|&a |\\*a|<<|---|#|\"|'|\\||\\\\|`|[ \t\r\n\u{85}\u{e9}\u{1F600}\u{0}]){0,60}";
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        words.prop_map(String::into_bytes),
        words.prop_map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        words.prop_map(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ];
    (marks, bytes).prop_map(|(mark, bytes)| [mark, &bytes].concat())
}

proptest! {
    #[test]
    fn every_place_in_whatever_bytes_lies_inside(
        source in source(),
        said in proptest::collection::vec(prop_oneof!["(?s).{0,40}", "(USER|RUN|root|a|<<E|[ \n\\\\]){0,6}"], 3),
        words in proptest::collection::vec(proptest::option::of("[ a-c/.A=]{0,6}"), 3),
        path in prop_oneof!["(?s).{0,30}", "([./*\\[\\]]|a|kind|spec|0|-1){0,12}"],
    ) {
        let resource = Resource { kind: words[0].clone(), namespace: words[1].clone(), name: words[2].clone() };
        let mut clues = vec![Clue::default(), Clue { resource: Some(&resource), ..Clue::default() }];
        for text in ["USER root", "RUN a", "a", ""].into_iter().chain(said.iter().map(String::as_str)) {
            clues.push(Clue { instruction: Some(text), hit_path: Some(&path), ..clues[0] });
            clues.push(Clue { instruction: Some(text), hit_path: Some(&path), ..clues[1] });
            clues.push(Clue { hit_path: Some(text), ..Clue::default() });
        }
        let widths = widths(&source);
        for file_type in [FileType::Dockerfile, FileType::K8sYaml] {
            let places = locate(file_type, &source, &clues);
            prop_assert_eq!(places.len(), clues.len());
            for place in &places {
                prop_assert!(is_inside(&widths, &place.location), "{:?} of {:?}", place, file_type);
            }
            let excerpts = excerpts(decode(&source), places.iter().map(|place| place.location));
            prop_assert!(excerpts.iter().all(|lines| !lines.is_empty()));
        }
    }
}
