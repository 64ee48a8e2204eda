//! Where reports go: stdout, or a file that is there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};

use crate::cli::{Format, Output};
use crate::error::Error;
use crate::model::{ClusterResult, ScanResult};
use crate::report::{self, View, Written};
use crate::settings::Partial;

/// Where a command writes its data.
pub struct Streams<'a> {
    /// Stdout, or a buffer in its place.
    pub out: &'a mut dyn Write,
    /// Whether styles reach it.
    pub color: ColorChoice,
}

impl Streams<'_> {
    /// Writes text for people to stdout, without its styles where they do not reach it.
    pub fn print<T: Default>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
        let styled = self.is_styled();
        self.write(|out| if styled { write(out) } else { write_plain(write, out) })
    }

    fn is_styled(&self) -> bool {
        matches!(self.color, ColorChoice::AlwaysAnsi | ColorChoice::Always)
    }

    /// Writes to stdout; that nobody reads on is no fault.
    pub fn write<T: Default>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
        buffered(&mut *self.out, write).map_err(|source| Error::Io { what: "stdout can't be written".to_owned(), source })
    }

    /// Stdout as this terminal takes it.
    pub fn choice(wanted: ColorChoice) -> ColorChoice {
        if wanted == ColorChoice::Auto { AutoStream::choice(&io::stdout()) } else { wanted }
    }
}

/// The reports that may be written: where only what changed was scanned, a platform would close the alerts that a report lacks. `warn` is
/// told of each that is not.
pub(super) fn allowed(result: &ScanResult, outputs: Vec<Output>, partial: Partial, warn: impl Fn(&str)) -> Vec<Output> {
    let harmless = |format| match format {
        Format::GitlabCodequality | Format::GitlabSast => partial == Partial::All,
        Format::Sarif => partial != Partial::Harmless,
        _ => true,
    };
    let (written, left_out): (Vec<_>, Vec<_>) =
        outputs.into_iter().partition(|output| result.counts.unchanged == 0 || harmless(output.format));
    for output in left_out {
        warn(&format!(
            "the {} report is not written: only what changed was scanned, and a platform that compares reports would take the rest for \
             resolved; --allow-partial-report writes it",
            output.format
        ));
    }
    written
}

/// Where a report goes, as far as that changes it.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// A file in which so many bytes stand already.
    File(u64),
    /// Stdout, and whether links reach who reads it.
    Stdout {
        /// Whether they do.
        linked: bool,
    },
}

/// Writes a result in a format; gives what it leaves out.
type Writer<'a, R> = &'a dyn Fn(&R, Format, Goal, &mut dyn Write) -> Written;

/// Writes every report. `fault` is told of each that can't be written, and the reports that can say so: all that go to files are written
/// beside their places first, again where a fault came up meanwhile, and are then put there. Devices, pipes and what is added to a file
/// come between, JSON last, and stdout at the end. `warn` is told what a report leaves out. Gives the files that could not be written.
pub(super) fn write_all<'a, R>(
    result: &mut R,
    outputs: &'a [Output],
    write: Writer<'_, R>,
    streams: &mut Streams<'_>,
    warn: impl Fn(&str),
    mut fault: impl FnMut(&mut R, String),
) -> Vec<&'a Path> {
    let mut in_files: Vec<_> = outputs.iter().filter_map(|output| Some((output.format, output.path.as_deref()?))).collect();
    // Programs and `render` go by JSON.
    in_files.sort_by_key(|(format, _)| *format == Format::Json);
    let (sent, mut staged): (Vec<_>, Vec<_>) = in_files.into_iter().partition(|(format, path)| is_sent(*format, path));
    let left_out = |format: Format, what: Option<String>| {
        if let Some(what) = what {
            warn(&format!("the {format} report leaves out {what}"));
        }
    };
    let mut lost = Vec::new();
    let mut fail = |result: &mut R, format: Format, path: &'a Path, error: &io::Error| {
        lost.push(path);
        fault(result, format!("the {format} report could not be written to {}: {error}", path.display()));
    };
    let mut parts = stage(result, &mut staged, write, &mut fail);
    let mut sound = true;
    for (format, path) in sent {
        let used = if path.is_file() { std::fs::metadata(path).map_or(0, |metadata| metadata.len()) } else { 0 };
        match append(path, |out| in_file(result, format, write, used, out)) {
            Ok(what) => left_out(format, what),
            Err(error) => {
                sound = false;
                fail(result, format, path, &error);
            }
        }
    }
    if !sound {
        parts = stage(result, &mut staged, write, &mut fail);
    }
    for ((format, path), (part, what)) in staged.into_iter().zip(parts) {
        match part.publish() {
            Ok(()) => left_out(format, what),
            Err(error) => fail(result, format, path, &error),
        }
    }
    for output in outputs.iter().filter(|output| output.path.is_none()) {
        match on_stdout(result, output.format, write, streams) {
            Ok(what) => left_out(output.format, what),
            Err(error) => fault(result, error.to_string()),
        }
    }
    lost
}

/// The files that JSON results go to.
pub(super) fn json_files(outputs: &[Output]) -> impl Iterator<Item = &Path> {
    outputs.iter().filter(|output| output.format == Format::Json).filter_map(|output| output.path.as_deref())
}

/// How to go on with a run, by the first file that keeps its result; these could not be written at its end.
pub(super) fn how_to_go_on(outputs: &[Output], lost: &[&Path]) -> String {
    let path = json_files(outputs).min_by_key(|path| (lost.contains(path), !path.is_file()));
    match path.map(|path| (path.display(), lost.contains(&path), path.is_file())) {
        Some((path, false, _)) => format!("hss-iac resume {path} goes on with it"),
        // It is kept up to date while the run goes on; where that failed, too, it was said.
        Some((path, true, true)) => {
            format!("hss-iac resume {path} goes on with what was kept there before, unless that could not be written either")
        }
        _ => "no JSON result is kept in a file, so nothing can go on with it: -o json=FILE keeps one".to_owned(),
    }
}

/// Writes the reports that go to files beside their places, until all that are left tell of all that failed.
fn stage<'a, R>(
    result: &mut R,
    files: &mut Vec<(Format, &'a Path)>,
    write: Writer<'_, R>,
    fail: &mut impl FnMut(&mut R, Format, &'a Path, &io::Error),
) -> Vec<(Part<'a>, Option<String>)> {
    loop {
        let count = files.len();
        let mut parts = Vec::new();
        files.retain(|(format, path)| match Part::write(path, |out| in_file(result, *format, write, 0, out)) {
            Ok(part) => {
                parts.push(part);
                true
            }
            Err(error) => {
                fail(result, *format, path, &error);
                false
            }
        });
        if files.len() == count {
            return parts;
        }
    }
}

/// Whether a report is sent to what is there, and can't be taken back. The summary of a step is one file, to which everything in the
/// step adds.
fn is_sent(format: Format, path: &Path) -> bool {
    is_kept(path) || matches!(format, Format::GithubSummary | Format::GithubOutput) && path.is_file()
}

fn on_stdout<R>(
    result: &R,
    format: Format,
    write: Writer<'_, R>,
    streams: &mut Streams<'_>,
) -> Result<Option<String>, Error> {
    let linked = streams.is_styled() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    let write = |out: &mut dyn Write| write(result, format, Goal::Stdout { linked }, out);
    if format == Format::Table { streams.print(write) } else { streams.write(write) }
}

fn in_file<R>(result: &R, format: Format, write: Writer<'_, R>, used: u64, out: &mut dyn Write) -> Written {
    let write = |out: &mut dyn Write| write(result, format, Goal::File(used), out);
    if format == Format::Table { write_plain(write, out) } else { write(out) }
}

/// Writes the result of a scan.
pub(super) fn of_scan(result: &ScanResult, format: Format, view: View<'_>, goal: Goal, out: &mut dyn Write) -> Written {
    let (used, linked) = match goal {
        Goal::File(used) => (used, false),
        Goal::Stdout { linked } => (0, linked),
    };
    let view = View { root: view.root.filter(|_| linked), ..view };
    match format {
        // `auto` was taken apart with the settings; a table is what it comes to where no platform is known.
        Format::Table | Format::Auto => report::table::write(result, view, out),
        Format::Json => report::json::write(result, out).map(|()| None),
        Format::Sarif => report::sarif::write(result, out),
        Format::Junit => report::junit::write(result, out),
        Format::GitlabCodequality => report::gitlab_codequality::write(result, out),
        Format::GitlabSast => report::gitlab_sast::write(result, out),
        Format::Markdown => report::markdown::write(result, view, out),
        Format::Github => report::github::write(result, view, out),
        Format::GithubSummary => report::github_summary::write(result, view, used, out),
        Format::GithubOutput => report::github_output::write(result, out),
        Format::Html => report::html::write(result, view, out),
    }
}

/// Writes the result of a `cluster-scan`, which has a table and JSON alone.
pub(super) fn of_clusters(result: &ClusterResult, format: Format, out: &mut dyn Write) -> Written {
    let written = match format {
        Format::Json => report::json::write(result, out),
        _ => report::cluster::write(result, out),
    };
    written.map(|()| None)
}

/// Writes without styles. Only for text with styles: what is stripped goes beyond them, and of data nothing may be lost.
fn write_plain<T>(write: impl FnOnce(&mut dyn Write) -> io::Result<T>, out: &mut dyn Write) -> io::Result<T> {
    let mut buffer = Vec::new();
    let written = write(&mut buffer)?;
    out.write_all(&strip_bytes(&buffer).into_vec())?;
    Ok(written)
}

/// Writes a file. A device, a pipe or what else is no regular file stays what it is and is written to, through links, as is whatever the
/// system itself names, such as `/dev/stdout`. In any other place the new file is written beside the old one and moved over it: what is
/// there is whole at any time, and a link is replaced, not followed.
pub(super) fn write_file<T: Default>(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    if is_kept(path) {
        return append(path, write);
    }
    let (part, written) = Part::write(path, write)?;
    part.publish()?;
    Ok(written)
}

/// The same for what is written often and must outlive this process, not the machine. What must not be replaced is left alone.
pub(super) fn write_draft(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_kept(path) {
        return Ok(());
    }
    let (part, _, ()) = Part::draft(path, write)?;
    part.publish()
}

/// Whether a file can be written there, as far as that can be told without doing it. The error names the file.
pub(super) fn can_be_written(path: &Path) -> Result<(), Error> {
    let tried = match is_kept(path) {
        true if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Whoever reads a pipe would take its first end for the last.
        true => Ok(()),
        false => Part::draft(path, |_| Ok(())).map(drop),
    };
    tried.map_err(|source| Error::Io { what: format!("{} can't be written, and nothing was begun", path.display()), source })
}

/// A whole file beside the place that it is for; taken away unless it is put there.
struct Part<'a> {
    at: PathBuf,
    path: &'a Path,
}

impl<'a> Part<'a> {
    fn write<T>(path: &'a Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<(Self, T)> {
        let (part, file, written) = Self::draft(path, write)?;
        file.sync_all()?;
        Ok((part, written))
    }

    fn draft<T>(path: &'a Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<(Self, File, T)> {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:08x}.tmp", fastrand::u32(..)));
        let at = PathBuf::from(name);
        let mut file = BufWriter::new(File::create_new(&at)?);
        let part = Self { at, path };
        let written = write(&mut file)?;
        Ok((part, file.into_inner()?, written))
    }

    fn publish(self) -> io::Result<()> {
        std::fs::rename(&self.at, self.path)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // Gone where it was put in its place.
        let _ = std::fs::remove_file(&self.at);
    }
}

/// Whether what stands there must not be replaced.
fn is_kept(path: &Path) -> bool {
    let Ok(there) = std::fs::metadata(path) else { return false };
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    // Here are the links to open files, which may be regular ones; `/dev/shm` is for anybody.
    let is_system = |parent: std::path::PathBuf| parent == Path::new("/dev") || parent.starts_with("/proc");
    !there.is_file() || parent.is_some_and(is_system)
}

/// Adds to what is there, following links. That nobody reads on is no fault, as on stdout.
fn append<T: Default>(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    buffered(OpenOptions::new().append(true).open(path)?, write)
}

/// Writes to what may be a pipe; that nobody reads on is no fault.
fn buffered<T: Default>(out: impl Write, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let mut out = BufWriter::new(out);
    let written = write(&mut out).or_else(unless_unread);
    let sent = out.flush().or_else(unless_unread);
    // What could not be sent is not tried again.
    let _ = out.into_parts();
    written.and_then(|written| sent.map(|()| written))
}

fn unless_unread<T: Default>(error: io::Error) -> io::Result<T> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(T::default()) } else { Err(error) }
}
