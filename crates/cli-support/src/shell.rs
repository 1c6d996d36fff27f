//! What shells and `man` read of a program: completions and manual pages, from the same description as its --help.
//!
//! Both flags are asked for by whoever packages or installs the programs, once. They stand in no --help, and every program has them.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::{Command, CommandFactory, ValueEnum as _, error::ErrorKind};
use clap_complete::Shell;

use crate::terminal::escaped;

const COMPLETIONS: &str = "--completions";
const MANUALS: &str = "--man";

/// Answers `--completions SHELL`, which prints, and `--man FOLDER`, which writes a page for the program and each of its commands there;
/// `None` for any other command line.
pub(crate) fn answer<A: CommandFactory>() -> Option<ExitCode> {
    let arguments: Vec<OsString> = env::args_os().skip(1).take(3).collect();
    let (flag, value) = match &arguments[..] {
        [flag] => (flag, None),
        [flag, value] => (flag, Some(value)),
        _ => return None,
    };
    let command = A::command();
    let done = match (flag.to_str()?, value) {
        (COMPLETIONS, Some(shell)) => {
            let shell = Shell::from_str(&shell.to_string_lossy(), false);
            let Ok(shell) = shell else {
                return Some(refuse(command, &known_shells()));
            };
            io::stdout().write_all(&completions(command, shell))
        }
        (MANUALS, Some(folder)) => write_manuals(command, Path::new(folder)),
        (COMPLETIONS, None) => return Some(refuse(command, &known_shells())),
        (MANUALS, None) => {
            let message = format!("`{MANUALS}` needs the folder to write to");
            return Some(refuse(command, &message));
        }
        _ => return None,
    };
    Some(match done {
        // A reader that went away has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let shown = A::command().error(ErrorKind::Io, escaped(&error.to_string()));
            _ = shown.print();
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    })
}

fn known_shells() -> String {
    let names = Shell::value_variants().iter().map(ToString::to_string);
    let names: Vec<String> = names.collect();
    format!("`{COMPLETIONS}` needs one of {}", names.join(", "))
}

/// Complains as clap does of a flag's value.
fn refuse(mut command: Command, message: &str) -> ExitCode {
    let error = command.error(ErrorKind::InvalidValue, message);
    _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(u8::MAX))
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// Creates the folder, if there is none.
fn write_manuals(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// Does things
    #[derive(Debug, Parser)]
    #[command(name = "does-things", version)]
    struct Args {
        #[command(subcommand)]
        _command: What,
    }

    #[derive(Debug, clap::Subcommand)]
    enum What {
        /// Does one thing
        One {
            /// How often
            #[arg(long)]
            times: u32,
        },
        /// Does another thing
        Other,
    }

    #[test]
    fn every_shell_completes_commands_and_flags() {
        for shell in Shell::value_variants() {
            let script = completions(Args::command(), *shell);
            let script = String::from_utf8(script).expect("text");
            for word in ["does-things", "one", "other", "times"] {
                assert!(script.contains(word), "{shell}: no `{word}` in {script}");
            }
        }
    }

    #[test]
    fn a_page_for_the_program_and_each_command() {
        let folder = tempfile::tempdir().expect("a folder");
        let pages = folder.path().join("new/man1");
        write_manuals(Args::command(), &pages).expect("written");
        for (page, text) in [
            ("does-things.1", "Does things"),
            ("does-things-one.1", "How often"),
            ("does-things-other.1", "Does another thing"),
        ] {
            let found = fs::read_to_string(pages.join(page)).expect(page);
            assert!(found.contains(text), "{page}: {found}");
        }
    }
}
