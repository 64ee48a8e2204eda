//! Says why a path is taken or not, asking the functions that decide.

use std::fs;

use super::Options;
use super::classify::{Entry, LINK, Outcome};
use super::links::{Links, Settled};
use super::select::Fate;
use super::standing::{Standing, Ways};
use super::walk::Walk;
use crate::model::{FileType, RepoPath, SkipReason, SourceFile};
use crate::platform::Kind;

/// The steps for one path; the last one is the decision.
pub(super) fn explain(options: &Options, path: &RepoPath) -> Vec<String> {
    let walk = Walk::new(options);
    let mut steps = Vec::new();
    let Some(entry) = fs::symlink_metadata(options.root.join(path.to_os())).ok() else {
        return vec![format!("{path} does not exist"), "decision: not taken".to_owned()];
    };
    let Some(entry) = Entry::of(Kind::of(entry.file_type())) else {
        return vec![format!("{path} is a directory: only files are taken"), "decision: not taken".to_owned()];
    };
    let named = walk.rules.names(path);
    let fate = if named {
        steps.push("it is named on the command line: no rule of exclusion applies".to_owned());
        Some(Fate::Look(None))
    } else {
        fate(&walk, path, &mut steps)
    };
    let decision = match fate {
        Some(fate) => content(&walk, path, entry, fate, &mut steps),
        None => "not taken".to_owned(),
    };
    steps.push(format!("decision: {decision}"));
    steps
}

/// What the options and ignore rules say; `None` where the walk does not come to the file.
fn fate(walk: &Walk<'_>, path: &RepoPath, steps: &mut Vec<String>) -> Option<Fate> {
    let before = steps.len();
    let Standing::Met(fate) = Ways::new(walk).standing(path, steps) else { return None };
    if !walk.is_candidate(path) {
        steps.truncate(before);
        steps.push("its name is not one of a Dockerfile or a YAML file, and no --map names it".to_owned());
        return None;
    }
    Some(fate)
}

fn content(walk: &Walk<'_>, path: &RepoPath, entry: Entry, fate: Fate, steps: &mut Vec<String>) -> String {
    let mapped = walk.rules.mapped(path);
    let kept_out = match fate {
        Fate::Excluded => {
            Some((format!("--exclude {} names it", walk.rules.excludes(path).unwrap_or_default()), "excluded"))
        }
        Fate::NotIncluded => Some(("--include is given and no pattern of it names it".to_owned(), "not_included")),
        Fate::Ignored => Some(("the ignore rule keeps it out".to_owned(), "ignored")),
        Fate::Look(_) => None,
    };
    if let Some((file_type, pattern)) = mapped {
        steps.push(format!("--map {pattern} says that it is {}", describe(file_type)));
    }
    let map = mapped.map(|(file_type, _)| file_type);
    let skipped = |reason: SkipReason, why: &str| {
        (format!("it is not taken for one of ours: {why}"), format!("skipped: {}", reason.as_str()))
    };
    let outcome = walk.classifier.classify(path, entry, map, walk.rules.names(path), &mut Vec::new());
    let mut speaks_of_ours = matches!(outcome, Outcome::Ours(..));
    let (why, decision) = match outcome {
        Outcome::Ours(file, why) => ours(&file, why),
        Outcome::Link(link) => {
            let (mut links, taken) = (Links::new(walk), taken(walk, &link.target));
            speaks_of_ours = kept_out.is_some() && links.speaks_of_ours(&link, taken);
            match links.settle(&link, taken) {
                Settled::Skipped(SkipReason::Link) => skipped(SkipReason::Link, LINK),
                Settled::Skipped(reason) => skipped(reason, "it is a link, and what it leads to is kept out"),
                Settled::Lost(file) => ours(&file, "what it leads to would be that under its name"),
            }
        }
        Outcome::Skipped(reason, why) => skipped(reason, why),
        Outcome::Not(why) => (format!("it is not one of ours: {why}"), "not taken".to_owned()),
    };
    steps.push(why);
    match (kept_out, speaks_of_ours) {
        (Some((why, reason)), true) => {
            steps.push(why);
            format!("skipped: {reason}")
        }
        (Some((why, _)), false) => {
            steps.push(why);
            "not taken".to_owned()
        }
        (None, _) => decision,
    }
}

/// Of a file of ours, why and what becomes of it.
fn ours(file: &SourceFile, why: &str) -> (String, String) {
    let what = describe(file.file_type);
    match &file.obstacle {
        Some(obstacle) => (format!("it counts as {what}: {why}"), format!("ours, but not scanned: {obstacle}")),
        None => (format!("it is {what}: {why}"), format!("taken as {}", file.file_type)),
    }
}

/// What the target of a link is taken for under its own name.
fn taken(walk: &Walk<'_>, path: &RepoPath) -> Option<FileType> {
    let named = walk.rules.names(path);
    if !named && !matches!(fate(walk, path, &mut Vec::new())?, Fate::Look(_)) {
        return None;
    }
    let map = walk.rules.mapped(path).map(|(file_type, _)| file_type);
    match walk.classifier.classify(path, walk.classifier.entry(path)?, map, named, &mut Vec::new()) {
        Outcome::Ours(file, _) => Some(file.file_type),
        _ => None,
    }
}

fn describe(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Dockerfile => "a Dockerfile",
        FileType::K8sYaml => "a Kubernetes manifest",
    }
}
