//! What the user asked for: which paths are looked at, and what `--exclude`, `--include` and `--map` say of them.

use glob::Pattern;

use super::{Discovery, Options, Selection};
use crate::model::{FileType, RepoPath, SkipReason};

/// What the options say of a file, before its content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is looked at; `--map` may already have said what it is.
    Look(Option<FileType>),
    /// `--exclude` keeps it out.
    Excluded,
    /// `--include` is given and does not name it.
    NotIncluded,
    /// An ignore rule keeps it out, unless git tracks it.
    Ignored,
}

impl Fate {
    /// Why it is not looked at, if it is not.
    pub(super) fn kept_out(self) -> Option<SkipReason> {
        match self {
            Self::Look(_) => None,
            Self::Excluded => Some(SkipReason::Excluded),
            Self::NotIncluded => Some(SkipReason::NotIncluded),
            Self::Ignored => Some(SkipReason::Ignored),
        }
    }
}

/// How much of a directory is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything below.
    All,
    /// Something below may be.
    Some,
    /// Nothing below.
    None,
}

/// A pattern and the directories that it spells out before its first wildcard.
#[derive(Debug)]
struct Glob {
    pattern: Pattern,
    prefix: Vec<u8>,
}

impl Glob {
    fn new(pattern: &Pattern) -> Self {
        let literal = |part: &&str| !part.contains(['*', '?', '[']);
        let prefix: Vec<_> = pattern.as_str().split('/').take_while(literal).collect();
        Self { pattern: pattern.clone(), prefix: prefix.join("/").into_bytes() }
    }

    /// Whether the pattern matches the path or a directory above it.
    fn matches(&self, path: &RepoPath) -> bool {
        path.is_matched_by(&self.pattern)
    }

    /// Whether the parts of the pattern match those of `path` one by one as far as it goes. A `**` leads anywhere, so nowhere.
    fn leads_through(&self, path: &RepoPath) -> bool {
        let text = String::from_utf8_lossy(path.as_bytes());
        let mut parts = self.pattern.as_str().split('/');
        text.split('/').all(|name| {
            let part = parts.next().filter(|part| *part != "**").and_then(|part| Pattern::new(part).ok());
            part.is_some_and(|part| RepoPath::from(name).is_matched_by(&part))
        })
    }

    /// Whether the spelt-out part of the pattern leads into this directory or ends above it.
    fn leads_into(&self, directory: &RepoPath) -> bool {
        // The prefix is text too: what is not UTF-8 is replaced in both.
        let directory = String::from_utf8_lossy(directory.as_bytes());
        is_at_or_below(&self.prefix, directory.as_bytes()) || is_at_or_below(directory.as_bytes(), &self.prefix)
    }
}

/// The options, ready to be asked.
#[derive(Debug)]
pub(super) struct Rules {
    trees: Vec<RepoPath>,
    files: Vec<RepoPath>,
    patterns: Vec<Glob>,
    include: Vec<Glob>,
    exclude: Vec<Glob>,
    map: Vec<(Glob, FileType)>,
}

impl Rules {
    pub(super) fn new(options: &Options) -> Self {
        let mut rules = Self {
            trees: Vec::new(),
            files: Vec::new(),
            patterns: Vec::new(),
            include: options.include.iter().map(Glob::new).collect(),
            exclude: options.exclude.iter().map(Glob::new).collect(),
            map: options.map.iter().map(|(pattern, file_type)| (Glob::new(pattern), *file_type)).collect(),
        };
        for selection in &options.selections {
            match selection {
                Selection::Tree(path) => rules.trees.push(path.clone()),
                Selection::File(path) => rules.files.push(path.clone()),
                Selection::Pattern(pattern) => rules.patterns.push(Glob::new(pattern)),
            }
        }
        rules.files.sort();
        rules.files.dedup();
        rules
    }

    /// The files that were named one by one.
    pub(super) fn files(&self) -> &[RepoPath] {
        &self.files
    }

    /// Whether this very file was named.
    pub(super) fn names(&self, path: &RepoPath) -> bool {
        self.files.binary_search(path).is_ok()
    }

    /// How much of a directory the selections reach, not counting files named one by one.
    pub(super) fn reach(&self, directory: &RepoPath) -> Reach {
        let at = directory.as_bytes();
        if self.selects(directory) {
            Reach::All
        } else if self.trees.iter().any(|tree| is_at_or_below(tree.as_bytes(), at))
            || self.patterns.iter().any(|p| p.leads_into(directory))
        {
            Reach::Some
        } else {
            Reach::None
        }
    }

    /// Whether a tree or pattern selects this path.
    pub(super) fn selects(&self, path: &RepoPath) -> bool {
        self.trees.iter().any(|tree| is_at_or_below(path.as_bytes(), tree.as_bytes()))
            || self.patterns.iter().any(|p| p.matches(path))
    }

    /// Whether any path is a pattern.
    pub(super) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether a pattern selects `path` or something behind it, part by part.
    pub(super) fn pattern_leads_through(&self, path: &RepoPath) -> bool {
        self.patterns.iter().any(|pattern| pattern.leads_through(path))
    }

    /// Whether the user named this very directory.
    pub(super) fn is_tree(&self, directory: &RepoPath) -> bool {
        self.trees.contains(directory)
    }

    /// Whether `--exclude` names the path or a directory above it.
    pub(super) fn excludes(&self, path: &RepoPath) -> Option<&str> {
        self.exclude.iter().find(|glob| glob.matches(path)).map(|glob| glob.pattern.as_str())
    }

    /// Whether `--include`, `--map` or a named directory leads into a directory that is ignored.
    pub(super) fn leads_into_ignored(&self, directory: &RepoPath) -> bool {
        let globs = self.include.iter().chain(self.map.iter().map(|(glob, _)| glob));
        globs.filter(|glob| !glob.prefix.is_empty()).any(|glob| glob.leads_into(directory))
            || self.trees.iter().any(|tree| is_at_or_below(tree.as_bytes(), directory.as_bytes()))
    }

    /// Whether there is any `--map`.
    pub(super) fn maps(&self) -> bool {
        !self.map.is_empty()
    }

    /// What `--map` says the path is, with the pattern that says so.
    pub(super) fn mapped(&self, path: &RepoPath) -> Option<(FileType, &str)> {
        self.map.iter().find(|(glob, _)| glob.matches(path)).map(|(glob, file_type)| (*file_type, glob.pattern.as_str()))
    }

    /// What is to become of a file that the selections reach.
    pub(super) fn fate(&self, path: &RepoPath, ignored: bool) -> Fate {
        if self.excludes(path).is_some() {
            return Fate::Excluded;
        }
        let included = self.include.iter().any(|glob| glob.matches(path));
        if !included && !self.include.is_empty() {
            return Fate::NotIncluded;
        }
        match self.mapped(path) {
            Some((file_type, _)) => Fate::Look(Some(file_type)),
            None if ignored && !included => Fate::Ignored,
            None => Fate::Look(None),
        }
    }
}

/// The patterns that select nothing of ours, as they were given: a slip of the pen must not look like a clean repository.
pub(super) fn idle_patterns<'a>(options: &'a Options, found: &Discovery) -> Vec<(&'static str, &'a str)> {
    let paths = options.selections.iter().filter_map(|selection| match selection {
        Selection::Pattern(pattern) => Some(("the path", pattern)),
        Selection::Tree(_) | Selection::File(_) => None,
    });
    // Those of a repository are for all of it: a part need not hold what they name.
    let whole = options.selections.iter().any(|selection| *selection == Selection::Tree(RepoPath::default()));
    let includes = options.include.iter().map(|pattern| ("--include", pattern));
    let maps = options.map.iter().map(|(pattern, _)| ("--map", pattern));
    let idle = paths.chain(includes.chain(maps).filter(|_| whole)).filter(|(_, pattern)| {
        let glob = Glob::new(pattern);
        let mut paths = found.files.iter().map(|file| &file.path).chain(found.skipped.iter().map(|skipped| &skipped.path));
        !paths.any(|path| glob.matches(path))
    });
    idle.map(|(what, pattern)| (what, pattern.as_str())).collect()
}

/// Whether `path` is `directory` or stands below it; the empty directory is the root.
fn is_at_or_below(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}
