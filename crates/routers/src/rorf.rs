//! RoRF: a binary router that is a random forest.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use crate::{CheckedForestParams, Error, Forest, PairOutcome, Result};

/// The true scores of the two LLMs that a binary router chooses between; each of shape `(n_prompts)`, NaN where unknown.
#[derive(Debug, Clone, Copy)]
pub struct PairScores<'a> {
    /// The cheap LLM's.
    pub small: ArrayView1<'a, f32>,
    /// The expensive LLM's.
    pub large: ArrayView1<'a, f32>,
}

/// Scores each prompt by how likely the small LLM is to answer it right.
///
/// ```text
/// p(x) = P(both | x) + P(small only | x)
/// ```
///
/// The probabilities are those of a random forest ([`CheckedForestParams::fit`], which tells the cost) with the four classes of
/// [`PairOutcome`]: large only, neither, both, small only. A prompt goes to the small LLM where `p` reaches a threshold.
///
/// Source: Not-Diamond/RoRF; the reference's `rorf` in somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// Prompts on which one of the two scores is unknown are left out of the fit; the reference has no such prompts. The reference's forest has
/// no `max_depth`, because the one that has 20 is overwritten; Not-Diamond's own has it, draws all features and has seed 420. Both are settings here.
#[derive(Debug, Clone, PartialEq)]
pub struct Rorf {
    forest: Forest,
}

impl Rorf {
    /// Fits on embeddings of shape `(n_prompts, dim)` and the pair's scores. `on_progress` counts trees.
    ///
    /// # Errors
    /// [`Error::Shape`] when scores and embeddings differ in rows; [`Error::Empty`] when no prompt has both scores;
    /// [`Error::OneClass`] when all prompts have the same outcome; else as [`CheckedForestParams::fit`].
    pub fn fit(
        params: &CheckedForestParams,
        embeddings: ArrayView2<'_, f32>,
        scores: PairScores<'_>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        let n_prompts = embeddings.nrows();
        for (what, scores) in [("small score", scores.small), ("large score", scores.large)] {
            if scores.len() != n_prompts {
                return Err(Error::Shape {
                    what,
                    expected: (n_prompts, 1),
                    found: (scores.len(), 1),
                });
            }
        }
        let outcomes = scores.small.iter().zip(scores.large);
        let (known, labels): (Vec<usize>, Vec<u8>) = outcomes
            .map(|(&small, &large)| PairOutcome::of(small, large))
            .enumerate()
            .filter_map(|(prompt, outcome)| Some((prompt, outcome?.label())))
            .unzip();
        let n_classes = PairOutcome::ALL.len();
        // The common case has no unknown score, and then the matrix, by far the largest thing here, is not copied.
        let forest = if known.len() == n_prompts {
            params.fit(embeddings, &labels, n_classes, on_progress)?
        } else {
            let embeddings = embeddings.select(Axis(0), &known);
            params.fit(embeddings.view(), &labels, n_classes, on_progress)?
        };
        Ok(Self { forest })
    }

    /// A router with a forest that was fitted before.
    ///
    /// # Errors
    /// [`Error::NotAPair`] unless it has the four classes.
    pub fn from_forest(forest: Forest) -> Result<Self> {
        let (n_classes, expected) = (forest.n_classes(), PairOutcome::ALL.len());
        if n_classes != expected {
            return Err(Error::NotAPair {
                n_classes,
                expected,
            });
        }
        Ok(Self { forest })
    }

    /// The forest, to be stored.
    pub fn forest(&self) -> &Forest {
        &self.forest
    }

    /// The probability that the small LLM answers right, for embeddings of shape `(n_prompts, dim)`; shape `(n_prompts)`, in [0, 1].
    ///
    /// # Errors
    /// As [`Forest::predict_proba`].
    pub fn predict(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        let probabilities = self.forest.predict_proba(embeddings)?;
        let [both, small_only] = [PairOutcome::Both, PairOutcome::SmallOnly]
            .map(|outcome| probabilities.column(outcome.label().into()));
        // Shares are rounded to float32, so that a sum of two may exceed 1 by a little.
        Ok((&both + &small_only).mapv(|p| p.min(1.0)))
    }
}
