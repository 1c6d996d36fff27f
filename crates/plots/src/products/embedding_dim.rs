//! How many dimensions embeddings use.

mod csv;
mod embeddings;
mod panels;

use anyhow::Context as _;
use charts::panels::PanelFigure;
use dataset::DatasetDir;
use tracing::info;

use crate::{
    data::inputs,
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

pub(super) fn make(job: &Job, dir: &DatasetDir, outcome: &mut Outcome) -> anyhow::Result<()> {
    let cure = || {
        format!(
            "fit a router that needs embeddings, which computes them: `{}`",
            inputs::command(dir.name())
        )
    };
    let found = embeddings::embedders(dir)?;
    let wanted: Vec<String> = job
        .embeddings
        .as_ref()
        .map_or_else(|| found.clone(), |names| names.iter().cloned().collect());
    if wanted.is_empty() {
        let what = format!("{}/{}", dir.name(), stem(job, dir, "EMBEDDER"));
        outcome.skip(what, "the data set has no embeddings", cure());
    }
    for embedder in wanted {
        // A name that was typed and is wrong must not stop the embedders that exist.
        if !found.contains(&embedder) {
            let what = format!("{}/{}", dir.name(), stem(job, dir, &embedder));
            let why = format!(
                "the data set has no embeddings of that name; it has {}",
                found.join(", ")
            );
            outcome.skip(what, why, cure());
            continue;
        }
        info!("analyzing the embeddings `{embedder}` of `{}`", dir.name());
        draw(job, dir, &embedder, outcome).with_context(|| {
            format!(
                "cannot draw the embeddings `{embedder}` of data set `{}`",
                dir.name()
            )
        })?;
    }
    Ok(())
}

fn draw(job: &Job, dir: &DatasetDir, embedder: &str, outcome: &mut Outcome) -> anyhow::Result<()> {
    let settings = &job.settings;
    let stem = stem(job, dir, embedder);
    let params = settings.embedding_dim.analysis.clone().check()?;
    // Hashed before they are read, for the reason given in `cli::run`.
    outcome.uses_inputs_of(Product::EmbeddingDim, dir, Some(embedder))?;
    let pooled = embeddings::pooled(dir, embedder)?;
    let dimension = match params.analyze(pooled.view()) {
        Ok(dimension) => dimension,
        // All prompts may have the same embedding, for example. The other data sets are still worth drawing.
        Err(error) => {
            outcome.skip(
                format!("{}/{stem}", dir.name()),
                error.to_string(),
                "try the embeddings of another embedder",
            );
            return Ok(());
        }
    };
    let (title, panels) = panels::panels(
        &dimension,
        dir.name(),
        embedder,
        params.params(),
        settings.max_ticks,
    );
    let figure = PanelFigure {
        title: &title,
        // Every panel has one line of its own.
        key: &[],
        panels: &panels,
    };
    let csv = csv::csv(&dimension);
    for &look in &job.looks {
        let svg = figure.draw(look, settings.embedding_dim.page, &settings.style())?;
        outcome.write_figure(job, dir.name(), look, &stem, &svg, &csv)?;
    }
    Ok(())
}

/// `embedding_dim-EMBEDDER`.
fn stem(job: &Job, dir: &DatasetDir, embedder: &str) -> String {
    let stem = job.settings.stem(Product::EmbeddingDim, dir.name());
    format!("{stem}-{embedder}")
}
