//! Answers of other kinds, and what is learnt from the headers of any.

use super::*;

async fn risks(host: &Host) -> Result<Listing<RiskRow>, Error> {
    client(host).list_risks("f", PAGE).await
}

async fn failed(answer: String) -> (Error, usize) {
    let host = Host::saying([answer]);
    (risks(&host).await.unwrap_err(), host.lines().len())
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let moved = |place: &str| answer(302, &format!("Location: {place}\n"), "");
    let said = |place: &str| {
        let message = format!("file/risks: 302 sends us to {place}, and redirects are not followed");
        (Error::new(Kind::Failing, message), 1)
    };
    assert_eq!(failed(moved("https://login.example/a?token=b")).await, said("https://login.example"));
    assert_eq!(failed(moved("/login")).await, said("another place"));
    for status in [300, 399] {
        assert_eq!(failed(says(status, "")).await.1, 1, "{status}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_hss_is_asked_for_again() {
    let (error, tries) = failed(says(200, "<html>")).await;
    let lost = |message: &str| Error { lost: true, ..Error::new(Kind::Failing, message.to_owned()) };
    assert_eq!((error, tries), (lost("file/risks: 200 with an answer that is not JSON"), 6));
    let short = says(200, NONE).replace(NONE, "{");
    let (error, tries) = failed(short).await;
    assert!(error.message.starts_with("file/risks: 200 with an answer that broke off: "), "{error}");
    assert_eq!((error.lost, tries), (true, 6));
    let (error, tries) = failed(String::new()).await;
    assert!(error.message.starts_with("file/risks: error sending request"), "{error}");
    assert_eq!((error.lost, tries), (true, 6));
}

#[tokio::test]
async fn a_long_answer_is_read() {
    let host = Host::saying([says(200, &format!("{}{NONE}", " ".repeat(2 << 20)))]);
    assert_eq!(risks(&host).await.unwrap().rows, []);
}

#[tokio::test]
async fn a_refusal_whose_words_break_off_is_one_all_the_same() {
    // Half of the token that was sent stands in it.
    let cut = |status: u16| says(status, NONE).replace(NONE, "no a tok");
    // What a 400 means is in the words that are missing.
    for (status, kind, lost, tries) in [
        (401, Kind::Login, false, 1),
        (403, Kind::Login, false, 1),
        (404, Kind::NotPublished, false, 1),
        (429, Kind::Throttled, false, 21),
        (400, Kind::Failing, true, 6),
    ] {
        let (error, tried) = failed(cut(status)).await;
        assert!(error.message.starts_with(&format!("file/risks: {status} with an answer that broke off: ")), "{error}");
        assert!(!error.message.contains("a tok"), "{error}");
        assert_eq!((error.kind, error.lost, tried), (kind, lost, tries), "{status}");
    }
}

#[tokio::test]
async fn an_error_is_told_with_its_code_and_request() {
    let refused = r#"{"error_code":"HSS.0004","error_msg":"no"}"#;
    let told = |message: &str, kind, code: Option<&str>| Error {
        code: code.map(str::to_owned),
        ..Error::new(kind, message.to_owned())
    };
    assert_eq!(
        failed(answer(400, "X-Request-Id: 1\n", refused)).await,
        (told("file/risks: 400 HSS.0004 no (request id 1)", Kind::Refused, Some("HSS.0004")), 1)
    );
    assert_eq!(
        failed(answer(400, "X-IAM-Trace-Id: 2\n", refused)).await,
        (told("file/risks: 400 HSS.0004 no (request id 2)", Kind::Refused, Some("HSS.0004")), 1)
    );
    let within = refused.replace('}', ",\"request_id\":\"3\"}");
    assert_eq!(
        failed(answer(200, "X-Request-Id: 1\n", &within)).await,
        (told("file/risks: 200 HSS.0004 no (request id 3)", Kind::Refused, Some("HSS.0004")), 1)
    );
    assert_eq!(failed(says(403, "")).await, (told("file/risks: 403 ", Kind::Login, None), 1));
    assert_eq!(failed(says(299, "")).await.1, 6, "of a status that says yes a body is expected");
}

#[tokio::test]
async fn an_answer_of_nothing_is_one_for_the_retry_alone() {
    let retry = async |answer: String| {
        let host = Host::saying([answer]);
        client(&host).retry_failed_clusters("t").await
    };
    retry(says(204, "")).await.unwrap();
    retry(says(200, "{}")).await.unwrap();
    assert!(retry(says(503, "")).await.unwrap_err().lost);
    assert!(retry(says(200, "?")).await.unwrap_err().lost);
}

#[tokio::test]
async fn a_withdrawn_upload_is_told_apart_from_a_page_of_somebody_in_between() {
    let part = UploadPart { name: "n".to_owned(), bytes: vec![b'\n'] };
    let upload = async |region: Option<&str>, body: &str| {
        let host = Host::saying([says(404, body)]);
        let config = Config { region: region.map(str::to_owned), ..config(&host) };
        let client = client_of(config);
        let error = client.upload(crate::model::FileType::Dockerfile, std::slice::from_ref(&part)).await.unwrap_err();
        (error.kind, error.message.replace(&host.base, "HOST"))
    };
    let gone = r#"{"error_code":"APIGW.0101","error_msg":"none"}"#;
    let told = |place: &str| {
        (
            Kind::NotPublished,
            format!(
                "the upload is not published in this region ({place}), or withdrawn: try another region, or ask Huawei Cloud \
                 support whether batch-upload is open to your project [batch-upload: 404 APIGW.0101 none]"
            ),
        )
    };
    assert_eq!(upload(Some("r"), gone).await, told("r"));
    assert_eq!(upload(None, gone).await, told("HOST"));
    assert_eq!(upload(Some("r"), "").await, (Kind::NotPublished, "batch-upload: 404 ".to_owned()));
    let (error, _) = failed(says(404, gone)).await;
    assert_eq!(error.message, "file/risks: 404 APIGW.0101 none");
}

#[tokio::test]
async fn a_stand_in_is_known_by_its_header() {
    let host = Host::saying([answer(200, "X-Hss-Stand-In: 1\n", NONE)]);
    let client = client(&host);
    assert!(!client.stand_in());
    let refused = Error::new(Kind::StandIn, "a stand-in answered in place of HSS".to_owned());
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err(), refused);
    assert_eq!(client.list_risks("f", PAGE).await.unwrap_err(), refused);
    assert_eq!((client.stand_in(), host.lines().len()), (true, 1));
    let allowed = Config { stand_in_allowed: true, ..config(&host) };
    let allowed = client_of(allowed);
    allowed.list_risks("f", PAGE).await.unwrap();
    assert!(allowed.stand_in());
    let plain = Host::saying([says(200, NONE)]);
    let plain_client = super::client(&plain);
    plain_client.list_risks("f", PAGE).await.unwrap();
    assert!(!plain_client.stand_in());
}

#[tokio::test]
async fn the_clock_of_the_service_runs_on() {
    let host = Host::saying([answer(200, "Date: Thu, 01 Jan 1970 01:00:00 GMT\n", NONE)]);
    let client = client(&host);
    assert_eq!(client.service_time(), None);
    client.list_risks("f", PAGE).await.unwrap();
    let first = client.service_time().unwrap();
    tokio::time::sleep(Duration::from_millis(3)).await;
    let second = client.service_time().unwrap();
    assert!((3_600_000..3_610_000).contains(&first) && second >= first + 3, "{first} {second}");
}
