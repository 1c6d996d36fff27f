use crate::{
    Error, Point, Result, Truth,
    baseline::single::single_models,
    curve::hull::{hull_of, sort_by_cost},
};

/// RouterBench's Zero router: the non-decreasing convex hull of the LLMs themselves, that is the best that is possible by tossing a coin
/// between two of them without looking at the prompt. Ascending in cost; empty where nothing is known. [`ZeroRouter`] also knows the LLMs.
///
/// # Deviations
/// CARROT's figure takes three LLMs picked by hand instead of the hull, see [`ZeroRouter::polyline`].
pub fn zero_router(truth: &Truth<'_>) -> Vec<Point> {
    ZeroRouter::hull(truth).points()
}

/// A router that does not look at the prompt: it tosses a coin between two LLMs that are neighbors in cost.
#[derive(Debug, Clone, PartialEq)]
pub struct ZeroRouter {
    corners: Vec<Corner>,
}

/// An LLM of a zero router.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    /// Its position.
    pub model_idx: usize,
    /// Its own mean cost and score.
    pub point: Point,
}

/// What a zero router does at one cost: the dearer of two LLMs answers with a probability, else the cheaper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// Position of the cheaper LLM.
    pub cheaper: usize,
    /// Position of the dearer LLM; the same one where it answers alone.
    pub dearer: usize,
    /// The probability of the dearer LLM, in [0, 1].
    pub dearer_probability: f64,
    /// What is to be expected.
    pub point: Point,
}

impl ZeroRouter {
    /// The non-decreasing convex hull of all LLMs with a known score and cost, as in RouterBench (arXiv 2403.12031), see [`crate::curve::hull`].
    pub fn hull(truth: &Truth<'_>) -> Self {
        Self::hull_of_models(&single_models(truth))
    }

    /// The hull of LLMs with the given points.
    pub(crate) fn hull_of_models(models: &[Option<Point>]) -> Self {
        let mut corners: Vec<Corner> = models
            .iter()
            .enumerate()
            .filter_map(|(model_idx, &point)| point.map(|point| Corner { model_idx, point }))
            .collect();
        sort_by_cost(&mut corners, |corner| corner.point);
        Self {
            corners: hull_of(corners, |corner| corner.point),
        }
    }

    /// A line through LLMs that were picked by hand, in order of cost, as in the CARROT repository's figure of SPROUT (granite-3-8b,
    /// gpt-4o-mini, o3-mini). It may fall and may lie below other LLMs.
    ///
    /// # Errors
    /// [`Error::NoSuchModel`]; [`Error::UnknownModel`] when nothing is known of one.
    pub fn polyline(truth: &Truth<'_>, model_idxs: &[usize]) -> Result<Self> {
        let models = single_models(truth);
        let mut corners = Vec::with_capacity(model_idxs.len());
        for &model_idx in model_idxs {
            truth.check_model(model_idx)?;
            let point = models[model_idx].ok_or(Error::UnknownModel { model_idx })?;
            corners.push(Corner { model_idx, point });
        }
        sort_by_cost(&mut corners, |corner| corner.point);
        Ok(Self { corners })
    }

    /// The LLMs by cost.
    pub fn corners(&self) -> &[Corner] {
        &self.corners
    }

    /// Where the LLMs stand, by cost; between two neighbors the router reaches every point of a straight line.
    pub fn points(&self) -> Vec<Point> {
        self.corners.iter().map(|corner| corner.point).collect()
    }

    /// What to do with so much to spend per prompt. Above the dearest LLM's cost that LLM answers alone, and the rest is not spent; `None`
    /// below the cheapest one's cost.
    pub fn at_cost(&self, cost_usd: f64) -> Option<Mixture> {
        let n_affordable = self
            .corners
            .partition_point(|corner| corner.point.cost_usd <= cost_usd);
        let cheaper = self.corners[..n_affordable].last()?;
        Some(match self.corners.get(n_affordable) {
            None => Mixture {
                cheaper: cheaper.model_idx,
                dearer: cheaper.model_idx,
                dearer_probability: 1.0,
                point: cheaper.point,
            },
            Some(dearer) => {
                let (from, to) = (cheaper.point, dearer.point);
                let probability = (cost_usd - from.cost_usd) / (to.cost_usd - from.cost_usd);
                Mixture {
                    cheaper: cheaper.model_idx,
                    dearer: dearer.model_idx,
                    dearer_probability: probability,
                    point: Point {
                        cost_usd,
                        accuracy: from.accuracy + probability * (to.accuracy - from.accuracy),
                    },
                }
            }
        })
    }
}

/// The positions of LLMs by name, in the order of the names asked for.
///
/// # Errors
/// [`Error::NoModelOfThatName`].
pub fn model_positions(models: &[String], names: &[impl AsRef<str>]) -> Result<Vec<usize>> {
    names
        .iter()
        .map(|name| {
            let name = name.as_ref();
            models
                .iter()
                .position(|model| model == name)
                .ok_or_else(|| Error::NoModelOfThatName {
                    name: name.to_owned(),
                    models: models.to_vec(),
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    /// Four LLMs at (1, .25), (2, .75), (3, .5) and (4, 1), each of which costs the same on all four prompts.
    fn four() -> (Array2<f32>, Array2<f64>) {
        let right = |n_right: usize| (0..4).map(move |i| if i < n_right { 1.0 } else { 0.0 });
        let columns: Vec<f32> = [1, 3, 2, 4].into_iter().flat_map(right).collect();
        let scores = Array2::from_shape_vec((4, 4), columns).expect("4 x 4");
        let costs = Array2::from_shape_fn((4, 4), |(_, m)| (m + 1) as f64);
        (scores.reversed_axes(), costs)
    }

    #[test]
    fn the_hull_names_the_two_llms_and_the_probability() {
        let (scores, costs) = four();
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let zero = ZeroRouter::hull(&truth);
        let corners: Vec<usize> = zero
            .corners()
            .iter()
            .map(|corner| corner.model_idx)
            .collect();
        assert_eq!(corners, [0, 1, 3], "(3, .5) lies below the hull");
        assert_eq!(zero.points(), zero_router(&truth));

        let check = |cost_usd, expected: Option<(usize, usize, f64, f64)>| {
            let found = zero.at_cost(cost_usd).map(|mixture| {
                let Mixture {
                    cheaper,
                    dearer,
                    dearer_probability,
                    point,
                } = mixture;
                (cheaper, dearer, dearer_probability, point.accuracy)
            });
            assert_eq!(found, expected, "at {cost_usd}");
        };
        check(0.5, None);
        check(f64::NAN, None);
        check(1.0, Some((0, 1, 0.0, 0.25)));
        check(1.5, Some((0, 1, 0.5, 0.5)));
        // A quarter of the way from (2, .75) to (4, 1).
        check(2.5, Some((1, 3, 0.25, 0.8125)));
        check(4.0, Some((3, 3, 1.0, 1.0)));
        check(9.0, Some((3, 3, 1.0, 1.0)));
        assert_eq!(
            zero.at_cost(9.0).map(|mixture| mixture.point.cost_usd),
            Some(4.0)
        );
    }

    #[test]
    fn a_polyline_goes_through_what_was_picked() {
        let (scores, costs) = four();
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let models: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let picked = model_positions(&models, &["c", "a"]).expect("both are there");
        assert_eq!(picked, [2, 0]);
        let zero = ZeroRouter::polyline(&truth, &picked).expect("a line");
        // Halfway from (1, .25) to (3, .5), below LLM `b`.
        assert_eq!(
            zero.at_cost(2.0).map(|mixture| (
                mixture.cheaper,
                mixture.dearer,
                mixture.point.accuracy
            )),
            Some((0, 2, 0.375))
        );
        assert_eq!(
            ZeroRouter::polyline(&truth, &[4]),
            Err(Error::NoSuchModel {
                model_idx: 4,
                n_models: 4
            })
        );
        let error = model_positions(&models, &["e"]).expect_err("not there");
        assert_eq!(
            error.to_string(),
            "no LLM is named `e`, there are `a`, `b`, `c`, `d`"
        );
    }

    #[test]
    fn degenerate_llms_have_a_zero_router() {
        let of = |scores: Array2<f32>, costs: Array2<f64>| {
            let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
            ZeroRouter::hull(&truth)
                .corners()
                .iter()
                .map(|corner| corner.model_idx)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(array![[0.5]], array![[1.0]]), [0]);
        // All free: the most accurate, the first of several.
        assert_eq!(of(array![[0.5, 0.7, 0.7]], array![[0.0, 0.0, 0.0]]), [1]);
        // All equal in score: the cheapest.
        assert_eq!(of(array![[0.5, 0.5, 0.5]], array![[3.0, 1.0, 2.0]]), [1]);
        let nothing: [usize; 0] = [];
        assert_eq!(of(array![[f32::NAN]], array![[1.0]]), nothing);

        let (scores, costs) = (array![[1.0, f32::NAN]], array![[1.0, 1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        assert_eq!(
            ZeroRouter::polyline(&truth, &[1]),
            Err(Error::UnknownModel { model_idx: 1 })
        );
    }
}
