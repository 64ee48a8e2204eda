//! Every way to credentials, through the binary against a stand-in that gives them away.
#![cfg(feature = "emulator")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod files;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use common::{Finished, Repo, assert_adds_up, calls, github, hss_iac, quick, scripted, start};
use hss_iac::emulator::{Emulator, Fault, Options};

type Env<'a> = Vec<(&'a str, String)>;

/// `scan` with these variables and where to call, and nothing of credentials besides.
fn scan(repo: &Path, emulator: &Emulator, env: &Env<'_>, args: &[&str]) -> Finished {
    let mut command = hss_iac(repo);
    command.args(["scan", "-o", "json"]).args(args).env("HSS_IAC_REGION", "cn-north-4");
    for name in ["HSS_IAC_ENDPOINT", "HSS_IAC_IAM_ENDPOINT", "HSS_IAC_STS_ENDPOINT", "HSS_IAC_METADATA_ENDPOINT"] {
        command.env(name, emulator.url());
    }
    command.envs(env.iter().cloned()).output().expect("the binary runs").into()
}

/// Why a run ended as it did.
fn reasons(ran: &Finished) -> String {
    ran.json()["verdict"]["reasons"].to_string()
}

/// The calls of others than HSS, in their order, and how each ended.
fn about_credentials(emulator: &Emulator) -> Vec<(String, u16)> {
    let journal = emulator.journal().into_iter();
    let others = journal.filter(|call| ["iam/", "sts/", "metadata/"].iter().any(|of| call.api.starts_with(of)));
    others.map(|call| (call.api, call.status.unwrap_or(0))).collect()
}

fn password() -> Env<'static> {
    let usual = Options::default();
    vec![("HW_USER_NAME", usual.access_key), ("HW_USER_PASSWORD", usual.secret_key), ("HW_DOMAIN_NAME", usual.account)]
}

fn keys() -> Env<'static> {
    vec![("HW_ACCESS_KEY", Options::default().access_key), ("HW_SECRET_KEY", Options::default().secret_key)]
}

fn role() -> Env<'static> {
    let usual = Options::default();
    vec![("HW_ASSUME_ROLE_AGENCY_NAME", usual.agency_name), ("HW_ASSUME_ROLE_DOMAIN_NAME", usual.account)]
}

fn agency() -> Env<'static> {
    let usual = Options::default();
    vec![("HUAWEICLOUD_OIDC_PROVIDER_URN", usual.provider_urn), ("HUAWEICLOUD_OIDC_AGENCY_URN", usual.agency_urn)]
}

fn id_token() -> Env<'static> {
    vec![("HUAWEICLOUD_OIDC_ID_TOKEN", Options::default().id_token)]
}

fn idp() -> Env<'static> {
    vec![("HUAWEICLOUD_SDK_IDP_ID", Options::default().idp_id)]
}

/// A file that its owner alone can read.
fn private(repo: &Repo, name: &str, text: &str, mode: u32) -> String {
    let path = repo.path().join(name);
    std::fs::write(&path, text).expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    }
    path.to_str().expect("a path").to_owned()
}

#[test]
fn every_source_scans() {
    let files = Repo::new();
    let usual = Options::default();
    let token_file = private(&files, "token", &format!("{}\n", usual.id_token), 0o600);
    let ini = format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, usual.secret_key);
    let profile = private(&files, "keys", &ini, 0o600);
    let ini = format!("[basic]\nidp_id = {}\nid_token_file = {token_file}\n", usual.idp_id);
    let profile_idp = private(&files, "idp", &ini, 0o600);
    let named = |path: &String| vec![("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path.clone())];
    let [tokens, by_id, assumed, sts] = ["iam/tokens", "iam/id-token", "iam/securitytokens", "sts/assume-with-oidc"];
    let [metadata_token, metadata_key, projects] = ["metadata/token", "metadata/securitykey", "iam/projects"];
    let cases: Vec<(&str, Env<'_>, Vec<&str>)> = vec![
        ("password", password(), vec![tokens]),
        ("STS, token at hand", [agency(), id_token()].concat(), vec![sts, projects]),
        ("STS, file", [agency(), vec![("HUAWEICLOUD_OIDC_TOKEN_FILE", token_file.clone())]].concat(), vec![sts, projects]),
        ("IAM, token at hand", [idp(), id_token()].concat(), vec![by_id]),
        ("IAM, file", [idp(), vec![("HUAWEICLOUD_SDK_ID_TOKEN_FILE", token_file.clone())]].concat(), vec![by_id]),
        ("file with keys", named(&profile), vec![projects]),
        ("file with an identity provider", named(&profile_idp), vec![by_id]),
        ("agency by keys", [keys(), role()].concat(), vec![assumed, projects]),
        ("agency by password", [password(), role()].concat(), vec![tokens, assumed, projects]),
        ("agency by token", [vec![("HW_AUTH_TOKEN", usual.token)], role()].concat(), vec![assumed, projects]),
        ("machine", vec![("HSS_IAC_CREDENTIALS", "ecs".to_owned())], vec![metadata_token, metadata_key, projects]),
    ];
    for (name, env, expected) in cases {
        let emulator = start(quick());
        let repo = Repo::new().many(1);
        let ran = scan(repo.path(), &emulator, &env, &[]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert_adds_up(&ran.json(), 2);
        let made = about_credentials(&emulator);
        assert_eq!(made.iter().map(|(api, _)| api.as_str()).collect::<Vec<_>>(), expected, "{name}");
        assert!(made.iter().all(|(_, status)| (200..300).contains(status)), "{name}: {made:?}");
        assert_eq!(emulator.refusals(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_metadata_service_without_tokens_will_do() {
    let emulator = start(Options { metadata_without_tokens: true, ..quick() });
    let repo = Repo::new().many(1);
    let ran = scan(repo.path(), &emulator, &vec![("HSS_IAC_CREDENTIALS", "ecs".to_owned())], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let made = [("metadata/token", 405), ("metadata/securitykey", 200), ("iam/projects", 200)];
    assert_eq!(about_credentials(&emulator), made.map(|(api, status)| (api.to_owned(), status)));
}

#[test]
fn an_identity_token_goes_nowhere_in_plain_text() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let endpoint = vec![("HSS_IAC_STS_ENDPOINT", "http://sts.example.test".to_owned())];
    let ran = scan(repo.path(), &emulator, &[agency(), id_token(), endpoint].concat(), &[]);
    let expected = "error: endpoint \"http://sts.example.test\": plain http is for loopback only: say https\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, expected));
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
fn github_is_asked_for_a_token_of_the_audience() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let (url, asked) = github();
    let mut env = agency();
    env.push(("ACTIONS_ID_TOKEN_REQUEST_URL", url));
    env.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "for GitHub alone".to_owned()));
    env.push(("HSS_IAC_OIDC_AUDIENCE", "hss & co".to_owned()));
    let ran = scan(repo.path(), &emulator, &env, &["-v"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let asked = asked.join().expect("GitHub was asked");
    assert_eq!(asked[0], "GET /token/7?api-version=2.0&audience=hss%20%26%20co HTTP/1.1");
    assert!(asked.contains(&"authorization: Bearer for GitHub alone".to_owned()), "{asked:?}");
    let source =
        "credentials from HUAWEICLOUD_OIDC_PROVIDER_URN, HUAWEICLOUD_OIDC_AGENCY_URN, ACTIONS_ID_TOKEN_REQUEST_URL\n";
    assert!(ran.stderr.contains(source), "{}", ran.stderr);
    assert!(ran.stderr.contains("credentials obtained, good until "), "{}", ran.stderr);
}

#[test]
fn what_github_gave_goes_nowhere_in_plain_text() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let mut env = agency();
    env.push(("ACTIONS_ID_TOKEN_REQUEST_URL", "http://token.example.test/x".to_owned()));
    env.push(("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "for GitHub alone".to_owned()));
    let ran = scan(repo.path(), &emulator, &env, &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(reasons(&ran).contains("plain http is for loopback only"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("for GitHub alone") && !ran.stderr.contains("for GitHub alone"));
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
fn what_ends_is_renewed_in_mid_run() {
    for env in [[agency(), id_token()].concat(), [keys(), role()].concat(), password()] {
        let mut options = quick();
        options.issue_for = Some(Duration::from_millis(1_500));
        options.latency = Duration::from_millis(150);
        let emulator = start(options);
        let repo = (0..12).fold(Repo::new(), |repo, n| {
            repo.file(&format!("s{n}/Dockerfile"), &format!("{}LABEL n={n}\n", common::BAD_DOCKERFILE))
        });
        let ran = scan(repo.path(), &emulator, &env, &["--jobs", "1"]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_adds_up(&ran.json(), 12);
        let made = about_credentials(&emulator);
        let obtained = made.iter().filter(|(api, _)| api != "iam/projects").count();
        assert!(obtained >= 2, "{made:?}");
        assert!(emulator.journal().iter().all(|call| call.status != Some(401)), "none was used after its end");
    }
}

#[test]
fn a_wrong_password_costs_one_call() {
    let emulator = start(quick());
    let repo = Repo::new().many(20);
    let mut env = password();
    env[1].1 = "wrong-hunter2".to_owned();
    let ran = scan(repo.path(), &emulator, &env, &["-v"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert_adds_up(&ran.json(), 40);
    assert_eq!(about_credentials(&emulator), [("iam/tokens".to_owned(), 401)]);
    assert_eq!(emulator.journal().len(), 1);
    assert!(reasons(&ran).contains("iam/tokens: 401 401 The username or password is wrong."), "{}", ran.stdout);
    assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"));
}

#[test]
fn an_identity_token_that_is_refused_costs_one_call() {
    for (env, api) in [(agency(), "sts/assume-with-oidc"), (idp(), "iam/id-token")] {
        let emulator = start(quick());
        let repo = Repo::new().many(20);
        let env = [env, vec![("HUAWEICLOUD_OIDC_ID_TOKEN", "stale-hunter2".to_owned())]].concat();
        let ran = scan(repo.path(), &emulator, &env, &["-v"]);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        assert_eq!(about_credentials(&emulator), [(api.to_owned(), 401)]);
        assert!(!ran.stderr.contains("hunter2") && !ran.stdout.contains("hunter2"));
    }
}

#[test]
fn a_token_that_was_obtained_is_renewed_once_and_no_other_is() {
    let refused = |nth| Options { faults: vec![scripted("tasks/batch-query", nth, Fault::ExpiredToken)], ..quick() };
    let fixed = vec![("HSS_IAC_TOKEN", Options::default().token)];
    let sts = [agency(), id_token()].concat();
    for (name, env, nth, code, obtained) in [
        ("a token that was refused once", password(), 1, 0, 2),
        ("a token that is refused again and again", password(), 0, 4, 2),
        ("a token that was given", fixed, 1, 4, 0),
        ("a key", keys(), 1, 4, 0),
        ("a key that was obtained", sts, 1, 4, 1),
    ] {
        let emulator = start(refused(nth));
        let repo = Repo::new().many(1);
        let ran = scan(repo.path(), &emulator, &env, &["--jobs", "1"]);
        assert_eq!(ran.code, code, "{name}: {}", ran.stderr);
        assert_adds_up(&ran.json(), 2);
        let made = calls(&emulator, "iam/tokens") + calls(&emulator, "sts/assume-with-oidc");
        assert_eq!(made, obtained, "{name}");
        let tried = emulator.journal().iter().filter(|call| call.status == Some(401)).count();
        assert_eq!(tried, if nth == 0 { 2 } else { 1 }, "{name}");
    }
}

#[test]
fn many_calls_at_once_obtain_one_token() {
    let emulator = start(Options { latency: Duration::from_millis(50), ..quick() });
    let repo = Repo::new().many(60);
    let ran = scan(repo.path(), &emulator, &password(), &["--jobs", "16"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(about_credentials(&emulator), [("iam/tokens".to_owned(), 201)]);
}

#[test]
fn half_a_credential_ends_the_run_before_any_call() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let ran = scan(repo.path(), &emulator, &agency(), &[]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let expected = "half a credential: HUAWEICLOUD_OIDC_PROVIDER_URN is set and HUAWEICLOUD_OIDC_ID_TOKEN is not";
    assert!(reasons(&ran).contains(expected), "{}", ran.stdout);
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
fn a_password_goes_to_iam_and_nowhere_else() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let mut command = hss_iac(repo.path());
    command.arg("scan").env("HSS_IAC_ENDPOINT", emulator.url()).envs(password());
    let ran: Finished = command.output().expect("the binary runs").into();
    let expected = "error: no IAM endpoint to get a token from: set a region, or HSS_IAC_IAM_ENDPOINT\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, expected));
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
fn a_cache_is_sealed_under_the_key_that_assumes_an_agency() {
    let repo = Repo::new().many(1);
    let directory = tempfile::tempdir().expect("a directory");
    let cache = vec![("HSS_IAC_CACHE_DIR", directory.path().to_str().expect("a path").to_owned())];
    let lasting = [keys(), role()].concat();
    let passing = [vec![("HW_AUTH_TOKEN", Options::default().token)], role()].concat();
    let emulator = start(quick());
    for (env, uploads, off) in [(&passing, 2, true), (&lasting, 4, false), (&lasting, 4, false)] {
        let ran = scan(repo.path(), &emulator, &[env.clone(), cache.clone()].concat(), &[]);
        assert_eq!((ran.code, calls(&emulator, "batch-upload")), (0, uploads), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("the cache is off"), off, "{}", ran.stderr);
    }
}

#[test]
fn an_agency_that_is_not_assumed_draws_a_warning() {
    let usual = Options::default();
    let repo = Repo::new().many(1);
    let ours = vec![("HSS_IAC_ACCESS_KEY", usual.access_key), ("HSS_IAC_SECRET_KEY", usual.secret_key)];
    let why = "has no part in this: it goes with HW_ credentials, and these are from HSS_IAC_ACCESS_KEY, HSS_IAC_SECRET_KEY";
    let remedy = "unset it, or give the credentials that may assume the agency in HW_ variables";
    for role in [role(), role()[..1].to_vec(), vec![("HW_ASSUME_ROLE_DURATION", "900".to_owned())]] {
        let emulator = start(quick());
        let ran = scan(repo.path(), &emulator, &[ours.clone(), role.clone()].concat(), &["-q"]);
        assert_eq!((ran.code, calls(&emulator, "iam/securitytokens")), (0, 0), "{}", ran.stderr);
        assert_eq!(ran.stderr, format!("{} {why}: {remedy}\n", role[0].0));
    }
    // With credentials that it goes with, half of it is an error.
    let ran =
        scan(repo.path(), &start(quick()), &[keys(), vec![("HW_ASSUME_ROLE_DURATION", "900".to_owned())]].concat(), &[]);
    let half = "half a credential: HW_ASSUME_ROLE_DURATION is set and HW_ASSUME_ROLE_AGENCY_NAME is not";
    assert!(ran.code == 4 && reasons(&ran).contains(half), "{}", ran.stdout);
}

#[test]
fn config_names_the_source_of_credentials_and_no_value() {
    let files = Repo::new();
    let profile = private(&files, "keys", "[basic]\nak = access-hunter2\nsk = secret-hunter2\n", 0o600);
    let config = |env: &Env<'_>| -> Finished {
        let mut command = hss_iac(files.path());
        command.args(["config", "-o", "json"]).env("HSS_IAC_REGION", "cn-north-4").envs(env.iter().cloned());
        let ran: Finished = command.output().expect("the binary runs").into();
        assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
        ran
    };
    let told = |ran: &Finished| {
        let values = ran.json()["values"].as_array().expect("values").clone();
        values.into_iter().find(|value| value["name"] == "credentials").expect("credentials")
    };
    let ran = config(&vec![("HUAWEICLOUD_SDK_CREDENTIALS_FILE", profile.clone())]);
    let origin = serde_json::json!({"from": "file", "name": format!("{profile}, section [basic]")});
    assert_eq!(told(&ran)["origin"], origin);
    let ran = config(&vec![("HW_USER_NAME", "hss".to_owned())]);
    assert_eq!(told(&ran)["value"], "half a credential: HW_USER_NAME is set and HW_USER_PASSWORD is not");
}

/// A key of the agency, as anybody with the right token gets it: access key, secret key, security token.
fn temporary_key(emulator: &Emulator) -> [String; 3] {
    let usual = Options::default();
    let role = serde_json::json!({"agency_name": usual.agency_name, "domain_name": usual.account});
    let body = serde_json::json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}).to_string();
    let url = emulator.url();
    let host = url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(host).expect("a connection");
    let head = format!(
        "POST /v3.0/OS-CREDENTIAL/securitytokens HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nX-Auth-Token: {}\r\n",
        usual.token
    );
    write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    ["access", "secret", "securitytoken"].map(|name| body["credential"][name].as_str().expect("a text").to_owned())
}

#[test]
fn a_temporary_key_is_good_with_its_token_and_until_its_end() {
    let repo = Repo::new().many(1);
    let brief = Options { issue_for: Some(Duration::ZERO), ..quick() };
    for (name, options, own_token, code) in
        [("with its token", quick(), true, 0), ("without", quick(), false, 4), ("after its end", brief, true, 4)]
    {
        let emulator = start(options);
        let [access, secret, token] = temporary_key(&emulator);
        let mut env = vec![("HUAWEICLOUD_SDK_AK", access), ("HUAWEICLOUD_SDK_SK", secret)];
        if own_token {
            env.push(("HUAWEICLOUD_SDK_SECURITY_TOKEN", token));
        }
        let ran = scan(repo.path(), &emulator, &env, &[]);
        assert_eq!(ran.code, code, "{name}: {}", ran.stderr);
        let refused = emulator.journal().iter().filter(|call| call.status == Some(401)).count();
        assert_eq!(refused, usize::from(code != 0), "{name}");
    }
}
