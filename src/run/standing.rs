//! How findings stand before they are judged: which do not count, and which are known already.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::judge::baseline::{self, Compared, Look};
use crate::judge::count;
use crate::judge::inline::{self, Ignore};
use crate::judge::suppress::{self, Looked};
use crate::model::{FileRecord, FileType, Finding, KnownFinding, RepoPath, Skipped, State};
use crate::{discover, locate, settings};

use super::changed::Changed;
use super::findings::number_parts;
use super::source;

/// What came to light.
pub(super) struct Standing {
    /// On suppressions that ran out, met nothing or can't be read, and on files that were renamed.
    pub(super) notes: Vec<String>,
    /// What the change alters in the rules, a line each.
    pub(super) altered: Vec<String>,
    /// What stands in the baseline and is gone.
    pub(super) resolved: Vec<KnownFinding>,
}

/// Marks what is suppressed and what is known. `is_whole` says that nothing of the repository was left out.
pub(super) fn settle(
    settings: &settings::Scan,
    files: &[FileRecord],
    skipped: &[Skipped],
    is_whole: bool,
    changed: Option<&Changed>,
    findings: &mut Vec<Finding>,
) -> Standing {
    let mut ignores = if settings.inline_ignores { ignores(settings, files) } else { Vec::new() };
    let mut altered = Vec::new();
    if let (Some(change), Some(changed)) = (&settings.change, changed) {
        altered.extend(change.altered.iter().cloned());
        if settings.inline_ignores {
            altered.extend(changed.sort_out(&mut ignores, change.rules_of_base));
        }
    }
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let looked = Looked { files, whole: is_whole, today };
    let mut notes = suppress::apply(&settings.suppress, &ignores, looked, findings);
    let Compared { resolved, moved } = match &settings.baseline {
        None => Compared::default(),
        Some(known) => {
            let states: HashMap<&RepoPath, State> = files.iter().map(|file| (&file.path, file.state)).collect();
            let skipped: HashSet<&RepoPath> = skipped.iter().map(|skipped| &skipped.path).collect();
            let compared = baseline::compare(findings, &known.findings, &|path| match states.get(path) {
                Some(state) if state.has_verdict() => Look::Scanned,
                Some(_) => Look::Unknown,
                None if skipped.contains(path) || !discover::is_gone(&settings.input.root, path) => Look::Unknown,
                None => Look::Deleted,
            });
            number_parts(findings);
            compared
        }
    };
    notes.extend(moved.into_iter().map(|((from, to), places)| {
        format!("{} of the baseline moved from {from} to {to}", count(places, "finding", "findings"))
    }));
    Standing { notes, altered, resolved }
}

/// The ignore comments of the files that have a verdict.
fn ignores(settings: &settings::Scan, files: &[FileRecord]) -> Vec<(RepoPath, FileType, Vec<Ignore>)> {
    files
        .iter()
        .filter(|file| file.state.has_verdict())
        .filter_map(|file| {
            // A file that can't be read again, or is another by now, has no comments that could be believed.
            let bytes = source::again(&settings.input, &file.path, file.file_type, file.sha256.as_deref()).ok()?;
            Some((file.path.clone(), file.file_type, inline::comments(file.file_type, &locate::decode(&bytes))))
        })
        .filter(|(_, _, ignores)| !ignores.is_empty())
        .collect()
}

/// What was asked for, where that was not the whole repository.
pub(super) fn selected(input: &discover::Options) -> Vec<String> {
    let texts: Vec<String> = input
        .selections
        .iter()
        .map(|selection| match selection {
            discover::Selection::Tree(path) | discover::Selection::File(path) => path.to_string(),
            discover::Selection::Pattern(pattern) => pattern.as_str().to_owned(),
        })
        .collect();
    if texts.iter().any(String::is_empty) { Vec::new() } else { texts }
}
