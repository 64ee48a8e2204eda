//! Who calls: a token, or a signature of the scheme SDK-HMAC-SHA256 (read from the official Python SDK 3.1.219 and the
//! "API Request Signing Guide").

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use ring::{digest, hmac};

use super::Options;
use super::answer::Refusal;
use super::issue::Issued;
use super::query::{decode, pairs};

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const SKEW_SECONDS: i64 = 15 * 60;
/// After more failed checks in a row than this, the key is locked.
const FAILURES: u32 = 5;
const LOCKED_FOR: Duration = Duration::from_secs(300);
const BAD_SIGNATURE: &str = "verify aksk signature fail";

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// As on the wire, without the query.
    pub(super) path: &'a str,
    /// As on the wire, without `?`.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// Failed checks in a row, by access key.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<String, (u32, Option<Instant>)>);

/// Decides who calls; `now` is in seconds since 1970.
pub(super) fn check(
    options: &Options,
    issued: &Issued,
    locks: &mut Locks,
    request: &Signed<'_>,
    now: i64,
) -> Result<(), Refusal> {
    if let Some(project) = header(request.headers, "x-project-id")
        && project != options.project_id
    {
        return Err(Refusal::unauthenticated("X-Project-Id is not a project of the caller"));
    }
    if let Some(token) = header(request.headers, "x-auth-token") {
        return match issued.token(&token) {
            Some(true) => Ok(()),
            Some(false) => Err(Refusal::unauthenticated("token expires")),
            None if token == options.token => Ok(()),
            None => Err(Refusal::unauthenticated("decrypt token fail")),
        };
    }
    let Some(authorization) = header(request.headers, "authorization") else {
        return Err(Refusal::unauthenticated("x-auth-token not found"));
    };
    let Some(parts) = Authorization::parse(&authorization) else {
        return Err(Refusal::unauthenticated(BAD_SIGNATURE));
    };
    if locks.locked(parts.access_key) {
        return Err(Refusal::unauthenticated("AK access failed to reach the limit"));
    }
    let known = match issued.key(parts.access_key) {
        Some(key) if !key.holds() => Err("the temporary key has expired"),
        Some(key) => Ok((&key.secret, Some(&key.security_token))),
        None if parts.access_key == options.access_key => Ok((&options.secret_key, options.security_token.as_ref())),
        None => Err("Get secretKey failed"),
    };
    let token = header(request.headers, "x-security-token");
    let result = known.and_then(|(secret_key, expected)| {
        verify(request, &parts, secret_key, now)?;
        if token.as_ref() == expected { Ok(()) } else { Err(BAD_SIGNATURE) }
    });
    locks.note(parts.access_key, result.is_ok());
    result.map_err(Refusal::unauthenticated)
}

impl Locks {
    fn locked(&mut self, key: &str) -> bool {
        let since = self.0.get(key).and_then(|(_, since)| *since);
        let locked = since.is_some_and(|since| since.elapsed() < LOCKED_FOR);
        if since.is_some() && !locked {
            self.0.remove(key);
        }
        locked
    }

    fn note(&mut self, key: &str, accepted: bool) {
        if accepted {
            self.0.remove(key);
            return;
        }
        let (failures, since) = self.0.entry(key.to_owned()).or_default();
        *failures += 1;
        if *failures > FAILURES {
            *since = Some(Instant::now());
        }
    }
}

/// The parts of an `Authorization` header of this scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?.split(',').map(str::trim);
        let access_key = parts.next()?.strip_prefix("Access=")?;
        let signed_headers = parts.next()?.strip_prefix("SignedHeaders=")?.split(';').collect();
        let signature = parts.next()?.strip_prefix("Signature=")?;
        parts.next().is_none().then_some(Self { access_key, signed_headers, signature })
    }
}

/// Checks a signature, with the clock as a parameter; an error is the gateway's word for it.
fn verify(request: &Signed<'_>, parts: &Authorization<'_>, secret_key: &str, now: i64) -> Result<(), &'static str> {
    let date = header(request.headers, "x-sdk-date").ok_or(BAD_SIGNATURE)?;
    let sent = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date)
        .and_then(|time| jiff::tz::TimeZone::UTC.to_timestamp(time))
        .map_err(|_| BAD_SIGNATURE)?
        .as_second();
    if (now - sent).abs() > SKEW_SECONDS || !parts.signed_headers.contains(&"x-sdk-date") {
        return Err(BAD_SIGNATURE);
    }
    let canonical = canonical_request(request, &parts.signed_headers).ok_or(BAD_SIGNATURE)?;
    let to_sign = format!("{ALGORITHM}\n{date}\n{}", sha256(canonical.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    if hex(hmac::sign(&key, to_sign.as_bytes()).as_ref()) == parts.signature { Ok(()) } else { Err(BAD_SIGNATURE) }
}

/// `None` where the request can't have been signed this way.
fn canonical_request(request: &Signed<'_>, signed_headers: &[&str]) -> Option<String> {
    let mut path: String = decode(request.path)?.split('/').map(encode).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut query = pairs(request.query)?;
    query.sort();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if !signed_headers.is_sorted_by(|one, next| one < next) {
        return None;
    }
    let mut headers = String::new();
    for name in signed_headers {
        if name.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return None;
        }
        let value = header(request.headers, name)?;
        let _ = writeln!(headers, "{name}:{}", value.trim());
    }
    Some(format!(
        "{}\n{path}\n{}\n{headers}\n{}\n{}",
        request.method,
        query.join("&"),
        signed_headers.join(";"),
        payload_hash(request)?
    ))
}

/// The last line of the canonical request. A body may go unsigned where its type is not JSON.
fn payload_hash(request: &Signed<'_>) -> Option<String> {
    let actual = sha256(request.body);
    match header(request.headers, "x-sdk-content-sha256") {
        Some(claimed) if !request.body.is_empty() && claimed == "UNSIGNED-PAYLOAD" => {
            let content_type = header(request.headers, "content-type").unwrap_or_default();
            let json = ["application/json", "application/bson"].iter().any(|json| content_type.starts_with(json));
            (!json).then_some(claimed)
        }
        Some(claimed) if !request.body.is_empty() && claimed != actual => None,
        _ => Some(actual),
    }
}

/// A header as text: UTF-8, since the signature is made of the text.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| String::from_utf8(value.as_bytes().to_vec()).ok())
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
