//! A call before it is a request: built anew for every try, since a multipart body can't be sent twice and a signature
//! carries its time.

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Request};
use serde_json::Value;

use super::Error;
use super::auth::{Credentials, authorize, encode};
use super::retry::Repeat;
use super::send::Route;
use super::wire::UploadPart;
use crate::model::FileType;

/// The APIs that are paced and counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Api {
    Upload,
    CreateTask,
    ListTasks,
    ListResources,
    ListFiles,
    ListRisks,
    ListPaths,
    Projects,
}

impl Api {
    pub(super) const ALL: [Self; 8] = [
        Self::Upload,
        Self::CreateTask,
        Self::ListTasks,
        Self::ListResources,
        Self::ListFiles,
        Self::ListRisks,
        Self::ListPaths,
        Self::Projects,
    ];

    /// The name in counts, events and messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Upload => "batch-upload",
            Self::CreateTask => "task",
            Self::ListTasks => "tasks/batch-query",
            Self::ListResources => "resources/batch-query",
            Self::ListFiles => "iac/files",
            Self::ListRisks => "file/risks",
            Self::ListPaths => "risk/paths",
            Self::Projects => "iam/projects",
        }
    }

    pub(super) fn repeat(self) -> Repeat {
        if self == Self::CreateTask { Repeat::OnlyUntaken } else { Repeat::Freely }
    }

    /// Whether the call leaves something behind at the service.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Upload | Self::CreateTask)
    }
}

/// What a call carries.
pub(super) enum Body<'a> {
    /// Nothing: a GET.
    None,
    /// A POST of JSON.
    Json(Value),
    /// A POST of files.
    Files(FileType, &'a [UploadPart]),
}

/// One call, as often as it is tried.
pub(super) struct Call<'a> {
    pub(super) api: Api,
    /// Each part already encoded.
    pub(super) path: String,
    /// Plain names and values.
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Body<'a>,
}

impl Call<'_> {
    /// The request of one try, with proof of who we are.
    pub(super) fn request(
        &self,
        route: &Route,
        credentials: &Credentials,
        project: Option<&str>,
        now: Timestamp,
    ) -> Result<Request, Error> {
        let mut url = route.base.clone();
        url.set_path(&self.path);
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        url.set_query((!query.is_empty()).then(|| query.join("&")).as_deref());
        let method = if matches!(self.body, Body::None) { Method::GET } else { Method::POST };
        let request = route.http.request(method, url);
        let request = match &self.body {
            Body::None => request,
            Body::Json(json) => {
                request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(json.to_string())
            }
            Body::Files(file_type, parts) => request.multipart(form(*file_type, parts)),
        };
        let invalid = |error: &dyn std::fmt::Display| Error::invalid(format!("{}: {error}", self.api.name()));
        let mut request = request.build().map_err(|error| invalid(&error))?;
        authorize(&mut request, credentials, project, now)
            .map_err(|_| invalid(&"the token, key or project id holds characters that no header can carry"))?;
        Ok(request)
    }
}

/// The text part first, then every file under the same field name, no part with a content type: as the official Python
/// SDK 3.1.160 words it.
fn form(file_type: FileType, parts: &[UploadPart]) -> Form {
    let form = Form::new().text("upload_type", file_type.as_str());
    parts.iter().fold(form, |form, part| form.part("files", Part::bytes(part.bytes.clone()).file_name(part.name.clone())))
}
