//! SDK-HMAC-SHA256, as Huawei's official Python SDK signs (huaweicloudsdkcore 3.1.219, `signer`).

use std::fmt::Write as _;

use ring::hmac;

use crate::digest::{hex, sha256};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// A request about to be signed.
pub(crate) struct Unsigned<'a> {
    /// `GET`, `POST`, …
    pub(crate) method: &'a str,
    /// The path as sent, percent-encoded or not.
    pub(crate) path: &'a str,
    /// Decoded names and values.
    pub(crate) query: &'a [(String, String)],
    /// All headers to sign, `Host` and `X-Sdk-Date` included.
    pub(crate) headers: &'a [(String, String)],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// The three texts of a signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) canonical: String,
    pub(crate) to_sign: String,
    pub(crate) authorization: String,
}

/// Signs a request. `date` is `YYYYMMDDTHHMMSSZ`, the value of its `X-Sdk-Date`.
pub(crate) fn sign(request: &Unsigned<'_>, access_key: &str, secret_key: &str, date: &str) -> Signed {
    let mut headers: Vec<(String, &str)> = request
        .headers
        .iter()
        .filter(|(name, _)| !name.contains('_'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut lines = String::new();
    for (name, value) in &headers {
        // Writing to a string can't fail.
        let _ = writeln!(lines, "{name}:{value}");
    }
    let payload = headers
        .iter()
        .find(|(name, _)| name == "x-sdk-content-sha256")
        .filter(|_| !request.body.is_empty())
        .map_or_else(|| sha256(request.body), |(_, value)| (*value).to_owned());
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{payload}",
        request.method,
        canonical_path(request.path),
        canonical_query(request.query)
    );
    let hash = sha256(canonical.as_bytes());
    let to_sign = format!("{ALGORITHM}\n{date}\n{hash}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let authorization = format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}");
    Signed { canonical, to_sign, authorization }
}

fn canonical_path(path: &str) -> String {
    let decoded = decode(path);
    let mut canonical = decoded.split(|b| *b == b'/').map(encode).collect::<Vec<_>>().join("/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

fn canonical_query(query: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> = query.iter().collect();
    pairs.sort();
    let encoded: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes()))).collect();
    encoded.join("&")
}

/// Percent-encodes all but `A-Za-z0-9-_.~`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = ahead.next().zip(ahead.next());
        let digit = |b: u8| char::from(b).to_digit(16);
        match pair.and_then(|(high, low)| Some(digit(high)? * 16 + digit(low)?)).and_then(|value| u8::try_from(value).ok()) {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn every_vector_of_the_official_signer_is_reproduced() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut vectors = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            for vector in list {
                let text = |name: &str| vector[name].as_str().unwrap().to_owned();
                let url = reqwest::Url::parse(&text("url")).unwrap();
                let raw = text("url");
                let path = raw.split_once("://").unwrap().1;
                let path = path.split_once('?').map_or(path, |(path, _)| path);
                let path = path.find('/').map_or("/", |at| &path[at..]);
                let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
                let query = if raw.contains('+') { raw_query(&raw) } else { query };
                let headers: Vec<(String, String)> = vector["headers"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect();
                let body = base64::engine::general_purpose::STANDARD.decode(text("body_base64")).unwrap();
                let request = Unsigned { method: &text("method"), path, query: &query, headers: &headers, body: &body };
                let signed = sign(&request, &text("ak"), &text("sk"), &text("sdk_date"));
                let expected = Signed {
                    canonical: text("canonical_request"),
                    to_sign: text("string_to_sign"),
                    authorization: text("authorization"),
                };
                assert_eq!(signed, expected, "{}", text("name"));
                vectors += 1;
            }
        }
        assert!(vectors >= 16, "{vectors} vectors");
    }

    /// The vectors' queries write `+` for itself, which a form decoder would read as a blank.
    fn raw_query(url: &str) -> Vec<(String, String)> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let text = |part: &str| String::from_utf8(decode(part)).unwrap();
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (text(n), text(v))).collect()
    }
}
