//! The commands about the rules themselves.

use std::path::Path;

use schemars::schema_for;

use super::{Streams, output};
use crate::cli::{Document, Form};
use crate::config;
use crate::error::Error;
use crate::judge::baseline::Baseline;
use crate::model::{ClusterResult, Exit, ScanResult};
use crate::report;
use crate::report::effective::Effective;

/// `config`: every effective value and where it comes from.
pub fn config(effective: &Effective, form: Form, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    match form {
        Form::Table => streams.print(|out| report::effective::write(effective, out))?,
        Form::Json => streams.write(|out| report::json::write(effective, out))?,
    }
    Ok(Exit::Pass)
}

/// `init`: a commented configuration that changes nothing.
pub fn init(root: &Path, force: bool, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let path = root.join(config::NAME);
    if !force && path.symlink_metadata().is_ok() {
        return Err(Error::Usage(format!("{} is there already; --force writes over it", path.display())));
    }
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(Error::Usage(format!("{} is no regular file; remove it first", path.display())));
    }
    output::write_file(&path, |out| out.write_all(config::TEMPLATE.as_bytes()))
        .map_err(|source| Error::Io { what: format!("{} can't be written", path.display()), source })?;
    streams.print(|out| writeln!(out, "wrote {}", report::printable(&path.display().to_string())))?;
    Ok(Exit::Pass)
}

/// `completions`: what a shell needs to complete the command line.
pub fn completions(
    shell: clap_complete::Shell,
    mut command: clap::Command,
    streams: &mut Streams<'_>,
) -> Result<Exit, Error> {
    streams.write(|out| {
        clap_complete::generate(shell, &mut command, "hss-iac", &mut &mut *out);
        Ok(())
    })?;
    Ok(Exit::Pass)
}

/// `man`: a manual page, of the program or of one of its commands.
pub fn man(of: Option<&str>, mut command: clap::Command, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    command.build();
    let page = match of {
        None => command,
        Some(name) => {
            let known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let unknown = format!("there is no command {name:?}: say one of {}", known.join(", "));
            command.find_subcommand(name).ok_or(Error::Usage(unknown))?.clone()
        }
    };
    streams.write(|out| clap_mangen::Man::new(page.clone()).render(&mut &mut *out))?;
    Ok(Exit::Pass)
}

/// `schema`: the JSON Schema of a document.
pub fn schema(of: Document, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let schema = match of {
        Document::Result => schema_for!(ScanResult),
        Document::ClusterResult => schema_for!(ClusterResult),
        Document::Config => schema_for!(config::File),
        Document::Baseline => schema_for!(Baseline),
        Document::Doctor => schema_for!(report::doctor::Examination),
    };
    streams.write(|out| report::json::write(&schema, out))?;
    Ok(Exit::Pass)
}
