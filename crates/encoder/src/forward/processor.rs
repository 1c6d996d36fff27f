use pulp::{Arch, Simd, WithSimd};

/// An instruction set, and what the kernels of products keep in its registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processor {
    pub(super) arch: Arch,
    /// Columns of a panel of weights: those whose sums are under way at once.
    pub(super) width: usize,
    /// Rows whose sums are under way at once, at most.
    pub(super) max_block: usize,
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
