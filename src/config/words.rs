//! Values that are checked as they are read, so that a mistake is told with its line.

use std::borrow::Cow;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr as _;

use crate::discover;
use crate::model::Level;

/// A pattern of paths, as `--exclude` takes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(pub glob::Pattern);

impl TryFrom<String> for Glob {
    type Error = discover::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        discover::pattern(&text).map(Self)
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0.as_str().to_owned()
    }
}

/// Text that says something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(pub String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.trim() {
            blank if blank.width() == 0 => Err("is empty, and it has to say something"),
            said => Ok(Self(said.to_owned())),
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// A day, as text or as a date of TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "DateOrText", into = "String")]
pub struct Until(pub Date);

#[derive(Deserialize)]
#[serde(untagged, expecting = "no date, such as 2027-01-31")]
enum DateOrText {
    Text(String),
    Date(toml::value::Datetime),
}

impl TryFrom<DateOrText> for Until {
    type Error = String;

    fn try_from(value: DateOrText) -> Result<Self, Self::Error> {
        let text = match value {
            DateOrText::Text(text) => text,
            DateOrText::Date(date) => date.to_string(),
        };
        // A time of day would be left out silently.
        let date = Date::strptime("%Y-%m-%d", &text).ok().filter(|_| text.len() == "2027-01-31".len());
        date.map(Self).ok_or_else(|| format!("{text:?} is no date, such as 2027-01-31"))
    }
}

impl From<Until> for String {
    fn from(until: Until) -> Self {
        until.0.to_string()
    }
}

/// The schema of the limits: one number a level, and no other name.
pub(super) fn max(_: &mut SchemaGenerator) -> Schema {
    let limit = json_schema!({"type": "integer", "minimum": 0});
    let levels: serde_json::Map<_, _> =
        Level::WORST_FIRST.into_iter().map(|level| (level.to_string(), limit.clone().to_value())).collect();
    json_schema!({"type": "object", "properties": levels, "additionalProperties": false})
}

macro_rules! text_schema {
    ($word:ident, $schema:tt) => {
        impl JsonSchema for $word {
            fn schema_name() -> Cow<'static, str> {
                stringify!($word).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text_schema!(Glob, {"type": "string", "description": "A pattern of paths: *, ? and ** as in --exclude.", "minLength": 1});
text_schema!(Text, {"type": "string", "description": "Text that is not blank.", "pattern": "\\S"});
text_schema!(Until, {"type": "string", "format": "date", "description": "A day, YYYY-MM-DD.", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"});
