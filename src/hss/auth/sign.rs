//! The signature SDK-HMAC-SHA256, as the official Python SDK core 3.1.219 makes it. A pure function of its inputs.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use ring::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The value of `X-Sdk-Content-Sha256` for a body that is not signed.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request before it is signed.
pub(super) struct Unsigned<'a> {
    /// `GET`, `POST`, …
    pub(super) method: &'a str,
    /// The whole address.
    pub(super) url: &'a Url,
    /// All headers to sign, without `Host` and `X-Sdk-Date`, which are added here.
    pub(super) headers: &'a [(String, String)],
    /// The body; `None` where it is a stream, which `X-Sdk-Content-Sha256` must then speak for.
    pub(super) body: Option<&'a [u8]>,
}

/// A signature and what led to it.
#[derive(Debug)]
pub(super) struct Signed {
    /// The value of `Authorization`.
    pub(super) authorization: String,
    #[cfg(test)]
    canonical_request: String,
    #[cfg(test)]
    string_to_sign: String,
}

/// Signs a request as of `date` (`YYYYMMDDTHHMMSSZ`, UTC), which goes along as `X-Sdk-Date`.
pub(super) fn sign(request: &Unsigned<'_>, access_key: &str, secret_key: &SecretString, date: &str) -> Signed {
    let headers = signed_headers(request, date);
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let mut canonical_request =
        format!("{}\n{}\n{}\n", request.method, canonical_path(request.url), canonical_query(request.url));
    for (name, value) in &headers {
        canonical_request.extend([name, ":", value, "\n"]);
    }
    canonical_request.extend(["\n", &names, "\n", &payload(request, &headers)]);
    let string_to_sign = format!("{ALGORITHM}\n{date}\n{}", sha256_hex(canonical_request.as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.expose_secret().as_bytes());
    let signature = hex(hmac::sign(&key, string_to_sign.as_bytes()).as_ref());
    Signed {
        authorization: format!("{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}"),
        #[cfg(test)]
        canonical_request,
        #[cfg(test)]
        string_to_sign,
    }
}

fn signed_headers(request: &Unsigned<'_>, date: &str) -> Vec<(String, String)> {
    let host = request.url.host_str().unwrap_or_default();
    let host = request.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut headers = vec![("host".to_owned(), host), ("x-sdk-date".to_owned(), date.to_owned())];
    // Gateways drop headers with an underscore, so the official signer leaves them out.
    let given = request.headers.iter().filter(|(name, _)| !name.contains('_'));
    headers.extend(given.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())));
    headers.sort();
    headers
}

/// Decoded, split, encoded again, with a `/` at the end. `%2F` becomes `/`, as in the official signer.
fn canonical_path(url: &Url) -> String {
    let decoded = percent_decode_str(url.path()).decode_utf8_lossy();
    let mut path = decoded.split('/').map(encode).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// Pairs in the order of their decoded names and values, by character code.
fn canonical_query(url: &Url) -> String {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut pairs: Vec<(String, String)> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

fn payload(request: &Unsigned<'_>, headers: &[(String, String)]) -> String {
    let stated = headers.iter().find(|(name, _)| name == "x-sdk-content-sha256").map(|(_, value)| value.clone());
    match (stated, request.body) {
        (Some(stated), None) => stated,
        (Some(stated), Some(body)) if !body.is_empty() => stated,
        (_, body) => sha256_hex(body.unwrap_or_default()),
    }
}

/// Percent-encodes all but unreserved characters, as the canonical form wants it; also used for what we send.
pub(in crate::hss) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use base64::Engine as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        url: String,
        headers: BTreeMap<String, String>,
        body_base64: String,
        ak: String,
        sk: String,
        sdk_date: String,
        authorization: String,
        canonical_request: String,
        string_to_sign: String,
    }

    fn vectors() -> Vec<Vector> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
        files.sort();
        files.iter().flat_map(|path| serde_json::from_slice::<Vec<Vector>>(&std::fs::read(path).unwrap()).unwrap()).collect()
    }

    #[test]
    fn every_golden_vector_is_reproduced() {
        let vectors = vectors();
        assert!(vectors.len() >= 16, "only {} vectors", vectors.len());
        for vector in vectors {
            // `Host` and `X-Sdk-Date` must come out of the address and the date alone.
            let headers: Vec<_> = vector
                .headers
                .iter()
                .filter(|(name, _)| *name != "Host" && *name != "X-Sdk-Date")
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let body = base64::engine::general_purpose::STANDARD.decode(&vector.body_base64).unwrap();
            let url = Url::parse(&vector.url).unwrap();
            let request = Unsigned { method: &vector.method, url: &url, headers: &headers, body: Some(&body) };
            let signed = sign(&request, &vector.ak, &SecretString::from(vector.sk), &vector.sdk_date);
            assert_eq!(signed.canonical_request, vector.canonical_request, "{}", vector.name);
            assert_eq!(signed.string_to_sign, vector.string_to_sign, "{}", vector.name);
            assert_eq!(signed.authorization, vector.authorization, "{}", vector.name);
        }
    }

    #[test]
    fn traps_of_the_canonical_form() {
        let url = Url::parse("https://h.example/a%2Fb?a%2Fb=1&B=&a-b=2&%E9%83%A8=3&q='()*!+").unwrap();
        assert_eq!(canonical_path(&url), "/a/b/");
        assert_eq!(canonical_query(&url), "B=&a-b=2&a%2Fb=1&q=%27%28%29%2A%21%2B&%E9%83%A8=3");
    }

    #[test]
    fn a_stream_is_signed_by_the_header_that_speaks_for_it() {
        let url = Url::parse("https://h.example/").unwrap();
        let headers = [("X-Sdk-Content-Sha256".to_owned(), UNSIGNED.to_owned()), ("X_Odd".to_owned(), "1".to_owned())];
        let request = Unsigned { method: "POST", url: &url, headers: &headers, body: None };
        let signed = sign(&request, "AK", &SecretString::from("SK"), "20260101T000000Z");
        assert_eq!(
            signed.canonical_request,
            "POST\n/\n\nhost:h.example\nx-sdk-content-sha256:UNSIGNED-PAYLOAD\nx-sdk-date:20260101T000000Z\n\n\
             host;x-sdk-content-sha256;x-sdk-date\nUNSIGNED-PAYLOAD"
        );
    }
}
