use dataset::PairIdx;
use ndarray::Array2;

use crate::{
    Curve, Error, Predicted, Result, Truth,
    curve::{events::Events, exact::curve_of},
};

/// A routing curve that knows at each point which share of the prompts each LLM gets, whether it is known there or not.
///
/// Holds who gets each prompt at first, and the moves from there on: 8 bytes per change of a prompt's choice instead of a row of shares per
/// point, which for 100 LLMs is a hundredth. A look at one point adds up the moves before it; a look at many points is one pass over all moves,
/// see [`ShareCurve::shares_at_points`].
#[derive(Debug, Clone, PartialEq)]
pub struct ShareCurve {
    /// The curve, as [`crate::curve::exact_curve`] has it.
    pub curve: Curve,
    /// How many prompts each LLM gets at the first point.
    n_first: Vec<i64>,
    /// From whom to whom one prompt goes, in order.
    moves: Vec<(u32, u32)>,
    /// For each point the number of moves up to it.
    n_moves: Vec<usize>,
}

/// The exact curve together with the LLMs' shares along it. Costs as much as [`crate::curve::exact_curve`].
///
/// # Errors
/// As for [`crate::curve::exact_curve`].
pub fn share_curve(truth: &Truth<'_>, predicted: Predicted<'_>) -> Result<ShareCurve> {
    let events = Events::per_model(truth, &predicted)?;
    share_curve_of(&events, truth.n_models())
}

/// The curve of a binary router together with the LLMs' shares along it; only the two of the pair ever have one. Costs as much as
/// [`crate::curve::pair_curve`].
///
/// # Errors
/// As for [`crate::curve::pair_curve`].
pub fn pair_share_curve(
    truth: &Truth<'_>,
    pair: PairIdx,
    small_win_probability: &[f32],
) -> Result<ShareCurve> {
    let events = Events::pair(truth, pair, small_win_probability)?;
    share_curve_of(&events, truth.n_models())
}

fn share_curve_of(events: &Events, n_models: usize) -> Result<ShareCurve> {
    let mut n_first = vec![0; n_models];
    events
        .first_models()
        .for_each(|model_idx| n_first[model_idx] += 1);
    let curve = curve_of(events)?;
    let mut moves = Vec::with_capacity(events.n_changes());
    let mut n_moves = Vec::with_capacity(curve.points.len());
    n_moves.push(0);
    for of_point in events.moves_by_point() {
        moves.extend(of_point.map(|(from, to)| (narrow(from), narrow(to))));
        n_moves.push(moves.len());
    }
    Ok(ShareCurve {
        curve,
        n_first,
        moves,
        n_moves,
    })
}

impl ShareCurve {
    /// Which share of the prompts each LLM gets at one point of the curve; the shares, one per LLM, add up to 1.
    ///
    /// # Errors
    /// [`Error::NoSuchPoint`].
    pub fn shares_at(&self, point_idx: usize) -> Result<Vec<f64>> {
        Ok(self
            .shares_at_points(&[point_idx])?
            .into_raw_vec_and_offset()
            .0)
    }

    /// The same for some points in any order, of shape `(n_points, n_models)`.
    ///
    /// Costs one pass over the moves, however many points are asked for.
    ///
    /// # Errors
    /// [`Error::NoSuchPoint`].
    pub fn shares_at_points(&self, point_idxs: &[usize]) -> Result<Array2<f64>> {
        let n_points = self.n_moves.len();
        if let Some(&point_idx) = point_idxs.iter().find(|&&point_idx| point_idx >= n_points) {
            return Err(Error::NoSuchPoint {
                point_idx,
                n_points,
            });
        }
        let mut rows: Vec<usize> = (0..point_idxs.len()).collect();
        rows.sort_by_key(|&row| point_idxs[row]);
        let mut shares = Array2::zeros((point_idxs.len(), self.n_first.len()));
        let mut n_prompts = self.n_first.clone();
        let mut n_done = 0;
        for row in rows {
            let n_moves = self.n_moves[point_idxs[row]];
            for &(from, to) in &self.moves[n_done..n_moves] {
                n_prompts[from as usize] -= 1;
                n_prompts[to as usize] += 1;
            }
            n_done = n_moves;
            for (share, &n) in shares.row_mut(row).iter_mut().zip(&n_prompts) {
                *share = n as f64 / self.curve.n_prompts as f64;
            }
        }
        Ok(shares)
    }
}

fn narrow(model_idx: usize) -> u32 {
    u32::try_from(model_idx).expect("fewer than 2^32 LLMs")
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::{
        choice::shares_at,
        curve::exact::{exact_curve, pair_curve},
    };

    #[test]
    fn shares_are_those_of_the_rule_between_two_points() {
        // Both prompts leave LLM 0 for LLM 1 and that for LLM 2, at lambdas 1/13, 1/8 (to LLM 2 at once) and 1/3: see the curve's own test.
        let scores = array![
            [1.0, 1.0, 0.0],
            [1.0, 0.0, 0.0],
            [f32::NAN, f32::NAN, f32::NAN]
        ];
        let costs = array![[4.0, 1.0, 0.5], [4.0, 1.0, 0.5], [4.0, 1.0, 0.5]];
        let predicted = array![[0.75, 0.5, 0.25], [0.75, 0.25, 0.25], [0.5, 0.5, 0.5]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(predicted.view(), costs.view()).expect("predictions");
        let found = share_curve(&truth, predicted).expect("a curve");
        assert_eq!(
            found.curve,
            exact_curve(&truth, predicted).expect("a curve")
        );
        let expected = array![
            [1.0, 0.0, 0.0],
            [0.5, 0.5, 0.0],
            [0.0, 0.5, 0.5],
            [0.0, 0.0, 1.0]
        ];
        assert_eq!(found.shares_at_points(&[0, 1, 2, 3]), Ok(expected.clone()));
        assert_eq!(
            found.shares_at_points(&[3, 1, 1]),
            Ok(expected.select(ndarray::Axis(0), &[3, 1, 1])),
            "in any order"
        );
        for (point_idx, lambda) in [(0, 0.05), (1, 0.1), (2, 0.2), (3, 0.5)] {
            assert_eq!(
                found.shares_at(point_idx),
                shares_at(&truth, predicted, lambda, 1.0),
                "lambda {lambda}"
            );
        }
        assert_eq!(
            found.shares_at(4),
            Err(Error::NoSuchPoint {
                point_idx: 4,
                n_points: 4
            })
        );
    }

    #[test]
    fn a_pair_shares_by_its_threshold() {
        let scores = array![[1.0, 0.5, 1.0], [1.0, 0.5, 0.0], [0.0, 0.5, 1.0]];
        let costs = array![[1.0, 9.0, 2.0], [1.0, 9.0, 2.0], [1.0, 9.0, 2.0]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let probability = [0.25, 0.75, 0.25];
        let found = pair_share_curve(&truth, PairIdx { small: 0, large: 2 }, &probability)
            .expect("a curve");
        assert_eq!(
            Ok(&found.curve),
            pair_curve(&truth, PairIdx { small: 0, large: 2 }, &probability).as_ref()
        );
        let third = 1.0 / 3.0;
        let expected = array![[0.0, 0.0, 1.0], [third, 0.0, 2.0 / 3.0], [1.0, 0.0, 0.0]];
        assert_eq!(found.shares_at_points(&[0, 1, 2]), Ok(expected));
        assert!(pair_share_curve(&truth, PairIdx { small: 0, large: 3 }, &probability).is_err());
    }

    #[test]
    fn one_llm_gets_all() {
        let (scores, costs) = (array![[1.0], [0.0]], array![[1.0], [1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        let found = share_curve(&truth, predicted).expect("a curve");
        assert_eq!(found.shares_at(0), Ok(vec![1.0]));
    }
}
