//! What is documented of a request is checked before it is sent.

use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::auth::{Credentials, Plan};
use super::{ClusterRange, Error, Kind, NewTask, Page};

/// Checks a task against the constraints of "Creating a Task" (HSS API Reference) without sending anything; the error names the field.
pub fn check_task(task: &NewTask) -> Result<(), Error> {
    task_body(task).map(drop)
}

/// Checks what every call carries: 1 to 256 characters each (HSS API Reference); the error names the field.
pub fn check_place(project_id: Option<&str>, enterprise_project_id: &str) -> Result<(), Error> {
    if let Some(project_id) = project_id {
        segment("project_id", project_id)?;
    }
    bounded("enterprise_project_id", enterprise_project_id.to_owned(), 256).map(drop)
}

/// Checks a token that is sent as it is: 1 to 32,768 characters (HSS API Reference, "Creating a Task"); the error names the header.
pub fn check_token(plan: &Plan) -> Result<(), Error> {
    match plan {
        Plan::Fixed(Credentials::Token(token)) => in_bounds("X-Auth-Token", token.expose_secret().chars().count(), 32_768),
        _ => Ok(()),
    }
}

pub(super) fn task_body(task: &NewTask) -> Result<Value, Error> {
    let invalid = |what: String| Error::new(Kind::Invalid, what);
    match task {
        NewTask::Iac { file_type, file_ids } => {
            if !(1..=100).contains(&file_ids.len()) {
                return Err(invalid(format!("file_id_list: {} ids, HSS takes 1 to 100", file_ids.len())));
            }
            for id in file_ids {
                bounded("file_id_list", id.clone(), 64)?;
            }
            Ok(
                json!({"task_type": "iac_scan", "iac_scan_info": {"file_type": file_type.as_str(), "file_id_list": file_ids}}),
            )
        }
        NewTask::Cluster { scan_types, range } => {
            let known = ["cluster_vul", "risk_assessment", "benchmark"];
            if scan_types.is_empty() {
                return Err(invalid(
                    "scan_type_list: empty, HSS needs one or more of cluster_vul, risk_assessment, benchmark".to_owned(),
                ));
            }
            if let Some(unknown) = scan_types.iter().find(|word| !known.contains(&word.as_str())) {
                return Err(invalid(format!(
                    "scan_type_list: {unknown:?} is none of cluster_vul, risk_assessment, benchmark"
                )));
            }
            let mut info = json!({"scan_type_list": scan_types});
            match range {
                ClusterRange::All => info["range_type"] = json!("all_cluster"),
                ClusterRange::Specific(ids) if ids.is_empty() => {
                    return Err(invalid(
                        "cluster_id_list: empty, and mandatory with range_type specific_cluster".to_owned(),
                    ));
                }
                ClusterRange::Specific(ids) => {
                    // The length of an id stands in the model of the retry (official Python SDK 3.1.219).
                    for id in ids {
                        bounded("cluster_id_list", id.clone(), 64)?;
                    }
                    info["range_type"] = json!("specific_cluster");
                    info["cluster_id_list"] = json!(ids);
                }
            }
            Ok(json!({"task_type": "cluster_scan", "cluster_scan_info": info}))
        }
    }
}

pub(super) fn paging(page: Page) -> Result<Vec<(String, String)>, Error> {
    if !(10..=200).contains(&page.limit) || page.offset > 2_000_000 {
        let what = format!(
            "offset {} and limit {}: HSS takes offsets up to 2000000 and limits of 10 to 200",
            page.offset, page.limit
        );
        return Err(Error::new(Kind::Invalid, what));
    }
    Ok(vec![("offset".to_owned(), page.offset.to_string()), ("limit".to_owned(), page.limit.to_string())])
}

pub(super) fn bounded(name: &str, value: String, longest: usize) -> Result<String, Error> {
    in_bounds(name, value.chars().count(), longest).map(|()| value)
}

fn in_bounds(name: &str, length: usize, longest: usize) -> Result<(), Error> {
    if (1..=longest).contains(&length) {
        return Ok(());
    }
    Err(Error::new(Kind::Invalid, format!("{name}: {length} characters, HSS takes 1 to {longest}")))
}

/// A value that becomes part of a path.
pub(super) fn segment(name: &str, value: &str) -> Result<String, Error> {
    let value = bounded(name, value.to_owned(), 256)?;
    if value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !value.starts_with('.') {
        return Ok(value);
    }
    Err(Error::new(Kind::Invalid, format!("{name}: {value:?} has characters that no id has")))
}

/// Whether an endpoint is on this machine; plain http anywhere else is refused.
pub fn is_loopback(endpoint: &str) -> Result<bool, Error> {
    // What stands before an @ or behind a ? may be a password, and this message goes to a log.
    let named = endpoint.rsplit_once('@').map_or(endpoint, |(_, host)| host);
    let named = named.split(['?', '#']).next().unwrap_or_default();
    let invalid = |why: &str| Error::new(Kind::Invalid, format!("endpoint {named:?}: {why}"));
    let url = Url::parse(endpoint).map_err(|_| invalid("say https://host"))?;
    let loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => return Err(invalid("say https://host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(invalid("plain http is for loopback only: say https")),
        _ => return Err(invalid("say https://host")),
    }
    let named = !url.username().is_empty() || url.password().is_some();
    if named || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("say the scheme, the host and the port only"));
    }
    Ok(loopback)
}

/// The certificates of a PEM file, of which there has to be one; the error says what it holds.
pub fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, Error> {
    let invalid =
        |why: String| Error::new(Kind::Invalid, format!("holds {why}: name a file with the certificate of a CA in PEM"));
    let none = "no PEM certificate";
    let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| invalid(format!("{none} ({error})")))?;
    if certificates.is_empty() {
        return Err(invalid(none.to_owned()));
    }
    // What stands between the lines of PEM is read no sooner than by a client.
    super::client::provide();
    match reqwest::Client::builder().tls_certs_only(certificates.clone()).build() {
        Ok(_) => Ok(certificates),
        Err(_) => Err(invalid("a certificate that can't be read".to_owned())),
    }
}

#[cfg(test)]
mod tests;
