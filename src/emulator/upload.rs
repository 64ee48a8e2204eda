//! batch-upload (HSS API reference, `BatchUploadFiles`, 2025): all or nothing.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::request::Parts;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::query::{Query, one_of};
use super::store::{File, State, StoredFile, holds_one, now_ms};

/// At most so many bytes a file: "1M", read strictly.
const FILE_LIMIT: usize = 1_000_000;

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The parts of an upload.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    upload_types: Vec<String>,
    /// Name and content.
    files: Vec<(String, Bytes)>,
}

impl Form {
    /// The names of its files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }
}

/// Reads the multipart body. Its parts are named as documented, or it is refused.
pub(super) async fn read_form(parts: &Parts, body: Bytes) -> Result<Form, Refusal> {
    let request = Request::from_parts(parts.clone(), Body::from(body));
    let unreadable =
        |error: &dyn std::fmt::Display| Refusal::hss("HSS.0002", format!("the body is not a multipart form: {error}"));
    let mut multipart = Multipart::from_request(request, &()).await.map_err(|error| unreadable(&error))?;
    let mut form = Form::default();
    while let Some(field) = multipart.next_field().await.map_err(|error| unreadable(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        match (name.as_str(), file_name) {
            ("upload_type", None) => form.upload_types.push(field.text().await.map_err(|error| unreadable(&error))?),
            ("files", Some(file_name)) => {
                form.files.push((file_name, field.bytes().await.map_err(|error| unreadable(&error))?));
            }
            ("upload_type", Some(_)) => return Err(Refusal::invalid("upload_type must be a text part")),
            ("files", None) => return Err(Refusal::hss("HSS.1018", "files must be file parts, with a file name")),
            _ => return Err(Refusal::invalid(format!("{name} is not a part of this form"))),
        }
    }
    Ok(form)
}

pub(super) fn upload(state: &mut State, query: &Query, form: Form) -> Result<Answer, Refusal> {
    query.only(&[])?;
    let enterprise_project = query.enterprise_project()?;
    if enterprise_project == "all_granted_eps" {
        return Err(Refusal::invalid("files are uploaded to one enterprise project"));
    }
    let [upload_type] = form.upload_types.as_slice() else {
        return Err(Refusal::invalid("upload_type is mandatory, once"));
    };
    one_of("upload_type", upload_type, &["dockerfile", "k8s_yaml"])?;
    check_names(&form.files)?;
    if form.files.iter().any(|(name, _)| holds_one(name, &state.options.refuse_batch_containing)) {
        return Err(Refusal::hss("HSS.1018", "invalid file information"));
    }
    let (mut kept, mut taken, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, bytes) in form.files {
        if let Some(reason) = reason_to_refuse(&name, &bytes, upload_type, &state.options.refuse_names) {
            failed.push(json!({"file_name": name, "fail_reason": reason}));
            continue;
        }
        if let Some(file_id) = held(state, &kept, upload_type, &bytes) {
            taken.push(json!({"file_name": name, "file_id": file_id}));
            continue;
        }
        let file_id = state.next_id("file");
        taken.push(json!({"file_name": name, "file_id": file_id}));
        kept.push(File {
            stored: StoredFile { file_id, name, file_type: upload_type.clone(), bytes: bytes.to_vec(), scanned: None },
            enterprise_project: enterprise_project.to_owned(),
            uploaded: now_ms(),
            scanned: None,
            result: None,
            late: 0,
        });
    }
    state.arrange(&mut taken, ToString::to_string);
    state.arrange(&mut failed, ToString::to_string);
    let detail = format!("{upload_type}: {} taken, {} refused", taken.len(), failed.len());
    let effect = failed.is_empty();
    if effect {
        for file in kept {
            state.keep(file);
        }
    }
    Ok(Answer { effect, ..Answer::done(&json!({"success_file_info": taken, "fail_file_info": failed}), detail) })
}

/// The id of a file of this type and content that is kept already, where each content is kept once.
fn held(state: &State, kept: &[File], file_type: &str, bytes: &[u8]) -> Option<String> {
    let same = |file: &&File| file.stored.file_type == file_type && file.stored.bytes == bytes;
    let file = state.files.values().chain(kept).filter(|_| state.options.one_id_per_content).find(same)?;
    Some(file.stored.file_id.clone())
}

fn check_names(files: &[(String, Bytes)]) -> Result<(), Refusal> {
    if !(1..=10).contains(&files.len()) {
        return Err(Refusal::invalid(format!("1 to 10 files can be uploaded at once, not {}", files.len())));
    }
    for (index, (name, _)) in files.iter().enumerate() {
        if !(1..=512).contains(&name.chars().count()) {
            return Err(Refusal::hss("HSS.1018", "a file name must have 1 to 512 characters"));
        }
        // The answer names files by name alone: two of one name could not be told apart.
        if files[..index].iter().any(|(other, _)| other == name) {
            return Err(Refusal::hss("HSS.1018", format!("{name} is given twice")));
        }
    }
    Ok(())
}

fn reason_to_refuse(name: &str, bytes: &[u8], upload_type: &str, refused: &[String]) -> Option<&'static str> {
    if holds_one(name, refused) {
        Some("the file is refused")
    } else if bytes.len() > FILE_LIMIT {
        Some("the file is larger than 1M")
    } else if upload_type == "dockerfile" && !is_dockerfile(bytes) {
        Some("the file is not a Dockerfile")
    } else if upload_type == "k8s_yaml" && !is_manifest(bytes) {
        Some("the file is not a Kubernetes manifest")
    } else {
        None
    }
}

/// Whether some line begins with an instruction.
fn is_dockerfile(bytes: &[u8]) -> bool {
    let first_word = |line: &str| line.split_whitespace().next().map(str::to_ascii_uppercase);
    String::from_utf8_lossy(bytes)
        .trim_start_matches('\u{feff}')
        .lines()
        .filter_map(first_word)
        .any(|word| INSTRUCTIONS.contains(&word.as_str()))
}

/// Whether some document has both keys, wherever they stand and however they are quoted.
fn is_manifest(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut document = (false, false);
    for line in text.trim_start_matches('\u{feff}').lines() {
        if line.starts_with("---") {
            document = (false, false);
        }
        document.0 |= has_key(line, "apiVersion");
        document.1 |= has_key(line, "kind");
        if document == (true, true) {
            return true;
        }
    }
    false
}

fn has_key(line: &str, key: &str) -> bool {
    line.match_indices(key).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        before.is_none_or(|before| " \t\"'{,".contains(before)) && after.starts_with(':')
    })
}
