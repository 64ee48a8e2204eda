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

fn known(access: &str, secret: &str, token: &str, ends: i64) -> Told {
    (access.to_owned(), secret.to_owned(), token.to_owned(), Some(ends), None)
}

/// The answer of `CreateTemporaryAccessKeyByToken` in the IAM API reference, whose form is that of an agency and of a machine too.
#[test]
fn the_keys_in_the_documentation_of_iam_are_read() {
    let body = json!({"credential": {
        "access": "NZFAT5VNWEJDGZ4PZ8CG",
        "expires_at": "2020-01-08T03:50:07.574000Z",
        "secret": "riEoWsy3qO0BvgwfkoLVgCUvzgpjBBcvdqM0hbk0",
        "securitytoken": "gQpjbi1ub3J0aC00jD4Ej...",
    }});
    let secret = "riEoWsy3qO0BvgwfkoLVgCUvzgpjBBcvdqM0hbk0";
    let expected = known("NZFAT5VNWEJDGZ4PZ8CG", secret, "gQpjbi1ub3J0aC00jD4Ej...", 1_578_455_407_574);
    assert_eq!(told(credential(&body)), Some(expected));
}

/// The answer to `AssumeAgencyWithOIDC` in the tests of the official Python SDK.
#[test]
fn the_keys_in_the_tests_of_the_official_sdk_are_read() {
    let body = json!({
        "assumed_agency": {"urn": "sts::123456789:assumed-agency:demo/test-session", "id": "123456789:test-session"},
        "credentials": {
            "access_key_id": "HSTA8D5OT1XAD1FC625D",
            "secret_access_key": "test-secret-access-key",
            "security_token": "test-security-token",
            "expiration": "2026-08-10T07:15:09.084Z",
        },
        "subject_from_id_token": "test-subject",
        "audience": "test-audience",
        "provider": "iam::123456789:oidcProvider:test",
    });
    let expected = known("HSTA8D5OT1XAD1FC625D", "test-secret-access-key", "test-security-token", 1_786_346_109_084);
    assert_eq!(told(credentials(&body)), Some(expected));
}

/// The answers of `KeystoneCreateUserTokenByPassword` and `CreateTokenWithIdToken` in the IAM API reference, neither of which names a project,
/// and one with the project that the second documents as a field.
#[test]
fn the_tokens_in_the_documentation_of_iam_are_read() {
    let subject = || Some("MIIatAYJKoZIhvcNAQcCoIIapTCCGqECAQExDTALB...".to_owned().into());
    let expected = |ends| known("MIIatAYJKoZIhvcNAQcCoIIapTCCGqECAQExDTALB...", "", "", ends);
    let user = json!({"domain": {"id": "d78cbac186b744899480f25bd022f468", "name": "IAMDomain"}, "name": "IAMUser"});
    let mut body = json!({"token": {"expires_at": "2020-01-04T09:08:49.965000Z", "issued_at": "2020-01-03T09:08:49.965000Z",
        "methods": ["password"], "roles": [{"id": "0", "name": "te_admin"}], "user": user}});
    assert_eq!(told(token(subject(), &body)), Some(expected(1_578_128_929_965)));
    body["token"]["project"] = json!({"domain": {"id": "d"}, "id": "46419baef4324", "name": "cn-north-4"});
    assert_eq!(told(token(subject(), &body)).and_then(|told| told.4), Some("46419baef4324".to_owned()));
    let federated = json!({"token": {"expires_at": "2018-03-13T03:00:01.168000Z", "methods": ["mapped"], "user": {"OS-FEDERATION": {}}}});
    assert_eq!(told(token(subject(), &federated)), Some(expected(1_520_910_001_168)));
    assert_eq!(told(token(None, &federated)), None);
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
    let name = Scope::Name("cn-north-1".to_owned());
    let user = json!({"domain": {"name": "IAMDomain"}, "name": "IAMUser", "password": "IAMPassword"});
    assert_eq!(
        password("IAMUser", &secret("IAMPassword"), "IAMDomain", &name),
        json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": "cn-north-1"}}}})
    );
    // The documentation's example has the id and the name, and says to specify either.
    let project =
        json!({"auth": {"id_token": {"id": "eyJhbGciOiJSU..."}, "scope": {"project": {"id": "46419baef4324..."}}}});
    assert_eq!(id_token(&secret("eyJhbGciOiJSU..."), &Scope::Id("46419baef4324...".to_owned())), project);
    let role = json!({"auth": {"identity": {"methods": ["assume_role"],
        "assume_role": {"domain_name": "IAMDomainA", "agency_name": "IAMAgency", "duration_seconds": 3600}}}});
    assert_eq!(assumed("IAMAgency", &Domain::Name("IAMDomainA".to_owned()), 3_600), role);
    // As the official SDK has it: the id of the domain, or its name.
    let role = json!({"auth": {"identity": {"methods": ["assume_role"],
        "assume_role": {"domain_id": "d78cbac186b744899480f25bd022f468", "agency_name": "IAMAgency", "duration_seconds": 900}}}});
    assert_eq!(assumed("IAMAgency", &Domain::Id("d78cbac186b744899480f25bd022f468".to_owned()), 900), role);
    // The page of `AssumeAgencyWithOIDC` that we have lists its fields and prints no example: these values are our own.
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

#[test]
fn a_token_is_a_word_and_not_a_page() {
    assert_eq!(metadata_token(b" TOKEN0a9f==\r\n"), Some("TOKEN0a9f=="));
    for none in [&b""[..], b" \n", b"<html>sign in here</html>", b"a\x00b", "t\u{f6}ken".as_bytes(), b"\xff"] {
        assert_eq!(metadata_token(none), None, "{none:?}");
    }
    let given = |body: Value| github(&body).map(|token| token.expose_secret().to_owned());
    assert_eq!(given(json!({"count": 3, "value": "jwt"})).as_deref(), Some("jwt"));
    for none in [json!({"value": ""}), json!({"value": 1}), json!({"token": "jwt"}), json!("jwt")] {
        assert_eq!(given(none.clone()), None, "{none}");
    }
}
