//! An OpenAI-compatible embeddings endpoint: embeddings that follow from the text, rate limits with their headers, and a fault script.

mod asked;
mod body;
mod bucket;
mod fault;
mod state;
mod vectors;

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use crate::{Server, lock::lock};

pub use self::{asked::Asked, fault::EmbeddingFault};

use self::{
    bucket::Buckets,
    state::{Shared, State},
};

/// An embeddings endpoint on a port of this machine. It stops when it is dropped.
///
/// `POST /v1/embeddings` is answered as OpenAI does: base64 or arrays, `dimensions`, `usage`, errors with `message`, `type` and `code`, and
/// limits of 2,048 inputs and 300,000 tokens per request; an empty input is refused. Embeddings have norm 1 and follow from the text alone, so
/// a test can ask [`OpenAi::vector`] for what a client must get.
///
/// ```
/// use test_support::{EmbeddingFault, OpenAi};
///
/// let server = OpenAi::start()
///     .model("text-embedding-3-small", 16)
///     .key("sk-good")
///     .fault(|number| (number < 2).then(|| EmbeddingFault::refusal(503, "overloaded")));
/// // OPENAI_BASE_URL of the program under test.
/// assert!(server.url().ends_with("/v1"));
/// assert!(server.asked().is_empty(), "nothing was asked yet");
/// ```
#[derive(Debug)]
pub struct OpenAi {
    shared: Arc<Shared>,
    server: Server,
}

impl OpenAi {
    /// Starts a server without models: see [`OpenAi::model`].
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let of_server = Arc::clone(&shared);
        let server = Server::start(move |request| of_server.answer(request));
        Self { shared, server }
    }

    /// What `OPENAI_BASE_URL` must be.
    pub fn url(&self) -> String {
        format!("{}/v1", self.server.url())
    }

    /// With a model of that many dimensions.
    #[must_use]
    pub fn model(self, name: &str, dim: usize) -> Self {
        self.change(|state| _ = state.models.insert(name.to_owned(), dim))
    }

    /// Only with this key; without this, any key or none will do.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.change(|state| state.key = Some(key.to_owned()))
    }

    /// Each answer waits this long before its first byte.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.change(|state| state.latency = latency)
    }

    /// Enforces limits per minute, as buckets that start full and refill steadily.
    #[must_use]
    pub fn rate_limits(self, requests_per_minute: u32, tokens_per_minute: u32) -> Self {
        self.change(|state| {
            state.buckets = Some(Buckets::new(requests_per_minute, tokens_per_minute));
        })
    }

    /// Inputs and tokens in one request at most, instead of OpenAI's 2,048 and 300,000.
    #[must_use]
    pub fn request_limits(self, max_inputs: usize, max_tokens: usize) -> Self {
        self.change(|state| (state.max_inputs, state.max_tokens) = (max_inputs, max_tokens))
    }

    /// Counts a text's tokens; without this, a token is four bytes, begun ones included.
    #[must_use]
    pub fn count_tokens(self, count: impl Fn(&str) -> usize + Send + Sync + 'static) -> Self {
        self.change(|state| state.count_tokens = Arc::new(count))
    }

    /// Sends plain arrays whatever `encoding_format` says, as some servers do.
    #[must_use]
    pub fn arrays_only(self) -> Self {
        self.change(|state| state.is_arrays_only = true)
    }

    /// Answers from 256 embeddings made beforehand and keeps no log, for benches: what is measured is the client.
    #[must_use]
    pub fn fast(self) -> Self {
        self.change(|state| state.is_fast = true)
    }

    /// With a fault script: what goes wrong with a request, by its number (from 0, over all connections).
    #[must_use]
    pub fn fault(
        self,
        script: impl Fn(usize) -> Option<EmbeddingFault> + Send + Sync + 'static,
    ) -> Self {
        self.change(|state| state.script = Arc::new(script))
    }

    /// With a fault that depends on what is asked, such as texts that this server refuses. A fault script comes first.
    #[must_use]
    pub fn habit(
        self,
        habit: impl Fn(&Asked) -> Option<EmbeddingFault> + Send + Sync + 'static,
    ) -> Self {
        self.change(|state| state.habit = Some(Arc::new(habit)))
    }

    /// With a fault script as a list: the first requests have these faults, all others none.
    #[must_use]
    pub fn faults(self, faults: impl IntoIterator<Item = EmbeddingFault>) -> Self {
        let faults: Vec<EmbeddingFault> = faults.into_iter().collect();
        self.fault(move |number| faults.get(number).cloned())
    }

    /// All requests for embeddings so far, in the order of their arrival.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How often each text was asked for, over all requests.
    pub fn n_times_asked(&self) -> HashMap<String, usize> {
        let mut n_times = HashMap::new();
        for text in self.state().asked.iter().flat_map(|asked| &asked.texts) {
            *n_times.entry(text.clone()).or_insert(0) += 1;
        }
        n_times
    }

    /// Requests of any kind so far.
    pub fn n_requests(&self) -> usize {
        self.server.n_requests()
    }

    /// Tokens answered so far, and requests turned down by a rate limit.
    pub fn totals(&self) -> (u64, usize) {
        let state = self.state();
        (state.n_tokens_answered, state.n_limited)
    }

    /// The embedding of a text with this number of dimensions.
    pub fn vector(text: &str, dim: usize) -> Vec<f32> {
        vectors::vector(text, dim)
    }

    fn change(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.state());
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}
