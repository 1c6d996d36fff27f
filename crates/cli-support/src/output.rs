use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::{
    dirs::COMMON,
    terminal::{escaped, escaped_json},
};

/// `--quiet` and `--json`. Flatten it into a program's own arguments.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Output {
    /// Only warnings and errors on standard error, and no progress bars
    #[arg(long, short, help_heading = COMMON)]
    pub quiet: bool,
    /// Print the result as JSON instead of text
    #[arg(long, help_heading = COMMON)]
    pub json: bool,
}

impl Output {
    /// Prints a result on standard output: `value` with `--json`, else `text`.
    ///
    /// # Errors
    /// When standard output cannot be written. A reader that went away is not an error.
    pub fn print(self, value: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.json {
            print_json(value)
        } else {
            print_text(text)
        }
    }
}

/// Prints a value on standard output as indented JSON.
///
/// # Errors
/// When standard output cannot be written. A reader that went away is not an error.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&as_printed(serde_json::to_string_pretty(value)?))
}

/// Whether anyone still reads standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// As far as one can know.
    There,
    /// It has gone away, as `head` does when it has seen enough.
    Gone,
}

/// Prints values on standard output as JSON, one per line, of a result that goes on.
///
/// # Errors
/// When standard output cannot be written. A reader that went away is not an error.
pub fn stream_json(values: &[impl Serialize]) -> anyhow::Result<Reader> {
    let mut lines = String::new();
    for value in values {
        lines += &serde_json::to_string(value)?;
        lines.push('\n');
    }
    stream(&as_printed(lines))
}

/// Prints lines on standard output, [`escaped`], of a result that goes on.
///
/// # Errors
/// When standard output cannot be written. A reader that went away is not an error.
pub fn stream_text(text: &str) -> anyhow::Result<Reader> {
    stream(&escaped(text))
}

/// Prints lines on standard output, [`escaped`].
///
/// # Errors
/// When standard output cannot be written. A reader that went away is not an error.
pub fn print_text(text: &str) -> anyhow::Result<()> {
    print(&escaped(text))
}

/// JSON for programs to the last byte, and for a terminal without what it would obey.
fn as_printed(json: String) -> String {
    match io::stdout().is_terminal() {
        true => escaped_json(&json).into_owned(),
        false => json,
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    stream(&format!("{text}{end}"))?;
    Ok(())
}

fn stream(text: &str) -> anyhow::Result<Reader> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error.into()),
    }
}
