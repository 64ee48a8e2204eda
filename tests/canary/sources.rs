//! The secrets, and the ways to credentials that hold them.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hss_iac::emulator::Options;

use crate::common::quick;

/// A secret that nothing else looks like, with characters that URLs and JSON write in another way.
pub(crate) fn canary(name: &str) -> String {
    let digest =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{digest:016x}/{:016x}+{:08x}=", digest.rotate_left(23) ^ 0x5bd1_e995, digest >> 32 ^ 0x9e37_79b9)
}

/// What may give a secret away: itself, as other forms write it, and each half of it.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let encoded: String = secret
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let mut forms = vec![secret.to_owned(), encoded.clone(), encoded.to_lowercase(), secret.replace('/', "\\/")];
    // A text before it moves base64 by one or two bytes.
    for before in ["", "x", "xx"] {
        let text = format!("{before}{secret}");
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&text);
            forms.push(text[4..text.len() - 4].to_owned());
        }
    }
    let (first, last) = secret.split_at(secret.len() / 2);
    forms.extend([first, last].into_iter().filter(|half| half.len() >= 12).map(str::to_owned));
    forms
}

/// Finds any of them, whatever form it has.
pub(crate) struct Search(regex::bytes::Regex);

impl Search {
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a String>) -> Self {
        let forms: Vec<String> =
            secrets.into_iter().flat_map(|secret| forms(secret)).map(|form| regex::escape(&form)).collect();
        Self(regex::bytes::Regex::new(&forms.join("|")).expect("a pattern"))
    }

    /// The first that is there, as it is there.
    pub(crate) fn first(&self, text: &[u8]) -> Option<String> {
        self.0.find(text).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }
}

pub(crate) fn holds(text: &[u8], secret: &str) -> bool {
    Search::of([&secret.to_owned()]).first(text).is_some()
}

/// A way to credentials: its variables, and a stand-in that takes them.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) options: Options,
    /// Whether GitHub is asked for the identity token.
    pub(crate) github: bool,
    /// Whether a secret goes over the wire.
    pub(crate) is_sent: bool,
}

pub(crate) fn sources(home: &Path) -> Vec<Source> {
    let usual = Options::default();
    let mut sources = Vec::new();
    let mut add = |name, env: &[(&'static str, &str)], options: Options| {
        let env = env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let usual = Options::default();
        let is_sent =
            (&options.token, &options.id_token) != (&usual.token, &usual.id_token) || options.security_token.is_some();
        sources.push(Source { name, env, options, github: false, is_sent });
    };
    let token = |name: &str| Options { token: canary(name), ..quick() };
    for name in ["HSS_IAC_TOKEN", "HW_AUTH_TOKEN"] {
        add(name, &[(name, &canary(name))], token(name));
    }
    for (access, secret, session) in [
        ("HSS_IAC_ACCESS_KEY", "HSS_IAC_SECRET_KEY", Some("HSS_IAC_SECURITY_TOKEN")),
        ("HSS_IAC_ACCESS_KEY", "HSS_IAC_SECRET_KEY", None),
        ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", Some("HUAWEICLOUD_SDK_SECURITY_TOKEN")),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY", Some("HW_SECURITY_TOKEN")),
        ("HUAWEI_CLOUD_ACCESS_KEY_ID", "HUAWEI_CLOUD_SECRET_ACCESS_KEY", None),
        ("OS_ACCESS_KEY", "OS_SECRET_KEY", None),
    ] {
        let options = Options { secret_key: canary(secret), security_token: session.map(canary), ..quick() };
        let secret_key = canary(secret);
        let mut env = vec![(access, usual.access_key.as_str()), (secret, secret_key.as_str())];
        let session = session.map(|name| (name, canary(name)));
        env.extend(session.as_ref().map(|(name, token)| (*name, token.as_str())));
        add(secret, &env, options);
    }
    let password = canary("HW_USER_PASSWORD");
    let user =
        [("HW_USER_NAME", usual.access_key.as_str()), ("HW_USER_PASSWORD", &password), ("HW_DOMAIN_NAME", &usual.account)];
    add("HW_USER_PASSWORD", &user, Options { secret_key: password.clone(), ..quick() });
    let id_token = Options { id_token: canary("id token"), ..quick() };
    let file = home.join("id-token");
    std::fs::write(&file, canary("id token")).expect("a file");
    let file = file.to_str().expect("a path");
    let agency =
        [("HUAWEICLOUD_OIDC_PROVIDER_URN", usual.provider_urn.as_str()), ("HUAWEICLOUD_OIDC_AGENCY_URN", &usual.agency_urn)];
    let at_hand = canary("id token");
    add("HUAWEICLOUD_OIDC_ID_TOKEN", &[&agency[..], &[("HUAWEICLOUD_OIDC_ID_TOKEN", &at_hand)]].concat(), id_token.clone());
    add("HUAWEICLOUD_OIDC_TOKEN_FILE", &[&agency[..], &[("HUAWEICLOUD_OIDC_TOKEN_FILE", file)]].concat(), id_token.clone());
    let idp = [("HUAWEICLOUD_SDK_IDP_ID", usual.idp_id.as_str()), ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", file)];
    add("HUAWEICLOUD_SDK_ID_TOKEN_FILE", &idp, id_token.clone());
    let profile = home.join("profile");
    let ini = format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, canary("profile"));
    std::fs::write(&profile, ini).expect("a file");
    let profile = [("HUAWEICLOUD_SDK_CREDENTIALS_FILE", profile.to_str().expect("a path"))];
    add("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &profile, Options { secret_key: canary("profile"), ..quick() });
    let beside = home.join("profile-idp");
    std::fs::write(&beside, format!("[basic]\nidp_id = {}\nid_token_file = id-token\n", usual.idp_id)).expect("a file");
    let profile = [("HUAWEICLOUD_SDK_CREDENTIALS_FILE", beside.to_str().expect("a path"))];
    add(PROFILE_IDP, &profile, id_token.clone());
    let secret_key = canary("HW_SECRET_KEY");
    let role = [
        ("HW_ACCESS_KEY", usual.access_key.as_str()),
        ("HW_SECRET_KEY", &secret_key),
        ("HW_ASSUME_ROLE_AGENCY_NAME", &usual.agency_name),
        ("HW_ASSUME_ROLE_DOMAIN_NAME", &usual.account),
    ];
    add("HW_ASSUME_ROLE_AGENCY_NAME", &role, Options { secret_key: secret_key.clone(), ..quick() });
    add(MACHINE, &[("HSS_IAC_CREDENTIALS", "ecs")], quick());
    add("agency of GitHub", &agency, id_token);
    if let Some(last) = sources.last_mut() {
        last.github = true;
    }
    for source in sources.iter_mut().filter(|source| source.name == "HW_USER_PASSWORD") {
        source.is_sent = true;
    }
    sources
}

/// A profile that names an identity provider.
pub(crate) const PROFILE_IDP: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE with idp_id";
/// The agency of the machine.
pub(crate) const MACHINE: &str = "HSS_IAC_CREDENTIALS=ecs";

/// Secrets that stand beside every source.
pub(crate) const BESIDE: [&str; 3] = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "HSS_IAC_CACHE_KEY", "proxy"];

/// All canaries that any source has.
pub(crate) fn secrets(sources: &[Source]) -> BTreeSet<String> {
    let known: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| {
            let options = &source.options;
            let told = [options.token.clone(), options.secret_key.clone(), options.id_token.clone()];
            told.into_iter().chain(options.security_token.clone())
        })
        .collect();
    let usual = Options::default();
    let plain = [usual.token, usual.secret_key, usual.id_token];
    known.into_iter().filter(|secret| !plain.contains(secret)).chain(BESIDE.map(canary)).collect()
}
