use std::path::Path;

use dataset::{Precision, Truncate};
use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;
use tokenizers::Tokenizer;

use super::{
    Classifier, Padding, PredictParams, Predicted, ProblemType, RobertaConfig, RobertaParts,
};
use crate::{
    CheckedWeights, Result,
    forward::{Affine, Encoder, Linear, Processor, Spread, Wanted},
};

/// A RoBERTa on the CPU that gives every prompt one output per label: `RobertaForSequenceClassification` in transformers.
///
/// Source: Liu et al. 2019, arXiv 1907.11692; its use as a router: Somerstep et al. 2025, CARROT, and somerstep/CARROT at 3e6acff.
///
/// # Deviations
/// None in the forward pass. In prediction: [`Padding`].
#[derive(Debug)]
pub struct RobertaClassifier {
    parts: RobertaParts,
    encoder: Encoder,
    head: ClassificationHead,
}

/// From the first token's vector to one output per label.
///
/// ```text
/// W_2 tanh(W_1 x)          both affine
/// ```
///
/// Source: `RobertaClassificationHead` in transformers, `models/roberta/modeling_roberta.py`.
#[derive(Debug)]
struct ClassificationHead {
    dense: Linear,
    out_proj: Linear,
}

impl RobertaClassifier {
    /// Reads a classifier from a folder in Hugging Face layout: config.json, model.safetensors (or several files and their index), tokenizer.json (or
    /// vocab.json and merges.txt).
    ///
    /// # Errors
    /// [`crate::Error::OnlyPickle`] for a folder whose weights are in a pickle only; [`crate::Error::ExtraWeight`] for weights that no classifier
    /// has; any that concerns a file.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        Self::from_folder_in(Precision::F32, folder)
    }

    /// The same to multiply in a precision: bfloat16 on any processor, to the same bits, but slowly where [`crate::multiplies_bf16`] says no. The two
    /// layers behind the encoder stay in float32.
    ///
    /// # Errors
    /// As [`RobertaClassifier::from_folder`].
    pub fn from_folder_in(precision: Precision, folder: &Path) -> Result<Self> {
        let (parts, mut weights) = RobertaParts::read(folder)?;
        let prefix = format!("{}.", RobertaConfig::ENCODER);
        Ok(Self {
            encoder: Encoder::load(precision, &mut weights, &prefix, &parts.config.encoder)?,
            head: ClassificationHead::load(&mut weights, &parts.config)?,
            parts,
        })
    }

    /// The texts' outputs, one after the other.
    fn outputs(&self, texts: &[&[u32]], spread: Spread) -> Vec<f32> {
        let first = self.encoder.forward(texts, Wanted::First, spread); // (texts, dim)
        self.head.forward(&first, spread)
    }
}

impl Classifier for RobertaClassifier {
    fn labels(&self) -> &[String] {
        &self.parts.config.labels
    }

    fn problem_type(&self) -> Option<ProblemType> {
        self.parts.config.problem_type
    }

    fn max_tokens(&self) -> usize {
        self.parts.config.encoder.max_tokens()
    }

    fn tokenizer(&self) -> &Tokenizer {
        &self.parts.tokenizer.named.tokenizer
    }

    fn set_truncate(&mut self, truncate: Option<Truncate>) {
        self.parts.set_truncate(truncate);
    }

    /// A prompt's outputs are the same, bit for bit, whatever other prompts stand beside it, unless they attend to padding.
    fn predict(
        &self,
        prompts: &[String],
        params: &PredictParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted> {
        let prompts = self.parts.tokenize(prompts, params.max_tokens)?;
        let lengths: Vec<usize> = prompts.iter().map(|prompt| prompt.ids.len()).collect();
        let batches = params
            .padding
            .batches(&lengths, self.encoder.tokens_per_batch())?;
        let predict = |rows: &Vec<usize>, spread| {
            let mut texts: Vec<Vec<u32>> =
                rows.iter().map(|row| prompts[*row].ids.clone()).collect();
            if params.padding != Padding::Masked {
                let n_tokens = texts.iter().map(Vec::len).max().unwrap_or(0);
                for text in &mut texts {
                    text.resize(n_tokens, self.parts.config.encoder.pad_id);
                }
            }
            let texts: Vec<&[u32]> = texts.iter().map(|text| &text[..]).collect();
            let outputs = self.outputs(&texts, spread);
            on_progress(rows.len() as u64);
            outputs
        };
        let outputs: Vec<Vec<f32>> = match &batches[..] {
            [one] => vec![predict(one, Spread::AllCores)],
            several => several
                .par_iter()
                .map(|rows| predict(rows, Spread::OneCore))
                .collect(),
        };
        let n_labels = self.labels().len();
        let mut values = Array2::zeros((prompts.len(), n_labels));
        for (rows, outputs) in batches.iter().zip(outputs) {
            for (row, outputs) in rows.iter().zip(outputs.chunks_exact(n_labels)) {
                values.row_mut(*row).assign(&ArrayView1::from(outputs));
            }
        }
        Ok(Predicted {
            values,
            is_truncated: prompts.iter().map(|prompt| prompt.is_truncated).collect(),
        })
    }
}

impl ClassificationHead {
    fn load(weights: &mut CheckedWeights, config: &RobertaConfig) -> Result<Self> {
        let dim = config.encoder.dim;
        let mut linear = |part: &str| -> Result<Linear> {
            let name = format!("{}.{part}", RobertaConfig::HEAD);
            let weight = weights.values(&format!("{name}.weight"))?;
            let bias = weights.values(&format!("{name}.bias"))?;
            Ok(Linear::new(
                Processor::detect(),
                dim,
                &[Affine { weight, bias }],
            ))
        };
        Ok(Self {
            dense: linear("dense")?,
            out_proj: linear("out_proj")?,
        })
    }

    /// Outputs `(texts, labels)` from the first tokens' vectors `(texts, dim)`.
    fn forward(&self, first: &[f32], spread: Spread) -> Vec<f32> {
        let tanh = |tile: &mut [f32]| {
            for value in tile {
                *value = value.tanh();
            }
        };
        let inner = self.dense.rows(first, spread, tanh);
        self.out_proj.rows(&inner, spread, |_| ())
    }
}
