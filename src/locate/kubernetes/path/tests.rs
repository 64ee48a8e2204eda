use super::*;

/// A step in short: keys that can only be keys in quotes.
fn step(step: &Step) -> String {
    match step {
        Step::Key { text, bare: true } => text.clone(),
        Step::Key { text, bare: false } => format!("{text:?}"),
        Step::Any => "*".to_owned(),
        Step::Deep => "**".to_owned(),
        Step::Filter { keys, value } => format!("?{}={value}", keys.join("/")),
    }
}

/// Every reading of a text, each with its separator.
fn readings(text: &str) -> Vec<String> {
    let one = |path: Path| format!("{} {}", path.separator, path.steps.iter().map(step).collect::<Vec<_>>().join(" "));
    spellings(text).into_iter().map(one).collect()
}

#[test]
fn what_a_path_may_mean() {
    for (text, expected) in [
        ("spec.containers[0].image", &[". spec containers \"0\" image"][..]),
        ("{.spec.x}", &[". spec x"]),
        ("$['a.b'][\"c\"]", &[". \"a.b\" \"c\""]),
        ("a.b/c", &[". a b/c", "/ a.b c"]),
        ("$patch.x", &[". $patch x"]),
        // A JSON Pointer has no brackets, no quotes and no escapes but its own.
        ("/a[0]/b", &["/ a[0] b"]),
        ("/'a'/b~1c~0d", &["/ 'a' b/c~d"]),
        ("/a\\b", &["/ a\\b"]),
        ("/a..b", &["/ a..b"]),
        ("a\\.b.c", &[". a.b c"]),
        ("data..dockerconfigjson", &[". data .dockerconfigjson", ". data ** dockerconfigjson"]),
        ("spec.**.image", &[". spec ** image"]),
        ("a[*].b[1:2]", &[". a * b *"]),
        ("a[?(@.name==\"x\")].b", &[". a ?name=x b"]),
        // Each of several paths, and what is before a value.
        ("a.b, c", &[". a b, c", ". a b", ". c"]),
        ("a, a", &[". a, a", ". a"]),
        ("a.b: 1", &[". a b: 1", ". a b"]),
        ("a[b,c].d, e", &[". a * d, e", ". a * d", ". e"]),
        ("'x\"y,z'.d; e", &[". \"x\\\"y,z\" d; e", ". \"x\\\"y,z\" d", ". e"]),
        // Brackets and quotes in brackets are balanced, and a backslash takes its meaning from what follows.
        ("a[b[c]].d", &[". a \"b[c]\" d"]),
        ("a['x]y'].z", &[". a \"x]y\" z"]),
        ("a[\"x'y\"].z", &[". a \"x'y\" z"]),
        ("a['it\\'s'].z", &[". a \"it's\" z"]),
        ("a[\"q\\\"]\"].z", &[". a \"q\\\"]\" z"]),
        // A folder of Windows, escaped as in JSON and as it is.
        ("a[\"c:\\\\\"].z", &[". a \"c:\\\\\" z"]),
        ("a[\"c:\\data\"].z", &[". a \"c:\\\\data\" z"]),
        ("'a]b'.c", &[". \"a]b\" c"]),
        ("\"a[b\".c", &[". \"a[b\" c"]),
        ("a.b'c'.d", &[". a b'c' d"]),
        ("/a'b/c", &["/ a'b c"]),
        ("a[@.x==1].b", &[". a ?x=1 b"]),
        ("a[?(@.x!=1)].b", &[". a * b"]),
        ("a['b','c'].d", &[". a * d"]),
        ("a['b', 'c'].d", &[". a * d"]),
        ("a['b' ,'c'].d", &[". a * d"]),
        ("a[\"b\",\"c\"].d", &[". a * d"]),
        (".", &[]),
        ("", &[]),
    ] {
        assert_eq!(readings(text), expected, "{text}");
    }
}
