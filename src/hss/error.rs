//! What can go wrong with a call, sorted by what the caller can do about it.

use serde_json::Value;

use super::hide::hide;

/// What a failed call means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request that breaks a documented constraint; it was not sent.
    Invalid,
    /// Credentials are missing, refused, or may not do this.
    Login,
    /// The API is not published at this endpoint (404, APIGW.0101).
    NotPublished,
    /// The project's quota is used up (HSS.0014, HSS.1002).
    Quota,
    /// The service read the request and refused it (400, 413, other 4xx): the same request will be refused again.
    Refused,
    /// Still throttled after every patient repetition.
    Throttled,
    /// The service failed (5xx) or its answer could not be read, after every permitted repetition.
    Failing,
    /// A stand-in answered where none may; nothing more is sent.
    StandIn,
    /// No connection: name resolution, connect, TLS, after every permitted repetition.
    Unreachable,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What it means.
    pub kind: Kind,
    /// One line: the API, status, code, the service's own text, the request id. Never a secret.
    pub message: String,
    /// Whether the call may have taken effect although no answer says so.
    pub lost: bool,
    /// The service's code, such as `HSS.0013`, where it gave one.
    pub code: Option<String>,
}

impl Error {
    /// A failure that is certain: the call had no effect, or none that matters.
    pub fn new(kind: Kind, message: String) -> Self {
        Self { kind, message, lost: false, code: None }
    }
}

/// What an error body says, in any of the shapes that the official SDK accepts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The code, such as `HSS.0013` or `APIGW.0308`.
    pub code: Option<String>,
    /// The text, on one line.
    pub text: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

const LONGEST_TEXT: usize = 500;

impl Said {
    /// Reads a body: pairs at the top first, then in nested objects; a body that is not JSON is the text. These secrets are hidden in it.
    pub fn read(body: &[u8], secrets: &[&str]) -> Self {
        Self::of_answer(serde_json::from_slice(body).ok().as_ref(), body, secrets)
    }

    /// The same of a body that was parsed: `value` is what it holds if it is JSON.
    pub(super) fn of_answer(value: Option<&Value>, body: &[u8], secrets: &[&str]) -> Self {
        if let Some(value) = value {
            return Self::of(value, secrets, 0).unwrap_or_default();
        }
        let text = String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" ");
        Self { text: (!text.is_empty()).then(|| shorten(&text, secrets)), ..Self::default() }
    }

    fn of(value: &Value, secrets: &[&str], depth: usize) -> Option<Self> {
        let object = value.as_object().filter(|_| depth < 4)?;
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => Some(shorten(text, secrets)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let pairs = [
            ("error_code", "error_msg"),
            ("errorCode", "errorMsg"),
            ("code", "message"),
            ("error_code", "error_description"),
        ];
        for (code, message) in pairs {
            // Zero says that nothing is wrong.
            if let (Some(code), Some(message)) = (text(code).filter(|code| code != "0"), text(message)) {
                return Some(Self { code: Some(code), text: Some(message), request_id: text("request_id") });
            }
        }
        object.values().find_map(|value| Self::of(value, secrets, depth + 1)).or_else(|| {
            let code = text("error_code");
            if code.as_deref() == Some("0") {
                return None;
            }
            let text = text("error_msg").or_else(|| text("encoded_authorization_message"));
            (code.is_some() || text.is_some()).then_some(Self { code, text, request_id: None })
        })
    }

    /// The digits after the last dot of the code: `0308` of `APIGW.0308`.
    pub fn number(&self) -> Option<&str> {
        self.code.as_deref().and_then(|code| code.rsplit_once('.')).map(|(_, number)| number)
    }

    fn is_gateway(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.starts_with("APIG"))
    }

    /// What the answer means: by the code first, since HSS says "no permission" with status 400.
    pub fn kind(&self, status: u16) -> Kind {
        match (self.is_gateway(), self.number(), status) {
            (true, Some("0101"), _) => Kind::NotPublished,
            (true, Some("0308"), _) => Kind::Throttled,
            (true, Some("0301"), _) | (false, Some("0010" | "0013"), _) | (_, _, 401 | 403) => Kind::Login,
            (false, Some("0014" | "1002"), _) => Kind::Quota,
            (_, _, 404) => Kind::NotPublished,
            (_, _, 429) => Kind::Throttled,
            (_, _, 408 | 500..) => Kind::Failing,
            _ => Kind::Refused,
        }
    }
}

/// Hidden before it is cut, which could leave a part of a secret.
fn shorten(text: &str, secrets: &[&str]) -> String {
    let safe: String =
        hide(text, secrets).chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect();
    safe.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_an_error_body() {
        let said = |code: &str, text: &str| Said { code: Some(code.into()), text: Some(text.into()), request_id: None };
        let cases = [
            (r#"{"error_code":"HSS.1018","error_msg":"bad file"}"#, said("HSS.1018", "bad file")),
            (r#"{"errorCode":"HSS.0001","errorMsg":"bad"}"#, said("HSS.0001", "bad")),
            (r#"{"error":{"code":401,"message":"no","title":"Unauthorized"}}"#, said("401", "no")),
            (r#"{"error_code":7,"error_description":"old"}"#, said("7", "old")),
            ("<html>\n502  Bad</html>", Said { text: Some("<html> 502 Bad</html>".into()), ..Said::default() }),
            ("", Said::default()),
            (r#"{"error_code":"HSS.0013"}"#, Said { code: Some("HSS.0013".into()), ..Said::default() }),
            (r#"{"a":{"b":{"c":{"error_code":"HSS.0001","error_msg":"deep"}}}}"#, said("HSS.0001", "deep")),
            (r#"{"a":{"b":{"c":{"d":{"error_code":"HSS.0001","error_msg":"too deep"}}}}}"#, Said::default()),
            (r#"{"error_code":0,"error_msg":"success","data":[{"code":"0","message":"ok"}]}"#, Said::default()),
        ];
        for (body, expected) in cases {
            assert_eq!(Said::read(body.as_bytes(), &[]), expected, "{body}");
        }
        let gateway = Said::read(br#"{"error_msg":"over","error_code":"APIG.0308","request_id":"r1"}"#, &[]);
        assert_eq!(gateway, Said { request_id: Some("r1".into()), ..said("APIG.0308", "over") });
        assert_eq!(gateway.kind(200), Kind::Throttled);
    }

    #[test]
    fn a_secret_is_hidden_before_a_text_is_cut() {
        let before = "x".repeat(LONGEST_TEXT - 12);
        for secret in ["se/cret\"+1", r#"se\/cret\"+1"#, r#"se\u002fcret\"\u002b1"#] {
            let body = format!(r#"{{"error_code":"HSS.0001","error_msg":"{before}{secret} and more"}}"#);
            let text = Said::read(body.as_bytes(), &["se/cret\"+1"]).text;
            // Where it is no JSON, the body as it stands is the text.
            assert!(text.is_some_and(|text| !text.contains("cre")), "{secret}");
        }
        let plain = Said::read(format!("{before} se/cret\"+1").as_bytes(), &["se/cret\"+1"]);
        assert_eq!(plain.text, Some(format!("{before} (hidden)")));
    }

    #[test]
    fn codes_before_status() {
        use Kind::{Failing, Login, NotPublished, Quota, Refused, Throttled};
        let kind = |code: &str, status| Said { code: Some(code.into()), ..Said::default() }.kind(status);
        assert_eq!(kind("HSS.0013", 400), Kind::Login);
        assert_eq!(kind("HSS.0001", 400), Kind::Refused);
        assert_eq!([kind("HSS.0014", 400), kind("HSS.1002", 400)], [Quota, Quota]);
        assert_eq!([kind("APIGW.0101", 404), kind("APIGW.0101", 400)], [NotPublished, NotPublished]);
        assert_eq!(kind("APIG.0301", 400), Kind::Login);
        let by_status: Vec<Kind> =
            [400, 401, 403, 404, 408, 413, 429, 500, 503, 599].map(|s| Said::default().kind(s)).into();
        assert_eq!(by_status, [Refused, Login, Login, NotPublished, Failing, Refused, Throttled, Failing, Failing, Failing]);
    }
}
