//! What changed, and against what: the base of a change is found in what a platform, a hook or the user names, checked with git, and given
//! up for a full scan at any doubt. Nothing is fetched.

mod content;
pub(crate) mod files;
pub(crate) mod lines;
mod named;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use serde_json::Value;

pub use self::content::Scratch;
pub(crate) use self::content::lay_out;
use self::named::Named;
use crate::git::{self, Git, TreeEntry};
use crate::model::RepoPath;
use crate::platform;

/// `--diff`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything is scanned.
    #[default]
    Off,
    /// The base is found out.
    Auto,
    /// What is staged, against the last commit.
    Staged,
    /// What is pushed, as git tells a pre-push hook.
    PrePush,
    /// Against the merge base of this revision.
    Revision(String),
}

impl std::str::FromStr for Mode {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "off" => Self::Off,
            "auto" => Self::Auto,
            "staged" => Self::Staged,
            "pre-push" => Self::PrePush,
            revision => Self::Revision(revision.to_owned()),
        })
    }
}

/// Whose files are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Those of the work tree.
    WorkTree,
    /// Those of the index.
    Index,
    /// Those of a commit.
    Commit(String),
}

/// What was found out.
#[derive(Debug)]
pub(crate) struct Found {
    /// Step by step, for people.
    pub(crate) steps: Vec<String>,
    /// Against what, or in a line why all is scanned.
    pub(crate) base: Result<Base, String>,
    /// Whose files are meant.
    pub(crate) content: Content,
}

/// What a change is measured against.
#[derive(Debug)]
pub(crate) struct Base {
    git: Git,
    /// The merge bases; several after criss-cross merges. None where nothing is pushed but deletions.
    pub(crate) commits: Vec<String>,
    /// What it is, for people: `1a2b3c4d5e6f, the merge base with the base of the pull request`.
    pub(crate) what: String,
    /// The files of each merge base.
    trees: Vec<HashMap<RepoPath, TreeEntry>>,
}

/// What the user typed, and the world that it refers to.
pub(crate) struct Ask<'a> {
    /// `--diff`.
    pub(crate) mode: &'a Mode,
    /// The root of the repository.
    pub(crate) root: &'a Path,
    /// The environment.
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// Standard input, where git tells a pre-push hook what is pushed.
    pub(crate) stdin: &'a dyn Fn() -> io::Result<String>,
}

/// An event of GitHub is a few kilobytes.
const LARGEST_EVENT: u64 = 32 * 1024 * 1024;

/// Finds the base.
pub(crate) fn find(ask: &Ask<'_>) -> Found {
    let mut steps = Vec::new();
    let full = |steps: Vec<String>, why: String| Found { steps, base: Err(why), content: Content::WorkTree };
    let git = match Git::new(ask.root, std::env::var_os("PATH").as_deref()) {
        Ok(git) => git,
        Err(error) => return full(steps, error.to_string()),
    };
    match git.is_top() {
        Ok(true) => {}
        Ok(false) => return full(steps, "the root is not that of a git repository".to_owned()),
        Err(error) => return full(steps, format!("this is no git repository that can be read ({error})")),
    }
    let named = match ask.mode {
        Mode::Off => return full(steps, "--diff is off".to_owned()),
        Mode::Staged => return staged(git, steps),
        Mode::Auto => named::auto(ask.env, &event),
        Mode::Revision(revision) => named::revision(revision),
        Mode::PrePush => match (ask.stdin)().map(|told| named::pre_push(&told)) {
            Ok(Some(named)) => named,
            Ok(None) => {
                steps.push("only deletions are pushed".to_owned());
                let base =
                    Base { git, commits: Vec::new(), what: "the remote, which only loses".to_owned(), trees: Vec::new() };
                return Found { steps, base: Ok(base), content: Content::WorkTree };
            }
            Err(error) => return full(steps, format!("what git tells a pre-push hook can't be read: {error}")),
        },
    };
    steps.push(format!("the base is named by {}", named.by));
    steps.extend(named.read.iter().cloned());
    let content = named.content.clone().map_or(Content::WorkTree, Content::Commit);
    match resolve(git, &named, &mut steps) {
        Ok(base) => Found { steps, base: Ok(base), content },
        Err(why) => {
            let content = if named.full.is_some() { Content::WorkTree } else { content };
            Found { steps, base: Err(why), content }
        }
    }
}

fn event(path: &str) -> Option<Value> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(platform::named(Path::new(path)).ok()?, LARGEST_EVENT), &mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The index against the last commit.
fn staged(git: Git, mut steps: Vec<String>) -> Found {
    steps.push("what is staged is compared with the last commit".to_owned());
    if git.is_in_conflict().unwrap_or(true) {
        let base = Err("the index holds conflicts, or can't be read".to_owned());
        return Found { steps, base, content: Content::WorkTree };
    }
    let head = git.commit("HEAD").map_err(|error| error.to_string());
    let base = match head {
        Ok(Some(head)) => Base::at(git, vec![head], "the last commit"),
        Ok(None) => Err("there is no commit yet".to_owned()),
        Err(error) => Err(error),
    };
    Found { steps, base, content: Content::Index }
}

/// The base that is named, where it is sure.
fn resolve(git: Git, named: &Named, steps: &mut Vec<String>) -> Result<Base, String> {
    if let Some(why) = &named.full {
        return Err(why.clone());
    }
    let said = |error: git::Error| error.to_string();
    let ours = named.content.as_deref().unwrap_or("HEAD");
    let Some(head) = git.commit(ours).map_err(said)? else {
        return Err(if ours == "HEAD" {
            "there is no commit yet".to_owned()
        } else {
            format!("{ours} is not in this clone")
        });
    };
    steps.push(format!("{} is {head}", if ours == "HEAD" { "HEAD" } else { "what is pushed" }));
    let mut bases = named.bases.clone();
    if let Some(expected) = named.head.as_ref().filter(|expected| **expected != head) {
        // Only the parents of the merge that a platform made for this very change will do.
        if named.merge && git.commit(&format!("{head}^2")).map_err(said)?.as_ref() == Some(expected) {
            bases.insert(0, (format!("{head}^1"), "what the pull request is merged into".to_owned()));
        } else if named.merge && git.is_shallow() {
            return Err(format!(
                "HEAD is neither {} nor a merge of it with its parents here: the clone is shallow, check out with a depth of 2 or more",
                short(expected)
            ));
        } else {
            return Err(format!("HEAD is not {}, the commit that this run is about", short(expected)));
        }
    }
    let mut why = "nothing names a base".to_owned();
    for (revision, what) in bases {
        let Some(commit) = git.commit(&revision).map_err(said)? else {
            let hint = if git.is_shallow() { ": the clone is shallow, fetch more of it" } else { "" };
            why = format!("{} ({what}) is not in this clone{hint}", short(&revision));
            steps.push(why.clone());
            continue;
        };
        steps.push(format!("{what} is {commit}"));
        let mut common = git.merge_bases(&commit, &head).map_err(said)?;
        if common.is_empty() {
            let hint = if git.is_shallow() { ": the clone is shallow, fetch more of it" } else { "" };
            why = format!("{} ({what}) and HEAD have no common ancestor here{hint}", short(&commit));
            steps.push(why.clone());
            continue;
        }
        // A pipeline runs since something came in: a base that holds it already is stale, or the branch went back.
        if named.head.is_some() && common.contains(&head) {
            why = format!("{} ({what}) holds HEAD already, so nothing lies between", short(&commit));
            steps.push(why.clone());
            continue;
        }
        common.sort();
        steps.push(format!("the merge base is {}", common.join(" and ")));
        return Base::at(git, common, &format!("the merge base with {what}"));
    }
    Err(why)
}

/// As much of an id as people need; a name stays whole.
fn short(revision: &str) -> &str {
    let is_id = revision.len() >= 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id { &revision[..12] } else { revision }
}

impl Base {
    fn at(git: Git, commits: Vec<String>, what: &str) -> Result<Self, String> {
        let mut trees = Vec::new();
        for commit in &commits {
            let tree =
                git.tree(commit).map_err(|error| format!("the files of {} can't be listed: {error}", short(commit)))?;
            trees.push(tree.into_iter().map(|entry| (entry.path.clone(), entry)).collect());
        }
        let shown: Vec<&str> = commits.iter().map(|commit| short(commit)).collect();
        let what = format!("{}, {what}", shown.join(" and "));
        Ok(Self { git, commits, what, trees })
    }

    /// The bytes of a file as the rules of the base have it; `None` where it has none.
    pub(crate) fn file(&self, path: &RepoPath) -> io::Result<Option<Vec<u8>>> {
        let Some(tree) = self.trees.first() else { return Ok(None) };
        let unfit = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        let bytes = path.as_bytes();
        let above = (0..bytes.len()).filter(|at| bytes[*at] == b'/').map(|at| RepoPath::new(&bytes[..at]));
        if above.into_iter().any(|path| tree.contains_key(&path)) {
            return unfit("it stands behind a link or in a submodule at the base");
        }
        let Some(entry) = tree.get(path) else { return Ok(None) };
        if entry.kind != git::EntryKind::File {
            return unfit("it is no regular file at the base");
        }
        let blobs = self.git.blobs(&[&entry.id]).map_err(io::Error::other)?;
        let bytes = blobs.into_iter().next().flatten();
        bytes.map(Some).ok_or_else(|| io::Error::other("its content at the base is not in this clone"))
    }

    /// The old contents of these files, for each as many as it has in the merge bases.
    pub(crate) fn old(&self, paths: &BTreeMap<RepoPath, RepoPath>) -> BTreeMap<RepoPath, Vec<Vec<u8>>> {
        let mut wanted: Vec<(&RepoPath, &str)> = Vec::new();
        for (path, was) in paths {
            let entries = self.trees.iter().filter_map(|tree| tree.get(was));
            wanted.extend(entries.filter(|entry| entry.kind == git::EntryKind::File).map(|entry| (path, entry.id.as_str())));
        }
        wanted.dedup();
        let ids: Vec<&str> = wanted.iter().map(|(_, id)| *id).collect();
        let mut old: BTreeMap<RepoPath, Vec<Vec<u8>>> = BTreeMap::new();
        for ((path, _), blob) in wanted.iter().zip(self.git.blobs(&ids).unwrap_or_default()) {
            if let Some(bytes) = blob {
                old.entry((*path).clone()).or_default().push(bytes);
            }
        }
        old
    }
}
