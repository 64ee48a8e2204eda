//! Commands around the program itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::duration;

/// `hook`.
#[derive(Debug, Args)]
pub struct Hook {
    /// What to do
    #[command(subcommand)]
    pub act: HookAct,
}

/// What to do with the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum HookAct {
    /// Have git scan what is pushed, before it is
    Install {
        /// Take a hook that is there along without asking
        #[arg(long)]
        yes: bool,
    },
    /// Take the hook away, and put the one back that was there before
    Uninstall,
}

/// `cache`.
#[derive(Debug, Args)]
pub struct Cache {
    /// What to do
    #[command(subcommand)]
    pub act: CacheAct,
}

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub enum CacheAct {
    /// Count the verdicts
    Stats(CacheDir),
    /// Remove those that are too old to be taken again
    Prune(CacheDir),
}

/// Where the cache is.
#[derive(Debug, Args)]
pub struct CacheDir {
    /// The directory of the verdicts
    #[arg(long = "cache-dir", value_name = "DIR", env = "HSS_IAC_CACHE_DIR", required = true)]
    pub directory: PathBuf,
    /// How old a verdict may be that is taken again
    #[arg(long = "cache-ttl", value_name = "DUR", env = "HSS_IAC_CACHE_TTL", default_value = "24h", value_parser = duration)]
    pub ttl: Duration,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The page of this command; the one of hss-iac where nothing is said
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}
