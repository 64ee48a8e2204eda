//! What the stand-in gives away, and to whom.

use std::time::Duration;

use hss_iac::emulator::Options;
use serde_json::{Value, json};

use crate::call::{Call, start};

fn nobody(path: &str, body: &Value) -> Call {
    Call::post(path, body).without_token()
}

/// The body with one field set, or without it.
fn with(body: &Value, pointer: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    body
}

fn assume() -> Value {
    let usual = Options::default();
    json!({"provider_urn": usual.provider_urn, "agency_urn": usual.agency_urn, "agency_session_name": "hss-iac",
        "id_token": usual.id_token, "duration_seconds": 900})
}

fn password() -> Value {
    let usual = Options::default();
    let user = json!({"name": usual.access_key, "password": usual.secret_key, "domain": {"name": usual.account}});
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": "cn-north-4"}}}})
}

fn role() -> Value {
    let usual = Options::default();
    let role = json!({"agency_name": usual.agency_name, "domain_name": usual.account, "duration_seconds": 900});
    json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}})
}

fn id_token() -> Value {
    json!({"auth": {"id_token": {"id": Options::default().id_token}, "scope": {"project": {"id": Options::default().project_id}}}})
}

/// A path, a request that is granted there, and changes of it with what each is refused with.
type Case<'a> = (&'a str, Value, &'a [(&'a str, Option<Value>, u16)]);

#[test]
fn a_request_that_strays_from_the_documentation_is_refused() {
    let emulator = start(Options::default());
    let long = |length: usize| Some(json!("x".repeat(length)));
    let cases: [Case<'_>; 4] = [
        (
            "/v5/agencies/assume-with-oidc",
            assume(),
            &[
                ("/provider_urn", None, 400),
                ("/provider_urn", long(9), 403),
                ("/agency_urn", long(9), 403),
                ("/agency_session_name", long(1), 400),
                ("/agency_session_name", long(129), 400),
                ("/id_token", long(3), 400),
                ("/id_token", long(20_001), 400),
                ("/id_token", long(9), 401),
                ("/duration_seconds", Some(json!(899)), 400),
                ("/duration_seconds", Some(json!(43_201)), 400),
                ("/duration_seconds", Some(json!("900")), 400),
                ("/policy", long(2_049), 400),
                ("/policy_ids", Some(json!(vec!["x"; 21])), 400),
                ("/session", Some(json!("x")), 400),
            ],
        ),
        (
            "/v3/auth/tokens",
            password(),
            &[
                ("/auth/scope", None, 400),
                ("/auth/scope", Some(json!({"domain": {"name": "a"}})), 400),
                ("/auth/scope", Some(json!({"project": {"id": "other"}})), 400),
                ("/auth/identity/methods", Some(json!(["password", "totp"])), 400),
                ("/auth/identity/password/user/name", long(3), 401),
                ("/auth/identity/password/user/password", long(3), 401),
                ("/auth/identity/password/user/domain", Some(json!({"name": "other"})), 401),
                ("/auth/identity/password/user/domain", None, 400),
            ],
        ),
        (
            "/v3.0/OS-CREDENTIAL/securitytokens",
            role(),
            &[
                ("/auth/identity/assume_role/agency_name", long(3), 403),
                ("/auth/identity/assume_role/domain_name", long(3), 403),
                ("/auth/identity/assume_role/domain_name", None, 400),
                ("/auth/identity/assume_role/domain_id", long(3), 400),
                ("/auth/identity/assume_role/duration_seconds", Some(json!(899)), 400),
                ("/auth/identity/assume_role/duration_seconds", Some(json!(86_401)), 400),
                ("/auth/scope", Some(json!({"project": {"name": "cn-north-4"}})), 400),
            ],
        ),
        (
            "/v3.0/OS-AUTH/id-token/tokens",
            id_token(),
            &[
                ("/auth/id_token/id", long(9), 401),
                ("/auth/id_token", None, 400),
                ("/auth/scope", Some(json!({"project": {"id": "other"}})), 400),
            ],
        ),
    ];
    for (path, body, changes) in cases {
        let send = |body: &Value| {
            let call = Call::post(path, body).header("X-Idp-Id", &Options::default().idp_id);
            call.answer(&emulator).status
        };
        assert!((200..300).contains(&send(&body)), "{path}");
        for (pointer, value, status) in changes {
            let changed = with(&body, pointer, value.clone());
            assert_eq!(send(&changed), *status, "{path}: {changed}");
        }
    }
    assert_eq!(nobody("/v3.0/OS-AUTH/id-token/tokens", &id_token()).answer(&emulator).status, 401, "no identity provider");
    assert_eq!(nobody("/v3.0/OS-CREDENTIAL/securitytokens", &role()).answer(&emulator).status, 401, "no caller");
}

#[test]
fn a_token_without_a_project_is_good_for_keys_alone() {
    let emulator = start(Options::default());
    let unscoped = with(&id_token(), "/auth/scope", None);
    let idp = Options::default().idp_id;
    let answer = nobody("/v3.0/OS-AUTH/id-token/tokens", &unscoped).header("X-Idp-Id", &idp).answer(&emulator);
    let token = answer.headers["x-subject-token"].clone();
    let mut call = Call::get("/v3/auth/projects").without_token().header("X-Auth-Token", &token);
    assert_eq!(call.answer(&emulator).status, 401);
    // As the official SDKs exchange it.
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": {"id": token, "duration_seconds": 21_600}}}});
    let keys = nobody("/v3.0/OS-CREDENTIAL/securitytokens", &body).answer(&emulator);
    let credential = keys.json()["credential"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        (keys.status, credential),
        (201, ["access", "expires_at", "secret", "securitytoken"].map(str::to_owned).into())
    );
    call = nobody("/v3.0/OS-CREDENTIAL/securitytokens", &with(&body, "/auth/identity/token/id", Some(json!("other"))));
    assert_eq!(call.answer(&emulator).status, 401);
}

#[test]
fn a_token_ends() {
    let emulator = start(Options { issue_for: Some(Duration::from_millis(300)), ..Options::default() });
    let token = nobody("/v3/auth/tokens", &password()).answer(&emulator).headers["x-subject-token"].clone();
    let call = Call::get("/v3/auth/projects").without_token().header("X-Auth-Token", &token);
    assert_eq!(call.answer(&emulator).status, 200);
    std::thread::sleep(Duration::from_millis(350));
    let late = call.answer(&emulator);
    assert_eq!(late.status, 401);
    assert!(late.body.contains("token expires"), "{}", late.body);
}

#[test]
fn the_metadata_service_wants_a_token_of_its_own() {
    let emulator = start(Options::default());
    let ask = |ttl: &str| {
        let call = Call::get("/meta-data/latest/api/token").without_token().with_method("PUT");
        call.header("X-Metadata-Token-Ttl-Seconds", ttl).answer(&emulator)
    };
    assert_eq!(["0", "21601", "x"].map(|ttl| ask(ttl).status), [400; 3]);
    let token = ask("21600");
    assert_eq!((token.status, token.headers["content-type"].as_str()), (200, "text/plain"));
    let key = Call::get("/openstack/latest/securitykey").without_token();
    assert_eq!(key.answer(&emulator).status, 401);
    assert_eq!(key.clone().header("X-Metadata-Token", "other").answer(&emulator).status, 401);
    assert_eq!(key.header("X-Metadata-Token", &token.body).answer(&emulator).status, 200);
}
