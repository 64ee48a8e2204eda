//! From a name and a content to what a file is.

use std::path::Path;

use super::{MAX_FILE_SIZE, dockerfile, kubernetes, open};
use crate::digest::sha256;
use crate::model::{FileType, RepoPath, SkipReason, SourceFile};

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Ours.
    Ours(FileType),
    /// Looked like ours.
    Skipped(SkipReason),
    /// Not ours, and why.
    Other(&'static str),
}

/// The type that a name alone stands for.
pub(super) fn type_by_name(path: &RepoPath) -> Option<FileType> {
    if dockerfile::name(path.file_name()) != dockerfile::Name::Other {
        return Some(FileType::Dockerfile);
    }
    is_yaml(path).then_some(FileType::K8sYaml)
}

fn is_yaml(path: &RepoPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    name.ends_with(b".yaml") || name.ends_with(b".yml")
}

/// Classifies by name, and by content where the name says what to look for.
pub(super) fn class(root: &Path, path: &RepoPath, bytes: &[u8]) -> Class {
    match type_by_name(path) {
        Some(FileType::Dockerfile) => match of_dockerfile(path, bytes) {
            Class::Other(_) if is_yaml(path) => of_yaml(root, path, bytes),
            class => class,
        },
        Some(FileType::K8sYaml) => of_yaml(root, path, bytes),
        None => Class::Other("its name is none of a Dockerfile or of YAML"),
    }
}

/// Classifies a file that the user named: where its name says nothing, its content may.
pub(super) fn class_of_named(root: &Path, path: &RepoPath, bytes: &[u8]) -> Class {
    if type_by_name(path).is_some() {
        return class(root, path, bytes);
    }
    match (of_dockerfile(path, bytes), of_yaml(root, path, bytes)) {
        (Class::Ours(file_type), _) | (_, Class::Ours(file_type)) => Class::Ours(file_type),
        (Class::Skipped(reason), _) | (_, Class::Skipped(reason)) => Class::Skipped(reason),
        _ => Class::Other("neither its name nor its content is that of a Dockerfile or of a Kubernetes manifest"),
    }
}

fn of_dockerfile(path: &RepoPath, bytes: &[u8]) -> Class {
    match dockerfile::content(path.file_name(), bytes) {
        dockerfile::Content::Dockerfile => Class::Ours(FileType::Dockerfile),
        dockerfile::Content::Template => Class::Skipped(SkipReason::DockerfileTemplate),
        dockerfile::Content::Other => Class::Other("no builder could start from its content"),
    }
}

fn of_yaml(root: &Path, path: &RepoPath, bytes: &[u8]) -> Class {
    match kubernetes::content(bytes) {
        kubernetes::Content::Manifest => Class::Ours(FileType::K8sYaml),
        kubernetes::Content::Template if is_in_chart(root, path) => Class::Skipped(SkipReason::HelmTemplate),
        kubernetes::Content::Template => Class::Skipped(SkipReason::K8sTemplate),
        kubernetes::Content::ToolConfig => Class::Skipped(SkipReason::ToolConfig),
        kubernetes::Content::Other => Class::Other("no document of it is an object that an API server stores"),
    }
}

/// Whether a file stands in the `templates` directory of a chart.
fn is_in_chart(root: &Path, path: &RepoPath) -> bool {
    let bytes = path.as_bytes();
    let word = b"templates/";
    memchr::memmem::find_iter(bytes, word).any(|at| {
        (at == 0 || bytes[at - 1] == b'/') && root.join(RepoPath::new(&bytes[..at]).to_os()).join("Chart.yaml").is_file()
    })
}

/// A file of ours, with what stands against sending it.
pub(super) fn source(path: RepoPath, file_type: FileType, bytes: &[u8], size: u64) -> SourceFile {
    let obstacle = (size > MAX_FILE_SIZE).then(|| format!("{size} bytes, more than the {MAX_FILE_SIZE} that HSS takes"));
    let secrets = if file_type == FileType::K8sYaml { kubernetes::secrets(bytes) } else { Vec::new() };
    let sha256 = (size == bytes.len() as u64).then(|| sha256(bytes));
    SourceFile { path, file_type, size, sha256, secrets, obstacle }
}

/// A file under a name of ours that can't be read.
pub(super) fn blocked(path: RepoPath, file_type: FileType, obstacle: String) -> SourceFile {
    SourceFile { path, file_type, size: 0, sha256: None, secrets: Vec::new(), obstacle: Some(obstacle) }
}

/// Reads a file by its place below the root.
pub(super) fn bytes(root: &Path, path: &RepoPath) -> Result<(Vec<u8>, u64), String> {
    open::read_sized(&root.join(path.to_os())).map_err(|error| format!("can't be read: {error}"))
}

/// A reason as a sentence.
pub(super) fn why(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::DockerfileTemplate => "a Dockerfile that is still to be rendered",
        SkipReason::HelmTemplate => "a template of a Helm chart that is still to be rendered",
        SkipReason::K8sTemplate => "a manifest that is still to be rendered",
        SkipReason::ToolConfig => "read by a tool, not stored by an API server",
        SkipReason::Excluded => "--exclude matches it",
        SkipReason::NotIncluded => "no --include matches it",
        SkipReason::Ignored => ".gitignore matches it, and git does not track it",
        SkipReason::Link => "a link to a place in the tree, which is looked at on its own",
        SkipReason::BrokenLink => "a link to nothing",
    }
}
