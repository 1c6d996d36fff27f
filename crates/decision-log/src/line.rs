use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::rfc3339;

/// The version of the lines' format, in each of them.
pub const LOG_FORMAT_VERSION: u32 = 1;

/// A line of the log. As JSON an object whose first key, `log`, says which of them it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "log", rename_all = "snake_case")]
pub enum Line {
    /// A request.
    Decision(Box<DecisionLine>),
    /// A score for the answer to an earlier one.
    Feedback(FeedbackLine),
}

/// What became of a request. What is unknown is null, and left out where it does not apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionLine {
    /// [`LOG_FORMAT_VERSION`].
    pub version: u32,
    /// When the request came, see [`rfc3339`].
    pub time: String,
    /// The decision's id, see [`new_decision_id`].
    pub id: String,
    /// The path of the endpoint: `/v1/chat/completions`.
    pub endpoint: String,
    /// The model's name as the client sent it: `carrot:mu=0.3`, or an LLM's.
    pub requested: String,
    /// SHA-256 of the text that decided, in hexadecimal digits; `None` where no text was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_sha256: Option<String>,
    /// The text that decided; only if the configuration asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What kind of task the client says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The client's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The weight of cost; `None` where nothing was decided.
    pub mu: Option<f64>,
    /// The calibration that the weight comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// Whether the router saw only the beginning of the prompt.
    #[serde(default)]
    pub truncated: bool,
    /// Every LLM of the router, with what was predicted; empty where nothing was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelLine>,
    /// The LLM that the rule alone would choose among those that are eligible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<String>,
    /// The LLM that was chosen: the best, the one that was drawn, the session's, or the default one of a failed decision.
    pub chosen: Option<String>,
    /// The share of requests that are sent to an LLM drawn at random; 0 without exploration.
    #[serde(default)]
    pub explore: f64,
    /// Whether this one was drawn.
    #[serde(default)]
    pub explored: bool,
    /// Whether the session kept its LLM, although another one was the best.
    #[serde(default)]
    pub kept_by_session: bool,
    /// The LLM that answered, or began to; `None` where none did, or where it is not known: of a decision alone.
    pub served: Option<String>,
    /// From which LLM to which, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<FallBack>,
    /// Whether routing only looked on, and the request went where the client sent it.
    #[serde(default)]
    pub shadow: bool,
    /// What the answer used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What the answer cost in US dollars, from `usage` and the LLM's prices, or as the upstream said.
    pub cost_usd: Option<f64>,
    /// What the decision itself cost in US dollars, where an embedding server charges for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_usd: Option<f64>,
    /// The HTTP status that the client got; `None` where the client had gone before.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why a decision failed or a request was refused: the code of the error, never its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How long the decision took, in milliseconds.
    pub routing_ms: Option<f64>,
    /// How long the request took without the wait for upstreams.
    pub overhead_ms: Option<f64>,
    /// Until the first byte of the answer.
    pub first_byte_ms: Option<f64>,
    /// Until the last one.
    pub total_ms: f64,
}

/// What was predicted of an LLM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelLine {
    /// Its name.
    pub name: String,
    /// The predicted score.
    pub score: Option<f64>,
    /// The predicted cost in US dollars.
    pub cost_usd: Option<f64>,
    /// The input tokens that it is expected to bill, of the whole request.
    pub input_tokens: Option<u64>,
    /// The predicted length of the answer.
    pub output_tokens: Option<f64>,
    /// What the rule compared.
    pub utility: Option<f64>,
    /// Whether the request could go to it: its modalities, context window, allow lists, caps.
    pub eligible: bool,
    /// With which probability it would have been chosen. Only of requests that exploration was open to, and 0 of LLMs that are not eligible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
}

/// A change of upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallBack {
    /// The LLM that failed.
    pub from: String,
    /// The one that was asked next.
    pub to: String,
    /// Why, in a word: `connect`, `429`, `first_event`.
    pub reason: String,
}

/// Tokens of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Those of them that came from the upstream's cache.
    #[serde(default)]
    pub cached_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// How they are known.
    pub source: AmountSource,
}

/// How a number of tokens is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountSource {
    /// The upstream said so.
    Actual,
    /// Counted or predicted here, because the upstream did not say.
    Estimated,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An upstream's answer went through whole.
    Ok,
    /// A decision was asked for, and nothing was forwarded.
    Decided,
    /// An upstream's error went through, or there was none to ask.
    UpstreamError,
    /// The upstream failed after the first byte of its answer.
    Cut,
    /// The client left before the end.
    ClientGone,
    /// Too slow.
    TimedOut,
    /// Nothing was forwarded: the request was wrong, nobody eligible, or a limit reached.
    Refused,
}

/// A score for an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedbackLine {
    /// [`LOG_FORMAT_VERSION`].
    pub version: u32,
    /// When it came, see [`rfc3339`].
    pub time: String,
    /// The decision that led to the answer.
    pub decision_id: String,
    /// How good the answer was, in [0, 1].
    pub score: f64,
}

impl DecisionLine {
    /// A line of which nothing is known but the endpoint and the name that was asked for: to be filled in as the request goes on.
    pub fn begin(id: String, time: SystemTime, endpoint: &str, requested: &str) -> Self {
        Self {
            version: LOG_FORMAT_VERSION,
            time: rfc3339(time),
            id,
            endpoint: endpoint.to_owned(),
            requested: requested.to_owned(),
            prompt_sha256: None,
            prompt: None,
            task: None,
            session: None,
            mu: None,
            calibration: None,
            truncated: false,
            models: Vec::new(),
            best: None,
            chosen: None,
            explore: 0.0,
            explored: false,
            kept_by_session: false,
            served: None,
            fallbacks: Vec::new(),
            shadow: false,
            usage: None,
            cost_usd: None,
            routing_usd: None,
            status: None,
            outcome: Outcome::Refused,
            cause: None,
            routing_ms: None,
            overhead_ms: None,
            first_byte_ms: None,
            total_ms: 0.0,
        }
    }

    /// What was predicted of an LLM.
    pub fn model(&self, name: &str) -> Option<&ModelLine> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The LLM that routing sends the request to: the one that answered, or of a decision alone and in the shadow the one that was chosen.
    /// `None` of requests for an LLM by its name, and of failed decisions.
    pub fn routed(&self) -> Option<&ModelLine> {
        let name = match self.shadow || self.outcome == Outcome::Decided {
            true => self.chosen.as_deref(),
            false => self.served.as_deref(),
        };
        self.model(name?)
    }

    /// Whether what the answer cost is counted here, because the upstream did not say.
    pub fn is_estimated(&self) -> bool {
        self.usage
            .is_some_and(|usage| usage.source == AmountSource::Estimated)
    }

    /// Whether the probability with which its LLM was chosen is known, and that LLM is the one that answered: what a policy that was not followed can
    /// be judged by.
    pub fn is_drawn(&self) -> bool {
        self.explore > 0.0
            && !self.shadow
            && self.models.iter().any(|model| model.propensity.is_some())
            && (self.outcome == Outcome::Decided || self.chosen == self.served)
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ok,
        Self::Decided,
        Self::UpstreamError,
        Self::Cut,
        Self::ClientGone,
        Self::TimedOut,
        Self::Refused,
    ];

    /// Whether the client did not get what it asked for. One that left is no failure.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Ok | Self::Decided | Self::ClientGone => false,
            Self::UpstreamError | Self::Cut | Self::TimedOut | Self::Refused => true,
        }
    }

    /// As in the log and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Decided => "decided",
            Self::UpstreamError => "upstream_error",
            Self::Cut => "cut",
            Self::ClientGone => "client_gone",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }
}

impl FeedbackLine {
    /// A score for the answer of a decision.
    pub fn new(time: SystemTime, decision_id: String, score: f64) -> Self {
        Self {
            version: LOG_FORMAT_VERSION,
            time: rfc3339(time),
            decision_id,
            score,
        }
    }
}

/// The number, where it is one: JSON has no NaN.
pub fn known(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// A name that no other decision has: `dec_` and 32 hexadecimal digits of chance.
#[expect(
    clippy::disallowed_methods,
    reason = "two requests, and two servers, must not share an id"
)]
pub fn new_decision_id() -> String {
    format!("dec_{:032x}", rand::random::<u128>())
}

/// SHA-256 of a prompt's text, in hexadecimal digits.
pub fn prompt_sha256(prompt: &str) -> String {
    Sha256::digest(prompt.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::UNIX_EPOCH};

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_line_says_what_it_is_first_and_comes_back() {
        let mut line = DecisionLine::begin("dec_1".into(), UNIX_EPOCH, "/v1/decision", "carrot");
        line.models.push(ModelLine {
            name: "a/b".into(),
            score: Some(0.5),
            cost_usd: known(f64::NAN),
            input_tokens: Some(3),
            output_tokens: None,
            utility: None,
            eligible: true,
            propensity: Some(0.25),
        });
        line.usage = Some(Usage {
            input_tokens: 3,
            cached_tokens: 0,
            output_tokens: 4,
            source: AmountSource::Estimated,
        });
        let line = Line::Decision(line.into());
        let text = serde_json::to_string(&line).expect("JSON");
        assert!(
            text.starts_with(r#"{"log":"decision","version":1,"#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Line>(&text).expect("a line"), line);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["models"][0]["cost_usd"], json!(null));
        assert_eq!(value["usage"]["source"], "estimated");
        assert!(value.get("prompt").is_none());

        let line = Line::Feedback(FeedbackLine::new(UNIX_EPOCH, "dec_1".into(), 0.25));
        let text = serde_json::to_string(&line).expect("JSON");
        let expected = r#"{"log":"feedback","version":1,"time":"1970-01-01T00:00:00.000Z","decision_id":"dec_1","score":0.25}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Line>(&text).expect("a line"), line);
    }

    #[test]
    fn outcomes_have_the_names_of_the_log() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).expect("JSON"), outcome.name());
        }
    }

    #[test]
    fn ids_differ() {
        let ids: HashSet<String> = (0..1000).map(|_| new_decision_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(
            ids.iter()
                .all(|id| id.len() == 36 && id.starts_with("dec_"))
        );
    }

    #[test]
    fn a_prompt_s_hash_is_that_of_its_bytes() {
        // printf 'abc' | sha256sum
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(prompt_sha256("abc"), expected);
    }
}
