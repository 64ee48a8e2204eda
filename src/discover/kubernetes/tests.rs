use proptest::prelude::*;

use super::*;

fn word(text: &[u8]) -> &'static str {
    match content(text) {
        Content::Manifest => "manifest",
        Content::Template => "template",
        Content::ToolConfig => "tool",
        Content::Neither(_) => "neither",
    }
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(word(text.as_bytes()), *expected, "{text}");
    }
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";

#[test]
fn k1_names() {
    for (base, expected) in [
        ("a.yaml", true),
        ("a.YML", true),
        (".yaml", true),
        ("a.json", false),
        ("a.yaml.tmpl", false),
        ("a.yaml.bak", false),
        ("yaml", false),
    ] {
        assert_eq!(name(base.as_bytes()), expected, "{base}");
    }
}

#[test]
fn k3_encodings() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { format!("\u{feff}{POD}").encode_utf16().flat_map(bytes).collect() };
    assert_eq!(word(&utf16(u16::to_le_bytes)), "manifest");
    assert_eq!(word(&utf16(u16::to_be_bytes)), "manifest");
    assert_eq!(word(format!("\u{feff}{POD}").as_bytes()), "manifest");
    assert_eq!(word(format!("{POD}---\n\0").as_bytes()), "manifest", "what is before it is applied");
    assert_eq!(word(b"PK\x03\x04\0apiVersion: v1\0kind: Pod\0"), "neither");
    assert_eq!(word(&[POD.as_bytes(), b"data: \xFF\xFE\n"].concat()), "manifest");
    assert_eq!(word(b""), "neither");
    assert_eq!(word(b"\xFF\xFE"), "neither");
}

#[test]
fn k4_documents() {
    check(&[
        (&format!("a: b\n---\n{POD}"), "manifest"),
        (&format!("a: b\n--- \t\n{POD}"), "manifest"),
        (&format!("a: b\n--- # comment\n{POD}"), "manifest"),
        (&format!("a: b\n...\n{POD}"), "manifest"),
        (&format!("a: b\n---\n\u{feff}{POD}"), "manifest"),
        (&format!("# a\n---\r\n\u{feff}{POD}"), "manifest"),
        (&format!("%YAML 1.2\n---\n{POD}"), "manifest"),
        (&format!("a: b\n----\n{POD}"), "neither"),
        (&format!("a: |\n  ---\n  {}", POD.replace('\n', "\n  ")), "neither"),
        (&POD.replace('\n', "\r\n"), "manifest"),
        (&POD.replace('\n', "\r"), "manifest"),
        (&format!("[a\n---\n{POD}"), "manifest"),
        ("--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n", "manifest"),
        ("--- !tag\napiVersion: v1\nkind: Pod\nmetadata: {}\n", "manifest"),
        ("--- |\n  apiVersion: v1\n  kind: Pod\n  metadata: {}\n", "neither"),
        ("apiVersion: v1\n---\nkind: Pod\nmetadata: {}\n", "neither"),
    ]);
}

#[test]
fn k5_the_root() {
    check(&[
        ("kind: Pod\nspec: {}\napiVersion: v1\n", "manifest"),
        ("'apiVersion': \"v1\"\n\"kind\" : 'Pod' # comment\n\"metadata\":\n", "manifest"),
        ("  apiVersion: v1 # comment\n  kind: Pod\n  metadata: null\n", "manifest"),
        ("# comment\n\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "manifest"),
        ("{\"apiVersion\": \"v1\",\n\"kind\": \"Pod\", \"spec\": 1}\n", "manifest"),
        ("apiVersion: v1\nkind: Pod\n", "neither"),
        ("apiVersion: v1\nkind: Pod\nmetadata: text\n", "neither"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n- a\n", "neither"),
        ("apiVersion: v1\nkind: Pod\nstatus: {}\n", "neither"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "manifest"),
        ("apiVersion: v1\nkind: PodList\nitems:\n- a\n", "manifest"),
        ("apiVersion: v1\nkind: List\n", "neither"),
        ("apiVersion: v1\nkind: Pod\nitems: []\n", "neither"),
        ("apiVersion: 1\nkind: Pod\nmetadata: {}\n", "neither"),
        ("apiVersion: v1\nkind: null\nmetadata: {}\n", "neither"),
        ("apiVersion: v1\nkind: true\nmetadata: {}\n", "neither"),
        ("apiVersion: v1\nkind: ''\nmetadata: {}\n", "neither"),
        ("apiVersion: v1\nkind: Pod metadata: {}\n", "neither"),
        ("definition:\n  apiVersion: v1\n  kind: Pod\n  metadata: {}\n", "neither"),
        ("- apiVersion: v1\n  kind: Pod\n  metadata: {}\n", "neither"),
        ("-\n  apiVersion: v1\n  kind: Pod\n  metadata: {}\n", "neither"),
        ("a: 'x\napiVersion: v1\nkind: Pod\nmetadata: {}'\n", "neither"),
        ("# apiVersion: v1\n# kind: Pod\n# metadata: {}\n", "neither"),
    ]);
}

#[test]
fn k6_tools() {
    check(&[
        ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n", "tool"),
        ("apiVersion: v1\nkind: Config\nclusters: []\nusers: []\n", "tool"),
        ("apiVersion: v1\nkind: Config\nmetadata: {}\n", "manifest"),
        ("apiVersion: skaffold/v4beta6\nkind: Config\nmetadata: {}\n", "neither"),
        (&format!("apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\n---\n{POD}"), "manifest"),
        ("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {}\n", "manifest"),
    ]);
}

#[test]
fn k7_templates() {
    let with = |line: &str| format!("{POD}{line}\n");
    check(&[
        (&with("{{- if .Values.a }}\nb: c\n{{- end }}"), "template"),
        (&format!("{{{{ if .Values.a }}}}\n{POD}"), "template"),
        (&with("spec:\n  a: {{ .b }}"), "template"),
        (&with("spec:\n- {{ .b }}"), "template"),
        (&with("spec:\n- a: [{{ .b }}, c]"), "template"),
        (&with("spec:\n  {{- toYaml . | nindent 2 }}"), "template"),
        (&with("{{- /* a\nkind: of comment\n*/ -}}"), "template"),
        ("apiVersion: apps/{{ .v }}\nkind: Pod\nmetadata: {}\n", "template"),
        ("apiVersion: {{ .v }}\nkind: {{ .k }}\n", "template"),
        ("{{- define \"a\" }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", "template"),
        ("apiVersion: v2\nname: {{ .name }}\n", "neither"),
        ("apiVersion: kubeadm.k8s.io/v1\nkind: {{ .k }}\n", "tool"),
        (&format!("{POD}---\napiVersion: v1\nkind: Pod\nmetadata: {{{{ .m }}}}\n"), "manifest"),
        (&with("spec: \"{{ .b }}\""), "manifest"),
        (&with("spec: '{{ .b }}'"), "manifest"),
        (&with("spec: step-{{item}}"), "manifest"),
        (&with("# {{ .b }}"), "manifest"),
        (&with("spec: b # {{ .b }}"), "manifest"),
        (&with("spec: |\n  {{ .b }}\n\n  {{ .c }}"), "manifest"),
        (&with("spec: >-2 # comment\n   {{ .b }}"), "manifest"),
        (&with("spec:\n- |\n  {{ .b }}"), "manifest"),
        (&with("spec:\n- a: |\n    {{ .b }}\n  b: {{ .b }}"), "template"),
        (&with("spec: \"a\n  {{ .b }}\n  c\""), "manifest"),
        (&with("spec: [\"{{ .b }}\", 'it''s {{ .c }}']"), "manifest"),
        (&with("spec: &a !b \"{{ .b }}\""), "manifest"),
    ]);
}

#[test]
fn k8_a_syntax_error_does_not_disqualify() {
    check(&[
        (&format!("{POD}spec: [a, b\n"), "manifest"),
        (&format!("{POD}\tspec: a\n"), "manifest"),
        (&format!("{POD}spec: \"a\n"), "manifest"),
        ("{apiVersion: v1, kind: Pod, metadata: {}, spec: [}\n", "manifest"),
    ]);
}

#[test]
fn k9_what_only_a_parser_can_read() {
    check(&[
        ("? apiVersion\n: v1\n? kind\n: Pod\n? metadata\n: {}\n", "manifest"),
        ("apiVersion: v1\n? kind\n: Pod\nmetadata: {}\n", "manifest"),
        ("apiVersion: v1\nspec:\n  ? kind\n  : Pod\nmetadata: {}\n", "neither"),
        ("!tag\napiVersion: v1\nkind: Pod\nmetadata: {}\n", "manifest"),
        ("x: &v v1\napiVersion: *v\nkind: Pod\nmetadata: {}\n", "manifest"),
        ("apiVersion:\n  v1\nkind: >-\n  Pod\nmetadata: {}\n", "manifest"),
        ("x: &x {apiVersion: v1, kind: Pod}\n<<: *x\nmetadata: {}\n", "manifest"),
        ("apiVersion: \"v\\x31\"\nkind: Pod\nmetadata: {}\n", "manifest"),
        ("x: &x {name: a}\napiVersion: v1\nkind: Pod\nmetadata: *x\n", "manifest"),
        ("x: &x [a]\napiVersion: v1\nkind: Pod\nmetadata: *x\n", "neither"),
        ("{a: b}\n", "neither"),
        ("*a\n", "neither"),
    ]);
}

#[test]
fn k10_the_whole_file_is_read() {
    let data = format!("apiVersion: v1\ndata:\n{}kind: ConfigMap\nmetadata: {{}}\n", "  a: b\n".repeat(50_000));
    assert_eq!(word(data.as_bytes()), "manifest");
}

#[test]
fn k11_secrets_are_named() {
    for (text, expected) in [
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: n}\n", vec!["n/a"]),
        ("kind: Secret\nmetadata:\n  name: a\n---\nkind: Pod\n---\nkind: Secret\n", vec!["a", "(unnamed)"]),
        ("kind: List\nitems:\n- kind: Secret\n  metadata: {name: a}\n- kind: Pod\n", vec!["a"]),
        ("kind: SecretList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n", vec!["a", "b"]),
        ("kind: Secret\nmetadata: {name: a}\ndata: [broken\n", vec!["a"]),
        ("{{- if .a }}\nkind: Secret\nmetadata:\n  name: {{ .b }}\n", vec!["(unnamed)"]),
        ("{\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"}}\n", vec!["a"]),
        ("? kind\n: Secret\n? metadata\n: {name: a}\n", vec!["a"]),
        ("kind: >-\n  Secret\nmetadata: {name: a}\n", vec!["a"]),
        ("kind: !!str 'Secret' # comment\nmetadata: {name: a}\n", vec!["a"]),
        ("x: &k Secret\nkind: *k\nmetadata: {name: a}\n", vec!["a"]),
        ("kind : Secret\nmetadata: {name: a}\n", vec!["a"]),
        ("kind: Pod\nspec: {kind: Secret}\n", vec![]),
        ("kind: SecretStore\nmetadata: {name: a}\n", vec![]),
        ("kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n", vec![]),
    ] {
        assert_eq!(secrets(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn k11_no_secret_is_missed() {
    const SECRET: &str = "kind: Secret\nmetadata: {name: a}\n";
    const UNKNOWN: &str = "(unnamed)";
    let deep = format!("kind: List\nitems:\n- x: {}\n- {{kind: Secret}}\n", "[".repeat(600));
    let late = format!("{}x: \0\n---\n{SECRET}", "# more\n".repeat(2_000));
    for (text, expected) in [
        ("kind: List\nitems:\n- kind: List\n  items:\n  - kind: Secret\n    metadata: {name: a}\n", vec!["a"]),
        ("kind: List\nitems:\n- kind: SecretList\n  items:\n  - metadata: {name: a}\n", vec!["a"]),
        ("items:\n- metadata: {name: a}\nkind: SecretList\n", vec!["a"]),
        ("kind: List\nitems:\n- - kind: Secret\n    metadata: {name: a}\n", vec!["a"]),
        ("- kind: Secret\n  metadata: {name: a}\n- kind: Pod\n", vec!["a"]),
        ("items:\n- kind: Secret\n  metadata: {name: a}\n", vec!["a"]),
        ("kind: Template\nobjects:\n- kind: Secret\n  metadata: {name: a}\n", vec!["a"]),
        ("x: {broken\n---\nkind: Secret\nmetadata: {name: a}\n", vec!["a"]),
        ("x: 'open\n---\nkind: Secret\nmetadata: {name: a}\n", vec!["a"]),
        ("kind: List\nitems:\n- x: [1, 2\n- kind: Secret\n  metadata: {name: a}\n", vec![UNKNOWN]),
        ("kind: List\nitems:\n- kind: Secret\n  metadata: {name: a}\n- x: ]\n- kind: 'Secret'\n", vec!["a", UNKNOWN]),
        ("{{- range .a }}\nkind: List\nitems:\n- kind: Secret\n{{- end }}\n", vec![UNKNOWN]),
        ("{\"kind\":\"Pod\"}\n{\"kind\":\"Secret\"}\n", vec![UNKNOWN]),
        ("x: &s {kind: Secret, metadata: {name: a}}\nkind: List\nitems: [*s]\n", vec![UNKNOWN]),
        ("x: &l [{kind: Secret, metadata: {name: a}}]\nkind: List\nitems: *l\n", vec![UNKNOWN]),
        ("x: &s {kind: Secret, metadata: {name: a}}\n<<: [*s]\n", vec![UNKNOWN]),
        ("kind: List\nitems: [&s {kind: Secret, metadata: {name: a}}, *s]\n", vec!["a"]),
        (deep.as_str(), vec![UNKNOWN]),
        (late.as_str(), vec!["a"]),
        ("kind: Pod\rspec: 1\r---\rkind: Secret\rmetadata: {name: a}\r", vec!["a"]),
    ] {
        assert_eq!(secrets(text.as_bytes()), expected, "{text}");
    }
    for mark in ["\u{feff}", ""] {
        let units: Vec<u16> = format!("{mark}kind: Pod\n---\n{SECRET}").encode_utf16().collect();
        let bytes = |of: fn(u16) -> [u8; 2]| units.iter().flat_map(|unit| of(*unit)).collect::<Vec<u8>>();
        assert_eq!(secrets(&bytes(u16::to_le_bytes)), ["a"], "{mark:?}");
        assert_eq!(secrets(&bytes(u16::to_be_bytes)), ["a"], "{mark:?}");
        let utf32: Vec<u8> = format!("{mark}{SECRET}").chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(secrets(&utf32), ["a"], "{mark:?}");
    }
}

#[test]
fn k9_what_aliases_repeat_is_not_copied() {
    // Half a megabyte, named sixty thousand times: as a key, as a kind, as an item.
    let big = "1".repeat(500_000);
    let uses = "- {kind: *b, *b : x, metadata: {name: *b}, l: [*b]}\n".repeat(10_000);
    let text = format!("x: &b {big}\n? kind\n: SecretList\nitems:\n{uses}");
    assert_eq!(content(text.as_bytes()), Content::Neither(NO_ROOT_KEYS));
    assert_eq!(secrets(text.as_bytes()), vec![UNNAMED; 10_000]);
}

/// Any tree of YAML values in block or flow style, quoted or plain.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        "[a-z]{1,6}".prop_map(serde_json::Value::from),
        "[ -~\n]{0,12}".prop_map(serde_json::Value::from),
        Just(serde_json::Value::from("{{ x }}")),
        Just(serde_json::Value::Null),
        Just(serde_json::Value::from("v1")),
        Just(serde_json::Value::from("Pod")),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("apiVersion".to_owned()),
        Just("kind".to_owned()),
        Just("metadata".to_owned()),
        Just("spec".to_owned()),
        Just("items".to_owned()),
        "[a-z]{1,3}",
    ]
}

/// A value in block style after its key or dash, with scalars and empty collections as JSON.
fn block(value: &serde_json::Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            let entry = |(key, value)| format!("\n{pad}{key}:{}", block(value, indent + 2));
            map.iter().map(entry).collect::<Vec<_>>().concat()
        }
        serde_json::Value::Array(items) if !items.is_empty() => {
            let entry = |value| format!("\n{pad}-{}", block(value, indent + 2));
            items.iter().map(entry).collect::<Vec<_>>().concat()
        }
        serde_json::Value::String(text) if indent > 0 && text.contains('\n') && text.trim() == text => {
            format!(" |-\n{pad}{}", text.replace('\n', &format!("\n{pad}")))
        }
        other => format!(" {other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// On valid YAML the line scan says what the parser says.
    #[test]
    fn the_line_scan_agrees_with_the_parser(value in value()) {
        let text = block(&value, 0);
        let scanned = Document::read(text.as_bytes()).decide(text.as_bytes());
        let parsed = events::root(text.as_bytes()).map_or(Content::Neither(NO_ROOT_KEYS), |root| decide_object(&root));
        prop_assert_eq!(scanned, parsed, "{}", text);
    }

    #[test]
    fn no_text_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[-a:{}\\[\\]|>'\"#&*!%?, \n]{0,60}") {
        let _ = (content(&bytes), secrets(&bytes), content(text.as_bytes()), secrets(format!("{text}Secret").as_bytes()));
    }
}
