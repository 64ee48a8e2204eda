//! The text of a file with the bytes of each of its characters.

use std::ops::Range;

/// A decoded file.
pub(super) struct Source {
    /// Without byte order mark.
    pub(super) text: String,
    /// Where the bytes of each character start, and where the last ones end.
    places: Vec<Range<usize>>,
    /// Whether two bytes are one unit, and the low one comes first.
    wide: Option<bool>,
}

impl Source {
    /// UTF-16 by its mark, all else as UTF-8 with what is none replaced and what YAML has no use for, NUL, left out: so is UTF-16
    /// without a mark, as far as it is ASCII.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut source =
            Self { text: String::with_capacity(bytes.len()), places: Vec::with_capacity(bytes.len()), wide: None };
        match bytes {
            [0xFF, 0xFE, ..] => source.units(bytes, u16::from_le_bytes, true),
            [0xFE, 0xFF, ..] => source.units(bytes, u16::from_be_bytes, false),
            [0xEF, 0xBB, 0xBF, ..] => source.utf8(bytes, 3),
            _ => source.utf8(bytes, 0),
        }
        source
    }

    fn units(&mut self, bytes: &[u8], unit: fn([u8; 2]) -> u16, low_first: bool) {
        self.wide = Some(low_first);
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let mut at = 2;
        for char in char::decode_utf16(units) {
            let width = char.as_ref().map_or(2, |char| 2 * char.len_utf16());
            self.push(char.unwrap_or(char::REPLACEMENT_CHARACTER), at..at + width);
            at += width;
        }
    }

    fn utf8(&mut self, bytes: &[u8], mark: usize) {
        let mut at = mark;
        for chunk in bytes.get(mark..).unwrap_or_default().utf8_chunks() {
            for char in chunk.valid().chars() {
                let width = char.len_utf8();
                if char != '\0' {
                    self.push(char, at..at + width);
                }
                at += width;
            }
            if !chunk.invalid().is_empty() {
                self.push(char::REPLACEMENT_CHARACTER, at..at + chunk.invalid().len());
                at += chunk.invalid().len();
            }
        }
    }

    fn push(&mut self, char: char, place: Range<usize>) {
        self.text.push(char);
        self.places.push(place);
    }

    /// Puts an ASCII character in place of each byte, or unit, of the character at a position.
    pub(super) fn fill(&self, bytes: &mut [u8], position: usize, ascii: u8) {
        let Some(place) = self.places.get(position).and_then(|place| bytes.get_mut(place.clone())) else { return };
        match self.wide {
            None => place.fill(ascii),
            Some(low_first) => {
                for unit in place.chunks_exact_mut(2) {
                    unit.copy_from_slice(&if low_first { [ascii, 0] } else { [0, ascii] });
                }
            }
        }
    }
}
