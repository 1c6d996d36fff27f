use std::path::Path;

use dataset::PartTable;
use encoder::{DeviceChoice, NetworkTask, Padding, PredictParams, Runtime};
use ndarray::{Array2, ArrayView2};

use crate::{Error, Result, backend::load_network};

/// How much better one order of a network's outputs explains observed scores than another.
///
/// ```text
/// difference of a prompt = sum over outputs of  log-likelihood of the score of the LLM by the first order
///                                             - log-likelihood of the score of the LLM by the second
/// log-likelihood of a score y at probability p = y ln p + (1 - y) ln(1 - p)
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderEvidence {
    /// Prompts with a known difference.
    pub n_prompts: usize,
    /// The mean difference, in nats; above 0 speaks for the first order.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// Differences of this many standard errors decide.
const CLEAR: f64 = 4.;
/// Keeps logarithms finite.
const MIN_PROBABILITY: f64 = 1e-6;

impl OrderEvidence {
    /// The mean in standard errors; 0 where there are not two prompts to estimate them from.
    pub fn z(&self) -> f64 {
        match self.standard_error > 0. {
            true => self.mean / self.standard_error,
            false => 0.,
        }
    }

    /// The position of the order that the scores speak for clearly, 0 or 1.
    pub fn decided(&self) -> Option<usize> {
        (self.z().abs() >= CLEAR).then_some(usize::from(self.mean < 0.))
    }
}

/// Compares two orders of the outputs of a network for scores by some prompts of a part whose scores are known, taken evenly from it.
///
/// # Errors
/// [`Error::Network`] for the network, [`Error::OrderOutputs`] for an order that does not fit it, [`Error::OrderModel`] for an LLM that the part
/// does not have.
pub fn compare_label_orders(
    network: &Path,
    orders: [&[String]; 2],
    part: &PartTable,
    n_prompts: usize,
    device: DeviceChoice,
) -> Result<OrderEvidence> {
    let network_error = |source: encoder::Error| Error::Network {
        name: network.display().to_string(),
        source: source.into(),
    };
    let runtime = Runtime::f32_on(device);
    let loaded = load_network(network, NetworkTask::Performance, runtime).map_err(network_error)?;
    let n_outputs = loaded.model().labels().len();
    let mut columns = Vec::new();
    for order in orders {
        if order.len() != n_outputs {
            return Err(Error::OrderOutputs {
                n_names: order.len(),
                n_outputs,
            });
        }
        let column = |name: &String| {
            let column = part.models.iter().position(|model| model == name);
            column.ok_or_else(|| Error::OrderModel {
                model: name.clone(),
            })
        };
        columns.push(order.iter().map(column).collect::<Result<Vec<usize>>>()?);
    }
    let n_all = part.prompts.len();
    let n_prompts = n_prompts.min(n_all);
    let rows: Vec<usize> = (0..n_prompts).map(|i| i * n_all / n_prompts).collect();
    let prompts: Vec<String> = rows.iter().map(|&row| part.prompts[row].clone()).collect();
    let params = PredictParams {
        max_tokens: loaded.model().max_tokens(),
        padding: Padding::Masked,
    };
    let predicted = loaded.predict(&prompts, &params, &|_| ());
    let predicted = predicted.map_err(network_error)?.values;
    let observed = [&columns[0], &columns[1]].map(|columns| {
        Array2::from_shape_fn((rows.len(), n_outputs), |(row, output)| {
            part.scores[[rows[row], columns[output]]]
        })
    });
    let [first, second] = &observed;
    Ok(compare(predicted.view(), [first.view(), second.view()]))
}

/// Compares two assignments of observed scores to outputs, all of shape `(n_prompts, n_outputs)`, unknown scores NaN.
fn compare(predicted: ArrayView2<'_, f32>, observed: [ArrayView2<'_, f32>; 2]) -> OrderEvidence {
    let log_likelihood = |p: f32, y: f32| {
        let p = f64::from(p).clamp(MIN_PROBABILITY, 1. - MIN_PROBABILITY);
        f64::from(y) * p.ln() + (1. - f64::from(y)) * (1. - p).ln()
    };
    let mut differences = Vec::new();
    for (row, p) in predicted.rows().into_iter().enumerate() {
        let of = |order: usize| -> f64 {
            let scores = observed[order].row(row);
            p.iter()
                .zip(scores)
                .map(|(&p, &y)| log_likelihood(p, y))
                .sum()
        };
        let difference = of(0) - of(1);
        // Unknown where a score is.
        if difference.is_finite() {
            differences.push(difference);
        }
    }
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n.max(1.);
    let squares: f64 = differences.iter().map(|it| (it - mean).powi(2)).sum();
    OrderEvidence {
        n_prompts: differences.len(),
        mean,
        standard_error: (squares / (n - 1.).max(1.) / n.max(1.)).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two outputs that say .78 and .62 with some spread, and scores that are 1 or 0 as often.
    fn scores(n: usize) -> [Array2<f32>; 3] {
        let digits = |row: usize, salt: f64| {
            ((row as f64 * 12.9898 + salt).sin() * 43_758.545_3)
                .fract()
                .abs()
        };
        let predicted = Array2::from_shape_fn((n, 2), |(row, output)| {
            let mean = [0.78, 0.62][output];
            (mean + 0.3 * (digits(row, output as f64) - 0.5)) as f32
        });
        let first = Array2::from_shape_fn((n, 2), |(row, output)| {
            let is_right = digits(row, 7. + output as f64) < f64::from(predicted[[row, output]]);
            f32::from(u8::from(is_right))
        });
        let mut second = first.clone();
        second.invert_axis(ndarray::Axis(1));
        [predicted, first, second]
    }

    #[test]
    fn the_order_that_explains_the_scores_is_found() {
        let [predicted, first, second] = scores(2_000);
        let evidence = compare(predicted.view(), [first.view(), second.view()]);
        assert_eq!((evidence.decided(), evidence.n_prompts), (Some(0), 2_000));
        let evidence = compare(predicted.view(), [second.view(), first.view()]);
        assert_eq!(evidence.decided(), Some(1));
        // The same twice says nothing, nor do no prompts or unknown scores.
        let evidence = compare(predicted.view(), [first.view(), first.view()]);
        assert_eq!((evidence.decided(), evidence.mean), (None, 0.));
        let unknown = first.mapv(|_| f32::NAN);
        let evidence = compare(predicted.view(), [unknown.view(), first.view()]);
        assert_eq!((evidence.decided(), evidence.n_prompts), (None, 0));
    }

    #[test]
    fn few_prompts_decide_nothing() {
        let [predicted, first, second] = scores(8);
        let evidence = compare(predicted.view(), [first.view(), second.view()]);
        assert_eq!(evidence.decided(), None, "{evidence:?}");
    }
}
