//! The values that flags take, each read from its own small language.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FailOn, FileType, Level};

/// Whether a fault fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFault {
    /// The exit code says so.
    Fail,
    /// The report says so, the exit code does not.
    Warn,
}

/// Whether nothing to scan fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IfEmpty {
    /// The exit code is 0.
    Pass,
    /// The exit code is 3.
    Fail,
}

/// The two sides of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// What stood before it.
    Base,
    /// What stands after it.
    Head,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For GitHub code scanning.
    Sarif,
    /// For test views.
    Junit,
    /// For GitLab's merge requests.
    GitlabCodequality,
    /// For GitLab's vulnerability reports.
    GitlabSast,
    /// A comment on a merge request.
    Markdown,
    /// Workflow commands of GitHub.
    Github,
    /// The summary of a GitHub job.
    GithubSummary,
    /// The outputs of a GitHub step.
    GithubOutput,
    /// One page for the browser.
    Html,
    /// Those of the CI platform that is found, a table elsewhere.
    Auto,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is done.
    On,
    /// It is not.
    Off,
}

/// The forms of what is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// `FORMAT[=PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file; stdout where `None`.
    pub path: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = match text.split_once('=') {
            Some((_, "")) => return Err("the path after = is empty".to_owned()),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let format = Format::from_str(format, false).map_err(|_| {
            let known: Vec<String> = Format::value_variants().iter().map(ToString::to_string).collect();
            format!("unknown format {format:?}: say one of {}", known.join(", "))
        })?;
        if format == Format::Auto && path.is_some() {
            return Err("auto knows its own places and takes no path".to_owned());
        }
        Ok(Self { format, path })
    }
}

/// `CALLS/DUR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls in the window.
    pub calls: u32,
    /// The window.
    pub window: Duration,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (calls, window) = text.split_once('/').ok_or("say CALLS/DUR, such as 5/1m")?;
        let calls: u32 = calls.parse().map_err(|_| format!("{calls:?} is not a number of calls"))?;
        let window = duration(window)?;
        if calls == 0 || window.is_zero() {
            return Err("calls and time must be more than nothing".to_owned());
        }
        Ok(Self { calls, window })
    }
}

/// `CALLS/DUR` or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// As fast as the service allows, which is learnt.
    Auto,
    /// So fast from the first call on.
    At(Rate),
}

impl FromStr for Pacing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::At) }
    }
}

/// `GLOB=TYPE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The pattern as typed.
    pub glob: String,
    /// The type.
    pub file_type: FileType,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (glob, name) = text.rsplit_once('=').ok_or("say GLOB=TYPE, such as '*.docker=dockerfile'")?;
        let file_type = FileType::ALL.into_iter().find(|file_type| file_type.as_str() == name);
        let file_type = file_type.ok_or_else(|| format!("unknown type {name:?}: say dockerfile or k8s_yaml"))?;
        Ok(Self { glob: glob.to_owned(), file_type })
    }
}

/// `LEVEL=N`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Max {
    /// The level.
    pub level: Level,
    /// The most findings at it.
    pub findings: u64,
}

impl FromStr for Max {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (level, findings) = text.split_once('=').ok_or("say LEVEL=N, such as medium=5")?;
        let findings = findings.parse().map_err(|_| format!("{findings:?} is not a number of findings"))?;
        Ok(Self { level: level.parse()?, findings })
    }
}

/// The limits by level; the last word on a level counts.
pub(crate) fn limits(max: &[Max]) -> BTreeMap<String, u64> {
    max.iter().map(|max| (max.level.to_string(), max.findings)).collect()
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = Self::WORST_FIRST.into_iter().find(|level| level.as_str() == text);
        level.ok_or_else(|| format!("unknown level {text:?}: say high, medium, low or tips"))
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "high" => Ok(Self::High),
            "medium" => Ok(Self::Medium),
            "low" => Ok(Self::Low),
            "tips" => Ok(Self::Tips),
            "never" => Ok(Self::Never),
            _ => Err(format!("unknown level {text:?}: say high, medium, low, tips or never")),
        }
    }
}

/// What the variable of a switch may say: also 1, yes or on, in any case, and their opposites.
pub(super) fn yes_or_no() -> BoolishValueParser {
    BoolishValueParser::new()
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| format!("{text:?} is not a time such as 90s, 30m or 2h"))?;
    Duration::try_from(parsed).map_err(|_| format!("{text:?} is less than nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_languages() {
        assert_eq!("json=a=b".parse(), Ok(Output { format: Format::Json, path: Some("a=b".into()) }));
        assert_eq!("json=".parse::<Output>(), Err("the path after = is empty".to_owned()));
        let error = "sarf".parse::<Output>().unwrap_err();
        assert!(error.starts_with("unknown format \"sarf\": say one of table, json, sarif, junit, "), "{error}");
        assert_eq!("gitlab-sast".parse(), Ok(Output { format: Format::GitlabSast, path: None }));
        assert_eq!("a=b=k8s_yaml".parse(), Ok(Mapping { glob: "a=b".into(), file_type: FileType::K8sYaml }));
        assert_eq!("a=x".parse::<Mapping>(), Err("unknown type \"x\": say dockerfile or k8s_yaml".to_owned()));
        assert_eq!("low=3".parse(), Ok(Max { level: Level::Low, findings: 3 }));
        assert_eq!(duration("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(duration("soon"), Err("\"soon\" is not a time such as 90s, 30m or 2h".to_owned()));
        assert_eq!(duration("-3s"), Err("\"-3s\" is less than nothing".to_owned()));
    }

    #[test]
    fn rates() {
        assert_eq!("5/1m".parse(), Ok(Pacing::At(Rate { calls: 5, window: Duration::from_secs(60) })));
        assert_eq!("auto".parse(), Ok(Pacing::Auto));
        assert_eq!("0/1m".parse::<Rate>(), Err("calls and time must be more than nothing".to_owned()));
    }
}
