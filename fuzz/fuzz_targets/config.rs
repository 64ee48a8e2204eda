//! `hss-iac.toml`: a mistake is told with a place in the file, and what was read is what is written.
#![no_main]

use hss_iac::config::{NAME, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse(NAME, bytes) {
        Err(mistake) => {
            let said = mistake.to_string();
            let place = said.strip_prefix(NAME).and_then(|rest| rest.strip_prefix(':')).expect("the name");
            let (line, rest) = place.split_once(':').expect("a line");
            let (column, text) = rest.split_once(": ").expect("a column");
            let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
            let line: usize = line.parse().expect("a number");
            let column: usize = column.parse().expect("a number");
            assert!((1..=lines.len()).contains(&line), "{said}");
            assert!((1..=lines[line - 1].len() + 1).contains(&column), "{said}");
            assert!(!text.trim().is_empty() && !said.contains('\n'), "{said:?}");
        }
        Ok(file) => {
            // What it means does not depend on how it is spelt.
            let written = serde_json::to_value(&file).expect("JSON");
            let text = toml::to_string(&written).expect("TOML");
            let mut again = parse(NAME, text.as_bytes()).unwrap_or_else(|mistake| panic!("{mistake} in {text}"));
            for (again, first) in again.suppress.iter_mut().zip(&file.suppress) {
                assert!((1..=bytes.split(|b| *b == b'\n').count()).contains(&first.line));
                again.line = first.line;
            }
            assert_eq!(again, file, "{text}");
        }
    }
});
