//! From what was typed to one root and what is selected below it.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use super::{Error, Selection};
use crate::model::RepoPath;

/// Finds the one root of `paths` (typed by the user in `cwd`) and what they select in it.
pub fn resolve(cwd: &Path, paths: &[OsString]) -> Result<(PathBuf, Vec<Selection>), Error> {
    let mut root: Option<PathBuf> = None;
    let mut selections = Vec::new();
    for path in paths {
        let absolute = normal(&cwd.join(path));
        let place = std::fs::symlink_metadata(&absolute);
        let start = match &place {
            Ok(place) if place.is_dir() => absolute.clone(),
            Ok(_) => absolute.parent().unwrap_or(&absolute).to_owned(),
            Err(_) if has_wildcard(path) => literal_part(&absolute),
            Err(_) => return Err(Error::Missing(path.to_string_lossy().into_owned())),
        };
        let this = root_above(&start).unwrap_or_else(|| if absolute.starts_with(cwd) { normal(cwd) } else { start.clone() });
        match &root {
            Some(root) if *root != this => {
                return Err(Error::TwoRoots(root.display().to_string(), this.display().to_string()));
            }
            _ => root = Some(this.clone()),
        }
        let relative = relative(&this, &absolute).ok_or_else(|| Error::Missing(path.to_string_lossy().into_owned()))?;
        selections.push(match place {
            Ok(place) if place.is_dir() => Selection::Tree(relative),
            Ok(_) => Selection::File(relative),
            Err(_) => Selection::Pattern(pattern(&relative.to_string())?),
        });
    }
    Ok((root.unwrap_or_else(|| normal(cwd)), selections))
}

/// Reads a pattern of the command line.
pub fn pattern(text: &str) -> Result<glob::Pattern, Error> {
    let error = |why: String| Error::Pattern { pattern: text.to_owned(), why };
    let literal = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
    if literal.contains('{') && literal.contains(',') && literal.contains('}') {
        return Err(error("{a,b} is not known here: repeat the flag, once for each".to_owned()));
    }
    glob::Pattern::new(literal).map_err(|bad| error(format!("{} at character {}", bad.msg, bad.pos + 1)))
}

fn has_wildcard(path: &OsStr) -> bool {
    path.as_encoded_bytes().iter().any(|b| b"*?[".contains(b))
}

/// The directory above the first part with a wildcard.
fn literal_part(path: &Path) -> PathBuf {
    path.components().take_while(|part| !has_wildcard(part.as_os_str())).collect()
}

fn root_above(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| std::fs::symlink_metadata(folder.join(".git")).is_ok()).map(Path::to_owned)
}

/// Without `.` and `..`, by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts
}

fn relative(root: &Path, path: &Path) -> Option<RepoPath> {
    let parts: Vec<&[u8]> = path.strip_prefix(root).ok()?.iter().map(OsStr::as_encoded_bytes).collect();
    Some(RepoPath::new(parts.join(&b'/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_and_selections() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for folder in ["one/.git", "one/a/b", "two/.git", "plain/x"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("one/a/f.yaml"), "").unwrap();
        let found = |cwd: &str, paths: &[&str]| {
            let paths: Vec<OsString> = paths.iter().map(OsString::from).collect();
            resolve(&at(cwd), &paths).map_err(|error| error.to_string().replace(&dir.path().display().to_string(), ""))
        };
        let tree = |path: &str| Selection::Tree(path.into());
        assert_eq!(found("one/a", &["."]), Ok((at("one"), vec![tree("a")])));
        assert_eq!(
            found("one/a", &["f.yaml", "../a/b/"]),
            Ok((at("one"), vec![Selection::File("a/f.yaml".into()), tree("a/b")]))
        );
        assert_eq!(
            found("one/a", &["*.yaml"]),
            Ok((at("one"), vec![Selection::Pattern(glob::Pattern::new("a/*.yaml").unwrap())]))
        );
        assert_eq!(found("plain", &["x"]), Ok((at("plain"), vec![tree("x")])));
        assert_eq!(
            found("", &["one", "two"]),
            Err("the paths belong to two repositories, /one and /two: scan one at a time".into())
        );
        assert_eq!(found("one", &["nope"]), Err("nope: no such file or directory, and no pattern".into()));
        assert_eq!(
            pattern("a/{b,c}").map_err(|error| error.to_string()),
            Err("pattern \"a/{b,c}\": {a,b} is not known here: repeat the flag, once for each".into())
        );
    }
}
