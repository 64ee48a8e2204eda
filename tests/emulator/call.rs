//! A request over a bare socket, and what came back.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use hss_iac::emulator::{Emulator, Options};
use serde_json::{Value, json};

pub(crate) const DOCKERFILE: &[u8] = b"FROM alpine:3.20\nUSER app\n";
pub(crate) const MANIFEST: &[u8] = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Whether all of the body came.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error_code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.replace("{p}", &Options::default().project_id), headers: token(), body: Vec::new() }
    }

    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::get(path).with_method("POST").typed("application/json", body.to_string().into_bytes())
    }

    pub(crate) fn upload(upload_type: &str, files: &[(&str, &[u8])]) -> Self {
        let text = part("name=\"upload_type\"", upload_type.as_bytes());
        let files = files.iter().map(|(name, bytes)| part(&format!("name=\"files\"; filename=\"{name}\""), bytes));
        Self::form(std::iter::once(text).chain(files).collect())
    }

    pub(crate) fn form(parts: Vec<Vec<u8>>) -> Self {
        let body = parts.into_iter().chain([b"--X--\r\n".to_vec()]).flatten().collect();
        let call = Self::get("/v5/{p}/common/files/batch-upload").with_method("POST");
        call.typed("multipart/form-data; boundary=X", body)
    }

    pub(crate) fn with_method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn query(self, query: &str) -> Self {
        Self { path: format!("{}?{query}", self.path), ..self }
    }

    pub(crate) fn typed(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers.push(("Content-Type", content_type.to_owned()));
        Self { body, ..self }
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "X-Auth-Token");
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends it on a connection of its own; `None` where that was closed without a byte of an answer.
    pub(crate) fn send(&self, emulator: &Emulator) -> Option<Reply> {
        let url = emulator.url();
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n\r\n"]);
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&self.body).unwrap();
        let mut answer = Vec::new();
        // A reset ends the answer as well as a close does.
        let _ = stream.read_to_end(&mut answer);
        reply(&String::from_utf8(answer).unwrap())
    }

    pub(crate) fn answer(&self, emulator: &Emulator) -> Reply {
        self.send(emulator).unwrap()
    }
}

pub(crate) fn reply(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let whole = headers.get("content-length").is_some_and(|length| *length == body.len().to_string());
    Some(Reply { status, headers, body: body.to_owned(), whole })
}

pub(crate) fn token() -> Vec<(&'static str, String)> {
    vec![("X-Auth-Token", Options::default().token)]
}

pub(crate) fn part(disposition: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

pub(crate) fn start(options: Options) -> Emulator {
    Emulator::start(options).unwrap()
}

/// Uploads files and returns their ids, in the order of the names.
pub(crate) fn ids(emulator: &Emulator, upload_type: &str, files: &[(&str, &[u8])]) -> Vec<String> {
    let answer = Call::upload(upload_type, files).answer(emulator).json();
    let id = |name: &str| {
        let rows = answer["success_file_info"].as_array().unwrap();
        rows.iter().find(|row| row["file_name"] == name).unwrap()["file_id"].as_str().unwrap().to_owned()
    };
    files.iter().map(|(name, _)| id(name)).collect()
}

pub(crate) fn scan(file_type: &str, ids: &[String]) -> Call {
    let info = json!({"file_type": file_type, "file_id_list": ids});
    Call::post("/v5/{p}/common/task", &json!({"task_type": "iac_scan", "iac_scan_info": info}))
}

pub(crate) fn list_tasks(filter: &Value) -> Call {
    Call::post("/v5/{p}/common/tasks/batch-query", filter)
}

pub(crate) fn iac_tasks() -> Call {
    list_tasks(&json!({"task_type": "iac_scan"}))
}

pub(crate) fn resources(task_id: &str, filter: &Value) -> Call {
    Call::post(&format!("/v5/{{p}}/common/tasks/{task_id}/resources/batch-query"), filter)
}
