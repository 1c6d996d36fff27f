use dataset::train_test_split;
use evaluation::{
    Truth,
    baseline::{best_single, oracle, single_models},
};
use ndarray::Array2;
use serde::Serialize;

use crate::config::Config;

/// What no router has to learn: the figures that a data set and its split alone decide.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Summary {
    /// The LLM with the largest mean score on the test rows.
    pub(crate) best_single: String,
    /// That mean.
    pub(crate) best_single_score: f64,
    /// Mean over the test rows of the best score that any LLM has.
    pub(crate) oracle: f64,
    /// Each LLM's mean score on the test rows, in their order.
    pub(crate) accuracies: Vec<f64>,
}

/// Test rows of all documents.
pub(crate) fn test_rows(config: &Config, n_documents: usize) -> anyhow::Result<Vec<u32>> {
    Ok(train_test_split(n_documents, config.test_size, config.seed)?.test)
}

impl Summary {
    /// Of one column of scores per LLM. Unknown scores (NaN) are left out; of equally good LLMs the first one is named.
    pub(crate) fn of(models: &[&str], columns: &[impl AsRef<[f64]>], rows: &[u32]) -> Self {
        let shape = (rows.len(), models.len());
        let scores =
            Array2::from_shape_fn(shape, |(i, m)| columns[m].as_ref()[rows[i] as usize] as f32);
        // The figures are of scores alone. A cost of 0 for all makes every known score count, and decides nothing.
        let cost_usd = Array2::zeros(shape);
        // Without an LLM that has all tasks there are no figures.
        let truth = Truth::new(scores.view(), cost_usd.view()).ok();
        let accuracies = truth.iter().flat_map(single_models);
        let accuracies = accuracies.map(|point| point.map_or(f64::NAN, |point| point.accuracy));
        let best = truth.as_ref().and_then(best_single);
        Self {
            best_single: best.map_or("", |(m, _)| models[m]).to_owned(),
            best_single_score: best.map_or(f64::NAN, |(_, point)| point.accuracy),
            oracle: truth
                .as_ref()
                .and_then(oracle)
                .map_or(f64::NAN, |point| point.accuracy),
            accuracies: accuracies.collect(),
        }
    }

    /// A line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "best single LLM {:.5} (`{}`), oracle {:.5}",
            self.best_single_score, self.best_single, self.oracle
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_llm_and_the_oracle_are_of_the_rows_asked_for() {
        let nan = f64::NAN;
        let columns = [
            vec![1.0, 0.0, 0.0, nan],
            vec![0.0, 1.0, 0.0, 1.0],
            vec![1.0, nan, nan, nan],
        ];
        let summary = |rows: &[u32]| {
            let Summary {
                best_single,
                best_single_score,
                oracle,
                ..
            } = Summary::of(&["a", "b", "c"], &columns, rows);
            (best_single, best_single_score, oracle)
        };
        assert_eq!(summary(&[0, 1, 2]), ("c".to_owned(), 1.0, 2.0 / 3.0));
        assert_eq!(summary(&[1, 2, 3]), ("b".to_owned(), 2.0 / 3.0, 2.0 / 3.0));
        assert_eq!(
            summary(&[2]),
            ("a".to_owned(), 0.0, 0.0),
            "the first of equals"
        );
        let accuracies = Summary::of(&["a", "b", "c"], &columns, &[0, 1]).accuracies;
        assert_eq!(accuracies, [0.5, 0.5, 1.0]);
    }
}
