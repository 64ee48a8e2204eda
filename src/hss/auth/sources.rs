//! Where users keep credentials: the variables of our own and of Huawei's tools, in a fixed order.

use secrecy::SecretString;

use super::Credentials;

/// Credentials, and what stood beside them.
#[derive(Debug, Clone)]
pub struct Found {
    /// The credentials of the first complete family.
    pub credentials: Credentials,
    /// The variables they came from, for people: `HW_ACCESS_KEY, HW_SECRET_KEY`.
    pub source: String,
}

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No family has any of its variables.
    #[error("no credentials: set HSS_IAC_ACCESS_KEY and HSS_IAC_SECRET_KEY, or HSS_IAC_TOKEN")]
    Missing,
    /// One half stands alone.
    #[error("half a credential: {present} is set and {missing} is not")]
    Half {
        /// The variable that is set.
        present: &'static str,
        /// The variable that is missing.
        missing: &'static str,
    },
}

/// Variables that belong together.
enum Family {
    Token(&'static str),
    Keys { access: &'static str, secret: &'static str, security_token: Option<&'static str> },
}

/// Our own first, then Huawei's SDKs, Terraform and newer tools, the GitHub action `huaweicloud/auth-action`, and the names of `OpenStack`.
const FAMILIES: [Family; 7] = [
    Family::Token("HSS_IAC_TOKEN"),
    Family::Keys {
        access: "HSS_IAC_ACCESS_KEY",
        secret: "HSS_IAC_SECRET_KEY",
        security_token: Some("HSS_IAC_SECURITY_TOKEN"),
    },
    Family::Keys {
        access: "HUAWEICLOUD_SDK_AK",
        secret: "HUAWEICLOUD_SDK_SK",
        security_token: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    },
    Family::Keys { access: "HW_ACCESS_KEY", secret: "HW_SECRET_KEY", security_token: Some("HW_SECURITY_TOKEN") },
    Family::Token("HW_AUTH_TOKEN"),
    Family::Keys { access: "HUAWEI_CLOUD_ACCESS_KEY_ID", secret: "HUAWEI_CLOUD_SECRET_ACCESS_KEY", security_token: None },
    Family::Keys { access: "OS_ACCESS_KEY", secret: "OS_SECRET_KEY", security_token: None },
];

/// Looks for credentials with `get`, which reads one environment variable. The first complete family wins; half of one before it is an
/// error, since the user meant it. Blank values count as unset.
pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Found, SourceError> {
    let read = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    for family in &FAMILIES {
        match family {
            Family::Token(name) => {
                if let Some(token) = read(name) {
                    return Ok(Found { credentials: Credentials::Token(token.into()), source: (*name).to_owned() });
                }
            }
            Family::Keys { access, secret, security_token } => match (read(access), read(secret)) {
                (Some(access_key), Some(secret_key)) => {
                    let token = security_token.and_then(|name| read(name).map(|token| (name, SecretString::from(token))));
                    let third = token.as_ref().map(|(name, _)| format!(", {name}")).unwrap_or_default();
                    return Ok(Found {
                        credentials: Credentials::Keys {
                            access_key,
                            secret_key: secret_key.into(),
                            security_token: token.map(|(_, token)| token),
                        },
                        source: format!("{access}, {secret}{third}"),
                    });
                }
                (Some(_), None) => return Err(SourceError::Half { present: access, missing: secret }),
                (None, Some(_)) => return Err(SourceError::Half { present: secret, missing: access }),
                (None, None) => {
                    if let Some(present) = security_token.filter(|name| read(name).is_some()) {
                        return Err(SourceError::Half { present, missing: access });
                    }
                }
            },
        }
    }
    Err(SourceError::Missing)
}

fn first(get: impl Fn(&str) -> Option<String>, names: &[&'static str]) -> Option<(String, &'static str)> {
    names.iter().find_map(|name| {
        let value = get(name)?.trim().to_owned();
        (!value.is_empty()).then_some((value, *name))
    })
}

/// The region of the other tools' variables, and the variable.
pub fn region_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(get, &["HW_REGION_NAME", "HW_REGION", "HUAWEI_CLOUD_REGION", "OS_REGION_NAME"])
}

/// The project id of the other tools' variables, and the variable.
pub fn project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(get, &["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "HUAWEI_CLOUD_PROJECT_ID"])
}

/// The enterprise project id of the other tools' variables, and the variable.
pub fn enterprise_project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(get, &["HW_ENTERPRISE_PROJECT_ID"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(set: &[(&str, &str)]) -> Result<String, SourceError> {
        from_env(|name| set.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
            .map(|found| found.source)
    }

    #[test]
    fn the_first_complete_family_wins() {
        let hw = [("HW_ACCESS_KEY", "a"), ("HW_SECRET_KEY", "s"), ("HW_SECURITY_TOKEN", "t")];
        assert_eq!(find(&hw), Ok("HW_ACCESS_KEY, HW_SECRET_KEY, HW_SECURITY_TOKEN".into()));
        let ours = [("HSS_IAC_ACCESS_KEY", "a"), ("HSS_IAC_SECRET_KEY", "s")];
        assert_eq!(find(&[&hw[..], &ours[..]].concat()), Ok("HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY".into()));
        assert_eq!(find(&[&ours[..], &[("HSS_IAC_TOKEN", "t")]].concat()), Ok("HSS_IAC_TOKEN".into()));
        assert_eq!(find(&[("HSS_IAC_TOKEN", "  "), ("HW_AUTH_TOKEN", "t")]), Ok("HW_AUTH_TOKEN".into()));
        assert_eq!(find(&[]), Err(SourceError::Missing));
    }

    #[test]
    fn half_a_credential_names_the_other_half() {
        let half = |present, missing| Err(SourceError::Half { present, missing });
        assert_eq!(find(&[("HW_ACCESS_KEY", "a")]), half("HW_ACCESS_KEY", "HW_SECRET_KEY"));
        assert_eq!(find(&[("HSS_IAC_SECURITY_TOKEN", "t")]), half("HSS_IAC_SECURITY_TOKEN", "HSS_IAC_ACCESS_KEY"));
        let set = [("HSS_IAC_SECRET_KEY", "s"), ("HW_ACCESS_KEY", "a"), ("HW_SECRET_KEY", "s")];
        assert_eq!(find(&set), half("HSS_IAC_SECRET_KEY", "HSS_IAC_ACCESS_KEY"));
    }
}
