//! What a host is told of the secrets, and what it tells back.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hss_iac::emulator::{Emulator, Options};

use crate::common::start;
use crate::net::{self, Tap};
use crate::place::{Count, Place, invocations, with_each};
use crate::sources::{PROFILE_IDP, Search, Source, canary, holds, secrets, sources};

/// Where an error text is cut.
const CUT: usize = 500;

/// A host that answers every request with all of it, as debugging pages do: the first secret stands where the text is cut.
fn parrot(status: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let home = tempfile::tempdir().expect("a directory");
        let known = secrets(&sources(home.path()));
        for (served, mut stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let head = net::head_of(&stream);
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body);
            let request = format!("{head}{}", String::from_utf8_lossy(&body));
            let secret = known.iter().find_map(|secret| Some((request.find(secret)?, secret)));
            let (at, secret) = secret.map_or((0, "none"), |(at, secret)| (at, secret));
            let again = written_otherwise(secret);
            let said = format!("{}{}{request}", "x".repeat(CUT - secret.len() / 2), &request[at..]);
            // Half of the answers have room for the other forms.
            let said = if served % 2 == 0 { said } else { again.clone() };
            let said = serde_json::json!({"error_code": "HSS.0001", "error_msg": said}).to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nX-Request-Id: {secret}\r\n"
            );
            let _ =
                write!(stream, "{head}Location: http://x/?{secret}&{again}\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        }
    });
    url
}

/// A secret as pages and logs write it: in URLs, and in base64 wherever it stands in the text.
fn written_otherwise(secret: &str) -> String {
    let url = secret.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let base64 = ["", "u:", "us:"].map(|before| {
        let text = format!("{before}{secret}, and on");
        format!("{}&{}", STANDARD.encode(&text), URL_SAFE.encode(&text))
    });
    format!("{url}&{}&{}", url.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"), base64.join("&"))
}

#[test]
fn what_a_server_repeats_of_a_secret_is_hidden() {
    // Nothing comes from it: it gives nothing away.
    let emulator = start(Options::default());
    let urls = ["400 Bad Request", "403 Forbidden", "302 Found", "418 No"].map(|status| (status, parrot(status)));
    let (secrets, count) = with_each(
        |source| !source.github,
        |source, search, count| {
            let place = Place::new();
            let out = place.written.path().to_str().expect("a path").to_owned();
            for ((status, url), command) in urls.iter().flat_map(|url| [(url, "scan"), (url, "doctor")]) {
                let line = invocations(command, &out).swap_remove(0);
                let args: Vec<&str> = line.iter().map(String::as_str).collect();
                let before = count.hidden;
                let mut ran = place.command(source, url, &args);
                ran.env("HSS_IAC_PROJECT_ID", Options::default().project_id);
                let code = count.run(&place, ran, search, &emulator);
                assert!([4, 5, 7].contains(&code), "{status}, {}: exit {code}", source.name);
                // Of a redirect only the host is told. A secret key is not sent, so that nobody can repeat it.
                if !status.starts_with("302") {
                    assert_eq!(count.hidden > before, source.is_sent, "{status}, {command} with {}", source.name);
                }
            }
        },
    );
    count.say("that a server repeats", secrets);
    assert_eq!(count.hits, [""; 0]);
}

#[test]
fn only_the_request_that_needs_a_secret_carries_it() {
    let (secrets, count) = with_each(|source| !source.github, needed);
    count.say("on the wire, where a run is a request", secrets);
    assert_eq!(count.hits, [""; 0]);
    assert!(count.runs > 60 && count.issued > 10, "{} {}", count.runs, count.issued);
}

/// Counts the requests, and those with a secret that they do not need.
fn needed(source: &Source, search: &Search, count: &mut Count) {
    let emulator: Emulator = start(source.options.clone());
    let tap = Tap::to(&emulator.url());
    let place = Place::new();
    count.commands.insert("scan".to_owned());
    let ran = place.command(source, &format!("http://{}", tap.address), &["scan", "-q"]).output().expect("it runs");
    assert!([0, 1].contains(&ran.status.code().expect("a code")), "{}", String::from_utf8_lossy(&ran.stderr));
    let home = tempfile::tempdir().expect("a directory");
    let all = secrets(&sources(home.path()));
    let issued = emulator.issued();
    count.issued += issued.len();
    for request in requests(&tap.heard().concat()) {
        count.runs += 1;
        count.bytes += request.len();
        let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
        let headers = ["x-auth-token", "x-security-token", "x-metadata-token"];
        let elsewhere = |secret: &String| !headers.iter().any(|name| header(&request, name, secret));
        let carried = issued.iter().filter(|secret| holds(&request, secret) && elsewhere(secret));
        count.hits.extend(carried.map(|secret| format!("{}: {line} carries {secret}, which was obtained", source.name)));
        if search.first(&request).is_none() {
            continue;
        }
        let carried = all.iter().filter(|secret| holds(&request, secret) && !may_carry(source, &line, &request, secret));
        count.hits.extend(carried.map(|secret| format!("{}: {line} carries {secret}", source.name)));
    }
}

/// Requests follow each other on a connection, and each opens with its method.
fn requests(heard: &[u8]) -> Vec<Vec<u8>> {
    let opens = memchr::memmem::find_iter(heard, " HTTP/1.1\r\n").filter_map(|end| {
        let methods = ["GET /", "POST /", "PUT /"].map(|word| memchr::memmem::rfind(&heard[..end], word.as_bytes()));
        methods.into_iter().flatten().max()
    });
    let opens: Vec<usize> = opens.chain([heard.len()]).collect();
    opens.windows(2).map(|ends| heard[ends[0]..ends[1]].to_vec()).collect()
}

fn may_carry(source: &Source, line: &str, request: &[u8], secret: &String) -> bool {
    let is = |name: &str| *secret == canary(name);
    match source.name {
        "HSS_IAC_TOKEN" | "HW_AUTH_TOKEN" => is(source.name) && header(request, "x-auth-token", secret),
        "HW_USER_PASSWORD" => is("HW_USER_PASSWORD") && line.starts_with("POST /v3/auth/tokens"),
        "HUAWEICLOUD_SDK_ID_TOKEN_FILE" | PROFILE_IDP => {
            is("id token") && line.starts_with("POST /v3.0/OS-AUTH/id-token/tokens")
        }
        "HUAWEICLOUD_OIDC_ID_TOKEN" | "HUAWEICLOUD_OIDC_TOKEN_FILE" => {
            is("id token") && line.starts_with("POST /v5/agencies/assume-with-oidc")
        }
        // A security token goes along with its key, a secret key nowhere.
        _ => source.options.security_token.as_ref() == Some(secret) && header(request, "x-security-token", secret),
    }
}

/// Whether a secret stands in this header, and there alone.
fn header(request: &[u8], name: &str, secret: &str) -> bool {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().find(|line| line.eq_ignore_ascii_case(&format!("{name}: {secret}")));
    line.is_some() && text.matches(secret).count() == 1
}
