use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use ndarray::{ArrayView1, ArrayView2};

/// Numbers of a sketch.
const N: usize = 4;
/// How far the numbers of equal embeddings may lie apart. An embedder that computes prompts in other batches gives other last bits, which move
/// them by some 1e-7; the numbers of different embeddings are some 1e-2 apart, so that all four are this close for one pair in 10^14.
const TOLERANCE: f64 = 2e-6;

/// A few numbers that tell embeddings apart: projections of its direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sketch([f64; N]);

/// Counts prompts that have the embedding of a prompt with another text: an embedder that cut both cannot tell them apart, and no router that
/// predicts from its embeddings can.
///
/// ```
/// use dataset::Confusions;
/// use ndarray::array;
/// let embeddings = array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]];
/// let prompts = ["a long one", "another long one", "twice", "twice"].map(str::to_owned);
/// assert_eq!(Confusions::count(embeddings.view(), &prompts), 2);
/// ```
#[derive(Debug)]
pub struct Confusions {
    /// Groups by the cell of their first number.
    cells: HashMap<i64, Vec<Group>>,
    n_groups: usize,
    max_groups: usize,
}

/// Prompts with one embedding.
#[derive(Debug)]
struct Group {
    sketch: Sketch,
    /// The hash of the text of the first.
    text: u64,
    n_prompts: usize,
    /// Whether one of them has another text.
    is_confused: bool,
}

impl Sketch {
    /// The sketch of an embedding. Those that differ in their length only have the same one.
    pub fn of(embedding: ArrayView1<'_, f32>) -> Self {
        let mut sums = [0.0; N];
        let mut squares = 0.0;
        for (i, &value) in embedding.iter().enumerate() {
            let value = f64::from(value);
            squares += value * value;
            let mut bits = mix(i as u64);
            for sum in &mut sums {
                *sum += if bits & 1 == 0 { value } else { -value };
                bits >>= 1;
            }
        }
        let scale = (squares * embedding.len() as f64).sqrt();
        Self(sums.map(|sum| if scale > 0.0 { sum / scale } else { 0.0 }))
    }

    fn is_equal(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.all(|(a, b)| (a - b).abs() <= TOLERANCE)
    }
}

impl Confusions {
    /// Begins to count. Only this many different embeddings are remembered, some 300 bytes each; prompts with others are passed over.
    pub fn up_to(max_groups: usize) -> Self {
        Self {
            cells: HashMap::new(),
            n_groups: 0,
            max_groups,
        }
    }

    /// Counts at once; `embeddings` has one row per prompt.
    ///
    /// # Panics
    /// When there are more or fewer prompts than embeddings.
    pub fn count(embeddings: ArrayView2<'_, f32>, prompts: &[String]) -> usize {
        assert_eq!(embeddings.nrows(), prompts.len(), "one row per prompt");
        let mut this = Self::up_to(usize::MAX);
        for (embedding, prompt) in embeddings.outer_iter().zip(prompts) {
            this.add(Sketch::of(embedding), prompt);
        }
        this.n_confused()
    }

    /// Adds a prompt with its embedding's sketch.
    pub fn add(&mut self, sketch: Sketch, prompt: &str) {
        let mut hasher = DefaultHasher::new();
        prompt.hash(&mut hasher);
        let text = hasher.finish();
        let cell = (sketch.0[0] / TOLERANCE).floor() as i64;
        for cell in [cell, cell - 1, cell + 1] {
            let groups = self.cells.get_mut(&cell).into_iter().flatten();
            let mut equal = groups.filter(|group| group.sketch.is_equal(&sketch));
            if let Some(group) = equal.next() {
                group.n_prompts += 1;
                group.is_confused |= group.text != text;
                return;
            }
        }
        if self.n_groups < self.max_groups {
            self.n_groups += 1;
            self.cells.entry(cell).or_default().push(Group {
                sketch,
                text,
                n_prompts: 1,
                is_confused: false,
            });
        }
    }

    /// How many of the prompts so far have the embedding of a prompt with another text.
    pub fn n_confused(&self) -> usize {
        let groups = self.cells.values().flatten();
        let confused = groups.filter(|group| group.is_confused);
        confused.map(|group| group.n_prompts).sum()
    }
}

/// Bits without a pattern: SplitMix64.
fn mix(i: u64) -> u64 {
    let mut z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    const DIM: usize = 384;

    /// Numbers in (-1, 1) without a pattern that matters.
    fn number(i: usize) -> f32 {
        (mix(i as u64) as f64 / u64::MAX as f64 * 2.0 - 1.0) as f32
    }

    fn texts(n: usize, n_different: usize) -> Vec<String> {
        (0..n)
            .map(|i| format!("text {}", i % n_different))
            .collect()
    }

    #[test]
    fn different_embeddings_are_told_apart() {
        // All of them near one direction, as those of many embedders are.
        let n = 2_000;
        let embeddings = Array2::from_shape_fn((n, DIM), |(i, j)| {
            number(j) + 0.1 * number(1_000_000 + i * DIM + j)
        });
        assert_eq!(Confusions::count(embeddings.view(), &texts(n, n)), 0);
    }

    #[test]
    fn last_bits_do_not_tell_embeddings_apart() {
        // Seven embeddings, computed many times.
        let n = 700;
        let embeddings = Array2::from_shape_fn((n, DIM), |(i, j)| {
            number(i % 7 * DIM + j) * (1.0 + 1e-7 * number(1_000_000 + i * DIM + j))
        });
        assert_eq!(Confusions::count(embeddings.view(), &texts(n, n)), n);
        // The same prompts again and again are no loss.
        assert_eq!(Confusions::count(embeddings.view(), &texts(n, 7)), 0);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut confusions = Confusions::up_to(2);
        for (i, text) in texts(10, 10).iter().enumerate() {
            let embedding = Array2::from_shape_fn((1, DIM), |(_, j)| number(i % 5 * DIM + j));
            confusions.add(Sketch::of(embedding.row(0)), text);
        }
        assert_eq!(confusions.n_confused(), 4);
    }

    #[test]
    fn nothing_at_all() {
        assert_eq!(Confusions::count(Array2::zeros((0, 3)).view(), &[]), 0);
        let zeros = Array2::zeros((3, 2));
        assert_eq!(Confusions::count(zeros.view(), &texts(3, 3)), 3);
    }
}
