//! On the way to a host: names, proxies, TLS, clocks.

use std::time::Duration;

use hss_iac::emulator::Options;

use crate::common::{Finished, Repo, connect, hss_iac, quick, start};
#[cfg(unix)]
use crate::net::{self, Ca, MAPPED};
use crate::{SKIPPED_AFTER_LOGIN, doctor, filter, said, unwell};

#[test]
fn no_way_to_the_host() {
    let emulator = start(quick());
    let rest = ["skipped tls", "skipped clock", "skipped login", "skipped project", "skipped permission", "skipped upload"];
    let unresolved = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some("https://hss.invalid"))], &[]);
    let expected = [&["failed resolve 5", "skipped connection"][..], &rest].concat();
    assert_eq!((unresolved.code, unwell(&unresolved)), (5, expected.iter().map(|text| (*text).to_owned()).collect()));
    let (found, remedy) = said(&unresolved, "resolve");
    assert!(found.starts_with("hss.invalid is not found: "), "{found}");
    assert_eq!(remedy, "check the region or the endpoint, and this machine's DNS; behind a proxy set HTTPS_PROXY");

    let refused = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some("http://127.0.0.1:1"))], &[]);
    let expected = [&["failed connection 5"][..], &rest].concat();
    assert_eq!((refused.code, unwell(&refused)), (5, expected.iter().map(|text| (*text).to_owned()).collect()));
    let (found, remedy) = said(&refused, "connection");
    assert!(found.starts_with("http://127.0.0.1:1: tcp connect error: "), "{found}");
    assert_eq!(remedy, "start what is to listen there, or leave the endpoint out");
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
fn a_socks_proxy_that_is_not_there_is_no_tls_that_breaks_off() {
    let emulator = start(quick());
    let env = [("HTTPS_PROXY", Some("socks5://127.0.0.1:1")), ("HSS_IAC_ENDPOINT", Some("https://192.0.2.1"))];
    let ran = doctor(&emulator, &env, &[]);
    assert_eq!(
        (ran.code, unwell(&ran)[..2].join(", ")),
        (5, "failed connection 5, skipped tls".to_owned()),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_proxy_whose_password_tears_its_url_is_not_shown() {
    let emulator = start(quick());
    for proxy in ["http://user:p@ssw0rd@127.0.0.1:1", "http://user:ssw0rd/x@127.0.0.1:1", "http://us#ssw0rd:x@127.0.0.1:1"] {
        let env = [("HTTPS_PROXY", Some(proxy)), ("HSS_IAC_ENDPOINT", Some("https://192.0.2.1"))];
        let ran = doctor(&emulator, &env, &[]);
        let told = [ran.stdout.as_str(), ran.stderr.as_str()].concat();
        assert!(ran.code == 2 && !told.contains("ssw0rd"), "{} {told}", ran.code);
        assert_eq!(
            said(&ran, "proxy").0,
            "https://192.0.2.1: HTTPS_PROXY has an @, a /, a ? or a # in its user or password"
        );
    }
}

/// Reads what each caller says first and hangs up, as a filter by the name of the host does; gives the port.
#[cfg(unix)]
fn hangs_up() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = std::io::Read::read(&mut stream, &mut [0; 8_192]);
        }
    });
    address
}

#[test]
#[cfg(unix)]
fn tls_that_breaks_off() {
    let emulator = start(quick());
    let address = hangs_up();
    let direct = format!("https://{MAPPED}:{}", address.port());
    let proxy = net::Proxy::to(address);
    let proxy = format!("http://{}", proxy.address);
    for env in [
        &[("HSS_IAC_ENDPOINT", Some(&*direct))][..],
        &[("HSS_IAC_ENDPOINT", Some("https://hss.example.test")), ("HTTPS_PROXY", Some(&*proxy))],
    ] {
        let ran = doctor(&emulator, env, &[]);
        let rest = ["skipped clock", "skipped login", "skipped project", "skipped permission", "skipped upload"];
        let expected = [&["failed tls 5"][..], &rest].concat();
        assert_eq!(
            (ran.code, unwell(&ran)),
            (5, expected.iter().map(|text| (*text).to_owned()).collect()),
            "{}",
            ran.stdout
        );
        let remedy = "the other end breaks TLS off or says nothing: check that the port speaks it, and that no firewall or filter stops this name";
        assert_eq!(said(&ran, "tls").1, remedy);
    }
    // A proxy that hangs up before there is a tunnel is no matter of TLS.
    let proxy = format!("http://{address}");
    let env = [("HSS_IAC_ENDPOINT", Some("https://hss.example.test")), ("HTTPS_PROXY", Some(&*proxy))];
    let (_, remedy) = said(&doctor(&emulator, &env, &[]), "connection");
    assert_eq!(remedy, "check the proxy, and whether it lets you through to this host; NO_PROXY goes around it");
}

#[test]
fn a_proxy_that_wants_a_login() {
    let emulator = start(quick());
    let proxy = filter("407 Proxy Authentication Required");
    let env = [("HSS_IAC_ENDPOINT", Some("https://hss.example.test")), ("HTTPS_PROXY", Some(&*proxy))];
    let ran = doctor(&emulator, &env, &[]);
    assert_eq!((ran.code, &*unwell(&ran)[0]), (5, "failed connection 5"));
    let remedy = "the proxy wants a login: USER:PASSWORD@ before its host in HTTPS_PROXY or ALL_PROXY, percent-encoded";
    assert_eq!(said(&ran, "connection").1, remedy);
}

#[test]
fn why_a_proxy_that_is_set_is_not_used() {
    let emulator = start(quick());
    let endpoint = ("HSS_IAC_ENDPOINT", Some("https://hss.invalid"));
    let proxy = Some("http://127.0.0.1:1");
    let none = "https://hss.invalid: none";
    for (env, found, remedy) in [
        (
            &[("HTTPS_PROXY", Some("")), ("https_proxy", proxy)][..],
            ", since HTTPS_PROXY is empty, which hides https_proxy",
            "unset HTTPS_PROXY; if no proxy is meant, unset https_proxy or name the host in NO_PROXY",
        ),
        (
            &[("ALL_PROXY", Some("")), ("all_proxy", proxy)],
            ", since ALL_PROXY is empty, which hides all_proxy",
            "unset ALL_PROXY; if no proxy is meant, unset all_proxy or name the host in NO_PROXY",
        ),
        (
            &[("REQUEST_METHOD", Some("GET")), ("HTTPS_PROXY", proxy)],
            ": HTTPS_PROXY does not count where REQUEST_METHOD is set, as in a CGI script",
            "unset REQUEST_METHOD",
        ),
    ] {
        let ran = doctor(&emulator, &[&[endpoint][..], env].concat(), &[]);
        assert_eq!(said(&ran, "proxy"), (format!("{none}{found}"), remedy.to_owned()));
        let around = doctor(&emulator, &[&[endpoint, ("NO_PROXY", Some("hss.invalid"))][..], env].concat(), &[]);
        assert!(!unwell(&around).contains(&"warning proxy".to_owned()), "{}", around.stdout);
    }
}

#[test]
fn a_proxy_that_can_not_be_used_ends_the_way() {
    let emulator = start(quick());
    let env = [("HSS_IAC_ENDPOINT", Some("https://hss.invalid")), ("https_proxy", Some("ftp://user:ssw0rd@127.0.0.1:1"))];
    let ran = doctor(&emulator, &env, &[]);
    let (found, remedy) = said(&ran, "proxy");
    assert_eq!((ran.code, found.as_str()), (2, "https://hss.invalid: https_proxy holds no URL of a proxy"));
    assert!(remedy.starts_with("write it as http://USER:PASSWORD@HOST:PORT, with http, https, "), "{remedy}");
    assert_eq!(said(&ran, "connection").0, "https://hss.invalid: not tried, by a proxy that is not known");
    assert!(!ran.stdout.contains("ssw0rd"), "{}", ran.stdout);
    let around = [&env[..], &[("NO_PROXY", Some("hss.invalid"))]].concat();
    assert!(!unwell(&doctor(&emulator, &around, &[])).iter().any(|check| check.contains("proxy")));
}

// Windows does not connect to the address in use.
#[test]
#[cfg(unix)]
fn a_certificate_of_an_unknown_ca() {
    let emulator = start(quick());
    let ca = Ca::new();
    let endpoint = format!("https://{MAPPED}:{}", ca.front(&emulator.url()).port());
    let ran = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some(&endpoint))], &[]);
    let rest = ["skipped clock", "skipped login", "skipped project", "skipped permission", "skipped upload"];
    let expected = [&["failed tls 5"][..], &rest].concat();
    assert_eq!((ran.code, unwell(&ran)), (5, expected.iter().map(|text| (*text).to_owned()).collect()), "{}", ran.stdout);
    let (_, remedy) = said(&ran, "tls");
    assert_eq!(remedy, "if a proxy or an endpoint of your own is meant: --ca-file FILE with its CA in PEM");
    assert_eq!(emulator.journal().len(), 0);

    let trusted = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some(&endpoint))], &["--ca-file", ca.path()]);
    assert_eq!((trusted.code, unwell(&trusted)), (0, vec!["skipped upload".to_owned()]), "{}", trusted.stdout);
    let other = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some(&endpoint))], &["--ca-file", Ca::new().path()]);
    assert_eq!(other.code, 5);
    assert_eq!(said(&other, "tls").1, "--ca-file holds another CA than the one that signed it: ask who runs the proxy");

    let endpoint = format!("https://{MAPPED}:{}", net::front_of_a_ca(&emulator.url()).port());
    let unfit = doctor(&emulator, &[("HSS_IAC_ENDPOINT", Some(&endpoint))], &[]);
    let remedy =
        "have the host show a certificate for servers; one that it signed itself as a CA, as openssl makes them, is none";
    assert_eq!((unfit.code, said(&unfit, "tls").1.as_str()), (5, remedy), "{}", unfit.stdout);
}

#[test]
#[cfg(target_os = "linux")]
fn a_machine_without_certificates() {
    let emulator = start(quick());
    // As in an image without the package.
    let none = [("SSL_CERT_FILE", Some("/dev/null")), ("SSL_CERT_DIR", Some("/dev/null"))];
    let ran = doctor(&emulator, &[&none[..], &[("HSS_IAC_ENDPOINT", Some("https://127.0.0.1:1"))]].concat(), &[]);
    let rest = ["skipped clock", "skipped login", "skipped project", "skipped permission", "skipped upload"];
    let expected = [&["skipped connection", "failed tls 2"][..], &rest].concat();
    assert_eq!((ran.code, unwell(&ran)), (2, expected.iter().map(|text| (*text).to_owned()).collect()), "{}", ran.stderr);
    let remedy = "install the CA certificates of the system (ca-certificates), or name a file of them in SSL_CERT_FILE";
    let why = "TLS can't be set up: builder error: unexpected error: No CA certificates were loaded from the system";
    let json = ran.json();
    let tls = json["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "tls").expect("a check");
    assert_eq!(tls["found"], format!("https://127.0.0.1:1: {why}"));
    assert_eq!(tls["remedy"], remedy);

    let repo = Repo::new().many(1);
    let mut command = hss_iac(repo.path());
    let command =
        connect(&mut command, &emulator).arg("scan").envs(none.map(|(name, value)| (name, value.unwrap_or_default())));
    let scan: Finished = command.env("HSS_IAC_ENDPOINT", "https://127.0.0.1:1").output().expect("it runs").into();
    assert!(scan.code == 2 && scan.stderr.ends_with(&format!("error: {why}: {remedy}\n")), "{} {}", scan.code, scan.stderr);

    let ca = Ca::new();
    let endpoint = format!("https://{MAPPED}:{}", ca.front(&emulator.url()).port());
    let ran = doctor(&emulator, &[&none[..], &[("HSS_IAC_ENDPOINT", Some(&*endpoint))]].concat(), &["--ca-file", ca.path()]);
    assert_eq!((ran.code, unwell(&ran)), (0, vec!["skipped upload".to_owned()]), "one CA will do: {}", ran.stdout);
}

#[test]
fn a_clock_that_is_wrong() {
    let taken = "; a signature is good for 15 minutes";
    let too_far = ": signatures are refused after 15 minutes";
    for (minutes, secret_key, code, expected, found) in [
        (1, None, 0, &["skipped upload"][..], ""),
        (5, None, 0, &["warning clock", "skipped upload"], taken),
        (20, None, 0, &["warning clock", "skipped upload"], &*format!("{too_far}, though one was taken just now")),
        (20, Some("wrong"), 4, &[&["failed clock 4", "failed login 4"][..], &SKIPPED_AFTER_LOGIN].concat(), too_far),
    ] {
        // A second less: time passes meanwhile, and is told in whole ones.
        let emulator = start(Options { date_ahead: Duration::from_secs(minutes * 60 - 2), ..quick() });
        let right = Options::default().secret_key;
        let ran = doctor(&emulator, &[("HSS_IAC_SECRET_KEY", Some(secret_key.unwrap_or(&right)))], &[]);
        assert_eq!(
            (ran.code, unwell(&ran)),
            (code, expected.iter().map(|text| (*text).to_owned()).collect()),
            "{}",
            ran.stdout
        );
        if minutes > 1 {
            let told = said(&ran, "clock");
            assert!(told.0.ends_with(&format!(" s behind the clock of {}{found}", emulator.url())), "{}", told.0);
            assert_eq!(told.1, "set the clock of this machine, and have it kept by NTP");
        }
    }
}

#[test]
fn a_token_is_good_by_any_clock() {
    let emulator = start(Options { date_ahead: Duration::from_secs(20 * 60), ..quick() });
    let token = Options::default().token;
    let ran = doctor(&emulator, &[("HSS_IAC_TOKEN", Some(&token))], &[]);
    assert_eq!(
        (ran.code, unwell(&ran)),
        (0, vec!["warning clock".to_owned(), "skipped upload".to_owned()]),
        "{}",
        ran.stdout
    );
}
