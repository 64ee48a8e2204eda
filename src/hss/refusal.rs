//! What an answer that is not the one we asked for says: code, text and request id, out of every shape of body that is
//! known (official Python SDK core 3.1.219, HSS API reference, API gateway error codes).

use std::fmt::Write as _;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::wire::text;

/// Characters of the service's text that we repeat.
const LONGEST_TEXT: usize = 500;

/// The service's own words about a failure.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Option<String>,
    /// One line without control characters.
    pub(super) text: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Refusal {
    /// `APIGW.0301 text (request id 1234)`, as much of it as there is, each part after a blank.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        for part in [&self.code, &self.text].into_iter().flatten() {
            shown.extend([" ", part]);
        }
        if let Some(id) = &self.request_id {
            shown.extend([" (request id ", id, ")"]);
        }
        shown
    }
}

/// Reads the body of a failed call, whatever it is.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Refusal {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let mut refusal =
        json.as_ref().map_or_else(|| Refusal { text: plain(body), ..Refusal::default() }, |json| words(json, 3));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    refusal.request_id = header("x-request-id").or_else(|| header("x-iam-trace-id")).or(refusal.request_id);
    refusal.code = refusal.code.map(|code| printable(&code, 64));
    refusal.text = refusal.text.map(|text| printable(text.trim(), LONGEST_TEXT)).filter(|text| !text.is_empty());
    refusal.request_id = refusal.request_id.map(|id| printable(&id, 128));
    refusal
}

/// The code of an answer with status 200: a few old calls report failure that way.
pub(super) fn code_in_success(body: &Value) -> bool {
    let code = body.get("error_code").or_else(|| body.get("errorCode"));
    code.and_then(text).is_some_and(|code| code != "0")
}

/// Looks for the known pairs at the top, then in the objects below, as the official SDK does.
fn words(json: &Value, depth: u8) -> Refusal {
    let Value::Object(fields) = json else { return Refusal { text: text(json), ..Refusal::default() } };
    let field = |names: &[&str]| names.iter().find_map(|name| fields.get(*name).and_then(text));
    let mut found = Refusal {
        code: field(&["error_code", "errorCode", "code"]),
        text: field(&["error_msg", "errorMsg", "message", "error_description", "encoded_authorization_message"]),
        request_id: field(&["request_id", "requestId"]),
    };
    if depth > 0 && found.code.is_none() && found.text.is_none() {
        for inner in fields.values().filter(|value| value.is_object()) {
            let inner = words(inner, depth - 1);
            if inner.code.is_some() || inner.text.is_some() {
                let request_id = found.request_id.or(inner.request_id);
                found = Refusal { request_id, ..inner };
                break;
            }
        }
    }
    found
}

/// A body that is not JSON: its text, or the title of a page.
fn plain(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let body = body.trim();
    if !body.starts_with('<') {
        return (!body.is_empty()).then(|| body.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    let lower = body.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        Some(body[start..start + lower[start..].find("</title>")?].trim())
    });
    Some(
        title
            .filter(|title| !title.is_empty())
            .map_or_else(|| "a page instead of JSON".into(), |title| format!("page: {title}")),
    )
}

/// At most `longest` characters, with control characters and those that reorder text escaped.
pub(super) fn printable(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            shown.push('…');
            break;
        }
        let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || reorders {
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        read(&HeaderMap::new(), body.as_bytes()).shown()
    }

    #[test]
    fn every_shape_of_body_becomes_one_line() {
        for (body, line) in [
            (r#"{"error_code":"HSS.1018","error_msg":"invalid file"}"#, " HSS.1018 invalid file"),
            (r#"{"errorCode":"HSS.0001","errorMsg":"bad"}"#, " HSS.0001 bad"),
            (r#"{"code":"X.1","message":"no"}"#, " X.1 no"),
            (
                r#"{"error_msg":"verify aksk signature fail","error_code":"APIGW.0301","request_id":"1234"}"#,
                " APIGW.0301 verify aksk signature fail (request id 1234)",
            ),
            (
                r#"{"error":{"code":401,"message":"bad password","title":"Unauthorized"},"request_id":"r"}"#,
                " 401 bad password (request id r)",
            ),
            (r#"{"a":{"b":{"error_code":"E.1","error_msg":"deep"}}}"#, " E.1 deep"),
            (r#"{"error_code":517,"error_description":"old call"}"#, " 517 old call"),
            (r#"{"encoded_authorization_message":"AbC"}"#, " AbC"),
            (r#""only text""#, " only text"),
            ("gateway\n  timeout", " gateway timeout"),
            ("<html><head><TITLE>502 Bad Gateway</TITLE></head></html>", " page: 502 Bad Gateway"),
            ("<html>", " a page instead of JSON"),
            ("", ""),
            ("{}", ""),
            ("null", ""),
            ("[1]", ""),
        ] {
            assert_eq!(shown(body), line, "{body}");
        }
    }

    #[test]
    fn the_request_id_of_the_headers_comes_first() {
        let mut headers = HeaderMap::new();
        headers.insert("X-IAM-Trace-Id", "trace".parse().unwrap());
        let body = br#"{"error_msg":"m","request_id":"body"}"#;
        assert_eq!(read(&headers, body).shown(), " m (request id trace)");
        headers.insert("x-request-id", "header".parse().unwrap());
        assert_eq!(read(&headers, body).shown(), " m (request id header)");
    }

    #[test]
    fn a_hostile_text_is_escaped_and_cut() {
        assert_eq!(shown("{\"error_msg\":\"a\\u001b[31m\\nb\\u202ec\"}"), " a\\u{1b}[31m\\nb\\u{202e}c");
        let long = format!(r#"{{"error_msg":"{}"}}"#, "é".repeat(600));
        assert_eq!(shown(&long).chars().count(), 1 + 500 + 1);
    }

    #[test]
    fn an_old_call_fails_with_status_200() {
        let fails = |body: &str| code_in_success(&serde_json::from_str(body).unwrap());
        assert!(fails(r#"{"error_code":517,"error_description":"old"}"#));
        assert!(fails(r#"{"error_code":"HSS.0001"}"#));
        assert!(!fails(r#"{"error_code":0}"#));
        assert!(!fails(r#"{"error_code":null,"total_num":0}"#));
        assert!(!fails(r#"{"total_num":0}"#));
    }
}
