use super::{
    attention::{Mixed, SelfAttention, Texts},
    elementwise::{gelu, gelu_tanh, relu},
    groups::Groups,
    linear::{Affine, LayerNorm, Linear},
    processor::Processor,
    product::{Spread, Tiles},
};
use crate::config::Activation;

/// Attention and a feed-forward part, each added to its input and then normalized.
///
/// ```text
/// y = norm(x + W_o attention(x))
/// z = norm(y + W_2 activation(W_1 y))          every W is affine
/// ```
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention: SelfAttention,
    pub(super) attention_output: Linear,
    pub(super) attention_norm: LayerNorm,
    pub(super) intermediate: Linear,
    pub(super) activation: Activation,
    pub(super) output: Linear,
    pub(super) output_norm: LayerNorm,
}

/// A layer's weights in float32.
#[derive(Debug)]
pub(super) struct LayerWeights {
    pub(super) dim: usize,
    pub(super) n_heads: usize,
    pub(super) query: Affine,
    pub(super) key: Affine,
    pub(super) value: Affine,
    pub(super) attention_output: Affine,
    pub(super) attention_norm: LayerNorm,
    pub(super) intermediate: Affine,
    pub(super) activation: Activation,
    pub(super) output: Affine,
    pub(super) output_norm: LayerNorm,
}

/// Room for what a layer computes on the way, used again by the next one.
#[derive(Debug, Default)]
pub(super) struct Room {
    mixed: Mixed,
    scratch: Scratch,
}

/// What a core needs for a group of rows.
#[derive(Debug, Default)]
struct Scratch {
    tiles: Tiles,
    wide: Vec<f32>,   // (rows, feed_forward_dim)
    narrow: Vec<f32>, // (rows, dim)
}

impl Layer {
    /// Packs a layer's weights.
    pub(super) fn new(processor: Processor, weights: LayerWeights) -> Self {
        let (dim, wide) = (weights.dim, weights.intermediate.bias.len());
        let linear = |in_dim, maps: &[Affine]| Linear::new(processor, in_dim, maps);
        Self {
            attention: SelfAttention {
                query: linear(dim, &[weights.query]),
                key_and_value: linear(dim, &[weights.key, weights.value]),
                n_heads: weights.n_heads,
                dim,
            },
            attention_output: linear(dim, &[weights.attention_output]),
            attention_norm: weights.attention_norm,
            intermediate: linear(dim, &[weights.intermediate]),
            activation: weights.activation,
            output: linear(wide, &[weights.output]),
            output_norm: weights.output_norm,
        }
    }

    /// Replaces all tokens' rows, `(tokens, dim)`, by those of the wanted tokens.
    pub(super) fn forward(
        &self,
        processor: Processor,
        rows: &mut Vec<f32>,
        texts: Texts<'_>,
        spread: Spread,
        room: &mut Room,
    ) {
        let dim = self.attention.dim;
        let Room { mixed, scratch } = room;
        self.attention.see(processor, rows, texts, spread, mixed);
        if !texts.wants_all() {
            keep(rows, dim, texts);
        }
        self.attention.look(processor, rows, texts, spread, mixed);
        // All that follows is done for a few rows at a time, while they are at hand.
        let groups = Groups::for_weights(processor, texts.n_queries(), spread);
        groups.fill(dim, rows, scratch, |scratch, first, spread, rows| {
            let mixed = &mixed.rows[first * dim..][..rows.len()];
            self.after_attention(processor, rows, mixed, spread, scratch);
        });
    }

    fn after_attention(
        &self,
        processor: Processor,
        rows: &mut [f32],
        mixed: &[f32],
        spread: Spread,
        scratch: &mut Scratch,
    ) {
        let Scratch {
            tiles,
            wide,
            narrow,
        } = scratch;
        let n_rows = rows.len() / self.attention.dim;
        narrow.resize(rows.len(), 0.);
        wide.resize(n_rows * self.intermediate.out_dim(), 0.);
        self.attention_output
            .forward(mixed, spread, |_| (), tiles, narrow);
        add_and_normalize(processor, rows, narrow, &self.attention_norm);

        let activation = |tile: &mut [f32]| match self.activation {
            Activation::Gelu => gelu(processor, tile),
            Activation::GeluTanh => gelu_tanh(processor, tile),
            Activation::Relu => relu(processor, tile),
        };
        self.intermediate
            .forward(rows, spread, activation, tiles, wide);
        self.output.forward(wide, spread, |_| (), tiles, narrow);
        add_and_normalize(processor, rows, narrow, &self.output_norm);
    }
}

/// Keeps the wanted tokens' rows.
pub(super) fn keep(rows: &mut Vec<f32>, dim: usize, texts: Texts<'_>) {
    for (tokens, queries) in texts.tokens.iter().zip(texts.queries) {
        let from = tokens.start * dim..(tokens.start + queries.len()) * dim;
        // Never beyond what was read already: no text wants more rows than it has.
        rows.copy_within(from, queries.start * dim);
    }
    rows.truncate(texts.n_queries() * dim);
}

fn add_and_normalize(processor: Processor, rows: &mut [f32], terms: &[f32], norm: &LayerNorm) {
    let dim = norm.weight.len();
    for (row, terms) in rows.chunks_exact_mut(dim).zip(terms.chunks_exact(dim)) {
        for (value, term) in row.iter_mut().zip(terms) {
            *value += term;
        }
        norm.forward(processor, row);
    }
}
