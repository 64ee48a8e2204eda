//! How far it is to a host: proxy, name, connection, TLS, clock. No credential is sent, and no API is called.

use std::ffi::OsString;
use std::net::{IpAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use jiff::Timestamp;
use reqwest::Url;
use rustls::CertificateError;

use super::client::Timings;
use super::send::Route;
use super::{Error, is_loopback};

/// The variables that name a proxy for https, in the order in which they count.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];
/// How long the system may look for a name.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who stands between this machine and a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Nobody: no variable names a proxy, or `NO_PROXY` names the host.
    Direct,
    /// Nobody, since the host is this machine.
    ThisMachine,
    /// The proxy of this URL, without what stands before its `@`.
    Proxy(String),
    /// Nobody can tell: what this variable holds can't be used. It may be a password, and is not shown.
    Unusable(&'static str),
    /// Nobody, since the first variable is set to nothing, and the second then does not count.
    Hidden {
        /// The one that is empty.
        empty: &'static str,
        /// The one that holds a proxy.
        other: &'static str,
    },
    /// Nobody: `REQUEST_METHOD` stands for a CGI script, in which this variable does not count.
    InCgi(&'static str),
    /// Nobody can tell: the URL in this variable is cut within its password, and is not shown.
    Torn(&'static str),
}

impl Via {
    /// Why a proxy that is set is gone around, to follow on "none", and what to do.
    pub fn gone_around(&self) -> Option<(String, String)> {
        match self {
            Self::Hidden { empty, other } => Some((
                format!(", since {empty} is empty, which hides {other}"),
                format!("unset {empty}; if no proxy is meant, unset {other} or name the host in NO_PROXY"),
            )),
            Self::InCgi(name) => Some((
                format!(": {name} does not count where REQUEST_METHOD is set, as in a CGI script"),
                "unset REQUEST_METHOD".to_owned(),
            )),
            _ => None,
        }
    }
}

/// Who stands between, by the very rules that the HTTP client goes by.
pub fn via(base: &str) -> Result<Via, Error> {
    if is_loopback(base)? {
        return Ok(Via::ThisMachine);
    }
    let Ok(uri) = base.parse::<http::Uri>() else { return Ok(Via::Direct) };
    // Not even a proxy that can be used would be: `NO_PROXY` names the host.
    if through("http://proxy", &uri).is_none() {
        return Ok(Via::Direct);
    }
    let Some((name, value)) = counting() else { return Ok(uncounted()) };
    // The client would pass by what is no text, and an URL that it can't use, and go by the next variable or by none.
    let Some(value) = value.to_str() else { return Ok(Via::Unusable(name)) };
    if is_torn(value) {
        return Ok(Via::Torn(name));
    }
    Ok(match through(value, &uri) {
        Some(proxy) => Via::Proxy(proxy.uri().to_string().trim_end_matches('/').to_owned()),
        None => Via::Unusable(name),
    })
}

/// The proxy of this URL, where the client would go by it.
fn through(proxy: &str, uri: &http::Uri) -> Option<Intercept> {
    let around = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    Matcher::builder().all(proxy).no(around).build().intercept(uri)
}

/// The one variable that counts, with what it holds. None does in a CGI script.
fn counting() -> Option<(&'static str, OsString)> {
    named().filter(|_| !in_cgi())
}

/// The same, wherever this runs: of each pair the first that is set counts, and an empty one names no proxy.
fn named() -> Option<(&'static str, OsString)> {
    let set = |name| Some((name, std::env::var_os(name)?));
    let mut first = VARIABLES.into_iter().filter_map(|[upper, lower]| set(upper).or_else(|| set(lower)));
    first.find(|(_, value)| !value.is_empty())
}

/// Whether the environment is that of a CGI script, where a caller may have set the variables.
fn in_cgi() -> bool {
    std::env::var_os("REQUEST_METHOD").is_some()
}

/// Why no variable counts.
fn uncounted() -> Via {
    if let Some((name, _)) = named() {
        return Via::InCgi(name);
    }
    let holds = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // An upper one that held something would count.
    let hidden = VARIABLES.into_iter().find(|[_, lower]| holds(lower));
    hidden.map_or(Via::Direct, |[empty, other]| Via::Hidden { empty, other })
}

/// What is wrong with a value that is no URL of a proxy, and what to do.
pub const UNUSABLE: [&str; 2] = [
    "holds no URL of a proxy",
    "write it as http://USER:PASSWORD@HOST:PORT, with http, https, socks4, socks4a, socks5 or socks5h, and all but letters and digits of user and password with percent signs, as %7C for |",
];

/// What is wrong with a torn URL, and what to do.
pub const TORN: [&str; 2] = [
    "has an @, a /, a ? or a # in its user or password",
    "write them with percent signs: %40 for @, %2F for /, %3F for ?, %23 for #",
];

/// Whether a password in a proxy's URL has a character that must be written with a percent sign there: the URL is cut within it then,
/// and the HTTP client would give a part of it to the resolver as the host.
fn is_torn(value: &str) -> bool {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.matches('@').count() > 1 || rest.get(end..).is_some_and(|after| after.contains('@'))
}

/// The addresses of the host of a URL, by the system's resolver, in its order.
pub async fn resolve(url: &str) -> Result<Vec<IpAddr>, String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let asked = tokio::task::spawn_blocking(move || {
        (host.as_str(), port).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect::<Vec<_>>())
    });
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Ok(mut found))) => {
            found.dedup();
            if found.is_empty() { Err("it has no address".to_owned()) } else { Ok(found) }
        }
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(_)) => Err("the resolver broke off".to_owned()),
        Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs())),
    }
}

/// A host that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How far its clock is ahead of ours, in milliseconds, to half a second; `None` where it does not tell.
    pub ahead: Option<i64>,
    /// Whether it says that it is a stand-in.
    pub stand_in: bool,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody whom this machine trusts has signed it.
    Issuer,
    /// It is not valid yet, or no more.
    Time,
    /// It is for another host.
    Name,
    /// It is not fit for a server, as one that a CA has of itself.
    Unfit,
    /// None was shown: the other end broke off, or said nothing.
    BrokenOff,
    /// Something else, or there was no TLS to be had.
    Other,
}

/// What to do where the HTTP client can't be built: nothing but the certificates of the system goes into it unchecked.
pub const NO_CLIENT: &str =
    "install the CA certificates of the system (ca-certificates), or name a file of them in SSL_CERT_FILE";

/// Where the way ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hop {
    /// It did not begin: TLS can't be set up on this machine.
    Client,
    /// There was no connection.
    Connection,
    /// The proxy wants a login, or another one.
    ProxyLogin,
    /// There was one, and no TLS.
    Tls(Distrust),
    /// All was well, but there was no answer.
    Answer,
}

/// A host that did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where the way ended.
    pub hop: Hop,
    /// Why, one line.
    pub why: String,
}

/// Asks for `/`, where no API is, and takes any answer: the gateway tells its time with each.
pub async fn knock(base: &str, ca_pem: Option<&[u8]>, timings: &Timings) -> Result<Result<Reached, Broken>, Error> {
    super::client::provide();
    let route = match Route::new(base, ca_pem, &Timings { request: timings.knock, ..*timings }) {
        Ok(route) => route,
        Err(error) => {
            let why = error.message.trim_end_matches(NO_CLIENT).trim_end_matches(": ").to_owned();
            return Ok(Err(Broken { hop: Hop::Client, why }));
        }
    };
    Ok(match route.http.get(base).send().await {
        Ok(response) => {
            let date = response.headers().get("date").and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
            // It tells whole seconds, and half of the one that it tells has passed on the average.
            let ahead = date.map(|date| date.timestamp().as_millisecond() + 500 - Timestamp::now().as_millisecond());
            Ok(Reached { ahead, stand_in: response.headers().contains_key("x-hss-stand-in") })
        }
        Err(error) => {
            let why = why(&error);
            let hop = match distrust(&error) {
                Some(distrust) => Hop::Tls(distrust),
                None if !error.is_connect() => Hop::Answer,
                // The client has no other word for it.
                None if why.contains("proxy authorization required") => Hop::ProxyLogin,
                None if base.starts_with("https://") && breaks_off(base, &error, &why, timings.connect).await? => {
                    Hop::Tls(Distrust::BrokenOff)
                }
                None => Hop::Connection,
            };
            Err(Broken { hop, why })
        }
    })
}

/// Whether a connection that failed got as far as TLS: where the host takes another one, or where nothing was wrong with the tunnel.
async fn breaks_off(base: &str, error: &reqwest::Error, why: &str, patience: Duration) -> Result<bool, Error> {
    Ok(match via(base)? {
        Via::Proxy(proxy) => proxy.starts_with("http") && !error.is_timeout() && !why.starts_with("tunnel error"),
        _ => opens(base, patience).await,
    })
}

/// Whether the host of a URL takes a connection.
async fn opens(url: &str, patience: Duration) -> bool {
    let port = Url::parse(url).ok().and_then(|url| url.port_or_known_default());
    let (Some(port), Ok(addresses)) = (port, resolve(url).await) else { return false };
    let each = patience / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let connect = move |address: IpAddr| TcpStream::connect_timeout(&(address, port).into(), each).is_ok();
    tokio::task::spawn_blocking(move || addresses.into_iter().any(connect)).await.unwrap_or_default()
}

/// The causes below what the HTTP client says of every one of them.
fn why(error: &reqwest::Error) -> String {
    let below =
        std::error::Error::source(error).and_then(|cause| if error.is_connect() { cause.source() } else { Some(cause) });
    super::send::causes(below.unwrap_or(error))
}

/// The TLS error in the chain of causes, if any.
pub(super) fn distrust(error: &reqwest::Error) -> Option<Distrust> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref() {
            return Some(sorted(tls));
        }
        // An I/O error gives the cause of what it wraps as its own, and skips what it wraps; TLS stands in two of them.
        let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}

fn sorted(error: &rustls::Error) -> Distrust {
    use CertificateError as Why;
    let rustls::Error::InvalidCertificate(why) = error else { return Distrust::Other };
    match why {
        // The latter where a CA of the same name is known, as when it was made anew.
        Why::UnknownIssuer | Why::BadSignature => Distrust::Issuer,
        Why::Expired | Why::ExpiredContext { .. } | Why::NotValidYet | Why::NotValidYetContext { .. } => Distrust::Time,
        Why::NotValidForName | Why::NotValidForNameContext { .. } => Distrust::Name,
        _ => Distrust::Unfit,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustls::{AlertDescription, CertificateError, Error};

    use super::*;

    #[tokio::test]
    async fn a_host_that_hangs_up_gives_no_answer_and_one_that_is_not_there_no_connection() {
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", host.local_addr().unwrap());
        let hangs_up = std::thread::spawn(move || host.accept().map(drop));
        let knocked = knock(&base, None, &Timings::default()).await.unwrap().unwrap_err();
        assert_eq!(knocked.hop, Hop::Answer);
        hangs_up.join().unwrap().unwrap();
        // A port at which nobody is.
        let knocked = knock("http://127.0.0.1:1", None, &Timings::default()).await.unwrap().unwrap_err();
        assert_eq!(knocked.hop, Hop::Connection);
    }

    #[tokio::test]
    async fn a_host_that_is_silent_is_waited_for_as_long_as_a_knock_may_take() {
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", host.local_addr().unwrap());
        let timings = Timings { knock: Duration::from_millis(20), ..Timings::default() };
        let knocked = tokio::time::timeout(timings.request / 4, knock(&base, None, &timings)).await;
        assert_eq!(knocked.unwrap().unwrap().unwrap_err().hop, Hop::Answer);
    }

    #[tokio::test]
    async fn the_clock_of_a_host_is_read_in_the_middle_of_its_second() {
        let host = crate::hss::tests::Host::saying([crate::hss::tests::answer(
            200,
            "Date: Thu, 01 Jan 1970 01:00:00 GMT\nX-Hss-Stand-In: 1\n",
            "",
        )]);
        let now = || Timestamp::now().as_millisecond();
        let before = now();
        let reached = knock(&host.base, None, &Timings::default()).await.unwrap().unwrap();
        let ahead = reached.ahead.unwrap();
        assert!((3_600_500 - now()..=3_600_500 - before).contains(&ahead), "{ahead}");
        assert!(reached.stand_in);
    }

    #[tokio::test]
    async fn a_host_opens_where_it_takes_a_connection() {
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", host.local_addr().unwrap());
        assert!(opens(&url, PATIENCE).await);
        assert!(!opens("https://127.0.0.1:1/", PATIENCE).await);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_in_few_words() {
        let of = |why| sorted(&Error::InvalidCertificate(why));
        assert_eq!([CertificateError::UnknownIssuer, CertificateError::BadSignature].map(of), [Distrust::Issuer; 2]);
        assert_eq!([CertificateError::Expired, CertificateError::NotValidYet].map(of), [Distrust::Time; 2]);
        assert_eq!(of(CertificateError::NotValidForName), Distrust::Name);
        assert_eq!([CertificateError::Revoked, CertificateError::InvalidPurpose].map(of), [Distrust::Unfit; 2]);
        assert_eq!(sorted(&Error::AlertReceived(AlertDescription::HandshakeFailure)), Distrust::Other);
    }

    #[test]
    fn a_password_that_cuts_its_url_is_known() {
        for torn in
            ["http://user:p@ssw0rd@proxy:1", "user:pa/ssw0rd@proxy:1", "http://us#er:x@proxy", "http://user:pa?b@proxy"]
        {
            assert!(is_torn(torn), "{torn}");
        }
        for whole in ["http://user:p%40ssw0rd@proxy:1", "http://proxy:1/", "proxy:1", "socks5://user:x@proxy", ""] {
            assert!(!is_torn(whole), "{whole}");
        }
    }
}
