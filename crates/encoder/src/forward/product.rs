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

/// Weights in panels of a few columns, each with one row of its columns' values after the other.
#[derive(Debug, Default)]
pub(crate) struct Panels {
    values: Vec<f32>, // (n_panels, depth, width)
    depth: usize,
    n_columns: usize,
    width: usize,
}

/// Rows in blocks of a few, each with one column of its rows' values after the other.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    values: Vec<f32>, // for each block (depth, rows of the block)
    depth: usize,
    n_rows: usize,
}

/// A product: for each panel, one row of its columns after the other.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    values: Vec<f32>, // (n_panels, n_rows, width)
    n_rows: usize,
    width: usize,
}

/// Over how many cores a product is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The calling one.
    OneCore,
    /// All.
    AllCores,
}

impl Panels {
    /// Packs `n_columns` columns of `depth` values. `piece` gives the values of a column from a position on, as many as lie together there, at least
    /// one.
    pub(crate) fn pack<'a>(
        processor: Processor,
        n_columns: usize,
        depth: usize,
        piece: impl Fn(usize, usize) -> &'a [f32] + Sync,
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
                fill(panel, width, first..n_columns.min(first + width), &piece);
            });
        panels
    }

    /// The same on the calling core, into memory that is there.
    pub(crate) fn repack<'a>(
        &mut self,
        processor: Processor,
        n_columns: usize,
        depth: usize,
        piece: impl Fn(usize, usize) -> &'a [f32],
    ) {
        self.set_shape(processor, n_columns, depth);
        let width = self.width;
        let panels = self.values.chunks_exact_mut((depth * width).max(1));
        for (panel_idx, panel) in panels.enumerate() {
            let first = panel_idx * width;
            fill(panel, width, first..n_columns.min(first + width), &piece);
        }
    }

    /// The same for columns that lie across: `piece` gives the values at one depth from a column on.
    pub(crate) fn repack_across<'a>(
        &mut self,
        processor: Processor,
        n_columns: usize,
        depth: usize,
        piece: impl Fn(usize, usize) -> &'a [f32],
    ) {
        self.set_shape(processor, n_columns, depth);
        let width = self.width;
        let panels = self.values.chunks_exact_mut((depth * width).max(1));
        for (panel_idx, panel) in panels.enumerate() {
            let first = panel_idx * width;
            let n = width.min(n_columns - first);
            for (at_depth, values) in panel.chunks_exact_mut(width).enumerate() {
                let mut n_done = 0;
                while n_done < n {
                    let found = piece(at_depth, first + n_done);
                    let n_found = found.len().min(n - n_done);
                    values[n_done..n_done + n_found].copy_from_slice(&found[..n_found]);
                    n_done += n_found;
                }
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
}

/// Fills a panel's first columns with those of a range.
fn fill<'a>(
    panel: &mut [f32],
    width: usize,
    columns: Range<usize>,
    piece: &impl Fn(usize, usize) -> &'a [f32],
) {
    let depth = panel.len() / width;
    for (lane, column) in columns.enumerate() {
        let mut n_done = 0;
        while n_done < depth {
            let values = piece(column, n_done);
            let rows = panel[n_done * width..].chunks_exact_mut(width);
            for (row, value) in rows.zip(values) {
                row[lane] = *value;
            }
            n_done += values.len();
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

impl Blocks {
    /// Packs `n_rows` rows of `depth` values. `piece` gives the values of a row from a position on, as many as lie together there, at least one.
    pub(crate) fn pack<'a>(
        &mut self,
        processor: Processor,
        n_rows: usize,
        depth: usize,
        piece: impl Fn(usize, usize) -> &'a [f32],
    ) {
        // Every value is overwritten.
        self.values.resize(n_rows * depth, 0.);
        (self.depth, self.n_rows) = (depth, n_rows);
        for (first_row, n_in_block) in blocks(n_rows, processor.max_block) {
            let block = &mut self.values[first_row * depth..][..n_in_block * depth];
            for row in 0..n_in_block {
                let mut n_done = 0;
                while n_done < depth {
                    let values = piece(first_row + row, n_done);
                    let columns = block[n_done * n_in_block..].chunks_exact_mut(n_in_block);
                    for (column, value) in columns.zip(values) {
                        column[row] = *value;
                    }
                    n_done += values.len();
                }
            }
        }
    }
}

impl Blocks {
    /// Packs rows that stand one after the other.
    pub(crate) fn pack_rows(&mut self, processor: Processor, rows: &[f32], depth: usize) {
        self.pack(processor, rows.len() / depth, depth, |row, from| {
            &rows[row * depth + from..(row + 1) * depth]
        });
    }
}

impl Tiles {
    /// Multiplies. Each panel's part goes through `finish` with the position of its first column while it is at hand: `(n_rows, width)` values, of
    /// which those of columns that do not exist mean nothing.
    pub(crate) fn multiply(
        &mut self,
        processor: Processor,
        rows: &Blocks,
        weights: &Panels,
        spread: Spread,
        finish: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        debug_assert_eq!(rows.depth, weights.depth, "rows and columns are as long");
        let (n_rows, width) = (rows.n_rows, weights.width);
        let n_panels = weights.n_columns.div_ceil(width);
        // Every value is overwritten.
        self.values.resize(n_panels * n_rows * width, 0.);
        (self.n_rows, self.width) = (n_rows, width);
        let one = |panel_idx: usize, panel: &[f32], tile: &mut [f32]| {
            processor.arch.dispatch(Panel {
                rows,
                max_block: processor.max_block,
                panel,
                tile,
            });
            finish(panel_idx * width, tile);
        };
        let n_panel = (weights.depth * width).max(1);
        let n_tile = (n_rows * width).max(1);
        match spread {
            Spread::OneCore => {
                let tiles = self.values.chunks_exact_mut(n_tile);
                let panels = weights.values.chunks_exact(n_panel);
                for (panel_idx, (tile, panel)) in tiles.zip(panels).enumerate() {
                    one(panel_idx, panel, tile);
                }
            }
            Spread::AllCores => {
                let tiles = self.values.par_chunks_exact_mut(n_tile);
                let panels = weights.values.par_chunks_exact(n_panel);
                tiles
                    .zip(panels)
                    .enumerate()
                    .for_each(|(panel_idx, (tile, panel))| one(panel_idx, panel, tile));
            }
        }
    }

    /// A row's values from a column on, as many as lie together.
    pub(crate) fn piece(&self, row: usize, column: usize) -> &[f32] {
        let (panel_idx, lane) = (column / self.width, column % self.width);
        let begin = (panel_idx * self.n_rows + row) * self.width;
        &self.values[begin + lane..begin + self.width]
    }

    /// Copies a row's first values, as many as there is room for.
    pub(crate) fn copy_row(&self, row: usize, values: &mut [f32]) {
        for (panel_idx, part) in values.chunks_mut(self.width).enumerate() {
            let n = part.len();
            part.copy_from_slice(&self.piece(row, panel_idx * self.width)[..n]);
        }
    }
}

/// One panel's part of a product.
struct Panel<'a> {
    rows: &'a Blocks,
    max_block: usize,
    panel: &'a [f32],
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
    #[inline(always)]
    fn multiply<S: Simd, const V: usize>(self, simd: S) {
        let (panel, _) = S::as_simd_f32s(self.panel);
        let (tile, _) = S::as_mut_simd_f32s(self.tile);
        let depth = self.rows.depth;
        for (first_row, n) in blocks(self.rows.n_rows, self.max_block) {
            let rows = &self.rows.values[first_row * depth..][..n * depth];
            let sums = &mut tile[first_row * V..][..n * V];
            match n {
                1 => block::<S, 1, V>(simd, rows, panel, sums),
                2 => block::<S, 2, V>(simd, rows, panel, sums),
                3 => block::<S, 3, V>(simd, rows, panel, sums),
                4 => block::<S, 4, V>(simd, rows, panel, sums),
                5 => block::<S, 5, V>(simd, rows, panel, sums),
                6 => block::<S, 6, V>(simd, rows, panel, sums),
                7 => block::<S, 7, V>(simd, rows, panel, sums),
                8 => block::<S, 8, V>(simd, rows, panel, sums),
                9 => block::<S, 9, V>(simd, rows, panel, sums),
                10 => block::<S, 10, V>(simd, rows, panel, sums),
                11 => block::<S, 11, V>(simd, rows, panel, sums),
                12 => block::<S, 12, V>(simd, rows, panel, sums),
                _ => unreachable!("no processor's block has more than 12 rows"),
            }
        }
    }
}

/// The sums of `R` rows with `V` vectors of columns, which stay in registers.
#[inline(always)]
fn block<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: &[f32],
    panel: &[S::f32s],
    out: &mut [S::f32s],
) {
    let mut sums = [[simd.splat_f32s(0.); V]; R];
    for (values, weights) in rows.chunks_exact(R).zip(panel.chunks_exact(V)) {
        for row in 0..R {
            let value = simd.splat_f32s(values[row]);
            for vector in 0..V {
                sums[row][vector] = simd.mul_add_e_f32s(value, weights[vector], sums[row][vector]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(V).zip(&sums) {
        out.copy_from_slice(sums);
    }
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
        let (n_rows, n_columns) = (x.len() / depth, w.len() / depth);
        let panels = Panels::pack(processor, n_columns, depth, |c, k| {
            &w[c * depth + k..(c + 1) * depth]
        });
        let mut rows = Blocks::default();
        rows.pack(processor, n_rows, depth, |r, k| {
            &x[r * depth + k..(r + 1) * depth]
        });
        let mut tiles = Tiles::default();
        tiles.multiply(processor, &rows, &panels, spread, |_, _| ());
        let mut y = vec![0.; n_rows * n_columns];
        for (row, y) in y.chunks_exact_mut(n_columns).enumerate() {
            tiles.copy_row(row, y);
        }
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
            ] {
                let (x, w) = (digits(n_rows * depth, 1.), digits(n_columns * depth, 2.));
                let found = product(processor, &x, &w, depth, Spread::OneCore);
                for row in 0..n_rows {
                    for column in 0..n_columns {
                        let (a, b) = (&x[row * depth..][..depth], &w[column * depth..][..depth]);
                        let terms = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                        let difference =
                            f64::from(found[row * n_columns + column]) - terms.sum::<f64>();
                        // Half a unit in the last place of sums up to 8, for each term.
                        let bound = depth as f64 * 5e-7;
                        assert!(difference.abs() < bound, "{processor:?} {row} {column}");
                    }
                }
            }
        }
    }

    /// Whatever stands beside it, and on however many cores.
    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let (depth, n_columns) = (40, 70);
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

    #[test]
    fn no_rows_and_no_columns_are_no_products() {
        let processor = Processor::detect();
        assert!(product(processor, &[], &[1., 2.], 2, Spread::OneCore).is_empty());
        let panels = Panels::pack(processor, 0, 3, |_, _| &[]);
        assert_eq!(panels.n_columns(), 0);
    }
}
