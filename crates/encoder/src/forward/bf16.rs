//! Products in bfloat16, whose sums are float32: what [`super::product`] computes, of values that are rounded to 8 bits first.
//!
//! ```text
//! y[r, c] = sum over parts of 32 values of (sum over even k + sum over odd k) of x[r, k] w[c, k]
//! ```
//!
//! That is the order of AMX's `TDPBF16PS`, so a row's values are the same bit for bit whatever stands beside it, and [`multiply_plainly`] gives the
//! same on any processor. Rows and columns lie as that instruction reads them: in cache lines of 32 values, 32 lines of which, two tiles, are what
//! 32 rows or 32 columns have of a part.

use super::{processor::Processor, product::Rows};

/// Rows of a block, columns of a panel, and values of a part of each.
pub(super) const SIDE: usize = 32;
/// Rows, or columns, of a tile.
const TILE: usize = 16;
/// Sums of one block with one panel.
const SUMS: usize = SIDE * SIDE;

/// A cache line of 32 values in pairs, the first one of each in the lower half.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u32; TILE]);

impl Line {
    const ZERO: Self = Self([0; TILE]);
}

/// The nearest bfloat16, of two the even one; what is no number stays none.
#[inline(always)]
fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    let nearest = bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16;
    if value.is_nan() {
        bits >> 16 | 0x40
    } else {
        nearest
    }
}

#[inline(always)]
fn pair(first: f32, second: f32) -> u32 {
    rounded(first) | rounded(second) << 16
}

/// Lines of so many rows or columns of `depth` values.
fn n_lines(n: usize, depth: usize) -> usize {
    n.next_multiple_of(SIDE) * depth.div_ceil(SIDE)
}

/// Puts rows into blocks: of each its parts, of which a line belongs to each row. Where there is no row, or no value, stand zeros.
pub(super) fn pack_rows(
    processor: Processor,
    rows: Rows<'_>,
    depth: usize,
    lines: &mut Vec<Line>,
) {
    let n_parts = depth.div_ceil(SIDE);
    // Nearly all are overwritten.
    lines.resize(n_lines(rows.n, depth), Line::ZERO);
    processor.run(
        #[inline(always)]
        || {
            let blocks = lines.chunks_exact_mut((n_parts * SIDE).max(1));
            for (block_idx, block) in blocks.enumerate() {
                for in_block in 0..SIDE {
                    let row = block_idx * SIDE + in_block;
                    let values = match row < rows.n {
                        true => &rows.values[row * rows.stride..][..depth],
                        false => &[],
                    };
                    let (whole, rest) = values.as_chunks::<SIDE>();
                    let mut parts = block[in_block..].iter_mut().step_by(SIDE);
                    for (values, line) in whole.iter().zip(parts.by_ref()) {
                        for (pair_idx, values) in values.as_chunks::<2>().0.iter().enumerate() {
                            line.0[pair_idx] = pair(values[0], values[1]);
                        }
                    }
                    let mut last = [0.; SIDE];
                    last[..rest.len()].copy_from_slice(rest);
                    for line in parts {
                        for (pair_idx, values) in last.as_chunks::<2>().0.iter().enumerate() {
                            line.0[pair_idx] = pair(values[0], values[1]);
                        }
                        last = [0.; SIDE];
                    }
                }
            }
        },
    );
}

/// Puts columns into panels: of each its parts, of those the first 16 columns and then the others, and of those a line for each pair of values. Each
/// column's values stand in a row.
pub(super) fn pack_columns<'a>(
    processor: Processor,
    n_columns: usize,
    depth: usize,
    column: impl Fn(usize) -> &'a [f32],
    lines: &mut Vec<Line>,
) {
    let n_parts = depth.div_ceil(SIDE);
    lines.clear();
    lines.resize(n_lines(n_columns, depth), Line::ZERO);
    processor.run(
        #[inline(always)]
        || {
            for column_idx in 0..n_columns {
                let (panel_idx, in_panel) = (column_idx / SIDE, column_idx % SIDE);
                let (tile, lane) = (in_panel / TILE, in_panel % TILE);
                let first = panel_idx * n_parts * SIDE + tile * TILE;
                let values = &column(column_idx)[..depth];
                for (part, values) in values.chunks(SIDE).enumerate() {
                    let lines = &mut lines[first + part * SIDE..][..TILE];
                    for (line, values) in lines.iter_mut().zip(values.chunks(2)) {
                        let second = values.get(1).copied().unwrap_or(0.);
                        line.0[lane] = pair(values[0], second);
                    }
                }
            }
        },
    );
}

/// The same of columns whose values at one depth stand in a row.
pub(super) fn pack_across(
    processor: Processor,
    rows: Rows<'_>,
    n_columns: usize,
    lines: &mut Vec<Line>,
) {
    let depth = rows.n;
    let n_parts = depth.div_ceil(SIDE);
    lines.clear();
    lines.resize(n_lines(n_columns, depth), Line::ZERO);
    let none = [0.; TILE];
    processor.run(
        #[inline(always)]
        || {
            for pair_idx in 0..depth.div_ceil(2) {
                let (part, in_part) = (pair_idx / TILE, pair_idx % TILE);
                for first in (0..n_columns).step_by(TILE) {
                    let (panel_idx, tile) = (first / SIDE, first % SIDE / TILE);
                    let n = TILE.min(n_columns - first);
                    let values = |row: usize| match row < depth {
                        true => &rows.values[row * rows.stride + first..][..n],
                        false => &none[..n],
                    };
                    let (even, odd) = (values(2 * pair_idx), values(2 * pair_idx + 1));
                    let line = (panel_idx * n_parts + part) * SIDE + tile * TILE + in_part;
                    let line = &mut lines[line].0[..n];
                    for lane in 0..n {
                        line[lane] = pair(even[lane], odd[lane]);
                    }
                }
            }
        },
    );
}

/// Multiplies packed rows with one packed panel of as many parts: `(n_rows, 32)` sums, those of rows that do not exist among them.
///
/// # Panics
/// When the numbers of lines and of sums do not belong together.
pub(super) fn multiply(
    processor: Processor,
    has_amx: bool,
    rows: &[Line],
    panel: &[Line],
    sums: &mut [f32],
) {
    let n_blocks = sums.len() / SUMS;
    assert_eq!(sums.len() % SUMS, 0, "blocks are whole");
    assert_eq!(panel.len() % SIDE, 0, "parts are whole");
    assert_eq!(rows.len(), n_blocks * panel.len(), "all blocks have all parts");
    if panel.is_empty() {
        sums.fill(0.);
        return;
    }
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if has_amx {
        super::amx::multiply(rows, panel, sums);
        return;
    }
    let _ = has_amx;
    multiply_plainly(processor, rows, panel, sums);
}

/// [`multiply`] without AMX.
fn multiply_plainly(processor: Processor, rows: &[Line], panel: &[Line], sums: &mut [f32]) {
    processor.run(
        #[inline(always)]
        || {
            let blocks = rows.chunks_exact(panel.len());
            for (block, sums) in blocks.zip(sums.chunks_exact_mut(SUMS)) {
                for (row, sums) in sums.chunks_exact_mut(SIDE).enumerate() {
                    for (tile, sums) in sums.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
                        let mut totals = [0.; TILE];
                        let parts = panel.chunks_exact(SIDE).zip(block.chunks_exact(SIDE));
                        for (columns, rows) in parts {
                            let (mut even, mut odd) = ([0.; TILE], [0.; TILE]);
                            let columns = &columns[tile * TILE..][..TILE];
                            for (value, columns) in rows[row].0.iter().zip(columns) {
                                let [a, b] = both(*value);
                                for lane in 0..TILE {
                                    let [c, d] = both(columns.0[lane]);
                                    even[lane] = a.mul_add(c, even[lane]);
                                    odd[lane] = b.mul_add(d, odd[lane]);
                                }
                            }
                            for lane in 0..TILE {
                                totals[lane] += even[lane] + odd[lane];
                            }
                        }
                        *sums = totals;
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn both(pair: u32) -> [f32; 2] {
    [pair << 16, pair & 0xFFFF_0000].map(f32::from_bits)
}
