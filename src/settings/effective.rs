//! Every effective value of a scan with its origin: what was typed, the environment, the file, the default.

use std::ffi::OsStr;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory as _};
use serde_json::Value as Json;

use super::policy::Loaded;
use super::{Env, Scan};
use crate::cli::{self, Cli, Form, Output};
use crate::config::{Glob, Suppress, Text};
use crate::diff::Scratch;
use crate::error::Error;
use crate::hss::auth::{self, SourceError};
use crate::report::effective::{Effective, Origin, Value};

/// What `config` shows, and how.
pub fn config(cli: cli::Config, matches: &ArgMatches, env: Env<'_>, cwd: &Path) -> Result<(Effective, Form), Error> {
    let format = cli.format;
    let (loaded, _) = Scan::check(cli.scan(outputs(env)?), matches, env, cwd, &Scratch::default(), None)?;
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
    Ok((Effective { values }, format))
}

fn value(flag: &Arg, long: &str, matches: &ArgMatches, file: Option<(&Json, &str)>, env: Env<'_>) -> Value {
    let variable = flag.get_env().map(|name| name.to_string_lossy().into_owned());
    let (texts, origin) = if long == "output" {
        output(variable, env)
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
    Value { name: long.to_owned(), value, origin }
}

fn default(flag: &Arg, long: &str) -> Vec<String> {
    match (flag.get_action(), long) {
        (ArgAction::SetTrue, _) => vec!["false".to_owned()],
        (ArgAction::Count, _) => vec!["0".to_owned()],
        (_, "enterprise-project-id") => vec![super::connection::NO_ENTERPRISE_PROJECT.to_owned()],
        _ => texts(flag.get_default_values().iter().map(AsRef::as_ref)),
    }
}

/// The flag itself says how `config` prints; a scan would go by the variable.
fn output(variable: Option<String>, env: Env<'_>) -> (Vec<String>, Origin) {
    match variable.filter(|name| env(name).is_some()) {
        Some(name) => (reports(env), Origin::Variable(name)),
        None => (vec!["table".to_owned()], Origin::Default),
    }
}

fn reports(env: Env<'_>) -> Vec<String> {
    env("HSS_IAC_OUTPUT").into_iter().flat_map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The reports of a scan.
fn outputs(env: Env<'_>) -> Result<Vec<Output>, Error> {
    let read = |text: String| {
        let wrong = |why| Error::Usage(format!("invalid value '{text}' for '--output <FORMAT[=PATH]>': {why}"));
        text.parse().map_err(wrong)
    };
    reports(env).into_iter().map(read).collect()
}

fn fallback(long: &str, env: Env<'_>) -> Option<(String, &'static str)> {
    match long {
        "region" => auth::region_from_env(env),
        "project-id" => auth::project_from_env(env),
        "enterprise-project-id" => auth::enterprise_project_from_env(env),
        "iam-endpoint" => auth::iam_endpoint_from_env(env),
        "sts-endpoint" => auth::sts_endpoint_from_env(env),
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

/// Where credentials come from; never what they are.
fn credentials(env: Env<'_>) -> Value {
    let (value, origin) = match auth::find(env) {
        Ok(found) if found.in_file => (Json::from("set"), Origin::File(found.source)),
        Ok(found) => (Json::from("set"), Origin::Variable(found.source)),
        Err(SourceError::Missing) => (Json::Null, Origin::Default),
        Err(error) => {
            let text = Json::from(error.to_string());
            match error {
                SourceError::Half { present, .. } => (text, Origin::Variable(present)),
                _ => (text, Origin::Default),
            }
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
