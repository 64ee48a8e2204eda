use clap::CommandFactory as _;

use super::*;

fn mistake(text: &str) -> String {
    parse(NAME, text.as_bytes()).expect_err(text).to_string()
}

#[test]
fn every_key_is_read() {
    let text = r#"
include = ["deploy/**"]
exclude = ["./vendor/"]
no-ignore = true
fail-on = "never"
report-level = "low"
on-partial = "warn"
on-service-error = "warn"
if-empty = "fail"
baseline = "known.json"
no-inline-ignores = true
max-path-calls = 3
[map]
"*.docker" = "dockerfile"
[max]
medium = 5
[[suppress]]
rule = "R1"
reason = "  accepted  "
until = 2027-01-31

[[suppress]]
rule = "R2"
path = "legacy"
resource = "Deployment/web"
reason = "later"
until = "2027-02-28"
owner = "shop"
"#;
    let file = parse(NAME, text.as_bytes()).expect("it is read");
    let glob = |text: &str| Glob::try_from(text.to_owned()).expect("a pattern");
    let said = |text: &str| Text(text.to_owned());
    let expected = File {
        include: Some(vec![glob("deploy/**")]),
        exclude: Some(vec![glob("vendor")]),
        map: Some([(glob("*.docker"), FileType::Dockerfile)].into()),
        no_ignore: Some(true),
        fail_on: Some(FailOn::Never),
        max: Some([(Level::Medium, 5)].into()),
        report_level: Some(Level::Low),
        on_partial: Some(OnFault::Warn),
        on_service_error: Some(OnFault::Warn),
        if_empty: Some(IfEmpty::Fail),
        baseline: Some(said("known.json")),
        no_inline_ignores: Some(true),
        max_path_calls: Some(3),
        suppress: vec![
            Suppress {
                rule: said("R1"),
                path: None,
                resource: None,
                reason: said("accepted"),
                until: Some(Until(jiff::civil::date(2027, 1, 31))),
                owner: None,
                line: 17,
            },
            Suppress {
                rule: said("R2"),
                path: Some(glob("legacy")),
                resource: Some(said("Deployment/web")),
                reason: said("later"),
                until: Some(Until(jiff::civil::date(2027, 2, 28))),
                owner: Some(said("shop")),
                line: 22,
            },
        ],
    };
    assert_eq!(file, expected);
    assert_eq!(parse(NAME, b""), Ok(File::default()));
    assert_eq!(parse(NAME, "\u{feff}# nothing\r\n".as_bytes()), Ok(File::default()));
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (text, expected) in [
        ("\nfail_on = \"high\"", "hss-iac.toml:2:1: unknown key \"fail_on\": did you mean \"fail-on\"?"),
        ("exlude = []", "hss-iac.toml:1:1: unknown key \"exlude\": did you mean \"exclude\"?"),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"r\"\nexpires = \"2027-01-01\"",
            "hss-iac.toml:4:1: unknown key \"expires\": the keys are rule, path, resource, reason, until, owner",
        ),
        (
            "# x\nendpoint = \"https://elsewhere.example\"",
            "hss-iac.toml:2:1: endpoint can't be set by a repository: it would choose where files and credentials go; use --endpoint \
             or HSS_IAC_ENDPOINT",
        ),
        (
            "secret_key = \"s\"",
            "hss-iac.toml:1:1: secret_key can't be set by a repository: a credential has no place in a repository; use \
             HSS_IAC_SECRET_KEY",
        ),
        (
            "emulator = true",
            "hss-iac.toml:1:1: emulator can't be set by a repository: a stand-in would be taken for HSS; use --emulator",
        ),
        (
            "fail-on = \"worst\"",
            "hss-iac.toml:1:11: fail-on: unknown variant `worst`, expected one of `high`, `medium`, `low`, `tips`, `never`",
        ),
        (
            "exclude = [\"a\",\n\"{a,b}\"]",
            "hss-iac.toml:1:11: exclude: {a,b}: {a,b} is not understood in a pattern; give one pattern for each, repeating the flag",
        ),
        ("[[suppress]]\nrule = \"R\"", "hss-iac.toml:1:1: suppress: missing field `reason`"),
        ("[[suppress]]\nreason = \"r\"", "hss-iac.toml:1:1: suppress: missing field `rule`"),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \" \"",
            "hss-iac.toml:3:10: suppress.reason: is empty, and it has to say something",
        ),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"r\"\nuntil = \"soon\"",
            "hss-iac.toml:4:9: suppress.until: \"soon\" is no date, such as 2027-01-31",
        ),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"r\"\nuntil = \"2027-02-30\"",
            "hss-iac.toml:4:9: suppress.until: \"2027-02-30\" is no date, such as 2027-01-31",
        ),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"r\"\nuntil = 2027-01-01T00:00:00Z",
            "hss-iac.toml:4:9: suppress.until: \"2027-01-01T00:00:00Z\" is no date, such as 2027-01-31",
        ),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"r\"\nuntil = 7",
            "hss-iac.toml:4:9: suppress.until: no date, such as 2027-01-31",
        ),
        ("[max]\nhihg = 1", "hss-iac.toml:2:1: max: unknown key \"hihg\": did you mean \"high\"?"),
        ("max.hihg = 1", "hss-iac.toml:1:5: max: unknown key \"hihg\": did you mean \"high\"?"),
        ("[max]\nworst = 1", "hss-iac.toml:2:1: max: unknown key \"worst\": the keys are high, medium, low, tips"),
        ("[max]\nhigh = -1", "hss-iac.toml:2:8: max.high: invalid value: integer `-1`, expected u64"),
        ("max = 5", "hss-iac.toml:1:7: max: invalid type: integer `5`, expected a map"),
        (
            "[map]\n\"*.d\" = \"docker\"",
            "hss-iac.toml:2:9: map.*.d: unknown variant `docker`, expected `dockerfile` or `k8s_yaml`",
        ),
        ("fail-on = \"high\"\nfail-on = \"low\"", "hss-iac.toml:2:1: duplicate key"),
        (
            "[gate]\nfail-on = \"low\"",
            "hss-iac.toml:1:2: unknown key \"gate\": the keys are include, exclude, map, no-ignore, fail-on, max, report-level, on-partial, on-service-error, if-empty, baseline, no-inline-ignores, max-path-calls, suppress",
        ),
        (
            "[suppress]\nrule = \"R\"\nreason = \"r\"",
            "hss-iac.toml:1:2: suppress: give each entry a [[suppress]] of its own",
        ),
        ("no-ignore = \"yes\"", "hss-iac.toml:1:13: no-ignore: invalid type: string \"yes\", expected a boolean"),
        (
            "[[suppress]]\nrule = \"\"\nreason = \"r\"",
            "hss-iac.toml:2:8: suppress.rule: is empty, and it has to say something",
        ),
        (
            "[[suppress]]\nrule = \"R\"\nreason = \"\u{a0}\u{200b}\"",
            "hss-iac.toml:3:10: suppress.reason: is empty, and it has to say something",
        ),
        ("baseline = \" \"", "hss-iac.toml:1:12: baseline: is empty, and it has to say something"),
        ("exclude = \"é\" = 1", "hss-iac.toml:1:15: unexpected key or value, expected newline, `#`"),
    ] {
        assert_eq!(mistake(text), expected, "{text}");
    }
    assert!(mistake("a = \n").starts_with("hss-iac.toml:1:5: "));
    let not_text = parse(NAME, b"\n\"\xff\" = 1").expect_err("not text");
    assert_eq!(not_text.to_string(), "hss-iac.toml:2:2: not UTF-8, which TOML has to be");
}

#[test]
fn every_flag_of_a_scan_is_a_key_or_refused() {
    let cli = crate::cli::Cli::command();
    let scan = cli.find_subcommand("scan").expect("scan");
    for flag in scan.get_arguments().filter_map(clap::Arg::get_long) {
        let refused = keys::REFUSED.iter().any(|(key, _, _)| *key == flag);
        assert!(refused != keys::KEYS.contains(&flag), "{flag}");
    }
    let schema = schemars::schema_for!(File);
    let mut properties: Vec<&str> =
        schema.get("properties").and_then(|p| p.as_object()).expect("properties").keys().map(String::as_str).collect();
    let mut known = keys::KEYS;
    properties.sort_unstable();
    known.sort_unstable();
    assert_eq!(properties, known);
}
