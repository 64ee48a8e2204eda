//! Regions and their hosts, from the official Python SDK 3.1.219 (`hss`, `iam` and core region tables).

/// The hosts of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// `https://hss.…`, without a trailing slash.
    pub hss: String,
    /// `https://iam.…`, without a trailing slash.
    pub iam: String,
    /// `https://sts.…`, without a trailing slash.
    pub sts: String,
    /// Whether the region is in our table; else the hosts follow the pattern and the user is told so.
    pub known: bool,
}

const KNOWN: [&str; 32] = [
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
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-north-11",
    "cn-north-12",
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

/// Regions with HSS and no IAM host of their own.
const GLOBAL_IAM: [&str; 5] = ["af-north-1", "ap-southeast-5", "cn-north-11", "cn-south-4", "cn-southwest-3"];

/// Regions with an STS host. Any of them serves all regions of its side (official Python SDK 3.1.219, core; STS API reference).
const STS: [&str; 12] = [
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-3",
    "cn-north-4",
    "cn-south-1",
    "cn-southwest-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
];

/// The hosts of `region`; `None` where the text can't be part of a host name.
pub fn endpoints(region: &str) -> Option<Endpoints> {
    let is_label = !region.is_empty()
        && region.len() <= 63
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !region.starts_with('-')
        && !region.ends_with('-');
    if !is_label {
        return None;
    }
    // The Terraform provider treats every region of this family so.
    let in_europe = region.starts_with("eu-west-1");
    let domain = if in_europe { "myhuaweicloud.eu" } else { "myhuaweicloud.com" };
    let iam = if GLOBAL_IAM.contains(&region) {
        format!("https://iam.{domain}")
    } else {
        format!("https://iam.{region}.{domain}")
    };
    let known = KNOWN.contains(&region);
    let sts = match region {
        // What is in no table may have a host of its own by now, and Europe is a side of its own.
        _ if STS.contains(&region) || !known || in_europe => region,
        _ if region.starts_with("cn-") => "cn-north-4",
        _ => "ap-southeast-1",
    };
    let (hss, sts) = (format!("https://hss.{region}.{domain}"), format!("https://sts.{sts}.{domain}"));
    Some(Endpoints { hss, iam, sts, known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_table_and_by_pattern() {
        let hosts = |region: &str| endpoints(region).map(|hosts| (hosts.hss, hosts.iam, hosts.known));
        let expected =
            |hss: &str, iam: &str, known| Some((format!("https://hss.{hss}"), format!("https://iam.{iam}"), known));
        let plain = "cn-north-4.myhuaweicloud.com";
        assert_eq!(hosts("cn-north-4"), expected(plain, plain, true));
        let europe = "eu-west-101.myhuaweicloud.eu";
        assert_eq!(hosts("eu-west-101"), expected(europe, europe, true));
        assert_eq!(hosts("cn-south-4"), expected("cn-south-4.myhuaweicloud.com", "myhuaweicloud.com", true));
        let new = "xx-new-9.myhuaweicloud.com";
        assert_eq!(hosts("xx-new-9"), expected(new, new, false));
        let sts = |region: &str| endpoints(region).map(|hosts| hosts.sts).unwrap_or_default();
        assert_eq!(sts("cn-south-1"), "https://sts.cn-south-1.myhuaweicloud.com");
        assert_eq!(sts("cn-east-2"), "https://sts.cn-north-4.myhuaweicloud.com");
        assert_eq!(sts("na-mexico-1"), "https://sts.ap-southeast-1.myhuaweicloud.com");
        assert_eq!(sts("eu-west-101"), "https://sts.eu-west-101.myhuaweicloud.eu");
        assert_eq!(sts("xx-new-9"), "https://sts.xx-new-9.myhuaweicloud.com");
        for bad in ["", "a.b", "a/b", "A", "-a", "evil.example#"] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }
}
