//! What `doctor` prints.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::printable;
use crate::judge::count;
use crate::model::{Exit, SCHEMA_VERSION, Service, Tool};

/// What was found on the way to the service. Fields are only ever added.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Examination {
    /// 1.
    pub schema_version: u32,
    /// What looked.
    pub tool: Tool,
    /// Where a scan would be done.
    pub service: Service,
    /// As that of the process: 0, or 2, 4 or 5 by the class of what failed.
    pub exit_code: u8,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// Requests to APIs, by API.
    pub calls: BTreeMap<String, u64>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What.
    pub name: Name,
    /// The host that it is about, as `https://host`, where it is about one.
    pub endpoint: Option<String>,
    /// How it stands.
    pub state: Health,
    /// What was found, one line. Never a secret.
    pub found: String,
    /// What to do about it, one line; null where all is well.
    pub remedy: Option<String>,
    /// The exit code that it stands for; null unless it failed.
    pub exit_code: Option<u8>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// The region and its hosts.
    Region,
    /// Where credentials come from.
    Credentials,
    /// Who stands between.
    Proxy,
    /// The addresses of the host.
    Resolve,
    /// A connection, and an answer.
    Connection,
    /// TLS, and the certificate.
    Tls,
    /// Our clock against the service's.
    Clock,
    /// Whether the service takes the credentials.
    Login,
    /// The project.
    Project,
    /// Whether they may list tasks there.
    Permission,
    /// Whether they may upload, and whether anybody can.
    Upload,
}

impl Name {
    /// What needs a host, in the order in which it is looked at.
    pub const AFTER_CREDENTIALS: [Self; 9] = [
        Self::Proxy,
        Self::Resolve,
        Self::Connection,
        Self::Tls,
        Self::Clock,
        Self::Login,
        Self::Project,
        Self::Permission,
        Self::Upload,
    ];
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Well.
    Ok,
    /// A scan may work, or not for long.
    Warning,
    /// A scan would fail.
    Failed,
    /// Not looked at, and why.
    Skipped,
}

impl Examination {
    /// The first of the exit codes of what failed, by their order.
    pub fn new(service: Service, checks: Vec<Check>, calls: BTreeMap<String, u64>) -> Self {
        let failed = |exit: &Exit| checks.iter().any(|check| check.exit_code == Some(exit.code()));
        let exit = Exit::PRECEDENCE.into_iter().find(failed).unwrap_or(Exit::Pass);
        let tool = Tool { name: "hss-iac".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Self { schema_version: SCHEMA_VERSION, tool, service, exit_code: exit.code(), checks, calls }
    }
}

const DIM: Style = Style::new().dimmed();
/// `permission` and two blanks.
const NAME: usize = 13;
const STATE: usize = 9;

/// Writes the table.
pub fn write(examination: &Examination, out: &mut dyn Write) -> io::Result<()> {
    if examination.service.stand_in {
        writeln!(out, "A stand-in answered in place of HSS: this says nothing of HSS.")?;
    }
    for check in &examination.checks {
        let style = style(check.state);
        let name = word(check.name);
        let found = printable(&check.found);
        writeln!(out, "{style}{:<STATE$}{style:#}{name:<NAME$}{found}", shown(check.state))?;
        if let Some(remedy) = &check.remedy {
            writeln!(out, "{:width$}{}", "", printable(remedy), width = STATE + NAME)?;
        }
    }
    let of = |state: Health| examination.checks.iter().filter(|check| check.state == state).count() as u64;
    let calls = count(examination.calls.values().sum(), "call", "calls");
    let made = count(of(Health::Ok) + of(Health::Warning) + of(Health::Failed), "check", "checks");
    let failed = of(Health::Failed);
    let verdict = if failed == 0 { "none failed".to_owned() } else { format!("{failed} failed") };
    let warnings = match of(Health::Warning) {
        0 => String::new(),
        some => format!(", {}", count(some, "warning", "warnings")),
    };
    writeln!(out, "{made}: {verdict}{warnings} {DIM}({calls}; exit {}){DIM:#}", examination.exit_code)
}

/// As the JSON has it.
fn word(name: Name) -> String {
    serde_json::to_value(name).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

fn shown(state: Health) -> &'static str {
    match state {
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Failed => "FAILED",
        Health::Skipped => "skipped",
    }
}

fn style(state: Health) -> Style {
    match state {
        Health::Ok => AnsiColor::Green.on_default(),
        Health::Warning => AnsiColor::Yellow.on_default(),
        Health::Failed => AnsiColor::Red.on_default().bold(),
        Health::Skipped => DIM,
    }
}
