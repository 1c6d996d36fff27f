//! Products of rows with weights that were packed once:
//!
//! ```text
//! y[r, c] = sum over k of x[r, k] w[c, k]          in the order k = 0, 1, 2, ...
//! ```
//!
//! Every value is a sum of its own, made in one order whatever stands beside it. So a text's result is the same, bit for bit, in any batch, on
//! any number of cores, and on all processors that fuse a multiplication with an addition.
//!
//! Ours rather than `gemm`'s, which packs the weights anew in each product and chooses its order of summing by the sizes: on a Xeon of 2017 with
//! 62 rows, 58 GFLOP/s for 40.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::processor::{NUMBERS, Processor, VECTORS};

/// Values of a panel that are multiplied with all rows before the next ones: 24 KiB, which a core's innermost cache of 32 keeps.
const VALUES_AT_ONCE: usize = 6_144;

/// Weights in panels of a few columns, each with one row of its columns' values after the other.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    values: Vec<f32>, // (n_panels, depth, width)
    depth: usize,
    n_columns: usize,
    width: usize,
}

/// Rows of one length, each as far behind the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// From the first row's first value on.
    pub(crate) values: &'a [f32],
    /// From a row's value to that of the next row.
    pub(crate) stride: usize,
    pub(crate) n: usize,
}

/// Where a product is written: the same, to be changed.
#[derive(Debug)]
pub(crate) struct RowsMut<'a> {
    /// From the first row's first value on.
    pub(crate) values: &'a mut [f32],
    /// From a row's value to that of the next row.
    pub(crate) stride: usize,
}

/// Room for sums that are under way, used again by the next product.
pub(crate) type Tiles = Vec<f32>;

/// Over how many cores a product is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The calling one.
    OneCore,
    /// All.
    AllCores,
}

impl<'a> Rows<'a> {
    /// Rows that stand one after the other.
    pub(crate) fn dense(values: &'a [f32], dim: usize) -> Self {
        Self {
            values,
            stride: dim,
            n: values.len() / dim.max(1),
        }
    }
}

impl Panels {
    /// Packs `n_columns` columns of `depth` values.
    pub(crate) fn pack<'a>(
        processor: Processor,
        n_columns: usize,
        depth: usize,
        column: impl Fn(usize) -> &'a [f32] + Sync,
    ) -> Self {
        let mut panels = Self::default();
        panels.set_shape(processor, n_columns, depth);
        let width = panels.width;
        panels
            .values
            .par_chunks_exact_mut((depth * width).max(1))
            .enumerate()
            .for_each(|(panel_idx, panel)| {
                let first = panel_idx * width;
                fill(panel, width, first..n_columns.min(first + width), &column);
            });
        panels
    }

    /// The same on the calling core, into memory that is there: the rows become columns.
    pub(crate) fn repack(&mut self, processor: Processor, rows: Rows<'_>, depth: usize) {
        self.set_shape(processor, rows.n, depth);
        let width = self.width;
        let panels = self.values.chunks_exact_mut((depth * width).max(1));
        for (panel_idx, panel) in panels.enumerate() {
            let first = panel_idx * width;
            let columns = first..rows.n.min(first + width);
            fill(panel, width, columns, &|row| {
                &rows.values[row * rows.stride..][..depth]
            });
        }
    }

    /// The same for rows that stay rows: each has the `n_columns` columns' values at one depth.
    pub(crate) fn repack_across(&mut self, processor: Processor, rows: Rows<'_>, n_columns: usize) {
        self.set_shape(processor, n_columns, rows.n);
        let width = self.width;
        let panels = self.values.chunks_exact_mut((rows.n * width).max(1));
        for (panel_idx, panel) in panels.enumerate() {
            let first = panel_idx * width;
            let n = width.min(n_columns - first);
            for (row, values) in panel.chunks_exact_mut(width).enumerate() {
                values[..n].copy_from_slice(&rows.values[row * rows.stride + first..][..n]);
            }
        }
    }

    fn set_shape(&mut self, processor: Processor, n_columns: usize, depth: usize) {
        let width = processor.width;
        self.values.clear();
        // Zeros where the last panel has no column.
        self.values
            .resize(n_columns.div_ceil(width) * depth * width, 0.);
        (self.depth, self.n_columns, self.width) = (depth, n_columns, width);
    }

    /// The columns of the products with it.
    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Multiplies rows of as many values as the columns have. Each panel's part goes through `finish` with the position of its first column while it
    /// is at hand: `(n_rows, width)` values, of which those of columns that do not exist mean nothing.
    pub(crate) fn multiply(
        &self,
        processor: Processor,
        rows: Rows<'_>,
        spread: Spread,
        finish: impl Fn(usize, &mut [f32]) + Sync,
        tiles: &mut Tiles,
        mut out: RowsMut<'_>,
    ) {
        if rows.n == 0 || self.n_columns == 0 {
            return;
        }
        let width = self.width;
        let n_tile = rows.n * width;
        let one = |panel_idx: usize, tile: &mut [f32]| {
            let n_panel = self.depth * width;
            processor.arch.dispatch(Panel {
                rows,
                max_block: processor.max_block,
                panel: &self.values[panel_idx * n_panel..][..n_panel],
                depth: self.depth,
                width,
                tile: &mut *tile,
            });
            finish(panel_idx * width, tile);
        };
        let n_panels = self.n_columns.div_ceil(width);
        match spread {
            Spread::OneCore => {
                // Every value is overwritten.
                tiles.resize(n_tile, 0.);
                for panel_idx in 0..n_panels {
                    one(panel_idx, tiles);
                    self.put(panel_idx, tiles, &mut out);
                }
            }
            Spread::AllCores => {
                tiles.resize(n_panels * n_tile, 0.);
                let all = tiles.par_chunks_exact_mut(n_tile).enumerate();
                all.for_each(|(panel_idx, tile)| one(panel_idx, tile));
                for (panel_idx, tile) in tiles.chunks_exact(n_tile).enumerate() {
                    self.put(panel_idx, tile, &mut out);
                }
            }
        }
    }

    /// Puts a panel's part of a product where it belongs.
    fn put(&self, panel_idx: usize, tile: &[f32], out: &mut RowsMut<'_>) {
        let first = panel_idx * self.width;
        let n = self.width.min(self.n_columns - first);
        for (row, values) in tile.chunks_exact(self.width).enumerate() {
            out.values[row * out.stride + first..][..n].copy_from_slice(&values[..n]);
        }
    }
}

/// Fills a panel's first columns with those of a range.
fn fill<'a>(
    panel: &mut [f32],
    width: usize,
    columns: Range<usize>,
    column: &impl Fn(usize) -> &'a [f32],
) {
    for (lane, column_idx) in columns.enumerate() {
        for (row, value) in panel.chunks_exact_mut(width).zip(column(column_idx)) {
            row[lane] = *value;
        }
    }
}

/// The first row of each block and its number of rows: as few blocks as may be, of about one size.
fn blocks(n_rows: usize, max_block: usize) -> impl Iterator<Item = (usize, usize)> {
    let n_blocks = n_rows.div_ceil(max_block);
    (0..n_blocks).map(move |block_idx| {
        let begin = |block_idx| block_idx * n_rows / n_blocks;
        (begin(block_idx), begin(block_idx + 1) - begin(block_idx))
    })
}

/// One panel's part of a product.
struct Panel<'a> {
    rows: Rows<'a>,
    max_block: usize,
    panel: &'a [f32],
    depth: usize,
    width: usize,
    tile: &'a mut [f32],
}

impl WithSimd for Panel<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES == 1 {
            self.multiply::<S, NUMBERS>(simd);
        } else {
            self.multiply::<S, VECTORS>(simd);
        }
    }
}

impl Panel<'_> {
    /// Goes through the depth in parts of a panel that stay in the innermost cache. A sum that goes on from one part to the next waits in the tile, so
    /// that its terms keep their order.
    #[inline(always)]
    fn multiply<S: Simd, const V: usize>(self, simd: S) {
        let Rows { values, stride, n } = self.rows;
        let (tile, _) = S::as_mut_simd_f32s(self.tile);
        let (tile, _) = tile.as_chunks_mut::<V>();
        tile.fill([simd.splat_f32s(0.); V]);
        let n_at_once = VALUES_AT_ONCE / self.width;
        for first in (0..self.depth).step_by(n_at_once) {
            let depth = n_at_once.min(self.depth - first);
            let (panel, _) = S::as_simd_f32s(&self.panel[first * self.width..]);
            let panel = &panel.as_chunks::<V>().0[..depth];
            for (first_row, n) in blocks(n, self.max_block) {
                let rows = Rows {
                    values: &values[first_row * stride + first..],
                    stride,
                    n,
                };
                let sums = &mut tile[first_row..][..n];
                // More rows are for processors with more registers: their code is left out elsewhere.
                let is_large = S::F32_LANES != 1 && S::F32_LANES != 8;
                match n {
                    1 => block_1(simd, rows, panel, sums),
                    2 => block_2(simd, rows, panel, sums),
                    3 => block_3(simd, rows, panel, sums),
                    4 => block_4(simd, rows, panel, sums),
                    5 => block_5(simd, rows, panel, sums),
                    6 => block_6(simd, rows, panel, sums),
                    7 if is_large => block_7(simd, rows, panel, sums),
                    8 if is_large => block_8(simd, rows, panel, sums),
                    9 if is_large => block_9(simd, rows, panel, sums),
                    10 if is_large => block_10(simd, rows, panel, sums),
                    11 if is_large => block_11(simd, rows, panel, sums),
                    12 if is_large => block_12(simd, rows, panel, sums),
                    _ => unreachable!("no processor's block has so many rows"),
                }
            }
        }
    }
}

/// Functions that go on with the sums of a number of rows with `V` vectors of columns, which stay in registers.
///
/// Each row is written out: of a loop over rows, the compiler keeps the sums in memory as soon as it does not unroll it, which costs three quarters of
/// the speed.
macro_rules! blocks {
    ($($name:ident: $($row:literal)+;)+) => { $(
        #[inline(always)]
        fn $name<S: Simd, const V: usize>(
            simd: S,
            rows: Rows<'_>,
            panel: &[[S::f32s; V]],
            tile: &mut [[S::f32s; V]],
        ) {
            // Slices of one length, within which the loop stays.
            let depth = panel.len();
            let values = [$(&rows.values[$row * rows.stride..][..depth]),+];
            let mut sums = [$(tile[$row]),+];
            for k in 0..depth {
                $(
                    let value = simd.splat_f32s(values[$row][k]);
                    for vector in 0..V {
                        sums[$row][vector] =
                            simd.mul_add_e_f32s(value, panel[k][vector], sums[$row][vector]);
                    }
                )+
            }
            $(tile[$row] = sums[$row];)+
        }
    )+ };
}

blocks! {
    block_1: 0;
    block_2: 0 1;
    block_3: 0 1 2;
    block_4: 0 1 2 3;
    block_5: 0 1 2 3 4;
    block_6: 0 1 2 3 4 5;
    block_7: 0 1 2 3 4 5 6;
    block_8: 0 1 2 3 4 5 6 7;
    block_9: 0 1 2 3 4 5 6 7 8;
    block_10: 0 1 2 3 4 5 6 7 8 9;
    block_11: 0 1 2 3 4 5 6 7 8 9 10;
    block_12: 0 1 2 3 4 5 6 7 8 9 10 11;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(n: usize, salt: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.37 + salt).sin()).collect()
    }

    /// `x w^T` with the rows of both one after the other.
    fn product(
        processor: Processor,
        x: &[f32],
        w: &[f32],
        depth: usize,
        spread: Spread,
    ) -> Vec<f32> {
        let n_columns = w.len() / depth;
        let panels = Panels::pack(processor, n_columns, depth, |c| &w[c * depth..][..depth]);
        let mut y = vec![0.; x.len() / depth * n_columns];
        panels.multiply(
            processor,
            Rows::dense(x, depth),
            spread,
            |_, _| (),
            &mut Tiles::default(),
            RowsMut {
                values: &mut y,
                stride: n_columns,
            },
        );
        y
    }

    #[test]
    fn products_are_sums_of_products_on_every_processor() {
        for processor in Processor::all() {
            for (n_rows, depth, n_columns) in [
                (1, 1, 1),
                (3, 5, 2),
                (12, 7, 32),
                (13, 64, 33),
                (25, 31, 70),
                // In several parts.
                (7, 1_000, 17),
            ] {
                let (x, w) = (digits(n_rows * depth, 1.), digits(n_columns * depth, 2.));
                let found = product(processor, &x, &w, depth, Spread::OneCore);
                for row in 0..n_rows {
                    for column in 0..n_columns {
                        let (a, b) = (&x[row * depth..][..depth], &w[column * depth..][..depth]);
                        let terms = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                        let difference =
                            f64::from(found[row * n_columns + column]) - terms.sum::<f64>();
                        // Half a unit in the last place, for each term, of sums up to 8 or, of many terms, up to half as many.
                        let bound = depth as f64 * 5e-7 * (depth as f64 / 16.).max(1.);
                        assert!(difference.abs() < bound, "{processor:?} {row} {column}");
                    }
                }
            }
        }
    }

    /// Whatever stands beside it, and on however many cores.
    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let (depth, n_columns) = (900, 70);
        let (x, w) = (digits(30 * depth, 1.), digits(n_columns * depth, 2.));
        for processor in Processor::all() {
            let together = product(processor, &x, &w, depth, Spread::AllCores);
            for row in [0, 1, 17, 29] {
                let alone = &x[row * depth..][..depth];
                let alone = product(processor, alone, &w, depth, Spread::OneCore);
                assert_eq!(
                    alone,
                    together[row * n_columns..][..n_columns],
                    "{processor:?} {row}"
                );
            }
        }
    }

    #[test]
    fn processors_that_fuse_agree_in_every_bit() {
        let (depth, n_columns) = (40, 70);
        let (x, w) = (digits(30 * depth, 1.), digits(n_columns * depth, 2.));
        let mut products = Processor::all()
            .into_iter()
            .filter(|processor| processor.width > NUMBERS)
            .map(|processor| product(processor, &x, &w, depth, Spread::OneCore));
        let first = products.next();
        assert!(products.all(|other| Some(other) == first));
    }

    /// Columns of rows that are not their only ones, in two ways, into a part of longer rows.
    #[test]
    fn rows_may_lie_apart() {
        let (n_rows, depth, n_columns) = (9, 21, 18);
        let all = digits(n_rows * 50, 1.);
        let (x, w) = (&all[20..], digits(n_columns * depth, 2.));
        let rows = Rows {
            values: x,
            stride: 50,
            n: n_rows,
        };
        let dense: Vec<f32> = (0..n_rows)
            .flat_map(|row| &x[row * 50..][..depth])
            .copied()
            .collect();
        // The same columns, the values at each depth together.
        let across: Vec<f32> = (0..depth)
            .flat_map(|k| (0..n_columns).map(move |c| (k, c)))
            .map(|(k, c)| w[c * depth + k])
            .collect();
        for processor in Processor::all() {
            let expected = product(processor, &dense, &w, depth, Spread::OneCore);
            let mut panels = [Panels::default(), Panels::default()];
            panels[0].repack(processor, Rows::dense(&w, depth), depth);
            panels[1].repack_across(processor, Rows::dense(&across, n_columns), n_columns);
            for panels in panels {
                let mut y = vec![7.; n_rows * 40];
                let out = RowsMut {
                    values: &mut y[11..],
                    stride: 40,
                };
                let tiles = &mut Tiles::default();
                panels.multiply(processor, rows, Spread::OneCore, |_, _| (), tiles, out);
                for (row, y) in y.chunks(40).enumerate() {
                    assert_eq!(y[11..29], expected[row * n_columns..][..n_columns]);
                    assert!(y[..11].iter().chain(&y[29..]).all(|it| *it == 7.));
                }
            }
        }
    }

    #[test]
    fn no_rows_and_no_columns_are_no_products() {
        let processor = Processor::detect();
        assert!(product(processor, &[], &[1., 2.], 2, Spread::OneCore).is_empty());
        let panels = Panels::pack(processor, 0, 3, |_| &[]);
        assert_eq!(panels.n_columns(), 0);
    }
}
