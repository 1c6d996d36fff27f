use dataset::PerModel;
use serde::Serialize;

/// What knowing the truth is worth: expected score and cost of every single LLM and of the Bayes router at several prices of a point.
///
/// ```text
/// m*(x) = argmax_m E[score_m | x] - w E[cost_m | x]        w in WEIGHTS, per US dollar
/// ```
#[derive(Debug, Clone)]
pub(crate) struct BayesTally {
    n_rows: usize,
    singles: Vec<Sums>,
    routed: [Sums; WEIGHTS.len()],
}

/// Score that a dollar has to bring: none, then four a decade from 1 to 10,000.
const WEIGHTS: [f64; 18] = [
    0.0, 1.0, 1.78, 3.16, 5.62, 10.0, 17.8, 31.6, 56.2, 100.0, 178.0, 316.0, 562.0, 1000.0, 1780.0,
    3160.0, 5620.0, 10_000.0,
];

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    score: f64,
    cost_usd: f64,
}

/// The truth on the test rows, in expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BayesReport {
    /// The LLM with the highest expected score.
    pub(crate) best_single: String,
    pub(crate) best_single_score: f64,
    pub(crate) best_single_cost_usd: f64,
    /// The Bayes router that minds no cost.
    pub(crate) bayes_score: f64,
    pub(crate) bayes_cost_usd: f64,
    /// The cheapest of the Bayes routers tried that scores no less than the best single LLM.
    pub(crate) match_score: f64,
    pub(crate) match_cost_usd: f64,
}

impl BayesTally {
    pub(crate) fn new(n_models: usize) -> Self {
        Self {
            n_rows: 0,
            singles: vec![Sums::default(); n_models],
            routed: [Sums::default(); WEIGHTS.len()],
        }
    }

    pub(crate) fn add(&mut self, truth: &PerModel) {
        self.n_rows += truth.ids.len();
        for (scores, costs) in truth.scores.rows().into_iter().zip(truth.cost_usd.rows()) {
            let answers = || {
                scores
                    .iter()
                    .zip(costs)
                    .map(|(&score, &cost)| (f64::from(score), cost))
            };
            for (sums, answer) in self.singles.iter_mut().zip(answers()) {
                sums.add(answer);
            }
            for (sums, weight) in self.routed.iter_mut().zip(WEIGHTS) {
                let value = |(score, cost): (f64, f64)| score - weight * cost;
                let best = answers().reduce(|best, next| {
                    if value(next) > value(best) {
                        next
                    } else {
                        best
                    }
                });
                sums.add(best.expect("a checked configuration has models"));
            }
        }
    }

    pub(crate) fn report(&self, models: &[String]) -> BayesReport {
        let n = self.n_rows as f64;
        let mut best = 0;
        for m in 1..self.singles.len() {
            if self.singles[m].score > self.singles[best].score {
                best = m;
            }
        }
        let single = self.singles[best];
        let matching = self.routed.iter().filter(|sums| sums.score >= single.score);
        let cheapest = matching.min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
        let cheapest = cheapest.unwrap_or(&self.routed[0]);
        BayesReport {
            best_single: models[best].clone(),
            best_single_score: single.score / n,
            best_single_cost_usd: single.cost_usd / n,
            bayes_score: self.routed[0].score / n,
            bayes_cost_usd: self.routed[0].cost_usd / n,
            match_score: cheapest.score / n,
            match_cost_usd: cheapest.cost_usd / n,
        }
    }
}

impl Sums {
    fn add(&mut self, (score, cost_usd): (f64, f64)) {
        self.score += score;
        self.cost_usd += cost_usd;
    }
}

impl BayesReport {
    pub(crate) fn text(&self) -> String {
        format!(
            "expected on the test rows:\n\
             best single LLM, {}: score {:.4} at ${:.3e}\n\
             Bayes router, at any cost: score {:.4} at ${:.3e}\n\
             Bayes router, as good as the best single LLM: score {:.4} at ${:.3e}\n",
            self.best_single,
            self.best_single_score,
            self.best_single_cost_usd,
            self.bayes_score,
            self.bayes_cost_usd,
            self.match_score,
            self.match_cost_usd,
        )
    }
}
