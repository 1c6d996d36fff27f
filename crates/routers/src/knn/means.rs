use ndarray::{Array1, ArrayView2, Axis};
use pulp::Arch;

/// Means over known values of a growing set of rows, for each output.
pub(super) struct RunningMean {
    sums: Vec<f64>,
    counts: Vec<u32>,
}

impl RunningMean {
    pub(super) fn new(n_outputs: usize) -> Self {
        Self {
            sums: vec![0.0; n_outputs],
            counts: vec![0; n_outputs],
        }
    }

    pub(super) fn add(&mut self, rows: &[u32], values: ArrayView2<'_, f32>) {
        let values = values
            .to_slice()
            .expect("targets stand side by side in one standard matrix");
        let (sums, counts) = (&mut self.sums[..], &mut self.counts[..]);
        let n_outputs = sums.len();
        // Compiled for each instruction set: wide registers hold several outputs.
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for &row in rows {
                    let start = row as usize * n_outputs;
                    let row_values = &values[start..start + n_outputs];
                    for ((sum, count), &value) in sums.iter_mut().zip(&mut *counts).zip(row_values)
                    {
                        // Without a branch, so that several outputs are summed at once.
                        let is_known = !value.is_nan();
                        *sum += if is_known { f64::from(value) } else { 0.0 };
                        *count += u32::from(is_known);
                    }
                }
            },
        );
    }

    pub(super) fn get(&self, output: usize) -> Option<f64> {
        let count = self.counts[output];
        (count > 0).then(|| self.sums[output] / f64::from(count))
    }
}

/// The mean of each output over the rows where it is known; NaN where it is known in none.
pub(super) fn known_means<S: ndarray::Data<Elem = f32>>(
    values: &ndarray::ArrayBase<S, ndarray::Ix2>,
    rows: impl Iterator<Item = usize>,
) -> Array1<f64> {
    let mut mean = RunningMean::new(values.ncols());
    let values = values.view();
    for row in rows {
        mean.add(&[row as u32], values);
    }
    (0..values.len_of(Axis(1)))
        .map(|output| mean.get(output).unwrap_or(f64::NAN))
        .collect()
}
