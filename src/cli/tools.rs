//! Commands around the program itself.

use clap::{Args, Subcommand};

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
