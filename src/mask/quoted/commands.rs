//! Commands that take a credential without a telling name: `mysql -pX`, `echo u:X | chpasswd`.

use std::ops::Range;

/// A program, or a file format, that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// `-pX`
    Database,
    /// `-p X`, `-pX`
    Password,
    /// The same once `login` was said.
    Registry,
    /// This letter and `X`.
    Letter(&'static str),
    /// `-u user:X`
    Curl,
    /// Lines of `user:X`.
    Accounts,
}

/// How a tool takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Behind the letter.
    Attached,
    /// As the next word.
    Next,
    /// As the next word, behind a user and a colon.
    NextAccount,
}

const TOOLS: [(&str, Tool); 36] = [
    ("mysql", Tool::Database),
    ("mysqldump", Tool::Database),
    ("mysqladmin", Tool::Database),
    ("mysqlimport", Tool::Database),
    ("mariadb", Tool::Database),
    ("mariadb-dump", Tool::Database),
    ("mariadb-admin", Tool::Database),
    ("sshpass", Tool::Password),
    ("useradd", Tool::Password),
    ("usermod", Tool::Password),
    ("docker", Tool::Registry),
    ("podman", Tool::Registry),
    ("nerdctl", Tool::Registry),
    ("buildah", Tool::Registry),
    ("skopeo", Tool::Registry),
    ("crane", Tool::Registry),
    ("oras", Tool::Registry),
    ("helm", Tool::Registry),
    ("az", Tool::Registry),
    ("argocd", Tool::Registry),
    ("oc", Tool::Registry),
    ("mongo", Tool::Password),
    ("mongosh", Tool::Password),
    ("mongodump", Tool::Password),
    ("mongorestore", Tool::Password),
    ("twine", Tool::Password),
    ("7z", Tool::Database),
    ("zip", Tool::Letter("-P")),
    ("unzip", Tool::Letter("-P")),
    ("ldapadd", Tool::Letter("-w")),
    ("ldapmodify", Tool::Letter("-w")),
    ("ldapsearch", Tool::Letter("-w")),
    ("redis-cli", Tool::Letter("-a")),
    ("curl", Tool::Curl),
    ("wget", Tool::Curl),
    ("chpasswd", Tool::Accounts),
];

/// The command that is being read.
#[derive(Debug, Default)]
pub(super) struct Command {
    start: usize,
    /// What is piped into it.
    pub(super) piped: Option<Range<usize>>,
    words: usize,
    pub(super) tool: Option<Tool>,
    login: bool,
    /// Whether it sets what it is told: `git config NAME X`.
    pub(super) sets: bool,
}

impl Command {
    /// Begins the next command behind a separator.
    pub(super) fn next(&mut self, at: usize, separator: u8) {
        let piped = (separator == b'|').then_some(self.start..at);
        // `||` pipes nothing.
        let piped = piped.filter(|piped| !piped.is_empty());
        *self = Self { start: at + 1, piped, ..Self::default() };
    }

    /// Takes note of a word.
    pub(super) fn word(&mut self, word: &str) {
        self.words += 1;
        if let Some((_, tool)) = TOOLS.iter().find(|(name, _)| *name == word) {
            self.tool = Some(*tool);
        }
        self.login |= word == "login";
        self.sets |= matches!(word, "config" | "configure");
    }

    /// What is piped into it, where that is a credential: a name before `:`, or all that is said.
    pub(super) fn reads(&mut self, word: &str) -> Option<(Range<usize>, bool)> {
        let accounts = word == "chpasswd";
        (accounts || word == "--password-stdin" || (word == "passwd" && self.words <= 2))
            .then(|| self.piped.take())
            .flatten()
            .map(|piped| (piped, accounts))
    }

    /// How the tool takes a credential with this switch.
    pub(super) fn takes(&self, switch: &str, attached: bool) -> Option<Takes> {
        let short = switch.starts_with('-') && !switch.starts_with("--");
        match self.tool? {
            Tool::Database => (short && attached && switch.starts_with("-p")).then_some(Takes::Attached),
            Tool::Registry if !self.login => None,
            Tool::Password | Tool::Registry if short && switch.starts_with("-p") => {
                Some(if attached { Takes::Attached } else { Takes::Next })
            }
            Tool::Letter(letter) if switch == letter => Some(Takes::Next),
            Tool::Curl if (short && switch.ends_with(['u', 'U'])) || matches!(switch, "--user" | "--proxy-user") => {
                Some(Takes::NextAccount)
            }
            _ => None,
        }
    }
}

/// What is told to a command that reads a credential, behind the first colon of accounts; in bytes of `command`.
pub(super) fn told(command: &str, accounts: bool) -> Option<Range<usize>> {
    let trimmed = command.trim_end();
    let trimmed = trimmed.trim_end_matches(['"', '\'']);
    if accounts {
        let colon = trimmed.find(':')?;
        return Some(colon + 1..trimmed.len());
    }
    let said = |say: &str| {
        let at = command.find(say)?;
        command.get(..at)?.chars().last().is_none_or(|before| !before.is_alphanumeric()).then_some(at + say.len())
    };
    let mut at = said("echo ").or_else(|| said("printf "))?;
    loop {
        at += command.get(at..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let word = command.get(at..)?.split([' ', '\t']).next()?;
        if !word.starts_with('-') {
            break;
        }
        at += word.len();
    }
    at += command.get(at..)?.bytes().take_while(|byte| matches!(byte, b'"' | b'\'')).count();
    (at < trimmed.len()).then_some(at..trimmed.len())
}
