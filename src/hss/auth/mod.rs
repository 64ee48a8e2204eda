//! Credentials: where they come from, how they are obtained, and how they sign a request.

pub mod exchange;
mod file;
mod keyless;
pub(crate) mod sign;
mod sources;

use std::path::PathBuf;

use secrecy::SecretString;

pub(super) use self::file::id_token;
pub use self::sources::{
    Found, SourceError, Warning, enterprise_project_from_env, find, iam_endpoint_from_env, project_from_env,
    region_from_env, sts_endpoint_from_env,
};

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

/// How to come by credentials.
#[derive(Debug, Clone)]
pub enum Plan {
    /// They are at hand, and are used until the service refuses them.
    Fixed(Credentials),
    /// An IAM user and password, for a token of 24 hours.
    Password {
        /// The name of the IAM user.
        user: String,
        /// The password.
        password: SecretString,
        /// The name of the account that the user belongs to.
        domain: String,
    },
    /// An identity token from elsewhere for temporary keys of a trust agency, by STS.
    Agency(Box<Agency>),
    /// An identity token from elsewhere for an IAM token, by an identity provider of IAM.
    IdentityProvider {
        /// The id of the identity provider.
        idp_id: String,
        /// The identity token.
        id_token: IdToken,
    },
    /// Other credentials for temporary keys of an agency, by IAM.
    Assumed {
        /// Who assumes it.
        base: Box<Plan>,
        /// Its name.
        agency: String,
        /// The account that it belongs to.
        domain: Domain,
        /// How long the keys are to hold: 900 to 86,400 seconds.
        seconds: u32,
    },
    /// The metadata service of an ECS, for temporary keys of the agency of the machine.
    Metadata {
        /// `http://169.254.169.254`.
        endpoint: String,
    },
}

impl Plan {
    /// The secret key that is the same in every run.
    pub fn lasting_key(&self) -> Option<&SecretString> {
        match self {
            Self::Fixed(Credentials::Keys { secret_key, security_token: None, .. }) => Some(secret_key),
            Self::Assumed { base, .. } => base.lasting_key(),
            _ => None,
        }
    }

    /// Whether IAM is asked with something that is for IAM alone.
    pub fn needs_iam(&self) -> bool {
        matches!(self, Self::Password { .. } | Self::IdentityProvider { .. } | Self::Assumed { .. })
    }

    /// Whether STS is asked.
    pub fn needs_sts(&self) -> bool {
        matches!(self, Self::Agency(_))
    }

    /// Whether calls carry a token and no signature.
    pub fn calls_by_token(&self) -> bool {
        matches!(self, Self::Fixed(Credentials::Token(_))) || self.brings_token()
    }

    /// Whether what it brings is a token, which names its project.
    pub(super) fn brings_token(&self) -> bool {
        matches!(self, Self::Password { .. } | Self::IdentityProvider { .. })
    }
}

/// What STS needs for `AssumeAgencyWithOIDC`, the identity token's value apart.
#[derive(Debug, Clone)]
pub struct Agency {
    /// The OIDC provider: `iam::ACCOUNT:oidcProvider:NAME`.
    pub provider_urn: String,
    /// The trust agency: `iam::ACCOUNT:agency:NAME`.
    pub agency_urn: String,
    /// How the session is called in the audit log, 2 to 128 characters.
    pub session_name: String,
    /// How long the keys are to hold: 900 to 43,200 seconds.
    pub seconds: u32,
    /// A policy that narrows what the keys may do.
    pub policy: Option<String>,
    /// Policies that do the same, at most 20.
    pub policy_ids: Vec<String>,
    /// The identity token.
    pub id_token: IdToken,
}

/// An account, by either of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// `domain_id`.
    Id(String),
    /// `domain_name`.
    Name(String),
}

/// Where an identity token is.
#[derive(Debug, Clone)]
pub enum IdToken {
    /// At hand.
    Value(SecretString),
    /// In a file, which is read whenever it is needed, since who wrote it renews it.
    File(PathBuf),
    /// At GitHub, which makes one for a job that asks.
    GitHub {
        /// `https://…`, with a query of its own.
        url: String,
        /// What the job asks with. Goes to this URL and nowhere else.
        token: SecretString,
        /// Whom the identity token is for; GitHub's own choice where `None`.
        audience: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// The lasting key, then whether IAM and STS are asked, calls carry a token, and a token is obtained.
    fn told(plan: &Plan) -> (Option<&str>, [bool; 4]) {
        let key = plan.lasting_key().map(ExposeSecret::expose_secret);
        (key, [plan.needs_iam(), plan.needs_sts(), plan.calls_by_token(), plan.brings_token()])
    }

    #[test]
    fn what_each_plan_asks_and_brings() {
        let keys = |token: Option<&str>| {
            let security_token = token.map(SecretString::from);
            Plan::Fixed(Credentials::Keys { access_key: "ak".into(), secret_key: "sk".into(), security_token })
        };
        let assumed = |base| Plan::Assumed {
            base: Box::new(base),
            agency: "a".into(),
            domain: Domain::Name("d".into()),
            seconds: 900,
        };
        let id_token = IdToken::Value("t".into());
        let password = Plan::Password { user: "u".into(), password: "p".into(), domain: "d".into() };
        let agency = Plan::Agency(Box::new(Agency {
            provider_urn: "p".into(),
            agency_urn: "a".into(),
            session_name: "s".into(),
            seconds: 900,
            policy: None,
            policy_ids: Vec::new(),
            id_token: id_token.clone(),
        }));
        let metadata = Plan::Metadata { endpoint: "http://169.254.169.254".into() };
        let fixed = Plan::Fixed(Credentials::Token("t".into()));
        let by_idp = Plan::IdentityProvider { idp_id: "i".into(), id_token };
        let (iam, sts, none) = ([true, false, false, false], [false, true, false, false], [false; 4]);
        assert_eq!(told(&fixed), (None, [false, false, true, false]));
        assert_eq!(told(&keys(None)), (Some("sk"), none));
        assert_eq!(told(&keys(Some("st"))), (None, none));
        assert_eq!(told(&password), (None, [true, false, true, true]));
        assert_eq!(told(&by_idp), (None, [true, false, true, true]));
        assert_eq!(told(&agency), (None, sts));
        assert_eq!(told(&metadata), (None, none));
        assert_eq!(told(&assumed(keys(None))), (Some("sk"), iam));
        assert_eq!(told(&assumed(password)), (None, iam));
    }
}
