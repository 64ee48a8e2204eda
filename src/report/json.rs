//! The JSON result.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a value as indented JSON with a line end.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}
