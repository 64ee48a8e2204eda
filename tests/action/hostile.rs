//! Inputs and repositories that mean harm.

use super::common::{BAD_DOCKERFILE, Repo, clean_dockerfile, quick, start};
use super::runner::Job;

const TEXTS: [&str; 10] = [
    "a b",
    "it's \"quoted\"",
    "$(touch x)",
    "`touch x`",
    "--output=json=x",
    "-v",
    "; touch x #",
    "::set-output name=verdict::pass",
    "\\\" && touch x && \"",
    "${HSS_IAC_SECRET_KEY}",
];

/// Each text is a directory with a bad file; each must be found under its own name, and nothing else happens.
#[test]
fn paths_are_data() {
    let emulator = start(quick());
    let mut repo = Repo::new().file("clean/Dockerfile", &clean_dockerfile(0));
    for text in TEXTS {
        repo = repo.file(&format!("{text}/Dockerfile"), &format!("{BAD_DOCKERFILE}LABEL x=\"y\"\n"));
    }
    let paths = TEXTS.map(|text| format!("./{text}\r")).join("\n\n");
    let ended = Job::new(repo.path()).against(&emulator).input("paths", &paths).run();
    assert_eq!((ended.output("verdict"), ended.output("exit-code")), ("fail", "1"), "{}", ended.log);
    assert_eq!(ended.output("files-scanned"), TEXTS.len().to_string(), "{}", ended.log);
    let left: Vec<_> = std::fs::read_dir(repo.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), TEXTS.len() + 2, "{left:?}");
    let known = ["::add-mask::", "::notice", "::group::", "::endgroup::", "::error ", "::warning "];
    for command in ended.commands() {
        assert!(known.iter().any(|known| command.starts_with(known)), "{command}");
    }
}

#[test]
fn every_text_input_is_data() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let inputs = ["paths", "include", "exclude", "diff", "max", "fail-on", "report-level", "baseline", "config", "timeout"];
    let more = [
        "changed-only",
        "cache",
        "upload-sarif",
        "annotations",
        "summary",
        "on-missing-credentials",
        "working-directory",
        "version",
    ];
    // Keys that are set come before these; what they hold has to be harmless all the same.
    let more: Vec<&str> = more.into_iter().chain(["oidc-provider-urn", "oidc-agency-urn", "oidc-audience"]).collect();
    for (input, text) in inputs.iter().chain(&more).zip(TEXTS.iter().cycle()) {
        let ended = Job::new(repo.path()).against(&emulator).input(input, text).run();
        let (verdict, code) = (ended.output("verdict"), ended.output("exit-code"));
        let allowed = match *input {
            // What matches nothing leaves the one file out or in.
            "include" => ["pass 0", "fail 1"],
            // Without git there is no change: all is scanned.
            "exclude" | "diff" | "oidc-provider-urn" | "oidc-agency-urn" | "oidc-audience" => ["fail 1", "fail 1"],
            _ => ["error 2", "error 2"],
        };
        assert!(allowed.contains(&format!("{verdict} {code}").as_str()), "{input}={text}: {verdict} {code}\n{}", ended.log);
        assert_eq!(std::fs::read_dir(repo.path()).unwrap().count(), 2, "{input}={text}");
    }
}

#[test]
fn a_value_over_lines_sets_no_output_of_its_own() {
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE);
    let text = "x\nghadelimiter_0\nverdict=pass\n::set-output name=verdict::pass\n::stop-commands::x";
    for input in ["working-directory", "version", "summary", "annotations"] {
        let ended = Job::new(repo.path()).env("HSS_IAC_TOKEN", "t").input(input, text).run();
        assert_eq!((ended.output("verdict"), ended.output("exit-code")), ("error", "2"), "{input}: {}", ended.log);
        let forged =
            ended.commands().into_iter().find(|line| line.starts_with("::set-output") || line.starts_with("::stop"));
        assert_eq!(forged, None, "{input}");
    }
}

#[test]
fn more_arguments_are_taken_as_they_stand() {
    let emulator = start(quick());
    let repo = Repo::new().file("Dockerfile", BAD_DOCKERFILE).file("a b/Dockerfile", BAD_DOCKERFILE);
    let more = "--exclude\na b/**\n--fail-on=never\n";
    let ended = Job::new(repo.path()).against(&emulator).input("extra-args", more).run();
    assert_eq!((ended.output("verdict"), ended.output("files-scanned")), ("pass", "1"), "{}", ended.log);
}

#[test]
fn a_directory_that_begins_with_a_dash_is_a_directory() {
    let emulator = start(quick());
    let repo = Repo::new().file("-/Dockerfile", BAD_DOCKERFILE).file("Dockerfile", &clean_dockerfile(1));
    let ended = Job::new(repo.path()).against(&emulator).input("working-directory", "-").run();
    assert_eq!((ended.output("verdict"), ended.output("files-scanned")), ("fail", "1"), "{}", ended.log);
}
