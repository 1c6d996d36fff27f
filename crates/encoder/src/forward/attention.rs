use std::ops::Range;

use rayon::prelude::*;

use super::{
    elementwise::softmax,
    linear::Linear,
    processor::Processor,
    product::{Blocks, Panels, Spread, Tiles},
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

/// What one head of one text needs while it is computed.
#[derive(Debug, Default)]
struct Scratch {
    queries: Blocks,
    keys: Panels,
    values: Panels,
    scores: Tiles,
    weights: Vec<f32>,
    packed_weights: Blocks,
    mixed: Tiles,
}

/// Attention's rows, packed for the next map, and room for what leads to them.
#[derive(Debug, Default)]
pub(super) struct Mixed {
    queries: Tiles,
    keys_and_values: Tiles,
    /// For each text and head `(queries, head_dim)`.
    heads: Vec<f32>,
    pub(super) packed: Blocks,
}

impl SelfAttention {
    /// What the texts' wanted tokens see. `rows` are all tokens, `query_rows` the wanted ones; the same where all are wanted.
    pub(super) fn forward(
        &self,
        processor: Processor,
        [rows, query_rows]: [&Blocks; 2],
        texts: Texts<'_>,
        spread: Spread,
        mixed: &mut Mixed,
    ) {
        let head_dim = self.dim / self.n_heads;
        let Mixed {
            queries,
            keys_and_values,
            heads,
            packed,
        } = mixed;
        self.query.forward(query_rows, spread, |_| (), queries);
        self.key_and_value
            .forward(rows, spread, |_| (), keys_and_values);
        let n_queries = texts.n_queries();
        heads.resize(n_queries * self.dim, 0.);
        // Which text and head each part of the result belongs to.
        let mut parts: Vec<(usize, usize, &mut [f32])> = Vec::new();
        let mut rest = &mut heads[..];
        for (text_idx, queries) in texts.queries.iter().enumerate() {
            for head in 0..self.n_heads {
                let (part, behind) = rest.split_at_mut(queries.len() * head_dim);
                parts.push((text_idx, head, part));
                rest = behind;
            }
        }
        let one = |scratch: &mut Scratch, (text_idx, head, part): (usize, usize, &mut [f32])| {
            let (tokens, wanted) = (&texts.tokens[text_idx], &texts.queries[text_idx]);
            let first = head * head_dim;
            let head = Head {
                processor,
                dims: first..first + head_dim,
                value_dims: self.dim + first..self.dim + first + head_dim,
                queries,
                keys_and_values,
            };
            head.mix(tokens, wanted, scratch, part);
        };
        match spread {
            Spread::OneCore => {
                let mut scratch = Scratch::default();
                for part in parts {
                    one(&mut scratch, part);
                }
            }
            Spread::AllCores => parts.into_par_iter().for_each_init(Scratch::default, one),
        }
        // The head's values of a token lie together, so a row is put together from as many pieces.
        let text_of: Vec<usize> = texts
            .queries
            .iter()
            .enumerate()
            .flat_map(|(text_idx, queries)| queries.clone().map(move |_| text_idx))
            .collect();
        packed.pack(processor, n_queries, self.dim, |row, column| {
            let queries = &texts.queries[text_of[row]];
            let (head, dim_idx) = (column / head_dim, column % head_dim);
            let of_head = &heads[queries.start * self.dim + head * queries.len() * head_dim..];
            &of_head[(row - queries.start) * head_dim + dim_idx..][..head_dim - dim_idx]
        });
    }
}

/// One head: its dimensions among those of the maps.
struct Head<'a> {
    processor: Processor,
    /// Of queries and keys.
    dims: Range<usize>,
    /// Of values, which stand behind all keys.
    value_dims: Range<usize>,
    queries: &'a Tiles,
    keys_and_values: &'a Tiles,
}

impl Head<'_> {
    /// What a text's wanted tokens see, `(wanted, head_dim)`.
    fn mix(
        &self,
        tokens: &Range<usize>,
        wanted: &Range<usize>,
        scratch: &mut Scratch,
        mixed: &mut [f32],
    ) {
        let (processor, head_dim) = (self.processor, self.dims.len());
        let (n_tokens, n_wanted) = (tokens.len(), wanted.len());
        let Scratch {
            queries,
            keys,
            values,
            scores,
            weights,
            packed_weights,
            mixed: tiles,
        } = scratch;
        queries.pack(processor, n_wanted, head_dim, |row, from| {
            let row = wanted.start + row;
            piece(self.queries, row, &self.dims, from)
        });
        keys.repack(processor, n_tokens, head_dim, |token, from| {
            let row = tokens.start + token;
            piece(self.keys_and_values, row, &self.dims, from)
        });
        scores.multiply(processor, queries, keys, Spread::OneCore, |_, _| ());
        weights.resize(n_wanted * n_tokens, 0.);
        for (row, weights) in weights.chunks_exact_mut(n_tokens).enumerate() {
            scores.copy_row(row, weights);
        }
        softmax(processor, weights, n_tokens, 1. / (head_dim as f32).sqrt());
        packed_weights.pack(processor, n_wanted, n_tokens, |row, from| {
            &weights[row * n_tokens + from..(row + 1) * n_tokens]
        });
        values.repack_across(processor, head_dim, n_tokens, |token, from| {
            let row = tokens.start + token;
            piece(self.keys_and_values, row, &self.value_dims, from)
        });
        tiles.multiply(
            processor,
            packed_weights,
            values,
            Spread::OneCore,
            |_, _| (),
        );
        for (row, mixed) in mixed.chunks_exact_mut(head_dim).enumerate() {
            tiles.copy_row(row, mixed);
        }
    }
}

/// A row's values of some dimensions, from one of them on. They may lie in several panels, and a panel may have those of several heads.
fn piece<'a>(tiles: &'a Tiles, row: usize, dims: &Range<usize>, from: usize) -> &'a [f32] {
    let values = tiles.piece(row, dims.start + from);
    &values[..values.len().min(dims.len() - from)]
}
