//! `switch ROOT MUTANTS.json <KNOWN`: puts every mutant that `cargo mutants --list --json` names, but for those that are known, into the
//! sources below ROOT, each behind a switch, so that one build has them all: a whole run takes seconds, and to build it for each of a
//! thousand mutants takes hours.
//! `MUTANT` in the environment is the number of the one that is on, from 1. Stdout tells the number and name of each that is in; one that
//! can't be put behind a switch, or does not compile there, is left out.

mod edit;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use edit::{Mutant, SWITCH};
use serde_json::Value;

/// How often what does not compile is left out.
const ROUNDS: usize = 40;

/// What the sources ask.
const MODULE: &str = r#"
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod switch {
    pub fn on(number: u32) -> bool {
        static NOW: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        let read = || std::env::var("MUTANT").ok()?.parse().ok();
        *NOW.get_or_init(|| read().unwrap_or(0)) == number
    }
}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(root), Some(list), None) = (args.next(), args.next(), args.next()) else {
        return Err("usage: switch ROOT MUTANTS.json <KNOWN".into());
    };
    let root = Path::new(&root);
    let known: HashSet<String> = io::stdin().lines().collect::<Result<_, _>>()?;
    let mut mutants: Vec<Mutant> = serde_json::from_str(&fs::read_to_string(list)?)?;
    mutants.retain(|mutant| !known.contains(&mutant.name));
    let mut left: BTreeMap<usize, &Mutant> = (1..).zip(&mutants).collect();
    let files: BTreeSet<&str> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
    let read = |file| Ok::<_, io::Error>((file, fs::read_to_string(root.join(file))?));
    let sources: BTreeMap<&str, String> = files.into_iter().map(read).collect::<Result<_, _>>()?;
    let lib = root.join("src/lib.rs");
    fs::write(&lib, fs::read_to_string(&lib)? + MODULE)?;
    for _ in 0..ROUNDS {
        let mut put_in = BTreeSet::new();
        for (file, source) in &sources {
            let (text, done) = edit::switched(source, left.iter().filter(|(_, mutant)| mutant.file == *file))?;
            fs::write(root.join(file), text)?;
            put_in.extend(done);
        }
        left.retain(|number, _| put_in.contains(number));
        let faulty = faulty(root)?;
        if faulty.is_empty() {
            left.iter().for_each(|(number, mutant)| println!("{number} {}", mutant.name));
            return Ok(());
        }
        left.retain(|number, _| !faulty.contains(number));
    }
    Err("it does not compile, whatever is left out".into())
}

/// The mutants that do not compile: what stands last before each error.
fn faulty(root: &Path) -> Result<BTreeSet<usize>, Box<dyn Error>> {
    let checked =
        Command::new("cargo").args(["check", "--message-format=json"]).current_dir(root).stderr(Stdio::null()).output()?;
    let mut faulty = BTreeSet::new();
    for line in checked.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line)?;
        let is_error = message["message"]["level"] == "error";
        // A type that is not known is asked for later than where the error stands.
        let is_later = message["message"]["code"]["code"] == "E0282"
            && message["message"]["spans"].as_array().is_some_and(|spans| spans.len() > 1);
        for span in message["message"]["spans"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|span| is_error && span["is_primary"] != is_later)
        {
            let text = fs::read(root.join(span["file_name"].as_str().unwrap_or_default()))?;
            let end = span["byte_start"].as_u64().map_or(text.len(), |at| text.len().min(at as usize + 1));
            let before = String::from_utf8_lossy(&text[..end]);
            let number: Option<usize> =
                before.rsplit_once(SWITCH).and_then(|(_, rest)| rest.split_once(')')?.0.parse().ok());
            faulty.extend(number);
        }
    }
    if faulty.is_empty() && !checked.status.success() {
        return Err(format!("cargo check failed in {} where no mutant is", root.display()).into());
    }
    Ok(faulty)
}
