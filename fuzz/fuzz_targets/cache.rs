//! Entries of the cache: what is put is got; what others write in its place is none.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use hss_iac::hss::{PathRow, RiskRow};
use hss_iac::model::{FileType, Level};
use hss_iac::scan::Verdict;
use hss_iac::scan::cache::{Cache, Place, Risks, look_through};
use libfuzzer_sys::fuzz_target;

const TTL: Duration = Duration::from_secs(86_400);
const SENT: &str = "ab";

static DIRECTORY: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a directory"));

fn entry() -> PathBuf {
    let only = |path: PathBuf| fs::read_dir(path).expect("a directory").next().expect("one").expect("one").path();
    only(only(DIRECTORY.path().to_path_buf()))
}

fn risks(text: &str) -> Risks {
    let mut parts = text.split('\n').map(str::to_owned);
    let mut next = || parts.next();
    let risk = RiskRow {
        risk_id: next().unwrap_or_default(),
        rule_id: next().unwrap_or_default().into(),
        name: next().unwrap_or_default().into(),
        level: Level::High,
        category: next().map(Into::into),
        description: next().map(Into::into),
        remediation: next().map(Into::into),
        build_instruction: next(),
        risk_num: next().map(|text| text.len() as u64),
    };
    let place =
        PathRow { resource_name: next(), resource_type: next(), namespace: next(), hit_rule: next(), hit_path: next() };
    vec![(risk, vec![place])]
}

fuzz_target!(|bytes: &[u8]| {
    let place = Place { endpoint: "https://a", enterprise_project_id: "0", masked: true };
    let cache = Cache::new(DIRECTORY.path().to_path_buf(), TTL, 25, &"secret".into(), &place).expect("a cache");
    let now = "2027-01-15T08:00:00Z".parse().expect("a time");
    let get = || cache.get("p", FileType::Dockerfile, SENT, now).map(|known| known.risks);
    let given = risks(&String::from_utf8_lossy(bytes));
    let verdict = Verdict { file_type: FileType::Dockerfile, sha256: SENT, risks: &given, is_short: false };
    cache.put("p", verdict, false, now).expect("it is kept");
    assert_eq!(get().as_ref(), Some(&given));
    let sealed = fs::read(entry()).expect("an entry");
    if bytes.len() >= 12 {
        assert!(!sealed.windows(bytes.len()).any(|window| window == bytes), "it is sealed");
    }
    // One byte of it, another in its place.
    if let [at, change, ..] = bytes {
        let mut turned = sealed.clone();
        let at = usize::from(*at) * turned.len() / 256;
        turned[at] ^= change | 1;
        fs::write(entry(), &turned).expect("a file");
        assert_eq!(get(), None);
        fs::write(entry(), &sealed[..at]).expect("a file");
        assert_eq!(get(), None);
    }
    fs::write(entry(), bytes).expect("a file");
    assert_eq!(get(), None, "nobody writes an entry without the secret");
    assert_eq!(look_through(DIRECTORY.path(), TTL, false).expect("a look").entries, 1);
});
