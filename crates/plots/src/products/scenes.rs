//! Accuracy-cost figures: drawn in all looks and formats that are asked for, with their numbers.

use super::figure_csv::figure_csv;
use crate::{figure, output::outcome::Outcome, scene::Scene, settings::job::Job};

/// Draws scenes side by side, in all looks and formats that are asked for, and the CSV of what was drawn. The first scene says whose figure
/// it is.
///
/// # Errors
/// When it cannot be drawn or written.
pub(crate) fn draw(
    job: &Job,
    stem: &str,
    scenes: &[Scene],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let dataset = &scenes[0].dataset;
    if scenes.iter().all(Scene::is_empty) {
        outcome.skip(
            format!("{dataset}/{stem}"),
            "no prompt of the test split has both a score and a cost of any LLM",
            "make the data set anew with the gen-* program that it came from",
        );
        return Ok(());
    }
    for &look in &job.looks {
        let figure = figure::draw(scenes, look, &job.settings)?;
        let csv = figure_csv(scenes, &figure.drawn_points);
        outcome.write_figure(job, dataset, look, stem, &figure.svg, &csv)?;
    }
    Ok(())
}
