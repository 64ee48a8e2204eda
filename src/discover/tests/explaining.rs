//! `list --explain`.

use super::*;

#[test]
fn explaining_goes_the_way_of_the_walk() {
    let tree = Tree::new(&["a.yaml", "build/c.yaml", "out/e.yaml", "ignored.yaml"]).work_tree();
    tree.write(".gitignore", "build/\nignored.yaml\n");
    tree.write("t.yaml", TEMPLATE);
    tree.write("README.md", "a\n");
    let cases: [(&str, &[&str], &[&str]); 9] = [
        (
            "a.yaml",
            &[],
            &["it is a Kubernetes manifest: it holds an object of a Kubernetes API", "decision: taken as k8s_yaml"],
        ),
        (
            "t.yaml",
            &[],
            &["it is not taken for one of ours: `{{` stands where YAML has no text", "decision: skipped: k8s_template"],
        ),
        (
            "README.md",
            &[],
            &["its name is not one of a Dockerfile or a YAML file, and no --map names it", "decision: not taken"],
        ),
        ("nothing", &[], &["nothing does not exist", "decision: not taken"]),
        ("out", &[], &["out is a directory: only files are taken", "decision: not taken"]),
        ("out/e.yaml", &["exclude=out"], &["--exclude out keeps the walk out of out", "decision: not taken"]),
        (
            "ignored.yaml",
            &[],
            &[
                "an ignore rule matches it: ignored.yaml",
                "git does not track it",
                "it is a Kubernetes manifest: it holds an object of a Kubernetes API",
                "the ignore rule keeps it out",
                "decision: skipped: ignored",
            ],
        ),
        (
            "build/c.yaml",
            &["include=build/*"],
            &[
                "an ignore rule matches it: a rule for a directory above it",
                "it is a Kubernetes manifest: it holds an object of a Kubernetes API",
                "decision: taken as k8s_yaml",
            ],
        ),
        (
            "README.md",
            &["dockerfile=README.md"],
            &[
                "--map README.md says that it is a Dockerfile",
                "it is a Dockerfile: --map says so",
                "decision: taken as dockerfile",
            ],
        ),
    ];
    for (path, flags, expected) in cases {
        assert_eq!(explain(&tree.options(flags), &path.into()), expected, "{path} {flags:?}");
    }
}
