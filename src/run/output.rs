//! Where reports go: stdout, or a file that is there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};

use crate::cli::{Format, Output};
use crate::error::Error;
use crate::model::ScanResult;
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
    pub fn print<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
        let styled = self.is_styled();
        self.write(|out| if styled { write(out) } else { write_plain(write, out) })
    }

    fn is_styled(&self) -> bool {
        matches!(self.color, ColorChoice::AlwaysAnsi | ColorChoice::Always)
    }

    /// Writes to stdout; that nobody reads on is no fault.
    pub fn write<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T, Error> {
        let mut buffer = Vec::new();
        let failed = |source| Error::Io { what: "stdout can't be written".to_owned(), source };
        let written = write(&mut buffer).map_err(failed)?;
        let sent = self.out.write_all(&buffer).and_then(|()| self.out.flush());
        sent.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }).map_err(failed)?;
        Ok(written)
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

/// Writes every report. `fault` is told of each that can't be written, at once, so that those after it say so: JSON files come after all
/// other files, since programs and `render` go by them, and stdout comes last. `warn` is told what a report leaves out.
pub(super) fn write_all(
    result: &mut ScanResult,
    outputs: &[Output],
    view: View<'_>,
    streams: &mut Streams<'_>,
    warn: impl Fn(&str),
    mut fault: impl FnMut(&mut ScanResult, String),
) {
    let mut ordered: Vec<&Output> = outputs.iter().collect();
    ordered.sort_by_key(|output| (output.path.is_none(), output.format == Format::Json));
    for output in ordered {
        let format = output.format;
        let written = match &output.path {
            Some(path) => in_file(result, format, view, path)
                .map_err(|error| format!("the {format} report could not be written to {}: {error}", path.display())),
            None => on_stdout(result, format, view, streams).map_err(|error| error.to_string()),
        };
        match written {
            Ok(Some(left_out)) => warn(&format!("the {format} report leaves out {left_out}")),
            Ok(None) => {}
            Err(text) => fault(result, text),
        }
    }
}

fn on_stdout(
    result: &ScanResult,
    format: Format,
    view: View<'_>,
    streams: &mut Streams<'_>,
) -> Result<Option<String>, Error> {
    let linked = streams.is_styled() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    let view = View { root: view.root.filter(|_| linked), ..view };
    let write = |out: &mut dyn Write| write_report(result, format, view, 0, out);
    if format == Format::Table { streams.print(write) } else { streams.write(write) }
}

fn in_file(result: &ScanResult, format: Format, view: View<'_>, path: &Path) -> Written {
    let view = View { root: None, ..view };
    match format {
        Format::Table => write_file(path, |out| write_plain(|out| write_report(result, format, view, 0, out), out)),
        // The summary of a step is one file, to which everything in the step adds.
        Format::GithubSummary if path.is_file() => {
            let used = std::fs::metadata(path)?.len();
            append(path, |out| write_report(result, format, view, used, out))
        }
        _ => write_file(path, |out| write_report(result, format, view, 0, out)),
    }
}

/// `used` is what stands in the file already.
fn write_report(result: &ScanResult, format: Format, view: View<'_>, used: u64, out: &mut dyn Write) -> Written {
    match format {
        Format::Table => report::table::write(result, view, out),
        Format::Json => report::json::write(result, out).map(|()| None),
        Format::Sarif => report::sarif::write(result, out),
        Format::Junit => report::junit::write(result, out),
        Format::GitlabCodequality => report::gitlab_codequality::write(result, out),
        Format::GitlabSast => report::gitlab_sast::write(result, out),
        Format::Markdown => report::markdown::write(result, view, out),
        Format::Github => report::github::write(result, view, out),
        Format::GithubSummary => report::github_summary::write(result, view, used, out),
        Format::Html => report::html::write(result, view, out),
    }
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
        // That nobody reads on is no fault, as on stdout.
        return append(path, write)
            .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(T::default()) } else { Err(error) });
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:08x}.tmp", fastrand::u32(..)));
    let part = Path::new(&name);
    let result = File::create_new(part).and_then(|file| {
        let mut file = BufWriter::new(file);
        let written = write(&mut file)?;
        file.into_inner()?.sync_all()?;
        std::fs::rename(part, path)?;
        Ok(written)
    });
    if result.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(part);
    }
    result
}

/// Whether what stands there must not be replaced.
fn is_kept(path: &Path) -> bool {
    let Ok(there) = std::fs::metadata(path) else { return false };
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    // Here are the links to open files, which may be regular ones; `/dev/shm` is for anybody.
    let is_system = |parent: std::path::PathBuf| parent == Path::new("/dev") || parent.starts_with("/proc");
    !there.is_file() || parent.is_some_and(is_system)
}

/// Adds to what is there, following links.
fn append<T>(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
    let written = write(&mut file)?;
    file.flush()?;
    Ok(written)
}
