//! The way to the hosts, as far as it goes without credentials.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::{Checks, Name};
use crate::error::Error;
use crate::hss::auth::Plan;
use crate::hss::reach::{self, Broken, Distrust, Hop, Via};
use crate::model::Exit;
use crate::settings;

/// A signature of another time is refused (Huawei Cloud, "API Request Signing Guide": 15 minutes).
const MOST_SKEW_MS: u64 = 15 * 60 * 1000;
/// Above this a clock is not kept by anybody.
const USUAL_SKEW_MS: u64 = 60 * 1000;

/// The hosts that a scan would call, HSS first.
pub(super) fn hosts(service: &settings::Service, plan: Option<&Plan>) -> Vec<String> {
    let mut hosts = vec![service.endpoint.clone()];
    if service.project_id.is_none() || plan.is_some_and(Plan::needs_iam) {
        hosts.extend(service.iam_endpoint.clone());
    }
    if plan.is_some_and(Plan::needs_sts) {
        hosts.extend(service.sts_endpoint.clone());
    }
    let mut seen = HashSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    hosts
}

/// What is used on the way.
pub(super) struct Way<'a> {
    pub(super) settings: &'a settings::Doctor,
    pub(super) ca_pem: Option<&'a [u8]>,
    /// Whether calls carry a token, which is good by any clock.
    pub(super) by_token: bool,
}

/// How far it went.
#[derive(Default)]
pub(super) struct End {
    /// Why no call is made; `None` where every host answered.
    pub(super) obstacle: Option<&'static str>,
    /// Whether a stand-in answered.
    pub(super) stand_in: bool,
    /// By how much a host is ahead of us, in milliseconds, and which, where it is furthest from our time.
    ahead: Option<(i64, String)>,
}

impl End {
    fn join(&mut self, other: Self) {
        self.obstacle = self.obstacle.or(other.obstacle);
        self.stand_in |= other.stand_in;
        let by = |ahead: &Option<(i64, String)>| ahead.as_ref().map(|(ahead, _)| ahead.unsigned_abs());
        if by(&other.ahead) > by(&self.ahead) {
            self.ahead = other.ahead;
        }
    }
}

impl Way<'_> {
    /// Goes to all hosts side by side, and compares our clock with the one that is furthest from it.
    pub(super) async fn all(&self, hosts: &[String], checks: &mut Checks) -> Result<End, Error> {
        let mut end = End::default();
        for went in join_all(hosts.iter().map(|host| self.to(host))).await {
            let (of_host, ended) = went?;
            checks.list.extend(of_host.list);
            end.join(ended);
        }
        clock(end.ahead.as_ref(), self.by_token, checks);
        if end.stand_in && !self.settings.stand_in_allowed {
            end.obstacle = Some("a stand-in answered in place of HSS");
        }
        Ok(end)
    }

    async fn to(&self, host: &str) -> Result<(Checks, End), Error> {
        let mut checks = Checks { endpoint: Some(host.to_owned()), ..Checks::default() };
        let end = self.step_by_step(host, &mut checks).await?;
        Ok((checks, end))
    }

    async fn step_by_step(&self, host: &str, checks: &mut Checks) -> Result<End, Error> {
        let unreached = End { obstacle: Some("a host was not reached"), ..End::default() };
        let via = reach::via(host)?;
        proxy(&via, host, checks);
        if matches!(via, Via::Torn(_) | Via::Unusable(_)) {
            for name in [Name::Resolve, Name::Connection, Name::Tls] {
                checks.skipped(name, format!("{host}: not tried, by a proxy that is not known"));
            }
            return Ok(unreached);
        }
        let (asked, is_proxy) = match &via {
            Via::Proxy(proxy) => (proxy.as_str(), true),
            _ => (host, false),
        };
        match reach::resolve(asked).await {
            Ok(found) => {
                let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                let (name, found) = (name_of(asked), found.join(", "));
                let is_address = name.trim_matches(['[', ']']) == found;
                checks.ok(
                    Name::Resolve,
                    if is_address { format!("{name} is an address") } else { format!("{name}: {found}") },
                );
            }
            Err(why) => {
                let remedy = if is_proxy {
                    "check the name in HTTPS_PROXY or ALL_PROXY"
                } else {
                    "check the region or the endpoint, and this machine's DNS; behind a proxy set HTTPS_PROXY"
                };
                checks.failed(Name::Resolve, Exit::Service, format!("{} is not found: {why}", name_of(asked)), remedy);
                for name in [Name::Connection, Name::Tls] {
                    checks.skipped(name, format!("{host}: not tried, since {} is not found", name_of(asked)));
                }
                return Ok(unreached);
            }
        }
        match reach::knock(host, self.ca_pem, &self.settings.timings).await? {
            Ok(reached) => {
                self.connection(host, reached.stand_in, checks);
                tls(host, self.settings.ca_file.as_deref(), checks);
                let ahead = reached.ahead.map(|ahead| (ahead, host.to_owned()));
                Ok(End { obstacle: None, stand_in: reached.stand_in, ahead })
            }
            Err(broken) => {
                self.broken(host, &via, &broken, checks);
                Ok(unreached)
            }
        }
    }

    fn connection(&self, host: &str, stand_in: bool, checks: &mut Checks) {
        if stand_in && !self.settings.stand_in_allowed {
            let found = format!("{host}: a stand-in answered in place of HSS where CI is set");
            checks.failed(Name::Connection, Exit::Usage, found, "name HSS itself; say --allow-stand-in if that is meant");
        } else {
            checks.ok(Name::Connection, format!("{host} answers"));
        }
    }

    fn broken(&self, host: &str, via: &Via, broken: &Broken, checks: &mut Checks) {
        let found = format!("{host}: {}", broken.why);
        let distrust = match broken.hop {
            Hop::Client => {
                checks.skipped(Name::Connection, format!("{host}: not tried, without TLS"));
                checks.failed(Name::Tls, Exit::Usage, found, reach::NO_CLIENT);
                return;
            }
            Hop::Connection => {
                let remedy = match via {
                    Via::Proxy(_) => {
                        "check the proxy, and whether it lets you through to this host; NO_PROXY goes around it"
                    }
                    Via::ThisMachine => "start what is to listen there, or leave the endpoint out",
                    _ => "let this machine out to the host, port 443, or name a proxy in HTTPS_PROXY",
                };
                checks.failed(Name::Connection, Exit::Service, found, remedy);
                checks.skipped(Name::Tls, format!("{host}: not tried, without a connection"));
                return;
            }
            Hop::ProxyLogin => {
                let remedy =
                    "the proxy wants a login: USER:PASSWORD@ before its host in HTTPS_PROXY or ALL_PROXY, percent-encoded";
                checks.failed(Name::Connection, Exit::Service, found, remedy);
                checks.skipped(Name::Tls, format!("{host}: not tried, without a connection"));
                return;
            }
            Hop::Answer => {
                let remedy = "try again; if it stays, look at what stands between this machine and the host";
                checks.failed(Name::Connection, Exit::Service, found, remedy);
                tls(host, self.settings.ca_file.as_deref(), checks);
                return;
            }
            Hop::Tls(distrust) => distrust,
        };
        checks.ok(Name::Connection, format!("{host} can be connected to"));
        let remedy = match (distrust, &self.settings.ca_file) {
            (Distrust::Issuer, None) => "if a proxy or an endpoint of your own is meant: --ca-file FILE with its CA in PEM",
            (Distrust::Issuer, Some(_)) => "--ca-file holds another CA than the one that signed it: ask who runs the proxy",
            (Distrust::Time, _) => "set the clock of this machine; if it is right, the certificate of the host has ended",
            (Distrust::Name, _) => "check the endpoint; if it is right, somebody else answers in its place",
            (Distrust::Unfit, _) => {
                "have the host show a certificate for servers; one that it signed itself as a CA, as openssl makes them, is none"
            }
            (Distrust::BrokenOff, _) => {
                "the other end breaks TLS off or says nothing: check that the port speaks it, and that no firewall or filter stops this name"
            }
            (Distrust::Other, _) => "check that the port speaks TLS 1.2 or 1.3, and what stands in between",
        };
        checks.failed(Name::Tls, Exit::Service, found, remedy);
    }
}

/// Without scheme and port.
fn name_of(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(name, _)| name)
}

fn proxy(via: &Via, host: &str, checks: &mut Checks) {
    let mut refused = |name: &str, [wrong, remedy]: [&str; 2]| {
        checks.failed(Name::Proxy, Exit::Usage, format!("{host}: {name} {wrong}"), remedy);
    };
    match via {
        Via::Direct => checks.ok(Name::Proxy, format!("{host}: none")),
        Via::ThisMachine => checks.ok(Name::Proxy, format!("{host}: none, since it is this machine")),
        Via::Proxy(proxy) => checks.ok(Name::Proxy, format!("{host}: through {proxy}")),
        Via::Hidden { .. } | Via::InCgi(_) => {
            let (why, remedy) = via.gone_around().unwrap_or_default();
            checks.warning(Name::Proxy, format!("{host}: none{why}"), &remedy);
        }
        Via::Torn(name) => refused(name, reach::TORN),
        Via::Unusable(name) => refused(name, reach::UNUSABLE),
    }
}

fn tls(host: &str, ca_file: Option<&str>, checks: &mut Checks) {
    if host.starts_with("http://") {
        return checks.ok(Name::Tls, format!("{host}: plain http, which does not leave this machine"));
    }
    let beside = ca_file.map(|file| format!(" or {file}")).unwrap_or_default();
    checks.ok(Name::Tls, format!("{host}: the system{beside} trusts its certificate"));
}

fn clock(ahead: Option<&(i64, String)>, by_token: bool, checks: &mut Checks) {
    let Some((ahead, host)) = ahead else { return checks.skipped(Name::Clock, "no host told its time".to_owned()) };
    let by = ahead.unsigned_abs();
    let remedy = "set the clock of this machine, and have it kept by NTP";
    if by <= USUAL_SKEW_MS {
        return checks.ok(Name::Clock, "within a minute of the service's".to_owned());
    }
    let found = format!("{} s {} the clock of {host}", by / 1000, if *ahead > 0 { "behind" } else { "ahead of" });
    if by_token {
        checks.warning(Name::Clock, found, remedy);
    } else if by <= MOST_SKEW_MS {
        checks.warning(Name::Clock, format!("{found}; a signature is good for 15 minutes"), remedy);
    } else {
        checks.failed(Name::Clock, Exit::Login, format!("{found}: signatures are refused after 15 minutes"), remedy);
    }
}

#[cfg(test)]
mod tests;
