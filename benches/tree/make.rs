//! `make-tree DIRECTORY FILES`: writes the repository that the comparisons run on into a new directory.
#![allow(dead_code, reason = "the benches use other parts of the generator")]

#[path = "mod.rs"]
mod tree;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(directory), Some(files), None) = (args.next().map(PathBuf::from), args.next(), args.next()) else {
        return Err("usage: make-tree DIRECTORY FILES".into());
    };
    let files = files.to_string_lossy().parse().map_err(|error| format!("{}: {error}", files.display()))?;
    std::fs::create_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    tree::write(&directory, files)?;
    Ok(())
}
