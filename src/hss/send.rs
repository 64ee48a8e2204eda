//! One request: the connection, the bounded answer, and what the answer means.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Request, Url, redirect, retry};
use serde_json::Value;

use super::client::Config;
use super::refusal::{self, printable};
use super::retry::{Failure, retry_after, throttle_rule};
use super::{Error, Kind};

/// Bytes of an answer that we read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A host and the way to it.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) base: Url,
    pub(super) http: reqwest::Client,
}

impl Route {
    /// Checks `endpoint` (named `field` in errors) and sets up TLS; opens no connection.
    pub(super) fn new(field: &str, endpoint: &str, config: &Config) -> Result<Self, Error> {
        let invalid = |why: &str| Error::invalid(format!("{field}: {endpoint:?} {why}"));
        let url = Url::parse(endpoint).map_err(|error| invalid(&format!("is no address: {error}")))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() || url.host_str().is_none() {
            return Err(Error::invalid(format!("{field}: only https://host or https://host:port is possible")));
        }
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(invalid("is plain http, which is possible to loopback only")),
            _ => return Err(invalid("is neither https nor http")),
        }
        let http = client(config, loopback, url.scheme() == "https")?;
        Ok(Self { base: url, http })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn client(config: &Config, loopback: bool, tls: bool) -> Result<reqwest::Client, Error> {
    // reqwest takes the process's default; a second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hss-iac/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.timings.connect)
        .timeout(config.timings.request)
        // Waits for the limit are long: a connection that the gateway closed meanwhile would cost a lost answer.
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    if loopback {
        builder = builder.no_proxy();
    }
    if !tls {
        // Without TLS the system's certificates are not needed, and may be missing in a small image.
        builder = builder.tls_certs_only([]);
    } else if let Some(pem) = &config.ca_pem {
        let certificates =
            Certificate::from_pem_bundle(pem).map_err(|error| Error::invalid(format!("ca_pem: {}", causes(&error))))?;
        if certificates.is_empty() {
            return Err(Error::invalid("ca_pem: no certificate in it"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| {
        let causes = causes(&error);
        Error::invalid(format!("TLS can't be set up: {causes}; are the system's CA certificates installed?"))
    })
}

/// An answer, whatever it says.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// What was read of the body, and why no more where it broke off.
    body: Vec<u8>,
    broken: Option<String>,
}

/// Sends a request and reads its answer.
pub(super) async fn send(api: &str, http: &reqwest::Client, request: Request) -> Result<Answer, Error> {
    let host = request.url().origin().ascii_serialization();
    let mut response = http.execute(request).await.map_err(|error| {
        let error = error.without_url();
        if error.is_connect() {
            Error::new(Kind::Unreachable, format!("{api}: no connection to {host}: {}", causes(&error)))
        } else if error.is_timeout() {
            Error::new(Kind::Failing, format!("{api}: no answer from {host} in time"))
        } else {
            Error::new(Kind::Failing, format!("{api}: no answer from {host}: {}", causes(&error)))
        }
    })?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (mut body, mut broken) = (Vec::new(), None);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(Some(_)) => {
                broken = Some(format!("more than {LARGEST_ANSWER} bytes"));
                break;
            }
            Ok(None) => break,
            Err(error) => {
                broken = Some(causes(&error.without_url()));
                break;
            }
        }
    }
    Ok(Answer { status, headers, body, broken })
}

/// The JSON of a successful answer, or the failure that it is. `base` is the host asked.
pub(super) fn judge(api: &str, base: &Url, answer: &Answer, now: Timestamp) -> Result<Value, Failure> {
    let status = answer.status;
    match status {
        200..=299 => {
            if let Some(why) = &answer.broken {
                return Err(unreadable(api, status, why).into());
            }
            match serde_json::from_slice(&answer.body) {
                Ok(json) if !refusal::code_in_success(&json) => Ok(json),
                Ok(_) => Err(refused(api, answer, now)),
                Err(_) => {
                    let said = refusal::read(&answer.headers, &answer.body).shown();
                    Err(unreadable(api, status, &format!("no JSON{said}")).into())
                }
            }
        }
        300..=399 => {
            let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let host = location.and_then(|location| base.join(location).ok());
            let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "nowhere".into());
            let message = format!("{api}: {status} redirects to {}, which is not followed", printable(&host, 255));
            Err(Error { status: Some(status), ..Error::new(Kind::Failing, message) }.into())
        }
        _ => Err(refused(api, answer, now)),
    }
}

/// An answer with a good status that does not hold what it must.
pub(super) fn unreadable(api: &str, status: u16, why: &str) -> Error {
    Error { status: Some(status), ..Error::new(Kind::Failing, format!("{api}: {status} unreadable answer: {why}")) }
}

fn refused(api: &str, answer: &Answer, now: Timestamp) -> Failure {
    let mut refusal = refusal::read(&answer.headers, &answer.body);
    // IAM repeats the status as its code.
    refusal.code.take_if(|code| *code == answer.status.to_string());
    let kind = Kind::of(answer.status, refusal.code.as_deref());
    let message = format!("{api}: {}{}", answer.status, refusal.shown());
    let asked = answer.headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
    let rule = refusal.text.as_deref().and_then(throttle_rule);
    Failure { error: Error { status: Some(answer.status), code: refusal.code, ..Error::new(kind, message) }, asked, rule }
}

/// An error and its causes on one line, none said twice.
fn causes(error: &dyn std::error::Error) -> String {
    let mut shown = printable(&error.to_string(), 500);
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = printable(&error.to_string(), 500);
        if !shown.contains(&text) {
            shown.extend([": ", &text]);
        }
        cause = error.source();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, headers: &[(&'static str, &str)], body: &str) -> String {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let answer = Answer { status, headers, body: body.into(), broken: None };
        let base = Url::parse("https://hss.example").unwrap();
        match judge("task", &base, &answer, Timestamp::UNIX_EPOCH) {
            Ok(json) => json.to_string(),
            Err(Failure { error, asked, rule }) => {
                let rule = rule.map(|rule| (rule.calls, rule.window));
                format!("{:?} {} {asked:?} {rule:?}", error.kind, error.message)
            }
        }
    }

    #[test]
    fn an_answer_is_json_or_one_line_of_failure() {
        assert_eq!(said(200, &[], r#"{"task_id":"t"}"#), r#"{"task_id":"t"}"#);
        assert_eq!(
            said(400, &[("x-request-id", "1234")], r#"{"error_code":"HSS.1018","error_msg":"invalid file information"}"#),
            "Refused task: 400 HSS.1018 invalid file information (request id 1234) None None"
        );
        assert_eq!(said(200, &[], r#"{"error_code":517,"error_description":"old"}"#), "Refused task: 200 517 old None None");
        assert_eq!(
            said(200, &[], "<html><title>Sign in</title>"),
            "Failing task: 200 unreadable answer: no JSON page: Sign in None None"
        );
        assert_eq!(said(200, &[], ""), "Failing task: 200 unreadable answer: no JSON None None");
        assert_eq!(
            said(
                401,
                &[("x-iam-trace-id", "t")],
                r#"{"error":{"code":401,"message":"bad password","title":"Unauthorized"}}"#
            ),
            "Login task: 401 bad password (request id t) None None"
        );
        assert_eq!(said(502, &[], "<html>"), "Failing task: 502 a page instead of JSON None None");
        assert_eq!(said(503, &[("retry-after", "7")], ""), "Failing task: 503 Some(7s) None");
    }

    #[test]
    fn a_throttled_answer_says_when_and_how_much() {
        let body = r#"{"error_code":"APIGW.0308","error_msg":"policy ip over ratelimit,limit:5,time:60 second"}"#;
        assert_eq!(
            said(429, &[("retry-after", "Thu, 01 Jan 1970 00:00:42 GMT")], body),
            "Throttled task: 429 APIGW.0308 policy ip over ratelimit,limit:5,time:60 second Some(42s) Some((5, 60s))"
        );
    }

    #[test]
    fn a_redirect_names_its_host() {
        let at = |location| said(302, &[("location", location)], "");
        assert_eq!(
            at("https://login.example/a?b"),
            "Failing task: 302 redirects to login.example, which is not followed None None"
        );
        assert_eq!(at("/elsewhere"), "Failing task: 302 redirects to hss.example, which is not followed None None");
        assert_eq!(said(301, &[], ""), "Failing task: 301 redirects to nowhere, which is not followed None None");
    }
}
