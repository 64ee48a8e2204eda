//! Image references.

/// Whether the image that this reference names can change under it: no digest, and no tag or the tag `latest`. A reference
/// that holds a variable or a template is unknown, and not called so.
pub(super) fn is_floating(reference: &str) -> bool {
    if reference.is_empty() || reference.contains(['$', '@', '{']) {
        return false;
    }
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::is_floating;

    #[test]
    fn a_port_is_not_a_tag() {
        let references = [
            ("alpine", true),
            ("alpine:latest", true),
            ("registry.example:5000/shop/api", true),
            ("alpine:3.22", false),
            ("registry.example:5000/shop/api:1.4.2", false),
            ("alpine@sha256:0123", false),
            ("alpine:latest@sha256:0123", false),
            ("alpine:$TAG", false),
            ("", false),
        ];
        for (reference, floating) in references {
            assert_eq!(is_floating(reference), floating, "{reference}");
        }
    }
}
