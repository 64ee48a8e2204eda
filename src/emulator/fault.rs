//! Faults that are injected, scripted or drawn.

use std::time::Duration;

use super::Options;
use super::store::hash;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 APIGW.0308, not carried out.
    Throttle {
        /// Whole seconds of a `Retry-After` header; none without.
        retry_after: Option<u64>,
    },
    /// This status with a JSON error body, not carried out.
    Status(u16),
    /// This status with a JSON error body, though carried out.
    StatusAfter(u16),
    /// A 502 page in HTML, not carried out.
    Html502,
    /// The connection is closed without an answer, not carried out.
    ResetBefore,
    /// The connection is closed without an answer, though carried out.
    ResetAfter,
    /// Carried out; the connection is closed after half of the body.
    Truncate,
    /// Carried out; the answer comes late.
    Slow(Duration),
    /// A 503 that comes late, not carried out.
    Stalled(Duration),
    /// 401 APIGW.0301 "token expires".
    ExpiredToken,
    /// 404 APIGW.0101.
    NotPublished,
    /// 400 HSS.0013: the caller may not do this.
    NoPermission,
    /// Carried out; a 200 whose body is not JSON.
    Garbage,
}

/// A fault at a certain call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedFault {
    /// The API: `batch-upload`, `task`, `tasks/batch-query`, `resources/batch-query`, `task-statistics`, `iac/files`,
    /// `file/risks`, `risk/paths`, `iam/projects`, `iam/tokens`, `iam/id-token`,
    /// `iam/securitytokens`, `sts/assume-with-oidc`, `metadata/token`, `metadata/securitykey`.
    pub api: String,
    /// Which call of this API, from 1; 0 means every call. Calls that the gateway refuses (401, 413, 429) are counted too,
    /// but keep their answer.
    pub nth: u32,
    /// What goes wrong.
    pub fault: Fault,
}

/// The fault of the `nth` call of an API: as scripted, else drawn from seed, API and `nth` alone.
pub(super) fn choose(options: &Options, api: &str, nth: u32) -> Option<Fault> {
    let scripted =
        options.faults.iter().find(|scripted| scripted.api == api && matches!(scripted.nth, n if n == 0 || n == nth));
    if let Some(scripted) = scripted {
        return Some(scripted.fault.clone());
    }
    let mut random = fastrand::Rng::with_seed(hash(options.seed, &format!("fault {api} {nth}")));
    (random.f64() < options.fault_rate).then(|| match random.u8(0..20) {
        0..4 => Fault::Throttle { retry_after: None },
        4 => Fault::Throttle { retry_after: Some(1) },
        5..7 => Fault::Status(500),
        7..9 => Fault::Status(503),
        9 => Fault::StatusAfter(503),
        10..12 => Fault::Html502,
        12..14 => Fault::ResetBefore,
        14..16 => Fault::ResetAfter,
        16..18 => Fault::Truncate,
        _ => Fault::Slow(Duration::from_millis(random.u64(100..300))),
    })
}
