//! Proxies by environment and TLS: a real proxy, and a CA of its own. Not on Windows, whose IPv6 does not take the address in use.
#![cfg(all(feature = "emulator", unix))]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/net.rs"]
mod net;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use clap::CommandFactory as _;
use common::{Finished, Repo, assert_adds_up, quick, scan_command, start};
use hss_iac::cli::Cli;
use hss_iac::emulator::Emulator;
use net::{Ca, MAPPED, NAMES, Proxy};
use serde_json::Value;

/// `scan` of two files with these variables, JSON on stdout.
fn scan(emulator: &Emulator, endpoint: &str, env: &[(&str, &str)], args: &[&str]) -> Finished {
    let repo = Repo::new().many(1);
    let mut command = scan_command(repo.path(), emulator, args);
    command.env("HSS_IAC_ENDPOINT", endpoint).envs(env.iter().copied());
    command.output().expect("it runs").into()
}

/// An endpoint that no name server and no proxy is needed for.
fn mapped(front: SocketAddr) -> String {
    format!("https://{MAPPED}:{}", front.port())
}

#[test]
fn every_variable_leads_through_the_proxy() {
    let emulator = start(quick());
    let ca = Ca::new();
    let front = ca.front(&emulator.url());
    let [hss, iam] = NAMES.map(|name| format!("https://{name}"));
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = Proxy::to(front);
        let url = format!("http://user:pass%40word@{}", proxy.address);
        let env = [(variable, url.as_str()), ("HSS_IAC_IAM_ENDPOINT", &iam), ("HSS_IAC_PROJECT_ID", "")];
        let ran = scan(&emulator, &hss, &env, &["--ca-file", ca.path()]);
        assert_eq!(ran.code, 0, "{variable}: {}", ran.stderr);
        assert_adds_up(&ran.json(), 2);
        assert_eq!(proxy.asked(), ["hss.example.test:443", "iam.example.test:443"], "{variable}");
        // base64 of user:pass@word
        let proof = "proxy-authorization: Basic dXNlcjpwYXNzQHdvcmQ=\r\n";
        assert!(proxy.heads().iter().all(|head| head.to_ascii_lowercase().contains(&proof.to_ascii_lowercase())));
    }
}

#[test]
fn a_proxy_may_speak_socks() {
    let emulator = start(quick());
    let ca = Ca::new();
    let address = net::socks(ca.front(&emulator.url()));
    let [hss, iam] = NAMES.map(|name| format!("https://{name}"));
    for scheme in ["socks5h", "socks4a"] {
        let proxy = format!("{scheme}://{address}");
        let env = [("HTTPS_PROXY", proxy.as_str()), ("HSS_IAC_IAM_ENDPOINT", &iam), ("HSS_IAC_PROJECT_ID", "")];
        let ran = scan(&emulator, &hss, &env, &["--ca-file", ca.path()]);
        assert_eq!(ran.code, 0, "{scheme}: {}{}", ran.stdout, ran.stderr);
        assert_adds_up(&ran.json(), 2);
    }
}

#[test]
fn no_proxy_leads_around_it() {
    let emulator = start(quick());
    let ca = Ca::new();
    let front = ca.front(&emulator.url());
    let proxy = Proxy::to(front);
    let url = format!("http://{}", proxy.address);
    let url = url.as_str();
    let [named, _] = NAMES.map(|name| format!("https://{name}"));
    let addressed = mapped(front);
    for (endpoint, env, through) in [
        (&named, &[("HTTPS_PROXY", url)][..], true),
        (&addressed, &[("HTTPS_PROXY", url), ("NO_PROXY", "::ffff:127.0.0.1")][..], false),
        (&addressed, &[("ALL_PROXY", url), ("no_proxy", "other.example.test,::ffff:0:0/96")][..], false),
        (&named, &[("HTTPS_PROXY", url), ("NO_PROXY", "other.example.test")][..], true),
        // For plain http alone.
        (&addressed, &[("HTTP_PROXY", url), ("http_proxy", url)][..], false),
    ] {
        let before = proxy.heads().len();
        let ran = scan(&emulator, endpoint, env, &["--ca-file", ca.path()]);
        assert_eq!(ran.code, 0, "{env:?}: {}{}", ran.stderr, ran.stdout);
        assert_eq!(proxy.heads().len() > before, through, "{env:?}");
    }
    // The address alone is no reason to go around it. That the client speaks no TLS with an address in brackets behind a proxy is
    // another matter.
    let before = proxy.heads().len();
    scan(&emulator, &addressed, &[("HTTPS_PROXY", url)], &["--ca-file", ca.path(), "--timeout", "1s"]);
    assert!(proxy.heads().len() > before);
    // The stand-in's own address is loopback, and never goes to a proxy.
    let before = proxy.heads().len();
    let all = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, url));
    assert_eq!(scan(&emulator, &emulator.url(), &all, &[]).code, 0);
    assert_eq!(proxy.heads().len(), before);
}

#[test]
fn a_proxy_that_is_not_there_is_not_gone_around() {
    let emulator = start(quick());
    let ca = Ca::new();
    let front = ca.front(&emulator.url());
    let env = [("HTTPS_PROXY", "http://127.0.0.1:1")];
    let ran = scan(&emulator, &mapped(front), &env, &["--ca-file", ca.path(), "--timeout", "1s"]);
    assert!([5, 6].contains(&ran.code), "{}", ran.stderr);
    assert_eq!(emulator.journal().len(), 0);
}

/// Its client would take what stands before the first `@` for the credentials, and ask for the rest as a host.
#[test]
fn a_proxy_whose_password_tears_its_url_is_refused_and_not_shown() {
    let emulator = start(quick());
    for torn in
        ["user:p@ssw0rd@127.0.0.1:1", "user:ssw0rd/x@127.0.0.1:1", "user:ssw0rd?x@127.0.0.1:1", "us#ssw0rd:x@127.0.0.1:1"]
    {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let proxy = format!("http://{torn}");
            let ran = scan(&emulator, "https://192.0.2.1", &[(variable, proxy.as_str())], &["--timeout", "2s"]);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            let why = format!("error: {variable} has an @, a /, a ? or a # in its user or password: write ");
            assert!(ran.code == 2 && ran.stderr.starts_with(&why) && !told.contains("ssw0rd"), "{} {told}", ran.code);
        }
    }
    // Where nothing goes through it, nothing is said.
    let torn = [("HTTPS_PROXY", "http://user:p@ssw0rd@127.0.0.1:1")];
    assert_eq!(scan(&emulator, &emulator.url(), &torn, &[]).code, 0);
}

/// The client would take each of these for no proxy at all, and go to the host itself with what it knows.
#[test]
fn a_proxy_that_can_not_be_used_is_not_gone_around() {
    let emulator = start(quick());
    let ca = Ca::new();
    let endpoint = mapped(ca.front(&emulator.url()));
    let passwords =
        ["|", "\"", " ", "\\", "[", "]", "ü", "^", "{", "<"].map(|c| format!("http://user:ssw0rd{c}ssw0rd@127.0.0.1:1"));
    let others = ["htps://ssw0rd:1", "ftp://ssw0rd:1", "http://", " "].map(str::to_owned);
    for proxy in passwords.into_iter().chain(others) {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let ran = scan(&emulator, &endpoint, &[(variable, &proxy)], &["--ca-file", ca.path(), "--timeout", "5s"]);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            let why = format!("error: {variable} holds no URL of a proxy: write it as http://USER:PASSWORD@HOST:PORT, ");
            assert!(ran.code == 2 && told.starts_with(&why), "{proxy:?} in {variable}: {} {told}", ran.code);
            assert!(!told.contains("ssw0rd"), "{told}");
        }
        // Another variable does not hide it, and where nothing goes through it, nothing is said.
        let hidden = [("HTTPS_PROXY", ""), ("ALL_PROXY", &proxy)];
        assert_eq!(scan(&emulator, &endpoint, &hidden, &["--ca-file", ca.path()]).code, 2, "{proxy:?}");
        assert_eq!(emulator.journal().len(), 0, "{proxy:?}");
    }
    let unusable = ("HTTPS_PROXY", "htps://user:ssw0rd@127.0.0.1:1");
    let around = ("NO_PROXY", "::ffff:127.0.0.1");
    for (endpoint, env) in [(&endpoint, &[unusable, around][..]), (&emulator.url(), &[unusable])] {
        let ran = scan(&emulator, endpoint, env, &["--ca-file", ca.path()]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{env:?}: {}", ran.stdout);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_proxy_that_is_no_text_is_not_gone_around() {
    use std::os::unix::ffi::OsStrExt as _;
    let emulator = start(quick());
    let ca = Ca::new();
    let endpoint = mapped(ca.front(&emulator.url()));
    let no_text = [&b"http://user:\xFF@127.0.0.1:1"[..], b"http://127.0.0.1:1/\xFF"].map(std::ffi::OsStr::from_bytes);
    for value in no_text {
        for beside in ["no_proxy", "https_proxy", "ALL_PROXY"] {
            let repo = Repo::new().many(1);
            let mut command = scan_command(repo.path(), &emulator, &["--ca-file", ca.path(), "--timeout", "2s"]);
            command.env("HSS_IAC_ENDPOINT", &endpoint).env("HTTPS_PROXY", value).env(beside, "http://127.0.0.1:9");
            let ran: Finished = command.output().expect("it runs").into();
            let why = "error: HTTPS_PROXY holds no URL of a proxy: ";
            assert!(ran.code == 2 && ran.stderr.starts_with(why), "{value:?} {beside}: {} {}", ran.code, ran.stderr);
        }
    }
    assert_eq!(emulator.journal().len(), 0);
}

/// One variable counts, and what the others hold is not asked.
#[test]
fn only_the_variable_that_counts_can_refuse_a_run() {
    let emulator = start(quick());
    let ca = Ca::new();
    let front = ca.front(&emulator.url());
    let proxy = Proxy::to(front);
    let good = format!("http://{}", proxy.address);
    let (good, torn, unusable, dead) = (good.as_str(), "http://u:ssw0rd@x@127.0.0.1:1", "a|ssw0rd", "http://127.0.0.1:9");
    let [named, _] = NAMES.map(|name| format!("https://{name}"));
    let mut heads = 0;
    for env in [
        [("HTTPS_PROXY", good), ("ALL_PROXY", torn)],
        [("HTTPS_PROXY", good), ("ALL_PROXY", unusable)],
        [("HTTPS_PROXY", good), ("https_proxy", torn)],
        [("ALL_PROXY", good), ("all_proxy", unusable)],
        [("https_proxy", good), ("all_proxy", torn)],
    ] {
        let ran = scan(&emulator, &named, &env, &["--ca-file", ca.path()]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{env:?}: {}", ran.stdout);
        assert!(proxy.heads().len() > heads, "{env:?}");
        heads = proxy.heads().len();
    }
    let calls = emulator.journal().len();
    for (env, why) in [
        ([("HTTPS_PROXY", unusable), ("ALL_PROXY", dead)], "HTTPS_PROXY holds no URL of a proxy: "),
        ([("HTTPS_PROXY", unusable), ("https_proxy", dead)], "HTTPS_PROXY holds no URL of a proxy: "),
        ([("https_proxy", unusable), ("ALL_PROXY", good)], "https_proxy holds no URL of a proxy: "),
        ([("HTTPS_PROXY", torn), ("ALL_PROXY", unusable)], "HTTPS_PROXY has an @, "),
        ([("HTTPS_PROXY", ""), ("ALL_PROXY", torn)], "ALL_PROXY has an @, "),
    ] {
        let ran = scan(&emulator, &named, &env, &["--ca-file", ca.path(), "--timeout", "2s"]);
        assert!(ran.code == 2 && ran.stderr.starts_with(&format!("error: {why}")), "{env:?}: {} {}", ran.code, ran.stderr);
        assert!(!ran.stderr.contains("ssw0rd"), "{}", ran.stderr);
    }
    assert_eq!((proxy.heads().len(), emulator.journal().len()), (heads, calls));
}

#[test]
fn a_proxy_that_does_not_count_draws_a_warning() {
    let emulator = start(quick());
    let ca = Ca::new();
    let endpoint = mapped(ca.front(&emulator.url()));
    let proxy = "http://127.0.0.1:1";
    for (env, why) in [
        (
            &[("HTTPS_PROXY", ""), ("https_proxy", proxy)][..],
            ", since HTTPS_PROXY is empty, which hides https_proxy: unset HTTPS_PROXY; if no proxy is meant, unset https_proxy or name the host in NO_PROXY",
        ),
        (
            &[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", proxy)],
            ": HTTPS_PROXY does not count where REQUEST_METHOD is set, as in a CGI script: unset REQUEST_METHOD",
        ),
        (
            &[("REQUEST_METHOD", "GET"), ("ALL_PROXY", "http://u:ssw0rd@x@127.0.0.1:1")],
            ": ALL_PROXY does not count where REQUEST_METHOD is set, as in a CGI script: unset REQUEST_METHOD",
        ),
        (
            &[("REQUEST_METHOD", "GET"), ("https_proxy", "a|b")],
            ": https_proxy does not count where REQUEST_METHOD is set, as in a CGI script: unset REQUEST_METHOD",
        ),
        (
            &[("ALL_PROXY", ""), ("all_proxy", "http://u:ssw0rd@x@127.0.0.1:1")],
            ", since ALL_PROXY is empty, which hides all_proxy: unset ALL_PROXY; if no proxy is meant, unset all_proxy or name the host in NO_PROXY",
        ),
    ] {
        let ran = scan(&emulator, &endpoint, env, &["--ca-file", ca.path()]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert_eq!(ran.stderr, format!("no proxy stands before {endpoint}{why}\n"));
    }
}

#[test]
fn only_a_certificate_of_a_known_ca_is_taken() {
    let emulator = start(quick());
    let (ca, other) = (Ca::new(), Ca::new());
    let front = ca.front(&emulator.url());
    let wrong_name = ca.front_of(&emulator.url(), &["elsewhere.example.test"], rustls::ALL_VERSIONS);
    for (what, endpoint, args, code) in [
        ("its CA", mapped(front), vec!["--ca-file", ca.path()], 0),
        ("no CA", mapped(front), vec![], 5),
        ("another CA", mapped(front), vec!["--ca-file", other.path()], 5),
        ("another name", mapped(wrong_name), vec!["--ca-file", ca.path()], 5),
    ] {
        let before = emulator.journal().len();
        let ran = scan(&emulator, &endpoint, &[], &args);
        assert_eq!(ran.code, code, "{what}: {}", ran.stderr);
        let heard = emulator.journal().len() > before;
        assert_eq!(heard, code == 0, "{what}: not one request where there is no trust");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_ca_of_ours_stands_beside_those_of_the_system() {
    let emulator = start(quick());
    let (ours, systems) = (Ca::new(), Ca::new());
    for ca in [&ours, &systems] {
        // The file that stands for the system's certificates, as OpenSSL has it.
        let system = [("SSL_CERT_FILE", systems.path())];
        let ran = scan(&emulator, &mapped(ca.front(&emulator.url())), &system, &["--ca-file", ours.path()]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
    }
}

#[test]
fn tls_is_1_2_or_newer() {
    let emulator = start(quick());
    let ca = Ca::new();
    let names = ["::ffff:127.0.0.1"];
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let front = ca.front_of(&emulator.url(), &names, versions);
        let ran = scan(&emulator, &mapped(front), &[], &["--ca-file", ca.path()]);
        assert_eq!(ran.code, 0, "{versions:?}: {}", ran.stderr);
    }
}

/// A server of TLS 1.1: it takes any hello, returns what the client offered, and answers with the hello of its own version.
fn old_server() -> (SocketAddr, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut head = [0; 5];
        stream.read_exact(&mut head).expect("a record");
        let mut hello = vec![0; usize::from(head[3]) << 8 | usize::from(head[4])];
        stream.read_exact(&mut hello).expect("a hello");
        let mut body = vec![3, 2];
        body.extend([7; 32]);
        // No session, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, no compression.
        body.extend([0, 0xc0, 0x13, 0]);
        let length = u8::try_from(body.len()).expect("a short hello");
        let mut answer = vec![22, 3, 2, 0, length + 4, 2, 0, 0, length];
        answer.extend(body);
        stream.write_all(&answer).expect("an answer");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.windows(5).any(|bytes| bytes == b"HTTP/"), "a request went to a server of TLS 1.1");
        hello
    });
    (address, thread)
}

#[test]
fn tls_1_1_is_neither_offered_nor_taken() {
    let emulator = start(quick());
    let (address, server) = old_server();
    let repo = Repo::new();
    let mut command = common::hss_iac(repo.path());
    common::connect(&mut command, &emulator).args(["doctor", "-o", "json"]).env("HSS_IAC_ENDPOINT", mapped(address));
    let ran: Finished = command.output().expect("it runs").into();
    let json = ran.json();
    let tls = json["checks"].as_array().expect("checks").iter().find(|check| check["name"] == "tls").expect("tls");
    assert_eq!((ran.code, &tls["state"]), (5, &serde_json::json!("failed")), "{tls}");
    let hello = server.join().expect("the server");
    // supported_versions (43), five bytes: a list of four with 1.3 and 1.2.
    let offered = hello.windows(9).find(|bytes| bytes[..5] == [0, 43, 0, 5, 4]).expect("the versions");
    assert_eq!(offered[5..], [3, 4, 3, 3]);
}

#[test]
fn no_switch_turns_verification_off() {
    let mut names = names_of(&Cli::command());
    let schema: Value =
        serde_json::from_str(&common::run(Repo::new().path(), &["schema", "config"]).stdout).expect("a schema");
    names.extend(keys_of(&schema));
    for known in ["ca-file", "HSS_IAC_CA_FILE", "listen", "fail-on", "reason"] {
        assert!(names.contains(known), "{known} is not looked at");
    }
    let words = ["insecure", "verif", "trust", "tls", "ssl", "cert", "unsafe"];
    let off = names.iter().filter(|name| words.iter().any(|word| name.to_ascii_lowercase().contains(word)));
    assert_eq!(off.collect::<Vec<_>>(), [""; 0]);
}

/// Every flag of a command and of those below it, with their other names and their variables.
fn names_of(command: &clap::Command) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for arg in command.get_arguments() {
        names.extend(arg.get_long().map(str::to_owned));
        names.extend(arg.get_all_aliases().into_iter().flatten().map(str::to_owned));
        names.extend(arg.get_env().map(|name| name.to_string_lossy().into_owned()));
    }
    names.extend(command.get_subcommands().flat_map(names_of));
    names
}

/// Every key that a schema knows, at any depth.
fn keys_of(schema: &Value) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    match schema {
        Value::Object(object) => {
            keys.extend(
                object.get("properties").and_then(Value::as_object).into_iter().flat_map(|known| known.keys().cloned()),
            );
            keys.extend(object.values().flat_map(keys_of));
        }
        Value::Array(list) => keys.extend(list.iter().flat_map(keys_of)),
        _ => {}
    }
    keys
}
