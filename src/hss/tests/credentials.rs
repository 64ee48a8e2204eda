//! Credentials that are obtained while calls are made.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::hss::auth::{Agency, Domain, IdToken};

/// Answers with a token that names its number, until an hour from now.
fn issue(number: usize) -> String {
    issue_for(number, 3_600)
}

/// The same until so many seconds from now.
fn issue_for(number: usize, seconds: i64) -> String {
    let ends = Timestamp::now() + SignedDuration::from_secs(seconds);
    let body = format!("{{\"token\":{{\"expires_at\":\"{ends}\",\"project\":{{\"id\":\"p\"}}}}}}");
    answer(201, &format!("X-Subject-Token: token {number}\n"), &body)
}

/// The header that tells this time.
fn date(time: Timestamp) -> String {
    format!("Date: {}\n", jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap())
}

fn by_password(host: &Host) -> Config {
    let plan = Plan::Password { user: "u".to_owned(), password: "a password".into(), domain: "d".to_owned() };
    Config { plan, project_id: None, ..config(host) }
}

/// The tokens that calls of HSS carried.
fn tokens(host: &Host) -> Vec<String> {
    let token = |asked: &Asked| asked.header("x-auth-token").map(str::to_owned);
    host.asked().iter().filter_map(token).collect()
}

#[tokio::test]
async fn a_token_that_was_obtained_and_is_refused_is_obtained_anew_once() {
    // The first token is refused, the second is good for one call.
    let host = Host::new(|before, asked| match asked.header("x-auth-token") {
        None => issue(before),
        Some("token 2") if before == 3 => says(200, NONE),
        Some(_) => says(401, ""),
    });
    let (client, events) = watched(by_password(&host));
    client.list_risks("f", PAGE).await.unwrap();
    assert_eq!(client.project().as_deref(), Some("p"), "the token tells its project");
    assert_eq!(tokens(&host), ["token 0", "token 2"]);
    assert_eq!(events.borrow().iter().filter(|event| matches!(event, Event::Issued { until: Some(_) })).count(), 2);
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err().kind, Kind::Login);
    assert_eq!(tokens(&host), ["token 0", "token 2", "token 2"]);
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err().kind, Kind::Login);
    assert_eq!(host.lines().len(), 5, "and then nothing is tried");
    let calls: Vec<String> = host.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(calls[0], "POST /v3/auth/tokens?nocatalog=true");
}

#[tokio::test]
async fn a_token_that_was_given_and_is_refused_is_not_tried_again() {
    let host = Host::saying([says(401, "")]);
    let client = client(&host);
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err().kind, Kind::Login);
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err().kind, Kind::Login);
    assert_eq!(host.lines().len(), 1);
}

/// The tokens of four calls with one that holds so long, where the third call is answered after so long, both in seconds. A clock that
/// jumps there is one way to come to it.
async fn four_calls(holds: i64, passed: i64) -> Vec<String> {
    let dates = [0, passed].map(|seconds| date(Timestamp::now() + SignedDuration::from_secs(seconds)));
    let host = Host::new(move |before, asked| match asked.header("x-auth-token") {
        None => issue_for(before, holds),
        Some(_) => answer(200, &dates[usize::from(before >= 3)], NONE),
    });
    let client = client_of(by_password(&host));
    for _ in 0..4 {
        client.list_risks("f", PAGE).await.unwrap();
    }
    tokens(&host)
}

#[tokio::test]
async fn what_ends_is_obtained_again_before_its_end() {
    let (kept, renewed) = (["token 0"; 4], ["token 0", "token 0", "token 0", "token 4"]);
    // Five minutes before it.
    assert_eq!(four_calls(3_600, 54 * 60).await, kept);
    assert_eq!(four_calls(3_600, 56 * 60).await, renewed);
    // At four fifths of less.
    assert_eq!(four_calls(1_000, 780).await, kept);
    assert_eq!(four_calls(1_000, 820).await, renewed);
}

#[tokio::test]
async fn what_can_not_be_obtained_again_is_used_to_its_end() {
    let late = date(Timestamp::now() + SignedDuration::from_secs(820));
    let host = Host::new(move |before, asked| match asked.header("x-auth-token") {
        None if before == 0 => issue_for(before, 1_000),
        None => says(400, ""),
        Some(_) => answer(200, &late, NONE),
    });
    let client = client_of(by_password(&host));
    for _ in 0..4 {
        client.list_risks("f", PAGE).await.unwrap();
    }
    assert_eq!(tokens(&host), ["token 0"; 4]);
    assert_eq!(host.lines().len(), 2 + 4, "it was tried once");
}

#[tokio::test]
async fn a_call_that_was_made_with_an_older_token_is_repeated_with_the_newer_one() {
    // Of two calls with a token that is refused one is answered when there is another token, with which a call was made.
    let newer = Arc::new(Mutex::new(false));
    let host = Host::new(move |before, asked| match asked.header("x-auth-token") {
        None => issue(before),
        Some("token 0") if before > 0 && !asked.line.contains("file_id=first") => {
            if asked.line.contains("file_id=slow") {
                wait_for(|| *newer.lock().unwrap(), Duration::from_secs(5));
            }
            says(401, "")
        }
        Some(token) => {
            *newer.lock().unwrap() |= token != "token 0";
            says(200, NONE)
        }
    });
    let client = client_of(by_password(&host));
    client.list_risks("first", PAGE).await.unwrap();
    let (slow, fast) = tokio::join!(client.list_risks("slow", PAGE), client.list_risks("fast", PAGE));
    slow.unwrap();
    fast.unwrap();
    // The newer one bears the number of the request that brought it.
    let tokens: Vec<bool> = tokens(&host).iter().map(|token| token == "token 0").collect();
    assert_eq!((tokens.iter().filter(|is_first| **is_first).count(), tokens.len()), (3, 5));
}

#[tokio::test]
async fn credentials_that_are_refused_or_have_ended_close_the_way_in() {
    let said = async |answer: String| {
        let host = Host::saying([answer]);
        let client = client_of(by_password(&host));
        let error = client.list_risks("f", PAGE).await.unwrap_err();
        (error.kind, error.message, host.lines().len())
    };
    assert_eq!(said(says(400, "")).await, (Kind::Login, "iam/tokens: 400 ".to_owned(), 1));
    assert_eq!(said(says(401, "")).await, (Kind::Login, "iam/tokens: 401 ".to_owned(), 1));
    let lacking = "iam/tokens: 201 with an answer that lacks what is documented".to_owned();
    assert_eq!(said(says(201, "{}")).await, (Kind::Failing, lacking, 1));
    let ended = answer(201, "X-Subject-Token: t\n", r#"{"token":{"expires_at":"1970-01-01T00:00:00Z"}}"#);
    let what = "the credentials that were issued have ended already".to_owned();
    assert_eq!(said(ended).await, (Kind::Login, what.clone(), 1));
    // A clock tells whole seconds: all of this one may have passed.
    let told = SignedDuration::from_hours(9);
    let ends = (Timestamp::UNIX_EPOCH + told + SignedDuration::from_millis(500)).to_string();
    let headers = format!("{}X-Subject-Token: t\n", date(Timestamp::UNIX_EPOCH + told));
    let within = answer(201, &headers, &format!("{{\"token\":{{\"expires_at\":\"{ends}\"}}}}"));
    assert_eq!(said(within).await, (Kind::Login, what, 1));
}

#[tokio::test]
async fn a_call_is_made_with_two_tokens_at_most() {
    let (seen, ended) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(false)));
    let (see, is_ended) = (Arc::clone(&seen), Arc::clone(&ended));
    let host = Host::new(move |before, asked| {
        if asked.header("x-auth-token").is_none() {
            return issue(before);
        }
        *see.lock().unwrap() = true;
        wait_for(|| *is_ended.lock().unwrap(), Duration::from_secs(5));
        says(401, "")
    });
    let client = client_of(by_password(&host));
    // As where another call finds that the token has ended: that it is refused, too, takes no renewal.
    let end = async {
        until(|| *seen.lock().unwrap()).await;
        *client.held.borrow_mut() = None;
        *ended.lock().unwrap() = true;
    };
    let (listed, ()) = tokio::join!(client.list_risks("f", PAGE), end);
    assert_eq!(listed.unwrap_err().kind, Kind::Login);
    assert_eq!(tokens(&host), ["token 0", "token 2"]);
}

/// What is asked for with a plan, besides the call that it is for. Every body is JSON.
async fn obtain(plan: impl Fn(&Host) -> Plan) -> (Vec<(String, Value)>, Vec<Asked>) {
    let keys = |names: [&str; 3]| {
        let [access, secret, token] = names;
        json!({access: "ak", secret: "a secret", token: "a security token"})
    };
    let credential = json!({"credential": keys(["access", "secret", "securitytoken"])});
    let credentials = json!({"credentials": keys(["access_key_id", "secret_access_key", "security_token"])});
    let host = Host::new(move |before, asked| match asked.line.split(['?', ' ']).nth(1) {
        Some("/github") => says(200, r#"{"value":"an identity token"}"#),
        Some("/v5/agencies/assume-with-oidc") => says(200, &credentials.to_string()),
        Some("/v3.0/OS-CREDENTIAL/securitytokens" | "/openstack/latest/securitykey") => says(200, &credential.to_string()),
        Some("/v3.0/OS-AUTH/id-token/tokens") => issue(before),
        Some("/meta-data/latest/api/token") => says(200, "a-metadata-token\n"),
        _ => says(200, NONE),
    });
    let config = Config { plan: plan(&host), sts_endpoint: Some(host.base.clone()), ..config(&host) };
    client_of(config).list_risks("f", PAGE).await.unwrap();
    let mut asked = host.asked();
    let call = asked.pop().unwrap();
    let has_credential = call.header("x-auth-token").is_some() || call.header("x-security-token").is_some();
    assert!(call.line.starts_with("GET /v5/p/") && has_credential, "{call:?}");
    let line = |asked: &Asked| (asked.line.clone(), serde_json::from_str(&asked.body).unwrap_or_default());
    (asked.iter().map(line).collect(), asked)
}

fn of_github(host: &Host, audience: Option<&str>) -> IdToken {
    let url = format!("{}/github?v=1", host.base);
    IdToken::GitHub { url, token: "a request token".into(), audience: audience.map(str::to_owned) }
}

#[tokio::test]
async fn an_identity_token_of_github_brings_a_token_of_iam() {
    for audience in [None, Some("somebody")] {
        let plan = |host: &Host| Plan::IdentityProvider { idp_id: "i".to_owned(), id_token: of_github(host, audience) };
        let (lines, asked) = obtain(plan).await;
        let query = audience.map_or("GET /github?v=1".to_owned(), |audience| format!("GET /github?audience={audience}&v=1"));
        let body = json!({"auth": {"id_token": {"id": "an identity token"}, "scope": {"project": {"id": "p"}}}});
        let exchange = ("POST /v3.0/OS-AUTH/id-token/tokens".to_owned(), body);
        let sorted = |line: &str| {
            let (path, query) = line.split_once('?').unwrap();
            let mut pairs: Vec<&str> = query.split('&').collect();
            pairs.sort_unstable();
            format!("{path}?{}", pairs.join("&"))
        };
        assert_eq!((sorted(&lines[0].0), &lines[1..]), (query, &[exchange][..]));
        assert_eq!(asked[0].header("authorization"), Some("bearer a request token"));
        assert_eq!(asked[1].header("x-idp-id"), Some("i"));
    }
}

fn of_agency(id_token: String) -> Plan {
    Plan::Agency(Box::new(Agency {
        provider_urn: "u".to_owned(),
        agency_urn: "a".to_owned(),
        session_name: "s".to_owned(),
        seconds: 900,
        policy: None,
        policy_ids: Vec::new(),
        id_token: IdToken::Value(id_token.into()),
    }))
}

#[tokio::test]
async fn an_identity_token_brings_keys_of_an_agency() {
    let (lines, asked) = obtain(|_| of_agency("an identity token".to_owned())).await;
    let body = json!({
        "provider_urn": "u", "agency_urn": "a", "agency_session_name": "s", "id_token": "an identity token",
        "duration_seconds": 900,
    });
    assert_eq!(lines, [("POST /v5/agencies/assume-with-oidc".to_owned(), body)]);
    assert_eq!((asked[0].header("authorization"), asked[0].header("x-auth-token")), (None, None));
}

#[tokio::test]
async fn keys_assume_an_agency() {
    let base = Credentials::Keys { access_key: "ak".to_owned(), secret_key: "a secret".into(), security_token: None };
    let plan = |_: &Host| Plan::Assumed {
        base: Box::new(Plan::Fixed(base.clone())),
        agency: "a".to_owned(),
        domain: Domain::Name("d".to_owned()),
        seconds: 900,
    };
    let (lines, asked) = obtain(plan).await;
    let role = json!({"agency_name": "a", "domain_name": "d", "duration_seconds": 900});
    let body = json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}});
    assert_eq!(lines, [("POST /v3.0/OS-CREDENTIAL/securitytokens".to_owned(), body)]);
    let signature = asked[0].header("authorization").unwrap_or_default();
    assert!(signature.starts_with("sdk-hmac-sha256 access=ak, "), "{signature}");
    assert_eq!(asked[0].header("x-project-id"), None, "it is not for the project");
}

#[tokio::test]
async fn a_machine_is_asked_for_its_keys_with_a_token_of_its_own() {
    let (lines, asked) = obtain(|host| Plan::Metadata { endpoint: host.base.clone() }).await;
    let lines: Vec<&str> = lines.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(lines, ["PUT /meta-data/latest/api/token", "GET /openstack/latest/securitykey"]);
    assert_eq!(asked[0].header("x-metadata-token-ttl-seconds"), Some("21600"));
    assert_eq!(asked[1].header("x-metadata-token"), Some("a-metadata-token"));
}

#[tokio::test]
async fn an_identity_token_that_sts_would_not_take_is_not_sent() {
    let host = Host::saying([says(200, "{}")]);
    let tried = async |length: usize, sts_endpoint: Option<&str>| {
        let sts_endpoint = sts_endpoint.map(str::to_owned);
        let config = Config { plan: of_agency("t".repeat(length)), sts_endpoint, ..config(&host) };
        let client = client_of(config);
        client.list_risks("f", PAGE).await.unwrap_err().message
    };
    let base = Some(host.base.as_str());
    for length in [3, 20_001] {
        assert_eq!(tried(length, base).await, "id_token: STS takes 4 to 20000 characters");
    }
    assert_eq!(tried(4, None).await, "no STS endpoint: set a region, or HSS_IAC_STS_ENDPOINT");
    assert_eq!(host.lines().len(), 0);
    for length in [4, 20_000] {
        let lacking = "sts/assume-with-oidc: 200 with an answer that lacks what is documented";
        assert_eq!(tried(length, base).await, lacking);
    }
}

#[tokio::test]
async fn a_machine_whose_service_knows_no_tokens_is_asked_without_one() {
    let keys = r#"{"credential":{"access":"ak","secret":"a secret","securitytoken":"t"}}"#;
    let asked = async |status: u16| {
        let host = Host::new(move |_, asked| match asked.line.as_str() {
            "PUT /meta-data/latest/api/token" => says(status, ""),
            "GET /openstack/latest/securitykey" => says(200, keys),
            _ => says(200, NONE),
        });
        let config = Config { plan: Plan::Metadata { endpoint: host.base.clone() }, ..config(&host) };
        let listed = client_of(config).list_risks("f", PAGE).await;
        (listed.map(|_| ()).map_err(|error| error.kind), host.asked())
    };
    for status in [404, 405] {
        let (listed, asked) = asked(status).await;
        assert_eq!((listed, asked.len(), asked[1].header("x-metadata-token")), (Ok(()), 3, None));
    }
    let (listed, asked) = asked(403).await;
    assert_eq!((listed, asked.len()), (Err(Kind::Login), 1));
}

#[tokio::test]
async fn a_page_of_somebody_in_between_is_no_token_of_a_machine() {
    for body in ["<html>\r\n</html>", "log in", "", " \n"] {
        let host = Host::saying([says(200, body)]);
        let client = client_of(Config { plan: Plan::Metadata { endpoint: host.base.clone() }, ..config(&host) });
        let error = client.list_risks("f", PAGE).await.unwrap_err();
        let message = "metadata/token: 200 with an answer that is not a token";
        assert_eq!((error.kind, error.message.as_str(), host.lines().len()), (Kind::Failing, message, 6), "{body:?}");
    }
}
