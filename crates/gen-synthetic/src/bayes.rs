use anyhow::Context as _;
use dataset::{PerModel, worth};
use evaluation::{
    CurvePoint, Predicted, Truth, baseline::best_single, choice::point_at, metric::SAME_ACCURACY,
};
use serde::Serialize;

/// Score that a dollar has to bring: none, then four a decade from 1 to 10,000.
const WEIGHTS: [f64; 18] = [
    0.0, 1.0, 1.78, 3.16, 5.62, 10.0, 17.8, 31.6, 56.2, 100.0, 178.0, 316.0, 562.0, 1000.0, 1780.0,
    3160.0, 5620.0, 10_000.0,
];

/// What knowing the expectations is worth on the test rows: the best single LLM beside the Bayes router.
///
/// ```text
/// m*(x) = argmax_m E[score_m | x] - w E[cost_m | x]        w in WEIGHTS, per US dollar
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BayesReport {
    /// The LLM with the highest expected score.
    best_single: String,
    best_single_score: f64,
    best_single_cost_usd: f64,
    /// The Bayes router that ignores costs.
    bayes_score: f64,
    bayes_cost_usd: f64,
    /// The cheapest of the Bayes routers tried that scores no less than the best single LLM.
    match_score: f64,
    match_cost_usd: f64,
    /// What the Bayes router gains over the best single LLM of these rows, in utility, averaged over [`worth::grid`].
    bayes_gain: f64,
}

impl BayesReport {
    /// Of the expected scores and costs of every LLM on every test prompt.
    pub(crate) fn of(expectations: &PerModel) -> anyhow::Result<Self> {
        // On average a choice yields exactly its expectations, and they are also what the Bayes router predicts.
        let truth = Truth::new(expectations.scores.view(), expectations.cost_usd.view())?;
        let predicted = Predicted::of(expectations)?;
        let (best, single) = best_single(&truth).context("no expectation is known")?;
        let routed = WEIGHTS.map(|weight| routed(&truth, predicted, weight));
        let routed = routed.into_iter().collect::<Result<Vec<CurvePoint>, _>>()?;
        let matching = routed
            .iter()
            .filter(|point| point.accuracy >= single.accuracy - SAME_ACCURACY);
        let cheapest = matching.min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
        // At weight 0 the Bayes router takes the best LLM of every prompt, so it can only miss the best single one by rounding.
        let cheapest = cheapest.unwrap_or(&routed[0]);
        Ok(Self {
            best_single: expectations.models[best].clone(),
            best_single_score: single.accuracy,
            best_single_cost_usd: single.cost_usd,
            bayes_score: routed[0].accuracy,
            bayes_cost_usd: routed[0].cost_usd,
            match_score: cheapest.accuracy,
            match_cost_usd: cheapest.cost_usd,
            bayes_gain: bayes_gain(expectations),
        })
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "expected on the test rows:\n\
             best single LLM, {}: score {:.4} at ${:.3e}\n\
             Bayes router, at any cost: score {:.4} at ${:.3e}\n\
             Bayes router, as good as the best single LLM: score {:.4} at ${:.3e}\n\
             Bayes router's gain over the best single LLM, averaged over worths of a score: {:.4}\n",
            self.best_single,
            self.best_single_score,
            self.best_single_cost_usd,
            self.bayes_score,
            self.bayes_cost_usd,
            self.match_score,
            self.match_cost_usd,
            self.bayes_gain,
        )
    }
}

/// What the Bayes router gains over the best single LLM of these rows.
///
/// ```text
/// mean over v in worth::grid of  mean over prompts of max_m u_im(v) - u_ib(v),    u_im(v) = E score - E cost / v,  b = argmax_m of the mean of u_im(v)
/// ```
pub(crate) fn bayes_gain(expectations: &PerModel) -> f64 {
    let (scores, costs) = (&expectations.scores, &expectations.cost_usd);
    let n_prompts = scores.nrows().max(1) as f64;
    let columns = scores.columns().into_iter();
    let mean_scores: Vec<f64> = columns
        .map(|column| column.iter().copied().map(f64::from).sum::<f64>() / n_prompts)
        .collect();
    let columns = costs.columns().into_iter();
    let mean_costs: Vec<f64> = columns.map(|column| column.sum() / n_prompts).collect();
    let worths = worth::grid(&mean_costs);
    let gains = worths.iter().map(|&worth_usd| {
        let Some(single) = worth::best_constant(&mean_scores, &mean_costs, worth_usd) else {
            return f64::NAN;
        };
        let rows = scores.rows().into_iter().zip(costs.rows());
        let gains = rows.map(|(scores, costs)| {
            let utility = |m: usize| worth::utility(f64::from(scores[m]), costs[m], worth_usd);
            let best = (0..scores.len()).map(utility).fold(f64::MIN, f64::max);
            best - utility(single)
        });
        gains.sum::<f64>() / n_prompts
    });
    gains.sum::<f64>() / worths.len() as f64
}

/// Mean score and cost of the router for which a dollar has to bring a score of `weight`.
fn routed(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    weight: f64,
) -> evaluation::Result<CurvePoint> {
    // The rule is (1 - lambda) score - lambda multiplier cost. At lambda 1/2 that is half of score - multiplier cost, and halving changes no
    // comparison; a multiplier of 0 it does not take, but at lambda 0 costs do not count either.
    let (lambda, multiplier) = if weight == 0.0 {
        (0.0, 1.0)
    } else {
        (0.5, weight)
    };
    point_at(truth, predicted, lambda, multiplier)
}
