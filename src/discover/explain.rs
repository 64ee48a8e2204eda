//! Why a path is taken or not: the walk itself is asked, about this one path.

use super::classify::{Class, bytes, class, type_by_name, why};
use super::select::Word;
use super::{Options, Selection, discover};
use crate::model::{RepoPath, SkipReason};

/// Says step by step why `path` is taken or not, one line a step, the last one being the decision.
pub fn explain(options: &Options, path: &RepoPath) -> Vec<String> {
    let mut steps = vec![format!("root: {}", options.root.display())];
    let place = options.root.join(path.to_os());
    match std::fs::symlink_metadata(&place) {
        Err(error) => {
            steps.push(format!("{path}: {error}"));
            steps.push("decision: not taken, it is not there".to_owned());
            return steps;
        }
        Ok(place) if place.is_dir() => steps.push("it is a directory".to_owned()),
        Ok(place) if place.is_symlink() => steps.push("it is a link, which is not followed".to_owned()),
        Ok(place) if place.is_file() => steps.push(format!("it is a regular file of {} bytes", place.len())),
        Ok(_) => steps.push("it is a special file, which is not opened".to_owned()),
    }
    steps.push(
        if options.is_selected(path) { "the paths given select it" } else { "the paths given do not select it" }.to_owned(),
    );
    steps.push(match options.word(path) {
        Word::Excluded => "--exclude matches it".to_owned(),
        Word::NotIncluded => "no --include matches it".to_owned(),
        Word::Taken(None) => "--include matches it".to_owned(),
        Word::Taken(Some(file_type)) => format!("--map takes it for {file_type}"),
        Word::Nothing => "no --exclude, --include or --map speaks of it".to_owned(),
    });
    steps.push(match type_by_name(path) {
        Some(file_type) => format!("its name is that of a {file_type}"),
        None => "its name is none of a Dockerfile or of YAML".to_owned(),
    });
    if let Ok((bytes, _)) = bytes(&options.root, path) {
        steps.push(match class(&options.root, path, &bytes) {
            Class::Ours(file_type) => format!("its content is that of a {file_type}"),
            Class::Skipped(reason) => format!("its content: {}", why(reason)),
            Class::Other(reason) => reason.to_owned(),
        });
    }
    steps.push(decision(options, path));
    steps
}

fn decision(options: &Options, path: &RepoPath) -> String {
    let here = path.as_bytes().iter().rposition(|b| *b == b'/').map_or(&b""[..], |at| &path.as_bytes()[..at]);
    let named = options.selections.contains(&Selection::File(path.clone()));
    let selections = if named { vec![Selection::File(path.clone())] } else { vec![Selection::Tree(RepoPath::new(here))] };
    if !options.is_selected(path) {
        return "decision: not taken, it is outside the paths given".to_owned();
    }
    match discover(&Options { selections, ..options.clone() }) {
        Err(error) => format!("decision: {error}"),
        Ok(found) => {
            if let Some(file) = found.files.iter().find(|file| file.path == *path) {
                return match &file.obstacle {
                    Some(obstacle) => format!("decision: ours, and not sent: {obstacle}"),
                    None => format!("decision: taken as {}", file.file_type),
                };
            }
            let skipped = found.skipped.iter().find(|skipped| skipped.path == *path).map(|skipped| skipped.reason);
            match skipped {
                Some(SkipReason::Ignored) | None if is_hidden(options, path) => {
                    "decision: not taken, .gitignore matches it or a directory above it, and git does not track it"
                        .to_owned()
                }
                Some(reason) => format!("decision: skipped, {}", why(reason)),
                None => "decision: not taken".to_owned(),
            }
        }
    }
}

/// Whether it would be taken if nothing were ignored.
fn is_hidden(options: &Options, path: &RepoPath) -> bool {
    let here = Options { no_ignore: true, selections: vec![Selection::Tree(path.clone())], ..options.clone() };
    !options.no_ignore && discover(&here).is_ok_and(|found| found.files.iter().any(|file| file.path == *path))
}
