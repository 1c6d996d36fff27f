use std::ops::Range;

use rayon::prelude::*;

use super::{
    elementwise::{divide, softmax},
    groups::Groups,
    linear::Linear,
    processor::Processor,
    product::{Panels, Rows, RowsMut, Spread, Tiles},
};

/// Scaled dot-product attention of tokens to every token of their text, in several heads.
///
/// ```text
/// softmax(Q K^T / sqrt(head_dim)) V              for each head, heads side by side in the result
///   Q, K, V  affine maps of the tokens           (tokens, head_dim)
/// ```
#[derive(Debug)]
pub(super) struct SelfAttention {
    pub(super) query: Linear,
    pub(super) key_and_value: Linear,
    pub(super) n_heads: usize,
    pub(super) dim: usize,
}

/// Texts of one batch, whose tokens stand one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// The tokens of each text.
    pub(super) tokens: &'a [Range<usize>],
    /// The tokens of each text whose results are wanted, among all those that are.
    pub(super) queries: &'a [Range<usize>],
}

impl Texts<'_> {
    /// Rows of the result.
    pub(super) fn n_queries(self) -> usize {
        self.queries.last().map_or(0, |last| last.end)
    }

    /// Whether no token is left out of the result.
    pub(super) fn wants_all(self) -> bool {
        self.tokens == self.queries
    }
}

/// A text's keys and values in one head, packed.
#[derive(Debug, Default)]
struct Memory {
    keys: Panels,   // columns are tokens
    values: Panels, // columns are dimensions
}

/// What a core needs while it computes.
#[derive(Debug, Default)]
struct Scratch {
    tiles: Tiles,
    scores: Vec<f32>,
    totals: Vec<f32>,
}

/// Attention's result, and room for what leads to it.
#[derive(Debug, Default)]
pub(super) struct Mixed {
    /// Of each text every head's.
    memories: Vec<Memory>,
    keys_and_values: Vec<f32>, // (tokens, 2 dim), a token's keys first
    queries: Vec<f32>,         // (wanted tokens, dim)
    scratch: Scratch,
    /// What the wanted tokens see, `(wanted tokens, dim)`.
    pub(super) rows: Vec<f32>,
}

impl SelfAttention {
    /// Takes in all tokens, `(tokens, dim)`, as what is to be seen.
    pub(super) fn see(
        &self,
        processor: Processor,
        rows: &[f32],
        texts: Texts<'_>,
        spread: Spread,
        mixed: &mut Mixed,
    ) {
        let (dim, head_dim) = (self.dim, self.dim / self.n_heads);
        let Mixed {
            memories,
            keys_and_values,
            scratch,
            ..
        } = mixed;
        map(
            &self.key_and_value,
            processor,
            rows,
            dim,
            spread,
            scratch,
            keys_and_values,
        );
        memories.resize_with(texts.tokens.len() * self.n_heads, Memory::default);
        let pack = |(memory_idx, memory): (usize, &mut Memory)| {
            let (text_idx, head) = (memory_idx / self.n_heads, memory_idx % self.n_heads);
            let tokens = &texts.tokens[text_idx];
            let first = tokens.start * 2 * dim + head * head_dim;
            let keys = Rows {
                values: &keys_and_values[first..],
                stride: 2 * dim,
                n: tokens.len(),
            };
            let values = Rows {
                values: &keys_and_values[first + dim..],
                ..keys
            };
            memory.keys.repack(processor, keys, head_dim);
            memory.values.repack_across(processor, values, head_dim);
        };
        match spread {
            Spread::OneCore => memories.iter_mut().enumerate().for_each(pack),
            Spread::AllCores => memories.par_iter_mut().enumerate().for_each(pack),
        }
    }

    /// Computes what the texts' wanted tokens see, from their rows, `(wanted tokens, dim)`.
    pub(super) fn look(
        &self,
        processor: Processor,
        rows: &[f32],
        texts: Texts<'_>,
        spread: Spread,
        mixed: &mut Mixed,
    ) {
        let dim = self.dim;
        let Mixed {
            memories,
            queries,
            scratch,
            rows: out,
            ..
        } = mixed;
        map(&self.query, processor, rows, dim, spread, scratch, queries);
        out.resize(texts.n_queries() * dim, 0.);
        let groups = Groups::for_rows(processor, texts.n_queries(), spread);
        groups.fill(dim, out, scratch, |scratch, first, _, out| {
            let group = first..first + out.len() / dim;
            let first_text = texts.queries.partition_point(|it| it.end <= group.start);
            for (text_idx, wanted) in texts.queries.iter().enumerate().skip(first_text) {
                let wanted = wanted.start.max(group.start)..wanted.end.min(group.end);
                if wanted.is_empty() {
                    break;
                }
                let queries = &queries[wanted.start * dim..wanted.end * dim];
                let memories = &memories[text_idx * self.n_heads..][..self.n_heads];
                let n_tokens = texts.tokens[text_idx].len();
                let out = &mut out[(wanted.start - first) * dim..][..queries.len()];
                self.mix(processor, queries, memories, n_tokens, scratch, out);
            }
        });
    }

    /// What some tokens of one text see.
    fn mix(
        &self,
        processor: Processor,
        queries: &[f32],
        memories: &[Memory],
        n_tokens: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let (dim, head_dim) = (self.dim, self.dim / self.n_heads);
        let n_queries = queries.len() / dim;
        let Scratch {
            tiles,
            scores,
            totals,
        } = scratch;
        scores.resize(n_queries * n_tokens, 0.);
        for (head, memory) in memories.iter().enumerate() {
            let first = head * head_dim;
            let queries = Rows {
                values: &queries[first..],
                stride: dim,
                n: n_queries,
            };
            let into = RowsMut {
                values: &mut scores[..],
                stride: n_tokens,
            };
            let (core, keys, values) = (Spread::OneCore, &memory.keys, &memory.values);
            keys.multiply(processor, queries, core, |_, _| (), tiles, into);
            let scale = 1. / (head_dim as f32).sqrt();
            softmax(processor, scores, n_tokens, scale, totals);
            let weights = Rows::dense(scores, n_tokens);
            let into = RowsMut {
                values: &mut out[first..],
                stride: dim,
            };
            // Fewer values than there are weights.
            let share = |_: usize, tile: &mut [f32]| divide(processor, tile, totals);
            values.multiply(processor, weights, core, share, tiles, into);
        }
    }
}

/// An affine map of rows, group by group.
fn map(
    linear: &Linear,
    processor: Processor,
    rows: &[f32],
    dim: usize,
    spread: Spread,
    scratch: &mut Scratch,
    out: &mut Vec<f32>,
) {
    let n_rows = rows.len() / dim;
    out.resize(n_rows * linear.out_dim(), 0.);
    let groups = Groups::for_weights(processor, n_rows, spread);
    groups.fill(
        linear.out_dim(),
        out,
        scratch,
        |scratch, first, spread, out| {
            let rows = &rows[first * dim..][..out.len() / linear.out_dim() * dim];
            linear.forward(rows, spread, |_| (), &mut scratch.tiles, out);
        },
    );
}
