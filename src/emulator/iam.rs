//! The calls of IAM that a client of HSS makes (official Python SDK 3.1.219, `huaweicloudsdkiam`).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::query::{self, Query};
use super::store::State;

/// The project's name where none is asked for.
const REGION: &str = "cn-north-4";

/// `GET /v3/projects`: the one project is the default project of every region.
pub(super) fn projects(state: &State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&["domain_id", "name", "parent_id", "enabled", "is_domain", "page", "per_page"])?;
    Ok(Answer::done(&list(state, query.get("name").unwrap_or(REGION), "projects"), ""))
}

/// `GET /v3/auth/projects`: what the caller may use.
pub(super) fn auth_projects(state: &State, query: &Query) -> Result<Answer, Refusal> {
    query.only(&[])?;
    Ok(Answer::done(&list(state, REGION, "auth/projects"), ""))
}

/// `POST /v3/auth/tokens`: a user who is called like the access key and whose password is its secret.
pub(super) fn tokens(state: &State, body: &[u8]) -> Result<Answer, Refusal> {
    let request: Value = query::json(body)?;
    let user = &request["auth"]["identity"]["password"]["user"];
    let scope = &request["auth"]["scope"]["project"];
    if user["name"] != json!(state.options.access_key) || user["password"] != json!(state.options.secret_key) {
        let message = "The username or password is wrong.";
        let body = json!({"error": {"code": 401, "message": message, "title": "Unauthorized"}});
        return Ok(Answer { status: StatusCode::UNAUTHORIZED, effect: false, ..Answer::done(&body, message) });
    }
    if !scope["name"].is_string() && scope["id"] != json!(state.options.project_id) {
        return Err(Refusal::invalid("the scope must be a project of the user"));
    }
    let day = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(24)).map(|end| end.to_string());
    let body = json!({"token": {
        "expires_at": day.unwrap_or_default(),
        "methods": ["password"],
        "project": {"id": state.options.project_id, "name": scope["name"].as_str().unwrap_or(REGION)},
    }});
    let mut answer = Answer::done(&body, "");
    answer.status = StatusCode::CREATED;
    answer.headers.push(("x-subject-token", state.options.token.clone()));
    Ok(answer)
}

fn list(state: &State, name: &str, path: &str) -> Value {
    json!({
        "links": {"next": null, "previous": null, "self": format!("https://iam.myhuaweicloud.com/v3/{path}")},
        "projects": [{
            "id": state.options.project_id,
            "name": name,
            "domain_id": "d0a1b2c3d4e5f60718293a4b5c6d7e8f",
            "parent_id": "d0a1b2c3d4e5f60718293a4b5c6d7e8f",
            "enabled": true,
            "is_domain": false,
            "description": "",
        }],
    })
}
