//! Accuracy-cost figures: drawn in all looks and formats that are asked for, with their numbers.

use charts::accuracy_cost::{self, Options, Scene};

use super::figure_csv::figure_csv;
use crate::{data::comparison::Comparison, output::outcome::Outcome, settings::job::Job};

/// Draws comparisons side by side, in all looks and formats that are asked for, and the CSV of what was drawn. The first says whose figure
/// it is.
///
/// # Errors
/// When it cannot be drawn or written.
pub(crate) fn draw(
    job: &Job,
    stem: &str,
    comparisons: &[Comparison],
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let dataset = &comparisons[0].dataset;
    // Empty axes would look like a mistake in the figure rather than in the data.
    if comparisons.iter().all(Comparison::is_empty) {
        outcome.skip(
            format!("{dataset}/{stem}"),
            "no prompt of the test split has both a score and a cost of any LLM",
            "regenerate the data set with the gen-* program that made it",
        );
        return Ok(());
    }
    let scenes: Vec<Scene> = comparisons.iter().map(Comparison::scene).collect();
    for &look in &job.looks {
        let options = Options {
            look,
            page: job.settings.page(look),
            style: job.settings.style(),
            rules: job.settings.scale_rules(),
        };
        let figure = accuracy_cost::draw(&scenes, &options)?;
        // Each look has a CSV of its own: their pages differ in size, and with it the points that make
        // a visible difference.
        let csv = figure_csv(comparisons, &figure.drawn_points);
        outcome.write_figure(job, dataset, look, stem, &figure.svg, &csv)?;
    }
    Ok(())
}
