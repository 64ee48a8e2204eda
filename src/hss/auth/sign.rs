//! SDK-HMAC-SHA256, as Huawei's official Python SDK signs (huaweicloudsdkcore 3.1.219, `signer`).

use std::fmt::Write as _;

use ring::hmac;
use zeroize::Zeroizing;

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
    /// All headers to sign, `Host` and `X-Sdk-Date` included. One may hold a security token.
    pub(crate) headers: &'a [(&'a str, Zeroizing<String>)],
    /// The body.
    pub(crate) body: &'a [u8],
}

/// The three texts of a signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) canonical: Zeroizing<String>,
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
    let payload = headers
        .iter()
        .find(|(name, _)| name == "x-sdk-content-sha256")
        .filter(|_| !request.body.is_empty())
        .map_or_else(|| sha256(request.body), |(_, value)| (*value).to_owned());
    let head = format!("{}\n{}\n{}\n", request.method, canonical_path(request.path), canonical_query(request.query));
    let tail = format!("\n{names}\n{payload}");
    // As large as it gets: one that grows leaves a copy behind that nobody wipes.
    let lines: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let mut canonical = Zeroizing::new(String::with_capacity(head.len() + lines + tail.len()));
    canonical.push_str(&head);
    for (name, value) in &headers {
        // Writing to a string can't fail.
        let _ = writeln!(canonical, "{name}:{value}");
    }
    canonical.push_str(&tail);
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
                let headers: Vec<(&str, Zeroizing<String>)> = vector["headers"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap().to_owned().into()))
                    .collect();
                let body = base64::engine::general_purpose::STANDARD.decode(text("body_base64")).unwrap();
                let request = Unsigned { method: &text("method"), path, query: &query, headers: &headers, body: &body };
                let signed = sign(&request, &text("ak"), &text("sk"), &text("sdk_date"));
                let expected = Signed {
                    canonical: text("canonical_request").into(),
                    to_sign: text("string_to_sign"),
                    authorization: text("authorization"),
                };
                assert_eq!(signed, expected, "{}", text("name"));
                vectors += 1;
            }
        }
        assert!(vectors >= 16, "{vectors} vectors");
    }

    const PARTS: [&str; 24] = [
        "a", "b-c", "Z", "0", "~", "_", ".", "offset", "limit=", "x&y", "1 2", "+", "%2F", "/", "?", "#", "é", "部署", "'",
        "(", "*", "!", ":", "@",
    ];

    /// A text of up to `most` of these parts.
    fn text(random: &mut fastrand::Rng, most: usize) -> String {
        (0..random.usize(..=most)).map(|_| PARTS[random.usize(..PARTS.len())]).collect()
    }

    fn generated(random: &mut fastrand::Rng) -> serde_json::Value {
        let id = |random: &mut fastrand::Rng| format!("{:016x}", random.u64(..));
        let method = ["GET", "POST", "PUT", "DELETE"][random.usize(..4)];
        // Ids are all that a path holds besides what is documented, and they are of letters, digits, `-`, `_` and `.`.
        let path = format!("/v5/{}/common/tasks/{}_{}.-/retry", id(random), id(random), id(random));
        let mut query: Vec<(String, String)> = (0..random.usize(..5)).map(|_| (text(random, 3), text(random, 4))).collect();
        query.retain(|(name, _)| !name.is_empty());
        query.sort();
        query.dedup_by(|a, b| a.0 == b.0);
        random.shuffle(&mut query);
        let is_upload = method == "POST" && random.bool();
        let body = match method {
            "GET" => String::new(),
            // Not signed: any text stands for the parts.
            "POST" if is_upload => "--boundary\r\n".to_owned(),
            _ => format!("{{\"task_type\":\"{}\"}}", text(random, 6)),
        };
        let date =
            format!("2026{:02}{:02}T{:02}{:02}00Z", random.u8(1..13), random.u8(1..29), random.u8(..24), random.u8(..60));
        let host = format!("hss.region-{}.example{}", random.u8(..), [":8443", ""][random.usize(..2)]);
        let mut headers = vec![("Host", host), ("X-Sdk-Date", date.clone())];
        if is_upload {
            headers.push(("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD".to_owned()));
        } else if !body.is_empty() {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        if random.bool() {
            headers.push(("X-Project-Id", id(random)));
        }
        if random.bool() {
            headers.push(("X-Security-Token", id(random)));
        }
        let (ak, sk) = (id(random), id(random));
        let signed: Vec<(&str, Zeroizing<String>)> =
            headers.iter().map(|(name, value)| (*name, value.clone().into())).collect();
        let request = Unsigned { method, path: &path, query: &query, headers: &signed, body: body.as_bytes() };
        let authorization = sign(&request, &ak, &sk, &date).authorization;
        serde_json::json!({"method": method, "path": path, "query": query, "headers": headers, "body": body, "ak": ak, "sk": sk,
            "authorization": authorization})
    }

    /// `HSS_IAC_SDK` names the directory with the environments of Python that `.ci/run` makes.
    #[test]
    #[allow(clippy::print_stderr, reason = "it says what it skips")]
    fn the_official_signer_agrees_over_generated_requests() {
        let Some(sdk) = std::env::var_os("HSS_IAC_SDK") else {
            eprintln!("skipped: HSS_IAC_SDK does not say where the official SDK is; .ci/run does");
            return;
        };
        let mut random = fastrand::Rng::with_seed(1);
        let requests: Vec<serde_json::Value> = (0..2_000).map(|_| generated(&mut random)).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), serde_json::to_string(&requests).unwrap()).unwrap();
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/signer.py");
        let python = std::path::Path::new(&sdk).join("current/bin/python");
        let ran = std::process::Command::new(python).args([&script, file.path()]).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(said, "2000 signatures agree\n", "{}", String::from_utf8_lossy(&ran.stderr));
        eprint!("{said}");
    }

    /// The vectors' queries write `+` for itself, which a form decoder would read as a blank.
    fn raw_query(url: &str) -> Vec<(String, String)> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let text = |part: &str| String::from_utf8(decode(part)).unwrap();
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (text(n), text(v))).collect()
    }
}
