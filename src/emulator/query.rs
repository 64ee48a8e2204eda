//! Parameters of the query, and JSON bodies.

use serde::de::DeserializeOwned;

use super::answer::Refusal;

/// Decoded pairs of a query string, in the order sent. `+` is itself: only percent-encoding is decoded, as the official
/// SDK sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

/// A page of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    offset: usize,
    limit: usize,
}

impl Query {
    pub(super) fn parse(raw: &str) -> Result<Self, Refusal> {
        let pairs = pairs(raw).ok_or_else(|| Refusal::hss("HSS.0002", "the query is not percent-encoded UTF-8"))?;
        Ok(Self(pairs))
    }

    /// Refuses names that the API does not have and names that come twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) && name != "enterprise_project_id" {
                return Err(Refusal::invalid(format!("{name} is not a parameter of this API")));
            }
            if self.0[..index].iter().any(|(other, _)| other == name) {
                return Err(Refusal::invalid(format!("{name} is given twice")));
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::invalid(format!("{name} is mandatory")))
    }

    /// A value that must be one of a few.
    pub(super) fn one_of(&self, name: &str, values: &[&str]) -> Result<Option<&str>, Refusal> {
        self.get(name).map(|value| one_of(name, value, values)).transpose()
    }

    /// `offset` and `limit` where both may be left out (HSS API reference: 0 to 2000000, 10 to 200; 0 and 10).
    pub(super) fn page(&self) -> Result<Page, Refusal> {
        Ok(Page { offset: self.number("offset", 0, 2_000_000, 0)?, limit: self.number("limit", 10, 200, 10)? })
    }

    /// `offset` and `limit` where both are mandatory.
    pub(super) fn mandatory_page(&self) -> Result<Page, Refusal> {
        self.need("offset")?;
        self.need("limit")?;
        self.page()
    }

    /// Which enterprise project is meant: 1 to 256 characters, `0` by default.
    pub(super) fn enterprise_project(&self) -> Result<&str, Refusal> {
        let value = self.get("enterprise_project_id").unwrap_or("0");
        if (1..=256).contains(&value.chars().count()) {
            Ok(value)
        } else {
            Err(Refusal::invalid("enterprise_project_id must have 1 to 256 characters"))
        }
    }

    fn number(&self, name: &str, least: usize, most: usize, default: usize) -> Result<usize, Refusal> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) && value.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
            _ => Err(Refusal::invalid(format!("{name} must be {least} to {most}"))),
        }
    }
}

impl Page {
    /// The rows of this page.
    pub(super) fn cut<T>(self, rows: Vec<T>) -> Vec<T> {
        rows.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// Refuses a value that is not one of `values`.
pub(super) fn one_of<'a>(name: &str, value: &'a str, values: &[&str]) -> Result<&'a str, Refusal> {
    if values.contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::invalid(format!("{name} must be one of {}", values.join(", "))))
    }
}

/// Refuses an identifier that is empty or longer than the 64 characters that are documented.
pub(super) fn id<'a>(name: &str, value: &'a str) -> Result<&'a str, Refusal> {
    if (1..=64).contains(&value.chars().count()) {
        Ok(value)
    } else {
        Err(Refusal::invalid(format!("{name} must have 1 to 64 characters")))
    }
}

/// Reads a JSON body: HSS.0002 where it is not JSON, HSS.0001 where a field is missing, unknown or of the wrong type.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { "HSS.0001" } else { "HSS.0002" };
        Refusal::hss(code, error.to_string())
    })
}

/// The decoded pairs of a raw query; `None` where an escape is broken.
pub(super) fn pairs(raw: &str) -> Option<Vec<(String, String)>> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// Percent-decodes; `None` where an escape is broken or the result is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(hex(digits[0])? << 4 | hex(digits[1])?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
