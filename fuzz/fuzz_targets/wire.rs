//! Every answer of HSS, IAM, STS, GitHub and the metadata service, well-formed or not: nothing is made up, no row is lost, and what an
//! error says is one line that repeats no secret.
#![no_main]

use hss_iac::hss::auth::exchange;
use hss_iac::hss::{Kind, Listing, Said, answers};
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use serde_json::Value;

/// Short enough for the fuzzer to write.
const SECRET: &str = "s3cret/+";

fuzz_target!(|body: &[u8]| {
    let said = Said::read(body, &[]);
    for text in [&said.code, &said.text, &said.request_id].into_iter().flatten() {
        assert!(text.chars().count() <= 500 && !text.contains(char::is_control), "{text:?}");
    }
    let hiding = Said::read(body, &[SECRET]);
    for text in [&hiding.code, &hiding.text, &hiding.request_id].into_iter().flatten() {
        assert!(!text.contains(SECRET), "{text:?}");
    }
    if let Some(token) = exchange::metadata_token(body) {
        assert!(!token.is_empty() && !token.contains(|c: char| c.is_control() || c.is_whitespace()), "{token:?}");
    }
    // Whatever the body says, these stay what they are.
    assert_ne!(said.kind(500), Kind::Refused);
    assert_ne!(said.kind(400), Kind::Failing);
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    // A risk or a place is never dropped; a row of the others only without its id.
    rows(&value, "data_list", answers::risk, |_| true);
    rows(&value, "data_list", answers::path, |_| true);
    rows(&value, "data_list", answers::task, |row| has(row, "task_id"));
    rows(&value, "data_list", answers::file, |row| has(row, "file_id"));
    rows(&value, "iac_scan_data_list", answers::resource, |row| has(row, "file_id"));
    rows(&value, "cluster_scan_data_list", answers::cluster, |row| has(row, "cluster_id"));
    if let Some(upload) = answers::upload(&value) {
        let named = |name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        assert_eq!(upload.failed.len(), named("fail_file_info").len(), "no refusal is lost");
        let kept = named("success_file_info").iter().filter(|row| has(row, "file_name")).count();
        assert_eq!(upload.uploaded.len(), kept);
    }
    let projects = answers::projects(&value);
    let named = value.get("projects").and_then(Value::as_array).cloned().unwrap_or_default();
    assert!(projects.len() <= named.len() && projects.is_sorted_by(|a, b| a < b), "{projects:?}");
    assert_eq!(projects.is_empty(), !named.iter().any(|row| has(row, "id")));
    assert_eq!(exchange::github(&value).is_some(), value.get("value").is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty())));
    assert_eq!(answers::task_id(&value).is_some(), has(&value, "task_id"));
    for issued in [
        exchange::credential(&value),
        exchange::credentials(&value),
        exchange::token(Some(SecretString::from("token")), &value),
    ]
    .into_iter()
    .flatten()
    {
        // What is shown of credentials is no secret of theirs.
        let shown = format!("{issued:?}");
        assert!(!shown.contains("\"token\""), "{shown}");
    }
    assert!(exchange::token(None, &value).is_none());
});

fn rows<T>(value: &Value, list: &str, row: fn(&Value) -> Option<T>, counts: fn(&Value) -> bool) {
    let listed = value.get(list);
    let read: Option<Listing<T>> = answers::listing(value, list, row);
    match (listed, read) {
        (Some(Value::Array(all)), Some(read)) => {
            assert_eq!(read.rows.len(), all.iter().filter(|row| counts(row)).count(), "{list}");
        }
        (Some(Value::Array(_)), None) => panic!("a listing is one"),
        (Some(Value::Null) | None, read) => assert!(read.is_none_or(|read| read.rows.is_empty() && read.total.is_some())),
        (Some(_), read) => assert!(read.is_none(), "what is no list is no empty one"),
    }
}

/// Whether a field says something: a text that is not empty, or a number.
fn has(row: &Value, name: &str) -> bool {
    match row.get(name) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(_)) => true,
        _ => false,
    }
}
