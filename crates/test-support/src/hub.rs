//! A Hugging Face hub: listings, files with ETags and ranges, large files on another host, gated repositories, and a fault script.

mod fault;
mod seen;
mod state;
mod tree;

use std::sync::{Arc, Mutex};

use crate::{Request, Server, Shown, lock::lock};

pub use self::{
    fault::{Fault, Stage, Wrong},
    seen::Seen,
    tree::Tree,
};

use self::state::{Gate, Repo, State};

/// A hub and its storage host, on two ports of this machine. Both stop when it is dropped.
///
/// It speaks what clients of the real one rely on: `/api/{models,datasets}/{repo}/revision/{revision}` lists, `HEAD` and `GET` of
/// `/{datasets/}{repo}/resolve/{revision}/{path}` give `etag` and `x-repo-commit`, a large file is an absolute redirect with
/// `x-linked-etag` and `x-linked-size` to the storage host, ranges are answered with 206 and 416, and a refusal has `x-error-code`.
///
/// ```
/// use test_support::{Fault, Hub, Stage};
///
/// let hub = Hub::start()
///     .dataset("owner/data", [("data/train.parquet", "PAR1...")])
///     .model("owner/gated", [("tokenizer.json", "{}")])
///     .gate("owner/gated", "hf_good")
///     .fault(Fault::status(Stage::Content, 503).of("train").times(2));
/// // HF_ENDPOINT of the program under test. A folder serves too: `.dataset("owner/data", folder)` with a `&Path`.
/// assert!(hub.url().starts_with("http://127.0.0.1:"));
/// assert!(hub.seen().is_empty(), "nothing was asked yet");
/// ```
#[derive(Debug)]
pub struct Hub {
    state: Arc<Mutex<State>>,
    hub: Server,
    storage: Server,
}

impl Hub {
    /// Starts a hub without repositories.
    pub fn start() -> Self {
        Self::start_as(None)
    }

    /// The same with TLS, at its storage host too.
    pub fn start_with_tls(shown: Shown) -> Self {
        Self::start_as(Some(shown))
    }

    fn start_as(shown: Option<Shown>) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (of_hub, of_storage) = (Arc::clone(&state), Arc::clone(&state));
        let answer = move |request: &Request| lock(&of_hub).answer(request);
        let answer_storage = move |request: &Request| lock(&of_storage).answer_storage(request);
        let (hub, storage) = match shown {
            None => (Server::start(answer), Server::start(answer_storage)),
            Some(shown) => (
                Server::start_with_tls(shown, answer),
                Server::start_with_tls(shown, answer_storage),
            ),
        };
        lock(&state).storage_url = storage.url();
        Self {
            state,
            hub,
            storage,
        }
    }

    /// What `HF_ENDPOINT` must be.
    pub fn url(&self) -> String {
        format!("{}{}", self.hub.url(), lock(&self.state).below)
    }

    /// As a mirror of a company: everything is below this path, such as `/company/hf`, and nothing beside it.
    #[must_use]
    pub fn below(self, path: &str) -> Self {
        path.clone_into(&mut lock(&self.state).below);
        self
    }

    /// As the real hub since 2025: a small file is a relative redirect to a cache, which has the ETag and size of the file in its headers.
    #[must_use]
    pub fn with_resolve_cache(self) -> Self {
        lock(&self.state).has_resolve_cache = true;
        self
    }

    /// Where large files come from.
    pub fn storage_url(&self) -> String {
        self.storage.url()
    }

    /// With a model repository, or one more commit of it.
    #[must_use]
    pub fn model(self, name: &str, tree: impl Into<Tree>) -> Self {
        self.commit(name, tree);
        self
    }

    /// With a data-set repository, or one more commit of it.
    #[must_use]
    pub fn dataset(self, name: &str, tree: impl Into<Tree>) -> Self {
        self.commit(&format!("datasets/{name}"), tree);
        self
    }

    /// Only this token opens the files of a repository (`owner/name`, or `datasets/owner/name`); anyone may list it.
    #[must_use]
    pub fn gate(self, repo: &str, token: &str) -> Self {
        self.close(repo, token, false)
    }

    /// To all but this token the repository does not exist.
    #[must_use]
    pub fn private(self, repo: &str, token: &str) -> Self {
        self.close(repo, token, true)
    }

    /// With a token that the hub knows, but that opens no gated or private repository.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        lock(&self.state).tokens.push(token.to_owned());
        self
    }

    /// With a relative redirect from an old name of a repository to the present one.
    #[must_use]
    pub fn renamed(self, old: &str, new: &str) -> Self {
        let repo = Repo {
            renamed: Some(new.to_owned()),
            ..Repo::default()
        };
        lock(&self.state).repos.insert(old.to_owned(), repo);
        self
    }

    /// With one more line of the fault script.
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        self.break_next(fault);
        self
    }

    /// Adds a line to the fault script of a hub in use.
    pub fn break_next(&self, fault: Fault) {
        lock(&self.state).script.push(fault);
    }

    /// Ends the fault script.
    pub fn repair(&self) {
        lock(&self.state).script.clear();
    }

    /// Adds a commit to a repository (`owner/name`, or `datasets/owner/name`) of a hub in use; returns its id.
    pub fn commit(&self, repo: &str, tree: impl Into<Tree>) -> String {
        let tree = tree.into();
        let mut state = lock(&self.state);
        for file in tree.files.values() {
            if let Some(sha256) = &file.sha256 {
                state
                    .storage
                    .insert(sha256.clone(), Arc::clone(&file.bytes));
            }
        }
        let commit = tree.commit();
        let repo = state.repos.entry(repo.to_owned()).or_default();
        repo.commits.push((commit.clone(), tree));
        commit
    }

    /// All requests so far, to the hub and to the storage host, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state).seen.clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        lock(&self.state).seen.clear();
    }

    fn close(self, repo: &str, token: &str, is_private: bool) -> Self {
        let mut state = lock(&self.state);
        state.tokens.push(token.to_owned());
        let repo = state.repos.entry(repo.to_owned()).or_default();
        repo.gate = Some(Gate {
            token: token.to_owned(),
            is_private,
        });
        drop(state);
        self
    }
}
