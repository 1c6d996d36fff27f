use pulp::Arch;

/// The similarity that decides: products of float32 are exact in float64, and eight running sums are added in a fixed order.
#[inline(always)]
pub(crate) fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(&x, &y)| f64::from(x) * f64::from(y))
        .sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// [`dot_f64`] of one vector with each of `rows`, which stand one after the other, compiled for each instruction set. The sums are the same on
/// every machine: no multiplication is fused with an addition.
pub(crate) fn dot_products_f64(vector: &[f32], rows: &[f32], products: &mut [f64]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (product, row) in products.iter_mut().zip(rows.chunks_exact(vector.len())) {
                *product = dot_f64(vector, row);
            }
        },
    );
}
