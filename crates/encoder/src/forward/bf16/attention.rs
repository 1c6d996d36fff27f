use super::{
    super::{attention::Texts, processor::Processor},
    functions::exp2,
    lines::{Line, Rows, SIDE, TILE},
    map::Map,
    product::{Tiles, multiply, place},
};

/// Scaled dot-product attention of tokens to every token of their text, in several heads: [`super::super::attention::SelfAttention`].
///
/// Each head begins a line, which zeros fill.
#[derive(Debug)]
pub(super) struct SelfAttention {
    pub(super) tiles: Tiles,
    pub(super) query: Map,
    pub(super) key_and_value: Map,
    pub(super) n_heads: usize,
    pub(super) head_dim: usize,
}

/// Texts with the maps of their tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapped<'a> {
    pub(super) texts: Texts<'a>,
    /// Of the wanted tokens, all heads.
    pub(super) queries: &'a Rows,
    /// Of all tokens, the keys of all heads and then the values.
    pub(super) keys_and_values: &'a Rows,
}

/// What a core needs for a head of a text.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) sums: Vec<f32>,
    keys: Vec<Line>,
    values: Vec<Line>,
    weights: Rows,
}

impl SelfAttention {
    /// Lines of a head.
    pub(super) fn n_head_parts(&self) -> usize {
        self.head_dim.div_ceil(SIDE)
    }

    /// What the wanted tokens of one text see, as rows of `mixed` from the same position on as their queries have.
    pub(super) fn mix(
        &self,
        processor: Processor,
        mapped: Mapped<'_>,
        text_idx: usize,
        scratch: &mut Scratch,
        mixed: &mut Rows,
    ) {
        let Mapped {
            texts,
            queries,
            keys_and_values,
        } = mapped;
        let n_parts = self.n_head_parts();
        let (tokens, wanted) = (&texts.tokens[text_idx], &texts.queries[text_idx]);
        let n_panels = tokens.len().div_ceil(SIDE);
        // exp(x) = 2^(x / ln 2)
        let scale = std::f32::consts::LOG2_E / (self.head_dim as f32).sqrt();
        let Scratch {
            sums,
            keys,
            values,
            weights,
        } = scratch;
        weights.make_room(SIDE, n_panels);
        for head in 0..self.n_heads {
            let first = head * n_parts;
            // Zeros behind the last token, so that a weight of 0 takes nothing there.
            for lines in [&mut *keys, &mut *values] {
                lines.clear();
                lines.resize(n_panels * SIDE * n_parts, Line::ZERO);
            }
            processor.run(
                #[inline(always)]
                || {
                    for part in 0..n_parts {
                        let key =
                            |token: usize| &keys_and_values.row(tokens.start + token)[first + part];
                        let first_value = self.n_heads * n_parts + first + part;
                        let value =
                            |token: usize| &keys_and_values.row(tokens.start + token)[first_value];
                        for token in 0..tokens.len() {
                            let (lines, lane) = place(keys, n_parts, token, part);
                            for (line, pair) in lines.iter_mut().zip(key(token).0) {
                                line.0[lane] = pair;
                            }
                        }
                        for first in (0..tokens.len()).step_by(2) {
                            let second = match first + 1 < tokens.len() {
                                true => value(first + 1),
                                false => &Line::ZERO,
                            };
                            interleave(value(first), second, values, part * n_panels, first);
                        }
                    }
                },
            );
            for first_query in (wanted.start..wanted.end).step_by(SIDE) {
                let n_queries = SIDE.min(wanted.end - first_query);
                // Every sum is overwritten.
                sums.resize(n_panels.max(n_parts) * SIDE * SIDE, 0.);
                let rows = queries.blocks(first_query, n_queries, first, n_parts);
                let scores = &mut sums[..n_panels * SIDE * SIDE];
                multiply(processor, self.tiles, rows, keys, scores);
                let mut totals = [0.; SIDE];
                for (row, total) in totals[..n_queries].iter_mut().enumerate() {
                    *total = softmax(
                        processor,
                        scores,
                        row,
                        tokens.len(),
                        scale,
                        weights.row_mut(row),
                    );
                }
                let seen = &mut sums[..n_parts * SIDE * SIDE];
                multiply(
                    processor,
                    self.tiles,
                    weights.first(n_queries),
                    values,
                    seen,
                );
                for (part, seen) in seen.as_chunks::<SIDE>().0.chunks_exact(SIDE).enumerate() {
                    processor.run(
                        #[inline(always)]
                        || {
                            for (row, seen) in seen[..n_queries].iter().enumerate() {
                                let share = 1. / totals[row];
                                mixed.row_mut(first_query + row)[first + part] =
                                    Line::of(&seen.map(|value| value * share));
                            }
                        },
                    );
                }
            }
        }
    }
}

/// Puts the values of two tokens, of which the first one is even, where a product reads them: in a pair for each dimension.
#[inline(always)]
fn interleave(even: &Line, odd: &Line, values: &mut [Line], first_part: usize, token: usize) {
    let lines = &mut values[(first_part + token / SIDE) * SIDE..][..SIDE];
    let pair = token % SIDE / 2;
    for tile in 0..2 {
        let line = &mut lines[tile * TILE + pair].0;
        for lane in 0..TILE / 2 {
            let (a, b) = (
                even.0[tile * TILE / 2 + lane],
                odd.0[tile * TILE / 2 + lane],
            );
            line[2 * lane] = a & 0xFFFF | b << 16;
            line[2 * lane + 1] = a >> 16 | b & 0xFFFF_0000;
        }
    }
}

/// Rounds the weights `2^(scale (score - max))` of a row of scores, `(n_panels, 32 rows, 32)`, and returns their sum before that. Behind the last token
/// they are 0.
fn softmax(
    processor: Processor,
    scores: &mut [f32],
    row: usize,
    n_tokens: usize,
    scale: f32,
    weights: &mut [Line],
) -> f32 {
    let n_last = n_tokens - (weights.len() - 1) * SIDE;
    let scores = scores.as_chunks_mut::<SIDE>().0;
    processor.run(
        #[inline(always)]
        || {
            let last = &mut scores[(weights.len() - 1) * SIDE + row];
            for score in &mut last[n_last..] {
                *score = f32::NEG_INFINITY;
            }
            let larger = |a: f32, b: f32| if b > a { b } else { a };
            let mut maxima = [f32::NEG_INFINITY; SIDE];
            for part in 0..weights.len() {
                let scores = &scores[part * SIDE + row];
                for lane in 0..SIDE {
                    maxima[lane] = larger(maxima[lane], scores[lane]);
                }
            }
            let max = folded(maxima, larger);
            let mut totals = [0.; SIDE];
            for (part, line) in weights.iter_mut().enumerate() {
                let mut values = scores[part * SIDE + row];
                for value in &mut values {
                    *value = exp2(scale * (*value - max));
                }
                if part * SIDE + SIDE > n_tokens {
                    values[n_last..].fill(0.);
                }
                for lane in 0..SIDE {
                    totals[lane] += values[lane];
                }
                *line = Line::of(&values);
            }
            folded(totals, |a, b| a + b)
        },
    )
}

/// Halves joined with halves.
#[inline(always)]
fn folded(mut values: [f32; SIDE], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut n = SIDE / 2;
    while n > 0 {
        for lane in 0..n {
            values[lane] = join(values[lane], values[lane + n]);
        }
        n /= 2;
    }
    values[0]
}
