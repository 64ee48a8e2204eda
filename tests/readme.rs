//! The README in Chinese holds what the one in English holds: sections, code, flags, variables, exit codes.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a section holds that no translation changes.
#[derive(Default)]
struct Section {
    heading: String,
    level: usize,
    code: Vec<String>,
    /// Of each row of a table: its words in code, and its first cell where that is no prose.
    rows: Vec<BTreeSet<String>>,
    words: BTreeSet<String>,
    links: BTreeSet<String>,
}

fn sections(markdown: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let (mut in_heading, mut in_block, mut in_row, mut cell) = (false, false, false, 0);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        if let Event::Start(Tag::Heading { level, .. }) = &event {
            sections.push(Section { level: *level as usize, ..Section::default() });
        }
        let section = sections.last_mut().expect("there is one from the start");
        match event {
            Event::Start(Tag::Heading { .. }) => in_heading = true,
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::CodeBlock(_)) => {
                in_block = true;
                section.code.push(String::new());
            }
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Start(Tag::TableRow) => {
                (in_row, cell) = (true, 0);
                section.rows.push(BTreeSet::new());
            }
            Event::End(TagEnd::TableRow) => in_row = false,
            Event::End(TagEnd::TableCell) => cell += 1,
            // Each README points to the other.
            Event::Start(Tag::Link { dest_url, .. }) if !dest_url.starts_with('#') && !dest_url.starts_with("README") => {
                section.links.insert(dest_url.into_string());
            }
            Event::Text(text) if in_block => section.code.last_mut().expect("the block").push_str(&text),
            Event::Text(text) if in_heading => section.heading.push_str(&text),
            Event::Text(text) if in_row && cell == 0 && !text.chars().any(char::is_alphabetic) => {
                section.rows.last_mut().expect("the row").insert(text.into_string());
            }
            Event::Code(word) => {
                if in_heading {
                    section.heading.push_str(&word);
                }
                if in_row {
                    section.rows.last_mut().expect("the row").insert(word.to_string());
                }
                section.words.insert(word.into_string());
            }
            _ => {}
        }
    }
    sections
}

/// What stands in one and not in the other, each with the name of the file that lacks it.
fn lacks(kind: &str, english: &BTreeSet<String>, chinese: &BTreeSet<String>) -> Vec<String> {
    let lacks = |file: &str, word: &String| format!("{file} lacks {kind} `{word}`");
    let missing = english.difference(chinese).map(|word| lacks("README.zh-CN.md", word));
    missing.chain(chinese.difference(english).map(|word| lacks("README.md", word))).collect()
}

fn differences(english: &Section, chinese: &Section) -> Vec<String> {
    let mut found = Vec::new();
    if english.level != chinese.level {
        found.push("the levels of the headings differ".to_owned());
    }
    found.extend(lacks("the word", &english.words, &chinese.words));
    found.extend(lacks("the link", &english.links, &chinese.links));
    let blocks = |section: &Section| section.code.iter().cloned().collect();
    found.extend(lacks("the code", &blocks(english), &blocks(chinese)));
    if english.rows.len() != chinese.rows.len() {
        found.push(format!("{} rows of tables, and {} in Chinese", english.rows.len(), chinese.rows.len()));
    }
    let rows = english.rows.iter().zip(&chinese.rows).filter(|(english, chinese)| english != chinese);
    found.extend(rows.map(|(english, chinese)| format!("a row holds {english:?}, and {chinese:?} in Chinese")));
    found
}

#[test]
fn both_readmes_hold_the_same() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a README");
    let (english, chinese) = (sections(&read("README.md")), sections(&read("README.zh-CN.md")));
    let mut found = Vec::new();
    for (english, chinese) in english.iter().zip(&chinese) {
        let told = differences(english, chinese);
        if !told.is_empty() {
            found.push(format!("\"{}\" and \"{}\":\n  {}", english.heading, chinese.heading, told.join("\n  ")));
        }
    }
    // From there on each section is held against the wrong one, so the first is told alone.
    if english.len() != chinese.len() {
        found.truncate(1);
        found.insert(0, format!("{} sections, and {} in Chinese. The first that differ:", english.len(), chinese.len()));
    }
    assert!(found.is_empty(), "README.md and README.zh-CN.md are out of step.\n{}", found.join("\n"));
}

/// The release workflow makes the tag `vVERSION` and no other: `v1` or `VERSION` would be found nowhere.
#[test]
fn what_is_pinned_is_a_tag_that_a_release_makes() {
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    for name in ["README.md", "README.zh-CN.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = std::fs::read_to_string(path).expect("a README");
        let pinned: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once("/hss-iac@").or_else(|| line.split_once("/hss-iac-cluster@")))
            .map(|(_, tag)| tag)
            .collect();
        assert_eq!(pinned.len(), 5, "{name}: the action and the components, with keys and without");
        assert!(pinned.iter().all(|pinned| pinned.split(' ').next() == Some(tag)), "{name}: {pinned:?}");
    }
}
