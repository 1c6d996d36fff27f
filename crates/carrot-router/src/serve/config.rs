//! `serve.toml`: as typed, and checked. configs/serve.toml explains every key.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use decision_log::{LogPlace, Rotation};
use reqwest::Url;
use serde::{Deserialize, Deserializer};

use super::{
    names::ALIAS,
    request::{DecidingText, Format, Need},
};
use crate::check_mu;

/// Holds the values of all keys that a file may leave out.
const BUILT_IN: &str = include_str!("../../../../configs/serve.toml");
/// Tables whose keys may be left out, and keys that may be.
const OPTIONAL: [&str; 9] = [
    "listen", "decision", "answer", "forward", "limits", "reload", "sessions", "explore",
    "feedback",
];

/// A file that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not readable.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or not with these keys.
    #[error("cannot use the settings in `{}`", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: Box<toml::de::Error>,
    },
    /// A value that cannot be meant.
    #[error("`{key}` in `{}` {problem}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where in it.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

/// All settings of `carrot-router serve`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where requests are taken.
    pub listen: SocketAddr,
    /// What decides.
    pub router: RouterConfig,
    /// How a decision is made.
    pub decision: DecisionConfig,
    /// What of an answer is changed.
    pub answer: AnswerConfig,
    /// How LLMs are asked.
    pub forward: ForwardConfig,
    /// What clients may take up.
    pub limits: LimitsConfig,
    /// When the file is read again.
    pub reload: ReloadConfig,
    /// Whether a session keeps its LLM.
    pub sessions: SessionsConfig,
    /// Which share of requests goes to LLMs drawn at random.
    pub explore: ExploreConfig,
    /// Scores that come back.
    pub feedback: FeedbackConfig,
    /// The decision log; none where it is left out.
    pub log: Option<LogConfig>,
    /// What may be spent.
    pub caps: Option<CapsConfig>,
    /// Who may ask; anyone where it is left out.
    pub keys: Option<KeysConfig>,
    /// What is forwarded in shadow mode.
    pub shadow: Option<ShadowConfig>,
    /// The servers of LLMs.
    #[serde(rename = "upstream")]
    pub upstreams: Vec<UpstreamConfig>,
    /// The LLMs that can be asked.
    #[serde(rename = "llm")]
    pub llms: Vec<LlmConfig>,
}

/// `[router]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouterConfig {
    /// The folder that train-and-infer wrote.
    pub model: PathBuf,
    /// The weight of cost of the model name `carrot`.
    pub mu: Option<f64>,
    /// Or the calibration that has it.
    pub calibration: Option<String>,
    /// The LLM that answers where no decision can be made.
    pub default_model: String,
    /// As `route --embedder`.
    pub embedder: Option<PathBuf>,
    /// As `route --embedding-model`.
    pub embedding_model: Option<String>,
    /// As `route --embedding-store`.
    pub embedding_store: Option<PathBuf>,
    /// As `route --prices`.
    pub prices: Option<PathBuf>,
    /// As `route --tokenizers`.
    pub tokenizers: Option<PathBuf>,
    /// As `route --device`.
    pub device: Option<String>,
}

/// `[decision]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DecisionConfig {
    /// Which text decides.
    pub text: DecidingText,
    /// Tags of blocks that programs put into it.
    pub ignored_blocks: Vec<String>,
    /// After which the default model answers.
    #[serde(deserialize_with = "seconds")]
    pub timeout_seconds: Duration,
    /// Decisions that are made at the same time.
    pub threads: usize,
    /// Decisions that wait; with more, the default model answers.
    pub queue: usize,
}

/// `[answer]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnswerConfig {
    /// What `model` in an answer says.
    pub response_model: ResponseModel,
    /// `Access-Control-Allow-Origin`, where browsers are to ask; empty where not.
    pub allow_origin: String,
}

/// What `model` in the body of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseModel {
    /// What the upstream says: the LLM that answered, by its own name. No byte is changed.
    Upstream,
    /// The LLM that answered, by its name in the pool.
    Pool,
    /// What the request said, for clients that refuse any other.
    Requested,
}

/// `[forward]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForwardConfig {
    /// LLMs that are tried after the first.
    pub max_fallbacks: usize,
    /// For a connection.
    #[serde(deserialize_with = "seconds")]
    pub connect_seconds: Duration,
    /// For the first event of a stream.
    #[serde(deserialize_with = "seconds")]
    pub first_event_seconds: Duration,
    /// Between two pieces of a stream.
    #[serde(deserialize_with = "seconds")]
    pub stall_seconds: Duration,
    /// For an answer that is no stream.
    #[serde(deserialize_with = "seconds")]
    pub answer_seconds: Duration,
    /// The largest such answer, and the largest event of a stream.
    pub max_answer_mib: usize,
    /// The longest time for which an LLM that asked for it is left alone.
    #[serde(deserialize_with = "seconds")]
    pub max_cooldown_seconds: Duration,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsConfig {
    /// Connections; further ones wait to be taken.
    pub max_connections: usize,
    /// Requests that are worked on.
    pub max_in_flight: usize,
    /// Requests that wait for that; with more, 429.
    pub queue: usize,
    /// How long they do.
    #[serde(deserialize_with = "seconds")]
    pub queue_seconds: Duration,
    /// The largest body.
    pub max_body_mib: usize,
    /// For the head of a request.
    #[serde(deserialize_with = "seconds")]
    pub head_seconds: Duration,
    /// For its body.
    #[serde(deserialize_with = "seconds")]
    pub body_seconds: Duration,
    /// For requests in flight after SIGTERM.
    #[serde(deserialize_with = "seconds")]
    pub drain_seconds: Duration,
}

/// `[reload]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReloadConfig {
    /// How often is looked whether the file, or the router's folder, has changed; 0 for never.
    #[serde(deserialize_with = "seconds")]
    pub check_seconds: Duration,
}

/// `[sessions]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionsConfig {
    /// So many are remembered.
    pub capacity: usize,
    /// How long a provider keeps a prompt in its cache.
    #[serde(deserialize_with = "seconds")]
    pub cache_seconds: Duration,
    /// Which part of the price of input tokens is saved by it.
    pub cached_discount: f64,
}

/// `[explore]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExploreConfig {
    /// The share, in [0, 1].
    pub share: f64,
    /// Of the draws; the system's chance where it is left out.
    pub seed: Option<u64>,
}

/// `[feedback]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedbackConfig {
    /// The latest so many decisions can be given a score.
    pub decisions: usize,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogConfig {
    /// The file, which ends in `.jsonl`.
    pub path: PathBuf,
    /// Whether it holds the text that decided.
    #[serde(default)]
    pub prompts: bool,
    /// It goes on in a new file when this one is so large; never, where left out.
    pub max_mib: Option<u64>,
    /// So many older files are kept; all, where left out.
    pub keep: Option<usize>,
}

/// `[caps]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CapsConfig {
    /// US dollars for all LLMs together, from midnight to midnight UTC.
    pub usd_per_day: Option<f64>,
    /// Where it is written down what was spent, so that a restart does not begin at 0.
    pub file: Option<PathBuf>,
}

/// `[keys]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeysConfig {
    /// The variable that holds the keys, separated by commas.
    pub env: String,
}

/// `[shadow]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ShadowConfig {
    /// The upstream of everything that is no LLM of the pool.
    pub upstream: String,
}

/// `[[upstream]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UpstreamConfig {
    /// What LLMs call it.
    pub name: String,
    /// The address before `/chat/completions`.
    pub base_url: String,
    /// The variable that holds the key.
    pub api_key_env: Option<String>,
    /// The header that carries it.
    #[serde(default = "bearer")]
    pub key_header: KeyHeader,
    /// Whether the client's own key is sent on.
    #[serde(default)]
    pub forward_key: bool,
    /// What it speaks.
    #[serde(default = "chat")]
    pub formats: Vec<Format>,
}

/// The header that carries a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`, Anthropic's.
    XApiKey,
    /// `api-key: KEY`, Azure's.
    ApiKey,
}

/// `[[llm]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LlmConfig {
    /// What the router and clients call it.
    pub name: String,
    /// Where it is.
    pub upstream: String,
    /// What it is called there; its name, where left out.
    pub model: Option<String>,
    /// What it can do beyond text.
    #[serde(default)]
    pub can: Vec<Need>,
    /// The most tokens of a request and its answer; no limit, where left out.
    pub context_window: Option<usize>,
    /// Overrides the router's price where the actual cost is computed.
    pub input_usd_per_mtok: Option<f64>,
    /// The same for output tokens.
    pub output_usd_per_mtok: Option<f64>,
    /// What may be spent on it from midnight to midnight UTC.
    pub usd_per_day: Option<f64>,
}

fn is_amount(usd: f64) -> bool {
    (0.0..1e12).contains(&usd)
}

fn bearer() -> KeyHeader {
    KeyHeader::Bearer
}

fn chat() -> Vec<Format> {
    vec![Format::Chat]
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
}

impl Config {
    /// Reads and checks a file. What it leaves out of tables that need not be whole is as in configs/serve.toml.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::of(&text, path)
    }

    /// The same for the text of a file.
    ///
    /// # Errors
    /// [`ConfigError::Toml`] or [`ConfigError::Value`].
    pub fn of(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let bad = |source| ConfigError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        };
        let built_in: toml::Table = BUILT_IN.parse().expect("configs/serve.toml is TOML");
        let mut table: toml::Table = text.parse().map_err(bad)?;
        for key in OPTIONAL {
            let default = built_in[key].clone();
            match (table.get_mut(key), default) {
                (None, default) => _ = table.insert(key.to_owned(), default),
                (Some(toml::Value::Table(own)), toml::Value::Table(defaults)) => {
                    for (key, default) in defaults {
                        own.entry(key).or_insert(default);
                    }
                }
                (Some(_), _) => {}
            }
        }
        let config: Self = table.try_into().map_err(bad)?;
        config
            .check()
            .map_err(|(key, problem)| ConfigError::Value {
                path: path.to_owned(),
                key,
                problem,
            })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), (String, String)> {
        let bad = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        match (self.router.mu, &self.router.calibration) {
            (Some(mu), None) => {
                check_mu(mu)
                    .map_err(|error| ("router.mu".to_owned(), format!("is bad: {error}")))?;
            }
            (None, Some(_)) => {}
            (Some(_), Some(_)) => {
                return bad(
                    "router",
                    "has both `mu` and `calibration`, of which it takes one",
                );
            }
            (None, None) => return bad("router", "has neither `mu` nor `calibration`"),
        }
        for (key, n) in [
            ("decision.threads", self.decision.threads),
            ("decision.queue", self.decision.queue),
            ("limits.max-connections", self.limits.max_connections),
            ("limits.max-in-flight", self.limits.max_in_flight),
            ("limits.max-body-mib", self.limits.max_body_mib),
            ("forward.max-answer-mib", self.forward.max_answer_mib),
        ] {
            if n == 0 {
                return bad(key, "is 0, expected 1 or more");
            }
            if n > 1 << 20 {
                return bad(key, "is more than 1,048,576");
            }
        }
        if self.limits.queue > 1 << 20 {
            return bad("limits.queue", "is more than 1,048,576");
        }
        let mut names = HashSet::new();
        for upstream in &self.upstreams {
            let key = format!("upstream `{}`", upstream.name);
            upstream.check().map_err(|problem| (key.clone(), problem))?;
            if !names.insert(&upstream.name) {
                return bad(&key, "is there twice");
            }
        }
        let mut llms = HashSet::new();
        for llm in &self.llms {
            let key = format!("llm `{}`", llm.name);
            llm.check().map_err(|problem| (key.clone(), problem))?;
            if !names.contains(&llm.upstream) {
                return bad(&key, "names an `upstream` that there is not");
            }
            if !llms.insert(&llm.name) {
                return bad(&key, "is there twice");
            }
        }
        if !(0.0..=1.0).contains(&self.explore.share) {
            return bad("explore.share", "is not a number from 0 to 1");
        }
        if !(0.0..=1.0).contains(&self.sessions.cached_discount) {
            return bad("sessions.cached-discount", "is not a number from 0 to 1");
        }
        let cap = self.caps.as_ref().and_then(|caps| caps.usd_per_day);
        if cap.is_some_and(|usd| !is_amount(usd)) {
            return bad("caps.usd-per-day", "is below 0, or not a number");
        }
        if let Some(log) = &self.log {
            LogPlace::new(&log.path)
                .map_err(|error| ("log.path".to_owned(), format!("is bad: {error}")))?;
            if log.max_mib == Some(0) {
                return bad("log.max-mib", "is 0, expected 1 or more");
            }
        }
        if self.llms.is_empty() {
            return bad("llm", "lists no LLM");
        }
        if !llms.contains(&self.router.default_model) {
            return bad("router.default-model", "is the name of no `[[llm]]`");
        }
        if let Some(shadow) = &self.shadow
            && !names.contains(&shadow.upstream)
        {
            return bad("shadow.upstream", "is the name of no `[[upstream]]`");
        }
        Ok(())
    }
}

impl LogConfig {
    pub(crate) fn rotation(&self) -> Rotation {
        Rotation {
            max_bytes: self
                .max_mib
                .map_or(u64::MAX, |mib| mib.saturating_mul(1 << 20)),
            keep: self.keep,
        }
    }
}

impl UpstreamConfig {
    fn check(&self) -> Result<(), String> {
        let url = Url::parse(&self.base_url).map_err(|_| {
            // The address is not shown: some gateways have a key in it.
            "has a `base-url` that is not an address, expected one like `https://api.openai.com/v1`"
                .to_owned()
        })?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(
                "has a `base-url` that begins with neither http:// nor https://".to_owned(),
            );
        }
        if self.formats.is_empty() {
            return Err("has no `formats`".to_owned());
        }
        if self.forward_key && self.api_key_env.is_some() {
            return Err(
                "has both `api-key-env` and `forward-key`, of which it takes one".to_owned(),
            );
        }
        Ok(())
    }
}

impl LlmConfig {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("has an empty name".to_owned());
        }
        if self.name == ALIAS || self.name.starts_with("carrot:") {
            return Err("has a name that stands for the router".to_owned());
        }
        let prices = [self.input_usd_per_mtok, self.output_usd_per_mtok];
        if prices
            .iter()
            .chain([&self.usd_per_day])
            .flatten()
            .any(|usd| !is_amount(*usd))
        {
            return Err("has an amount of dollars below 0, or one that is not a number".to_owned());
        }
        if prices[0].is_some() != prices[1].is_some() {
            return Err("has one price, expected both or none".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [router]
        model = "models/a/carrot-knn"
        mu = 0.3
        default-model = "cheap"
        [[upstream]]
        name = "here"
        base-url = "http://127.0.0.1:1/v1"
        [[llm]]
        name = "cheap"
        upstream = "here"
        [limits]
        max-in-flight = 7
        queue-seconds = 0.5
    "#;

    fn of(text: &str) -> Result<Config, ConfigError> {
        Config::of(text, Path::new("serve.toml"))
    }

    #[test]
    fn what_is_left_out_is_as_in_the_file_that_explains_it() {
        let whole = of(BUILT_IN).expect("configs/serve.toml can be used");
        let small = of(SMALL).expect("it can be used");
        assert_eq!(small.listen, whole.listen);
        assert!(small.listen.ip().is_loopback());
        assert_eq!(small.limits.max_in_flight, 7);
        assert_eq!(small.limits.queue_seconds, Duration::from_millis(500));
        assert_eq!(small.limits.max_body_mib, whole.limits.max_body_mib);
        assert_eq!(small.forward, whole.forward);
        assert_eq!(small.upstreams[0].formats, [Format::Chat]);
    }

    #[test]
    fn every_bad_value_is_refused_by_name() {
        for (from, to, part) in [
            ("mu = 0.3", "mu = 1.3", "`router.mu`"),
            ("mu = 0.3", "", "neither `mu` nor"),
            ("mu = 0.3", "mu = 0.3\ncalibration = \"x\"", "both `mu` and"),
            (
                "default-model = \"cheap\"",
                "default-model = \"x\"",
                "default-model",
            ),
            ("max-in-flight = 7", "max-in-flight = 0", "max-in-flight"),
            ("max-in-flight = 7", "max-inflight = 7", "max-inflight"),
            ("queue-seconds = 0.5", "queue-seconds = -1.0", "serve.toml"),
            ("http://127.0.0.1:1/v1", "sk-secret", "not an address"),
            ("http://127.0.0.1:1/v1", "ftp://h", "neither http"),
            (
                "upstream = \"here\"",
                "upstream = \"there\"",
                "names an `upstream`",
            ),
            (
                "name = \"cheap\"",
                "name = \"carrot\"",
                "stands for the router",
            ),
            (
                "upstream = \"here\"",
                "upstream = \"here\"\ninput-usd-per-mtok = 1.0",
                "one price",
            ),
            (
                "[limits]",
                "[shadow]\nupstream = \"x\"\n[limits]",
                "shadow.upstream",
            ),
            (
                "[limits]",
                "[[llm]]\nname = \"cheap\"\nupstream = \"here\"\n[limits]",
                "twice",
            ),
        ] {
            assert!(SMALL.contains(from), "{from}");
            let error = of(&SMALL.replacen(from, to, 1)).expect_err(to);
            let source = std::error::Error::source(&error);
            let message = format!(
                "{error}: {}",
                source.map_or(String::new(), ToString::to_string)
            );
            assert!(message.contains(part), "{to}: {message}");
            assert!(!message.contains("sk-secret"), "{message}");
        }
    }
}
