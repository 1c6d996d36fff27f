use std::ops::Range;

use super::{
    super::{
        attention::Texts,
        elementwise::{gelu_tanh_of, relu_of},
        layer::{LayerWeights, keep},
        linear::{Affine, LayerNorm},
        processor::Processor,
    },
    attention::{Mapped, Scratch, SelfAttention},
    functions::gelu,
    lines::{Line, Rows, SIDE, pack_row},
    map::Map,
    product::Tiles,
};
use crate::config::Activation;

/// Rows that a core takes at a time: enough that weights are read from memory seldom, and few enough that what a layer makes of them, 256 x 1,536 x 2
/// bytes = 786 KB at MiniLM's width, stays in a cache of 2 MB.
const MAX_IN_GROUP: usize = 256;

/// Attention and a feed-forward part, each added to its input and then normalized: [`super::super::layer::Layer`].
#[derive(Debug)]
pub(in super::super) struct Layer {
    attention: SelfAttention,
    attention_output: Map,
    attention_norm: LayerNorm,
    intermediate: Map,
    activation: Activation,
    output: Map,
    output_norm: LayerNorm,
    dim: usize,
}

/// Room for what a layer computes on the way, used again by the next one.
#[derive(Debug, Default)]
pub(in super::super) struct Room {
    packed: Rows,          // (tokens, dim)
    keys_and_values: Rows, // (tokens, keys of all heads and then values)
    queries: Rows,         // (wanted tokens, all heads)
    mixed: Rows,           // what the wanted tokens see, (wanted tokens, all heads)
    scratch: Scratch,
    wide: Rows, // (rows of a group, feed_forward_dim)
}

impl Layer {
    /// Rounds a layer's weights.
    pub(in super::super) fn new(tiles: Tiles, weights: LayerWeights) -> Self {
        let (dim, head_dim) = (weights.dim, weights.dim / weights.n_heads.max(1));
        let map = |in_dim, affine: Affine| Map::new(tiles, in_dim, &affine.weight, affine.bias);
        // Each head's values begin a line.
        let by_head = |values: &[f32], n: usize| -> Vec<f32> {
            let heads = values.chunks_exact((head_dim * n).max(1));
            let n_zeros = (head_dim.next_multiple_of(SIDE) - head_dim) * n;
            let padded = heads.flat_map(|head| head.iter().copied().chain(vec![0.; n_zeros]));
            padded.collect()
        };
        let heads = |affine: &Affine| Affine {
            weight: by_head(&affine.weight, dim),
            bias: by_head(&affine.bias, 1),
        };
        let (key, value) = (heads(&weights.key), heads(&weights.value));
        let key_and_value = Affine {
            weight: [key.weight, value.weight].concat(),
            bias: [key.bias, value.bias].concat(),
        };
        let from_heads = weights.attention_output.weight.chunks_exact(dim.max(1));
        let attention_output = Affine {
            weight: from_heads.flat_map(|row| by_head(row, 1)).collect(),
            bias: weights.attention_output.bias,
        };
        let wide = weights.intermediate.bias.len();
        Self {
            attention: SelfAttention {
                tiles,
                query: map(dim, heads(&weights.query)),
                key_and_value: map(dim, key_and_value),
                n_heads: weights.n_heads,
                head_dim,
            },
            attention_output: map(
                weights.n_heads * head_dim.next_multiple_of(SIDE),
                attention_output,
            ),
            attention_norm: weights.attention_norm,
            intermediate: map(dim, weights.intermediate),
            activation: weights.activation,
            output: map(wide, weights.output),
            output_norm: weights.output_norm,
            dim,
        }
    }

    /// Replaces all tokens' rows, `(tokens, dim)`, by those of the wanted tokens.
    pub(in super::super) fn forward(
        &self,
        processor: Processor,
        rows: &mut Vec<f32>,
        texts: Texts<'_>,
        room: &mut Room,
    ) {
        let Room {
            packed,
            keys_and_values,
            queries,
            mixed,
            scratch,
            wide,
        } = room;
        let n_tokens = rows.len() / self.dim;
        packed.pack(processor, rows, self.dim);
        let key_and_value = &self.attention.key_and_value;
        into_rows(
            key_and_value,
            processor,
            packed,
            0..n_tokens,
            &mut scratch.sums,
            |x| x,
            keys_and_values,
        );
        let n_wanted = texts.n_queries();
        if !texts.wants_all() {
            keep(rows, self.dim, texts);
            packed.pack(processor, rows, self.dim);
        }
        let query = &self.attention.query;
        into_rows(
            query,
            processor,
            packed,
            0..n_wanted,
            &mut scratch.sums,
            |x| x,
            queries,
        );
        mixed.make_room(n_wanted, query.n_panels());
        for text_idx in 0..texts.tokens.len() {
            let mapped = Mapped {
                texts,
                queries,
                keys_and_values,
            };
            self.attention
                .mix(processor, mapped, text_idx, scratch, mixed);
        }
        let sums = &mut scratch.sums;
        for (group_idx, rows) in rows.chunks_mut(MAX_IN_GROUP * self.dim).enumerate() {
            let first = group_idx * MAX_IN_GROUP;
            let n_rows = rows.len() / self.dim;
            let of_group = mixed.blocks(first, n_rows, 0, query.n_panels());
            self.attention_output
                .add_to(processor, of_group, sums, rows);
            for (row_idx, row) in rows.chunks_exact_mut(self.dim).enumerate() {
                self.attention_norm.forward(processor, row);
                pack_row(processor, row, packed.row_mut(first + row_idx));
            }
            let group = first..first + n_rows;
            let map = &self.intermediate;
            match self.activation {
                Activation::Gelu => {
                    into_rows(map, processor, packed, group, sums, gelu, wide);
                }
                Activation::GeluTanh => {
                    into_rows(map, processor, packed, group, sums, gelu_tanh_of, wide);
                }
                Activation::Relu => {
                    into_rows(map, processor, packed, group, sums, relu_of, wide);
                }
            }
            self.output
                .add_to(processor, wide.first(n_rows), sums, rows);
            for row in rows.chunks_exact_mut(self.dim) {
                self.output_norm.forward(processor, row);
            }
        }
    }
}

/// A map of some rows and then a function, rounded.
#[inline(always)]
fn into_rows(
    map: &Map,
    processor: Processor,
    rows: &Rows,
    which: Range<usize>,
    sums: &mut Vec<f32>,
    f: impl Fn(f32) -> f32,
    out: &mut Rows,
) {
    out.make_room(which.len(), map.n_panels());
    let rows = rows.blocks(which.start, which.len(), 0, rows.n_parts());
    map.forward(processor, rows, sums, |panel_idx, bias, sums| {
        processor.run(
            #[inline(always)]
            || {
                for (row, sums) in sums[..which.len()].iter().enumerate() {
                    let mut values = *sums;
                    for lane in 0..SIDE {
                        values[lane] = f(values[lane] + bias[lane]);
                    }
                    out.row_mut(row)[panel_idx] = Line::of(&values);
                }
            },
        );
    });
}
