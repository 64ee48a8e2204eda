//! The change that a run is about, and what it alters in the rules that it is judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::Env;
use super::policy::{self, Rulebook};
use crate::cli::{self, Side};
use crate::diff::{self, Ask, Base, Content, Mode, Scratch};
use crate::error::Error;
use crate::judge::baseline;
use crate::model::RepoPath;
use crate::{config, discover};

/// What `--diff` came to.
#[derive(Debug)]
pub struct Change {
    /// Step by step, for people.
    pub(crate) steps: Vec<String>,
    /// Against what; else, in a line, why all is scanned.
    pub(crate) base: Result<Base, String>,
    /// Whether the rules are those of the base.
    pub(crate) rules_of_base: bool,
    /// What the change alters in hss-iac.toml and the baseline, a line each.
    pub(crate) altered: Vec<String>,
    /// On what is part of the change and is not scanned, a sentence each.
    pub(crate) notes: Vec<String>,
    content: Content,
    /// Where the files are that do not stand in the work tree, for as long as the run needs them.
    laid_out: Option<TempDir>,
}

impl Change {
    /// Finds the base out; `None` where `--diff` is off.
    pub(super) fn find(cli: &cli::Input, root: &Path, env: Env<'_>) -> Option<Self> {
        if cli.diff == Mode::Off {
            return None;
        }
        let stdin = || {
            // A user who tries the hook by hand would wait for ever.
            let stdin = std::io::stdin();
            if stdin.is_terminal() { Ok(String::new()) } else { std::io::read_to_string(stdin) }
        };
        let diff::Found { mut steps, base, content } = diff::find(&Ask { mode: &cli.diff, root, env, stdin: &stdin });
        steps.push(match &base {
            Ok(base) => format!("decision: what differs from {} is scanned", base.what),
            Err(why) => format!("decision: all is scanned, since {why}"),
        });
        let is_known = base.as_ref().is_ok_and(|base| !base.commits.is_empty());
        let rules_of_base = cli.policy_from == Side::Base && is_known;
        Some(Self { steps, base, rules_of_base, altered: Vec::new(), notes: Vec::new(), content, laid_out: None })
    }

    /// The base whose rules count, if that is so.
    pub(super) fn rules(&self) -> Option<&Base> {
        self.base.as_ref().ok().filter(|_| self.rules_of_base)
    }

    /// Has the files that are meant stand in a directory of their own, where they are not those of the work tree.
    pub(super) fn lay_out(&mut self, options: &mut discover::Options, scratch: &Scratch) -> Result<(), Error> {
        if self.content == Content::WorkTree {
            return Ok(());
        }
        let failed = |source| Error::Io { what: "the files that git holds can't be laid out".to_owned(), source };
        let (directory, modules) = diff::lay_out(&options.root, &self.content, options, scratch).map_err(failed)?;
        options.root = std::fs::canonicalize(directory.path()).map_err(failed)?;
        // What is staged or committed is tracked: no ignore rule applies to it.
        options.no_ignore = true;
        options.tracked = false;
        self.laid_out = Some(directory);
        self.notes = self.base.as_ref().map(|base| base.moved(&modules)).unwrap_or_default();
        Ok(())
    }

    /// Notes what the change alters in the rules. `config` and `known` are the paths of hss-iac.toml and of the baseline in the
    /// repository, where they stand in it.
    pub(super) fn compare_rules(&mut self, root: &Path, config: Option<&RepoPath>, known: Option<&RepoPath>) {
        let Ok(base) = &self.base else { return };
        if base.commits.is_empty() {
            return;
        }
        let before = Rulebook { root, base: Some(base) };
        let after = Rulebook { root, base: None };
        let mut altered = Vec::new();
        if let Some(path) = config {
            let read = |book: &Rulebook<'_>| book.read(path, config::MAX_SIZE).unwrap_or_default();
            altered.extend(altered_config(&path.to_string(), &read(&before), &read(&after)));
        }
        if let Some(path) = known {
            let read = |book: &Rulebook<'_>| book.read(path, policy::LARGEST_BASELINE).unwrap_or_default();
            altered.extend(altered_baseline(&path.to_string(), &read(&before), &read(&after)));
        }
        self.altered = altered;
    }
}

fn altered_config(name: &str, before: &[u8], after: &[u8]) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let read = |bytes: &[u8]| config::parse(name, bytes).map(|file| serde_json::to_value(&file).unwrap_or_default());
    let (before, after) = match (read(before), read(after)) {
        (Ok(before), Ok(after)) => (before, after),
        (_, Err(mistake)) => return vec![format!("{name} can't be read as it will stand: {mistake}")],
        (Err(_), Ok(_)) => return vec![format!("{name} could not be read before")],
    };
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut altered = Vec::new();
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|key| *key != "suppress").collect();
    for key in keys {
        match (before.get(key), after.get(key)) {
            (one, other) if one == other => {}
            (_, Some(value)) => altered.push(format!("{name} sets {key} to {value}")),
            (_, None) => altered.push(format!("{name} says nothing of {key} any more")),
        }
    }
    let entries =
        |of: &serde_json::Map<String, Value>| of.get("suppress").and_then(Value::as_array).cloned().unwrap_or_default();
    let (before, after) = (entries(before), entries(after));
    altered.extend(without(&after, &before).map(|entry| format!("{name} suppresses {}", suppression(entry))));
    altered.extend(without(&before, &after).map(|entry| format!("{name} no longer suppresses {}", suppression(entry))));
    if altered.is_empty() { vec![format!("{name} differs in how it is written, not in what it says")] } else { altered }
}

/// `SI-DF-002 in api/**: why`.
fn suppression(entry: &Value) -> String {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let place = [text("path"), text("resource")].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let place = if place.is_empty() { "everywhere".to_owned() } else { format!("in {place}") };
    let until = text("until").map(|until| format!(", until {until}")).unwrap_or_default();
    format!("{} {place}{until}: {}", text("rule").unwrap_or_default(), text("reason").unwrap_or_default())
}

fn altered_baseline(name: &str, before: &[u8], after: &[u8]) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let read = |bytes: &[u8]| if bytes.is_empty() { Ok(Vec::new()) } else { baseline::parse(bytes) };
    match (read(before), read(after)) {
        (Ok(before), Ok(after)) => {
            let (more, fewer) = (without(&after, &before).count(), without(&before, &after).count());
            vec![format!("{name} gains {more} and loses {fewer} known findings")]
        }
        (_, Err(what)) => vec![format!("{name} can't be read as it will stand: {what}")],
        (Err(_), Ok(_)) => vec![format!("{name} could not be read before")],
    }
}

/// What is in one list and not in the other, as often as it is.
fn without<'a, T: std::fmt::Debug>(these: &'a [T], other: &[T]) -> impl Iterator<Item = &'a T> {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for that in other {
        *left.entry(format!("{that:?}")).or_default() += 1;
    }
    these.iter().filter(move |this| match left.get_mut(&format!("{this:?}")) {
        Some(n) if *n > 0 => {
            *n -= 1;
            false
        }
        _ => true,
    })
}
