//! The three loops that run over every similarity, compiled for each instruction set and chosen at run time.

use std::ops::Range;

use pulp::Arch;

/// Values that are compared or multiplied at a time: a cache line of float32.
const LANES: usize = 16;

/// The first few values from `start` on of which one reaches the threshold.
pub(super) fn next_reaching(values: &[f32], threshold: f32, start: usize) -> Option<Range<usize>> {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut chunks = values[start..].chunks(LANES);
            let hit = chunks.position(|chunk| {
                chunk
                    .iter()
                    // `|` and not `||`: a loop without an early exit is compiled to comparisons of whole registers.
                    .fold(false, |any, &value| any | (value >= threshold))
            })?;
            Some(chunk_at(start, hit, values.len()))
        },
    )
}

/// The first few values from `start` on of which one reaches its own threshold; both slices have the same length.
pub(super) fn next_reaching_each(
    values: &[f32],
    thresholds: &[f32],
    start: usize,
) -> Option<Range<usize>> {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut chunks = values[start..]
                .chunks(LANES)
                .zip(thresholds[start..].chunks(LANES));
            let hit = chunks.position(|(values, thresholds)| {
                values
                    .iter()
                    .zip(thresholds)
                    .fold(false, |any, (value, threshold)| any | (value >= threshold))
            })?;
            Some(chunk_at(start, hit, values.len()))
        },
    )
}

fn chunk_at(start: usize, chunk: usize, end: usize) -> Range<usize> {
    let first = start + chunk * LANES;
    first..end.min(first + LANES)
}

/// Dot products of one vector with each of `rows`, which stand one after the other.
pub(super) fn dot_products(vector: &[f32], rows: &[f32], products: &mut Vec<f32>) {
    products.clear();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            products.extend(rows.chunks_exact(vector.len()).map(
                #[inline(always)]
                |row| dot(vector, row),
            ));
        },
    );
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Four times sixteen running sums: enough additions in flight to hide the latency of each.
    const STEP: usize = 4 * LANES;
    let mut sums = [0.0_f32; STEP];
    let (a, b) = (a.chunks_exact(STEP), b.chunks_exact(STEP));
    let rest: f32 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (a, b) in a.zip(b) {
        for i in 0..STEP {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}
