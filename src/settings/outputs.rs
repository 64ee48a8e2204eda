//! Which reports are written, and where.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Env, provider};
use crate::cli::{Format, Output};
use crate::error::Error;

/// Which reports are written where only what changed was scanned: a platform closes the alerts that a report no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partial {
    /// Those by which no platform compares.
    Harmless,
    /// SARIF too: on a pull request it closes nothing.
    PullRequest,
    /// All.
    All,
}

/// The table goes to stdout unless another format claims it; two reports can't share a place, nor one take that of `read`.
pub(super) fn outputs(typed: Vec<Output>, read: Option<&Path>, env: Env<'_>) -> Result<Vec<Output>, Error> {
    let platform = provider(env);
    let mut outputs: Vec<Output> = Vec::new();
    for output in typed {
        match output.format {
            Format::Auto => outputs.extend(of_platform(platform.as_deref(), env)),
            _ => outputs.push(output),
        }
    }
    if outputs.iter().all(|output| output.path.is_some()) {
        outputs.insert(0, Output { format: Format::Table, path: None });
    }
    let read = read.map(place);
    let mut places: BTreeSet<Option<PathBuf>> = BTreeSet::new();
    for output in &outputs {
        let place = output.path.as_deref().map(place);
        let name = output.path.as_ref().map_or("stdout".to_owned(), |path| path.display().to_string());
        if place.is_some() && place == read {
            return Err(Error::Usage(format!("a report goes to {name}, which is the result to read: give it another file")));
        }
        if !places.insert(place) {
            return Err(Error::Usage(format!(
                "two reports go to {name}: give one of them a file with --output FORMAT=PATH"
            )));
        }
    }
    Ok(outputs)
}

/// Which reports of a change may be written.
pub(super) fn partial(allowed: bool, env: Env<'_>) -> Partial {
    // A run of pull_request_target stands on the target branch, whose alerts its report would close.
    let is_pull_request = env("GITHUB_EVENT_NAME").is_some_and(|event| {
        matches!(event.as_str(), "pull_request" | "pull_request_review" | "pull_request_review_comment")
    });
    match (allowed, is_pull_request) {
        (true, _) => Partial::All,
        (false, true) => Partial::PullRequest,
        (false, false) => Partial::Harmless,
    }
}

/// What `auto` stands for.
fn of_platform(platform: Option<&str>, env: Env<'_>) -> Vec<Output> {
    let on_stdout = |format| Output { format, path: None };
    let in_file = |format, path: &str| Output { format, path: Some(PathBuf::from(path)) };
    match platform {
        Some("github") => {
            let files = [(Format::GithubSummary, "GITHUB_STEP_SUMMARY"), (Format::GithubOutput, "GITHUB_OUTPUT")];
            let named = files.into_iter().filter_map(|(format, name)| {
                let path = env(name).filter(|path| !path.is_empty())?;
                Some(in_file(format, &path))
            });
            std::iter::once(on_stdout(Format::Github)).chain(named).collect()
        }
        Some("gitlab") => vec![
            on_stdout(Format::Table),
            in_file(Format::GitlabCodequality, "gl-code-quality-report.json"),
            in_file(Format::GitlabSast, "gl-sast-report.json"),
            in_file(Format::Junit, "junit.xml"),
        ],
        _ => vec![on_stdout(Format::Table)],
    }
}

/// One path for all spellings of it, as far as its directory is there: the file itself need not be.
fn place(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}
