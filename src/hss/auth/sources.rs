//! Where users keep credentials: the variables of our own and of Huawei's tools, in a fixed order.

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
    #[error("{present} is set but {missing} is not")]
    Half {
        /// The variable that is set.
        present: &'static str,
        /// The variable that is missing.
        missing: &'static str,
    },
}

/// Looks for credentials with `get`, which reads one environment variable.
pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Found, SourceError> {
    let _ = get;
    Err(SourceError::Missing)
}

/// x
pub fn region_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    let _ = get;
    None
}

/// x
pub fn project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    let _ = get;
    None
}

/// x
pub fn enterprise_project_from_env(get: impl Fn(&str) -> Option<String>) -> Option<(String, &'static str)> {
    let _ = get;
    None
}
