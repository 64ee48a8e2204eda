//! Credentials that stand in files: the profile of the official SDKs, and identity tokens.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::sources::{Env, Found, SourceError, Warning};
use super::{Credentials, IdToken, Plan};
use crate::platform;

/// More is neither a profile nor a token.
const LARGEST: u64 = 1_000_000;

const NAMED: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// The section `[basic]` of `~/.huaweicloud/credentials`, or of the file that is named (official Python SDK 3.1.219, core). One that is
/// named has to be there and to hold some.
pub(super) fn profile(env: Env<'_>) -> Result<Option<Found>, SourceError> {
    let named = env.text(NAMED).map(PathBuf::from);
    let home =
        || Some(PathBuf::from(env.text("HOME").or_else(|| env.text("USERPROFILE"))?).join(".huaweicloud/credentials"));
    let Some(path) = named.clone().or_else(home) else { return Ok(None) };
    let text = match read(&path) {
        Ok(text) => text,
        // `HOME` is /dev/null for many a service user.
        Err(error) if named.is_none() && matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(SourceError::Invalid(format!("the credentials {} can't be read: {error}", path.display())));
        }
    };
    let mut keys = section(&text, "basic");
    let mut take = |name: &str| keys.remove(name);
    let [ak, sk, security_token] = ["ak", "sk", "security_token"].map(&mut take);
    let [idp_id, id_token_file] = ["idp_id", "id_token_file"].map(&mut take);
    let [project_id, iam_endpoint] =
        ["project_id", "iam_endpoint"].map(|name| take(name).map(|value| value.expose_secret().to_owned()));
    let half =
        |present: &str, missing: &str| Err(super::sources::half(&format!("{present} in {}", path.display()), missing));
    let mut warnings: Vec<Warning> = readable_by_others(&path).into_iter().collect();
    let plan = match (ak, sk, idp_id, id_token_file) {
        (Some(ak), Some(secret_key), ..) => {
            Plan::Fixed(Credentials::Keys { access_key: ak.expose_secret().to_owned(), secret_key, security_token })
        }
        (Some(_), None, ..) => return half("ak", "sk"),
        (None, Some(_), ..) => return half("sk", "ak"),
        (None, None, Some(idp_id), Some(file)) => {
            // The working directory may be a repository that is not trusted.
            let file = path.parent().unwrap_or(Path::new("")).join(file.expose_secret());
            warnings.extend(readable_by_others(&file));
            Plan::IdentityProvider { idp_id: idp_id.expose_secret().to_owned(), id_token: IdToken::File(file) }
        }
        (None, None, Some(_), None) => return half("idp_id", "id_token_file"),
        (None, None, None, Some(_)) => return half("id_token_file", "idp_id"),
        (None, None, None, None) if security_token.is_some() => return half("security_token", "ak"),
        (None, None, None, None) if named.is_none() => return Ok(None),
        (None, None, None, None) => {
            let what = "have no keys in a section [basic]: write ak and sk there, or idp_id and id_token_file";
            return Err(SourceError::Invalid(format!("the credentials {} {what}", path.display())));
        }
    };
    let found = Found::new(plan, format!("{}, section [basic]", path.display()));
    Ok(Some(Found { in_file: true, project_id, iam_endpoint, warnings, ..found }))
}

/// An identity token as it stands in its file now.
pub(in crate::hss) fn id_token(path: &Path) -> io::Result<SecretString> {
    Ok(SecretString::from(read(path)?.trim().to_owned()))
}

/// What to say of a file that somebody else can read.
pub(super) fn readable_by_others(path: &Path) -> Option<Warning> {
    let warning = || Warning {
        found: format!("{} holds a credential and can be read by others", path.display()),
        remedy: "chmod 600, and renew it if others may have read it",
    };
    platform::readable_by_others(path).then(warning)
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    platform::named(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {LARGEST} bytes")));
    }
    Ok(text)
}

/// The values of a section of an INI file, as Python's `configparser` reads the plain ones; blank ones are left out.
fn section(text: &str, name: &str) -> BTreeMap<String, SecretString> {
    let mut inside = false;
    let mut keys = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = section.trim() == name;
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once(['=', ':'])
            && !value.trim().is_empty()
        {
            keys.insert(key.trim().to_ascii_lowercase(), SecretString::from(value.trim().to_owned()));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_neither_a_profile_nor_a_token() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        for (more, is_read) in [(0, true), (1, false)] {
            std::fs::write(&path, " ".repeat(1_000_000 + more)).unwrap();
            assert_eq!(read(&path).is_ok(), is_read);
        }
    }

    #[test]
    fn only_the_section_that_is_asked_for_is_read() {
        let text = "ak = 0\n[global]\nak = 1\n[basic]\n# ak = 2\n; ak = 3\nAK = 4\nsk=a=b:c \nproject_id : p\nsecurity_token =\n[other]\nsk = 5\n";
        let keys = section(text, "basic");
        let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
        assert_eq!(keys, [("ak", "4"), ("project_id", "p"), ("sk", "a=b:c")]);
    }
}
