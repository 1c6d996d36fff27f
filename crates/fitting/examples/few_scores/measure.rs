use std::error::Error;

use dataset::{
    DatasetInfo, PartTable, Predictions, TablePropensities,
    worth::{self, best_constant, utility},
};
use fitting::{BUILT_IN, Learner, LearnerParams, Prepared, Settings};
use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _, seq::index::sample};
use rand_chacha::ChaCha8Rng;
use routers::{Rows, Selection};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SEED: u64 = 42;

pub(crate) struct Tables {
    pub(crate) info: DatasetInfo,
    pub(crate) train: PartTable,
    pub(crate) test: PartTable,
    /// Of the train part: equal prompts are in one.
    pub(crate) groups: Vec<usize>,
    pub(crate) train_embeddings: Array2<f32>,
    pub(crate) test_embeddings: Array2<f32>,
}

pub(crate) struct Few {
    /// Of its train scores that an LLM keeps.
    pub(crate) share: f64,
    /// LLMs that are tried: those with the most choices when all scores are known.
    pub(crate) n_llms: usize,
    pub(crate) n_draws: u64,
}

/// What a router's choices get on the test part.
struct Routed {
    /// Mean utility over the worths of each prompt; NaN where a choice is not known.
    utilities: Vec<f64>,
    /// Share of choices by LLM, over prompts and worths.
    shares: Vec<f64>,
}

impl Tables {
    fn params() -> Result<LearnerParams> {
        let settings: Settings = toml::from_str(BUILT_IN)?;
        Ok(settings.learners()?)
    }

    fn prepare(&self, params: &LearnerParams, learner: Learner) -> Result<Prepared<'_>> {
        let rows = Rows {
            embeddings: self.train_embeddings.view(),
            groups: Some(&self.groups),
        };
        Ok(params.prepare(learner, rows, &|_| ())?)
    }

    fn worths(&self) -> Vec<f64> {
        let mean = |column: ndarray::ArrayView1<'_, f64>| {
            let known = || column.iter().filter(|cost| !cost.is_nan());
            known().sum::<f64>() / known().count() as f64
        };
        worth::grid(&self.test.cost_usd.map_axis(Axis(0), mean).to_vec())
    }

    /// Fits to the LLMs of `models` in a train part, and routes the test part.
    fn route(
        &self,
        prepared: &Prepared<'_>,
        train: &PartTable,
        models: &[usize],
    ) -> Result<Routed> {
        let (train, test) = (only(train, models), only(&self.test, models));
        let mut info = self.info.clone();
        info.models = models
            .iter()
            .map(|&m| self.info.models[m].clone())
            .collect();
        info.pair = None;
        let fitted = prepared.fit(&train, &info, &|_| ())?;
        let predicted = fitted.predictions(self.test_embeddings.view(), &test, &info, &|_| ())?;
        let Predictions::PerModel(predicted) = predicted else {
            return Err("a router of a pair does not choose among all LLMs".into());
        };
        let worths = self.worths();
        let mut routed = Routed {
            utilities: Vec::new(),
            shares: vec![0.0; self.train.models.len()],
        };
        let each = 1.0 / (worths.len() * test.n_prompts()) as f64;
        for row in 0..test.n_prompts() {
            let mut sum = 0.0;
            for &v in &worths {
                let scores: Vec<f64> = predicted.scores.row(row).mapv(f64::from).to_vec();
                let costs = predicted.cost_usd.row(row).to_vec();
                let choice = best_constant(&scores, &costs, v);
                let Some(m) = choice else {
                    sum = f64::NAN;
                    continue;
                };
                routed.shares[models[m]] += each;
                sum += utility(f64::from(test.scores[[row, m]]), test.cost_usd[[row, m]], v);
            }
            routed.utilities.push(sum / worths.len() as f64);
        }
        Ok(routed)
    }

    /// What the best single LLM of a train part gets on the test part.
    fn best_single(&self, train: &PartTable) -> Vec<f64> {
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let known: Vec<f64> = values.filter(|it| !it.is_nan()).collect();
            known.iter().sum::<f64>() / known.len() as f64
        };
        let models = 0..train.models.len();
        let scores: Vec<f64> = (models.clone())
            .map(|m| mean(&mut train.scores.column(m).iter().map(|&it| f64::from(it))))
            .collect();
        let costs: Vec<f64> = models
            .map(|m| mean(&mut train.cost_usd.column(m).iter().copied()))
            .collect();
        let worths = self.worths();
        let of_row = |row: usize| {
            let of = |&v: &f64| {
                best_constant(&scores, &costs, v).map_or(f64::NAN, |m| {
                    utility(
                        f64::from(self.test.scores[[row, m]]),
                        self.test.cost_usd[[row, m]],
                        v,
                    )
                })
            };
            worths.iter().map(of).sum::<f64>() / worths.len() as f64
        };
        (0..self.test.n_prompts()).map(of_row).collect()
    }
}

/// Routing with an LLM that has a share of its scores, with one that has all, and without it: differences of mean utility over the grid of worths.
pub(crate) fn few_scores(tables: &Tables, learner: Learner, few: &Few) -> Result<Value> {
    let params = Tables::params()?;
    let complete = params.resolved(&tables.train, &tables.info);
    let complete = tables.prepare(&complete, learner)?;
    // What `auto` is for a table with unknown scores.
    let mut sparse = params.clone();
    sparse.knn = sparse.knn.selecting(Selection::R2);
    let sparse = tables.prepare(&sparse, learner)?;
    let n_models = tables.train.models.len();
    let all: Vec<usize> = (0..n_models).collect();
    let with_all = tables.route(&complete, &tables.train, &all)?;
    let mut by_share = all.clone();
    by_share.sort_by(|&a, &b| with_all.shares[b].total_cmp(&with_all.shares[a]));
    let mut found = Vec::new();
    for &m in by_share.iter().take(few.n_llms) {
        let others: Vec<usize> = all.iter().copied().filter(|&other| other != m).collect();
        let without = tables.route(&complete, &tables.train, &others)?;
        for draw in 0..few.n_draws {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED + 1_000 * draw + m as u64);
            let n_rows = tables.train.n_prompts();
            let n_kept = (few.share * n_rows as f64).round() as usize;
            let kept = sample(&mut rng, n_rows, n_kept).into_vec();
            let mut is_known = Array2::from_elem((n_rows, n_models), true);
            is_known.column_mut(m).fill(false);
            kept.iter().for_each(|&row| is_known[[row, m]] = true);
            let routed = tables.route(&sparse, &hidden(&tables.train, &is_known), &all)?;
            let (gain, standard_error) = difference(&routed.utilities, &without.utilities);
            let (gain_with_all, _) = difference(&with_all.utilities, &without.utilities);
            found.push(json!({
                "llm": tables.train.models[m], "draw": draw, "n-scores": n_kept,
                "gain": gain, "standard-error": standard_error, "gain-with-all": gain_with_all,
                "share": routed.shares[m], "share-with-all": with_all.shares[m],
            }));
        }
    }
    Ok(json!(found))
}

/// Routing by a log of one answer per prompt, each by an LLM at random: gains over the best single LLM of the log's means, as the fit is now and in the
/// paper's way.
pub(crate) fn one_per_prompt(tables: &Tables, learner: Learner, n_draws: u64) -> Result<Value> {
    let all: Vec<usize> = (0..tables.train.models.len()).collect();
    let mut found = Vec::new();
    let selections = match learner {
        Learner::Knn => vec![Selection::Paper, Selection::R2],
        _ => vec![Selection::R2],
    };
    for selection in selections {
        let mut params = Tables::params()?;
        params.knn = params.knn.selecting(selection);
        let prepared = tables.prepare(&params, learner)?;
        for draw in 0..n_draws {
            let mut rng = ChaCha8Rng::seed_from_u64(SEED + draw);
            let mut is_known = Array2::from_elem(tables.train.scores.dim(), false);
            for mut row in is_known.outer_iter_mut() {
                row[rng.random_range(0..all.len())] = true;
            }
            let log = hidden(&tables.train, &is_known);
            let routed = tables.route(&prepared, &log, &all)?;
            let single = tables.best_single(&log);
            let (gain, standard_error) = difference(&routed.utilities, &single);
            found.push(json!({
                "selection": selection, "draw": draw, "gain": gain, "standard-error": standard_error,
            }));
        }
    }
    Ok(json!(found))
}

/// The mean of paired differences over prompts where both are known, and its standard error.
fn difference(ours: &[f64], theirs: &[f64]) -> (f64, f64) {
    let differences = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs);
    let known: Vec<f64> = differences.filter(|it| !it.is_nan()).collect();
    let n = known.len() as f64;
    let mean = known.iter().sum::<f64>() / n;
    let squares: f64 = known.iter().map(|it| (it - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}

/// A part without what is not known of it.
fn hidden(table: &PartTable, is_known: &Array2<bool>) -> PartTable {
    let mut table = table.clone();
    for (at, _) in is_known.indexed_iter().filter(|(_, is_known)| !**is_known) {
        table.scores[at] = f32::NAN;
        table.cost_usd[at] = f64::NAN;
        if let Some(tokens) = &mut table.output_tokens {
            tokens[at] = f64::NAN;
        }
    }
    table
}

/// Some LLMs of a part.
fn only(table: &PartTable, models: &[usize]) -> PartTable {
    let of = |values: &Array2<f64>| values.select(Axis(1), models);
    PartTable {
        models: models.iter().map(|&m| table.models[m].clone()).collect(),
        scores: table
            .scores
            .select(Axis(1), models)
            .as_standard_layout()
            .into_owned(),
        input_tokens: table.input_tokens.as_ref().map(of),
        output_tokens: table.output_tokens.as_ref().map(of),
        cost_usd: of(&table.cost_usd),
        propensities: (table.propensities.as_ref())
            .map(|it| TablePropensities::recorded(of(&it.values))),
        ..table.clone()
    }
}
