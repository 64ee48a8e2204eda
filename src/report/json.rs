//! JSON: the result itself, and what every other format of JSON is written with.

use std::io::{self, Write};

use serde::Serialize;

use super::text::is_unsafe_at;

/// Writes a value as indented JSON with a line end. What a terminal or the log of a CI job would obey is written as `\uXXXX`, which means
/// the same.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(Safe(&mut *out), value)?;
    out.write_all(b"\n")
}

/// The same in one line.
pub fn write_line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(Safe(&mut *out), value)?;
    out.write_all(b"\n")
}

/// Takes JSON as it is written, of which it never holds much. Outside of strings, JSON holds nothing to escape but its line ends, which
/// stay; in strings they are escaped already. That no line starts with `::` follows: none starts within a string.
struct Safe<'a>(&'a mut dyn Write);

impl Write for Safe<'_> {
    /// What stands in a string between two escapes comes in one piece: `serde_json` hands it over as the `str` that it was given, for all
    /// but `collect_str`.
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if is_plain(piece) {
            self.0.write_all(piece)?;
        } else {
            let text = str::from_utf8(piece).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            write_safe(text, self.0)?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether nothing in it can need an escape. There is no early end, so that many bytes are looked at together.
fn is_plain(piece: &[u8]) -> bool {
    piece.iter().fold(true, |is_plain, byte| is_plain & matches!(byte, b'\n' | b' '..=b'Z' | b'\\'..=b'~'))
}

fn write_safe(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut written = 0;
    for (at, c) in text.char_indices().filter(|(at, c)| *c != '\n' && is_unsafe_at(text, *at, *c)) {
        out.write_all(text.as_bytes().get(written..at).unwrap_or_default())?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        written = at + c.len_utf8();
    }
    out.write_all(text.as_bytes().get(written..).unwrap_or_default())
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
