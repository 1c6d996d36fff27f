//! A distance for linfa that is compiled for each instruction set.

use linfa_nn::distance::Distance;
use ndarray::{ArrayView, Dimension};
use pulp::Arch;

/// Euclidean distance, summed in one order whatever the instruction set; linfa's own is summed one value at a time, and takes many times as long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct UnrolledL2;

impl Distance<f32> for UnrolledL2 {
    fn distance<D: Dimension>(&self, a: ArrayView<'_, f32, D>, b: ArrayView<'_, f32, D>) -> f32 {
        self.rdistance(a, b).sqrt()
    }

    fn rdistance<D: Dimension>(&self, a: ArrayView<'_, f32, D>, b: ArrayView<'_, f32, D>) -> f32 {
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => squared_distance(a, b),
            _ => a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum(),
        }
    }

    fn rdist_to_dist(&self, rdist: f32) -> f32 {
        rdist.sqrt()
    }

    fn dist_to_rdist(&self, dist: f32) -> f32 {
        dist * dist
    }
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    /// Running sums: enough additions in flight to hide the latency of each.
    const LANES: usize = 64;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut sums = [0.0_f32; LANES];
            let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
            let rest = a.remainder().iter().zip(b.remainder());
            let rest: f32 = rest.map(|(x, y)| (x - y) * (x - y)).sum();
            for (a, b) in a.zip(b) {
                for lane in 0..LANES {
                    let difference = a[lane] - b[lane];
                    sums[lane] += difference * difference;
                }
            }
            sums.iter().sum::<f32>() + rest
        },
    )
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn distance_is_that_of_float64() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut random = |n| Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0));
        for dim in [1, 63, 64, 384, 400] {
            let (a, b): (Array1<f32>, _) = (random(dim), random(dim));
            let expected: f64 = (a.iter().zip(&b))
                .map(|(&x, &y): (&f32, &f32)| (f64::from(x) - f64::from(y)).powi(2))
                .sum();
            let found = f64::from(UnrolledL2.rdistance(a.view(), b.view()));
            assert!((found / expected - 1.0).abs() < 1e-5, "{dim}");
        }
    }
}
