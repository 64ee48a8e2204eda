//! Says why a path is taken or not, asking the functions that decide.

use std::fs;

use super::Options;
use super::classify::{Entry, LINK, Outcome};
use super::resolve::join;
use super::select::Fate;
use super::tracked::Tracked;
use super::walk::{Descent, Directory, Walk, is_store};
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
        fate(&walk, options, path, &mut steps)
    };
    let decision = match fate {
        Some(fate) => content(&walk, options, path, entry, fate, &mut steps),
        None => "not taken".to_owned(),
    };
    steps.push(format!("decision: {decision}"));
    steps
}

/// What the options and ignore rules say; `None` where the walk does not come to the file.
fn fate(walk: &Walk<'_>, options: &Options, path: &RepoPath, steps: &mut Vec<String>) -> Option<Fate> {
    let (parent, directory_ignored) = way(walk, options, path, steps)?;
    if !walk.rules.selects(path) {
        steps.push("no path on the command line selects it".to_owned());
        return None;
    }
    if !walk.is_candidate(path) {
        steps.push("its name is not one of a Dockerfile or a YAML file, and no --map names it".to_owned());
        return None;
    }
    if options.tracked {
        let is_tracked = parent
            .work_tree()
            .is_some_and(|work_tree| Tracked::new(|path: &RepoPath| walk.is_candidate(path)).holds(&work_tree, path));
        steps.push(format!("--tracked is given, and git {} it", if is_tracked { "tracks" } else { "does not track" }));
        return is_tracked.then(|| walk.rules.fate(path, false));
    }
    let on_disk = options.root.join(path.to_os());
    let searched = directory_ignored.is_none();
    let hidden_by = directory_ignored.or_else(|| parent.hides(&on_disk));
    let mut fate = walk.rules.fate(path, hidden_by.is_some());
    if let Some(rule) = hidden_by {
        steps.push(format!("an ignore rule matches it: {rule}"));
        if fate == Fate::Ignored || !searched {
            let mut index = Tracked::new(|path: &RepoPath| walk.is_candidate(path));
            let tracked = parent.work_tree().is_some_and(|work_tree| index.holds(&work_tree, path));
            steps.append(&mut index.notes);
            steps.push(
                if tracked { "git tracks it all the same, so the rule does not apply" } else { "git does not track it" }
                    .to_owned(),
            );
            if !searched && !tracked {
                if !path.as_bytes().split(|byte| *byte == b'/').any(is_store) {
                    let unless = "unless it is named or a pattern spells its path out";
                    steps.push(format!("a directory that is ignored is not searched, {unless}"));
                }
                return None;
            }
            fate = walk.rules.fate(path, !tracked);
        }
    }
    Some(fate)
}

/// The directory of the file as the walk enters it, or the last one that it enters with the rule that keeps it from the next.
fn way(walk: &Walk<'_>, options: &Options, path: &RepoPath, steps: &mut Vec<String>) -> Option<(Directory, Option<String>)> {
    let Some(mut at) = walk.root() else {
        steps.push("only other files are named on the command line".to_owned());
        return None;
    };
    let mut on_disk = options.root.clone();
    let relative = path.to_os();
    let mut parts = relative.iter().peekable();
    loop {
        let is = |name: &str, file: bool| fs::symlink_metadata(on_disk.join(name)).is_ok_and(|m| !file || m.is_file());
        walk.enter(&mut at, &on_disk, is(".git", false), is(".gitignore", true));
        let (Some(part), Some(_)) = (parts.next(), parts.peek()) else { return Some((at, None)) };
        on_disk.push(part);
        let path = join(&at.path, part);
        if fs::symlink_metadata(&on_disk).is_ok_and(|metadata| metadata.is_symlink()) {
            steps.push(format!("{path} is a link to a directory: it is not followed"));
            return None;
        }
        match walk.descend(&at, path.clone(), &on_disk) {
            Descent::Enter(directory) => at = directory,
            Descent::Pruned => steps.push(format!("{path} is the store of a version control system: it is never searched")),
            Descent::NotSelected => steps.push(format!("no path on the command line selects anything in {path}")),
            Descent::Excluded => {
                steps.push(format!(
                    "--exclude {} keeps the walk out of {path}",
                    walk.rules.excludes(&path).unwrap_or_default()
                ));
            }
            Descent::Store => {
                let why = format!("one of this program: {path} is the store of a version control system");
                return Some((at, Some(why)));
            }
            Descent::Ignored => return Some((at, Some(format!("one that keeps the walk out of {path}")))),
        }
        if at.path != path {
            return None;
        }
    }
}

fn content(
    walk: &Walk<'_>,
    options: &Options,
    path: &RepoPath,
    entry: Entry,
    fate: Fate,
    steps: &mut Vec<String>,
) -> String {
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
    let speaks_of_ours = matches!(outcome, Outcome::Ours(..) | Outcome::Link(_));
    let (why, decision) = match outcome {
        Outcome::Ours(file, why) => ours(&file, why),
        Outcome::Link(link) if taken(walk, options, &link.target) == Some(link.otherwise.file_type) => {
            skipped(SkipReason::Link, LINK)
        }
        Outcome::Link(link) => ours(&link.otherwise, "what it leads to would be that under its name"),
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
fn taken(walk: &Walk<'_>, options: &Options, path: &RepoPath) -> Option<FileType> {
    let named = walk.rules.names(path);
    if !named && !matches!(fate(walk, options, path, &mut Vec::new())?, Fate::Look(_)) {
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
