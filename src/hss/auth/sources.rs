//! Where users keep credentials: the variables of our own and of Huawei's tools and their file, in a fixed order.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Credentials, Domain, Plan, file, keyless};

/// The metadata service of an ECS (official Python SDK 3.1.219, core).
const METADATA: &str = "http://169.254.169.254";

/// How to come by credentials, and what stood beside them.
#[derive(Debug, Clone)]
pub struct Found {
    /// The first that is complete.
    pub plan: Plan,
    /// Where it is from, for people: `HW_ACCESS_KEY, HW_SECRET_KEY`.
    pub source: String,
    /// Whether that is a file and not variables.
    pub in_file: bool,
    /// The project that the file names.
    pub project_id: Option<String>,
    /// The IAM endpoint that the file names.
    pub iam_endpoint: Option<String>,
    /// What the user must know of it.
    pub warnings: Vec<Warning>,
}

/// What the user must know of credentials, and what to do: `FILE can be read by others: chmod 600`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found}: {remedy}")]
pub struct Warning {
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Found {
    /// Found in variables.
    pub(super) fn new(plan: Plan, source: String) -> Self {
        Self { plan, source, in_file: false, project_id: None, iam_endpoint: None, warnings: Vec::new() }
    }
}

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody has any.
    #[error("no credentials: set HSS_IAC_ACCESS_KEY and HSS_IAC_SECRET_KEY, or HSS_IAC_TOKEN")]
    Missing,
    /// One half stands alone.
    #[error("half a credential: {present} is set and {missing} is not")]
    Half {
        /// What is set.
        present: String,
        /// What is missing.
        missing: String,
    },
    /// One that can't be used.
    #[error("{0}")]
    Invalid(String),
}

/// Half a credential.
pub(super) fn half(present: &str, missing: &str) -> SourceError {
    SourceError::Half { present: present.to_owned(), missing: missing.to_owned() }
}

/// What belongs together.
enum Family {
    Token(&'static str),
    Keys { access: &'static str, secret: &'static str, security_token: Option<&'static str> },
    Agency,
    IdentityProvider,
    Password,
    Profile,
}

/// Our own first, then Huawei's SDKs, Terraform and newer tools, the GitHub action `huaweicloud/auth-action`, the names of `OpenStack`,
/// and the file of Huawei's SDKs. As with these, what needs no key comes before their keys.
const FAMILIES: [Family; 11] = [
    Family::Token("HSS_IAC_TOKEN"),
    Family::Keys {
        access: "HSS_IAC_ACCESS_KEY",
        secret: "HSS_IAC_SECRET_KEY",
        security_token: Some("HSS_IAC_SECURITY_TOKEN"),
    },
    Family::Agency,
    Family::IdentityProvider,
    Family::Keys {
        access: "HUAWEICLOUD_SDK_AK",
        secret: "HUAWEICLOUD_SDK_SK",
        security_token: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    },
    Family::Keys { access: "HW_ACCESS_KEY", secret: "HW_SECRET_KEY", security_token: Some("HW_SECURITY_TOKEN") },
    Family::Token("HW_AUTH_TOKEN"),
    Family::Password,
    Family::Keys { access: "HUAWEI_CLOUD_ACCESS_KEY_ID", secret: "HUAWEI_CLOUD_SECRET_ACCESS_KEY", security_token: None },
    Family::Keys { access: "OS_ACCESS_KEY", secret: "OS_SECRET_KEY", security_token: None },
    Family::Profile,
];

/// Looks for credentials with `get`, which reads one environment variable. The first that is complete wins; half of one before it is an
/// error, since the user meant it. Blank values count as unset. Obtains nothing yet.
pub fn find(get: &dyn Fn(&str) -> Option<String>) -> Result<Found, SourceError> {
    let env = Env(get);
    match env.text("HSS_IAC_CREDENTIALS").as_deref() {
        None | Some("auto") => {}
        Some("ecs") => return metadata(env),
        Some(other) => {
            return Err(SourceError::Invalid(format!(
                "HSS_IAC_CREDENTIALS is {other:?}: say auto, or ecs for the agency of the machine"
            )));
        }
    }
    for family in &FAMILIES {
        let found = match family {
            Family::Token(name) => {
                env.secret(name).map(|token| Found::new(Plan::Fixed(Credentials::Token(token)), (*name).to_owned()))
            }
            Family::Keys { access, secret, security_token } => env.keys(access, secret, *security_token)?,
            Family::Agency => keyless::agency(env)?,
            Family::IdentityProvider => keyless::identity_provider(env)?,
            Family::Password => password(env)?,
            Family::Profile => file::profile(env)?,
        };
        let Some(found) = found else { continue };
        let of_terraform = !found.in_file && found.source.starts_with("HW_");
        return if of_terraform { assumed(env, found) } else { Ok(not_assumed(env, found)) };
    }
    Err(SourceError::Missing)
}

/// The environment.
#[derive(Clone, Copy)]
pub(super) struct Env<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Env<'_> {
    pub(super) fn text(self, name: &str) -> Option<String> {
        let value = (self.0)(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn secret(self, name: &str) -> Option<SecretString> {
        let raw = Zeroizing::new((self.0)(name)?);
        let value = raw.trim();
        (!value.is_empty()).then(|| SecretString::from(value.to_owned()))
    }

    pub(super) fn is_set(self, name: &str) -> bool {
        self.secret(name).is_some()
    }

    /// The first of these that is set.
    pub(super) fn any(self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.is_set(name))
    }

    /// A number of seconds between two bounds.
    pub(super) fn seconds(self, name: &str, bounds: std::ops::RangeInclusive<u32>) -> Result<Option<u32>, SourceError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(seconds) if bounds.contains(&seconds) => Ok(Some(seconds)),
            _ => {
                let (least, most) = bounds.into_inner();
                Err(SourceError::Invalid(format!("{name} is {text:?}: say {least} to {most} seconds")))
            }
        }
    }

    fn keys(self, access: &str, secret: &str, security_token: Option<&str>) -> Result<Option<Found>, SourceError> {
        match (self.text(access), self.secret(secret)) {
            (Some(access_key), Some(secret_key)) => {
                let third = security_token.and_then(|name| Some((name, self.secret(name)?)));
                let mut source = format!("{access}, {secret}");
                if let Some((name, _)) = &third {
                    source = format!("{source}, {name}");
                }
                let security_token = third.map(|(_, token)| token);
                let keys = Credentials::Keys { access_key, secret_key, security_token };
                Ok(Some(Found::new(Plan::Fixed(keys), source)))
            }
            (Some(_), None) => Err(half(access, secret)),
            (None, Some(_)) => Err(half(secret, access)),
            (None, None) => match security_token.filter(|name| self.is_set(name)) {
                Some(present) => Err(half(present, access)),
                None => Ok(None),
            },
        }
    }
}

/// The IAM user of the Terraform provider. The account's name alone is no half: it may stand beside keys.
fn password(env: Env<'_>) -> Result<Option<Found>, SourceError> {
    let [user_name, password_name, domain_name] = ["HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_NAME"];
    match (env.text(user_name), env.secret(password_name)) {
        (Some(user), Some(password)) => {
            let domain = env.text(domain_name).ok_or_else(|| half(user_name, domain_name))?;
            let source = format!("{user_name}, {password_name}, {domain_name}");
            Ok(Some(Found::new(Plan::Password { user, password, domain }, source)))
        }
        (Some(_), None) => Err(half(user_name, password_name)),
        (None, Some(_)) => Err(half(password_name, user_name)),
        (None, None) => Ok(None),
    }
}

const ROLE: [&str; 4] =
    ["HW_ASSUME_ROLE_AGENCY_NAME", "HW_ASSUME_ROLE_DOMAIN_NAME", "HW_ASSUME_ROLE_DOMAIN_ID", "HW_ASSUME_ROLE_DURATION"];

/// Says that an agency, where one is named, is not assumed.
fn not_assumed(env: Env<'_>, mut found: Found) -> Found {
    if let Some(name) = env.any(&ROLE) {
        let what = format!("{name} has no part in this: it goes with HW_ credentials, and these are from {}", found.source);
        let remedy = "unset it, or give the credentials that may assume the agency in HW_ variables";
        found.warnings.push(Warning { found: what, remedy });
    }
    found
}

/// The agency that Terraform's variables say is to be assumed, on top of Terraform's credentials and those of a machine: other credentials
/// were not given for it.
fn assumed(env: Env<'_>, mut found: Found) -> Result<Found, SourceError> {
    let [name, domain_name, domain_id, duration] = ROLE;
    let domain = env
        .text(domain_id)
        .map(|id| (Domain::Id(id), domain_id))
        .or_else(|| env.text(domain_name).map(|name| (Domain::Name(name), domain_name)));
    let (agency, (domain, which)) = match (env.text(name), domain) {
        (Some(agency), Some(domain)) => (agency, domain),
        (Some(_), None) => return Err(half(name, domain_name)),
        (None, Some((_, present))) => return Err(half(present, name)),
        (None, None) if env.is_set(duration) => return Err(half(duration, name)),
        (None, None) => return Ok(found),
    };
    found.source = format!("{}, {name}, {which}", found.source);
    let seconds = env.seconds(duration, 900..=86_400)?.unwrap_or(3_600);
    found.plan = Plan::Assumed { base: Box::new(found.plan), agency, domain, seconds };
    Ok(found)
}

/// The agency of the machine. Another endpoint than Huawei's is for tests, and taken on this machine only.
fn metadata(env: Env<'_>) -> Result<Found, SourceError> {
    let name = "HSS_IAC_METADATA_ENDPOINT";
    let endpoint = env.text(name);
    if endpoint.as_deref().is_some_and(|url| !matches!(super::super::is_loopback(url), Ok(true))) {
        return Err(SourceError::Invalid(format!("{name} is for tests: it must be on this machine, http://127.0.0.1:PORT")));
    }
    let endpoint = endpoint.unwrap_or_else(|| METADATA.to_owned());
    assumed(env, Found::new(Plan::Metadata { endpoint }, "the ECS metadata service".to_owned()))
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

/// The IAM endpoint of Huawei's SDKs, and the variable.
pub fn iam_endpoint_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(get, &["HUAWEICLOUD_SDK_IAM_ENDPOINT"])
}

/// The STS endpoint of Huawei's SDKs, and the variable.
pub fn sts_endpoint_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    first(get, &["HUAWEICLOUD_SDK_STS_ENDPOINT"])
}

#[cfg(test)]
mod tests;
