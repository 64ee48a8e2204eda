//! The walk: directories are listed by walkdir, one at a time, and shared among threads. No link is followed.

use std::collections::BTreeSet;
use std::fs::FileType as Kind;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use walkdir::WalkDir;

use super::classify::{self, Class, blocked, bytes, class, class_of_named, source, type_by_name};
use super::ignored::Rules;
use super::select::{Word, is_below};
use super::{Discovery, Error, Options, Selection, tracked};
use crate::model::{FileType, RepoPath, SkipReason, Skipped};

/// Directories of version control: nothing in them is of the tree.
const VERSION_CONTROL: [&[u8]; 4] = [b".git", b".hg", b".svn", b".jj"];
/// More threads than this gain nothing on a directory tree.
const MOST_THREADS: usize = 8;

/// Walks the selections and classifies what is there.
pub fn discover(options: &Options) -> Result<Discovery, Error> {
    let mut found = walk(options);
    take_tracked(options, &mut found);
    take_named(options, &mut found)?;
    let Found { mut discovery, .. } = found;
    discovery.files.sort_by(|a, b| a.path.cmp(&b.path));
    discovery.files.dedup_by(|a, b| a.path == b.path);
    let ours: BTreeSet<&RepoPath> = discovery.files.iter().map(|file| &file.path).collect();
    discovery.skipped.retain(|skipped| !ours.contains(&skipped.path));
    discovery.skipped.sort();
    discovery.skipped.dedup();
    discovery.unreadable_directories.sort();
    for folder in &discovery.unreadable_directories {
        discovery.notes.push(format!("directory {folder} can't be listed: what is in it is not known"));
    }
    Ok(discovery)
}

/// What a walk found, and what git's index may bring back.
#[derive(Default)]
struct Found {
    discovery: Discovery,
    ignored_folders: Vec<RepoPath>,
    ignored_files: Vec<RepoPath>,
}

impl Found {
    fn merge(&mut self, other: Self) {
        self.discovery.files.extend(other.discovery.files);
        self.discovery.skipped.extend(other.discovery.skipped);
        self.discovery.directories_not_searched += other.discovery.directories_not_searched;
        self.discovery.unreadable_directories.extend(other.discovery.unreadable_directories);
        self.ignored_folders.extend(other.ignored_folders);
        self.ignored_files.extend(other.ignored_files);
    }

    fn skip(&mut self, path: RepoPath, reason: SkipReason) {
        self.discovery.skipped.push(Skipped { path, reason });
    }
}

/// A directory to list.
struct Folder {
    path: RepoPath,
    rules: Option<Arc<Rules>>,
    /// Below an ignored directory: only what a flag takes is taken.
    ignored: bool,
}

/// Directories that wait, and how many are being listed.
#[derive(Default)]
struct Queue {
    folders: Vec<Folder>,
    busy: usize,
}

fn walk(options: &Options) -> Found {
    let rules = if options.no_ignore { None } else { Rules::at_root(&options.root) };
    let root = Folder { path: RepoPath::default(), rules, ignored: false };
    let queue = Mutex::new(Queue { folders: vec![root], busy: 0 });
    let wake = Condvar::new();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let mut all = Found::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(options, &queue, &wake))).collect();
        for worker in workers {
            match worker.join() {
                Ok(found) => all.merge(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all
}

fn work(options: &Options, queue: &Mutex<Queue>, wake: &Condvar) -> Found {
    let lock = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = Found::default();
    loop {
        let mut waiting = lock();
        let folder = loop {
            if let Some(folder) = waiting.folders.pop() {
                waiting.busy += 1;
                break folder;
            }
            if waiting.busy == 0 {
                wake.notify_all();
                return found;
            }
            waiting = wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        };
        drop(waiting);
        let below = list(options, &folder, &mut found);
        let mut waiting = lock();
        waiting.folders.extend(below);
        waiting.busy -= 1;
        drop(waiting);
        wake.notify_all();
    }
}

/// Lists one directory and gives those below it.
fn list(options: &Options, folder: &Folder, found: &mut Found) -> Vec<Folder> {
    let place = options.root.join(folder.path.to_os());
    let rules = folder.rules.as_ref().map(|above| Rules::in_folder(above, &place));
    let mut below = Vec::new();
    for entry in WalkDir::new(&place).min_depth(1).max_depth(1).follow_links(false).follow_root_links(false) {
        let Ok(entry) = entry else {
            if options.is_selected(&folder.path) {
                found.discovery.unreadable_directories.push(folder.path.clone());
            }
            continue;
        };
        let name = entry.file_name().as_encoded_bytes();
        let mut bytes = folder.path.as_bytes().to_vec();
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        let path = RepoPath::new(bytes);
        let kind = entry.file_type();
        let ignored = rules.as_ref().is_some_and(|rules| rules.ignore(entry.path(), kind.is_dir()));
        if kind.is_dir() {
            if !VERSION_CONTROL.contains(&name)
                && let Some(ignored) = enter(options, &path, folder.ignored || ignored, found)
            {
                below.push(Folder { path, rules: rules.clone(), ignored });
            }
        } else {
            visit(options, path, kind, folder.ignored || ignored, found);
        }
    }
    below
}

/// Whether to go into a directory, and then whether it is an ignored one.
fn enter(options: &Options, path: &RepoPath, ignored: bool, found: &mut Found) -> Option<bool> {
    if !options.leads_somewhere(path) {
        return None;
    }
    if options.is_excluded(path) {
        found.discovery.directories_not_searched += 1;
        return None;
    }
    if ignored {
        found.ignored_folders.push(path.clone());
        if !options.is_asked_for(path) {
            found.discovery.directories_not_searched += 1;
            return None;
        }
    }
    Some(ignored)
}

fn visit(options: &Options, path: RepoPath, kind: Kind, ignored: bool, found: &mut Found) {
    if !options.is_selected(&path) {
        return;
    }
    let word = options.word(&path);
    let by_name = match word {
        Word::Taken(Some(file_type)) => Some(file_type),
        _ => type_by_name(&path),
    };
    let Some(file_type) = by_name else { return };
    if !kind.is_file() {
        if matches!(word, Word::Taken(_)) || (word == Word::Nothing && !ignored) {
            special(options, path, kind, file_type, found);
        }
        return;
    }
    match word {
        Word::Taken(file_type) => take(options, path, file_type, found),
        Word::Nothing if !ignored => take(options, path, None, found),
        Word::Nothing => {
            found.ignored_files.push(path.clone());
            leave(options, path, SkipReason::Ignored, found);
        }
        Word::Excluded => leave(options, path, SkipReason::Excluded, found),
        Word::NotIncluded => leave(options, path, SkipReason::NotIncluded, found),
    }
}

/// Reads a candidate once and takes it if it is ours.
fn take(options: &Options, path: RepoPath, mapped: Option<FileType>, found: &mut Found) {
    let file = match bytes(&options.root, &path) {
        Ok((bytes, size)) => {
            let class = mapped.map_or_else(|| class(&options.root, &path, &bytes), Class::Ours);
            match class {
                Class::Ours(file_type) => source(path, file_type, &bytes, size),
                Class::Skipped(reason) => return found.skip(path, reason),
                Class::Other(_) => return,
            }
        }
        Err(obstacle) => match mapped.or_else(|| type_by_name(&path)) {
            Some(file_type) => blocked(path, file_type, obstacle),
            None => return,
        },
    };
    found.discovery.files.push(file);
}

/// Says that a candidate is left out, if it would have been ours.
fn leave(options: &Options, path: RepoPath, reason: SkipReason, found: &mut Found) {
    let ours = bytes(&options.root, &path).map(|(bytes, _)| class(&options.root, &path, &bytes));
    if matches!(ours, Ok(Class::Ours(_))) {
        found.skip(path, reason);
    }
}

/// A link, FIFO, socket or device under a name of ours.
fn special(options: &Options, path: RepoPath, kind: Kind, file_type: FileType, found: &mut Found) {
    if !kind.is_symlink() {
        let what = format!("not a regular file: {}", special_word(kind));
        return found.discovery.files.push(blocked(path, file_type, what));
    }
    let place = options.root.join(path.to_os());
    match (std::fs::canonicalize(&place), std::fs::canonicalize(&options.root)) {
        (Ok(target), Ok(root)) if target.starts_with(&root) => found.skip(path, SkipReason::Link),
        (Err(_), _) if stays_inside(&options.root, &place) => found.skip(path, SkipReason::BrokenLink),
        _ => found.discovery.files.push(blocked(path, file_type, "a link out of the tree".to_owned())),
    }
}

/// Whether a link to nothing points into the tree, by its text.
fn stays_inside(root: &Path, link: &Path) -> bool {
    let Ok(target) = std::fs::read_link(link) else { return false };
    let mut place = link.parent().unwrap_or(root).to_owned();
    for part in target.components() {
        match part {
            std::path::Component::ParentDir => {
                place.pop();
            }
            std::path::Component::CurDir => {}
            part => place.push(part),
        }
    }
    place.starts_with(root)
}

#[cfg(unix)]
fn special_word(kind: Kind) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special_word(_: Kind) -> &'static str {
    "a special file"
}

/// Takes back what `.gitignore` matches and git tracks.
fn take_tracked(options: &Options, found: &mut Found) {
    if found.ignored_folders.is_empty() && found.ignored_files.is_empty() {
        return;
    }
    let files: BTreeSet<&RepoPath> = found.ignored_files.iter().collect();
    let folders = &found.ignored_folders;
    let wanted = |path: &RepoPath| {
        let may_be_ours = type_by_name(path).is_some() || matches!(options.word(path), Word::Taken(Some(_)));
        may_be_ours && (files.contains(path) || folders.iter().any(|folder| is_below(path, folder)))
    };
    match tracked::paths(&options.root, wanted) {
        Err(note) => found.discovery.notes.push(note),
        Ok(paths) => {
            for path in paths {
                let there = std::fs::symlink_metadata(options.root.join(path.to_os())).is_ok_and(|place| place.is_file());
                match options.word(&path) {
                    Word::Nothing if there && options.is_selected(&path) => take(options, path, None, found),
                    Word::Taken(file_type) if there && options.is_selected(&path) => take(options, path, file_type, found),
                    _ => {}
                }
            }
        }
    }
}

/// Takes the files that were named one by one, whatever the rules say.
fn take_named(options: &Options, found: &mut Found) -> Result<(), Error> {
    for selection in &options.selections {
        let Selection::File(path) = selection else { continue };
        let mapped = match options.word(path) {
            Word::Taken(file_type) => file_type,
            _ => None,
        };
        let file = match bytes(&options.root, path) {
            Err(obstacle) => {
                let file_type = mapped.or_else(|| type_by_name(path));
                let file_type = file_type.ok_or_else(|| Error::NotOurs { path: path.clone(), why: obstacle.clone() })?;
                blocked(path.clone(), file_type, obstacle)
            }
            Ok((bytes, size)) => {
                let class = mapped.map_or_else(|| class_of_named(&options.root, path, &bytes), Class::Ours);
                match class {
                    Class::Ours(file_type) => source(path.clone(), file_type, &bytes, size),
                    Class::Skipped(reason) => {
                        return Err(Error::NotOurs { path: path.clone(), why: classify::why(reason).to_owned() });
                    }
                    Class::Other(why) => return Err(Error::NotOurs { path: path.clone(), why: why.to_owned() }),
                }
            }
        };
        found.discovery.files.retain(|other| other.path != file.path);
        found.discovery.files.push(file);
    }
    Ok(())
}
