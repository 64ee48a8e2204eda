//! JSON: the result itself, and what every other format of JSON is written with.

use std::io::{self, Write};

use serde::Serialize;

use super::text::is_unsafe_at;

/// Writes a value as indented JSON with a line end. What a terminal or the log of a CI job would obey is written as `\uXXXX`, which means
/// the same.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    write_safe(&serde_json::to_string_pretty(value)?, out)
}

/// The same in one line.
pub fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    write_safe(&serde_json::to_string(value)?, out)
}

/// Outside of strings, JSON holds nothing to escape but its line ends, which stay; in strings they are escaped already. That no line
/// starts with `::` follows: none starts within a string.
fn write_safe(json: &str, out: &mut dyn Write) -> io::Result<()> {
    let (mut at, mut written) = (0, 0);
    for line in json.split_inclusive('\n') {
        let end = at + line.len();
        if !is_plain(line.as_bytes()) {
            out.write_all(&json.as_bytes()[written..at])?;
            write_line_safe(line, out)?;
            written = end;
        }
        at = end;
    }
    out.write_all(&json.as_bytes()[written..])?;
    out.write_all(b"\n")
}

/// Whether nothing in it can need an escape. There is no early end, so that many bytes are looked at together.
fn is_plain(line: &[u8]) -> bool {
    line.iter().fold(true, |is_plain, byte| is_plain & matches!(byte, b'\n' | b' '..=b'Z' | b'\\'..=b'~'))
}

fn write_line_safe(line: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut written = 0;
    for (at, c) in line.char_indices().filter(|(at, c)| *c != '\n' && is_unsafe_at(line, *at, *c)) {
        out.write_all(line.as_bytes().get(written..at).unwrap_or_default())?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        written = at + c.len_utf8();
    }
    out.write_all(line.as_bytes().get(written..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_and_nothing_to_obey() {
        let value = ["a\"\\\u{7f}\u{9b}\n", "\u{202e}é部\u{e0001}##[x]"];
        let mut out = Vec::new();
        write(&value, &mut out).expect("a buffer takes all");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(text, "[\n  \"a\\\"\\\\\\u007f\\u009b\\n\",\n  \"\\u202eé部\\udb40\\udc01##\\u005bx]\"\n]\n");
        assert_eq!(serde_json::from_str::<[String; 2]>(&text).expect("JSON"), value);
    }
}
