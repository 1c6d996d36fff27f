use std::io::{self, Write as _};

use serde::Serialize;

/// `--quiet` and `--json`. Flatten it into a program's own arguments.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Output {
    /// Only warnings and errors on standard error, and no progress bars
    #[arg(long, short)]
    pub quiet: bool,
    /// Print the result as JSON instead of text
    #[arg(long)]
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
    print_text(&serde_json::to_string_pretty(value)?)
}

/// Prints lines on standard output.
///
/// # Errors
/// When standard output cannot be written. A reader that went away is not an error.
pub fn print_text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{end}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
