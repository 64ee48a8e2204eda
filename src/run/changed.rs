//! What a change touches: files, the lines of findings, and the ignore comments that it brings in.

use std::collections::BTreeMap;

use super::source;
use crate::diff::files::Touched;
use crate::diff::lines::Lines;
use crate::judge::inline::{self, Ignore};
use crate::lines::lines;
use crate::model::{FileRecord, FileType, Finding, Precision, RepoPath, State};
use crate::scan::Ledger;
use crate::settings::Change;
use crate::{discover, locate};

/// What a change did to the files that were scanned.
#[derive(Default)]
pub(super) struct Changed(BTreeMap<RepoPath, Edited>);

/// A changed file.
struct Edited {
    file_type: FileType,
    text: String,
    /// Against each merge base that has it; none where the file is new.
    lines: Vec<Lines>,
    /// The ignore comments of the old texts.
    old: Vec<Vec<Ignore>>,
}

/// Marks the files that the change touches, and leaves out the others.
pub(super) fn mark_files(ledger: &mut Ledger, touched: &Touched) {
    for index in 0..ledger.entries.len() {
        if touched.changed.contains_key(&ledger.entries[index].source.path) {
            ledger.changed(index);
        } else {
            ledger.unchanged(index);
        }
    }
}

/// Compares the files of which something is known with what they were.
pub(super) fn compare(change: &Change, touched: &Touched, input: &discover::Options, files: &[FileRecord]) -> Changed {
    let Ok(base) = &change.base else { return Changed::default() };
    // Some risks of a file whose scan failed may have been read.
    let scanned =
        |file: &&FileRecord| file.changed == Some(true) && (file.state.has_verdict() || file.state == State::ScanFailed);
    let was = |file: &FileRecord| Some((file.path.clone(), touched.changed.get(&file.path)?.clone()?));
    let old = base.old(&files.iter().filter(scanned).filter_map(was).collect());
    let edited = |file: &FileRecord| {
        // A file that is another by now has no lines that could be compared: all of it counts as changed.
        let bytes = source::again(input, &file.path, file.file_type, file.sha256.as_deref()).ok()?;
        let text = locate::decode(&bytes);
        let old: Vec<String> = old.get(&file.path).into_iter().flatten().map(|bytes| locate::decode(bytes)).collect();
        let edited = Edited {
            file_type: file.file_type,
            lines: old.iter().map(|old| Lines::between(old, &text)).collect(),
            old: old.iter().map(|old| inline::comments(file.file_type, old)).collect(),
            text,
        };
        Some((file.path.clone(), edited))
    };
    Changed(files.iter().filter(scanned).filter_map(edited).collect())
}

impl Changed {
    /// Marks the findings that the change touches; `files` are those of the result.
    pub(super) fn mark_findings(&self, files: &[FileRecord], findings: &mut [Finding]) {
        let of: BTreeMap<&RepoPath, Option<bool>> = files.iter().map(|file| (&file.path, file.changed)).collect();
        for finding in findings {
            let is_changed = of.get(&finding.path).copied().flatten() == Some(true);
            finding.changed = Some(is_changed && self.0.get(&finding.path).is_none_or(|file| file.touches(finding)));
        }
    }

    /// Sorts out the ignore comments that did not stand at the base, and says which the change brings in or takes away.
    pub(super) fn sort_out(&self, ignores: &mut [(RepoPath, FileType, Vec<Ignore>)], of_base: bool) -> Vec<String> {
        let mut altered = Vec::new();
        for (path, _, ignores) in ignores.iter_mut() {
            let Some(file) = self.0.get(path) else { continue };
            ignores.retain(|ignore| {
                let stood =
                    !file.lines.is_empty() && file.lines.iter().zip(&file.old).all(|(lines, old)| stood(ignore, lines, old));
                if !stood {
                    altered.push(format!("{path}:{} says {}", ignore.line, said(ignore)));
                }
                stood || !of_base
            });
        }
        for (path, file) in &self.0 {
            for (lines, old) in file.lines.iter().zip(&file.old) {
                let new = inline::comments(file.file_type, &file.text);
                let kept = |old: &Ignore| new.iter().any(|new| lines.old(new.line) == Some(old.line));
                let gone = old.iter().filter(|old| !kept(old));
                altered.extend(gone.map(|old| format!("{path} no longer says {}", said(old))));
            }
        }
        altered.sort();
        altered.dedup();
        altered
    }
}

impl Edited {
    fn touches(&self, finding: &Finding) -> bool {
        let Some(at) = finding.location else { return true };
        let (first, last) = match (at.precision, self.file_type) {
            (Precision::Exact, _) => (at.line, at.end_line),
            (Precision::File, _) | (_, FileType::Dockerfile) => (1, u32::MAX),
            (_, FileType::K8sYaml) => document(&self.text, at.line),
        };
        self.lines.is_empty() || self.lines.iter().any(|lines| lines.touch(first, last))
    }
}

/// Whether a comment stood in an old text, and was about what stands in the place of what it is about.
fn stood(ignore: &Ignore, lines: &Lines, old: &[Ignore]) -> bool {
    let Some(line) = lines.old(ignore.line) else { return false };
    if !old.iter().any(|old| old.line == line) {
        return false;
    }
    // A line that is put between a comment and its line would be muted by it.
    let below = lines.old(ignore.line + 1) == Some(line + 1) || lines.replaces(ignore.line + 1, line + 1);
    !ignore.alone || below
}

fn said(ignore: &Ignore) -> String {
    format!("ignore[{}] {}", ignore.rules.join(", "), ignore.reason).trim_end().to_owned()
}

/// The first and the last line of the document around a line, from 1.
fn document(text: &str, line: u32) -> (u32, u32) {
    let is_marker = |range: &std::ops::Range<usize>| {
        let line = text.get(range.clone()).unwrap_or_default();
        line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    };
    let all = lines(text);
    let at = (line as usize).min(all.len());
    let first = all[..at].iter().rposition(is_marker).map_or(1, |at| at + 1);
    let last = all[at..].iter().position(is_marker).map_or(all.len(), |next| at + next);
    (u32::try_from(first).unwrap_or(u32::MAX), u32::try_from(last).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_end_at_their_markers() {
        let text = "a\n---\nb\nc\n---x\n--- # d\ne\n";
        let around: Vec<(u32, u32)> = (1..=7).map(|line| document(text, line)).collect();
        assert_eq!(around, [(1, 1), (2, 5), (2, 5), (2, 5), (2, 5), (6, 7), (6, 7)]);
        assert_eq!(document("", 1), (1, 1));
    }
}
