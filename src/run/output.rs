//! Where reports go: stdout, or a file that is there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::adapter::strip_bytes;
use anstream::{AutoStream, ColorChoice};

use crate::cli::{Format, Output};
use crate::error::Error;
use crate::model::ScanResult;
use crate::report::{self, View};

/// Where a command writes its data.
pub struct Streams<'a> {
    /// Stdout, or a buffer in its place.
    pub out: &'a mut dyn Write,
    /// Whether styles reach it.
    pub color: ColorChoice,
}

impl Streams<'_> {
    /// Writes text for people to stdout, without its styles where they do not reach it.
    pub fn print(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let styled = self.is_styled();
        self.write(|out| if styled { write(out) } else { write_plain(write, out) })
    }

    fn is_styled(&self) -> bool {
        matches!(self.color, ColorChoice::AlwaysAnsi | ColorChoice::Always)
    }

    /// Writes to stdout; that nobody reads on is no fault.
    pub fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut buffer = Vec::new();
        write(&mut buffer)
            .and_then(|()| self.out.write_all(&buffer))
            .and_then(|()| self.out.flush())
            .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
            .map_err(|source| Error::Io { what: "stdout can't be written".to_owned(), source })
    }

    /// Stdout as this terminal takes it.
    pub fn choice(wanted: ColorChoice) -> ColorChoice {
        if wanted == ColorChoice::Auto { AutoStream::choice(&io::stdout()) } else { wanted }
    }
}

/// Writes every report; files first, so that a file that can't be written still stands in what stdout says. `fault` is told of each.
pub(super) fn write_all(
    result: &mut ScanResult,
    outputs: &[Output],
    view: View<'_>,
    streams: &mut Streams<'_>,
    mut fault: impl FnMut(&mut ScanResult, String),
) {
    let mut faults = Vec::new();
    let in_file = View { root: None, ..view };
    for output in outputs {
        if let Some(path) = &output.path
            && let Err(error) = write_file(path, |out| match output.format {
                Format::Table => write_plain(|out| write_report(result, output.format, in_file, out), out),
                _ => write_report(result, output.format, in_file, out),
            })
        {
            faults.push(format!("the {} report could not be written to {}: {error}", output.format, path.display()));
        }
    }
    for text in faults {
        fault(result, text);
    }
    for output in outputs.iter().filter(|output| output.path.is_none()) {
        let linked = streams.is_styled() && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
        let view = View { root: view.root.filter(|_| linked), ..view };
        let write = |out: &mut dyn Write| write_report(result, output.format, view, out);
        let written = if output.format == Format::Table { streams.print(write) } else { streams.write(write) };
        if let Err(error) = written {
            fault(result, error.to_string());
        }
    }
}

fn write_report(result: &ScanResult, format: Format, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => report::table::write(result, view, out),
        Format::Json => report::json::write(result, out),
        Format::Sarif => report::sarif::write(result, out),
        Format::Junit => report::junit::write(result, out),
        Format::GitlabCodequality => report::gitlab_codequality::write(result, out),
        Format::GitlabSast => report::gitlab_sast::write(result, out),
        Format::Markdown => report::markdown::write(result, view, out),
        Format::Github => report::github::write(result, view, out),
        Format::GithubSummary => report::github_summary::write(result, view, out),
        Format::Html => report::html::write(result, view, out),
    }
}

/// Writes without styles. Only for text with styles: what is stripped goes beyond them, and of data nothing may be lost.
fn write_plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    write(&mut buffer)?;
    out.write_all(&strip_bytes(&buffer).into_vec())
}

/// Writes a file. A device, a pipe or what else is no regular file stays what it is and is written to, through links, as is whatever the
/// system itself names, such as `/dev/stdout`. In any other place the new file is written beside the old one and moved over it: what is
/// there is whole at any time, and a link is replaced, not followed.
pub(super) fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_kept(path) {
        return append(path, write)
            .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) });
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:08x}.tmp", fastrand::u32(..)));
    let part = Path::new(&name);
    let result = File::create_new(part)
        .and_then(|file| {
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.into_inner()?.sync_all()
        })
        .and_then(|()| std::fs::rename(part, path));
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
fn append(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
    write(&mut file)?;
    file.flush()
}
