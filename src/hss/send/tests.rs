use super::*;

#[test]
fn a_host_is_named_with_its_port() {
    let named = |url: &str| host(&Url::parse(url).expect("a URL"));
    assert_eq!(named("https://hss.example/v5"), "hss.example");
    assert_eq!(named("http://127.0.0.1:8080/v5"), "127.0.0.1:8080");
}

#[test]
fn what_proves_who_we_are_is_marked_as_a_secret() {
    super::super::client::provide();
    let route = Route::new("http://127.0.0.1:1", None, &Timings::default()).expect("a route");
    let call = Call {
        api: "a",
        route: &route,
        method: Method::GET,
        path: "/v5".to_owned(),
        query: Vec::new(),
        headers: vec![("x-metadata-token", SecretString::from("m"))],
        body: Body::Empty,
        who: As::Us,
        plain: false,
        repeatable: true,
        may_be_empty: false,
    };
    let keys =
        Credentials::Keys { access_key: "ak".to_owned(), secret_key: "a secret".into(), security_token: Some("t".into()) };
    let marked = |credentials: &Credentials| {
        let request = build(&call, Some(credentials), Some("p")).expect("a request");
        let mark = |(name, value): (&HeaderName, &HeaderValue)| format!("{name} {}", value.is_sensitive());
        let mut marks: Vec<String> = request.headers().iter().map(mark).collect();
        marks.sort_unstable();
        marks
    };
    let expected =
        ["authorization true", "x-metadata-token true", "x-project-id false", "x-sdk-date false", "x-security-token true"];
    assert_eq!(marked(&keys), expected);
    assert_eq!(marked(&Credentials::Token("t".into())), ["x-auth-token true", "x-metadata-token true"]);
}

#[test]
fn an_error_is_told_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer(#[source] std::io::Error);
    assert_eq!(causes(&NoAnswer(std::io::Error::other("it broke off"))), "no answer: it broke off");
}

#[test]
fn what_a_refusal_says_of_the_limit() {
    let limit = |calls, ms| Some(Limit { calls, window: Duration::from_millis(ms) });
    let words = "The throttling threshold has been reached: policy ip over ratelimit,limit:5,time:";
    assert_eq!(limit_of(&format!("{words}2 second")), limit(5, 2_000));
    assert_eq!(limit_of(&format!("{words}1 minute")), limit(5, 60_000));
    assert_eq!(limit_of(&format!("{words}1 hour")), limit(5, 3_600_000));
    assert_eq!(limit_of(&format!("{words}0.25 second")), limit(5, 250));
    assert_eq!(limit_of(&format!("{words}0 second")), None);
    assert_eq!(limit_of(&format!("{words}500 ms")), limit(5, 500));
    assert_eq!(limit_of(&format!("{words}5 fortnights")), None);
    assert_eq!(limit_of("slow down"), None);
    assert_eq!(limit_of("limit:,time:"), None);
    assert_eq!(wait_of("7"), Some(Duration::from_secs(7)));
    assert_eq!(wait_of("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
    assert_eq!(wait_of("soon"), None);
}
