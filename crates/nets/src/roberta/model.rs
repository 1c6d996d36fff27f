use std::{collections::BTreeMap, path::Path};

use dataset::{Truncate, write_atomically};
use encoder::{
    CheckedWeights, DeviceChoice, ProblemType, RobertaConfig, RobertaParts, TokenizedPrompt,
    WEIGHTS,
};
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};
use tokenizers::Tokenizer;

use super::head::{ClassificationHead, draw_weights};
use crate::{
    Error, Result, find_device,
    mode::Mode,
    safetensors,
    transformer::{Batch, Encoder, Pass},
    weights::load_into,
};

const CONFIG: &str = "config.json";
const CARD: &str = "README.md";

/// A RoBERTa on libtorch, which can be trained: one output per prompt and label, `RobertaForSequenceClassification` in transformers.
///
/// Source: Liu et al. 2019, arXiv 1907.11692; its use as a router: Somerstep et al. 2025, CARROT, and somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// None in the forward pass. What differs in training stands at [`crate::fine_tune`], in prediction at [`encoder::Padding`].
#[derive(Debug)]
pub struct RobertaModel {
    pub(super) variables: VarStore,
    pub(super) net: Net,
    pub(super) parts: RobertaParts,
}

/// The encoder under the head.
#[derive(Debug)]
pub(crate) struct Net {
    encoder: Encoder,
    head: ClassificationHead,
    pub(crate) pad_id: u32,
    pub(crate) mode: Mode,
}

impl RobertaModel {
    /// Reads a classifier from a folder in Hugging Face layout: config.json, model.safetensors (or several files and their index), tokenizer.json (or
    /// vocab.json and merges.txt).
    ///
    /// # Errors
    /// [`encoder::Error::NoDevice`]; any of [`RobertaParts::read`].
    pub fn from_folder(folder: &Path, device: DeviceChoice) -> Result<Self> {
        let device = find_device(device)?;
        let (parts, weights) = RobertaParts::read(folder)?;
        Self::load(parts, weights, device)
    }

    /// Reads the encoder of any RoBERTa, `roberta-base` say, and puts a new head on it, drawn from the seed.
    ///
    /// Labels are the outputs' names; an LLM's name each, in the data set's order.
    ///
    /// # Errors
    /// As [`RobertaModel::from_folder`]; [`encoder::Error::Labels`] for labels that are none.
    pub fn from_base(
        folder: &Path,
        labels: &[String],
        problem_type: ProblemType,
        seed: u64,
        device: DeviceChoice,
    ) -> Result<Self> {
        let device = find_device(device)?;
        let (parts, weights) = RobertaParts::read_base(folder, labels, problem_type)?;
        let model = Self::load(parts, weights, device)?;
        draw_weights(
            &model.variables,
            RobertaConfig::HEAD,
            &model.parts.config,
            seed,
        )
        .map_err(Error::torch("draw a head's weights"))?;
        Ok(model)
    }

    fn load(parts: RobertaParts, weights: CheckedWeights, device: Device) -> Result<Self> {
        let config = &parts.config;
        let mut variables = VarStore::new(device);
        let root = variables.root();
        let net = Net {
            encoder: Encoder::new(&(&root / RobertaConfig::ENCODER), &config.encoder),
            head: ClassificationHead::new(&(&root / RobertaConfig::HEAD), config),
            pad_id: config.encoder.pad_id,
            mode: Mode {
                device,
                product_kind: Kind::Float,
            },
        };
        load_into(weights, &variables)?;
        variables.freeze();
        Ok(Self {
            variables,
            net,
            parts,
        })
    }

    /// Cuts long prompts in another way than the model's files say; `None` leaves it to them.
    pub fn set_truncate(&mut self, truncate: Option<Truncate>) {
        self.parts.set_truncate(truncate);
    }

    /// Writes the model in Hugging Face layout, so that transformers and [`RobertaModel::from_folder`] read it to the same
    /// outputs; `card` becomes README.md. Every file is written atomically, the weights last.
    ///
    /// # Errors
    /// [`Error::Dataset`] when a file cannot be written.
    pub fn save(&self, folder: &Path, card: &str) -> Result<()> {
        let config = format!("{:#}\n", self.parts.config.to_json());
        write_atomically(folder.join(CONFIG), config.as_bytes())?;
        for (name, bytes) in &self.parts.tokenizer.files {
            write_atomically(folder.join(name), bytes)?;
        }
        write_atomically(folder.join(CARD), card.as_bytes())?;
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        safetensors::write(&folder.join(WEIGHTS), &self.weights(), &metadata)
    }

    /// What the outputs are called, in their order.
    pub fn labels(&self) -> &[String] {
        &self.parts.config.labels
    }

    /// What the outputs are, if config.json says.
    pub fn problem_type(&self) -> Option<ProblemType> {
        self.parts.config.problem_type
    }

    /// The longest prompt in tokens, special ones included: 512 for `roberta-base`.
    pub fn max_tokens(&self) -> usize {
        self.parts.config.encoder.max_tokens()
    }

    /// What splits prompts, with whatever truncation and padding its files ask for.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.parts.tokenizer.named.tokenizer
    }

    /// Where the model runs.
    pub fn device(&self) -> Device {
        self.net.mode.device
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
                hidden_dropout: self.parts.config.hidden_dropout,
                attention_dropout: self.parts.config.attention_dropout,
                product_kind,
            },
            head_dropout: self.parts.config.head_dropout,
        }
    }

    /// Floating-point operations that one prompt of so many tokens takes in training: 6 per weight of a matrix and token, and 12 per layer,
    /// width, and pair of tokens (Chowdhery et al. 2022, PaLM, arXiv 2204.02311, appendix B). The last layer has keys and values of all tokens,
    /// and the rest of the first one alone.
    pub(crate) fn training_flops(&self, n_tokens: usize) -> f64 {
        let encoder = &self.parts.config.encoder;
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
    /// As [`RobertaParts::tokenize`].
    pub(crate) fn tokenize(
        &self,
        prompts: &[String],
        max_tokens: usize,
    ) -> Result<Vec<TokenizedPrompt>> {
        Ok(self.parts.tokenize(prompts, max_tokens)?)
    }
}

/// How a pass in training is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingPass {
    pub(crate) encoder: Pass,
    pub(crate) head_dropout: f64,
}

impl TrainingPass {
    /// Without dropout.
    pub(crate) fn inference(product_kind: Kind) -> Self {
        Self {
            encoder: Pass::inference(product_kind),
            head_dropout: 0.,
        }
    }
}

impl Net {
    /// A second handle on the same weights, for another thread.
    pub(crate) fn share(&self) -> Self {
        Self {
            encoder: self.encoder.share(),
            head: self.head.share(),
            pad_id: self.pad_id,
            mode: self.mode,
        }
    }

    /// The same encoder with the weights of its products in another kind, in which they then are; the head keeps its own.
    pub(crate) fn to_kind(&self, product_kind: Kind) -> Result<Self, TchError> {
        Ok(Self {
            encoder: self.encoder.to_kind(product_kind)?,
            mode: Mode {
                product_kind,
                ..self.mode
            },
            ..self.share()
        })
    }

    /// Outputs, float32, `(batch, labels)`.
    pub(crate) fn forward(&self, batch: &Batch, pass: &TrainingPass) -> Result<Tensor, TchError> {
        let first = self.encoder.forward_first(batch, &pass.encoder)?; // (batch, dim)
        self.head.forward(&first, pass.head_dropout)
    }
}
