//! One request: signed, sent once, its answer read to a bounded end and sorted.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use super::auth::Credentials;
use super::auth::exchange::{metadata_token, wipe};
use super::auth::sign::{Unsigned, sign};
use super::check::certificates;
use super::client::Timings;
use super::error::Said;
use super::hide::{hide, secrets};
use super::pace::{Limit, TooFast};
use super::reach::{self, Distrust, Via};
use super::wire::UploadPart;
use super::{Error, Kind};
use crate::model::FileType;

/// A body larger than this is no answer of this service.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A request to make.
pub(super) struct Call<'a> {
    pub(super) api: &'static str,
    pub(super) route: &'a Route,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Headers that hold a secret, and are not signed.
    pub(super) headers: Vec<(&'static str, SecretString)>,
    pub(super) body: Body<'a>,
    pub(super) who: As<'a>,
    /// Whether the answer is a token and no JSON.
    pub(super) plain: bool,
    /// Whether it may be sent again after it may have taken effect.
    pub(super) repeatable: bool,
    /// Whether an answer without a body is one.
    pub(super) may_be_empty: bool,
}

/// Who calls.
pub(super) enum As<'a> {
    /// The client, with its credentials of the moment.
    Us,
    /// The client, with these: they are to be exchanged for its own.
    Other(&'a Credentials),
    /// Whoever has what the headers or the body hold.
    Nobody,
}

/// A host that is called, and how it is reached.
pub(super) struct Route {
    /// `https://host[:port]`, no trailing slash.
    pub(super) base: String,
    pub(super) http: reqwest::Client,
    /// Whether it has answered as one who reads credentials. Until then one call is sent at a time.
    pub(super) proven: Cell<bool>,
}

impl Route {
    /// A host on this machine is called directly, any other through the proxy that the environment names.
    pub(super) fn new(base: &str, ca_pem: Option<&[u8]>, timings: &Timings) -> Result<Self, Error> {
        let refused =
            |name: &str, [wrong, remedy]: [&str; 2]| Err(Error::new(Kind::Invalid, format!("{name} {wrong}: {remedy}")));
        let mut http = Self::plain(timings);
        match reach::via(base)? {
            Via::ThisMachine => http = http.no_proxy(),
            Via::Torn(name) => return refused(name, reach::TORN),
            Via::Unusable(name) => return refused(name, reach::UNUSABLE),
            Via::Direct | Via::Proxy(_) | Via::Hidden { .. } | Via::InCgi(_) => {}
        }
        if let Some(pem) = ca_pem {
            http = http.tls_certs_merge(certificates(pem)?);
        }
        Self::built(base, http)
    }

    /// A host that belongs to this machine though its address does not: no proxy has a part in it.
    pub(super) fn direct(base: &str, timings: &Timings) -> Result<Self, Error> {
        Self::built(base, Self::plain(timings).no_proxy())
    }

    fn plain(timings: &Timings) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("hss-iac/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timings.connect)
            .timeout(timings.request)
    }

    fn built(base: &str, mut http: reqwest::ClientBuilder) -> Result<Self, Error> {
        if base.starts_with("http://") {
            // Without TLS nothing is to be verified, and reading the system's certificates takes longer than all else here.
            http = http.tls_certs_only([]);
        }
        let invalid = |error: reqwest::Error| {
            Error::new(Kind::Invalid, format!("TLS can't be set up: {}: {}", causes(&error), reach::NO_CLIENT))
        };
        Ok(Self { base: base.to_owned(), http: http.build().map_err(invalid)?, proven: Cell::new(false) })
    }
}

/// What it carries.
pub(super) enum Body<'a> {
    Empty,
    Json(Value),
    /// JSON that holds a secret.
    Secret(Wiped),
    Upload(FileType, &'a [UploadPart]),
}

/// A value whose texts are overwritten when it is dropped. What the HTTP client copies of it is not.
pub(super) struct Wiped(pub(super) Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// A try that brought no answer to use.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) again: Again,
    pub(super) status: Option<u16>,
}

/// What may be done about it.
pub(super) enum Again {
    /// Nothing.
    Never,
    /// The request was never sent.
    NotSent,
    /// The service was busy or broken; it may have done what was asked. It may say how long to wait.
    Broken(Option<Duration>),
    /// Too fast.
    Throttled(TooFast),
    /// The token was refused, and another may be obtained.
    Renewed,
}

/// What an answer says besides its body.
pub(super) struct Answer {
    pub(super) value: Value,
    pub(super) status: u16,
    /// `X-Subject-Token`.
    pub(super) subject_token: Option<SecretString>,
}

/// Builds and signs the request.
pub(super) fn build(
    call: &Call<'_>,
    credentials: Option<&Credentials>,
    project_id: Option<&str>,
) -> Result<reqwest::Request, Error> {
    let invalid = |what: &str| Error::new(Kind::Invalid, format!("{}: {what}", call.api));
    let base = &call.route.base;
    let mut url = Url::parse(&format!("{base}{}", call.path)).map_err(|error| invalid(&format!("{base}: {error}")))?;
    if !call.query.is_empty() {
        let pairs: Vec<String> = call
            .query
            .iter()
            .map(|(name, value)| {
                format!("{}={}", super::auth::sign::encode(name.as_bytes()), super::auth::sign::encode(value.as_bytes()))
            })
            .collect();
        url.set_query(Some(&pairs.join("&")));
    }
    let mut request = call.route.http.request(call.method.clone(), url.clone());
    let mut signed: Vec<(&str, Zeroizing<String>)> = Vec::new();
    let mut body = Zeroizing::new(Vec::new());
    match &call.body {
        Body::Empty => {}
        Body::Json(value) | Body::Secret(Wiped(value)) => {
            *body = value.to_string().into_bytes();
            signed.push(("Content-Type", "application/json".to_owned().into()));
            request = request.body(body.to_vec());
        }
        Body::Upload(file_type, parts) => {
            let mut form = Form::new().text("upload_type", file_type.as_str());
            for part in *parts {
                form = form.part("files", Part::bytes(part.bytes.clone()).file_name(part.name.clone()));
            }
            // The body is not signed, as the official SDK has it for every type but JSON; any byte stands for "not empty" here.
            *body = vec![0];
            signed.push(("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD".to_owned().into()));
            request = request.multipart(form);
        }
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let mut value = HeaderValue::from_str(value.expose_secret())
            .map_err(|_| invalid(&format!("{name} has characters that no header takes")))?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    match credentials {
        None => signed.retain(|(name, _)| *name == "Content-Type"),
        Some(Credentials::Token(token)) => {
            let mut value = HeaderValue::from_str(token.expose_secret())
                .map_err(|_| invalid("the token has characters that no header takes"))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-auth-token"), value);
            signed.retain(|(name, _)| *name == "Content-Type");
        }
        Some(Credentials::Keys { access_key, secret_key, security_token }) => {
            let date = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
            signed.push(("Host", host(&url).into()));
            signed.push(("X-Sdk-Date", date.clone().into()));
            if let Some(project_id) = project_id {
                signed.push(("X-Project-Id", project_id.to_owned().into()));
            }
            if let Some(token) = security_token {
                signed.push(("X-Security-Token", token.expose_secret().to_owned().into()));
            }
            let unsigned = Unsigned {
                method: call.method.as_str(),
                path: &call.path,
                query: &call.query,
                headers: &signed,
                body: &body,
            };
            let authorization = sign(&unsigned, access_key, secret_key.expose_secret(), &date).authorization;
            let mut value = HeaderValue::from_str(&authorization)
                .map_err(|_| invalid("the access key has characters that no header takes"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
    }
    for (name, value) in signed.into_iter().filter(|(name, _)| *name != "Host") {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("a header name"))?;
        let mut value =
            HeaderValue::from_str(&value).map_err(|_| invalid(&format!("{name} has characters that no header takes")))?;
        value.set_sensitive(name == "x-security-token");
        headers.insert(name, value);
    }
    request.headers(headers).build().map_err(|error| invalid(&error.to_string()))
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An error with its causes.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut why = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        why = format!("{why}: {cause}");
        source = cause.source();
    }
    why
}

/// Sorts a request that brought no answer.
pub(super) fn unanswered(api: &str, error: &reqwest::Error, endpoint: &str) -> Failed {
    let why = causes(error);
    // The URL of a request holds no secret, and is long.
    let why = why.replace(error.url().map_or("", Url::as_str), endpoint);
    let sent = !error.is_connect();
    let kind = if sent { Kind::Failing } else { Kind::Unreachable };
    let again = match (sent, super::reach::distrust(error)) {
        (true, _) => Again::Broken(None),
        // A certificate is not trusted more for being asked for again.
        (false, Some(Distrust::Issuer | Distrust::Time | Distrust::Name | Distrust::Unfit)) => Again::Never,
        (false, _) => Again::NotSent,
    };
    Failed { error: Error { kind, message: format!("{api}: {why}"), lost: sent, code: None }, again, status: None }
}

/// Reads and sorts an answer.
pub(super) async fn read(call: &Call<'_>, credentials: Option<&Credentials>, response: Response) -> Result<Answer, Failed> {
    let secrets = secrets(call, credentials);
    sort(call, &secrets, response).await.map_err(|mut failed| {
        failed.error.message = hide(&failed.error.message, &secrets);
        failed
    })
}

async fn sort(call: &Call<'_>, secrets: &[&str], mut response: Response) -> Result<Answer, Failed> {
    let api = call.api;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let retry_after = header("retry-after").and_then(|text| wait_of(&text));
    let request_id = header("x-request-id").or_else(|| header("x-iam-trace-id"));
    let location = header("location");
    let subject_token = header("x-subject-token").map(SecretString::from);
    let broken = |what: String| Failed {
        error: Error { kind: Kind::Failing, message: format!("{api}: {status} {what}"), lost: true, code: None },
        again: Again::Broken(None),
        status: Some(status),
    };
    let mut body = Zeroizing::new(Vec::new());
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => break Some("with an answer of more than 16 MiB".to_owned()),
            Ok(None) => break None,
            Err(error) => break Some(format!("with an answer that broke off: {error}")),
        }
    };
    // These say enough without their words.
    if let Some(cut) = cut.as_ref().filter(|_| !matches!(status, 300..=399 | 401 | 403 | 404 | 429)) {
        return Err(broken(cut.clone()));
    }
    if call.plain && (200..300).contains(&status) {
        let token = metadata_token(&body);
        let token = token.ok_or_else(|| broken("with an answer that is not a token".to_owned()))?;
        return Ok(Answer { value: Value::String(token.to_owned()), status, subject_token });
    }
    // It may hold a credential: what is not handed on is wiped.
    let value = serde_json::from_slice(&body).ok().map(Wiped);
    // Half of a secret can't be told from other words: of what was cut nothing is repeated.
    let said = match cut {
        Some(cut) => Said { text: Some(cut), ..Said::default() },
        None => Said::of_answer(value.as_ref().map(|Wiped(value)| value), &body, secrets),
    };
    if (200..300).contains(&status) && body.is_empty() && call.may_be_empty {
        return Ok(Answer { value: Value::Null, status, subject_token });
    }
    if (200..300).contains(&status) && said.code.is_none() {
        return value
            .map(|mut value| Answer { value: std::mem::take(&mut value.0), status, subject_token })
            .ok_or_else(|| broken("with an answer that is not JSON".to_owned()));
    }
    if (300..400).contains(&status) {
        // The rest of a place may repeat what the request carried, in any form.
        let place = location.and_then(|place| Url::parse(&place).ok()).map(|place| place.origin().ascii_serialization());
        let place = place.as_deref().unwrap_or("another place");
        let message = format!("{api}: {status} sends us to {place}, and redirects are not followed");
        return Err(Failed { error: Error::new(Kind::Failing, message), again: Again::Never, status: Some(status) });
    }
    let kind = said.kind(status);
    let id = said.request_id.clone().or(request_id).map(|id| format!(" (request id {id})")).unwrap_or_default();
    let words = [said.code.as_deref(), said.text.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let message = format!("{api}: {status} {words}{id}");
    let (again, lost) = match kind {
        Kind::Throttled => {
            let limit = said.text.as_deref().and_then(limit_of);
            (Again::Throttled(TooFast { limit, retry_after }), false)
        }
        Kind::Failing => (Again::Broken(retry_after), true),
        _ => (Again::Never, false),
    };
    Err(Failed { error: Error { kind, message, lost, code: said.code }, again, status: Some(status) })
}

/// `Retry-After`: seconds or a date (RFC 9110, section 10.2.3); one that has passed is no wait.
pub fn wait_of(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default())
}

/// The limit in the gateway's words: `policy ip over ratelimit,limit:5,time:2 second`.
pub fn limit_of(text: &str) -> Option<Limit> {
    let after = |word: &str| {
        let rest = &text[text.find(word)? + word.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        Some((&rest[..end], rest[end..].trim_start()))
    };
    let calls = after("limit:")?.0.parse().ok()?;
    let (number, unit) = after("time:")?;
    let number: f64 = number.parse().ok()?;
    let unit = if unit.starts_with("minute") {
        60.0
    } else if unit.starts_with("hour") {
        3_600.0
    } else if unit.starts_with("milli") || unit.starts_with("ms") {
        0.001
    } else if unit.starts_with('s') {
        1.0
    } else {
        return None;
    };
    let window = Duration::try_from_secs_f64(number * unit).ok().filter(|window| !window.is_zero())?;
    Some(Limit { calls, window })
}

#[cfg(test)]
mod tests;
