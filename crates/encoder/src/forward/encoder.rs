use std::ops::Range;

use dataset::Precision;

use super::{
    attention::Texts,
    bf16::{self, Tiles},
    layer::{Layer, LayerWeights, Room, keep},
    linear::{Affine, LayerNorm},
    processor::Processor,
    product::Spread,
};
use crate::{
    CheckedWeights, EncoderConfig, Result,
    batches::{TOKENS_PER_BATCH, TOKENS_PER_BATCH_BF16},
    config::Positions,
};

/// A Transformer encoder of the BERT family (Devlin et al. 2018, arXiv 1810.04805): post-norm layers over learned positions, with products
/// in float32 or bfloat16.
///
/// Texts stand one after the other without padding, and none sees another. A text's vectors are the same, bit for bit, whatever it stands beside.
#[derive(Debug)]
pub(crate) struct Encoder {
    processor: Processor,
    words: Vec<f32>,     // (vocab_size, dim)
    positions: Vec<f32>, // (n_positions, dim), the vector of token type 0 added
    norm: LayerNorm,
    counted: Positions,
    pad_id: u32,
    layers: Layers,
    dim: usize,
}

#[derive(Debug)]
enum Layers {
    F32(Vec<Layer>),
    /// Each batch is computed on one core.
    Bf16(Vec<bf16::Layer>),
}

impl Layers {
    fn len(&self) -> usize {
        match self {
            Self::F32(layers) => layers.len(),
            Self::Bf16(layers) => layers.len(),
        }
    }
}

/// The tokens whose vectors are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All.
    All,
    /// The first one of each text. No other token goes through the last layer but as a key and a value.
    First,
}

impl Encoder {
    /// Takes the weights out of files whose shapes were compared with the configuration, under names with this prefix.
    ///
    /// # Errors
    /// As [`CheckedWeights::values`].
    pub(crate) fn load(
        precision: Precision,
        weights: &mut CheckedWeights,
        prefix: &str,
        config: &EncoderConfig,
    ) -> Result<Self> {
        let tiles = (precision == Precision::Bf16).then(Tiles::detect);
        Self::load_for(Processor::detect(), tiles, weights, prefix, config)
    }

    /// With products in bfloat16 where something is given that takes them.
    fn load_for(
        processor: Processor,
        tiles: Option<Tiles>,
        weights: &mut CheckedWeights,
        prefix: &str,
        config: &EncoderConfig,
    ) -> Result<Self> {
        let dim = config.dim;
        let mut load = Load {
            weights,
            prefix,
            eps: config.layer_norm_eps as f32,
        };
        let words = load.values("embeddings.word_embeddings.weight")?;
        let mut positions = load.values("embeddings.position_embeddings.weight")?;
        let types = load.values("embeddings.token_type_embeddings.weight")?;
        // Every text's tokens are of type 0.
        for position in positions.chunks_exact_mut(dim.max(1)) {
            for (value, term) in position.iter_mut().zip(&types) {
                *value += term;
            }
        }
        let norm = load.norm("embeddings.LayerNorm")?;
        let mut weights = Vec::with_capacity(config.n_layers);
        for layer_idx in 0..config.n_layers {
            let name = |part: &str| format!("encoder.layer.{layer_idx}.{part}");
            weights.push(LayerWeights {
                dim,
                n_heads: config.n_heads,
                query: load.affine(&name("attention.self.query"))?,
                key: load.affine(&name("attention.self.key"))?,
                value: load.affine(&name("attention.self.value"))?,
                attention_output: load.affine(&name("attention.output.dense"))?,
                attention_norm: load.norm(&name("attention.output.LayerNorm"))?,
                intermediate: load.affine(&name("intermediate.dense"))?,
                activation: config.activation,
                output: load.affine(&name("output.dense"))?,
                output_norm: load.norm(&name("output.LayerNorm"))?,
            });
        }
        let weights = weights.into_iter();
        let layers = match tiles {
            None => Layers::F32(weights.map(|it| Layer::new(processor, it)).collect()),
            Some(tiles) => Layers::Bf16(weights.map(|it| bf16::Layer::new(tiles, it)).collect()),
        };
        Ok(Self {
            processor,
            words,
            positions,
            norm,
            counted: config.positions,
            pad_id: config.pad_id,
            layers,
            dim,
        })
    }

    /// Tokens of one batch on one core.
    pub(crate) fn tokens_per_batch(&self) -> usize {
        match self.layers {
            Layers::F32(_) => TOKENS_PER_BATCH,
            Layers::Bf16(_) => TOKENS_PER_BATCH_BF16,
        }
    }

    /// The last layer's vectors of the wanted tokens, text after text, `(wanted tokens, dim)`. No text may be empty, and every id and position must
    /// be in its table.
    pub(crate) fn forward(&self, texts: &[&[u32]], wanted: Wanted, spread: Spread) -> Vec<f32> {
        let mut rows = self.embed(texts);
        let tokens = ranges(texts.iter().map(|text| text.len()));
        let first = ranges(texts.iter().map(|_| 1));
        if wanted == Wanted::First && self.layers.len() == 0 {
            keep(
                &mut rows,
                self.dim,
                Texts {
                    tokens: &tokens,
                    queries: &first,
                },
            );
        }
        // Every layer but the last needs all tokens, as keys of the next.
        let texts = |layer_idx| Texts {
            tokens: &tokens,
            queries: match wanted {
                Wanted::First if layer_idx + 1 == self.layers.len() => &first,
                _ => &tokens,
            },
        };
        match &self.layers {
            Layers::F32(layers) => {
                let mut room = Room::default();
                for (layer_idx, layer) in layers.iter().enumerate() {
                    layer.forward(
                        self.processor,
                        &mut rows,
                        texts(layer_idx),
                        spread,
                        &mut room,
                    );
                }
            }
            Layers::Bf16(layers) => {
                let mut room = bf16::Room::default();
                for (layer_idx, layer) in layers.iter().enumerate() {
                    layer.forward(self.processor, &mut rows, texts(layer_idx), &mut room);
                }
            }
        }
        rows
    }

    /// The sum of each token's, position's and type's vector, normalized.
    fn embed(&self, texts: &[&[u32]]) -> Vec<f32> {
        let dim = self.dim;
        let n_tokens: usize = texts.iter().map(|text| text.len()).sum();
        let mut rows = Vec::with_capacity(n_tokens * dim);
        for text in texts {
            let mut n_before = 0;
            for id in *text {
                let position = match self.counted {
                    Positions::FromZero => n_before,
                    // Padding keeps its id as its position, and is not counted.
                    Positions::AfterPadId if *id == self.pad_id => {
                        rows.extend(self.sum(*id, *id as usize));
                        continue;
                    }
                    Positions::AfterPadId => self.pad_id as usize + 1 + n_before,
                };
                n_before += 1;
                rows.extend(self.sum(*id, position));
            }
        }
        for row in rows.chunks_exact_mut(dim.max(1)) {
            self.norm.forward(self.processor, row);
        }
        rows
    }

    fn sum(&self, id: u32, position: usize) -> impl Iterator<Item = f32> {
        let word = &self.words[id as usize * self.dim..][..self.dim];
        let position = &self.positions[position * self.dim..][..self.dim];
        word.iter().zip(position).map(|(a, b)| a + b)
    }
}

/// Ranges of so many, one behind the other.
fn ranges(lengths: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    let mut begin = 0;
    let one = |length| {
        begin += length;
        begin - length..begin
    };
    lengths.map(one).collect()
}

/// What takes weights out of files.
struct Load<'a> {
    weights: &'a mut CheckedWeights,
    prefix: &'a str,
    eps: f32,
}

impl Load<'_> {
    fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        self.weights.values(&format!("{}{name}", self.prefix))
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.values(&format!("{name}.weight"))?,
            bias: self.values(&format!("{name}.bias"))?,
            eps: self.eps,
        })
    }

    fn affine(&mut self, name: &str) -> Result<Affine> {
        Ok(Affine {
            weight: self.values(&format!("{name}.weight"))?,
            bias: self.values(&format!("{name}.bias"))?,
        })
    }
}
