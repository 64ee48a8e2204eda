//! Which lines of a file a change touches.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

use crate::lines::lines;

/// What became of an old text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lines {
    /// Each place of the change: its lines in the old text and in the new one, from 0; one of the two may be empty.
    hunks: Vec<(Range<u32>, Range<u32>)>,
}

impl Lines {
    /// Compares line by line; whether a line ends in LF or CRLF makes no difference. A lone CR ends none to a builder or a parser, so
    /// what follows one is not what follows an LF.
    pub(crate) fn between(old: &str, new: &str) -> Self {
        let mut input = InternedInput::default();
        input.update_before(tokens(old).into_iter());
        input.update_after(tokens(new).into_iter());
        let mut diff = Diff::compute(Algorithm::Histogram, &input);
        diff.postprocess_lines(&input);
        Self { hunks: diff.hunks().map(|hunk| (hunk.before, hunk.after)).collect() }
    }

    /// Whether the new lines `first` to `last` (from 1) hold an added one, or stand beside the place of a deletion.
    pub(crate) fn touch(&self, first: u32, last: u32) -> bool {
        let span = first.saturating_sub(1)..last;
        self.hunks.iter().any(|(_, new)| {
            if new.is_empty() {
                span.start <= new.start && new.start <= span.end
            } else {
                span.start < new.end && new.start < span.end
            }
        })
    }

    /// How much of both texts is the same, in percent of their lines.
    pub(crate) fn likeness(&self, old: &str, new: &str) -> u64 {
        let all = (lines(old).len() + lines(new).len()) as u64;
        let differ: u64 = self.hunks.iter().map(|(before, after)| (before.len() + after.len()) as u64).sum();
        all.saturating_sub(differ) * 100 / all.max(1)
    }

    /// The old line that a new one (both from 1) is, where it did not change.
    pub(crate) fn old(&self, line: u32) -> Option<u32> {
        let new = line.checked_sub(1)?;
        let mut shift = 0_i64;
        for (before, after) in &self.hunks {
            if after.contains(&new) {
                return None;
            }
            if after.start > new {
                break;
            }
            shift = i64::from(before.end) - i64::from(after.end);
        }
        u32::try_from(i64::from(line) + shift).ok()
    }

    /// Whether this new line (from 1) is the first of those that stand in place of old ones, of which the first was `old`.
    pub(crate) fn replaces(&self, line: u32, old: u32) -> bool {
        self.hunks.iter().any(|(before, after)| {
            after.start + 1 == line && !after.is_empty() && before.start + 1 == old && !before.is_empty()
        })
    }
}

/// Each line, with the lone CR before it.
fn tokens(text: &str) -> Vec<&str> {
    let with_break = |line: Range<usize>| {
        let start = if text[..line.start].ends_with('\r') { line.start - 1 } else { line.start };
        &text[start..line.end]
    };
    lines(text).into_iter().map(with_break).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_change_touches() {
        let lines = Lines::between("a\nb\nc\nd\ne\n", "a\nx\nc\ne\nf\n");
        let touched: Vec<u32> = (1..=5).filter(|line| lines.touch(*line, *line)).collect();
        // `d` went from between `c` and `e`, `f` came.
        assert_eq!(touched, [2, 3, 4, 5]);
        assert!(lines.touch(1, 2));
        assert!(!lines.touch(1, 1));
        let old: Vec<Option<u32>> = (1..=5).map(|line| lines.old(line)).collect();
        assert_eq!(old, [Some(1), None, Some(3), Some(5), None]);
        assert!(lines.replaces(2, 2));
        assert!(!lines.replaces(5, 6));
    }

    #[test]
    fn line_ends_are_no_change() {
        assert_eq!(Lines::between("a\nb\n", "a\r\nb").likeness("a\nb\n", "a\r\nb"), 100);
        assert!(Lines::between("", "a\n").touch(1, 1));
        assert!(Lines::between("USER app\nFROM a\n", "FROM a\n").touch(1, 1));
    }
}
