use crate::{
    Point, Truth,
    metric::formulas::SAME_ACCURACY,
    sum::{Sum, mean},
};

/// Each LLM's mean cost and score over every prompt that counts for it; `None` for an LLM for which no prompt does.
pub fn single_models(truth: &Truth<'_>) -> Vec<Option<Point>> {
    single_models_of(truth, |_| 1)
}

/// [`single_models`] over a multiset of the prompts.
pub(crate) fn single_models_of(
    truth: &Truth<'_>,
    weight: impl Fn(usize) -> u32,
) -> Vec<Option<Point>> {
    let mut sums = vec![(Sum::default(), Sum::default(), 0_u64); truth.n_models()];
    for prompt_idx in 0..truth.n_prompts() {
        let weight = weight(prompt_idx);
        if weight == 0 {
            continue;
        }
        for (model_idx, score, cost) in truth.known(prompt_idx) {
            let (score_sum, cost_sum, n_prompts) = &mut sums[model_idx];
            score_sum.add(f64::from(weight) * score);
            cost_sum.add(f64::from(weight) * cost);
            *n_prompts += u64::from(weight);
        }
    }
    sums.into_iter()
        .map(|(score, cost, n_prompts)| {
            (n_prompts > 0).then(|| Point {
                cost_usd: cost.value() / n_prompts as f64,
                accuracy: score.value() / n_prompts as f64,
            })
        })
        .collect()
}

/// The position of the LLM with the highest accuracy, and where it stands; ties, within [`crate::metric::SAME_ACCURACY`], go to the lowest
/// position. `None` where nothing is known.
///
/// Where LLMs are known on different prompts, so are their means: an LLM that was only asked easy questions looks good.
pub fn best_single(truth: &Truth<'_>) -> Option<(usize, Point)> {
    most_accurate(&single_models(truth))
}

/// The position of the first of the most accurate LLMs, and where it stands.
pub(crate) fn most_accurate(models: &[Option<Point>]) -> Option<(usize, Point)> {
    models
        .iter()
        .enumerate()
        .filter_map(|(model_idx, &point)| Some((model_idx, point?)))
        .reduce(|best, other| {
            if other.1.accuracy > best.1.accuracy + SAME_ACCURACY {
                other
            } else {
                best
            }
        })
}

/// The best that any router could do: for each prompt the LLM with the best true score, the cheapest of several. `None` where nothing is
/// known.
pub fn oracle(truth: &Truth<'_>) -> Option<Point> {
    mean_point(truth, |known| {
        known.reduce(|best, other| {
            let (better, cheaper) = (other.0 > best.0, other.1 < best.1);
            if better || (other.0 == best.0 && cheaper) {
                other
            } else {
                best
            }
        })
    })
}

/// What choosing at random is expected to give: for each prompt every LLM that counts for it with the same probability. `None` where nothing
/// is known.
pub fn random(truth: &Truth<'_>) -> Option<Point> {
    mean_point(truth, |known| {
        let (scores, costs): (Vec<f64>, Vec<f64>) = known.unzip();
        Some((mean(scores)?, mean(costs)?))
    })
}

/// The mean over prompts of a (score, cost) made from the known (score, cost) of each prompt's LLMs.
fn mean_point(
    truth: &Truth<'_>,
    of_prompt: impl Fn(&mut dyn Iterator<Item = (f64, f64)>) -> Option<(f64, f64)>,
) -> Option<Point> {
    let pairs = (0..truth.n_prompts()).filter_map(|prompt_idx| {
        of_prompt(
            &mut truth
                .known(prompt_idx)
                .map(|(_, score, cost)| (score, cost)),
        )
    });
    let (scores, costs): (Vec<f64>, Vec<f64>) = pairs.unzip();
    Some(Point {
        cost_usd: mean(costs)?,
        accuracy: mean(scores)?,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::baseline::zero_router::zero_router;

    const UNKNOWN: f32 = f32::NAN;

    fn point(cost_usd: f64, accuracy: f64) -> Point {
        Point { cost_usd, accuracy }
    }

    #[test]
    fn baselines_by_hand() {
        // LLM 0: (1 + 0) / 2 at (2 + 2) / 2. LLM 1: (1 + 0.5 + 0) / 3 at (1 + 4 + 7) / 3. LLM 2: nothing.
        // Oracle: 1 at 1 (the cheaper of the tied), 0.5 at 4, 0 at 7 (the only one known). The last prompt counts for none.
        // Random: (1 + 0.25 + 0) / 3 at (1.5 + 3 + 7) / 3.
        let scores = array![
            [1.0, 1.0, UNKNOWN],
            [0.0, 0.5, UNKNOWN],
            [UNKNOWN, 0.0, UNKNOWN],
            [1.0, UNKNOWN, UNKNOWN]
        ];
        let costs = array![
            [2.0, 1.0, 1.0],
            [2.0, 4.0, 1.0],
            [2.0, 7.0, 1.0],
            [f64::NAN, 1.0, 1.0]
        ];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        assert_eq!(
            single_models(&truth),
            [Some(point(2.0, 0.5)), Some(point(4.0, 0.5)), None]
        );
        assert_eq!(best_single(&truth), Some((0, point(2.0, 0.5))));
        assert_eq!(oracle(&truth), Some(point(4.0, 0.5)));
        assert_eq!(random(&truth), Some(point(11.5 / 3.0, 1.25 / 3.0)));
        assert_eq!(zero_router(&truth), [point(2.0, 0.5)]);
    }

    #[test]
    fn what_float32_makes_of_equal_means_does_not_choose_the_best_llm() {
        // Both have a mean of a third on paper; as float32 the second's sum is the larger.
        let scores = array![[0.7, 1.0 / 3.0], [0.2, 1.0 / 3.0], [0.1, 1.0 / 3.0]];
        let costs = Array2::ones((3, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let means = single_models(&truth);
        let [first, second] = [0, 1].map(|m| means[m].expect("known").accuracy);
        assert!(second > first, "{first} {second}");
        assert_eq!(best_single(&truth).map(|(idx, _)| idx), Some(0));
    }

    #[test]
    fn nothing_known_has_no_baselines() {
        let (scores, costs) = (array![[UNKNOWN, UNKNOWN]], array![[1.0, 1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        assert_eq!(single_models(&truth), [None, None]);
        assert_eq!(best_single(&truth), None);
        assert_eq!(oracle(&truth), None);
        assert_eq!(random(&truth), None);
        assert_eq!(zero_router(&truth), []);
    }

    #[test]
    fn one_llm_is_its_own_oracle() {
        let (scores, costs) = (array![[1.0], [0.0]], array![[1.0], [3.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let only = point(2.0, 0.5);
        assert_eq!(best_single(&truth), Some((0, only)));
        assert_eq!(oracle(&truth), Some(only));
        assert_eq!(random(&truth), Some(only));
    }

    #[test]
    fn a_hundred_llms_of_which_one_is_right_each_time() {
        let scores = Array2::from_shape_fn((100, 100), |(i, m)| f32::from(u8::from(i == m)));
        let costs = Array2::from_shape_fn((100, 100), |(_, m)| m as f64);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        assert_eq!(oracle(&truth), Some(point(49.5, 1.0)));
        assert_eq!(random(&truth), Some(point(49.5, 0.01)));
        assert_eq!(best_single(&truth), Some((0, point(0.0, 0.01))));
    }
}
