use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dataset::{Truncate, write_atomically};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};
use tokenizers::Tokenizer;

use super::{
    config::{ProblemType, RobertaConfig},
    head::{ClassificationHead, draw_weights},
    tokenizer::RobertaTokenizer,
};
use crate::{
    DeviceChoice, Error, Need, Result,
    checkpoint::{WEIGHTS, WEIGHTS_INDEX, WeightsFile, shard_names, weights_files},
    encoder::{Batch, Encoder, Pass},
    safetensors,
    tokens::{PromptTokenizer, TokenizedPrompt},
};

const CONFIG: &str = "config.json";
const CARD: &str = "README.md";
/// Where the encoder's and the head's variables stand, in the file as in the store.
const ENCODER: &str = "roberta";
const HEAD: &str = "classifier";
/// Weights without a use here: the pooler of transformers' `RobertaModel`, and a constant that old versions saved.
const UNUSED: [&str; 2] = ["pooler.", "embeddings.position_ids"];
/// The same in a base model, which has a language model's head, or another classifier's.
const UNUSED_IN_BASE: [&str; 4] = [
    "pooler.",
    "embeddings.position_ids",
    "lm_head.",
    "classifier.",
];

/// A RoBERTa that gives every prompt one output per label: `RobertaForSequenceClassification` in transformers.
///
/// Source: Liu et al. 2019, arXiv 1907.11692; its use as a router: Somerstep et al. 2025, CARROT, and somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// None in the forward pass. What differs in training stands at [`crate::fine_tune`], in prediction at [`crate::Padding`].
#[derive(Debug)]
pub struct RobertaModel {
    pub(super) variables: VarStore,
    pub(super) net: Net,
    config: RobertaConfig,
    tokenizer: RobertaTokenizer,
    truncate: Truncate,
}

/// The encoder under the head.
#[derive(Debug)]
pub(crate) struct Net {
    encoder: Encoder,
    head: ClassificationHead,
    pub(crate) pad_id: u32,
    pub(crate) device: Device,
}

impl RobertaModel {
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

    /// What the files in a folder say that there is besides [`RobertaModel::FILES`], by names relative to the folder: the files over which a large
    /// model's weights are spread. A downloader fetches them too.
    ///
    /// # Errors
    /// [`Error::Dataset`] or [`Error::OutsideFolder`] for the list of them.
    pub fn further(folder: &Path) -> Result<Vec<String>> {
        Ok(shard_names(folder)?.into_iter().collect())
    }

    /// The files of a folder's weights: `model.safetensors`, or those that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::OnlyPickle`], [`Error::OtherWeights`] or [`Error::Adapter`] where there are none; [`Error::Dataset`] or
    /// [`Error::OutsideFolder`] for the list.
    pub fn weights_files(folder: &Path) -> Result<Vec<PathBuf>> {
        weights_files(folder)
    }

    /// Reads a classifier from a folder in Hugging Face layout: config.json, model.safetensors (or several files and their index), tokenizer.json (or
    /// vocab.json and merges.txt).
    ///
    /// # Errors
    /// [`Error::NoDevice`]; [`Error::OnlyPickle`] for a folder whose weights are in a pickle only; [`Error::ExtraWeight`] for weights that
    /// no classifier has; any that concerns a file.
    pub fn from_folder(folder: &Path, device: DeviceChoice) -> Result<Self> {
        let config = RobertaConfig::read(&required(folder, CONFIG)?)?;
        Self::load(folder, config, device.device()?, &UNUSED, &[])
    }

    /// Reads the encoder of any RoBERTa, `roberta-base` say, and puts a new head on it, drawn from the seed.
    ///
    /// Labels are the outputs' names; an LLM's name each, in the data set's order.
    ///
    /// # Errors
    /// As [`RobertaModel::from_folder`]; [`Error::Labels`] for labels that are none.
    pub fn from_base(
        folder: &Path,
        labels: &[String],
        problem_type: ProblemType,
        seed: u64,
        device: DeviceChoice,
    ) -> Result<Self> {
        let config = RobertaConfig::read(&required(folder, CONFIG)?)?;
        let config = config.with_head(labels, problem_type)?;
        let model = Self::load(folder, config, device.device()?, &UNUSED_IN_BASE, &[HEAD])?;
        draw_weights(&model.variables, HEAD, &model.config, seed)
            .map_err(Error::torch("draw a head's weights"))?;
        Ok(model)
    }

    fn load(
        folder: &Path,
        config: RobertaConfig,
        device: Device,
        skipped: &[&str],
        kept: &[&str],
    ) -> Result<Self> {
        let tokenizer = RobertaTokenizer::load(folder)?;
        let (named, max_tokens) = (tokenizer.named.clone(), config.encoder.max_tokens());
        // Made for each prediction; here, so that one that knows more tokens than the model is told first.
        PromptTokenizer::new(named, &config.encoder, max_tokens, tokenizer.truncate)?;
        let paths = weights_files(folder)?;
        let how = WeightsFile {
            paths: &paths,
            prefix: &format!("{ENCODER}."),
            skipped: Some(skipped),
            kept,
        };
        // Before anything is allocated: sizes in a broken config.json may be any number.
        let checked = how.check(config.shapes(ENCODER, HEAD))?;
        let mut variables = VarStore::new(device);
        let root = variables.root();
        let net = Net {
            encoder: Encoder::new(&(&root / ENCODER), &config.encoder),
            head: ClassificationHead::new(&(&root / HEAD), &config),
            pad_id: config.encoder.pad_id,
            device,
        };
        checked.load_into(&variables)?;
        variables.freeze();
        Ok(Self {
            variables,
            net,
            config,
            truncate: tokenizer.truncate,
            tokenizer,
        })
    }

    /// Cuts long prompts in another way than the model's files say; `None` leaves it to them.
    pub fn set_truncate(&mut self, truncate: Option<Truncate>) {
        self.truncate = truncate.unwrap_or(self.truncate);
    }

    /// Writes the model in Hugging Face layout, so that transformers and [`RobertaModel::from_folder`] read it to the same
    /// outputs; `card` becomes README.md. Every file is written atomically, the weights last.
    ///
    /// # Errors
    /// [`Error::Dataset`] when a file cannot be written.
    pub fn save(&self, folder: &Path, card: &str) -> Result<()> {
        let config = format!("{:#}\n", self.config.to_json());
        write_atomically(folder.join(CONFIG), config.as_bytes())?;
        for (name, bytes) in &self.tokenizer.files {
            write_atomically(folder.join(name), bytes)?;
        }
        write_atomically(folder.join(CARD), card.as_bytes())?;
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        safetensors::write(&folder.join(WEIGHTS), &self.weights(), &metadata)
    }

    /// What the outputs are called, in their order.
    pub fn labels(&self) -> &[String] {
        &self.config.labels
    }

    /// What the outputs are, if config.json says.
    pub fn problem_type(&self) -> Option<ProblemType> {
        self.config.problem_type
    }

    /// The longest prompt in tokens, special ones included: 512 for `roberta-base`.
    pub fn max_tokens(&self) -> usize {
        self.config.encoder.max_tokens()
    }

    /// What splits prompts, with whatever truncation and padding its files ask for.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer.named.tokenizer
    }

    /// Where the model runs.
    pub fn device(&self) -> Device {
        self.net.device
    }

    /// The variables by name, sorted; handles, not copies.
    pub(crate) fn weights(&self) -> Vec<(String, Tensor)> {
        let mut weights: Vec<(String, Tensor)> = self.variables.variables().into_iter().collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        weights
    }

    /// Whether gradients are kept track of.
    pub(crate) fn set_trainable(&mut self, is_trainable: bool) {
        match is_trainable {
            true => self.variables.unfreeze(),
            false => self.variables.freeze(),
        }
    }

    pub(crate) fn net(&self) -> &Net {
        &self.net
    }

    /// How training passes: with config.json's dropout.
    pub(crate) fn training_pass(&self, product_kind: Kind) -> TrainingPass {
        TrainingPass {
            encoder: Pass {
                hidden_dropout: self.config.hidden_dropout,
                attention_dropout: self.config.attention_dropout,
                product_kind,
            },
            head_dropout: self.config.head_dropout,
        }
    }

    /// Floating-point operations that one prompt of so many tokens takes in training: 6 per weight of a matrix and token, and 12 per layer,
    /// width, and pair of tokens (Chowdhery et al. 2022, PaLM, arXiv 2204.02311, appendix B). The last layer has keys and values of all tokens,
    /// and the rest of the first one alone.
    pub(crate) fn training_flops(&self, n_tokens: usize) -> f64 {
        let encoder = &self.config.encoder;
        let (dim, wide) = (encoder.dim as f64, encoder.feed_forward_dim as f64);
        let (n_layers, n_tokens) = (encoder.n_layers as f64, n_tokens as f64);
        let (keys_and_values, others) = (2. * dim * dim, 2. * dim * dim + 2. * dim * wide);
        // Of every layer but the last, with one query per text there.
        let n_queries = (n_layers - 1.) * n_tokens + 1.;
        let products = n_layers * n_tokens * keys_and_values + n_queries * others;
        6. * products + 12. * dim * n_queries * n_tokens
    }

    /// Splits prompts into at most `max_tokens` tokens, or as many as the model can take.
    ///
    /// # Errors
    /// [`Error::BadParameter`] when not even the special tokens have room; [`Error::Tokenize`].
    pub(crate) fn tokenize(
        &self,
        prompts: &[String],
        max_tokens: usize,
    ) -> Result<Vec<TokenizedPrompt>> {
        // `<s>` and `</s>`, and something between them.
        if max_tokens < 3 {
            return Err(Error::BadParameter {
                name: "max-tokens",
                found: max_tokens.to_string(),
                expected: "at least 3",
            });
        }
        let tokenizer = self.prompt_tokenizer(max_tokens)?;
        let max_tokens = tokenizer.max_tokens();
        let prompts = tokenizer.tokenize(prompts)?;
        let n_truncated = prompts.iter().filter(|prompt| prompt.is_truncated).count();
        if n_truncated > 0 {
            let n_prompts = prompts.len();
            tracing::warn!(n_truncated, n_prompts, max_tokens, "cut off long prompts");
        }
        Ok(prompts)
    }
}

impl RobertaModel {
    fn prompt_tokenizer(&self, max_tokens: usize) -> Result<PromptTokenizer> {
        let max_tokens = max_tokens.min(self.max_tokens());
        let named = self.tokenizer.named.clone();
        PromptTokenizer::new(named, &self.config.encoder, max_tokens, self.truncate)
    }
}

/// How a pass in training is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingPass {
    pub(crate) encoder: Pass,
    pub(crate) head_dropout: f64,
}

impl TrainingPass {
    pub(crate) const INFERENCE: Self = Self {
        encoder: Pass::INFERENCE,
        head_dropout: 0.,
    };
}

impl Net {
    /// A second handle on the same weights, for another thread.
    pub(crate) fn share(&self) -> Self {
        Self {
            encoder: self.encoder.share(),
            head: self.head.share(),
            pad_id: self.pad_id,
            device: self.device,
        }
    }

    /// Outputs, float32, `(batch, labels)`.
    pub(crate) fn forward(&self, batch: &Batch, pass: &TrainingPass) -> Result<Tensor, TchError> {
        let first = self.encoder.forward_first(batch, &pass.encoder)?; // (batch, dim)
        self.head.forward(&first, pass.head_dropout)
    }
}

fn required(folder: &Path, file: &str) -> Result<PathBuf> {
    let path = folder.join(file);
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::MissingFile {
            folder: folder.to_owned(),
            file: file.to_owned(),
        }),
    }
}
