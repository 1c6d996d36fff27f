use std::{fmt::Write as _, path::PathBuf};

use dataset::{CostKind, DatasetDir, DatasetInfo, PartTable, router_names};
use serde::Serialize;

/// What is reported of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// The data set's name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Train rows.
    pub n_train: usize,
    /// Test rows.
    pub n_test: usize,
    /// Number of LLMs.
    pub n_models: usize,
    /// What an estimator has to predict to know a cost.
    pub cost_kind: CostKind,
    /// Unknown scores of all LLMs.
    pub n_unknown_scores: usize,
    /// Each LLM over both parts.
    pub models: Vec<ModelSummary>,
    /// What a reader of the numbers should know.
    pub notes: Vec<String>,
    /// The router that is fitted where none is named.
    pub default_router: &'static str,
}

/// One LLM over all rows of a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ModelSummary {
    /// The LLM.
    pub name: String,
    /// Mean of the known scores.
    pub mean_score: Option<f64>,
    /// Mean of the known costs, in US dollars.
    pub mean_cost_usd: Option<f64>,
    /// Rows without a score.
    pub n_unknown_scores: usize,
}

/// Adds up a data set's rows, piece by piece.
#[derive(Debug, Clone)]
pub struct Tally {
    models: Vec<Sums>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    scores: f64,
    n_scores: usize,
    cost_usd: f64,
    n_costs: usize,
    n_rows: usize,
}

impl Tally {
    /// No rows yet, for this number of LLMs.
    pub fn new(n_models: usize) -> Self {
        Self {
            models: vec![Sums::default(); n_models],
        }
    }

    /// Adds rows of either part.
    pub fn add(&mut self, rows: &PartTable) {
        for (m, sums) in self.models.iter_mut().enumerate() {
            sums.n_rows += rows.n_prompts();
            // Scores and costs are averaged over the rows where each is known, which need not be the same rows.
            for &score in rows.scores.column(m).iter().filter(|score| !score.is_nan()) {
                sums.scores += f64::from(score);
                sums.n_scores += 1;
            }
            for cost in rows.cost_usd.column(m).iter().filter(|cost| !cost.is_nan()) {
                sums.cost_usd += cost;
                sums.n_costs += 1;
            }
        }
    }

    /// The summary of a data set whose rows were all added.
    pub fn summary(&self, info: &DatasetInfo, dir: &DatasetDir) -> Summary {
        let mean = |sum: f64, n: usize| (n > 0).then(|| sum / n as f64);
        let models = info.models.iter().zip(&self.models);
        let models: Vec<ModelSummary> = models
            .map(|(model, sums)| ModelSummary {
                name: model.name.clone(),
                mean_score: mean(sums.scores, sums.n_scores),
                mean_cost_usd: mean(sums.cost_usd, sums.n_costs),
                n_unknown_scores: sums.n_rows - sums.n_scores,
            })
            .collect();
        Summary {
            name: info.name.clone(),
            path: dir.root().to_owned(),
            n_train: info.n_train,
            n_test: info.n_test,
            n_models: models.len(),
            cost_kind: info.cost_kind,
            n_unknown_scores: models.iter().map(|model| model.n_unknown_scores).sum(),
            models,
            notes: info.notes.clone(),
            default_router: router_names::default_router(info),
        }
    }
}

impl Summary {
    /// The summary for people: counts, a line per LLM, and the command that comes next, with the embeddings that it would use.
    pub fn text(&self, embedding: Option<&str>) -> String {
        let mut text = format!(
            "{}: {} train and {} test rows, {} LLMs, {} unknown scores; costs: {}\n\n",
            self.path.display(),
            self.n_train,
            self.n_test,
            self.n_models,
            self.n_unknown_scores,
            match self.cost_kind {
                CostKind::Known => "known in advance, from input tokens",
                CostKind::OutputTokens => "input and output tokens times prices",
                CostKind::Usd => "in dollars, as given",
            },
        );
        let names = self.models.iter().map(|model| model.name.chars().count());
        let width = names.max().unwrap_or(0).max("LLM".len());
        let mut line = |cells: [&str; 4]| {
            let [name, score, cost, unknown] = cells;
            writeln!(
                text,
                "{name:width$}  {score:>10}  {cost:>14}  {unknown:>14}"
            )
            .expect("writing to a string cannot fail");
        };
        line(["LLM", "mean score", "mean cost, $", "unknown scores"]);
        for model in &self.models {
            line([
                &model.name,
                &model
                    .mean_score
                    .map_or("-".to_owned(), |score| format!("{score:.4}")),
                &model
                    .mean_cost_usd
                    .map_or("-".to_owned(), |cost| format!("{cost:.3e}")),
                &model.n_unknown_scores.to_string(),
            ]);
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text.push_str(&format!(
            "\nnext: cargo run -p train-and-infer -- --dataset {} --routers {}",
            self.name, self.default_router
        ));
        // Without any, train-and-infer's default is meant.
        if let Some(embedding) = embedding {
            text.push_str(&format!(" --embedding {embedding}"));
        }
        text.push('\n');
        text
    }
}
