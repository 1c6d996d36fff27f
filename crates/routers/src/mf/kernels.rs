//! The loops over the components of an embedding, compiled for each instruction set and chosen at run time. Which one is chosen changes no
//! bit: lanes are fixed, and no product is fused with a sum.

use pulp::Arch;

/// Sums that run side by side in a dot product.
const LANES: usize = 32;

/// The dot product of two vectors of one length.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut sums = [0_f32; LANES];
            let (a, a_rest) = a.as_chunks::<LANES>();
            let (b, b_rest) = b.as_chunks::<LANES>();
            for (a, b) in a.iter().zip(b) {
                for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                    *sum += a * b;
                }
            }
            for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
                *sum += a * b;
            }
            sums.iter().sum()
        },
    )
}

/// `sum <- sum + scale * vector`
pub(super) fn add_scaled(sum: &mut [f32], scale: f32, vector: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (sum, x) in sum.iter_mut().zip(vector) {
                *sum += scale * x;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_counts_once() {
        for len in [0, 1, 31, 32, 33, 64, 100] {
            let a: Vec<f32> = (0..len).map(|i| (i % 7) as f32 - 3.).collect();
            let b: Vec<f32> = (0..len).map(|i| (i % 5) as f32 + 0.5).collect();
            // Small multiples of a half: sums in any order are exact.
            let expected: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert_eq!(dot(&a, &b), expected, "{len}");

            let mut sum = b.clone();
            add_scaled(&mut sum, 2., &a);
            let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| b + 2. * a).collect();
            assert_eq!(sum, expected, "{len}");
        }
    }
}
