//! Every effective value of a scan with its origin: what was typed, the environment, the file, the default.

use std::ffi::OsStr;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _};
use serde_json::Value as Json;

use super::policy::{self, Loaded};
use super::{Env, resolve};
use crate::cli::{self, Cli, Form};
use crate::config::{Glob, Suppress, Text};
use crate::error::Error;
use crate::hss::auth::{self, SourceError};
use crate::mask;
use crate::report::effective::{Effective, Origin, Value};

/// What `config` shows, and how.
pub fn config(cli: &cli::Config, matches: &ArgMatches, env: Env<'_>, cwd: &Path) -> Result<(Effective, Form), Error> {
    let (root, _) = resolve(&cli.input, cwd)?;
    let loaded = policy::load(cli.input.config.as_deref(), &root, cwd)?;
    let said = serde_json::to_value(&loaded.file).unwrap_or_default();
    let command = Cli::command();
    let flags = command.find_subcommand("scan").map(|scan| scan.get_arguments().collect::<Vec<_>>()).unwrap_or_default();
    let name = loaded.name.as_deref().unwrap_or_default();
    let mut values: Vec<Value> = flags
        .into_iter()
        .filter_map(|flag| Some((flag, flag.get_long()?)))
        .filter(|(_, long)| !matches!(*long, "help" | "version"))
        .map(|(flag, long)| value(flag, long, matches, said.get(long).map(|said| (said, name)), env))
        .collect();
    values.push(credentials(env));
    values.extend(loaded.file.suppress.iter().map(|entry| suppression(entry, &loaded)));
    Ok((Effective { values }, cli.format))
}

fn value(flag: &Arg, long: &str, matches: &ArgMatches, file: Option<(&Json, &str)>, env: Env<'_>) -> Value {
    let variable = flag.get_env().map(|name| name.to_string_lossy().into_owned());
    let (texts, origin) = if long == "output" {
        output(flag, variable, env)
    } else {
        let id = flag.get_id().as_str();
        let raw = || texts(matches.get_raw(id).into_iter().flatten());
        match (matches.value_source(id), file, fallback(long, env)) {
            (Some(ValueSource::CommandLine), ..) if matches!(flag.get_action(), ArgAction::Count) => {
                (vec![matches.get_count(id).to_string()], Origin::Flag(format!("--{long}")))
            }
            (Some(ValueSource::CommandLine), ..) => (raw(), Origin::Flag(format!("--{long}"))),
            (Some(ValueSource::EnvVariable), ..) => (raw(), Origin::Variable(variable.unwrap_or_default())),
            (_, Some((said, name)), _) => (strings(said), Origin::File(format!("{name}:{long}"))),
            (_, None, Some((value, name))) => (vec![value], Origin::Variable(name.to_owned())),
            (_, None, None) => (default(flag, long), Origin::Default),
        }
    };
    let value = match flag.get_action() {
        ArgAction::Append => Json::from(texts),
        _ => texts.into_iter().next().map_or(Json::Null, Json::from),
    };
    let is_address = matches!(long, "endpoint" | "iam-endpoint");
    Value { name: long.to_owned(), value: without_password(value, is_address), origin }
}

fn default(flag: &Arg, long: &str) -> Vec<String> {
    match (flag.get_action(), long) {
        (ArgAction::SetTrue, _) => vec!["false".to_owned()],
        (ArgAction::Count, _) => vec!["0".to_owned()],
        (_, "enterprise-project-id") => vec![super::NO_ENTERPRISE_PROJECT.to_owned()],
        _ => texts(flag.get_default_values().iter().map(AsRef::as_ref)),
    }
}

/// The flag itself says how `config` prints; a scan would go by the variable.
fn output(flag: &Arg, variable: Option<String>, env: Env<'_>) -> (Vec<String>, Origin) {
    let delimiter = flag.get_value_delimiter().unwrap_or('\n');
    match variable.and_then(|name| Some((env(&name)?, name))) {
        Some((text, name)) => (text.split(delimiter).map(str::to_owned).collect(), Origin::Variable(name)),
        None => (vec!["table".to_owned()], Origin::Default),
    }
}

fn fallback(long: &str, env: Env<'_>) -> Option<(String, &'static str)> {
    match long {
        "region" => auth::region_from_env(env),
        "project-id" => auth::project_from_env(env),
        "enterprise-project-id" => auth::enterprise_project_from_env(env),
        _ => None,
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a OsStr>) -> Vec<String> {
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

fn strings(said: &Json) -> Vec<String> {
    let plain = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match said {
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(pairs) => pairs.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect(),
        one => vec![plain(one)],
    }
}

/// An address may hold a password, which is refused later and must not be shown before.
fn without_password(value: Json, is_address: bool) -> Json {
    match value {
        Json::String(text) if is_address || text.contains("://") => Json::from(shown(&text)),
        Json::Array(items) => items.into_iter().map(|item| without_password(item, is_address)).collect(),
        value => value,
    }
}

/// Scheme, host and port of an address; of what is none, nothing before the `@` or behind the `?`.
fn shown(text: &str) -> String {
    if let Some(url) = reqwest::Url::parse(text).ok().filter(reqwest::Url::has_host) {
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        let hidden = !url.username().is_empty() || url.password().is_some() || url.query().is_some();
        let rest = if hidden || url.fragment().is_some() || url.path() != "/" { "/…" } else { "" };
        return format!("{}://{}{port}{rest}", url.scheme(), url.host_str().unwrap_or_default());
    }
    let (text, query) = text.split_once(['?', '#']).map_or((text, ""), |(text, _)| (text, "…"));
    let text = text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("…@{host}"));
    format!("{}{query}", mask::credentials(&text))
}

/// Where credentials come from; never what they are.
fn credentials(env: Env<'_>) -> Value {
    let (value, origin) = match auth::from_env(env) {
        Ok(found) => (Json::from("set"), Origin::Variable(found.source)),
        Err(SourceError::Missing) => (Json::Null, Origin::Default),
        Err(half @ SourceError::Half { present, .. }) => {
            (Json::from(half.to_string()), Origin::Variable(present.to_owned()))
        }
    };
    Value { name: "credentials".to_owned(), value, origin }
}

fn suppression(entry: &Suppress, loaded: &Loaded) -> Value {
    let mut text = entry.rule.0.clone();
    if let Some(Glob(path)) = &entry.path {
        text = format!("{text} in {path}");
    }
    if let Some(Text(resource)) = &entry.resource {
        text = format!("{text} of {resource}");
    }
    if let Some(until) = &entry.until {
        text = format!("{text} until {}", until.0);
    }
    let origin = Origin::File(format!("{}:{}", loaded.name.as_deref().unwrap_or_default(), entry.line));
    Value { name: "suppress".to_owned(), value: Json::from(format!("{text}: {}", entry.reason.0)), origin }
}
