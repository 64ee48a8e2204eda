//! Positions and bytes.

/// Finds the byte of a position; cheap where each position is near the one before.
pub(super) struct Cursor<'t> {
    text: &'t str,
    ascii: bool,
    byte: usize,
    position: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, ascii: text.is_ascii(), byte: 0, position: 0 }
    }

    /// The text before a position.
    pub(super) fn before(&mut self, position: usize) -> &'t str {
        if self.ascii {
            return self.text.get(..position).unwrap_or(self.text);
        }
        let (before, after) = self.text.split_at_checked(self.byte).unwrap_or((self.text, ""));
        if position >= self.position {
            for char in after.chars().take(position - self.position) {
                self.byte += char.len_utf8();
                self.position += 1;
            }
        } else if let Some((byte, _)) = before.char_indices().nth_back(self.position - position - 1) {
            self.byte = byte;
            self.position = position;
        }
        self.text.get(..self.byte).unwrap_or(self.text)
    }
}
