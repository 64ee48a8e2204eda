//! What `config` prints.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;
use serde_json::Value as Json;
use unicode_width::UnicodeWidthStr as _;

use super::printable;

/// Every value that a scan would go by.
#[derive(Debug, Serialize)]
pub struct Effective {
    /// In the order of the flags, suppressions last.
    pub values: Vec<Value>,
}

/// A value and where it comes from.
#[derive(Debug, Serialize)]
pub struct Value {
    /// The flag without its dashes, `credentials` or `suppress`.
    pub name: String,
    /// Text, a list of texts, or null where there is none.
    pub value: Json,
    /// Who says so.
    pub origin: Origin,
}

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", content = "name", rename_all = "lowercase")]
pub enum Origin {
    /// Nobody.
    Default,
    /// The flag.
    Flag(String),
    /// The environment variable.
    Variable(String),
    /// The file and the key or line in it.
    File(String),
}

const DIM: Style = Style::new().dimmed();

/// Writes the table.
pub fn write(effective: &Effective, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(&str, String, &str)> = effective.values.iter().map(row).collect();
    let widest = |of: fn(&(&str, String, &str)) -> usize| rows.iter().map(of).max().unwrap_or(0).min(60);
    let (name, value) = (widest(|row| row.0.width()), widest(|row| row.1.width()));
    for (text, said, origin) in &rows {
        let pad = " ".repeat(value.saturating_sub(said.width()));
        writeln!(out, "{text:<name$}  {said}{pad}  {DIM}{}{DIM:#}", printable(origin))?;
    }
    Ok(())
}

fn row(value: &Value) -> (&str, String, &str) {
    let texts: Vec<&str> = match &value.value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let text = if texts.is_empty() { "-".to_owned() } else { printable(&texts.join(", ")).into_owned() };
    let origin = match &value.origin {
        Origin::Default => "default",
        Origin::Flag(name) | Origin::Variable(name) | Origin::File(name) => name,
    };
    (&value.name, text, origin)
}
