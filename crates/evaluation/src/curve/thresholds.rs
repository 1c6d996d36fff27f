use dataset::PairIdx;

use crate::{Curve, CurvePoint, Error, Result, Truth, curve::exact::pair_curve};

/// Which thresholds of a binary router to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdGrid {
    /// Number of steps from the lowest threshold to the highest; there is one threshold more than steps. The paper's figures take 1,000.
    pub n_steps: usize,
    /// How far thresholds reach beyond the lowest and the highest probability, so that either LLM alone is among the points; 1e-6 in the
    /// paper's figures.
    pub margin: f64,
}

/// The paper's curve of a binary router: one point for each threshold of a grid, whether anything changes between them or not.
///
/// Takes a pair's positions and one probability per prompt, as [`pair_curve`] does, which has all points; this one is for parity with published
/// curves (CARROT repository at 3e6acff, the loop over alpha of each plot). From the highest threshold down.
///
/// # Errors
/// [`Error::NoSteps`], [`Error::BadMargin`], and as for [`pair_curve`].
pub fn threshold_grid_curve(
    truth: &Truth<'_>,
    pair: PairIdx,
    small_win_probability: &[f32],
    grid: ThresholdGrid,
) -> Result<Curve> {
    let ThresholdGrid { n_steps, margin } = grid;
    if n_steps == 0 {
        return Err(Error::NoSteps);
    }
    if !(margin.is_finite() && margin > 0.0) {
        return Err(Error::BadMargin { margin });
    }
    let curve = pair_curve(truth, pair, small_win_probability)?;
    // The first point, with an infinite threshold, is the large LLM alone; the others descend.
    let (highest, lowest) = match &curve.points[..] {
        [_, highest, .., lowest] => (highest.setting, lowest.setting),
        [.., only] => (only.setting, only.setting),
        [] => unreachable!("a curve has at least one point"),
    };
    let (low, high) = (lowest - margin, highest + margin);
    let points = (0..=n_steps)
        .rev()
        .map(|step| {
            let threshold = low + (high - low) * step as f64 / n_steps as f64;
            let n_above = curve
                .points
                .partition_point(|point| point.setting >= threshold);
            CurvePoint {
                setting: threshold,
                ..curve.points[n_above - 1]
            }
        })
        .collect();
    Ok(Curve { points, ..curve })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn thresholds_go_from_one_llm_to_the_other() {
        // Small: scores 1, 0, 1 at cost 1; large: 1, 1, 0 at cost 4.
        let scores = array![[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
        let costs = array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let pair = PairIdx { small: 0, large: 1 };
        let curve = |probabilities: &[f32], n_steps, margin| {
            threshold_grid_curve(
                &truth,
                pair,
                probabilities,
                ThresholdGrid { n_steps, margin },
            )
        };
        let points = |curve: Result<Curve>| -> Vec<(f64, f64, f64)> {
            let curve = curve.expect("a curve");
            let triple = |point: &CurvePoint| (point.setting, point.cost_usd, point.accuracy);
            curve.points.iter().map(triple).collect()
        };
        assert_eq!(
            points(curve(&[0.5, 0.25, 0.75], 4, 0.25)),
            [
                (1.0, 4.0, 2.0 / 3.0),
                (0.75, 3.0, 1.0),
                (0.5, 2.0, 1.0),
                (0.25, 1.0, 2.0 / 3.0),
                (0.0, 1.0, 2.0 / 3.0)
            ]
        );
        // A coarse grid passes over what lies between; equal probabilities leave the two ends.
        assert_eq!(points(curve(&[0.5, 0.25, 0.75], 1, 0.25)).len(), 2);
        assert_eq!(
            points(curve(&[0.5, 0.5, 0.5], 1, 0.25)),
            [(0.75, 4.0, 2.0 / 3.0), (0.25, 1.0, 2.0 / 3.0)]
        );
        assert_eq!(curve(&[0.5; 3], 0, 0.25), Err(Error::NoSteps));
        assert_eq!(
            curve(&[0.5; 3], 1, 0.0),
            Err(Error::BadMargin { margin: 0.0 })
        );
    }
}
