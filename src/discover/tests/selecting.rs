//! What the user pointed at, and the order of what decides.

use super::*;

#[test]
fn the_order_of_what_decides() {
    let tree = Tree::new(&["a.yaml", "b.yaml", "build/c.yaml", "build/d.yaml", "out/e.yaml"]).work_tree();
    tree.write(".gitignore", "build/\nb.yaml\n");
    tree.write("plain.txt", "RUN true\n");
    for (flags, expected) in [
        (vec![], vec!["a.yaml k8s_yaml", "out/e.yaml k8s_yaml", "b.yaml - ignored", "1 not searched"]),
        (vec!["exclude=out"], vec!["a.yaml k8s_yaml", "b.yaml - ignored", "2 not searched"]),
        (vec!["exclude=*.yaml"], vec!["out/e.yaml k8s_yaml", "a.yaml - excluded", "b.yaml - excluded", "1 not searched"]),
        (
            vec!["include=build/c.yaml"],
            vec![
                "build/c.yaml k8s_yaml",
                "a.yaml - not_included",
                "b.yaml - not_included",
                "build/d.yaml - not_included",
                "out/e.yaml - not_included",
            ],
        ),
        (
            vec!["include=b*", "exclude=build"],
            vec!["b.yaml k8s_yaml", "a.yaml - not_included", "out/e.yaml - not_included", "1 not searched"],
        ),
        (
            vec!["include=build/", "exclude=**/d.yaml"],
            vec![
                "build/c.yaml k8s_yaml",
                "a.yaml - not_included",
                "b.yaml - not_included",
                "build/d.yaml - excluded",
                "out/e.yaml - not_included",
            ],
        ),
        (
            vec!["dockerfile=plain.txt", "dockerfile=b.yaml", "exclude=out"],
            vec!["a.yaml k8s_yaml", "b.yaml dockerfile", "plain.txt dockerfile", "2 not searched"],
        ),
        (
            vec!["dockerfile=plain.txt", "include=a.yaml"],
            vec![
                "a.yaml k8s_yaml",
                "b.yaml - not_included",
                "out/e.yaml - not_included",
                "plain.txt - not_included",
                "1 not searched",
            ],
        ),
        (vec!["build/d.yaml", "exclude=build"], vec!["build/d.yaml k8s_yaml"]),
        (vec!["build"], vec!["build/c.yaml k8s_yaml", "build/d.yaml k8s_yaml"]),
        (vec!["out", "build/d.yaml"], vec!["build/d.yaml k8s_yaml", "out/e.yaml k8s_yaml"]),
        (vec!["**/e.yaml"], vec!["out/e.yaml k8s_yaml", "1 not searched"]),
        (vec!["ou?"], vec!["out/e.yaml k8s_yaml", "1 not searched"]),
        (vec!["*.nothing"], vec!["1 not searched", "the path *.nothing matches no Dockerfile and no manifest"]),
    ] {
        assert_eq!(tree.list(&flags), expected, "{flags:?}");
    }
}

#[test]
fn a_named_file_is_taken_or_refused_with_the_reason() {
    let tree = Tree::new(&["a.yaml"]);
    tree.write("build/Docker.base", DOCKERFILE);
    tree.write("x.yml.tmpl", POD);
    tree.write("plain.txt", "text\n");
    tree.write("t.yaml", TEMPLATE);
    tree.link("a.yaml", "l.yaml");
    tree.link("/etc/passwd", "o.yaml");
    for (flags, expected) in [
        (vec!["build/Docker.base"], vec!["build/Docker.base dockerfile"]),
        (vec!["x.yml.tmpl"], vec!["x.yml.tmpl k8s_yaml"]),
        (vec!["plain.txt", "dockerfile=*.txt"], vec!["plain.txt dockerfile"]),
        (vec!["plain.txt", "dockerfile=*.txt", "exclude=*"], vec!["plain.txt dockerfile"]),
        (vec!["plain.txt", "dockerfile=*.txt", "include=*.yaml"], vec!["plain.txt dockerfile"]),
        (
            vec![".", "a.yaml"],
            vec!["a.yaml k8s_yaml", "o.yaml k8s_yaml (a link out of the tree)", "l.yaml - link", "t.yaml - k8s_template"],
        ),
        (vec!["o.yaml"], vec!["o.yaml k8s_yaml (a link out of the tree)"]),
    ] {
        assert_eq!(tree.list(&flags), expected, "{flags:?}");
    }
    for (flag, expected) in [
        (
            "plain.txt",
            "plain.txt can't be taken: its name is not one of a Dockerfile or a YAML file; to have it scanned nevertheless, say what it is with --map 'plain.txt=dockerfile' or --map 'plain.txt=k8s_yaml'",
        ),
        (
            "t.yaml",
            "t.yaml can't be taken: `{{` stands where YAML has no text; to have it scanned nevertheless, say what it is with --map 't.yaml=dockerfile' or --map 't.yaml=k8s_yaml'",
        ),
        ("l.yaml", "l.yaml can't be taken: it is a link, and links are not followed; name the file itself"),
    ] {
        assert_eq!(discover(&tree.options(&[flag])).unwrap_err().to_string(), expected);
    }
}

#[test]
fn paths_lead_to_one_root() {
    let tree = Tree::new(&["one/.git/", "one/sub/a.yaml", "two/.git/", "bare/b.yaml"]);
    tree.write("worktree/.git", "gitdir: ../one/.git\n");
    tree.write("one/{x}.yaml", POD);
    tree.link("one", "way");
    tree.link("sub", "one/l");
    let of = |cwd: &str, paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(OsString::from).collect();
        match resolve(&tree.root().join(cwd), &paths) {
            Ok((root, selections)) => format!("{} {selections:?}", root.strip_prefix(tree.root()).unwrap().display()),
            Err(error) => error.to_string().replace(tree.root().to_str().unwrap(), ""),
        }
    };
    assert_eq!(of("one/sub", &[]), r#"one [Tree("sub")]"#);
    assert_eq!(of("one/sub", &["..", "a.yaml"]), r#"one [Tree(""), File("sub/a.yaml")]"#);
    assert_eq!(
        of("", &["way/sub/a.yaml"]),
        "way/sub/a.yaml: way is a link, and no link of the tree is followed; name the file or directory itself"
    );
    assert_eq!(of("two", &[tree.root().join("way/sub/a.yaml").to_str().unwrap()]), r#"one [File("sub/a.yaml")]"#);
    assert_eq!(
        of("two", &["../way/sub/*"]),
        format!("one {:?}", [Selection::Pattern(glob::Pattern::new("sub/*").unwrap())])
    );
    assert_eq!(of("worktree", &["."]), r#"worktree [Tree("")]"#);
    assert_eq!(of("bare", &["b.yaml"]), r#"bare [File("b.yaml")]"#);
    assert_eq!(of("one", &["{x}.yaml"]), r#"one [File("{x}.yaml")]"#);
    assert_eq!(
        of("one/sub", &["./*.yaml/"]),
        format!("one {:?}", [Selection::Pattern(glob::Pattern::new("sub/*.yaml").unwrap())])
    );
    assert_eq!(of("one/sub", &["../*"]), format!("one {:?}", [Selection::Pattern(glob::Pattern::new("*").unwrap())]));
    assert_eq!(of("", &["one", "two"]), "one and two stand in two repositories (/one and /two); scan them one by one");
    assert_eq!(of("one", &["nothing"]), "nothing: no such file or directory");
    assert_eq!(of("one", &["l"]), "l: a link to a directory is not followed; name the directory itself");
    assert_eq!(
        of("one", &["{a,b}.yaml"]),
        "{a,b}.yaml: {a,b} is not understood in a pattern; give one pattern for each, repeating the flag"
    );
    assert_eq!(of("one", &["a[.yaml"]), "a[.yaml: invalid range pattern");
}

#[test]
fn patterns_are_typed_in_a_directory_of_any_name() {
    let tree = Tree::new(&["we[ird/a.yaml", "[ab]/a.yaml", "a/a.yaml", "{a,b}/sub/a.yaml", "x*/a.yaml", "xy/a.yaml"]);
    tree.write(OsStr::from_bytes(b"\xFF/a.yaml"), POD);
    let tree = tree.work_tree();
    for (cwd, typed, expected) in [
        (&b"we[ird"[..], "*.yaml", "we[ird/a.yaml"),
        (b"we[ird", "../we[[]ird/*", "we[ird/a.yaml"),
        (b"[ab]", "*.yaml", "[ab]/a.yaml"),
        (b"[ab]", "../[[]ab]/*.yaml", "[ab]/a.yaml"),
        (b"{a,b}", "sub/*.yaml", "{a,b}/sub/a.yaml"),
        (b"x*", "*.yaml", "x*/a.yaml"),
        (b"\xFF", "*.yaml", "\\xFF/a.yaml"),
    ] {
        let (root, selections) = resolve(&tree.root().join(OsStr::from_bytes(cwd)), &[typed.into()]).unwrap();
        let found = discover(&Options { root, selections, ..tree.options(&["."]) }).unwrap();
        let paths: Vec<_> = found.files.iter().map(|file| file.path.to_string()).collect();
        assert_eq!(paths, [expected], "{} {typed}", cwd.escape_ascii());
    }
}
