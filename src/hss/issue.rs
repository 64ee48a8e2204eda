//! Credentials that are obtained: when they are needed, one at a time, and again before they end.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::auth::exchange::{self, Issued, Scope};
use super::auth::{self, Agency, Credentials, IdToken, Plan};
use super::client::{Client, Event, Timings};
use super::send::{Answer, As, Body, Call, Route, Wiped};
use super::{Error, Kind};

/// Credentials are renewed so long before their end, or at four fifths of their time where that is shorter.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// How long a token of the metadata service is to hold, and how long to wait for that service (official Python SDK 3.1.219, core).
const METADATA_TTL: &str = "21600";
const METADATA_TIMEOUT: Duration = Duration::from_secs(3);

/// What is used now.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) credentials: Credentials,
    /// Counts from one: two calls with the same number were made with the same credentials.
    pub(super) number: u32,
    /// Milliseconds of the service's clock; `None` where no end is known.
    ends: Option<i64>,
    renew: Option<i64>,
}

impl Client {
    /// The credentials to make a call with. Where they have to be obtained, others wait for the one that does.
    pub(super) async fn credentials(&self) -> Result<Held, Error> {
        if let Some(held) = self.fresh() {
            return Ok(held);
        }
        let _alone = self.issuing.lock().await;
        if let Some(held) = self.fresh() {
            return Ok(held);
        }
        // Obtaining them makes calls, and calls ask for credentials: the compiler needs an end to that.
        match Box::pin(self.issue(&self.config.plan)).await.and_then(|issued| self.hold(issued)) {
            Ok(held) => Ok(held),
            Err(error) => {
                let Some(held) = self.valid() else {
                    self.refuse(error.clone());
                    return Err(error);
                };
                // It is good for a while: the next try is at its end.
                let held = Held { renew: held.ends, ..held };
                *self.held.borrow_mut() = Some(held.clone());
                Ok(held)
            }
        }
    }

    /// Whether another token may be obtained after this one was refused: once in a run, and for all calls that were made with it.
    pub(super) fn may_renew(&self, refused: u32) -> bool {
        if !self.config.plan.brings_token() {
            return false;
        }
        let now = self.held.borrow().as_ref().map(|held| held.number);
        // Where there is none, or another by now, a call that was made with the same token was refused before this one.
        if now == Some(refused) {
            if self.renewed.replace(true) {
                return false;
            }
            *self.held.borrow_mut() = None;
        }
        true
    }

    fn fresh(&self) -> Option<Held> {
        self.held.borrow().clone().filter(|held| held.renew.is_none_or(|time| self.now() < time))
    }

    fn valid(&self) -> Option<Held> {
        self.held.borrow().clone().filter(|held| held.ends.is_some_and(|time| self.now() < time))
    }

    /// By the service's clock where that is known. It tells whole seconds, and all of the one that it tells may have passed.
    fn now(&self) -> i64 {
        self.service_time().map_or_else(|| Timestamp::now().as_millisecond(), |time| time + 999)
    }

    fn hold(&self, issued: Issued) -> Result<Held, Error> {
        let Issued { credentials, ends, project } = issued;
        if let Some(project) = project {
            self.project.borrow_mut().get_or_insert(project);
        }
        let left = ends.map(|ends| ends.saturating_sub(self.now()));
        if left.is_some_and(|left| left <= 0) {
            return Err(Error::new(Kind::Login, "the credentials that were issued have ended already".to_owned()));
        }
        let number = self.issued.get() + 1;
        self.issued.set(number);
        let renew = ends.zip(left).map(|(ends, left)| ends - AHEAD_MS.min(left / 5));
        let held = Held { credentials, number, ends, renew };
        *self.held.borrow_mut() = Some(held.clone());
        if !matches!(self.config.plan, Plan::Fixed(_)) {
            self.tell(&Event::Issued { until: ends });
        }
        Ok(held)
    }

    async fn issue(&self, plan: &Plan) -> Result<Issued, Error> {
        match plan {
            Plan::Fixed(credentials) => Ok(Issued { credentials: credentials.clone(), ends: None, project: None }),
            Plan::Password { user, password, domain } => {
                let body = exchange::password(user, password, domain, &self.scope()?);
                let query = vec![("nocatalog".to_owned(), "true".to_owned())];
                let call = Call { query, ..post("iam/tokens", &self.iam, "/v3/auth/tokens", body) };
                self.exchange(call, |answer| exchange::token(answer.subject_token.take(), &answer.value)).await
            }
            Plan::IdentityProvider { idp_id, id_token } => {
                let body = exchange::id_token(&self.id_token(id_token).await?, &self.scope()?);
                let headers = vec![("x-idp-id", idp_id.clone().into())];
                let call = Call { headers, ..post("iam/id-token", &self.iam, "/v3.0/OS-AUTH/id-token/tokens", body) };
                self.exchange(call, |answer| exchange::token(answer.subject_token.take(), &answer.value)).await
            }
            Plan::Agency(agency) => self.assume(agency).await,
            Plan::Assumed { base, agency, domain, seconds } => {
                let base = Box::pin(self.issue(base)).await?;
                let body = exchange::assumed(agency, domain, *seconds);
                let call = post("iam/securitytokens", &self.iam, "/v3.0/OS-CREDENTIAL/securitytokens", body);
                let call = Call { who: As::Other(&base.credentials), ..call };
                self.exchange(call, |answer| exchange::credential(&answer.value)).await
            }
            Plan::Metadata { endpoint } => self.metadata(endpoint).await,
        }
    }

    async fn assume(&self, agency: &Agency) -> Result<Issued, Error> {
        let Some(endpoint) = &self.config.sts_endpoint else {
            return Err(Error::new(Kind::Invalid, "no STS endpoint: set a region, or HSS_IAC_STS_ENDPOINT".to_owned()));
        };
        let id_token = self.id_token(&agency.id_token).await?;
        if !(4..=20_000).contains(&id_token.expose_secret().len()) {
            let what = "id_token: STS takes 4 to 20000 characters".to_owned();
            return Err(Error::new(Kind::Invalid, what));
        }
        let sts = Route::new(endpoint, self.config.ca_pem.as_deref(), &self.config.timings)?;
        let call = post("sts/assume-with-oidc", &sts, "/v5/agencies/assume-with-oidc", exchange::agency(agency, &id_token));
        self.exchange(call, |answer| exchange::credentials(&answer.value)).await
    }

    async fn id_token(&self, id_token: &IdToken) -> Result<SecretString, Error> {
        match id_token {
            IdToken::Value(token) => Ok(token.clone()),
            IdToken::File(path) => auth::id_token(path).map_err(|error| {
                Error::new(Kind::Login, format!("the identity token {} can't be read: {error}", path.display()))
            }),
            IdToken::GitHub { url, token, audience } => self.ask_github(url, token, audience.as_deref()).await,
        }
    }

    /// `GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=…` (GitHub Docs, "`OpenID` Connect reference").
    async fn ask_github(&self, url: &str, token: &SecretString, audience: Option<&str>) -> Result<SecretString, Error> {
        let invalid = |_| Error::new(Kind::Invalid, "ACTIONS_ID_TOKEN_REQUEST_URL is no URL".to_owned());
        let url = Url::parse(url).map_err(invalid)?;
        let mut query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        query.extend(audience.map(|audience| ("audience".to_owned(), audience.to_owned())));
        let route = Route::new(&url.origin().ascii_serialization(), self.config.ca_pem.as_deref(), &self.config.timings)?;
        let headers = vec![("authorization", format!("Bearer {}", token.expose_secret()).into())];
        let path = url.path();
        let call = Call { query, headers, ..get("github/id-token", &route, path) };
        self.exchange(call, |answer| exchange::github(&answer.value)).await
    }

    /// A token first; where the service does not know of tokens, it is asked without one, as the official SDK does.
    async fn metadata(&self, endpoint: &str) -> Result<Issued, Error> {
        let request = METADATA_TIMEOUT.min(self.config.timings.request);
        let timings = Timings { request, ..self.config.timings };
        let route = Route::direct(endpoint, &timings)?;
        let headers = vec![("x-metadata-token-ttl-seconds", METADATA_TTL.to_owned().into())];
        let ask = get("metadata/token", &route, "/meta-data/latest/api/token");
        let ask = Call { method: Method::PUT, headers, plain: true, ..ask };
        let token: Option<SecretString> = match self.call(ask).await {
            Ok(mut answer) => {
                let token = answer.value.as_str().map(|token| token.to_owned().into());
                exchange::wipe(&mut answer.value);
                token
            }
            Err(error) if matches!(error.kind, Kind::NotPublished | Kind::Refused) => None,
            Err(error) => return Err(error),
        };
        let headers = token.map(|token| ("x-metadata-token", token)).into_iter().collect();
        let call = Call { headers, ..get("metadata/securitykey", &route, "/openstack/latest/securitykey") };
        self.exchange(call, |answer| exchange::credential(&answer.value)).await
    }

    fn scope(&self) -> Result<Scope, Error> {
        let project = self.config.project_id.clone().map(Scope::Id);
        project.or_else(|| self.config.region.clone().map(Scope::Name)).ok_or_else(|| {
            Error::new(Kind::Invalid, "no project that a token could be for: set HSS_IAC_PROJECT_ID, or a region".to_owned())
        })
    }

    /// Makes the call, takes from its answer what is wanted, and overwrites the rest.
    async fn exchange<T>(&self, call: Call<'_>, take: impl FnOnce(&mut Answer) -> Option<T>) -> Result<T, Error> {
        let api = call.api;
        let answer = self.call(call).await;
        let mut answer = answer.map_err(|error| match error.kind {
            // Whatever was wrong with it, the way in is closed.
            Kind::Refused => Error { kind: Kind::Login, ..error },
            _ => error,
        })?;
        let taken = take(&mut answer);
        exchange::wipe(&mut answer.value);
        let lacking = || format!("{api}: {} with an answer that lacks what is documented", answer.status);
        taken.ok_or_else(|| Error::new(Kind::Failing, lacking()))
    }
}

fn post<'a>(api: &'static str, route: &'a Route, path: &str, body: Value) -> Call<'a> {
    Call { method: Method::POST, body: Body::Secret(Wiped(body)), ..get(api, route, path) }
}

/// A call that proves itself by what it carries.
fn get<'a>(api: &'static str, route: &'a Route, path: &str) -> Call<'a> {
    Call {
        api,
        route,
        method: Method::GET,
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Empty,
        who: As::Nobody,
        plain: false,
        repeatable: true,
        may_be_empty: false,
    }
}
