//! Walks the tree. Directories are shared among threads; what they find is put together and sorted afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::classify::{Classifier, Entry, Name, Outcome};
use super::ignore_rules::{self, WorkTree};
use super::links::{Link, Links, Settled};
use super::resolve::join;
use super::select::{Fate, Reach, Rules};
use super::threads::{self, Queue, spread};
use super::tracked::Tracked;
use super::{Discovery, Error, Options};
use crate::model::{FileType, RepoPath, SkipReason, Skipped, SourceFile};
use crate::platform::{self, Kind};

/// Whether the name is that of a store of a version control system: not searched, not counted. Git takes all but `.git` for names like
/// any other, so what it tracks below them is looked at.
pub(super) fn is_store(name: &[u8]) -> bool {
    matches!(name, b".git" | b".hg" | b".svn" | b".jj")
}

/// A directory to be searched.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) path: RepoPath,
    /// Whether everything below is selected.
    all: bool,
    /// Whether an ignore rule keeps it out, and it is searched only for what is named nevertheless.
    hidden: bool,
    /// The ignore rules of the directory above; of this one, once [`Walk::enter`] has seen it.
    rules: Option<ignore_rules::Rules>,
}

/// What is to be done with a directory that was met.
#[derive(Debug)]
pub(super) enum Descent {
    Enter(Directory),
    Pruned,
    NotSelected,
    Excluded,
    Ignored,
    /// The store of another system than git: as one that is ignored, but nobody asks for it.
    Store,
}

/// What an ignore rule keeps out, to be looked up in git's index.
#[derive(Debug)]
struct Ignored {
    path: RepoPath,
    work_tree: Option<Arc<WorkTree>>,
}

/// A path that git may track, what stands there as far as that is known, and what is to become of it.
type Candidate = (RepoPath, Entry, Fate);

/// What one thread found.
#[derive(Debug, Default)]
struct Found {
    put: Put,
    ignored_files: Vec<(Ignored, Entry)>,
    ignored_directories: Vec<Ignored>,
}

/// What was classified, in no order.
#[derive(Debug, Default)]
struct Put {
    discovery: Discovery,
    /// What becomes of them is known when all is; with why they are kept out themselves, if they are.
    links: Vec<(Link, Option<SkipReason>)>,
}

/// All that decides about a path.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) options: &'a Options,
    pub(super) rules: Rules,
    pub(super) classifier: Classifier<'a>,
}

/// Walks what `options` select.
pub(super) fn discover(options: &Options) -> Result<Discovery, Error> {
    let walk = Walk::new(options);
    let Put { mut discovery, links } = if options.tracked {
        walk.index()?
    } else {
        let mut found = walk.search();
        let tracked = walk.tracked(&mut found);
        walk.put_all(found.put, |put| tracked.into_iter().for_each(put)).0
    };
    for path in walk.rules.files() {
        discovery.files.push(walk.named(path)?);
    }
    discovery.settle(links, &walk);
    discovery.sort();
    Ok(discovery)
}

impl<'a> Walk<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self { options, rules: Rules::new(options), classifier: Classifier::new(&options.root, options.mask_secrets) }
    }

    /// The root, not yet entered; `None` if the user named nothing but files.
    pub(super) fn root(&self) -> Option<Directory> {
        let path = RepoPath::default();
        let reach = self.rules.reach(&path);
        (reach != Reach::None).then(|| Directory { path, all: reach == Reach::All, hidden: false, rules: None })
    }

    /// Takes the ignore rules of a directory in; what it holds is given.
    pub(super) fn enter(&self, directory: &mut Directory, on_disk: &Path, has_git: bool, has_ignore_file: bool) {
        let above = directory.rules.take();
        directory.rules = if self.options.no_ignore {
            ignore_rules::Rules::enter_without(above.as_ref(), &directory.path, on_disk, has_git)
        } else {
            ignore_rules::Rules::enter(above.as_ref(), &directory.path, on_disk, has_git, has_ignore_file)
        };
    }

    /// What is to be done with the directory `path` in `parent`.
    pub(super) fn descend(&self, parent: &Directory, path: RepoPath, on_disk: &Path) -> Descent {
        if path.file_name() == b".git" {
            return Descent::Pruned;
        }
        let reach = if parent.all { Reach::All } else { self.rules.reach(&path) };
        if reach == Reach::None {
            return Descent::NotSelected;
        }
        if self.rules.excludes(&path).is_some() {
            return Descent::Excluded;
        }
        if is_store(path.file_name()) {
            return Descent::Store;
        }
        let ignored = parent.hidden || parent.rules.as_ref().is_some_and(|rules| rules.ignores(on_disk, true));
        // A directory that the user named is searched, whatever hides it; what its own rules hide stays hidden.
        let hidden = ignored && !self.rules.is_tree(&path);
        if hidden && !self.rules.leads_into_ignored(&path) {
            return Descent::Ignored;
        }
        Descent::Enter(Directory { path, all: reach == Reach::All, hidden, rules: parent.rules.clone() })
    }

    /// Whether the name, or `--map`, makes it worth looking at.
    pub(super) fn is_candidate(&self, path: &RepoPath) -> bool {
        Name::of(path.file_name()).is_ours() || self.rules.mapped(path).is_some()
    }

    /// A file that the user named: taken, or an error that says why not.
    fn named(&self, path: &RepoPath) -> Result<SourceFile, Error> {
        let Some(entry) = self.classifier.entry(path) else {
            return Err(Error::Usage(format!("{path}: no such file, or one behind a link, and no link is followed")));
        };
        let map = self.rules.mapped(path).map(|(file_type, _)| file_type);
        match self.classifier.classify(path, entry, map, true, &mut Vec::new()) {
            Outcome::Ours(file, _) => Ok(file),
            Outcome::Skipped(SkipReason::BrokenLink, why) => Err(not_by_link(path, why)),
            Outcome::Link(_) => Err(not_by_link(path, "it is a link, and links are not followed")),
            Outcome::Skipped(_, why) | Outcome::Not(why) => Err(Error::Usage(format!(
                "{path} can't be taken: {why}; to have it scanned nevertheless, say what it is with --map '{path}=dockerfile' or --map '{path}=k8s_yaml'"
            ))),
        }
    }

    /// What git's index holds in place of a walk.
    fn index(&self) -> Result<Put, Error> {
        let root = &self.options.root;
        let has_git = root.join(".git").symlink_metadata().is_ok();
        let rules = ignore_rules::Rules::enter(None, &RepoPath::default(), root, has_git, false);
        let mine = |path: &RepoPath| self.is_candidate(path) && !self.rules.names(path) && self.rules.selects(path);
        let mut index = Tracked::new(mine);
        let none = || Error::Usage(super::NO_INDEX.to_owned());
        let work_tree = rules.as_ref().map(ignore_rules::Rules::work_tree).ok_or_else(none)?;
        let candidate = |path: RepoPath| {
            let fate = self.rules.fate(&path, false);
            (path, Entry::Tracked, fate)
        };
        let (found, read) = self.put_all(Put::default(), |put| index.show(work_tree, |path| put(candidate(path))));
        if read.is_ok() {
            return Ok(found);
        }
        let paths = index.all(work_tree).ok_or_else(none)?;
        Ok(self.put_all(Put::default(), |put| paths.iter().cloned().map(candidate).for_each(put)).0)
    }

    /// Puts every candidate that `find` shows where it belongs, while it still looks.
    fn put_all<E>(&self, mut all: Put, find: impl FnOnce(&mut dyn FnMut(Candidate)) -> E) -> (Put, E) {
        let (parts, end) = spread(find, |(path, entry, fate): Candidate, (part, buffer): &mut (Put, Vec<u8>)| {
            self.put(&path, entry, fate, buffer, part);
        });
        for (part, _) in parts {
            all.append(part);
        }
        (all, end)
    }

    fn search(&self) -> Found {
        let Some(root) = self.root() else { return Found::default() };
        let threads = threads::count();
        let queue = Queue::new(root, threads);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work(&queue))).collect();
            workers.into_iter().fold(Found::default(), |mut all, worker| {
                let found = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.put.append(found.put);
                all.ignored_files.extend(found.ignored_files);
                all.ignored_directories.extend(found.ignored_directories);
                all
            })
        })
    }

    fn work(&self, queue: &Queue<Directory>) -> Found {
        let mut found = Found::default();
        let mut buffer = Vec::new();
        let mut own = Vec::new();
        while let Some(directory) = queue.next(&mut own) {
            self.list(directory, &mut found, &mut own, &mut buffer);
            queue.share(&mut own);
        }
        found
    }

    /// Looks through one directory.
    fn list(&self, mut directory: Directory, found: &mut Found, below: &mut Vec<Directory>, buffer: &mut Vec<u8>) {
        let on_disk = self.options.root.join(directory.path.to_os());
        let (mut has_git, mut has_ignore_file) = (false, false);
        // Nearly all names of a tree end here: nothing is allocated for them.
        let mut entries: Vec<(OsString, Kind)> = Vec::new();
        let read = platform::entries(&on_disk, |name, kind| {
            has_git |= name == ".git";
            has_ignore_file |= name == ".gitignore" && kind == Kind::File;
            if self.may_matter(name, kind) {
                entries.push((name.to_owned(), kind));
            }
        });
        if let Err(error) = read {
            found.put.discovery.unreadable(&directory.path, &error);
        }
        self.enter(&mut directory, &on_disk, has_git, has_ignore_file);
        if has_ignore_file && !self.options.no_ignore && directory.rules.as_ref().is_some_and(ignore_rules::Rules::too_much)
        {
            let error = std::io::Error::other("its .gitignore is too much to honour; --no-ignore searches it all the same");
            return found.put.discovery.unreadable(&directory.path, &error);
        }
        for (name, kind) in &entries {
            let (path, on_disk) = (join(&directory.path, name), on_disk.join(name));
            if *kind == Kind::Link && self.rules.has_patterns() {
                self.meet_link(&path, &on_disk, found);
            }
            match Entry::of(*kind) {
                None => self.meet(&directory, path, &on_disk, found, below),
                Some(entry) => self.look(&directory, &path, &on_disk, entry, found, buffer),
            }
        }
    }

    /// Whether a name of a directory can have a say, before its path is known.
    fn may_matter(&self, name: &OsStr, kind: Kind) -> bool {
        kind == Kind::Directory
            || self.rules.maps()
            || (kind == Kind::Link && self.rules.has_patterns())
            || Name::of(name.as_encoded_bytes()).is_ours()
    }

    fn meet(&self, parent: &Directory, path: RepoPath, on_disk: &Path, found: &mut Found, below: &mut Vec<Directory>) {
        let descent = self.descend(parent, path.clone(), on_disk);
        if matches!(descent, Descent::Excluded | Descent::Ignored) {
            found.put.discovery.directories_not_searched += 1;
            found.put.discovery.pruned_directories.push(path.clone());
        }
        match descent {
            Descent::Enter(directory) => below.push(directory),
            Descent::Pruned | Descent::NotSelected | Descent::Excluded => {}
            Descent::Ignored | Descent::Store => {
                found.ignored_directories.push(Ignored { path, work_tree: parent.work_tree() });
            }
        }
    }

    /// Says so where a pattern leads through a link to a directory: what it was to find there may be the whole point.
    fn meet_link(&self, path: &RepoPath, on_disk: &Path, found: &mut Found) {
        if self.rules.pattern_leads_through(path) && fs::metadata(on_disk).is_ok_and(|target| target.is_dir()) {
            found.put.discovery.notes.push(format!(
                "{path} is a link to a directory and not followed: a pattern that leads through it finds nothing there"
            ));
        }
    }

    fn look(
        &self,
        parent: &Directory,
        path: &RepoPath,
        on_disk: &Path,
        entry: Entry,
        found: &mut Found,
        buffer: &mut Vec<u8>,
    ) {
        if !self.is_candidate(path) || self.rules.names(path) || !(parent.all || self.rules.selects(path)) {
            return;
        }
        let ignored = parent.hides(on_disk).is_some();
        match self.rules.fate(path, ignored) {
            Fate::Ignored => {
                found.ignored_files.push((Ignored { path: path.clone(), work_tree: parent.work_tree() }, entry));
            }
            fate => self.put(path, entry, fate, buffer, &mut found.put),
        }
    }

    /// Classifies a file and puts it where its fate wants it.
    fn put(&self, path: &RepoPath, entry: Entry, fate: Fate, buffer: &mut Vec<u8>, into: &mut Put) {
        let map = match fate {
            Fate::Look(map) => map,
            _ => self.rules.mapped(path).map(|(file_type, _)| file_type),
        };
        match (self.classifier.classify(path, entry, map, false, buffer), fate.kept_out()) {
            (Outcome::Ours(file, _), None) => into.discovery.files.push(file),
            (Outcome::Link(link), kept_out) => into.links.push((link, kept_out)),
            (Outcome::Ours(..), Some(reason)) | (Outcome::Skipped(reason, _), None) => {
                into.discovery.skipped.push(Skipped { path: path.clone(), reason });
            }
            (Outcome::Skipped(..), Some(_)) | (Outcome::Not(_), _) => {}
        }
    }

    /// Of what was ignored: the files that were met, and those that git tracks below directories that were not searched.
    fn tracked(&self, found: &mut Found) -> Vec<Candidate> {
        let mut index =
            Tracked::new(|path: &RepoPath| self.is_candidate(path) && !self.rules.names(path) && self.rules.selects(path));
        let mut files = Vec::new();
        for (Ignored { path, work_tree }, entry) in std::mem::take(&mut found.ignored_files) {
            let tracked = work_tree.is_some_and(|work_tree| index.holds(&work_tree, &path));
            let fate = self.rules.fate(&path, !tracked);
            files.push((path, entry, fate));
        }
        for Ignored { path: directory, work_tree } in std::mem::take(&mut found.ignored_directories) {
            let Some(work_tree) = work_tree else { continue };
            for path in index.below(&work_tree, &directory) {
                let fate = self.rules.fate(&path, false);
                files.push((path, Entry::Tracked, fate));
            }
        }
        found.put.discovery.notes.append(&mut index.notes);
        found.put.discovery.unreadable_indexes.append(&mut index.unreadable);
        files
    }
}

impl Directory {
    /// How the ignore rule is written that hides the file `on_disk` in this directory, if one does.
    pub(super) fn hides(&self, on_disk: &Path) -> Option<String> {
        if self.hidden {
            return Some("a rule for a directory above it".to_owned());
        }
        let (ignores, rule) = self.rules.as_ref()?.deciding(on_disk, false)?;
        ignores.then_some(rule)
    }

    pub(super) fn work_tree(&self) -> Option<Arc<WorkTree>> {
        self.rules.as_ref().map(|rules| Arc::clone(rules.work_tree()))
    }
}

/// No link is followed, so one that the user named is not taken.
fn not_by_link(path: &RepoPath, why: &str) -> Error {
    Error::Usage(format!("{path} can't be taken: {why}; name the file itself"))
}

impl Put {
    fn append(&mut self, mut other: Self) {
        self.discovery.append(other.discovery);
        self.links.append(&mut other.links);
    }
}

impl Discovery {
    /// Puts links where they belong, now that all files are known.
    fn settle(&mut self, links: Vec<(Link, Option<SkipReason>)>, walk: &Walk<'_>) {
        if links.is_empty() {
            return;
        }
        let taken: BTreeMap<RepoPath, FileType> =
            self.files.iter().map(|file| (file.path.clone(), file.file_type)).collect();
        let mut settled = Links::new(walk);
        for (link, kept_out) in links {
            let taken = taken.get(&link.target).copied();
            let becomes = match kept_out {
                None => settled.settle(&link, taken),
                Some(reason) if settled.speaks_of_ours(&link, taken) => Settled::Skipped(reason),
                Some(_) => continue,
            };
            match becomes {
                Settled::Skipped(reason) => self.skipped.push(Skipped { path: link.path, reason }),
                Settled::Lost(file) => self.files.push(file),
            }
        }
        let (mut notes, mut unreadable) = settled.unreadable();
        self.notes.append(&mut notes);
        self.unreadable_indexes.append(&mut unreadable);
    }

    fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.skipped.append(&mut other.skipped);
        self.directories_not_searched += other.directories_not_searched;
        self.pruned_directories.append(&mut other.pruned_directories);
        self.unreadable_directories.append(&mut other.unreadable_directories);
        self.unreadable_indexes.append(&mut other.unreadable_indexes);
        self.notes.append(&mut other.notes);
    }

    fn unreadable(&mut self, directory: &RepoPath, error: &io::Error) {
        let place = if directory.as_bytes().is_empty() { "the root".to_owned() } else { directory.to_string() };
        self.notes.push(format!("{place} can't be searched: {error}"));
        self.unreadable_directories.push(directory.clone());
    }

    fn sort(&mut self) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.skipped.sort();
        self.pruned_directories.sort();
        self.unreadable_directories =
            std::mem::take(&mut self.unreadable_directories).into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        // The walk and the links may each have asked an index that can't be read.
        self.unreadable_indexes.sort();
        self.unreadable_indexes.dedup();
        self.notes.sort();
        self.notes.dedup();
    }
}
