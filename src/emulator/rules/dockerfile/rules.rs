//! The Dockerfile rules.

use super::super::{Rule, credential, image};
use super::Check;
use super::parse::{Base, Dockerfile, Instruction, words};

/// In the order of their ids.
pub(super) const RULES: &[Rule<Check>] = &[
    Rule {
        id: "SI-DF-001",
        name: "The image names no user",
        level: "medium",
        category: "workload",
        description: "No USER instruction is in force in the final stage, so the process runs as the base image's user, as a rule root.",
        remediation: "Create a user and end the final stage with USER and its numeric id, so that runAsNonRoot can check it.",
        check: |file| missing(file, "USER", |stage_base| !stage_base.contains("nonroot")),
    },
    Rule {
        id: "SI-DF-002",
        name: "The image runs as root",
        level: "high",
        category: "workload",
        description: "The last USER instruction sets root. A process that is taken over owns the container and is one kernel bug away from the node.",
        remediation: "Do what needs root earlier, then switch to an unprivileged user with USER and a numeric id.",
        check: root_user,
    },
    Rule {
        id: "SI-DF-003",
        name: "The base image is not pinned",
        level: "medium",
        category: "workload",
        description: "The base image has no tag or the tag latest: two builds of the same commit can give different images.",
        remediation: "Name a version tag, better a digest, and let a bot propose updates.",
        check: floating_base,
    },
    Rule {
        id: "SI-DF-004",
        name: "A remote file is added unchecked",
        level: "medium",
        category: "network",
        description: "ADD fetches a URL without a checksum: whoever controls the server or the path to it controls the image.",
        remediation: "Give ADD --checksum=sha256:..., or download and verify the file in the RUN that uses it.",
        check: |file| {
            hits(file, "ADD", |add| is_remote(add) && !add.flags().iter().any(|flag| flag.starts_with("--checksum=")))
        },
    },
    Rule {
        id: "SI-DF-005",
        name: "ADD is used where COPY does",
        level: "low",
        category: "workload",
        description: "ADD also fetches URLs and unpacks archives. For plain files that is surprise without gain.",
        remediation: "Use COPY for files of the build context.",
        check: |file| {
            hits(file, "ADD", |add| add.bodies.is_empty() && !is_remote(add) && !sources(add).iter().any(|s| is_archive(s)))
        },
    },
    Rule {
        id: "SI-DF-006",
        name: "A secret is set in ENV",
        level: "high",
        category: "secrets",
        description: "The value is stored in the image's configuration: anyone who can pull the image can read it.",
        remediation: "Rotate the secret. Pass it at run time, or mount it in a RUN with --mount=type=secret.",
        check: |file| hits(file, "ENV", exposes_secret),
    },
    Rule {
        id: "SI-DF-007",
        name: "A secret is the default of an ARG",
        level: "high",
        category: "secrets",
        description: "Build arguments are stored in the image's history, and this one's value in the repository too.",
        remediation: "Rotate the secret. Mount it in the RUN that needs it with --mount=type=secret.",
        check: |file| hits(file, "ARG", exposes_secret),
    },
    Rule {
        id: "SI-DF-008",
        name: "The image has no HEALTHCHECK",
        level: "low",
        category: "workload",
        description: "Without a health check a hung process counts as running wherever no orchestrator probes it.",
        remediation: "Add a HEALTHCHECK that asks the process itself, or HEALTHCHECK NONE where an orchestrator probes it.",
        check: |file| missing(file, "HEALTHCHECK", |_| true),
    },
    Rule {
        id: "SI-DF-009",
        name: "A download is piped into a shell",
        level: "high",
        category: "network",
        description: "What the server sends is run at once, unchecked, with the build's rights; a cut connection runs half a script.",
        remediation: "Download to a file, verify its checksum or signature, then run it.",
        check: |file| hits(file, "RUN", |run| commands(run).any(|pipeline| pipes_download(&pipeline))),
    },
    Rule {
        id: "SI-DF-010",
        name: "apt-get installs recommended packages",
        level: "tips",
        category: "workload",
        description: "Recommended packages make the image larger and bring vulnerabilities that nobody asked for.",
        remediation: "Give apt-get install --no-install-recommends.",
        check: |file| hits(file, "RUN", |run| apt_installs(run) && !run.script().contains("--no-install-recommends")),
    },
    Rule {
        id: "SI-DF-011",
        name: "Package lists stay in the image",
        level: "low",
        category: "workload",
        description: "The layer keeps apt's package lists: dead weight, and stale at the next install.",
        remediation: "End the same RUN with rm -rf /var/lib/apt/lists/*, or mount a cache there.",
        check: |file| hits(file, "RUN", |run| apt_installs(run) && !cleans_apt(run)),
    },
    Rule {
        id: "SI-DF-012",
        name: "sudo is used",
        level: "medium",
        category: "access_control",
        description: "sudo in an image gives a process that is taken over a way to root, and muddles signals and terminals.",
        remediation: "Do what needs root before USER, or switch with USER; don't install sudo.",
        check: |file| hits(file, "RUN", |run| run_words(run).any(|word| word == "sudo")),
    },
    Rule {
        id: "SI-DF-013",
        name: "The SSH port is exposed",
        level: "medium",
        category: "network",
        description: "A login service in a container is a second way in, beside the orchestrator's access control and audit.",
        remediation: "Remove sshd and EXPOSE 22; use kubectl exec or docker exec.",
        check: |file| {
            hits(file, "EXPOSE", |expose| expose.arguments().iter().any(|port| matches!(port.as_str(), "22" | "22/tcp")))
        },
    },
    Rule {
        id: "SI-DF-014",
        name: "Files are made writable for everyone",
        level: "medium",
        category: "access_control",
        description: "Any user of the container can change these files, programs among them.",
        remediation: "Give the files to the user that needs them (COPY --chown) and grant no more than that user needs.",
        check: |file| {
            hits(file, "RUN", |run| commands(run).any(|pipeline| pipeline.iter().any(|command| opens_files(command))))
        },
    },
    Rule {
        id: "SI-DF-015",
        name: "A key or credential file is copied in",
        level: "high",
        category: "secrets",
        description: "The file stays in a layer, and can be read from it even when a later instruction deletes it.",
        remediation: "Rotate what it holds, list it in .dockerignore, and mount it with --mount=type=secret or --mount=type=ssh.",
        check: |file| {
            hits(file, "COPY", copies_credential).into_iter().chain(hits(file, "ADD", copies_credential)).collect()
        },
    },
    Rule {
        id: "SI-DF-016",
        name: "Verification of downloads is turned off",
        level: "medium",
        category: "network",
        description: "Without checking certificates or signatures, anyone between the build and the server can replace what is installed.",
        remediation: "Remove the option; install the missing CA certificate or repository key instead.",
        check: |file| {
            hits(file, "RUN", |run| commands(run).any(|pipeline| pipeline.iter().any(|command| is_unverified(command))))
        },
    },
    Rule {
        id: "SI-DF-017",
        name: "WORKDIR is relative",
        level: "tips",
        category: "workload",
        description: "Where a relative WORKDIR ends depends on the base image and on the lines before.",
        remediation: "Give an absolute path.",
        check: |file| {
            hits(file, "WORKDIR", |workdir| {
                workdir.arguments().first().is_some_and(|path| !path.starts_with(['/', '$', '\\']) && !path.contains(':'))
            })
        },
    },
    Rule {
        id: "SI-DF-018",
        name: "MAINTAINER is deprecated",
        level: "tips",
        category: "workload",
        description: "MAINTAINER is deprecated and tools don't read it.",
        remediation: "Use LABEL org.opencontainers.image.authors.",
        check: |file| hits(file, "MAINTAINER", |_| true),
    },
];

fn hits(file: &Dockerfile, keyword: &str, breaks: impl Fn(&Instruction) -> bool) -> Vec<Option<String>> {
    file.all(keyword).filter(|instruction| breaks(instruction)).map(|instruction| Some(instruction.text.clone())).collect()
}

/// One finding where the image has no such instruction and the image that it is built on, if known, is not excused.
fn missing(file: &Dockerfile, keyword: &str, base_counts: fn(&str) -> bool) -> Vec<Option<String>> {
    let Some(root) = file.lineage().last() else { return Vec::new() };
    let excused = matches!(&root.base, Base::Image(image) if !base_counts(image));
    if excused || file.last_in_force(keyword).is_some() { Vec::new() } else { vec![None] }
}

fn root_user(file: &Dockerfile) -> Vec<Option<String>> {
    let is_root = |user: &&Instruction| {
        let name = user.arguments().into_iter().next().unwrap_or_default();
        matches!(name.split(':').next(), Some("root" | "0"))
    };
    file.last_in_force("USER").filter(is_root).map(|user| Some(user.text.clone())).into_iter().collect()
}

fn floating_base(file: &Dockerfile) -> Vec<Option<String>> {
    let floating = file.stages.iter().filter(|stage| matches!(&stage.base, Base::Image(name) if image::is_floating(name)));
    floating.map(|stage| Some(file.instructions[stage.first].text.clone())).collect()
}

fn sources(copy: &Instruction) -> Vec<String> {
    let mut arguments = copy.arguments();
    arguments.pop();
    arguments
}

fn is_remote(add: &Instruction) -> bool {
    sources(add).iter().any(|source| ["http://", "https://", "git@"].iter().any(|scheme| source.starts_with(scheme)))
}

fn is_archive(source: &str) -> bool {
    let endings = [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst"];
    source.starts_with('$') || endings.iter().any(|ending| source.ends_with(ending))
}

fn exposes_secret(instruction: &Instruction) -> bool {
    instruction.pairs().iter().any(|(name, value)| credential::is_exposed(name, value))
}

fn copies_credential(copy: &Instruction) -> bool {
    let names =
        [".env", "id_rsa", "id_ecdsa", "id_ed25519", ".netrc", ".npmrc", ".pypirc", ".git-credentials", "kubeconfig"];
    let from_context = !copy.flags().iter().any(|flag| flag.starts_with("--from="));
    from_context
        && sources(copy).iter().any(|source| {
            let name = source.rsplit('/').next().unwrap_or(source);
            names.contains(&name) || source.ends_with(".aws/credentials") || source.ends_with(".docker/config.json")
        })
}

/// A script's pipelines, each the words of its commands.
fn commands(run: &Instruction) -> impl Iterator<Item = Vec<Vec<String>>> {
    let script = run.script().replace("\\\n", " ").replace("||", ";").replace("&&", ";");
    let pipelines: Vec<_> = script
        .split([';', '\n'])
        .map(|pipeline| pipeline.split('|').map(command_words).filter(|command| !command.is_empty()).collect())
        .collect();
    pipelines.into_iter()
}

/// The words of a command, without the brackets, `sudo` and variables before it.
fn command_words(command: &str) -> Vec<String> {
    let words = words(command.trim().trim_matches(['(', ')', '{', '}', '&']));
    words.into_iter().skip_while(|word| word == "sudo" || word == "!" || word.contains('=')).collect()
}

fn run_words(run: &Instruction) -> impl Iterator<Item = String> {
    words(&run.script().replace([';', '|', '&', '(', ')'], " ")).into_iter()
}

/// The name of a program without its directory.
fn program(command: &[String]) -> &str {
    command.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word))
}

fn pipes_download(pipeline: &[Vec<String>]) -> bool {
    let is_shell =
        |command: &Vec<String>| matches!(program(command), "sh" | "bash" | "ash" | "dash" | "zsh" | "python" | "python3");
    let fetched = pipeline.iter().position(|command| command.iter().any(|word| word == "curl" || word == "wget"));
    fetched.is_some_and(|index| pipeline[index + 1..].iter().any(is_shell))
}

fn apt_installs(run: &Instruction) -> bool {
    commands(run)
        .flatten()
        .any(|command| matches!(program(&command), "apt-get" | "apt") && command.iter().any(|word| word == "install"))
}

fn cleans_apt(run: &Instruction) -> bool {
    let cached = |flag: &str| flag.contains("type=cache") && flag.contains("/var/lib/apt");
    run.script().contains("/var/lib/apt/lists") || run.flags().iter().any(|flag| cached(flag))
}

fn opens_files(command: &[String]) -> bool {
    let is_open = |word: &String| {
        matches!(word.as_str(), "777" | "0777" | "666" | "0666" | "a+rwx" | "a+w" | "o+w" | "o+rwx" | "ugo+rwx" | "+rwx")
    };
    program(command) == "chmod" && command.iter().any(is_open)
}

fn is_unverified(command: &[String]) -> bool {
    let has = |options: &[&str]| command.iter().any(|word| options.contains(&word.as_str()));
    match program(command) {
        "curl" => has(&["-k", "--insecure"]) || command.iter().any(|word| is_short_flag_with(word, 'k')),
        "wget" => has(&["--no-check-certificate"]),
        "apt" | "apt-get" => has(&["--allow-unauthenticated", "--force-yes"]),
        "apk" => has(&["--allow-untrusted"]),
        "pip" | "pip3" => command.iter().any(|word| word.starts_with("--trusted-host")),
        "yum" | "dnf" => has(&["--nogpgcheck"]),
        "git" => command.iter().any(|word| word.eq_ignore_ascii_case("http.sslVerify=false")),
        _ => false,
    }
}

/// `-fsSLk` holds `k`; `-o` and `--key` don't.
fn is_short_flag_with(word: &str, flag: char) -> bool {
    word.strip_prefix('-').is_some_and(|flags| flags.chars().all(|c| c.is_ascii_alphabetic()) && flags.contains(flag))
}
