//! Repositories that mean harm, each as a function that writes one. `benches/hostile.rs` measures them all.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};

/// A megabyte as HSS takes it: a file of at most so many bytes is sent.
pub(crate) const MB: usize = 1_000_000;

/// What stands outside of the tree and must never be seen anywhere.
pub(crate) const OUTSIDE: &str = "ENV OUTSIDE_OF_THE_TREE=4f1c77aa90";

/// A manifest that no rule of the stand-in objects to.
const CLEAN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: shop\ndata:\n  key: value\n";

/// A place for a tree, and another one beside it.
pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        fs::create_dir_all(place.tree().join(".git")).expect("a tree");
        fs::create_dir_all(place.outside().join("deep")).expect("a directory beside it");
        for path in ["Dockerfile", "deep/Dockerfile"] {
            fs::write(place.outside().join(path), format!("FROM a\n{OUTSIDE}\n")).expect("a file");
        }
        let manifest = format!("kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\n# {OUTSIDE}\n");
        fs::write(place.outside().join("pod.yaml"), manifest).expect("a file");
        place
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.dir.path().join("outside")
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.tree().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    }

    /// A file of so many bytes that takes no room.
    fn sparse(&self, path: &str, length: u64) {
        fs::File::create(self.tree().join(path)).and_then(|file| file.set_len(length)).expect("a sparse file");
    }

    fn link(&self, target: impl AsRef<Path>, path: &str) {
        let path = self.tree().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        symlink(target, path).expect("a link");
    }
}

/// A tree by its name.
pub(crate) type Case = (&'static str, fn(&Place));

/// Every tree of this file.
pub(crate) const ALL: [Case; 44] = [
    ("links to files outside", links_to_files_outside),
    ("links to directories outside", links_to_directories_outside),
    ("link loops", link_loops),
    ("link chains", link_chains),
    ("links through proc", links_through_proc),
    ("links to files of other names", links_to_files_of_other_names),
    ("links to one large file", links_to_one_large_file),
    ("fifos", fifos),
    ("configuration that is a FIFO", configuration_that_is_a_fifo),
    ("sockets", sockets),
    ("devices", devices),
    ("names with control characters", names_with_control_characters),
    ("names with bidi marks", names_with_bidi_marks),
    ("names like a way up", names_like_a_way_up),
    ("names like options", names_like_options),
    ("names that are not UTF-8", names_that_are_not_utf_8),
    ("names that differ in case", names_that_differ_in_case),
    ("paths of 4,096 bytes", paths_of_4096_bytes),
    ("gitignore of many rules", gitignore_of_many_rules),
    ("gitignore of one long rule", gitignore_of_one_long_rule),
    ("gitignore of many stars", gitignore_of_many_stars),
    ("gitignore without end", gitignore_without_end),
    ("gitignore in each directory", gitignore_in_each_directory),
    ("configuration without end", configuration_without_end),
    ("configuration of nested lists", configuration_of_nested_lists),
    ("configuration of many patterns", configuration_of_many_patterns),
    ("configuration of many stars", configuration_of_many_stars),
    ("configuration of many suppressions", configuration_of_many_suppressions),
    ("YAML laughs", yaml_laughs),
    ("YAML flow mapping", yaml_flow_mapping),
    ("YAML flow sequence", yaml_flow_sequence),
    ("YAML nested brackets", yaml_nested_brackets),
    ("YAML nested dashes", yaml_nested_dashes),
    ("YAML on one line", yaml_on_one_line),
    ("YAML aliases to themselves", yaml_aliases_to_themselves),
    ("YAML merges", yaml_merges),
    ("YAML anchors", yaml_anchors),
    ("YAML documents", yaml_documents),
    ("YAML secrets", yaml_secrets),
    ("Dockerfile of continuations", dockerfile_of_continuations),
    ("Dockerfile that goes on over comments", dockerfile_that_goes_on_over_comments),
    ("Dockerfile on one line", dockerfile_on_one_line),
    ("Dockerfile of heredocs", dockerfile_of_heredocs),
    ("files without end", files_without_end),
];

pub(crate) fn links_to_files_outside(place: &Place) {
    place.link(place.outside().join("Dockerfile"), "Dockerfile");
    place.link("../../outside/Dockerfile", "up/Dockerfile");
    place.link("/etc/passwd", "passwd.yaml");
    place.link("../outside/pod.yaml", "pod.yaml");
    place.link("../outside/nothing.yaml", "nothing.yaml");
    place.link("../tree/real.yaml", "round.yaml");
    place.write("real.yaml", CLEAN);
}

pub(crate) fn links_to_directories_outside(place: &Place) {
    place.link(place.outside(), "absolute");
    place.link("../outside/deep", "relative");
    place.link("/", "root");
    place.link("../outside", "a.yaml");
    place.write("real.yaml", CLEAN);
}

pub(crate) fn link_loops(place: &Place) {
    place.link("self.yaml", "self.yaml");
    place.link("two.yaml", "one.yaml");
    place.link("one.yaml", "two.yaml");
    place.link(".", "a/here");
    place.link("..", "a/b/up");
    place.link("../a", "a/again.yaml");
    place.write("a/b/real.yaml", CLEAN);
}

pub(crate) fn link_chains(place: &Place) {
    place.link("../../outside/pod.yaml", "out/0.yaml");
    place.write("real.yaml", CLEAN);
    place.link("../real.yaml", "in/0.yaml");
    for n in 1..60 {
        place.link(format!("{}.yaml", n - 1), &format!("out/{n}.yaml"));
        place.link(format!("{}.yaml", n - 1), &format!("in/{n}.yaml"));
    }
}

pub(crate) fn links_to_files_of_other_names(place: &Place) {
    place.write("image.bin", "FROM debian:latest\nUSER root\n");
    place.write("data/a.dat", CLEAN);
    place.write("note.txt", "a: b\n");
    place.write("real.yaml", CLEAN);
    place.write(".git/pod", CLEAN);
    rustix::fs::mknodat(CWD, place.tree().join("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a FIFO");
    for (target, link) in [
        ("image.bin", "Dockerfile"),
        ("pipe", "Containerfile"),
        ("data/a.dat", "pod.yaml"),
        ("pod.yaml", "chain.yaml"),
        ("note.txt", "note.yaml"),
        ("real.yaml", "same.yaml"),
        (".git/pod", "store.yaml"),
    ] {
        place.link(target, link);
    }
}

pub(crate) fn links_to_one_large_file(place: &Place) {
    let large = "- [a, b, {c: d}]\n".repeat(600_000);
    place.write("large.yaml", &large);
    place.write("large.dat", &large);
    place.write("real.yaml", CLEAN);
    for at in 0..200 {
        place.link("large.yaml", &format!("l{at}.yaml"));
        place.link("large.dat", &format!("d{at}.yaml"));
    }
}

pub(crate) fn links_through_proc(place: &Place) {
    let outside = place.outside();
    place.link(format!("/proc/self/root{}/Dockerfile", outside.display()), "root/Dockerfile");
    place.link("/proc/self/cwd/real.yaml", "cwd.yaml");
    place.link("/proc/self/environ", "environ.yaml");
    place.link("/proc/self/fd/0", "stdin.yaml");
    place.link("/dev/stdin", "Dockerfile");
    place.link("/proc/self/cwd", "directory");
    place.write("real.yaml", CLEAN);
}

fn node(place: &Place, path: &str, file_type: FileType, device: u64) -> bool {
    let path = place.tree().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    rustix::fs::mknodat(CWD, path, file_type, Mode::RWXU, device).is_ok()
}

pub(crate) fn fifos(place: &Place) {
    for path in ["Dockerfile", "pod.yaml", ".gitignore", "sub/.gitignore", "other"] {
        assert!(node(place, path, FileType::Fifo, 0), "a FIFO");
    }
    place.write("real.yaml", CLEAN);
}

pub(crate) fn configuration_that_is_a_fifo(place: &Place) {
    assert!(node(place, "hss-iac.toml", FileType::Fifo, 0), "a FIFO");
    place.write("real.yaml", CLEAN);
}

pub(crate) fn sockets(place: &Place) {
    for name in ["Dockerfile", "pod.yaml", ".gitignore"] {
        drop(std::os::unix::net::UnixListener::bind(place.tree().join(name)).expect("a socket"));
    }
    place.write("real.yaml", CLEAN);
}

/// Whether devices can be made here: only root can, and not in every container.
pub(crate) fn can_make_devices() -> bool {
    let place = Place::new();
    node(&place, "zero", FileType::CharacterDevice, rustix::fs::makedev(1, 5))
}

pub(crate) fn devices(place: &Place) {
    // A disk, /dev/zero and /dev/mem; without the right to make them there are none.
    node(place, "Dockerfile", FileType::CharacterDevice, rustix::fs::makedev(1, 5));
    node(place, "pod.yaml", FileType::CharacterDevice, rustix::fs::makedev(1, 1));
    node(place, "disk.yaml", FileType::BlockDevice, rustix::fs::makedev(1, 0));
    node(place, ".gitignore", FileType::CharacterDevice, rustix::fs::makedev(1, 5));
    place.write("real.yaml", CLEAN);
}

pub(crate) fn names_with_control_characters(place: &Place) {
    for name in ["a\nb.yaml", "\u{1b}[2J\u{1b}[31m.yaml", "\r\n::error::x.yaml", "\u{7}\u{8}\u{7f}.yaml", "\u{9b}2J.yaml"] {
        place.write(name, CLEAN);
    }
    place.write("\n##[group]/Dockerfile", "FROM debian:latest\nUSER root\n");
}

pub(crate) fn names_with_bidi_marks(place: &Place) {
    for name in ["\u{202e}lmay.yaml", "a\u{2066}b\u{2069}.yaml", "\u{200f}c.yaml", "zero\u{200b}width.yaml"] {
        place.write(name, CLEAN);
    }
}

pub(crate) fn names_like_a_way_up(place: &Place) {
    for name in [".../a.yaml", "..a/b.yaml", "a../..yaml", "...yaml", "....yaml", "\\..\\..\\c.yaml", "%2e%2e%2fd.yaml"] {
        place.write(name, CLEAN);
    }
}

pub(crate) fn names_like_options(place: &Place) {
    for name in ["--output=json=x.yaml", "-v.yaml", "--/Dockerfile.yaml", "-/a.yaml", "@b.yaml", "--emulator/c.yaml"] {
        place.write(name, CLEAN);
    }
    place.write("--config=x/Dockerfile", "FROM debian:latest\nUSER root\n");
}

pub(crate) fn names_that_are_not_utf_8(place: &Place) {
    for name in [&b"\xff.yaml"[..], b"\xc3\x28.yaml", b"\xed\xa0\x80.yaml", b"\xf0\x9f/Dockerfile"] {
        place.write(std::ffi::OsStr::from_bytes(name), if name.ends_with(b"yaml") { CLEAN } else { "FROM a:1\n" });
    }
}

pub(crate) fn names_that_differ_in_case(place: &Place) {
    for name in ["Dockerfile", "dockerfile", "DOCKERFILE", "a/Dockerfile", "A/Dockerfile"] {
        place.write(name, format!("FROM registry.example/a:1\nLABEL name=\"{name}\"\nUSER 10001\n"));
    }
    place.write("pod.yaml", CLEAN);
    place.write("Pod.YAML", CLEAN);
}

/// A way down that no path can name, with a file at its end and at each place where the path grows too long for the system.
pub(crate) fn paths_of_4096_bytes(place: &Place) {
    let mode = Mode::RWXU;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let mut at = rustix::fs::open(place.tree(), flags, mode).expect("the tree");
    let name = "d".repeat(250);
    for _ in 0..20 {
        let file = rustix::fs::openat(&at, "pod.yaml", OFlags::CREATE | OFlags::WRONLY, mode).expect("a file");
        rustix::io::write(&file, CLEAN.as_bytes()).expect("it is written");
        rustix::fs::mkdirat(&at, &name, mode).expect("a directory");
        at = rustix::fs::openat(&at, &name, flags, mode).expect("a directory");
    }
}

/// What the standard library can't remove, since no path leads there.
pub(crate) fn remove_long_paths(place: &Place) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let mut stack = vec![rustix::fs::open(place.tree(), flags, Mode::empty()).expect("the tree")];
    let name = "d".repeat(250);
    while let Some(Ok(next)) = stack.last().map(|at| rustix::fs::openat(at, &name, flags, Mode::empty())) {
        stack.push(next);
    }
    while let Some(at) = stack.pop() {
        let _ = rustix::fs::unlinkat(&at, &name, AtFlags::REMOVEDIR);
        let _ = rustix::fs::unlinkat(&at, "pod.yaml", AtFlags::empty());
    }
}

/// `head`, and as many of `line` as fit into a megabyte.
fn lines(head: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for number in 0.. {
        let line = line(number);
        // Room for what closes it.
        if text.len() + line.len() > MB - 8 {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// Many directories with a file of ours in each.
fn spread(place: &Place, directories: usize) {
    for n in 0..directories {
        place.write(format!("dir-{n}-aaaaaaaaaaaaaaaaaaaaaaaa/pod.yaml"), CLEAN);
    }
}

pub(crate) fn gitignore_of_many_rules(place: &Place) {
    place.write(".gitignore", lines("", |n| format!("*a{n}*b?[c-d]*.x\n")));
    spread(place, 50);
}

pub(crate) fn gitignore_of_one_long_rule(place: &Place) {
    place.write(".gitignore", format!("{}\n{}\n[{}", "*a".repeat(MB / 4), "{a,".repeat(MB / 12), "a-z".repeat(MB / 6)));
    spread(place, 50);
}

pub(crate) fn gitignore_of_many_stars(place: &Place) {
    place.write(".gitignore", lines("", |n| format!("{}{n}\n", "**/*a*".repeat(20))));
    spread(place, 50);
}

pub(crate) fn gitignore_without_end(place: &Place) {
    place.sparse(".gitignore", 4 << 30);
    spread(place, 2);
}

pub(crate) fn gitignore_in_each_directory(place: &Place) {
    let rules = (0..400).map(|n| format!("**/x{n}*y\n")).collect::<Vec<_>>().concat();
    let mut path = PathBuf::new();
    for n in 0..200 {
        path.push(format!("d{n}"));
        place.write(path.join(".gitignore"), &rules);
    }
    place.write(path.join("pod.yaml"), CLEAN);
}

pub(crate) fn configuration_without_end(place: &Place) {
    place.sparse("hss-iac.toml", 4 << 30);
    spread(place, 2);
}

pub(crate) fn configuration_of_nested_lists(place: &Place) {
    place.write("hss-iac.toml", format!("exclude = {}", "[".repeat(MB - 20)));
    spread(place, 2);
}

pub(crate) fn configuration_of_many_patterns(place: &Place) {
    place.write("hss-iac.toml", lines("exclude = [\n", |n| format!("\"**/*a*a*b{n}\",\n")) + "]");
    spread(place, 50);
}

pub(crate) fn configuration_of_many_stars(place: &Place) {
    place.write("hss-iac.toml", format!("exclude = [\"{}/c\", \"{}\"]\n", "*a".repeat(60), "**/".repeat(60) + "z"));
    place.write(format!("{}/b/pod.yaml", "a".repeat(250)), CLEAN);
    place.write(format!("{}pod.yaml", "b/".repeat(120)), CLEAN);
}

pub(crate) fn configuration_of_many_suppressions(place: &Place) {
    let entry = |n: usize| format!("[[suppress]]\nrule = \"R{n}\"\npath = \"**/*a*{n}\"\nreason = \"r\"\n");
    place.write("hss-iac.toml", lines("", entry));
    place.write("Dockerfile", "FROM debian:latest\nUSER root\n");
    spread(place, 50);
}

/// An object before, so that the file is ours.
fn manifest(text: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: shop}}\n{text}")
}

/// Each list holds the one before it ten times.
pub(crate) fn yaml_laughs(place: &Place) {
    let mut text = manifest("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..5_000 {
        let ten = vec![format!("*a{}", n - 1); 10].join(", ");
        let _ = writeln!(text, "a{n}: &a{n} [{ten}]");
    }
    text.push_str("spec: {containers: *a4999}\n");
    place.write("pod.yaml", text);
}

pub(crate) fn yaml_flow_mapping(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec: {"), |_| "a,".to_owned()) + "}\n");
}

pub(crate) fn yaml_flow_sequence(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec: ["), |_| "a,".to_owned()) + "]\n");
}

pub(crate) fn yaml_nested_brackets(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec: "), |_| "[".to_owned()));
    place.write("closed.yaml", manifest("spec: ") + &"[".repeat(MB / 3) + &"]".repeat(MB / 3));
    place.write("mappings.yaml", lines(&manifest("spec: "), |_| "{a: ".to_owned()));
}

pub(crate) fn yaml_nested_dashes(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec:\n"), |_| "- ".to_owned()));
    place.write("keys.yaml", lines(&manifest("spec:\n"), |_| "? ".to_owned()));
}

pub(crate) fn yaml_on_one_line(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec: \""), |_| "a ".to_owned()) + "\"\n");
    place.write("comment.yaml", lines(&manifest("# "), |_| "a: ".to_owned()));
    place.write(
        "json.yaml",
        lines("{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {}", |n| format!(", \"a{n}\": {n}")) + "}",
    );
}

pub(crate) fn yaml_aliases_to_themselves(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec: &a\n"), |n| format!("  k{n}: *a\n")));
    place.write("list.yaml", manifest("spec: &a [*a, &b {c: *b}, *a]\n"));
    place.write("merged.yaml", lines(&manifest("spec: &a\n"), |_| "  <<: *a\n".to_owned()));
}

pub(crate) fn yaml_merges(place: &Place) {
    let mut text = String::new();
    for n in 0..250 {
        let all = (0..n).map(|n| format!("*m{n}")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "m{n}: &m{n} {{k{n}: 1, <<: [{all}]}}");
    }
    place.write("pod.yaml", lines(&manifest(&format!("{text}spec:\n")), |_| "- {<<: *m249}\n".to_owned()));
}

pub(crate) fn yaml_anchors(place: &Place) {
    place.write("pod.yaml", lines(&manifest("spec:\n"), |n| format!("- &a{n} b\n")));
}

pub(crate) fn yaml_documents(place: &Place) {
    place.write("pod.yaml", lines("", |_| "---\nkind: Pod\napiVersion: v1\nmetadata: {}\n".to_owned()));
    place.write("empty.yaml", lines(&manifest(""), |_| "---\n".to_owned()));
}

pub(crate) fn yaml_secrets(place: &Place) {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\n";
    place.write("secret.yaml", lines(&format!("{secret}data:\n"), |n| format!("  k{n}: YQ==\n")));
    place.write("alias.yaml", lines(&format!("{secret}stringData: &a\n"), |n| format!("  k{n}: *a\n")));
    place.write("flow.yaml", lines(&format!("{secret}data: {{"), |_| "a,".to_owned()) + "}\n");
    place.write("nested.yaml", lines(&format!("{secret}data: "), |_| "[".to_owned()));
}

pub(crate) fn dockerfile_of_continuations(place: &Place) {
    place.write("Dockerfile", lines("FROM a:1\nRUN a ", |_| "\\\n".to_owned()));
    place.write("b/Dockerfile", lines("FROM a:1\nRUN true", |n| format!(" && \\\n  step-{n}")));
    place.write("c/Dockerfile", lines("# escape=`\nFROM a:1\nRUN a ", |_| "`\n`\r\n".to_owned()));
}

pub(crate) fn dockerfile_that_goes_on_over_comments(place: &Place) {
    place.write("Dockerfile", lines("FROM a:1\nRUN a \\\n", |_| "# b\n\n".to_owned()));
}

pub(crate) fn dockerfile_on_one_line(place: &Place) {
    place.write("Dockerfile", lines("FROM a:1\nRUN ", |n| format!("a-{n} && ")));
    place.write("b/Dockerfile", lines("FROM a:1\nENV ", |n| format!("PASSWORD{n}=b ")));
    place.write("c/Dockerfile", lines("FROM a:1\nCMD [", |_| "\"a\", ".to_owned()));
}

pub(crate) fn dockerfile_of_heredocs(place: &Place) {
    place.write("Dockerfile", lines("FROM a:1\nRUN a ", |n| format!("<<E{n} ")));
    place.write("b/Dockerfile", lines("FROM a:1\n", |n| format!("RUN <<E{n}\nE{n}\n")));
    place.write("c/Dockerfile", lines("FROM a:1\nRUN <<E\n", |_| "RUN <<E\n".to_owned()));
}

pub(crate) fn files_without_end(place: &Place) {
    for path in ["Dockerfile", "pod.yaml", "Dockerfile.a"] {
        place.sparse(path, 4 << 30);
    }
    place.write("real.yaml", CLEAN);
}
