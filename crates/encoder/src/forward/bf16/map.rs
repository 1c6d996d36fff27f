use super::{
    super::processor::Processor,
    lines::{Blocks, Line, SIDE},
    product::{Tiles, multiply, panels},
};

/// An affine map of rows, `x W^T + b`.
#[derive(Debug)]
pub(super) struct Map {
    tiles: Tiles,
    weight: Vec<Line>, // panels of 32 columns
    /// As many values as the panels have columns, those that do not exist among them.
    bias: Vec<f32>,
    n_parts: usize,
    out_dim: usize,
}

impl Map {
    /// Takes the weight, `(out_dim, in_dim)`, and the bias, `(out_dim)`.
    pub(super) fn new(tiles: Tiles, in_dim: usize, weight: &[f32], mut bias: Vec<f32>) -> Self {
        let out_dim = bias.len();
        bias.resize(out_dim.next_multiple_of(SIDE), 0.);
        Self {
            tiles,
            weight: panels(weight.chunks_exact(in_dim), in_dim),
            bias,
            n_parts: in_dim.div_ceil(SIDE),
            out_dim,
        }
    }

    /// Panels of 32 values in a result's row.
    pub(super) fn n_panels(&self) -> usize {
        self.bias.len() / SIDE
    }

    /// Hands on the map of rows panel by panel: the position of the panel, what is to be added to each of its rows, and its rows without that, those of
    /// whole blocks. Of the last panel, values behind the map's own are 0.
    pub(super) fn forward(
        &self,
        processor: Processor,
        rows: Blocks<'_>,
        sums: &mut Vec<f32>,
        mut take: impl FnMut(usize, &[f32; SIDE], &[[f32; SIDE]]),
    ) {
        assert_eq!(rows.n_parts, self.n_parts, "rows fit the map");
        // Every sum is overwritten.
        sums.resize(rows.n_blocks * SIDE * SIDE, 0.);
        let panels = self.weight.chunks_exact(self.n_parts * SIDE);
        let biases = self.bias.as_chunks().0;
        for (panel_idx, (panel, bias)) in panels.zip(biases).enumerate() {
            multiply(processor, self.tiles, rows, panel, sums);
            take(panel_idx, bias, sums.as_chunks().0);
        }
    }

    /// Adds the map of rows to others, `(rows, out_dim)`.
    pub(super) fn add_to(
        &self,
        processor: Processor,
        rows: Blocks<'_>,
        sums: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        let dim = self.out_dim;
        self.forward(processor, rows, sums, |panel_idx, bias, sums| {
            let first = panel_idx * SIDE;
            let n = SIDE.min(dim - first);
            processor.run(
                #[inline(always)]
                || {
                    for (row, sums) in out.chunks_exact_mut(dim).zip(sums) {
                        let values = &mut row[first..][..n];
                        if let Ok(values) = <&mut [f32; SIDE]>::try_from(&mut *values) {
                            for lane in 0..SIDE {
                                values[lane] += sums[lane] + bias[lane];
                            }
                            continue;
                        }
                        for lane in 0..n {
                            values[lane] += sums[lane] + bias[lane];
                        }
                    }
                },
            );
        });
    }
}
