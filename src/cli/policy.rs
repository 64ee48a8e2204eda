//! What a repository says of its own scan.

use clap::{Args, ValueEnum};

use super::{Connection, Form, Gate, Input, Known, Output, Pace, Report, Scan, Shown, Talk};
use crate::cli::values::yes_or_no;

/// `config`: what a scan with the same flags would go by.
#[derive(Debug, Args)]
pub struct Config {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) gate: Gate,
    #[command(flatten)]
    pub(crate) known: Known,
    /// Write the reports that a platform compares or closes alerts by although only what changed was scanned
    #[arg(long = "allow-partial-report", env = "HSS_IAC_ALLOW_PARTIAL_REPORT", value_parser = yes_or_no(), help_heading = "Report")]
    pub(crate) allow_partial: bool,
    #[command(flatten)]
    pub(crate) shown: Shown,
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) pace: Pace,
    /// Print a table or JSON
    #[arg(id = "format", short = 'o', long = "output", value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Form,
    #[command(flatten)]
    pub(crate) talk: Talk,
}

impl Config {
    /// When to use colour.
    pub fn color(&self) -> anstream::ColorChoice {
        self.talk.color.into()
    }

    /// The scan that it tells of.
    pub(crate) fn scan(self, output: Vec<Output>) -> Scan {
        Scan {
            input: self.input,
            gate: self.gate,
            known: self.known,
            report: Report { output, allow_partial: self.allow_partial, shown: self.shown },
            connection: self.connection,
            pace: self.pace,
            talk: self.talk,
        }
    }
}

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

impl Init {
    /// Whether a file that is there is written over.
    pub fn force(&self) -> bool {
        self.force
    }
}

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of which document
    #[arg(value_name = "WHAT")]
    pub(crate) of: Document,
}

impl Schema {
    /// Of which document.
    pub fn of(&self) -> Document {
        self.of
    }
}

/// A document with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The JSON result of a scan.
    Result,
    /// The JSON result of a cluster-scan.
    ClusterResult,
    /// `hss-iac.toml`.
    Config,
    /// The baseline.
    Baseline,
    /// What `doctor` found.
    Doctor,
}
