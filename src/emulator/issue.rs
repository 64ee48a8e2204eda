//! Credentials that the stand-in gives away: by IAM, by STS, by the metadata service of a machine, and by GitHub to a job.
//!
//! Requests are those of the IAM and STS API references and of the official Python SDK 3.1.219. So are IAM's refusals: the form of
//! Keystone, and that of the other services for an identity token. What STS and the metadata service refuse with is not documented.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::query;
use super::store::{State, now_ms};

/// What was given away and has not been forgotten.
#[derive(Debug, Default)]
pub(super) struct Issued {
    keys: BTreeMap<String, Key>,
    tokens: BTreeMap<String, Instant>,
    metadata_tokens: Vec<String>,
}

/// A temporary key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) secret: String,
    pub(super) security_token: String,
    ends: Instant,
}

impl Key {
    /// Whether it still holds.
    pub(super) fn holds(&self) -> bool {
        Instant::now() < self.ends
    }
}

impl Issued {
    pub(super) fn key(&self, access_key: &str) -> Option<&Key> {
        self.keys.get(access_key)
    }

    /// Every secret that was given away.
    pub(super) fn secrets(&self) -> Vec<String> {
        let keys = self.keys.values().flat_map(|key| [key.secret.clone(), key.security_token.clone()]);
        let tokens = self.tokens.keys().map(|token| token.trim_start_matches(UNSCOPED).to_owned());
        keys.chain(tokens).chain(self.metadata_tokens.iter().cloned()).collect()
    }

    /// Whether a token holds; `None` where it was never given.
    pub(super) fn token(&self, token: &str) -> Option<bool> {
        self.tokens.get(token).map(|ends| Instant::now() < *ends)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    project: Named,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    auth: TokenAuth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAuth {
    identity: Identity,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    methods: Vec<String>,
    password: Option<Password>,
    assume_role: Option<Role>,
    token: Option<ByToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    user: User,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    password: String,
    domain: Named,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    agency_name: String,
    domain_name: Option<String>,
    domain_id: Option<String>,
    duration_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByToken {
    id: Option<String>,
    duration_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdTokenRequest {
    auth: IdTokenAuth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdTokenAuth {
    id_token: IdToken,
    scope: Option<Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdToken {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgencyRequest {
    provider_urn: String,
    agency_urn: String,
    agency_session_name: String,
    id_token: String,
    duration_seconds: Option<u64>,
    policy: Option<String>,
    policy_ids: Option<Vec<String>>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

/// `POST /v3/auth/tokens`: the one user's password, or an agency for who called with a token or a signature.
pub(super) fn tokens(state: &mut State, body: &[u8], caller_known: bool) -> Answer {
    let TokenAuth { identity, scope } = match read::<TokenRequest>(body) {
        Ok(request) => request.auth,
        Err(answer) => return answer,
    };
    let Some(project) = scope.and_then(|scope| project(state, scope)) else {
        return iam(BAD_REQUEST, "The scope must be a project of the user.");
    };
    match (identity.methods.as_slice(), &identity.password, &identity.assume_role) {
        ([method], Some(Password { user }), None) if method == "password" => {
            let options = &state.options;
            let right = user.name == options.access_key
                && user.password == options.secret_key
                && user.domain.name.as_ref() == Some(&options.account)
                && user.domain.id.is_none();
            if right {
                token(state, "password", Some(&project))
            } else {
                iam(UNAUTHORIZED, "The username or password is wrong.")
            }
        }
        ([method], None, Some(role)) if method == "assume_role" && caller_known => match assumable(state, role) {
            Ok(()) => token(state, "assume_role", Some(&project)),
            Err(answer) => answer,
        },
        _ => iam(BAD_REQUEST, "Say one method and what it needs."),
    }
}

/// `POST /v3.0/OS-AUTH/id-token/tokens`. Without a scope the token is good for nothing but `securitytokens`.
pub(super) fn id_token(state: &mut State, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
    let invalid = || Refusal { status: BAD_REQUEST, code: "IAM.0011", message: "Request body is invalid.".to_owned() };
    let IdTokenRequest { auth: IdTokenAuth { id_token, scope } } = serde_json::from_slice(body).map_err(|_| invalid())?;
    if header(headers, "x-idp-id") != Some(&state.options.idp_id) || id_token.id != state.options.id_token {
        let message = "The request you have made requires authentication.".to_owned();
        return Err(Refusal { status: UNAUTHORIZED, code: "IAM.0001", message });
    }
    let project = scope.map(|scope| project(state, scope).ok_or_else(invalid)).transpose()?;
    Ok(token(state, "mapped", project.as_deref()))
}

/// `POST /v3.0/OS-CREDENTIAL/securitytokens`: temporary keys by a token, or of an agency.
pub(super) fn security_tokens(state: &mut State, body: &[u8]) -> Answer {
    let TokenAuth { identity, scope } = match read::<TokenRequest>(body) {
        Ok(request) => request.auth,
        Err(answer) => return answer,
    };
    let asked = match (identity.methods.as_slice(), &identity.token, &identity.assume_role) {
        ([method], by, None) if method == "token" => by.as_ref().and_then(|by| by.duration_seconds),
        ([method], None, Some(role)) if method == "assume_role" => match assumable(state, role) {
            Ok(()) => role.duration_seconds,
            Err(answer) => return answer,
        },
        _ => return iam(BAD_REQUEST, "Say one method and what it needs."),
    };
    let seconds = asked.unwrap_or(900);
    if !(900..=86_400).contains(&seconds) || scope.is_some() || identity.password.is_some() {
        return iam(BAD_REQUEST, "duration_seconds must be 900 to 86400, and there is no scope.");
    }
    let [access, secret, security_token, expires] = keys(state, seconds);
    let credential = json!({"access": access, "secret": secret, "securitytoken": security_token, "expires_at": expires});
    Answer { status: StatusCode::CREATED, ..Answer::done(&json!({"credential": credential}), "") }
}

/// The token in the body of a `securitytokens` call, which proves the caller as well as one in the header.
pub(super) fn token_of(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<TokenRequest>(body).ok()?.auth.identity.token?.id
}

/// Whether a `tokens` call proves its caller by a password.
pub(super) fn by_password(body: &[u8]) -> bool {
    let methods = serde_json::from_slice::<Value>(body).unwrap_or_default();
    methods.pointer("/auth/identity/methods/0") != Some(&json!("assume_role"))
}

/// `POST /v5/agencies/assume-with-oidc`.
pub(super) fn assume(state: &mut State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: AgencyRequest = query::json(body).map_err(|refusal| sts(BAD_REQUEST, refusal.message))?;
    let bounded = |name: &str, length: usize, least: usize, most: usize| {
        let fits = (least..=most).contains(&length);
        if fits { Ok(()) } else { Err(sts(BAD_REQUEST, format!("{name} must be {least} to {most}"))) }
    };
    let seconds = request.duration_seconds.unwrap_or(3_600);
    bounded("agency_session_name", request.agency_session_name.chars().count(), 2, 128)?;
    bounded("id_token", request.id_token.chars().count(), 4, 20_000)?;
    bounded("duration_seconds", usize::try_from(seconds).unwrap_or(usize::MAX), 900, 43_200)?;
    bounded("policy", request.policy.map_or(2, |policy| policy.chars().count()), 2, 2_048)?;
    bounded("policy_ids", request.policy_ids.unwrap_or_default().len(), 0, 20)?;
    if request.provider_urn != state.options.provider_urn || request.agency_urn != state.options.agency_urn {
        return Err(sts(StatusCode::FORBIDDEN, "the agency does not trust the provider"));
    }
    if request.id_token != state.options.id_token {
        return Err(sts(UNAUTHORIZED, "the identity token is not one of the provider"));
    }
    let [access, secret, token, expires] = keys(state, seconds);
    let credentials =
        json!({"access_key_id": access, "secret_access_key": secret, "security_token": token, "expiration": expires});
    // What else is in an answer in the official SDK's own tests.
    let body = json!({
        "assumed_agency": {
            "urn": format!("{}/{}", request.agency_urn.replacen("iam::", "sts::", 1), request.agency_session_name),
            "id": format!("stand-in:{}", request.agency_session_name),
        },
        "credentials": credentials,
        "subject_from_id_token": "stand-in",
        "audience": "stand-in",
        "provider": request.provider_urn,
    });
    Ok(Answer::done(&body, ""))
}

/// `PUT /meta-data/latest/api/token`, answered with a text.
pub(super) fn metadata_token(state: &mut State, headers: &HeaderMap) -> Answer {
    if state.options.metadata_without_tokens {
        return Answer::plain(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "Method Not Allowed");
    }
    let asked = header(headers, "x-metadata-token-ttl-seconds").and_then(|seconds| seconds.parse::<u32>().ok());
    if !asked.is_some_and(|seconds| (1..=21_600).contains(&seconds)) {
        return Answer::plain(BAD_REQUEST, "text/plain", "X-Metadata-Token-Ttl-Seconds must be 1 to 21600");
    }
    let token = state.next_id("metadata token");
    state.issued.metadata_tokens.push(token.clone());
    Answer { effect: true, ..Answer::plain(StatusCode::OK, "text/plain", &token) }
}

/// `GET /openstack/latest/securitykey`.
pub(super) fn metadata_key(state: &mut State, headers: &HeaderMap) -> Answer {
    let token = header(headers, "x-metadata-token");
    let known = token.is_some_and(|token| state.issued.metadata_tokens.iter().any(|given| given == token));
    if !known && !state.options.metadata_without_tokens {
        return Answer::plain(UNAUTHORIZED, "text/plain", "the token is missing or was not given here");
    }
    let [access, secret, security_token, expires] = keys(state, DAY.as_secs());
    let credential = json!({"access": access, "secret": secret, "securitytoken": security_token, "expires_at": expires});
    Answer::done(&json!({"credential": credential}), "")
}

/// What `ACTIONS_ID_TOKEN_REQUEST_URL` leads to, for whoever bears the token of the job (GitHub Docs, "`OpenID` Connect reference").
pub(super) fn github_id_token(state: &State, headers: &HeaderMap) -> Answer {
    if header(headers, "authorization").and_then(|value| value.strip_prefix("Bearer ")) != Some(&state.options.token) {
        return Answer::plain(UNAUTHORIZED, "text/plain", "Unauthorized");
    }
    Answer::done(&json!({"count": state.options.id_token.len(), "value": state.options.id_token}), "")
}

fn assumable(state: &State, role: &Role) -> Result<(), Answer> {
    let account = match (&role.domain_name, &role.domain_id) {
        (Some(name), None) => name,
        (None, Some(id)) => id,
        _ => return Err(iam(BAD_REQUEST, "Say domain_name or domain_id.")),
    };
    let known = role.agency_name == state.options.agency_name && *account == state.options.account;
    if known { Ok(()) } else { Err(iam(StatusCode::FORBIDDEN, "You have no right to this agency.")) }
}

/// The name of the project that is meant, if it is ours.
fn project(state: &State, scope: Scope) -> Option<String> {
    match (scope.project.id, scope.project.name) {
        (Some(id), None) if id == state.options.project_id => Some("cn-north-4".to_owned()),
        (None, Some(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

fn token(state: &mut State, method: &str, project: Option<&str>) -> Answer {
    let token = format!("issued-{}", state.next_id("token"));
    let time = state.options.issue_for.unwrap_or(DAY);
    // A token without a project is taken by none but `securitytokens`, which asks for its name alone.
    let mut body = json!({"token": {"expires_at": expires(time), "methods": [method]}});
    if let Some(project) = project {
        body["token"]["project"] = json!({"id": state.options.project_id, "name": project});
        state.issued.tokens.insert(token.clone(), Instant::now() + time);
    } else {
        state.issued.tokens.insert(unscoped(&token), Instant::now() + time);
    }
    let mut answer = Answer { status: StatusCode::CREATED, ..Answer::done(&body, "") };
    answer.headers.push(("x-subject-token", token));
    answer
}

/// How a token without a project is remembered, so that no other call finds it.
pub(super) fn unscoped(token: &str) -> String {
    format!("{UNSCOPED}{token}")
}

const UNSCOPED: &str = "unscoped ";

/// A new key, its secret, its token, and its end as the services write it.
fn keys(state: &mut State, seconds: u64) -> [String; 4] {
    let mut next = |what: &str| state.next_id(what).replace('-', "");
    let access = format!("TEMP{}", &next("access key")[..16].to_ascii_uppercase());
    let (secret, security_token) = (next("secret key"), format!("issued-{}", next("security token")));
    let time = state.options.issue_for.unwrap_or(Duration::from_secs(seconds));
    let key = Key { secret: secret.clone(), security_token: security_token.clone(), ends: Instant::now() + time };
    state.issued.keys.insert(access.clone(), key);
    [access, secret, security_token, expires(time)]
}

fn expires(after: Duration) -> String {
    let ends = now_ms().saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    let ends = jiff::Timestamp::from_millisecond(ends).unwrap_or(jiff::Timestamp::MAX);
    ends.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    serde_json::from_slice(body).map_err(|error| iam(BAD_REQUEST, &error.to_string()))
}

/// A refusal of IAM.
fn iam(status: StatusCode, message: &str) -> Answer {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({"error": {"code": status.as_u16(), "message": message, "title": title}});
    Answer { status, effect: false, ..Answer::done(&body, message) }
}

/// A refusal of STS.
fn sts(status: StatusCode, message: impl Into<String>) -> Refusal {
    Refusal { status, code: "STS.0001", message: message.into() }
}
