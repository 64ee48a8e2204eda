//! An answer may repeat what the request carried, as debugging pages do: what no message may say, and how it is taken out.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::auth::Credentials;
use super::auth::sign::encode;
use super::send::{Body, Call, Wiped};

/// What is shorter would hide words.
const SHORTEST: usize = 4;

/// What a request carries that no message may say, whatever the answer repeats of it.
pub(super) fn secrets<'a>(call: &'a Call<'_>, credentials: Option<&'a Credentials>) -> Vec<&'a str> {
    let kept = call.headers.iter().filter(|(name, _)| matches!(*name, "authorization" | "x-metadata-token"));
    let mut secrets: Vec<&str> =
        kept.map(|(_, value)| value.expose_secret()).map(|value| value.strip_prefix("Bearer ").unwrap_or(value)).collect();
    match credentials {
        Some(Credentials::Token(token)) => secrets.push(token.expose_secret()),
        Some(Credentials::Keys { secret_key, security_token, .. }) => {
            secrets.push(secret_key.expose_secret());
            secrets.extend(security_token.as_ref().map(SecretString::expose_secret));
        }
        None => {}
    }
    if let Body::Secret(Wiped(body)) = &call.body {
        collect(body, &mut secrets);
    }
    // Longest first, since one may be a part of another.
    secrets.retain(|secret| secret.len() >= SHORTEST);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// The secrets of a body, by the names that `exchange` gives them.
fn collect<'a>(value: &'a Value, secrets: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    // It names the project.
                    _ if name == "scope" => {}
                    Value::String(text) if matches!(name.as_str(), "password" | "id" | "id_token") => secrets.push(text),
                    _ => collect(value, secrets),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        _ => {}
    }
}

/// The text without them: as they are, as JSON and a URL write them, and in base64, wherever they stand in what it was made of.
pub(super) fn hide(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for form in secrets.iter().flat_map(|secret| forms(secret)).filter(|form| form.len() >= SHORTEST) {
        if text.contains(&form) {
            text = text.replace(&form, "(hidden)");
        }
    }
    text
}

/// How a text may be written that holds a secret.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    let url = encode(secret.as_bytes());
    let mut forms = vec![secret.to_owned(), json, lower_percents(&url), url];
    // Three bytes are four characters: what stands before it moves it by none, one or two of them, and only whole characters are its own.
    for before in 0..3 {
        let bytes = [&b"  "[..before], secret.as_bytes()].concat();
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        let written = [STANDARD.encode(&bytes), URL_SAFE.encode(&bytes)];
        forms.extend(written.iter().filter_map(|text| text.get(own.clone())).map(str::to_owned));
    }
    forms
}

/// A percent-encoded text with its digits in small letters.
fn lower_percents(url: &str) -> String {
    let mut parts = url.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        format!("{text}%{}{rest}", digits.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_secrets_of_a_body_are_told_by_their_names() {
        let identity = json!({
            "methods": ["password"],
            "password": {"user": {"name": "somebody", "password": "of somebody"}},
            "others": [{"password": "in a list"}],
            "id_token": {"id": "a token"},
            "token": {"id_token": "another"},
        });
        let body = json!({"auth": {"identity": identity, "scope": {"project": {"id": "a project"}}}});
        let mut secrets = Vec::new();
        collect(&body, &mut secrets);
        secrets.sort_unstable();
        assert_eq!(secrets, ["a token", "another", "in a list", "of somebody"]);
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let secret = "abc+/def==ghi&\"secret";
        let url = encode(secret.as_bytes());
        let shown = hide(&format!("{secret} {} {url} {}", Value::from(secret), lower_percents(&url)), &[secret]);
        assert_eq!(shown, "(hidden) \"(hidden)\" (hidden) (hidden)");
        for before in ["", "u", "us", "user:"] {
            let text = format!("{before}{secret}, and on");
            for text in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                let shown = hide(&text, &[secret]);
                // What is left is what stood around it with the padding, and no more than a few bits of the secret.
                let around = (before.len() + ", and on".len() + 2) * 4 / 3 + 4;
                assert!(shown.replace("(hidden)", "").len() <= around && shown.contains("(hidden)"), "{shown}");
            }
        }
        assert_eq!(lower_percents("a%2Fb%2B"), "a%2fb%2b");
    }
}
