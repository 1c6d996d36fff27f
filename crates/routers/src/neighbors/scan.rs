//! The three loops that run over every similarity, compiled for each instruction set and chosen at run time.

use pulp::Arch;

/// Values that are compared or multiplied at a time: a cache line of float32.
const LANES: usize = 16;

/// Position of the first value that reaches the threshold.
pub(super) fn first_reaching(values: &[f32], threshold: f32) -> Option<usize> {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut chunks = values.chunks_exact(LANES);
            for (c, chunk) in chunks.by_ref().enumerate() {
                if chunk
                    .iter()
                    .fold(false, |any, &value| any | (value >= threshold))
                {
                    return Some(c * LANES + chunk.iter().position(|&value| value >= threshold)?);
                }
            }
            let rest = chunks.remainder();
            Some(values.len() - rest.len() + rest.iter().position(|&value| value >= threshold)?)
        },
    )
}

/// Position of the first value that reaches its own threshold; both slices have the same length.
pub(super) fn first_reaching_each(values: &[f32], thresholds: &[f32]) -> Option<usize> {
    let reaches = |(&value, &threshold): (&f32, &f32)| value >= threshold;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let (mut chunks, mut threshold_chunks) =
                (values.chunks_exact(LANES), thresholds.chunks_exact(LANES));
            for (c, (chunk, thresholds)) in
                chunks.by_ref().zip(threshold_chunks.by_ref()).enumerate()
            {
                if chunk
                    .iter()
                    .zip(thresholds)
                    .fold(false, |any, pair| any | reaches(pair))
                {
                    return Some(c * LANES + chunk.iter().zip(thresholds).position(reaches)?);
                }
            }
            let (rest, thresholds) = (chunks.remainder(), threshold_chunks.remainder());
            Some(values.len() - rest.len() + rest.iter().zip(thresholds).position(reaches)?)
        },
    )
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
