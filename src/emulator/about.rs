//! What a call is about, in words that do not depend on the order in which calls came: names of files in place of ids.

use axum::body::Bytes;
use axum::http::request::Parts;
use serde_json::Value;

use super::answer::Refusal;
use super::gate::Api;
use super::query::Query;
use super::store::{Job, State};
use super::upload::Form;

/// The same for every try of a call and every page of a listing, and another one for other files. Empty where there is but one thing to
/// ask for.
pub(super) fn about(
    state: &State,
    api: Api<'_>,
    parts: &Parts,
    body: Option<&Bytes>,
    form: &Result<Form, Refusal>,
) -> String {
    let query = Query::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
    match api {
        Api::Upload => sorted(form.iter().flat_map(Form::names)),
        Api::CreateTask => {
            let task: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
            let ids = task["iac_scan_info"]["file_id_list"].as_array().into_iter().flatten().filter_map(Value::as_str);
            sorted(ids.map(|id| name(state, id)))
        }
        Api::ListTaskResources(task_id) | Api::RetryTask(task_id) => {
            let task = state.tasks.iter().find(|task| task.id == task_id);
            match task.map(|task| &task.job) {
                Some(Job::Iac { file_ids, .. }) => sorted(file_ids.iter().map(|id| name(state, id))),
                _ => String::new(),
            }
        }
        Api::ListFiles | Api::ListRisks | Api::ListPaths => {
            let word = |key| query.get(key).unwrap_or_default();
            format!("{} {} {}", name(state, word("file_id")), word("rule_id"), word("cicd"))
        }
        _ => String::new(),
    }
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(" ")
}

fn name<'a>(state: &'a State, file_id: &str) -> &'a str {
    state.files.get(file_id).map_or("", |file| file.stored.name.as_str())
}
