//! Files that are made to be slow to locate risks in: the time of each and the peak memory of the process.
//!
//! `cargo bench --bench locate`. The aim is 1 s for 20,000 clues in a file of 1 MB, and 5 s and 200 MB for any file of 1 MB.
#![allow(
    clippy::print_stdout,
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a benchmark prints, and may be slow to begin"
)]

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use hss_iac::locate::{Clue, locate};
use hss_iac::model::{FileType, Resource};

const MB: usize = 1 << 20;
const CLUES: usize = 20_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let run = |name: &str, file_type, source: &dyn Fn() -> String, clues: &dyn Fn() -> Vec<Said>| {
        if name.contains(&wanted) {
            measure(name, file_type, &source(), &clues());
        }
    };
    for (name, source, clues) in dockerfiles() {
        run(name, FileType::Dockerfile, &source, &clues);
    }
    for (name, source, clues) in manifests() {
        run(name, FileType::K8sYaml, &source, &clues);
    }
    let few = || ["spec.containers[0].image", "..image", "*.*.*"].map(Said::path).into();
    for (name, source) in bombs() {
        run(&name, FileType::K8sYaml, &source, &few);
    }
}

fn measure(name: &str, file_type: FileType, source: &str, clues: &[Said]) {
    // Forgets the peak of what ran before, on Linux.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let clues: Vec<Clue<'_>> = clues.iter().map(Said::clue).collect();
    let start = Instant::now();
    let places = black_box(locate(file_type, source.as_bytes(), &clues));
    let spent = start.elapsed();
    let mut numbers = [0; 4];
    for place in &places {
        numbers[place.location.precision as usize] += 1;
    }
    let peak = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default().trim().to_owned();
    println!("{name:32} {:8} bytes {:6} clues {spent:>10.1?} {peak:>11} {numbers:?}", source.len(), places.len());
}

/// A clue with its texts.
#[derive(Default)]
struct Said {
    instruction: Option<String>,
    resource: Option<Resource>,
    path: Option<String>,
}

impl Said {
    fn instruction(text: String) -> Self {
        Self { instruction: Some(text), ..Self::default() }
    }

    fn path(path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    fn of(kind: &str, name: impl Into<String>, path: impl Into<String>) -> Self {
        let resource = Resource { kind: Some(kind.to_owned()), namespace: None, name: Some(name.into()) };
        Self { resource: Some(resource), ..Self::path(path) }
    }

    fn clue(&self) -> Clue<'_> {
        Clue {
            instruction: self.instruction.as_deref(),
            resource: self.resource.as_ref(),
            hit_path: self.path.as_deref(),
            hit_rule: None,
        }
    }
}

type Source = Box<dyn Fn() -> String>;
type Clues = Box<dyn Fn() -> Vec<Said>>;

fn many(clue: impl Fn(usize) -> Said + 'static) -> Clues {
    Box::new(move || (0..CLUES).map(&clue).collect())
}

/// `head`, and as many of `line` as fit into a megabyte.
fn lines(head: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    let mut number = 0;
    while text.len() < MB {
        text.push_str(&line(number));
        number += 1;
    }
    text
}

fn source(make: impl Fn() -> String + 'static) -> Source {
    Box::new(make)
}

fn dockerfiles() -> Vec<(&'static str, Source, Clues)> {
    let runs = || source(|| lines("FROM a\n", |n| format!("RUN apt-get install package-{n} # of many\n")));
    let said = |form: fn(usize) -> String| many(move |n| Said::instruction(form(n)));
    let script = source(|| lines("FROM a\nRUN true", |n| format!(" && \\\n  apt-get install é-{n}")));
    let long = source(|| lines("FROM a\nRUN ", |n| format!("é-{n} && ")));
    vec![
        ("dockerfile exact", runs(), said(|n| format!("RUN apt-get install package-{n} # of many"))),
        ("dockerfile missing", runs(), said(|n| format!("RUN apt-get remove package-{n}"))),
        ("dockerfile parts", runs(), said(|n| format!("install package-{n}"))),
        ("dockerfile beginnings", runs(), said(|n| format!("RUN apt-get install package-{n}"))),
        (
            "dockerfile spellings",
            source(|| lines("FROM a\n", |_| "RUN a b c\n".to_owned())),
            said(|n| format!("RUN a{}b{}c", " ".repeat(1 + n / 150), " ".repeat(1 + n % 150))),
        ),
        ("dockerfile lines", script, said(|n| format!("apt-get install é-{n}"))),
        ("dockerfile one line", long, said(|n| format!("é-{n} &&"))),
    ]
}

fn manifests() -> Vec<(&'static str, Source, Clues)> {
    let pods = || source(|| lines("", |n| format!("---\nkind: Pod\nmetadata: {{name: p{n}}}\nspec: {{a: 1}}\n")));
    let nameless = || source(|| lines("", |n| format!("---\nkind: Pod\nmetadata: {{namespace: n{n}}}\n")));
    let generated = source(|| lines("", |n| format!("---\nkind: Pod\nmetadata: {{generateName: g{n}-}}\n")));
    let keys = || source(|| lines("kind: Pod\nspec:\n", |n| format!("  someKey{n}: 1\n")));
    let items = || source(|| lines("kind: Pod\nspec:\n", |n| format!("- name: n{n}\n  image: x\n")));
    let contexts = source(|| lines("kind: Pod\nspec:\n", |n| format!("- c{n}:\n    securityContext: {{}}\n")));
    let merges = source(|| lines(&merged(200), |n| format!("---\nkind: Pod\nmetadata: {{name: p{n}}}\nspec: {{a: 1}}\n")));
    let said = |form: fn(usize) -> (String, String)| {
        many(move |n| {
            let (name, path) = form(n);
            Said::of("Pod", name, path)
        })
    };
    let unnamed = |form: fn(usize) -> String| many(move |n| Said::path(form(n)));
    vec![
        ("yaml exact", pods(), said(|n| (format!("p{n}"), "spec.a".to_owned()))),
        ("yaml missing objects", pods(), said(|n| (format!("q{n}"), "spec.a".to_owned()))),
        ("yaml nameless objects", nameless(), said(|n| (format!("q{n}"), "metadata.namespace".to_owned()))),
        ("yaml generated names", generated, said(|n| (format!("g{n}-x"), "metadata.generateName".to_owned()))),
        ("yaml nothing named", pods(), unnamed(|n| format!("spec.x{n}"))),
        ("yaml loose keys", keys(), unnamed(|n| format!("spec.some_key{n}"))),
        ("yaml missing keys", keys(), unnamed(|n| format!("spec.other.key{n}"))),
        ("yaml names of items", items(), unnamed(|n| format!("spec[name=n{n}].image"))),
        ("yaml loose names of items", items(), unnamed(|n| format!("spec.n{n}.Image"))),
        ("yaml wildcards", items(), unnamed(|n| format!("spec[*].x{n}"))),
        ("yaml anywhere", contexts, unnamed(|n| format!("securityContext.x{n}"))),
        ("yaml deep wildcards", items(), unnamed(|n| format!("..*..*..x{n}"))),
        ("yaml merges", merges, unnamed(|n| format!("spec.m.x{n}"))),
    ]
}

/// Mappings of which each merges all before it, and an object that merges them all.
fn merged(number: usize) -> String {
    let all = |number: usize| (0..number).map(|n| format!("*m{n}")).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    for n in 0..number {
        text.push_str(&format!("m{n}: &m{n} {{k{n}: 1, <<: [{}]}}\n", all(n)));
    }
    text.push_str(&format!("kind: Pod\nspec: {{m: {{<<: [{}]}}}}\n", all(number)));
    text
}

fn bombs() -> Vec<(String, Source)> {
    let mut bombs: Vec<(String, Source)> = Vec::new();
    let repeated = [
        "[",
        "{",
        "- ",
        "? ",
        "[a: ",
        "{a: ",
        "a: ",
        "{? ",
        "[]: ",
        "a, ",
        "&a ",
        "&a [*a, ",
        "!a ",
        "!!",
        "*a ",
        "\"",
        "'",
        "'' ",
        "% ",
        "#",
        "\t",
        " ",
        ": ",
        ":\n",
        "\u{e9}",
        "\\",
        "|\n",
        "-\n",
        "- -\n",
        "?\n",
        "---\n",
        "--- |\n",
        "...\n",
        "%a\n",
        "%a\n---\n",
        "]",
        "}",
        "\r",
        "\u{85}",
        "\n",
        "a\n",
        "- |\n\n",
        "- a: &a\n",
        "- \u{e9}:\n",
        "a:\n- ",
        "{}: ",
        "- {a: *a}\n",
        "--- # ",
        "\0",
    ];
    for unit in repeated {
        let long = move |head: &'static str, tail: &'static str| {
            source(move || format!("{head}{}{tail}", unit.repeat(MB / unit.len())))
        };
        bombs.push((format!("{unit:?}"), long("", "")));
        bombs.push((format!("[ {unit:?}"), long("spec: [", "]\n")));
        bombs.push((format!("{{ {unit:?}"), long("spec: {", "}\n")));
        bombs.push((format!("- a\\n\\t{unit:?}"), long("- a\n\t", "")));
    }
    for (name, unit) in [
        ("a,", "a,"),
        ("\u{e9},", "\u{e9},"),
        ("a: b,", "a: b,"),
        ("a:,", "a: ,"),
        ("{},", "{},"),
        ("[[]],", "[[]],"),
        ("? a,", "? a,"),
        ("*a,", "*a,"),
        ("a b ", "a b "),
        ("'a',", "'a',"),
    ] {
        for (open, close) in [("[", "]"), ("{", "}")] {
            bombs.push((
                format!("{open}{name}{close}"),
                source(move || format!("kind: Pod\nx: &a 1\nspec: {open}{}{close}\n", unit.repeat(MB / unit.len()))),
            ));
        }
    }
    bombs.push(("indented".to_owned(), source(|| (0..1400).map(|n| format!("{}a:\n", " ".repeat(n))).collect())));
    bombs.push(("stairs".to_owned(), source(|| (0..1400).map(|n| format!("{}- \n", " ".repeat(n))).collect())));
    bombs.push(("laughs".to_owned(), source(laughs)));
    bombs.push(("itself".to_owned(), source(|| lines("kind: Pod\nspec: &a\n", |n| format!("  k{n}: *a\n")))));
    bombs.push(("merges itself".to_owned(), source(|| lines("kind: Pod\nspec: &a\n", |_| "  <<: *a\n".to_owned()))));
    bombs.push((
        "merged objects".to_owned(),
        source(|| lines(&format!("{}---\n{}", merged(250), merged(250)), |_| "? {<<: *m249}\n".to_owned())),
    ));
    bombs.push((
        "objects that merge".to_owned(),
        source(|| lines(&format!("{}items:\n", merged(250)), |_| "- {<<: *m249}\n".to_owned())),
    ));
    bombs.push((
        "lists of one list".to_owned(),
        source(|| {
            lines(&format!("kind: List\nbig: &b\n{}items:\n", "- a\n".repeat(MB / 8)), |_| "- {items: *b}\n".to_owned())
        }),
    ));
    bombs
}

/// Each list holds the one before it ten times.
fn laughs() -> String {
    let ten = |name: &str| [name; 10].join(", ");
    let mut text = format!("kind: List\na0: &a0 [{}]\n", ten("{kind: Pod}"));
    for n in 1..9_000 {
        text.push_str(&format!("a{n}: &a{n} [{}]\n", ten(&format!("*a{}", n - 1))));
    }
    text.push_str("items: *a8999\n");
    text
}
