//! Draws the figures and writes the tables.
//!
//! In come data sets, the predictions made for them and embeddings; out go figures (SVG, PDF, PNG), the CSV that each was drawn from, tables in
//! Markdown and CSV, and report.html. Must not know how a prediction was made, compute a metric or a spectrum, or draw a line: the first is in
//! the files, the second in `evaluation`, the third in `intrinsic-dimension`, the last in `charts`.
//!
//! The modules are layers, and a file uses only files of its own layer and of those below; no two files use each other.
//!
//! ```text
//! cli        arguments as typed and checked; which data sets; the run
//! products   a file or folder per figure and table; `catalog` has a row for each
//! page       report.html
//! output     files written and skipped, tables, what each file was made from
//! data       what is read, who is compared and under which name and color, what that is worth
//! settings   configs/plots.toml, the names of products, the job
//! ```
//!
//! A new figure is a variant and a row in `settings/product.rs`, a row in `products/catalog.rs`, and a module in `products`.

mod cli;
mod data;
mod output;
mod page;
mod products;
mod settings;

use std::process::ExitCode;

use tracing::info;

use crate::{
    cli::{args::Args, run::run},
    output::outcome::Report,
    settings::job::Job,
};

/// The program: reads the command line, draws and writes, prints the paths written, and says which one to open. Exit codes are those of [`cli_support::run`].
pub fn main() -> ExitCode {
    cli_support::run(Args::is_quiet, |args| {
        let job = Job::new(args)?;
        let Report { written, failed } = run(&job)?;
        let lines: Vec<String> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if !lines.is_empty() {
            job.output.print(&lines, &lines.join("\n"))?;
        }
        // Comes last, where people look; among the paths for programs it is one of many.
        if let Some(report) = written.iter().find(|path| path.ends_with("report.html")) {
            info!("open `{}` in a browser", report.display());
        }
        match failed.len() {
            0 => Ok(()),
            1 => Err(only(failed)),
            n => Err(listed(n, &failed)),
        }
    })
}

/// What failed, where it is one thing.
fn only(mut failed: Vec<(String, anyhow::Error)>) -> anyhow::Error {
    let (what, error) = failed.remove(0);
    error.context(format!("cannot make `{what}`"))
}

/// All that failed, each with its reason; the rest was made.
fn listed(n: usize, failed: &[(String, anyhow::Error)]) -> anyhow::Error {
    let each = failed.iter();
    let each: Vec<String> = each
        .map(|(what, error)| format!("`{what}`: {error:#}"))
        .collect();
    anyhow::anyhow!("{n} could not be made: {}", each.join("; "))
}
