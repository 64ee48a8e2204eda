//! The user's git, asked through commands that run nothing a repository names: no filters, hooks, helpers or transports.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gix_index::hash::{Kind, ObjectId, hasher};

use crate::model::RepoPath;

/// Settings by which a repository could have git run a program or ask somebody, each turned off. A work tree that belongs to somebody
/// else, as in most containers, is read nevertheless: nothing in it is run. Plain files that look like a repository are none.
const SETTINGS: [&str; 6] = [
    "safe.directory=*",
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.askPass=true",
    "core.untrackedCache=false",
];

/// Git in one repository.
#[derive(Debug)]
pub(crate) struct Git {
    program: PathBuf,
    root: PathBuf,
}

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no git outside the repository.
    #[error("there is no git on the PATH")]
    NoProgram,
    /// It could not be run.
    #[error("git can't be run: {0}")]
    Io(#[from] io::Error),
    /// It said no.
    #[error("git {command}: {said}")]
    Refused {
        /// `rev-parse`, `ls-tree`, …
        command: String,
        /// The first line of what it said.
        said: String,
    },
}

/// A file of a tree or of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// What it is.
    pub(crate) kind: EntryKind,
    /// The object's id, in hex.
    pub(crate) id: String,
    /// Where it stands, from the root of the repository.
    pub(crate) path: RepoPath,
}

/// What stands at a path of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A submodule: the id is that of a commit of another repository.
    Submodule,
}

impl Git {
    /// Git for the repository whose work tree is `root`. `path` is the variable `PATH`.
    pub(crate) fn new(root: &Path, path: Option<&OsStr>) -> Result<Self, Error> {
        let program = program(root, path.unwrap_or_default()).ok_or(Error::NoProgram)?;
        Ok(Self { program, root: root.to_owned() })
    }

    /// The same git for a repository inside this one; `None` where none is.
    pub(crate) fn inside(&self, path: &RepoPath) -> Option<Self> {
        let git = Self { program: self.program.clone(), root: self.root.join(path.to_os()) };
        git.is_marked().then_some(git)
    }

    /// Whether the root is the top of a work tree, and not a directory of another one.
    pub(crate) fn is_top(&self) -> Result<bool, Error> {
        Ok(line(&self.ask("rev-parse", &["--show-prefix"])?).is_empty() && self.is_marked())
    }

    /// Whether `.git` is here: no commit can hold that name, while a change can bring in files that an old git takes for a bare repository.
    fn is_marked(&self) -> bool {
        self.root.join(".git").symlink_metadata().is_ok()
    }

    /// The directory of its hooks, wherever its configuration puts them.
    pub(crate) fn hooks(&self) -> Result<PathBuf, Error> {
        // The setting that keeps git from running hooks would be the answer; this command runs none.
        let settings: Vec<&str> = SETTINGS.into_iter().filter(|setting| !setting.starts_with("core.hooksPath")).collect();
        let said = answer(self.command_with(&settings, "rev-parse", &["--git-path", "hooks"]), "rev-parse", Vec::new())?;
        Ok(self.root.join(line(&said)))
    }

    /// The commit that a revision names; `None` where it names none that is here.
    pub(crate) fn commit(&self, revision: &str) -> Result<Option<String>, Error> {
        let revision = format!("{revision}^{{commit}}");
        let args = ["--verify", "--quiet", "--end-of-options", &revision];
        match self.ask("rev-parse", &args) {
            Ok(id) => Ok(Some(line(&id)).filter(|id| !id.is_empty())),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the clone is shallow: history may end before the base.
    pub(crate) fn is_shallow(&self) -> bool {
        self.ask("rev-parse", &["--is-shallow-repository"]).is_ok_and(|said| line(&said) == "true")
    }

    /// The best common ancestors of two commits: several after criss-cross merges, none for histories that never met.
    pub(crate) fn merge_bases(&self, one: &str, other: &str) -> Result<Vec<String>, Error> {
        match self.ask("merge-base", &["--all", one, other]) {
            Ok(said) => Ok(String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()),
            // It says nothing where there is none.
            Err(Error::Refused { said, .. }) if said.is_empty() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Every file of a commit's tree.
    pub(crate) fn tree(&self, commit: &str) -> Result<Vec<TreeEntry>, Error> {
        let listed = self.ask("ls-tree", &["-r", "-z", "--full-tree", "--end-of-options", commit])?;
        Ok(listed.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// Whether files of the index are in conflict: none of their sides is what will be committed.
    pub(crate) fn is_in_conflict(&self) -> Result<bool, Error> {
        Ok(!self.ask("ls-files", &["--unmerged", "-z"])?.is_empty())
    }

    /// Every file of the index, without those in conflict. `named` is the variable `GIT_INDEX_FILE`: a commit of some paths, or of all
    /// that is tracked, has an index of its own, which git names to its hooks.
    pub(crate) fn index(&self, named: Option<&OsStr>) -> Result<Vec<TreeEntry>, Error> {
        let mut git = self.command("ls-files", &["--stage", "-z", "--full-name"]);
        if let Some(file) = named.map(|file| self.root.join(file)).filter(|file| self.is_mine(file)) {
            git.env("GIT_INDEX_FILE", file);
        }
        let listed = answer(git, "ls-files", Vec::new())?;
        Ok(listed.split(|byte| *byte == 0).filter_map(entry).collect())
    }

    /// Whether a file stands in the directory of this repository: a hook of another one may have started us.
    fn is_mine(&self, file: &Path) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let own = self.ask("rev-parse", &["--absolute-git-dir"]).ok().and_then(|said| real(Path::new(&line(&said))));
        own.is_some() && file.is_file() && file.parent().and_then(real) == own
    }

    /// The contents of blobs, in the order of their ids; `None` for one that is not here.
    pub(crate) fn blobs(&self, ids: &[&str]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut input = ids.join("\n").into_bytes();
        input.push(b'\n');
        let output = answer(self.command("cat-file", &["--batch"]), "cat-file", input)?;
        let mut rest = output.as_slice();
        Ok(ids.iter().map(|_| blob(&mut rest)).collect())
    }

    fn ask(&self, command: &str, args: &[&str]) -> Result<Vec<u8>, Error> {
        answer(self.command(command, args), command, Vec::new())
    }

    fn command(&self, command: &str, args: &[&str]) -> Command {
        self.command_with(&SETTINGS, command, args)
    }

    fn command_with(&self, settings: &[&str], command: &str, args: &[&str]) -> Command {
        let mut git = Command::new(&self.program);
        git.env_clear().envs(environment());
        git.args(["--no-pager", "--no-replace-objects", "--no-optional-locks", "--literal-pathspecs"]);
        for setting in settings {
            git.args(["-c", setting]);
        }
        git.arg("-C").arg(&self.root).arg(command).args(args);
        git
    }
}

fn answer(mut git: Command, command: &str, input: Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdin = child.stdin.take();
    // It may answer before it has read all of a long question.
    let asking = std::thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output()?;
    // A question that was not read to its end shows in the answer.
    let _ = asking.join();
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Refused { command: command.to_owned(), said: line(&output.stderr) })
}

/// What git needs of the environment: nothing by which it, or a hook that started us, could point it at another repository. The protocols
/// that are allowed are set here, since a setting of the repository for one of them goes before a general one.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    let kept = ["PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "SystemRoot", "TMPDIR", "TEMP", "XDG_CONFIG_HOME"];
    let set = [
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_ALLOW_PROTOCOL", "none"),
        ("GIT_GRAFT_FILE", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("LC_ALL", "C"),
    ];
    let kept = kept.into_iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
    kept.chain(set.into_iter().map(|(name, value)| (name.into(), value.into())))
}

/// The git of the system: a repository may hold a program of that name, and a PATH may lead into it. It keeps the name by which it was
/// found: one program may stand behind many names.
fn program(root: &Path, path: &OsStr) -> Option<PathBuf> {
    let name = format!("git{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(&name))
        .find(|program| std::fs::canonicalize(program).is_ok_and(|real| real.is_file() && !real.starts_with(root)))
}

fn line(said: &[u8]) -> String {
    String::from_utf8_lossy(said).lines().next().unwrap_or_default().trim().to_owned()
}

/// `MODE TYPE ID\tPATH` of a tree, `MODE ID STAGE\tPATH` of the index.
fn entry(listed: &[u8]) -> Option<TreeEntry> {
    let tab = listed.iter().position(|byte| *byte == b'\t')?;
    let mut words = std::str::from_utf8(listed.get(..tab)?).ok()?.split(' ');
    let kind = match words.next()? {
        "100644" | "100755" => EntryKind::File,
        "120000" => EntryKind::Link,
        "160000" => EntryKind::Submodule,
        _ => return None,
    };
    let (second, third) = (words.next()?, words.next()?);
    let id = match second {
        "blob" | "commit" => third,
        // A side of a conflict is what nobody means to keep.
        id if third == "0" => id,
        _ => return None,
    };
    Some(TreeEntry { kind, id: id.to_owned(), path: RepoPath::new(listed.get(tab + 1..)?) })
}

/// The next answer of `cat-file --batch`: `ID blob SIZE\nBYTES\n`, or `ID missing\n`.
fn blob(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (head, behind) = rest.split_at(end);
    *rest = behind.get(1..)?;
    let mut words = std::str::from_utf8(head).ok()?.split(' ').skip(1);
    let ("blob", size) = (words.next()?, words.next()?) else { return None };
    let size: usize = size.parse().ok()?;
    let bytes = rest.get(..size)?.to_vec();
    *rest = rest.get(size + 1..)?;
    Some(bytes)
}

/// The id that git gives to a blob of these bytes, in hex, by the hash that the length of another id betrays.
pub(crate) fn blob_id(bytes: &[u8], like: &str) -> Option<String> {
    let kind = if like.len() == Kind::Sha256.len_in_hex() { Kind::Sha256 } else { Kind::Sha1 };
    let mut hasher = hasher(kind);
    hasher.update(format!("blob {}\0", bytes.len()).as_bytes());
    hasher.update(bytes);
    let id: ObjectId = hasher.try_finalize().ok()?;
    Some(id.to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let sha1 = blob_id(b"hello\n", &"0".repeat(40));
        assert_eq!(sha1.as_deref(), Some("ce013625030ba8dba906f756967f9e9ca394464a"));
        let sha256 = blob_id(b"hello\n", &"0".repeat(64));
        assert_eq!(sha256.as_deref(), Some("2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4"));
    }

    #[test]
    fn lists_of_trees_and_of_the_index_are_read() {
        let id = "ce013625030ba8dba906f756967f9e9ca394464a";
        let read = |text: &str| entry(text.as_bytes()).map(|entry| (entry.kind, entry.path.to_string()));
        assert_eq!(read(&format!("100644 blob {id}\ta b\tc")), Some((EntryKind::File, "a b\tc".to_owned())));
        assert_eq!(read(&format!("160000 commit {id}\tsub")), Some((EntryKind::Submodule, "sub".to_owned())));
        assert_eq!(read(&format!("120000 {id} 0\tlink")), Some((EntryKind::Link, "link".to_owned())));
        assert_eq!(read(&format!("100644 {id} 2\tin conflict")), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn batches_are_read_in_order() {
        let mut rest: &[u8] = b"a blob 3\nx\ny\nb missing\nc blob 0\n\n";
        let read: Vec<_> = (0..3).map(|_| blob(&mut rest)).collect();
        assert_eq!(read, [Some(b"x\ny".to_vec()), None, Some(Vec::new())]);
    }
}
