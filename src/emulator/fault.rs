//! Faults that are injected, scripted or drawn.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Options;
use super::answer::{Answer, Refusal};
use super::store::hash;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 APIGW.0308, not carried out.
    Throttle {
        /// Whole seconds of a `Retry-After` header; none without.
        retry_after: Option<u64>,
    },
    /// This status with a JSON error body, not carried out.
    Status(u16),
    /// This status with a JSON error body, though carried out.
    StatusAfter(u16),
    /// A 502 page in HTML, not carried out.
    Html502,
    /// The connection is closed without an answer, not carried out.
    ResetBefore,
    /// The connection is closed without an answer, though carried out.
    ResetAfter,
    /// Carried out; the connection is closed after half of the body.
    Truncate,
    /// Carried out; the answer comes late.
    Slow(Duration),
    /// A 503 that comes late, not carried out.
    Stalled(Duration),
    /// 401 APIGW.0301 "token expires".
    ExpiredToken,
    /// 404 APIGW.0101.
    NotPublished,
    /// 400 HSS.0013: the caller may not do this.
    NoPermission,
    /// Carried out; a 200 whose body is not JSON.
    Garbage,
    /// A 200 with a page of HTML, as a proxy that wants a login gives, not carried out.
    HtmlPage,
    /// Carried out; the body is called HTML.
    WrongType,
    /// Carried out; the body has no end.
    Endless,
    /// Carried out; the body comes byte by byte, so far apart.
    Drip(Duration),
    /// Carried out; half of the body, and then nothing while the connection stays open.
    Hang,
    /// Carried out; the answer has 200 headers more.
    Headers,
    /// Carried out; the `Date` is so many seconds ahead, or behind.
    Dated(i64),
    /// Carried out; every row of a list comes twice.
    Twice,
    /// Carried out; a list lacks its last row, though its total counts it.
    Missing,
    /// Carried out; the first row of a list stands in the place of the last one too.
    InPlace,
    /// Carried out; a list has moved on by a row: its first one stands before the page.
    Shifted,
    /// Carried out; a page holds half of its rows.
    Short,
    /// Carried out; a page holds one row.
    OneRow,
    /// Carried out; a page holds one row, of the rule `made-up` where there are no more, and the total is the largest that can be asked for.
    NoEnd,
    /// Carried out; a list and its total say that there is nothing.
    Emptied,
    /// Carried out; a list says nothing of its total.
    Untotalled,
    /// 400 HSS.0011: the id is not known any more, not carried out.
    Gone,
}

/// A fault at a certain call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedFault {
    /// The API: `batch-upload`, `task`, `tasks/batch-query`, `resources/batch-query`, `task/retry`,
    /// `task-statistics`, `iac/files`, `file/risks`, `risk/paths`, `iam/projects`, `iam/tokens`, `iam/id-token`,
    /// `iam/securitytokens`, `sts/assume-with-oidc`, `metadata/token`, `metadata/securitykey`, `github/id-token`.
    pub api: String,
    /// Which call of this API, from 1; 0 means every call. Calls that the gateway refuses (401, 413, 429) are counted too,
    /// but keep their answer.
    pub nth: u32,
    /// What goes wrong.
    pub fault: Fault,
}

/// The fault of the `nth` call of an API about this: as scripted, else drawn from the seed and these alone.
pub(super) fn choose(options: &Options, api: &str, about: &str, nth: u32) -> Option<Fault> {
    let scripted =
        options.faults.iter().find(|scripted| scripted.api == api && matches!(scripted.nth, n if n == 0 || n == nth));
    if let Some(scripted) = scripted {
        return Some(scripted.fault.clone());
    }
    let mut random = fastrand::Rng::with_seed(hash(options.seed, &format!("fault {api} {about}{nth}")));
    (random.f64() < options.fault_rate).then(|| match random.u8(0..20) {
        0..4 => Fault::Throttle { retry_after: None },
        4 => Fault::Throttle { retry_after: Some(1) },
        5..7 => Fault::Status(500),
        7..9 => Fault::Status(503),
        9 => Fault::StatusAfter(503),
        10..12 => Fault::Html502,
        12..14 => Fault::ResetBefore,
        14..16 => Fault::ResetAfter,
        16..18 => Fault::Truncate,
        _ => Fault::Slow(Duration::from_millis(random.u64(100..300))),
    })
}

/// The answer of a fault that keeps a call from being carried out.
pub(super) fn instead(fault: &Fault, rule: &str) -> Option<Result<Answer, Refusal>> {
    let page = |status, title: &str| {
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Some(Ok(Answer::plain(status, "text/html", &page)))
    };
    match fault {
        Fault::Throttle { .. } => Some(Err(Refusal::throttled(rule))),
        Fault::Status(status) => Some(Err(broken(*status))),
        Fault::Stalled(_) => Some(Err(broken(503))),
        Fault::Html502 => page(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        Fault::HtmlPage => page(StatusCode::OK, "Log in"),
        Fault::ResetBefore => Some(Ok(Answer::plain(StatusCode::OK, "application/json", ""))),
        Fault::ExpiredToken => Some(Err(Refusal::unauthenticated("token expires"))),
        Fault::NotPublished => Some(Err(Refusal::not_published())),
        Fault::NoPermission => Some(Err(Refusal::hss("HSS.0013", "no permission"))),
        Fault::Gone => Some(Err(Refusal::hss("HSS.0011", "resource not found"))),
        _ => None,
    }
}

/// What a broken service says.
pub(super) fn broken(status: u16) -> Refusal {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Refusal { status, code: "HSS.0041", message: "query host info error".to_owned() }
}

/// What a fault does to the lists of an answer.
pub(super) fn spoil_rows(body: &mut String, fault: &Fault, request_id: &str) {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(body) else { return };
    for rows in fields.values_mut().filter_map(Value::as_array_mut) {
        match fault {
            Fault::Twice => *rows = rows.iter().flat_map(|row| [row.clone(), row.clone()]).collect(),
            Fault::Missing => drop(rows.pop()),
            Fault::InPlace => {
                if let [first, .., last] = rows.as_mut_slice() {
                    *last = first.clone();
                }
            }
            Fault::Shifted => drop(rows.drain(..rows.len().min(1))),
            Fault::Short => rows.truncate(rows.len().div_ceil(2)),
            Fault::OneRow => rows.truncate(1),
            Fault::NoEnd => {
                rows.truncate(1);
                if rows.is_empty() {
                    let id = request_id;
                    rows.push(
                        json!({"task_id": id, "file_id": id, "risk_id": id, "rule_id": "made-up", "cluster_id": id, "name": id}),
                    );
                }
            }
            Fault::Emptied => rows.clear(),
            _ => {}
        }
    }
    match (fault, fields.get_mut("total_num")) {
        (Fault::Emptied, Some(total)) => *total = json!(0),
        (Fault::NoEnd, Some(total)) => *total = json!(2_000_000),
        _ => {}
    }
    if *fault == Fault::Untotalled {
        fields.remove("total_num");
    }
    *body = Value::Object(fields).to_string();
}
