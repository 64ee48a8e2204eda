//! An answer may repeat what the request carried, as debugging pages do: what no message may say, and how it is taken out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::auth::Credentials;
use super::auth::sign::encode;
use super::send::{Body, Call, Wiped};

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
    // Longest first, since one may be a part of another; what is too short would hide words.
    secrets.retain(|secret| secret.len() >= 4);
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

/// The text without them: as they are, as JSON and a URL write them, and in base64.
pub(super) fn hide(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let escaped = Value::from(*secret).to_string();
        let base64 = STANDARD.encode(secret);
        let forms = [*secret, &escaped[1..escaped.len() - 1], &encode(secret.as_bytes()), base64.trim_end_matches('=')];
        for form in forms {
            if text.contains(form) {
                text = text.replace(form, "(hidden)");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let secret = "abc+/def==ghi&\"secret";
        let text = [secret.to_owned(), Value::from(secret).to_string(), encode(secret.as_bytes()), STANDARD.encode(secret)]
            .join(" ");
        assert_eq!(hide(&text, &[secret]), "(hidden) \"(hidden)\" (hidden) (hidden)");
    }
}
