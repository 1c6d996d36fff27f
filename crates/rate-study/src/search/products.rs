//! CARROT's own KNN, which orders by cosine similarity, on vectors that make it order by Euclidean distance.
//!
//! ```text
//! point p, as p' = p - 1/2      (p', |p'|^2 / 2, sqrt(R^2 - |p'|^2 - |p'|^4 / 4))     length R
//! query q, as q' = q - 1/2      (q', -1, 0)
//! product                       q' . p' - |p'|^2 / 2 = (|q'|^2 - |q - p|^2) / 2
//! ```
//!
//! so of two points the one with the higher cosine is the nearer one.

use ndarray::Array2;
use routers::{Backend, Knn, Target, UnitRows};

use super::Asked;
use crate::Result;

pub(super) fn means(asked: Asked<'_>) -> Result<Vec<Array2<f64>>> {
    let (points, queries) = (asked.points, asked.queries);
    let (n, dim) = points.dim();
    // The largest of |p'|^2 + |p'|^4 / 4.
    let squared_norms: Vec<f64> = points
        .rows()
        .into_iter()
        .map(|p| centered(p).sum())
        .collect();
    let length = |squared: f64| squared + squared * squared / 4.0;
    let longest = squared_norms
        .iter()
        .copied()
        .map(length)
        .fold(0.0, f64::max);
    let lifted = Array2::from_shape_fn((n, dim + 2), |(row, column)| {
        let squared = squared_norms[row];
        (match column.checked_sub(dim) {
            None => points[[row, column]] - 0.5,
            Some(0) => squared / 2.0,
            Some(_) => (longest - length(squared)).max(0.0).sqrt(),
        }) as f32
    });
    let lifted_queries = Array2::from_shape_fn((queries.nrows(), dim + 2), |(row, column)| {
        (match column.checked_sub(dim) {
            None => queries[[row, column]] - 0.5,
            Some(0) => -1.0,
            Some(_) => 0.0,
        }) as f32
    });
    // A target for each k, so that neighbors are searched for once.
    let target = |k: &usize| Target {
        name: k.to_string(),
        values: asked.outputs.to_owned(),
    };
    let targets: Vec<Target> = asked.ks.iter().map(target).collect();
    let rows = UnitRows::new(lifted)?;
    let knn = Knn::from_parts(rows, &targets, asked.ks, Backend::Gemm)?;
    let predicted = knn.predict(lifted_queries.view(), &|_| ())?;
    Ok(predicted
        .iter()
        .map(|means| means.mapv(f64::from))
        .collect())
}

/// Squares of the coordinates, counted from the middle of the cube.
fn centered(point: ndarray::ArrayView1<'_, f64>) -> ndarray::Array1<f64> {
    point.mapv(|x| (x - 0.5).powi(2))
}
