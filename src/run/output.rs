//! Where reports go: stdout, or a file that is there whole or not at all.

use std::fs::File;
use std::io::{self, Write};
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
    /// Writes text to stdout, with styles where it takes them.
    pub fn print(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut buffer = Vec::new();
        let written = write(&mut buffer);
        let text = if self.is_styled() { buffer } else { strip_bytes(&buffer).into_vec() };
        self.send(written.map(|()| text))
    }

    /// Writes bytes to stdout as they are; that nobody reads on is no fault.
    fn send(&mut self, bytes: io::Result<Vec<u8>>) -> Result<(), Error> {
        bytes
            .and_then(|bytes| self.out.write_all(&bytes))
            .and_then(|()| self.out.flush())
            .or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
            .map_err(|source| Error::Io { what: "stdout can't be written".to_owned(), source })
    }

    fn is_styled(&self) -> bool {
        matches!(self.color, ColorChoice::AlwaysAnsi | ColorChoice::Always)
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
    for output in outputs {
        if let Some(path) = &output.path
            && let Err(error) = report_bytes(result, output.format, view, false).and_then(|bytes| write_file(path, &bytes))
        {
            faults.push(format!("the {} report could not be written to {}: {error}", output.format, path.display()));
        }
    }
    for text in faults {
        fault(result, text);
    }
    for output in outputs.iter().filter(|output| output.path.is_none()) {
        if let Err(error) = streams.send(report_bytes(result, output.format, view, streams.is_styled())) {
            fault(result, error.to_string());
        }
    }
}

/// A whole report. Styles are the table's alone: what else looks like an escape sequence is data.
fn report_bytes(result: &ScanResult, format: Format, view: View<'_>, styled: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let linked = styled && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    let view = View { root: view.root.filter(|_| linked), ..view };
    let out: &mut dyn Write = &mut bytes;
    match format {
        Format::Table => report::table::write(result, view, out)?,
        Format::Json => report::json::write(result, out)?,
        Format::Markdown => report::markdown::write(result, view, out)?,
        Format::Github => report::github::write(result, view, out)?,
        Format::GithubSummary => report::github_summary::write(result, view, out)?,
        Format::Html => report::html::write(result, view, out)?,
    }
    Ok(if format == Format::Table && !styled { strip_bytes(&bytes).into_vec() } else { bytes })
}

/// Writes beside the place and moves it there: what is there is whole at any time, and a link is replaced, not followed.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:08x}.tmp", fastrand::u32(..)));
    let part = Path::new(&name);
    let result = File::create_new(part)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(part, path));
    if result.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(part);
    }
    result
}
