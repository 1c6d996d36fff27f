use evaluation::{
    Predicted, Propensities, Result, Truth,
    worth::{PolicyChoices, PolicySettings, PolicyValue, policy_values},
};
use ndarray::Array2;

use super::{
    AnswerFeedback, OffPolicy, PolicyRow,
    collect::{Candidate, Collected, Drawn, Scored},
};

/// The mean feedback for all answers, and for each LLM's.
pub(super) fn feedback(collected: &Collected, level: f64) -> Result<Vec<AnswerFeedback>> {
    let mut rows = Vec::new();
    let all: Vec<&Scored> = collected.scored.iter().collect();
    if all.is_empty() {
        return Ok(rows);
    }
    rows.push(mean_feedback(None, &all, level)?);
    for (model_idx, name) in collected.models.iter().enumerate() {
        let own: Vec<&Scored> = (all.iter().copied())
            .filter(|it| it.model_idx == model_idx)
            .collect();
        if !own.is_empty() {
            rows.push(mean_feedback(Some(name), &own, level)?);
        }
    }
    Ok(rows)
}

/// Each answer was given for sure, so the value of what was done is a plain mean.
fn mean_feedback(model: Option<&String>, scored: &[&Scored], level: f64) -> Result<AnswerFeedback> {
    let n = scored.len();
    let scores = Array2::from_shape_fn((n, 1), |(i, _)| scored[i].score as f32);
    let costs = Array2::zeros((n, 1));
    let certain = Propensities::recorded(Array2::ones((n, 1)))?;
    let truth = Truth::with_propensities(scores.view(), costs.view(), certain)?;
    let groups: Vec<usize> = scored.iter().map(|it| it.group).collect();
    let settings = PolicySettings {
        groups: Some(&groups),
        level,
    };
    let found = policy_values(&truth, None, &[vec![Some(0); n]], settings)?;
    Ok(AnswerFeedback {
        model: model.cloned(),
        answers: n,
        score: found[0].score,
    })
}

/// What is judged: the score or the cost of drawn requests, each as far as it is known.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Score,
    Cost,
}

/// The value of the router without exploration and of each LLM for everything; `None` where the log cannot say it.
pub(super) fn off_policy(collected: &Collected, level: f64) -> Result<Option<OffPolicy>> {
    let scored: Vec<&Drawn> = with(collected, |it| it.feedback.is_some());
    let paid: Vec<&Drawn> = with(collected, |it| it.cost_usd.is_some());
    if scored.is_empty() && paid.is_empty() {
        return Ok(None);
    }
    let scores = values(collected, &scored, What::Score, level)?;
    let costs = values(collected, &paid, What::Cost, level)?;
    let names = [None]
        .into_iter()
        .chain(collected.models.iter().cloned().map(Some));
    let row = |(idx, model): (usize, Option<String>)| {
        let (of_scores, of_costs) = (&scores[idx], &costs[idx]);
        PolicyRow {
            model,
            known_scores: of_scores.n_known,
            effective_requests: of_scores.effective_prompts,
            score: of_scores.score,
            cost_usd: of_costs.cost_usd,
            router_exceeds_score: of_scores.first_exceeds_score,
            router_exceeds_cost_usd: of_costs.first_exceeds_cost_usd,
        }
    };
    Ok(Some(OffPolicy {
        scored: scored.len(),
        paid: paid.len(),
        policies: names.enumerate().map(row).collect(),
    }))
}

fn with(collected: &Collected, is_known: fn(&Drawn) -> bool) -> Vec<&Drawn> {
    collected.drawn.iter().filter(|it| is_known(it)).collect()
}

/// The values of all policies by some requests; none of none.
fn values(
    collected: &Collected,
    drawn: &[&Drawn],
    what: What,
    level: f64,
) -> Result<Vec<PolicyValue>> {
    let n_policies = collected.models.len() + 1;
    // One row of which nothing is known in the place of none: a truth has at least one.
    let shape = (drawn.len().max(1), collected.models.len());
    let mut known = Outcomes::unknown(shape);
    let mut predicted = Outcomes::unknown(shape);
    let mut propensities = Array2::from_elem(shape, f64::NAN);
    let mut policies: Vec<PolicyChoices> = vec![vec![None; shape.0]; n_policies];
    for (i, it) in drawn.iter().enumerate() {
        known.set([i, it.model_idx], what, it.feedback, it.cost_usd);
        policies[0][i] = Some(it.best_idx);
        for &Candidate {
            model_idx,
            propensity,
            score,
            cost_usd,
        } in &it.candidates
        {
            propensities[[i, model_idx]] = propensity;
            predicted.set([i, model_idx], what, score, cost_usd);
            policies[model_idx + 1][i] = Some(model_idx);
        }
    }
    let recorded = Propensities::recorded(propensities)?;
    let truth = Truth::with_propensities(known.scores.view(), known.cost_usd.view(), recorded)?;
    let predicted = Predicted::new(predicted.scores.view(), predicted.cost_usd.view())?;
    let mut groups: Vec<usize> = drawn.iter().map(|it| it.group).collect();
    groups.resize(shape.0, 0);
    let settings = PolicySettings {
        groups: Some(&groups),
        level,
    };
    policy_values(&truth, Some(&predicted), &policies, settings)
}

/// Scores and costs of which one is of interest, and the other 0 wherever that is known: the estimators take them in pairs.
struct Outcomes {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
}

impl Outcomes {
    fn unknown(shape: (usize, usize)) -> Self {
        Self {
            scores: Array2::from_elem(shape, f32::NAN),
            cost_usd: Array2::from_elem(shape, f64::NAN),
        }
    }

    fn set(&mut self, at: [usize; 2], what: What, score: Option<f64>, cost_usd: Option<f64>) {
        let (score, cost_usd) = match what {
            What::Score => (score, score.map(|_| 0.0)),
            What::Cost => (cost_usd.map(|_| 0.0), cost_usd),
        };
        if let (Some(score), Some(cost_usd)) = (score, cost_usd) {
            self.scores[at] = score as f32;
            self.cost_usd[at] = cost_usd;
        }
    }
}
