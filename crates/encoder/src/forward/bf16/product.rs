use super::{
    super::processor::Processor,
    lines::{Blocks, Line, SIDE, TILE, rounded},
};

/// Sums of a block with a panel.
pub(super) const BLOCK: usize = SIDE * SIDE;
/// Parts of a panel that are multiplied with all blocks before the next ones: 16 KiB, which stay in the innermost cache beside those of a block.
pub(super) const PARTS_AT_ONCE: usize = 8;

/// What multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Tiles {
    /// Intel's, by [`super::amx`].
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    Amx,
    /// None: the processor's vectors, to the same bits.
    None,
}

impl Tiles {
    /// The fastest that this machine has.
    pub(in super::super) fn detect() -> Self {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if super::amx::is_available() {
            return Self::Amx;
        }
        Self::None
    }

    /// All that this machine has.
    #[cfg(test)]
    pub(in super::super) fn all() -> Vec<Self> {
        let mut all = vec![Self::detect(), Self::None];
        all.dedup();
        all
    }
}

/// Puts columns into panels of 32: of each its parts, of a part the first 16 columns and then the others, and of those a line for each pair of values.
/// Zeros stand where there is no column, or no value. Every column has `depth` values.
pub(super) fn panels<'a>(
    columns: impl ExactSizeIterator<Item = &'a [f32]>,
    depth: usize,
) -> Vec<Line> {
    let n_parts = depth.div_ceil(SIDE);
    let mut lines = vec![Line::ZERO; columns.len().next_multiple_of(SIDE) * n_parts];
    for (column_idx, column) in columns.enumerate() {
        for (part, values) in column.chunks(SIDE).enumerate() {
            let (lines, lane) = place(&mut lines, n_parts, column_idx, part);
            for (line, values) in lines.iter_mut().zip(values.chunks(2)) {
                let second = values.get(1).map_or(0, |value| rounded(*value));
                line.0[lane] = rounded(values[0]) | second << 16;
            }
        }
    }
    lines
}

/// Where a part of a column stands: the lines of its pairs, and its place in them.
#[inline(always)]
pub(super) fn place(
    lines: &mut [Line],
    n_parts: usize,
    column: usize,
    part: usize,
) -> (&mut [Line], usize) {
    let first = (column / SIDE * n_parts + part) * SIDE + column % SIDE / TILE * TILE;
    (&mut lines[first..][..TILE], column % TILE)
}

/// Multiplies rows with panels of as many parts: `(n_panels, rows of all blocks, 32)` sums.
///
/// # Panics
/// When the numbers of lines and of sums do not belong together.
pub(super) fn multiply(
    processor: Processor,
    tiles: Tiles,
    rows: Blocks<'_>,
    panels: &[Line],
    sums: &mut [f32],
) {
    match tiles {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        Tiles::Amx => super::amx::multiply(rows, panels, sums),
        Tiles::None => multiply_plainly(processor, rows, panels, sums),
    }
}

/// Whether all that is read and written is there.
pub(super) fn check(rows: Blocks<'_>, panels: &[Line], sums: &[f32]) {
    let (n_panel, n_rows) = (rows.n_parts * SIDE, rows.n_blocks * SIDE);
    assert!(
        n_panel > 0 && panels.len().is_multiple_of(n_panel),
        "whole panels"
    );
    assert_eq!(
        sums.len(),
        panels.len() / n_panel * n_rows * SIDE,
        "a sum for each row and column"
    );
    let n_lines = n_rows.saturating_sub(1) * rows.stride + rows.n_parts;
    assert!(
        rows.stride >= rows.n_parts && (n_rows == 0 || rows.lines.len() >= n_lines),
        "whole blocks"
    );
}

/// [`multiply`] by the processor's vectors.
fn multiply_plainly(processor: Processor, rows: Blocks<'_>, panels: &[Line], sums: &mut [f32]) {
    check(rows, panels, sums);
    processor.run(
        #[inline(always)]
        || {
            let of_panels = sums.chunks_exact_mut(rows.n_blocks * BLOCK);
            for (panel, sums) in panels.chunks_exact(rows.n_parts * SIDE).zip(of_panels) {
                for (row, sums) in sums.chunks_exact_mut(SIDE).enumerate() {
                    let row = &rows.lines[row * rows.stride..][..rows.n_parts];
                    for (tile, sums) in sums.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
                        *sums = [0.; TILE];
                        for (line, columns) in row.iter().zip(panel.chunks_exact(SIDE)) {
                            add_part(line, &columns[tile * TILE..][..TILE], sums);
                        }
                    }
                }
            }
        },
    );
}

/// Adds what a part of a row and of 16 columns gives.
#[inline(always)]
fn add_part(row: &Line, columns: &[Line], sums: &mut [f32; TILE]) {
    let (mut even, mut odd) = ([0.; TILE], [0.; TILE]);
    for (pair, columns) in row.0.iter().zip(columns) {
        let [a, b] = both(*pair);
        for lane in 0..TILE {
            let [c, d] = both(columns.0[lane]);
            even[lane] = a.mul_add(c, even[lane]);
            odd[lane] = b.mul_add(d, odd[lane]);
        }
    }
    for lane in 0..TILE {
        sums[lane] += even[lane] + odd[lane];
    }
}

#[inline(always)]
fn both(pair: u32) -> [f32; 2] {
    [pair << 16, pair & 0xFFFF_0000].map(f32::from_bits)
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::{super::lines::Rows, *};

    fn digits(n: usize, salt: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 0.37 + salt).sin()).collect()
    }

    fn product(tiles: Tiles, x: &[f32], w: &[f32], depth: usize) -> Vec<f32> {
        let (n_rows, n_columns) = (x.len() / depth, w.len() / depth);
        let processor = Processor::detect();
        let mut rows = Rows::default();
        rows.pack(processor, x, depth);
        let panels = panels(w.chunks_exact(depth), depth);
        let n_padded = n_rows.next_multiple_of(SIDE);
        let mut sums = vec![7.; n_padded * n_columns.next_multiple_of(SIDE)];
        multiply(processor, tiles, rows.first(n_rows), &panels, &mut sums);
        let at = |row: usize, column: usize| {
            sums[(column / SIDE * n_padded + row) * SIDE + column % SIDE]
        };
        (0..n_rows)
            .flat_map(|row| (0..n_columns).map(move |column| (row, column)))
            .map(|(row, column)| at(row, column))
            .collect()
    }

    const SHAPES: [(usize, usize, usize); 6] = [
        (1, 1, 1),
        (3, 5, 2),
        (32, 32, 32),
        (33, 31, 70),
        (70, 384, 40),
        (40, 1_000, 33),
    ];

    #[test]
    fn products_are_sums_of_products() {
        for (n_rows, depth, n_columns) in SHAPES {
            let (x, w) = (digits(n_rows * depth, 1.), digits(n_columns * depth, 2.));
            let near = |value: &f32| f64::from(bf16::from_f32(*value).to_f32());
            for tiles in Tiles::all() {
                let found = product(tiles, &x, &w, depth);
                for (idx, found) in found.iter().enumerate() {
                    let (row, column) = (idx / n_columns, idx % n_columns);
                    let (a, b) = (&x[row * depth..][..depth], &w[column * depth..][..depth]);
                    let exact: f64 = a.iter().zip(b).map(|(a, b)| near(a) * near(b)).sum();
                    // A float32's rounding for each term, of sums up to half as many as there are terms.
                    let bound = depth as f64 * 1e-7 * (depth as f64 / 4.).max(1.);
                    assert!(
                        (f64::from(*found) - exact).abs() < bound,
                        "{tiles:?} {row} {column}"
                    );
                }
            }
        }
    }

    /// Bit for bit, zeros, the largest numbers and what is none among them.
    #[test]
    fn tiles_and_vectors_agree() {
        for (n_rows, depth, n_columns) in SHAPES {
            let (mut x, w) = (digits(n_rows * depth, 1.), digits(n_columns * depth, 2.));
            for is_wild in [false, true] {
                if is_wild {
                    x[0] = f32::INFINITY;
                    x[n_rows * depth / 2] = f32::MAX;
                    x[n_rows * depth - 1] = -0.;
                }
                let [tiles, vectors] =
                    [Tiles::detect(), Tiles::None].map(|tiles| product(tiles, &x, &w, depth));
                let bits = |values: &[f32]| {
                    values
                        .iter()
                        .map(|value| if value.is_nan() { 0 } else { value.to_bits() })
                        .collect::<Vec<_>>()
                };
                assert_eq!(bits(&tiles), bits(&vectors), "{n_rows} {depth} {n_columns}");
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let (depth, n_columns) = (900, 70);
        let (x, w) = (digits(50 * depth, 1.), digits(n_columns * depth, 2.));
        for tiles in Tiles::all() {
            let together = product(tiles, &x, &w, depth);
            for row in [0, 1, 17, 31, 32, 49] {
                let alone = product(tiles, &x[row * depth..][..depth], &w, depth);
                assert_eq!(
                    alone,
                    together[row * n_columns..][..n_columns],
                    "{tiles:?} {row}"
                );
            }
        }
    }

    #[test]
    fn no_memory_beyond_the_slices_is_read() {
        let lines = vec![Line::ZERO; 31 * 3 + 2];
        let rows = |n_blocks, stride, n_parts| Blocks {
            lines: &lines,
            stride,
            n_blocks,
            n_parts,
        };
        let panels = [Line::ZERO; 2 * SIDE];
        for tiles in Tiles::all() {
            for (rows, n_panels, n_sums, is_fine) in [
                (rows(1, 3, 2), 64, BLOCK, true),
                (rows(2, 3, 2), 64, 2 * BLOCK, false),
                (rows(1, 4, 2), 64, BLOCK, false),
                (rows(1, 1, 2), 64, BLOCK, false),
                (rows(1, 3, 2), 63, BLOCK, false),
                (rows(1, 3, 2), 64, BLOCK - 1, false),
                (rows(1, 3, 0), 0, 0, false),
            ] {
                let run = || {
                    multiply(
                        Processor::detect(),
                        tiles,
                        rows,
                        &panels[..n_panels],
                        &mut vec![0.; n_sums],
                    )
                };
                assert_eq!(
                    std::panic::catch_unwind(run).is_ok(),
                    is_fine,
                    "{rows:?} {n_panels} {n_sums}"
                );
            }
        }
    }
}
