//! Which keys there are, which are refused, and which was meant.

use toml::de::{DeTable, DeValue};

use crate::model::Level;

/// Keys of the file.
pub(super) const KEYS: [&str; 14] = [
    "include",
    "exclude",
    "map",
    "no-ignore",
    "fail-on",
    "max",
    "report-level",
    "on-partial",
    "on-service-error",
    "if-empty",
    "baseline",
    "no-inline-ignores",
    "max-path-calls",
    "suppress",
];

/// Keys of an entry of `suppress`.
const SUPPRESS: [&str; 6] = ["rule", "path", "resource", "reason", "until", "owner"];

const WHERE: &str = "it would choose where files and credentials go";
const SECRET: &str = "a credential has no place in a repository";
const WRITES: &str = "it would choose which files a run writes";
const STAND_IN: &str = "a stand-in would be taken for HSS";
const SENDS: &str = "it would send the values of Secrets";
const RUN: &str = "it belongs to a run, not to the repository";

/// What only who runs the program may say: the key, why, and where to say it.
pub(super) const REFUSED: [(&str, &str, &str); 40] = [
    ("region", WHERE, "--region or HSS_IAC_REGION"),
    ("project-id", WHERE, "--project-id or HSS_IAC_PROJECT_ID"),
    ("enterprise-project-id", WHERE, "--enterprise-project-id or HSS_IAC_ENTERPRISE_PROJECT_ID"),
    ("endpoint", WHERE, "--endpoint or HSS_IAC_ENDPOINT"),
    ("iam-endpoint", WHERE, "--iam-endpoint or HSS_IAC_IAM_ENDPOINT"),
    ("sts-endpoint", WHERE, "--sts-endpoint or HSS_IAC_STS_ENDPOINT"),
    ("credentials", WHERE, "HSS_IAC_CREDENTIALS"),
    ("oidc-audience", WHERE, "HSS_IAC_OIDC_AUDIENCE"),
    ("ca-file", WHERE, "--ca-file or HSS_IAC_CA_FILE"),
    ("access-key", SECRET, "HSS_IAC_ACCESS_KEY"),
    ("secret-key", SECRET, "HSS_IAC_SECRET_KEY"),
    ("security-token", SECRET, "HSS_IAC_SECURITY_TOKEN"),
    ("token", SECRET, "HSS_IAC_TOKEN"),
    ("ak", SECRET, "HSS_IAC_ACCESS_KEY"),
    ("sk", SECRET, "HSS_IAC_SECRET_KEY"),
    ("password", SECRET, "HSS_IAC_ACCESS_KEY and HSS_IAC_SECRET_KEY"),
    ("output", WRITES, "--output or HSS_IAC_OUTPUT"),
    ("emulator", STAND_IN, "--emulator"),
    ("allow-stand-in", STAND_IN, "--allow-stand-in or HSS_IAC_ALLOW_STAND_IN"),
    ("mask-secrets", SENDS, "--mask-secrets or HSS_IAC_MASK_SECRETS"),
    ("config", RUN, "--config or HSS_IAC_CONFIG"),
    ("cache-dir", RUN, "--cache-dir or HSS_IAC_CACHE_DIR"),
    ("cache-ttl", RUN, "--cache-ttl or HSS_IAC_CACHE_TTL"),
    ("cache-key", SECRET, "HSS_IAC_CACHE_KEY"),
    ("tracked", RUN, "--tracked or HSS_IAC_TRACKED"),
    ("diff", RUN, "--diff or HSS_IAC_DIFF"),
    ("policy-from", RUN, "--policy-from or HSS_IAC_POLICY_FROM"),
    ("changed-only", RUN, "--changed-only or HSS_IAC_CHANGED_ONLY"),
    ("allow-partial-report", RUN, "--allow-partial-report or HSS_IAC_ALLOW_PARTIAL_REPORT"),
    ("timeout", RUN, "--timeout or HSS_IAC_TIMEOUT"),
    ("no-wait", RUN, "--no-wait or HSS_IAC_NO_WAIT"),
    ("rate", RUN, "--rate or HSS_IAC_RATE"),
    ("jobs", RUN, "--jobs or HSS_IAC_JOBS"),
    ("type", RUN, "--type or HSS_IAC_TYPE of cluster-scan"),
    ("all", RUN, "--all or HSS_IAC_ALL of cluster-scan"),
    ("cluster", RUN, "--cluster or HSS_IAC_CLUSTER of cluster-scan"),
    ("retry-failed", RUN, "--retry-failed or HSS_IAC_RETRY_FAILED of cluster-scan"),
    ("quiet", RUN, "--quiet or HSS_IAC_QUIET"),
    ("verbose", RUN, "--verbose"),
    ("color", RUN, "--color or HSS_IAC_COLOR"),
];

/// Whether the file may say this; why not, otherwise.
pub(super) fn top_level(key: &str) -> Result<(), String> {
    let same = spelling(key);
    match REFUSED.into_iter().find(|(refused, _, _)| *refused == same) {
        Some((_, why, instead)) => Err(format!("{key} can't be set by a repository: {why}; use {instead}")),
        None => known(key, &KEYS),
    }
}

/// Whether an entry of `suppress` may say this; why not, otherwise.
pub(super) fn of_suppress(key: &str) -> Result<(), String> {
    known(key, &SUPPRESS)
}

/// Whether there is such a level; which was meant, otherwise.
pub(super) fn of_max(key: &str) -> Result<(), String> {
    known(key, &Level::WORST_FIRST.map(Level::as_str)).map_err(|what| format!("max: {what}"))
}

/// The key whose value stands around a byte: `suppress.reason`.
pub(super) fn around(table: &DeTable<'_>, at: usize) -> Option<String> {
    let (key, value) = table.iter().find(|(_, value)| {
        let span = value.span();
        span.contains(&at) || inside(value.get_ref(), at)
    })?;
    let inner = match value.get_ref() {
        DeValue::Table(table) => around(table, at),
        DeValue::Array(items) => {
            items.iter().filter_map(|item| item.get_ref().as_table()).find_map(|table| around(table, at))
        }
        _ => None,
    };
    Some([Some(key.get_ref().to_string()), inner].into_iter().flatten().collect::<Vec<_>>().join("."))
}

/// Whether a byte stands in what a table or a list holds: its own span may be that of its header.
fn inside(value: &DeValue<'_>, at: usize) -> bool {
    match value {
        DeValue::Table(table) => around(table, at).is_some(),
        DeValue::Array(items) => items.iter().any(|item| item.span().contains(&at) || inside(item.get_ref(), at)),
        _ => false,
    }
}

fn known(key: &str, keys: &[&'static str]) -> Result<(), String> {
    if keys.contains(&key) {
        return Ok(());
    }
    let typed = spelling(key);
    // Half of a word is another word.
    let distance = |known: &&&str| strsim::osa_distance(&typed, known);
    let nearest = keys.iter().min_by_key(distance).filter(|known| distance(known) <= (known.len() / 2).min(3));
    Err(match nearest {
        Some(known) => format!("unknown key {key:?}: did you mean {known:?}?"),
        None => format!("unknown key {key:?}: the keys are {}", keys.join(", ")),
    })
}

fn spelling(key: &str) -> String {
    key.to_ascii_lowercase().replace('_', "-")
}
