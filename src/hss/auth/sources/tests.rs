use secrecy::ExposeSecret as _;

use super::*;
use crate::hss::auth::IdToken;

fn found(set: &[(&str, &str)]) -> Result<Found, SourceError> {
    find(&|name| set.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned()))
}

fn source(set: &[(&str, &str)]) -> Result<String, SourceError> {
    found(set).map(|found| found.source)
}

fn both(present: &str, missing: &str) -> Result<String, SourceError> {
    Err(half(present, missing))
}

const OURS: [(&str, &str); 2] = [("HSS_IAC_ACCESS_KEY", "a"), ("HSS_IAC_SECRET_KEY", "s")];
const AGENCY: [(&str, &str); 3] = [
    ("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::a:oidcProvider:p"),
    ("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::a:agency:b"),
    ("HUAWEICLOUD_OIDC_ID_TOKEN", "jwt"),
];
const IDP: [(&str, &str); 2] = [("HUAWEICLOUD_SDK_IDP_ID", "p"), ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "/none/token")];
const SDK: [(&str, &str); 2] = [("HUAWEICLOUD_SDK_AK", "a"), ("HUAWEICLOUD_SDK_SK", "s")];
const HW: [(&str, &str); 3] = [("HW_ACCESS_KEY", "a"), ("HW_SECRET_KEY", "s"), ("HW_SECURITY_TOKEN", "t")];
const USER: [(&str, &str); 3] = [("HW_USER_NAME", "u"), ("HW_USER_PASSWORD", "p"), ("HW_DOMAIN_NAME", "d")];
const AUTH_ACTION: [(&str, &str); 2] = [("HUAWEI_CLOUD_ACCESS_KEY_ID", "a"), ("HUAWEI_CLOUD_SECRET_ACCESS_KEY", "s")];
const OPENSTACK: [(&str, &str); 2] = [("OS_ACCESS_KEY", "a"), ("OS_SECRET_KEY", "s")];
const GITHUB: [(&str, &str); 2] =
    [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.example/x?v=1"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "r")];

#[test]
fn the_first_complete_family_wins() {
    let order: [&[(&str, &str)]; 10] = [
        &[("HSS_IAC_TOKEN", "t")],
        &OURS,
        &AGENCY,
        &IDP,
        &SDK,
        &HW,
        &[("HW_AUTH_TOKEN", "t")],
        &USER,
        &AUTH_ACTION,
        &OPENSTACK,
    ];
    for (nth, family) in order.iter().enumerate() {
        let names: Vec<&str> = family.iter().map(|(name, _)| *name).collect();
        assert_eq!(source(&order[nth..].concat()), Ok(names.join(", ")));
    }
    assert_eq!(source(&[("HSS_IAC_TOKEN", "  "), ("HW_AUTH_TOKEN", "t")]), Ok("HW_AUTH_TOKEN".into()));
    assert_eq!(source(&[]), Err(SourceError::Missing));
    assert_eq!(source(&GITHUB), Err(SourceError::Missing), "any job of GitHub may have these");
    assert_eq!(source(&[("HW_DOMAIN_NAME", "d")]), Err(SourceError::Missing));
}

#[test]
fn half_a_credential_names_the_other_half() {
    assert_eq!(source(&HW[..1]), both("HW_ACCESS_KEY", "HW_SECRET_KEY"));
    assert_eq!(source(&[("HSS_IAC_SECURITY_TOKEN", "t")]), both("HSS_IAC_SECURITY_TOKEN", "HSS_IAC_ACCESS_KEY"));
    assert_eq!(source(&[&OURS[1..], &HW].concat()), both("HSS_IAC_SECRET_KEY", "HSS_IAC_ACCESS_KEY"));
    assert_eq!(source(&AGENCY[..1]), both("HUAWEICLOUD_OIDC_PROVIDER_URN", "HUAWEICLOUD_OIDC_AGENCY_URN"));
    assert_eq!(source(&AGENCY[1..]), both("HUAWEICLOUD_OIDC_AGENCY_URN", "HUAWEICLOUD_OIDC_PROVIDER_URN"));
    assert_eq!(source(&AGENCY[..2]), both("HUAWEICLOUD_OIDC_PROVIDER_URN", "HUAWEICLOUD_OIDC_ID_TOKEN"));
    assert_eq!(source(&AGENCY[2..]), both("HUAWEICLOUD_OIDC_ID_TOKEN", "HUAWEICLOUD_OIDC_PROVIDER_URN"));
    let in_job = [&AGENCY[..2], &[("GITHUB_ACTIONS", "true")]].concat();
    let permission = "HUAWEICLOUD_OIDC_ID_TOKEN (or give the job the permission id-token: write)";
    assert_eq!(source(&in_job), both("HUAWEICLOUD_OIDC_PROVIDER_URN", permission));
    assert_eq!(source(&IDP[..1]), both("HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE"));
    assert_eq!(source(&IDP[1..]), both("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_SDK_IDP_ID"));
    assert_eq!(source(&USER[..1]), both("HW_USER_NAME", "HW_USER_PASSWORD"));
    assert_eq!(source(&USER[1..]), both("HW_USER_PASSWORD", "HW_USER_NAME"));
    assert_eq!(source(&USER[..2]), both("HW_USER_NAME", "HW_DOMAIN_NAME"));
    let role = |name| [&HW[..], &[(name, "x")]].concat();
    let [agency, domain] = ["HW_ASSUME_ROLE_AGENCY_NAME", "HW_ASSUME_ROLE_DOMAIN_NAME"];
    assert_eq!(source(&role(agency)), both(agency, domain));
    assert_eq!(source(&role(domain)), both(domain, agency));
}

#[test]
fn an_identity_token_is_taken_from_where_it_is() {
    let token = |set: &[(&str, &str)]| match found(set).expect("found").plan {
        Plan::Agency(agency) => agency.id_token,
        Plan::IdentityProvider { id_token, .. } => id_token,
        other => panic!("{other:?}"),
    };
    let audience = ("HSS_IAC_OIDC_AUDIENCE", "hss");
    match token(&[&AGENCY[..2], &GITHUB, &[audience]].concat()) {
        IdToken::GitHub { url, token, audience } => {
            let token = token.expose_secret();
            assert_eq!((url.as_str(), token, audience.as_deref()), (GITHUB[0].1, "r", Some("hss")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(token(&[&AGENCY[..], &GITHUB].concat()), IdToken::Value(_)));
    let file = [("HUAWEICLOUD_OIDC_TOKEN_FILE", "/a")];
    assert!(matches!(token(&[&AGENCY[..2], &file, &GITHUB].concat()), IdToken::File(path) if path.as_os_str() == "/a"));
    assert!(matches!(token(&[&IDP[..1], &AGENCY[2..]].concat()), IdToken::Value(_)));
    let both = [&IDP[..], &AGENCY[2..]].concat();
    assert!(matches!(token(&both), IdToken::File(path) if path.as_os_str() == "/none/token"));
    assert!(matches!(token(&[&IDP[..1], &GITHUB].concat()), IdToken::GitHub { audience: None, .. }));
}

#[test]
fn an_agency_goes_on_top_of_what_was_given_for_it() {
    let role = [("HW_ASSUME_ROLE_AGENCY_NAME", "a"), ("HW_ASSUME_ROLE_DOMAIN_ID", "d"), ("HW_ASSUME_ROLE_DURATION", "900")];
    let expected = "HW_USER_NAME, HW_USER_PASSWORD, HW_DOMAIN_NAME, HW_ASSUME_ROLE_AGENCY_NAME, HW_ASSUME_ROLE_DOMAIN_ID";
    let assumed = found(&[&USER[..], &role].concat()).expect("found");
    assert_eq!(assumed.source, expected);
    match assumed.plan {
        Plan::Assumed { base, agency, domain, seconds } => {
            assert!(matches!(*base, Plan::Password { .. }));
            assert_eq!((agency.as_str(), domain, seconds), ("a", Domain::Id("d".into()), 900));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(found(&[&OURS[..], &role].concat()).expect("found").plan, Plan::Fixed(_)));
    let ecs = [("HSS_IAC_CREDENTIALS", "ecs")];
    assert!(matches!(found(&[&ecs[..], &role].concat()).expect("found").plan, Plan::Assumed { .. }));
}

#[test]
fn what_can_t_be_used_is_said() {
    let invalid = |set: &[(&str, &str)]| match source(set) {
        Err(SourceError::Invalid(text)) => text,
        other => panic!("{other:?}"),
    };
    let with = |name, value| [&AGENCY[..], &[(name, value)]].concat();
    let expected = "HUAWEICLOUD_OIDC_DURATION_SECONDS is \"60\": say 900 to 43200 seconds";
    assert_eq!(invalid(&with("HUAWEICLOUD_OIDC_DURATION_SECONDS", "60")), expected);
    let expected = "HUAWEICLOUD_OIDC_SESSION_NAME: STS takes 2 to 128 characters";
    assert_eq!(invalid(&with("HUAWEICLOUD_OIDC_SESSION_NAME", "x")), expected);
    let expected = "HSS_IAC_CREDENTIALS is \"ec2\": say auto, or ecs for the agency of the machine";
    assert_eq!(invalid(&with("HSS_IAC_CREDENTIALS", "ec2")), expected);
    let elsewhere = [("HSS_IAC_CREDENTIALS", "ecs"), ("HSS_IAC_METADATA_ENDPOINT", "http://metadata.example")];
    let expected = "HSS_IAC_METADATA_ENDPOINT is for tests: it must be on this machine, http://127.0.0.1:PORT";
    assert_eq!(invalid(&elsewhere), expected);
    let missing = [("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/none/credentials")];
    assert!(invalid(&missing).starts_with("the credentials /none/credentials can't be read: "));
}

#[test]
fn a_profile_tells_its_project_and_endpoint_too() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("credentials");
    let of = |text: &str| {
        std::fs::write(&path, text).expect("the profile");
        let found = found(&[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", &path.display().to_string())]).expect("a credential");
        (found.in_file, found.project_id, found.iam_endpoint)
    };
    let keys = "[basic]\nak = a\nsk = s\n";
    assert_eq!(of(keys), (true, None, None));
    let more = format!("{keys}project_id = p\niam_endpoint = https://iam.example\n");
    assert_eq!(of(&more), (true, Some("p".to_owned()), Some("https://iam.example".to_owned())));
}

#[test]
fn what_other_tools_name_is_taken_where_it_is_not_blank() {
    let of = |set: &'static [(&'static str, &'static str)]| {
        move |name: &str| set.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned())
    };
    let set = of(&[
        ("HW_REGION_NAME", " "),
        ("HW_REGION", " r "),
        ("OS_REGION_NAME", "s"),
        ("HW_PROJECT_ID", "p"),
        ("HW_ENTERPRISE_PROJECT_ID", "e"),
        ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "i"),
        ("HUAWEICLOUD_SDK_STS_ENDPOINT", "t"),
    ]);
    let took = |value: &str, name: &'static str| Some((value.to_owned(), name));
    assert_eq!(region_from_env(set), took("r", "HW_REGION"));
    assert_eq!(project_from_env(set), took("p", "HW_PROJECT_ID"));
    assert_eq!(enterprise_project_from_env(set), took("e", "HW_ENTERPRISE_PROJECT_ID"));
    assert_eq!(iam_endpoint_from_env(set), took("i", "HUAWEICLOUD_SDK_IAM_ENDPOINT"));
    assert_eq!(sts_endpoint_from_env(set), took("t", "HUAWEICLOUD_SDK_STS_ENDPOINT"));
    let nothing = of(&[]);
    assert_eq!([region_from_env(nothing), project_from_env(nothing), sts_endpoint_from_env(nothing)], [None, None, None]);
}

#[test]
fn the_policies_of_an_agency_are_separated_by_commas() {
    let ids = ("HUAWEICLOUD_OIDC_POLICY_IDS", " x, ,y,");
    let Plan::Agency(agency) = found(&[&AGENCY[..], &[ids]].concat()).expect("found").plan else { panic!("an agency") };
    assert_eq!(agency.policy_ids, ["x", "y"]);
}

#[test]
#[cfg(unix)]
fn an_identity_token_that_others_can_read_draws_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a temporary directory");
    let path = home.path().join("token");
    std::fs::write(&path, "a token").expect("the token");
    let file = path.display().to_string();
    for (mode, warnings) in [(0o600, 0), (0o644, 1)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("permissions");
        let agency = found(&[&AGENCY[..2], &[("HUAWEICLOUD_OIDC_TOKEN_FILE", &*file)]].concat()).expect("found");
        let provider = found(&[IDP[0], ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", &*file)]).expect("found");
        assert_eq!((agency.warnings.len(), provider.warnings.len()), (warnings, warnings));
    }
}
