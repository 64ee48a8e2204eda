//! Verdicts of bytes that were scanned before, kept on disk.
//!
//! Others may write to the directory, and what a verdict quotes of a file may be a credential: so each entry is sealed under a key that is
//! derived from the user's secret, and one that does not open under it is as good as none.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::hss::{PathRow, RiskRow};
use crate::model::FileType;
use crate::scan::Verdict;

/// Entries of another form are passed over.
const FORMAT: &str = "hss-iac cache 3";
/// How an entry is called.
const EXTENSION: &str = "verdict";
/// How an entry ends that is being written.
const PART: &str = ".verdict-part";
/// No entry takes longer to be written: one that does is what a crash left.
const LONGEST_WRITE: Duration = Duration::from_secs(3_600);
/// More than the risks of a megabyte take.
const LARGEST_ENTRY: u64 = 64 * 1024 * 1024;
/// Clocks of two machines may differ by so much.
const CLOCK_MARGIN: i64 = 3_600;

/// The risks of a file, each with its places.
pub type Risks = Vec<(RiskRow, Vec<PathRow>)>;

/// A verdict that is known already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The risks of the file.
    pub risks: Risks,
    /// When it was given.
    pub at: Timestamp,
    /// Whether a stand-in gave it.
    pub stand_in: bool,
}

/// A directory of verdicts.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    ttl: Duration,
    /// How many calls for the places of risks the run may make.
    max_path_calls: usize,
    key: LessSafeKey,
    /// What a verdict hangs on besides the file: where it was given.
    place: String,
}

/// Where verdicts are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The endpoint of the service.
    pub endpoint: &'a str,
    /// The enterprise project.
    pub enterprise_project_id: &'a str,
    /// Whether the values of Secrets are masked.
    pub masked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Seconds since 1970.
    at: i64,
    /// How many calls for the places of risks the run might make, where more would have been needed for this one. Who may make more asks
    /// again.
    short_at: Option<usize>,
    /// Whether a stand-in answered in the run that gave it: the endpoint does not tell.
    stand_in: bool,
    risks: Risks,
}

impl Cache {
    /// A cache in this directory, which need not be there yet.
    pub fn new(
        directory: PathBuf,
        ttl: Duration,
        max_path_calls: usize,
        secret: &SecretString,
        place: &Place<'_>,
    ) -> Option<Self> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        let derived = hmac::sign(&secret, FORMAT.as_bytes());
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, derived.as_ref()).ok()?);
        let place = format!("{FORMAT}\n{}\n{}\n{}", place.endpoint, place.enterprise_project_id, place.masked);
        Some(Self { directory, ttl, max_path_calls, key, place })
    }

    /// The verdict of these bytes, if there is one that is young enough `now` and says as much as this run may ask.
    pub fn get(&self, project: &str, file_type: FileType, sent: &str, now: Timestamp) -> Option<Known> {
        let about = self.about(project, file_type, sent);
        let mut sealed = Vec::new();
        // Without waiting for a writer: whoever planted a pipe here must not stop the run.
        let file = crate::platform::leaf(&self.path(&about)).ok()?;
        io::Read::read_to_end(&mut io::Read::take(file, LARGEST_ENTRY), &mut sealed).ok()?;
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.key.open_in_place(nonce, Aad::from(about.as_bytes()), sealed).ok()?;
        let Entry { at, short_at, stand_in, risks } = serde_json::from_slice(opened).ok()?;
        let age = now.as_second() - at;
        let is_young = age >= -CLOCK_MARGIN && age <= i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX);
        let is_enough = short_at.is_none_or(|calls| calls >= self.max_path_calls);
        Some(Known { risks, at: Timestamp::from_second(at).ok()?, stand_in }).filter(|_| is_young && is_enough)
    }

    /// Keeps a verdict that was given `now`, by a stand-in or not. An entry is there whole or not at all, whoever else writes it.
    pub fn put(&self, project: &str, verdict: Verdict<'_>, stand_in: bool, now: Timestamp) -> io::Result<()> {
        let Verdict { file_type, sha256, risks, is_short } = verdict;
        let about = self.about(project, file_type, sha256);
        let path = self.path(&about);
        let mut nonce = [0; NONCE_LEN];
        let unsealed = |_| io::Error::other("it can't be sealed");
        SystemRandom::new().fill(&mut nonce).map_err(unsealed)?;
        let mut bytes = serde_json::to_vec(&Entry {
            at: now.as_second(),
            short_at: is_short.then_some(self.max_path_calls),
            stand_in,
            risks: risks.clone(),
        })?;
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(unique, Aad::from(about.as_bytes()), &mut bytes).map_err(unsealed)?;
        let folder = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(folder)?;
        let mut part = tempfile::Builder::new().suffix(PART).tempfile_in(folder)?;
        part.write_all(&nonce)?;
        part.write_all(&bytes)?;
        // Whoever planted a directory in its place must not keep it from being there.
        if fs::symlink_metadata(&path).is_ok_and(|planted| planted.is_dir()) {
            fs::remove_dir_all(&path)?;
        }
        part.persist(path)?;
        Ok(())
    }

    fn about(&self, project: &str, file_type: FileType, sent: &str) -> String {
        format!("{}\n{project}\n{file_type}\n{sent}", self.place)
    }

    fn path(&self, about: &str) -> PathBuf {
        let name = sha256(about.as_bytes());
        self.directory.join(&name[..2]).join(name).with_extension(EXTENSION)
    }
}

/// What a directory of verdicts holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries that are older than a verdict may be.
    pub old: u64,
}

/// Counts the entries of a directory; with `prune`, the old ones go, and what was not written to its end.
pub fn look_through(directory: &Path, ttl: Duration, prune: bool) -> io::Result<Stats> {
    let mut stats = Stats::default();
    for folder in there(fs::read_dir(directory))?.into_iter().flatten() {
        let folder = folder?;
        // Nothing but what this cache makes is touched.
        if there(folder.file_type())?.is_none_or(|kind| !kind.is_dir()) || folder.file_name().len() != 2 {
            continue;
        }
        for entry in there(fs::read_dir(folder.path()))?.into_iter().flatten() {
            look_at(&entry?, ttl, prune, &mut stats)?;
        }
    }
    Ok(stats)
}

fn look_at(entry: &fs::DirEntry, ttl: Duration, prune: bool, stats: &mut Stats) -> io::Result<()> {
    let Some(metadata) = there(entry.metadata())?.filter(fs::Metadata::is_file) else { return Ok(()) };
    let path = entry.path();
    let remove = || if prune { there(fs::remove_file(&path)).map(drop) } else { Ok(()) };
    let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
    if entry.file_name().as_encoded_bytes().ends_with(PART.as_bytes()) {
        return if age > LONGEST_WRITE { remove() } else { Ok(()) };
    }
    if path.extension().is_none_or(|extension| extension != EXTENSION) {
        return Ok(());
    }
    if age > ttl {
        stats.old += 1;
        remove()?;
    }
    if age <= ttl || !prune {
        stats.entries += 1;
        stats.bytes += metadata.len();
    }
    Ok(())
}

/// What is there; `None` where it is not, or no more: others may prune the same directory.
fn there<T>(looked: io::Result<T>) -> io::Result<Option<T>> {
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        looked => looked.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Level;

    fn risks() -> Risks {
        let risk = RiskRow {
            risk_id: "1".to_owned(),
            rule_id: "R".into(),
            name: "n".into(),
            level: Level::High,
            category: None,
            description: None,
            remediation: None,
            build_instruction: Some("ENV DB_PASSWORD=hunter2hunter2".to_owned()),
            risk_num: Some(1),
        };
        vec![(risk, Vec::new())]
    }

    fn cache(directory: &Path, secret: &str, endpoint: &str, masked: bool) -> Cache {
        let place = Place { endpoint, enterprise_project_id: "0", masked };
        Cache::new(directory.to_owned(), Duration::from_secs(3_600), 25, &secret.into(), &place).expect("a cache")
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("a time")
    }

    /// A verdict of bytes with this hash.
    fn of<'a>(sha256: &'a str, risks: &'a Risks) -> Verdict<'a> {
        Verdict { file_type: FileType::Dockerfile, sha256, risks, is_short: false }
    }

    fn file(directory: &Path) -> PathBuf {
        let folder = fs::read_dir(directory).expect("a directory").next().expect("a folder").expect("a folder").path();
        fs::read_dir(folder).expect("a folder").next().expect("an entry").expect("an entry").path()
    }

    #[test]
    fn what_is_put_is_got_under_the_same_terms_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        assert_eq!(ours.get("p", FileType::Dockerfile, "ab", now()), None);
        ours.put("p", of("ab", &risks()), false, now()).expect("it is kept");
        let got =
            |cache: &Cache, project, file_type, sent| cache.get(project, file_type, sent, now()).map(|known| known.risks);
        assert_eq!(got(&ours, "p", FileType::Dockerfile, "ab"), Some(risks()));
        assert_eq!(got(&ours, "q", FileType::Dockerfile, "ab"), None);
        assert_eq!(got(&ours, "p", FileType::K8sYaml, "ab"), None);
        assert_eq!(got(&ours, "p", FileType::Dockerfile, "ac"), None);
        for other in [("other", "https://a", true), ("secret", "https://b", true), ("secret", "https://a", false)] {
            let other = cache(directory.path(), other.0, other.1, other.2);
            assert_eq!(got(&other, "p", FileType::Dockerfile, "ab"), None);
        }
        let bytes = fs::read(file(directory.path())).expect("an entry");
        assert!(memchr::memmem::find(&bytes, b"hunter2").is_none() && memchr::memmem::find(&bytes, b"secret").is_none());
    }

    #[test]
    fn what_is_no_verdict_is_neither_counted_nor_pruned() {
        let directory = tempfile::tempdir().expect("a directory");
        let others = ["README.verdict", "ab/notes.txt", "ab/folder.verdict/kept", "abc/other.verdict"];
        for other in others {
            let path = directory.path().join(other);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "mine").expect("a file");
        }
        assert_eq!(look_through(directory.path(), Duration::ZERO, true).expect("a look"), Stats::default());
        assert!(others.iter().all(|other| directory.path().join(other).is_file()));
    }

    #[test]
    fn a_planted_directory_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        let path = ours.path(&ours.about("p", FileType::Dockerfile, "ab"));
        fs::create_dir_all(path.join("more")).expect("a directory");
        ours.put("p", of("ab", &risks()), false, now()).expect("it is kept");
        assert_eq!(ours.get("p", FileType::Dockerfile, "ab", now()).map(|known| known.risks), Some(risks()));
    }

    #[test]
    fn what_a_crash_left_is_pruned_after_an_hour() {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = directory.path().join("ab");
        fs::create_dir(&folder).expect("a folder");
        let [old, new] = ["old", "new"].map(|name| folder.join(format!("{name}{PART}")));
        for (path, age) in [(&old, 2 * LONGEST_WRITE), (&new, Duration::ZERO)] {
            let part = fs::File::create(path).expect("a file");
            part.set_modified(SystemTime::now() - age).expect("its time is set");
        }
        for (prune, is_left) in [(false, true), (true, false)] {
            assert_eq!(look_through(directory.path(), Duration::ZERO, prune).expect("a look"), Stats::default());
            assert_eq!((old.exists(), new.exists()), (is_left, true));
        }
    }

    #[test]
    fn the_old_ones_go_and_the_young_ones_are_counted() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        for sent in ["ab", "cd", "ef"] {
            ours.put("p", of(sent, &risks()), false, now()).expect("it is kept");
        }
        let path = ours.path(&ours.about("p", FileType::Dockerfile, "cd"));
        let size = fs::metadata(&path).expect("an entry").len();
        let entry = fs::File::options().write(true).open(&path).expect("an entry");
        entry.set_modified(SystemTime::now() - Duration::from_secs(7_200)).expect("its time is set");
        let look = |prune| look_through(directory.path(), Duration::from_secs(3_600), prune).expect("a look");
        assert_eq!(look(false), Stats { entries: 3, bytes: 3 * size, old: 1 });
        assert_eq!(look(true), Stats { entries: 2, bytes: 2 * size, old: 1 });
        assert_eq!(look(true), Stats { entries: 2, bytes: 2 * size, old: 0 });
        look_through(&path.with_file_name("none"), Duration::ZERO, true).expect("nothing is there");
        let entry = ours.path(&ours.about("p", FileType::Dockerfile, "ab"));
        look_through(&entry, Duration::ZERO, true).expect_err("a file is no directory");
    }

    #[test]
    fn prunes_do_not_disturb_each_other() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        for i in 0..400 {
            ours.put("p", of(&i.to_string(), &risks()), false, now()).expect("it is kept");
        }
        let prune = || look_through(directory.path(), Duration::ZERO, true).expect("a look");
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(prune))));
        assert_eq!(prune(), Stats::default());
    }

    #[test]
    #[cfg(unix)]
    fn a_planted_pipe_stops_nothing_and_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        ours.put("p", of("ab", &risks()), false, now()).expect("it is kept");
        let path = file(directory.path());
        fs::remove_file(&path).expect("it is gone");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        assert_eq!(ours.get("p", FileType::Dockerfile, "ab", now()), None);
        ours.put("p", of("ab", &risks()), false, now()).expect("it is kept");
        assert_eq!(ours.get("p", FileType::Dockerfile, "ab", now()).map(|known| known.risks), Some(risks()));
    }

    #[test]
    fn what_is_broken_planted_or_old_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let ours = cache(directory.path(), "secret", "https://a", true);
        ours.put("p", of("ab", &risks()), false, now()).expect("it is kept");
        let path = file(directory.path());
        let bytes = fs::read(&path).expect("an entry");
        let mut turned = bytes.clone();
        turned[20] ^= 1;
        for broken in [&turned[..], &bytes[..40], &[], b"{\"at\":1,\"risks\":[]}"] {
            fs::write(&path, broken).expect("an entry");
            assert_eq!(ours.get("p", FileType::Dockerfile, "ab", now()), None);
        }
        // The entry of one file in the place of another.
        fs::write(&path, &bytes).expect("an entry");
        let other = ours.path(&ours.about("p", FileType::Dockerfile, "cd"));
        fs::create_dir_all(other.parent().expect("a folder")).expect("a folder");
        fs::copy(&path, other).expect("a copy");
        assert_eq!(ours.get("p", FileType::Dockerfile, "cd", now()), None);
        for (seconds, is_known) in [(-CLOCK_MARGIN - 1, false), (-CLOCK_MARGIN, true), (3_600, true), (3_601, false)] {
            let then = Timestamp::from_second(now().as_second() + seconds).expect("a time");
            assert_eq!(ours.get("p", FileType::Dockerfile, "ab", then).is_some(), is_known, "{seconds} s later");
        }
        let all = look_through(directory.path(), Duration::from_secs(60), false).expect("a look");
        assert_eq!((all.entries, all.old), (2, 0));
        assert_eq!(
            look_through(directory.path(), Duration::ZERO, true).expect("a look"),
            Stats { entries: 0, bytes: 0, old: 2 }
        );
        assert_eq!(look_through(&directory.path().join("none"), Duration::ZERO, true).expect("a look"), Stats::default());
    }
}
