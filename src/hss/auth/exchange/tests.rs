use super::*;

/// What the issuer says, as text: key or token, secret, security token, end, project.
type Told = (String, String, String, Option<i64>, Option<String>);

fn told(issued: Option<Issued>) -> Option<Told> {
    let Issued { credentials, ends, project } = issued?;
    Some(match credentials {
        Credentials::Token(token) => (token.expose_secret().to_owned(), String::new(), String::new(), ends, project),
        Credentials::Keys { access_key, secret_key, security_token } => {
            let token = security_token.map(|token| token.expose_secret().to_owned()).unwrap_or_default();
            (access_key, secret_key.expose_secret().to_owned(), token, ends, project)
        }
    })
}

/// The fields and the forms of time are those of the official SDKs' own tests of these calls.
#[test]
fn answers_in_the_forms_that_the_official_sdks_expect() {
    let text = |text: &str| text.to_owned();
    let keys = json!({"credential": {"access": "ak", "expires_at": "2020-01-08T03:50:07.574000Z", "secret": "sk", "securitytoken": "st"}});
    let expected = (text("ak"), text("sk"), text("st"), Some(1_578_455_407_574), None);
    assert_eq!(told(credential(&keys)), Some(expected));
    let keys = json!({"credentials": {"access_key_id": "ak", "secret_access_key": "sk", "security_token": "st",
        "expiration": "2099-01-01T00:00:00.123Z"}});
    let expected = (text("ak"), text("sk"), text("st"), Some(4_070_908_800_123), None);
    assert_eq!(told(credentials(&keys)), Some(expected));
    let body = json!({"token": {"expires_at": "2018-03-13T03:00:01.168000Z", "methods": ["mapped"],
        "project": {"id": "p", "name": "cn-north-4"}}});
    let expected = (text("t"), text(""), text(""), Some(1_520_910_001_168), Some(text("p")));
    assert_eq!(told(token(Some("t".to_owned().into()), &body)), Some(expected));
    assert_eq!(told(token(None, &body)), None);
}

#[test]
fn a_key_without_its_token_is_none() {
    for lacking in ["access", "secret", "securitytoken"] {
        let mut body = json!({"credential": {"access": "ak", "secret": "sk", "securitytoken": "st"}});
        assert_eq!(told(credential(&body)).and_then(|told| told.3), None);
        assert!(credential(&body).is_some());
        body["credential"][lacking] = json!("");
        assert_eq!(told(credential(&body)), None, "{lacking}");
    }
}

#[test]
fn requests_are_those_of_the_documentation() {
    let secret = |text: &str| SecretString::from(text.to_owned());
    let name = Scope::Name("cn-north-4".to_owned());
    assert_eq!(
        password("u", &secret("p"), "d", &name),
        json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u", "password": "p", "domain": {"name": "d"}}}},
            "scope": {"project": {"name": "cn-north-4"}}}})
    );
    let project = json!({"auth": {"id_token": {"id": "jwt"}, "scope": {"project": {"id": "p"}}}});
    assert_eq!(id_token(&secret("jwt"), &Scope::Id("p".to_owned())), project);
    // What the Terraform provider sends for `assume_role`.
    let role = json!({"auth": {"identity": {"methods": ["assume_role"],
        "assume_role": {"agency_name": "a", "domain_name": "d", "duration_seconds": 900}}}});
    assert_eq!(assumed("a", &Domain::Name("d".to_owned()), 900), role);
    let full = Agency {
        provider_urn: "iam::1:oidcProvider:p".to_owned(),
        agency_urn: "iam::1:agency:a".to_owned(),
        session_name: "hss-iac".to_owned(),
        seconds: 3_600,
        policy: Some("{}".to_owned()),
        policy_ids: vec!["x".to_owned()],
        id_token: super::super::IdToken::Value(secret("jwt")),
    };
    assert_eq!(
        agency(&full, &secret("jwt")),
        json!({"provider_urn": "iam::1:oidcProvider:p", "agency_urn": "iam::1:agency:a", "agency_session_name": "hss-iac",
            "id_token": "jwt", "duration_seconds": 3600, "policy": "{}", "policy_ids": ["x"]})
    );
}

#[test]
fn nothing_of_a_body_is_left() {
    let mut body = json!({"a": ["s", {"b": "s"}], "c": 1});
    wipe(&mut body);
    assert_eq!(body, json!({"a": ["", {"b": ""}], "c": 1}));
}
