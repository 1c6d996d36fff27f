//! Draws the figures and writes the tables.
//!
//! In come data sets, the predictions made for them and embeddings, out go figures (SVG, PDF, PNG), the CSV that each was drawn from, and
//! tables in Markdown and CSV. Must not know how a prediction was made or compute a metric or a spectrum: the first is in the files, the
//! second in `evaluation`, the third in `intrinsic-dimension`.
//!
//! From data to page: `inputs` reads, `contenders` says who is compared, `results` evaluates and `intervals` resamples. `products` has what can
//! be made, a module each: a figure is a `scene` in data units, which `figure` lays out with `scales`, `legend`, `labels` and `key` and draws
//! with `axes` on a `canvas`; `render` turns the SVG into the other formats, `reports` and `tables` write the rest, and `outcome` keeps what was
//! written and what was skipped. The figure of embeddings goes from `dimension` to `panels` instead, that of a study of rates from `rate`. `page`
//! shows it all in a browser. Looks are in `theme` and configs/plots.toml.

mod alignment;
mod args;
mod axes;
mod axis;
mod canvas;
mod contenders;
mod dimension;
mod figure;
mod geometry;
mod inputs;
mod intervals;
mod key;
mod labels;
mod legend;
mod made_from;
mod marker;
mod outcome;
mod page;
mod panels;
mod products;
mod published;
mod rate;
mod reference;
mod regret;
mod render;
mod reports;
mod results;
mod run;
mod scales;
mod scene;
mod settings;
mod sources;
mod spider;
mod tables;
mod theme;

use std::process::ExitCode;

use crate::args::{Args, Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.output.quiet,
        |args| {
            let job = Job::new(args)?;
            let written = run::run(&job)?;
            let lines: Vec<String> = written
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            job.output.print(&lines, &lines.join("\n"))
        },
    )
}
