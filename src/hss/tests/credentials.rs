//! Credentials that are obtained while calls are made.

use super::*;

/// Answers with a token that names its number, until an hour from now.
fn issue(number: usize) -> String {
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let body = format!("{{\"token\":{{\"expires_at\":\"{ends}\",\"project\":{{\"id\":\"p\"}}}}}}");
    answer(201, &format!("X-Subject-Token: token {number}\n"), &body)
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

#[tokio::test]
async fn what_ends_is_obtained_again_before_its_end() {
    // An hour is renewed five minutes before its end: a clock that jumps there is one way to come to it.
    let early = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(50);
    let late = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(56);
    let date =
        |time: jiff::Timestamp| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap();
    let (early, late) = (date(early), date(late));
    let host = Host::new(move |before, asked| match asked.header("x-auth-token") {
        None => issue(before),
        Some(_) => answer(200, &format!("Date: {}\n", if before < 3 { &early } else { &late }), NONE),
    });
    let client = Client::new(by_password(&host), Box::new(|_| ())).unwrap();
    for _ in 0..4 {
        client.list_risks("f", PAGE).await.unwrap();
    }
    assert_eq!(tokens(&host), ["token 0", "token 0", "token 0", "token 4"]);
}

#[tokio::test]
async fn credentials_that_are_refused_or_have_ended_close_the_way_in() {
    let said = async |answer: String| {
        let host = Host::saying([answer]);
        let client = Client::new(by_password(&host), Box::new(|_| ())).unwrap();
        let error = client.list_risks("f", PAGE).await.unwrap_err();
        (error.kind, error.message, host.lines().len())
    };
    assert_eq!(said(says(400, "")).await, (Kind::Login, "iam/tokens: 400 ".to_owned(), 1));
    assert_eq!(said(says(401, "")).await, (Kind::Login, "iam/tokens: 401 ".to_owned(), 1));
    let lacking = "iam/tokens: 201 with an answer that lacks what is documented".to_owned();
    assert_eq!(said(says(201, "{}")).await, (Kind::Failing, lacking, 1));
    let ended = answer(201, "X-Subject-Token: t\n", r#"{"token":{"expires_at":"1970-01-01T00:00:00Z"}}"#);
    let what = "the credentials that were issued have ended already".to_owned();
    assert_eq!(said(ended).await, (Kind::Login, what, 1));
}

#[tokio::test]
async fn a_call_is_made_with_two_tokens_at_most() {
    let is_asked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let asking = Arc::clone(&is_asked);
    let host = Host::new(move |before, asked| {
        if asked.header("x-auth-token").is_none() {
            return issue(before);
        }
        asking.store(true, std::sync::atomic::Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        says(401, "")
    });
    let client = Client::new(by_password(&host), Box::new(|_| ())).unwrap();
    // As where another call finds that the token has ended: that it is refused, too, takes no renewal.
    let end = async {
        while !is_asked.load(std::sync::atomic::Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        *client.held.borrow_mut() = None;
    };
    let (listed, ()) = tokio::join!(client.list_risks("f", PAGE), end);
    assert_eq!(listed.unwrap_err().kind, Kind::Login);
    assert_eq!(tokens(&host), ["token 0", "token 2"]);
}
