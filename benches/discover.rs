//! Discovery: a walk of a repository, and the decision on a file's content against a full parse of it.
#![allow(
    missing_docs,
    dead_code,
    reason = "what criterion makes has no comment, and the generator serves other benches too"
)]
#![allow(clippy::expect_used, reason = "a bench that can not begin ends")]

#[path = "tree/mod.rs"]
mod tree;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hss_iac::discover::{self, Options, Selection};
use hss_iac::model::RepoPath;
use saphyr_parser::Parser;

/// Files of the repository that is walked.
const FILES: usize = 20_000;
/// Manifests that are classified, and as many other YAML files.
const MANIFESTS: usize = 500;

fn walk(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = directory.path().canonicalize().expect("its path without links");
    tree::write(&root, FILES).expect("a repository");
    let options = Options {
        root,
        selections: vec![Selection::Tree(RepoPath::default())],
        include: Vec::new(),
        exclude: Vec::new(),
        map: Vec::new(),
        no_ignore: false,
        tracked: false,
        mask_secrets: true,
    };
    let mut group = criterion.benchmark_group("walk");
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("20,000 files", |bencher| bencher.iter(|| discover::discover(&options).expect("files")));
    group.finish();
}

fn classify(criterion: &mut Criterion) {
    let texts: Vec<String> = (0..MANIFESTS).flat_map(|i| [tree::manifest(i), tree::settings(i)]).collect();
    let path = RepoPath::from("deploy.yaml");
    let mut group = criterion.benchmark_group("classify");
    group.throughput(Throughput::Bytes(texts.iter().map(|text| text.len() as u64).sum()));
    group.bench_function("by lines", |bencher| {
        bencher.iter(|| texts.iter().filter(|text| discover::type_of(black_box(&path), text.as_bytes()).is_some()).count());
    });
    group.bench_function("a full parse", |bencher| {
        bencher.iter(|| texts.iter().flat_map(|text| Parser::new_from_str(black_box(text))).flatten().count());
    });
    group.finish();
}

criterion_group!(benches, walk, classify);
criterion_main!(benches);
