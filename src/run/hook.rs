//! The pre-push hook of plain git.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Streams, output};
use crate::cli::HookAct;
use crate::error::Error;
use crate::git::Git;
use crate::model::Exit;
use crate::platform;
use crate::report::printable;

/// By this line the hook is known as ours.
const MARK: &str = "# Written by `hss-iac hook install`; `hss-iac hook uninstall` takes it away.";

/// git tells the hook what is pushed on standard input, so a hook that was there before is told the same.
const REST: &str = r#"told=$(cat)
if [ -x "$0.before-hss-iac" ]; then
    printf '%s\n' "$told" | "$0.before-hss-iac" "$@" || exit
fi
if ! command -v hss-iac >/dev/null; then
    echo 'pre-push: hss-iac is not on the PATH; install it, or push with --no-verify' >&2
    exit 1
fi
printf '%s\n' "$told" | hss-iac scan --diff pre-push
"#;

/// `hook`: installs or takes away.
pub fn hook(act: HookAct, root: &Path, streams: &mut Streams<'_>) -> Result<Exit, Error> {
    let usage = |what: String| Error::Usage(what);
    let git = Git::new(root, std::env::var_os("PATH").as_deref()).map_err(|error| usage(error.to_string()))?;
    let hooks = git.hooks().map_err(|error| usage(format!("{} is no git repository: {error}", root.display())))?;
    let place = Place { hook: hooks.join("pre-push"), before: hooks.join("pre-push.before-hss-iac") };
    let said = match act {
        HookAct::Install { yes } => place.install(yes)?,
        HookAct::Uninstall => place.uninstall()?,
    };
    streams.print(|out| writeln!(out, "{}", printable(&said)))?;
    Ok(Exit::Pass)
}

const CHANGED: &str = "is not as this version writes it, and is left so";

/// The hook as this version writes it.
fn ours() -> String {
    format!("#!/bin/sh\n{MARK}\n{REST}")
}

struct Place {
    hook: PathBuf,
    /// Where a hook goes that was there before.
    before: PathBuf,
}

impl Place {
    fn install(&self, yes: bool) -> Result<String, Error> {
        let name = self.hook.display();
        let wrote = || format!("wrote {name}: what is pushed is scanned first; `git push --no-verify` passes it by");
        match self.read()? {
            Some(text) if text == ours() => {
                self.make_executable()?;
                return Ok(format!("{name} is there already"));
            }
            // By hand, or by another version of this program.
            Some(text) if text.contains(MARK) => {
                let anew = yes || agreed(&format!("{name} is not as this version writes it. Write it anew?"))?;
                if !anew {
                    return Err(Error::Usage(format!("{name} {CHANGED}; --yes writes it anew")));
                }
            }
            Some(_) if self.before.symlink_metadata().is_ok() => {
                return Err(Error::Usage(format!(
                    "{name} is not ours, and {} is there already: put one of them away",
                    self.before.display()
                )));
            }
            Some(_) => {
                if !yes && !agreed(&format!("{name} is there already. Run it first, and then hss-iac?"))? {
                    return Err(Error::Usage(format!("{name} is left as it is; --yes takes it along without asking")));
                }
                std::fs::rename(&self.hook, &self.before).map_err(|source| self.failed(source))?;
                if let Err(error) = self.write() {
                    // Without ours nothing would run the one that was there. If this fails too, the first error tells more.
                    let _ = std::fs::rename(&self.before, &self.hook);
                    return Err(error);
                }
                return Ok(wrote());
            }
            None => {}
        }
        self.write()?;
        Ok(wrote())
    }

    fn uninstall(&self) -> Result<String, Error> {
        let name = self.hook.display();
        match self.read()? {
            None => Ok(format!("there is no {name}")),
            Some(text) if !text.contains(MARK) => Ok(format!("{name} is not ours and is left as it is")),
            Some(text) if text != ours() => Ok(format!("{name} {CHANGED}; `hss-iac hook install --yes` writes it anew")),
            Some(_) => {
                std::fs::remove_file(&self.hook).map_err(|source| self.failed(source))?;
                if self.before.symlink_metadata().is_err() {
                    return Ok(format!("removed {name}"));
                }
                std::fs::rename(&self.before, &self.hook).map_err(|source| self.failed(source))?;
                Ok(format!("removed ours, and put {name} back as it was"))
            }
        }
    }

    /// What is there, if anything is.
    fn read(&self) -> Result<Option<String>, Error> {
        match std::fs::read(&self.hook) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.hook.symlink_metadata().is_err() => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn write(&self) -> Result<(), Error> {
        let directory = self.hook.parent().unwrap_or(&self.hook);
        std::fs::create_dir_all(directory).map_err(|source| self.failed(source))?;
        output::write_file(&self.hook, |out| out.write_all(ours().as_bytes())).map_err(|source| self.failed(source))?;
        self.make_executable()
    }

    fn make_executable(&self) -> Result<(), Error> {
        platform::make_executable(&self.hook).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { what: format!("{} can't be changed", self.hook.display()), source }
    }
}

/// Asks who sits at the terminal; nobody there is a no.
fn agreed(question: &str) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let failed = |source| Error::Io { what: "the question can't be asked".to_owned(), source };
    write!(io::stderr(), "{} [y/N] ", printable(question)).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
