use super::{
    attention::{Mixed, SelfAttention, Texts},
    elementwise::{gelu, gelu_tanh, relu},
    linear::{LayerNorm, Linear},
    processor::Processor,
    product::{Blocks, Spread, Tiles},
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

/// Room for what a layer computes on the way, used again by the next one.
#[derive(Debug, Default)]
pub(super) struct Room {
    packed: Blocks,
    packed_queries: Blocks,
    mixed: Mixed,
    wide: Tiles,
    narrow: Tiles,
}

impl Layer {
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
        let Room {
            packed,
            packed_queries,
            mixed,
            wide,
            narrow,
        } = room;
        packed.pack_rows(processor, rows, dim);
        if texts.wants_all() {
            self.attention
                .forward(processor, [packed, packed], texts, spread, mixed);
        } else {
            keep(rows, dim, texts);
            packed_queries.pack_rows(processor, rows, dim);
            self.attention
                .forward(processor, [packed, packed_queries], texts, spread, mixed);
        }
        self.attention_output
            .forward(&mixed.packed, spread, |_| (), narrow);
        add_and_normalize(processor, rows, dim, narrow, &self.attention_norm);

        packed.pack_rows(processor, rows, dim);
        let activation = |tile: &mut [f32]| match self.activation {
            Activation::Gelu => gelu(processor, tile),
            Activation::GeluTanh => gelu_tanh(processor, tile),
            Activation::Relu => relu(processor, tile),
        };
        self.intermediate.forward(packed, spread, activation, wide); // (tokens, feed_forward_dim)
        let wide_dim = self.intermediate.out_dim();
        packed.pack(processor, rows.len() / dim, wide_dim, |row, from| {
            let values = wide.piece(row, from);
            &values[..values.len().min(wide_dim - from)]
        });
        self.output.forward(packed, spread, |_| (), narrow);
        add_and_normalize(processor, rows, dim, narrow, &self.output_norm);
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

fn add_and_normalize(
    processor: Processor,
    rows: &mut [f32],
    dim: usize,
    terms: &Tiles,
    norm: &LayerNorm,
) {
    let mut term = vec![0.; dim];
    for (row_idx, row) in rows.chunks_exact_mut(dim).enumerate() {
        terms.copy_row(row_idx, &mut term);
        for (value, term) in row.iter_mut().zip(&term) {
            *value += term;
        }
        norm.forward(processor, row);
    }
}
