//! Credentials and how they sign a request.

pub(crate) mod sign;
mod sources;

pub use sources::{Found, SourceError, enterprise_project_from_env, from_env, project_from_env, region_from_env};

use secrecy::SecretString;

/// What proves who we are. `Debug` never shows a secret.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An IAM token, sent as `X-Auth-Token`.
    Token(SecretString),
    /// An access key that signs every request.
    Keys {
        /// The access key id (AK): not secret.
        access_key: String,
        /// The secret key (SK).
        secret_key: SecretString,
        /// Sent along with a temporary key.
        security_token: Option<SecretString>,
    },
}
