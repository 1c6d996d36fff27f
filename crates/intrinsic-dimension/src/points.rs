//! The points that a computation looks at: checked, drawn, and moved to their mean.

use ndarray::{Array2, ArrayView2, Axis, Zip};
use rand::{SeedableRng as _, seq::index};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

/// Which sample is drawn; each has a random stream of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Kernel = 1,
    Isomap = 2,
}

/// Refuses embeddings that have no variance by their shape, and unknown values.
pub(crate) fn check(embeddings: ArrayView2<'_, f32>) -> Result<()> {
    let shape = embeddings.dim();
    if shape.0 < 2 || shape.1 == 0 {
        return Err(Error::TooSmall { shape });
    }
    let is_finite = |row: ndarray::ArrayView1<'_, f32>| row.iter().all(|value| value.is_finite());
    match embeddings
        .axis_iter(Axis(0))
        .position(|row| !is_finite(row))
    {
        Some(row) => Err(Error::NotFinite { row: row + 1 }),
        None => Ok(()),
    }
}

/// Some of the points, in float64 and less their mean, of shape `(min(n_points, n_embeddings), dim)`.
///
/// Draws without replacement and keeps the order of the rows. None of the computations depends on the mean, but squared distances that are taken
/// from products lose fewer digits near it.
pub(crate) fn sample(
    embeddings: ArrayView2<'_, f32>,
    n_points: usize,
    seed: u64,
    stream: Stream,
) -> Result<Array2<f64>> {
    check(embeddings)?;
    let n_embeddings = embeddings.nrows();
    let mut points = if n_points < n_embeddings {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream as u64);
        let mut rows = index::sample(&mut rng, n_embeddings, n_points).into_vec();
        rows.sort_unstable();
        embeddings.select(Axis(0), &rows).mapv(f64::from)
    } else {
        embeddings.mapv(f64::from)
    };
    // Values of float32 add up exactly in float64 as long as they are equal, so equal points are exactly zero afterwards.
    let mean = mean(points.view());
    points -= &mean;
    if points.iter().all(|&value| value == 0.0) {
        return Err(Error::Constant {
            n_points: points.nrows(),
        });
    }
    Ok(points)
}

/// The mean point, of shape `(dim)`, summed row after row in float64.
pub(crate) fn mean<T: Copy + Into<f64>>(points: ArrayView2<'_, T>) -> ndarray::Array1<f64> {
    let mut sum = ndarray::Array1::<f64>::zeros(points.ncols());
    for row in points.axis_iter(Axis(0)) {
        Zip::from(&mut sum)
            .and(&row)
            .for_each(|sum, &value| *sum += value.into());
    }
    sum / points.nrows() as f64
}
