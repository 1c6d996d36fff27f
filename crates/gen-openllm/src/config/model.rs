use anyhow::ensure;
use dataset::Price;
use serde::Deserialize;

/// An LLM of the leaderboard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Model {
    /// `owner/name`.
    pub(crate) name: String,
    /// One blended price.
    usd_per_mtok: f64,
    /// Where the price was read.
    source: String,
    /// The repository of its tokenizer, or of one that counts nearly the same and that anyone may read.
    pub(crate) tokenizer: String,
    /// How the counts of another LLM's tokenizer differ.
    tokenizer_note: Option<String>,
}

impl Model {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        // Folders and repositories of the leaderboard are named after both parts.
        let parts = self.name.split_once('/');
        ensure!(
            parts.is_some_and(|(owner, name)| !owner.is_empty() && !name.is_empty()),
            "model `{}` is not of the form `owner/name`",
            self.name
        );
        // Whoever reads the data set has to know.
        ensure!(
            self.tokenizer == self.name || self.tokenizer_note.is_some(),
            "model `{}` has the tokenizer of `{}`, and no `tokenizer-note` that says how their counts differ",
            self.name,
            self.tokenizer
        );
        Ok(())
    }

    /// What it charges, the same for input and output tokens.
    pub(super) fn price(&self) -> Price {
        Price {
            input_usd_per_mtok: self.usd_per_mtok,
            // Output tokens are unknown for every LLM here, so their price never enters a cost; it is recorded for completeness.
            output_usd_per_mtok: self.usd_per_mtok,
            source: Some(self.source.clone()),
        }
    }

    /// What to note about its tokens, if another LLM's tokenizer counts them.
    pub(crate) fn tokenizer_note(&self) -> Option<String> {
        let difference = self.tokenizer_note.as_ref()?;
        Some(format!(
            "input tokens, and so costs, of `{}` are counted with the tokenizer of `{}`: {difference}",
            self.name, self.tokenizer
        ))
    }

    /// `owner__name`, as the leaderboard's folders have it.
    pub(crate) fn folder(&self) -> String {
        self.name.replacen('/', "__", 1)
    }

    /// `owner__name-details`, the name of its repository at the leaderboard.
    pub(crate) fn details_repo(&self) -> String {
        format!("{}-details", self.folder())
    }
}
