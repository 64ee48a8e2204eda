//! What a file is: from its name, then from its content.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::links::{self, Astray, Link};
use super::{MAX_FILE_SIZE, dockerfile, kubernetes, open};
use crate::digest::sha256;
use crate::mask;
use crate::model::{FileType, RepoPath, SkipReason, SourceFile};
use crate::platform::{self, Kind};

/// What a base name speaks of. A name can speak of both, such as `Dockerfile.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) dockerfile: Option<dockerfile::Name>,
    pub(super) yaml: bool,
}

impl Name {
    pub(super) fn of(base: &[u8]) -> Self {
        Self { dockerfile: dockerfile::name(base), yaml: kubernetes::name(base) }
    }

    /// Whether the name speaks of a file of ours at all.
    pub(super) fn is_ours(self) -> bool {
        self.dockerfile.is_some() || self.yaml
    }

    /// The type of a file whose content can't be seen.
    pub(super) fn file_type(self) -> FileType {
        if self.dockerfile.is_some() { FileType::Dockerfile } else { FileType::K8sYaml }
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A file of ours, with why.
    Ours(SourceFile, &'static str),
    /// It looked like ours and is not taken, with why.
    Skipped(SkipReason, &'static str),
    /// A link to a place in the tree, whose content was not looked at.
    Link(Link),
    /// Nothing of ours, with why.
    Not(&'static str),
}

/// What the content of a link's target makes of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A file of ours, of so many bytes.
    Ours(FileType, u64),
    NotOurs,
}

/// Why a link is not taken where something else speaks of its target, or where that is none of ours.
pub(super) const LINK: &str = "it is a link to a place in the tree, which is looked at on its own";

/// What a path is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File,
    Link,
    Special(&'static str),
    /// What stands in git's index: whether it is still there, and is a file, is seen when it is opened.
    Tracked,
}

impl Entry {
    /// `None` for a directory.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Directory => None,
            Kind::File => Some(Self::File),
            Kind::Link => Some(Self::Link),
            Kind::Special(what) => Some(Self::Special(what)),
        }
    }
}

/// The tree that files are classified in.
#[derive(Debug)]
pub(super) struct Classifier<'a> {
    root: &'a Path,
    /// The root without links on the way to it.
    real_root: PathBuf,
    mask_secrets: bool,
}

/// Content beyond this is not looked at; it bounds the memory that a file costs.
const MAX_LOOK: u64 = 64 * 1024 * 1024;
const TOO_LONG: &str = "too large to be looked at whole, and it may hold an object; --exclude says that it is none of ours";

impl<'a> Classifier<'a> {
    pub(super) fn new(root: &'a Path, mask_secrets: bool) -> Self {
        Self { root, real_root: fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf()), mask_secrets }
    }

    /// Says what `path` is. `map` is what `--map` says of it; `by_content` looks past a name that does not speak of ours.
    /// `buffer` is only there to be used again.
    pub(super) fn classify(
        &self,
        path: &RepoPath,
        entry: Entry,
        map: Option<FileType>,
        by_content: bool,
        buffer: &mut Vec<u8>,
    ) -> Outcome {
        let name = Name::of(path.file_name());
        if map.is_none() && !name.is_ours() && !by_content {
            return Outcome::Not("its name is not one of a Dockerfile or a YAML file");
        }
        let file_type = map.unwrap_or_else(|| name.file_type());
        let opened = match entry {
            Entry::Link => return self.link(path, file_type),
            Entry::Special(what) => {
                return obstacle(path, file_type, 0, format!("not a regular file: {what}"), "its name says so");
            }
            Entry::File | Entry::Tracked => open::below(&self.real_root, path),
        };
        if opened.is_err() && entry == Entry::Tracked {
            return match self.entry(path) {
                Some(entry) => self.classify(path, entry, map, by_content, buffer),
                None => Outcome::Not("git tracks it, and there is no such file"),
            };
        }
        match opened.and_then(|file| read(file, buffer)) {
            Ok((size, Whole(is_whole))) => match looked(path, name, map, by_content, (size, is_whole), buffer) {
                Outcome::Skipped(SkipReason::K8sTemplate, _) if self.is_in_chart(path) => Outcome::Skipped(
                    SkipReason::HelmTemplate,
                    "`{{` stands where YAML has no text, in the templates of a chart",
                ),
                Outcome::Ours(mut file, why) => {
                    file.sha256 = is_whole.then(|| sha256(buffer));
                    self.mask(&mut file, buffer);
                    Outcome::Ours(file, why)
                }
                outcome => outcome,
            },
            Err(error) => obstacle(path, file_type, 0, format!("can't be read: {error}"), "its name says so"),
        }
    }

    /// Notes what masking will make of a file that can be sent.
    fn mask(&self, file: &mut SourceFile, bytes: &[u8]) {
        if self.mask_secrets && file.obstacle.is_none() && file.file_type == FileType::K8sYaml {
            match mask::secrets(bytes) {
                Ok(None) => {}
                Ok(Some(sent)) => {
                    file.masked = sent.values;
                    file.sha256 = Some(sha256(&sent.bytes));
                }
                Err(unmaskable) => file.obstacle = Some(unmaskable.to_string()),
            }
        }
    }

    /// What stands at `path`; `None` for a directory, for nothing, and where the way to it leads over a link.
    pub(super) fn entry(&self, path: &RepoPath) -> Option<Entry> {
        Entry::of(platform::kind(&self.real_root, &path.to_os()).ok()?)
    }

    /// Whether the path stands below a `templates` directory beside a `Chart.yaml`.
    fn is_in_chart(&self, path: &RepoPath) -> bool {
        let on_disk = path.to_os();
        on_disk.ancestors().skip(1).filter(|directory| directory.ends_with("templates")).any(|templates| {
            let chart = self.root.join(templates).with_file_name("Chart.yaml");
            fs::symlink_metadata(chart).is_ok_and(|metadata| metadata.is_file())
        })
    }

    /// Decides about a link by where it leads to, which has to be in the tree. Nothing is read.
    fn link(&self, path: &RepoPath, file_type: FileType) -> Outcome {
        let stopped = |why: String| obstacle(path, file_type, 0, why, "its name says so");
        match links::target(self.root, &self.real_root, path) {
            Err(Astray::Out) => stopped("a link out of the tree".to_owned()),
            Err(Astray::Unknown(why)) => stopped(why),
            Err(Astray::Broken) => Outcome::Skipped(SkipReason::BrokenLink, "it is a link to nothing"),
            Ok(target) => Outcome::Link(Link { path: path.clone(), target }),
        }
    }

    /// What the content of a link's target makes of the link.
    pub(super) fn content(
        &self,
        target: &RepoPath,
        link: &RepoPath,
        map: Option<FileType>,
        buffer: &mut Vec<u8>,
    ) -> io::Result<Content> {
        if platform::kind(&self.real_root, &target.to_os()).is_ok_and(|kind| kind == Kind::Directory) {
            return Ok(Content::NotOurs);
        }
        let (size, Whole(is_whole)) = open::below(&self.real_root, target).and_then(|file| read(file, buffer))?;
        Ok(match looked(link, Name::of(link.file_name()), map, false, (size, is_whole), buffer) {
            Outcome::Ours(file, _) => Content::Ours(file.file_type, size),
            _ => Content::NotOurs,
        })
    }
}

/// Whether a file was read to its end.
struct Whole(bool);

/// Reads a file into `buffer`, up to [`MAX_LOOK`]; returns its size.
fn read(mut file: File, buffer: &mut Vec<u8>) -> io::Result<(u64, Whole)> {
    buffer.clear();
    // One huge file must not weigh on the thread for the rest of the walk.
    buffer.shrink_to(4 * 1024 * 1024);
    let read = file.by_ref().take(MAX_LOOK).read_to_end(buffer)? as u64;
    if read == MAX_LOOK {
        return Ok((file.metadata()?.len().max(read), Whole(false)));
    }
    Ok((read, Whole(true)))
}

/// What was read of a file makes of it: of so many bytes, and whether these are all.
fn looked(
    path: &RepoPath,
    name: Name,
    map: Option<FileType>,
    by_content: bool,
    (size, is_whole): (u64, bool),
    bytes: &[u8],
) -> Outcome {
    match text(path, name, map, by_content, size, bytes) {
        Outcome::Ours(file, why) => Outcome::Ours(file, why),
        // What is beyond may be the object that the rest was put before.
        _ if !is_whole && name.is_ours() && map.is_none() => {
            obstacle(path, name.file_type(), size, TOO_LONG.to_owned(), "its name says so")
        }
        outcome => outcome,
    }
}

fn text(path: &RepoPath, name: Name, map: Option<FileType>, by_content: bool, size: u64, bytes: &[u8]) -> Outcome {
    let found = match map {
        Some(file_type) => Ok((file_type, "--map says so")),
        None => by_name_and_content(path, name, bytes),
    };
    let (file_type, why) = match found {
        Ok(found) => found,
        Err(Refusal { reason: Some(reason), why }) => return Outcome::Skipped(reason, why),
        Err(Refusal { reason: None, why }) => match by_content.then(|| by_content_alone(path, bytes)).flatten() {
            Some(found) => found,
            None => return Outcome::Not(why),
        },
    };
    let secrets = if file_type == FileType::K8sYaml { kubernetes::secrets(bytes) } else { Vec::new() };
    let obstacle = (size > MAX_FILE_SIZE)
        .then(|| format!("{} bytes, more than the {} that HSS takes", with_commas(size), with_commas(MAX_FILE_SIZE)));
    Outcome::Ours(SourceFile { path: path.clone(), file_type, size, sha256: None, secrets, masked: 0, obstacle }, why)
}

/// Why a file is not ours; with a reason, where it looked like ours.
struct Refusal {
    reason: Option<SkipReason>,
    why: &'static str,
}

fn by_name_and_content(path: &RepoPath, name: Name, bytes: &[u8]) -> Result<(FileType, &'static str), Refusal> {
    let skipped = |reason, why| Err(Refusal { reason: Some(reason), why });
    let mut not = "its name is not one of a Dockerfile or a YAML file";
    if let Some(how) = name.dockerfile {
        match dockerfile::content(how, path.file_name(), bytes) {
            dockerfile::Content::Dockerfile(why) => return Ok((FileType::Dockerfile, why)),
            dockerfile::Content::Template(why) => return skipped(SkipReason::DockerfileTemplate, why),
            dockerfile::Content::Binary(why) => return skipped(SkipReason::Binary, why),
            dockerfile::Content::Neither(why) => not = why,
        }
    }
    if name.yaml {
        match kubernetes::content(bytes) {
            kubernetes::Content::Manifest => return Ok((FileType::K8sYaml, MANIFEST)),
            kubernetes::Content::Template => return skipped(SkipReason::K8sTemplate, "`{{` stands where YAML has no text"),
            kubernetes::Content::ToolConfig => {
                return skipped(SkipReason::ToolConfig, "a tool reads it and no API server stores it");
            }
            kubernetes::Content::Neither(why) => not = why,
        }
    }
    Err(Refusal { reason: None, why: not })
}

/// What a file of this name and content is, if it is ours.
pub(super) fn file_type(path: &RepoPath, bytes: &[u8]) -> Option<FileType> {
    by_name_and_content(path, Name::of(path.file_name()), bytes).ok().map(|(file_type, _)| file_type)
}

const MANIFEST: &str = "it holds an object of a Kubernetes API";

/// For a file that the user named: its content may speak where its name does not.
fn by_content_alone(path: &RepoPath, bytes: &[u8]) -> Option<(FileType, &'static str)> {
    match dockerfile::content(dockerfile::Name::Variant, path.file_name(), bytes) {
        dockerfile::Content::Dockerfile(why) => Some((FileType::Dockerfile, why)),
        _ => (kubernetes::content(bytes) == kubernetes::Content::Manifest).then_some((FileType::K8sYaml, MANIFEST)),
    }
}

fn obstacle(path: &RepoPath, file_type: FileType, size: u64, obstacle: String, why: &'static str) -> Outcome {
    Outcome::Ours(blocked(path, file_type, size, obstacle), why)
}

/// A file of ours that can't be sent.
pub(super) fn blocked(path: &RepoPath, file_type: FileType, size: u64, obstacle: String) -> SourceFile {
    SourceFile {
        path: path.clone(),
        file_type,
        size,
        sha256: None,
        secrets: Vec::new(),
        masked: 0,
        obstacle: Some(obstacle),
    }
}

/// `1,234,567`.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
