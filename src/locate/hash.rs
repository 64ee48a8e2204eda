//! GitHub's `primaryLocationLineHash`, by which code scanning knows an alert again when lines move.
//!
//! GitHub's own upload step computes it from the file (`src/fingerprints.ts` of github/codeql-action) and warns where a report says
//! otherwise, so it is the same here to the last detail: the bytes are read as UTF-8 whatever they are, and a byte order mark counts.

use std::collections::HashMap;

/// Characters that a hash looks at.
const BLOCK: usize = 100;
const BASE: u64 = 37;
/// `BASE` to the power of `BLOCK`: the weight of the character that leaves the block.
const OLDEST: u64 = {
    let mut power: u64 = 1;
    let mut i = 0;
    while i < BLOCK {
        power = power.wrapping_mul(BASE);
        i += 1;
    }
    power
};
/// Stands behind the last character.
const END: u16 = 0xFFFF;

/// The hashes of all lines of a file.
#[derive(Debug)]
pub(super) struct LineHashes(Vec<(u64, u32)>);

impl LineHashes {
    /// Hashes every line in one pass.
    pub(super) fn of(source: &[u8]) -> Self {
        let text = String::from_utf8_lossy(source);
        let mut block = [0_u16; BLOCK];
        let mut starts_line = [false; BLOCK];
        let mut at = 0;
        let mut hash: u64 = 0;
        let mut hashes = Vec::new();
        let mut seen: HashMap<u64, u32> = HashMap::new();
        let mut line_start = true;
        let zeros = std::iter::repeat_n(0, BLOCK);
        let units = Units { units: text.encode_utf16(), after_cr: false }.chain([END]).map(Some);
        for unit in units.chain(zeros.map(|_: u16| None)) {
            // The block is full of what followed the start of a line: that is its hash.
            if std::mem::take(&mut starts_line[at]) {
                let nth = seen.entry(hash).or_default();
                *nth += 1;
                hashes.push((hash, *nth));
            }
            if unit.is_some() {
                starts_line[at] = line_start;
                line_start = unit == Some(u16::from(b'\n'));
            }
            let unit = unit.unwrap_or(0);
            let oldest = std::mem::replace(&mut block[at], unit);
            hash = hash.wrapping_mul(BASE).wrapping_add(unit.into()).wrapping_sub(OLDEST.wrapping_mul(oldest.into()));
            at = (at + 1) % BLOCK;
        }
        Self(hashes)
    }

    /// The hash of a line, counted from 1; of the last one where there are not as many.
    pub(super) fn at(&self, line: u32) -> String {
        let found = self.0.get((line as usize).saturating_sub(1)).or(self.0.last());
        found.map_or_else(String::new, |(hash, nth)| format!("{hash:x}:{nth}"))
    }
}

/// UTF-16 code units without blanks and tabs, every line break as LF.
struct Units<'a> {
    units: std::str::EncodeUtf16<'a>,
    after_cr: bool,
}

impl Iterator for Units<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        loop {
            let unit = self.units.next()?;
            let after_cr = std::mem::take(&mut self.after_cr);
            match u8::try_from(unit) {
                Ok(b' ' | b'\t') => {}
                Ok(b'\n') if after_cr => {}
                Ok(b'\r') => {
                    self.after_cr = true;
                    return Some(u16::from(b'\n'));
                }
                _ => return Some(unit),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(source: &str) -> Vec<String> {
        let hashes = LineHashes::of(source.as_bytes());
        (1..=u32::try_from(hashes.0.len()).unwrap()).map(|line| hashes.at(line)).collect()
    }

    #[test]
    fn the_known_vectors() {
        assert_eq!(all(""), ["c129715d7a2bc9a3:1"]);
        let four = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(all(" a\nb\n  \t\tc\n d"), four);
        assert_eq!(all(" a\r\nb\r  \t\tc\n d"), four);
        assert_eq!(
            all("x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n"),
            [
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1",
            ]
        );
        let many = all(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(many[..5], [1, 2, 3, 4, 5].map(|nth| format!("a7f2ff13bc495cf2:{nth}")));
    }

    #[test]
    fn the_byte_order_mark_counts() {
        assert_ne!(all("\u{feff}a"), all("a"));
        assert_eq!(all("\u{feff}a\nb")[1], all("a\nb")[1]);
    }

    /// The definition, line by line, without a rolling block.
    fn by_definition(text: &str) -> Vec<String> {
        let blank = |unit: &u16| [u16::from(b' '), u16::from(b'\t')].contains(unit);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<&str> = text.split('\n').collect();
        let mut seen: HashMap<u64, u32> = HashMap::new();
        (0..lines.len())
            .map(|line| {
                let rest = lines[line..].join("\n");
                let units = rest.encode_utf16().filter(|unit| !blank(unit)).chain([END]).chain([0; BLOCK]).take(BLOCK);
                let hash = units.fold(0_u64, |hash, unit| hash.wrapping_mul(BASE).wrapping_add(unit.into()));
                let nth = seen.entry(hash).or_default();
                *nth += 1;
                format!("{hash:x}:{nth}")
            })
            .collect()
    }

    proptest! {
        #[test]
        fn rolling_equals_the_definition(text in "[a-c \t\r\n\u{1F600}]{0,400}") {
            prop_assert_eq!(all(&text), by_definition(&text));
        }
    }
}
