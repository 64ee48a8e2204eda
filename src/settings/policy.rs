//! What `hss-iac.toml` adds to what was typed: a flag or its variable wins over the file, the file over the default.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::cli::{Gate, Input, Known, Mapping, Max, Pace, Shown};
use crate::config::{self, Glob, Text};
use crate::diff::Base;
use crate::discover;
use crate::error::Error;
use crate::judge::{baseline, suppress};
use crate::model::{KnownFinding, RepoPath};
use crate::platform;

/// At the root, where nobody names another.
const USUAL_BASELINE: &str = "hss-iac-baseline.json";

/// More than a baseline of a million findings, in bytes.
pub(super) const LARGEST_BASELINE: u64 = 256_000_000;

/// Whose rules count: those of the work tree, or those of the base of a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rulebook<'a> {
    pub(super) root: &'a Path,
    pub(super) base: Option<&'a Base>,
}

impl Rulebook<'_> {
    /// Reads a file of the repository.
    pub(super) fn read(&self, path: &RepoPath, limit: u64) -> std::io::Result<Vec<u8>> {
        let Some(base) = self.base else { return discover::read_at_most(self.root, path, limit) };
        let bytes = base
            .file(path)?
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "the base has no such file"))?;
        if bytes.len() as u64 > limit { Err(discover::too_large(limit)) } else { Ok(bytes) }
    }

    /// Reads a file that the user named: one of the repository as the base has it, any other as it is.
    fn read_named(&self, path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
        match self.inside(path).filter(|_| self.base.is_some()) {
            Some(path) => self.read(&path, limit),
            None => read_any(path, limit),
        }
    }

    /// Where the file stands in the repository, if it does. What is written behind the root counts as it is written: a link there may be
    /// one that the change brings in.
    pub(super) fn inside(&self, path: &Path) -> Option<RepoPath> {
        let root = std::fs::canonicalize(self.root).ok()?;
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        if let Some(above) = path.ancestors().skip(1).filter(|above| real(above).as_deref() == Some(&root)).last()
            && let Ok(inside) = super::explained(above, above, path)
        {
            return Some(inside);
        }
        super::explained(&root, &root, &real(path.parent()?)?.join(path.file_name()?)).ok()
    }

    /// Whether the base lacks a file of the repository that is there now.
    fn brings_in(&self, path: Option<RepoPath>) -> bool {
        self.base.is_some() && path.is_some_and(|path| !discover::is_gone(self.root, &path))
    }

    /// What to add where a file can't be taken as it is at the base.
    fn hint(&self, path: Option<&RepoPath>) -> &'static str {
        match (self.base, path) {
            (Some(_), Some(_)) => " (so it is at the base of the change; --policy-from head takes the one of the change)",
            _ => "",
        }
    }
}

/// The file of a repository, and what messages call it.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) name: Option<String>,
    pub(super) file: config::File,
}

/// What is known already.
#[derive(Debug)]
pub struct Baseline {
    /// Where it stands, as it was said.
    pub name: String,
    /// What stands in it.
    pub findings: Vec<KnownFinding>,
}

/// Reads the file that was named, or else the one at the root.
pub(super) fn load(named: Option<&Path>, rules: Rulebook<'_>, cwd: &Path) -> Result<Loaded, Error> {
    let (name, bytes) = match named {
        Some(path) => (path.display().to_string(), rules.read_named(&cwd.join(path), config::MAX_SIZE)),
        None => (config::NAME.to_owned(), rules.read(&config::NAME.into(), config::MAX_SIZE)),
    };
    let place = named.map_or(Some(config::NAME.into()), |path| rules.inside(&cwd.join(path)));
    let hint = rules.hint(place.as_ref());
    let bytes = match bytes {
        Ok(bytes) => bytes,
        // One that a change brings in says nothing before it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && (named.is_none() || rules.brings_in(place)) => {
            return Ok(Loaded::default());
        }
        Err(error) => return Err(Error::Usage(format!("the configuration {name} can't be read: {error}{hint}"))),
    };
    let file = config::parse(&name, &bytes).map_err(|mistake| Error::Usage(format!("{mistake}{hint}")))?;
    Ok(Loaded { name: Some(name), file })
}

fn read_any(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    platform::named(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(discover::too_large(limit)) } else { Ok(bytes) }
}

/// Whether a flag or its variable says so.
pub(super) fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

fn fill<T>(matches: &ArgMatches, id: &str, value: &mut T, said: Option<T>) {
    if let Some(said) = said
        && !is_typed(matches, id)
    {
        *value = said;
    }
}

pub(super) fn fill_input(input: &mut Input, matches: &ArgMatches, file: &config::File) {
    let texts = |globs: &Option<Vec<Glob>>| globs.clone().map(|globs| globs.into_iter().map(String::from).collect());
    let map = file
        .map
        .clone()
        .map(|map| map.into_iter().map(|(glob, file_type)| Mapping { glob: glob.into(), file_type }).collect::<Vec<_>>());
    fill(matches, "include", &mut input.include, texts(&file.include));
    fill(matches, "exclude", &mut input.exclude, texts(&file.exclude));
    fill(matches, "map", &mut input.map, map);
    fill(matches, "no_ignore", &mut input.no_ignore, file.no_ignore);
}

pub(super) fn fill_gate(gate: &mut Gate, shown: &mut Shown, matches: &ArgMatches, file: &config::File) {
    let max = file.max.as_ref().map(|max| max.iter().map(|(level, n)| Max { level: *level, findings: *n }).collect());
    fill(matches, "fail_on", &mut gate.fail_on, file.fail_on);
    fill(matches, "max", &mut gate.max, max);
    fill(matches, "on_partial", &mut gate.lenience.on_partial, file.on_partial);
    fill(matches, "on_service_error", &mut gate.lenience.on_service_error, file.on_service_error);
    fill(matches, "if_empty", &mut gate.lenience.if_empty, file.if_empty);
    fill(matches, "report_level", &mut shown.report_level, file.report_level);
}

pub(super) fn fill_pace(pace: &mut Pace, known: &mut Known, matches: &ArgMatches, file: &config::File) {
    fill(matches, "max_path_calls", &mut pace.max_path_calls, file.max_path_calls);
    fill(matches, "no_inline_ignores", &mut known.no_inline_ignores, file.no_inline_ignores);
}

/// Reads the baseline: any file that a flag or its variable names, only one of the tree where the repository does.
pub(super) fn baseline(
    typed: Option<&Path>,
    said: Option<&Text>,
    rules: Rulebook<'_>,
    cwd: &Path,
) -> Result<Option<Baseline>, Error> {
    let (name, bytes) = match (typed, said) {
        (Some(path), _) => (path.display().to_string(), rules.read_named(&cwd.join(path), LARGEST_BASELINE)),
        (None, Some(Text(text))) => (text.clone(), of_tree(rules, text)),
        (None, None) => return Ok(None),
    };
    let place = typed.map_or_else(|| path_in_tree(&name).ok(), |path| rules.inside(&cwd.join(path)));
    let hint = rules.hint(place.as_ref());
    // One that a change brings in knows nothing before it.
    if bytes.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) && rules.brings_in(place) {
        return Ok(Some(Baseline { name, findings: Vec::new() }));
    }
    let bytes = bytes.map_err(|error| {
        let next = match error.kind() {
            std::io::ErrorKind::NotFound => format!("write one with `hss-iac baseline RESULT -b {name}`"),
            _ => "name another with --baseline".to_owned(),
        };
        Error::Usage(format!("the baseline {name} can't be read: {error}{hint}; {next}"))
    })?;
    let findings = baseline::parse(&bytes).map_err(|what| {
        Error::Usage(format!("{name} is no baseline: {what}{hint}; write it anew with `hss-iac baseline RESULT -b {name}`"))
    })?;
    Ok(Some(Baseline { name, findings }))
}

/// The baseline that is to be written, and what stands in it.
pub(super) fn old_baseline(
    typed: Option<&Path>,
    said: Option<&Text>,
    root: &Path,
    cwd: &Path,
) -> Result<(PathBuf, Vec<KnownFinding>), Error> {
    let (path, bytes) = match (typed, said) {
        (Some(typed), _) => (typed.to_owned(), read_any(&cwd.join(typed), LARGEST_BASELINE)),
        (None, said) => {
            let text = said.map_or(USUAL_BASELINE, |Text(text)| text);
            (root.join(text), of_tree(Rulebook { root, base: None }, text))
        }
    };
    let name = path.display();
    let old = match bytes {
        Ok(bytes) => baseline::parse(&bytes).map_err(|what| {
            Error::Usage(format!("{name} is no baseline, so it is left as it is: {what}; remove it first"))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::Usage(format!("the baseline {name} can't be read: {error}"))),
    };
    Ok((path, old))
}

fn of_tree(rules: Rulebook<'_>, text: &str) -> std::io::Result<Vec<u8>> {
    rules.read(&path_in_tree(text)?, LARGEST_BASELINE)
}

/// The path that a repository names.
pub(super) fn path_in_tree(text: &str) -> std::io::Result<RepoPath> {
    let mut inside = RepoPath::default();
    for part in Path::new(text).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => inside = inside.join(name.as_encoded_bytes()),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                let text = "a repository may only name a file below its root";
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, text));
            }
        }
    }
    Ok(inside)
}

/// The entries of the file, as the judge takes them.
pub(super) fn suppressions(loaded: &Loaded) -> Vec<suppress::Entry> {
    let name = loaded.name.as_deref().unwrap_or(config::NAME);
    let text = |text: &Option<Text>| text.as_ref().map(|Text(text)| text.clone());
    let entry = |said: &config::Suppress| suppress::Entry {
        rule: said.rule.0.clone(),
        path: said.path.as_ref().map(|Glob(pattern)| pattern.clone()),
        resource: text(&said.resource),
        reason: said.reason.0.clone(),
        until: said.until.map(|until| until.0),
        owner: text(&said.owner),
        place: (name.to_owned(), said.line),
    };
    loaded.file.suppress.iter().map(entry).collect()
}
