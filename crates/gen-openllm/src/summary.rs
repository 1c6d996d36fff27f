use dataset::train_test_split;
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
    pub(crate) fn of(models: &[&str], columns: &[Vec<f64>], rows: &[u32]) -> Self {
        let mean = |scores: &mut dyn Iterator<Item = f64>| {
            let (sum, n) = scores
                .filter(|score| !score.is_nan())
                .fold((0.0, 0_u32), |(sum, n), score| (sum + score, n + 1));
            sum / f64::from(n)
        };
        let of_column = |column: &Vec<f64>| mean(&mut rows.iter().map(|&row| column[row as usize]));
        let accuracies: Vec<f64> = columns.iter().map(of_column).collect();
        let mut best = ("", f64::NAN);
        for (&model, &score) in models.iter().zip(&accuracies) {
            if best.1.is_nan() || score > best.1 {
                best = (model, score);
            }
        }
        // `f64::max` passes over NaN.
        let highest = |&row: &u32| {
            columns
                .iter()
                .map(|column| column[row as usize])
                .fold(f64::NAN, f64::max)
        };
        Self {
            best_single: best.0.to_owned(),
            best_single_score: best.1,
            oracle: mean(&mut rows.iter().map(highest)),
            accuracies,
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
