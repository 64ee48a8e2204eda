//! What a refusal says of the limit and of the wait: a limit that comes out is the one that was written.
#![no_main]

use std::time::Duration;

use hss_iac::hss::{Said, limit_of, wait_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(limit) = limit_of(text) {
        assert!(!limit.window.is_zero());
        assert!(text.contains(&format!("limit:{}", limit.calls)) || text.contains("limit:0"), "{text:?}: {limit:?}");
        // Written in the gateway's words, it is read as the same.
        let millis = u64::try_from(limit.window.as_millis()).unwrap_or(u64::MAX);
        if (1..=86_400_000).contains(&millis) {
            let words = format!("policy ip over ratelimit,limit:{},time:{millis} ms", limit.calls);
            let again = limit_of(&words).expect("a limit");
            assert_eq!((again.calls, again.window.as_millis()), (limit.calls, u128::from(millis)), "{words}");
        }
    }
    if let Some(wait) = wait_of(text) {
        // Anything but a number is a date, and no date is further than the last.
        assert!(text.trim().parse::<u64>().is_ok() || wait <= Duration::from_secs(10_000 * 366 * 86_400), "{wait:?}");
    }
    let body = serde_json::json!({"error_code": "APIGW.0308", "error_msg": text}).to_string();
    let said = Said::read(body.as_bytes(), &[]);
    assert_eq!(said.number(), Some("0308"));
});
