//! The work itself: data sets in, files out.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dataset::{DatasetDir, RateStudy, write_atomically};
use tracing::{info, warn};

use crate::{
    args::{Format, Job, Product},
    dimension, figure,
    inputs::{self, Inputs},
    intervals::Intervals,
    panels, rate, reference, render, reports,
    results::Results,
    scene::Scene,
};

/// What a run leaves, and what it could not make.
#[derive(Debug, Default)]
struct Outcome {
    written: Vec<PathBuf>,
    skipped: Vec<Skipped>,
}

/// A figure that lacks its input.
#[derive(Debug)]
struct Skipped {
    /// Data set and name of the figure.
    what: String,
    why: String,
    /// What would make the input.
    cure: String,
}

/// Draws the figures and writes the tables that are asked for; returns the paths written. What was skipped is logged, with the command that
/// would make its input.
///
/// # Errors
/// When data sets or predictions cannot be read or evaluated, a file cannot be written, or nothing that was asked for can be made.
pub(crate) fn run(job: &Job) -> anyhow::Result<Vec<PathBuf>> {
    let mut outcome = Outcome::default();
    if job.wants_any(&Product::OF_PREDICTIONS) {
        of_predictions(job, &mut outcome)?;
    }
    if job.wants(Product::EmbeddingDim) {
        of_embeddings(job, &mut outcome)?;
    }
    if job.wants(Product::RateOptimality) {
        of_rate_studies(job, &mut outcome)?;
    }
    for skipped in &outcome.skipped {
        warn!(
            "skipping `{}`: {}; {}",
            skipped.what, skipped.why, skipped.cure
        );
    }
    if outcome.written.is_empty() {
        bail!("nothing could be made of what was asked for; the log says what is missing");
    }
    Ok(outcome.written)
}

/// Everything that is made of predictions.
fn of_predictions(job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for dir in inputs::datasets(&job.data_dir, job.datasets.as_ref())? {
        info!("drawing `{}`", dir.name());
        all.push(
            draw(job, &dir, outcome)
                .with_context(|| format!("cannot draw data set `{}`", dir.name()))?,
        );
    }
    if job.wants(Product::KnnAccuracyTable) {
        all.extend(others(job, &all)?);
        all.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        let table = reports::knn_accuracy_table(&all);
        if table.rows.is_empty() {
            outcome.skipped.push(Skipped {
                what: "knn_accuracy_table".to_owned(),
                why: "no data set has predictions of `carrot-knn`".to_owned(),
                cure: format!("make some with `{}`", inputs::command("NAME")),
            });
        } else {
            let path = |extension: &str| {
                job.plots_dir
                    .join(format!("knn_accuracy_table.{extension}"))
            };
            outcome.write(path("md"), table.markdown().as_bytes())?;
            outcome.write(path("csv"), table.csv().as_bytes())?;
        }
    }
    Ok(())
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

/// The figures of embeddings, for data sets with or without predictions.
fn of_embeddings(job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    for dir in inputs::named_or_all(&job.data_dir, job.datasets.as_ref())? {
        let skipped = |embedder: &str, why: String| Skipped {
            what: format!("{}/{}", dir.name(), stem(embedder)),
            why,
            cure: format!(
                "a router that needs embeddings makes them: `{}`",
                inputs::command(dir.name())
            ),
        };
        let found = dimension::embedders(&dir)?;
        let wanted: Vec<String> = job
            .embeddings
            .as_ref()
            .map_or_else(|| found.clone(), |names| names.iter().cloned().collect());
        if wanted.is_empty() {
            let why = "the data set has no embeddings".to_owned();
            outcome.skipped.push(skipped("EMBEDDER", why));
        }
        for embedder in wanted {
            if !found.contains(&embedder) {
                let why = format!(
                    "the data set has no embeddings of that name, but {}",
                    found.join(", ")
                );
                outcome.skipped.push(skipped(&embedder, why));
                continue;
            }
            info!("looking at the embeddings `{embedder}` of `{}`", dir.name());
            draw_embeddings(job, &dir, &embedder, outcome).with_context(|| {
                format!(
                    "cannot draw the embeddings `{embedder}` of data set `{}`",
                    dir.name()
                )
            })?;
        }
    }
    Ok(())
}

fn draw_embeddings(
    job: &Job,
    dir: &DatasetDir,
    embedder: &str,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let settings = &job.settings;
    let params = settings.embedding_dim.analysis.clone().check()?;
    let embeddings = dimension::pooled(dir, embedder)?;
    let dimension = match params.analyze(embeddings.view()) {
        Ok(dimension) => dimension,
        // All prompts alike, say: no reason to leave the other data sets out.
        Err(error) => {
            outcome.skipped.push(Skipped {
                what: format!("{}/{}", dir.name(), stem(embedder)),
                why: error.to_string(),
                cure: "embeddings of another embedder may do better".to_owned(),
            });
            return Ok(());
        }
    };
    let (title, panels) =
        dimension::panels(&dimension, dir.name(), embedder, params.params(), settings);
    let svg = panels::draw(&title, &[], &panels, settings.embedding_dim.page, settings)?;
    let folder = job.plots_dir.join(dir.name());
    outcome.write_figure(job, &folder, &stem(embedder), &svg)?;
    outcome.write(
        folder.join(format!("{}.csv", stem(embedder))),
        dimension::csv(&dimension).as_bytes(),
    )
}

/// The figures and the table of every study of rates, or of those named.
fn of_rate_studies(job: &Job, outcome: &mut Outcome) -> anyhow::Result<()> {
    let stem = Product::RateOptimality.name();
    let names = match &job.datasets {
        Some(names) => names.clone(),
        None => inputs::rate_studies(&job.data_dir)?,
    };
    let skipped = |name: &str| Skipped {
        what: format!("{name}/{stem}"),
        why: "there is no rate-study.json".to_owned(),
        cure: "make one with `cargo run -p rate-study`".to_owned(),
    };
    if names.is_empty() {
        outcome.skipped.push(skipped("STUDY"));
    }
    for name in names {
        let path = DatasetDir::new(&job.data_dir, &name).rate_study();
        if !path.is_file() {
            outcome.skipped.push(skipped(&name));
            continue;
        }
        info!("drawing the study `{name}`");
        let study = RateStudy::read(&path)?;
        let folder = job.plots_dir.join(&name);
        for figure in rate::figures(&study) {
            let stem = format!("{stem}-{}", figure.problem);
            let page = job.settings.rate_optimality;
            let svg = panels::draw(
                &figure.title,
                &rate::KEY,
                &figure.panels,
                page,
                &job.settings,
            )?;
            outcome.write_figure(job, &folder, &stem, &svg)?;
            outcome.write(folder.join(format!("{stem}.csv")), figure.csv.as_bytes())?;
        }
        let table = rate::table(&study);
        outcome.write(
            folder.join(format!("{stem}.md")),
            table.markdown().as_bytes(),
        )?;
        outcome.write(folder.join(format!("{stem}.csv")), table.csv().as_bytes())?;
    }
    Ok(())
}

/// `embedding_dim-EMBEDDER`.
fn stem(embedder: &str) -> String {
    format!("{}-{embedder}", Product::EmbeddingDim.name())
}

/// Everything about one data set.
fn draw(job: &Job, dir: &DatasetDir, outcome: &mut Outcome) -> anyhow::Result<Results> {
    let inputs = Inputs::read(dir)?;
    let results = Results::new(&inputs)?;
    let folder = job.plots_dir.join(dir.name());
    if job.wants(Product::AccuracyCost) {
        let scene = results.accuracy_cost(job.settings.mixture);
        outcome.draw(job, &folder, &Product::AccuracyCost.name(), &scene)?;
    }
    if job.wants(Product::Table) {
        let table = reports::method_table(&results);
        outcome.write(folder.join("table.md"), table.markdown().as_bytes())?;
        outcome.write(folder.join("table.csv"), table.csv().as_bytes())?;
    }
    if job.wants(Product::MetricsTable) {
        let intervals = Intervals::new(&inputs, job.settings.bootstrap)?;
        for (file, text) in [
            ("metrics_table.md", reports::metrics_markdown(&intervals)),
            ("metrics_table.csv", reports::metrics_csv(&intervals)),
            (
                "metrics_differences.csv",
                reports::differences_csv(&intervals),
            ),
        ] {
            outcome.write(folder.join(file), text.as_bytes())?;
        }
    }
    if job.wants(Product::VsRbZero) {
        match results.vs_rb_zero() {
            Some(scene) => outcome.draw(job, &folder, &Product::VsRbZero.name(), &scene)?,
            None => outcome
                .skipped
                .push(Skipped::without_rule(&results, dir.name())),
        }
    }
    if job.wants(Product::VsRbZero) && job.reference_quirks {
        draw_reference(job, &inputs, &results, outcome)?;
    }
    Ok(results)
}

/// `vs_rb_zero` as the reference has it.
fn draw_reference(
    job: &Job,
    inputs: &Inputs,
    results: &Results,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let stem = format!("{}-reference", Product::VsRbZero.name());
    let Some(quirks) = job.settings.reference_quirks.get(&inputs.name) else {
        outcome.skipped.push(Skipped {
            what: format!("{}/{stem}", inputs.name),
            why: "the reference has no such figure".to_owned(),
            cure: format!(
                "`[reference-quirks.{}]` in a file for --config makes one up",
                inputs.name
            ),
        });
        return Ok(());
    };
    // Without the rule `vs_rb_zero` itself was skipped, and the log says why.
    if let Some(scene) = reference::vs_rb_zero(inputs, results, quirks)? {
        outcome.draw(job, &job.plots_dir.join(&inputs.name), &stem, &scene)?;
    }
    Ok(())
}

impl Skipped {
    /// `vs_rb_zero` without the RouterBench rule.
    fn without_rule(results: &Results, dataset: &str) -> Self {
        let what = format!("{dataset}/{}", Product::VsRbZero.name());
        if results.has_per_model_router() {
            Self {
                what,
                why: "the RouterBench rule takes mean costs from train.parquet, which is not there or knows none".to_owned(),
                cure: "make the data set anew with the gen-* program that it came from".to_owned(),
            }
        } else {
            Self {
                what,
                why: "no router predicts the score of each LLM".to_owned(),
                cure: format!("make predictions with `{}`", inputs::command(dataset)),
            }
        }
    }
}

impl Outcome {
    /// Draws a scene in all formats that are asked for, and the CSV of what was drawn.
    fn draw(&mut self, job: &Job, folder: &Path, stem: &str, scene: &Scene) -> anyhow::Result<()> {
        let figure = figure::draw(scene, &job.settings)?;
        let csv = reports::figure_csv(scene, &figure.drawn_points);
        self.write_figure(job, folder, stem, &figure.svg)?;
        self.write(folder.join(format!("{stem}.csv")), csv.as_bytes())
    }

    fn write_figure(
        &mut self,
        job: &Job,
        folder: &Path,
        stem: &str,
        svg: &str,
    ) -> anyhow::Result<()> {
        for format in &job.formats {
            let path = folder.join(format!("{stem}.{}", format.extension()));
            match format {
                Format::Svg => self.write(path, svg.as_bytes())?,
                Format::Pdf => self.write(path, &render::pdf(svg)?)?,
                Format::Png => self.write(path, &render::png(svg, job.settings.png_dpi)?)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, path: PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
        write_atomically(&path, bytes)?;
        self.written.push(path);
        Ok(())
    }
}
