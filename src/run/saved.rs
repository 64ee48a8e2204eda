//! The commands that start from a saved JSON result, offline.

use std::io::{Read as _, Write};
use std::path::Path;

use serde::Deserialize;

use super::{Streams, output};
use crate::error::Error;
use crate::judge::{baseline, count};
use crate::model::{CLUSTER_SCAN, ClusterResult, Exit, SCHEMA_VERSION, ScanResult};
use crate::progress::Progress;
use crate::{report, settings};

/// `render`: the reports of a saved result. It was judged when it was made, and is not judged again.
pub fn render(settings: &settings::Render, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let talk = settings.talk;
    let progress = Progress::new(true, talk.verbose, talk.color);
    let mut result = load(&settings.result)?;
    let view = report::View { level: settings.report_level, verbose: talk.verbose > 0, root: None };
    let mut exit = Exit::Pass;
    let warn = |text: &str| progress.warn(text);
    let outputs = output::allowed(&result, settings.outputs.clone(), settings.partial, warn);
    let write = |result: &ScanResult, format, goal, out: &mut dyn Write| output::of_scan(result, format, view, goal, out);
    output::write_all(&mut result, &outputs, &write, streams, warn, |_, fault| {
        progress.warn(&fault);
        exit = Exit::Report;
    });
    Ok(exit)
}

/// `baseline`: writes what a result knows, and keeps what it can't know of.
pub fn baseline(settings: settings::Update, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let name = settings.baseline.display();
    let result = load(&settings.result)?;
    if result.service.stand_in && !settings.force {
        return Err(Error::Usage(
            "a stand-in made this result: HSS may find other things; --force writes the baseline all the same".to_owned(),
        ));
    }
    let before = settings.old.len();
    let findings = baseline::renewed(settings.old, &result);
    let failed = |source| Error::Io { what: format!("the baseline {name} can't be written"), source };
    let text = baseline::text(&findings).map_err(|error| failed(error.into()))?;
    output::write_file(&settings.baseline, |out| out.write_all(text.as_bytes())).map_err(failed)?;
    let said = count(findings.len() as u64, "finding", "findings");
    streams.print(|out| writeln!(out, "wrote {}: {said}, {before} before", report::printable(&name.to_string())))?;
    Ok(Exit::Pass)
}

/// A saved result of either kind.
pub enum Saved {
    /// Of a scan.
    Scan(Box<ScanResult>),
    /// Of a `cluster-scan`.
    Clusters(Box<ClusterResult>),
}

/// Reads the saved result of a scan.
pub fn load(path: &Path) -> Result<ScanResult, Error> {
    match load_either(path)? {
        Saved::Scan(result) => Ok(*result),
        Saved::Clusters(_) => Err(Error::Usage(format!(
            "{} is the result of a cluster-scan, which has no findings: hss-iac resume alone takes it",
            path.display()
        ))),
    }
}

/// Reads a saved result. What a newer program added to the same schema version is left out.
pub fn load_either(path: &Path) -> Result<Saved, Error> {
    #[derive(Deserialize)]
    struct Head {
        schema_version: u32,
        kind: Option<String>,
    }
    let (name, bytes) = match path.to_str() {
        Some("-") => {
            let mut bytes = Vec::new();
            ("stdin".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
        }
        _ => (path.display().to_string(), std::fs::read(path)),
    };
    let bytes = bytes.map_err(|error| Error::Usage(format!("the result can't be read from {name}: {error}")))?;
    let no_result = |error: serde_json::Error, command: &str| {
        Error::Usage(format!("{name} is no JSON result, such as `hss-iac {command} -o json=FILE` writes: {error}"))
    };
    let other = |error| no_result(error, "scan");
    let Head { schema_version, kind } = serde_json::from_slice(&bytes).map_err(other)?;
    if schema_version > SCHEMA_VERSION {
        return Err(Error::Usage(format!(
            "{name} has schema version {schema_version}, and this program reads up to {SCHEMA_VERSION}: take a newer hss-iac"
        )));
    }
    match kind.as_deref() {
        None => serde_json::from_slice(&bytes).map(|result| Saved::Scan(Box::new(result))).map_err(other),
        Some(CLUSTER_SCAN) => serde_json::from_slice(&bytes)
            .map(|result| Saved::Clusters(Box::new(result)))
            .map_err(|error| no_result(error, "cluster-scan")),
        Some(kind) => Err(Error::Usage(format!("{name} is of the kind {kind:?}, which this program does not know"))),
    }
}
