//! Kubernetes manifests.

/// Scans a manifest; an error is the reason for which the file fails.
pub(super) fn scan(bytes: &[u8]) -> Result<Vec<super::Risk>, String> {
    let _ = bytes;
    Ok(Vec::new())
}
