//! The JSON result.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::text::is_unsafe;

/// Writes a value as indented JSON with a line end. What a terminal would obey is written as `\uXXXX`, which means the same.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    let mut safe = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        // Line ends stand between values only: in strings they are escaped already.
        if is_unsafe(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string can't fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe.push('\n');
    out.write_all(safe.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_and_nothing_to_obey() {
        let value = ["a\"\\\u{7f}\u{9b}\n", "\u{202e}é部\u{e0001}"];
        let mut out = Vec::new();
        write(&value, &mut out).expect("a buffer takes all");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(text, "[\n  \"a\\\"\\\\\\u007f\\u009b\\n\",\n  \"\\u202eé部\\udb40\\udc01\"\n]\n");
        assert_eq!(serde_json::from_str::<[String; 2]>(&text).expect("JSON"), value);
    }
}
