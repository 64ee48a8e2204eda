//! What can go wrong with a call, sorted by what the caller can do about it.

/// What a failed call means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A request that breaks a documented constraint; it was not sent.
    Invalid,
    /// Credentials are missing, refused, or may not do this.
    Login,
    /// The API is not published at this endpoint (404, APIGW.0101).
    NotPublished,
    /// The service read the request and refused it (400, 413, other 4xx): the same request will be refused again.
    Refused,
    /// Still throttled after every patient repetition.
    Throttled,
    /// The service failed (5xx) or its answer could not be read, after every permitted repetition.
    Failing,
    /// No connection: name resolution, connect, TLS, after every permitted repetition.
    Unreachable,
}

impl Kind {
    /// The kind of an answer. A code that we know decides, since HSS says "no permission" with status 400.
    pub(super) fn of(status: u16, code: Option<&str>) -> Self {
        let number = code.and_then(|code| code.rsplit_once('.'));
        match number {
            Some(("APIG" | "APIGW", "0101")) => return Self::NotPublished,
            Some(("APIG" | "APIGW", "0301") | ("HSS", "0010" | "0013")) => return Self::Login,
            Some(("APIG" | "APIGW", "0308")) => return Self::Throttled,
            Some(("APIG" | "APIGW", "0201") | ("HSS", "0011")) => return Self::Refused,
            _ => {}
        }
        match status {
            401 | 403 => Self::Login,
            404 => Self::NotPublished,
            429 => Self::Throttled,
            408 => Self::Failing,
            200..=299 | 400..=499 => Self::Refused,
            _ => Self::Failing,
        }
    }
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What it means.
    pub kind: Kind,
    /// One line: the API, status, code, the service's own text, the request id. Never a secret.
    pub message: String,
    /// Whether the call may have taken effect although no answer says so.
    pub lost: bool,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The service's own code, where it gave one: `HSS.1018`, `APIGW.0301`.
    pub code: Option<String>,
}

impl Error {
    /// An error without an answer behind it.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), lost: false, status: None, code: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// The next step, where there is one that helps and that the message does not name.
    pub fn hint(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Login if self.is_refused_login() => Some(
                "check the access key, the secret key (or the token) and the system clock; \
                 more than five refused signatures in a row lock a key for five minutes",
            ),
            Kind::Login => Some(
                "the credentials were read but may not do this: check the user's HSS permissions, \
                 the project and the enterprise project",
            ),
            Kind::Throttled => {
                Some("the limit is per user and per source address: see what else uses them, or try again later")
            }
            Kind::Unreachable => {
                Some("check the endpoint, the proxy variables (HTTPS_PROXY, NO_PROXY) and the trusted certificates")
            }
            Kind::Failing if !self.lost => Some("the service is at fault: try again later"),
            Kind::Invalid | Kind::NotPublished | Kind::Refused | Kind::Failing => None,
        }
    }

    /// Whether the proof itself was refused, rather than what was asked.
    pub(super) fn is_refused_login(&self) -> bool {
        let code = self.code.as_deref().is_some_and(|code| matches!(code, "APIG.0301" | "APIGW.0301"));
        self.kind == Kind::Login && (code || self.status == Some(401))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_decides_before_the_status() {
        for (status, code, kind) in [
            (404, "APIGW.0101", Kind::NotPublished),
            (400, "APIG.0101", Kind::NotPublished),
            (400, "APIGW.0201", Kind::Refused),
            (413, "APIGW.0201", Kind::Refused),
            (403, "APIGW.0301", Kind::Login),
            (401, "APIG.0301", Kind::Login),
            (503, "APIGW.0308", Kind::Throttled),
            (400, "HSS.0010", Kind::Login),
            (400, "HSS.0011", Kind::Refused),
            (400, "HSS.0013", Kind::Login),
            (400, "HSS.1018", Kind::Refused),
            (404, "HSS.0099", Kind::NotPublished),
            (500, "HSS.0041", Kind::Failing),
            (200, "517", Kind::Refused),
        ] {
            assert_eq!(Kind::of(status, Some(code)), kind, "{status} {code}");
        }
    }

    #[test]
    fn a_refused_proof_and_a_missing_permission_have_different_next_steps() {
        let refused = Error { status: Some(401), ..Error::new(Kind::Login, "") };
        let denied = Error { status: Some(400), code: Some("HSS.0013".into()), ..Error::new(Kind::Login, "") };
        assert!(refused.hint().unwrap().contains("system clock"));
        assert!(denied.hint().unwrap().contains("permissions"));
        assert_eq!(Error::invalid("").hint(), None);
    }
}
