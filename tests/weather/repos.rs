//! The repositories that the weather goes over, and what a run in fine weather finds in them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::common::{BAD_DOCKERFILE, Repo, clean_dockerfile, clean_manifest, project, quick, run, scan, start};

/// Two rules hit at both containers: risks whose places are asked for.
const BAD_MANIFEST: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  hostPID: true\n  containers:\n  \
                            - name: a\n    image: registry.example/a:1.2.3\n  - name: b\n    image: registry.example/b:1.2.3\n    \
                            securityContext:\n      privileged: true\n";
/// Nothing that reaches the gate.
const POOR_DOCKERFILE: &str = "FROM debian:12\nUSER 10001\n";

/// At how many places, by rule and level.
pub(crate) type Found = BTreeMap<(String, String), u64>;

/// A repository.
pub(crate) struct Known {
    pub(crate) repo: Repo,
    /// What is found in each file in fine weather.
    pub(crate) paths: BTreeMap<String, Found>,
    /// The result of that.
    pub(crate) result: Value,
}

/// All of them.
pub(crate) struct Repos {
    pub(crate) all: Vec<Known>,
    /// What a result must be like.
    pub(crate) schema: jsonschema::Validator,
}

/// How many there are.
pub(crate) const COUNT: usize = 7;
/// The one whose risks have places, the small one.
pub(crate) const WITH_PLACES: usize = 1;

impl Repos {
    /// Writes them and looks at them in fine weather, through the binary.
    pub(crate) fn new() -> Self {
        let many =
            |repo: Repo, n: usize| (0..n).fold(repo, |repo, i| repo.file(&format!("d{i}/Dockerfile"), &clean_dockerfile(i)));
        let repos: [Repo; COUNT] = [
            Repo::new().file("Dockerfile", BAD_DOCKERFILE),
            Repo::new()
                .file("Dockerfile", POOR_DOCKERFILE)
                .file("web.yaml", BAD_MANIFEST)
                .file("c.yaml", &clean_manifest(1)),
            Repo::new().many(2),
            many(Repo::new(), 12).file("bad/Dockerfile", BAD_DOCKERFILE).file("c.yaml", &clean_manifest(1)),
            // Twins, of both types.
            Repo::new()
                .many(1)
                .file("a/Dockerfile", BAD_DOCKERFILE)
                .file("b/Dockerfile", BAD_DOCKERFILE)
                .file("a/pod.yaml", BAD_MANIFEST)
                .file("b/pod.yaml", BAD_MANIFEST),
            Repo::new().many(11).file("poor/Dockerfile", POOR_DOCKERFILE),
            // Two tasks of a type.
            many(Repo::new(), 101).file("poor/Dockerfile", POOR_DOCKERFILE),
        ];
        // Whether anything in it reaches the gate.
        let gates = [true, true, false, true, true, false, false];
        let all = repos.into_iter().zip(gates).map(|(repo, gate)| {
            let result = scan(repo.path(), &start(quick()), &[]).json();
            assert_eq!(result["verdict"]["exit_code"], u8::from(gate), "fine weather: {result}");
            let mut paths: BTreeMap<String, Found> = BTreeMap::new();
            assert_eq!(result["files"].as_array().map(Vec::len), Some(files_in(repo.path())), "all files are found");
            for file in result["files"].as_array().expect("files") {
                assert_eq!(file["state"], "scanned", "fine weather: {result}");
                paths.insert(file["path"].as_str().expect("a path").to_owned(), Found::new());
            }
            for finding in result["findings"].as_array().expect("findings") {
                add(paths.get_mut(finding["path"].as_str().expect("a path")).expect("a file"), finding);
            }
            Known { repo, paths, result }
        });
        let schema = run(&project(), &["schema", "result"]).json();
        Self { all: all.collect(), schema: jsonschema::validator_for(&schema).expect("a schema") }
    }
}

/// How many files there are, all of which are to be found.
fn files_in(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

/// Counts a finding in.
pub(crate) fn add(found: &mut Found, finding: &Value) {
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    *found.entry((text("rule_id"), text("level"))).or_default() += finding["places"].as_u64().unwrap_or(1);
}
