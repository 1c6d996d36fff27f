//! How fast CARROT (KNN) learns, of the folders that rate-study made.

mod figures;
mod table;

use charts::panels::PanelFigure;
use dataset::{DatasetDir, RateStudy};
use tracing::info;

use crate::{
    data::inputs,
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

/// A figure for each problem and the table, of every study, or of those among the named ones.
pub(super) fn make(job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    let stem = Product::RateOptimality.name();
    let mut names = inputs::rate_studies(&job.data_dir)?;
    if let Some(named) = &job.datasets {
        names.retain(|name| named.contains(name));
    }
    // Named data sets are usually not studies, so a missing study is reported only where nothing else was asked for.
    if names.is_empty() && (job.datasets.is_none() || job.wanted.len() == 1) {
        outcome.skip(
            format!("rate-study/{stem}"),
            "no rate-study.json was found",
            "create one with `cargo run -p rate-study`",
        );
    }
    for name in names {
        let made = draw(job, &name, outcome);
        outcome.note(&format!("{name}/{stem}"), made)?;
    }
    Ok(())
}

/// The figures and the table of one study.
fn draw(job: &Job, name: &str, outcome: &mut Outcome) -> anyhow::Result<()> {
    info!("drawing the study `{name}`");
    let stem = Product::RateOptimality.name();
    let dir = DatasetDir::new(&job.data_dir, name);
    outcome.uses_inputs_of(Product::RateOptimality, &dir, None)?;
    let study = RateStudy::read(&dir.rate_study())?;
    for figure in figures::figures(&study) {
        let stem = format!("{stem}-{}", figure.problem);
        let panels = PanelFigure {
            title: &figure.title,
            key: &figures::KEY.map(|series| series.named_line()),
            panels: &figure.panels,
        };
        let csv = figure.csv();
        for &look in &job.looks {
            let svg = panels.draw(look, job.settings.rate_optimality, &job.settings.style())?;
            outcome.write_figure(job, name, look, &stem, &svg, &csv)?;
        }
    }
    outcome.write_table(&job.folder(name), stem, &table::table(&study))
}
