//! A repository of any size, the same bytes each time: 20 files a directory, 2 in 100 of them YAML and half of those manifests, and
//! one Dockerfile among 1,000. The other files are empty, since nothing that is measured here opens them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files in each directory; the last one may have fewer.
pub(crate) const FILES_A_DIRECTORY: usize = 20;
/// Directories in each directory.
const FAN_OUT: usize = 8;
const WORDS: [&str; 12] =
    ["api", "billing", "cart", "catalog", "common", "deploy", "gateway", "mail", "orders", "search", "tests", "web"];
const EXTENSIONS: [&str; 8] = ["rs", "go", "ts", "java", "py", "md", "json", "proto"];

/// Writes `files` files below `root`, which must be there and empty.
pub(crate) fn write(root: &Path, files: usize) -> io::Result<()> {
    let mut directories: Vec<PathBuf> = Vec::new();
    for number in 0..files.div_ceil(FILES_A_DIRECTORY) {
        let directory = match number.checked_sub(1) {
            None => root.to_path_buf(),
            Some(before) => directories[before / FAN_OUT].join(format!("{}-{number}", WORDS[number % WORDS.len()])),
        };
        if number > 0 {
            fs::create_dir(&directory)?;
        }
        let first = number * FILES_A_DIRECTORY;
        for file in first..files.min(first + FILES_A_DIRECTORY) {
            let (name, text) = content(file);
            fs::write(directory.join(name), text)?;
        }
        directories.push(directory);
    }
    Ok(())
}

/// The name and text of a file.
pub(crate) fn content(file: usize) -> (String, String) {
    match file % 1_000 {
        7 => ("Dockerfile".to_owned(), dockerfile(file)),
        n if n % 100 == 11 => (format!("deploy-{file}.yaml"), manifest(file)),
        n if n % 100 == 61 => (format!("settings-{file}.yml"), settings(file)),
        n => (format!("{}_{file}.{}", WORDS[n % WORDS.len()], EXTENSIONS[n % EXTENSIONS.len()]), String::new()),
    }
}

/// A Dockerfile of two stages.
pub(crate) fn dockerfile(file: usize) -> String {
    format!(
        "FROM golang:1.24 AS build\nWORKDIR /src\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build -o /out/app{file} ./cmd\n\n\
         FROM alpine:3.21\nRUN apk add --no-cache ca-certificates\nCOPY --from=build /out/app{file} /usr/local/bin/app\nEXPOSE 8080\nCMD [\"app\"]\n"
    )
}

/// A Deployment and its Service, about 1 KB.
pub(crate) fn manifest(file: usize) -> String {
    let word = WORDS[file % WORDS.len()];
    format!(
        "# Rolled out by the pipeline.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {word}-{file}\n  namespace: shop\n  labels:\n    \
         app.kubernetes.io/name: {word}\n    app.kubernetes.io/part-of: shop\nspec:\n  replicas: 2\n  selector:\n    matchLabels:\n      \
         app.kubernetes.io/name: {word}\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: {word}\n    spec:\n      \
         containers:\n        - name: {word}\n          image: registry.example/shop/{word}:1.{file}.0\n          args: [\"--listen\", \":8080\"]\n          \
         ports:\n            - name: http\n              containerPort: 8080\n          env:\n            - name: LOG_LEVEL\n              value: info\n          \
         resources:\n            requests: {{cpu: 50m, memory: 64Mi}}\n            limits: {{memory: 128Mi}}\n---\napiVersion: v1\nkind: Service\n\
         metadata:\n  name: {word}-{file}\n  namespace: shop\nspec:\n  selector:\n    app.kubernetes.io/name: {word}\n  ports:\n    - port: 80\n      \
         targetPort: http\n"
    )
}

/// YAML that is none of Kubernetes, about 500 bytes.
pub(crate) fn settings(file: usize) -> String {
    format!(
        "# Read by the service at its start.\nserver:\n  port: 8080\n  shutdown: graceful\nservice:\n  name: service-{file}\n  timeout: 30s\n  \
         retries: 3\ndatabase:\n  url: postgres://db.example/shop{file}\n  pool:\n    size: 10\n    idle: 2\nfeatures:\n  - checkout\n  - wishlist\n  \
         - \"search: fuzzy\"\nlogging:\n  level: info\n  format: |\n    %d %p %c\n    %m%n\n"
    )
}
