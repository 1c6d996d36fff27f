//! A request as it came in: where its `model` is, what it asks of the router, and, once a decision is needed, which text decides.

mod content;

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;

pub(crate) use self::content::{Content, Reading};
pub use self::content::{DecidingText, Need};
use super::{
    error::ApiError,
    json::{Edit, Object, edited, quoted},
};
use crate::check_mu;

/// Keys that must not be there twice: what reads the last one decides otherwise than what reads the first.
const ONCE: [&str; 8] = [
    "model",
    "carrot",
    "stream",
    "stream_options",
    "messages",
    "input",
    "system",
    "tools",
];

/// The format of a request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// OpenAI's `/v1/chat/completions`.
    Chat,
    /// OpenAI's `/v1/responses`.
    Responses,
    /// Anthropic's `/v1/messages`.
    Messages,
}

/// The body of a request, read as far as forwarding needs it.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) format: Format,
    pub(crate) body: Bytes,
    /// As the client wrote it.
    pub(crate) model: String,
    model_at: Range<usize>,
    carrot: Option<Edit>,
    pub(crate) options: Options,
    pub(crate) is_stream: bool,
}

/// `carrot` in the body.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The weight of cost.
    #[serde(default)]
    pub(crate) mu: Option<f64>,
    /// The name of a calibration, whose weight of cost it is.
    #[serde(default)]
    pub(crate) calibration: Option<String>,
    /// LLMs with a higher predicted cost are not eligible.
    #[serde(default)]
    pub(crate) max_cost_usd: Option<f64>,
    /// LLMs with a lower predicted score are not eligible.
    #[serde(default)]
    pub(crate) min_score: Option<f32>,
    /// Patterns of names; other LLMs are not eligible.
    #[serde(default)]
    pub(crate) models: Option<Vec<String>>,
    /// Whether the answer should hold the whole decision.
    #[serde(default)]
    pub(crate) explain: bool,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Messages];

    /// What follows the base address of an upstream, which ends before it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// The format of requests to a path of this server.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/v1/")?;
        Self::ALL.into_iter().find(|format| format.path() == path)
    }

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }
}

impl Incoming {
    /// Checks that the body is a JSON object with a `model`, and that its `carrot` can be meant.
    pub(crate) fn read(format: Format, body: Bytes) -> Result<Self, ApiError> {
        Self::read_with(format, body, None)
    }

    /// The same; a missing `model` is `default`.
    pub(crate) fn read_with(
        format: Format,
        body: Bytes,
        default: Option<&str>,
    ) -> Result<Self, ApiError> {
        let object = Object::parse(&body).map_err(|error| {
            ApiError::invalid(None, format!("the body is not a JSON object: {error}"))
        })?;
        if let Some(key) = object.twice(&ONCE) {
            return Err(ApiError::invalid(
                Some(key),
                format!("the key `{key}` is there twice"),
            ));
        }
        let (model, model_at) = match (object.span("model"), default) {
            (None, Some(default)) => (default.to_owned(), 0..0),
            (None, None) => return Err(ApiError::invalid(Some("model"), "`model` is missing")),
            (Some(at), _) => match object.string("model") {
                Some(model) => (model.into_owned(), at),
                None => return Err(ApiError::invalid(Some("model"), "`model` is not a text")),
            },
        };
        let is_stream = match object.raw("stream") {
            None | Some("null" | "false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(ApiError::invalid(
                    Some("stream"),
                    "`stream` is neither true nor false",
                ));
            }
        };
        let options = match object.raw("carrot") {
            None | Some("null") => Options::default(),
            Some(raw) => Options::read(raw)?,
        };
        let carrot = object.removal("carrot");
        Ok(Self {
            format,
            model,
            model_at,
            carrot,
            options,
            is_stream,
            body,
        })
    }

    /// The body as an LLM gets it: with its own name for `model` and without `carrot`, and otherwise as it came.
    pub(crate) fn body_for(&self, model: &str) -> Bytes {
        if self.model == model && self.carrot.is_none() {
            return self.body.clone();
        }
        let model = Edit {
            at: self.model_at.clone(),
            with: quoted(model),
        };
        let edits = self.carrot.iter().cloned().chain([model]);
        edited(&self.body, edits.collect()).into()
    }
}

impl Options {
    fn read(raw: &str) -> Result<Self, ApiError> {
        let bad = |message: String| ApiError::invalid(Some("carrot"), message);
        let options: Self =
            serde_json::from_str(raw).map_err(|error| bad(format!("`carrot`: {error}")))?;
        if let Some(mu) = options.mu {
            check_mu(mu).map_err(|error| bad(format!("`carrot.mu`: {error}")))?;
        }
        if options.mu.is_some() && options.calibration.is_some() {
            return Err(bad(
                "`carrot` has both `mu` and `calibration`, which is a mu".to_owned(),
            ));
        }
        let is_cost = |usd: &f64| *usd >= 0.0;
        if options.max_cost_usd.is_some_and(|usd| !is_cost(&usd)) {
            return Err(bad("`carrot.max_cost_usd` is below 0".to_owned()));
        }
        if options.models.as_ref().is_some_and(Vec::is_empty) {
            return Err(bad("`carrot.models` allows no LLM".to_owned()));
        }
        Ok(options)
    }

    /// Whether an LLM is among those that are allowed. `*` in a pattern stands for any characters.
    pub(crate) fn allows(&self, model: &str) -> bool {
        match &self.models {
            None => true,
            Some(patterns) => patterns.iter().any(|pattern| matches(pattern, model)),
        }
    }
}

/// Whether a name has the form of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Incoming, ApiError> {
        Incoming::read(Format::Chat, Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn only_model_and_carrot_change() {
        let text = r#"{"x": 1.0 ,"model":"carrot", "messages":[], "carrot":{"mu":0.2}, "y":{"model":"carrot"}}"#;
        let incoming = read(text).expect("a request");
        assert_eq!(incoming.options.mu, Some(0.2));
        let expected = r#"{"x": 1.0 ,"model":"gpt", "messages":[], "y":{"model":"carrot"}}"#;
        assert_eq!(incoming.body_for("gpt"), expected);
        // Nothing to change: the very same bytes.
        let plain = read(r#"{"model":"gpt"}"#).expect("a request");
        assert_eq!(plain.body_for("gpt"), r#"{"model":"gpt"}"#);
    }

    #[test]
    fn bad_requests_are_refused_with_the_parameter_at_fault() {
        for (text, part) in [
            ("", "not a JSON object"),
            ("[]", "not a JSON object"),
            ("{}", "`model` is missing"),
            (r#"{"model":1}"#, "not a text"),
            (r#"{"model":"a","mod\u0065l":"b"}"#, "twice"),
            (r#"{"model":"a","stream":1}"#, "neither"),
            (r#"{"model":"a","carrot":{"mu":2}}"#, "mu is 2"),
            (r#"{"model":"a","carrot":{"mew":0.2}}"#, "mew"),
            (
                r#"{"model":"a","carrot":{"mu":0.1,"calibration":"c"}}"#,
                "both",
            ),
            (r#"{"model":"a","carrot":{"max_cost_usd":-1}}"#, "below 0"),
            (r#"{"model":"a","carrot":{"models":[]}}"#, "allows no LLM"),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.status, 400, "{text}");
            let shown = format!("{error:?}");
            assert!(shown.contains(part), "{text}: {shown}");
        }
    }

    #[test]
    fn names_match_patterns() {
        for (pattern, name, expected) in [
            ("openai/*", "openai/gpt", true),
            ("openai/*", "other/gpt", false),
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("*mini", "gpt-mini", true),
            ("g*-*i", "gpt-mini", true),
            ("g*-*x", "gpt-mini", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
