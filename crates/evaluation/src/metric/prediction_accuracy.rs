use dataset::{CostKind, PartTable, PerModel};
use ndarray::Array2;

use crate::{
    Error, Predicted, Result, Truth,
    baseline::{best_single, oracle},
    metric::auc::auc,
    rule::argmax,
    sum::mean,
};

/// Above this a score counts as a right answer, as in the CARROT repository.
const RIGHT: f64 = 0.5;

/// How well a router predicts, one row of the CARROT repository's table of KNN accuracies.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionAccuracy {
    /// Test prompts that count: with a known score and cost of at least one LLM.
    pub n_test: usize,
    /// Number of LLMs.
    pub n_models: usize,
    /// Share of (prompt, LLM) pairs whose true and predicted score lie on the same side of .5: `mean((yhat > .5) == (y > .5))`.
    pub binarized_acc: f64,
    /// Mean absolute error over all pairs: `mean(|y - yhat|)`.
    pub score_mae: f64,
    /// Coefficient of determination over all pairs: `1 - sum((y - yhat)^2) / sum((y - mean(y))^2)`. Where all true scores are the same it
    /// is 1 for perfect predictions and 0 for others, as in scikit-learn.
    pub score_r2: f64,
    /// Mean over LLMs of the area under the ROC curve of the predicted score against `y > .5`, ties by their mean rank. LLMs that are always
    /// right or never are left out; `None` if that is all of them.
    pub mean_auc: Option<f64>,
    /// Mean true score of the LLM with the highest predicted score, the first of several.
    pub routing_acc: f64,
    /// Highest mean true score of any LLM.
    pub best_single: f64,
    /// Mean of the best true score of each prompt.
    pub oracle: f64,
    /// Mean absolute error of what was predicted in order to know the cost.
    pub cost_mae: Option<CostMae>,
}

/// A mean absolute error of costs, and its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostMae {
    /// `mean(|true - predicted|)` over all (prompt, LLM) pairs.
    pub mean: f64,
    /// What it counts.
    pub unit: CostUnit,
}

/// What an error of a predicted cost counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostUnit {
    /// US dollars per prompt.
    Usd,
    /// Output tokens per prompt.
    OutputTokens,
}

/// Compares predictions with a test part.
///
/// Definitions are those of the CARROT repository's `knn_accuracy_table`, with [`PredictionAccuracy::mean_auc`] added. Everything is taken
/// over what is known: score errors over the pairs with a known score and a finite prediction, cost errors likewise; `routing_acc` over the
/// prompts that count and among the LLMs that do and have a finite predicted score, whatever their predicted cost.
///
/// The cost error is `None` where there is nothing to predict ([`CostKind::Known`]), and where no pair has both values, such as output
/// tokens that were not recorded.
///
/// # Errors
/// [`Error::Empty`] or [`Error::Shape`] for matrices that do not fit; [`Error::NothingToChoose`] when no prompt has an LLM with known score
/// and cost and a finite predicted score.
///
/// # Deviations
/// None where all is known; the reference knows no missing values.
pub fn prediction_accuracy(
    split: &PartTable,
    predicted: &PerModel,
    cost_kind: CostKind,
) -> Result<PredictionAccuracy> {
    let truth = Truth::of(split)?;
    truth.check_fits(&Predicted::of(predicted)?)?;
    let nothing = || Error::NothingToChoose {
        n_prompts: truth.n_prompts(),
    };
    let pairs = pairs(&split.scores, &predicted.scores);
    let over_pairs = |of_pair: &dyn Fn(f64, f64) -> f64| {
        mean(pairs.iter().map(|&(y, y_hat)| of_pair(y, y_hat))).ok_or_else(nothing)
    };
    Ok(PredictionAccuracy {
        n_test: truth.n_scored_prompts(),
        n_models: truth.n_models(),
        binarized_acc: over_pairs(&|y, y_hat| f64::from((y_hat > RIGHT) == (y > RIGHT)))?,
        score_mae: over_pairs(&|y, y_hat| (y - y_hat).abs())?,
        score_r2: r2(
            over_pairs(&|y, y_hat| (y - y_hat).powi(2))?,
            variance(&pairs).ok_or_else(nothing)?,
        ),
        mean_auc: mean_auc(split, predicted),
        routing_acc: routing_acc(&truth, predicted).ok_or_else(nothing)?,
        best_single: best_single(&truth).ok_or_else(nothing)?.1.accuracy,
        oracle: oracle(&truth).ok_or_else(nothing)?.accuracy,
        cost_mae: cost_mae(split, predicted, cost_kind),
    })
}

/// True and predicted value wherever both are finite.
fn pairs<T, P>(truth: &Array2<T>, predicted: &Array2<P>) -> Vec<(f64, f64)>
where
    T: Copy + Into<f64>,
    P: Copy + Into<f64>,
{
    truth
        .iter()
        .zip(predicted)
        .map(|(&y, &y_hat)| (y.into(), y_hat.into()))
        .filter(|(y, y_hat)| y.is_finite() && y_hat.is_finite())
        .collect()
}

/// Variance of the true values.
fn variance(pairs: &[(f64, f64)]) -> Option<f64> {
    let center = mean(pairs.iter().map(|&(y, _)| y))?;
    mean(pairs.iter().map(|&(y, _)| (y - center).powi(2)))
}

fn r2(mean_squared_error: f64, variance: f64) -> f64 {
    // scikit-learn's `r2_score` for a constant truth: 1 for a perfect prediction, else 0.
    if variance > 0.0 {
        1.0 - mean_squared_error / variance
    } else if mean_squared_error > 0.0 {
        0.0
    } else {
        1.0
    }
}

fn mean_auc(split: &PartTable, predicted: &PerModel) -> Option<f64> {
    let columns = split.scores.columns().into_iter();
    mean(
        columns
            .zip(predicted.scores.columns())
            .filter_map(|(ys, y_hats)| {
                let labeled = ys
                    .iter()
                    .zip(y_hats)
                    .filter(|(y, y_hat)| y.is_finite() && y_hat.is_finite())
                    .map(|(&y, &y_hat)| (f64::from(y_hat), f64::from(y) > RIGHT));
                auc(labeled.collect())
            }),
    )
}

fn routing_acc(truth: &Truth<'_>, predicted: &PerModel) -> Option<f64> {
    mean((0..truth.n_prompts()).filter_map(|prompt_idx| {
        let choices: Vec<(f64, f64)> = truth
            .known(prompt_idx)
            .map(|(model_idx, score, _)| {
                (f64::from(predicted.scores[[prompt_idx, model_idx]]), score)
            })
            // Costs do not matter here: the column is the accuracy of routing by predicted score alone.
            .filter(|(predicted_score, _)| predicted_score.is_finite())
            .collect();
        let chosen = argmax(choices.iter().map(|&(predicted_score, _)| predicted_score))?;
        Some(choices[chosen].1)
    }))
}

fn cost_mae(split: &PartTable, predicted: &PerModel, cost_kind: CostKind) -> Option<CostMae> {
    let (pairs, unit) = match cost_kind {
        CostKind::Known => return None,
        CostKind::Usd => (pairs(&split.cost_usd, &predicted.cost_usd), CostUnit::Usd),
        CostKind::OutputTokens => (
            pairs(
                split.output_tokens.as_ref()?,
                predicted.output_tokens.as_ref()?,
            ),
            CostUnit::OutputTokens,
        ),
    };
    let mean = mean(pairs.into_iter().map(|(y, y_hat)| (y - y_hat).abs()))?;
    Some(CostMae { mean, unit })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const NAN: f32 = f32::NAN;

    fn split(scores: Array2<f32>, cost_usd: Array2<f64>) -> PartTable {
        let (n_prompts, n_models) = scores.dim();
        PartTable {
            ids: (0..n_prompts).map(|i| i.to_string()).collect(),
            tasks: vec!["task".to_owned(); n_prompts],
            prompts: vec!["prompt".to_owned(); n_prompts],
            models: (0..n_models).map(|m| format!("llm-{m}")).collect(),
            input_tokens: None,
            output_tokens: None,
            scores,
            cost_usd,
            propensities: None,
            kept: dataset::KeptColumns::default(),
        }
    }

    fn predictions(scores: Array2<f32>, cost_usd: Array2<f64>) -> PerModel {
        let (n_prompts, n_models) = scores.dim();
        PerModel {
            ids: (0..n_prompts).map(|i| i.to_string()).collect(),
            models: (0..n_models).map(|m| format!("llm-{m}")).collect(),
            output_tokens: None,
            scores,
            cost_usd,
        }
    }

    #[test]
    fn accuracies_by_hand() {
        // Errors .25, .5, .25, 1: mean .5, squares .0625 + .25 + .0625 + 1 = 1.375, mean .34375.
        // y: 1, .5, 0, 1: mean .625, squared distances .140625 + .015625 + .390625 + .140625 = .6875, mean .171875.
        // R2 = 1 - .34375 / .171875 = -1.
        // Sides of .5: (.75, 1) same; (1, .5): .5 is not above, differ; (.25, 0) same; (0, 1) differ.
        // LLM 0: positive .75 over negative .25, AUC 1. LLM 1: positive 0 below negative 1, AUC 0. Mean .5.
        // Argmax: prompt 1 takes LLM 1 (.5), prompt 2 LLM 0 (0): .25. Means .5 and .75; oracle (1 + 1) / 2.
        let truth = split(
            array![[1.0, 0.5], [0.0, 1.0]],
            array![[0.5, 1.0], [0.5, 1.0]],
        );
        let predicted = predictions(
            array![[0.75, 1.0], [0.25, 0.0]],
            array![[0.75, 1.0], [0.5, 2.0]],
        );
        let found = prediction_accuracy(&truth, &predicted, CostKind::Usd).expect("compared");
        assert_eq!(
            found,
            PredictionAccuracy {
                n_test: 2,
                n_models: 2,
                binarized_acc: 0.5,
                score_mae: 0.5,
                score_r2: -1.0,
                mean_auc: Some(0.5),
                routing_acc: 0.25,
                best_single: 0.75,
                oracle: 1.0,
                cost_mae: Some(CostMae {
                    mean: 1.25 / 4.0,
                    unit: CostUnit::Usd
                }),
            }
        );
    }

    #[test]
    fn the_unknown_is_left_out() {
        // Known pairs: (1, .75) and (0, .25). Prompt 3 counts for no LLM: it has no cost, but its score error counts: (1, .5).
        let truth = split(
            array![[1.0, NAN], [NAN, 0.0], [1.0, NAN]],
            array![[1.0, 1.0], [1.0, 1.0], [f64::NAN, 1.0]],
        );
        let predicted = predictions(
            array![[0.75, 0.9], [0.5, 0.25], [0.5, NAN]],
            array![[1.0, 1.0], [f64::NAN, f64::NAN], [1.0, 1.0]],
        );
        let found = prediction_accuracy(&truth, &predicted, CostKind::Known).expect("compared");
        assert_eq!((found.n_test, found.n_models), (2, 2));
        assert_eq!(found.score_mae, 1.0 / 3.0);
        assert_eq!(found.mean_auc, None, "each LLM has one class");
        assert_eq!(found.routing_acc, 0.5);
        assert_eq!((found.best_single, found.oracle), (1.0, 0.5));
        assert_eq!(found.cost_mae, None);
    }

    #[test]
    fn tied_true_scores_have_a_defined_r2() {
        let truth = split(array![[1.0, 1.0]], array![[1.0, 1.0]]);
        let r2 = |scores: Array2<f32>| {
            let predicted = predictions(scores, array![[1.0, 1.0]]);
            prediction_accuracy(&truth, &predicted, CostKind::Known)
                .expect("compared")
                .score_r2
        };
        assert_eq!(r2(array![[1.0, 1.0]]), 1.0);
        assert_eq!(r2(array![[1.0, 0.5]]), 0.0);
    }

    #[test]
    fn errors_in_tokens_need_tokens_on_both_sides() {
        let mut truth = split(array![[1.0, 0.0]], array![[1.0, 1.0]]);
        let mut predicted = predictions(array![[1.0, 0.0]], array![[1.0, 1.0]]);
        let mae = |truth: &PartTable, predicted: &PerModel| {
            prediction_accuracy(truth, predicted, CostKind::OutputTokens)
                .expect("compared")
                .cost_mae
        };
        assert_eq!(mae(&truth, &predicted), None);
        truth.output_tokens = Some(array![[100.0, f64::NAN]]);
        assert_eq!(mae(&truth, &predicted), None);
        predicted.output_tokens = Some(array![[90.0, 50.0]]);
        assert_eq!(
            mae(&truth, &predicted),
            Some(CostMae {
                mean: 10.0,
                unit: CostUnit::OutputTokens
            })
        );
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        let truth = split(array![[1.0]], array![[1.0]]);
        let unpredicted = predictions(array![[NAN]], array![[1.0]]);
        assert_eq!(
            prediction_accuracy(&truth, &unpredicted, CostKind::Known),
            Err(Error::NothingToChoose { n_prompts: 1 })
        );
        let others = predictions(array![[1.0, 1.0]], array![[1.0, 1.0]]);
        assert!(matches!(
            prediction_accuracy(&truth, &others, CostKind::Known),
            Err(Error::Shape { .. })
        ));
    }
}
