//! What IAM tells of projects (official Python SDK 3.1.219, `huaweicloudsdkiam`).

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::query::Query;
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
