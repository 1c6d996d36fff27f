use std::collections::HashMap;

use decision_log::{DecisionLine, LogFiles, Outcome};
use evaluation::worth::FEWEST_EFFECTIVE;

use super::{
    AlwaysTotals, AnswerFeedback, OffPolicy, PaidTotals, Replay, ReplayCounts, ReplayError,
    RoutedTotals,
};

/// What is kept of a log.
#[derive(Debug, Default)]
pub(super) struct Collected {
    from: Option<String>,
    to: Option<String>,
    counts: ReplayCounts,
    paid: PaidTotals,
    routed: Totals,
    routing_usd: f64,
    /// In order of first appearance.
    pub(super) models: Vec<String>,
    model_idxs: HashMap<String, usize>,
    always: Vec<Always>,
    sessions: HashMap<String, usize>,
    n_groups: usize,
    /// Answers with feedback.
    pub(super) scored: Vec<Scored>,
    /// Requests whose LLM was drawn, with feedback, a known cost, or both.
    pub(super) drawn: Vec<Drawn>,
}

/// An answer with feedback.
#[derive(Debug)]
pub(super) struct Scored {
    pub(super) model_idx: usize,
    pub(super) score: f64,
    /// Requests of a session have the same.
    pub(super) group: usize,
}

/// A request whose LLM was drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) model_idx: usize,
    pub(super) best_idx: usize,
    pub(super) candidates: Vec<Candidate>,
    pub(super) feedback: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) group: usize,
}

/// An LLM that could have been drawn.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) model_idx: usize,
    pub(super) propensity: f64,
    pub(super) score: Option<f64>,
    pub(super) cost_usd: Option<f64>,
}

/// Sums of predictions.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    n: usize,
    n_scores: usize,
    score: f64,
    n_costs: usize,
    usd: f64,
}

#[derive(Debug, Default)]
struct Always {
    n_routed: usize,
    n_not_eligible: usize,
    totals: Totals,
}

impl Totals {
    fn add(&mut self, score: Option<f64>, usd: Option<f64>) {
        self.n += 1;
        self.n_scores += usize::from(score.is_some());
        self.score += score.unwrap_or(0.0);
        self.n_costs += usize::from(usd.is_some());
        self.usd += usd.unwrap_or(0.0);
    }

    /// The mean score of so many requests, unless one is unknown: a mean over others would be of other requests.
    fn mean_score(&self, n_requests: usize) -> Option<f64> {
        (self.n_scores == n_requests && n_requests > 0).then(|| self.score / n_requests as f64)
    }

    fn total_usd(&self, n_requests: usize) -> Option<f64> {
        (self.n_costs == n_requests && n_requests > 0).then_some(self.usd)
    }
}

impl Collected {
    pub(super) fn read(files: &LogFiles) -> Result<Self, ReplayError> {
        let mut this = Self::default();
        files.for_each_decision(|line, feedback| this.add(&line, feedback))?;
        Ok(this)
    }

    fn add(&mut self, line: &DecisionLine, feedback: Option<f64>) {
        if self.from.is_none() {
            self.from = Some(line.time.clone());
        }
        self.to = Some(line.time.clone());
        let counts = &mut self.counts;
        counts.requests += 1;
        counts.routed += usize::from(line.routed().is_some());
        counts.shadow += usize::from(line.shadow);
        counts.decisions_alone += usize::from(line.outcome == Outcome::Decided);
        counts.failed += usize::from(line.outcome.is_failure());
        counts.fallbacks += line.fallbacks.len();
        counts.explored += usize::from(line.explored);
        counts.with_feedback += usize::from(feedback.is_some());
        let group = self.group(line.session.as_deref());
        self.add_paid(line);
        self.add_predicted(line);
        // Of a decision alone the gateway that asked for it took the LLM that was chosen.
        let answered = match line.outcome {
            Outcome::Decided => line.chosen.as_deref(),
            _ => line.served.as_deref(),
        };
        let Some(answered) = answered else { return };
        let model_idx = self.model_idx(answered);
        if let Some(score) = feedback {
            self.scored.push(Scored {
                model_idx,
                score,
                group,
            });
        }
        if line.is_drawn() {
            self.counts.drawn += 1;
            self.add_drawn(line, model_idx, feedback, group);
        }
    }

    fn add_paid(&mut self, line: &DecisionLine) {
        let Some(usd) = line.cost_usd else { return };
        let paid = &mut self.paid;
        paid.answers += 1;
        paid.usd += usd;
        if line.is_estimated() {
            paid.estimated_answers += 1;
            paid.estimated_usd += usd;
        }
        // In the shadow the answer that was paid for is another LLM's.
        let routed = line.routed().filter(|_| !line.shadow);
        if let Some(predicted) = routed.and_then(|model| model.cost_usd) {
            paid.compared_answers += 1;
            paid.compared_usd += usd;
            paid.compared_predicted_usd += predicted;
        }
    }

    fn add_predicted(&mut self, line: &DecisionLine) {
        let Some(routed) = line.routed() else { return };
        self.routed.add(routed.score, routed.cost_usd);
        self.routing_usd += line.routing_usd.unwrap_or(0.0);
        for model in &line.models {
            let model_idx = self.model_idx(&model.name);
            let always = &mut self.always[model_idx];
            always.totals.add(model.score, model.cost_usd);
            always.n_not_eligible += usize::from(!model.eligible);
            always.n_routed += usize::from(model.name == routed.name);
        }
    }

    fn add_drawn(
        &mut self,
        line: &DecisionLine,
        model_idx: usize,
        feedback: Option<f64>,
        group: usize,
    ) {
        let Some(best) = line.best.as_deref() else {
            return;
        };
        if feedback.is_none() && line.cost_usd.is_none() {
            return;
        }
        let best_idx = self.model_idx(best);
        let mut candidates = Vec::with_capacity(line.models.len());
        for model in &line.models {
            let model_idx = self.model_idx(&model.name);
            if let Some(propensity) = model.propensity.filter(|&p| p > 0.0) {
                candidates.push(Candidate {
                    model_idx,
                    propensity,
                    score: model.score,
                    cost_usd: model.cost_usd,
                });
            }
        }
        self.drawn.push(Drawn {
            model_idx,
            best_idx,
            candidates,
            feedback,
            cost_usd: line.cost_usd,
            group,
        });
    }

    fn model_idx(&mut self, name: &str) -> usize {
        if let Some(&idx) = self.model_idxs.get(name) {
            return idx;
        }
        let idx = self.models.len();
        self.models.push(name.to_owned());
        self.model_idxs.insert(name.to_owned(), idx);
        self.always.push(Always::default());
        idx
    }

    /// A number that requests of one session share.
    fn group(&mut self, session: Option<&str>) -> usize {
        let next = self.n_groups;
        self.n_groups += 1;
        match session {
            None => next,
            Some(session) => match self.sessions.get(session) {
                Some(&group) => group,
                None => {
                    self.sessions.insert(session.to_owned(), next);
                    next
                }
            },
        }
    }

    pub(super) fn replay(
        self,
        level: f64,
        feedback: Vec<AnswerFeedback>,
        off_policy: Option<OffPolicy>,
    ) -> Replay {
        let n = self.counts.routed;
        let usd = self.routed.total_usd(n).map(|usd| usd + self.routing_usd);
        let notes = self.notes(off_policy.as_ref());
        let always = self.models.into_iter().zip(self.always);
        let always = always.filter(|(_, always)| always.totals.n > 0);
        let totals = |(model, always): (String, Always)| {
            let predicted_usd = always.totals.total_usd(n);
            let saved = usd.zip(predicted_usd.filter(|&usd| usd > 0.0));
            AlwaysTotals {
                model,
                share: always.n_routed as f64 / n as f64,
                not_eligible: always.n_not_eligible,
                predicted_score: always.totals.mean_score(n),
                predicted_usd,
                saved: saved.map(|(routed, always)| 1.0 - routed / always),
            }
        };
        Replay {
            from: self.from,
            to: self.to,
            level,
            counts: self.counts,
            routed: RoutedTotals {
                predicted_score: self.routed.mean_score(n),
                predicted_usd: usd,
                routing_usd: self.routing_usd,
            },
            always: always.map(totals).collect(),
            paid: self.paid,
            feedback,
            off_policy,
            notes,
        }
    }

    fn notes(&self, off_policy: Option<&OffPolicy>) -> Vec<String> {
        let mut notes = Vec::new();
        let counts = &self.counts;
        let not_possible: Vec<&str> = (self.models.iter().zip(&self.always))
            .filter(|(_, always)| always.n_not_eligible > 0)
            .map(|(name, _)| name.as_str())
            .collect();
        if !not_possible.is_empty() {
            notes.push(format!(
                "`{}` could not have taken all of these requests (context window, images, tools, lists or caps); their totals are as if they could",
                not_possible.join("`, `")
            ));
        }
        if counts.shadow > 0 {
            notes.push(format!(
                "{} requests were answered by the LLM that the client named, and routing looked on: what is predicted is what it would have done",
                counts.shadow
            ));
        }
        match off_policy {
            None if counts.drawn == 0 => notes.push(
                "the log cannot be judged off-policy: no request went to an LLM drawn at random (`serve --explore`), so nothing says what \
                 another LLM would have answered"
                    .to_owned(),
            ),
            None => notes.push(
                "the log has no feedback and no cost on requests whose LLM was drawn, so policies cannot be judged"
                    .to_owned(),
            ),
            Some(off_policy) => {
                if off_policy.scored == 0 {
                    notes.push("no drawn request has feedback: costs alone are judged".to_owned());
                }
                let is_few = |score: f64| score > 0.0 && score < FEWEST_EFFECTIVE;
                if (off_policy.policies.iter()).any(|it| is_few(it.effective_requests)) {
                    notes.push(format!(
                        "below {FEWEST_EFFECTIVE} effective requests intervals hold less often than they say: explore more, or wait"
                    ));
                }
            }
        }
        if counts.with_feedback > 0 && counts.with_feedback < counts.requests {
            notes.push(format!(
                "{} of {} requests have feedback; quality is that of all only if whether someone gives a score has nothing to do with the answer",
                counts.with_feedback, counts.requests
            ));
        }
        if counts.with_feedback == 0 {
            notes
                .push("no request has feedback: of quality there are predictions alone".to_owned());
        }
        notes
    }
}
