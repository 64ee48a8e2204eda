//! Credentials without a key: a CI platform says in an identity token who runs, and Huawei Cloud takes its word.
//!
//! The variables are those of the official Python SDK 3.1.219, core. GitHub's are those of its "`OpenID` Connect reference".

use super::file::readable_by_others;
use super::sources::{Env, Found, SourceError, Warning, half};
use super::{Agency, IdToken, Plan};

const PROVIDER: &str = "HUAWEICLOUD_OIDC_PROVIDER_URN";
const AGENCY: &str = "HUAWEICLOUD_OIDC_AGENCY_URN";
const TOKEN: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
const TOKEN_FILE: &str = "HUAWEICLOUD_OIDC_TOKEN_FILE";
const IDP: &str = "HUAWEICLOUD_SDK_IDP_ID";
const IDP_FILE: &str = "HUAWEICLOUD_SDK_ID_TOKEN_FILE";
const GITHUB: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// `AssumeAgencyWithOIDC` of STS.
pub(super) fn agency(env: Env<'_>) -> Result<Option<Found>, SourceError> {
    let (provider_urn, agency_urn) = match (env.text(PROVIDER), env.text(AGENCY)) {
        (Some(provider), Some(agency)) => (provider, agency),
        (Some(_), None) => return Err(half(PROVIDER, AGENCY)),
        (None, Some(_)) => return Err(half(AGENCY, PROVIDER)),
        (None, None) => {
            // With the id of an identity provider the token is for IAM.
            let token = env.any(&[TOKEN, TOKEN_FILE]).filter(|_| !env.is_set(IDP));
            return token.map_or(Ok(None), |token| Err(half(token, PROVIDER)));
        }
    };
    let (id_token, which) = id_token(env, None).ok_or_else(|| without_token(env, PROVIDER, TOKEN))?;
    let session_name = env.text("HUAWEICLOUD_OIDC_SESSION_NAME").unwrap_or_else(|| "hss-iac".to_owned());
    if !(2..=128).contains(&session_name.chars().count()) {
        return Err(SourceError::Invalid("HUAWEICLOUD_OIDC_SESSION_NAME: STS takes 2 to 128 characters".to_owned()));
    }
    let policy_ids = env.text("HUAWEICLOUD_OIDC_POLICY_IDS").unwrap_or_default();
    let policy_ids = policy_ids.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let agency = Agency {
        provider_urn,
        agency_urn,
        session_name,
        seconds: env.seconds("HUAWEICLOUD_OIDC_DURATION_SECONDS", 900..=43_200)?.unwrap_or(3_600),
        policy: env.text("HUAWEICLOUD_OIDC_POLICY"),
        policy_ids,
        id_token,
    };
    let warnings = readable(&agency.id_token);
    let found = Found::new(Plan::Agency(Box::new(agency)), format!("{PROVIDER}, {AGENCY}, {which}"));
    Ok(Some(Found { warnings, ..found }))
}

/// An identity provider of IAM.
pub(super) fn identity_provider(env: Env<'_>) -> Result<Option<Found>, SourceError> {
    let Some(idp_id) = env.text(IDP) else {
        return if env.is_set(IDP_FILE) { Err(half(IDP_FILE, IDP)) } else { Ok(None) };
    };
    let (id_token, which) = id_token(env, Some(IDP_FILE)).ok_or_else(|| without_token(env, IDP, IDP_FILE))?;
    let warnings = readable(&id_token);
    let found = Found::new(Plan::IdentityProvider { idp_id, id_token }, format!("{IDP}, {which}"));
    Ok(Some(Found { warnings, ..found }))
}

/// The identity token, and where it is from. GitHub's variables stand in every job that may have one, whatever it is for, so that they are
/// looked at last and are no half of anything.
fn id_token(env: Env<'_>, file: Option<&'static str>) -> Option<(IdToken, &'static str)> {
    for name in file.into_iter().chain([TOKEN_FILE]) {
        // A token at hand goes before a file, except before the file that is the other half by name.
        if name == TOKEN_FILE
            && let Some(token) = env.secret(TOKEN)
        {
            return Some((IdToken::Value(token), TOKEN));
        }
        if let Some(path) = env.text(name) {
            return Some((IdToken::File(path.into()), name));
        }
    }
    let [url, token] = GITHUB;
    let audience = env.text("HSS_IAC_OIDC_AUDIENCE");
    Some((IdToken::GitHub { url: env.text(url)?, token: env.secret(token)?, audience }, url))
}

fn without_token(env: Env<'_>, present: &str, missing: &str) -> SourceError {
    if env.text("GITHUB_ACTIONS").as_deref() == Some("true") {
        return half(present, &format!("{missing} (or give the job the permission id-token: write)"));
    }
    half(present, missing)
}

fn readable(id_token: &IdToken) -> Vec<Warning> {
    match id_token {
        IdToken::File(path) => readable_by_others(path).into_iter().collect(),
        _ => Vec::new(),
    }
}
