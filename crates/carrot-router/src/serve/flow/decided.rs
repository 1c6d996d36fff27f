//! The decision on a request that leaves the choice to the router.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use crate::{
    Candidate,
    serve::{
        app::App,
        brain::{Cause, Decided, Undecided},
        choose::{Question, Ranked},
        error::ApiError,
        generation::Generation,
        names::Weight,
        pool::Llm,
        record::{DecisionLine, FallBack, model_lines, note_decision},
        request::{Content, Incoming},
        sessions::Contender,
        ticket::{Ticket, ms, note_prompt},
    },
};

/// What was decided.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) weight: Weight,
    /// LLMs to ask, by their positions: the chosen one, then the others by their utility.
    pub(crate) order: Vec<usize>,
    /// `None` where the default model answers.
    pub(crate) decided: Option<Decided>,
    pub(crate) ranked: Ranked,
}

impl Route {
    /// Decides for a request that will be forwarded.
    pub(crate) async fn find(
        ticket: &mut Ticket,
        incoming: &Arc<Incoming>,
        weight: Weight,
    ) -> Result<Self, ApiError> {
        let (app, generation) = (Arc::clone(ticket.app()), Arc::clone(&ticket.generation));
        let session = ticket.session.clone();
        Self::decide(
            &app,
            &generation,
            &mut ticket.line,
            incoming,
            weight,
            session.as_deref(),
            true,
        )
        .await
    }

    /// Decides, and notes the decision in the request's line.
    pub(crate) async fn decide(
        app: &App,
        generation: &Generation,
        line: &mut DecisionLine,
        incoming: &Arc<Incoming>,
        weight: Weight,
        session: Option<&str>,
        is_forwarded: bool,
    ) -> Result<Self, ApiError> {
        let began = Instant::now();
        line.mu = Some(weight.mu);
        line.calibration.clone_from(&weight.calibration);
        let decided = generation
            .brain
            .decide(Arc::clone(incoming), weight.mu)
            .await;
        line.routing_ms = Some(ms(began.elapsed()));
        let question = Question {
            pool: &generation.pool,
            format: incoming.format,
            options: &incoming.options,
            is_forwarded,
        };
        let decided = match decided {
            Ok(decided) => decided,
            Err(Undecided::Bad(error)) => return Err(error),
            Err(Undecided::Cause(cause, content)) => {
                if let Some(content) = &content {
                    note_prompt(line, generation, &content.prompt);
                }
                return Self::default_model(&question, line, weight, cause, content.as_deref());
            }
        };
        note_prompt(line, generation, &decided.content.prompt);
        let now = SystemTime::now();
        let is_capped = |llm: &Llm, usd: f64| {
            generation.has_caps && app.caps.check(&llm.name, usd, now).is_err()
        };
        let ranked = question.rank(&decided.content, &decided.decision, is_capped);
        let Some(&best) = ranked.order.first() else {
            let eligible = ranked.eligible(decided.decision.models.len());
            line.models = model_lines(&decided.decision, &eligible, None);
            let message = ranked.describe(&generation.pool);
            return Err(match ranked.wait() {
                Some(wait) => ApiError::busy(&message, wait),
                None if ranked.is_capped() => ApiError::cap_reached(message, until_tomorrow(now)),
                None => ApiError::no_eligible(message),
            });
        };
        let route = Self {
            order: ranked.order.clone(),
            weight,
            decided: Some(decided),
            ranked,
        };
        Ok(route.chosen(app, generation, line, session, best))
    }

    /// Whether the best LLM is asked first, or the session's, or one by chance.
    fn chosen(
        mut self,
        app: &App,
        generation: &Generation,
        line: &mut DecisionLine,
        session: Option<&str>,
        best: usize,
    ) -> Self {
        let decided = self.decided.as_ref().expect("it was decided");
        let models = &decided.decision.models;
        let contender = |&idx: &usize| {
            let Candidate {
                utility,
                cost_usd,
                input_tokens,
                ..
            } = models[idx];
            let llm = &generation.pool.llms[idx];
            Contender {
                name: &llm.name,
                utility,
                cost_usd,
                input_tokens: input_tokens as u64,
                input_usd_per_token: llm.price.map(|[input, _]| input / 1e6),
            }
        };
        let contenders: Vec<Contender<'_>> = self.order.iter().map(contender).collect();
        let kept = session.and_then(|session| {
            let mu = self.weight.mu;
            app.sessions
                .keep(session, &contenders, 0, mu, Instant::now())
        });
        let kept = kept.map(|place| self.order[place]);
        let explorer = &generation.explorer;
        line.explore = explorer.share();
        let drawn = match kept {
            Some(_) => None,
            None => explorer.draw(models.len(), &self.order, best),
        };
        let first = kept
            .or_else(|| drawn.as_ref().map(|draw| draw.chosen_idx))
            .unwrap_or(best);
        let eligible = self.ranked.eligible(models.len());
        let propensities = drawn.as_ref().map(|draw| draw.propensities.as_slice());
        note_decision(line, &decided.decision, &eligible, best, propensities);
        line.explored = drawn.as_ref().is_some_and(|draw| draw.explored);
        line.kept_by_session = first != best && kept.is_some();
        line.chosen = Some(generation.pool.llms[first].name.clone());
        self.order.retain(|&idx| idx != first);
        self.order.insert(0, first);
        self
    }

    /// Without a decision the configured LLM answers, and no other: any other might be dearer.
    fn default_model(
        question: &Question<'_>,
        line: &mut DecisionLine,
        weight: Weight,
        cause: Cause,
        content: Option<&Content>,
    ) -> Result<Self, ApiError> {
        let pool = question.pool;
        let llm = &pool.llms[pool.default_idx];
        let reason = match content {
            Some(content) => question.cannot(llm, content, content.n_input_tokens()),
            None => question.unranked(llm),
        };
        line.cause = Some(cause.name().to_owned());
        if let Some(reason) = reason {
            let message = format!(
                "no decision ({}), and `{}` {reason}",
                cause.name(),
                llm.name
            );
            return Err(ApiError::no_eligible(message));
        }
        line.chosen = Some(llm.name.clone());
        Ok(Self {
            weight,
            order: vec![pool.default_idx],
            decided: None,
            ranked: Ranked::default(),
        })
    }

    /// What was predicted of an LLM.
    pub(crate) fn candidate(&self, idx: usize) -> Option<&Candidate> {
        self.decided.as_ref()?.decision.models.get(idx)
    }

    /// The whole decision, for those who asked for it, as JSON.
    pub(crate) fn metadata(&self, ticket: &Ticket) -> String {
        let generation = &ticket.generation;
        let described = Described {
            served: ticket
                .served_idx
                .map(|idx| generation.pool.llms[idx].name.as_str()),
            fallbacks_used: Some(&ticket.line.fallbacks),
            ..self.describe(generation, &ticket.line)
        };
        described.json()
    }

    /// The decision in the form of `POST /v1/decision`.
    pub(crate) fn describe<'a>(
        &'a self,
        generation: &'a Generation,
        line: &'a DecisionLine,
    ) -> Described<'a> {
        let name = |idx: &usize| generation.pool.llms[*idx].name.as_str();
        let excluded = |idx: usize| {
            let found = self.ranked.excluded.iter().find(|(other, _)| *other == idx);
            found.map(|(_, reason)| reason.to_string())
        };
        let models = self
            .decided
            .iter()
            .flat_map(|it| it.decision.models.iter().enumerate());
        let model = |(idx, model): (usize, &'a Candidate)| DescribedModel {
            name: &model.name,
            score: model.score,
            input_tokens: model.input_tokens,
            output_tokens: model.output_tokens,
            cost_usd: model.cost_usd,
            utility: model.utility,
            excluded: excluded(idx),
        };
        Described {
            object: "routing.decision",
            id: &line.id,
            created: None,
            selected: Selected {
                model: self.order.first().map(name),
            },
            fallbacks: self.order.iter().skip(1).map(name).collect(),
            mu: self.weight.mu,
            calibration: self.weight.calibration.as_deref(),
            truncated: line.truncated,
            cause: line.cause.as_deref(),
            models: models.map(model).collect(),
            served: None,
            fallbacks_used: None,
        }
    }
}

/// A decision as it is told. Scores have the digits of `carrot-router route --json`, whose unknowns are null, too.
#[derive(Debug, Serialize)]
pub(crate) struct Described<'a> {
    object: &'static str,
    id: &'a str,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<u64>,
    selected: Selected<'a>,
    /// Whom to ask next, in order.
    fallbacks: Vec<&'a str>,
    mu: f64,
    calibration: Option<&'a str>,
    truncated: bool,
    /// Why nothing was decided, and the default model is selected.
    cause: Option<&'a str>,
    models: Vec<DescribedModel<'a>>,
    /// Who answered in the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallbacks_used: Option<&'a [FallBack]>,
}

#[derive(Debug, Serialize)]
struct Selected<'a> {
    model: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct DescribedModel<'a> {
    name: &'a str,
    score: f32,
    input_tokens: usize,
    output_tokens: Option<f32>,
    cost_usd: f64,
    utility: f64,
    /// Why it cannot take the request.
    excluded: Option<String>,
}

impl Described<'_> {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }
}

/// How long it is until spend caps begin anew, at midnight UTC.
fn until_tomorrow(now: SystemTime) -> Duration {
    const DAY: u64 = 24 * 60 * 60;
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    Duration::from_secs(DAY - seconds % DAY)
}
