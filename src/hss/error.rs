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

/// A failed call.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What it means.
    pub kind: Kind,
    /// One line: the API, status, code, the service's own text, the request id. Never a secret.
    pub message: String,
    /// Whether the call may have taken effect although no answer says so.
    pub lost: bool,
}

impl Error {
    /// A failure that is certain: the call had no effect, or none that matters.
    pub fn new(kind: Kind, message: String) -> Self {
        Self { kind, message, lost: false }
    }
}
