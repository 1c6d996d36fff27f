use crate::{
    Point, Truth,
    candidates::Answer,
    metric::formulas::SAME_ACCURACY,
    sum::{PointSum, Sum, mean},
};

/// Each LLM's mean cost and score over every prompt that counts for it, weighted as [`crate::Propensities`] say; `None` for an LLM for which no
/// prompt does.
pub fn single_models(truth: &Truth<'_>) -> Vec<Option<Point>> {
    single_models_of(truth, |_| 1)
}

/// [`single_models`] over a multiset of the prompts: how often each is in it.
pub(crate) fn single_models_of(
    truth: &Truth<'_>,
    count: impl Fn(usize) -> u32,
) -> Vec<Option<Point>> {
    let mut sums = vec![PointSum::default(); truth.n_models()];
    for prompt_idx in 0..truth.n_prompts() {
        let count = count(prompt_idx);
        if count == 0 {
            continue;
        }
        for (model_idx, score, cost) in truth.known(prompt_idx) {
            let weight = truth.weight_within_model(prompt_idx, model_idx);
            let answer = Answer {
                model_idx,
                weight,
                score,
                cost,
            };
            sums[model_idx].add(count, &answer);
        }
    }
    sums.iter().map(PointSum::point).collect()
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
///
/// Where scores are missing it is the best of the LLMs that are known on the prompt, and so too low: what the others would have got nobody
/// knows, and no weights make up for it.
pub fn oracle(truth: &Truth<'_>) -> Option<Point> {
    let best = (0..truth.n_prompts()).filter_map(|prompt_idx| {
        let known = truth
            .known(prompt_idx)
            .map(|(_, score, cost)| (score, cost));
        known.reduce(|best, other| {
            let (better, cheaper) = (other.0 > best.0, other.1 < best.1);
            if better || (other.0 == best.0 && cheaper) {
                other
            } else {
                best
            }
        })
    });
    let (scores, costs): (Vec<f64>, Vec<f64>) = best.unzip();
    Some(Point {
        cost_usd: mean(costs)?,
        accuracy: mean(scores)?,
    })
}

/// What choosing at random is expected to give: for each prompt every LLM with the same probability, of those of which anything is known.
/// `None` where nothing is known.
pub fn random(truth: &Truth<'_>) -> Option<Point> {
    let [mut weights, mut score, mut cost] = [Sum::default(); 3];
    for prompt_idx in (0..truth.n_prompts()).filter(|&i| truth.is_scored(i)) {
        let known = truth.known(prompt_idx);
        let answers: Vec<Answer> = known
            .map(|(model_idx, ..)| truth.answer(prompt_idx, model_idx))
            .collect();
        // A prompt's own mean, which stands for as many prompts as its LLMs do in the mean.
        let sum = |part: fn(&Answer) -> f64| answers.iter().map(part).collect::<Sum>().value();
        let of_prompt = sum(|it| it.weight);
        let weight = of_prompt / truth.n_models() as f64;
        weights.add(weight);
        score.add(weight * (sum(|it| it.weight * it.score) / of_prompt));
        cost.add(weight * (sum(|it| it.weight * it.cost) / of_prompt));
    }
    let weight = weights.value();
    (weight > 0.0).then(|| Point {
        cost_usd: cost.value() / weight,
        accuracy: score.value() / weight,
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
        // Random: LLM 0 or LLM 1, each with the same probability; LLM 0 is known on two prompts of three.
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
        assert_eq!(random(&truth), Some(point(3.0, 0.5)));
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
