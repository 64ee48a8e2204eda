//! What the stand-in can be told.

use std::time::Duration;

use clap::Args;

use super::{Rate, duration};

/// `emulator`.
#[derive(Debug, Args)]
pub struct Emulator {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// The access key that is accepted
    #[arg(long, value_name = "K")]
    pub(crate) access_key: Option<String>,
    /// Its secret key
    #[arg(long, value_name = "S")]
    pub(crate) secret_key: Option<String>,
    /// The token that is accepted
    #[arg(long, value_name = "T")]
    pub(crate) token: Option<String>,
    /// The one project
    #[arg(long, value_name = "P")]
    pub(crate) project_id: Option<String>,
    /// Calls of one API in a time, such as 5/1m
    #[arg(long, value_name = "CALLS/DUR")]
    pub(crate) throttle: Option<Rate>,
    /// Added to every answer
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub(crate) latency: Option<Duration>,
    /// The share of calls that fail, 0 to 1
    #[arg(long, value_name = "F", default_value_t = 0.0, value_parser = share)]
    pub(crate) fault_rate: f64,
    /// Decides which calls fail
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// How long a task takes
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub(crate) scan_time: Option<Duration>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "say a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        assert_eq!(["0", "0.25", "1"].map(share), [Ok(0.0), Ok(0.25), Ok(1.0)]);
        for text in ["-0.1", "1.1", "NaN", "inf", "half", ""] {
            assert_eq!(share(text), Err("say a number from 0 to 1".to_owned()), "{text}");
        }
    }
}
