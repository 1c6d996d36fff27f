//! How values lie in memory: in cache lines, as AMX's tiles are read.

use super::super::processor::Processor;

/// Rows of a block, columns of a panel, and values of a part of each.
pub(super) const SIDE: usize = 32;
/// Pairs of a line, and rows or columns of a tile.
pub(super) const TILE: usize = 16;

/// A cache line of 32 values in pairs, the first one of each in the lower half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u32; TILE]);

/// Rows of values, each a number of whole lines.
#[derive(Debug, Default)]
pub(super) struct Rows {
    lines: Vec<Line>,
    /// Lines of a row.
    n_parts: usize,
    /// From a row's line to that of the next row.
    stride: usize,
}

/// Rows that are multiplied, 32 at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks<'a> {
    /// From the first row's first line on.
    pub(super) lines: &'a [Line],
    /// From a row's line to that of the next row.
    pub(super) stride: usize,
    pub(super) n_blocks: usize,
    /// Lines of a row that are multiplied.
    pub(super) n_parts: usize,
}

impl Line {
    pub(super) const ZERO: Self = Self([0; TILE]);

    /// Rounds 32 values.
    #[inline(always)]
    pub(super) fn of(values: &[f32; SIDE]) -> Self {
        let mut line = Self::ZERO;
        for (pair, [first, second]) in line.0.iter_mut().zip(values.as_chunks::<2>().0) {
            *pair = rounded(*first) | rounded(*second) << 16;
        }
        line
    }
}

/// The nearest bfloat16, of two the even one; what is no number stays none.
#[inline(always)]
pub(super) fn rounded(value: f32) -> u32 {
    let bits = value.to_bits();
    if value.is_nan() {
        bits >> 16 | 0x40
    } else {
        bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16
    }
}

impl Rows {
    /// Makes room for rows of so many lines, whose contents mean nothing yet.
    pub(super) fn make_room(&mut self, n_rows: usize, n_parts: usize) {
        self.n_parts = n_parts;
        // Odd, so that rows do not compete for the same places of a cache.
        self.stride = n_parts | 1;
        // A block may begin with any row.
        self.lines.resize((n_rows + SIDE) * self.stride, Line::ZERO);
    }

    /// Rows of float32, `(rows, dim)`.
    pub(super) fn pack(&mut self, processor: Processor, rows: &[f32], dim: usize) {
        self.make_room(rows.len() / dim.max(1), dim.div_ceil(SIDE));
        for (row_idx, row) in rows.chunks_exact(dim.max(1)).enumerate() {
            pack_row(processor, row, self.row_mut(row_idx));
        }
    }

    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &[Line] {
        &self.lines[row * self.stride..][..self.n_parts]
    }

    #[inline(always)]
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [Line] {
        &mut self.lines[row * self.stride..][..self.n_parts]
    }

    /// Lines of a row.
    pub(super) fn n_parts(&self) -> usize {
        self.n_parts
    }

    /// So many rows' lines, from a row and a line of it on.
    pub(super) fn blocks(
        &self,
        first_row: usize,
        n_rows: usize,
        first_part: usize,
        n_parts: usize,
    ) -> Blocks<'_> {
        Blocks {
            lines: &self.lines[first_row * self.stride + first_part..],
            stride: self.stride,
            n_blocks: n_rows.div_ceil(SIDE),
            n_parts,
        }
    }

    /// So many rows, all of their lines.
    pub(super) fn first(&self, n_rows: usize) -> Blocks<'_> {
        self.blocks(0, n_rows, 0, self.n_parts)
    }
}

/// Rounds a row; zeros fill the last line.
pub(super) fn pack_row(processor: Processor, row: &[f32], lines: &mut [Line]) {
    processor.run(
        #[inline(always)]
        || {
            let (whole, rest) = row.as_chunks::<SIDE>();
            for (line, values) in lines.iter_mut().zip(whole) {
                *line = Line::of(values);
            }
            if !rest.is_empty() {
                let mut values = [0.; SIDE];
                values[..rest.len()].copy_from_slice(rest);
                lines[whole.len()] = Line::of(&values);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn values_are_rounded_to_the_nearest() {
        let mut values: Vec<f32> = (0..4_000_000_u32)
            .map(|i| f32::from_bits(i.wrapping_mul(0x9E37_79B9)))
            .collect();
        values.extend([
            0.,
            -0.,
            f32::INFINITY,
            f32::MIN,
            f32::MAX,
            1.003_906_2,
            1.011_718_8,
        ]);
        for value in values.into_iter().filter(|value| !value.is_nan()) {
            assert_eq!(
                rounded(value),
                u32::from(bf16::from_f32(value).to_bits()),
                "{value}"
            );
        }
        assert!(f32::from_bits(rounded(f32::NAN) << 16).is_nan());
        assert!(f32::from_bits(rounded(f32::from_bits(0x7F80_0001)) << 16).is_nan());
    }

    #[test]
    fn a_row_ends_in_zeros() {
        let mut rows = Rows::default();
        let values: Vec<f32> = (0..70).map(|i| i as f32).collect();
        rows.pack(Processor::detect(), &values, 35);
        for (row, values) in values.chunks(35).enumerate() {
            let pairs = rows.row(row).iter().flat_map(|line| line.0);
            let found = pairs.flat_map(|pair| [pair << 16, pair & 0xFFFF_0000].map(f32::from_bits));
            let expected = values.iter().copied().chain([0.; 29]);
            assert!(found.eq(expected));
        }
    }
}
