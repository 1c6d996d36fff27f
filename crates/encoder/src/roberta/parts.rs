use std::path::{Path, PathBuf};

use dataset::Truncate;

use super::{RobertaConfig, RobertaTokenizer};
use crate::{
    CheckedWeights, Error, Need, PromptTokenizer, Result, TokenizedPrompt, WeightsFile,
    weights_files::{WEIGHTS, WEIGHTS_INDEX, shard_names, weights_files},
};

const CONFIG: &str = "config.json";
/// Weights without a use here: the pooler of transformers' `RobertaModel`, and a constant that old versions saved.
const UNUSED: [&str; 2] = ["pooler.", "embeddings.position_ids"];
/// The same in a base model, which has a language model's head, or another classifier's.
const UNUSED_IN_BASE: [&str; 4] = [
    "pooler.",
    "embeddings.position_ids",
    "lm_head.",
    "classifier.",
];

/// All of a RoBERTa classifier but its weights: its settings and what splits prompts.
#[derive(Debug)]
pub struct RobertaParts {
    /// What config.json says.
    pub config: RobertaConfig,
    /// The tokenizer with its files.
    pub tokenizer: RobertaTokenizer,
    truncate: Truncate,
}

impl RobertaParts {
    /// What a downloader must fetch, by names relative to the model's folder. The tokenizer is tokenizer.json, or vocab.json with merges.txt in
    /// older folders.
    pub const FILES: &[(&str, Need)] = &[
        (CONFIG, Need::Required),
        (WEIGHTS, Need::Optional),
        (WEIGHTS_INDEX, Need::Optional),
        ("adapter_config.json", Need::Optional),
        ("tokenizer.json", Need::Optional),
        ("vocab.json", Need::Optional),
        ("merges.txt", Need::Optional),
        ("tokenizer_config.json", Need::Optional),
        ("special_tokens_map.json", Need::Optional),
    ];

    /// What the files in a folder say that there is besides [`RobertaParts::FILES`], by names relative to the folder: the files over which a large
    /// model's weights are spread. A downloader fetches them too.
    ///
    /// # Errors
    /// [`Error::Dataset`] or [`Error::OutsideFolder`] for the list of them.
    pub fn further(folder: &Path) -> Result<Vec<String>> {
        Ok(shard_names(folder)?.into_iter().collect())
    }

    /// Reads a classifier's settings and tokenizer, and compares the names and shapes of its weights with them.
    ///
    /// # Errors
    /// [`Error::ExtraWeight`] for weights that no classifier has; any that concerns a file.
    pub fn read(folder: &Path) -> Result<(Self, CheckedWeights)> {
        Self::with_config(folder, read_config(folder)?, &UNUSED, &[])
    }

    /// The same of any RoBERTa, `roberta-base` say, under a new head, whose weights are nobody's yet.
    ///
    /// # Errors
    /// As [`RobertaParts::read`]; [`Error::Labels`] for labels that are none.
    pub fn read_base(
        folder: &Path,
        labels: &[String],
        problem_type: super::ProblemType,
    ) -> Result<(Self, CheckedWeights)> {
        let config = read_config(folder)?.with_head(labels, problem_type)?;
        Self::with_config(folder, config, &UNUSED_IN_BASE, &[RobertaConfig::HEAD])
    }

    fn with_config(
        folder: &Path,
        config: RobertaConfig,
        skipped: &'static [&'static str],
        kept: &'static [&'static str],
    ) -> Result<(Self, CheckedWeights)> {
        let tokenizer = RobertaTokenizer::load(folder)?;
        let (named, max_tokens) = (tokenizer.named.clone(), config.encoder.max_tokens());
        // Made for each prediction; here, so that one that knows more tokens than the model is told first.
        PromptTokenizer::new(named, &config.encoder, max_tokens, tokenizer.truncate)?;
        let how = WeightsFile {
            paths: weights_files(folder)?,
            prefix: format!("{}.", RobertaConfig::ENCODER),
            skipped: Some(skipped),
            kept,
        };
        // Before anything is allocated: sizes in a broken config.json may be any number.
        let weights = how.check(config.shapes())?;
        let parts = Self {
            config,
            truncate: tokenizer.truncate,
            tokenizer,
        };
        Ok((parts, weights))
    }

    /// Cuts long prompts in another way than the model's files say; `None` leaves it to them.
    pub fn set_truncate(&mut self, truncate: Option<Truncate>) {
        self.truncate = truncate.unwrap_or(self.truncate);
    }

    /// Splits prompts into at most `max_tokens` tokens, or as many as the model can take.
    ///
    /// # Errors
    /// [`Error::BadParameter`] when not even the special tokens have room; [`Error::Tokenize`].
    pub fn tokenize(&self, prompts: &[String], max_tokens: usize) -> Result<Vec<TokenizedPrompt>> {
        // `<s>` and `</s>`, and something between them.
        if max_tokens < 3 {
            return Err(Error::BadParameter {
                name: "max-tokens",
                found: max_tokens.to_string(),
                expected: "at least 3",
            });
        }
        let max_tokens = max_tokens.min(self.config.encoder.max_tokens());
        let named = self.tokenizer.named.clone();
        let tokenizer =
            PromptTokenizer::new(named, &self.config.encoder, max_tokens, self.truncate)?;
        let prompts = tokenizer.tokenize(prompts)?;
        let n_truncated = prompts.iter().filter(|prompt| prompt.is_truncated).count();
        if n_truncated > 0 {
            let n_prompts = prompts.len();
            tracing::warn!(n_truncated, n_prompts, max_tokens, "cut off long prompts");
        }
        Ok(prompts)
    }
}

fn read_config(folder: &Path) -> Result<RobertaConfig> {
    let path: PathBuf = folder.join(CONFIG);
    match path.is_file() {
        true => RobertaConfig::read(&path),
        false => Err(Error::MissingFile {
            folder: folder.to_owned(),
            file: CONFIG.to_owned(),
        }),
    }
}
