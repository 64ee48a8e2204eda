//! What is sent for credentials, and what comes back: the bodies of IAM and STS, each from its documentation or the official Python SDK
//! 3.1.219.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use zeroize::Zeroize as _;

use super::{Agency, Credentials, Domain};

/// Credentials that were obtained.
#[derive(Debug)]
pub struct Issued {
    /// To call with.
    pub credentials: Credentials,
    /// When they end, in milliseconds since 1970 of the issuer's clock; `None` where it does not say.
    pub ends: Option<i64>,
    /// The project that a token is for.
    pub project: Option<String>,
}

/// The project that a token is to be for: by its id, or by its name, which is that of the region.
#[derive(Debug, Clone)]
pub(in crate::hss) enum Scope {
    Id(String),
    Name(String),
}

impl Scope {
    fn json(&self) -> Value {
        match self {
            Self::Id(id) => json!({"project": {"id": id}}),
            Self::Name(name) => json!({"project": {"name": name}}),
        }
    }
}

/// `POST /v3/auth/tokens` (IAM API reference, `KeystoneCreateUserTokenByPassword`).
pub(in crate::hss) fn password(user: &str, password: &SecretString, domain: &str, scope: &Scope) -> Value {
    let user = json!({"name": user, "password": password.expose_secret(), "domain": {"name": domain}});
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope.json()}})
}

/// `POST /v3.0/OS-AUTH/id-token/tokens` (IAM API reference, `CreateTokenWithIdToken`). With a scope the token
/// that comes back is ready for use.
pub(in crate::hss) fn id_token(id_token: &SecretString, scope: &Scope) -> Value {
    json!({"auth": {"id_token": {"id": id_token.expose_secret()}, "scope": scope.json()}})
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens` (IAM API reference, `CreateTemporaryAccessKeyByAgency`).
pub(in crate::hss) fn assumed(agency: &str, domain: &Domain, seconds: u32) -> Value {
    let mut role = json!({"agency_name": agency, "duration_seconds": seconds});
    match domain {
        Domain::Id(id) => role["domain_id"] = json!(id),
        Domain::Name(name) => role["domain_name"] = json!(name),
    }
    json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}})
}

/// `POST /v5/agencies/assume-with-oidc` (STS API reference, `AssumeAgencyWithOIDC`).
pub(in crate::hss) fn agency(agency: &Agency, id_token: &SecretString) -> Value {
    let mut body = json!({
        "provider_urn": agency.provider_urn,
        "agency_urn": agency.agency_urn,
        "agency_session_name": agency.session_name,
        "id_token": id_token.expose_secret(),
        "duration_seconds": agency.seconds,
    });
    if let Some(policy) = &agency.policy {
        body["policy"] = json!(policy);
    }
    if !agency.policy_ids.is_empty() {
        body["policy_ids"] = json!(agency.policy_ids);
    }
    body
}

/// A token of IAM: itself in a header, what is known of it in the body.
pub fn token(subject_token: Option<SecretString>, body: &Value) -> Option<Issued> {
    let token = subject_token?;
    let project = body.pointer("/token/project/id").and_then(Value::as_str).map(str::to_owned);
    Some(Issued { credentials: Credentials::Token(token), ends: time(body.pointer("/token/expires_at")), project })
}

/// The identity token that GitHub gives a job.
pub fn github(body: &Value) -> Option<SecretString> {
    body.get("value")?.as_str().filter(|token| !token.is_empty()).map(SecretString::from)
}

/// The token of the metadata service, which is the whole body; `None` where that is a page of somebody in between.
pub fn metadata_token(body: &[u8]) -> Option<&str> {
    let token = std::str::from_utf8(body.trim_ascii()).ok()?;
    (!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())).then_some(token)
}

/// Temporary keys of IAM and of the metadata service.
pub fn credential(body: &Value) -> Option<Issued> {
    keys(body.get("credential")?, ["access", "secret", "securitytoken", "expires_at"])
}

/// Temporary keys of STS.
pub fn credentials(body: &Value) -> Option<Issued> {
    keys(body.get("credentials")?, ["access_key_id", "secret_access_key", "security_token", "expiration"])
}

fn keys(of: &Value, [access, secret, token, ends]: [&str; 4]) -> Option<Issued> {
    let text = |name: &str| of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let credentials = Credentials::Keys {
        access_key: text(access)?,
        secret_key: text(secret)?.into(),
        // Temporary keys are refused without it.
        security_token: Some(text(token)?.into()),
    };
    Some(Issued { credentials, ends: time(of.get(ends)), project: None })
}

fn time(value: Option<&Value>) -> Option<i64> {
    Some(value?.as_str()?.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

/// Overwrites every text of a body that held a secret.
pub(in crate::hss) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(pairs) => pairs.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
