use dataset::Precision;
use pulp::{Arch, Simd, WithSimd};

use super::bf16::SIDE;

/// An instruction set, and what the kernels of products keep in its registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processor {
    pub(super) arch: Arch,
    /// Columns of a panel of weights: those whose sums are under way at once.
    pub(super) width: usize,
    /// Rows whose sums are under way at once, at most.
    pub(super) max_block: usize,
    /// What products are made of.
    pub(super) products: Products,
}

/// What products are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Products {
    /// float32.
    F32,
    /// bfloat16, by the processor's tiles where it has them.
    Bf16 { has_amx: bool },
}

/// Vectors of sums in a row of a block, where the processor has vectors.
pub(super) const VECTORS: usize = 2;
/// The same where it has none that are used.
pub(super) const NUMBERS: usize = 8;

impl Processor {
    /// The best instruction set that this machine has: AVX-512, AVX2 with FMA, NEON, or none beyond what every processor of its kind has.
    pub(crate) fn detect() -> Self {
        Self::with(Arch::new())
    }

    /// The same for products of this precision.
    pub(crate) fn detect_for(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::detect(),
            Precision::Bf16 => Self::detect().with_bf16(has_amx()),
        }
    }

    fn with_bf16(self, has_amx: bool) -> Self {
        Self {
            width: SIDE,
            max_block: SIDE,
            products: Products::Bf16 { has_amx },
            ..self
        }
    }

    /// Runs a loop that is compiled for each instruction set.
    #[inline(always)]
    pub(super) fn run<T>(self, f: impl FnMut() -> T) -> T {
        // Not the closure itself: as a `FnOnce` it is called through a function of its own, which need not become part of what has the instructions.
        struct Run<F>(F);
        impl<T, F: FnMut() -> T> WithSimd for Run<F> {
            type Output = T;

            #[inline(always)]
            fn with_simd<S: Simd>(mut self, _: S) -> T {
                (self.0)()
            }
        }
        self.arch.dispatch(Run(f))
    }

    fn with(arch: Arch) -> Self {
        struct Lanes;
        impl WithSimd for Lanes {
            type Output = usize;

            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        let lanes = arch.dispatch(Lanes);
        let (n_vectors, max_block) = match lanes {
            1 => (NUMBERS, 4),
            // AVX2 has 16 registers: 12 sums, two vectors of weights, one value of the row.
            8 => (VECTORS, 6),
            // AVX-512 and NEON have 32.
            _ => (VECTORS, 12),
        };
        Self {
            arch,
            width: n_vectors * lanes,
            max_block,
            products: Products::F32,
        }
    }

    /// Every instruction set that this machine has, the one without vectors among them.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::with(Arch::Scalar), Self::detect()];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        all.extend(pulp::x86::V3::try_new().map(|simd| Self::with(Arch::V3(simd))));
        all
    }
}

/// Whether this processor has Intel's tiles, and this process may use them.
pub(crate) fn has_amx() -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    return super::amx::is_available();
    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    false
}
