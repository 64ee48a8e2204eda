use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use serde_json::Value;

use super::*;

struct Vector {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    secret_key: String,
    authorization: String,
    canonical_request: String,
    now: i64,
}

impl Vector {
    fn verify(&self) -> Result<(), &'static str> {
        self.verify_at(self.now)
    }

    fn verify_at(&self, now: i64) -> Result<(), &'static str> {
        let parts = Authorization::parse(&self.authorization).ok_or("unreadable")?;
        verify(&self.signed(), &parts, &self.secret_key, now)
    }

    fn signed(&self) -> Signed<'_> {
        Signed { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers, body: &self.body }
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../tests/golden/sign_vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 16);
    vectors.iter().map(vector).collect()
}

fn vector(value: &Value) -> Vector {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    let sent = text("sent_url");
    let after_host = sent.splitn(4, '/').nth(3).unwrap();
    let (path, query) = after_host.split_once('?').unwrap_or((after_host, ""));
    let header = |(name, value): (&String, &Value)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.as_str().unwrap()).unwrap())
    };
    let date = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text("sdk_date")).unwrap();
    Vector {
        name: text("name"),
        method: text("method"),
        path: format!("/{path}"),
        query: query.to_owned(),
        headers: value["headers"].as_object().unwrap().iter().map(header).collect(),
        body: base64::engine::general_purpose::STANDARD.decode(text("body_base64")).unwrap(),
        secret_key: text("sk"),
        authorization: text("authorization"),
        canonical_request: text("canonical_request"),
        now: jiff::tz::TimeZone::UTC.to_timestamp(date).unwrap().as_second(),
    }
}

#[test]
fn accepts_what_the_official_signer_signed() {
    for vector in vectors() {
        let parts = Authorization::parse(&vector.authorization).unwrap();
        let canonical = canonical_request(&vector.signed(), &parts.signed_headers).unwrap();
        assert_eq!(canonical, vector.canonical_request, "{}", vector.name);
        assert_eq!(vector.verify(), Ok(()), "{}", vector.name);
    }
}

#[test]
fn refuses_a_change_of_any_signed_part() {
    for vector in vectors() {
        let changed = |change: fn(&mut Vector)| {
            let mut vector = vector_again(&vector);
            change(&mut vector);
            (vector.name.clone(), vector.verify())
        };
        let refused = (vector.name.clone(), Err(BAD_SIGNATURE));
        assert_eq!(changed(|vector| "DELETE".clone_into(&mut vector.method)), refused);
        assert_eq!(changed(|vector| vector.path.push('x')), refused);
        assert_eq!(changed(|vector| vector.query.push_str("&x=1")), refused);
        assert_eq!(changed(|vector| vector.secret_key.push('x')), refused);
        assert_eq!(changed(|vector| flip_last(&mut vector.authorization)), refused);
        assert_eq!(changed(|vector| vector.authorization = vector.authorization.replace(", Sign", ";zz, Sign")), refused);
        assert_eq!(changed(|vector| vector.authorization = vector.authorization.replace("host;", "")), refused);
    }
}

#[test]
fn refuses_a_change_of_any_signed_header() {
    for vector in vectors() {
        let names: Vec<HeaderName> = vector.headers.keys().cloned().collect();
        for name in names {
            let mut changed = vector_again(&vector);
            let mut value = vector.headers[&name].to_str().unwrap().to_owned();
            flip_last(&mut value);
            changed.headers.insert(&name, value.parse().unwrap());
            assert_eq!(changed.verify(), Err(BAD_SIGNATURE), "{}: {name}", vector.name);
            changed.headers.remove(&name);
            assert_eq!(changed.verify(), Err(BAD_SIGNATURE), "{} without {name}", vector.name);
        }
    }
}

fn vector_again(vector: &Vector) -> Vector {
    vectors().into_iter().find(|other| other.name == vector.name).unwrap()
}

#[test]
fn a_body_is_signed_unless_it_says_otherwise_and_may() {
    for mut vector in vectors() {
        let unsigned = vector.headers.contains_key("x-sdk-content-sha256") && !vector.body.is_empty();
        vector.body.push(b'x');
        // A multipart body that was empty has no claim to be unsigned, for its signature covers the empty hash.
        assert_eq!(vector.verify().is_ok(), unsigned, "{}", vector.name);
    }
}

#[test]
fn json_can_not_go_unsigned() {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-sdk-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
    let mut request = Signed { method: "POST", path: "/", query: "", headers: &headers, body: b"{}" };
    assert_eq!(payload_hash(&request), None);
    let mut multipart = headers.clone();
    multipart.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=x"));
    request.headers = &multipart;
    assert_eq!(payload_hash(&request).as_deref(), Some("UNSIGNED-PAYLOAD"));
}

#[test]
fn the_clock_may_differ_by_fifteen_minutes() {
    let vector = vectors().remove(0);
    let verdicts = [-901, -900, 900, 901].map(|skew| vector.verify_at(vector.now + skew).is_ok());
    assert_eq!(verdicts, [false, true, true, false]);
}

/// The first vector, as sent to a stand-in that knows its key.
fn known() -> (Vector, Options) {
    let mut vector = vectors().remove(0);
    vector.headers.insert("authorization", vector.authorization.parse().unwrap());
    let access_key = Authorization::parse(&vector.authorization).unwrap().access_key.to_owned();
    let options = Options { access_key, secret_key: vector.secret_key.clone(), ..Options::default() };
    (vector, options)
}

#[test]
fn an_accepted_signature_ends_a_row_of_failures() {
    let (vector, options) = known();
    let mut locks = Locks::default();
    let mut accepted = |skew| check(&options, &Issued::default(), &mut locks, &vector.signed(), vector.now + skew).is_ok();
    for _ in 0..2 {
        assert_eq!([5000; 5].map(&mut accepted), [false; 5]);
        assert!(accepted(0));
    }
    assert_eq!([5000; 6].map(&mut accepted), [false; 6]);
    assert!(!accepted(0), "the key is locked now");
}

#[test]
fn a_temporary_key_needs_its_token_and_no_other_key_has_one() {
    let (vector, plain) = known();
    let temporary = Options { security_token: Some("sts".to_owned()), ..plain.clone() };
    let mut with_token = known().0;
    with_token.headers.insert("x-security-token", HeaderValue::from_static("sts"));
    let accepted = |options: &Options, vector: &Vector| {
        check(options, &Issued::default(), &mut Locks::default(), &vector.signed(), vector.now).is_ok()
    };
    let verdicts = [&plain, &temporary].map(|options| [&vector, &with_token].map(|vector| accepted(options, vector)));
    assert_eq!(verdicts, [[true, false], [false, true]]);
}

#[test]
fn says_why_it_refuses() {
    let (vector, options) = known();
    let other = Options { access_key: "OTHER".to_owned(), ..options };
    let refusal = check(&other, &Issued::default(), &mut Locks::default(), &vector.signed(), vector.now).unwrap_err();
    assert_eq!(refusal, Refusal::unauthenticated("Get secretKey failed"));
}

fn flip_last(text: &mut String) {
    let last = text.pop().unwrap();
    text.push(if last == '0' { '1' } else { '0' });
}
