//! Where users keep credentials: the variables of our own and of Huawei's tools, in a fixed order.

use secrecy::SecretString;

use super::Credentials;

/// One way to give credentials.
enum Family {
    Token(&'static str),
    Keys { access: &'static str, secret: &'static str, token: Option<&'static str> },
}

/// The order in which credentials are looked for: our own, the official SDKs', Terraform's, those that the GitHub action
/// `huaweicloud/auth-action` exports, and Terraform's old names.
const FAMILIES: [Family; 7] = [
    Family::Token("HSS_IAC_TOKEN"),
    Family::Keys { access: "HSS_IAC_ACCESS_KEY", secret: "HSS_IAC_SECRET_KEY", token: Some("HSS_IAC_SECURITY_TOKEN") },
    Family::Keys {
        access: "HUAWEICLOUD_SDK_AK",
        secret: "HUAWEICLOUD_SDK_SK",
        token: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    },
    Family::Keys { access: "HW_ACCESS_KEY", secret: "HW_SECRET_KEY", token: Some("HW_SECURITY_TOKEN") },
    Family::Token("HW_AUTH_TOKEN"),
    Family::Keys { access: "HUAWEI_CLOUD_ACCESS_KEY_ID", secret: "HUAWEI_CLOUD_SECRET_ACCESS_KEY", token: None },
    Family::Keys { access: "OS_ACCESS_KEY", secret: "OS_SECRET_KEY", token: None },
];

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
    #[error("{present} is set but {missing} is not")]
    Half {
        /// The variable that is set.
        present: &'static str,
        /// The variable that is missing.
        missing: &'static str,
    },
}

/// Looks for credentials with `get`, which reads one environment variable. Blank values count as unset.
pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Found, SourceError> {
    let get = |name: &str| present(&get, name);
    for family in &FAMILIES {
        match *family {
            Family::Token(name) => {
                if let Some(token) = get(name) {
                    return Ok(Found { credentials: Credentials::Token(token.into()), source: name.into() });
                }
            }
            Family::Keys { access, secret, token } => match (get(access), get(secret)) {
                (Some(access_key), Some(secret_key)) => {
                    let security_token = token.and_then(|name| Some((name, SecretString::from(get(name)?))));
                    let mut source = format!("{access}, {secret}");
                    if let Some((name, _)) = &security_token {
                        source.extend([", ", name]);
                    }
                    let security_token = security_token.map(|(_, value)| value);
                    let credentials = Credentials::Keys { access_key, secret_key: secret_key.into(), security_token };
                    return Ok(Found { credentials, source });
                }
                (Some(_), None) => return Err(SourceError::Half { present: access, missing: secret }),
                (None, Some(_)) => return Err(SourceError::Half { present: secret, missing: access }),
                (None, None) => {}
            },
        }
    }
    Err(SourceError::Missing)
}

/// The region that another tool of Huawei's was given, and the variable it stands in.
pub fn region_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(&get, &["HW_REGION_NAME", "HW_REGION", "HUAWEI_CLOUD_REGION", "OS_REGION_NAME"])
}

/// The project id that another tool of Huawei's was given, and the variable it stands in.
pub fn project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(&get, &["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "HUAWEI_CLOUD_PROJECT_ID"])
}

/// The enterprise project id that another tool of Huawei's was given, and the variable it stands in.
pub fn enterprise_project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(&get, &["HW_ENTERPRISE_PROJECT_ID"])
}

fn first(get: &impl Fn(&str) -> Option<String>, names: &[&'static str]) -> Option<(String, &'static str)> {
    names.iter().find_map(|name| Some((present(get, name)?, *name)))
}

fn present(get: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn env(text: &str) -> impl Fn(&str) -> Option<String> {
        let pairs: Vec<(String, String)> =
            text.split(';').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect();
        move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn shown(text: &str) -> String {
        match from_env(env(text)) {
            Err(error) => error.to_string(),
            Ok(Found { credentials: Credentials::Token(token), source }) => format!("{source}: {}", token.expose_secret()),
            Ok(Found { credentials: Credentials::Keys { access_key, secret_key, security_token }, source }) => {
                let token = security_token.map_or("-".to_owned(), |token| token.expose_secret().to_owned());
                format!("{source}: {access_key} {} {token}", secret_key.expose_secret())
            }
        }
    }

    #[test]
    fn every_family_is_found() {
        for (given, found) in [
            ("HSS_IAC_TOKEN=t", "HSS_IAC_TOKEN: t"),
            ("HSS_IAC_ACCESS_KEY=a;HSS_IAC_SECRET_KEY=s", "HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY: a s -"),
            (
                "HSS_IAC_ACCESS_KEY=a;HSS_IAC_SECRET_KEY=s;HSS_IAC_SECURITY_TOKEN=t",
                "HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY, HSS_IAC_SECURITY_TOKEN: a s t",
            ),
            ("HUAWEICLOUD_SDK_AK=a;HUAWEICLOUD_SDK_SK=s", "HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK: a s -"),
            (
                "HW_ACCESS_KEY=a;HW_SECRET_KEY=s;HW_SECURITY_TOKEN=t",
                "HW_ACCESS_KEY, HW_SECRET_KEY, HW_SECURITY_TOKEN: a s t",
            ),
            ("HW_AUTH_TOKEN=t", "HW_AUTH_TOKEN: t"),
            (
                "HUAWEI_CLOUD_ACCESS_KEY_ID=a;HUAWEI_CLOUD_SECRET_ACCESS_KEY=s",
                "HUAWEI_CLOUD_ACCESS_KEY_ID, HUAWEI_CLOUD_SECRET_ACCESS_KEY: a s -",
            ),
            ("OS_ACCESS_KEY=a;OS_SECRET_KEY=s", "OS_ACCESS_KEY, OS_SECRET_KEY: a s -"),
        ] {
            assert_eq!(shown(given), found);
        }
    }

    #[test]
    fn the_first_complete_family_wins() {
        let mut given =
            "HSS_IAC_TOKEN=0;HSS_IAC_ACCESS_KEY=1;HSS_IAC_SECRET_KEY=1;HUAWEICLOUD_SDK_AK=2;HUAWEICLOUD_SDK_SK=2;\
                         HW_ACCESS_KEY=3;HW_SECRET_KEY=3;HW_AUTH_TOKEN=4;HUAWEI_CLOUD_ACCESS_KEY_ID=5;\
                         HUAWEI_CLOUD_SECRET_ACCESS_KEY=5;OS_ACCESS_KEY=6;OS_SECRET_KEY=6"
                .to_owned();
        let mut order = Vec::new();
        for step in 0..=6 {
            order.push(shown(&given).chars().find(char::is_ascii_digit).unwrap());
            given = given.split(';').filter(|pair| !pair.ends_with(&format!("={step}"))).collect::<Vec<_>>().join(";");
        }
        assert_eq!(String::from_iter(order), "0123456");
        assert_eq!(shown(&given), SourceError::Missing.to_string());
    }

    #[test]
    fn half_a_credential_before_a_complete_family_names_its_other_half() {
        assert_eq!(
            shown("HW_ACCESS_KEY=a;HUAWEI_CLOUD_ACCESS_KEY_ID=a;HUAWEI_CLOUD_SECRET_ACCESS_KEY=s"),
            "HW_ACCESS_KEY is set but HW_SECRET_KEY is not"
        );
        assert_eq!(shown("HSS_IAC_SECRET_KEY=s"), "HSS_IAC_SECRET_KEY is set but HSS_IAC_ACCESS_KEY is not");
        assert_eq!(shown("HSS_IAC_TOKEN=t;HW_ACCESS_KEY=a"), "HSS_IAC_TOKEN: t");
    }

    #[test]
    fn blank_values_are_unset_and_others_are_trimmed() {
        assert_eq!(shown("HSS_IAC_TOKEN= ;HSS_IAC_ACCESS_KEY=\t;HW_AUTH_TOKEN= t\n"), "HW_AUTH_TOKEN: t");
        assert_eq!(
            shown("HSS_IAC_ACCESS_KEY=a;HSS_IAC_SECRET_KEY= "),
            "HSS_IAC_ACCESS_KEY is set but HSS_IAC_SECRET_KEY is not"
        );
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        let found = from_env(env("HW_ACCESS_KEY=ak;HW_SECRET_KEY=hush;HW_SECURITY_TOKEN=hush")).unwrap();
        assert!(!format!("{found:?}").contains("hush"));
    }

    #[test]
    fn where_comes_from_the_first_variable_that_is_set() {
        let both = "HW_REGION= ;HUAWEI_CLOUD_REGION=b;OS_REGION_NAME=c";
        assert_eq!(region_from_env(env(both)), Some(("b".into(), "HUAWEI_CLOUD_REGION")));
        assert_eq!(project_from_env(env("HW_PROJECT_ID=p;HUAWEI_CLOUD_PROJECT_ID=q")), Some(("p".into(), "HW_PROJECT_ID")));
        assert_eq!(
            enterprise_project_from_env(env("HW_ENTERPRISE_PROJECT_ID=e")),
            Some(("e".into(), "HW_ENTERPRISE_PROJECT_ID"))
        );
        assert_eq!(region_from_env(env("")), None);
    }
}
