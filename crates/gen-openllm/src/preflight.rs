//! What is needed from the hub, asked for before any of it is downloaded.

use anyhow::{Context as _, bail};
use hub::{Hub, HubError, HubListing, HubRepo, Needed};
use tracing::info;

use crate::config::Model;

/// Where people make what opens gated repositories.
const ACCOUNT: &str = "https://huggingface.co/join";
const TOKENS: &str = "https://huggingface.co/settings/tokens";

/// Gathers what downloads will bring and what stands in their way, so that one message tells all of it: licenses are accepted by hand, and
/// twenty of them one error at a time would take twenty runs.
pub(crate) struct Preflight {
    hub: Hub,
    needed: Needed,
    files: Vec<Refusal>,
    tokenizers: Vec<Refusal>,
    has_bad_token: bool,
}

/// Something of an LLM that the hub does not give.
struct Refusal {
    /// `owner/name`.
    model: String,
    error: HubError,
}

impl Preflight {
    pub(crate) fn new(hub: &Hub) -> Self {
        Self {
            hub: hub.clone(),
            needed: Needed::default(),
            files: Vec::new(),
            tokenizers: Vec::new(),
            has_bad_token: false,
        }
    }

    /// The files of a repository.
    pub(crate) fn list(&mut self, repo: &HubRepo) -> Result<HubListing, HubError> {
        self.ask(|hub| hub.list(repo))
    }

    /// Counts what the cache lacks of these files.
    pub(crate) fn survey(
        &mut self,
        repo: &HubRepo,
        listing: &HubListing,
        paths: &[impl AsRef<str>],
    ) -> Result<(), HubError> {
        let needed = self.ask(|hub| hub.survey(repo, listing, paths))?;
        self.needed += needed;
        Ok(())
    }

    /// Goes on without a token that the hub does not know, to see what else is missing.
    fn ask<T>(&mut self, question: impl Fn(&Hub) -> Result<T, HubError>) -> Result<T, HubError> {
        match question(&self.hub) {
            Err(HubError::BadToken) => {
                self.has_bad_token = true;
                self.hub.token = None;
                question(&self.hub)
            }
            other => other,
        }
    }

    /// The sample files of an LLM, or a refusal to report; any other error ends the run.
    pub(crate) fn keep_files<T>(
        &mut self,
        model: &Model,
        result: Result<T, HubError>,
    ) -> anyhow::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(
                error @ (HubError::Gated { .. }
                | HubError::NoRepo { .. }
                | HubError::Refused { .. }),
            ) => {
                self.files.push(Refusal::of(model, error));
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| {
                format!(
                    "cannot get the sample files of `{}` (use --exclude-model to continue without them)",
                    model.name
                )
            }),
        }
    }

    /// The tokenizer of an LLM is not available, and nothing stands in for it.
    pub(crate) fn refuse_tokenizer(&mut self, model: &Model, error: HubError) {
        self.tokenizers.push(Refusal::of(model, error));
    }

    /// Says how much will be downloaded.
    ///
    /// # Errors
    /// One error that names everything that is not available, or that the disk has no room.
    pub(crate) fn check(self) -> anyhow::Result<()> {
        let mut missing = Vec::new();
        if self.has_bad_token {
            missing.push(HubError::BadToken.to_string());
        }
        let mut refusals = self.files.iter().chain(&self.tokenizers);
        if self.hub.token.is_none() && refusals.any(Refusal::is_gate) {
            missing.push(format!(
                "gated repositories are opened by an account ({ACCOUNT}), a token of it in HF_TOKEN ({TOKENS}), and one click on the \
                 page of each"
            ));
        }
        if !self.files.is_empty() {
            missing.push(format!(
                "the sample files of {} LLMs are not available (use --exclude-model to continue without them):{}",
                self.files.len(),
                lines(&self.files)
            ));
        }
        if !self.tokenizers.is_empty() {
            missing.push(format!(
                "the tokenizers of {} LLMs are not available; use --token-counter to count their tokens with another one:{}",
                self.tokenizers.len(),
                lines(&self.tokenizers)
            ));
        }
        if !missing.is_empty() {
            bail!("{}", missing.join("\n"));
        }
        if !self.needed.is_nothing() {
            let cache = self.hub.cache_dir.display();
            info!("{} to download from the hub to `{cache}`", self.needed);
        }
        Ok(self.hub.check_space(self.needed)?)
    }
}

impl Refusal {
    fn of(model: &Model, error: HubError) -> Self {
        Self {
            model: model.name.clone(),
            error,
        }
    }

    fn is_gate(&self) -> bool {
        matches!(
            self.error,
            HubError::Gated { .. } | HubError::Refused { .. }
        )
    }
}

fn lines(refusals: &[Refusal]) -> String {
    refusals
        .iter()
        .map(|Refusal { model, error }| format!("\n  `{model}`: {error}"))
        .collect()
}
