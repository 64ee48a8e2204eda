//! Credentials and how they sign a request.

mod sign;
mod sources;

pub(super) use sign::encode;
pub use sources::{Found, SourceError, enterprise_project_from_env, from_env, project_from_env, region_from_env};

use jiff::Timestamp;
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// What proves who we are. `Debug` never shows a secret.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An IAM token, sent as `X-Auth-Token`.
    Token(SecretString),
    /// An access key that signs every request.
    Keys {
        /// The access key id (AK): not secret.
        access_key: String,
        /// The secret key (SK).
        secret_key: SecretString,
        /// Sent along with a temporary key.
        security_token: Option<SecretString>,
    },
}

/// Puts the proof into a request that is otherwise complete. With keys every header set so far is signed.
pub(super) fn authorize(
    request: &mut Request,
    credentials: &Credentials,
    project: Option<&str>,
    now: Timestamp,
) -> Result<(), InvalidHeaderValue> {
    match credentials {
        Credentials::Token(token) => {
            request.headers_mut().insert(HeaderName::from_static("x-auth-token"), secret(token)?);
        }
        Credentials::Keys { access_key, secret_key, security_token } => {
            let headers = request.headers_mut();
            if let Some(project) = project {
                headers.insert(HeaderName::from_static("x-project-id"), HeaderValue::from_str(project)?);
            }
            if let Some(token) = security_token {
                headers.insert(HeaderName::from_static("x-security-token"), secret(token)?);
            }
            let json = headers.get("content-type").is_none_or(|value| value == "application/json");
            if !json {
                headers.insert(HeaderName::from_static("x-sdk-content-sha256"), HeaderValue::from_static(sign::UNSIGNED));
            }
            let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
            let signed = sign::sign(
                &sign::Unsigned {
                    method: request.method().as_str(),
                    url: request.url(),
                    headers: &text_headers(request),
                    body: request.body().map_or(Some(&[]), |body| body.as_bytes()),
                },
                access_key,
                secret_key,
                &date,
            );
            let mut authorization = HeaderValue::from_str(&signed.authorization)?;
            authorization.set_sensitive(true);
            let headers = request.headers_mut();
            headers.insert(HeaderName::from_static("x-sdk-date"), HeaderValue::from_str(&date)?);
            headers.insert(AUTHORIZATION, authorization);
        }
    }
    Ok(())
}

fn secret(value: &SecretString) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value.expose_secret())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The headers to sign. The length is left out: it belongs to the connection, and a proxy may send it otherwise.
fn text_headers(request: &Request) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    request
        .headers()
        .iter()
        .filter(|(name, _)| *name != CONTENT_LENGTH)
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}
