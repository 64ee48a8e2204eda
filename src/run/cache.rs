//! Verdicts that are known already: taken before the job, kept after it.

use std::io;

use jiff::Timestamp;
use secrecy::SecretString;

use super::Streams;
use crate::cli::{CacheAct, CacheDir};
use crate::digest::sha256;
use crate::error::Error;
use crate::hss::auth::Plan;
use crate::judge::count;
use crate::mask::Masked;
use crate::model::{Exit, Service, SourceFile};
use crate::progress::Progress;
use crate::scan::Ledger;
use crate::scan::cache::{self, Cache, Known, Place, Stats};
use crate::settings;

/// The cache of a run, where one is wanted and there is a secret to seal it under.
pub(super) fn open(settings: &settings::Scan, plan: &Plan, service: &Service, progress: &Progress) -> Option<Cache> {
    let wanted = settings.cache.as_ref()?;
    // A key that ends would seal for this run alone.
    let secret: Option<&SecretString> = wanted.key.as_ref().or_else(|| plan.lasting_key());
    let Some(secret) = secret else {
        progress.warn(
            "the cache is off: others may write to it, and there is no lasting secret key to seal it under; set HSS_IAC_CACHE_KEY",
        );
        return None;
    };
    let place = Place {
        endpoint: &service.endpoint,
        enterprise_project_id: &service.enterprise_project_id,
        masked: settings.input.mask_secrets,
    };
    Cache::new(wanted.directory.clone(), wanted.ttl, settings.max_path_calls, secret, &place)
}

/// Takes the verdicts that are known; those of a stand-in only where one may answer. What the account of an earlier run says of a file is
/// compared with what would be sent of it now, which `read` gives.
pub(super) fn take(
    cache: &Cache,
    project: &str,
    stand_in_allowed: bool,
    ledger: &mut Ledger,
    read: impl Fn(&SourceFile) -> io::Result<Masked>,
) {
    let is_reopened = ledger.is_reopened;
    let is_welcome = |known: &Known| stand_in_allowed || !known.stand_in;
    let is_so_now = |source: &SourceFile, sent: &str| read(source).is_ok_and(|now| sha256(&now.bytes) == sent);
    ledger.reuse(|source, sent| {
        let known = cache.get(project, source.file_type, sent, Timestamp::now()).filter(is_welcome)?;
        (!is_reopened || is_so_now(source, sent)).then_some(known)
    });
    let ages: Vec<_> = ledger.entries.iter().filter_map(|entry| entry.reused_from).collect();
    if let Some(oldest) = ages.iter().min() {
        let of = count(ages.len() as u64, "verdict is", "verdicts are");
        ledger.notes.push(format!("{of} of an earlier run, the oldest of {}", oldest.strftime("%Y-%m-%d %H:%M UTC")));
    }
}

/// Keeps the verdicts of this run, which a stand-in gave or not. One that can't be kept costs the next run a call, and nothing else.
pub(super) fn keep(cache: &Cache, project: &str, stand_in: bool, ledger: &Ledger) -> Option<String> {
    let now = Timestamp::now();
    let failed: Vec<_> = ledger.verdicts().filter_map(|verdict| cache.put(project, verdict, stand_in, now).err()).collect();
    let verdicts = count(failed.len() as u64, "verdict", "verdicts");
    failed.first().map(|error| format!("{verdicts} could not be kept in the cache: {error}"))
}

/// `cache`: counts the verdicts, or removes the old ones.
pub fn cache(act: &CacheAct, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let (CacheAct::Stats(place) | CacheAct::Prune(place)) = act;
    let CacheDir { directory, ttl } = place;
    let prune = matches!(act, CacheAct::Prune(_));
    let Stats { entries, bytes, old } = cache::look_through(directory, *ttl, prune).map_err(|source| Error::Io {
        what: format!("the cache {} can't be looked through", directory.display()),
        source,
    })?;
    let entries = count(entries, "verdict", "verdicts");
    let old = if prune { format!("{old} removed") } else { format!("{old} too old to be taken again") };
    streams.print(|out| writeln!(out, "{entries} of {} kB; {old}", bytes.div_ceil(1_000)))?;
    Ok(Exit::Pass)
}
