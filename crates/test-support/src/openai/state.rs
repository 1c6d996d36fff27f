use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;

use super::{
    asked::Asked,
    body,
    bucket::{Buckets, Limited},
    fault::EmbeddingFault,
    vectors,
};
use crate::{Answer, Request, lock::lock};

/// Embeddings made beforehand, for benches.
const N_READY: usize = 256;

type Script = Arc<dyn Fn(usize) -> Option<EmbeddingFault> + Send + Sync>;
pub(super) type Habit = Arc<dyn Fn(&Asked) -> Option<EmbeddingFault> + Send + Sync>;

/// What all connections share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Embeddings made beforehand, as base64, by dimensions.
    ready: Mutex<HashMap<usize, Arc<Vec<String>>>>,
}

pub(super) struct State {
    pub(super) models: HashMap<String, usize>,
    pub(super) key: Option<String>,
    pub(super) latency: Duration,
    pub(super) buckets: Option<Buckets>,
    pub(super) max_inputs: usize,
    pub(super) max_tokens: usize,
    pub(super) count_tokens: Arc<dyn Fn(&str) -> usize + Send + Sync>,
    pub(super) is_arrays_only: bool,
    pub(super) is_fast: bool,
    pub(super) script: Script,
    pub(super) habit: Option<Habit>,
    pub(super) asked: Vec<Asked>,
    pub(super) n_tokens_answered: u64,
    pub(super) n_limited: usize,
}

#[derive(Deserialize)]
struct Wanted {
    model: String,
    input: Input,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
}

/// One text or several. Token numbers are not taken.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Several(Vec<String>),
}

/// A refusal in the making.
struct Refused {
    status: u16,
    code: Option<String>,
    message: String,
    headers: Vec<(String, String)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            models: HashMap::new(),
            key: None,
            latency: Duration::ZERO,
            buckets: None,
            max_inputs: 2_048,
            max_tokens: 300_000,
            count_tokens: Arc::new(|text| text.len().div_ceil(4)),
            is_arrays_only: false,
            is_fast: false,
            script: Arc::new(|_| None),
            habit: None,
            asked: Vec::new(),
            n_tokens_answered: 0,
            n_limited: 0,
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let (script, habit, latency) = {
            let state = lock(&self.state);
            (
                Arc::clone(&state.script),
                state.habit.clone(),
                state.latency,
            )
        };
        let fault = script(request.number).or_else(|| habit.as_ref()?(&asked(request)?));
        let mut answer = match self.embed(request, fault.as_ref()) {
            Ok(answer) => answer,
            Err(refused) => refused.answer(),
        };
        answer.delay = latency;
        if let Some(buckets) = &lock(&self.state).buckets {
            answer = buckets.tell(answer);
        }
        match fault {
            Some(fault) => fault.break_answer(answer),
            None => answer,
        }
    }

    fn embed(&self, request: &Request, fault: Option<&EmbeddingFault>) -> Result<Answer, Refused> {
        if (request.method.as_str(), request.path()) != ("POST", "/v1/embeddings") {
            let message = format!("Invalid URL ({} {})", request.method, request.path());
            return Err(Refused::new(404, "unknown_url", message));
        }
        let wanted: Wanted = serde_json::from_slice(&request.body).map_err(|error| {
            let message = format!("We could not parse the JSON body of your request: {error}");
            Refused::new(400, "invalid_request", message)
        })?;
        let texts = match wanted.input {
            Input::One(text) => vec![text],
            Input::Several(texts) => texts,
        };
        let mut state = lock(&self.state);
        let count = Arc::clone(&state.count_tokens);
        let is_arrays = state.is_arrays_only || wanted.encoding_format.as_deref() != Some("base64");
        let is_fast = state.is_fast;
        drop(state);
        let n_tokens: usize = texts.iter().map(|text| count(text)).sum();

        state = lock(&self.state);
        let checked = state.check(
            request,
            fault,
            &wanted.model,
            wanted.dimensions,
            &texts,
            n_tokens,
        );
        if !is_fast {
            let status = checked
                .as_ref()
                .map_or_else(|refused| refused.status, |_| 200);
            state
                .asked
                .extend(asked(request).map(|asked| Asked { status, ..asked }));
        }
        drop(state);
        let dim = checked?;
        let embeddings = if is_fast {
            self.ready(&texts, dim)
        } else {
            body::embeddings(&texts, dim, is_arrays, fault)
        };
        Ok(body::answer(&wanted.model, &embeddings, n_tokens, fault))
    }

    fn ready(&self, texts: &[String], dim: usize) -> Vec<String> {
        let ready = Arc::clone(lock(&self.ready).entry(dim).or_insert_with(|| {
            let all = (0..N_READY).map(|n| vectors::vector(&n.to_string(), dim));
            Arc::new(
                all.map(|v| format!("\"{}\"", vectors::base64(&v)))
                    .collect(),
            )
        }));
        texts
            .iter()
            .map(|text| ready[text.bytes().map(usize::from).sum::<usize>() % N_READY].clone())
            .collect()
    }
}

/// What a request asks for, if it is one for embeddings.
fn asked(request: &Request) -> Option<Asked> {
    let wanted: Wanted = serde_json::from_slice(&request.body).ok()?;
    let header = |name| request.header(name).map(str::to_owned);
    Some(Asked {
        number: request.number,
        texts: match wanted.input {
            Input::One(text) => vec![text],
            Input::Several(texts) => texts,
        },
        status: 200,
        organization: header("openai-organization"),
        encoding_format: wanted.encoding_format,
        api_key: header("api-key"),
    })
}

impl State {
    /// The dimensions to answer with, if the request may be answered.
    fn check(
        &mut self,
        request: &Request,
        fault: Option<&EmbeddingFault>,
        model: &str,
        dimensions: Option<usize>,
        texts: &[String],
        n_tokens: usize,
    ) -> Result<usize, Refused> {
        let authorization = request.header("authorization").unwrap_or_default();
        if let Some(key) = &self.key
            && authorization != format!("Bearer {key}")
            && request.header("api-key") != Some(key)
        {
            // OpenAI's own message shows a part of the key; this one all of it, as the worst that a client may meet.
            let message = format!("Incorrect API key provided: {authorization}.");
            return Err(Refused::new(401, "invalid_api_key", message));
        }
        if let Some(EmbeddingFault::Refusal {
            status,
            message,
            code,
            headers,
        }) = fault
        {
            return Err(Refused {
                status: *status,
                code: code.clone(),
                message: message.replace("{authorization}", authorization),
                headers: headers.clone(),
            });
        }
        let Some(own_dim) = self.models.get(model).copied() else {
            let message = format!("The model `{model}` does not exist");
            return Err(Refused::new(404, "model_not_found", message));
        };
        let invalid = |message: String| Err(Refused::new(400, "invalid_request", message));
        let (max_inputs, max_tokens) = (self.max_inputs, self.max_tokens);
        if texts.is_empty() || texts.iter().any(String::is_empty) {
            return invalid("'$.input' is invalid: input cannot be an empty string".to_owned());
        }
        if texts.len() > max_inputs {
            return invalid(format!("at most {max_inputs} inputs, got {}", texts.len()));
        }
        if n_tokens > max_tokens {
            return invalid(format!(
                "at most {max_tokens} tokens per request, got {n_tokens}"
            ));
        }
        let dim = dimensions.unwrap_or(own_dim);
        if dim == 0 || dim > own_dim {
            return invalid(format!(
                "`dimensions` must be from 1 to {own_dim}, got {dim}"
            ));
        }
        if let Some(buckets) = &mut self.buckets
            && let Err(limited) = buckets.take(n_tokens as f64)
        {
            self.n_limited += 1;
            return Err(Refused::limited(model, &limited));
        }
        self.n_tokens_answered += n_tokens as u64;
        match fault {
            Some(EmbeddingFault::Dimension(dim)) => Ok(*dim),
            _ => Ok(dim),
        }
    }
}

impl Refused {
    fn new(status: u16, code: &str, message: String) -> Self {
        Self {
            status,
            code: Some(code.to_owned()),
            message,
            headers: Vec::new(),
        }
    }

    fn limited(model: &str, limited: &Limited) -> Self {
        let Limited {
            what,
            per_minute,
            wait,
        } = limited;
        let seconds = wait.as_secs_f64();
        let message = format!(
            "Rate limit reached for {model} on {what} per min: Limit {per_minute}. Please try again in {seconds:.3}s."
        );
        let headers = [
            ("retry-after-ms", ((seconds * 1e3).ceil()).to_string()),
            ("retry-after", seconds.ceil().to_string()),
        ];
        Self {
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            ..Self::new(429, "rate_limit_exceeded", message)
        }
    }

    fn answer(self) -> Answer {
        let error = json!({
            "error": {"message": self.message, "type": "error", "param": null, "code": self.code}
        });
        let headers = self.headers.iter();
        headers.fold(
            Answer::new(self.status, error.to_string())
                .with_header("content-type", "application/json"),
            |answer, (name, value)| answer.with_header(name, value),
        )
    }
}
