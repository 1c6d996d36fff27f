use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::{Error, Result, eigen, points, principal, products};

/// The directions along which points vary most, to tell them apart with fewer numbers.
///
/// ```text
/// C a[j] = variance[j] a[j]     scores = (X - m) A
///   C  covariance of the points, as in `PrincipalComponents`    (dim, dim)
///   A  the axes a[0], a[1], ... as columns, of length 1         (dim, n_axes)
///   m  mean point                                               (dim)
/// ```
///
/// An axis is known but for its sign, which a caller has to choose; equal variances leave their axes free to turn.
///
/// # Deviations
/// From scikit-learn's `PCA`: none but the signs.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalAxes {
    mean: Array1<f64>,
    axes: Array2<f64>,
}

impl PrincipalAxes {
    /// The first `n_axes` axes of embeddings of shape `(n_points, dim)`; all of them where there are fewer.
    ///
    /// # Errors
    /// [`Error::TooSmall`], [`Error::NotFinite`], or [`Error::Constant`] where all points are equal.
    pub fn of(embeddings: ArrayView2<'_, f32>, n_axes: usize) -> Result<Self> {
        points::check(embeddings)?;
        let (n_points, dim) = embeddings.dim();
        let covariance = principal::scatter(embeddings) / (n_points - 1) as f64;
        if covariance.diag().sum() == 0.0 {
            return Err(Error::Constant { n_points });
        }
        let axes = eigen::vectors(covariance)?;
        Ok(Self {
            mean: points::mean(embeddings),
            axes: axes.slice(s![.., ..n_axes.min(dim)]).to_owned(),
        })
    }

    /// Where points lie along the axes: shape `(n_points, n_axes)`.
    pub fn scores(&self, embeddings: ArrayView2<'_, f32>) -> Array2<f64> {
        let mut scores = Array2::zeros((embeddings.nrows(), self.axes.ncols()));
        let blocks = embeddings.axis_chunks_iter(Axis(0), principal::BLOCK);
        let of_blocks = scores.axis_chunks_iter_mut(Axis(0), principal::BLOCK);
        for (block, mut scores) in blocks.zip(of_blocks) {
            let centered = block.mapv(f64::from) - &self.mean;
            scores.assign(&products::multiply(centered.view(), self.axes.view()));
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on a line through (1, 2, 3), with a little of (2, -1, 0) on top.
    fn points() -> Array2<f32> {
        Array2::from_shape_fn((5_000, 3), |(i, axis)| {
            let along = (i % 100) as f32 - 49.5;
            let across = (i / 100) as f32 / 25.0 - 0.98;
            [
                1.0 + along + 2.0 * across,
                2.0 * along - across,
                3.0 * along,
            ][axis]
        })
    }

    #[test]
    fn points_in_a_plane_need_two_axes() {
        let points = points();
        let axes = PrincipalAxes::of(points.view(), 2).expect("they vary");
        let scores = axes.scores(points.view());
        assert_eq!(scores.dim(), (5_000, 2));
        // Distances are what they were, though a dimension is gone.
        for (i, j) in [(0, 1), (17, 4_321), (99, 4_900)] {
            let apart = |matrix: &Array2<f64>| {
                let difference = &matrix.row(i) - &matrix.row(j);
                difference.dot(&difference).sqrt()
            };
            let (before, after) = (apart(&points.mapv(f64::from)), apart(&scores));
            assert!((before - after).abs() < 1e-4, "{before}, {after}");
        }
        let variance = |axis: usize| scores.column(axis).var(1.0);
        let mean = |axis: usize| scores.column(axis).mean().expect("some");
        assert!(variance(0) > 100.0 * variance(1), "the largest first");
        assert!(mean(0).abs() < 1e-9 && mean(1).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_axes_is_refused() {
        let equal = Array2::from_elem((3, 2), 1.5_f32);
        assert!(matches!(
            PrincipalAxes::of(equal.view(), 1),
            Err(Error::Constant { n_points: 3 })
        ));
        let unknown = ndarray::array![[1.0_f32, 2.0], [f32::NAN, 1.0]];
        assert!(matches!(
            PrincipalAxes::of(unknown.view(), 1),
            Err(Error::NotFinite { row: 2 })
        ));
        let one = ndarray::array![[1.0_f32, 2.0]];
        assert!(matches!(
            PrincipalAxes::of(one.view(), 1),
            Err(Error::TooSmall { .. })
        ));
    }

    #[test]
    fn there_are_no_more_axes_than_dimensions() {
        let points = points();
        let axes = PrincipalAxes::of(points.view(), 7).expect("they vary");
        assert_eq!(axes.scores(points.view()).ncols(), 3);
    }
}
