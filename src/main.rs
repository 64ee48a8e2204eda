//! The `hss-iac` command.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{ArgMatches, FromArgMatches as _};
use hss_iac::cli::{self, Cli, Command, Explain};
use hss_iac::diff::Scratch;
use hss_iac::error::Error;
use hss_iac::model::Exit;
use hss_iac::run::{self, Saved, Streams};
use hss_iac::settings;

fn main() -> ExitCode {
    hss_iac::error::end_on_panic();
    let matches =
        cli::command(&variable).try_get_matches().unwrap_or_else(|error| cli::with_variable(error, &variable).exit());
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let typed = matches.subcommand().map_or(&matches, |(_, typed)| typed);
    match run_through(cli.command, typed) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            say(&format!("error: {}", hss_iac::report::printable(&error.to_string())));
            ExitCode::from(error.exit().code())
        }
    }
}

fn run_through(of: Command, typed: &ArgMatches) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Error::Io { what: "the system gives no event loop".to_owned(), source })?;
    let ended = runtime.block_on(command(of, typed));
    // The system's resolver may still be looking for a name, for a minute and more; nobody wants to know it any more.
    runtime.shutdown_background();
    ended
}

async fn command(command: Command, typed: &ArgMatches) -> Result<Exit, Error> {
    let env = |name: &str| variable(name).filter(|value| !(name.starts_with("HSS_IAC_") && value.trim().is_empty()));
    let cwd = std::env::current_dir()
        .map_err(|source| Error::Io { what: "the current directory can't be found".to_owned(), source })?;
    let mut stdout = std::io::stdout();
    let scratch = Scratch::default();
    match command {
        Command::Scan(scan) => {
            let signal = run::first_signal(scratch.clone());
            let settings = settings::Scan::new(*scan, typed, &env, &cwd, &scratch)?;
            let color = Streams::choice(settings.talk.color);
            run::scan(settings, signal, &mut Streams { out: &mut stdout, color }).await
        }
        Command::Resume(resume) => {
            let signal = run::first_signal(scratch.clone());
            let saved = match run::load_either(resume.result())? {
                Saved::Scan(saved) => *saved,
                Saved::Clusters(saved) => {
                    let settings = settings::Cluster::resume(*resume, &saved, typed, &env)?;
                    let color = Streams::choice(settings.talk.color);
                    let mut streams = Streams { out: &mut stdout, color };
                    return run::resume_clusters(settings, *saved, signal, &mut streams).await;
                }
            };
            let settings = settings::Scan::resume(*resume, &saved, typed, &env, &cwd, &scratch)?;
            let color = Streams::choice(settings.talk.color);
            run::resume(settings, saved, signal, &mut Streams { out: &mut stdout, color }).await
        }
        Command::ClusterScan(scan) => {
            let signal = run::first_signal(scratch.clone());
            let settings = settings::Cluster::new(*scan, typed, &env)?;
            let color = Streams::choice(settings.talk.color);
            run::cluster_scan(settings, signal, &mut Streams { out: &mut stdout, color }).await
        }
        Command::List(mut list) => {
            // Nobody waits for it: what was laid out goes, and the process ends.
            drop(run::first_signal(scratch.clone()));
            let settings = settings::list(&mut list, typed, &env, &cwd, &scratch)?;
            let mut streams = Streams { out: &mut stdout, color: Streams::choice(settings.talk.color) };
            match list.explain() {
                Some(Explain::Path(path)) => {
                    run::explain(&settings.input, &settings::explained(&settings.root, &cwd, path)?, &mut streams)
                }
                Some(Explain::Change) => run::explain_change(&settings, &mut streams),
                None => run::list(&settings, list.format(), &mut streams),
            }
        }
        Command::Render(render) => {
            let settings = settings::Render::new(render, &env)?;
            let color = Streams::choice(settings.talk.color);
            run::render(&settings, &mut Streams { out: &mut stdout, color })
        }
        Command::Baseline(baseline) => run::baseline(settings::Update::new(baseline, &cwd)?, &mut plain(&mut stdout)),
        Command::Doctor(doctor) => {
            let settings = settings::Doctor::new(&doctor, &env)?;
            let color = Streams::choice(settings.talk.color);
            run::doctor(settings, &mut Streams { out: &mut stdout, color }).await
        }
        Command::Config(config) => {
            let color = Streams::choice(config.color());
            let (effective, format) = settings::config(*config, typed, &env, &cwd)?;
            run::config(&effective, format, &mut Streams { out: &mut stdout, color })
        }
        Command::Init(init) => run::init(&settings::root(&cwd)?, init.force(), &mut plain(&mut stdout)),
        Command::Hook(hook) => run::hook(hook.act, &settings::root(&cwd)?, &mut plain(&mut stdout)),
        Command::Cache(cache) => run::cache(&cache.act, &mut plain(&mut stdout)),
        Command::Completions(of) => run::completions(of.shell, cli::command(&env), &mut plain(&mut stdout)),
        Command::Man(of) => run::man(of.command.as_deref(), cli::command(&env), &mut plain(&mut stdout)),
        Command::Schema(schema) => run::schema(schema.of(), &mut plain(&mut stdout)),
        #[cfg(feature = "emulator")]
        Command::Emulator(emulator) => run::emulator(settings::emulator(emulator), &mut plain(&mut stdout)).await,
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn plain(out: &mut std::io::Stdout) -> Streams<'_> {
    Streams { out, color: anstream::ColorChoice::Never }
}

/// The last word, on stderr.
fn say(text: &str) {
    // Nobody is left to tell if stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
