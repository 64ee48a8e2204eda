//! Files that hold credentials, and what stands in their place.

use std::time::Duration;

use hss_iac::emulator::Options;

use crate::common::{Finished, Repo, hss_iac, quick, start};
use crate::{Env, agency, idp, keys, private, reasons, scan};

#[test]
fn half_a_credential_in_a_file_names_file_and_other_half() {
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let files = Repo::new();
    let refused = |text: &str| {
        let path = private(&files, "credentials", text, 0o600);
        let ran = scan(repo.path(), &emulator, &vec![("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path.clone())], &[]);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        (path, reasons(&ran))
    };
    let halves =
        [("ak", "sk"), ("sk", "ak"), ("security_token", "ak"), ("idp_id", "id_token_file"), ("id_token_file", "idp_id")];
    for (given, missing) in halves {
        let (path, why) = refused(&format!("[basic]\n{given} = x\n"));
        let expected = format!("half a credential: {given} in {path} is set and {missing} is not");
        assert!(why.contains(&expected), "{why}");
    }
    let (path, why) = refused(&"#".repeat(1_000_001));
    assert!(why.contains(&format!("the credentials {path} can't be read: it has more than 1000000 bytes")), "{why}");
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_read_draws_a_warning() {
    let emulator = start(quick());
    let usual = Options::default();
    let ini = format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, usual.secret_key);
    for (mode, warns) in [(0o600, false), (0o640, true), (0o604, true)] {
        let home = Repo::new();
        std::fs::create_dir(home.path().join(".huaweicloud")).expect("a directory");
        let path = private(&home, ".huaweicloud/credentials", &ini, mode);
        let repo = Repo::new().many(1);
        let home = vec![("HOME", home.path().to_str().expect("a path").to_owned())];
        let ran = scan(repo.path(), &emulator, &home, &["-q"]);
        let warning = format!(
            "{path} holds a credential and can be read by others: chmod 600, and renew it if others may have read it\n"
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains(&warning), warns, "{mode:o}: {}", ran.stderr);
    }
}

/// Ends what would wait for ever.
#[cfg(unix)]
fn ended(command: &mut std::process::Command) -> Finished {
    use std::process::Stdio;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    for _ in 0..400 {
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // Of one that has ended nothing is killed.
    let _ = child.kill();
    child.wait_with_output().expect("output").into()
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_refused_and_not_waited_for() {
    let emulator = start(quick());
    let files = Repo::new();
    std::fs::create_dir(files.path().join(".huaweicloud")).expect("a directory");
    let fifo = files.path().join(".huaweicloud/credentials").to_str().expect("a path").to_owned();
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let repo = Repo::new().many(1);
    let refused = |env: Env<'_>, args: &[&str]| {
        let mut command = hss_iac(repo.path());
        command.args(["scan", "-o", "json"]).args(args).env("HSS_IAC_REGION", "cn-north-4");
        for name in ["HSS_IAC_ENDPOINT", "HSS_IAC_IAM_ENDPOINT", "HSS_IAC_STS_ENDPOINT"] {
            command.env(name, emulator.url());
        }
        ended(command.envs(env))
    };
    for (path, what) in [(fifo.as_str(), "a FIFO"), ("/dev/zero", "a character device")] {
        let why = format!("{path} can't be read: it is {what}: name a regular file");
        let ran = refused(keys(), &["--ca-file", path]);
        assert_eq!((ran.code, ran.stderr), (2, format!("error: --ca-file {why}\n")));
        let named = |name| vec![(name, path.to_owned())];
        for (env, what) in [
            (named("HUAWEICLOUD_SDK_CREDENTIALS_FILE"), "the credentials"),
            ([agency(), named("HUAWEICLOUD_OIDC_TOKEN_FILE")].concat(), "the identity token"),
            ([idp(), named("HUAWEICLOUD_SDK_ID_TOKEN_FILE")].concat(), "the identity token"),
        ] {
            let ran = refused(env, &[]);
            assert_eq!(ran.code, 4, "{}", ran.stderr);
            assert!(reasons(&ran).contains(&format!("{what} {why}")), "{}", ran.stdout);
        }
    }
    let home = files.path().to_str().expect("a path").to_owned();
    let ran = refused(vec![("HOME", home)], &[]);
    let why = format!("the credentials {fifo} can't be read: it is a FIFO: name a regular file");
    assert!(ran.code == 4 && reasons(&ran).contains(&why), "{}", ran.stdout);
    assert_eq!(emulator.journal().len(), 0);
}

#[test]
#[cfg(unix)]
fn a_file_by_a_link_is_read() {
    let files = Repo::new();
    let usual = Options::default();
    private(&files, "keys", &format!("[basic]\nak = {}\nsk = {}\n", usual.access_key, usual.secret_key), 0o600);
    // As Kubernetes mounts them.
    std::os::unix::fs::symlink("keys", files.path().join("link")).expect("a link");
    let emulator = start(quick());
    let repo = Repo::new().many(1);
    let link = files.path().join("link").to_str().expect("a path").to_owned();
    let ran = scan(repo.path(), &emulator, &vec![("HUAWEICLOUD_SDK_CREDENTIALS_FILE", link)], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_token_file_that_a_file_names_stands_beside_it() {
    let usual = Options::default();
    let ini = format!("[basic]\nidp_id = {}\nid_token_file = tokens/mine\n", usual.idp_id);
    let home = Repo::new().file(".huaweicloud/tokens/mine", &usual.id_token).file(".huaweicloud/credentials", &ini);
    // The working directory is not asked.
    let repo = Repo::new().many(1).file("tokens/mine", "of a pull request");
    let emulator = start(quick());
    for (name, path) in [("HOME", ""), ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/.huaweicloud/credentials")] {
        let env = vec![(name, format!("{}{path}", home.path().display()))];
        let ran = scan(repo.path(), &emulator, &env, &[]);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stderr, ran.stdout);
    }
}

#[test]
fn a_credentials_file_that_is_named_and_holds_none_is_named() {
    let emulator = start(quick());
    let files = Repo::new();
    let repo = Repo::new().many(1);
    for text in ["", "[default]\nak = a\nsk = s\n", "[basic]\nak =\nproject_id = p\n"] {
        let path = private(&files, "keys", text, 0o600);
        let ran = scan(repo.path(), &emulator, &vec![("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path.clone())], &[]);
        let why = "no keys in a section [basic]: write ak and sk there, or idp_id and id_token_file";
        assert!(ran.code == 4 && reasons(&ran).contains(&format!("the credentials {path} have {why}")), "{}", ran.stdout);
    }
    // Nobody named the one in the home directory, which may be no directory, as /dev/null.
    let home = Repo::new().file(".huaweicloud/credentials", "[default]\nak = a\n").file("null", "");
    for home in [home.path().to_owned(), home.path().join("null")] {
        let home = home.to_str().expect("a path").to_owned();
        let ran = scan(repo.path(), &emulator, &vec![("HOME", home)], &[]);
        assert!(ran.code == 4 && reasons(&ran).contains("no credentials: set HSS_IAC_ACCESS_KEY"), "{}", ran.stdout);
    }
    assert_eq!(emulator.journal().len(), 0);
}
