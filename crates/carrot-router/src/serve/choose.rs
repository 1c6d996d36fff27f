//! Which LLMs can take a request, and in which order they are asked.

use std::{fmt, time::Duration};

use super::{
    pool::{Llm, Pool},
    request::{Content, Format, Need, Options},
};
use crate::Decision;

/// LLMs in the order of their utility, and those that cannot take the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Ranked {
    /// Positions in the pool, the best first. Ties go to the lowest position, as in the rule.
    pub(crate) order: Vec<usize>,
    pub(crate) excluded: Vec<(usize, Reason)>,
}

/// Why an LLM cannot take a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reason {
    /// There is no `[[llm]]` for it.
    NotServed,
    /// Its upstream speaks other formats.
    Format(Format),
    /// It cannot do what the request needs.
    Cannot(Need),
    /// The request and its answer are too long for it.
    ContextWindow,
    /// The request allows others only.
    NotAllowed,
    /// It would cost more than the request allows.
    TooDear,
    /// It would score less than the request asks for.
    TooPoor,
    /// Its score or cost is unknown.
    Unknown,
    /// It asked to be left alone.
    Cooling(Duration),
    /// What may be spent has been spent.
    CapReached,
}

/// What is decided about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) format: Format,
    pub(crate) options: &'a Options,
    /// Whether the LLM will be asked, or only named to somebody else.
    pub(crate) is_forwarded: bool,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServed => f.write_str("is not served here"),
            Self::Format(format) => write!(f, "does not speak the format {}", format.name()),
            Self::Cannot(need) => write!(f, "cannot {}", need.name()),
            Self::ContextWindow => f.write_str("has too small a context window"),
            Self::NotAllowed => f.write_str("is not allowed by `carrot.models`"),
            Self::TooDear => f.write_str("costs more than `carrot.max_cost_usd`"),
            Self::TooPoor => f.write_str("scores less than `carrot.min_score`"),
            Self::Unknown => f.write_str("has no known score and cost"),
            Self::Cooling(wait) => write!(f, "asked to wait {:.1} s", wait.as_secs_f64()),
            Self::CapReached => f.write_str("has reached its spend cap"),
        }
    }
}

impl Question<'_> {
    /// Orders the LLMs of a decision.
    pub(crate) fn rank(
        &self,
        content: &Content,
        decision: &Decision,
        is_capped: impl Fn(&Llm, f64) -> bool,
    ) -> Ranked {
        let mut ranked = Ranked::default();
        for (idx, llm) in self.pool.llms.iter().enumerate() {
            let reason = match decision.models.get(idx) {
                _ if !llm.is_predicted => Some(Reason::Unknown),
                None => Some(Reason::Unknown),
                Some(candidate) => self
                    .cannot(llm, content, candidate.input_tokens)
                    .or_else(|| self.is_unwanted(candidate.score, candidate.cost_usd))
                    .or_else(|| candidate.utility.is_nan().then_some(Reason::Unknown))
                    .or_else(|| is_capped(llm, candidate.cost_usd).then_some(Reason::CapReached))
                    .or_else(|| self.cools(llm)),
            };
            match reason {
                Some(reason) => ranked.excluded.push((idx, reason)),
                None => ranked.order.push(idx),
            }
        }
        let utility = |idx: usize| decision.models[idx].utility;
        // Stable, so that ties stay in the order of the pool.
        (ranked.order).sort_by(|&a, &b| utility(b).total_cmp(&utility(a)));
        ranked
    }

    /// Why an LLM that nothing was predicted for cannot be asked: the default model, or one asked for by its name.
    pub(crate) fn unranked(&self, llm: &Llm) -> Option<Reason> {
        self.not_served(llm)
            .or_else(|| (!self.options.allows(&llm.name)).then_some(Reason::NotAllowed))
    }

    /// Why an LLM cannot take what the request holds.
    pub(crate) fn cannot(&self, llm: &Llm, content: &Content, n_input: usize) -> Option<Reason> {
        if let Some(reason) = self.unranked(llm) {
            return Some(reason);
        }
        // Of an LLM that others ask, only they know what it can do.
        let served = llm.served.as_ref()?;
        let cannot = content.needs.iter().find(|need| !served.can.contains(need));
        if let Some(&need) = cannot {
            return Some(Reason::Cannot(need));
        }
        let n_tokens = n_input.saturating_add(content.max_output_tokens);
        let is_too_long = served
            .context_window
            .is_some_and(|window| n_tokens > window);
        is_too_long.then_some(Reason::ContextWindow)
    }

    fn not_served(&self, llm: &Llm) -> Option<Reason> {
        if !self.is_forwarded {
            return None;
        }
        match (&llm.served, self.pool.upstream_of(llm, self.format)) {
            (None, _) => Some(Reason::NotServed),
            (Some(_), None) => Some(Reason::Format(self.format)),
            (Some(_), Some(_)) => None,
        }
    }

    fn is_unwanted(&self, score: f32, cost_usd: f64) -> Option<Reason> {
        let Options {
            max_cost_usd,
            min_score,
            ..
        } = *self.options;
        if max_cost_usd.is_some_and(|most| cost_usd > most) {
            return Some(Reason::TooDear);
        }
        min_score
            .is_some_and(|least| score < least)
            .then_some(Reason::TooPoor)
    }

    fn cools(&self, llm: &Llm) -> Option<Reason> {
        match self.is_forwarded {
            true => llm.cooling().map(Reason::Cooling),
            false => None,
        }
    }
}

impl Ranked {
    /// For each LLM of the router whether it can take the request.
    pub(crate) fn eligible(&self, n_models: usize) -> Vec<bool> {
        (0..n_models).map(|idx| self.order.contains(&idx)).collect()
    }

    /// The shortest wait, where nothing but waits stands between the request and an answer.
    pub(crate) fn wait(&self) -> Option<Duration> {
        let waits = self.excluded.iter().filter_map(|(_, reason)| match reason {
            Reason::Cooling(wait) => Some(*wait),
            _ => None,
        });
        waits.min()
    }

    /// Whether a cap is all that stands in the way of some LLM.
    pub(crate) fn is_capped(&self) -> bool {
        let mut reasons = self.excluded.iter().map(|(_, reason)| reason);
        reasons.any(|reason| matches!(reason, Reason::CapReached))
    }

    /// Why no LLM can take the request.
    pub(crate) fn describe(&self, pool: &Pool) -> String {
        let predicted = (self.excluded.iter()).filter(|(idx, _)| pool.llms[*idx].is_predicted);
        let reasons: Vec<String> = predicted
            .map(|(idx, reason)| format!("`{}` {reason}", pool.llms[*idx].name))
            .collect();
        format!("no LLM can take this request: {}", reasons.join(", "))
    }
}
