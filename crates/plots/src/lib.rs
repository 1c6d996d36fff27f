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

mod cli;
mod data;
mod output;
mod page;
mod products;
mod settings;

pub use crate::{
    cli::{args::Args, run::run},
    settings::job::Job,
};
