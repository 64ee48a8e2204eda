use proptest::prelude::*;

use super::*;

/// The ignores of a text: the line, `alone` or `behind`, the rules, the reason or what is wrong.
fn read(file_type: FileType, text: &str) -> Vec<String> {
    let told = |ignore: Ignore| {
        let place = if ignore.alone { "alone" } else { "behind" };
        format!("{} {place} {} {}", ignore.line, ignore.rules.join("+"), ignore.fault.unwrap_or(&ignore.reason))
    };
    comments(file_type, text).into_iter().map(told).collect()
}

#[test]
fn the_words_of_a_comment() {
    let of = |comment: &str| read(FileType::Dockerfile, comment).pop();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("# hss-iac: ignore[R1] the base image is ours"), some("1 alone R1 the base image is ours"));
    assert_eq!(of("#hss-iac:ignore[ R1 , R-2 ]: why"), some("1 alone R1+R-2 : why"));
    assert_eq!(of("  # hss-iac: ignore[R1] \t"), some(&format!("1 alone R1 {NO_REASON}")));
    let blank = of("# hss-iac: ignore[R1] \u{a0}\u{200b}").expect("an ignore");
    assert!(blank.ends_with(NO_REASON), "{blank}");
    for unreadable in ["ignore", "ignore R1 why", "ignore[] why", "ignore[R1 why", "ignored[R1] why", "allow[R1] why"] {
        assert_eq!(of(&format!("# hss-iac: {unreadable}")), Some(format!("1 alone  {UNREADABLE}")), "{unreadable}");
    }
    for nothing in ["# see hss-iac: ignore[R1] why", "# hss-iac ignore[R1] why", "## hss-iac: ignore[R1] why"] {
        assert_eq!(of(nothing), None, "{nothing}");
    }
}

#[test]
fn dockerfile_comments_are_whole_lines_outside_heredocs() {
    let text = "# hss-iac: ignore[A] at the top\r\n\
        FROM x # hss-iac: ignore[NO] a Dockerfile has no comment at the end of a line\n\
        RUN a \\\n\
        \x20 # hss-iac: ignore[B] inside\n\
        \n\
        \x20 && b\n\
        RUN <<EOF cat - <<-\"TWO\" \\\n\
        \x20 > c\n\
        # hss-iac: ignore[NO] text\n\
        EOF\n\
        # hss-iac: ignore[NO] text of the second\n\
        \tTWO\n\
        # hss-iac: ignore[C] after them\n\
        RUN echo \"a <<NOT\" << NOT\n\
        # hss-iac: ignore[D] that was none\n\
        ENV A=<<NOT\n\
        # hss-iac: ignore[E] nor that\n\
        onbuild copy <<EOF /a\n\
        # hss-iac: ignore[NO] text to the end\n";
    let expected = [
        "1 alone A at the top",
        "4 alone B inside",
        "13 alone C after them",
        "15 alone D that was none",
        "17 alone E nor that",
    ];
    assert_eq!(read(FileType::Dockerfile, text), expected);
}

#[test]
fn the_escape_directive_decides_what_goes_on() {
    let text =
        "# escape=`\nFROM x\nRUN a `\n<<EOF\n# hss-iac: ignore[NO] text\nEOF\nRUN b \\\n# hss-iac: ignore[A] a comment\n";
    assert_eq!(read(FileType::Dockerfile, text), ["8 alone A a comment"]);
    let late = "FROM x\n# escape=`\nRUN a \\\n<<EOF\n# hss-iac: ignore[NO] text\nEOF\n";
    assert_eq!(read(FileType::Dockerfile, late), [""; 0]);
}

#[test]
fn yaml_comments_stand_in_no_scalar() {
    let text = "# hss-iac: ignore[A] at the top\r\n\
        kind: Pod # hss-iac: ignore[B] behind a plain scalar\r\n\
        a: 'x # hss-iac: ignore[NO] quoted'\n\
        b: \"x\n\
        \x20 # hss-iac: ignore[NO] quoted over lines\n\
        \x20 y\" # hss-iac: ignore[C] behind it\n\
        c: | # hss-iac: ignore[D] behind an indicator\n\
        \x20 # hss-iac: ignore[NO] block\n\
        \x20 x # hss-iac: ignore[NO] block\n\
        \n\
        \x20 # hss-iac: ignore[NO] still block\n\
        # hss-iac: ignore[E] after the block\n\
        q: ['it''s' , \"\\\"# hss-iac: ignore[NO] escaped\"] # hss-iac: ignore[K] behind quotes\n\
        d: >-\n\
        \x20 x # hss-iac: ignore[NO] folded\n\
        e: x#hss-iac:ignore[NO]\n\
        f: {g: [1, # hss-iac: ignore[F] in a flow\n\
        \x20 2]}\n\
        'é # hss-iac: ignore[NO] a key': é # hss-iac: ignore[G] after two é\n\
        h:\n\
        \x20 # hss-iac: ignore[H] above a value\n\
        \x20 - &x# !t# y\n\
        --- # hss-iac: ignore[I] behind a marker\n\
        x: plain\n\
        \x20 over lines\n\
        # hss-iac: ignore[J] at the end";
    let text = text.replace("&x# !t# y", "&x y");
    let expected = [
        "1 alone A at the top",
        "2 behind B behind a plain scalar",
        "6 behind C behind it",
        "7 behind D behind an indicator",
        "12 alone E after the block",
        "13 behind K behind quotes",
        "17 behind F in a flow",
        "19 behind G after two é",
        "21 alone H above a value",
        "23 behind I behind a marker",
        "26 alone J at the end",
    ];
    assert_eq!(read(FileType::K8sYaml, &text), expected);
}

#[test]
fn where_a_document_is_no_yaml_nothing_counts() {
    let text = "a: 1 # hss-iac: ignore[A] sound\n---\na: 1 # hss-iac: ignore[B] lost\nb: \"never closed\n\
                c: 1 # hss-iac: ignore[C] lost\n---\nd: 1 # hss-iac: ignore[D] sound\n";
    let lost = |line: u32, rule: &str| format!("{line} behind {rule} {}", super::yaml::BROKEN);
    let sound = |line: u32, rule: &str| format!("{line} behind {rule} sound");
    assert_eq!(read(FileType::K8sYaml, text), [sound(1, "A"), lost(3, "B"), lost(5, "C"), sound(7, "D")]);
    let template = "{{ if x }}\na: 1 # hss-iac: ignore[A] lost\n";
    assert_eq!(read(FileType::K8sYaml, template), [lost(2, "A")]);
}

#[test]
fn lines_are_counted_as_locations_count_them() {
    for line_break in ["\n", "\r\n", "\r"] {
        let text = ["# a", "b: 1", "c: 2 # hss-iac: ignore[A] why", "# hss-iac: ignore[B] why", ""].join(line_break);
        assert_eq!(read(FileType::K8sYaml, &text), ["3 behind A why", "4 alone B why"], "{text:?}");
    }
    let text = "# a\rb\nFROM x\n# hss-iac: ignore[A] why\rnot\nUSER root\n";
    assert_eq!(read(FileType::Dockerfile, text), ["4 alone A why"]);
}

#[test]
fn a_dockerfile_is_read_as_locations_read_it() {
    let heredoc =
        |first: &str| format!("{first}RUN a \\\\\nRUN <<EOF\n# hss-iac: ignore[NO] text\nEOF\n# hss-iac: ignore[A] why\n");
    assert_eq!(read(FileType::Dockerfile, &heredoc("")), ["5 alone A why"], "two of them are no continuation");
    let text = "# unknown=x\n# escape=`\nRUN `\n <<EOF\n# hss-iac: ignore[NO] text\nEOF\n";
    assert_eq!(read(FileType::Dockerfile, text), [""; 0]);
}

/// Scalars of every style that hold the text of an ignore, each made to stand as the value of a key.
fn scalar() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec!["x", "# hss-iac: ignore[NO] text", "x # hss-iac: ignore[NO] text", "", "é: \t#"]);
    let lines = prop::collection::vec(line, 1..5);
    (lines, 0..6_u8).prop_map(|(lines, style)| {
        let indented = |by: &str| lines.iter().map(|line| format!("{by}{line}\n")).collect::<Vec<_>>().concat();
        match style {
            0 => format!(" |\n{}", indented("    ")),
            1 => format!(" >-\n{}", indented("    ")),
            2 => format!(" |2+\n{}", indented("    ")),
            3 => format!(" '{}'\n", indented("    ").trim_end().replace('\'', "''")),
            4 => format!(" \"{}\"\n", indented("    ").trim_end().replace('\t', " ")),
            _ => " x#y\n".to_owned(),
        }
    })
}

proptest! {
    #[test]
    fn no_text_of_a_scalar_is_a_comment(scalars in prop::collection::vec(scalar(), 1..6), crlf: bool) {
        let documents = scalars.iter().enumerate().map(|(n, scalar)| format!("- k{n}:{scalar}# hss-iac: ignore[YES] why\n"));
        let text = documents.collect::<Vec<_>>().concat();
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let found = comments(FileType::K8sYaml, &text);
        for ignore in &found {
            prop_assert_eq!(&ignore.rules, &["YES".to_owned()], "{:?}", text);
        }
        // Only a text that could not be read to the end may cost a comment, and says so.
        let lost = found.iter().any(|ignore| ignore.fault.is_some());
        prop_assert!(lost || found.len() == scalars.len(), "{:?}: {:?}", text, found);
    }

    #[test]
    fn any_text_is_read(text in "[#'\"|>\\-: \n\\[\\]{}a\t&*!%\r]{0,60}") {
        let text = format!("{text}# hss-iac: ignore[A] why\n");
        for file_type in FileType::ALL {
            for ignore in comments(file_type, &text) {
                prop_assert!((ignore.line as usize) <= lines(&text).len());
            }
        }
    }
}
