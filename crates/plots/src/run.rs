//! The work itself: data sets in, files out.

use std::path::PathBuf;

use anyhow::Context as _;
use dataset::{DatasetDir, write_atomically};
use tracing::{info, warn};

use crate::{
    args::{Format, Job},
    figure,
    inputs::{self, Inputs},
    render, reports,
    results::Results,
};

/// Draws all figures and writes all tables; returns the paths written.
///
/// # Errors
/// When data sets or predictions cannot be read or evaluated, or a file cannot be written.
pub(crate) fn run(job: &Job) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut all = Vec::new();
    for dir in inputs::datasets(&job.data_dir, job.datasets.as_ref())? {
        info!("drawing `{}`", dir.name());
        all.push(
            draw(job, &dir, &mut written)
                .with_context(|| format!("cannot draw data set `{}`", dir.name()))?,
        );
    }
    all.extend(others(job, &all)?);
    all.sort_by(|a, b| a.dataset.cmp(&b.dataset));
    let table = reports::knn_accuracy_table(&all);
    if !table.rows.is_empty() {
        write(
            job.plots_dir.join("knn_accuracy_table.md"),
            table.markdown().as_bytes(),
            &mut written,
        )?;
        write(
            job.plots_dir.join("knn_accuracy_table.csv"),
            table.csv().as_bytes(),
            &mut written,
        )?;
    }
    Ok(written)
}

/// Results of the data sets that were not to be drawn: the table spans all, so that drawing one does not drop the rows of the others.
fn others(job: &Job, drawn: &[Results]) -> anyhow::Result<Vec<Results>> {
    let mut others = Vec::new();
    for dir in inputs::with_predictions(&job.data_dir)? {
        if drawn.iter().any(|results| results.dataset == dir.name()) {
            continue;
        }
        match Inputs::read(&dir).and_then(|inputs| Results::new(&inputs)) {
            Ok(results) => others.push(results),
            Err(error) => warn!("leaving `{}` out of the table: {error:#}", dir.name()),
        }
    }
    Ok(others)
}

fn draw(job: &Job, dir: &DatasetDir, written: &mut Vec<PathBuf>) -> anyhow::Result<Results> {
    let results = Results::new(&Inputs::read(dir)?)?;
    let scene = results.scene(job.settings.mixture);
    let figure = figure::draw(&scene, &job.settings)?;
    let folder = job.plots_dir.join(dir.name());
    for format in &job.formats {
        match format {
            Format::Svg => write(
                folder.join("accuracy_cost.svg"),
                figure.svg.as_bytes(),
                written,
            )?,
            Format::Pdf => write(
                folder.join("accuracy_cost.pdf"),
                &render::pdf(&figure.svg)?,
                written,
            )?,
            Format::Png => {
                write(
                    folder.join("accuracy_cost.png"),
                    &render::png(&figure.svg, job.settings.png_dpi)?,
                    written,
                )?;
            }
        }
    }
    let csv = reports::figure_csv(&scene, &figure.drawn_points);
    write(folder.join("accuracy_cost.csv"), csv.as_bytes(), written)?;
    let table = reports::method_table(&results);
    write(
        folder.join("table.md"),
        table.markdown().as_bytes(),
        written,
    )?;
    write(folder.join("table.csv"), table.csv().as_bytes(), written)?;
    Ok(results)
}

fn write(path: PathBuf, bytes: &[u8], written: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    write_atomically(&path, bytes)?;
    written.push(path);
    Ok(())
}
