use proptest::prelude::*;

use super::*;

fn masked(bytes: &[u8]) -> Masked {
    let masked = secrets(bytes).expect("it can be masked");
    masked.unwrap_or_else(|| Masked { bytes: bytes.to_vec(), values: 0 })
}

fn mask(text: &str) -> (String, u64) {
    let masked = masked(text.as_bytes());
    (String::from_utf8(masked.bytes).expect("UTF-8"), masked.values)
}

#[test]
fn values_of_secrets_are_replaced_and_nothing_else() {
    for (text, expected, values) in [
        // Every way to write a scalar.
        (
            "kind: Secret\nmetadata: {name: db}\ntype: Opaque\ndata:\n  a: cGFzcw==\n  b: 'cGFz'  # 'why'\n  c: \"cGFz\" # c\n",
            "kind: Secret\nmetadata: {name: db}\ntype: Opaque\ndata:\n  a: AAAAAA==\n  b: 'AAAA'  # 'why'\n  c: \"AAAA\" # c\n",
            3,
        ),
        (
            "kind: Secret\nstringData:\n  a: |\n    |line one\n      two\n\n  b: >2+ # c\n      folded\n  c: it''s\n  d: 'it''s'\n  e: \"a\\\"b\" # c\n",
            "kind: Secret\nstringData:\n  a: |\n    xxxxx xxx\n      xxx\n\n  b: >2+ # c\n      xxxxxx\n  c: xxxxx\n  d: 'xxxxx'\n  e: \"xxxx\" # c\n",
            5,
        ),
        (
            "kind: Secret\ndata:\n  a: &x cGFzcw==\n  b: !!binary |\n    cGFz\n    cw==\n  c: &y !!str 'cGFz'\n  d: &z |-\n    cGFz\n",
            "kind: Secret\ndata:\n  a: &x AAAAAA==\n  b: !!binary |\n    AAAA\n    AA==\n  c: &y !!str 'AAAA'\n  d: &z |-\n    AAAA\n",
            4,
        ),
        (
            "kind: Secret\nstringData:\n  a: two\n    lines # c\n  b: 'two\n\n    lines'\n  c: \"x\n    y\"  # c\n  d:\n  e: ~\n  f: ''\n",
            "kind: Secret\nstringData:\n  a: xxx\n    xxxxx # c\n  b: 'xxx\n\n    xxxxx'\n  c: \"x\n    x\"  # c\n  d:\n  e: ~\n  f: ''\n",
            3,
        ),
        ("{\"kind\": \"Secret\", \"data\": {\"a\": \"cGFz\"}}", "{\"kind\": \"Secret\", \"data\": {\"a\": \"AAAA\"}}", 1),
        (
            "kind: Secret\r\ndata:\r\n  a: cGFz\r\n  b: |\r\n    cGFz\r\n",
            "kind: Secret\r\ndata:\r\n  a: AAAA\r\n  b: |\r\n    AAAA\r\n",
            2,
        ),
        ("kind: Secret\nstringData: {a: größe}\n", "kind: Secret\nstringData: {a: xxxxxxx}\n", 1),
        // Every place for a Secret.
        (
            "kind: ConfigMap\ndata: {a: cGFz}\n---\nkind: Secret\ndata: {a: cGFz}\n",
            "kind: ConfigMap\ndata: {a: cGFz}\n---\nkind: Secret\ndata: {a: AAAA}\n",
            1,
        ),
        (
            "kind: List\nitems:\n- kind: List\n  items:\n  - kind: Secret\n    data: {a: cGFz}\n- kind: Pod\n",
            "kind: List\nitems:\n- kind: List\n  items:\n  - kind: Secret\n    data: {a: AAAA}\n- kind: Pod\n",
            1,
        ),
        ("kind: SecretList\nitems:\n- data: {a: cGFz}\n", "kind: SecretList\nitems:\n- data: {a: AAAA}\n", 1),
        ("data: {a: cGFz}\n\"k\\x69nd\": \"\\u0053ecret\"\n", "data: {a: AAAA}\n\"k\\x69nd\": \"\\u0053ecret\"\n", 1),
        (
            "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"a\"}'\n    other: stays\n",
            "kind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: 'xxxxx'\n    other: stays\n",
            1,
        ),
        // Whatever it comes through.
        (
            "base: &b {kind: Secret}\nx: &p cGFz\nlist:\n- <<: *b\n  data: {a: *p, b: {c: [*p, cGFz]}}\n",
            "base: &b {kind: Secret}\nx: &p AAAA\nlist:\n- <<: *b\n  data: {a: *p, b: {c: [*p, AAAA]}}\n",
            2,
        ),
        (
            "x: &d\n  a: cGFz\n---\nkind: Secret\ndata: &d {a: cGFz}\ndata:\n  <<: *d\n  b: cGFz\n",
            "x: &d\n  a: cGFz\n---\nkind: Secret\ndata: &d {a: AAAA}\ndata:\n  <<: *d\n  b: AAAA\n",
            2,
        ),
        // A comment before the text is no text, and a directive belongs to its document.
        (
            "kind: Secret\nstringData: {a: &x # n\n    \"pw\", b: !!str # n\n    'pw'}\n",
            "kind: Secret\nstringData: {a: &x # n\n    \"xx\", b: !!str # n\n    'xx'}\n",
            2,
        ),
        (
            "%TAG !e! tag:e.com,2000:\n---\nkind: Secret\ndata: {a: !e!x cGFz}\n",
            "%TAG !e! tag:e.com,2000:\n---\nkind: Secret\ndata: {a: !e!x AAAA}\n",
            1,
        ),
        ("kind: \"Sec\\\n  ret\"\ndata: {a: cGFz}\n", "kind: \"Sec\\\n  ret\"\ndata: {a: AAAA}\n", 1),
        (
            "kind: Secret\rmetadata: {name: db}\rstringData:\r  p: |\r    pw\r",
            "kind: Secret\rmetadata: {name: db}\rstringData:\r  p: |\r    xx\r",
            1,
        ),
        ("kind: Pod\nmetadata: {name: x\ndata:\n  a: cGFz\n", "kind: Pod\nmetadata: {name: x\ndata:\n  a: cGFz\n", 0),
    ] {
        assert_eq!(mask(text), (expected.to_owned(), values), "{text}");
    }
}

#[test]
fn what_may_be_a_secret_and_cannot_be_read_is_not_sent() {
    let deep = format!("{{\"kind\": \"Secret\", \"data\": {}1{}}}", "[".repeat(600), "]".repeat(600));
    let mut chain = String::from("m0: &m0 {kind: Secret}\n");
    for n in 1..300 {
        chain = format!("{chain}m{n}: &m{n} {{<<: *m{}}}\n", n - 1);
    }
    chain.push_str("<<: *m299\ndata: {a: cGFz}\n");
    let escaped = "kind: \"\\u0053ecret\"\nmetadata: {name: x\ndata: {a: b}\n";
    for text in ["kind: Secret\nmetadata: {name: x\ndata:\n  a: b\n", escaped, &deep, &chain] {
        assert_eq!(secrets(text.as_bytes()), Err(Unmaskable), "{text}");
    }
    // Base64 with escapes has no stand-in of the same length.
    for text in [
        "kind: Secret\ndata: {a: \"cG\\x46z\"}\n",
        "{\"kind\": \"Secret\", \"data\": {\"a\": \"cGF\\/\"}}",
        "kind: Secret\ndata:\n  a: \"cG\\\n    Fz\"\n",
    ] {
        assert_eq!(secrets(text.as_bytes()), Err(Unmaskable), "{text}");
    }
    // A broken document beside a good one that is no Secret, and the other way round.
    assert_eq!(secrets(b"kind: Pod\nspec: {\n---\nkind: Pod\nimagePullSecrets: []\n"), Ok(None));
    assert_eq!(mask("kind: Pod\nspec: {\n---\nkind: Secret\ndata: {a: cGFz}\n").1, 1);
}

#[test]
fn utf_16_stays_utf_16() {
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect()
    };
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let sent = masked(&wide("kind: Secret\nstringData: {a: pä😀}\n", unit));
        assert_eq!(sent, Masked { bytes: wide("kind: Secret\nstringData: {a: xxxx}\n", unit), values: 1 });
        // Without the mark.
        let sent = masked(&wide("kind: Secret\ndata: {a: cGFz}\n", unit)[2..]);
        let expected = wide("kind: Secret\ndata: {a: AAAA}\n", unit)[2..].to_vec();
        assert_eq!(sent, Masked { bytes: expected, values: 1 });
    }
}

#[test]
fn a_bomb_of_aliases_costs_its_bytes() {
    let mut bomb = String::from("a0: &a0 {x: cGFz}\n");
    for n in 1..200 {
        let previous = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} [{previous}]\n");
    }
    bomb.push_str("kind: Secret\ndata: *a199\n");
    assert_eq!(mask(&bomb), (bomb.replace("cGFz", "AAAA"), 1));
}

/// A scalar in one of its styles, and the key it stands behind.
fn scalar() -> impl Strategy<Value = String> {
    let word = "[a-zA-Z0-9+/]{1,12}={0,2}";
    prop_oneof![
        word.prop_map(|word| format!(" {word}")),
        word.prop_map(|word| format!(" '{word}' # note")),
        word.prop_map(|word| format!(" &a{} \"{word}\"", word.len())),
        prop::collection::vec(word, 1..4).prop_map(|words| format!(" |\n    {}", words.join("\n    "))),
        prop::collection::vec(word, 1..4).prop_map(|words| format!(" >-\n    {}", words.join("\n    "))),
    ]
}

proptest! {
    #[test]
    fn lines_and_length_stay_and_no_value_does(values in prop::collection::vec(scalar(), 1..6)) {
        let body: Vec<String> = values.iter().enumerate().map(|(n, value)| format!("  k{n}:{value}\n")).collect();
        let body = body.concat();
        let text = format!("kind: Secret\nmetadata:\n  name: x\ndata:\n{body}type: Opaque\n");
        let (masked, count) = mask(&text);
        prop_assert_eq!(masked.len(), text.len());
        prop_assert_eq!(count, values.len() as u64);
        let blank = |text: &str| text.chars().map(|c| if c.is_ascii_alphanumeric() || "+/".contains(c) { 'A' } else { c }).collect::<String>();
        prop_assert_eq!(blank(&masked), blank(&text));
        // What is left of the values is only what stands for them; a second pass changes nothing.
        let rest = masked.split("\ndata:\n").nth(1).unwrap_or_default().split("type:").next().unwrap_or_default();
        let left = rest.replace("# note", "").replace(|c: char| "kaA0123456789:'\"&|>-= \n".contains(c), "");
        prop_assert_eq!(left, "");
        prop_assert_eq!(mask(&masked), (masked.clone(), count));
    }

    #[test]
    fn any_bytes_keep_their_length(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,40}") {
        let mut bytes = bytes;
        bytes.extend(b"\nkind: Secret\ndata:\n  a: ");
        bytes.extend(text.as_bytes());
        if let Ok(Some(masked)) = secrets(&bytes) {
            prop_assert_eq!(masked.bytes.len(), bytes.len());
        }
    }
}
