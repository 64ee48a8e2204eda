//! What a request is answered with.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An answer, before faults and common headers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// One line for the journal.
    pub(super) detail: String,
    /// Whether the call was carried out.
    pub(super) effect: bool,
}

/// A request that is not carried out: status, code and text of the error body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Answer {
    /// A call that was carried out.
    pub(super) fn done(body: &Value, detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::OK,
            content_type: "application/json",
            headers: Vec::new(),
            body: body.to_string(),
            detail: detail.into(),
            effect: true,
        }
    }

    /// A call without effect that answers with something else than JSON.
    pub(super) fn plain(status: StatusCode, content_type: &'static str, body: &str) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.to_owned(), detail: String::new(), effect: false }
    }
}

impl Refusal {
    /// A bad parameter: HSS.0001 (HSS API reference, "Error Codes").
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::hss("HSS.0001", message)
    }

    /// Any error of HSS: all of them come as 400.
    pub(super) fn hss(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    /// The gateway could not tell who calls.
    pub(super) fn unauthenticated(why: &str) -> Self {
        let message = format!("Incorrect IAM authentication information: {why}");
        Self { status: StatusCode::UNAUTHORIZED, code: "APIGW.0301", message }
    }

    /// No such API here.
    pub(super) fn not_published() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "APIGW.0101",
            message: "The API does not exist or has not been published in the environment".to_owned(),
        }
    }

    /// Over the limit; the rule as the gateway writes it, `limit:5,time:2 second`.
    pub(super) fn throttled(rule: &str) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "APIGW.0308",
            message: format!("The throttling threshold has been reached: policy user over ratelimit,{rule}"),
        }
    }

    /// The answer, in the gateway's shape for the gateway's errors and in HSS's shape for the others.
    pub(super) fn into_answer(self, request_id: &str) -> Answer {
        let mut body = json!({"error_code": self.code, "error_msg": self.message});
        if self.code.starts_with("APIGW") {
            body["request_id"] = json!(request_id);
        }
        Answer {
            status: self.status,
            detail: format!("{}: {}", self.code, self.message),
            effect: false,
            ..Answer::done(&body, "")
        }
    }
}
