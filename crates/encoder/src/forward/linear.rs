use super::{
    elementwise::{add_row, layer_norm},
    processor::Processor,
    product::{Panels, Rows, RowsMut, Spread, Tiles},
};

/// An affine map of rows, `x W^T + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    processor: Processor,
    weight: Panels,
    /// As many values as the panels have columns, those that do not exist among them.
    bias: Vec<f32>,
    in_dim: usize,
}

/// The numbers of an affine map.
#[derive(Debug)]
pub(crate) struct Affine {
    pub(crate) weight: Vec<f32>, // (out_dim, in_dim)
    pub(crate) bias: Vec<f32>,   // (out_dim)
}

/// Normalizes rows to mean 0 and variance 1, then scales and shifts them.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) weight: Vec<f32>, // (dim)
    pub(crate) bias: Vec<f32>,   // (dim)
    pub(crate) eps: f32,
}

impl Linear {
    /// Takes maps of the same rows whose results shall stand side by side.
    pub(crate) fn new(processor: Processor, in_dim: usize, maps: &[Affine]) -> Self {
        let mut columns: Vec<&[f32]> = Vec::new();
        for Affine { weight, bias } in maps {
            columns.extend((0..bias.len()).map(|row| &weight[row * in_dim..][..in_dim]));
        }
        let mut bias: Vec<f32> = maps.iter().flat_map(|map| &map.bias).copied().collect();
        bias.resize(columns.len().next_multiple_of(processor.width), 0.);
        Self {
            processor,
            weight: Panels::pack(processor, columns.len(), in_dim, |column| columns[column]),
            bias,
            in_dim,
        }
    }

    /// Values of a result's row.
    pub(crate) fn out_dim(&self) -> usize {
        self.weight.n_columns()
    }

    /// The map of rows that stand one after the other; `activation` is applied to all values.
    pub(crate) fn forward(
        &self,
        rows: &[f32],
        spread: Spread,
        activation: impl Fn(&mut [f32]) + Sync,
        tiles: &mut Tiles,
        out: &mut [f32],
    ) {
        let processor = self.processor;
        let finish = |column: usize, tile: &mut [f32]| {
            add_row(processor, tile, &self.bias[column..][..processor.width]);
            activation(tile);
        };
        let out = RowsMut {
            values: out,
            stride: self.out_dim(),
        };
        let rows = Rows::dense(rows, self.in_dim);
        self.weight
            .multiply(processor, rows, spread, finish, tiles, out);
    }

    /// The same into memory of its own.
    pub(crate) fn rows(
        &self,
        rows: &[f32],
        spread: Spread,
        activation: impl Fn(&mut [f32]) + Sync,
    ) -> Vec<f32> {
        let mut out = vec![0.; rows.len() / self.in_dim * self.out_dim()];
        self.forward(rows, spread, activation, &mut Tiles::default(), &mut out);
        out
    }
}

impl LayerNorm {
    /// Normalizes one row.
    pub(crate) fn forward(&self, processor: Processor, row: &mut [f32]) {
        layer_norm(processor, row, &self.weight, &self.bias, self.eps);
    }
}
