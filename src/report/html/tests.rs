use html5gum::{Token, Tokenizer};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::report::samples;

fn page(sample: Value) -> String {
    let result: ScanResult = serde_json::from_value(sample).expect("a result");
    let mut bytes = Vec::new();
    write(&result, View { level: Level::Tips, verbose: false, root: None }, &mut bytes).expect("a page");
    String::from_utf8(bytes).expect("UTF-8")
}

/// What a browser makes of the page: tags with the names of their attributes, and the text.
fn read(page: &str) -> (Vec<String>, String) {
    let (mut tags, mut text) = (Vec::new(), String::new());
    for Ok(token) in Tokenizer::new(page) {
        match token {
            // A place to break a line, after each slash.
            Token::StartTag(tag) if *tag.name == *b"wbr" => {}
            Token::StartTag(tag) => {
                let names: Vec<_> = tag.attributes.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
                tags.push(format!("{} {}", String::from_utf8_lossy(&tag.name), names.join(" ")));
            }
            Token::EndTag(tag) => tags.push(format!("/{}", String::from_utf8_lossy(&tag.name))),
            Token::String(chars) => text.push_str(&String::from_utf8_lossy(&chars)),
            Token::Comment(_) => tags.push("comment".to_owned()),
            Token::Error(error) => tags.push(format!("error {error:?}")),
            Token::Doctype(_) => tags.push("doctype".to_owned()),
        }
    }
    (tags, text)
}

/// A result of one finding with the same text in every field that is free.
fn filled(text: &str) -> Value {
    let mut sample = samples::two();
    for field in ["name", "category", "hit_path", "description", "remediation", "rule_id", "instruction", "path"] {
        sample["findings"][0][field] = json!(text);
    }
    sample["findings"][0]["resource"] = json!({"kind": text, "namespace": text, "name": text});
    sample["findings"][0]["snippet"] = json!([text, text]);
    sample["findings"][0]["location"]["end_line"] = json!(13);
    sample["files"][0]["path"] = json!(text);
    sample["files"][0]["state"] = json!("scan_failed");
    sample["files"][0]["reason"] = json!(text);
    sample["notes"] = json!([text]);
    sample["verdict"]["reasons"] = json!([text]);
    sample["policy"]["baseline"] = json!(text);
    sample["service"]["endpoint"] = json!(text);
    sample
}

#[test]
fn hostile_text_stays_text() {
    let (tags, text) = read(&page(samples::hostile()));
    assert_eq!(tags.iter().filter(|tag| tag.starts_with("script")).count(), 1);
    let wrong: Vec<_> = tags.iter().filter(|tag| tag.starts_with("error") || *tag == "comment").collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(text.contains(&printable(samples::HOSTILE).into_owned()));
}

#[test]
fn a_clean_run_has_no_filter_and_no_plot() {
    let (tags, text) = read(&page(samples::none()));
    assert!(!tags.iter().any(|tag| tag.contains("input") || tag.contains("svg")), "{tags:?}");
    assert!(text.contains("no finding reaches the gate (high)"));
}

#[test]
fn the_policy_names_the_style_and_the_script_that_stand_in_the_page() {
    let page = page(samples::two());
    let between = |start: &str, end: &str| {
        let at = page.find(start).expect(start) + start.len();
        page[at..].split(end).next().expect(end).to_owned()
    };
    let hash =
        |text: String| base64::engine::general_purpose::STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    let policy = between("Content-Security-Policy\" content=\"", "\"");
    let style = hash(between("<style>", "</style>"));
    let script = hash(between("<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
    );
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

#[test]
fn the_span_is_marked_where_it_stands() {
    let at = |line, end_line, column, end_column| {
        Some(Location { line, end_line, column, end_column, precision: Precision::Exact })
    };
    assert_eq!(cut("USER root", at(1, 1, 6, 10), true, true), ("USER ", "root", ""));
    assert_eq!(cut("  image: ä:b # x", at(1, 1, 3, 13), true, true), ("  ", "image: ä:b", " # x"));
    assert_eq!(cut("RUN a \\", at(1, 2, 1, 4), true, false), ("", "RUN a \\", ""));
    assert_eq!(cut("  b c", at(1, 2, 1, 4), false, true), ("  ", "b", " c"));
    assert_eq!(cut("short", at(1, 1, 90, 99), true, true), ("short", "", ""));
    assert_eq!(cut("no place", None, true, true), ("no place", "", ""));
}

/// The model keeps so many lines of a span and no more: the last of them is not the last of the span.
#[test]
fn a_span_longer_than_its_snippet_is_marked_to_the_ends_of_its_lines() {
    let mut value = samples::one();
    value["findings"][0]["snippet"] = json!(["RUN set -e; \\", "  curl -fsSL x \\"]);
    value["findings"][0]["location"] =
        json!({"line": 3, "end_line": 20, "column": 1, "end_column": 4, "precision": "exact"});
    value["findings"][0]["places"] = json!(3);
    let page = page(value);
    let pre = page.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next()).expect("an excerpt");
    let expected = concat!(
        "<span class=\"line\"><span class=\"at\">    3  </span><mark>RUN set -e; \\</mark>\n</span>",
        "<span class=\"line\"><span class=\"at\">    4  </span>  <mark>curl -fsSL x \\</mark>\n</span>",
        "<span class=\"at\">       16 more lines\n</span>"
    );
    assert_eq!(pre, expected);
    assert!(page.contains("data-places=\"3\""), "the filter counts places, as all else does");
}

/// All that a browser would load or send is named by one of these.
#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = page(filled("https://a.example/x"));
    for Ok(token) in Tokenizer::new(&page) {
        let Token::StartTag(tag) = token else { continue };
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        assert!(!["link", "img", "iframe", "object", "embed", "form", "base"].contains(&name.as_str()), "{name}");
        for (attribute, value) in &tag.attributes {
            let attribute = String::from_utf8_lossy(attribute);
            assert!(!["src", "srcset", "action", "style"].contains(&attribute.as_ref()), "{name} {attribute}");
            assert!(attribute != "href" || value.starts_with(b"#"), "{name} {value:?}");
        }
    }
}

/// What is folded would have the longest bar by far, and the others be too short to tell apart.
#[test]
fn the_plot_is_scaled_to_the_directories_that_it_names() {
    let mut value = samples::many(100);
    for (n, finding) in value["findings"].as_array_mut().expect("findings").iter_mut().enumerate() {
        finding["path"] = json!(format!("d{:02}/Dockerfile", n / 2));
        finding["level"] = json!("high");
    }
    let page = page(value);
    let plot = page.split("<table class=\"plot\">").nth(1).and_then(|rest| rest.split("</table>").next()).expect("a plot");
    let rows: Vec<&str> = plot.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 21, "all, 19 directories and the rest");
    assert!(rows[..20].iter().all(|row| row.contains("width=\"1000\"")), "{rows:#?}");
    let rest = concat!(
        "<th scope=\"row\">31 more directories</th><td class=\"bar\"></td>",
        "<td class=\"n\">62</td><td class=\"n\">0</td><td class=\"n\">0</td><td class=\"n\">0</td></tr></tbody>"
    );
    assert_eq!(rows[20], rest);
}

/// An empty link is one that nobody can see or hear.
#[test]
fn a_rule_without_an_id_is_shown_by_its_name() {
    let mut value = samples::one();
    value["findings"][0]["rule_id"] = json!("");
    let page = page(value);
    assert!(!page.contains("<a ") && page.contains(">The container runs as root (1)</dt>"), "{page}");
}

#[test]
fn a_path_breaks_between_its_parts() {
    assert_eq!(breakable("a/<b>/c").into_string(), "a/<wbr>&lt;b&gt;/<wbr>c");
}

proptest! {
    #[test]
    fn no_text_changes_the_structure(text in "\\PC{1,40}|[<>&\"'/=a-z -]{1,40}") {
        let (tags, _) = read(&page(filled(&text)));
        // The columns of the sample leave nothing of a short text to mark.
        let without_marks = |tags: Vec<String>| tags.into_iter().filter(|tag| !tag.contains("mark")).collect::<Vec<_>>();
        let (plain, _) = read(&page(filled("x")));
        prop_assert_eq!(without_marks(tags), without_marks(plain));
    }
}
