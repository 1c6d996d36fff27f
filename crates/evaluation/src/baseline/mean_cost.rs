use ndarray::Array1;

use crate::{Truth, baseline::single::single_models};

/// Each LLM's mean cost in US dollars over the prompts that count for it; NaN for an LLM for which none does.
///
/// With [`crate::Predicted::with_mean_costs`] this is the RouterBench rule: scores are predicted per prompt, costs are not. Taken from a
/// train part it is a router that could be used.
///
/// ```
/// use evaluation::{Predicted, Truth, baseline::mean_costs, curve::exact_curve};
/// use ndarray::array;
///
/// let (train_scores, train_costs) = (array![[0.0, 1.0], [1.0, 1.0]], array![[0.001, 0.010], [0.003, 0.020]]);
/// let (scores, costs) = (array![[1.0, 1.0]], array![[0.002, 0.090]]);
/// let means = mean_costs(&Truth::new(train_scores.view(), train_costs.view())?);
///
/// let truth = Truth::new(scores.view(), costs.view())?;
/// let predicted_scores = array![[0.5, 0.75]];
/// let carrot = Predicted::new(predicted_scores.view(), costs.view())?;
/// let curve = exact_curve(&truth, carrot.with_mean_costs(&means)?)?;
/// assert_eq!(curve.points.len(), 2);
/// # Ok::<(), evaluation::Error>(())
/// ```
///
/// # Deviations
/// The CARROT repository takes the means of the *test* costs, which no router knows, and weighs them with a multiplier of 1 where its own
/// router has 100. For its figure pass the test part's truth, and that multiplier to [`crate::curve::grid_curve`]; an exact curve has none.
pub fn mean_costs(truth: &Truth<'_>) -> Array1<f64> {
    single_models(truth)
        .into_iter()
        .map(|point| point.map_or(f64::NAN, |point| point.cost_usd))
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::{
        Error, Predicted,
        choice::decisions,
        curve::{Grid, exact_curve, grid_curve},
    };

    const NAN: f32 = f32::NAN;

    #[test]
    fn means_are_over_what_counts() {
        let scores = array![[1.0, 0.0, NAN], [1.0, NAN, NAN]];
        let costs = array![[2.0, 5.0, 1.0], [4.0, 7.0, 1.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let means = mean_costs(&truth);
        assert_eq!((means[0], means[1]), (3.0, 5.0));
        assert!(means[2].is_nan());
    }

    #[test]
    fn the_rule_looks_at_means_and_pays_true_costs() {
        // By its own cost prediction the router would send prompt 0 to LLM 0 at lambda 1, since 1 < 4; by means it takes LLM 1.
        let scores = array![[1.0, 0.0], [0.0, 1.0]];
        let costs = array![[1.0, 4.0], [9.0, 2.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let means = mean_costs(&truth);
        assert_eq!(means, array![5.0, 3.0]);
        let by_means = predicted.with_mean_costs(&means).expect("as many LLMs");
        let chosen = |predicted| decisions(&truth, predicted, 1.0, 1.0).expect("decided");
        assert_eq!(chosen(predicted), [Some(0), Some(1)]);
        assert_eq!(chosen(by_means), [Some(1), Some(1)]);

        let curve = exact_curve(&truth, by_means).expect("a curve");
        let grid = Grid {
            n_steps: 100,
            cost_multiplier: 1.0,
        };
        let on_grid = grid_curve(&truth, by_means, grid).expect("a curve");
        // Both begin at (1 + 2) / 2 and end at (4 + 2) / 2 dollars: what is paid is what each call truly costs.
        for curve in [&curve, &on_grid] {
            let (first, last) = (curve.points[0], curve.points[curve.points.len() - 1]);
            assert_eq!((first.cost_usd, first.accuracy), (1.5, 1.0));
            assert_eq!((last.cost_usd, last.accuracy), (3.0, 0.5));
        }
        // Scores 1 and 0, mean costs 5 and 3: the lines cross at mu = 1 / 2.
        assert!((curve.points[1].setting - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn means_of_other_llms_are_refused() {
        let (scores, costs) = (array![[1.0, 0.0]], array![[1.0, 1.0]]);
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let error = predicted
            .with_mean_costs(&array![1.0])
            .expect_err("one is missing");
        assert_eq!(
            error,
            Error::Shape {
                what: "mean costs",
                expected: (1, 2),
                found: (1, 1)
            }
        );
    }
}
