use rayon::prelude::*;

use super::{processor::Processor, product::Spread};

/// Rows that a core takes at a time: few enough that what a layer makes of them, 48 x 1,536 x 4 bytes = 295 KB at MiniLM's width, stays in a cache
/// of half a megabyte.
const MAX_IN_GROUP: usize = 48;
/// Weights are read once for each group, which fewer rows than this are not worth.
const MIN_IN_GROUP: usize = 24;

/// How rows are dealt to cores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups {
    /// Rows of one group.
    n_rows: usize,
    /// Whether cores take groups side by side.
    are_parallel: bool,
    /// How a group's products are spread.
    within: Spread,
}

impl Groups {
    /// For rows that are multiplied with weights: where a core would get too few of them, the cores share each product instead.
    pub(super) fn for_weights(processor: Processor, n_rows: usize, spread: Spread) -> Self {
        let n_cores = n_cores(spread);
        let groups = Self::of(processor, n_rows, n_cores);
        match n_cores > 1 && groups.n_rows < MIN_IN_GROUP {
            true => Self {
                n_rows: n_rows.max(1),
                are_parallel: false,
                within: Spread::AllCores,
            },
            false => groups,
        }
    }

    /// For rows that have all they need at hand.
    pub(super) fn for_rows(processor: Processor, n_rows: usize, spread: Spread) -> Self {
        Self::of(processor, n_rows, n_cores(spread))
    }

    fn of(processor: Processor, n_rows: usize, n_cores: usize) -> Self {
        let n_groups = n_rows.div_ceil(MAX_IN_GROUP).next_multiple_of(n_cores);
        let n_rows = n_rows.div_ceil(n_groups.max(1)).max(1);
        Self {
            n_rows: match n_cores {
                1 => n_rows.next_multiple_of(processor.max_block),
                // Groups of one size keep all cores busy to the end.
                _ => n_rows,
            },
            are_parallel: n_cores > 1,
            within: Spread::OneCore,
        }
    }

    /// Lets `f` fill the rows of `out`, which have `dim` values: it gets a group's rows, the position of the first one, and how to spread its products.
    pub(super) fn fill<T: Default>(
        self,
        dim: usize,
        out: &mut [f32],
        scratch: &mut T,
        f: impl Fn(&mut T, usize, Spread, &mut [f32]) + Sync,
    ) {
        let n_values = (self.n_rows * dim).max(1);
        let one = |scratch: &mut T, (group_idx, rows): (usize, &mut [f32])| {
            f(scratch, group_idx * self.n_rows, self.within, rows);
        };
        match self.are_parallel {
            true => (out.par_chunks_mut(n_values).enumerate()).for_each_init(T::default, one),
            false => (out.chunks_mut(n_values).enumerate()).for_each(|rows| one(scratch, rows)),
        }
    }
}

fn n_cores(spread: Spread) -> usize {
    match spread {
        Spread::OneCore => 1,
        Spread::AllCores => rayon::current_num_threads(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row is filled once, with what belongs to it.
    #[test]
    fn groups_cover_all_rows() {
        let processor = Processor::detect();
        for n_rows in [0, 1, 5, 47, 48, 49, 97, 256] {
            for n_threads in [1, 2, 16] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads);
                pool.build().expect("threads").install(|| {
                    for spread in [Spread::OneCore, Spread::AllCores] {
                        for groups in [
                            Groups::for_weights(processor, n_rows, spread),
                            Groups::for_rows(processor, n_rows, spread),
                        ] {
                            let mut out = vec![0.; n_rows * 3];
                            groups.fill(3, &mut out, &mut (), |_, first, _, rows| {
                                for (row_idx, row) in rows.chunks_exact_mut(3).enumerate() {
                                    row.iter_mut()
                                        .for_each(|it| *it += (first + row_idx) as f32);
                                }
                            });
                            let expected = (0..n_rows).flat_map(|row| [row as f32; 3]);
                            assert!(out.iter().copied().eq(expected), "{groups:?}");
                        }
                    }
                });
            }
        }
    }

    #[test]
    fn many_cores_share_products_of_few_rows() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(16);
        pool.build().expect("threads").install(|| {
            let few = Groups::for_weights(Processor::detect(), 62, Spread::AllCores);
            assert_eq!((few.n_rows, few.within), (62, Spread::AllCores));
            let many = Groups::for_weights(Processor::detect(), 1_024, Spread::AllCores);
            assert!(many.are_parallel && many.n_rows <= MAX_IN_GROUP, "{many:?}");
        });
    }
}
