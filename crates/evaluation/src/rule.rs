use crate::{
    CurvePoint, Error, Point, Predicted, Result, Truth,
    candidates::{Candidate, Candidates},
    point::Routed,
    sum::PointSum,
};

/// Brings dollars to the scale of scores. From CARROT (somerstep/CARROT at 3e6acff), `CarrotRouter.route`; most of the paper's figures use
/// it too, and where one uses another factor, its settings say so.
pub const COST_MULTIPLIER: f64 = 100.0;

/// What a choice is worth, which the routing rule makes as large as it can: a score less a cost in US dollars.
///
/// ```text
/// (1 - lambda) * score - lambda * cost_multiplier * cost_usd
///   lambda           weight of cost, in [0, 1]: 0 looks at scores only, 1 at costs only; users set it as mu
///   cost_multiplier  brings dollars to the scale of scores, as a rule [`COST_MULTIPLIER`]
/// ```
///
/// NaN where score or cost is not finite: what is unknown is worth nothing that could be compared. From the CARROT paper (arXiv
/// 2502.03261): the plug-in rule with two metrics.
///
/// ```
/// use evaluation::choice::{COST_MULTIPLIER, utility};
/// // 0.5 * 0.9 - 0.5 * 100 * 0.004
/// assert_eq!(utility(0.9, 0.004, 0.5, COST_MULTIPLIER), 0.25);
/// assert!(utility(0.9, f64::NAN, 0.0, COST_MULTIPLIER).is_nan());
/// ```
pub fn utility(score: f64, cost_usd: f64, lambda: f64, cost_multiplier: f64) -> f64 {
    // Infinite predictions would compare, and 0 times infinity would not.
    if score.is_finite() && cost_usd.is_finite() {
        (1.0 - lambda) * score - lambda * cost_multiplier * cost_usd
    } else {
        f64::NAN
    }
}

/// The routing rule: which LLM should answer a prompt with these predicted scores and costs, the one with the largest [`utility`].
///
/// Ties go to the lowest position, as in NumPy's argmax. An LLM whose prediction is not finite is never chosen; `None` where none is left.
/// Takes one score and one cost in US dollars per LLM.
///
/// # Panics
/// When `scores` and `costs` differ in length.
///
/// # Deviations
/// None.
///
/// ```
/// let (scores, costs) = ([0.7, 0.9, f32::NAN], [0.001, 0.010, 0.001]);
/// assert_eq!(evaluation::choice::choose(&scores, &costs, 0.0, 100.0), Some(1));
/// assert_eq!(evaluation::choice::choose(&scores, &costs, 0.5, 100.0), Some(0));
/// ```
pub fn choose(scores: &[f32], costs: &[f64], lambda: f64, cost_multiplier: f64) -> Option<usize> {
    assert_eq!(scores.len(), costs.len(), "one score and one cost per LLM");
    argmax(
        (scores.iter().zip(costs))
            .map(|(&score, &cost)| utility(f64::from(score), cost, lambda, cost_multiplier)),
    )
}

/// What a router decides at one lambda: for each prompt the position of the chosen LLM, known there or not, or `None` where there was none to
/// choose, and for a prompt that counts for no LLM.
///
/// # Errors
/// [`Error::Shape`], [`Error::NothingToChoose`], [`Error::BadLambda`] or [`Error::BadCostMultiplier`].
pub fn decisions(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    lambda: f64,
    cost_multiplier: f64,
) -> Result<Vec<Option<usize>>> {
    check_weights(lambda, cost_multiplier)?;
    let candidates = Candidates::new(truth, &predicted)?;
    let mut chosen = vec![None; truth.n_prompts()];
    for (prompt_idx, of_prompt) in candidates.by_prompt() {
        chosen[prompt_idx] = Some(best(of_prompt, lambda, cost_multiplier).answer.model_idx);
    }
    Ok(chosen)
}

/// A router's mean cost and score at one lambda, over the prompts whose choice is known.
///
/// # Errors
/// As for [`decisions`]; [`Error::NothingToChoose`] also where no choice is known.
pub fn point_at(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    lambda: f64,
    cost_multiplier: f64,
) -> Result<CurvePoint> {
    check_weights(lambda, cost_multiplier)?;
    let candidates = Candidates::new(truth, &predicted)?;
    let n_prompts = truth.n_prompts();
    match point_of(&candidates, lambda, cost_multiplier) {
        Some(point) => Ok(CurvePoint::new(lambda, Some(point))),
        None => Err(Error::NothingToChoose { n_prompts }),
    }
}

/// Which share of the prompts each LLM gets at one lambda, known there or not; the shares, one per LLM, add up to 1.
///
/// # Errors
/// As for [`decisions`].
pub fn shares_at(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    lambda: f64,
    cost_multiplier: f64,
) -> Result<Vec<f64>> {
    let chosen = decisions(truth, predicted, lambda, cost_multiplier)?;
    Ok(shares_of(&chosen, truth.n_models()))
}

fn shares_of(chosen: &[Option<usize>], n_models: usize) -> Vec<f64> {
    let mut n_chosen = vec![0_usize; n_models];
    for model_idx in chosen.iter().flatten() {
        n_chosen[*model_idx] += 1;
    }
    // Prompts without a choice are nobody's, so they are not counted: shares add up to 1.
    let n_prompts: usize = n_chosen.iter().sum();
    n_chosen
        .into_iter()
        .map(|n| n as f64 / n_prompts as f64)
        .collect()
}

/// What comes of decisions; `None` where none was made whose LLM is known.
pub(crate) fn routed(truth: &Truth<'_>, chosen: &[Option<usize>]) -> Option<Routed> {
    let mut sum = PointSum::default();
    for (prompt_idx, model_idx) in chosen.iter().enumerate() {
        if let Some(model_idx) = *model_idx {
            sum.add(1, &truth.answer(prompt_idx, model_idx));
        }
    }
    Some(Routed {
        point: sum.point()?,
        shares: shares_of(chosen, truth.n_models()),
    })
}

/// The point of checked candidates at a checked lambda; `None` where no choice is known.
pub(crate) fn point_of(
    candidates: &Candidates,
    lambda: f64,
    cost_multiplier: f64,
) -> Option<Point> {
    // Compensated sums, so that a mean hardly depends on the order of the prompts, and exact curves end where this begins.
    let mut sum = PointSum::default();
    for (_, of_prompt) in candidates.by_prompt() {
        sum.add(1, &best(of_prompt, lambda, cost_multiplier).answer);
    }
    sum.point()
}

/// Refuses a multiplier that would reverse the rule or make all costs equal.
pub(crate) fn check_multiplier(cost_multiplier: f64) -> Result<()> {
    if cost_multiplier.is_finite() && cost_multiplier > 0.0 {
        Ok(())
    } else {
        Err(Error::BadCostMultiplier { cost_multiplier })
    }
}

/// Position of the first of the largest values; NaN is never the largest.
pub(crate) fn argmax(values: impl IntoIterator<Item = f64>) -> Option<usize> {
    // `>` and not `>=`: of equal values the first wins, as in NumPy's argmax, which the reference uses.
    let mut best: Option<(usize, f64)> = None;
    for (idx, value) in values.into_iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|(_, largest)| value > largest) {
            best = Some((idx, value));
        }
    }
    best.map(|(idx, _)| idx)
}

/// The candidate that the rule chooses, of at least one.
pub(crate) fn best(of_prompt: &[Candidate], lambda: f64, cost_multiplier: f64) -> &Candidate {
    let objectives = of_prompt.iter().map(|candidate| {
        utility(
            candidate.predicted_score,
            candidate.predicted_cost,
            lambda,
            cost_multiplier,
        )
    });
    // Costs near the largest float may overflow to equal infinities; the first is then as good as any.
    &of_prompt[argmax(objectives).unwrap_or(0)]
}

/// Refuses a lambda outside [0, 1], and what [`check_multiplier`] does.
pub(crate) fn check_weights(lambda: f64, cost_multiplier: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&lambda) {
        return Err(Error::BadLambda { lambda });
    }
    check_multiplier(cost_multiplier)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_rule_weighs_score_against_cost() {
        // At lambda 0.5 and multiplier 100: 0.5 * 0.7 - 50 * 0.001 = 0.30 against 0.5 * 0.9 - 50 * 0.010 = -0.05.
        let check = |lambda, expected| {
            assert_eq!(
                choose(&[0.7, 0.9], &[0.001, 0.010], lambda, 100.0),
                expected
            );
        };
        check(0.0, Some(1));
        check(0.5, Some(0));
        check(1.0, Some(0));
    }

    #[test]
    fn degenerate_predictions_have_a_defined_choice() {
        let nan = f32::NAN;
        let check = |scores: &[f32], costs: &[f64], lambda, expected| {
            assert_eq!(
                choose(scores, costs, lambda, 100.0),
                expected,
                "{scores:?} {costs:?} {lambda}"
            );
        };
        check(&[0.5, 0.5, 0.5], &[1.0, 1.0, 1.0], 0.5, Some(0));
        check(&[0.2, 0.5, 0.5], &[3.0, 2.0, 1.0], 0.0, Some(1));
        check(&[0.2, 0.5, 0.9], &[0.0, 0.0, 0.0], 1.0, Some(0));
        check(&[nan, 0.1], &[1.0, 9.0], 0.0, Some(1));
        check(&[0.9, 0.1], &[f64::NAN, 9.0], 0.0, Some(1));
        check(&[f32::INFINITY, 0.1], &[1.0, 9.0], 0.0, Some(1));
        check(&[0.9, 0.1], &[f64::INFINITY, 9.0], 1.0, Some(1));
        check(&[0.9, 0.1], &[f64::NEG_INFINITY, 9.0], 0.0, Some(1));
        check(&[nan, nan], &[1.0, 1.0], 0.5, None);
        check(&[0.3], &[1.0], 0.5, Some(0));
        check(&[], &[], 0.5, None);
    }

    #[test]
    fn shares_are_over_the_prompts_with_a_choice() {
        let scores = array![[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [f32::NAN, f32::NAN]];
        let costs = array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]];
        let predicted_scores = array![[0.9, 0.1], [0.1, 0.9], [0.9, f32::NAN], [0.5, 0.6]];
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(predicted_scores.view(), costs.view()).expect("predictions");

        let chosen = decisions(&truth, predicted, 0.0, 1.0).expect("decided");
        assert_eq!(chosen, [Some(0), Some(1), Some(0), None]);
        let shares = shares_at(&truth, predicted, 0.0, 1.0).expect("decided");
        assert_eq!(shares, [2.0 / 3.0, 1.0 / 3.0]);
        let point = point_at(&truth, predicted, 0.0, 1.0).expect("decided");
        assert_eq!((point.accuracy, point.cost_usd), (1.0, 4.0 / 3.0));
    }

    #[test]
    fn bad_weights_are_refused() {
        let (scores, costs) = (array![[1.0]], array![[1.0]]);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let predicted = Predicted::new(scores.view(), costs.view()).expect("predictions");
        for lambda in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(
                point_at(&truth, predicted, lambda, 1.0),
                Err(Error::BadLambda { .. })
            ));
        }
        for cost_multiplier in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(
                point_at(&truth, predicted, 0.5, cost_multiplier),
                Err(Error::BadCostMultiplier { .. })
            ));
        }
    }
}
