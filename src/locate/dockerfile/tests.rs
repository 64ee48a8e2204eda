use proptest::prelude::*;

use super::super::{Clue, Place, decode, excerpts, locate};
use crate::model::{FileType, Location, Precision};

fn places(source: &str, clues: &[Clue<'_>]) -> Vec<Place> {
    locate(FileType::Dockerfile, source.as_bytes(), clues)
}

fn clue(instruction: &str) -> Clue<'_> {
    Clue { instruction: Some(instruction), ..Clue::default() }
}

fn shown(at: Location) -> String {
    let precision = format!("{:?}", at.precision).to_lowercase();
    format!("{}:{}-{}:{} {precision}", at.line, at.column, at.end_line, at.end_column)
}

/// Where each text stands in a Dockerfile, all asked for at once.
fn at<const N: usize>(source: &str, texts: [&str; N]) -> [String; N] {
    let clues = texts.map(clue);
    let found: Vec<String> = places(source, &clues).into_iter().map(|place| shown(place.location)).collect();
    found.try_into().unwrap()
}

/// The same, each text asked for alone.
fn alone<const N: usize>(source: &str, texts: [&str; N]) -> [String; N] {
    texts.map(|text| at(source, [text])[0].clone())
}

#[test]
fn a_whole_instruction_is_exact_however_it_is_written() {
    let source =
        "FROM  a AS b\n  run apt-get  update \\\n    # why\n    && apt-get install \\\n\n       curl\nCMD [\"x\", \"y\"]\n";
    let texts = [
        "from a AS b",
        "RUN apt-get update && apt-get install curl",
        "RUN apt-get update \\\n && apt-get install \\\n curl",
        "run apt-get update \\\n    # why\n    && apt-get install \\\n\n       curl",
        "RUN apt-get update \n && apt-get install \n curl\n",
        "apt-get update && apt-get install curl",
        "[\"x\", \"y\"]",
    ];
    let run = "2:3-6:12 exact";
    let expected = ["1:1-1:13 exact", run, run, run, run, run, "7:1-7:15 exact"];
    assert_eq!(alone(source, texts), expected);
}

#[test]
fn what_is_meant_is_as_much_onbuild_as_the_text() {
    let source = "FROM a\nONBUILD RUN make all of it\nRUN make all of them\nONBUILD RUN make all of us\n";
    let texts = ["RUN make all", "ONBUILD RUN make all", "make all of"];
    assert_eq!(alone(source, texts), ["3:1-3:21 parent", "2:1-2:27 parent", "3:1-3:21 parent"]);
}

#[test]
fn a_first_line_of_a_script_is_no_line_of_the_instruction() {
    let script = "FROM a\nRUN <<EOF\nset -e\nUSER root\nEOF\n";
    assert_eq!(alone(script, ["set -e", "RUN set -e"]), ["3:1-3:7 parent", "3:1-3:7 parent"]);
}

#[test]
fn lines_that_begin_with_no_instruction_lead_to_none() {
    let source = "FROM a\nRUN foo bar\nRUN make things\n";
    let texts = ["&& make things", "foo bar\nRUN none", "RUN foo bar\nRUN none"];
    assert_eq!(alone(source, texts), ["1:1-1:7 resource", "1:1-1:7 resource", "2:1-2:12 parent"]);
}

#[test]
fn other_text_is_never_exact() {
    let source =
        "FROM a\nRUN rm -rf x\nCMD [\"x\", \"y\"]\nRUN <<EOF\nUSER root\nEOF\nRUN su && \\\n  USER root\nUSER app\n";
    let texts =
        ["RUN rm -r f x", "RUN rm -rfx", "rm-rf x", "CMD [\"x\",\"y\"]", "RUN rm -rf X", "USER root", "RUN USER root"];
    let run = "2:1-2:13 parent";
    let expected = [run, run, run, "3:1-3:15 parent", "7:1-8:12 parent", "9:1-9:9 parent", "5:1-5:10 parent"];
    assert_eq!(alone(source, texts), expected);
    let script = "FROM a\nRUN <<EOF\nUSER root\nset -e\nEOF\n";
    let expected = ["3:1-3:10 parent", "4:1-4:7 parent", "4:1-4:7 parent"];
    assert_eq!(alone(script, ["USER root", "set -e", "RUN set -e"]), expected);
}

#[test]
fn the_first_way_of_reading_that_fits_decides() {
    let source = "FROM a\nRUN a b\nRUN ab\nUSER x\nARG x\n";
    let expected = ["2:1-2:8 exact", "3:1-3:7 exact", "4:1-4:7 parent"];
    assert_eq!(alone(source, ["RUN a  b", "RUN ab", "x"]), expected, "an argument of two instructions is ambiguous");
}

#[test]
fn a_closer_way_of_reading_comes_before_a_looser_one() {
    let source =
        "FROM a\nRUN rm -rf x && y\nRUN echo apt-get update\nRUN rm -rf x\nRUN apt-get update -y\nUSER root\nUSER app\n";
    for (text, expected) in [
        ("RUN rm -r f x", "4:1-4:13 parent"),
        ("apt-get upd...", "5:1-5:22 parent"),
        ("USER r", "6:1-6:10 parent"),
        ("USER", "7:1-7:9 parent"),
        ("RUN", "5:1-5:22 parent"),
        ("pdat", "3:1-3:24 parent"),
        ("pda", "1:1-1:7 resource"),
        ("ro", "1:1-1:7 resource"),
    ] {
        assert_eq!(alone(source, [text]), [expected], "{text}");
    }
}

#[test]
fn one_line_of_a_long_instruction_is_that_line() {
    let source = "FROM a\nRUN apt-get update && \\\n  curl x | sh && \\\n  rm -r /tmp/x\nRUN <<EOF\nset -e\ncurl y | sh\nEOF\nUSER a\n";
    let texts = [
        "RUN apt-get update",
        "apt-get update && \\",
        "RUN curl x | sh",
        "curl x | sh &&",
        "rm -r /tmp/x",
        "curl y | sh",
        "RUN <<EOF",
        "RUN <<EOF\nset -e\ncurl y | sh\nEOF",
        "USER curl x | sh",
    ];
    let expected = [
        "2:1-2:19 exact",
        "2:1-2:22 exact",
        "3:3-3:14 parent",
        "3:3-3:17 exact",
        "4:3-4:15 exact",
        "7:1-7:12 parent",
        "5:1-8:4 exact",
        "5:1-8:4 exact",
        "9:1-9:7 parent",
    ];
    assert_eq!(alone(source, texts), expected);
    let source = "FROM a\nRUN apt-get update \\\n  && apt-get clean\n";
    let texts = ["apt-get clean", "&& apt-get clean", "RUN apt-get clean"];
    assert_eq!(alone(source, texts), ["3:6-3:19 exact", "3:3-3:19 exact", "3:6-3:19 parent"]);
}

#[test]
fn cut_and_partial_texts() {
    let source = "FROM a\nRUN apt-get update && apt-get install -y curl\nRUN apt-get update && \\\n    apt-get clean all\nUSER root:root\n";
    let texts = [
        "RUN apt-get update && apt-get ins...",
        "RUN apt-get update && apt-get ins…",
        "RUN apt-get update && apt-get ins",
        "RUN apt-get upd...",
        "install -y",
        "get clean",
        "USER root",
        "RUN apt-get update && apt-get install -y curl\nRUN apt-get update",
    ];
    let expected = [
        "2:1-2:46 parent",
        "2:1-2:46 parent",
        "2:1-2:46 parent",
        "2:1-2:46 parent",
        "2:1-2:46 parent",
        "4:5-4:22 parent",
        "5:1-5:15 parent",
        "2:1-2:46 parent",
    ];
    assert_eq!(alone(source, texts), expected);
    let together = at("FROM a\nRUN x y\n", ["RUN x...", "RUN x y", "RUN x..."]);
    assert_eq!(together, ["2:1-2:8 parent", "2:1-2:8 exact", "2:1-2:8 parent"], "one place, each as sure as its text");
}

#[test]
fn on_build_with_and_without_its_word() {
    let both = "FROM a\nUSER root\nONBUILD USER root\n";
    assert_eq!(alone(both, ["USER root", "ONBUILD USER root"]), ["2:1-2:10 exact", "3:1-3:18 exact"]);
    let source = "FROM a\nONBUILD USER root\nUSER b\n";
    let texts = ["ONBUILD USER root", "USER root", "onbuild user root", "root", "ONBUILD USER x", "USER y"];
    let expected =
        ["2:1-2:18 exact", "2:1-2:18 exact", "2:1-2:18 exact", "2:1-2:18 exact", "2:1-2:18 parent", "3:1-3:7 parent"];
    assert_eq!(alone(source, texts), expected);
    assert_eq!(alone("FROM a\nUSER b\n", ["ONBUILD USER root"]), ["2:1-2:7 parent"], "the keyword at least");
}

#[test]
fn what_is_missing_stands_on_the_last_stage() {
    let source = "# c\nFROM a AS b\nUSER x\nFROM b\nONBUILD FROM c\n";
    assert_eq!(alone(source, ["HEALTHCHECK", "", " \\ ", "no such thing"]), ["4:1-4:7 resource"; 4]);
    assert_eq!(shown(places(source, &[Clue::default()])[0].location), "4:1-4:7 resource");
    assert_eq!(alone("\n \n  # only a comment \n", ["USER a"]), ["3:3-3:19 file"]);
    assert_eq!(alone("", ["USER a"]), ["1:1-1:1 file"]);
    assert_eq!(alone("\n\n", ["USER a"]), ["1:1-1:1 file"]);
}

#[test]
fn equal_instructions_are_dealt_to_equal_clues() {
    let source = "FROM a\nUSER root\nRUN x\nFROM b\nUSER root\nRUN x\nUser root\nRUN x\n";
    let lines = |clues: &[Clue<'_>]| places(source, clues).iter().map(|place| place.location.line).collect::<Vec<_>>();
    let [user, run] = ["USER root", "RUN x"].map(clue);
    assert_eq!(lines(&[user]), [7], "the last one is in force");
    assert_eq!(lines(&[user, user]), [5, 7]);
    assert_eq!(lines(&[user, run, user, user]), [2, 3, 5, 7]);
    assert_eq!(lines(&[user, user, user, user]), [2, 5, 7, 2]);
    assert_eq!(lines(&[run]), [3]);
    assert_eq!(lines(&[run, run]), [3, 6]);
    assert_eq!(lines(&[clue("USER root"), clue("user root"), clue("User root")]), [2, 5, 7]);
    let of = |rule| Clue { hit_rule: Some(rule), ..user };
    assert_eq!(lines(&[of("A"), of("B"), of("C")]), [7, 7, 7], "three rules about one instruction");
    assert_eq!(lines(&[of("A"), of("B"), of("A")]), [5, 7, 7]);
}

/// As a generated one is, with a risk in every line.
#[test]
fn every_part_of_a_long_dockerfile_is_found() {
    let parts: Vec<String> = (0..400).map(|n| format!("install -y library-{n}-dev")).collect();
    let runs: Vec<String> = parts.iter().map(|part| format!("RUN set -e; apt-get {part}\n")).collect();
    let source = format!("FROM a\n{}", runs.concat());
    let clues: Vec<Clue<'_>> = parts.iter().map(|part| clue(part)).collect();
    let found = places(&source, &clues).into_iter().map(|place| (place.location.line, place.location.precision));
    assert_eq!(found.collect::<Vec<_>>(), (2..402).map(|line| (line, Precision::Parent)).collect::<Vec<_>>());
}

#[test]
fn a_place_shows_its_source() {
    let source = "\u{feff}FROM a\r\nRUN x \\\r\n  y\r\n";
    let place = &places(source, &[clue("RUN x y")])[0];
    assert_eq!(shown(place.location), "2:1-3:4 exact");
    assert_eq!(excerpts(decode(source.as_bytes()), [place.location]), [["RUN x \\", "  y"]]);
    assert_eq!(place.line_hash, places("FROM z\nRUN x \\\n  y\n", &[clue("RUN x y")])[0].line_hash);
}

fn assert_inside(source: &[u8], location: Location) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(source);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
    let width = |line: u32| u32::try_from(lines[line as usize - 1].chars().count()).unwrap();
    prop_assert!(1 <= location.line && location.line <= location.end_line && location.end_line as usize <= lines.len());
    prop_assert!(1 <= location.column && location.column <= width(location.line) + 1);
    prop_assert!(1 <= location.end_column && location.end_column <= width(location.end_line) + 1);
    prop_assert!((location.line, location.column) <= (location.end_line, location.end_column));
    Ok(())
}

/// An instruction as it is said, and as it stands in the file.
#[derive(Debug, Clone)]
struct Written {
    said: String,
    source: String,
}

/// Words between which the line may go on, over comments and empty lines.
fn written(escape: char, line_break: &'static str) -> impl Strategy<Value = Written> {
    let joint = prop_oneof![
        4 => Just(" ".to_owned()),
        1 => Just(format!(" {escape}{line_break}")),
        1 => Just(format!(" {escape} \t{line_break}  # no USER root {escape}{line_break}{line_break}\t")),
    ];
    let keyword = prop_oneof![Just("RUN"), Just("run"), Just("Env"), Just("COPY"), Just("ONBUILD RUN")];
    let words = proptest::collection::vec(("[a-zé\u{1F600}=./&|$-]{1,6}", joint), 1..8);
    (keyword, words, any::<u16>(), 0..3_u8).prop_map(move |(keyword, words, number, heredocs)| {
        let (mut said, mut source) = (keyword.to_owned(), keyword.to_owned());
        for (word, joint) in words {
            said.push(' ');
            said.push_str(&word);
            source.push_str(&joint);
            if joint.len() > 1 && joint.ends_with('\n') {
                source.push_str("  ");
            }
            source.push_str(&word);
        }
        let heredocs = if keyword == "Env" { 0 } else { heredocs };
        for n in 0..heredocs {
            let opening = [" <<", " 3<<-\""][usize::from(n)];
            let end = format!("END{number}{n}{}", ["", "\""][usize::from(n)]);
            said.extend([opening, &end]);
            source.extend([opening, &end]);
        }
        for n in 0..heredocs {
            let tabs = ["", "\t"][usize::from(n)];
            let end = format!("END{number}{n}");
            source.extend([line_break, "USER root", line_break, "# x", line_break, tabs, &end]);
        }
        Written { said, source }
    })
}

fn dockerfile() -> impl Strategy<Value = (String, Vec<(String, u32, u32)>)> {
    (prop_oneof![Just('\\'), Just('`')], prop_oneof![Just("\n"), Just("\r\n")], any::<bool>())
        .prop_flat_map(|(escape, line_break, mark)| {
            let between = proptest::collection::vec(prop_oneof![Just(""), Just("# USER root"), Just("  ")], 0..3);
            let written = proptest::collection::vec((written(escape, line_break), between), 1..12);
            (Just(escape), Just(line_break), Just(mark), written)
        })
        .prop_map(|(escape, line_break, mark, all)| {
            let mut source = if mark { "\u{feff}".to_owned() } else { String::new() };
            let directive = format!("# escape={escape}");
            source.extend([&directive, line_break, "FROM x", line_break]);
            let mut expected = Vec::new();
            for (written, between) in all {
                for line in between {
                    source.push_str(line);
                    source.push_str(line_break);
                }
                let first = u32::try_from(source.matches('\n').count()).unwrap() + 1;
                source.push_str(&written.source);
                let last = u32::try_from(source.matches('\n').count()).unwrap() + 1;
                source.push_str(line_break);
                expected.push((written.said, first, last));
            }
            (source, expected)
        })
}

proptest! {
    #[test]
    fn every_instruction_of_a_generated_dockerfile_is_found((source, expected) in dockerfile()) {
        let clues: Vec<Clue<'_>> = expected.iter().map(|(said, _, _)| clue(said)).collect();
        let once = |said: &str| expected.iter().filter(|(other, _, _)| other.eq_ignore_ascii_case(said)).count() == 1;
        for (place, (said, first, last)) in places(&source, &clues).into_iter().zip(&expected) {
            let at = place.location;
            assert_inside(source.as_bytes(), at)?;
            if once(said) {
                prop_assert_eq!((at.line, at.end_line, at.precision), (*first, *last, Precision::Exact), "{}", said);
            }
        }
    }
}
