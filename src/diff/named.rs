//! What a CI platform, a hook or the user names as the base of a change. Reads variables and an event; asks no git.

use serde_json::Value;

/// Reads one environment variable.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What was named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Who names it, for people: `GitHub pull_request`, `--diff`.
    pub(crate) by: String,
    /// What was read, as `name=value`.
    pub(crate) read: Vec<String>,
    /// The commit that has to be checked out; with another one the base would be that of another change.
    pub(crate) head: Option<String>,
    /// Whether a merge of `head` into the base may be checked out instead: its first parent is the base then.
    pub(crate) merge: bool,
    /// The commit whose files are meant, where that is not what stands in the work tree.
    pub(crate) content: Option<String>,
    /// Bases to try, the best first: the revision, and what it is.
    pub(crate) bases: Vec<(String, String)>,
    /// Why all is to be scanned, where that is known already.
    pub(crate) full: Option<String>,
}

impl Named {
    fn by(by: &str) -> Self {
        Self { by: by.to_owned(), ..Self::default() }
    }

    fn full(mut self, why: &str) -> Self {
        self.full = Some(why.to_owned());
        self
    }

    /// Adds a base, unless it says nothing: platforms write zeros for "none".
    fn base(&mut self, revision: Option<String>, what: &str) {
        let said = revision.filter(|revision| !revision.is_empty() && !is_zero(revision));
        self.bases.extend(said.map(|revision| (revision, what.to_owned())));
    }
}

/// Whether an id is that of no commit.
pub(crate) fn is_zero(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

/// `--diff REV`.
pub(crate) fn revision(revision: &str) -> Named {
    let mut named = Named::by("--diff");
    named.base(Some(revision.to_owned()), &format!("{revision}, as --diff says"));
    named
}

/// `--diff auto`: the platform first, then pre-commit, then the work tree's own branch. `event` reads the file of a GitHub event.
pub(crate) fn auto(env: Env<'_>, event: &dyn Fn(&str) -> Option<Value>) -> Named {
    let is = |name: &str| env(name).is_some_and(|value| value == "true");
    if is("GITHUB_ACTIONS") {
        github(env, event)
    } else if is("GITLAB_CI") {
        gitlab(env)
    } else if let Some(named) = pre_commit(env) {
        named
    } else if env("CI").is_some_and(|ci| !ci.is_empty() && ci != "false" && ci != "0") {
        Named::by("CI").full("the base of a change is not known on this CI platform; name it with --diff REV")
    } else {
        let mut named = Named::by("the work tree");
        named.base(Some("@{upstream}".to_owned()), "the upstream of the branch");
        named.bases.extend(default_branches(None));
        named
    }
}

/// Where the default branch may be found, the most telling first.
fn default_branches(name: Option<&str>) -> Vec<(String, String)> {
    let branch = |name: &str, what: &str| (name.to_owned(), what.to_owned());
    match name {
        Some(name) => vec![branch(&format!("refs/remotes/origin/{name}"), "the default branch")],
        None => [
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
            "refs/remotes/origin/master",
            "refs/heads/main",
            "refs/heads/master",
        ]
        .map(|name| branch(name, "the default branch"))
        .into(),
    }
}

/// Where the remote's default branch may be found. A branch of one's own tells nothing of what a remote has: it may be what is pushed.
fn remote_default_branches() -> impl Iterator<Item = (String, String)> {
    default_branches(None).into_iter().filter(|(revision, _)| revision.starts_with("refs/remotes/"))
}

fn github(env: Env<'_>, event: &dyn Fn(&str) -> Option<Value>) -> Named {
    let name = env("GITHUB_EVENT_NAME").unwrap_or_default();
    let mut named = Named::by(&format!("GitHub {name}"));
    named.read.push(format!("GITHUB_EVENT_NAME={name}"));
    let path = env("GITHUB_EVENT_PATH").unwrap_or_default();
    let Some(event) = event(&path) else {
        return named.full("the event of GitHub (GITHUB_EVENT_PATH) can't be read");
    };
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let read = |named: &mut Named, pointer: &str| {
        let value = text(pointer);
        let shown = value.as_deref().unwrap_or("(none)");
        named.read.push(format!("{}={shown}", pointer.trim_start_matches('/').replace('/', ".")));
        value
    };
    match name.as_str() {
        "pull_request" | "pull_request_target" | "pull_request_review" => {
            named.head = read(&mut named, "/pull_request/head/sha");
            named.merge = true;
            let base = read(&mut named, "/pull_request/base/sha");
            named.base(base, "the base of the pull request");
        }
        "merge_group" => {
            named.head = read(&mut named, "/merge_group/head_sha");
            let base = read(&mut named, "/merge_group/base_sha");
            named.base(base, "the base of the merge group");
        }
        "push" => {
            let reference = read(&mut named, "/ref").unwrap_or_default();
            let default = read(&mut named, "/repository/default_branch").unwrap_or_default();
            if reference == format!("refs/heads/{default}") {
                return named.full("a push to the default branch scans all");
            }
            if !reference.starts_with("refs/heads/") {
                return named.full("what was pushed is no branch");
            }
            named.head = read(&mut named, "/after");
            let before = read(&mut named, "/before");
            named.base(before, "the branch before the push");
            named.bases.extend(default_branches(Some(&default)));
        }
        _ => return named.full("this event has no base"),
    }
    if named.head.is_none() {
        return named.full("the event names no commit");
    }
    named
}

fn gitlab(env: Env<'_>) -> Named {
    let mut named = Named::by("GitLab");
    let read = |named: &mut Named, name: &str| {
        let value = env(name).filter(|value| !value.is_empty());
        named.read.push(format!("{name}={}", value.as_deref().unwrap_or("(none)")));
        value
    };
    named.head = read(&mut named, "CI_COMMIT_SHA");
    if named.head.is_none() {
        return named.full("the pipeline names no commit");
    }
    if env("CI_EXTERNAL_PULL_REQUEST_IID").is_some() {
        named.by.push_str(" external pull request");
        let target = read(&mut named, "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA");
        named.base(target, "the target of the pull request");
        return named;
    }
    // In such a pipeline CI_COMMIT_BEFORE_SHA is no base: it may be the last push, and the range empty.
    if env("CI_MERGE_REQUEST_IID").is_some() {
        let kind = read(&mut named, "CI_MERGE_REQUEST_EVENT_TYPE").unwrap_or_else(|| "detached".to_owned());
        named.by = format!("GitLab merge request ({kind})");
        if kind != "detached" {
            let target = read(&mut named, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA");
            named.base(target, "the target of the merge request");
        }
        let base = read(&mut named, "CI_MERGE_REQUEST_DIFF_BASE_SHA");
        named.base(base, "the base of the merge request");
        return named;
    }
    let Some(branch) = read(&mut named, "CI_COMMIT_BRANCH") else {
        return named.full("the pipeline is neither for a merge request nor for a branch");
    };
    let default = read(&mut named, "CI_DEFAULT_BRANCH").unwrap_or_default();
    named.by.push_str(" branch");
    if branch == default {
        return named.full("a pipeline of the default branch scans all");
    }
    let before = read(&mut named, "CI_COMMIT_BEFORE_SHA");
    named.base(before, "the branch before the push");
    named.bases.extend(default_branches(Some(&default)));
    named
}

/// The variables that pre-commit sets around a pre-push hook.
fn pre_commit(env: Env<'_>) -> Option<Named> {
    let read = |name: &str| env(name).filter(|value| !value.is_empty());
    let mut named = Named::by("pre-commit");
    let Some(to) = read("PRE_COMMIT_TO_REF") else {
        // It names no commits where the remote has nothing of the history that is pushed.
        read("PRE_COMMIT_REMOTE_BRANCH")?;
        let local = read("PRE_COMMIT_LOCAL_BRANCH")?;
        named.read = vec![format!("PRE_COMMIT_LOCAL_BRANCH={local}")];
        named.content = Some(local);
        return Some(named);
    };
    let from = env("PRE_COMMIT_FROM_REF").unwrap_or_default();
    named.read = vec![format!("PRE_COMMIT_FROM_REF={from}"), format!("PRE_COMMIT_TO_REF={to}")];
    named.content = Some(to);
    named.base(Some(from), "what the remote has");
    named.bases.extend(remote_default_branches());
    Some(named)
}

/// `--diff pre-push`: what git tells the hook on its standard input, a line for each reference that is pushed:
/// `<local ref> <local id> <remote ref> <remote id>`. `None` where nothing but deletions is pushed.
pub(crate) fn pre_push(told: &str) -> Option<Named> {
    let mut named = Named::by("pre-push");
    named.read = told.lines().map(str::to_owned).collect();
    let mut pushed: Vec<(&str, &str, bool)> = Vec::new();
    for line in told.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [_, local, _, _] if is_zero(local) => {}
            [_, local, to, remote] => pushed.push((local, remote, to.starts_with("refs/tags/"))),
            [] => {}
            _ => return Some(named.full("what git tells a pre-push hook can't be read")),
        }
    }
    // A tag may go along with the branch that it stands on.
    let with_branch: Vec<&str> = pushed.iter().filter(|(_, _, is_tag)| !is_tag).map(|(local, ..)| *local).collect();
    pushed.retain(|(local, _, is_tag)| !is_tag || !with_branch.contains(local));
    pushed.dedup();
    match pushed[..] {
        [] if told.trim().is_empty() => Some(named.full("nothing on standard input tells what is pushed")),
        [] => None,
        [(local, remote, _)] => {
            named.content = Some(local.to_owned());
            named.base(Some(remote.to_owned()), "what the remote has");
            named.bases.extend(remote_default_branches());
            Some(named)
        }
        _ => Some(named.full("several branches are pushed at once")),
    }
}
