//! Regions and their hosts, as listed by the official Python SDK 3.1.219.

/// The regions that have HSS.
const REGIONS: [&str; 32] = [
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

/// The regions that have HSS and no IAM host of their own: the global host serves them.
const GLOBAL_IAM: [&str; 5] = ["af-north-1", "ap-southeast-5", "cn-north-11", "cn-south-4", "cn-southwest-3"];

/// The two hosts of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// `https://hss.…`, without a trailing slash.
    pub hss: String,
    /// `https://iam.…`, without a trailing slash.
    pub iam: String,
    /// Whether the region is in our table; else the hosts follow the pattern and the user is told so.
    pub known: bool,
}

/// The hosts of `region`; `None` where the text can't be part of a host name (lower-case letters, digits and inner
/// hyphens, at most 63).
pub fn endpoints(region: &str) -> Option<Endpoints> {
    let label = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !label || region.is_empty() || region.len() > 63 || region.starts_with('-') || region.ends_with('-') {
        return None;
    }
    // The official Terraform provider takes every region of this prefix for European.
    let domain = if region.starts_with("eu-west-1") { "myhuaweicloud.eu" } else { "myhuaweicloud.com" };
    let iam = if GLOBAL_IAM.contains(&region) {
        format!("https://iam.{domain}")
    } else {
        format!("https://iam.{region}.{domain}")
    };
    Some(Endpoints { hss: format!("https://hss.{region}.{domain}"), iam, known: REGIONS.contains(&region) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(region: &str) -> String {
        match endpoints(region) {
            Some(Endpoints { hss, iam, known }) => format!("{hss} {iam} {known}"),
            None => "none".into(),
        }
    }

    #[test]
    fn each_kind_of_region_has_its_hosts() {
        assert_eq!(
            shown("cn-north-4"),
            "https://hss.cn-north-4.myhuaweicloud.com https://iam.cn-north-4.myhuaweicloud.com true"
        );
        assert_eq!(
            shown("eu-west-101"),
            "https://hss.eu-west-101.myhuaweicloud.eu https://iam.eu-west-101.myhuaweicloud.eu true"
        );
        assert_eq!(shown("cn-south-4"), "https://hss.cn-south-4.myhuaweicloud.com https://iam.myhuaweicloud.com true");
        assert_eq!(
            shown("eu-west-150"),
            "https://hss.eu-west-150.myhuaweicloud.eu https://iam.eu-west-150.myhuaweicloud.eu false"
        );
        assert_eq!(shown("xx-new-7"), "https://hss.xx-new-7.myhuaweicloud.com https://iam.xx-new-7.myhuaweicloud.com false");
    }

    #[test]
    fn what_cannot_be_part_of_a_host_is_no_region() {
        let long = "a".repeat(64);
        for text in ["", "a.b", "evil.com/", "a@b", "-a", "a-", "CN-NORTH-4", "é", long.as_str()] {
            assert_eq!(endpoints(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_holds_the_global_iam_regions() {
        assert!(REGIONS.is_sorted());
        assert!(GLOBAL_IAM.iter().all(|region| REGIONS.contains(region)));
    }
}
