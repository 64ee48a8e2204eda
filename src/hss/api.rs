//! One method an endpoint.

use reqwest::Method;
use serde_json::json;

use super::check::{bounded, paging, segment, task_body};
use super::client::Client;
use super::send::{Answer, As, Body, Call};
use super::{
    ClusterRow, Error, FileFilter, FileRow, Kind, Listing, NewTask, Page, PathRow, ResourceRow, RiskRow, TaskFilter,
    TaskRow, TaskType, UploadAnswer, UploadPart, answers,
};
use crate::model::FileType;

impl Client {
    /// The project id, looked up by region in IAM where it was not given and a token that we obtained does not tell.
    ///
    /// `GET /v3/projects?name={region}` (official Python SDK 3.1.219, core).
    pub async fn project_id(&self) -> Result<String, Error> {
        if self.project().is_none() && self.config.plan.brings_token() {
            self.credentials().await?;
        }
        if let Some(project) = self.project() {
            return bounded("project_id", project, 256);
        }
        let Some(region) = self.config.region.clone() else {
            return Err(Error::new(
                Kind::Invalid,
                "no project: set HSS_IAC_PROJECT_ID, or a region to look it up by".to_owned(),
            ));
        };
        let answer = self.call(self.iam("iam/projects", "/v3/projects", vec![("name".to_owned(), region.clone())])).await?;
        let ids = answers::projects(&answer.value);
        match &ids[..] {
            [id] => {
                *self.project.borrow_mut() = Some(id.clone());
                Ok(id.clone())
            }
            [] => Err(Error::new(
                Kind::Login,
                format!("no project of region {region} is visible to these credentials: set HSS_IAC_PROJECT_ID"),
            )),
            _ => Err(Error::new(
                Kind::Login,
                format!("region {region} has several projects ({}): set HSS_IAC_PROJECT_ID to one", ids.join(", ")),
            )),
        }
    }

    /// Uploads 1 to 10 files of one type. Repeated after any passing fault; a repetition may leave a copy in the project.
    ///
    /// `POST /v5/{project_id}/common/files/batch-upload` (HSS API definition of 2025-08, official Python SDK 3.1.160).
    pub async fn upload(&self, file_type: FileType, parts: &[UploadPart]) -> Result<UploadAnswer, Error> {
        if !(1..=10).contains(&parts.len()) {
            return Err(Error::new(Kind::Invalid, format!("files: {} parts, HSS takes 1 to 10", parts.len())));
        }
        if let Some(part) = parts.iter().find(|part| part.bytes.len() > 1_000_000 || !(1..=512).contains(&part.name.len())) {
            return Err(Error::new(
                Kind::Invalid,
                format!("files: {} is larger or longer in name than HSS takes", part.name),
            ));
        }
        let body = Body::Upload(file_type, parts);
        let call = self.hss("batch-upload", Method::POST, "/common/files/batch-upload", Vec::new(), body).await?;
        let answer = self.call(call).await?;
        answers::upload(&answer.value).ok_or_else(|| unreadable("batch-upload", &answer))
    }

    /// Creates a task and returns its id. Repeated only after a failed connect or a 429; any other lost answer comes back
    /// with [`Error::lost`].
    ///
    /// `POST /v5/{project_id}/common/task` (HSS API Reference, "Creating a Task").
    pub async fn create_task(&self, task: &NewTask) -> Result<String, Error> {
        let body = task_body(task)?;
        let mut call = self.hss("task", Method::POST, "/common/task", Vec::new(), Body::Json(body)).await?;
        call.repeatable = false;
        let answer = self.call(call).await?;
        let lost = |error| Error { lost: true, ..error };
        let task_id = answers::task_id(&answer.value).ok_or_else(|| lost(unreadable("task", &answer)))?;
        // An id that no path takes is no mistake of the caller.
        segment("task_id", &task_id).map_err(|odd| lost(Error::new(Kind::Failing, format!("task: {}", odd.message))))
    }

    /// Lists tasks of one type.
    ///
    /// `POST /v5/{project_id}/common/tasks/batch-query` (official Python SDK 3.1.219).
    pub async fn list_tasks(&self, filter: &TaskFilter, page: Page) -> Result<Listing<TaskRow>, Error> {
        let mut body = json!({"task_type": filter.task_type.as_str()});
        if let Some(task_id) = &filter.task_id {
            body["task_id"] = json!(task_id);
        }
        if let Some(file_type) = filter.file_type {
            body["iac_scan_info"] = json!({"file_type": file_type.as_str()});
        }
        if let Some(time) = filter.start_create_time {
            body["start_create_time"] = json!(time);
        }
        if filter.newest_first {
            (body["sort_key"], body["sort_dir"]) = (json!("start_time"), json!("desc"));
        }
        let call = self
            .hss("tasks/batch-query", Method::POST, "/common/tasks/batch-query", paging(page)?, Body::Json(body))
            .await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::task).ok_or_else(|| unreadable("tasks/batch-query", &answer))
    }

    /// Lists the files of an `iac_scan` task.
    ///
    /// `POST /v5/{project_id}/common/tasks/{task_id}/resources/batch-query` (official Python SDK 3.1.219).
    pub async fn list_task_resources(&self, task_id: &str, page: Page) -> Result<Listing<ResourceRow>, Error> {
        let body = json!({"task_type": TaskType::Iac.as_str(), "iac_scan_info": {}});
        let path = format!("/common/tasks/{}/resources/batch-query", segment("task_id", task_id)?);
        let call = self.hss("resources/batch-query", Method::POST, &path, paging(page)?, Body::Json(body)).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "iac_scan_data_list", answers::resource)
            .ok_or_else(|| unreadable("resources/batch-query", &answer))
    }

    /// Lists the clusters of a `cluster_scan` task.
    ///
    /// `POST /v5/{project_id}/common/tasks/{task_id}/resources/batch-query` (official Python SDK 3.1.219).
    pub async fn list_task_clusters(&self, task_id: &str, page: Page) -> Result<Listing<ClusterRow>, Error> {
        let body = json!({"task_type": TaskType::Cluster.as_str()});
        let path = format!("/common/tasks/{}/resources/batch-query", segment("task_id", task_id)?);
        let call = self.hss("resources/batch-query", Method::POST, &path, paging(page)?, Body::Json(body)).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "cluster_scan_data_list", answers::cluster)
            .ok_or_else(|| unreadable("resources/batch-query", &answer))
    }

    /// Has the service scan the clusters of a `cluster_scan` task again that failed. Repeated only after a failed connect or a 429; any
    /// other lost answer comes back with [`Error::lost`].
    ///
    /// `PUT /v5/{project_id}/common/tasks/{task_id}/retry` (official Python SDK 3.1.219, whose answer has no fields).
    pub async fn retry_failed_clusters(&self, task_id: &str) -> Result<(), Error> {
        bounded("task_id", task_id.to_owned(), 64)?;
        let body = json!({
            "task_type": TaskType::Cluster.as_str(),
            "cluster_scan_info": {"range_type": "all_failed_cluster"},
        });
        let path = format!("/common/tasks/{}/retry", segment("task_id", task_id)?);
        let mut call = self.hss("task/retry", Method::PUT, &path, Vec::new(), Body::Json(body)).await?;
        (call.repeatable, call.may_be_empty) = (false, true);
        self.call(call).await.map(drop)
    }

    /// Lists files of the project.
    ///
    /// `GET /v5/{project_id}/container/iac/files` (official Python SDK 3.1.219).
    pub async fn list_files(&self, filter: &FileFilter, page: Page) -> Result<Listing<FileRow>, Error> {
        let mut query = paging(page)?;
        query.push(("scan_type".to_owned(), if filter.cicd { "cicd_scan" } else { "manual_scan" }.to_owned()));
        if let Some(file_id) = &filter.file_id {
            query.push(("file_id".to_owned(), file_id.clone()));
        }
        if let Some(file_type) = filter.file_type {
            query.push(("file_type".to_owned(), file_type.as_str().to_owned()));
        }
        let call = self.hss("iac/files", Method::GET, "/container/iac/files", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::file).ok_or_else(|| unreadable("iac/files", &answer))
    }

    /// Lists the risks of a file.
    ///
    /// `GET /v5/{project_id}/container/iac/file/risks` (official Python SDK 3.1.219).
    pub async fn list_risks(&self, file_id: &str, page: Page) -> Result<Listing<RiskRow>, Error> {
        let mut query = paging(page)?;
        query.push(("file_id".to_owned(), bounded("file_id", file_id.to_owned(), 64)?));
        let call = self.hss("file/risks", Method::GET, "/container/iac/file/risks", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::risk).ok_or_else(|| unreadable("file/risks", &answer))
    }

    /// Lists the places in a file at which a rule hit.
    ///
    /// `GET /v5/{project_id}/container/iac/file/risk/paths` (official Python SDK 3.1.219).
    pub async fn list_risk_paths(&self, file_id: &str, rule_id: &str, page: Page) -> Result<Listing<PathRow>, Error> {
        let mut query = paging(page)?;
        query.push(("file_id".to_owned(), bounded("file_id", file_id.to_owned(), 64)?));
        query.push(("rule_id".to_owned(), bounded("rule_id", rule_id.to_owned(), 256)?));
        let call = self.hss("risk/paths", Method::GET, "/container/iac/file/risk/paths", query, Body::Empty).await?;
        let answer = self.call(call).await?;
        answers::listing(&answer.value, "data_list", answers::path).ok_or_else(|| unreadable("risk/paths", &answer))
    }

    fn iam(&self, api: &'static str, path: &str, query: Vec<(String, String)>) -> Call<'_> {
        Call {
            api,
            route: &self.iam,
            method: Method::GET,
            path: path.to_owned(),
            query,
            headers: Vec::new(),
            body: Body::Empty,
            who: As::Us,
            plain: false,
            repeatable: true,
            may_be_empty: false,
        }
    }

    async fn hss<'a>(
        &'a self,
        api: &'static str,
        method: Method,
        path: &str,
        mut query: Vec<(String, String)>,
        body: Body<'a>,
    ) -> Result<Call<'a>, Error> {
        let project = self.project_id().await?;
        let path = format!("/v5/{}{path}", segment("project_id", &project)?);
        let enterprise = bounded("enterprise_project_id", self.config.enterprise_project_id.clone(), 256)?;
        query.push(("enterprise_project_id".to_owned(), enterprise));
        Ok(Call {
            api,
            route: &self.hss,
            method,
            path,
            query,
            headers: Vec::new(),
            body,
            who: As::Us,
            plain: false,
            repeatable: true,
            may_be_empty: false,
        })
    }
}

fn unreadable(api: &str, answer: &Answer) -> Error {
    Error::new(Kind::Failing, format!("{api}: {} with an answer that lacks what is documented", answer.status))
}
