//! A stand-in for HSS and IAM that obeys the documentation to the letter. It uses nothing of ours.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

mod rules;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The access key that is accepted.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// The token that is accepted.
    pub token: String,
    /// The one project.
    pub project_id: String,
    /// Calls an API and window.
    pub throttle: Option<(u32, Duration)>,
    /// Added to every answer.
    pub latency: Duration,
    /// The share of calls that fail.
    pub fault_rate: f64,
    /// Decides which.
    pub seed: u64,
    /// How long a task takes.
    pub scan_time: Duration,
}

/// A running stand-in, on a thread of its own; stops when dropped.
pub struct Emulator {}

impl Emulator {
    /// Starts it.
    pub fn start(options: Options) -> io::Result<Self> {
        let _ = options;
        unimplemented!()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        unimplemented!()
    }
}

impl Default for Options {
    fn default() -> Self {
        unimplemented!()
    }
}
